"""A healthy ambient mesh as the checks see it, and what changes it: all its objects have the form in which they are read."""

from __future__ import annotations

import datetime
import functools
from typing import Any

from ansible_collections.meshwright.ambient.plugins.module_utils._checks.check import Check
from ansible_collections.meshwright.ambient.plugins.module_utils._checks.cluster import Cluster
from ansible_collections.meshwright.ambient.plugins.module_utils._checks.finding import Finding
from ansible_collections.meshwright.ambient.plugins.module_utils._checks.run import run_checks
from ansible_collections.meshwright.ambient.plugins.module_utils._kinds import (
    AUTHORIZATION_POLICY,
    CONFIG_MAP,
    DAEMON_SET,
    DEPLOYMENT,
    ENDPOINT_SLICE,
    GATEWAY,
    HTTP_ROUTE,
    LEASE,
    MUTATING_WEBHOOK,
    NAMESPACE,
    NODE,
    POD,
    SERVICE,
    VALIDATING_WEBHOOK,
    Kind,
)
from tests.unit.objects import Object, derived, recorded

NOW = datetime.datetime(2026, 11, 21, 8, tzinfo=datetime.UTC).timestamp()
HOURS_AGO, MOMENTS_AGO = "2026-11-21T04:00:00Z", "2026-11-21T07:59:30Z"
HOME = "istio-system"
NODES = ("node-1", "node-2")
AMBIENT = {"istio.io/dataplane-mode": "ambient"}
CAPTURED = {"ambient.istio.io/redirection": "enabled"}
SIDECAR = {"sidecar.istio.io/status": ""}

Mesh = dict[Kind, list[Object]]


def item_of(kind: Kind, name: str, namespace: str = "", *, created: str = HOURS_AGO, labels: dict[str, str] | None = None, **more: Any) -> Object:
    metadata: dict[str, Any] = {"name": name, "creationTimestamp": created, "labels": labels or {}} | ({"namespace": namespace} if namespace else {})
    return {"apiVersion": kind.api_version, "kind": kind.name, "metadata": metadata, **more}


def namespace_of(name: str, **labels: str) -> Object:
    return item_of(NAMESPACE, name, labels={"kubernetes.io/metadata.name": name, **labels}, status={"phase": "Active"})


def pod_of(
    name: str,
    namespace: str = "shop",
    node: str = "node-1",
    *,
    labels: dict[str, str] | None = None,
    annotations: dict[str, str] | None = None,
    owner: tuple[str, str] | None = None,
    created: str = HOURS_AGO,
    ready: bool = True,
    waiting: str = "",
    containers: tuple[str, ...] = ("app",),
    host_network: bool = False,
    phase: str = "Running",
) -> Object:
    pod = item_of(POD, name, namespace, created=created, labels=labels)
    pod["metadata"]["annotations"] = annotations or {}
    pod["metadata"]["ownerReferences"] = [{"kind": owner[0], "name": owner[1], "controller": True}] if owner else []
    failing = [{"name": containers[0], "ready": False, "state": {"waiting": {"reason": waiting}} if waiting else {"running": {}}}]
    return {
        **pod,
        "spec": {"nodeName": node, "containers": [{"name": one, "image": "x"} for one in containers]} | ({"hostNetwork": True} if host_network else {}),
        "status": {
            "phase": phase,
            "podIP": "10.0.0.1",
            "startTime": created,
            "conditions": [{"type": "Ready", "status": str(ready)}],
            "containerStatuses": [] if ready else failing,
        },
    }


def istiod_of(revision: str = "default", namespace: str = HOME, **environment: str) -> Object:
    suffix = "" if revision == "default" else f"-{revision}"
    labels = {"app": "istiod", "istio.io/rev": revision}
    given = {"REVISION": revision, "CA_TRUSTED_NODE_ACCOUNTS": f"{namespace}/ztunnel", "PILOT_ENABLE_AMBIENT": "true", **environment}
    variables = [{"name": name, "value": value} for name, value in given.items()]
    spec = {
        "replicas": 1,
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "discovery", "env": variables}]}},
    }
    status = {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1, "availableReplicas": 1}
    return item_of(DEPLOYMENT, f"istiod{suffix}", namespace, labels={**labels, "operator.istio.io/component": "Pilot"}, spec=spec, status=status)


def service_of(name: str, namespace: str = HOME, selector: dict[str, str] | None = None, *ports: int) -> Object:
    spec = {"type": "ClusterIP", "selector": selector, "ports": [{"port": port} for port in ports or (80,)]}
    return item_of(SERVICE, name, namespace, labels={"app": "istiod"} if name.startswith("istiod") else {}, spec=spec)


def slice_of(service: str, namespace: str = HOME, *, ready: bool = True) -> Object:
    endpoints = [{"addresses": ["10.0.0.1"], "conditions": {"ready": ready}}]
    return item_of(ENDPOINT_SLICE, f"{service}-1", namespace, labels={"kubernetes.io/service-name": service}, endpoints=endpoints)


def daemon_set_of(name: str, labels: dict[str, str], container: Object, namespace: str = HOME) -> Object:
    template = {"metadata": {"labels": labels}, "spec": {"serviceAccountName": name, "containers": [container]}}
    counts = ("currentNumberScheduled", "desiredNumberScheduled", "numberAvailable", "numberReady", "updatedNumberScheduled")
    status = {"observedGeneration": 1, **dict.fromkeys(counts, len(NODES))}
    return item_of(DAEMON_SET, name, namespace, spec={"selector": {"matchLabels": labels}, "template": template}, status=status)


def ztunnel_of(name: str = "ztunnel", namespace: str = HOME, address: str = "istiod.istio-system.svc:15012") -> Object:
    variables = [{"name": "CA_ADDRESS", "value": address}, {"name": "XDS_ADDRESS", "value": address}]
    return daemon_set_of(name, {"app": "ztunnel"}, {"name": "istio-proxy", "env": variables}, namespace)


def cni_of(namespace: str = HOME) -> Object:
    container = {"name": "install-cni", "envFrom": [{"configMapRef": {"name": "istio-cni-config"}}]}
    return daemon_set_of("istio-cni-node", {"k8s-app": "istio-cni-node"}, container, namespace)


def agent_of(daemon_set: Object, node: str, **more: Any) -> Object:
    name, namespace = daemon_set["metadata"]["name"], daemon_set["metadata"]["namespace"]
    labels = {**daemon_set["spec"]["selector"]["matchLabels"], "istio.io/dataplane-mode": "none"}
    return pod_of(f"{name}-{node}", namespace, node, labels=labels, owner=("DaemonSet", name), **more)


def settings_of(name: str, namespace: str = HOME, component: str = "Pilot", **data: str) -> Object:
    return item_of(CONFIG_MAP, name, namespace, labels={"operator.istio.io/component": component}, data=data)


def lease_of(name: str, holder: str, renewed: str = "2026-11-21T07:59:55.123456Z", namespace: str = HOME) -> Object:
    return item_of(LEASE, name, namespace, spec={"holderIdentity": holder, "leaseDurationSeconds": 30, "renewTime": renewed})


@functools.cache
def injector() -> Object:
    """The injection webhooks with the rules that the chart gives them."""
    found = recorded("mutatingwebhookconfiguration/injector_serving")
    rules = [{"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"]}]
    return {**found, "webhooks": [{**hook, "rules": rules} for hook in found["webhooks"]]}


@functools.cache
def validator() -> Object:
    """The validating webhook of the chart base, with its rules."""
    found = recorded("validatingwebhookconfiguration/base_serving")
    groups = ["security.istio.io", "networking.istio.io", "telemetry.istio.io", "extensions.istio.io"]
    rules = [{"operations": ["CREATE", "UPDATE"], "apiGroups": groups, "apiVersions": ["*"], "resources": ["*"]}]
    return {**found, "webhooks": [{**hook, "rules": rules} for hook in found["webhooks"]]}


@functools.cache
def healthy() -> Mesh:
    """Istio with ambient mesh on two nodes, an ambient namespace, one with sidecars, and one outside of the mesh; nobody changes its objects."""
    cni, ztunnel = cni_of(), ztunnel_of()
    pods = [
        pod_of("istiod-1", HOME, labels={"app": "istiod", "istio.io/rev": "default", "sidecar.istio.io/inject": "false", "istio.io/dataplane-mode": "none"}),
        *(agent_of(daemon_set, node) for daemon_set in (cni, ztunnel) for node in NODES),
        pod_of("cart-1", node="node-1", annotations=CAPTURED, labels={"app": "cart", "pod-template-hash": "5f"}, owner=("ReplicaSet", "cart-5f")),
        pod_of("web-1", node="node-2", annotations=CAPTURED, labels={"app": "web"}),
        pod_of("database-1", node="node-2", labels={"istio.io/dataplane-mode": "none"}),
        pod_of("exporter-1", node="node-2", host_network=True),
        pod_of("import-1", node="node-2", phase="Succeeded", ready=False),
        pod_of("ingress-1", labels={"istio.io/dataplane-mode": "none"}, annotations=SIDECAR, containers=("istio-proxy",)),
        pod_of("old-1", "legacy", annotations=SIDECAR, containers=("app", "istio-proxy")),
        pod_of("plain-1", "outside"),
    ]
    return {
        NODE: [item_of(NODE, name, status={"conditions": [{"type": "Ready", "status": "True"}]}) for name in NODES],
        NAMESPACE: [
            namespace_of(HOME),
            namespace_of("kube-system"),
            namespace_of("shop", **AMBIENT, **{"istio.io/use-waypoint": "waypoint"}),
            namespace_of("legacy", **{"istio-injection": "enabled"}),
            namespace_of("outside"),
        ],
        POD: pods,
        DEPLOYMENT: [istiod_of()],
        DAEMON_SET: [cni, ztunnel],
        SERVICE: [
            service_of("istiod", HOME, {"app": "istiod", "istio.io/rev": "default"}, 15010, 15012, 443, 15014),
            service_of("cart", "shop", {"app": "cart"}),
        ],
        ENDPOINT_SLICE: [slice_of("istiod"), slice_of("cart", "shop")],
        CONFIG_MAP: [
            settings_of("istio", mesh="rootNamespace: istio-system\n"),
            settings_of("istio-sidecar-injector", config="", values=""),
            settings_of("istio-cni-config", component="Cni", AMBIENT_ENABLED="true", EXCLUDE_NAMESPACES="kube-system"),
        ],
        LEASE: [lease_of("istio-status-leader", "istiod-1"), lease_of("istio-gateway-status-leader-default", "istiod-1")],
        MUTATING_WEBHOOK: [injector()],
        VALIDATING_WEBHOOK: [validator()],
        GATEWAY: [recorded("gateway/waypoint_programmed")],
        HTTP_ROUTE: [recorded("httproute/attached_to_waypoint")],
        AUTHORIZATION_POLICY: [recorded("authorizationpolicy/at_ztunnel"), recorded("authorizationpolicy/at_waypoint")],
    }


def changed(mesh: Mesh, kind: Kind, name: str, difference: Object) -> Mesh:
    """The mesh with objects of this name patched."""
    assert any(item["metadata"]["name"] == name for item in mesh[kind]), f"there is no {kind.name} {name}"
    return {**mesh, kind: [derived(item, difference) if item["metadata"]["name"] == name else item for item in mesh[kind]]}


def without(mesh: Mesh, kind: Kind, *names: str) -> Mesh:
    """The mesh without objects of these names, or without all of a kind."""
    return {**mesh, kind: [item for item in mesh.get(kind, []) if names and item["metadata"]["name"] not in names]}


def added(mesh: Mesh, *items: Object) -> Mesh:
    """The mesh with more objects; those of the same name are replaced."""
    found = {kind: list(objects) for kind, objects in mesh.items()}
    for item in items:
        (kind,) = (one for one in found if (one.api_version, one.name) == (item["apiVersion"], item["kind"]))
        key = (item["metadata"]["name"], item["metadata"].get("namespace"))
        found[kind] = [one for one in found[kind] if (one["metadata"]["name"], one["metadata"].get("namespace")) != key] + [item]
    return found


def only(checks: tuple[Check, ...], *codes: str) -> tuple[Check, ...]:
    """The checks with these codes."""
    found = tuple(check for check in checks if check.code in codes)
    assert len(found) == len(codes)
    return found


def found_in(checks: tuple[Check, ...], mesh: Mesh, now: float = NOW) -> list[Finding]:
    """What the checks find; all of them must be able to judge."""
    findings, unchecked = run_checks(checks, Cluster(mesh, now=now))
    assert not unchecked
    return findings


def shown(findings: list[Finding]) -> list[tuple[str, str, str]]:
    """Code, severity and object of each finding."""
    return [(finding.code, finding.severity, str(finding.problem.object)) for finding in findings]


def serious(findings: list[Finding]) -> list[tuple[str, str, str]]:
    """The same of those above information."""
    return [one for one in shown(findings) if one[1] != "info"]
