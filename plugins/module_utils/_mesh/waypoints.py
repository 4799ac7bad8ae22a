# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Which object uses which waypoint, according to the labels and Gateways as istiod interprets them."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .labels import (
    CANARY,
    CANARY_NAMESPACE,
    HBONE_PORT,
    MANAGED_BY_EASTWEST,
    MANAGED_BY_MESH,
    MANAGED_GATEWAY,
    NO_WAYPOINT,
    USE_WAYPOINT,
    USE_WAYPOINT_NAMESPACE,
    WAYPOINT_CLASS,
    Object,
    labels_of,
    matches,
)

_NAMESPACE_NAME = "kubernetes.io/metadata.name"


@dataclass(frozen=True)
class WaypointRef:
    """The waypoint that an object's labels name."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


def is_waypoint(gateway: Object) -> bool:
    """Whether a Gateway is of the waypoint class; istiod itself does not check (pilot/pkg/serviceregistry/ambient/waypoints.go)."""
    return bool(gateway["spec"].get("gatewayClassName") == WAYPOINT_CLASS)


def allows_namespace(gateway: Object, namespace: str, namespace_labels: t.Mapping[str, str]) -> bool:
    """Whether objects of a namespace may use this waypoint."""
    listener = mesh_listener(gateway) or {}
    namespaces = (listener.get("allowedRoutes") or {}).get("namespaces") or {}
    source = namespaces.get("from", "Same")
    if source == "All":
        return True
    if source == "Selector":
        # istiod treats a missing selector as one that matches nothing (LabelSelectorAsSelector), and an empty one as matching everything.
        if namespaces.get("selector") is None:
            return False
        # Every namespace carries its name as a label, except one that a check run only plans.
        return matches(namespaces["selector"], {_NAMESPACE_NAME: namespace, **namespace_labels})
    return bool(gateway["metadata"]["namespace"] == namespace)


def never_bound(item: Object) -> bool:
    """Whether istiod binds an object to no waypoint, whatever its labels say: the Services of waypoints and east-west gateways.

    Source: pilot/pkg/serviceregistry/ambient/waypoints.go (fetchWaypointForService).
    """
    return labels_of(item).get(MANAGED_GATEWAY) in (MANAGED_BY_MESH, MANAGED_BY_EASTWEST)


def waypoint_of(item: Object, namespace: Object | None) -> WaypointRef | None:
    """The waypoint that an object's labels name, else its namespace's; None if there is none or the object opts out.

    An object's own label takes precedence over its namespace's even if what it names does not exist.
    """
    own_namespace = item["metadata"].get("namespace") or item["metadata"]["name"]
    for source in (item, namespace):
        if source is not None and USE_WAYPOINT in labels_of(source):
            name = labels_of(source)[USE_WAYPOINT]
            if name == NO_WAYPOINT:
                return None
            return WaypointRef(labels_of(source).get(USE_WAYPOINT_NAMESPACE, own_namespace), name)
    return None


def canary_of(item: Object) -> WaypointRef | None:
    """The waypoint that an object's own labels name as its canary. Source: pilot/pkg/serviceregistry/ambient/waypoints.go (getUseWaypointCanary)."""
    name = labels_of(item).get(CANARY)
    if not name or name == NO_WAYPOINT:
        return None
    own = item["metadata"].get("namespace") or item["metadata"]["name"]
    return WaypointRef(labels_of(item).get(CANARY_NAMESPACE, own), name)


def mesh_listener(gateway: Object) -> t.Mapping[str, t.Any] | None:
    """The listener that istiod uses: HBONE on port 15008."""
    for listener in gateway["spec"].get("listeners") or ():
        if listener.get("protocol") == "HBONE" and listener.get("port") == HBONE_PORT:
            return t.cast("t.Mapping[str, t.Any]", listener)
    return None


__all__ = (
    "WaypointRef",
    "allows_namespace",
    "canary_of",
    "is_waypoint",
    "mesh_listener",
    "never_bound",
    "waypoint_of",
)
