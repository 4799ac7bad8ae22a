"""What AWS, Karpenter or the load balancer controller would refuse or ignore only after a part of a run is done: the inventory's own data shows it."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._gateway.nlb import find_notes
from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.validation import find_errors
from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.warnings import find_warnings
from tests.unit.inventory_values import converted

EKS: dict[str, Any] = {
    "eks_enabled": True,
    "eks_region": "eu-central-1",
    "eks_cluster_name": "shop",
    "eks_availability_zones": ["eu-central-1a", "eu-central-1b"],
    "eks_node_groups": [{"name": "general"}],
    "eks_addons": [{"name": "eks-pod-identity-agent"}],
    "istio_startup_taint": True,
}
ROLE = "arn:aws:iam::123456789012:role/shop"
EXISTING = {
    "eks_vpc_id": "vpc-0a1b2c3d4e5f60718",
    "eks_private_subnet_ids": ["subnet-0a1b2c3d4e5f60718", "subnet-0b1c2d3e4f5061728"],
    "eks_availability_zones": [],
}
KARPENTER = {**EKS, "karpenter_enabled": True}
ASSOCIATION = {"namespace": "kube-system", "service_account": "ebs-csi-controller-sa", "role_arn": ROLE}
SHOP = {"domain": "shop.example.com", "hosted_zone": "example.com"}
CERTIFICATE = "arn:aws:acm:eu-central-1:123456789012:certificate/5e5e4a3c-0b7a-4f0e-9d57-1d3f2c6b8a90"
ALB_PREFIX, NLB_PREFIX = "alb.ingress.kubernetes.io/", "service.beta.kubernetes.io/aws-load-balancer-"
HTTPS = {"name": "https", "port": 8443, "protocol": "HTTPS", "certificate_refs": [{"name": "shop"}]}


def errors_of(variables: dict[str, Any]) -> list[str]:
    return find_errors(converted(variables))


def warnings_of(variables: dict[str, Any]) -> list[str]:
    return find_warnings(converted(variables).values)


def pool(**options: Any) -> dict[str, Any]:
    return {**KARPENTER, "karpenter_node_pools": [{"name": "general", **options}]}


def nodes(**options: Any) -> dict[str, Any]:
    return {**EKS, "eks_node_groups": [{"name": "general", **options}]}


def alb(listener: dict[str, Any], **options: Any) -> dict[str, Any]:
    gateway = {"name": "shop", "namespace": "edge", "load_balancer": "alb", "listeners": [listener]}
    return {"ingress_gateways": [gateway], "ingress_albs": [{"name": "shop", "namespace": "edge", "gateway": "shop", **options}]}


def nlb(listeners: list[dict[str, Any]] | None = None, **options: Any) -> dict[str, Any]:
    gateway: dict[str, Any] = {"name": "shop", "namespace": "edge", "load_balancer": "nlb", "nlb": options}
    return {"ingress_gateways": [{**gateway, **({"listeners": listeners} if listeners else {})}]}


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({**EKS, "eks_endpoint_public_cidrs": []}, "eks_endpoint_public_cidrs is empty, which EKS takes for all addresses"),
        ({**EKS, "eks_endpoint_public_cidrs": ["10.0.0.0/8"]}, "a range of private addresses, which EKS refuses"),
        ({**EKS, "eks_endpoint_public_cidrs": ["100.64.0.0/16"]}, "a range of private addresses, which EKS refuses"),
        ({**EKS, "eks_encryption_key_arn": "arn:aws:kms:eu-central-1:123456789012:alias/eks"}, "the ARN of a key, not of an alias"),
        ({**EKS, **EXISTING, "eks_service_ipv4_cidr": "100.64.0.0/16"}, "eks_service_ipv4_cidr is '100.64.0.0/16': use a private IPv4 range"),
        (nodes(labels={"node-role.kubernetes.io/worker": "true"}), "labels has the key node-role.kubernetes.io/worker, whose prefix is reserved"),
        (nodes(instance_types=["m7g.large"]), "ami_type is AL2023_x86_64_STANDARD, whose images do not run on instances of type m7g.large: use AL2023_ARM_64"),
        (nodes(instance_types=["m7i.large"], ami_type="BOTTLEROCKET_ARM_64"), "use BOTTLEROCKET_x86_64, or other types"),
        (nodes(ami_type="CUSTOM"), "ami_type is CUSTOM, for the image of a launch template, which determines the version as well: set launch_template"),
        (nodes(ami_type="CUSTOM", launch_template={"name": "own"}, version="1.34"), "omit version, or use a type of EKS"),
        (nodes(instance_types=["m7g.large"], ami_type="WINDOWS_CORE_2022_x86_64"), "use an image of their architecture, or other types"),
        ({"aws_edge_certificates": [{**SHOP}, {**SHOP, "key_algorithm": "EC_prime256v1"}]}, "names shop.example.com more than once: keep one of them, or set"),
        (
            {"aws_edge_certificates": [{**SHOP, "key_algorithm": "EC_prime256v1"}] * 2},
            "names shop.example.com with EC_prime256v1 more than once: keep one of them",
        ),
        (
            alb({"name": "http", "port": 8080, "protocol": "HTTP"}, service_port=8080, annotations={f"{ALB_PREFIX}backend-protocol": "HTTPS"}),
            "whose listener is plain HTTP: remove the annotation alb.ingress.kubernetes.io/backend-protocol",
        ),
        (pool(instance_types=["m7g.large"], architectures=["amd64"]), "architectures is amd64, but none of instance_types is of it (m7g.large)"),
        (pool(zones=["eu-central-1c"]), "zones names eu-central-1c, where the VPC has no subnet"),
        (
            {**EKS, "eks_addons": [*EKS["eks_addons"], {"name": "aws-ebs-csi-driver"}], "eks_pod_identity_associations": [ASSOCIATION]},
            "to which add-on aws-ebs-csi-driver gives a role as well, and a service account has one: set eks_addons[1].role_arn",
        ),
        (
            {
                **EKS,
                "alb_controller_enabled": True,
                "eks_pod_identity_associations": [{**ASSOCIATION, "service_account": "aws-load-balancer-controller"}],
            },
            "to which the role alb_controller gives a role as well, and a service account has one: set alb_controller_role_arn",
        ),
        ({"alb_controller_enabled": True, "alb_controller_identity": "irsa"}, "alb_controller_identity is irsa, but eks_enabled is false"),
        (alb(HTTPS, service_port=8443), "sends plain HTTP to port 8443 of Gateway edge/shop, whose listener expects TLS"),
        (
            alb({"name": "http", "port": 443, "protocol": "HTTP"}, service_port=443),
            "sends HTTPS to port 443 of Gateway edge/shop, whose listener is plain HTTP",
        ),
        (nlb([{**HTTPS, "port": 443}], certificate_arns=[CERTIFICATE]), "TLS of port 443 ends there, but the listener of that port is HTTPS"),
        (nlb(ip_address_type="dualstack-without-public-ipv4"), "ip_address_type is 'dualstack-without-public-ipv4', which is not one of its choices"),
        (nlb(health_check={"interval": 5}), "health_check.interval is 5 s, shorter than the default timeout of 10 s"),
        (nlb(target_group_attributes={"proxy_protocol_v2.enabled": True}), "set proxy_protocol instead, which tells both"),
        (nlb(annotations={f"{NLB_PREFIX}proxy-protocol": "*"}), "set proxy_protocol instead, which tells both"),
    ],
)
def test_it_is_refused_before_the_first_write(variables: dict[str, Any], expected: str) -> None:
    (error,) = errors_of(variables)
    assert expected in error


@pytest.mark.parametrize(
    "variables",
    [
        {**EKS, "eks_endpoint_public_access": False, "eks_endpoint_public_cidrs": []},
        {**EKS, "eks_endpoint_private_access": False, "eks_endpoint_public_cidrs": ["198.51.100.7/32"]},
        {**EKS, **EXISTING, "eks_service_ipv4_cidr": "172.20.0.0/16"},
        nodes(labels={"node.kubernetes.io/pool": "general", "kubernetes.io.example.com/pool": "general"}),
        nodes(instance_types=["m7g.large", "c7gn.large", "a1.large", "im4gn.large", "t4g.small"], ami_type="AL2023_ARM_64_STANDARD"),
        nodes(instance_types=["g4dn.xlarge", "g6.xlarge", "m7i-flex.large", "p4de.24xlarge", "u-6tb1.112xlarge"]),
        nodes(instance_types=["m7g.large"], launch_template={"name": "own"}),
        pool(instance_types=["m7g.large", "m7i.large"], architectures=["amd64"]),
        pool(zones=["eu-central-1b"]),
        {**EKS, "eks_pod_identity_associations": [ASSOCIATION]},
        {**EKS, "eks_addons": [*EKS["eks_addons"], {"name": "aws-ebs-csi-driver"}], "eks_pod_identity_associations": [{**ASSOCIATION, "state": "absent"}]},
        {"alb_controller_enabled": True, "alb_controller_identity": "irsa", "alb_controller_role_arn": ROLE},
        {"alb_controller_enabled": True, "eks_pod_identity_associations": [{**ASSOCIATION, "service_account": "aws-load-balancer-controller"}]},
        alb(HTTPS, service_port=8443, annotations={f"{ALB_PREFIX}backend-protocol": "HTTPS"}),
        alb({**HTTPS, "port": 443}, service_port=443),
        nlb([{"name": "tls", "port": 443, "protocol": "HTTP"}], certificate_arns=[CERTIFICATE]),
        nlb([{**HTTPS, "port": 443}], certificate_arns=[CERTIFICATE], annotations={f"{NLB_PREFIX}backend-protocol": "ssl"}),
        nlb(health_check={"interval": 5, "timeout": 5}),
        nlb(health_check={"interval": 6}, target_type="instance", external_traffic_policy="Local"),
        nodes(instance_types=["p6e-gb200.36xlarge"], ami_type="AL2023_ARM_64_NVIDIA"),
        nodes(ami_type="CUSTOM", launch_template={"name": "own"}),
        nodes(taints=[{"key": "cni.istio.io/not-ready", "effect": "NO_EXECUTE"}]),
        pool(zones=["eu-central-1c"]) | {"karpenter_subnet_ids": ["subnet-0c1d2e3f405162738"]},
        pool(zones=["eu-central-1c"], node_class_spec={"subnetSelectorTerms": [{"tags": {"karpenter": "yes"}}]}),
        nlb(target_group_attributes={"deregistration_delay.timeout_seconds": 20}),
        alb({"name": "http", "port": 80, "protocol": "HTTP"}, target_group_attributes={"deregistration_delay.timeout_seconds": 20}),
        alb(
            {"name": "http", "port": 80, "protocol": "HTTP"},
            annotations={f"{ALB_PREFIX}backend-protocol-version": "GRPC"},
            health_check={"success_codes": "0,12"},
            listen_ports=[{"HTTPS": 443}],
            certificate_arns=[CERTIFICATE],
        ),
        {
            "aws_edge_certificates": [
                {"domain": "shop.example.com", "key_algorithm": algorithm, "hosted_zone": "example.com"} for algorithm in ("RSA_2048", "EC_prime256v1")
            ]
        },
    ],
)
def test_what_aws_takes_is_not_refused(variables: dict[str, Any]) -> None:
    assert errors_of(variables) == []


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ({}, {"hosts": ["shop.example.com"]}, True),
        ({}, {}, True),
        ({"hosts": ["*.example.com"]}, {"hosts": ["shop.example.com"], "path": "/cart"}, True),
        ({"group_order": 10}, {"hosts": ["shop.example.com"]}, False),
        ({"path": "/shop"}, {"hosts": ["shop.example.com"]}, False),
        ({"path": "/shop"}, {"path": "/shopping"}, False),
        ({"hosts": ["shop.example.com"]}, {"hosts": ["shop.example.com", "admin.example.com"]}, False),
        ({"listen_ports": [{"HTTP": 8080}]}, {}, False),
        ({"annotations": {f"{ALB_PREFIX}conditions.a": "[]"}}, {}, False),
        ({"annotations": {f"{ALB_PREFIX}group.order": "10"}}, {"hosts": ["shop.example.com"]}, False),
    ],
)
def test_a_member_of_a_group_that_would_never_serve_is_warned_of(first: dict[str, Any], second: dict[str, Any], expected: bool) -> None:
    names = ("a", "b")
    variables = {
        "ingress_gateways": [{"name": name, "namespace": "edge", "load_balancer": "alb"} for name in names],
        "ingress_albs": [
            {"name": name, "namespace": "edge", "gateway": name, "group_name": "g", **options} for name, options in zip(names, (first, second), strict=True)
        ],
    }
    hidden = [warning for warning in warnings_of(variables) if "so that ALB edge/b would never serve" in warning]
    assert bool(hidden) is expected


def test_an_add_on_that_waits_for_istio_is_warned_of() -> None:
    addons = [*EKS["eks_addons"], {"name": "coredns"}, {"name": "aws-efs-csi-driver"}]
    (warning,) = warnings_of({**EKS, "eks_addons": addons})
    assert warning.startswith("eks_addons[2] (aws-efs-csi-driver) is waited for before Istio is installed")
    assert not warnings_of({**EKS, "eks_addons": addons, "eks_startup_taint": False})


def test_nodes_without_a_way_to_the_api_server_are_warned_of() -> None:
    variables = {**EKS, "eks_endpoint_private_access": False, "eks_nat_gateways": "none"}
    assert errors_of(variables) == []
    (warning,) = warnings_of(variables)
    assert "nodes cannot reach the API server" in warning
    assert not warnings_of({**variables, "eks_nat_gateways": "one"})


def test_access_logs_without_tls_are_warned_of() -> None:
    options: dict[str, Any] = {"target_type": "ip", "access_logs": {"enabled": True, "bucket": "shop-logs"}}
    (note,) = find_notes(options)
    assert note.startswith("access_logs stays empty")
    assert not find_notes({**options, "certificate_arns": [CERTIFICATE], "ssl_ports": [443]})
