"""What is taken out of an inventory is switched off if the collection has switched it on; the rest is left alone."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._alb.spec import ALB as ALB_OPTIONS
from ansible_collections.meshwright.ambient.plugins.module_utils._alb.spec import parse_alb
from ansible_collections.meshwright.ambient.plugins.module_utils._gateway.spec import GATEWAY, parse_gateway
from ansible_collections.meshwright.ambient.plugins.module_utils._ingress.plan import Change, plan_changes
from ansible_collections.meshwright.ambient.plugins.module_utils._ingress.spec import complete

ALB: dict[str, Any] = {"name": "public", "namespace": "istio-ingress", "gateway": "public"}
NLB: dict[str, Any] = {"name": "edge", "namespace": "istio-ingress", "load_balancer": "nlb"}
KEY = ("Ingress", "istio-ingress", "public")
GATEWAY_KEY = ("Gateway", "istio-ingress", "edge")
WEB_ACL = "arn:aws:wafv2:eu-central-1:123456789012:regional/webacl/shop/1"
PREFIX = "alb.ingress.kubernetes.io/"


def applied(manifest: dict[str, Any], manager: str = "meshwright") -> dict[str, Any]:
    """An object on the server as a server-side apply leaves it."""

    def fields(value: Any) -> dict[str, Any]:
        return {f"f:{name}": fields(below) for name, below in value.items()} if isinstance(value, dict) else {}

    item = copy.deepcopy(manifest)
    own = {name: value for name, value in manifest.items() if name not in ("apiVersion", "kind")}
    item["metadata"]["managedFields"] = [{"manager": manager, "operation": "Apply", "fieldsV1": fields(own)}]
    return item


def plan_albs(*items: dict[str, Any], current: dict[Any, Any] | None = None) -> list[Change]:
    return plan_changes([parse_alb(item) for item in complete(list(items), ALB_OPTIONS)], current or {})


def plan_gateway(item: dict[str, Any], current: dict[Any, Any] | None = None) -> Change:
    return plan_changes([parse_gateway(item) for item in complete([item], GATEWAY)], current or {})[0]


def manifest_of(item: dict[str, Any]) -> dict[str, Any]:
    return plan_albs(item)[0].desired.manifest


def after(before: dict[str, Any], now: dict[str, Any], *others: dict[str, Any], manager: str = "meshwright") -> dict[str, str]:
    """The annotations that an ALB is given now, after a run in which it was another."""
    current = applied(manifest_of({**ALB, **before}), manager)
    changes = plan_albs({**ALB, **now}, *others, current={KEY: current})
    assert changes[0].desired is changes[0].item.main
    annotations: dict[str, str] = changes[0].desired.manifest["metadata"]["annotations"]
    return annotations


@pytest.mark.parametrize(
    ("before", "annotation", "off"),
    [
        pytest.param({"waf_acl_arn": WEB_ACL}, "wafv2-acl-arn", "none", id="waf"),
        pytest.param({"shield": True}, "shield-advanced-protection", "false", id="shield"),
        pytest.param({"access_logs": {"bucket": "logs"}}, "load-balancer-attributes", "access_logs.s3.enabled=false", id="access logs"),
        pytest.param({"deletion_protection": True}, "load-balancer-attributes", "deletion_protection.enabled=false", id="deletion protection"),
    ],
)
def test_what_is_taken_out_is_switched_off_and_stays_off(before: dict[str, Any], annotation: str, off: str) -> None:
    assert after(before, {})[f"{PREFIX}{annotation}"] == off
    current = applied(manifest_of({**ALB, **before}))
    first = plan_albs(ALB, current={KEY: current})[0]
    assert first.action == "changed"
    second = plan_albs(ALB, current={KEY: applied(first.desired.manifest)})[0]
    assert second.action == "unchanged", "the annotation must stay as it is, or each run would change it"


def test_what_was_never_switched_on_is_not_switched_off() -> None:
    assert after({}, {}) == manifest_of(ALB)["metadata"]["annotations"]
    assert f"{PREFIX}wafv2-acl-arn" not in after({"waf_acl_arn": WEB_ACL}, {}, manager="kubectl"), "what others attach is theirs"


def test_what_is_given_now_counts() -> None:
    assert after({"waf_acl_arn": WEB_ACL}, {"waf_acl_arn": f"{WEB_ACL}2"})[f"{PREFIX}wafv2-acl-arn"] == f"{WEB_ACL}2"
    attributes = after({"access_logs": {"bucket": "logs"}, "idle_timeout": 90}, {"idle_timeout": 60})[f"{PREFIX}load-balancer-attributes"]
    assert attributes == "access_logs.s3.enabled=false,idle_timeout.timeout_seconds=60"


def test_members_of_a_group_do_not_contradict_each_other() -> None:
    group = {"group_name": "shop"}
    other = {**ALB, **group, "name": "other", "waf_acl_arn": WEB_ACL, "deletion_protection": True}
    before = {**group, "waf_acl_arn": WEB_ACL, "deletion_protection": True}
    assert f"{PREFIX}wafv2-acl-arn" not in after(before, group, other)
    assert f"{PREFIX}load-balancer-attributes" not in after(before, group, other)
    assert after(before, group, {**other, "waf_acl_arn": None})[f"{PREFIX}wafv2-acl-arn"] == "none"
    assert after(before, group, {**other, "group_name": "else"})[f"{PREFIX}wafv2-acl-arn"] == "none"


def test_an_nlb_loses_its_logs_and_its_protection_in_the_same_way() -> None:
    guarded = {**NLB, "nlb": {"name": "edge", "deletion_protection": True, "access_logs": {"bucket": "logs"}}}
    current = applied(plan_gateway(guarded).desired.manifest)
    changed = plan_gateway({**NLB, "nlb": {"name": "edge", "cross_zone": True}}, {GATEWAY_KEY: current})
    annotations = changed.desired.manifest["spec"]["infrastructure"]["annotations"]
    assert annotations["service.beta.kubernetes.io/aws-load-balancer-attributes"] == (
        "access_logs.s3.enabled=false,deletion_protection.enabled=false,load_balancing.cross_zone.enabled=true"
    )
    plain = plan_gateway({**NLB, "load_balancer": "none"}, {GATEWAY_KEY: current})
    assert "service.beta.kubernetes.io/aws-load-balancer-attributes" not in str(plain.desired.manifest)
