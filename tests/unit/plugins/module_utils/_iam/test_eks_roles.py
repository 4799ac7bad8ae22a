"""The IAM roles of a cluster, from the variables of the role eks."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._iam.eks_roles import cluster_roles

VARIABLES: dict[str, Any] = {
    "eks_region": "eu-central-1",
    "eks_cluster_name": "prod",
    "eks_role_path": "/mesh/",
    "eks_cluster_role_arn": "",
    "eks_node_role_arn": "",
    "eks_permissions_boundary": "",
    "eks_tags": {"Cost": "0815"},
    "eks_identity": "pod_identity",
    "eks_addons": [{"name": "coredns", "state": "present"}],
}
CLUSTER = {"account_id": "123456789012"}


def _roles(**change: Any) -> dict[str, Any]:
    return cluster_roles({**VARIABLES, **change}, CLUSTER)


def test_roles_have_the_name_of_the_cluster_and_its_region() -> None:
    found = _roles()
    assert [role["name"] for role in found["roles"]] == ["prod-eu-central-1-cluster", "prod-eu-central-1-nodes"]
    assert found["node_arn"] == "arn:aws:iam::123456789012:role/mesh/prod-eu-central-1-nodes"
    assert all((role["path"], role["tags"]) == ("/mesh/", {"Cost": "0815"}) for role in found["roles"])
    assert found["roles"][0]["managed_policies"] == ["arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"]
    assert found["csi_roles"] == []


@pytest.mark.parametrize("change", [{}, {"state": "present"}, {"role_arn": ""}, {"state": "present", "role_arn": None}])
def test_the_ebs_csi_driver_gets_a_role_whatever_defaults_are_written_out(change: dict[str, Any]) -> None:
    (role,) = _roles(eks_addons=[{"name": "aws-ebs-csi-driver", **change}])["csi_roles"]
    assert role["name"] == "prod-eu-central-1-ebs-csi"
    assert role["managed_policies"] == ["arn:aws:iam::aws:policy/service-role/AmazonEBSCSIDriverPolicy"]


def test_roles_that_are_given_are_not_created() -> None:
    found = _roles(eks_cluster_role_arn="arn:cluster", eks_node_role_arn="arn:nodes", eks_addons=[{"name": "aws-ebs-csi-driver", "role_arn": "arn:csi"}])
    assert (found["cluster_arn"], found["node_arn"], found["roles"], found["csi_roles"]) == ("arn:cluster", "arn:nodes", [], [])
