# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Writes planned labels, in an order in which nothing leaves the mesh while it still names a waypoint."""

from __future__ import annotations

import typing as t

from .._k8s.writes import Write
from .._kinds import BY_NAME
from .plan import LabelChange, Patch, metadata_patch

Steps = t.List[t.List[Write]]


def list_writes(changes: t.Iterable[LabelChange]) -> Steps:
    """The writes of the three phases: first everything is unbound, then pods leave the mesh, and last others join and are bound."""
    phases = [(change, change.phases()) for change in changes if change.changed]
    return [[_write(change, patches[number]) for change, patches in phases if patches[number]] for number in range(3)]


def _write(change: LabelChange, patch: Patch) -> Write:
    desired = change.desired
    metadata = {"metadata": metadata_patch(patch)}
    body: dict[str, t.Any] = metadata if desired.kind in ("Namespace", "Service") else {"spec": {"template": metadata}}
    return Write("patch", BY_NAME[desired.kind], desired.name, desired.namespace, body)


__all__ = ("Steps", "list_writes")
