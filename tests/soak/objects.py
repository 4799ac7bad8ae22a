"""The objects that the soak makes."""

from __future__ import annotations

import random
from typing import Any

from tests.soak.api import Object

# A node that is not there, so that no pod finds a place.
NOWHERE = {"soak/place": "nowhere"}


def namespace(name: str) -> Object:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {"soak/own": "true", "soak/name": name}}}


def workload(kind: str, place: str, name: str, change: int, dice: random.Random, *, broken: bool) -> Object:
    """A Deployment, StatefulSet or DaemonSet of random options; a broken one has pods that no node takes."""
    labels = {"app": f"{name}-{kind.lower()}"}
    pod = {"terminationGracePeriodSeconds": 0, "containers": [{"name": "app", "image": "registry.example/app:1"}]}
    if broken:
        pod |= {"nodeSelector": NOWHERE}
    spec: dict[str, Any] = {
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels, "annotations": {"soak/change": str(change)}}, "spec": pod},
        "minReadySeconds": dice.choice((0, 0, 0, 1)),
    }
    if kind == "Deployment":
        rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": dice.choice((0, 1))}}
        strategy: Object = dice.choice(({"type": "Recreate"}, rolling))
        spec |= {"replicas": dice.choice((0, 0, 1, 2, 3)), "strategy": strategy, "progressDeadlineSeconds": dice.choice((3, 600, 600))}
    elif kind == "StatefulSet":
        rolling = {"type": "RollingUpdate", "rollingUpdate": {"partition": dice.choice((0, 0, 1))}}
        spec |= {
            "replicas": dice.choice((0, 0, 1, 2, 3)),
            "serviceName": name,
            "podManagementPolicy": dice.choice(("OrderedReady", "Parallel")),
            "updateStrategy": rolling,
        }
    else:
        surge = dice.choice((0, 1))
        spec |= {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": 1 - surge}}}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name, "namespace": place}, "spec": spec}


def waypoint(place: str, name: str, dice: random.Random, *, broken: bool) -> Object:
    """A waypoint; a broken one names parameters that are not there."""
    spec: dict[str, Any] = {
        "gatewayClassName": "istio-waypoint",
        "listeners": [{"name": "mesh", "port": 15008, "protocol": "HBONE", "allowedRoutes": allowed_routes(dice)}],
    }
    if broken:
        spec["infrastructure"] = {"parametersRef": PARAMETERS}
    traffic = dice.choice(("service", "service", "all", "workload"))
    metadata = {"name": name, "namespace": place, "labels": {"istio.io/waypoint-for": traffic}}
    return {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway", "metadata": metadata, "spec": spec}


PARAMETERS = {"group": "", "kind": "ConfigMap", "name": "soak-not-there"}


def allowed_routes(dice: random.Random) -> Object:
    """Which namespaces may use a waypoint."""
    some = {"from": "Selector", "selector": {"matchLabels": {"soak/name": dice.choice(("soak-a", "soak-b", "soak-x"))}}}
    return {"namespaces": dice.choice(({"from": "Same"}, {"from": "All"}, some))}


def service(place: str, name: str, dice: random.Random) -> Object:
    metadata = {"name": name, "namespace": place}
    if dice.random() < 0.15:
        return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"type": "ExternalName", "externalName": "elsewhere.example"}}
    spec = {"selector": {"app": "d1-deployment"}, "ports": [{"name": "http", "port": 80}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}


def bare_pod(place: str, name: str, dice: random.Random) -> Object:
    """A pod that nobody owns, of any of the sorts that capture tells apart."""
    spec: dict[str, Any] = {"terminationGracePeriodSeconds": 0, "containers": [{"name": "app", "image": "registry.example/app:1"}]}
    metadata: dict[str, Any] = {"name": name, "namespace": place, "labels": {"app": name}, "annotations": {}}
    sort = dice.choice(("plain", "plain", "host", "sidecar", "out", "in", "nowhere"))
    if sort == "host":
        spec["hostNetwork"] = True
    elif sort == "sidecar":
        metadata["annotations"]["sidecar.istio.io/status"] = "{}"
    elif sort == "out":
        metadata["labels"]["istio.io/dataplane-mode"] = "none"
    elif sort == "in":
        metadata["labels"]["istio.io/dataplane-mode"] = "ambient"
    elif sort == "nowhere":
        spec["nodeSelector"] = NOWHERE
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
