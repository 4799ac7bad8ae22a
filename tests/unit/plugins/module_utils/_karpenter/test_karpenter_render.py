"""From node pools of the inventory to the objects that Karpenter reads."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._karpenter.render import (
    node_pool_manifests,
    node_pool_removals,
    node_pool_targets,
    starts_tainted,
)
from ansible_collections.meshwright.ambient.plugins.module_utils._mesh.startup_taint import KUBERNETES_TAINT

SUBNETS = ["subnet-0b1c2d3e4f5061728", "subnet-0a1b2c3d4e5f60718"]
GROUPS = ["sg-0a1b2c3d4e5f60718"]
ROLE = "arn:aws:iam::123456789012:role/teams/prod-nodes"


def _manifests(*pools: dict[str, Any], **change: Any) -> list[dict[str, Any]]:
    given: dict[str, Any] = {"startup_taint": True, "ami_alias": "al2023@latest", "tags": {}, **change}
    return node_pool_manifests(pools, node_role=ROLE, subnet_ids=SUBNETS, security_group_ids=GROUPS, **given)


def _template(pool: dict[str, Any], **change: Any) -> dict[str, Any]:
    [made] = [item for item in _manifests({"name": "general", **pool}, **change) if item["kind"] == "NodePool"]
    template: dict[str, Any] = made["spec"]["template"]["spec"]
    return template


def _class(pool: dict[str, Any], **change: Any) -> dict[str, Any]:
    [made] = [item for item in _manifests({"name": "general", **pool}, **change) if item["kind"] == "EC2NodeClass"]
    spec: dict[str, Any] = made["spec"]
    return spec


def _requirements(pool: dict[str, Any]) -> dict[str, tuple[str, list[str]]]:
    return {item["key"].rpartition("/")[2]: (item["operator"], item["values"]) for item in _template(pool)["requirements"]}


@pytest.mark.requirement("K14")
def test_nodes_start_with_a_taint_of_which_karpenter_knows_that_it_goes_away() -> None:
    template = _template(
        {"startup_taints": [{"key": "ebs.csi.aws.com/agent-not-ready", "effect": "NoExecute"}], "taints": [{"key": "a", "effect": "NoSchedule"}]}
    )
    assert template["startupTaints"] == [
        {"key": "cni.istio.io/not-ready", "value": "true", "effect": "NoExecute"},
        {"key": "ebs.csi.aws.com/agent-not-ready", "effect": "NoExecute"},
    ]
    assert template["taints"] == [{"key": "a", "effect": "NoSchedule"}]
    assert "startupTaints" not in _template({}, startup_taint=False)
    assert _template({"startup_taints": [KUBERNETES_TAINT]})["startupTaints"] == [KUBERNETES_TAINT]


@pytest.mark.parametrize(
    ("pool", "architectures"),
    [
        ({"instance_types": ["m7g.large"]}, ["arm64"]),
        ({"instance_types": ["m7g.large", "m7i.large"]}, ["amd64"]),
        ({"instance_types": ["p6e-gb200.36xlarge"]}, ["arm64"]),
        ({"requirements": [{"key": "karpenter.k8s.aws/instance-family", "operator": "In", "values": ["c8g"]}]}, ["arm64"]),
        ({"requirements": [{"key": "karpenter.k8s.aws/instance-family", "operator": "NotIn", "values": ["c8g"]}]}, ["amd64"]),
    ],
)
def test_the_architecture_is_that_of_the_machines_that_are_named(pool: dict[str, Any], architectures: list[str]) -> None:
    assert _requirements(pool)["arch"] == ("In", architectures)


@pytest.mark.parametrize(
    ("categories", "is_limited"),
    [(["inf", "trn"], False), (["g"], False), (["c", "g"], True), (["c", "m", "r", "t"], True), (["t"], True)],
)
def test_machines_with_accelerators_may_be_of_the_first_generations(categories: list[str], is_limited: bool) -> None:
    assert ("instance-generation" in _requirements({"instance_categories": categories})) is is_limited


@pytest.mark.parametrize(
    ("pool", "startup_taint", "tainted"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"startup_taints": [KUBERNETES_TAINT]}, False, True),
        ({"spec": {"template": {"spec": {"startupTaints": []}}}}, True, False),
        ({"spec": {"template": {"spec": {"startupTaints": [KUBERNETES_TAINT]}}}}, False, True),
        ({"spec": {"template": "wrong"}, "startup_taints": "wrong"}, True, True),
    ],
)
def test_the_last_word_on_the_taint_is_the_pools_own_spec(pool: dict[str, Any], startup_taint: bool, tainted: bool) -> None:
    assert starts_tainted({"name": "general", **pool}, startup_taint=startup_taint) is tainted


def test_a_class_comes_before_the_pool_that_names_it_and_one_class_serves_two_pools() -> None:
    made = _manifests({"name": "general"}, {"name": "arm", "node_class": "general"}, {"name": "old", "state": "absent"})
    assert [(item["kind"], item["metadata"]["name"]) for item in made] == [("EC2NodeClass", "general"), ("NodePool", "general"), ("NodePool", "arm")]
    assert {item["spec"]["template"]["spec"]["nodeClassRef"]["name"] for item in made if item["kind"] == "NodePool"} == {"general"}


def test_the_class_names_what_the_cluster_has_by_its_ids() -> None:
    spec = _class({}, tags={"Stage": "prod", "Cost": 7})
    assert spec == {
        "role": "prod-nodes",
        "amiSelectorTerms": [{"alias": "al2023@latest"}],
        "subnetSelectorTerms": [{"id": "subnet-0a1b2c3d4e5f60718"}, {"id": "subnet-0b1c2d3e4f5061728"}],
        "securityGroupSelectorTerms": [{"id": "sg-0a1b2c3d4e5f60718"}],
        "tags": {"Cost": "7", "Stage": "prod"},
    }


@pytest.mark.parametrize(
    ("pool", "requirements"),
    [
        (
            {},
            {
                "capacity-type": ("In", ["on-demand"]),
                "arch": ("In", ["amd64"]),
                "instance-category": ("In", ["c", "m", "r"]),
                "instance-generation": ("Gt", ["2"]),
            },
        ),
        (
            {"instance_types": ["m7i.large"], "capacity_types": ["spot", "on-demand"]},
            {"capacity-type": ("In", ["spot", "on-demand"]), "arch": ("In", ["amd64"]), "instance-type": ("In", ["m7i.large"])},
        ),
        (
            {"instance_categories": ["g"], "zones": ["eu-central-1a"], "architectures": ["arm64"]},
            {
                "capacity-type": ("In", ["on-demand"]),
                "arch": ("In", ["arm64"]),
                "instance-category": ("In", ["g"]),
                "zone": ("In", ["eu-central-1a"]),
            },
        ),
        (
            {
                "requirements": [
                    {"key": "karpenter.k8s.aws/instance-family", "operator": "In", "values": ["m7i"]},
                    {"key": "kubernetes.io/arch", "operator": "Exists", "values": []},
                ]
            },
            {"capacity-type": ("In", ["on-demand"]), "instance-family": ("In", ["m7i"]), "arch": ("Exists", [])},
        ),
        (
            {"requirements": [{"key": "karpenter.k8s.aws/instance-generation", "operator": "Gt", "values": ["6"]}]},
            {
                "capacity-type": ("In", ["on-demand"]),
                "arch": ("In", ["amd64"]),
                "instance-category": ("In", ["c", "m", "r"]),
                "instance-generation": ("Gt", ["6"]),
            },
        ),
    ],
    ids=["nothing", "types", "categories", "a family and an architecture", "a generation"],
)
def test_a_default_holds_until_something_else_is_said(pool: dict[str, Any], requirements: dict[str, Any]) -> None:
    assert _requirements(pool) == requirements


@pytest.mark.parametrize("written", [{"disruption": {"budgets": [{"nodes": 5}]}}, {"spec": {"disruption": {"budgets": [{"nodes": 5}]}}}])
def test_nodes_of_a_budget_are_a_text_wherever_they_are_written(written: dict[str, Any]) -> None:
    [made] = [item for item in _manifests({"name": "general", **written}) if item["kind"] == "NodePool"]
    assert made["spec"]["disruption"]["budgets"] == [{"nodes": "5"}]


@pytest.mark.parametrize(
    ("alias", "disks"),
    [
        ("al2023@latest", {"/dev/xvda": "80Gi"}),
        ("bottlerocket@v1.40.0", {"/dev/xvda": "4Gi", "/dev/xvdb": "80Gi"}),
        ("windows2022@latest", {"/dev/sda1": "80Gi"}),
    ],
)
def test_the_disk_of_pods_has_the_size_that_is_wished(alias: str, disks: dict[str, str]) -> None:
    mappings = _class({"disk_size": 80, "ami_alias": alias})["blockDeviceMappings"]
    assert {disk["deviceName"]: disk["ebs"]["volumeSize"] for disk in mappings} == disks
    assert all(disk["ebs"]["encrypted"] for disk in mappings)


def test_a_pools_own_spec_has_the_last_word() -> None:
    pool = {
        "name": "general",
        "limits": {"cpu": 100},
        "weight": 10,
        "labels": {"spot": True},
        "disruption": {"budgets": [{"nodes": "1"}]},
        "spec": {"weight": 20, "template": {"spec": {"terminationGracePeriod": "1h"}}},
        "node_class_spec": {"role": None, "instanceProfile": "nodes"},
    }
    node_class, node_pool = _manifests(pool)
    assert "role" not in node_class["spec"]
    assert node_class["spec"]["instanceProfile"] == "nodes"
    assert (node_pool["spec"]["weight"], node_pool["spec"]["limits"]) == (20, {"cpu": "100"})
    assert node_pool["spec"]["disruption"] == {"consolidateAfter": "0s", "budgets": [{"nodes": "1"}]}
    assert node_pool["spec"]["template"]["metadata"] == {"labels": {"spot": "true"}}
    assert node_pool["spec"]["template"]["spec"]["terminationGracePeriod"] == "1h"
    assert node_pool["spec"]["template"]["spec"]["startupTaints"] == [KUBERNETES_TAINT]


def test_a_pool_that_is_to_go_goes_before_its_class() -> None:
    pools = [{"name": "general"}, {"name": "old", "state": "absent"}, {"name": "older", "state": "absent", "node_class": "general"}]
    assert [(item["kind"], item["metadata"]["name"]) for item in node_pool_removals(pools)] == [
        ("NodePool", "old"),
        ("EC2NodeClass", "old"),
        ("NodePool", "older"),
    ]


def test_every_pool_and_class_that_stays_is_waited_for() -> None:
    targets = node_pool_targets([{"name": "general"}, {"name": "arm", "node_class": "general"}, {"name": "old", "state": "absent"}])
    assert [(target["kind"], target["name"]) for target in targets] == [("EC2NodeClass", "general"), ("NodePool", "general"), ("NodePool", "arm")]
    assert all(target["condition"] == {"type": "Ready"} for target in targets)
