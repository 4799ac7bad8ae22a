# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Reads IAM roles and managed policies by name and ARN: to find them in lists would take pages of AWS' own policies."""

from __future__ import annotations

import typing as t

from .._aws.errors import AwsError

if t.TYPE_CHECKING:
    from .._aws.policies import Policy
    from .._aws.session import Answer, AwsSession


def read_role(session: AwsSession, name: str) -> tuple[Answer | None, list[str]]:
    """IAM's description of a role, and the ARNs of the managed policies that are attached to it; None and none when there is no such role."""
    try:
        role: Answer = session.call("iam", "get_role", RoleName=name)["Role"]
        attached = session.pages("iam", "list_attached_role_policies", "AttachedPolicies", RoleName=name)
    except AwsError as error:
        if error.absent:
            return None, []
        raise
    return role, [str(each["PolicyArn"]) for each in attached]


def read_policy(session: AwsSession, arn: str) -> tuple[Answer | None, Policy | None]:
    """IAM's description of a managed policy, and the document of its default version; None when there is no such policy."""
    try:
        policy: Answer = session.call("iam", "get_policy", PolicyArn=arn)["Policy"]
        version = session.call("iam", "get_policy_version", PolicyArn=arn, VersionId=policy["DefaultVersionId"])["PolicyVersion"]
    except AwsError as error:
        if error.absent:
            return None, None
        raise
    return policy, version["Document"]


__all__ = ("read_policy", "read_role")
