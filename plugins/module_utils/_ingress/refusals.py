# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Why objects must not be changed on this cluster, whatever they are, one sentence each."""

from __future__ import annotations

import typing as t

from .._mesh.labels import Object
from .._text import format_clauses, format_names, quoted
from .compare import foreign_owners, is_ours
from .plan import Change, Place, protecting_attributes


def refuse_changes(
    changes: t.Sequence[Change],
    namespaces: t.Collection[str],
    services: t.Mapping[Place, Object] | None = None,
    *,
    force_conflicts: bool = False,
    override_deletion_protection: bool = False,
) -> list[str]:
    """Why these changes must not be made.

    Args:
        changes: the plan.
        namespaces: the namespaces that exist, planned ones included.
        services: the current Services, by which deletion protection of Network Load Balancers is known.
        force_conflicts: whether objects of others are taken over.
        override_deletion_protection: whether protected load balancers are deleted all the same.
    """
    refusals: list[str] = []
    for change in changes:
        refusals += [] if force_conflicts else _refuse_foreign(change)
        refusals += [] if override_deletion_protection else _refuse_protected(change, services or {})
        refusals += _refuse_namespaces(change, namespaces) if change.is_main else []
    return list(dict.fromkeys(refusals))


def refuse_unroutable(title: str, target_type: str, *, routable: bool | None) -> t.Iterator[str]:
    """Pods as targets that a load balancer cannot reach."""
    if target_type == "ip" and routable is False:
        yield (
            f"{title}: target_type ip needs pods whose addresses the VPC routes, but neither DaemonSet aws-node nor Cilium with ENI addresses runs: "
            "use target_type instance, or set allow_unroutable_targets."
        )


def _refuse_foreign(change: Change) -> t.Iterator[str]:
    if change.current is not None and change.changed and not is_ours(change.current):
        verb = "delete" if change.action == "deleted" else "change"
        owners = foreign_owners(change.current, change.desired.manifest)
        # Only those who own what differs are in the way, if anybody does.
        named = {owner: fields for owner, fields in owners.items() if fields} or owners
        shown = format_clauses(f"{quoted(owner)}, which owns {format_names(fields, 3)}" if fields else quoted(owner) for owner, fields in named.items())
        by = f" (field manager {shown})" if shown else ""
        yield f"{change.item.title}: {change.title} was created by somebody else{by}: choose another name, or set force_conflicts to {verb} it."


def _refuse_protected(change: Change, services: t.Mapping[Place, Object]) -> t.Iterator[str]:
    if protecting_attributes(change, services):
        yield (
            f"{change.item.title}: its load balancer has deletion protection, so it would not be deleted: set deletion_protection to false and run, "
            "or set override_deletion_protection."
        )


def _refuse_namespaces(change: Change, namespaces: t.Collection[str]) -> t.Iterator[str]:
    item = change.item.item
    for name in dict.fromkeys([item["namespace"], *(item.get("route_namespaces") or ())]):
        if name not in namespaces:
            yield f"{change.item.title}: namespace {name} does not exist: create it first, or correct its name."


__all__ = ("refuse_changes", "refuse_unroutable")
