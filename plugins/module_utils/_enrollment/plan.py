# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""From the desired and the current labels to the changes, in their safe order."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

from .._managed_fields import FIELD_MANAGER
from .._mesh.labels import (
    CANARY,
    CANARY_NAMESPACE,
    CANARY_WEIGHT,
    DATAPLANE_MODE,
    INGRESS_USE_WAYPOINT,
    INJECT,
    MANAGED_ANNOTATIONS,
    MANAGED_LABELS,
    NO_WAYPOINT,
    USE_WAYPOINT,
    USE_WAYPOINT_NAMESPACE,
    Object,
    annotations_of,
    labels_of,
    template_of,
)
from .._mesh.mesh_settings import MeshSettings
from .._mesh.waypoints import WaypointRef
from .label_owners import OWN, TEMPLATE, Owner, owners_of, trim_owners
from .spec import DesiredLabels, Key

MANAGED = (*MANAGED_LABELS, *MANAGED_ANNOTATIONS)

# A merge patch of labels and annotations; None removes one.
Patch = t.Dict[str, t.Optional[str]]

_BINDING = (USE_WAYPOINT, USE_WAYPOINT_NAMESPACE)
_CANARY = (CANARY, CANARY_NAMESPACE, CANARY_WEIGHT)


@dataclass(frozen=True)
class CurrentObjects:
    """The current state that the desired labels depend on.

    Attributes:
        namespaces: Namespaces by name.
        objects: Services and workloads by kind, namespace and name.
        waypoints: Gateways by reference.
        planned_namespaces: namespaces that an earlier task of the same check run would create.
        planned_waypoints: waypoints that an earlier task of the same check run would create.
        settings: Istio's settings about namespaces.
        istiods: the Deployments of istiod, if a canary is desired.
        without_pods: the waypoints without a ready pod, of those to which something is going to be bound.
    """

    namespaces: t.Mapping[str, Object]
    objects: t.Mapping[Key, Object] = field(default_factory=dict)
    waypoints: t.Mapping[WaypointRef, Object] = field(default_factory=dict)
    planned_namespaces: frozenset[str] = frozenset()
    planned_waypoints: frozenset[WaypointRef] = frozenset()
    settings: MeshSettings = field(default_factory=MeshSettings)
    istiods: t.Sequence[Object] = ()
    without_pods: frozenset[WaypointRef] = frozenset()

    def find(self, desired: DesiredLabels) -> Object | None:
        """The object whose labels are desired, or None if it does not exist."""
        return self.namespaces.get(desired.name) if desired.kind == "Namespace" else self.objects.get(desired.key)


@dataclass(frozen=True)
class LabelChange:
    """One object's managed labels (and its one managed annotation) before and after; equal if there is nothing to do.

    Attributes:
        others: the other field managers of the labels that change, by label.
    """

    desired: DesiredLabels
    before: t.Mapping[str, str]
    after: t.Mapping[str, str]
    others: t.Mapping[str, t.Sequence[Owner]] = field(default_factory=dict)

    @property
    def changed(self) -> bool:
        return self.before != self.after

    @property
    def patch(self) -> Patch:
        """The labels to write; None removes one."""
        return {name: self.after.get(name) for name in MANAGED if self.after.get(name) != self.before.get(name)}

    @property
    def new_waypoints(self) -> set[WaypointRef]:
        """The waypoints that the object is going to be bound to, and was not."""
        bound = {self.desired.waypoint_ref} if any(name in self.patch for name in _BINDING) else set()
        bound |= {self.desired.canary_ref} if any(name in self.patch for name in _CANARY) else set()
        return {ref for ref in bound if ref}

    @property
    def leaves(self) -> bool:
        """Whether the object's pods leave the mesh, as far as its own label decides."""
        return self.before.get(DATAPLANE_MODE) == "ambient" and self.after.get(DATAPLANE_MODE) != "ambient"

    @property
    def taken_over(self) -> dict[str, str]:
        """The labels that change although another field manager has set them, with that manager's name."""
        return {name: owners[0].manager for name, owners in self.others.items() if owners}

    def phases(self) -> tuple[Patch, Patch, Patch]:
        """The patch in three parts: unbinding from waypoints, leaving the mesh, and joining it or being bound.

        Each part is written for all objects before the next, so that nothing leaves the mesh while it still names a waypoint.
        What belongs together is never split: a waypoint's name without its namespace would name another waypoint, and a canary that
        becomes the primary would be replaced by the old one in between. A workload gets one patch, because each replaces its pods.
        """
        patch = self.patch
        leaving, joining = patch.get(DATAPLANE_MODE, "ambient") != "ambient", patch.get(DATAPLANE_MODE) == "ambient"
        bound = any(name in patch for name in _BINDING) and self.after.get(USE_WAYPOINT, NO_WAYPOINT) != NO_WAYPOINT
        parts: tuple[Patch, Patch, Patch] = ({}, {}, {})
        if self.desired.kind not in ("Namespace", "Service"):
            parts[2 if joining or bound else 1 if leaving else 0].update(patch)
            return parts
        off = {_BINDING: not bound, _CANARY: CANARY not in self.after, (INGRESS_USE_WAYPOINT,): self.after.get(INGRESS_USE_WAYPOINT) != "true"}
        for names, is_off in off.items():
            parts[0 if is_off and not bound else 2].update({name: patch[name] for name in names if name in patch})
        if DATAPLANE_MODE in patch:
            parts[1 if leaving else 2][DATAPLANE_MODE] = patch[DATAPLANE_MODE]
        return parts


def plan_enrollment(desired: t.Iterable[DesiredLabels], current: CurrentObjects) -> list[LabelChange]:
    """The changes, in the order of the desired labels; objects that do not exist yet (check mode) count as unlabelled."""
    changes = []
    for one in desired:
        item = current.find(one)
        before, labels = managed_of(one.kind, item), one.labels()
        # An empty label that somebody else has set is left alone.
        after = {name: value for name, value in {**before, **labels}.items() if value or name not in labels}
        change = LabelChange(one, before, after)
        changes.append(replace(change, others=_others(change, item)) if change.changed else change)
    return changes


def managed_of(kind: str, item: Object | None) -> dict[str, str]:
    """The managed labels and annotation of a Namespace or Service, or of a workload's pod template, in a fixed order."""
    if item is None:
        return {}
    carrier = item if kind in ("Namespace", "Service") else template_of(item)
    # The annotation has no meaning on pods.
    found = {**labels_of(carrier), **(annotations_of(carrier) if carrier is item else {})}
    return {name: found[name] for name in MANAGED if name in found}


def trim_labelled(item: Object) -> dict[str, t.Any]:
    """An object without what no rule reads; most of a workload is its template."""
    template = TEMPLATE if "template" in (item.get("spec") or {}) else ()
    metadata = item["metadata"]
    kept: dict[str, t.Any] = {name: metadata[name] for name in ("name", "namespace", "labels") if name in metadata}
    kept["managedFields"] = trim_owners(item, template)
    kept["annotations"] = {name: value for name, value in annotations_of(item).items() if name == CANARY_WEIGHT}
    trimmed: dict[str, t.Any] = {"kind": item["kind"], "metadata": kept}
    if template:
        inside = template_of(item)
        annotations = {name: value for name, value in annotations_of(inside).items() if name == INJECT}
        trimmed["spec"] = {"template": {"metadata": {"labels": labels_of(inside), "annotations": annotations}}}
    return trimmed


def metadata_patch(patch: Patch) -> dict[str, Patch]:
    """A patch as the metadata of a merge patch, with labels and annotations separated."""
    parts = {
        "labels": {name: value for name, value in patch.items() if name not in MANAGED_ANNOTATIONS},
        "annotations": {name: value for name, value in patch.items() if name in MANAGED_ANNOTATIONS},
    }
    return {part: values for part, values in parts.items() if values}


def _others(change: LabelChange, item: Object | None) -> dict[str, list[Owner]]:
    if item is None:
        return {}
    place = OWN if change.desired.kind in ("Namespace", "Service") else TEMPLATE
    found = {name: owners_of(item, name, place, but=FIELD_MANAGER) for name in change.patch}
    return {name: owners for name, owners in found.items() if owners}


__all__ = ("MANAGED", "CurrentObjects", "LabelChange", "Patch", "managed_of", "metadata_patch", "plan_enrollment", "trim_labelled")
