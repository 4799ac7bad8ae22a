# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.

"""In what IAM roles and managed policies differ from those that are wanted. Pure.

What counts as a difference is what C(amazon.aws.iam_role) and C(amazon.aws.iam_managed_policy) would change, as the roles of this collection call them.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._aws.policies import is_same_policy
from .._aws.tags import compare_tags, tags_of

if t.TYPE_CHECKING:
    from .._aws.policies import Policy

Answer = t.Mapping[str, t.Any]


@dataclass(frozen=True)
class Role:
    """A role that is wanted.

    Attributes:
        name: its name.
        trust: who may assume it.
        managed_policies: the ARNs of all managed policies that are to be attached.
        path: its path.
        boundary: the ARN of its permissions boundary; empty leaves the one that it has.
        tags: those that it must have; it may have others.
    """

    name: str
    trust: Policy
    managed_policies: tuple[str, ...]
    path: str = "/"
    boundary: str = ""
    tags: t.Mapping[str, t.Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ManagedPolicy:
    """A managed policy that is wanted: its ARN, the document of its default version, and the tags that it must have."""

    arn: str
    document: Policy
    tags: t.Mapping[str, t.Any] = field(default_factory=dict)


def role_differences(wanted: Role, present: Answer | None, attached: t.Iterable[str]) -> list[str]:
    """In what a role differs.

    Args:
        wanted: the role.
        present: what IAM's GetRole tells of it; None when there is none.
        attached: the ARNs of the managed policies that are attached to it.
    """
    if present is None:
        return ["missing"]
    boundary = (present.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn", "")
    found = {
        "path": present.get("Path") != wanted.path,
        "trust": not is_same_policy(present["AssumeRolePolicyDocument"], wanted.trust),
        "managed_policies": set(attached) != set(wanted.managed_policies),
        "boundary": bool(wanted.boundary) and boundary != wanted.boundary,
        "tags": compare_tags(tags_of(present.get("Tags")), wanted.tags, purge=False).any,
    }
    return [what for what, differs in found.items() if differs]


def policy_differences(wanted: ManagedPolicy, present: Answer | None, document: Policy | None) -> list[str]:
    """In what a managed policy differs.

    Args:
        wanted: the policy.
        present: what IAM's GetPolicy tells of it; None when there is none.
        document: that of its default version.
    """
    if present is None or document is None:
        return ["missing"]
    found = {
        "document": not is_same_policy(document, wanted.document),
        "tags": compare_tags(tags_of(present.get("Tags")), wanted.tags, purge=False).any,
    }
    return [what for what, differs in found.items() if differs]


__all__ = ("ManagedPolicy", "Role", "policy_differences", "role_differences")
