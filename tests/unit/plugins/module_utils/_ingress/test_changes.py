"""From desired and current objects to changes."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._alb.spec import ALB as ALB_OPTIONS
from ansible_collections.meshwright.ambient.plugins.module_utils._alb.spec import parse_alb
from ansible_collections.meshwright.ambient.plugins.module_utils._diff import diff_titles
from ansible_collections.meshwright.ambient.plugins.module_utils._gateway.spec import GATEWAY as GATEWAY_OPTIONS
from ansible_collections.meshwright.ambient.plugins.module_utils._gateway.spec import parse_gateway
from ansible_collections.meshwright.ambient.plugins.module_utils._ingress.plan import plan_changes, protecting_attributes, report_changes
from ansible_collections.meshwright.ambient.plugins.module_utils._ingress.refusals import refuse_changes
from ansible_collections.meshwright.ambient.plugins.module_utils._ingress.spec import DesiredItem, complete
from ansible_collections.meshwright.ambient.plugins.module_utils._istio_ingress.spec import ISTIO_GATEWAY, parse_istio_gateway
from tests.unit.ingress_objects import applied, by_hand, service

GATEWAY: dict[str, Any] = {"name": "public", "namespace": "istio-ingress", "load_balancer": "alb"}
ALB: dict[str, Any] = {"name": "public", "namespace": "istio-ingress", "gateway": "public"}
NLB: dict[str, Any] = {"name": "edge", "namespace": "istio-ingress", "load_balancer": "nlb"}
ATTRIBUTES = "service.beta.kubernetes.io/aws-load-balancer-attributes"
NAMESPACES = ("istio-ingress",)


def gateways(*items: dict[str, Any]) -> list[DesiredItem]:
    return [parse_gateway(item) for item in complete(list(items), GATEWAY_OPTIONS)]


def albs(*items: dict[str, Any]) -> list[DesiredItem]:
    return [parse_alb(item) for item in complete(list(items), ALB_OPTIONS)]


def test_actions() -> None:
    desired = [*gateways(GATEWAY), *albs(ALB, {**ALB, "name": "old", "state": "absent"}, {**ALB, "name": "gone", "state": "absent"})]
    (old,) = albs({**ALB, "name": "old"})
    current = {desired[0].main.key: applied(desired[0].main.manifest), old.main.key: applied(old.main.manifest)}
    actions = {change.desired.key[2]: change.action for change in plan_changes(desired, current) if change.desired.key[0] != "ConfigMap"}
    assert actions == {"public": "created", "public-redirect-http": "unchanged", "old": "deleted", "gone": "unchanged"}


def test_changes_are_reported_with_what_can_be_waited_for() -> None:
    classic = parse_istio_gateway(complete([{"name": "classic", "namespace": "istio-ingress", "release": "x"}], ISTIO_GATEWAY)[0])
    report = report_changes(plan_changes([*gateways(NLB), classic], {}), ("Gateway", "HTTPRoute"))
    assert report["changed"]
    assert [(entry["kind"], entry["name"], entry["action"]) for entry in report["objects"]] == [
        ("Gateway", "edge", "created"),
        ("ConfigMap", "edge-parameters", "created"),
        ("IstioGateway", "classic", "created"),
    ]
    assert diff_titles(report["diff"]) == [
        "Gateway istio-ingress/edge",
        "ConfigMap istio-ingress/edge-parameters",
        "IstioGateway istio-ingress/classic",
    ]
    assert report["ready_targets"] == [{"kind": "Gateway", "name": "edge", "namespace": "istio-ingress", "load_balancer": True}]


def test_somebody_elses_route_under_the_redirects_name_is_left_alone() -> None:
    key = ("HTTPRoute", "istio-ingress", "public-redirect-http")
    changes = plan_changes(gateways(GATEWAY), {key: by_hand({"metadata": {"name": key[2], "namespace": key[1]}, "spec": {}})})
    assert [change.action for change in changes if change.desired.key == key] == ["unchanged"]


@pytest.mark.parametrize("state", ["present", "absent"])
def test_somebody_elses_object_is_neither_changed_nor_deleted(state: str) -> None:
    desired = albs({**ALB, "state": state, "idle_timeout": 60})
    changes = plan_changes(desired, {desired[0].main.key: by_hand(albs({**ALB, "idle_timeout": 9})[0].main.manifest)})
    refusals = refuse_changes(changes, NAMESPACES)
    assert any("Ingress istio-ingress/public was created by somebody else (field manager kubectl): choose another name" in refusal for refusal in refusals)
    assert refuse_changes(changes, NAMESPACES, force_conflicts=True) == []


@pytest.mark.requirement("A14")
def test_who_owns_which_field_that_would_change_is_named() -> None:
    desired = albs({**ALB, "idle_timeout": 60, "scheme": "internal"})
    current = by_hand(albs({**ALB, "idle_timeout": 9, "scheme": "internal", "path": "/shop"})[0].main.manifest)
    annotations = {"f:alb.ingress.kubernetes.io/load-balancer-attributes": {}, "f:alb.ingress.kubernetes.io/scheme": {}}
    current["metadata"]["managedFields"] = [
        {"manager": "helm", "operation": "Update", "fieldsV1": {"f:metadata": {"f:annotations": {".": {}, **annotations}}}},
        {"manager": "argocd-controller", "operation": "Apply", "fieldsV1": {"f:spec": {"f:rules": {}}}},
        {"manager": "controller", "operation": "Update", "fieldsV1": {"f:metadata": {"f:finalizers": {}}}},
        {"manager": "status", "operation": "Update", "subresource": "status", "fieldsV1": {"f:spec": {"f:rules": {}}}},
    ]
    (refusal,) = refuse_changes(plan_changes(desired, {desired[0].main.key: current}), NAMESPACES)
    assert refusal == (
        "ALB istio-ingress/public: Ingress istio-ingress/public was created by somebody else (field manager "
        "helm, which owns metadata.annotations.alb.ingress.kubernetes.io/load-balancer-attributes; "
        "argocd-controller, which owns spec.rules[0].http.paths[0].path): choose another name, or set force_conflicts to change it."
    )


@pytest.mark.requirement("E32")
def test_a_protected_load_balancer_is_deleted_only_on_request() -> None:
    current = applied(albs({**ALB, "deletion_protection": True})[0].main.manifest)
    changes = plan_changes(albs({**ALB, "state": "absent"}), {("Ingress", "istio-ingress", "public"): current})
    assert protecting_attributes(changes[0], {}) == "deletion_protection.enabled=true"
    assert any("has deletion protection" in refusal for refusal in refuse_changes(changes, NAMESPACES))
    assert refuse_changes(changes, NAMESPACES, override_deletion_protection=True) == []


def test_a_protected_network_load_balancer_is_deleted_only_on_request() -> None:
    current = applied(gateways(NLB)[0].main.manifest)
    changes = plan_changes(gateways({**NLB, "state": "absent"}), {("Gateway", "istio-ingress", "edge"): current})
    place = ("istio-ingress", "edge-istio")
    protected = service("edge-istio", "LoadBalancer", gateway="edge", **{ATTRIBUTES: "deletion_protection.enabled=true"})
    assert any("has deletion protection" in refusal for refusal in refuse_changes(changes, NAMESPACES, {place: protected}))
    assert refuse_changes(changes, NAMESPACES, {place: service("edge-istio", "LoadBalancer", gateway="edge")}) == []


def test_a_missing_namespace_is_refused() -> None:
    changes = plan_changes(albs(ALB, {**ALB, "name": "gone", "namespace": "gone", "state": "absent"}), {})
    assert refuse_changes(changes, ()) == ["ALB istio-ingress/public: namespace istio-ingress does not exist: create it first, or correct its name."]
