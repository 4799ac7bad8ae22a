"""Filters of the role eks, and those that the roles for AWS share."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.meshwright.ambient.plugins.filter.aws import aws_partition, aws_trust_policy
from ansible_collections.meshwright.ambient.plugins.filter.eks import eks_addons, eks_nodegroups

VARIABLES: dict[str, Any] = {
    "eks_addons": [{"name": "vpc-cni"}, {"name": "aws-ebs-csi-driver", "state": "present", "role_arn": ""}],
    "eks_node_groups": [{"name": "general"}],
    "eks_version": "1.35",
    "eks_startup_taint": False,
    "eks_identity": "irsa",
    "eks_tags": {},
}


def test_add_ons_get_the_role_of_the_driver_and_the_tags() -> None:
    assert [item["name"] for item in eks_addons(VARIABLES, True)] == ["vpc-cni"]
    (driver,) = eks_addons(VARIABLES, False, "arn:csi")
    assert driver["service_account_role_arn"] == "arn:csi"


def test_what_is_no_text_is_named() -> None:
    with pytest.raises(AnsibleFilterError, match="eks_node_groups or eks_tags: the value of team"):
        eks_nodegroups({**VARIABLES, "eks_node_groups": [{"name": "general", "labels": {"team": {}}}]}, "role", [])


def test_what_roles_for_aws_share() -> None:
    assert aws_partition("us-gov-west-1") == "aws-us-gov"
    assert aws_trust_policy("none", "arn", "", "kube-system", "x") == {}
