# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Who uses a waypoint, and how its users are unbound from it."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from .._mesh.capture import workload_of
from .._mesh.labels import CANARY, CANARY_NAMESPACE, CANARY_WEIGHT, USE_WAYPOINT, USE_WAYPOINT_NAMESPACE, Object, annotations_of, labels_of
from .._mesh.waypoints import WaypointRef, canary_of, never_bound, waypoint_of
from .._text import format_count

BOUND = "istio.io/WaypointBound"
# The kinds that are bound by their own labels; pods get theirs from the template of a workload.
_LABELLED_KINDS = ("Namespace", "Service", "ServiceEntry", "WorkloadEntry")
WORKLOAD_KINDS = ("Deployment", "StatefulSet", "DaemonSet")


@dataclass(frozen=True)
class User:
    """An object whose labels name a waypoint.

    Attributes:
        canary: whether it names the waypoint only as its canary.
        inheriting: for a Namespace, how many of its Services name no waypoint of their own.
    """

    kind: str
    name: str
    namespace: str | None = None
    canary: bool = False
    inheriting: int = 0

    def __str__(self) -> str:
        title = _title(self.kind, self.name, self.namespace)
        if self.canary:
            return f"{title} (as canary)"
        return f"{title} (with {format_count(self.inheriting, 'Service')})" if self.inheriting else title


@dataclass(frozen=True)
class Detachment:
    """The labels to remove from one object so that it no longer uses a waypoint.

    Attributes:
        removed: the labels and the annotation to remove, with their values.
    """

    kind: str
    name: str
    namespace: str | None
    removed: t.Mapping[str, str]

    def __str__(self) -> str:
        return _title(self.kind, self.name, self.namespace)

    @property
    def patch(self) -> dict[str, t.Any]:
        """The merge patch that removes them; for a workload, from its pod template."""
        parts: dict[str, dict[str, None]] = {}
        for name in self.removed:
            parts.setdefault("annotations" if name == CANARY_WEIGHT else "labels", {})[name] = None
        return {"spec": {"template": {"metadata": parts}}} if self.kind in WORKLOAD_KINDS else {"metadata": parts}


def find_users(ref: WaypointRef, items: t.Mapping[str, t.Sequence[Object]]) -> list[User]:
    """The objects whose labels name a waypoint, sorted by kind and name; only their metadata is used.

    Args:
        ref: the waypoint.
        items: the objects by kind, among them all Services of the namespaces that name it.
    """
    users = []
    for kind, objects in items.items():
        for item in objects:
            metadata = item["metadata"]
            primary, canary = waypoint_of(item, None) == ref, canary_of(item) == ref
            if primary or canary:
                inheriting = _count_inheriting(metadata["name"], items.get("Service", ())) if primary and kind == "Namespace" else 0
                users.append(User(kind, metadata["name"], metadata.get("namespace"), not primary, inheriting))
    return sorted(users, key=lambda user: (user.kind, user.namespace or "", user.name))


def plan_detachments(refs: t.Collection[WaypointRef], items: t.Mapping[str, t.Sequence[Object]]) -> list[Detachment]:
    """The labels to remove from each object so that none of the waypoints is used any longer.

    Args:
        refs: the waypoints.
        items: by kind, the labelled objects, the workloads with their templates, and the pods.
    """
    detachments = []
    for kind in (*_LABELLED_KINDS, *WORKLOAD_KINDS, "Pod"):
        for item in items.get(kind, ()):
            # The labels of all other pods come from the template of their controller.
            if kind == "Pod" and any(workload_of(item)):
                continue
            removed = _named_by(_template_of(item) if kind in WORKLOAD_KINDS else item, refs)
            if removed:
                detachments.append(Detachment(kind, item["metadata"]["name"], item["metadata"].get("namespace"), removed))
    return sorted(detachments, key=lambda found: (found.kind, found.namespace or "", found.name))


def find_unreachable(refs: t.Collection[WaypointRef], items: t.Mapping[str, t.Sequence[Object]]) -> list[str]:
    """The pods that name one of the waypoints and come from a template that this module does not change, each with its controller."""
    known = {(kind, item["metadata"]["namespace"], item["metadata"]["name"]) for kind in WORKLOAD_KINDS for item in items.get(kind, ())}
    unreachable = []
    for pod in items.get("Pod", ()):
        kind, name = workload_of(pod)
        namespace = pod["metadata"]["namespace"]
        if kind and waypoint_of(pod, None) in refs and (kind, namespace, name) not in known:
            unreachable.append(f"Pod {namespace}/{pod['metadata']['name']} of {kind} {name}")
    return sorted(unreachable)


def still_bound(refs: t.Collection[WaypointRef], items: t.Iterable[Object]) -> list[str]:
    """The objects that istiod still binds to one of the waypoints, according to their status."""
    return sorted(f"{item['kind']} {item['metadata']['namespace']}/{item['metadata']['name']}" for item in items if _is_bound(item, refs))


def still_labelled(refs: t.Collection[WaypointRef], pods: t.Iterable[Object]) -> list[str]:
    """The pods whose labels still name one of the waypoints, including those of a former template."""
    return sorted(f"Pod {pod['metadata']['namespace']}/{pod['metadata']['name']}" for pod in pods if waypoint_of(pod, None) in refs)


def _template_of(workload: Object) -> dict[str, t.Any]:
    """The metadata of a workload's pod template, as an object in the workload's namespace."""
    metadata = workload["spec"]["template"].get("metadata") or {}
    return {"metadata": {**metadata, "namespace": workload["metadata"]["namespace"], "name": workload["metadata"]["name"]}}


def _title(kind: str, name: str, namespace: str | None) -> str:
    return f"{kind} {namespace}/{name}" if namespace else f"{kind} {name}"


def _named_by(item: Object, refs: t.Collection[WaypointRef]) -> dict[str, str]:
    """The labels and the annotation by which an object names one of the waypoints."""
    labels, annotations = labels_of(item), annotations_of(item)
    names: list[str] = []
    if waypoint_of(item, None) in refs:
        names += (USE_WAYPOINT, USE_WAYPOINT_NAMESPACE)
    if canary_of(item) in refs:
        names += (CANARY, CANARY_NAMESPACE)
    removed = {name: labels[name] for name in names if name in labels}
    if CANARY in removed and CANARY_WEIGHT in annotations:
        removed[CANARY_WEIGHT] = annotations[CANARY_WEIGHT]
    return removed


def _count_inheriting(namespace: str, services: t.Iterable[Object]) -> int:
    return sum(service["metadata"]["namespace"] == namespace and USE_WAYPOINT not in labels_of(service) and not never_bound(service) for service in services)


def _is_bound(item: Object, refs: t.Collection[WaypointRef]) -> bool:
    for condition in (item.get("status") or {}).get("conditions") or ():
        if condition.get("type") == BOUND and condition.get("status") == "True":
            # Source: pilot/pkg/model/service.go (GetConditions). The rest of the message may be about another waypoint.
            found = re.match(r"Successfully attached to waypoint ([a-z0-9.-]+)/([a-z0-9.-]*[a-z0-9])", str(condition.get("message", "")))
            return found is not None and WaypointRef(found[1], found[2]) in refs
    return False


__all__ = (
    "WORKLOAD_KINDS",
    "Detachment",
    "User",
    "find_unreachable",
    "find_users",
    "plan_detachments",
    "still_bound",
    "still_labelled",
)
