# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.

"""From the waypoints that are wished and those that are there to what is to be created, changed and deleted."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from .labels import NO_WAYPOINT, Object
from .waypoint import Waypoint, WaypointRef, is_waypoint, normalize_waypoint, render_waypoint, waypoint_of


@dataclass(frozen=True)
class WaypointWish:
    """A waypoint that should be there as it is described, or, without a description, should not be there."""

    ref: WaypointRef
    waypoint: Waypoint | None


@dataclass(frozen=True)
class WaypointChange:
    """What to do about one waypoint.

    Attributes:
        action: V(created), V(changed), V(deleted) or V(unchanged).
        before: its fields as they are; empty when there is none.
        after: its fields as wished; empty when there should be none.
        manifest: the Gateway to apply; empty when there should be none.
    """

    wish: WaypointWish
    action: t.Literal["created", "changed", "deleted", "unchanged"]
    before: t.Mapping[str, t.Any]
    after: t.Mapping[str, t.Any]
    manifest: dict[str, t.Any]

    @property
    def changed(self) -> bool:
        return self.action != "unchanged"


def plan_waypoints(wishes: t.Iterable[WaypointWish], gateways: t.Mapping[WaypointRef, Object]) -> list[WaypointChange]:
    """What to do, in the order of the wishes."""
    return [_plan(wish, gateways.get(wish.ref)) for wish in wishes]


def refuse_waypoints(
    wishes: t.Sequence[WaypointWish],
    gateways: t.Mapping[WaypointRef, Object],
    namespaces: t.Collection[str],
    users: t.Mapping[str, t.Sequence[Object]],
) -> list[str]:
    """Why the wishes must not be carried out, one sentence each.

    Args:
        wishes: what is wished.
        gateways: the Gateways that are there.
        namespaces: the namespaces that are there.
        users: all objects with a use-waypoint label, by kind; empty when deleting a used waypoint is allowed.
    """
    refs = [wish.ref for wish in wishes]
    twice = sorted({ref for ref in refs if refs.count(ref) > 1}, key=str)
    refusals = [f"Waypoint {ref} is named more than once in this task: keep one of the items." for ref in twice]
    for wish in wishes:
        gateway = gateways.get(wish.ref)
        if wish.ref.name == NO_WAYPOINT:
            refusals.append(f"Waypoint {wish.ref}: the name none opts out where a waypoint is named, so no waypoint can have it: choose another.")
        if wish.waypoint and wish.ref.namespace not in namespaces:
            refusals.append(f"Waypoint {wish.ref}: namespace {wish.ref.namespace} does not exist: create it first, or correct its name.")
        if gateway is not None and not is_waypoint(gateway):
            gateway_class = gateway["spec"].get("gatewayClassName")
            refusals.append(f"Waypoint {wish.ref}: a Gateway of class {gateway_class} has this name: choose another name.")
        if wish.waypoint is None and gateway is not None:
            using = _users_of(wish.ref, users)
            if using:
                told = ", ".join(using[:10]) + (f" and {len(using) - 10} more" if len(using) > 10 else "")
                refusals.append(f"Waypoint {wish.ref} is used by {told}, whose traffic would go on without L7 policies: unbind them first (module enrollment).")
    return refusals


def _plan(wish: WaypointWish, gateway: Object | None) -> WaypointChange:
    current = normalize_waypoint(gateway) if gateway is not None else None
    before = _fields(current) if current else {}
    if wish.waypoint is None:
        return WaypointChange(wish, "deleted" if gateway is not None else "unchanged", before, {}, {})
    manifest = render_waypoint(wish.waypoint)
    # A revision that is not wished for is somebody else's to decide.
    revision = wish.waypoint.revision or (current.revision if current else None)
    after = _fields(replace(wish.waypoint, revision=revision))
    same = before == after
    action: t.Literal["created", "changed", "unchanged"] = "unchanged" if same else "created" if gateway is None else "changed"
    return WaypointChange(wish, action, before, after, manifest)


def _fields(waypoint: Waypoint) -> dict[str, t.Any]:
    """The decisions about a waypoint, as diffs show them."""
    fields = {
        "for": waypoint.traffic,
        "allowed_routes.from": waypoint.allowed_from,
        "allowed_routes.selector": dict(waypoint.allowed_selector) if waypoint.allowed_selector is not None else None,
        "revision": waypoint.revision,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _users_of(ref: WaypointRef, users: t.Mapping[str, t.Sequence[Object]]) -> list[str]:
    found = []
    for kind, items in users.items():
        for item in items:
            metadata = item["metadata"]
            if waypoint_of(item, None) == ref:
                found.append(f"{kind} {metadata['namespace']}/{metadata['name']}" if metadata.get("namespace") else f"{kind} {metadata['name']}")
    return sorted(found)


__all__ = ("WaypointChange", "WaypointWish", "plan_waypoints", "refuse_waypoints")
