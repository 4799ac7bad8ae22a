from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._waypoint.spec import OPTIONS
from ansible_collections.meshwright.ambient.plugins.module_utils._waypoint.validation import find_validation_errors, find_warnings

BARE: dict[str, Any] = {name: option.get("default") for name, option in OPTIONS.items()} | {"namespace": "bookinfo"}


def _autoscaling(**fields: Any) -> dict[str, Any]:
    return {"autoscaling": {"min_replicas": None, "max_replicas": 5, "cpu_utilization": None, "metrics": None} | fields}


def _budget(**fields: Any) -> dict[str, Any]:
    return {"disruption_budget": {"min_available": None, "max_unavailable": None} | fields}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        pytest.param({"name": "a.b"}, ["the name is not valid for the Service that istiod creates"], id="dot"),
        pytest.param({"name": "a" * 64}, ["the name is not valid for the Service that istiod creates"], id="long"),
        pytest.param({"replicas": 0}, ["replicas is 0"], id="no-replicas"),
        pytest.param({"replicas": 2} | _autoscaling(), ["replicas and autoscaling both set the number of pods"], id="replicas-and-autoscaling"),
        pytest.param({"replicas": 1, "high_availability": True}, ["replicas is 1, which is not highly available"], id="one-is-not-available"),
        pytest.param(_autoscaling(min_replicas=6), ["autoscaling.min_replicas is 6, which is more than its max_replicas of 5"], id="min-above-max"),
        pytest.param(_autoscaling(min_replicas=0), ["autoscaling.min_replicas is 0"], id="min-of-none"),
        pytest.param(_autoscaling(max_replicas=1) | {"high_availability": True}, ["autoscaling.min_replicas is 2, which is more"], id="available-above-max"),
        pytest.param(
            _autoscaling(min_replicas=1) | {"high_availability": True}, ["autoscaling.min_replicas is 1, which is not highly available"], id="min-not-available"
        ),
        pytest.param(_autoscaling(cpu_utilization=0), ["autoscaling.cpu_utilization is 0"], id="no-cpu"),
        pytest.param(_budget(min_available="half"), ["disruption_budget.min_available is 'half'"], id="no-amount"),
        pytest.param({"labels": {f"l{number}": "x" for number in range(9)}}, ["labels has 9 entries"], id="many-labels"),
        pytest.param({"annotations": {f"a{number}": "x" for number in range(9)}}, ["annotations has 9 entries"], id="many-annotations"),
        pytest.param({"labels": {"gateway.networking.k8s.io/x": "y"}}, ["labels has gateway.networking.k8s.io/x, which istiod reserves"], id="dropped-label"),
        pytest.param(
            {"overlays": {"deployments": {}}},
            ["overlays.deployments is unknown, and istiod would then apply no overlay at all: use deployment, service, serviceAccount, "],
            id="unknown-key",
        ),
        pytest.param({"overlays": {"service": "type: NodePort"}}, ["overlays.service is not a dictionary: give the fields of a Service."], id="text"),
        pytest.param({"overlays": {"service": {"kind": "Deployment"}}}, ["overlays.service.kind is 'Deployment'"], id="another-kind"),
        *(
            pytest.param({"overlays": {"service": {"metadata": {field: value}}}}, [f"overlays.service.metadata.{field} cannot be changed"], id=field)
            for field, value in [("name", "x"), ("namespace", "x"), ("ownerReferences", []), ("finalizers", ["a/b"]), ("managedFields", [])]
        ),
        pytest.param(
            {"overlays": {"service": {"metadata": {"labels": {"gateway.istio.io/managed": "x"}}}}},
            ["overlays.service.metadata.labels.gateway.istio.io/managed identifies"],
            id="managed-label",
        ),
        pytest.param({"overlays": {"deployment": {"spec": {"selector": {}}}}}, ["overlays.deployment.spec.selector must select"], id="selector"),
        pytest.param(
            {"overlays": {"horizontalPodAutoscaler": {"spec": {"scaleTargetRef": {}}}}}, ["overlays.horizontalPodAutoscaler.spec.scaleTargetRef"], id="target"
        ),
        pytest.param(
            {"resources": {"requests": {"cpu": 1}}, "overlays": {"deployment": {"spec": {"template": {"spec": {"containers": [{"image": "x"}]}}}}}},
            ["overlays cannot be merged (spec.template.spec.containers: each item needs name"],
            id="no-merge-key",
        ),
        pytest.param(
            {"replicas": 2, "overlays": {"horizontalPodAutoscaler": {}}},
            ["replicas and overlays.horizontalPodAutoscaler both set"],
            id="raw-autoscaler",
        ),
        pytest.param(
            {"overlays": {"horizontalPodAutoscaler": {}, "deployment": {"spec": {"replicas": 2}}}},
            ["overlays.deployment.spec.replicas and overlays.horizontalPodAutoscaler both set"],
            id="raw-replicas",
        ),
        pytest.param({"replicas": 0, "name": "A"}, ["the name is not valid for the Service that istiod creates", "replicas is 0"], id="all-at-once"),
    ],
)
def test_find_validation_errors(options: dict[str, Any], expected: list[str]) -> None:
    errors = find_validation_errors(BARE | options)
    assert len(errors) == len(expected), errors
    assert all(error.startswith(start) for error, start in zip(errors, expected, strict=True)), errors


def test_an_overlay_may_name_what_it_changes() -> None:
    overlay = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "waypoint", "namespace": "bookinfo"}}
    assert not find_validation_errors(BARE | {"overlays": {"service": overlay}})


@pytest.mark.parametrize(
    ("options", "warned"),
    [
        pytest.param({}, False, id="no-budget"),
        pytest.param(_budget(min_available="1"), True, id="one-of-one-stays"),
        pytest.param({"replicas": 2} | _budget(min_available="1"), False, id="one-of-two-stays"),
        pytest.param({"replicas": 3} | _budget(min_available="3"), True, id="all-stay"),
        pytest.param({"replicas": 2} | _budget(min_available="51%"), True, id="percentages-are-rounded-up"),
        pytest.param({"replicas": 2} | _budget(min_available="50%"), False, id="half-stays"),
        pytest.param(_budget(max_unavailable="0"), True, id="none-may-be-unavailable"),
        pytest.param(_budget(max_unavailable="1%"), False, id="one-percent-of-one-is-one"),
        pytest.param(_autoscaling(min_replicas=2) | _budget(min_available="2"), True, id="while-at-the-fewest"),
        pytest.param({"high_availability": True}, False, id="high-availability"),
        pytest.param({"high_availability": True} | _budget(min_available="1"), False, id="high-availability-counts-as-two"),
    ],
)
def test_a_budget_that_allows_no_disruption_is_a_warning(options: dict[str, Any], warned: bool) -> None:
    assert bool(find_warnings(BARE | options)) is warned


def test_the_warning_names_a_remedy() -> None:
    assert find_warnings(BARE | _budget(min_available="1")) == [
        "disruption_budget (min_available 1) allows no disruption at 1 replica, so nodes cannot be drained: allow one unavailable pod, or use more replicas."
    ]
