# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""In what IAM roles and managed policies differ from the desired ones. Pure.

What counts as a difference is what C(amazon.aws.iam_role) and C(amazon.aws.iam_managed_policy) would change, as the roles of this collection call them.
"""

from __future__ import annotations

import typing as t

from .._aws.policies import is_same_policy
from .._aws.tags import compare_tags, tags_of

if t.TYPE_CHECKING:
    from .._aws.policies import Policy
    from .spec import ManagedPolicy, Role

Answer = t.Mapping[str, t.Any]


def role_differences(desired: Role, current: Answer | None, attached: t.Iterable[str]) -> list[str]:
    """In what a role differs.

    Args:
        desired: the role.
        current: IAM's answer to GetRole; None when there is no such role.
        attached: the ARNs of the managed policies that are attached to it.
    """
    if current is None:
        return ["missing"]
    boundary = (current.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn", "")
    found = {
        "path": current.get("Path") != desired.path,
        "trust": not is_same_policy(current["AssumeRolePolicyDocument"], desired.trust),
        "managed_policies": set(attached) != set(desired.managed_policies),
        "boundary": bool(desired.boundary) and boundary != desired.boundary,
        "tags": compare_tags(tags_of(current.get("Tags")), desired.tags, purge=False).any,
    }
    return [what for what, differs in found.items() if differs]


def policy_differences(desired: ManagedPolicy, current: Answer | None, document: Policy | None) -> list[str]:
    """In what a managed policy differs.

    Args:
        desired: the policy.
        current: IAM's answer to GetPolicy; None when there is no such policy.
        document: that of its default version.
    """
    if current is None or document is None:
        return ["missing"]
    found = {
        "document": not is_same_policy(document, desired.document),
        "tags": compare_tags(tags_of(current.get("Tags")), desired.tags, purge=False).any,
    }
    return [what for what, differs in found.items() if differs]


__all__ = ("policy_differences", "role_differences")
