"""Validation errors in the variables of an EKS cluster, each reported before AWS would report it."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.clusters import validate_shared_clusters
from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.eks import validate_eks
from tests.unit.inventory_values import values_of

VALID: dict[str, Any] = {
    "eks_enabled": True,
    "eks_region": "eu-central-1",
    "eks_cluster_name": "prod-frankfurt",
    "eks_version": "1.35",
    "eks_vpc_cidr": "10.20.0.0/16",
    "eks_availability_zones": ["eu-central-1a", "eu-central-1b"],
    "eks_node_groups": [{"name": "general", "min_size": 2, "max_size": 6}],
    "eks_addons": [{"name": "vpc-cni"}, {"name": "eks-pod-identity-agent"}, {"name": "aws-ebs-csi-driver"}],
    "eks_startup_taint": True,
    "istio_startup_taint": True,
    "eks_endpoint_public_cidrs": ["203.0.113.0/24"],
    "alb_controller_enabled": True,
}
ROLE = "arn:aws:iam::123456789012:role/cni"
AGENT = {"name": "eks-pod-identity-agent"}
CNI = {"name": "vpc-cni", "service_account": "aws-node", "role_arn": ROLE}
ASSOCIATION = {"namespace": "shop", "service_account": "cart", "role_arn": ROLE}
SUBNETS = ["subnet-0a1b2c3d4e5f60718", "subnet-0b1c2d3e4f5061728"]
EXISTING = {**VALID, "eks_vpc_id": "vpc-0a1b2c3d4e5f60718", "eks_private_subnet_ids": SUBNETS, "eks_availability_zones": []}


def errors_of(variables: dict[str, Any]) -> list[str]:
    return validate_eks(values_of(variables))


@pytest.mark.parametrize(
    "variables",
    [
        VALID,
        EXISTING,
        {**VALID, "cluster_context": "arn:aws:eks:eu-central-1:123456789012:cluster/prod-frankfurt"},
        {"eks_enabled": False, "cluster_context": "prod"},
        {},
    ],
    ids=["a new VPC", "an existing VPC", "the context of the AWS CLI", "no EKS", "nothing"],
)
def test_valid_variables_have_no_errors(variables: dict[str, Any]) -> None:
    assert errors_of(variables) == []


@pytest.mark.requirement("A2")
@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"eks_region": ""}, "eks_region is not set"),
        ({"cluster_context": "prod"}, "cluster_context is 'prod', but eks_enabled is true"),
        ({"cluster_context": "arn:aws:eks:eu-central-1:123456789012:cluster/other"}, "has no such context: omit it"),
        ({"eks_region": "frankfurt"}, "eks_region is 'frankfurt'"),
        ({"eks_cluster_name": "prod.frankfurt"}, "eks_cluster_name is 'prod.frankfurt'"),
        ({"eks_version": "v1.35"}, "eks_version is 'v1.35'"),
        ({"eks_version": 1.3}, "eks_version is '1.3'"),
        ({"eks_vpc_id": "vpc-frankfurt"}, "eks_vpc_id has 'vpc-frankfurt'"),
        ({"eks_private_subnet_ids": ["subnet-public"]}, "eks_private_subnet_ids has 'subnet-public'"),
        ({"eks_node_security_group_ids": ["default"]}, "eks_node_security_group_ids has 'default'"),
        ({"eks_cluster_role_arn": "role/cluster"}, "eks_cluster_role_arn has 'role/cluster'"),
        ({"alb_controller_role_arn": "controller"}, "alb_controller_role_arn has 'controller'"),
        ({"eks_encryption_key_arn": "1234"}, "eks_encryption_key_arn has '1234'"),
        ({"eks_encryption_key_arn": "arn:aws:kms:eu-west-1:123456789012:key/1"}, "eks_encryption_key_arn is in region eu-west-1"),
        ({"eks_vpc_cidr": "10.20.0.0"}, "eks_vpc_cidr is '10.20.0.0'"),
        ({"eks_vpc_cidr": "10.20.0.0/24"}, "eks_vpc_cidr is '10.20.0.0/24'"),
        ({"eks_vpc_cidr": "10.20.1.0/16"}, "eks_vpc_cidr is '10.20.1.0/16'"),
        ({"eks_service_ipv4_cidr": "10.20.128.0/20"}, "eks_service_ipv4_cidr 10.20.128.0/20 overlaps eks_vpc_cidr 10.20.0.0/16"),
        ({"eks_service_ipv4_cidr": "198.51.100.0/25"}, "eks_service_ipv4_cidr is '198.51.100.0/25'"),
        ({"eks_endpoint_public_cidrs": ["office"]}, "eks_endpoint_public_cidrs has 'office'"),
        ({"eks_endpoint_public_access": False, "eks_endpoint_private_access": False}, "are both false"),
        ({"eks_availability_zones": ["eu-central-1a"]}, "eks_availability_zones names 1 zone:"),
        ({"eks_availability_zones": [f"eu-central-1{letter}" for letter in "abcde"]}, "eks_availability_zones names 5 zones"),
        ({"eks_availability_zones": ["eu-central-1a", "eu-central-1a"]}, "names eu-central-1a more than once"),
        ({"eks_availability_zones": ["eu-central-1a", "eu-west-1b"]}, "names eu-west-1b, which is not in eks_region eu-central-1"),
        ({"eks_private_subnet_ids": SUBNETS}, "is set without eks_vpc_id"),
        ({"eks_startup_taint": True, "istio_startup_taint": False}, "istio_startup_taint is false"),
        ({"eks_addons": [{"name": "coredns"}, {"name": "coredns"}]}, "eks_addons names coredns more than once"),
        ({"eks_addons": [{"name": "aws-ebs-csi-driver"}]}, "eks_addons lacks eks-pod-identity-agent"),
        ({"eks_addons": [{**CNI, "role_arn": "cni"}]}, "eks_addons[0].role_arn has 'cni': use an ARN such as"),
        ({"eks_addons": [{"name": "vpc-cni", "role_arn": ROLE}, AGENT]}, "eks_addons[0].role_arn is set, but service_account is not"),
    ],
)
def test_an_error_in_the_cluster_is_reported(change: dict[str, Any], expected: str) -> None:
    errors = errors_of({**VALID, **change})
    assert any(expected in error for error in errors), errors


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"eks_private_subnet_ids": SUBNETS[:1]}, "needs at least two subnets"),
        ({"eks_public_subnet_ids": SUBNETS[:1]}, f"both name {SUBNETS[0]}"),
        ({"eks_availability_zones": ["eu-central-1a", "eu-central-1b"]}, "eks_vpc_id names an existing VPC"),
    ],
)
def test_an_error_in_an_existing_network_is_reported(change: dict[str, Any], expected: str) -> None:
    errors = errors_of({**EXISTING, **change})
    assert any(expected in error for error in errors), errors


@pytest.mark.parametrize(
    ("group", "expected"),
    [
        ({"min_size": 3, "max_size": 2}, "min_size 3, desired_size 3 and max_size 2"),
        ({"min_size": 0, "max_size": 0}, "max_size must be at least 1"),
        ({"min_size": 1, "max_size": 2, "desired_size": 5}, "desired_size 5"),
        ({"version": "1.36"}, "nodes may be up to three minor versions older"),
        ({"version": "1.31"}, "nodes may be up to three minor versions older"),
        ({"version": "latest"}, "version is 'latest'"),
        ({"taints": [{"key": "a", "effect": "NoSchedule"}]}, "has the effect 'NoSchedule'"),
        ({"launch_template": {"id": "lt-1"}, "disk_size": 50}, "the template sets the size of the disk"),
    ],
)
def test_an_error_in_a_node_group_is_reported(group: dict[str, Any], expected: str) -> None:
    errors = errors_of({**VALID, "eks_node_groups": [{"name": "general", **group}]})
    assert any(error.startswith("eks_node_groups[0]") and expected in error for error in errors), errors


@pytest.mark.parametrize(
    ("change", "blamed"),
    [
        ({"eks_addons": [{"name": "aws-ebs-csi-driver"}]}, "eks_identity"),
        ({"eks_addons": [CNI]}, "eks_identity"),
        ({"eks_pod_identity_associations": [ASSOCIATION]}, "eks_identity"),
        ({"alb_controller_enabled": True}, "eks_identity"),
        ({"eks_identity": "irsa", "alb_controller_enabled": True, "alb_controller_identity": "pod_identity"}, "alb_controller_identity"),
        ({"eks_identity": "irsa", "eks_addons": [{"name": "vpc-cni", "role_arn": ROLE}]}, ""),
        ({"eks_addons": [{**CNI, "state": "absent"}, {"name": "aws-ebs-csi-driver", "state": "absent"}]}, ""),
        ({"eks_pod_identity_associations": [{**ASSOCIATION, "state": "absent"}]}, ""),
        ({"alb_controller_enabled": True, "alb_controller_identity": "none"}, ""),
        ({"alb_controller_enabled": True, "alb_controller_identity": "irsa"}, ""),
        ({}, ""),
    ],
)
def test_the_agent_is_missed_only_if_pods_need_it(change: dict[str, Any], blamed: str) -> None:
    variables = {**VALID, "alb_controller_enabled": False, "eks_addons": [{"name": "kube-proxy"}], **change}
    assert [error.split(" is pod_identity, but eks_addons lacks")[0] for error in errors_of(variables)] == [blamed] * bool(blamed)
    assert errors_of({**variables, "eks_addons": [*variables["eks_addons"], AGENT]}) == []


def test_a_cluster_whose_roles_would_have_names_that_are_too_long_is_reported() -> None:
    name = "c" * 37
    assert errors_of({**VALID, "eks_cluster_name": name[1:]}) == []
    (error,) = errors_of({**VALID, "eks_cluster_name": name})
    assert error.startswith(f"eks_cluster_name is too long by 1 character: the name of the IAM role {name}-eu-central-1-alb-controller would exceed the limit")
    assert errors_of({**VALID, "eks_cluster_name": name, "alb_controller_role_arn": "arn:aws:iam::123456789012:role/controller"}) == []


def test_two_hosts_are_not_one_cluster() -> None:
    (error,) = validate_shared_clusters({"b": ("eu-central-1", "shop"), "a": ("eu-central-1", "shop"), "c": ("us-east-1", "shop"), "d": ("us-east-1", "other")})
    assert error.startswith("a and b are both the EKS cluster shop in eu-central-1, and would change each other's cluster")


def test_a_node_group_that_goes_is_not_validated() -> None:
    assert errors_of({**VALID, "eks_node_groups": [{"name": "old", "state": "absent", "min_size": 9}]}) == []


def test_node_groups_have_names_of_their_own() -> None:
    errors = errors_of({**VALID, "eks_node_groups": [{"name": "general"}, {"name": "general"}]})
    assert errors == ["eks_node_groups names general more than once: combine these items into one."]
