# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Reads the current state that enrollment depends on: each kind at most once, and no more of it than the rules need."""

from __future__ import annotations

import typing as t

from .._errors import ApiError, NotServed
from .._kinds import BY_NAME, CONFIG_MAP, DEPLOYMENT, GATEWAY, NAMESPACE, POD, SERVICE
from .._mesh.capture import report_pods, trim_pod, workload_of
from .._mesh.gateways import is_managed
from .._mesh.labels import DATAPLANE_MODE, GATEWAY_NAME, USE_WAYPOINT, labels_of
from .._mesh.mesh_settings import SETTINGS_SELECTOR, MeshSettings, read_settings, trim_settings
from .._mesh.revisions import ISTIOD_SELECTOR, is_istiod
from .._mesh.waypoints import WaypointRef, is_waypoint
from .plan import CurrentObjects, LabelChange, trim_labelled
from .selections import Selection, resolve_selections

if t.TYPE_CHECKING:
    from .._k8s.session import ApiSession, Object
    from .._kinds import Kind
    from .spec import DesiredLabels, Key


def read_objects(session: ApiSession, selections: t.Sequence[Selection], planned: t.Mapping[str, t.Any], *, settings_optional: bool = False) -> CurrentObjects:
    """The objects that are selected, and what their desired labels depend on.

    Args:
        session: where to read.
        selections: what the task selects.
        planned: what an earlier task of the same check run would create: C(namespaces) and C(waypoints).
        settings_optional: whether to continue without Istio's settings if this user is not allowed to read them.
    """
    namespaces = {item["metadata"]["name"]: item for item in session.list(NAMESPACE, metadata_only=True, trim=trim_labelled).items}
    objects: dict[Key, Object] = {("Namespace", "", name): item for name, item in namespaces.items()}
    leaving = _find_leaving([selection for selection in selections if selection.kind == "Namespace"], objects)
    canary = any((selection.item.get("canary") or {}).get("waypoint") for selection in selections)
    for kind in ("Service", "Deployment", "StatefulSet", "DaemonSet"):
        chosen = [selection for selection in selections if selection.kind == kind]
        for item in _list_objects(session, BY_NAME[kind], chosen, leaving, canary=canary):
            objects[(kind, item["metadata"]["namespace"], item["metadata"]["name"])] = item
    desired, _errors = resolve_selections(selections, objects)
    waypoints = _list_waypoints(session, {ref for one in desired for ref in (one.waypoint_ref, one.canary_ref) if ref})
    return CurrentObjects(
        namespaces=namespaces,
        objects=objects,
        waypoints=waypoints,
        planned_namespaces=frozenset(planned.get("namespaces") or ()) - set(namespaces),
        planned_waypoints=frozenset(WaypointRef(item["namespace"], item.get("name") or "waypoint") for item in planned.get("waypoints") or ()) - set(waypoints),
        settings=_read_settings(session, desired, optional=settings_optional),
        istiods=[item for (kind, _place, _name), item in objects.items() if kind == "Deployment" and is_istiod(item)],
    )


def read_waypoints_without_pods(session: ApiSession, changes: t.Sequence[LabelChange], current: CurrentObjects) -> frozenset[WaypointRef]:
    """The waypoints without an available pod, of those to which something is going to be bound; none if this user may not read Deployments.

    The module ready goes by the same: endpoints follow a moment later.
    """
    refs = {ref for change in changes for ref in change.new_waypoints if ref in current.waypoints}
    # Anything may be behind a Gateway for which istiod creates nothing.
    refs = {ref for ref in refs if is_waypoint(current.waypoints[ref]) and is_managed(current.waypoints[ref])}
    if not refs:
        return frozenset()
    places = {ref.namespace for ref in refs}
    try:
        deployments = session.list(DEPLOYMENT, places.pop() if len(places) == 1 else None, label_selector=GATEWAY_NAME).items
    except ApiError as error:
        if error.status == 403:
            return frozenset()
        raise
    available = [item for item in deployments if (item.get("status") or {}).get("availableReplicas")]
    return frozenset(refs - {WaypointRef(item["metadata"]["namespace"], labels_of(item)[GATEWAY_NAME]) for item in available})


def read_captures(session: ApiSession, changes: t.Sequence[LabelChange], current: CurrentObjects) -> dict[Key, dict[str, t.Any]]:
    """For each object whose dataplane mode the task decides, its pods by how far they are captured with the labels after the change."""
    decided = [change for change in changes if change.desired.dataplane_mode is not None]
    namespaces = {change.desired.home for change in decided} & set(current.namespaces)
    if not namespaces:
        return {}
    pods: dict[str, list[Object]] = {}
    for pod in session.list(POD, next(iter(namespaces)) if len(namespaces) == 1 else None, trim=trim_pod).items:
        pods.setdefault(pod["metadata"]["namespace"], []).append(pod)
    modes = {name: labels_of(item).get(DATAPLANE_MODE) for name, item in current.namespaces.items()}
    modes.update({change.desired.name: change.after.get(DATAPLANE_MODE) for change in changes if change.desired.kind == "Namespace"})
    reports = {}
    for change in decided:
        kind, home, template = change.desired.kind, change.desired.home, None
        own, mode = pods.get(home, []), modes.get(home)
        if kind != "Namespace":
            own, template = [pod for pod in own if workload_of(pod) == (kind, change.desired.name)], change.after
        reports[change.desired.key] = report_pods(own, {DATAPLANE_MODE: mode} if mode else {}, current.settings.excluded_namespaces, template)
    return reports


def _find_leaving(selections: t.Sequence[Selection], objects: t.Mapping[Key, Object]) -> set[str]:
    """The enrolled namespaces that an item takes out of the mesh: their Services may stay bound, which is a warning."""
    desired, _errors = resolve_selections(selections, objects)
    return {
        one.name
        for one in desired
        if one.dataplane_mode not in (None, "ambient") and one.key in objects and labels_of(objects[one.key]).get(DATAPLANE_MODE) == "ambient"
    }


def _list_objects(session: ApiSession, kind: Kind, chosen: t.Sequence[Selection], leaving: set[str], *, canary: bool) -> list[Object]:
    """The objects of a kind that are selected from, and those read for another reason: Services of namespaces that leave, istiods."""
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
    # Of a Service, metadata is enough; of a workload, the template is needed.
    where = places.pop() if len(places) == 1 else None
    return session.list(kind, where, label_selector=None if chosen else selector, metadata_only=kind == SERVICE, trim=trim_labelled).items


def _list_waypoints(session: ApiSession, refs: set[WaypointRef]) -> dict[WaypointRef, Object]:
    if not refs:
        return {}
    places = {ref.namespace for ref in refs}
    try:
        gateways = session.list(GATEWAY, places.pop() if len(places) == 1 else None).items
    except NotServed:
        # Then no waypoint exists, which is refused; in check mode, the CRDs may be planned.
        gateways = []
    return {WaypointRef(item["metadata"]["namespace"], item["metadata"]["name"]): item for item in gateways}


def _read_settings(session: ApiSession, desired: t.Sequence[DesiredLabels], *, optional: bool) -> MeshSettings:
    """Istio's settings, if anything is enrolled; a task that overrides all they could refuse need not be allowed to read them."""
    if not any(one.dataplane_mode == "ambient" for one in desired):
        return MeshSettings()
    try:
        return read_settings(session.list(CONFIG_MAP, label_selector=SETTINGS_SELECTOR, trim=trim_settings).items)
    except ApiError as error:
        if optional and error.status == 403:
            return MeshSettings()
        raise


__all__ = ("read_captures", "read_objects", "read_waypoints_without_pods")
