"""What the module asks of EKS, and in which order; what is decided is tested with the plan."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._aws.poll import wait_until
from ansible_collections.meshwright.ambient.plugins.module_utils._eks_nodegroup import apply
from ansible_collections.meshwright.ambient.plugins.module_utils._errors import MeshError
from ansible_collections.meshwright.ambient.plugins.modules import eks_nodegroup
from tests.unit.aws_stub import ANY, AwsStub, Clock, stub_module

ROLE = "arn:aws:iam::123456789012:role/nodes"
ARN = "arn:aws:eks:eu-west-1:123456789012:nodegroup/prod/general/1"
NAMES = {"clusterName": "prod", "nodegroupName": "general"}


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """No test waits: the pauses move a clock of its own."""
    clock = Clock()
    monkeypatch.setattr(apply, "wait_until", partial(wait_until, clock=clock, pause=clock.pause))
    return clock


def _description(status: str = "ACTIVE", **change: Any) -> dict[str, Any]:
    group = {"nodegroupName": "general", "nodegroupArn": ARN, "status": status, "nodeRole": ROLE, "subnets": ["a", "b"], "version": "1.34", **change}
    return {"nodegroup": group}


def _run(aws: AwsStub, *, check: bool = False, spec: dict[str, Any] | None = None, **options: Any) -> dict[str, Any]:
    completed = {name: option.get("default") for name, option in eks_nodegroup.OPTIONS["nodegroups"]["options"].items()}
    item = {**completed, "name": "general", "node_role": ROLE, "subnets": ["a", "b"], **(spec or {})}
    module = stub_module(eks_nodegroup.OPTIONS, check_mode=check, cluster="prod", nodegroups=[item], **options)
    return eks_nodegroup.ensure_nodegroups(module, aws.session)


def _absent(aws: AwsStub) -> None:
    aws.refuse("eks", "describe_nodegroup", "ResourceNotFoundException", status=404, **NAMES)


def test_a_new_node_group_is_made_and_waited_for() -> None:
    with AwsStub() as aws:
        _absent(aws)
        aws.answer("eks", "create_nodegroup", _description("CREATING"), **NAMES, nodeRole=ROLE, subnets=["a", "b"], tags={"Project": "shop"})
        aws.answer("eks", "describe_nodegroup", _description("CREATING"), **NAMES)
        aws.answer("eks", "describe_nodegroup", _description(), **NAMES)
        result = _run(aws, spec={"tags": {"Project": "shop"}})
    assert result["changed"]
    assert [(group["action"], group["status"]) for group in result["nodegroups"]] == [("created", "ACTIVE")]


def test_check_mode_only_reads() -> None:
    with AwsStub() as aws:
        _absent(aws)
        result = _run(aws, check=True)
    assert result["changed"]
    assert result["diff"][0]["before"] == ""
    assert "nodeRole" in result["diff"][0]["after"]


def test_a_node_group_that_matches_costs_one_request() -> None:
    with AwsStub() as aws:
        aws.answer("eks", "describe_nodegroup", _description(), **NAMES)
        result = _run(aws)
    assert not result["changed"]
    assert aws.session.api_calls == {"eks:DescribeNodegroup": 1}


def test_settings_are_changed_before_the_version() -> None:
    with AwsStub() as aws:
        aws.answer("eks", "describe_nodegroup", _description(), **NAMES)
        aws.answer("eks", "update_nodegroup_config", {"update": {"id": "u1"}}, **NAMES, labels={"addOrUpdateLabels": {"tier": "web"}})
        aws.answer("eks", "describe_nodegroup", _description("UPDATING"), **NAMES)
        aws.answer("eks", "describe_nodegroup", _description(), **NAMES)
        aws.answer("eks", "describe_update", {"update": {"id": "u1", "status": "Successful"}}, name="prod", nodegroupName="general", updateId="u1")
        aws.answer("eks", "update_nodegroup_version", {"update": {"id": "u2"}}, **NAMES, version="1.35")
        aws.answer("eks", "describe_nodegroup", _description(version="1.35"), **NAMES)
        aws.answer("eks", "describe_update", {"update": {"id": "u2", "status": "Successful"}}, name="prod", nodegroupName="general", updateId="u2")
        result = _run(aws, spec={"labels": {"tier": "web"}, "version": "1.35"})
    assert result["nodegroups"][0]["version"] == "1.35"


def test_a_failed_update_is_reported_with_the_words_of_eks() -> None:
    failed = {"update": {"id": "u1", "status": "Failed", "errors": [{"errorCode": "PodEvictionFailure", "errorMessage": "a budget forbids it"}]}}
    with AwsStub() as aws:
        aws.answer("eks", "describe_nodegroup", _description(), **NAMES)
        aws.answer("eks", "update_nodegroup_version", {"update": {"id": "u1"}}, **NAMES, version="1.35")
        aws.answer("eks", "describe_nodegroup", _description(), **NAMES)
        aws.answer("eks", "describe_update", failed, name="prod", nodegroupName="general", updateId="u1")
        with pytest.raises(MeshError, match=r"update of node group general of cluster prod is Failed \(PodEvictionFailure: a budget forbids it\)"):
            _run(aws, spec={"version": "1.35"})


def test_a_creation_that_failed_is_reported_with_what_to_do() -> None:
    issues = {"health": {"issues": [{"code": "NodeCreationFailure", "message": "no way out", "resourceIds": ["i-1"]}]}}
    with AwsStub() as aws:
        aws.answer("eks", "describe_nodegroup", _description("CREATE_FAILED", **issues), **NAMES)
        with pytest.raises(MeshError, match=r"CREATE_FAILED \(NodeCreationFailure: no way out \(i-1\)\): set it to state absent, then run again"):
            _run(aws)


def test_a_wait_that_is_too_short_says_how_to_go_on() -> None:
    with AwsStub() as aws:
        for _ in range(2):
            aws.answer("eks", "describe_nodegroup", _description("CREATING"), **NAMES)
        with pytest.raises(MeshError, match="still CREATING after 0 s: raise wait_timeout, or run again to keep waiting"):
            _run(aws, wait_timeout=0)


def test_a_creation_of_an_interrupted_run_is_waited_for() -> None:
    with AwsStub() as aws:
        aws.answer("eks", "describe_nodegroup", _description("CREATING"), **NAMES)
        aws.answer("eks", "describe_nodegroup", _description(), **NAMES)
        result = _run(aws)
    assert not result["changed"]
    assert result["nodegroups"][0]["status"] == "ACTIVE"


def test_a_node_group_is_deleted_and_its_end_waited_for() -> None:
    with AwsStub() as aws:
        aws.answer("eks", "describe_nodegroup", _description(), **NAMES)
        aws.answer("eks", "delete_nodegroup", _description("DELETING"), **NAMES)
        _absent(aws)
        result = _run(aws, spec={"state": "absent"})
    assert result["nodegroups"][0]["action"] == "deleted"


def test_tags_are_set_and_taken_away() -> None:
    with AwsStub() as aws:
        aws.answer("eks", "describe_nodegroup", _description(tags={"old": "x", "kept": "y"}), **NAMES)
        aws.answer("eks", "tag_resource", {}, resourceArn=ARN, tags={"new": "z"})
        aws.answer("eks", "untag_resource", {}, resourceArn=ARN, tagKeys=ANY)
        aws.answer("eks", "describe_nodegroup", _description(tags={"new": "z", "kept": "y"}), **NAMES)
        result = _run(aws, spec={"tags": {"new": "z", "kept": "y"}})
    assert "old: x" not in result["diff"][0]["after"]
    assert result["changed"]
