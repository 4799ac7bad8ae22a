"""From the role's variables to what its modules are asked for."""

from __future__ import annotations

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._eks.wishes import (
    STARTUP_TAINT,
    TOLERATION,
    addons,
    needs_role,
    nodegroups,
    texts,
)

ROLE = "arn:aws:iam::123456789012:role/nodes"


def _addons(items: list[dict[str, object]], **change: object) -> list[dict[str, object]]:
    given_ = {"startup_taint": True, "before_nodes": False, "identity": "pod_identity", "csi_role": "csi", "tags": {}, **change}
    return addons(items, **given_)  # type: ignore[arg-type]


@pytest.mark.requirement("K14")
@pytest.mark.parametrize("startup_taint", [True, False])
def test_nodes_start_with_the_taint_when_it_is_wished(startup_taint: bool) -> None:
    [made] = nodegroups(
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
    [made] = nodegroups(
        [{"name": "own", "launch_template": {"id": "lt-1", "version": "3"}}], node_role=ROLE, subnet_ids=["p1"], version="1.35", startup_taint=True, tags={}
    )
    assert made["launch_template"] == {"id": "lt-1", "version": "3"}
    assert not {"ami_type", "version"} & made.keys()


def test_a_node_group_that_goes_needs_nothing_but_its_name() -> None:
    assert nodegroups([{"name": "old", "state": "absent"}], node_role=ROLE, subnet_ids=[], version="1.35", startup_taint=True, tags={}) == [
        {"name": "old", "state": "absent"}
    ]


def test_add_ons_are_parted_by_whether_nodes_begin_with_them() -> None:
    items: list[dict[str, object]] = [{"name": name} for name in ("vpc-cni", "coredns", "kube-proxy", "aws-ebs-csi-driver", "eks-pod-identity-agent")]
    assert [item["name"] for item in _addons(items, before_nodes=True)] == ["vpc-cni", "kube-proxy", "eks-pod-identity-agent"]
    assert [item["name"] for item in _addons(items)] == ["coredns", "aws-ebs-csi-driver"]


@pytest.mark.requirement("K14")
def test_what_has_to_run_before_istio_tolerates_the_taint_and_keeps_its_own_tolerations() -> None:
    coredns, driver = _addons([{"name": "coredns"}, {"name": "aws-ebs-csi-driver"}])
    assert TOLERATION in coredns["configuration_values"]["tolerations"]  # type: ignore[index]
    assert {"key": "CriticalAddonsOnly", "operator": "Exists"} in coredns["configuration_values"]["tolerations"]  # type: ignore[index]
    assert TOLERATION in driver["configuration_values"]["controller"]["tolerations"]  # type: ignore[index]
    assert "configuration_values" not in _addons([{"name": "coredns"}], startup_taint=False)[0]


def test_a_users_configuration_lies_over_the_collections() -> None:
    [coredns] = _addons([{"name": "coredns", "configuration_values": {"replicaCount": 3, "tolerations": []}}])
    assert coredns["configuration_values"] == {"replicaCount": 3, "tolerations": []}


@pytest.mark.parametrize(
    ("identity", "wanted"),
    [
        ("pod_identity", {"pod_identity_associations": [{"service_account": "ebs-csi-controller-sa", "role_arn": "csi"}]}),
        ("irsa", {"service_account_role_arn": "csi"}),
    ],
)
def test_the_ebs_csi_driver_gets_its_role(identity: str, wanted: dict[str, object]) -> None:
    [driver] = _addons([{"name": "aws-ebs-csi-driver"}], identity=identity)
    assert {key: value for key, value in driver.items() if key in ("pod_identity_associations", "service_account_role_arn")} == wanted


@pytest.mark.parametrize(
    ("item", "needed"),
    [
        ({}, True),
        ({"state": "present"}, True),
        ({"role_arn": ""}, True),
        ({"state": None, "role_arn": None}, True),
        ({"state": "absent"}, False),
        ({"role_arn": ROLE}, False),
        ({"name": "coredns"}, False),
    ],
)
def test_a_default_that_is_written_out_changes_nothing(item: dict[str, object], needed: bool) -> None:
    assert needs_role({"name": "aws-ebs-csi-driver", **item}) is needed


def test_options_of_a_node_group_that_are_null_have_their_defaults() -> None:
    names = ("min_size", "max_size", "desired_size", "capacity_type", "ami_type", "labels", "taints", "version", "state")
    change = {"node_role": ROLE, "subnet_ids": ["p1"], "version": "1.35", "startup_taint": True, "tags": {}}
    plain, empty = nodegroups([{"name": "general"}, {"name": "general", **dict.fromkeys(names)}], **change)  # type: ignore[arg-type]
    assert plain == empty


def test_labels_taints_and_tags_reach_aws_as_text() -> None:
    labels = {"team": "0815", "build": "1e3", "spot": "yes", "shared": True, "tier": 1}
    group = {"name": "general", "labels": labels, "taints": [{"key": "dedicated", "value": True, "effect": "NO_SCHEDULE"}]}
    [made] = nodegroups([group], node_role=ROLE, subnet_ids=["p1"], version="1.35", startup_taint=False, tags={"Cost": "0123", "Paid": False})
    assert made["labels"] == {"team": "0815", "build": "1e3", "spot": "yes", "shared": "true", "tier": "1"}
    assert made["taints"] == [{"key": "dedicated", "value": "true", "effect": "NO_SCHEDULE"}]
    assert made["tags"] == {"Cost": "0123", "Paid": "false"}
    with pytest.raises(ValueError, match="the value of team is"):
        texts({"team": ["a"]})
