# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Access entries of an EKS cluster as values: what EKS answers, in one form."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

STANDARD = "STANDARD"
TYPES = (STANDARD, "EC2", "EC2_LINUX", "EC2_WINDOWS", "FARGATE_LINUX", "HYBRID_LINUX", "HYPERPOD_LINUX")
CLUSTER_ADMIN = "AmazonEKSClusterAdminPolicy"
Scope = t.Tuple[str, ...]


@dataclass(frozen=True)
class Entry:
    """An access entry as EKS describes it.

    Attributes:
        policies: the namespaces of each associated access policy by its ARN; an empty tuple means the whole cluster.
        created: when it was created, in seconds since the epoch; 0 if unknown.
    """

    principal: str
    type: str = STANDARD
    username: str = ""
    groups: frozenset[str] = frozenset()
    policies: t.Mapping[str, Scope] = field(default_factory=dict)
    tags: t.Mapping[str, str] = field(default_factory=dict)
    arn: str = ""
    created: float = 0.0


def normalize_entry(description: t.Mapping[str, t.Any], policies: t.Iterable[t.Mapping[str, t.Any]] = ()) -> Entry:
    """The entry in the answers of C(DescribeAccessEntry) and C(ListAssociatedAccessPolicies)."""
    created = description.get("createdAt")
    return Entry(
        principal=str(description["principalArn"]),
        type=str(description.get("type") or STANDARD),
        username=str(description.get("username") or ""),
        groups=frozenset(description.get("kubernetesGroups") or ()),
        policies={str(one["policyArn"]): normalize_scope((one.get("accessScope") or {}).get("namespaces")) for one in policies},
        tags=dict(description.get("tags") or {}),
        arn=str(description.get("accessEntryArn") or ""),
        created=created.timestamp() if created is not None else 0.0,
    )


def policy_name(policy: str) -> str:
    """The name of an access policy, given by name or ARN."""
    return policy.rpartition("/")[2]


def is_of_eks(principal: str) -> bool:
    """Whether a principal is a service-linked role of AWS."""
    return ":role/aws-service-role/" in principal


def normalize_scope(namespaces: t.Iterable[str] | None) -> Scope:
    return tuple(sorted(set(namespaces or ())))


def format_entry(entry: Entry) -> dict[str, t.Any]:
    """The fields of an entry as diffs and results show them."""
    fields: dict[str, t.Any] = {
        "type": entry.type,
        "username": entry.username,
        "kubernetes_groups": sorted(entry.groups),
        **{f"policies.{policy_name(arn)}": list(scope) or "cluster" for arn, scope in sorted(entry.policies.items())},
        **{f"tags.{name}": value for name, value in sorted(entry.tags.items())},
    }
    return {name: value for name, value in fields.items() if value not in (None, "", [])}


__all__ = ("CLUSTER_ADMIN", "STANDARD", "TYPES", "Entry", "Scope", "format_entry", "is_of_eks", "normalize_entry", "normalize_scope", "policy_name")
