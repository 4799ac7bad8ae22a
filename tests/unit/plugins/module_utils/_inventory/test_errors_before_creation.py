"""Inventories that AWS, Kubernetes or Istio would refuse later: each gets its sentence before anything is created; beside each kind, what must pass."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.validation import find_errors
from tests.unit.inventory_values import converted

ROLE = "arn:aws:iam::123456789012:role/x"
EKS: dict[str, Any] = {
    "eks_enabled": True,
    "eks_cluster_name": "shop",
    "eks_region": "eu-central-1",
    "eks_availability_zones": ["eu-central-1a", "eu-central-1b"],
    "eks_vpc_cidr": "10.20.0.0/16",
    "eks_addons": [{"name": "eks-pod-identity-agent"}],
}
CONTROLLER = {"alb_controller_enabled": True, "alb_controller_identity": "none"}
GATEWAY: dict[str, Any] = {"name": "c", "namespace": "b"}
RULE = {"backends": [{"service": "s", "port": 80}]}


def _in(region: str, partition: str) -> dict[str, Any]:
    return {
        **EKS,
        "eks_region": region,
        "eks_availability_zones": [f"{region}a", f"{region}b"],
        "eks_node_role_arn": f"arn:{partition}:iam::123456789012:role/x",
    }


def _listeners(*listeners: dict[str, Any]) -> dict[str, Any]:
    return {"ingress_gateways": [{**GATEWAY, "listeners": list(listeners)}]}


def _alb(**options: Any) -> dict[str, Any]:
    return {"ingress_gateways": [{**GATEWAY, "load_balancer": "alb"}], "ingress_albs": [{**GATEWAY, "gateway": "c", **options}]}


def _nlb(**options: Any) -> dict[str, Any]:
    return {"ingress_gateways": [{**GATEWAY, "load_balancer": "nlb", "nlb": options}]}


def _group(**options: Any) -> dict[str, Any]:
    return {**EKS, "istio_startup_taint": True, "eks_node_groups": [{"name": "a", **options}]}


def _ports(*ports: dict[str, Any]) -> dict[str, Any]:
    return {"istio_gateways": [{**GATEWAY, "service": {"type": "ClusterIP", "ports": list(ports)}}]}


def _entry(**options: Any) -> dict[str, Any]:
    return {**EKS, "eks_access_entries": [{"principal_arn": ROLE, **options}]}


def _association(**options: Any) -> dict[str, Any]:
    return {**EKS, "eks_pod_identity_associations": [{"namespace": "a", "service_account": "b", "role_arn": ROLE, **options}]}


def _routes_from(selector: dict[str, Any]) -> dict[str, Any]:
    return {"from": "Selector", "selector": selector}


WRONG: list[tuple[dict[str, Any], str]] = [
    (_entry(principal_arn="admin"), "eks_access_entries: Access entry of admin: this is not the ARN of an IAM principal"),
    (_entry(principal_arn="arn:aws:sts::123456789012:assumed-role/x/y"), "this is the ARN of a session"),
    (_entry(kubernetes_groups=["system:masters"]), "group system:masters is reserved"),
    (_entry(type="EC2_LINUX", policies=[{"policy": "AmazonEKSViewPolicy"}]), "type EC2_LINUX cannot have access policies"),
    (_entry(username="system:foo"), "begins with a reserved prefix"),
    ({**EKS, "eks_access_entries": [{"principal_arn": ROLE}, {"principal_arn": ROLE}]}, "is listed more than once"),
    (_association(role_arn=""), "role_arn is '', which is not the ARN of an IAM role"),
    (_association(namespace="A_b"), "not a valid name of a service account"),
    (_group(labels={"kubernetes.io/x": "b"}), "labels has the key kubernetes.io/x, whose prefix is reserved"),
    (_group(instance_types=["m7i.large m7a.large"]), "instance_types has 'm7i.large m7a.large': use types such as m7i.large"),
    (_group(launch_template={"version": 1}), "launch_template needs either id or name"),
    (_group(launch_template={"nmae": "x"}), "launch_template has the unknown key nmae"),
    (_group(taints=[{"effect": "NO_SCHEDULE"}]), "eks_node_groups[0].taints[0] has no key"),
    (_group(taints=[{"key": "a"}]), "eks_node_groups[0].taints[0] has no effect: use NO_SCHEDULE"),
    ({**EKS, "eks_endpoint_public_cidrs": ["2001:db8::/32"]}, "eks_endpoint_public_cidrs has '2001:db8::/32', a range of IPv6"),
    ({**EKS, "eks_node_role_arn": "arn:aws-cn:iam::123456789012:role/x"}, "eks_node_role_arn is an ARN of the partition aws-cn, but eks_region eu-central-1"),
    ({**EKS, **CONTROLLER, "alb_controller_version": "v3.5.0"}, "alb_controller_version is 'v3.5.0': use a full version without v"),
    ({"gateway_api_version": "1.6.1"}, "gateway_api_version is '1.6.1': use a full version with v"),
    ({"istio_namespace": "Istio_System"}, "istio_namespace is 'Istio_System'"),
    ({"bookinfo_enabled": True, "bookinfo_namespace": "Book_Info"}, "bookinfo_namespace is 'Book_Info'"),
    ({"istio_release_names": {"base": "X_y"}}, "istio_release_names.base is 'X_y': use at most 53"),
    ({"istio_release_names": {"base": "x", "istiod": "x"}}, "istio_release_names has x more than once"),
    ({"mesh_waypoints": [{"namespace": "a", "allowed_routes": _routes_from({"team": "shop"})}]}, "selector has the key team: put labels below matchLabels"),
    ({"ingress_gateways": [{**GATEWAY, "allowed_routes": _routes_from({"matchLabels": {}})}]}, "is empty, and would select everything"),
    (
        {"ingress_gateways": [{**GATEWAY, "allowed_routes": _routes_from({"matchExpressions": [{"key": "a", "operator": "In"}]})}]},
        "matchExpressions[0] has the operator In, which needs values",
    ),
    (_listeners({"name": "x", "port": 15021, "protocol": "TCP"}), "listener x has port 15021, which istiod adds to the Service"),
    (
        _listeners({"name": "x", "port": 9000, "protocol": "TCP"}, {"name": "y", "port": 9000, "protocol": "HTTP"}),
        "listeners has port 9000 with the protocols HTTP and TCP",
    ),
    (_alb(inbound_cidrs=["10.0.0.0/8"], security_groups=["sg-0123456789abcdef0"]), "inbound_cidrs has no effect beside security_groups"),
    (_nlb(source_ranges=["10.0.0.0/8"], security_groups=["sg-0123456789abcdef0"]), "source_ranges has no effect beside security_groups"),
    (
        {"mesh_waypoints": [{"namespace": "a", "name": "w", "state": "absent"}], "mesh_namespaces": [{"name": "a", "use_waypoint": "w"}]},
        "mesh_namespaces[0].use_waypoint names waypoint a/w, which mesh_waypoints deletes",
    ),
    (
        {"ingress_gateways": [{**GATEWAY, "state": "absent"}], "ingress_routes": [{"name": "r", "namespace": "b", "gateway": "c", "rules": [RULE]}]},
        "ingress_routes[0].gateway is 'c', which ingress_gateways deletes from namespace b",
    ),
    (
        {"mesh_waypoints": [{"namespace": "a", "disruption_budget": {"min_available": "1", "max_unavailable": "1"}}]},
        "disruption_budget has both min_available and max_unavailable",
    ),
    (_ports({"port": 80}, {"port": 443}), "istio_gateways[0].service.ports has several ports, of which each needs a name"),
    (_ports({"name": "HTTP_2", "port": 80}), "service.ports has the name 'HTTP_2'"),
    (_ports({"name": "http", "port": 80, "targetPort": 99999}), "service.ports: targetPort is 99999"),
]
RIGHT: list[dict[str, Any]] = [
    EKS,
    _in("eusc-de-east-1", "aws-eusc"),
    _in("us-gov-west-1", "aws-us-gov"),
    _entry(kubernetes_groups=["operators"], policies=[{"policy": "AmazonEKSViewPolicy", "namespaces": ["team-*"]}]),
    _association(),
    _group(labels={"team.example.com/x": "a"}, launch_template={"name": "x", "version": 1}, taints=[{"key": "a", "effect": "NO_SCHEDULE"}]),
    {"mesh_waypoints": [{"namespace": "a", "disruption_budget": {}}]},
    {"mesh_waypoints": [{"namespace": "a", "allowed_routes": _routes_from({"matchExpressions": [{"key": "a", "operator": "Exists"}]})}]},
    _listeners(
        {"name": "x", "port": 443, "protocol": "TLS", "tls_mode": "Passthrough"},
        {"name": "y", "port": 443, "protocol": "HTTPS", "hostname": "a.example.com", "certificate_refs": [{"name": "a"}]},
    ),
    _ports({"port": 80}),
    _ports({"name": "http2", "port": 80, "targetPort": "http"}, {"name": "status-port", "port": 15021}),
    {"istio_release_names": {"base": "mesh.base"}, "gateway_api_version": "v1.7.0-rc.1"},
    {
        "mesh_waypoints": [{"namespace": "a", "name": "w"}, {"namespace": "b", "name": "w", "state": "absent"}],
        "mesh_namespaces": [{"name": "a", "use_waypoint": "w"}],
    },
]


@pytest.mark.parametrize(("variables", "sentence"), WRONG, ids=[sentence for _variables, sentence in WRONG])
def test_what_would_fail_later_is_reported_before(variables: dict[str, Any], sentence: str) -> None:
    errors = find_errors(converted(variables))
    assert [error for error in errors if sentence in error], errors


@pytest.mark.parametrize("variables", RIGHT, ids=range(len(RIGHT)))
def test_what_is_right_passes(variables: dict[str, Any]) -> None:
    assert find_errors(converted(variables)) == []
