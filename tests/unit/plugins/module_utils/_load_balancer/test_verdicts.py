"""Which load balancer is meant, and the verdicts on it."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._load_balancer.spec import parse_spec
from ansible_collections.meshwright.ambient.plugins.module_utils._load_balancer.verdicts import (
    format_failure,
    format_progress,
    remedy_for,
    verdict_on,
    verdicts_on,
)

ARN = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/web/1"


def _target(number: int, state: str = "healthy", reason: str = "", description: str = "") -> dict[str, Any]:
    return {"id": f"10.0.0.{number}", "port": 80, "zone": "", "state": state, "reason": reason, "description": description}


CHECK = {"enabled": True, "protocol": "HTTP", "port": "15021", "path": "/healthz/ready", "success_codes": "200"}


def _group(*targets: dict[str, Any], target_type: str = "ip", **check: Any) -> dict[str, Any]:
    return {"name": "g", "protocol": "HTTP", "port": 80, "target_type": target_type, "health_check": {**CHECK, **check}, "targets": list(targets)}


HTTP = {"port": 80, "protocol": "HTTP", "ssl_policy": "", "certificate_arns": []}
HTTPS = {"port": 443, "protocol": "HTTPS", "ssl_policy": "P", "certificate_arns": ["c1", "c2"]}


def _balancer(*groups: dict[str, Any], state: str = "active", why: str = "", **fields: Any) -> dict[str, Any]:
    balancer = {"arn": ARN, "name": "web", "dns_name": "web-1", "state": state, "state_reason": why}
    return {**balancer, "listeners": [HTTP, HTTPS], "target_groups": list(groups), **fields}


HEALTHY, SICK = _target(1), _target(2, "unhealthy", "Target.Timeout", "Request timed out")
WRONG, NEW = _target(3, "unhealthy", "Target.ResponseCodeMismatch"), _target(4, "initial", "Elb.InitialHealthChecking")
LEAVING, UNUSED = _target(5, "draining", "Target.DeregistrationInProgress"), _target(6, "unused", "Target.NotInUse")


@pytest.mark.requirement("E33")
@pytest.mark.parametrize(
    ("item", "found", "expected"),
    [
        ({}, [], ("NotFound", "NotFound", False)),
        ({}, [_balancer(_group(HEALTHY)), _balancer(_group(HEALTHY))], ("Failed", "Ambiguous", True)),
        ({}, [_balancer(state="provisioning")], ("InProgress", "Provisioning", False)),
        ({}, [_balancer(state="failed", why="no room")], ("Failed", "ProvisioningFailed", True)),
        ({}, [_balancer(_group(HEALTHY), state="active_impaired")], ("InProgress", "Impaired", False)),
        ({"listeners": [{"port": 8443}]}, [_balancer(_group(HEALTHY))], ("InProgress", "ListenerMissing", False)),
        ({"listeners": [{"port": 80, "protocol": "HTTPS"}]}, [_balancer(_group(HEALTHY))], ("InProgress", "ListenerDiffers", False)),
        ({"listeners": [{"port": 443, "certificate_arns": ["c3"]}]}, [_balancer(_group(HEALTHY))], ("InProgress", "ListenerDiffers", False)),
        ({"listeners": [{"port": 443, "ssl_policy": "Q"}]}, [_balancer(_group(HEALTHY))], ("InProgress", "ListenerDiffers", False)),
        (
            {"listeners": [{"port": 443, "protocol": "HTTPS", "certificate_arns": ["c2"], "ssl_policy": "P"}]},
            [_balancer(_group(HEALTHY))],
            ("Current", "", False),
        ),
        ({}, [_balancer()], ("InProgress", "NoTargetGroups", False)),
        ({}, [_balancer(_group())], ("InProgress", "NoTargets", False)),
        ({}, [_balancer(_group(LEAVING))], ("InProgress", "NoTargets", False)),
        ({}, [_balancer(_group(HEALTHY, LEAVING))], ("Current", "", False)),
        ({}, [_balancer(_group(HEALTHY), _group(HEALTHY, SICK))], ("InProgress", "Target.Timeout", False)),
        ({"healthy_targets": "any"}, [_balancer(_group(HEALTHY, SICK))], ("Current", "", False)),
        ({"healthy_targets": "any"}, [_balancer(_group(HEALTHY), _group(SICK))], ("InProgress", "Target.Timeout", False)),
        ({"healthy_targets": "none"}, [_balancer()], ("Current", "", False)),
        ({}, [_balancer(_group(NEW, NEW, WRONG))], ("InProgress", "Target.ResponseCodeMismatch", False)),
        ({}, [_balancer(_group(UNUSED))], ("InProgress", "Target.NotInUse", False)),
        ({}, [_balancer(_group(NEW))], ("InProgress", "Elb.InitialHealthChecking", False)),
        ({"state": "absent"}, [], ("Current", "", False)),
        ({"state": "absent"}, [_balancer()], ("InProgress", "StillThere", False)),
        ({"state": "absent"}, [_balancer(attributes={"deletion_protection.enabled": "true"})], ("InProgress", "DeletionProtection", False)),
    ],
)
def test_a_verdict_is_about_the_first_thing_that_is_not_well(item: dict[str, Any], found: list[dict[str, Any]], expected: tuple[str, str, bool]) -> None:
    verdict = verdict_on(parse_spec({"name": "web", **item}), found)
    assert (verdict.status, verdict.reason, verdict.final) == expected
    assert verdict.current or (verdict.message and verdict.remedy)


REASONS = [
    ("Target.Timeout", "security group to reach that port"),
    ("Target.ResponseCodeMismatch", "uses HTTP port 15021 path /healthz/ready and expects 200"),
    ("Target.FailedHealthChecks", "refused or broken"),
    ("Target.NotRegistered", "TargetGroupBinding"),
    ("Target.NotInUse", "No listener forwards to this target group"),
    ("Target.InvalidState", "stopped or terminated"),
    ("Target.IpUnusable", "belongs to a load balancer"),
    ("Target.DeregistrationInProgress", "being deregistered"),
    ("Target.HealthCheckDisabled", "Enable the health check"),
    ("Elb.InternalError", "internal problem"),
    ("Elb.RegistrationInProgress", "Wait"),
    ("Elb.InitialHealthChecking", "Wait"),
    ("Target.Unheard", "its health check uses HTTP port 15021"),
]


@pytest.mark.parametrize(("reason", "text"), REASONS)
def test_each_reason_of_aws_has_a_remedy(reason: str, text: str) -> None:
    assert text in remedy_for(reason, _group(HEALTHY))


def test_botocore_knows_no_reason_without_a_remedy() -> None:
    from botocore.session import Session

    known = Session().get_service_model("elbv2").shape_for("TargetHealthReasonEnum").enum
    assert set(known) <= {reason for reason, _message in REASONS}


def test_with_instance_targets_the_remedy_speaks_of_node_ports() -> None:
    assert "NodePort" in remedy_for("Target.Timeout", _group(HEALTHY, target_type="instance"))
    assert "80 (the port of the traffic)" in remedy_for("Target.Timeout", _group(HEALTHY, port="traffic-port"))


def test_the_message_counts_targets_and_names_some_of_each_reason() -> None:
    sick = [{**SICK, "id": f"10.0.1.{number}"} for number in range(5)]
    verdict = verdict_on(parse_spec({"name": "web"}), [_balancer(_group(HEALTHY, *sick, NEW))])
    assert verdict.message.startswith(
        "1 of 7 targets of target group g (HTTP 80, ip targets) are healthy: 10.0.1.0:80, 10.0.1.1:80, 10.0.1.2:80 and 2 more are"
    )
    assert verdict.message.endswith("Target.Timeout (Request timed out); 10.0.0.4:80 is initial, Elb.InitialHealthChecking")


def test_all_of_a_cluster_get_a_verdict_each_and_a_failure_has_a_line_for_each() -> None:
    rows = verdicts_on(parse_spec({"cluster": "prod"}), [_balancer(_group(HEALTHY)), {**_balancer(_group(SICK)), "name": "edge"}])
    assert format_progress(rows).startswith("1 of 2 ready: load balancer edge of cluster prod is InProgress (Target.Timeout): 0 of 1 targets")
    assert len(format_failure(rows, "eu-west-1", 3.2).splitlines()) == 2
    assert verdicts_on(parse_spec({"cluster": "prod"}), []) == []
    assert verdicts_on(parse_spec({"cluster": "prod", "state": "absent"}), [])[0].verdict.current
