# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Which changes to access entries EKS would refuse, and which entries a purge must not delete."""

from __future__ import annotations

import typing as t

from .normalize import CLUSTER_ADMIN, STANDARD, Entry, is_of_eks, policy_name
from .spec import SESSION, WITHOUT_POLICIES

if t.TYPE_CHECKING:
    from .spec import EntrySpec

# Until a cluster is active, which takes about ten minutes, only EKS can create an entry. In seconds.
_WHILE_CREATING = 600.0
OF_EKS = "it belongs to EKS"


def find_refusals(specs: t.Iterable[EntrySpec], current: t.Mapping[str, Entry], offered: t.Mapping[str, str] | None) -> list[str]:
    """What EKS would refuse on this cluster, one sentence each.

    Args:
        specs: the desired entries.
        current: the current entries by principal.
        offered: the ARNs of EKS' access policies by name; None if they were not read.
    """
    refusals = []
    for spec in specs:
        entry = current.get(spec.principal)
        if not spec.present:
            continue
        if entry and spec.type and spec.type != entry.type:
            refusals.append(
                f"Access entry of {spec.principal} is of type {entry.type}, and EKS cannot make it {spec.type}: delete it first (state absent), or correct "
                "the type."
            )
        elif entry and entry.type in WITHOUT_POLICIES and not spec.type and spec.policies:
            refusals.append(f"Access entry of {spec.principal} is of type {entry.type}, which cannot have access policies: remove them.")
        for policy, _namespaces in spec.policies or () if offered is not None else ():
            if policy_name(policy) not in (offered or {}) and not (entry and policy_name(policy) in {policy_name(arn) for arn in entry.policies}):
                refusals.append(f"Access entry of {spec.principal}: EKS has no access policy {policy}: choose one of {', '.join(sorted(offered or {}))}.")
    return refusals


def find_protected(others: t.Iterable[Entry], *, caller: str, cluster_created: float, bootstrapped: bool) -> dict[str, str]:
    """Why entries that are not named must not be purged, by principal.

    EKS does not mark the entry of the cluster's creator. It is the oldest entry of a person, was created along with the cluster, and administers it.

    Args:
        others: the entries that the task does not name.
        caller: the ARN of the identity that runs the task, as STS returns it.
        cluster_created: when the cluster was created, in seconds since the epoch.
        bootstrapped: whether EKS was to create an entry for the cluster's creator.
    """
    reasons = {}
    people = []
    for entry in others:
        if is_of_eks(entry.principal) or entry.username.startswith("eks:"):
            reasons[entry.principal] = OF_EKS
        elif entry.type != STANDARD:
            reasons[entry.principal] = f"nodes need it (type {entry.type})"
        elif _is_caller(entry.principal, caller):
            reasons[entry.principal] = "this run itself uses it"
        else:
            people.append(entry)
    oldest = min(people, key=lambda entry: entry.created, default=None)
    if (
        oldest
        and bootstrapped
        and oldest.created - cluster_created < _WHILE_CREATING
        and any(policy_name(arn) == CLUSTER_ADMIN and not scope for arn, scope in oldest.policies.items())
    ):
        reasons[oldest.principal] = "it belongs to the cluster's creator"
    return reasons


def _is_caller(principal: str, caller: str) -> bool:
    """Whether the caller's ARN, which may be of a session, is this principal; the ARN of a session has no path of the role."""
    session = SESSION.fullmatch(caller)
    if not session:
        return principal == caller
    partition, account, role = session.groups()
    return principal.startswith(f"arn:{partition}:iam::{account}:role/") and policy_name(principal) == role


__all__ = ("OF_EKS", "find_protected", "find_refusals")
