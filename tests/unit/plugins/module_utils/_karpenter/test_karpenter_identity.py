"""Roles, policies and queue of Karpenter, from the variables of its role."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._karpenter.identity import karpenter_identity

VARIABLES: dict[str, Any] = {
    "karpenter_cluster_name": "prod",
    "karpenter_region": "eu-central-1",
    "karpenter_identity": "pod_identity",
    "karpenter_role_arn": "",
    "karpenter_node_role_arn": "",
    "karpenter_node_policies": ["arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"],
    "karpenter_role_path": "/",
    "karpenter_permissions_boundary": "",
    "karpenter_tags": {"Cost": "0815", "Spot": True},
    "karpenter_namespace": "kube-system",
    "karpenter_service_account": "karpenter",
    "karpenter_interruptions": True,
    "karpenter_interruption_queue": "",
    "karpenter_values": {},
}
ISSUER = "https://oidc.eks.eu-central-1.amazonaws.com/id/0123"


def _identity(**change: Any) -> dict[str, Any]:
    return karpenter_identity({**VARIABLES, **change}, "123456789012", ISSUER)


def test_roles_and_policies_are_named_after_cluster_and_region() -> None:
    found = _identity()
    assert found["role_arn"] == "arn:aws:iam::123456789012:role/prod-eu-central-1-karpenter"
    assert found["node_role_arn"] == "arn:aws:iam::123456789012:role/prod-eu-central-1-karpenter-nodes"
    controller, nodes = found["roles"]
    arns = [f"arn:aws:iam::123456789012:policy/prod-eu-central-1-karpenter-{ending}" for ending in ("instances", "profiles")]
    assert controller["managed_policies"] == [policy["arn"] for policy in found["policies"]] == arns
    assert nodes["managed_policies"][0] == "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy"
    assert nodes["managed_policies"][-1] == "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
    assert all(item["tags"] == {"Cost": "0815", "Spot": "true"} for item in (*found["roles"], *found["policies"]))
    assert (found["queue_arn"], found["rule_arn"]) == (
        "arn:aws:sqs:eu-central-1:123456789012:prod-eu-central-1-karpenter",
        "arn:aws:events:eu-central-1:123456789012:rule/prod-eu-central-1-karpenter",
    )


@pytest.mark.parametrize(
    ("change", "roles", "policies", "role_arn"),
    [
        ({"karpenter_identity": "none"}, ["prod-eu-central-1-karpenter-nodes"], 0, ""),
        ({"karpenter_role_arn": "arn:own"}, ["prod-eu-central-1-karpenter-nodes"], 0, "arn:own"),
        ({"karpenter_node_role_arn": "arn:nodes"}, ["prod-eu-central-1-karpenter"], 2, "arn:aws:iam::123456789012:role/prod-eu-central-1-karpenter"),
    ],
)
def test_what_is_given_is_not_created(change: dict[str, Any], roles: list[str], policies: int, role_arn: str) -> None:
    found = _identity(**change)
    assert ([role["name"] for role in found["roles"]], len(found["policies"]), found["role_arn"]) == (roles, policies, role_arn)
    assert found["node_role_arn"] == change.get("karpenter_node_role_arn", "arn:aws:iam::123456789012:role/prod-eu-central-1-karpenter-nodes")


@pytest.mark.parametrize(
    ("change", "queue", "creates"),
    [
        ({}, "prod-eu-central-1-karpenter", True),
        ({"karpenter_interruption_queue": "shared"}, "shared", False),
        ({"karpenter_interruptions": False, "karpenter_interruption_queue": "shared"}, "", False),
    ],
)
def test_a_queue_is_created_unless_one_is_given_or_none_is_needed(change: dict[str, Any], queue: str, creates: bool) -> None:
    found = _identity(**change)
    assert (found["queue"], found["creates_queue"]) == (queue, creates)


def test_irsa_trusts_the_issuer_and_zonal_shifts_are_a_permission_of_their_own() -> None:
    found = _identity(karpenter_identity="irsa", karpenter_values={"settings": {"enableZonalShift": True}})
    (statement,) = found["roles"][0]["trust"]["Statement"]
    assert statement["Principal"] == {"Federated": "arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/0123"}
    assert "HearOfZonalShifts" in {each["Sid"] for policy in found["policies"] for each in policy["document"]["Statement"]}
