"""What becomes of a spec for a node group that is there already."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.session import Session
from botocore.validate import ParamValidator

from ansible_collections.meshwright.ambient.plugins.module_utils._eks_nodegroup.normalize import health_issues
from ansible_collections.meshwright.ambient.plugins.module_utils._eks_nodegroup.plan import NodegroupChange, plan_nodegroups
from ansible_collections.meshwright.ambient.plugins.module_utils._eks_nodegroup.refusals import find_refusals
from ansible_collections.meshwright.ambient.plugins.module_utils._eks_nodegroup.render import render_creation
from ansible_collections.meshwright.ambient.plugins.module_utils._eks_nodegroup.spec import NodegroupSpec, parse_spec
from ansible_collections.meshwright.ambient.plugins.modules import eks_nodegroup

ROLE = "arn:aws:iam::123456789012:role/nodes"
TAINT = {"key": "cni.istio.io/not-ready", "value": "true", "effect": "NO_EXECUTE"}
NONE = dict.fromkeys(eks_nodegroup.OPTIONS["nodegroups"]["options"])
DESCRIPTION: dict[str, Any] = {
    "nodegroupName": "general",
    "nodeRole": ROLE,
    "subnets": ["subnet-b", "subnet-a"],
    "instanceTypes": ["m7i.large"],
    "amiType": "AL2023_x86_64_STANDARD",
    "capacityType": "ON_DEMAND",
    "diskSize": 20,
    "scalingConfig": {"minSize": 2, "maxSize": 6, "desiredSize": 4},
    "updateConfig": {"maxUnavailable": 1},
    "labels": {"tier": "web"},
    "taints": [TAINT],
    "version": "1.34",
    "releaseVersion": "1.34.1-20260901",
}


def _spec(**change: Any) -> NodegroupSpec:
    return parse_spec({**NONE, "name": "general", "state": "present", "node_role": ROLE, "subnets": ["subnet-a", "subnet-b"], **change})


def _plan(description: dict[str, Any] = DESCRIPTION, **change: Any) -> NodegroupChange:
    (planned,) = plan_nodegroups([_spec(**change)], {"general": description})
    return planned


def _validate(operation: str, params: dict[str, Any]) -> None:
    shape = Session().get_service_model("eks").operation_model(operation).input_shape
    report = ParamValidator().validate({"clusterName": "prod", "nodegroupName": "general", **params}, shape)
    assert not report.has_errors(), report.generate_report()


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"labels": {"tier": "web"}, "taints": [TAINT], "version": "1.34", "min_size": 2, "max_size": 6, "max_unavailable": 1},
        {"desired_size": 2, "min_size": 2, "max_size": 6},
        {"instance_types": ["m7i.large"], "ami_type": "AL2023_x86_64_STANDARD", "disk_size": 20, "capacity_type": "ON_DEMAND"},
    ],
    ids=["nothing asked", "all as it is", "the autoscaler has moved the size", "fixed options as they are"],
)
def test_what_is_so_already_needs_no_call(spec: dict[str, Any]) -> None:
    assert not _plan(**spec).changed


def test_a_description_without_optional_fields_is_read() -> None:
    assert not _plan({"nodegroupName": "general"}).changed


@pytest.mark.parametrize(
    ("spec", "config", "version"),
    [
        ({"labels": {"tier": "api", "new": "yes"}}, {"labels": {"addOrUpdateLabels": {"new": "yes", "tier": "api"}}}, {}),
        ({"labels": {}}, {"labels": {"removeLabels": ["tier"]}}, {}),
        ({"taints": []}, {"taints": {"removeTaints": [TAINT]}}, {}),
        ({"taints": [{**TAINT, "value": "yes"}]}, {"taints": {"addOrUpdateTaints": [{**TAINT, "value": "yes"}]}}, {}),
        (
            {"taints": [{"key": "dedicated", "value": None, "effect": "NO_SCHEDULE"}]},
            {"taints": {"addOrUpdateTaints": [{"key": "dedicated", "effect": "NO_SCHEDULE"}], "removeTaints": [TAINT]}},
            {},
        ),
        ({"min_size": 5}, {"scalingConfig": {"minSize": 5, "maxSize": 6, "desiredSize": 5}}, {}),
        ({"max_size": 3}, {"scalingConfig": {"minSize": 2, "maxSize": 3, "desiredSize": 3}}, {}),
        ({"max_size": 9}, {"scalingConfig": {"minSize": 2, "maxSize": 9, "desiredSize": 4}}, {}),
        ({"max_unavailable_percentage": 25}, {"updateConfig": {"maxUnavailablePercentage": 25}}, {}),
        ({"version": "1.35"}, {}, {"version": "1.35"}),
        ({"release_version": "1.34.2-20261001"}, {}, {"releaseVersion": "1.34.2-20261001"}),
    ],
)
def test_a_difference_becomes_the_call_that_eks_has_for_it(spec: dict[str, Any], config: dict[str, Any], version: dict[str, Any]) -> None:
    plan = _plan(**spec)
    assert (plan.config, plan.version) == (config, version)
    assert plan.before.keys() == plan.after.keys()
    _validate("UpdateNodegroupConfig", dict(plan.config))
    _validate("UpdateNodegroupVersion", dict(plan.version))


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"instance_types": ["c7i.large"]}, "instance_types of node group general is m7i.large, and EKS cannot change it to c7i.large"),
        ({"subnets": ["subnet-a"]}, "subnets of node group general is subnet-a, subnet-b"),
        ({"node_role": "other"}, "node_role of node group general"),
        ({"disk_size": 100}, "disk_size of node group general is 20"),
        ({"launch_template": {"id": "lt-1", "name": None, "version": "1"}}, "The launch template of node group general is none"),
    ],
)
def test_what_eks_fixes_at_creation_is_refused_with_the_way_out(spec: dict[str, Any], message: str) -> None:
    (refused,) = find_refusals([_spec(**spec)], {"general": DESCRIPTION})
    assert message in refused
    assert "create a node group with another name" in refused


def test_all_that_is_fixed_is_reported_at_once() -> None:
    refused = find_refusals(
        [_spec(instance_types=["c7i.large"], disk_size=100, launch_template={"id": "lt-1", "name": None, "version": "1"})], {"general": DESCRIPTION}
    )
    assert [line.split(" of node group")[0] for line in refused] == ["instance_types", "disk_size", "The launch template"]


@pytest.mark.parametrize(
    ("status", "message"),
    [
        ("ACTIVE", []),
        ("DELETING", ["Node group general is DELETING: run again when it is gone."]),
        ("CREATE_FAILED", ["Node group general is CREATE_FAILED: set it to state absent, then run again."]),
    ],
)
def test_a_node_group_on_its_way_out_is_not_changed(status: str, message: list[str]) -> None:
    assert find_refusals([_spec()], {"general": {**DESCRIPTION, "status": status}}) == message


def test_a_creation_says_what_is_desired_and_leaves_the_rest_to_eks() -> None:
    made = render_creation(
        _spec(taints=[TAINT], min_size=2, max_size=6, desired_size=3, labels={"a": "b"}, launch_template={"id": "lt-1", "name": None, "version": "2"})
    )
    _validate("CreateNodegroup", made)
    assert made["launchTemplate"] == {"id": "lt-1", "version": "2"}
    assert made["scalingConfig"] == {"minSize": 2, "maxSize": 6, "desiredSize": 3}
    assert not {"amiType", "instanceTypes", "version", "updateConfig"} & made.keys()


def test_health_issues_are_reported_with_what_they_concern() -> None:
    issues = [{"code": "AsgInstanceLaunchFailures", "message": "no capacity", "resourceIds": ["asg-1"]}]
    assert health_issues({"health": {"issues": issues}}) == ["AsgInstanceLaunchFailures: no capacity (asg-1)"]
