"""Whether existing subnets are what a cluster needs."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._network.existing import find_subnet_errors

ELB, INTERNAL = "kubernetes.io/role/elb", "kubernetes.io/role/internal-elb"
SUBNETS = [
    {"subnet_id": "p1", "vpc_id": "vpc-1", "availability_zone": "a", "tags": {INTERNAL: "1"}},
    {"subnet_id": "p2", "vpc_id": "vpc-1", "availability_zone": "b", "tags": {INTERNAL: "1"}},
    {"subnet_id": "u1", "vpc_id": "vpc-1", "availability_zone": "a", "tags": {ELB: "1"}},
]


def _errors(changes: dict[str, dict[str, Any]], *, allow_untagged: bool = False) -> list[str]:
    found = [{**subnet, **changes.get(str(subnet["subnet_id"]), {})} for subnet in SUBNETS if changes.get(str(subnet["subnet_id"])) != {}]
    return find_subnet_errors(found, region="eu-central-1", vpc_id="vpc-1", private_ids=["p1", "p2"], public_ids=["u1"], allow_untagged=allow_untagged)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"p2": {}}, "Not found in eu-central-1: p2. Correct eks_region or the IDs."),
        ({"u1": {"vpc_id": "vpc-2"}}, "Not in vpc-1: u1. Correct eks_private_subnet_ids and eks_public_subnet_ids."),
        ({"p2": {"availability_zone": "a"}}, "All private subnets are in a. Add one in a second zone."),
        ({"u1": {"tags": {}}}, "find subnets: u1. Add it with the value 1, or set eks_allow_untagged_subnets if only another account can do so."),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, dict[str, Any]], message: str) -> None:
    assert message in " ".join(_errors(changes))


def test_good_subnets_and_tags_that_may_be_missing_are_no_error() -> None:
    assert _errors({}) == []
    assert _errors({"u1": {"tags": {}}}, allow_untagged=True) == []
