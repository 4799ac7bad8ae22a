# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.

"""From the waypoints that are wished and those that are there to what is to be created, changed and deleted."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

from .._k8s.managed_fields import owns
from .._mesh.labels import REVISION, Object, labels_of
from .._text import format_scalars
from .gateway import Waypoint, WaypointRef, normalize_waypoint, render_waypoint
from .options import ON_REQUEST, OVERLAY_KINDS, compose_overlays, find_problems, find_warnings
from .parameters import flatten, is_ours, mark_overlays, parameters_name, read_parameters, render_parameters, unmark_overlays
from .strategic_merge import OverlayError

Action = t.Literal["created", "changed", "deleted", "unchanged"]

# A Gateway's own label says in which network the waypoint is; istiod copies it only where no labels are asked for.
NETWORK = "topology.istio.io/network"
MANAGED_BY_MESH = "istio.io-mesh-controller"

_ALLOWED_ROUTES = ("spec", "listeners", 'k:{"name":"mesh"}', "allowedRoutes")


@dataclass(frozen=True)
class WaypointWish:
    """A waypoint that should be there as it is described, or, without a description, should not be there.

    Attributes:
        problems: what is wrong with its options.
        warnings: what its options do that is seldom meant.
    """

    ref: WaypointRef
    waypoint: Waypoint | None
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class WaypointSnapshot:
    """What is there of the waypoints that a task names.

    Attributes:
        gateways: the Gateways.
        parameters: the ConfigMaps that carry the parameters of waypoints and are ours, by waypoint.
        on_request: for each key of ON_REQUEST, the names of the objects that istiod made for each waypoint.
        class_defaults: the keys of overlays that every waypoint of a class gets.
    """

    gateways: t.Mapping[WaypointRef, Object] = field(default_factory=dict)
    parameters: t.Mapping[WaypointRef, Object] = field(default_factory=dict)
    on_request: t.Mapping[str, t.Mapping[WaypointRef, t.Sequence[str]]] = field(default_factory=dict)
    class_defaults: frozenset[str] = frozenset()


@dataclass(frozen=True)
class WaypointChange:
    """What to do about one waypoint.

    Attributes:
        action: V(created), V(changed), V(deleted) or V(unchanged).
        before: its fields as they are; empty when there is none.
        after: its fields as wished; empty when there should be none.
        manifest: the Gateway to apply; empty when there should be none.
        parameters: the ConfigMap to apply; empty when there should be none.
        gateway: what is to be done about the Gateway.
        config_map: what is to be done about the ConfigMap.
        foreign_keys: keys of the ConfigMap that somebody else has added, with which istiod would render nothing.
        removed: kind and name of what istiod leaves behind and is to be deleted.
        hands_over: whether an autoscaler takes over from a fixed number of pods. When istiod lets go of that number, the API server puts its default
            of one pod in its place, until the autoscaler looks; so somebody must hold it meanwhile.
        undo: the item that restores what was; None when nothing changes, or what was is no waypoint.
    """

    wish: WaypointWish
    action: Action
    before: t.Mapping[str, t.Any]
    after: t.Mapping[str, t.Any]
    manifest: dict[str, t.Any]
    parameters: dict[str, t.Any] = field(default_factory=dict)
    gateway: t.Literal["apply", "delete", "leave"] = "leave"
    config_map: t.Literal["apply", "delete", "leave"] = "leave"
    foreign_keys: tuple[str, ...] = ()
    removed: tuple[tuple[str, str], ...] = ()
    hands_over: bool = False
    undo: t.Mapping[str, t.Any] | None = None

    @property
    def changed(self) -> bool:
        return self.action != "unchanged"


def parse_wish(item: t.Mapping[str, t.Any]) -> WaypointWish:
    """One item of the option C(waypoints), with all its keys, as a value."""
    routes = item["allowed_routes"] or {"from": "Same", "selector": None}
    ref = WaypointRef(item["namespace"], item["name"])
    if item["state"] == "absent":
        return WaypointWish(ref, None)
    try:
        overlays = compose_overlays(item)
    except OverlayError:
        # Told by find_problems.
        overlays = {}
    waypoint = Waypoint(
        ref,
        item["for"],
        routes["from"],
        routes["selector"] if routes["from"] == "Selector" else None,
        item["revision"] or None,
        labels=format_scalars(item["labels"]),
        annotations=format_scalars(item["annotations"]),
        overlays=overlays,
    )
    return WaypointWish(ref, waypoint, tuple(find_problems(item)), tuple(find_warnings(item)))


def plan_waypoints(wishes: t.Iterable[WaypointWish], snapshot: WaypointSnapshot) -> list[WaypointChange]:
    """What to do, in the order of the wishes."""
    return [_plan_absent(wish, snapshot) if wish.waypoint is None else _plan_present(wish, wish.waypoint, snapshot) for wish in wishes]


def names_others_parameters(gateway: Object) -> str:
    """The ConfigMap that a Gateway takes its parameters from, when it is not the one that the collection would make; else empty."""
    reference = (gateway["spec"].get("infrastructure") or {}).get("parametersRef") or {}
    name = str(reference.get("name") or "")
    return "" if name == parameters_name(gateway["metadata"]["name"]) else name


def _plan_absent(wish: WaypointWish, snapshot: WaypointSnapshot) -> WaypointChange:
    gateway, config_map = snapshot.gateways.get(wish.ref), snapshot.parameters.get(wish.ref)
    current = normalize_waypoint(gateway) if gateway is not None else None
    overlays = read_parameters(config_map) if config_map else {}
    before = {**(_fields(current) if current else {}), **flatten(overlays)}
    return WaypointChange(
        wish,
        "deleted" if gateway is not None or config_map is not None else "unchanged",
        before,
        {},
        {},
        gateway="delete" if gateway is not None else "leave",
        # A Gateway without the parameters that it names is reported as wrong, so it goes first.
        config_map="delete" if config_map is not None else "leave",
        undo=_item(current, overlays) if current else None,
    )


def _plan_present(wish: WaypointWish, waypoint: Waypoint, snapshot: WaypointSnapshot) -> WaypointChange:
    gateway, config_map = snapshot.gateways.get(wish.ref), snapshot.parameters.get(wish.ref)
    current = normalize_waypoint(gateway) if gateway is not None else None
    wanted = _complete(waypoint, gateway, current)
    decided = _decided(current, wanted, gateway) if current and gateway is not None else None
    # A revision that is not wished for is somebody else's to decide, unless it was wished for before.
    theirs = None if gateway is None or current is None or owns(gateway, "metadata", "labels", REVISION) else current.revision
    after_gateway = _fields(replace(wanted, revision=wanted.revision or theirs))
    before_gateway = _fields(decided) if decided else {}
    seen = read_parameters(config_map) if config_map else {}
    marked = mark_overlays(wanted.overlays)
    # Somebody else has bound the Gateway to our ConfigMap, and server-side apply cannot take away what is not ours.
    still_named = wanted.parameters == parameters_name(wish.ref.name)
    parameters_differ = config_map is None or seen != marked or not is_ours(config_map)
    config_map_action: t.Literal["apply", "delete", "leave"] = "leave"
    if wanted.overlays:
        config_map_action = "apply" if parameters_differ else "leave"
    elif config_map is not None and not still_named:
        config_map_action = "delete"
    shown = marked if wanted.overlays or config_map_action == "delete" else seen
    removed = _left_behind(wanted, snapshot)
    gateway_differs = before_gateway != after_gateway
    changed = gateway_differs or config_map_action != "leave" or bool(removed)
    action: Action = "created" if gateway is None else "changed" if changed else "unchanged"
    gone = {f"{kind} {name}": "not asked for any more" for kind, name in removed}
    return WaypointChange(
        wish,
        action,
        {**before_gateway, **flatten(seen), **gone},
        {**after_gateway, **flatten(shown)},
        render_waypoint(wanted),
        render_parameters(wish.ref.name, wish.ref.namespace, wanted.overlays),
        gateway="apply" if gateway_differs else "leave",
        config_map=config_map_action,
        foreign_keys=_foreign_keys(config_map, marked) if config_map_action == "apply" else (),
        removed=removed,
        hands_over="horizontalPodAutoscaler" in wanted.overlays and _replicas(seen) > 1 and not _replicas(marked),
        undo=None if not changed else {**_key(wish.ref), "state": "absent"} if gateway is None else _item(decided, seen) if decided else None,
    )


def _complete(waypoint: Waypoint, gateway: Object | None, current: Waypoint | None) -> Waypoint:
    """The wish with what somebody else has decided about the same Gateway."""
    if gateway is None or current is None:
        return waypoint
    network = labels_of(gateway).get(NETWORK)
    labels = {NETWORK: network, **waypoint.labels} if waypoint.labels and network else waypoint.labels
    ours = owns(gateway, "spec", "infrastructure", "parametersRef", "name")
    return replace(
        waypoint,
        labels=labels,
        parameters=parameters_name(waypoint.ref.name) if waypoint.overlays else None if ours else current.parameters,
        # Leaving a field out takes away only what is ours.
        says_same=waypoint.allowed_from == "Same" and current.allowed_from != "Same" and not owns(gateway, *_ALLOWED_ROUTES),
    )


def _decided(current: Waypoint, wanted: Waypoint, gateway: Object) -> Waypoint:
    """What is there, without the labels and annotations that are neither ours nor wished for."""

    def decided(part: str, seen: t.Mapping[str, str], wished: t.Mapping[str, str]) -> dict[str, str]:
        return {name: value for name, value in seen.items() if name in wished or owns(gateway, "spec", "infrastructure", part, name)}

    return replace(
        current,
        labels=decided("labels", current.labels, wanted.labels),
        annotations=decided("annotations", current.annotations, wanted.annotations),
    )


def _replicas(overlays: t.Mapping[str, t.Any]) -> int:
    """The fixed number of pods that overlays ask for; 0 when they ask for none."""
    deployment = overlays.get("deployment")
    replicas = (deployment.get("spec") or {}).get("replicas") if isinstance(deployment, dict) else None
    return replicas if isinstance(replicas, int) else 0


def _foreign_keys(config_map: Object | None, wanted: t.Mapping[str, t.Any]) -> tuple[str, ...]:
    keys = sorted((config_map or {}).get("data") or {})
    return tuple(key for key in keys if key not in wanted and config_map is not None and not owns(config_map, "data", key))


def _left_behind(wanted: Waypoint, snapshot: WaypointSnapshot) -> tuple[tuple[str, str], ...]:
    """What istiod has made for overlays that are no more: it never takes away what it does not render."""
    if wanted.parameters and not wanted.overlays:
        # Parameters of somebody else may ask for them.
        return ()
    return tuple(
        (OVERLAY_KINDS[key][1], name)
        for key in ON_REQUEST
        if key not in wanted.overlays and key not in snapshot.class_defaults
        for name in sorted(snapshot.on_request.get(key, {}).get(wanted.ref, ()))
    )


def _fields(waypoint: Waypoint) -> dict[str, t.Any]:
    """The decisions about a Gateway, as diffs show them."""
    fields = {
        "for": waypoint.traffic,
        "allowed_routes.from": waypoint.allowed_from,
        "allowed_routes.selector": dict(waypoint.allowed_selector) if waypoint.allowed_selector is not None else None,
        "revision": waypoint.revision,
        **{f"labels.{name}": value for name, value in sorted(waypoint.labels.items())},
        **{f"annotations.{name}": value for name, value in sorted(waypoint.annotations.items())},
        "parameters": waypoint.parameters or (parameters_name(waypoint.ref.name) if waypoint.overlays else None),
    }
    return {name: value for name, value in fields.items() if value is not None}


def _item(waypoint: Waypoint | None, seen: t.Mapping[str, t.Any]) -> dict[str, t.Any] | None:
    """The item of C(waypoints) that declares what was there."""
    if waypoint is None:
        return None
    routes = {"from": waypoint.allowed_from}
    item: dict[str, t.Any] = {**_key(waypoint.ref), "for": waypoint.traffic}
    if waypoint.allowed_from != "Same":
        item["allowed_routes"] = {**routes, **({"selector": dict(waypoint.allowed_selector)} if waypoint.allowed_selector is not None else {})}
    if waypoint.revision:
        item["revision"] = waypoint.revision
    for name, values in (("labels", waypoint.labels), ("annotations", waypoint.annotations), ("overlays", unmark_overlays(seen))):
        if values:
            item[name] = dict(values)
    return item


def _key(ref: WaypointRef) -> dict[str, str]:
    return {"name": ref.name, "namespace": ref.namespace}


__all__ = ("MANAGED_BY_MESH", "WaypointChange", "WaypointSnapshot", "WaypointWish", "names_others_parameters", "parse_wish", "plan_waypoints")
