# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.

"""Reads what a task about enrollment touches: each kind at most once, and no more of it than the rules ask for."""

from __future__ import annotations

import typing as t

from .._errors import ApiError, NotServed
from .._kinds import BY_NAME, CONFIG_MAP, DEPLOYMENT, GATEWAY, NAMESPACE, SERVICE
from .._mesh.labels import USE_WAYPOINT, labels_of
from .._mesh.mesh_settings import ISTIOD_SELECTOR, SETTINGS_SELECTOR, MeshSettings, read_settings, trim_settings
from .._mesh.waypoints import WaypointRef
from .plan import Snapshot, plan_enrollment, trim_labelled
from .wishes import Selection, Wish, resolve

if t.TYPE_CHECKING:
    from .._k8s.session import ApiSession, Object
    from .._kinds import Kind


def describe_snapshot(
    session: ApiSession, selections: list[Selection], planned: dict[str, t.Any], *, settings_optional: bool = False
) -> tuple[list[Wish], Snapshot, list[str]]:
    """The wishes with their selectors resolved, what they touch, and one sentence for each choice that cannot be.

    Args:
        session: where to look.
        selections: what is chosen.
        planned: what an earlier task of the same check run would make: C(namespaces) and C(waypoints).
        settings_optional: whether to go on without Istio's settings when they may not be read.
    """
    namespaces = {item["metadata"]["name"]: item for item in session.list(NAMESPACE, metadata_only=True, trim=trim_labelled).items}
    found = {("Namespace", "", name): item for name, item in namespaces.items()}
    planned_namespaces = frozenset(planned.get("namespaces") or ()) - set(namespaces)
    own, _problems = resolve([selection for selection in selections if selection.kind == "Namespace"], found)
    leaving = {change.wish.name for change in plan_enrollment(own, Snapshot(namespaces)) if change.leaves}
    for kind in ("Service", "Deployment", "StatefulSet", "DaemonSet"):
        chosen = [selection for selection in selections if selection.kind == kind]
        for item in _list_objects(session, BY_NAME[kind], chosen, leaving, canary=_wants_canary(selections)):
            found[(kind, item["metadata"]["namespace"], item["metadata"]["name"])] = item
    wishes, problems = resolve(selections, found, planned_namespaces)
    refs = {ref for wish in wishes for ref in (wish.waypoint_ref, wish.canary_ref) if ref}
    waypoints = _list_waypoints(session, refs)
    planned_waypoints = frozenset(WaypointRef(item["namespace"], item.get("name") or "waypoint") for item in planned.get("waypoints") or ())
    snapshot = Snapshot(
        namespaces=namespaces,
        objects=found,
        waypoints=waypoints,
        planned_namespaces=planned_namespaces,
        planned_waypoints=planned_waypoints - set(waypoints),
        settings=_read_settings(session, wishes, optional=settings_optional),
        istiods=[item for (kind, _place, _name), item in found.items() if kind == "Deployment" and labels_of(item).get("app") == "istiod"],
    )
    return wishes, snapshot, problems


def _wants_canary(selections: list[Selection]) -> bool:
    return any((selection.item.get("canary") or {}).get("waypoint") for selection in selections)


def _list_objects(session: ApiSession, kind: Kind, chosen: list[Selection], leaving: set[str], *, canary: bool) -> list[Object]:
    """The objects of a kind that are chosen from, and those that are asked for another reason: Services of namespaces that leave, istiods."""
    places: set[str | None] = {selection.namespace or None for selection in chosen}
    selector = ""
    if kind == SERVICE and leaving:
        places |= leaving
        selector = USE_WAYPOINT
    if kind == DEPLOYMENT and canary:
        places.add(None)
        selector = ISTIOD_SELECTOR
    if not places:
        return []
    # The whole object of a Service is not needed, but a workload's template is.
    where = places.pop() if len(places) == 1 else None
    return session.list(kind, where, label_selector=None if chosen else selector, metadata_only=kind == SERVICE, trim=trim_labelled).items


def _list_waypoints(session: ApiSession, refs: set[WaypointRef]) -> dict[WaypointRef, Object]:
    if not refs:
        return {}
    places = {ref.namespace for ref in refs}
    try:
        gateways = session.list(GATEWAY, places.pop() if len(places) == 1 else None).items
    except NotServed:
        # Then no waypoint exists, which the refusals say; in check mode the CRDs may be planned.
        gateways = []
    return {WaypointRef(item["metadata"]["namespace"], item["metadata"]["name"]): item for item in gateways}


def _read_settings(session: ApiSession, wishes: list[Wish], *, optional: bool) -> MeshSettings:
    """Istio's settings, when something is enrolled; who has overruled all that they say need not be allowed to read them."""
    if not any(wish.dataplane_mode == "ambient" for wish in wishes):
        return MeshSettings()
    try:
        return read_settings(session.list(CONFIG_MAP, label_selector=SETTINGS_SELECTOR, trim=trim_settings).items)
    except ApiError as error:
        if optional and error.status == 403:
            return MeshSettings()
        raise


__all__ = ("describe_snapshot",)
