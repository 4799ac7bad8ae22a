# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""From the options of the module to the desired access entries: who may access the cluster, as which user and groups, with which access policies.

Sources: the service model of EKS (CreateAccessEntry, AccessScope) and its user guide, Create access entries.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from .._limits.aws import find_tag_errors
from .._text import repeated
from .normalize import CLUSTER_ADMIN, STANDARD, Scope, normalize_scope, policy_name

# EKS itself grants these what nodes need, and takes no access policies for them.
WITHOUT_POLICIES = ("EC2_LINUX", "EC2_WINDOWS", "FARGATE_LINUX", "HYBRID_LINUX")
# Prefixes of user names that EKS reserves.
_RESERVED_USERS = ("system:", "eks:", "aws:", "amazon:", "iam:")
_PRINCIPAL = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:(?:(role|user)/[\w+=,.@/-]+|root)")
SESSION = re.compile(r"arn:(aws[a-z-]*):sts::(\d{12}):assumed-role/([\w+=,.@-]+)/.+")
# A label of DNS, in which * stands for any characters.
_NAMESPACE = re.compile(r"[a-z0-9*](?:[a-z0-9*-]{0,61}[a-z0-9*])?")


@dataclass(frozen=True)
class EntrySpec:
    """The desired state of one access entry; None leaves the current value as it is.

    Attributes:
        policies: the policies as the user names them, by name or ARN, each with its namespaces; without namespaces, for the whole cluster.
    """

    principal: str
    present: bool = True
    type: str | None = None
    username: str | None = None
    groups: frozenset[str] | None = None
    policies: tuple[tuple[str, Scope], ...] | None = None
    tags: t.Mapping[str, t.Any] | None = None


def parse_spec(item: t.Mapping[str, t.Any]) -> EntrySpec:
    """One item of the option C(entries), with all its keys."""
    policies = item["policies"]
    return EntrySpec(
        principal=item["principal_arn"],
        present=item["state"] == "present",
        type=item["type"],
        username=item["username"] or None,
        groups=None if item["kubernetes_groups"] is None else frozenset(item["kubernetes_groups"]),
        policies=None if policies is None else tuple((one["policy"], normalize_scope(one["namespaces"])) for one in policies),
        tags=item["tags"],
    )


def validate_specs(specs: t.Sequence[EntrySpec]) -> list[str]:
    """Validation errors, one sentence each, whatever the cluster has."""
    principals = [spec.principal for spec in specs]
    found = [
        f"{principal} is listed more than once in this task, but a principal can have only one access entry: keep one of the items."
        for principal in repeated(principals)
    ]
    for spec in specs:
        errors = [*_validate_principal(spec)]
        if spec.present:
            errors += [*_validate_identity(spec), *_validate_policies(spec), *find_tag_errors("tags", spec.tags)]
        found += (f"Access entry of {spec.principal}: {error}" for error in errors)
    return found


def _validate_principal(spec: EntrySpec) -> t.Iterator[str]:
    session = SESSION.fullmatch(spec.principal)
    if session:
        partition, account, role = session.groups()
        # The ARN of a session leaves out the path of the role.
        path = "aws-reserved/sso.amazonaws.com/REGION/" if role.startswith("AWSReservedSSO_") else ""
        hint = " with the region of your IAM Identity Center, and without it when that is us-east-1" if path else " with its path, if it has one"
        yield f"this is the ARN of a session, but an access entry needs its role: use arn:{partition}:iam::{account}:role/{path}{role}{hint}."
        return
    found = _PRINCIPAL.fullmatch(spec.principal)
    if not found:
        yield "this is not the ARN of an IAM principal: use arn:aws:iam::ACCOUNT:role/NAME, including the path of the role if it has one."
    elif spec.present and spec.type not in (None, STANDARD) and found.group(1) != "role":
        yield f"type {spec.type} is for nodes, but this is not the ARN of a role: use the role of the nodes, or type {STANDARD}."


def _validate_identity(spec: EntrySpec) -> t.Iterator[str]:
    for group in sorted(spec.groups or ()):
        if group.startswith("system:"):
            yield (
                f"group {group} is reserved for Kubernetes, and EKS does not assign it: associate an access policy"
                f"{f' ({CLUSTER_ADMIN})' if group == 'system:masters' else ''}, or bind a group of your own."
            )
        elif not group.strip():
            yield "a group with an empty name has no effect: remove it."
    if spec.username and spec.username.startswith(_RESERVED_USERS):
        yield f"username {spec.username} begins with a reserved prefix ({', '.join(_RESERVED_USERS)}): omit it, and EKS creates one."
    if spec.type not in (None, STANDARD) and (spec.groups or spec.username):
        yield f"EKS itself sets the username and the groups of type {spec.type}: remove username and kubernetes_groups."


def _validate_policies(spec: EntrySpec) -> t.Iterator[str]:
    names = [policy_name(policy) for policy, _namespaces in spec.policies or ()]
    for name in repeated(names):
        yield f"policy {name} is listed more than once, but can have only one scope: put all namespaces into one item."
    if spec.policies and spec.type in WITHOUT_POLICIES:
        yield f"type {spec.type} cannot have access policies, because EKS itself grants nodes what they need: remove them."
    for policy, namespaces in spec.policies or ():
        wrong = [name for name in namespaces if not _NAMESPACE.fullmatch(name)]
        if wrong:
            yield (
                f"policy {policy_name(policy)}: {', '.join(repr(name) for name in wrong)} cannot be a namespace: use lower-case letters, digits and hyphens, "
                "with * as a wildcard (team-*)."
            )


__all__ = ("SESSION", "WITHOUT_POLICIES", "EntrySpec", "parse_spec", "validate_specs")
