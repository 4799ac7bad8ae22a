# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""The options of the module enrollment that restore what a plan changes."""

from __future__ import annotations

import typing as t

from .._mesh.labels import CANARY, CANARY_NAMESPACE, CANARY_WEIGHT, DATAPLANE_MODE, INGRESS_USE_WAYPOINT, USE_WAYPOINT, USE_WAYPOINT_NAMESPACE
from .plan import LabelChange

_LISTS = {"Namespace": "namespaces", "Service": "services"}
_MODES = ("ambient", "none")
# What Go's strconv.ParseBool accepts as true; istiod treats everything else as false.
_TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})
_WEIGHTS = frozenset(str(weight) for weight in range(101))


def undo_of(changes: t.Iterable[LabelChange]) -> dict[str, list[dict[str, t.Any]]]:
    """The options C(namespaces), C(services) and C(workloads) that restore the labels; empty lists where nothing was changed.

    Only what is changed is named. A value that the options do not allow, such as an unknown dataplane mode, is restored as what it means to
    Istio.
    """
    undo: dict[str, list[dict[str, t.Any]]] = {"namespaces": [], "services": [], "workloads": []}
    for change in changes:
        if change.changed:
            undo[_LISTS.get(change.desired.kind, "workloads")].append(_item(change))
    return undo


def _item(change: LabelChange) -> dict[str, t.Any]:
    desired, before, patch = change.desired, change.before, change.patch
    item: dict[str, t.Any] = {"kind": desired.kind} if desired.kind not in _LISTS else {}
    item["name"] = desired.name
    if desired.namespace:
        item["namespace"] = desired.namespace
    if DATAPLANE_MODE in patch:
        mode = before.get(DATAPLANE_MODE, "")
        # The agent knows two modes; any other has no effect.
        item["dataplane_mode"] = mode if mode in _MODES else ""
    if USE_WAYPOINT in patch or USE_WAYPOINT_NAMESPACE in patch:
        item["use_waypoint"] = before.get(USE_WAYPOINT, "")
        if before.get(USE_WAYPOINT) and before.get(USE_WAYPOINT_NAMESPACE):
            item["use_waypoint_namespace"] = before[USE_WAYPOINT_NAMESPACE]
    if INGRESS_USE_WAYPOINT in patch:
        item["ingress_use_waypoint"] = _bool_text(before.get(INGRESS_USE_WAYPOINT))
    canary: dict[str, str] = {}
    if CANARY in patch or CANARY_NAMESPACE in patch:
        canary["waypoint"] = before.get(CANARY, "")
        if before.get(CANARY) and before.get(CANARY_NAMESPACE):
            canary["waypoint_namespace"] = before[CANARY_NAMESPACE]
    # Removing a canary also removes its weight, unless that is named.
    if CANARY_WEIGHT in patch or (canary.get("waypoint") == "" and CANARY_WEIGHT in before):
        weight = before.get(CANARY_WEIGHT, "")
        canary["weight"] = weight if weight in _WEIGHTS else ""
    return {**item, "canary": canary} if canary else item


def _bool_text(value: str | None) -> str:
    return "" if value is None else "true" if value in _TRUE else "false"


__all__ = ("undo_of",)
