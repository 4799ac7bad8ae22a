# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Refuses plans for waypoints that istiod would silently accept and never fulfil."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._mesh.labels import NO_WAYPOINT, REVISION, WAYPOINT_FOR, Object, labels_of
from .._mesh.parameters import parameters_name
from .._mesh.revisions import Revisions
from .._mesh.waypoints import WaypointRef, allows_namespace, is_waypoint
from .._text import format_names, repeated
from .plan import CurrentWaypoints, Plan, WaypointChange, foreign_parameters, narrows
from .spec import DesiredWaypoint, Overrides
from .users import User, find_unreachable, find_users


@dataclass(frozen=True)
class Context:
    """What refusals must know besides the current waypoints; read only for what a plan changes.

    Attributes:
        taken: for each waypoint to be created, the kinds of which somebody else has an object of its name.
        foreign_config_maps: the waypoints whose ConfigMap cannot be created, because somebody else's has its name.
        revisions: the istiods of the cluster; None if unowned revisions are allowed or cannot be known.
        refused_objects: why the API server would not take what istiod is going to render, one sentence each.
        overrides: the refusals that the task lifts.
    """

    taken: t.Mapping[WaypointRef, t.Sequence[str]] = field(default_factory=dict)
    foreign_config_maps: frozenset[WaypointRef] = frozenset()
    revisions: Revisions | None = None
    refused_objects: tuple[str, ...] = ()
    overrides: Overrides = field(default_factory=Overrides)


def refuse_waypoints(plan: Plan, current: CurrentWaypoints, context: Context) -> list[str]:
    """Why the plan must not be applied on this cluster, one sentence each; empty if it may be."""
    refusals = list_validation_errors([change.desired for change in plan.changes])
    for change in plan.changes:
        refusals += _refuse_name(change, current, context)
        refusals += _refuse_users(change, current, context)
        refusals += _refuse_parameters(change, current, context)
        refusals += _refuse_revision(change, current, context)
    refusals += context.refused_objects
    unreachable = find_unreachable(plan.deleted, current.users) if context.overrides.detach else []
    if unreachable:
        refusals.append(
            f"{format_names(unreachable)}: their own labels name a waypoint that is to be deleted, and this module does not change their controllers: "
            "unbind them first."
        )
    return refusals


def list_validation_errors(desired: t.Sequence[DesiredWaypoint]) -> list[str]:
    """What is wrong with the options, whatever the cluster; one sentence each."""
    errors = [f"Waypoint {ref} is listed more than once in this task: keep one of the items." for ref in repeated([one.ref for one in desired])]
    for one in desired:
        if one.ref.name == NO_WAYPOINT:
            errors.append(f"Waypoint {one.ref}: the name none is reserved for opting out, so no waypoint can have it: choose another.")
        errors += (f"Waypoint {one.ref}: {error}" for error in one.validation_errors)
    return errors


def _named_revision(ref: WaypointRef, gateway_labels: t.Mapping[str, str], namespace: Object | None) -> tuple[str, str]:
    """The revision that decides who owns a waypoint, and what names it; empty for the default one."""
    if REVISION in gateway_labels:
        return gateway_labels[REVISION], "it names"
    inherited = labels_of(namespace).get(REVISION, "") if namespace else ""
    return (inherited, f"namespace {ref.namespace} names") if inherited else ("", "")


def _refuse_name(change: WaypointChange, current: CurrentWaypoints, context: Context) -> t.Iterator[str]:
    ref, gateway = change.ref, current.gateways.get(change.ref)
    if change.desired.waypoint and ref.namespace not in current.namespaces:
        yield f"Waypoint {ref}: namespace {ref.namespace} does not exist: create it first, or correct its name."
    if gateway is not None and not is_waypoint(gateway):
        yield f"Waypoint {ref}: a Gateway of class {gateway['spec'].get('gatewayClassName')} has this name: choose another name."
    for kind in sorted(context.taken.get(ref, ())):
        if kind == "ServiceAccount":
            consequence = "so the waypoint's pods would run under another workload's identity"
        else:
            consequence = "so istiod would not change it, and the waypoint would never be programmed"
        yield f"Waypoint {ref}: namespace {ref.namespace} has a {kind} of this name that istiod did not create, {consequence}: choose another name."


def _refuse_users(change: WaypointChange, current: CurrentWaypoints, context: Context) -> t.Iterator[str]:
    users = find_users(change.ref, current.users) if change.gateway == "delete" and not context.overrides.detach else []
    if users:
        yield (
            f"Waypoint {change.ref} is used by {format_names(users)}, whose traffic would continue without L7 policies: "
            "unbind them first (module enrollment), or set detach."
        )


def warn_of_abandoned_users(plan: Plan, current: CurrentWaypoints) -> list[str]:
    """Users whose traffic a change takes out of their waypoint, one sentence for each waypoint.

    It is no refusal, because the labels of these users may be what changes next. Source: pilot/pkg/serviceregistry/ambient/waypoints.go (AttachmentDenied,
    UnsupportedTrafficType).
    """
    found = []
    for change in plan.changes:
        gateway = current.gateways.get(change.ref)
        if change.gateway != "apply" or gateway is None or change.desired.waypoint is None or not narrows(gateway, change.desired.waypoint):
            continue
        lost = {user: _lost_traffic(user, gateway, change, current.namespaces) for user in find_users(change.ref, current.users)}
        users = [f"{user}{part}" for user, part in lost.items() if part is not None]
        if users:
            found.append(
                f"Waypoint {change.ref} is used by {format_names(users)}, which it does not serve after this change, so that this traffic continues without "
                "L7 policies: keep allowed_routes and for as they were, or bind it to another waypoint (module enrollment)."
            )
    return found


def _lost_traffic(user: User, gateway: Object, change: WaypointChange, namespaces: t.Mapping[str, Object]) -> str | None:
    """Which part of a user's traffic a waypoint served and will not serve: None for none of it, empty for all of it."""
    home = user.namespace or user.name
    labels = labels_of(namespaces[home]) if home in namespaces else {}
    before, after = (allows_namespace(one, home, labels) for one in (gateway, change.manifest))
    fitting = {"Service": {"service"}, "ServiceEntry": {"service"}, "Namespace": {"service", "workload"}}.get(user.kind, {"workload"})
    served, serves = (fitting if traffic == "all" else {traffic} & fitting for traffic in _traffic(gateway, change))
    lost = served - (serves if after else set())
    if not before or not lost:
        return None
    return "" if lost == served else " (its pods)" if lost == {"workload"} else " (its Services)"


def _traffic(gateway: Object, change: WaypointChange) -> tuple[str, str]:
    """What a waypoint handled, and what it will handle."""
    return labels_of(gateway).get(WAYPOINT_FOR, "service"), change.desired.waypoint.traffic if change.desired.waypoint else "none"


def _refuse_parameters(change: WaypointChange, current: CurrentWaypoints, context: Context) -> t.Iterator[str]:
    ref, gateway = change.ref, current.gateways.get(change.ref)
    if not change.parameters:
        return
    name = parameters_name(ref.name)
    if ref in context.foreign_config_maps:
        yield f"Waypoint {ref}: ConfigMap {ref.namespace}/{name} belongs to somebody else, but the parameters need its name: rename it, or the waypoint."
    if context.overrides.force_conflicts:
        return
    foreign = foreign_parameters(gateway) if gateway is not None else ""
    if foreign:
        yield (
            f"Waypoint {ref} takes its parameters from ConfigMap {foreign}, which somebody else created: "
            "move them into option overlays and set force_conflicts, or omit the options that need parameters."
        )
    if change.foreign_keys:
        yield (
            f"Waypoint {ref}: somebody has added {', '.join(change.foreign_keys)} to ConfigMap {ref.namespace}/{name}, and they would stay there: "
            "remove them, or set force_conflicts."
        )


def _refuse_revision(change: WaypointChange, current: CurrentWaypoints, context: Context) -> t.Iterator[str]:
    ref, revisions = change.ref, context.revisions
    if revisions is None or change.desired.waypoint is None or change.gateway != "apply":
        return
    # A revision that is not desired may still be set, because somebody else has decided it.
    labels = {REVISION: change.after["revision"]} if "revision" in change.after else {}
    name, source = _named_revision(ref, labels, current.namespaces.get(ref.namespace))
    if revisions.owner(name):
        return
    known = sorted({tag for tags in revisions.tags.values() for tag in tags})
    istiods = f"the istiods of this cluster have {', '.join(known)}" if known else "this cluster has no istiod"
    problem = f"{source} revision {name}" if name else "it names no revision, and no istiod is the default one"
    yield (
        f"Waypoint {ref}: {problem}, but {istiods}, so it would wait for a controller forever: "
        "name another revision, or set allow_unowned_revision if its istiod will be installed later."
    )


__all__ = ("Context", "list_validation_errors", "refuse_waypoints", "warn_of_abandoned_users")
