# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.

"""From what is wished and what is there to the labels to change, or to the reasons why not."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .labels import DATAPLANE_MODE, INJECTION, NO_WAYPOINT, REVISION, USE_WAYPOINT, USE_WAYPOINT_NAMESPACE, Object, labels_of
from .waypoint import WaypointRef, allows_namespace, is_waypoint

# The labels this collection decides about; all others on the same objects are never touched.
MANAGED_LABELS = (DATAPLANE_MODE, USE_WAYPOINT, USE_WAYPOINT_NAMESPACE)


@dataclass(frozen=True)
class Wish:
    """What one object's labels should be. None leaves a label as it is, an empty string takes it away.

    Attributes:
        kind: C(Namespace), C(Service), or the kind of a workload whose pod template is labelled.
        name: the object's name.
        namespace: its namespace; None for a Namespace.
        dataplane_mode: V(ambient), V(none), empty or None.
        waypoint: the waypoint's name, V(none) to opt out, empty or None.
        waypoint_namespace: where the waypoint is; empty for the object's own namespace.
    """

    kind: str
    name: str
    namespace: str | None = None
    dataplane_mode: str | None = None
    waypoint: str | None = None
    waypoint_namespace: str = ""

    @property
    def title(self) -> str:
        """How messages name the object."""
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"

    @property
    def home(self) -> str:
        """The namespace that the object is in, or is."""
        return self.namespace or self.name

    @property
    def waypoint_ref(self) -> WaypointRef | None:
        """The waypoint that is bound to, or None when none is."""
        if self.waypoint and self.waypoint != NO_WAYPOINT:
            return WaypointRef(self.waypoint_namespace or self.home, self.waypoint)
        return None

    def labels(self) -> dict[str, str]:
        """The labels wished for; those to be taken away are empty."""
        wished: dict[str, str] = {}
        if self.dataplane_mode is not None:
            wished[DATAPLANE_MODE] = self.dataplane_mode
        if self.waypoint is not None:
            ref = self.waypoint_ref
            wished[USE_WAYPOINT] = self.waypoint
            # The namespace is only written when it says something: without it, the object's own is meant.
            wished[USE_WAYPOINT_NAMESPACE] = ref.namespace if ref and ref.namespace != self.home else ""
        return wished


@dataclass(frozen=True)
class Snapshot:
    """What is there, as far as the wishes touch it.

    Attributes:
        namespaces: Namespaces by name.
        objects: Services and workloads by kind, namespace and name.
        waypoints: Gateways by reference.
        planned_namespaces: namespaces that an earlier task of the same check run would make.
        planned_waypoints: waypoints that an earlier task of the same check run would make.
    """

    namespaces: t.Mapping[str, Object]
    objects: t.Mapping[tuple[str, str, str], Object] = field(default_factory=dict)
    waypoints: t.Mapping[WaypointRef, Object] = field(default_factory=dict)
    planned_namespaces: frozenset[str] = frozenset()
    planned_waypoints: frozenset[WaypointRef] = frozenset()


@dataclass(frozen=True)
class LabelChange:
    """One object's managed labels before and after; equal when there is nothing to do."""

    wish: Wish
    before: t.Mapping[str, str]
    after: t.Mapping[str, str]

    @property
    def changed(self) -> bool:
        return self.before != self.after

    @property
    def patch(self) -> dict[str, str | None]:
        """The labels to write; None takes one away."""
        return {name: self.after.get(name) for name in MANAGED_LABELS if self.after.get(name) != self.before.get(name)}

    @property
    def unbinds(self) -> bool:
        """Whether it takes something out of a waypoint or of the mesh; that is done before anything else."""
        return any(value in (None, NO_WAYPOINT) for value in self.patch.values())


def plan_enrollment(wishes: t.Iterable[Wish], snapshot: Snapshot) -> list[LabelChange]:
    """What to change, in the order of the wishes; objects that are not there yet (check mode) count as unlabelled."""
    changes = []
    for wish in wishes:
        current = _labels_to_manage(wish, snapshot)
        before = {name: current[name] for name in MANAGED_LABELS if name in current}
        wished = wish.labels()
        after = {name: value for name, value in {**before, **wished}.items() if value}
        changes.append(LabelChange(wish, before, after))
    return changes


def refuse_enrollment(wishes: t.Iterable[Wish], snapshot: Snapshot, *, unsafe_binding: bool = False, injection: bool = False) -> list[str]:
    """Why the wishes must not be carried out, one sentence each; empty when they may.

    Args:
        wishes: what is wished.
        snapshot: what is there.
        unsafe_binding: let objects be bound to waypoints that are missing or not ready, which skips L7 policy silently.
        injection: let namespaces be enrolled that carry a sidecar injection label.
    """
    refusals: list[str] = []
    for wish in wishes:
        missing = _missing(wish, snapshot)
        if missing:
            refusals.append(missing)
            continue
        if not unsafe_binding:
            refusals += _refuse_binding(wish, snapshot)
        if not injection:
            refusals += _refuse_injection(wish, snapshot)
    return refusals


def _labels_to_manage(wish: Wish, snapshot: Snapshot) -> t.Mapping[str, str]:
    """The labels of a Namespace or Service, or of a workload's pod template."""
    if wish.kind == "Namespace":
        item = snapshot.namespaces.get(wish.name)
        return labels_of(item) if item else {}
    item = snapshot.objects.get((wish.kind, wish.home, wish.name))
    if item is None:
        return {}
    if wish.kind == "Service":
        return labels_of(item)
    return item["spec"]["template"].get("metadata", {}).get("labels") or {}


def _missing(wish: Wish, snapshot: Snapshot) -> str | None:
    if wish.home in snapshot.planned_namespaces:
        return None
    if wish.home not in snapshot.namespaces:
        return f"{wish.title}: namespace {wish.home} does not exist: create it first, or correct its name."
    if wish.kind != "Namespace" and (wish.kind, wish.home, wish.name) not in snapshot.objects:
        return f"{wish.title} does not exist: create it first, or correct its name."
    return None


def _refuse_binding(wish: Wish, snapshot: Snapshot) -> list[str]:
    """A label that points to no working waypoint fails open: traffic goes on, without any L7 policy."""
    ref = wish.waypoint_ref
    if ref is None or ref in snapshot.planned_waypoints:
        return []
    consequence = "traffic would skip it and its L7 policies silently"
    gateway = snapshot.waypoints.get(ref)
    if gateway is None:
        return [f"{wish.title}: waypoint {ref} does not exist, so {consequence}: create it first (module waypoint), or correct its name."]
    if not is_waypoint(gateway):
        gateway_class = gateway["spec"].get("gatewayClassName")
        return [f"{wish.title}: Gateway {ref} is of class {gateway_class}, not a waypoint: name a Gateway of class istio-waypoint."]
    if not (gateway.get("status") or {}).get("addresses"):
        return [f"{wish.title}: waypoint {ref} has no address yet, so {consequence}: wait until it is ready first (module ready, kind waypoint)."]
    namespace = snapshot.namespaces.get(wish.home)
    if not allows_namespace(gateway, wish.home, labels_of(namespace) if namespace else {}):
        return [f"{wish.title}: waypoint {ref} does not allow namespace {wish.home}, so {consequence}: widen allowed_routes of the waypoint."]
    return []


def _refuse_injection(wish: Wish, snapshot: Snapshot) -> list[str]:
    """The injection webhook knows no dataplane mode: pods of such a namespace get sidecars and leave the ambient mesh."""
    namespace = snapshot.namespaces.get(wish.name) if wish.kind == "Namespace" else None
    if namespace is None or wish.dataplane_mode != "ambient":
        return []
    labels = labels_of(namespace)
    # The webhooks ask for the revision only where the injection label is absent.
    name = INJECTION if INJECTION in labels else REVISION
    if name not in labels or labels[name] == "disabled":
        return []
    label = f"{name}={labels[name]}"
    return [f"{wish.title} carries {label}, so its new pods would get sidecars instead of ambient mesh: take that label away first."]


__all__ = ("LabelChange", "Snapshot", "Wish", "plan_enrollment", "refuse_enrollment")
