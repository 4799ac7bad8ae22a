"""Validation errors in the variables of the role karpenter, each reported before a node is missing."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.eks import validate_eks
from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.karpenter import karpenter_warnings, validate_karpenter
from ansible_collections.meshwright.ambient.plugins.module_utils._mesh.startup_taint import KUBERNETES_TAINT
from tests.unit.inventory_values import values_of

VALID: dict[str, Any] = {
    "eks_enabled": True,
    "eks_region": "eu-central-1",
    "eks_cluster_name": "prod-frankfurt",
    "eks_node_groups": [{"name": "general"}],
    "eks_startup_taint": True,
    "istio_startup_taint": True,
    "karpenter_enabled": True,
    "karpenter_ami_alias": "al2023@latest",
    "karpenter_node_pools": [{"name": "general", "zones": ["eu-central-1a"], "expire_after": "336h"}, {"name": "arm", "node_class": "general"}],
}
OF_OTHERS = {
    **VALID,
    "eks_enabled": False,
    "karpenter_subnet_ids": ["subnet-0a1b2c3d4e5f60718"],
    "karpenter_security_group_ids": ["sg-0a1b2c3d4e5f60718"],
}


def errors_of(variables: dict[str, Any]) -> list[str]:
    return validate_karpenter(values_of(variables))


def warnings_of(variables: dict[str, Any]) -> list[str]:
    return karpenter_warnings(values_of(variables))


def eks_errors_of(variables: dict[str, Any]) -> list[str]:
    return validate_eks(values_of(variables))


@pytest.mark.parametrize(
    "variables", [VALID, OF_OTHERS, {**VALID, "karpenter_node_pools": []}, {}], ids=["a cluster of ours", "of others", "no pools", "nothing"]
)
def test_valid_variables_have_no_errors_and_no_warnings(variables: dict[str, Any]) -> None:
    assert errors_of(variables) == []
    assert warnings_of(variables) == []


def test_without_karpenter_nothing_is_validated() -> None:
    assert errors_of({**VALID, "karpenter_enabled": False, "eks_node_groups": [], "istio_startup_taint": False}) == []


@pytest.mark.requirement("K14")
@pytest.mark.parametrize(
    ("change", "pools"),
    [
        ({}, "general, arm"),
        ({"karpenter_startup_taint": True, "eks_startup_taint": False}, "general, arm"),
        (
            {"karpenter_startup_taint": False, "karpenter_node_pools": [{"name": "own", "startup_taints": [KUBERNETES_TAINT]}, {"name": "plain"}]},
            "own",
        ),
    ],
)
def test_a_taint_that_nobody_takes_away_is_refused(change: dict[str, Any], pools: str) -> None:
    [error] = errors_of({**VALID, "istio_startup_taint": False, **change})
    assert error.startswith(
        f"karpenter_startup_taint puts the taint cni.istio.io/not-ready on the nodes of the pools {pools}, but istio_startup_taint is false"
    )


@pytest.mark.requirement("K14")
def test_nodes_without_the_taint_are_warned_about_where_the_mesh_counts_on_it() -> None:
    variables = {**VALID, "karpenter_startup_taint": False}
    assert errors_of(variables) == []
    [warning] = warnings_of(variables)
    assert "nodes of the pools general, arm start without cni.istio.io/not-ready" in warning
    assert warnings_of({**variables, "istio_startup_taint": False}) == []


def test_a_long_name_is_reported_once_and_only_for_roles_that_would_be_made() -> None:
    long = {**VALID, "eks_cluster_name": "c" * 40, "eks_region": "eu-central-1"}
    assert len([error for error in eks_errors_of(long) + errors_of(long) if "too long" in error]) == 1
    given = {**long, "karpenter_node_role_arn": "arn:aws:iam::123456789012:role/nodes"}
    assert not [error for error in eks_errors_of(given) + errors_of(given) if "too long" in error]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"eks_node_groups": []}, "eks_node_groups is empty, but karpenter_enabled is true"),
        ({"eks_node_groups": [{"name": "old", "state": "absent"}]}, "eks_node_groups is empty, but karpenter_enabled is true"),
        ({"karpenter_role_arn": "controller"}, "karpenter_role_arn has 'controller'"),
        ({"karpenter_node_role_arn": "nodes"}, "karpenter_node_role_arn has 'nodes'"),
        ({"karpenter_permissions_boundary": "boundary"}, "karpenter_permissions_boundary has 'boundary'"),
        ({"karpenter_interruption_queue": "https://sqs.eu-central-1.amazonaws.com/1/q"}, "karpenter_interruption_queue has 'https://"),
        ({"karpenter_subnet_ids": ["public"]}, "karpenter_subnet_ids has 'public'"),
        ({"karpenter_security_group_ids": ["default"]}, "karpenter_security_group_ids has 'default'"),
        ({"karpenter_ami_alias": "al2023"}, "karpenter_ami_alias is 'al2023'"),
        ({"eks_cluster_name": "c" * 40}, "eks_cluster_name is too long by 5 characters: the name of the IAM role"),
        ({"eks_enabled": False, "karpenter_subnet_ids": ["subnet-0a1b2c3d4e5f60718"]}, "karpenter_security_group_ids is not set, and eks_enabled is false"),
        ({"karpenter_node_pools": [{"name": "a"}, {"name": "a"}]}, "karpenter_node_pools names a more than once"),
        ({"karpenter_node_pools": [{"name": "General"}]}, "karpenter_node_pools[0].name is 'General'"),
        ({"karpenter_node_pools": [{"name": "a", "ami_alias": "ubuntu@latest"}]}, "karpenter_node_pools[0].ami_alias is 'ubuntu@latest'"),
        ({"karpenter_node_pools": [{"name": "a", "expire_after": "14d"}]}, "karpenter_node_pools[0].expire_after is '14d'"),
        (
            {"karpenter_node_pools": [{"name": "a", "taints": [{"key": "a", "effect": "NO_SCHEDULE"}]}]},
            "karpenter_node_pools[0].taints[0].effect is 'NO_SCHEDULE', which is not one of its choices: did you mean NoSchedule?",
        ),
        ({"karpenter_node_pools": [{"name": "a", "zones": ["us-east-1a"]}]}, "karpenter_node_pools[0].zones names us-east-1a"),
        ({"karpenter_node_pools": [{"name": "a", "taints": [KUBERNETES_TAINT]}]}, "karpenter_node_pools[0].taints has cni.istio.io/not-ready"),
        (
            {"karpenter_node_pools": [{"name": "a", "state": "absent"}, {"name": "b", "node_class": "a"}]},
            "karpenter_node_pools[1].node_class is a, which is removed",
        ),
    ],
)
def test_each_error_is_reported_in_one_sentence_that_names_its_variable(change: dict[str, Any], expected: str) -> None:
    errors = errors_of({**VALID, **change})
    assert len(errors) == 1, errors
    assert errors[0].startswith(expected)
    assert errors[0].endswith(".")


def test_pods_of_karpenter_need_the_agent_that_gives_them_credentials() -> None:
    variables = {**VALID, "eks_vpc_cidr": "10.0.0.0/16", "eks_availability_zones": ["eu-central-1a", "eu-central-1b"], "eks_version": "1.35", "eks_addons": []}
    assert any("lacks eks-pod-identity-agent" in error for error in eks_errors_of(variables))
