"""What others have made in the cluster before the roles that refer to it run."""

from __future__ import annotations

import base64
from typing import Any

from tests.twin.support.certificates import make_certificate

_GROUP = "gateway.networking.k8s.io"
SHARED, OTHER, EDGE = "complete-a", "complete-b", "complete-edge"


# What the inventory declares absent, and what it enrolls although others deployed it.
_FORMER = {"istio.io/use-waypoint": "whole"}
_ENROLLED = {"istio.io/dataplane-mode": "ambient"}


def objects_of_others() -> list[dict[str, Any]]:
    """Namespaces, certificates and a Service that those of other namespaces may use, and a class of Ingresses."""
    gateways = [{"group": _GROUP, "kind": "Gateway", "namespace": namespace} for namespace in (OTHER, EDGE)]
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SHARED}},
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": OTHER, "labels": _ENROLLED}},
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": EDGE}},
        *(_secret(name, SHARED) for name in ("secured-tls", "listed-tls")),
        _secret("classic-tls", EDGE),
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "elsewhere", "namespace": OTHER, "labels": _FORMER}, "spec": {"ports": [{"port": 8080}]}},
        {
            "apiVersion": "v1",
            "kind": "Service",
            # It has the name of a release in another namespace, and the port of a gateway for health checks.
            "metadata": {"name": "classic", "namespace": SHARED},
            "spec": {"selector": {"app": "classic"}, "ports": [{"name": "http", "port": 80}, {"name": "status-port", "port": 15021}]},
        },
        _grant("certificates", SHARED, gateways, "Secret"),
        _grant("backends", OTHER, [{"group": _GROUP, "kind": "HTTPRoute", "namespace": SHARED}], "Service"),
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "IngressClass",
            "metadata": {"name": "complete-class"},
            "spec": {"controller": "ingress.k8s.aws/alb"},
        },
    ]


def retired_objects() -> list[dict[str, Any]]:
    """One of each kind that the inventory declares absent, and workloads of others."""
    own = {"name": "retired", "namespace": SHARED}
    edge = {"name": "retired", "namespace": EDGE}
    listener = {"name": "http", "port": 80, "protocol": "HTTP"}
    mesh = {"name": "mesh", "port": 15008, "protocol": "HBONE"}
    backend = {"service": {"name": "retired", "port": {"number": 80}}}
    return [
        {"apiVersion": f"{_GROUP}/v1", "kind": "Gateway", "metadata": own, "spec": {"gatewayClassName": "istio-waypoint", "listeners": [mesh]}},
        {"apiVersion": f"{_GROUP}/v1", "kind": "Gateway", "metadata": edge, "spec": {"gatewayClassName": "istio", "listeners": [listener]}},
        {"apiVersion": f"{_GROUP}/v1", "kind": "HTTPRoute", "metadata": own, "spec": {"parentRefs": [edge]}},
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "Ingress",
            "metadata": edge,
            "spec": {"ingressClassName": "nobody", "rules": [{"http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}]},
        },
        {
            "apiVersion": "networking.istio.io/v1",
            "kind": "Gateway",
            "metadata": edge,
            "spec": {"selector": {"app": "retired"}, "servers": [{"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": ["*"]}]},
        },
        {
            "apiVersion": "karpenter.sh/v1",
            "kind": "NodePool",
            "metadata": {"name": "retired"},
            "spec": {
                "template": {
                    "spec": {
                        "nodeClassRef": {"group": "karpenter.k8s.aws", "kind": "EC2NodeClass", "name": "whole"},
                        "requirements": [{"key": "kubernetes.io/os", "operator": "In", "values": ["linux"]}],
                    }
                }
            },
        },
        _workload("StatefulSet", "store", {}),
        _workload("Deployment", "former", {"istio.io/dataplane-mode": "none"}),
    ]


def _workload(kind: str, name: str, labels: dict[str, str]) -> dict[str, Any]:
    labels = {"app": name, **labels}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "main", "image": "example.com/none"}]}}
    spec: dict[str, Any] = {"replicas": 0, "selector": {"matchLabels": {"app": name}}, "template": template}
    if kind == "StatefulSet":
        spec["serviceName"] = name
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name, "namespace": OTHER}, "spec": spec}


def _grant(name: str, namespace: str, origins: list[dict[str, str]], kind: str) -> dict[str, Any]:
    spec = {"from": origins, "to": [{"group": "", "kind": kind}]}
    return {"apiVersion": f"{_GROUP}/v1beta1", "kind": "ReferenceGrant", "metadata": {"name": name, "namespace": namespace}, "spec": spec}


def _secret(name: str, namespace: str) -> dict[str, Any]:
    made = make_certificate(f"{name}.complete.example")
    data = {"tls.crt": made.public, "tls.key": made.private}
    encoded = {key: base64.b64encode(value).decode() for key, value in data.items()}
    return {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls", "metadata": {"name": name, "namespace": namespace}, "data": encoded}
