from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._waypoint.overlays import compose_overlays
from ansible_collections.meshwright.ambient.plugins.module_utils._waypoint.spec import OPTIONS
from ansible_collections.meshwright.ambient.plugins.module_utils._waypoint.validation import find_validation_errors

BARE: dict[str, Any] = {name: option.get("default") for name, option in OPTIONS.items()} | {"namespace": "bookinfo"}
OWN = {"matchLabels": {"gateway.networking.k8s.io/gateway-name": "waypoint"}}
CPU = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}}
REQUESTS = {"type": "Pods", "pods": {"metric": {"name": "rps"}, "target": {"type": "AverageValue", "averageValue": "100"}}}
AFFINITY = {
    "nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchExpressions": [{"key": "mesh", "operator": "Exists"}]}]}}
}


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
            {"topology_spread": [{"topologyKey": "zone", "maxSkew": 1, "whenUnsatisfiable": "ScheduleAnyway", "labelSelector": {}}]},
            _pod(topologySpreadConstraints=[{"topologyKey": "zone", "maxSkew": 1, "whenUnsatisfiable": "ScheduleAnyway", "labelSelector": {}}]),
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
    assert not find_validation_errors(BARE | options)


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
    assert not find_validation_errors(BARE | options)


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
