# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""From the options of the module waypoint to the desired waypoints."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._kubernetes_text import with_text
from .._mesh.labels import REVISION, WAYPOINT_FOR, Object, labels_of
from .._mesh.strategic_merge import OverlayError
from .._mesh.waypoints import WaypointRef, is_waypoint, mesh_listener
from .overlays import Item, compose_overlays
from .validation import find_validation_errors, find_warnings

TRAFFIC_TYPES = ("service", "workload", "all", "none")

# The argument spec of one item.
OPTIONS: t.Dict[str, t.Any] = {
    "name": {"type": "str", "default": "waypoint"},
    "namespace": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "for": {"type": "str", "choices": list(TRAFFIC_TYPES), "default": "service"},
    "allowed_routes": {
        "type": "dict",
        "options": {"from": {"type": "str", "choices": ["Same", "All", "Selector"], "default": "Same"}, "selector": {"type": "dict"}},
        "required_if": [("from", "Selector", ["selector"])],
    },
    "revision": {"type": "str"},
    "replicas": {"type": "int"},
    "autoscaling": {
        "type": "dict",
        "options": {
            "min_replicas": {"type": "int"},
            "max_replicas": {"type": "int", "required": True},
            "cpu_utilization": {"type": "int"},
            "metrics": {"type": "list", "elements": "dict"},
        },
    },
    "high_availability": {"type": "bool", "default": False},
    "disruption_budget": {
        "type": "dict",
        "options": {"min_available": {"type": "str"}, "max_unavailable": {"type": "str"}},
        "mutually_exclusive": [("min_available", "max_unavailable")],
        "required_one_of": [("min_available", "max_unavailable")],
    },
    "resources": {"type": "dict", "options": {"requests": {"type": "dict"}, "limits": {"type": "dict"}}},
    "affinity": {"type": "dict"},
    "node_selector": {"type": "dict"},
    "tolerations": {"type": "list", "elements": "dict"},
    "topology_spread": {"type": "list", "elements": "dict"},
    "service_type": {"type": "str", "choices": ["ClusterIP", "NodePort", "LoadBalancer"]},
    "service_annotations": {"type": "dict"},
    "labels": {"type": "dict"},
    "annotations": {"type": "dict"},
    "overlays": {"type": "dict"},
}


@dataclass(frozen=True)
class Waypoint:
    """What the collection decides about a waypoint; everything else on its Gateway is left to others.

    Attributes:
        traffic: one of TRAFFIC_TYPES: the traffic that it handles.
        allowed_from: V(Same), V(All) or V(Selector): the namespaces that may use it.
        allowed_selector: with V(Selector), the LabelSelector of those namespaces.
        revision: the istiod revision that owns it, or None for that of the namespace or the default one.
        labels: of everything that istiod creates for it; if empty, istiod copies those of the Gateway.
        annotations: as C(labels).
        overlays: what is merged into istiod's objects, by the keys of OVERLAY_KINDS.
        parameters: of a current Gateway, the ConfigMap that it names; render_gateway names that of the overlays.
        writes_same: whether C(allowed_from) is written even where it is the API's default.
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
    writes_same: bool = False


@dataclass(frozen=True)
class DesiredWaypoint:
    """A waypoint as it should be, or, if C(waypoint) is None, one that should be absent.

    Attributes:
        validation_errors: what is wrong with its options, one sentence each.
        warnings: what its options do that is seldom intended, one sentence each.
    """

    ref: WaypointRef
    waypoint: Waypoint | None
    validation_errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Overrides:
    """The options of a task that lift refusals; each has the name and the meaning of its option."""

    detach: bool = False
    force_conflicts: bool = False
    force_delete: bool = False
    allow_unowned_revision: bool = False


def parse_overrides(params: t.Mapping[str, t.Any]) -> Overrides:
    """The overrides among the parameters of the module."""
    return Overrides(params["detach"], params["force_conflicts"], params["force_delete"], params["allow_unowned_revision"])


def parse_waypoint(item: Item) -> DesiredWaypoint:
    """One item of the option C(waypoints), with all its keys, as a value."""
    # What cannot be text is one of the validation errors.
    item = with_text(dict(item))
    routes = item["allowed_routes"] or {"from": "Same", "selector": None}
    ref = WaypointRef(item["namespace"], item["name"])
    if item["state"] == "absent":
        return DesiredWaypoint(ref, None)
    try:
        overlays = compose_overlays(item)
    except OverlayError:
        # One of the validation errors.
        overlays = {}
    waypoint = Waypoint(
        ref,
        item["for"],
        routes["from"],
        routes["selector"] if routes["from"] == "Selector" else None,
        item["revision"] or None,
        labels=item["labels"] or {},
        annotations=item["annotations"] or {},
        overlays=overlays,
    )
    return DesiredWaypoint(ref, waypoint, tuple(find_validation_errors(item)), tuple(find_warnings(item)))


def normalize_waypoint(gateway: Object) -> Waypoint | None:
    """The decisions of a Gateway as a Waypoint, with the API's defaults filled in; None if it has no HBONE listener or is of another class."""
    listener = mesh_listener(gateway)
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


__all__ = ("OPTIONS", "TRAFFIC_TYPES", "DesiredWaypoint", "Overrides", "Waypoint", "normalize_waypoint", "parse_overrides", "parse_waypoint")
