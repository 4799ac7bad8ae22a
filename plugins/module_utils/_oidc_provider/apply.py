# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Writes the changes of an OpenID Connect provider."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from .._aws.session import AwsSession
    from .plan import ProviderPlan


def apply_plan(session: AwsSession, arn: str, plan: ProviderPlan) -> str:
    """Send the requests of the plan; arn is empty for a new provider. Returns the ARN."""
    for operation, parameters in plan.calls:
        named = {"OpenIDConnectProviderArn": arn} if arn else {}
        answer = session.call("iam", operation, **named, **parameters)
        arn = arn or str(answer["OpenIDConnectProviderArn"])
    return arn


def delete_provider(session: AwsSession, arn: str) -> None:
    """Delete the provider."""
    session.call("iam", "delete_open_id_connect_provider", OpenIDConnectProviderArn=arn)


__all__ = ("apply_plan", "delete_provider")
