from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._mesh.parameters import (
    MARK,
    expected_mark,
    flatten,
    is_ours,
    mark_of,
    mark_overlays,
    parameters_name,
    read_parameters,
    render_parameters,
    unmark_overlays,
)

OVERLAYS: dict[str, Any] = {"deployment": {"spec": {"replicas": 2}}, "podDisruptionBudget": {"spec": {"maxUnavailable": 1}}}


def test_render_parameters_exactly() -> None:
    config_map = render_parameters("waypoint", "bookinfo", OVERLAYS)
    assert config_map["metadata"] == {
        "name": "waypoint-parameters",
        "namespace": "bookinfo",
        "labels": {"app.kubernetes.io/managed-by": "meshwright", "gateway.networking.k8s.io/gateway-name": "waypoint"},
    }
    assert list(config_map["data"]) == ["deployment", "podDisruptionBudget"]
    assert config_map["data"]["podDisruptionBudget"] == '{\n  "spec": {\n    "maxUnavailable": 1\n  }\n}'
    assert json.loads(config_map["data"]["deployment"]) == {"metadata": {"annotations": {MARK: expected_mark(OVERLAYS)}}, "spec": {"replicas": 2}}
    assert is_ours(config_map)


def test_no_overlays_need_no_config_map() -> None:
    assert render_parameters("waypoint", "bookinfo", {}) == {}
    assert mark_overlays({}) == {}
    assert expected_mark({}) == ""


def test_what_was_rendered_is_read_again() -> None:
    config_map = render_parameters("waypoint", "bookinfo", OVERLAYS)
    assert read_parameters(config_map) == mark_overlays(OVERLAYS)
    assert unmark_overlays(read_parameters(config_map)) == OVERLAYS


@pytest.mark.parametrize(
    "overlays",
    [
        pytest.param({"service": {"spec": {"type": "NodePort"}}}, id="without-a-deployment"),
        pytest.param({"deployment": {"metadata": {"annotations": {"a": "b"}}}}, id="with-annotations"),
        pytest.param({"deployment": {"metadata": {"labels": {"a": "b"}}}}, id="with-metadata"),
        pytest.param({"podDisruptionBudget": {}}, id="empty"),
    ],
)
def test_the_mark_leaves_no_trace(overlays: dict[str, Any]) -> None:
    assert unmark_overlays(mark_overlays(overlays)) == overlays


def test_the_mark_is_that_of_the_overlays_whatever_their_order() -> None:
    turned = {"podDisruptionBudget": OVERLAYS["podDisruptionBudget"], "deployment": OVERLAYS["deployment"]}
    assert expected_mark(turned) == expected_mark(OVERLAYS)
    assert expected_mark({**OVERLAYS, "service": {"spec": {"type": "NodePort"}}}) != expected_mark(OVERLAYS)


def test_mark_of() -> None:
    assert mark_of({"metadata": {"annotations": {MARK: "abc"}}}) == "abc"
    assert mark_of({"metadata": {}}) == mark_of(None) == ""


def test_what_somebody_has_written_by_hand_is_read_as_text() -> None:
    assert read_parameters({"metadata": {}, "data": {"service": "spec:\n  type: NodePort\n"}}) == {"service": "spec:\n  type: NodePort\n"}
    assert read_parameters({"metadata": {}}) == {}


def test_flatten_names_the_items_of_lists() -> None:
    overlay = {
        "spec": {"containers": [{"name": "istio-proxy", "resources": {"requests": {"cpu": "1"}}}], "metrics": [{"type": "Pods"}], "empty": {}, "list": [1]}
    }
    assert flatten({"deployment": overlay}) == {
        "deployment.spec.containers[istio-proxy].name": "istio-proxy",
        "deployment.spec.containers[istio-proxy].resources.requests.cpu": "1",
        "deployment.spec.empty": {},
        "deployment.spec.list": [1],
        "deployment.spec.metrics[0].type": "Pods",
    }


def test_parameters_name() -> None:
    assert parameters_name("waypoint") == "waypoint-parameters"
