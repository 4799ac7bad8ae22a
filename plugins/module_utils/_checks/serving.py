# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Can somebody be reached: by an address, by a Service, in a pod that runs?

Source: discovery.k8s.io/v1 (EndpointSlices), the kubelet's reasons for waiting containers, and for addresses ztunnel src/config.rs and istio
manifests/charts/ztunnel/templates/daemonset.yaml.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from .._kinds import DEPLOYMENT, ENDPOINT_SLICE, SERVICE
from .._mesh.labels import Object, labels_of, template_of
from .._mesh.mesh_settings import ISTIO_NAMESPACE
from .._mesh.revisions import is_istiod
from .._status.webhooks import has_ready_endpoint
from .ages import is_new
from .cluster import Cluster
from .finding import ObjectRef, ref_of

_SERVICE_OF_SLICE = "kubernetes.io/service-name"
# Waiting for these is no fault yet.
_STARTING = frozenset({"", "ContainerCreating", "PodInitializing"})
_ADDRESS = re.compile(r"(?:https?://)?(?P<host>[A-Za-z0-9.-]+?)\.?(?::(?P<port>\d+))?/?")
# Where ztunnel gets its certificates and its configuration, and where it looks if nothing tells it.
CA_ADDRESS, XDS_ADDRESS = "CA_ADDRESS", "XDS_ADDRESS"
_DEFAULT_ADDRESS = f"istiod.{ISTIO_NAMESPACE}.svc:15012"


@dataclass(frozen=True)
class Endpoint:
    """A port of a Service that something calls."""

    namespace: str
    name: str
    port: int | None = None

    @property
    def ref(self) -> ObjectRef:
        """The Service."""
        return ObjectRef(SERVICE.name, self.namespace, self.name)


def ready_services(cluster: Cluster) -> set[tuple[str, str]]:
    """Namespace and name of the Services that have a ready endpoint."""
    slices = (item for item in cluster.all(ENDPOINT_SLICE) if has_ready_endpoint(item))
    return {(item["metadata"]["namespace"], labels_of(item).get(_SERVICE_OF_SLICE, "")) for item in slices}


def problem_of(endpoint: Endpoint, ready: t.Collection[tuple[str, str]], cluster: Cluster) -> str:
    """Why an endpoint cannot be called, as a clause about its Service; empty if it can, or if its pods are only just starting."""
    service = cluster.get(SERVICE, endpoint.name, endpoint.namespace)
    if service is None:
        return "does not exist"
    ports = [port.get("port") for port in service["spec"].get("ports") or ()]
    if endpoint.port is not None and endpoint.port not in ports:
        return f"has no port {endpoint.port}"
    # What stands for a host elsewhere has no endpoints at all.
    if service["spec"].get("type") == "ExternalName" or (endpoint.namespace, endpoint.name) in ready:
        return ""
    return "" if is_new(service, cluster) or is_starting(cluster.pods_of_service(service), cluster) else "has no ready endpoint"


def _workload_behind(endpoint: Endpoint, cluster: Cluster) -> Object | None:
    """The Deployment whose pods a Service selects, or None."""
    service = cluster.get(SERVICE, endpoint.name, endpoint.namespace)
    selector = (service["spec"].get("selector") if service else None) or {}
    for item in cluster.all(DEPLOYMENT, endpoint.namespace) if selector else ():
        labels = labels_of(template_of(item))
        if all(labels.get(name) == value for name, value in selector.items()):
            return item
    return None


def ref_behind(endpoint: Endpoint, cluster: Cluster) -> ObjectRef | None:
    """The same as what may be the cause of its not answering."""
    found = _workload_behind(endpoint, cluster)
    return ref_of(found) if found else None


def waiting_reason(pod: Object) -> str:
    """Why a container of a pod cannot start, such as C(ImagePullBackOff); empty if none fails to."""
    for container in (pod.get("status") or {}).get("containerStatuses") or ():
        reason = str(((container.get("state") or {}).get("waiting") or {}).get("reason") or "")
        if reason not in _STARTING:
            return reason
    return ""


def is_starting(pods: t.Collection[Object], cluster: Cluster) -> bool:
    """Whether there are pods, and all of them are so young that they may still become ready."""
    return bool(pods) and all(is_new(pod, cluster) and not waiting_reason(pod) for pod in pods)


def environment_of(workload: Object) -> dict[str, str | None] | None:
    """The variables of a workload's containers, None for a value that stands elsewhere; None if its containers are not known or take whole ConfigMaps."""
    containers = (template_of(workload).get("spec") or {}).get("containers") or ()
    if not containers or any(container.get("envFrom") for container in containers):
        return None
    found: dict[str, str | None] = {}
    for container in containers:
        for variable in container.get("env") or ():
            value = None if "valueFrom" in variable else str(variable.get("value") or "")
            # What refers to other variables is not known either.
            found[str(variable["name"])] = None if value and "$(" in value else value
    return found


def addresses_of(ztunnel: Object) -> dict[str, str]:
    """The addresses that a DaemonSet of ztunnel gets its certificates and its configuration from, by the variable, as far as they are known."""
    environment = environment_of(ztunnel)
    if environment is None:
        return {}
    found = {CA_ADDRESS: environment.get(CA_ADDRESS, _DEFAULT_ADDRESS)}
    # The proxy configuration may name another one.
    found[XDS_ADDRESS] = environment.get(XDS_ADDRESS, None if "PROXY_CONFIG" in environment else _DEFAULT_ADDRESS)
    return {name: address for name, address in found.items() if address}


def endpoint_of(address: str, namespace: str, cluster: Cluster) -> Endpoint | None:
    """The Service that an address names; None if it is outside of the cluster, or none that can be read.

    Args:
        address: such as C(istiod.istio-system.svc:15012).
        namespace: the namespace of the pods that call it.
        cluster: the cluster.
    """
    found = _ADDRESS.fullmatch(address)
    if not found:
        return None
    port = int(found["port"]) if found["port"] else None
    name, *rest = found["host"].split(".")
    if not rest:
        return Endpoint(namespace, name, port) if cluster.get(SERVICE, name, namespace) else None
    inside = rest[1:2] == ["svc"] or (len(rest) == 1 and cluster.namespace(rest[0]) is not None)
    return Endpoint(rest[0], name, port) if inside else None


def istiod_at(variable: str, ztunnel: Object, cluster: Cluster) -> Object | None:
    """The Deployment of istiod that one of the addresses of a DaemonSet of ztunnel leads to; None if it leads to none in this cluster."""
    address = addresses_of(ztunnel).get(variable)
    endpoint = endpoint_of(address, ztunnel["metadata"]["namespace"], cluster) if address else None
    found = _workload_behind(endpoint, cluster) if endpoint else None
    return found if found and is_istiod(found) else None


__all__ = (
    "CA_ADDRESS",
    "XDS_ADDRESS",
    "Endpoint",
    "addresses_of",
    "endpoint_of",
    "environment_of",
    "is_starting",
    "istiod_at",
    "problem_of",
    "ready_services",
    "ref_behind",
    "waiting_reason",
)
