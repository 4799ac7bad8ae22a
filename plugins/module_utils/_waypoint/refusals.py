# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.

"""Why wishes about waypoints must not be carried out: what istiod would take without a word, and never make true."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._mesh.labels import NO_WAYPOINT, REVISION, Object, labels_of
from .._mesh.revisions import Revisions
from .._text import format_names, repeated
from .gateway import WaypointRef, is_waypoint
from .parameters import parameters_name
from .plan import WaypointChange, WaypointSnapshot, WaypointWish, names_others_parameters
from .users import User

# So many of a list are told by name.


@dataclass(frozen=True)
class Surroundings:
    """What else is on the cluster.

    Attributes:
        namespaces: the Namespaces by name; one that a check run only plans is empty.
        users: who uses each waypoint that is to be deleted; empty where that does not matter.
        taken: for each waypoint that is to be created, the kinds of which somebody else has an object of its name.
        others_parameters: the waypoints whose ConfigMap's name somebody else's ConfigMap has.
        revisions: the istiods; None where nothing is asked about them.
        force_conflicts: whether what somebody else has decided about parameters is taken over.
    """

    namespaces: t.Mapping[str, Object] = field(default_factory=dict)
    users: t.Mapping[WaypointRef, t.Sequence[User]] = field(default_factory=dict)
    taken: t.Mapping[WaypointRef, t.Sequence[str]] = field(default_factory=dict)
    others_parameters: frozenset[WaypointRef] = frozenset()
    revisions: Revisions | None = None
    force_conflicts: bool = False


def refuse_wishes(wishes: t.Sequence[WaypointWish]) -> list[str]:
    """What is wrong with the wishes themselves, whatever is on the cluster; one sentence each."""
    refs = [wish.ref for wish in wishes]
    refusals = [f"Waypoint {ref} is named more than once in this task: keep one of the items." for ref in repeated(refs)]
    for wish in wishes:
        if wish.ref.name == NO_WAYPOINT:
            refusals.append(f"Waypoint {wish.ref}: the name none opts out where a waypoint is named, so no waypoint can have it: choose another.")
        refusals += (f"Waypoint {wish.ref}: {problem}" for problem in wish.problems)
    return refusals


def refuse_changes(changes: t.Sequence[WaypointChange], snapshot: WaypointSnapshot, surroundings: Surroundings) -> list[str]:
    """Why the changes must not be made on this cluster, one sentence each."""
    refusals: list[str] = []
    for change in changes:
        refusals += _refuse_name(change, snapshot, surroundings)
        refusals += _refuse_users(change, surroundings)
        refusals += _refuse_parameters(change, snapshot, surroundings)
        refusals += _refuse_revision(change, surroundings)
    return refusals


def named_revision(ref: WaypointRef, gateway_labels: t.Mapping[str, str], namespace: Object | None) -> tuple[str, str]:
    """The revision that decides who owns a waypoint, and where it is named; empty for the default one."""
    if REVISION in gateway_labels:
        return gateway_labels[REVISION], "it names"
    inherited = labels_of(namespace).get(REVISION, "") if namespace else ""
    return (inherited, f"namespace {ref.namespace} names") if inherited else ("", "")


def _refuse_name(change: WaypointChange, snapshot: WaypointSnapshot, surroundings: Surroundings) -> t.Iterator[str]:
    ref, gateway = change.wish.ref, snapshot.gateways.get(change.wish.ref)
    if change.wish.waypoint and ref.namespace not in surroundings.namespaces:
        yield f"Waypoint {ref}: namespace {ref.namespace} does not exist: create it first, or correct its name."
    if gateway is not None and not is_waypoint(gateway):
        gateway_class = gateway["spec"].get("gatewayClassName")
        yield f"Waypoint {ref}: a Gateway of class {gateway_class} has this name: choose another name."
    taken = surroundings.taken.get(ref, ())
    for kind in sorted(taken):
        if kind == "ServiceAccount":
            consequence = "so the waypoint's pods would run under somebody else's identity"
        else:
            consequence = "so it would leave it as it is, and the waypoint would never be programmed"
        yield f"Waypoint {ref}: namespace {ref.namespace} has a {kind} of this name that istiod did not make, {consequence}: choose another name."


def _refuse_users(change: WaypointChange, surroundings: Surroundings) -> t.Iterator[str]:
    users = surroundings.users.get(change.wish.ref, ())
    if change.gateway == "delete" and users:
        yield (
            f"Waypoint {change.wish.ref} is used by {format_names(users)}, whose traffic would go on without L7 policies: "
            "unbind them first (module enrollment), or set detach."
        )


def _refuse_parameters(change: WaypointChange, snapshot: WaypointSnapshot, surroundings: Surroundings) -> t.Iterator[str]:
    ref, gateway = change.wish.ref, snapshot.gateways.get(change.wish.ref)
    if not change.parameters:
        return
    name = parameters_name(ref.name)
    if ref in surroundings.others_parameters:
        yield f"Waypoint {ref}: ConfigMap {ref.namespace}/{name} is somebody else's, and the parameters need this name: rename that one, or the waypoint."
    if surroundings.force_conflicts:
        return
    others = names_others_parameters(gateway) if gateway is not None else ""
    if others:
        yield (
            f"Waypoint {ref} takes its parameters from ConfigMap {others}, which somebody else made: "
            "move them into option overlays and set force_conflicts, or leave out the options that need parameters."
        )
    if change.foreign_keys:
        yield (
            f"Waypoint {ref}: somebody has added {', '.join(change.foreign_keys)} to ConfigMap {ref.namespace}/{name}, and they would stay there: "
            "take them out, or set force_conflicts."
        )


def _refuse_revision(change: WaypointChange, surroundings: Surroundings) -> t.Iterator[str]:
    ref, revisions = change.wish.ref, surroundings.revisions
    if revisions is None or change.wish.waypoint is None or change.gateway != "apply":
        return
    # What is not wished for may still be there, because somebody else has decided it.
    labels = {REVISION: change.after["revision"]} if "revision" in change.after else {}
    named, where = named_revision(ref, labels, surroundings.namespaces.get(ref.namespace))
    if revisions.owner(named):
        return
    known = sorted({name for tags in revisions.tags.values() for name in tags})
    there = f"the istiods of this cluster have {', '.join(known)}" if known else "this cluster has no istiod"
    wanted = f"{where} revision {named}" if named else "it names no revision, and no istiod is the default one"
    yield (
        f"Waypoint {ref}: {wanted}, but {there}, so it would wait for a controller for ever: "
        "name another revision, or set allow_unowned_revision when its istiod is yet to come."
    )


__all__ = ("Surroundings", "named_revision", "refuse_changes", "refuse_wishes")
