"""From the variables of the role eks to items of the module eks_nodegroup."""

from __future__ import annotations

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._eks_nodegroup.role_items import nodegroup_items
from ansible_collections.meshwright.ambient.plugins.module_utils._mesh.startup_taint import STARTUP_TAINT
from ansible_collections.meshwright.ambient.plugins.module_utils._text import text_values

ROLE = "arn:aws:iam::123456789012:role/nodes"


@pytest.mark.requirement("K14")
@pytest.mark.parametrize("startup_taint", [True, False])
def test_nodes_start_with_the_taint_on_request(startup_taint: bool) -> None:
    [made] = nodegroup_items(
        [{"name": "general", "taints": [{"key": "dedicated", "value": "x", "effect": "NO_SCHEDULE"}]}],
        node_role=ROLE,
        subnet_ids=["p1"],
        version="1.35",
        startup_taint=startup_taint,
        tags={"a": "b"},
    )
    assert (STARTUP_TAINT in made["taints"]) is startup_taint
    assert {"key": "dedicated", "value": "x", "effect": "NO_SCHEDULE"} in made["taints"]
    assert (made["version"], made["node_role"], made["subnets"], made["desired_size"]) == ("1.35", ROLE, ["p1"], 2)


def test_a_launch_template_says_image_and_version_itself() -> None:
    [made] = nodegroup_items(
        [{"name": "own", "launch_template": {"id": "lt-1", "version": "3"}}], node_role=ROLE, subnet_ids=["p1"], version="1.35", startup_taint=True, tags={}
    )
    assert made["launch_template"] == {"id": "lt-1", "version": "3"}
    assert not {"ami_type", "version"} & made.keys()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"ami_type": "BOTTLEROCKET_ARM_64"}, {"ami_type": "BOTTLEROCKET_ARM_64", "version": "1.35"}),
        ({"ami_type": "BOTTLEROCKET_ARM_64", "version": "1.34"}, {"ami_type": "BOTTLEROCKET_ARM_64", "version": "1.34"}),
        ({"version": "1.34"}, {"version": "1.34"}),
        ({"ami_type": "CUSTOM"}, {}),
    ],
)
def test_a_launch_template_without_an_image_takes_image_and_version(given: dict[str, str], expected: dict[str, str]) -> None:
    group = {"name": "own", "launch_template": {"id": "lt-1"}, **given}
    [made] = nodegroup_items([group], node_role=ROLE, subnet_ids=["p1"], version="1.35", startup_taint=True, tags={})
    assert {key: made[key] for key in ("ami_type", "version") if key in made} == expected


def test_istios_taint_is_there_once() -> None:
    for taint in (STARTUP_TAINT, {"key": "cni.istio.io/not-ready", "effect": "NO_EXECUTE"}):
        group = {"name": "general", "taints": [taint]}
        [made] = nodegroup_items([group], node_role=ROLE, subnet_ids=["p1"], version="1.35", startup_taint=True, tags={})
        assert [(one["key"], one["effect"]) for one in made["taints"]] == [("cni.istio.io/not-ready", "NO_EXECUTE")]


def test_a_node_group_that_goes_needs_nothing_but_its_name() -> None:
    assert nodegroup_items([{"name": "old", "state": "absent"}], node_role=ROLE, subnet_ids=[], version="1.35", startup_taint=True, tags={}) == [
        {"name": "old", "state": "absent"}
    ]


def test_options_of_a_node_group_that_are_null_have_their_defaults() -> None:
    names = ("min_size", "max_size", "desired_size", "capacity_type", "ami_type", "labels", "taints", "version", "state")
    change = {"node_role": ROLE, "subnet_ids": ["p1"], "version": "1.35", "startup_taint": True, "tags": {}}
    plain, empty = nodegroup_items([{"name": "general"}, {"name": "general", **dict.fromkeys(names)}], **change)  # type: ignore[arg-type]
    assert plain == empty


def test_labels_taints_and_tags_reach_aws_as_text() -> None:
    labels = {"team": "0815", "build": "1e3", "spot": "yes", "shared": True, "tier": 1}
    group = {"name": "general", "labels": labels, "taints": [{"key": "dedicated", "value": True, "effect": "NO_SCHEDULE"}]}
    [made] = nodegroup_items([group], node_role=ROLE, subnet_ids=["p1"], version="1.35", startup_taint=False, tags={"Cost": "0123", "Paid": False})
    assert made["labels"] == {"team": "0815", "build": "1e3", "spot": "yes", "shared": "true", "tier": "1"}
    assert made["taints"] == [{"key": "dedicated", "value": "true", "effect": "NO_SCHEDULE"}]
    assert made["tags"] == {"Cost": "0123", "Paid": "false"}
    with pytest.raises(ValueError, match="the value of team is"):
        text_values({"team": ["a"]})
