# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.

"""What the module waypoint reads and waits for."""

from __future__ import annotations

import typing as t

from .._errors import ApiError, NotServed
from .._k8s.managed_fields import FIELD_MANAGER, MANAGED_BY
from .._kinds import (
    BY_NAME,
    CONFIG_MAP,
    DEPLOYMENT,
    GATEWAY,
    HORIZONTAL_POD_AUTOSCALER,
    MUTATING_WEBHOOK,
    NAMESPACE,
    POD,
    POD_DISRUPTION_BUDGET,
    SERVICE,
    SERVICE_ACCOUNT,
    SERVICE_ENTRY,
    VALIDATING_WEBHOOK,
    WORKLOAD_ENTRY,
    Kind,
)
from .._mesh.labels import CANARY, GATEWAY_NAME, MANAGED_GATEWAY, USE_WAYPOINT, WAYPOINT_CLASS, labels_of
from .._mesh.revisions import TAG, Revisions, find_revisions
from .._wait.deletion import wait_until_none_left
from .._wait.object_cache import ObjectCache
from .gateway import WaypointRef
from .parameters import CLASS_DEFAULTS, mark_of, parameters_name
from .plan import MANAGED_BY_MESH, WaypointSnapshot
from .users import LABELLED_KINDS, WORKLOAD_KINDS, still_bound, still_labelled

if t.TYPE_CHECKING:
    from .._k8s.session import ApiSession, Object
    from .users import Detachment

Warn = t.Callable[[str], None]

_ON_REQUEST = {"horizontalPodAutoscaler": HORIZONTAL_POD_AUTOSCALER, "podDisruptionBudget": POD_DISRUPTION_BUDGET}


class Reader:
    """Reads what a task needs, each kind at most once, in the one namespace of all waypoints or in all of them.

    Args:
        session: where to read.
        refs: the waypoints that the task names.
        warn: is told what could not be read, and what therefore was not looked at.
    """

    def __init__(self, session: ApiSession, refs: t.Iterable[WaypointRef], warn: Warn) -> None:
        self._session = session
        self._warn = warn
        places = {ref.namespace for ref in refs}
        self._place = places.pop() if len(places) == 1 else None

    def namespaces(self, planned: t.Iterable[str]) -> dict[str, Object]:
        """All Namespaces by name, and those that are planned without anything in them."""
        found = {item["metadata"]["name"]: item for item in self._session.list(NAMESPACE, metadata_only=True).items}
        return {**{name: {"metadata": {"name": name}} for name in planned}, **found}

    def snapshot(self, *, gateways_required: bool) -> WaypointSnapshot:
        """What is there of the waypoints; CRDs that are not there yet mean that there are no Gateways, unless they are required."""
        try:
            gateways = self._session.list(GATEWAY, self._place).items
        except NotServed:
            if gateways_required:
                raise
            gateways = []
        config_maps = self._session.list(CONFIG_MAP, self._place, label_selector=f"{MANAGED_BY}={FIELD_MANAGER}").items
        parameters = {_ref(item, labels_of(item)[GATEWAY_NAME]): item for item in config_maps if GATEWAY_NAME in labels_of(item)}
        on_request = {key: self._on_request(kind, needed=bool(parameters)) for key, kind in _ON_REQUEST.items()}
        return WaypointSnapshot(
            {_ref(item): item for item in gateways},
            {ref: item for ref, item in parameters.items() if item["metadata"]["name"] == parameters_name(ref.name)},
            on_request,
        )

    def taken(self, refs: t.Collection[WaypointRef]) -> dict[WaypointRef, list[str]]:
        """For each of the waypoints to be created, the kinds of which there is an object of its name that istiod did not make."""
        taken: dict[WaypointRef, list[str]] = {}
        for kind in (DEPLOYMENT, SERVICE, SERVICE_ACCOUNT) if refs else ():
            for item in self._named_like(kind, refs, f"!{MANAGED_GATEWAY}", "a waypoint's name is taken"):
                if _ref(item) in refs:
                    taken.setdefault(_ref(item), []).append(kind.name)
        return taken

    def others_parameters(self, refs: t.Collection[WaypointRef]) -> frozenset[WaypointRef]:
        """Those of the waypoints whose ConfigMap is to be made and whose name for it somebody else's has."""
        wanted = {(ref.namespace, parameters_name(ref.name)): ref for ref in refs}
        if not wanted:
            return frozenset()
        names = [WaypointRef(ref.namespace, parameters_name(ref.name)) for ref in refs]
        items = self._named_like(CONFIG_MAP, names, f"{MANAGED_BY}!={FIELD_MANAGER}", "the name of a waypoint's parameters is taken")
        return frozenset(wanted[key] for key in ((item["metadata"]["namespace"], item["metadata"]["name"]) for item in items) if key in wanted)

    def revisions(self) -> Revisions | None:
        """The istiods of the cluster; None when this user may not ask."""
        istiods = self._list(DEPLOYMENT, None, "an istiod owns the waypoints", "app=istiod")
        mutating = self._list(MUTATING_WEBHOOK, None, "an istiod owns the waypoints", TAG)
        validating = self._list(VALIDATING_WEBHOOK, None, "an istiod owns the waypoints", "app=istiod")
        services = self._list(SERVICE, None, "an istiod owns the waypoints", TAG)
        if istiods is None or mutating is None or validating is None or services is None:
            return None
        return find_revisions(istiods, mutating, validating, services)

    def users(self, namespaces: t.Mapping[str, Object]) -> dict[str, list[Object]]:
        """All that may use a waypoint, by kind, with nothing but metadata; of Services all, because they inherit from their Namespace."""
        items = {NAMESPACE.name: list(namespaces.values()), SERVICE.name: self._session.list(SERVICE, metadata_only=True).items}
        for kind, selectors in ((SERVICE_ENTRY, (USE_WAYPOINT, CANARY)), (WORKLOAD_ENTRY, (USE_WAYPOINT,)), (POD, (USE_WAYPOINT,))):
            found: dict[tuple[str, str], Object] = {}
            for selector in selectors:
                try:
                    listed = self._session.list(kind, label_selector=selector, metadata_only=True).items
                except NotServed:
                    break
                found.update({(item["metadata"]["namespace"], item["metadata"]["name"]): item for item in listed})
            items[kind.name] = list(found.values())
        return items

    def workloads(self) -> dict[str, list[Object]]:
        """All workloads with their pod templates, by kind."""
        return {name: self._session.list(BY_NAME[name], trim=_trim_workload).items for name in WORKLOAD_KINDS}

    def _on_request(self, kind: Kind, *, needed: bool) -> dict[WaypointRef, list[str]]:
        selector = f"{MANAGED_GATEWAY}={MANAGED_BY_MESH}"
        try:
            items = self._session.list(kind, self._place, label_selector=selector, metadata_only=True).items
        except ApiError as error:
            # Who never uses parameters needs no permission for what they bring about.
            if error.status != 403 or needed:
                raise
            return {}
        found: dict[WaypointRef, list[str]] = {}
        for item in items:
            found.setdefault(_ref(item, labels_of(item).get(GATEWAY_NAME)), []).append(item["metadata"]["name"])
        return found

    def class_defaults(self) -> frozenset[str]:
        """The keys of the overlays that all waypoints of a cluster get."""
        items = self._session.list(CONFIG_MAP, label_selector=f"{CLASS_DEFAULTS}={WAYPOINT_CLASS}").items
        return frozenset(key for item in items for key in item.get("data") or ())

    def _named_like(self, kind: Kind, refs: t.Collection[WaypointRef], label_selector: str, purpose: str) -> list[Object]:
        """The objects of a kind among which those with the waypoints' names are."""
        names = {ref.name for ref in refs}
        field_selector = f"metadata.name={next(iter(names))}" if len(names) == 1 else None
        return self._list(kind, self._place, purpose, label_selector, field_selector) or []

    def _list(self, kind: Kind, place: str | None, purpose: str, label_selector: str, field_selector: str | None = None) -> list[Object] | None:
        """The objects' metadata, or None and a warning when this user may not list them: the server may do what cannot be foreseen."""
        try:
            return self._session.list(kind, place, label_selector=label_selector, field_selector=field_selector, metadata_only=True).items
        except ApiError as error:
            if error.status != 403:
                raise
            self._warn(f"Whether {purpose} was not looked at in {kind.plural}: {error.message}")
            return None


def wait_until_rendered(session: ApiSession, marks: t.Mapping[WaypointRef, str], *, timeout: float, clock: t.Callable[[], float]) -> list[str]:
    """Wait until istiod has rendered these parameters; returns the waypoints of which it has not when the time is up.

    Args:
        session: where to look.
        marks: for each waypoint, the mark of the parameters; empty where it must have rendered none.
        timeout: seconds.
        clock: a monotonic clock in seconds.
    """

    def left(seen: ObjectCache) -> list[str]:
        items = {_ref(item, labels_of(item).get(GATEWAY_NAME)): item for item in seen.all(DEPLOYMENT) if MANAGED_GATEWAY in labels_of(item)}
        return sorted(str(ref) for ref, mark in marks.items() if ref in items and mark_of(items[ref]) != mark)

    return wait_until_none_left(session, [(DEPLOYMENT, ref.namespace) for ref in marks], left, timeout=timeout, clock=clock, trim=_trim)


def wait_until_let_go(
    session: ApiSession, refs: t.Collection[WaypointRef], detachments: t.Sequence[Detachment], *, timeout: float, clock: t.Callable[[], float]
) -> list[str]:
    """Wait until istiod binds nothing to the waypoints any more, and no pod names them; returns what is left when the time is up."""
    # What a Namespace lets go of is seen on its Services, what a workload does on its pods.
    shown_on = {"Namespace": SERVICE, "Service": SERVICE, "ServiceEntry": SERVICE_ENTRY, "WorkloadEntry": WORKLOAD_ENTRY}
    places = [(shown_on.get(found.kind, POD), found.namespace or found.name) for found in detachments]

    def left(seen: ObjectCache) -> list[str]:
        bound = [item for kind in (SERVICE, SERVICE_ENTRY, WORKLOAD_ENTRY) for item in seen.all(kind)]
        return [*still_bound(refs, bound), *still_labelled(refs, seen.all(POD))]

    return wait_until_none_left(session, places, left, timeout=timeout, clock=clock, trim=_trim)


def _ref(item: Object, name: str | None = None) -> WaypointRef:
    return WaypointRef(item["metadata"]["namespace"], name or item["metadata"]["name"])


def _trim(item: Object) -> Object:
    """Only what is waited for: labels, annotations, conditions."""
    metadata = {name: item["metadata"][name] for name in ("name", "namespace", "labels", "annotations") if name in item["metadata"]}
    conditions = (item.get("status") or {}).get("conditions") or []
    return {"kind": item.get("kind"), "metadata": metadata, "status": {"conditions": conditions}}


def _trim_workload(item: Object) -> Object:
    metadata = {name: item["metadata"][name] for name in ("name", "namespace") if name in item["metadata"]}
    template = item["spec"]["template"].get("metadata") or {}
    return {"metadata": metadata, "spec": {"template": {"metadata": {"labels": template.get("labels") or {}}}}}


__all__ = ("LABELLED_KINDS", "Reader", "wait_until_let_go", "wait_until_rendered")
