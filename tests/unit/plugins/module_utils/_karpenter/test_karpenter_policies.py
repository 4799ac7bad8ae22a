"""The permissions of Karpenter's controller."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._karpenter.policies import Place, karpenter_policies

ROLE = "arn:aws:iam::123456789012:role/teams/prod-nodes"

# What a managed policy may have at most, without white space (quotas of IAM).
LONGEST_POLICY = 6144


def _statements(**change: Any) -> dict[str, dict[str, Any]]:
    place = Place("prod", "eu-central-1", "aws", "123456789012")
    documents = karpenter_policies(place, node_role_arn=ROLE, **change)
    return {statement["Sid"]: statement for document in documents.values() for statement in document["Statement"]}


@pytest.mark.parametrize("cluster", ["prod", "x" * 100])
def test_no_policy_is_longer_than_iam_takes(cluster: str) -> None:
    place = Place(cluster, "us-gov-west-1", "aws-us-gov", "123456789012")
    documents = karpenter_policies(place, node_role_arn=f"arn:aws-us-gov:iam::123456789012:role/{'r' * 64}", queue="q" * 80, zonal_shift=True)
    for name, document in documents.items():
        assert len(json.dumps(document, separators=(",", ":"))) <= LONGEST_POLICY, name


def test_what_changes_something_asks_for_a_tag_of_the_cluster_or_names_one_thing() -> None:
    changing = {name: statement for name, statement in _statements(queue="q").items() if not all(_reads(action) for action in statement["Action"])}
    free = {name for name, statement in changing.items() if "kubernetes.io/cluster/prod" not in json.dumps(statement.get("Condition", {}))}
    # Subnets, groups and images are only named by what is started, and what is started has to be tagged. A message is deleted once it is heard.
    assert free == {"UseForInstances", "GiveNodesTheirRole", "HearOfInterruptions"}
    assert changing["GiveNodesTheirRole"]["Resource"] == [ROLE]
    assert changing["HearOfInterruptions"]["Resource"] == ["arn:aws:sqs:eu-central-1:123456789012:q"]


def test_rights_to_a_queue_and_to_zonal_shifts_are_given_where_they_are_used() -> None:
    assert not {"HearOfInterruptions", "HearOfZonalShifts"} & _statements().keys()
    assert {"HearOfInterruptions", "HearOfZonalShifts"} <= _statements(queue="q", zonal_shift=True).keys()


def _reads(action: str) -> bool:
    return action.partition(":")[2].startswith(("Describe", "Get", "List", "Receive"))
