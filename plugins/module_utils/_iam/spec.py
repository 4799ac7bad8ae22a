# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""The desired IAM roles and managed policies. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._errors import raise_if_any
from .._limits.aws import find_role_errors, find_tag_errors

if t.TYPE_CHECKING:
    from .._aws.policies import Policy


@dataclass(frozen=True)
class Role:
    """A desired role.

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
    """A desired managed policy: its ARN, the document of its default version, and the tags that it must have."""

    arn: str
    document: Policy
    tags: t.Mapping[str, t.Any] = field(default_factory=dict)


def parse_role(item: t.Mapping[str, t.Any]) -> Role:
    """One item of the module's option.

    Raises:
        MeshError: the name, the path or a tag is one that IAM does not take.
    """
    errors = [*find_role_errors(item["name"], item["path"]), *find_tag_errors("tags", item["tags"], any_case=True)]
    raise_if_any([f"Role {item['name']}: {error}" for error in errors])
    return Role(item["name"], item["trust"], tuple(item["managed_policies"]), item["path"], item["boundary"] or "", item["tags"])


def parse_policy(item: t.Mapping[str, t.Any]) -> ManagedPolicy:
    """One item of the module's option.

    Raises:
        MeshError: a tag is one that IAM does not take.
    """
    raise_if_any([f"Policy {item['arn']}: {error}" for error in find_tag_errors("tags", item["tags"], any_case=True)])
    return ManagedPolicy(item["arn"], item["document"], item["tags"])


__all__ = ("ManagedPolicy", "Role", "parse_policy", "parse_role")
