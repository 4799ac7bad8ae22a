from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._waypoint.options import (
    OPTIONS,
    compose_overlays,
    find_problems,
    find_warnings,
)

BARE: dict[str, Any] = {name: option.get("default") for name, option in OPTIONS.items()} | {"namespace": "bookinfo"}
OWN = {"matchLabels": {"gateway.networking.k8s.io/gateway-name": "waypoint"}}
CPU = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}}
REQUESTS = {"type": "Pods", "pods": {"metric": {"name": "rps"}, "target": {"type": "AverageValue", "averageValue": "100"}}}
AFFINITY = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": []}}}


def _spread(key: str) -> dict[str, Any]:
    return {
        "topologyKey": key,
        "maxSkew": 1,
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": OWN,
        "matchLabelKeys": ["pod-template-hash"],
    }


SPREAD = [_spread("topology.kubernetes.io/zone"), _spread("kubernetes.io/hostname")]


def _pod(**fields: Any) -> dict[str, Any]:
    return {"deployment": {"spec": {"template": {"spec": fields}}}}


def _scaled(**fields: Any) -> dict[str, Any]:
    return {"horizontalPodAutoscaler": {"spec": fields}}


def _autoscaling(**fields: Any) -> dict[str, Any]:
    return {"autoscaling": {"min_replicas": None, "max_replicas": 5, "cpu_utilization": None, "metrics": None} | fields}


def _budget(**fields: Any) -> dict[str, Any]:
    return {"disruption_budget": {"min_available": None, "max_unavailable": None} | fields}


@pytest.mark.requirement("H12")
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        pytest.param({}, {}, id="nothing"),
        pytest.param({"replicas": 3}, {"deployment": {"spec": {"replicas": 3}}}, id="replicas"),
        pytest.param(
            {"resources": {"requests": {"cpu": "200m", "memory": 1}, "limits": None}},
            _pod(containers=[{"name": "istio-proxy", "resources": {"requests": {"cpu": "200m", "memory": "1"}}}]),
            id="resources",
        ),
        pytest.param({"resources": {"requests": None, "limits": None}}, {}, id="no-resources"),
        pytest.param({"affinity": AFFINITY}, _pod(affinity=AFFINITY), id="affinity"),
        pytest.param({"node_selector": {"mesh": True}}, _pod(nodeSelector={"mesh": "true"}), id="node-selector"),
        pytest.param({"tolerations": [{"operator": "Exists"}]}, _pod(tolerations=[{"operator": "Exists"}]), id="tolerations"),
        pytest.param(
            {"topology_spread": [{"topologyKey": "zone", "maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule"}]},
            _pod(topologySpreadConstraints=[{"topologyKey": "zone", "maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule", "labelSelector": OWN}]),
            id="spread-counts-the-own-pods",
        ),
        pytest.param(
            {"topology_spread": [{"topologyKey": "zone", "labelSelector": {}}]},
            _pod(topologySpreadConstraints=[{"topologyKey": "zone", "labelSelector": {}}]),
            id="spread-with-its-own-selector",
        ),
        pytest.param({"service_type": "NodePort"}, {"service": {"spec": {"type": "NodePort"}}}, id="service-type"),
        pytest.param({"service_annotations": {"weight": 1}}, {"service": {"metadata": {"annotations": {"weight": "1"}}}}, id="service-annotations"),
        pytest.param({"labels": {"team": "shop"}, "annotations": {"a": "b"}}, {}, id="labels-are-the-gateways"),
        pytest.param(
            {"overlays": {"serviceAccount": {"metadata": {"labels": {"a": "b"}}}}}, {"serviceAccount": {"metadata": {"labels": {"a": "b"}}}}, id="raw"
        ),
        pytest.param({"overlays": {"deployment": {}, "service": {}}}, {}, id="raw-and-empty"),
        pytest.param({"overlays": {"podDisruptionBudget": {}}}, {"podDisruptionBudget": {}}, id="raw-and-empty-asks-for-a-budget"),
        pytest.param(
            {"replicas": 2, "node_selector": {"a": "b"}, "overlays": {"deployment": {"spec": {"replicas": 3, "paused": True}}}},
            {"deployment": {"spec": {"replicas": 3, "paused": True, "template": {"spec": {"nodeSelector": {"a": "b"}}}}}},
            id="raw-has-the-last-word",
        ),
    ],
)
def test_compose_overlays(options: dict[str, Any], expected: dict[str, Any]) -> None:
    assert compose_overlays(BARE | options) == expected
    assert not find_problems(BARE | options)


@pytest.mark.requirement("H11")
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        pytest.param(_autoscaling(), _scaled(minReplicas=1, maxReplicas=5, metrics=[CPU]), id="default"),
        pytest.param(_autoscaling(min_replicas=2), _scaled(minReplicas=2, maxReplicas=5, metrics=[CPU]), id="min"),
        pytest.param(_autoscaling(metrics=[REQUESTS]), _scaled(minReplicas=1, maxReplicas=5, metrics=[REQUESTS]), id="metrics-alone"),
        pytest.param(_autoscaling(metrics=[REQUESTS], cpu_utilization=80), _scaled(minReplicas=1, maxReplicas=5, metrics=[CPU, REQUESTS]), id="both"),
        pytest.param(_budget(min_available="1"), {"podDisruptionBudget": {"spec": {"minAvailable": 1}}}, id="min-available"),
        pytest.param(_budget(max_unavailable="50%"), {"podDisruptionBudget": {"spec": {"maxUnavailable": "50%"}}}, id="max-unavailable"),
    ],
)
def test_scaling(options: dict[str, Any], expected: dict[str, Any]) -> None:
    assert compose_overlays(BARE | options) == expected
    assert not find_problems(BARE | options)


@pytest.mark.requirement("H14")
@pytest.mark.parametrize(
    ("options", "replicas", "spread", "budget"),
    [
        pytest.param({}, 2, SPREAD, {"maxUnavailable": 1}, id="alone"),
        pytest.param({"replicas": 3}, 3, SPREAD, {"maxUnavailable": 1}, id="with-more-replicas"),
        pytest.param(_budget(min_available="2"), 2, SPREAD, {"minAvailable": 2}, id="with-another-budget"),
        pytest.param({"topology_spread": [{"topologyKey": "rack"}]}, 2, [{"topologyKey": "rack", "labelSelector": OWN}], {"maxUnavailable": 1}, id="spread"),
    ],
)
def test_high_availability_is_one_option(options: dict[str, Any], replicas: int, spread: list[Any], budget: dict[str, Any]) -> None:
    composed = compose_overlays(BARE | {"high_availability": True} | options)
    assert composed["deployment"] == {"spec": {"replicas": replicas, "template": {"spec": {"topologySpreadConstraints": spread}}}}
    assert composed["podDisruptionBudget"] == {"spec": budget}


def test_high_availability_with_autoscaling_begins_at_two() -> None:
    composed = compose_overlays(BARE | {"high_availability": True} | _autoscaling())
    assert composed["horizontalPodAutoscaler"]["spec"]["minReplicas"] == 2
    assert "replicas" not in composed["deployment"]["spec"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        pytest.param({"name": "a.b"}, ["no Service can have this name"], id="dot"),
        pytest.param({"name": "a" * 64}, ["no Service can have this name"], id="long"),
        pytest.param({"replicas": 0}, ["replicas is 0"], id="no-replicas"),
        pytest.param({"replicas": 2} | _autoscaling(), ["replicas and autoscaling both decide"], id="replicas-and-autoscaling"),
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
        pytest.param({"labels": {"gateway.networking.k8s.io/x": "y"}}, ["labels has gateway.networking.k8s.io/x, which istiod keeps"], id="dropped-label"),
        pytest.param(
            {"overlays": {"deployments": {}}},
            ["overlays.deployments is unknown, and istiod would then apply none of them: use deployment, service, serviceAccount, "],
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
            ["overlays.service.metadata.labels.gateway.istio.io/managed is how"],
            id="managed-label",
        ),
        pytest.param({"overlays": {"deployment": {"spec": {"selector": {}}}}}, ["overlays.deployment.spec.selector chooses"], id="selector"),
        pytest.param(
            {"overlays": {"horizontalPodAutoscaler": {"spec": {"scaleTargetRef": {}}}}}, ["overlays.horizontalPodAutoscaler.spec.scaleTargetRef"], id="target"
        ),
        pytest.param(
            {"resources": {"requests": {"cpu": 1}}, "overlays": {"deployment": {"spec": {"template": {"spec": {"containers": [{"image": "x"}]}}}}}},
            ["overlays cannot be merged (spec.template.spec.containers: each item needs name"],
            id="no-merge-key",
        ),
        pytest.param(
            {"replicas": 2, "overlays": {"horizontalPodAutoscaler": {}}}, ["replicas and overlays.horizontalPodAutoscaler both decide"], id="raw-autoscaler"
        ),
        pytest.param(
            {"overlays": {"horizontalPodAutoscaler": {}, "deployment": {"spec": {"replicas": 2}}}},
            ["overlays.deployment.spec.replicas and overlays.horizontalPodAutoscaler both decide"],
            id="raw-replicas",
        ),
        pytest.param({"replicas": 0, "name": "A"}, ["no Service can have this name", "replicas is 0"], id="all-at-once"),
    ],
)
def test_find_problems(options: dict[str, Any], expected: list[str]) -> None:
    problems = find_problems(BARE | options)
    assert len(problems) == len(expected), problems
    assert all(problem.startswith(words) for problem, words in zip(problems, expected, strict=True)), problems


def test_an_overlay_may_name_what_it_changes() -> None:
    overlay = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "waypoint", "namespace": "bookinfo"}}
    assert not find_problems(BARE | {"overlays": {"service": overlay}})


@pytest.mark.parametrize(
    ("options", "warned"),
    [
        pytest.param({}, False, id="no-budget"),
        pytest.param(_budget(min_available="1"), True, id="one-of-one-stays"),
        pytest.param({"replicas": 2} | _budget(min_available="1"), False, id="one-of-two-stays"),
        pytest.param({"replicas": 3} | _budget(min_available="3"), True, id="all-stay"),
        pytest.param({"replicas": 2} | _budget(min_available="51%"), True, id="percentages-are-rounded-up"),
        pytest.param({"replicas": 2} | _budget(min_available="50%"), False, id="half-stays"),
        pytest.param(_budget(max_unavailable="0"), True, id="none-may-go"),
        pytest.param(_budget(max_unavailable="1%"), False, id="one-percent-of-one-is-one"),
        pytest.param(_autoscaling(min_replicas=2) | _budget(min_available="2"), True, id="while-at-the-fewest"),
        pytest.param({"high_availability": True}, False, id="high-availability"),
        pytest.param({"high_availability": True} | _budget(min_available="1"), False, id="high-availability-counts-as-two"),
    ],
)
def test_a_budget_that_lets_no_pod_go_is_a_warning(options: dict[str, Any], warned: bool) -> None:
    assert bool(find_warnings(BARE | options)) is warned


def test_the_warning_says_what_to_do() -> None:
    assert find_warnings(BARE | _budget(min_available="1")) == [
        "disruption_budget (min_available 1) lets no pod go at 1 replica, so nodes cannot be drained: allow one to be away, or ask for more replicas."
    ]
