# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Reads the current state of waypoints, and what refusals must know about the rest of the cluster."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from .._errors import ApiError, NotServed
from .._kinds import (
    BY_NAME,
    CONFIG_MAP,
    DEPLOYMENT,
    GATEWAY,
    MUTATING_WEBHOOK,
    NAMESPACE,
    POD,
    SERVICE,
    SERVICE_ACCOUNT,
    SERVICE_ENTRY,
    VALIDATING_WEBHOOK,
    WORKLOAD_ENTRY,
    Kind,
)
from .._managed_fields import FIELD_MANAGER, MANAGED_BY
from .._managed_gateway.spec import Created
from .._managed_gateway.state import find_managed_refusals, list_class_defaults
from .._mesh.labels import CANARY, GATEWAY_NAME, MANAGED_BY_MESH, MANAGED_GATEWAY, USE_WAYPOINT, WAYPOINT_CLASS, labels_of
from .._mesh.namespaces import is_terminating
from .._mesh.parameters import ON_REQUEST, OVERLAY_KINDS, parameters_name
from .._mesh.revisions import ISTIOD_SELECTOR, TAG, Revisions, find_revisions
from .._mesh.waypoints import WaypointRef
from .plan import CurrentWaypoints, Plan, find_leftovers, hands_over, narrows
from .refusals import Context
from .users import WORKLOAD_KINDS

if t.TYPE_CHECKING:
    from .._k8s.session import ApiSession, Object
    from .spec import DesiredWaypoint, Overrides

Warn = t.Callable[[str], None]
_OWNED = "an istiod owns the waypoints"


class WaypointReader:
    """Reads each kind at most once, in the one namespace of all waypoints or in all of them.

    Args:
        session: where to read.
        desired: the waypoints that the task names.
        warn: receives what this user is not allowed to read, and what could therefore not be checked.
    """

    def __init__(self, session: ApiSession, desired: t.Sequence[DesiredWaypoint], warn: Warn) -> None:
        self._session = session
        self._desired = desired
        self._warn = warn
        namespaces = {one.ref.namespace for one in desired}
        self._namespace = namespaces.pop() if len(namespaces) == 1 else None

    def read_waypoints(self, overrides: Overrides, *, planned_namespaces: t.Iterable[str], gateways_required: bool, for_wait: bool) -> CurrentWaypoints:
        """The current state of the desired waypoints.

        Args:
            overrides: which decide whether users of waypoints to be deleted are read, and whether the workloads that may name them are.
            planned_namespaces: what an earlier task of the same check run would create.
            gateways_required: whether it is an error if the Gateway API is not installed.
            for_wait: whether a wait for the parameters must know what all waypoints of the cluster get.
        """
        namespaces = {name: {"metadata": {"name": name}} for name in planned_namespaces}
        namespaces.update({item["metadata"]["name"]: item for item in self._session.list(NAMESPACE, metadata_only=True).items})
        gateways = self._list_gateways(required=gateways_required)
        config_maps = self._session.list(CONFIG_MAP, self._namespace, label_selector=f"{MANAGED_BY}={FIELD_MANAGER}").items
        labelled = {_ref(item, labels_of(item)[GATEWAY_NAME]): item for item in config_maps if GATEWAY_NAME in labels_of(item)}
        current = CurrentWaypoints(
            namespaces=namespaces,
            gateways=gateways,
            parameters={ref: item for ref, item in labelled.items() if item["metadata"]["name"] == parameters_name(ref.name)},
            on_request={key: self._list_on_request(BY_NAME[OVERLAY_KINDS[key][1]], required=bool(labelled)) for key in ON_REQUEST},
        )
        waypoints = [one.waypoint for one in self._desired if one.waypoint]
        # What seems to be a leftover may be what all waypoints get.
        if any(find_leftovers(one, current) or (for_wait and (one.overlays or one.ref in current.parameters)) for one in waypoints):
            current = replace(current, class_defaults=_keys_of(list_class_defaults(self._session, WAYPOINT_CLASS)))
        deleted = any(one.waypoint is None and one.ref in gateways for one in self._desired) and not overrides.force_delete
        narrowed = any(narrows(gateways[waypoint.ref], waypoint) for waypoint in waypoints if waypoint.ref in gateways)
        return replace(
            current,
            users=self._list_users(namespaces, workloads=overrides.detach) if deleted else self._list_users_if_allowed(namespaces) if narrowed else {},
            replicas=self._read_replicas([one.ref for one in waypoints if hands_over(one, current.parameters.get(one.ref))]),
        )

    def read_context(self, plan: Plan, current: CurrentWaypoints, overrides: Overrides, *, check_mode: bool) -> Context:
        """What refusals must know about the rest of the cluster; nothing is read for a plan that changes nothing."""
        revisions = None if overrides.allow_unowned_revision else self._find_revisions(plan)
        # The first istiod may come with an earlier task of the same check run.
        if check_mode and revisions and not revisions.tags:
            revisions = None
        return Context(
            taken=self._find_taken_names(plan),
            foreign_config_maps=self._find_foreign_config_maps(plan),
            revisions=revisions,
            refused_objects=tuple(find_managed_refusals(self._session, _objects_to_try(plan, current.namespaces), self._warn)),
            overrides=overrides,
        )

    def _find_taken_names(self, plan: Plan) -> dict[WaypointRef, list[str]]:
        """For each waypoint to be created, the kinds of which there is an object of its name that istiod did not create."""
        refs = {change.ref for change in plan.changes if change.action == "created"}
        taken: dict[WaypointRef, list[str]] = {}
        for kind in (DEPLOYMENT, SERVICE, SERVICE_ACCOUNT) if refs else ():
            for item in self._list_named(kind, refs, f"!{MANAGED_GATEWAY}", "a waypoint's name is taken"):
                if _ref(item) in refs:
                    taken.setdefault(_ref(item), []).append(kind.name)
        return taken

    def _find_foreign_config_maps(self, plan: Plan) -> frozenset[WaypointRef]:
        """The waypoints whose new ConfigMap would have the name of somebody else's."""
        refs = {WaypointRef(change.ref.namespace, parameters_name(change.ref.name)): change.ref for change in plan.changes if change.new_config_map}
        if not refs:
            return frozenset()
        items = self._list_named(CONFIG_MAP, refs, f"{MANAGED_BY}!={FIELD_MANAGER}", "the name of a waypoint's parameters is taken")
        return frozenset(refs[_ref(item)] for item in items if _ref(item) in refs)

    def _find_revisions(self, plan: Plan) -> Revisions | None:
        """The istiods of the cluster; None if no Gateway is written, or if this user is not allowed to read them."""
        if not any(change.gateway == "apply" for change in plan.changes):
            return None
        istiods = self._list_allowed(DEPLOYMENT, None, _OWNED, ISTIOD_SELECTOR)
        mutating = self._list_allowed(MUTATING_WEBHOOK, None, _OWNED, TAG)
        validating = self._list_allowed(VALIDATING_WEBHOOK, None, _OWNED, ISTIOD_SELECTOR)
        services = self._list_allowed(SERVICE, None, _OWNED, TAG)
        if istiods is None or mutating is None or validating is None or services is None:
            return None
        return find_revisions(istiods, mutating, validating, services)

    def _list_gateways(self, *, required: bool) -> dict[WaypointRef, Object]:
        try:
            return {_ref(item): item for item in self._session.list(GATEWAY, self._namespace).items}
        except NotServed:
            if required:
                raise
            return {}

    def _list_on_request(self, kind: Kind, *, required: bool) -> dict[WaypointRef, list[str]]:
        selector = f"{MANAGED_GATEWAY}={MANAGED_BY_MESH}"
        try:
            items = self._session.list(kind, self._namespace, label_selector=selector, metadata_only=True).items
        except ApiError as error:
            # Without parameters, no permission for what they create is needed.
            if error.status != 403 or required:
                raise
            return {}
        found: dict[WaypointRef, list[str]] = {}
        for item in items:
            found.setdefault(_ref(item, labels_of(item).get(GATEWAY_NAME)), []).append(item["metadata"]["name"])
        return found

    def _list_users_if_allowed(self, namespaces: t.Mapping[str, Object]) -> dict[str, list[Object]]:
        try:
            return self._list_users(namespaces, workloads=False)
        except ApiError as error:
            if error.status != 403:
                raise
            self._warn(f"Whether something uses the waypoints could not be checked: {error.message}")
            return {}

    def _list_users(self, namespaces: t.Mapping[str, Object], *, workloads: bool) -> dict[str, list[Object]]:
        """Everything that may use a waypoint, by kind, as metadata only; all Services, because they inherit from their Namespace."""
        items = {NAMESPACE.name: list(namespaces.values()), SERVICE.name: self._session.list(SERVICE, metadata_only=True).items}
        for kind, selectors in ((SERVICE_ENTRY, (USE_WAYPOINT, CANARY)), (WORKLOAD_ENTRY, (USE_WAYPOINT,)), (POD, (USE_WAYPOINT,))):
            found: dict[WaypointRef, Object] = {}
            for selector in selectors:
                try:
                    found.update({_ref(item): item for item in self._session.list(kind, label_selector=selector, metadata_only=True).items})
                except NotServed:
                    break
            items[kind.name] = list(found.values())
        for name in WORKLOAD_KINDS if workloads else ():
            items[name] = self._session.list(BY_NAME[name], trim=_trim_workload).items
        return items

    def _read_replicas(self, refs: t.Iterable[WaypointRef]) -> dict[WaypointRef, int]:
        deployments = {ref: self._session.get(DEPLOYMENT, ref.name, ref.namespace) for ref in refs}
        return {ref: item["spec"]["replicas"] for ref, item in deployments.items() if item and MANAGED_GATEWAY in labels_of(item)}

    def _list_named(self, kind: Kind, refs: t.Collection[WaypointRef], label_selector: str, purpose: str) -> list[Object]:
        """The objects of a kind among which are those with these names."""
        names = {ref.name for ref in refs}
        field_selector = f"metadata.name={next(iter(names))}" if len(names) == 1 else None
        return self._list_allowed(kind, self._namespace, purpose, label_selector, field_selector) or []

    def _list_allowed(self, kind: Kind, place: str | None, purpose: str, label_selector: str, field_selector: str | None = None) -> list[Object] | None:
        """The objects' metadata, or None and a warning if this user is not allowed to list them."""
        try:
            return self._session.list(kind, place, label_selector=label_selector, field_selector=field_selector, metadata_only=True).items
        except ApiError as error:
            if error.status != 403:
                raise
            self._warn(f"Whether {purpose} could not be checked in {kind.plural}: {error.message}")
            return None


def _objects_to_try(plan: Plan, namespaces: t.Mapping[str, t.Mapping[str, t.Any]]) -> list[Created]:
    """The waypoints whose objects istiod is going to create, or to render from other overlays."""
    found = []
    for change in plan.changes:
        namespace = namespaces.get(change.ref.namespace)
        if change.desired.validation_errors:
            continue
        if change.action == "created" and namespace and "kind" in namespace:
            if not is_terminating(namespace):
                found.append(Created(f"Waypoint {change.ref}", change.manifest, change.overlays))
        elif change.config_map == "apply":
            manifest = change.manifest
            if not namespace or "kind" not in namespace:
                # One that is only planned takes no dry run.
                manifest = {**manifest, "metadata": {**manifest["metadata"], "namespace": "default"}}
            found.append(Created(f"Waypoint {change.ref}", manifest, change.overlays, only_overlays=True))
    return found


def _keys_of(config_maps: t.Iterable[t.Mapping[str, t.Any]]) -> frozenset[str]:
    return frozenset(key for item in config_maps for key in item.get("data") or ())


def _ref(item: Object, name: str | None = None) -> WaypointRef:
    return WaypointRef(item["metadata"]["namespace"], name or item["metadata"]["name"])


def _trim_workload(item: Object) -> Object:
    metadata = {name: item["metadata"][name] for name in ("name", "namespace") if name in item["metadata"]}
    template = item["spec"]["template"].get("metadata") or {}
    return {"metadata": metadata, "spec": {"template": {"metadata": {"labels": template.get("labels") or {}}}}}


__all__ = ("WaypointReader",)
