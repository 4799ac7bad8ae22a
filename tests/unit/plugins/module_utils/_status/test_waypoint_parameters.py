from __future__ import annotations

import copy
from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._mesh.parameters import MARK, expected_mark
from ansible_collections.meshwright.ambient.plugins.module_utils._status.waypoint_parameters import find_difference, judge_waypoint_parameters
from tests.unit.objects import Object, derived, recorded

# As they were recorded, with the overlays for which istiod made them.
DEPLOYMENT = recorded("deployment/waypoint_with_parameters")
SERVICE = recorded("service/of_waypoint_with_parameters")
AUTOSCALER = recorded("horizontalpodautoscaler/of_waypoint")
BUDGET = recorded("poddisruptionbudget/of_waypoint")
POD = {
    "containers": [{"name": "istio-proxy", "resources": {"requests": {"cpu": "0.2", "memory": "0.25Gi"}}}],
    "nodeSelector": {"kubernetes.io/os": "linux"},
    "tolerations": [{"key": "workload", "operator": "Exists"}],
}
CPU = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}}
OVERLAYS: dict[str, Any] = {
    "deployment": {"spec": {"template": {"spec": POD}}},
    "service": {"metadata": {"annotations": {"team": "shop"}}, "spec": {"type": "NodePort"}},
    "horizontalPodAutoscaler": {"spec": {"minReplicas": 2, "maxReplicas": 4, "metrics": [CPU]}},
    "podDisruptionBudget": {"spec": {"maxUnavailable": "50%"}},
}
PLAIN = recorded("deployment/waypoint_available")


def _rendered(deployment: Object, overlays: dict[str, Any]) -> Object:
    """The Deployment with the mark that says that istiod has rendered these overlays."""
    return derived(deployment, {"metadata": {"annotations": {MARK: expected_mark(overlays) or None}}})


def test_what_istiod_made_of_the_overlays_is_what_they_ask_for() -> None:
    assert judge_waypoint_parameters(OVERLAYS, DEPLOYMENT, SERVICE, AUTOSCALER, BUDGET) is None


def test_nothing_is_asked_for() -> None:
    assert judge_waypoint_parameters({}, PLAIN, recorded("service/of_waypoint"), None, None) is None


def _without(name: str) -> dict[str, Any]:
    return {key: overlay for key, overlay in OVERLAYS.items() if key != name}


@pytest.mark.parametrize(
    ("overlays", "differences", "message"),
    [
        pytest.param(OVERLAYS, {"deployment": None}, "istiod has not created the Deployment yet", id="no-deployment"),
        pytest.param(OVERLAYS, {"autoscaler": None}, "istiod has not created the HorizontalPodAutoscaler yet", id="no-autoscaler"),
        pytest.param(OVERLAYS, {"budget": None}, "istiod has not created the PodDisruptionBudget yet", id="no-budget"),
        pytest.param(
            OVERLAYS,
            {"service": {"spec": {"type": "ClusterIP"}}},
            "Service bookinfo/waypoint: spec.type is 'ClusterIP', not 'NodePort'",
            id="another-value",
        ),
        pytest.param(
            OVERLAYS,
            {"service": {"metadata": {"annotations": {"team": None}}}},
            "Service bookinfo/waypoint: metadata.annotations.team is not set, not 'shop'",
            id="no-value",
        ),
        pytest.param(
            OVERLAYS,
            {"autoscaler": {"spec": {"maxReplicas": 9}}},
            "HorizontalPodAutoscaler bookinfo/waypoint: spec.maxReplicas is 9, not 4",
            id="autoscaler-differs",
        ),
        pytest.param(
            OVERLAYS,
            {"deployment": {"spec": {"template": {"spec": {"tolerations": []}}}}},
            "Deployment bookinfo/waypoint: spec.template.spec.tolerations has 0 items, not 1",
            id="a-list-differs",
        ),
        pytest.param(
            OVERLAYS,
            {"deployment": {"spec": {"replicas": 1}}},
            "its autoscaler requires at least 2 pods, but its Deployment requests 1",
            id="not-scaled-yet",
        ),
        pytest.param(
            OVERLAYS,
            {"deployment": {"metadata": {"annotations": {MARK: "0"}}}},
            "istiod has not rendered these parameters yet; its objects still reflect the previous ones",
            id="former-parameters",
        ),
        pytest.param(
            _without("horizontalPodAutoscaler"),
            {"deployment": {"metadata": {"annotations": {MARK: expected_mark(_without("horizontalPodAutoscaler"))}}}},
            "HorizontalPodAutoscaler bookinfo/waypoint is left over, although nothing requires it any more",
            id="autoscaler-left-behind",
        ),
        pytest.param(
            _without("podDisruptionBudget"),
            {"deployment": {"metadata": {"annotations": {MARK: expected_mark(_without("podDisruptionBudget"))}}}},
            "PodDisruptionBudget bookinfo/waypoint is left over, although nothing requires it any more",
            id="budget-left-behind",
        ),
        pytest.param({}, {}, "istiod has not rendered these parameters yet; its objects still reflect the previous ones", id="parameters-left-behind"),
    ],
)
def test_the_first_difference_is_reported(overlays: dict[str, Any], differences: dict[str, Object | None], message: str) -> None:
    objects: dict[str, Object | None] = {"deployment": DEPLOYMENT, "service": SERVICE, "autoscaler": AUTOSCALER, "budget": BUDGET}
    for name, difference in differences.items():
        found = objects[name]
        objects[name] = derived(found, difference) if found is not None and difference is not None else None
    verdict = judge_waypoint_parameters(overlays, **objects)
    assert verdict is not None
    assert (verdict.status, verdict.reason, verdict.message) == ("InProgress", "ParametersNotApplied", message)
    assert verdict.remedy
    assert not verdict.final


def test_what_somebody_else_made_does_not_stay_behind() -> None:
    foreign = derived(AUTOSCALER, {"metadata": {"labels": {"gateway.istio.io/managed": None}}})
    assert judge_waypoint_parameters({}, PLAIN, SERVICE, foreign, None) is None


def test_what_the_defaults_of_the_class_ask_for_does_not_stay_behind() -> None:
    assert judge_waypoint_parameters({"horizontalPodAutoscaler": None}, PLAIN, SERVICE, AUTOSCALER, None) is None
    assert judge_waypoint_parameters({"horizontalPodAutoscaler": None}, PLAIN, SERVICE, None, None) is None


def test_the_remedy_says_whether_istiod_has_rendered() -> None:
    desired = {"service": {"spec": {"type": "LoadBalancer"}}}
    before = judge_waypoint_parameters(desired, PLAIN, SERVICE, None, None)
    after = judge_waypoint_parameters(desired, _rendered(PLAIN, desired), SERVICE, None, None)
    assert before is not None and "its log says why (error rendering templates)" in before.remedy
    assert after is not None and "managedFields" in after.remedy


@pytest.mark.parametrize(
    ("desired", "current", "same"),
    [
        pytest.param({"requests": {"cpu": "100m"}}, {"requests": {"cpu": "0.1"}}, True, id="milli"),
        pytest.param({"requests": {"cpu": 1}}, {"requests": {"cpu": "1"}}, True, id="number"),
        pytest.param({"limits": {"memory": "1Gi"}}, {"limits": {"memory": "1024Mi"}}, True, id="binary"),
        pytest.param({"limits": {"memory": "1e3"}}, {"limits": {"memory": "1k"}}, True, id="exponent"),
        pytest.param({"limits": {"memory": "1G"}}, {"limits": {"memory": "1Gi"}}, False, id="decimal-is-not-binary"),
        pytest.param({"target": {"averageValue": "1000m"}}, {"target": {"averageValue": "1"}}, True, id="metric"),
        pytest.param({"labels": {"version": "1.0"}}, {"labels": {"version": "1"}}, False, id="a-label-is-no-quantity"),
        pytest.param({"env": [{"name": "a", "value": "1000m"}]}, {"env": [{"name": "a", "value": "1"}]}, False, id="a-variable-is-no-quantity"),
        pytest.param({"limits": {"memory": "much"}}, {"limits": {"memory": "1"}}, False, id="no-quantity"),
        pytest.param({"limits": {"memory": "1"}}, {}, False, id="not-set"),
        pytest.param({"a": True}, {"a": 1}, False, id="a-boolean-is-no-number"),
        pytest.param({"a": None}, {"a": "the API server's default"}, True, id="what-is-removed-is-not-compared"),
        pytest.param({"$patch": "replace", "a": 1}, {"a": 1}, True, id="directives-are-no-fields"),
        pytest.param({"metrics": [{"type": "Pods"}]}, {"metrics": [{"type": "Pods", "more": 1}]}, True, id="defaults-in-a-list"),
        pytest.param({"tolerations": ["x"]}, {"tolerations": ["y"]}, False, id="plain-list"),
        pytest.param({"containers": [{"name": "b"}]}, {"containers": [{"name": "a"}, {"name": "b"}]}, True, id="item-by-name"),
        pytest.param({"containers": [{"name": "c"}]}, {"containers": [{"name": "a"}]}, False, id="item-missing"),
        pytest.param({"containers": [{"name": "a", "$patch": "delete"}]}, {"containers": [{"name": "a"}]}, False, id="item-not-deleted"),
        pytest.param({"containers": [{"name": "a", "$patch": "delete"}]}, {"containers": [{"name": "b"}]}, True, id="item-deleted"),
    ],
)
def test_find_difference(desired: dict[str, Any], current: dict[str, Any], same: bool) -> None:
    assert (find_difference(desired, current) == "") is same


def test_judging_changes_nothing() -> None:
    overlays, deployment = copy.deepcopy(OVERLAYS), copy.deepcopy(DEPLOYMENT)
    judge_waypoint_parameters(overlays, deployment, SERVICE, AUTOSCALER, BUDGET)
    assert (overlays, deployment) == (OVERLAYS, DEPLOYMENT)
