# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.

"""A waypoint as it is wished for and as the Gateway API writes it down, and which object uses which."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._mesh.labels import (
    HBONE_PORT,
    MANAGED_GATEWAY,
    NO_WAYPOINT,
    REVISION,
    USE_WAYPOINT,
    USE_WAYPOINT_NAMESPACE,
    WAYPOINT_CLASS,
    WAYPOINT_FOR,
    Object,
    labels_of,
    matches,
)
from .parameters import parameters_name

TRAFFIC_TYPES = ("service", "workload", "all", "none")
ROUTE_SOURCES = ("Same", "All", "Selector")

_NAMESPACE_NAME = "kubernetes.io/metadata.name"


@dataclass(frozen=True)
class WaypointRef:
    """The waypoint that an object's labels name."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True)
class Waypoint:
    """What the collection decides about a waypoint; all else on its Gateway is left to others.

    Attributes:
        traffic: V(service), V(workload), V(all) or V(none): the traffic that it handles.
        allowed_from: V(Same), V(All) or V(Selector): the namespaces that may use it.
        allowed_selector: with V(Selector), the LabelSelector of those namespaces.
        revision: the istiod revision that owns it, or None for the namespace's or the default one.
        labels: of all that istiod makes for it; none leaves it to istiod to copy the Gateway's own.
        annotations: as C(labels).
        overlays: what is merged into istiod's objects, by the keys of options.OVERLAY_KINDS.
        parameters: of a Gateway that is there, the ConfigMap that it names; render_waypoint names that of the overlays.
        says_same: whether C(allowed_from) is written down even where it is the API's default.
    """

    ref: WaypointRef
    traffic: str = "service"
    allowed_from: str = "Same"
    allowed_selector: t.Mapping[str, t.Any] | None = None
    revision: str | None = None
    labels: t.Mapping[str, str] = field(default_factory=dict)
    annotations: t.Mapping[str, str] = field(default_factory=dict)
    overlays: t.Mapping[str, t.Any] = field(default_factory=dict)
    parameters: str | None = None
    says_same: bool = False


def render_waypoint(waypoint: Waypoint) -> dict[str, t.Any]:
    """The Gateway that declares a waypoint, as it is applied.

    Source: istioctl/pkg/waypoint (makeGateway) and the ambient documentation on waypoints.
    """
    listener: dict[str, t.Any] = {"name": "mesh", "port": HBONE_PORT, "protocol": "HBONE"}
    if waypoint.allowed_from != "Same" or waypoint.says_same:
        namespaces: dict[str, t.Any] = {"from": waypoint.allowed_from}
        if waypoint.allowed_selector is not None:
            namespaces["selector"] = dict(waypoint.allowed_selector)
        listener["allowedRoutes"] = {"namespaces": namespaces}
    labels = {WAYPOINT_FOR: waypoint.traffic}
    if waypoint.revision:
        labels[REVISION] = waypoint.revision
    spec: dict[str, t.Any] = {"gatewayClassName": WAYPOINT_CLASS, "listeners": [listener]}
    infrastructure = _infrastructure(waypoint)
    if infrastructure:
        spec["infrastructure"] = infrastructure
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": {"name": waypoint.ref.name, "namespace": waypoint.ref.namespace, "labels": labels},
        "spec": spec,
    }


def _infrastructure(waypoint: Waypoint) -> dict[str, t.Any]:
    infrastructure: dict[str, t.Any] = {}
    if waypoint.labels:
        infrastructure["labels"] = dict(waypoint.labels)
    if waypoint.annotations:
        infrastructure["annotations"] = dict(waypoint.annotations)
    name = parameters_name(waypoint.ref.name) if waypoint.overlays else None
    if name:
        infrastructure["parametersRef"] = {"group": "", "kind": "ConfigMap", "name": name}
    return infrastructure


def normalize_waypoint(gateway: Object) -> Waypoint | None:
    """A Gateway's decisions as a Waypoint, with the API's defaults filled in; None when it has no HBONE listener or is of another class."""
    listener = _mesh_listener(gateway)
    if listener is None or not is_waypoint(gateway):
        return None
    namespaces = (listener.get("allowedRoutes") or {}).get("namespaces") or {}
    infrastructure = gateway["spec"].get("infrastructure") or {}
    return Waypoint(
        ref=WaypointRef(gateway["metadata"]["namespace"], gateway["metadata"]["name"]),
        traffic=labels_of(gateway).get(WAYPOINT_FOR, "service"),
        allowed_from=namespaces.get("from", "Same"),
        allowed_selector=namespaces.get("selector"),
        revision=labels_of(gateway).get(REVISION),
        labels=infrastructure.get("labels") or {},
        annotations=infrastructure.get("annotations") or {},
        parameters=(infrastructure.get("parametersRef") or {}).get("name"),
    )


def is_waypoint(gateway: Object) -> bool:
    """Whether a Gateway is of the waypoint class; istiod itself does not ask (pilot/pkg/serviceregistry/ambient/waypoints.go)."""
    return bool(gateway["spec"].get("gatewayClassName") == WAYPOINT_CLASS)


def allows_namespace(gateway: Object, namespace: str, namespace_labels: t.Mapping[str, str]) -> bool:
    """Whether objects of a namespace may use this waypoint."""
    listener = _mesh_listener(gateway) or {}
    namespaces = (listener.get("allowedRoutes") or {}).get("namespaces") or {}
    source = namespaces.get("from", "Same")
    if source == "All":
        return True
    if source == "Selector":
        # istiod takes a selector that is not there for one that matches nothing (LabelSelectorAsSelector), an empty one for everything.
        if namespaces.get("selector") is None:
            return False
        # Every namespace carries its name as a label; one that a check run has not made yet does not.
        return matches(namespaces["selector"], {_NAMESPACE_NAME: namespace, **namespace_labels})
    return bool(gateway["metadata"]["namespace"] == namespace)


def never_bound(item: Object) -> bool:
    """Whether istiod binds an object to no waypoint, whatever its labels say: the Services of waypoints and east-west gateways.

    Source: pilot/pkg/serviceregistry/ambient/waypoints.go (fetchWaypointForService).
    """
    return labels_of(item).get(MANAGED_GATEWAY) in ("istio.io-mesh-controller", "istio.io-eastwest-controller")


def waypoint_of(item: Object, namespace: Object | None) -> WaypointRef | None:
    """The waypoint that an object's labels name, else its namespace's; None when there is none or it is opted out of.

    An object's own label leaves no way back to the namespace's, even when what it names is not there.
    """
    own_namespace = item["metadata"].get("namespace") or item["metadata"]["name"]
    for source in (item, namespace):
        if source is not None and USE_WAYPOINT in labels_of(source):
            name = labels_of(source)[USE_WAYPOINT]
            if name == NO_WAYPOINT:
                return None
            return WaypointRef(labels_of(source).get(USE_WAYPOINT_NAMESPACE, own_namespace), name)
    return None


def _mesh_listener(gateway: Object) -> t.Mapping[str, t.Any] | None:
    """The listener that istiod looks at: HBONE on port 15008."""
    for listener in gateway["spec"].get("listeners") or ():
        if listener.get("protocol") == "HBONE" and listener.get("port") == HBONE_PORT:
            return t.cast("t.Mapping[str, t.Any]", listener)
    return None


__all__ = (
    "ROUTE_SOURCES",
    "TRAFFIC_TYPES",
    "Waypoint",
    "WaypointRef",
    "allows_namespace",
    "is_waypoint",
    "never_bound",
    "normalize_waypoint",
    "render_waypoint",
    "waypoint_of",
)
