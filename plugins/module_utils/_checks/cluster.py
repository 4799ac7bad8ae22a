# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""What has been read of a cluster, and what follows from it that several checks ask for."""

from __future__ import annotations

import functools
import typing as t

from .._kinds import (
    CONFIG_MAP,
    DAEMON_SET,
    DEPLOYMENT,
    GATEWAY,
    MUTATING_WEBHOOK,
    NAMESPACE,
    NODE,
    POD,
    SERVICE,
    SERVICE_ENTRY,
    VALIDATING_WEBHOOK,
    Kind,
)
from .._mesh.capture import Capture, capture_of
from .._mesh.labels import Object, labels_of, matches
from .._mesh.mesh_settings import ISTIO_NAMESPACE, MeshSettings, find_root_namespaces, read_settings
from .._mesh.revisions import Revisions, find_revisions, is_istiod
from .._mesh.waypoints import WaypointRef, is_waypoint, waypoint_of
from .finding import ObjectRef, ref_of
from .mesh_config import MeshConfig, read_mesh_configs

# What the charts istio-cni and ztunnel put on the pods of their DaemonSets, whatever the release is called.
_CNI_AGENT = ("k8s-app", "istio-cni-node")
_ZTUNNEL = ("app", "ztunnel")


class Cluster:
    """What has been read of one cluster.

    Args:
        objects: for each kind that was read, its objects.
        unread: for each kind that could not be read, why.
        now: the time of the snapshot, in seconds since the epoch.
    """

    def __init__(self, objects: t.Mapping[Kind, t.Sequence[Object]], *, unread: t.Mapping[Kind, str] | None = None, now: float = 0.0) -> None:
        self.unread = dict(unread or {})
        self.now = now
        self._objects: dict[Kind, dict[str, dict[str, Object]]] = {}
        for kind, items in objects.items():
            places = self._objects.setdefault(kind, {})
            for item in sorted(items, key=lambda one: (one["metadata"].get("namespace") or "", one["metadata"]["name"])):
                places.setdefault(item["metadata"].get("namespace") or "", {})[item["metadata"]["name"]] = item

    # what was read

    def get(self, kind: Kind, name: str, namespace: str | None = None) -> Object | None:
        """One object, or None."""
        return self._objects.get(kind, {}).get(namespace or "", {}).get(name)

    def all(self, kind: Kind, namespace: str | None = None) -> list[Object]:
        """All objects of a kind, in a namespace or everywhere, in the order of their names."""
        places = self._objects.get(kind, {})
        if namespace is not None:
            return list(places.get(namespace, {}).values())
        return [item for objects in places.values() for item in objects.values()]

    def has_read(self, *kinds: Kind) -> bool:
        """Whether all of these kinds were read, or are not served: for what a check can do without."""
        return not any(kind in self.unread for kind in kinds)

    # namespaces and pods

    def namespace(self, name: str) -> Object | None:
        """A Namespace, or None."""
        return self.get(NAMESPACE, name)

    def namespace_labels(self, name: str) -> t.Mapping[str, str]:
        """The labels of a Namespace; empty if it does not exist."""
        found = self.get(NAMESPACE, name)
        return labels_of(found) if found else {}

    def pods(self, namespace: str, match_labels: t.Mapping[str, str] | None = None) -> list[Object]:
        """The pods of a namespace that carry these labels, without those that have ended or are being deleted."""
        found = (pod for pod in self.all(POD, namespace) if is_live(pod))
        return [pod for pod in found if all(labels_of(pod).get(name) == value for name, value in (match_labels or {}).items())]

    def pods_of_service(self, service: Object) -> list[Object]:
        """The pods that a Service selects; none if it has no selector."""
        selector = service["spec"].get("selector")
        return self.pods(service["metadata"]["namespace"], selector) if selector else []

    def pods_selected(self, namespace: str, selector: t.Mapping[str, t.Any]) -> list[Object]:
        """The pods of a namespace that a Kubernetes LabelSelector matches; an empty one matches all."""
        return [pod for pod in self.pods(namespace) if matches(selector, labels_of(pod))]

    def capture(self, pod: Object) -> Capture:
        """How far a pod is captured."""
        return capture_of(pod, self.namespace_labels(pod["metadata"]["namespace"]), self.settings.excluded_namespaces)

    @functools.cached_property
    def captured_or_pending(self) -> dict[str, list[Object]]:
        """By namespace, the live pods that are in ambient mesh, or are to be."""
        found: dict[str, list[Object]] = {}
        for pod in self.all(POD):
            if is_live(pod) and self.capture(pod).state in ("captured", "pending"):
                found.setdefault(pod["metadata"]["namespace"], []).append(pod)
        return found

    # Istio itself

    @functools.cached_property
    def settings(self) -> MeshSettings:
        """Which namespaces the istio-cni agent excludes, and which istiod sees."""
        return read_settings(self.all(CONFIG_MAP))

    @functools.cached_property
    def mesh_configs(self) -> list[MeshConfig]:
        """The meshConfig of each istiod."""
        return read_mesh_configs(self.all(CONFIG_MAP))

    @functools.cached_property
    def root_namespaces(self) -> set[str]:
        """The namespaces whose policies count for a whole mesh."""
        return find_root_namespaces(self.all(CONFIG_MAP)) or {ISTIO_NAMESPACE}

    @functools.cached_property
    def istiods(self) -> list[Object]:
        """The Deployments of istiod."""
        return [item for item in self.all(DEPLOYMENT) if is_istiod(item)]

    @functools.cached_property
    def revisions(self) -> Revisions:
        """The revisions of istiod, their tags, and the default."""
        return find_revisions(self.istiods, self.all(MUTATING_WEBHOOK), self.all(VALIDATING_WEBHOOK), self.all(SERVICE))

    @functools.cached_property
    def cni_agents(self) -> list[Object]:
        """The DaemonSets of the istio-cni agent."""
        return self._daemon_sets(*_CNI_AGENT)

    @functools.cached_property
    def ztunnels(self) -> list[Object]:
        """The DaemonSets of ztunnel."""
        return self._daemon_sets(*_ZTUNNEL)

    def agent_pods(self, daemon_set: Object) -> list[Object]:
        """The pods of a DaemonSet, also those that do not run."""
        owner = (daemon_set["kind"], daemon_set["metadata"]["name"])
        return [
            pod
            for pod in self.all(POD, daemon_set["metadata"]["namespace"])
            if any((owned["kind"], owned["name"]) == owner for owned in pod["metadata"].get("ownerReferences") or ())
        ]

    def _daemon_sets(self, label: str, value: str) -> list[Object]:
        return [item for item in self.all(DAEMON_SET) if ((item["spec"].get("selector") or {}).get("matchLabels") or {}).get(label) == value]

    @property
    def has_mesh(self) -> bool:
        """Whether Istio is installed at all."""
        return bool(self.istiods or self.cni_agents or self.ztunnels)

    @functools.cached_property
    def nodes(self) -> dict[str, Object]:
        """The nodes by name."""
        return {node["metadata"]["name"]: node for node in self.all(NODE)}

    # waypoints

    def gateway(self, ref: WaypointRef) -> Object | None:
        """The Gateway that a label names as waypoint, or None."""
        return self.get(GATEWAY, ref.name, ref.namespace)

    @functools.cached_property
    def waypoints(self) -> list[Object]:
        """The Gateways of the waypoint class."""
        return [gateway for gateway in self.all(GATEWAY) if is_waypoint(gateway)]

    @functools.cached_property
    def bound(self) -> dict[WaypointRef, list[Object]]:
        """For each waypoint that labels name, the Services and ServiceEntries that name it, themselves or by their namespace."""
        found: dict[WaypointRef, list[Object]] = {}
        for kind in (SERVICE, SERVICE_ENTRY):
            for item in self.all(kind):
                ref = waypoint_of(item, self.namespace(item["metadata"]["namespace"]))
                if ref:
                    found.setdefault(ref, []).append(item)
        return found

    def waypoint_of(self, item: Object) -> WaypointRef | None:
        """The waypoint that the labels of an object or of its namespace name."""
        return waypoint_of(item, self.namespace(item["metadata"].get("namespace") or ""))


def is_live(pod: Object) -> bool:
    """Whether a pod has not ended and is not being deleted."""
    return not pod["metadata"].get("deletionTimestamp") and (pod.get("status") or {}).get("phase") not in ("Succeeded", "Failed")


def is_ready(pod: Object) -> bool:
    """Whether a pod takes traffic."""
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(found.get("type") == "Ready" and found.get("status") == "True" for found in conditions)


def selects(service: Object, pod: Object) -> bool:
    """Whether a Service selects a pod of its namespace."""
    selector = service["spec"].get("selector")
    return bool(selector) and all(labels_of(pod).get(name) == value for name, value in selector.items())


def refs_of(items: t.Iterable[Object]) -> tuple[ObjectRef, ...]:
    """Which objects these are."""
    return tuple(map(ref_of, items))


__all__ = ("Cluster", "is_live", "is_ready", "refs_of", "selects")
