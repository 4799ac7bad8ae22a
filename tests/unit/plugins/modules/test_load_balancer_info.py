"""What the module asks of AWS, how often, and when it ends."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._errors import MeshError
from ansible_collections.meshwright.ambient.plugins.modules.load_balancer_info import OPTIONS, report_load_balancers
from tests.unit.aws_stub import AwsStub, stub_module

BASE = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:"
ITEM = {name: option.get("default") for name, option in OPTIONS["load_balancers"]["options"].items()}  # type: ignore[attr-defined]


def _arn(name: str) -> str:
    return f"{BASE}loadbalancer/app/{name}/1"


def _message(name: str, state: str = "active", kind: str = "application") -> dict[str, Any]:
    return {"LoadBalancerArn": _arn(name), "LoadBalancerName": name, "DNSName": f"{name}-1", "Type": kind, "State": {"Code": state}}


def _run(aws: AwsStub, *items: dict[str, Any], **params: Any) -> dict[str, Any]:
    time = [0.0]

    def pause(seconds: float) -> None:
        time[0] += seconds

    module = stub_module(OPTIONS, load_balancers=[{**ITEM, **item} for item in items], **params)
    return report_load_balancers(module, aws.session, clock=lambda: time[0], pause=pause)


def _answer_poll(aws: AwsStub, name: str, *states: str) -> None:
    """Listeners and one target group of a load balancer, with a target in each of these states."""
    listener = {"ListenerArn": f"{BASE}listener/{name}", "Port": 80, "Protocol": "HTTP", "DefaultActions": []}
    aws.answer("elbv2", "describe_listeners", {"Listeners": [listener]}, LoadBalancerArn=_arn(name))
    group = {"TargetGroupArn": f"{BASE}targetgroup/{name}", "TargetGroupName": name, "Protocol": "HTTP", "Port": 80, "TargetType": "ip"}
    aws.answer("elbv2", "describe_target_groups", {"TargetGroups": [group]}, LoadBalancerArn=_arn(name))
    targets = [{"Target": {"Id": f"10.0.0.{place}", "Port": 80}, "TargetHealth": {"State": state}} for place, state in enumerate(states)]
    aws.answer("elbv2", "describe_target_health", {"TargetHealthDescriptions": targets}, TargetGroupArn=f"{BASE}targetgroup/{name}")


OWNED = [{"Key": "elbv2.k8s.aws/cluster", "Value": "prod"}, {"Key": "ingress.k8s.aws/stack", "Value": "shop/web"}]


@pytest.mark.requirement("E33")
def test_an_owner_is_searched_once_and_waited_for_until_its_targets_are_healthy(tmp_path: Path) -> None:
    progress = tmp_path / "progress"
    with AwsStub() as aws:
        aws.answer("elbv2", "describe_load_balancers", {"LoadBalancers": [_message("other")]})
        aws.answer("elbv2", "describe_tags", {"TagDescriptions": [{"ResourceArn": _arn("other")}]}, ResourceArns=[_arn("other")])
        aws.answer("elbv2", "describe_load_balancers", {"LoadBalancers": [_message("other"), _message("web", "provisioning")]})
        aws.answer("elbv2", "describe_tags", {"TagDescriptions": [{"ResourceArn": _arn("web"), "Tags": OWNED}]}, ResourceArns=[_arn("web")])
        for states in (("initial",), ("healthy",)):
            aws.answer("elbv2", "describe_load_balancers", {"LoadBalancers": [_message("web")]}, LoadBalancerArns=[_arn("web")])
            _answer_poll(aws, "web", *states)
        balancer = {"cluster": "prod", "ingress": "shop/web", "listeners": [{"port": 80, "protocol": "HTTP"}]}
        result = _run(aws, balancer, wait=True, details=False, progress=str(progress))
    assert [(row["status"], row["name"]) for row in result["load_balancers"]] == [("Current", "web")]
    reasons = [line.partition("(")[2].partition(")")[0] for line in progress.read_text().splitlines()]
    assert reasons == ["NotFound", "Provisioning", "initial", ""]


def test_forty_named_load_balancers_are_read_in_two_calls_and_tags_are_not_asked_for() -> None:
    names = [f"lb{number:02}" for number in range(40)]
    with AwsStub() as aws:
        for some in (names[:20], names[20:]):
            aws.answer("elbv2", "describe_load_balancers", {"LoadBalancers": [_message(name, "provisioning") for name in some]}, Names=some)
        for name in names:
            aws.answer("elbv2", "describe_listeners", {"Listeners": []}, LoadBalancerArn=_arn(name))
            aws.answer("elbv2", "describe_target_groups", {"TargetGroups": []}, LoadBalancerArn=_arn(name))
        _run(aws, *({"name": name} for name in names), details=False)
    assert aws.session.api_calls["elasticloadbalancing:DescribeLoadBalancers"] == 2


def test_one_that_does_not_exist_is_no_error_without_a_wait() -> None:
    with AwsStub() as aws:
        aws.refuse("elbv2", "describe_load_balancers", "LoadBalancerNotFound", Names=["a", "web"])
        aws.answer("elbv2", "describe_load_balancers", {"LoadBalancers": [_message("web")]})
        _answer_poll(aws, "web", "healthy")
        result = _run(aws, {"name": "a"}, {"name": "web"}, details=False)
    assert [row["status"] for row in result["load_balancers"]] == ["NotFound", "Current"]
    assert "failed" not in result


@pytest.mark.requirement("E33")
def test_details_web_acl_and_protection_are_read_once_at_the_end() -> None:
    with AwsStub() as aws:
        aws.answer("elbv2", "describe_load_balancers", {"LoadBalancers": [_message("web")]}, Names=["web"])
        _answer_poll(aws, "web", "healthy")
        aws.answer("elbv2", "describe_tags", {"TagDescriptions": [{"ResourceArn": _arn("web"), "Tags": OWNED}]}, ResourceArns=[_arn("web")])
        attributes = [{"Key": "idle_timeout.timeout_seconds", "Value": "60"}]
        aws.answer("elbv2", "describe_load_balancer_attributes", {"Attributes": attributes}, LoadBalancerArn=_arn("web"))
        aws.answer("elbv2", "describe_rules", {"Rules": []}, ListenerArn=f"{BASE}listener/web")
        aws.answer("elbv2", "describe_target_group_attributes", {"Attributes": []}, TargetGroupArn=f"{BASE}targetgroup/web")
        aws.answer("wafv2", "get_web_acl_for_resource", {}, ResourceArn=_arn("web"))
        aws.refuse("shield", "describe_protection", "ResourceNotFoundException", ResourceArn=_arn("web"))
        found = _run(aws, {"name": "web"}, waf=True, shield=True)["load_balancers"][0]
    assert found["attributes"] == {"idle_timeout.timeout_seconds": "60"}
    assert (found["owner"], found["web_acl_arn"], found["shield_protected"]) == ("Ingress shop/web of cluster prod", "", False)


def test_a_load_balancer_that_failed_ends_the_wait_at_once() -> None:
    with AwsStub() as aws:
        aws.answer("elbv2", "describe_load_balancers", {"LoadBalancers": [_message("web", "failed")]}, Names=["web"])
        aws.answer("elbv2", "describe_listeners", {"Listeners": []}, LoadBalancerArn=_arn("web"))
        aws.answer("elbv2", "describe_target_groups", {"TargetGroups": []}, LoadBalancerArn=_arn("web"))
        result = _run(aws, {"name": "web"}, wait=True, details=False)
    assert (result["failed"], result["elapsed"]) == (True, 0.0)
    assert "It will not become ready by waiting" in result["msg"]


def test_one_that_goes_while_it_is_read_is_not_found() -> None:
    with AwsStub() as aws:
        aws.answer("elbv2", "describe_load_balancers", {"LoadBalancers": [_message("web")]}, Names=["web"])
        aws.refuse("elbv2", "describe_listeners", "LoadBalancerNotFound", LoadBalancerArn=_arn("web"))
        assert _run(aws, {"name": "web"})["load_balancers"][0]["status"] == "NotFound"


def test_tags_are_asked_for_by_halves_when_one_has_gone() -> None:
    with AwsStub() as aws:
        aws.answer("elbv2", "describe_load_balancers", {"LoadBalancers": [_message("a"), _message("web")]})
        aws.refuse("elbv2", "describe_tags", "LoadBalancerNotFound", ResourceArns=[_arn("a"), _arn("web")])
        aws.refuse("elbv2", "describe_tags", "LoadBalancerNotFound", ResourceArns=[_arn("a")])
        aws.answer("elbv2", "describe_tags", {"TagDescriptions": [{"ResourceArn": _arn("web"), "Tags": OWNED}]}, ResourceArns=[_arn("web")])
        _answer_poll(aws, "web", "healthy")
        assert _run(aws, {"cluster": "prod"}, details=False)["load_balancers"][0]["name"] == "web"


def test_validation_errors_are_reported_before_aws_is_asked() -> None:
    with AwsStub() as aws, pytest.raises(MeshError, match=r"load_balancers\[1\] does not name"):
        _run(aws, {"name": "web"}, {})
    with AwsStub() as aws, pytest.raises(MeshError, match="add a load balancer"):
        _run(aws)
