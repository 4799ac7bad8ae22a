"""What is true of a target, by rules that share no code with the collection.

They are written from kubectl's rollout status (k8s.io/kubectl/pkg/polymorphichelpers/rollout_status.go), kstatus
(sigs.k8s.io/cli-utils/pkg/kstatus/status/core.go), the conditions that istiod writes, and the documentation of the module ready.
Deployment and Service that stand behind a Gateway must belong to that very Gateway, and a waypoint's IP address must be its Service's.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from tests.soak.api import Object
from tests.soak.journal import Key, Moment

GATEWAY_NAME = "gateway.networking.k8s.io/gateway-name"
REDIRECTION = "ambient.istio.io/redirection"


@dataclass(frozen=True)
class Goal:
    """One target of a wait: its kind by the module's name, and for a binding the waypoint that is expected, as namespace/name."""

    kind: str
    namespace: str
    name: str = ""
    waypoint: str = ""

    def __str__(self) -> str:
        place = "/".join(part for part in (self.namespace, self.name) if part)
        return f"{self.kind} {place}" + (f" to {self.waypoint}" if self.waypoint else "")

    def reads(self, key: Key) -> bool:
        """Whether an object has a say in this target."""
        kind, namespace, name = key
        if kind == "Namespace":
            return name == self.namespace and self.kind in ("binding", "enrollment")
        if namespace != self.namespace or kind not in _READS[self.kind]:
            return False
        return kind != self.kind or name == self.name


@dataclass(frozen=True)
class Truth:
    """What is true: Current, or not and why."""

    status: Literal["Current", "NotFound", "Terminating", "Waiting"]
    why: str = ""

    @property
    def current(self) -> bool:
        return self.status == "Current"


CURRENT = Truth("Current")

_READS = {
    "Deployment": ("Deployment",),
    "StatefulSet": ("StatefulSet",),
    "DaemonSet": ("DaemonSet",),
    "Gateway": ("Gateway", "Deployment", "Service"),
    "waypoint": ("Gateway", "Deployment", "Service"),
    "binding": ("Service",),
    "enrollment": ("Pod",),
}


def truth_of(goal: Goal, moment: Moment) -> Truth:
    """The truth about one target at one moment."""
    return _RULES[goal.kind](goal, moment)


def contradiction(goal: Goal, moment: Moment) -> str:
    """What contradicts that a target is Current, seen in the objects below those that its status speaks of; only checked when nothing moves any more."""
    return _BELOW[goal.kind](goal, moment)


# workloads


def _deployment(goal: Goal, moment: Moment) -> Truth:
    return _rolled_out(moment.get("Deployment", goal.namespace, goal.name), _deployment_gap)


def _stateful_set(goal: Goal, moment: Moment) -> Truth:
    return _rolled_out(moment.get("StatefulSet", goal.namespace, goal.name), _stateful_set_gap)


def _daemon_set(goal: Goal, moment: Moment) -> Truth:
    return _rolled_out(moment.get("DaemonSet", goal.namespace, goal.name), _daemon_set_gap)


def _rolled_out(item: Object | None, gap: Callable[[Object, dict[str, Any]], str]) -> Truth:
    if item is None:
        return Truth("NotFound")
    if "deletionTimestamp" in item["metadata"]:
        return Truth("Terminating")
    status = item.get("status", {})
    if status.get("observedGeneration", 0) < item["metadata"]["generation"]:
        return Truth("Waiting", f"generation {item['metadata']['generation']} is not observed")
    difference = gap(item, status)
    return Truth("Waiting", difference) if difference else CURRENT


def _deployment_gap(item: Object, status: dict[str, Any]) -> str:
    desired = item["spec"]["replicas"]
    counts = {name: status.get(name, 0) for name in ("replicas", "updatedReplicas", "availableReplicas", "readyReplicas")}
    if any(found["type"] == "Progressing" and found.get("reason") == "ProgressDeadlineExceeded" for found in status.get("conditions", ())):
        return "its progress deadline has passed"
    return "" if set(counts.values()) == {desired} else f"wants {desired}, has {counts}"


def _stateful_set_gap(item: Object, status: dict[str, Any]) -> str:
    desired = item["spec"]["replicas"]
    counts = {name: status.get(name, 0) for name in ("replicas", "readyReplicas", "availableReplicas")}
    if set(counts.values()) != {desired}:
        return f"wants {desired}, has {counts}"
    kept = item["spec"].get("updateStrategy", {}).get("rollingUpdate", {}).get("partition", 0)
    old = status.get("currentRevision") != status.get("updateRevision") and status.get("updatedReplicas", 0) < desired - kept
    return f"{status.get('updatedReplicas', 0)} of {desired - kept} are updated" if old else ""


def _daemon_set_gap(_item: Object, status: dict[str, Any]) -> str:
    counts = {name: status.get(name, 0) for name in ("currentNumberScheduled", "updatedNumberScheduled", "numberAvailable", "numberReady")}
    desired = status.get("desiredNumberScheduled", 0)
    return "" if desired and set(counts.values()) == {desired} else f"wants {desired}, has {counts}"


def _workload_below(goal: Goal, moment: Moment) -> str:
    """The pods themselves: all there, ready, and of the newest template."""
    item = moment.get(goal.kind, goal.namespace, goal.name) or {}
    pods = _pods_of(item, moment)
    unready = [pod["metadata"]["name"] for pod in pods if not _ready(pod)]
    if unready:
        return f"pods {unready} are not ready"
    desired = item["status"]["desiredNumberScheduled"] if goal.kind == "DaemonSet" else item["spec"]["replicas"]
    if len(pods) != desired:
        return f"there are {len(pods)} pods, not {desired}"
    kept = item["spec"].get("updateStrategy", {}).get("rollingUpdate", {}).get("partition", 0) if goal.kind == "StatefulSet" else 0
    # Every change of a template in the soak changes this annotation of it.
    newest = item["spec"]["template"]["metadata"].get("annotations", {}).get("soak/change")
    old = [pod["metadata"]["name"] for pod in pods if pod["metadata"].get("annotations", {}).get("soak/change") != newest]
    return f"pods {old} are of an older template" if len(old) > kept else ""


def _pods_of(item: Object, moment: Moment) -> list[Object]:
    uid, namespace = item["metadata"]["uid"], item["metadata"]["namespace"]
    owners = {uid} | {replica_set["metadata"]["uid"] for replica_set in moment.all("ReplicaSet", namespace) if _owned_by(replica_set, uid)}
    return [pod for pod in moment.all("Pod", namespace) if any(_owned_by(pod, owner) for owner in owners) and not _ending(pod)]


def _owned_by(item: Object, uid: str) -> bool:
    return any(owner["uid"] == uid for owner in item["metadata"].get("ownerReferences", ()))


def _ready(pod: Object) -> bool:
    return any(found["type"] == "Ready" and found["status"] == "True" for found in pod.get("status", {}).get("conditions", ()))


def _ending(pod: Object) -> bool:
    return "deletionTimestamp" in pod["metadata"] or pod.get("status", {}).get("phase") in ("Succeeded", "Failed")


# gateways


def _gateway(goal: Goal, moment: Moment) -> Truth:
    gateway = moment.get("Gateway", goal.namespace, goal.name)
    if gateway is None:
        return Truth("NotFound")
    if "deletionTimestamp" in gateway["metadata"]:
        return Truth("Terminating")
    if goal.kind == "waypoint" and gateway["spec"]["gatewayClassName"] != "istio-waypoint":
        return Truth("Waiting", "it is no waypoint")
    conditions = {found["type"]: found for found in gateway.get("status", {}).get("conditions", ())}
    for kind in ("Accepted", "Programmed"):
        found = conditions.get(kind, {})
        if found.get("status") != "True" or found.get("observedGeneration") != gateway["metadata"]["generation"]:
            return Truth("Waiting", f"{kind} is {found.get('status')} at generation {found.get('observedGeneration')} of {gateway['metadata']['generation']}")
    if not gateway["status"].get("addresses"):
        return Truth("Waiting", "it has no address")
    lost = _service_gap(gateway, moment)
    if lost:
        return Truth("Waiting", lost)
    own = [item for item in moment.all("Deployment", goal.namespace) if _owned_by(item, gateway["metadata"]["uid"])]
    if not own:
        return Truth("Waiting", "no Deployment belongs to it")
    for item in own:
        truth = _rolled_out(item, _deployment_gap)
        if not truth.current:
            return Truth(truth.status, f"its Deployment {item['metadata']['name']}: {truth.why}")
        if not item["spec"]["replicas"]:
            return Truth("Waiting", f"its Deployment {item['metadata']['name']} has no replicas")
    return CURRENT


def _service_gap(gateway: Object, moment: Moment) -> str:
    """What is wrong with the Service of a Gateway: clients reach it at the IP address that the Gateway names."""
    metadata = gateway["metadata"]
    own = [item for item in moment.all("Service", metadata["namespace"]) if _owned_by(item, metadata["uid"]) and "deletionTimestamp" not in item["metadata"]]
    if not own:
        return "no Service belongs to it"
    named = {address["value"] for address in gateway["status"]["addresses"] if address.get("type") == "IPAddress"}
    real = {ip for item in own for ip in item["spec"].get("clusterIPs", ())}
    if gateway["spec"]["gatewayClassName"] == "istio-waypoint" and named and not named & real:
        return f"its address is {sorted(named)}, its Service's is {sorted(real)}"
    return ""


def _gateway_below(goal: Goal, moment: Moment) -> str:
    pods = [pod for pod in moment.all("Pod", goal.namespace) if _labels(pod).get(GATEWAY_NAME) == goal.name and not _ending(pod)]
    return "" if any(_ready(pod) for pod in pods) else "no pod of it is ready"


# bindings


def _binding(goal: Goal, moment: Moment) -> Truth:
    namespace = moment.get("Namespace", "", goal.namespace)
    if namespace is None:
        return Truth("NotFound", "no namespace")
    services = [item for item in moment.all("Service", goal.namespace) if not goal.name or item["metadata"]["name"] == goal.name]
    if goal.name and not services:
        return Truth("NotFound", "no Service")
    expected = goal.waypoint or _desired_waypoint(namespace)
    used = set()
    for service in services:
        if service["spec"].get("type") == "ExternalName" or _labels(service).get("gateway.istio.io/managed") == "istio.io-mesh-controller":
            if goal.name:
                return Truth("Waiting", "it can never be bound")
            continue
        own = "istio.io/use-waypoint" in _labels(service)
        waypoint = _desired_waypoint(service) if own else _desired_waypoint(namespace)
        if goal.name and goal.waypoint and waypoint != goal.waypoint:
            return Truth("Waiting", f"its labels name {waypoint}")
        if not waypoint and (own or not goal.waypoint) and not goal.name:
            continue
        if not waypoint or (goal.waypoint and not own and waypoint != goal.waypoint):
            return Truth("Waiting", f"Service {service['metadata']['name']} is to use {waypoint or 'none'}")
        if waypoint != _bound_to(service):
            return Truth("Waiting", f"Service {service['metadata']['name']} is to use {waypoint} and is bound to {_bound_to(service) or 'none'}")
        used.add(waypoint)
    # What a namespace names counts, even when all that is in it has a waypoint of its own.
    used |= {_desired_waypoint(namespace)} - {""}
    return CURRENT if expected in used or (used and not goal.waypoint) else Truth("Waiting", f"nothing uses {expected or 'a waypoint'}")


def _desired_waypoint(item: Object) -> str:
    """The waypoint that an object's own labels name, as namespace/name; empty for none."""
    name = _labels(item).get("istio.io/use-waypoint", "none")
    home = item["metadata"].get("namespace") or item["metadata"]["name"]
    return "" if name == "none" else f"{_labels(item).get('istio.io/use-waypoint-namespace', home)}/{name}"


def _bound_to(service: Object) -> str:
    for condition in service.get("status", {}).get("conditions", ()):
        if condition["type"] == "istio.io/WaypointBound" and condition["status"] == "True":
            found = re.match(r"Successfully attached to waypoint ([\w.-]+?/[\w.-]+?)(?:\.? |\.?$)", condition["message"])
            return found[1] if found else ""
    return ""


def _binding_below(goal: Goal, moment: Moment) -> str:
    """The waypoints that the Services are bound to: there, with an address, for Services, open to this namespace."""
    services = [item for item in moment.all("Service", goal.namespace) if _bound_to(item) and goal.name in ("", item["metadata"]["name"])]
    for service in services:
        place, name = _bound_to(service).split("/")
        gateway = moment.get("Gateway", place, name)
        if gateway is None or not gateway.get("status", {}).get("addresses"):
            return f"waypoint {place}/{name} of Service {service['metadata']['name']} is not there or has no address"
        if _labels(gateway).get("istio.io/waypoint-for", "service") not in ("service", "all"):
            return f"waypoint {place}/{name} is not for Services"
        allowed = gateway["spec"]["listeners"][0].get("allowedRoutes", {}).get("namespaces", {})
        source = allowed.get("from", "Same")
        labels = _labels(moment.get("Namespace", "", goal.namespace) or {"metadata": {}})
        if source == "Same" and place != goal.namespace:
            return f"waypoint {place}/{name} allows its own namespace only"
        if source == "Selector" and not (allowed["selector"]["matchLabels"].items() <= labels.items()):
            return f"waypoint {place}/{name} does not allow this namespace"
    return ""


# enrollment


def _enrollment(goal: Goal, moment: Moment) -> Truth:
    namespace = moment.get("Namespace", "", goal.namespace)
    if namespace is None:
        return Truth("NotFound", "no namespace")
    for pod in moment.all("Pod", goal.namespace):
        mark = pod["metadata"].get("annotations", {}).get(REDIRECTION)
        if _ending(pod) or pod["spec"].get("hostNetwork") or "sidecar.istio.io/status" in pod["metadata"].get("annotations", {}):
            continue
        mode = _labels(pod).get("istio.io/dataplane-mode", "")
        enrolled = mode == "ambient" or (mode != "none" and _labels(namespace).get("istio.io/dataplane-mode") == "ambient")
        if mark != ("enabled" if enrolled else None):
            return Truth("Waiting", f"pod {pod['metadata']['name']} is marked {mark or 'not at all'} and {'should' if enrolled else 'should not'} be captured")
    return CURRENT


def _enrollment_below(goal: Goal, moment: Moment) -> str:
    for pod in moment.all("Pod", goal.namespace):
        mark = pod["metadata"].get("annotations", {}).get(REDIRECTION)
        if mark == "enabled" and not _ending(pod) and not (pod["spec"].get("nodeName") and pod["status"].get("podIP")):
            return f"pod {pod['metadata']['name']} is captured without node or address"
    return ""


def _labels(item: Object) -> dict[str, str]:
    return item["metadata"].get("labels") or {}


_RULES: dict[str, Callable[[Goal, Moment], Truth]] = {
    "Deployment": _deployment,
    "StatefulSet": _stateful_set,
    "DaemonSet": _daemon_set,
    "Gateway": _gateway,
    "waypoint": _gateway,
    "binding": _binding,
    "enrollment": _enrollment,
}
_BELOW: dict[str, Callable[[Goal, Moment], str]] = {
    "Deployment": _workload_below,
    "StatefulSet": _workload_below,
    "DaemonSet": _workload_below,
    "Gateway": _gateway_below,
    "waypoint": _gateway_below,
    "binding": _binding_below,
    "enrollment": _enrollment_below,
}
