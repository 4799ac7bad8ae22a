# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""From the desired and the current waypoints to creations, changes and deletions."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

from .._managed_fields import owns
from .._mesh.labels import NETWORK, REVISION, Object, labels_of
from .._mesh.parameters import ON_REQUEST, OVERLAY_KINDS, flatten, is_ours, mark_overlays, parameters_name, read_parameters, render_parameters, unmark_overlays
from .._mesh.waypoints import WaypointRef
from .render import render_gateway
from .spec import DesiredWaypoint, Waypoint, normalize_waypoint
from .users import Detachment, plan_detachments

Action = t.Literal["created", "changed", "deleted", "unchanged"]
# Kind and name of an object in the waypoint's namespace.
Leftover = t.Tuple[str, str]

_ALLOWED_ROUTES = ("spec", "listeners", 'k:{"name":"mesh"}', "allowedRoutes")


@dataclass(frozen=True)
class CurrentWaypoints:
    """The current state of the waypoints that a task names.

    Attributes:
        namespaces: all Namespaces by name; one that an earlier task of the same check run would create has no kind.
        gateways: the Gateways.
        parameters: the ConfigMaps with the parameters of waypoints that the collection created, by waypoint.
        on_request: for each key of ON_REQUEST, the names of the objects that istiod created for each waypoint.
        class_defaults: the keys of the overlays that all waypoints of the cluster get.
        users: by kind, everything that may use the waypoints to be deleted; empty where that does not matter.
        replicas: the number of pods of the Deployments that an autoscaler is about to take over.
    """

    namespaces: t.Mapping[str, Object] = field(default_factory=dict)
    gateways: t.Mapping[WaypointRef, Object] = field(default_factory=dict)
    parameters: t.Mapping[WaypointRef, Object] = field(default_factory=dict)
    on_request: t.Mapping[str, t.Mapping[WaypointRef, t.Sequence[str]]] = field(default_factory=dict)
    class_defaults: frozenset[str] = frozenset()
    users: t.Mapping[str, t.Sequence[Object]] = field(default_factory=dict)
    replicas: t.Mapping[WaypointRef, int] = field(default_factory=dict)


@dataclass(frozen=True)
class WaypointChange:
    """What to do about one waypoint.

    Attributes:
        action: V(created), V(changed), V(deleted) or V(unchanged).
        before: its current fields; empty if it does not exist.
        after: its desired fields; empty if it should not exist.
        manifest: the Gateway to apply; empty if it should not exist.
        parameters: the ConfigMap to apply; empty if it should not exist.
        gateway: what to do about the Gateway.
        config_map: what to do about the ConfigMap.
        new_config_map: whether the ConfigMap does not exist yet.
        foreign_keys: keys of the ConfigMap that somebody else added, with which istiod would render nothing.
        removed: what istiod leaves behind and the module deletes.
        held_replicas: the number of pods to hold while an autoscaler takes over: when istiod gives up that field, the API server resets it
            to one pod until the autoscaler acts. None where nothing is to be held.
        undo: the item that restores the state before; None if nothing changes, or if that was not a waypoint.
        ending: whether the Gateway is being deleted already, and only held by finalizers, so that there is nothing left to delete.
    """

    desired: DesiredWaypoint
    action: Action
    before: t.Mapping[str, t.Any]
    after: t.Mapping[str, t.Any]
    manifest: dict[str, t.Any]
    parameters: dict[str, t.Any] = field(default_factory=dict)
    gateway: t.Literal["apply", "delete", "leave"] = "leave"
    config_map: t.Literal["apply", "delete", "leave"] = "leave"
    new_config_map: bool = False
    foreign_keys: tuple[str, ...] = ()
    removed: tuple[Leftover, ...] = ()
    held_replicas: int | None = None
    undo: t.Mapping[str, t.Any] | None = None
    ending: bool = False

    @property
    def ref(self) -> WaypointRef:
        return self.desired.ref

    @property
    def changed(self) -> bool:
        return self.action != "unchanged"

    def without_changes(self) -> WaypointChange:
        """The same waypoint, with nothing to do about it."""
        return replace(self, action="unchanged", after=self.before, gateway="leave", config_map="leave", undo=None)

    @property
    def overlays(self) -> t.Mapping[str, t.Any]:
        """The desired overlays; empty for a waypoint that should be absent."""
        return self.desired.waypoint.overlays if self.desired.waypoint else {}


@dataclass(frozen=True)
class Plan:
    """What to do.

    Attributes:
        changes: one for each desired waypoint, in their order.
        detachments: the labels to remove from users before waypoints are deleted.
    """

    changes: tuple[WaypointChange, ...]
    detachments: tuple[Detachment, ...] = ()

    @property
    def changed(self) -> bool:
        return bool(self.detachments) or any(change.changed for change in self.changes)

    @property
    def deleted(self) -> list[WaypointRef]:
        """The waypoints whose Gateways are deleted, or are being deleted already."""
        return [change.ref for change in self.changes if change.gateway == "delete" or change.ending]


def plan_waypoints(desired: t.Iterable[DesiredWaypoint], current: CurrentWaypoints, *, detach: bool = False) -> Plan:
    """The plan; with C(detach), users of waypoints that are deleted are unbound first."""
    plan = Plan(tuple(_plan_absent(one, current) if one.waypoint is None else _plan_present(one, one.waypoint, current) for one in desired))
    return replace(plan, detachments=tuple(plan_detachments(plan.deleted, current.users))) if detach else plan


def find_leftovers(waypoint: Waypoint, current: CurrentWaypoints) -> tuple[Leftover, ...]:
    """What istiod created for overlays that are gone: it never deletes what it no longer renders."""
    gateway = current.gateways.get(waypoint.ref)
    if not waypoint.overlays and gateway is not None and _other_parameters(gateway):
        # Parameters of somebody else may need them.
        return ()
    return tuple(
        (OVERLAY_KINDS[key][1], name)
        for key in ON_REQUEST
        if key not in waypoint.overlays and key not in current.class_defaults
        for name in sorted(current.on_request.get(key, {}).get(waypoint.ref, ()))
    )


def narrows(gateway: Object, waypoint: Waypoint) -> bool:
    """Whether a change may close a waypoint to somebody: another traffic type, or other namespaces that may use it."""
    current = normalize_waypoint(gateway)
    if current is None:
        return False
    is_open = waypoint.allowed_from == "All" or (waypoint.allowed_from, waypoint.allowed_selector) == (current.allowed_from, current.allowed_selector)
    return not is_open or waypoint.traffic not in (current.traffic, "all")


def hands_over(waypoint: Waypoint, config_map: Object | None) -> bool:
    """Whether an autoscaler takes over from a fixed number of more than one pod."""
    before = read_parameters(config_map) if config_map else {}
    return "horizontalPodAutoscaler" in waypoint.overlays and _replicas(before) > 1 and not _replicas(waypoint.overlays)


def foreign_parameters(gateway: Object) -> str:
    """The ConfigMap that a Gateway takes its parameters from, if it is not the one that the collection would create; else empty."""
    reference = (gateway["spec"].get("infrastructure") or {}).get("parametersRef") or {}
    name = str(reference.get("name") or "")
    return "" if name == parameters_name(gateway["metadata"]["name"]) else name


def expected_overlays(change: WaypointChange, class_defaults: frozenset[str]) -> dict[str, t.Any] | None:
    """The overlays that must have taken effect; None for a waypoint that has and had no parameters, so that less needs to be read."""
    if not (change.overlays or change.removed or change.config_map != "leave"):
        return None
    return {**{key: None for key in ON_REQUEST if key in class_defaults}, **change.overlays}


def _plan_absent(desired: DesiredWaypoint, current: CurrentWaypoints) -> WaypointChange:
    gateway, config_map = current.gateways.get(desired.ref), current.parameters.get(desired.ref)
    before = normalize_waypoint(gateway) if gateway is not None else None
    overlays = read_parameters(config_map) if config_map else {}
    ending = _is_ending(gateway)
    if gateway is not None and ending and (config_map is None or _is_ending(config_map)):
        return WaypointChange(desired, "unchanged", {}, {}, {}, ending=True)
    return WaypointChange(
        desired,
        "deleted" if gateway is not None or config_map is not None else "unchanged",
        {**(_fields(before) if before else {}), **flatten(overlays)},
        {},
        {},
        gateway="delete" if gateway is not None and not ending else "leave",
        # A Gateway without the parameters that it names is reported as invalid, so the Gateway is deleted first.
        config_map="delete" if config_map is not None else "leave",
        undo=_item(before, overlays) if before else None,
        ending=ending,
    )


def _is_ending(item: Object | None) -> bool:
    return item is not None and bool(item["metadata"].get("deletionTimestamp"))


def _plan_present(desired: DesiredWaypoint, waypoint: Waypoint, current: CurrentWaypoints) -> WaypointChange:
    ref, gateway, config_map = desired.ref, current.gateways.get(desired.ref), current.parameters.get(desired.ref)
    target = _complete(waypoint, gateway)
    before = _before(target, gateway)
    before_fields, after_fields = _fields(before) if before else {}, _fields(replace(target, revision=target.revision or _foreign_revision(gateway)))
    overlays = read_parameters(config_map) if config_map else {}
    marked = mark_overlays(target.overlays)
    config_map_action = _plan_config_map(target, config_map, marked)
    removed = find_leftovers(waypoint, current)
    changed = before_fields != after_fields or config_map_action != "leave" or bool(removed)
    action: Action = "created" if gateway is None else "changed" if changed else "unchanged"
    undo = None
    if changed:
        undo = {**_key(ref), "state": "absent"} if gateway is None else _item(before, overlays)
    return WaypointChange(
        desired,
        action,
        {**before_fields, **flatten(overlays), **{f"{kind} {name}": "no longer desired" for kind, name in removed}},
        {**after_fields, **flatten(marked if target.overlays or config_map_action == "delete" else overlays)},
        render_gateway(target),
        render_parameters(ref.name, ref.namespace, target.overlays),
        gateway="apply" if before_fields != after_fields else "leave",
        config_map=config_map_action,
        new_config_map=config_map_action == "apply" and config_map is None,
        foreign_keys=_foreign_keys(config_map, marked) if config_map_action == "apply" else (),
        removed=removed,
        held_replicas=current.replicas.get(ref),
        undo=undo,
    )


def _plan_config_map(target: Waypoint, config_map: Object | None, marked: t.Mapping[str, t.Any]) -> t.Literal["apply", "delete", "leave"]:
    if target.overlays:
        return "apply" if config_map is None or read_parameters(config_map) != marked or not is_ours(config_map) else "leave"
    # Somebody else may have bound the Gateway to our ConfigMap, and server-side apply cannot remove what is not ours.
    return "delete" if config_map is not None and target.parameters != parameters_name(target.ref.name) else "leave"


def _complete(waypoint: Waypoint, gateway: Object | None) -> Waypoint:
    """The desired waypoint with what somebody else has decided about the same Gateway."""
    current = normalize_waypoint(gateway) if gateway is not None else None
    if gateway is None or current is None:
        return waypoint
    network = labels_of(gateway).get(NETWORK)
    labels = {NETWORK: network, **waypoint.labels} if waypoint.labels and network else waypoint.labels
    return replace(
        waypoint,
        labels=labels,
        parameters=parameters_name(waypoint.ref.name) if waypoint.overlays else _other_parameters(gateway),
        # Leaving a field out removes only what is ours.
        writes_same=waypoint.allowed_from == "Same" and current.allowed_from != "Same" and not owns(gateway, *_ALLOWED_ROUTES),
    )


def _before(target: Waypoint, gateway: Object | None) -> Waypoint | None:
    """The current waypoint, without the labels and annotations that are neither ours nor desired."""
    current = normalize_waypoint(gateway) if gateway is not None else None
    if gateway is None or current is None:
        return None

    def decided(part: str, values: t.Mapping[str, str], desired: t.Mapping[str, str]) -> dict[str, str]:
        return {name: value for name, value in values.items() if name in desired or owns(gateway, "spec", "infrastructure", part, name)}

    return replace(
        current, labels=decided("labels", current.labels, target.labels), annotations=decided("annotations", current.annotations, target.annotations)
    )


def _foreign_revision(gateway: Object | None) -> str | None:
    """The revision that somebody else has set: if none is desired, only one that we set is removed."""
    current = normalize_waypoint(gateway) if gateway is not None else None
    return None if gateway is None or current is None or owns(gateway, "metadata", "labels", REVISION) else current.revision


def _other_parameters(gateway: Object) -> str | None:
    """The ConfigMap that somebody else has bound a Gateway to."""
    current = normalize_waypoint(gateway)
    return None if current is None or owns(gateway, "spec", "infrastructure", "parametersRef", "name") else current.parameters


def _replicas(overlays: t.Mapping[str, t.Any]) -> int:
    """The fixed number of pods that overlays set; 0 if they set none."""
    deployment = overlays.get("deployment")
    replicas = (deployment.get("spec") or {}).get("replicas") if isinstance(deployment, dict) else None
    return replicas if isinstance(replicas, int) else 0


def _foreign_keys(config_map: Object | None, marked: t.Mapping[str, t.Any]) -> tuple[str, ...]:
    keys = sorted((config_map or {}).get("data") or {})
    return tuple(key for key in keys if key not in marked and config_map is not None and not owns(config_map, "data", key))


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


def _item(waypoint: Waypoint | None, overlays: t.Mapping[str, t.Any]) -> dict[str, t.Any] | None:
    """The item of C(waypoints) that declares a current waypoint."""
    if waypoint is None:
        return None
    item: dict[str, t.Any] = {**_key(waypoint.ref), "for": waypoint.traffic}
    if waypoint.allowed_from != "Same":
        selector = {"selector": dict(waypoint.allowed_selector)} if waypoint.allowed_selector is not None else {}
        item["allowed_routes"] = {"from": waypoint.allowed_from, **selector}
    if waypoint.revision:
        item["revision"] = waypoint.revision
    for name, values in (("labels", waypoint.labels), ("annotations", waypoint.annotations), ("overlays", unmark_overlays(overlays))):
        if values:
            item[name] = dict(values)
    return item


def _key(ref: WaypointRef) -> dict[str, str]:
    return {"name": ref.name, "namespace": ref.namespace}


__all__ = (
    "CurrentWaypoints",
    "Plan",
    "WaypointChange",
    "expected_overlays",
    "find_leftovers",
    "foreign_parameters",
    "hands_over",
    "narrows",
    "plan_waypoints",
)
