from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._waypoint.parameters import (
    MARK,
    flatten,
    is_ours,
    mark_of,
    mark_overlays,
    parameters_name,
    read_parameters,
    render_parameters,
    skeleton,
    unmark_overlays,
    wanted_mark,
)
from ansible_collections.meshwright.ambient.plugins.module_utils._waypoint.strategic_merge import OverlayError

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
    assert json.loads(config_map["data"]["deployment"]) == {"metadata": {"annotations": {MARK: wanted_mark(OVERLAYS)}}, "spec": {"replicas": 2}}
    assert is_ours(config_map)


def test_no_overlays_need_no_config_map() -> None:
    assert render_parameters("waypoint", "bookinfo", {}) == {}
    assert mark_overlays({}) == {}
    assert wanted_mark({}) == ""


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
    assert wanted_mark(turned) == wanted_mark(OVERLAYS)
    assert wanted_mark({**OVERLAYS, "service": {"spec": {"type": "NodePort"}}}) != wanted_mark(OVERLAYS)


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


@pytest.mark.parametrize("key", ["deployment", "service", "serviceAccount", "horizontalPodAutoscaler", "podDisruptionBudget"])
def test_a_skeleton_is_a_whole_object_of_nobody(key: str) -> None:
    body = skeleton(key, {"metadata": {"name": "waypoint", "labels": {"a": "b"}}, "spec": {"more": 1}}, "bookinfo")
    assert body["metadata"] == {"name": "meshwright-judges-overlay", "namespace": "bookinfo", "labels": {"a": "b"}}
    assert body["spec"]["more"] == 1
    assert body["kind"].lower() == key.lower()


def test_a_skeleton_has_what_istiods_template_has() -> None:
    mount = {"name": "istio-proxy", "volumeMounts": [{"mountPath": "/etc/more", "name": "istio-data"}]}
    pod = skeleton("deployment", {"spec": {"template": {"spec": {"containers": [mount]}}}}, "bookinfo")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert {item["name"] for item in container["volumeMounts"]} <= {volume["name"] for volume in pod["volumes"]}
    assert len(container["volumeMounts"]) == 7


def test_a_skeleton_cannot_have_what_cannot_be_merged() -> None:
    with pytest.raises(OverlayError, match="each item needs name"):
        skeleton("deployment", {"spec": {"template": {"spec": {"containers": [{}]}}}}, "bookinfo")


def test_parameters_name() -> None:
    assert parameters_name("waypoint") == "waypoint-parameters"
