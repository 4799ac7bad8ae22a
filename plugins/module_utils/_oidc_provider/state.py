# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Finds the OpenID Connect provider of an issuer in IAM."""

from __future__ import annotations

import typing as t

from .._aws.tags import tags_of
from .plan import Provider
from .spec import normalize_url

if t.TYPE_CHECKING:
    from .._aws.session import AwsSession


def read_provider(session: AwsSession, url: str) -> tuple[str, Provider | None]:
    """The ARN and the content of the issuer's provider; an empty ARN and None if there is none."""
    # The ARN ends in the URL without its scheme; the account in front of it would need another request.
    ending = ":oidc-provider/" + normalize_url(url)
    listed = session.pages("iam", "list_open_id_connect_providers", "OpenIDConnectProviderList")
    arn = next((str(item["Arn"]) for item in listed if item["Arn"].endswith(ending)), "")
    if not arn:
        return "", None
    answer = session.call("iam", "get_open_id_connect_provider", OpenIDConnectProviderArn=arn)
    return arn, Provider(tuple(sorted(answer.get("ClientIDList") or [])), tuple(sorted(answer.get("ThumbprintList") or [])), tags_of(answer.get("Tags")))


__all__ = ("read_provider",)
