"""What istiod creates for a Gateway, compared with what a real istiod has created."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._managed_gateway.render import render_managed, under_another_name
from ansible_collections.meshwright.ambient.plugins.module_utils._mesh.parameters import mark_overlays
from ansible_collections.meshwright.ambient.plugins.module_utils._mesh.strategic_merge import OverlayError
from tests.unit.objects import Object, derived, recorded

WAYPOINT = recorded("gateway/waypoint_programmed")
GATEWAY: Object = {
    "metadata": {"name": "public", "namespace": "istio-ingress", "uid": "1"},
    "spec": {"gatewayClassName": "istio", "listeners": [{"name": "http", "port": 80, "protocol": "HTTP"}]},
}
VALUES = {"global": {"hub": "registry.istio.io/testing", "tag": "latest", "variant": "distroless"}}


def _subset(part: Any, whole: Any) -> bool:
    """Whether the API server may have made the whole of a part: it adds defaults."""
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(_subset(value, whole.get(key)) for key, value in part.items())
    return bool(part == whole)


@pytest.mark.parametrize("situation", ["waypoint_available", "waypoint_with_parameters"])
def test_the_deployment_is_that_of_a_real_istiod(situation: str) -> None:
    real = recorded(f"deployment/{situation}")
    labels = {} if situation == "waypoint_available" else {"spec": {"infrastructure": {"labels": {"cost-center": "shop"}}}}
    gateway = derived(WAYPOINT, {"metadata": {"uid": real["metadata"]["ownerReferences"][0]["uid"]}, **labels})
    made = render_managed(gateway, values=VALUES)["deployment"]
    assert _subset({**made["metadata"], "annotations": {}}, real["metadata"])
    assert made["metadata"]["labels"] == real["metadata"]["labels"]
    assert made["spec"]["selector"] == real["spec"]["selector"]
    template, of_istiod = made["spec"]["template"], real["spec"]["template"]
    assert template["metadata"] == of_istiod["metadata"]
    if "spec" not in of_istiod:
        return
    (mine,), (theirs,) = template["spec"]["containers"], of_istiod["spec"]["containers"]
    assert (mine["image"], mine["name"]) == (theirs["image"], theirs["name"])
    assert sorted(mine["ports"], key=str) == sorted(theirs["ports"], key=str)


def test_an_autoscaler_and_a_budget_are_there_on_request() -> None:
    assert list(render_managed(WAYPOINT)) == ["serviceAccount", "deployment", "service"]
    made = render_managed(WAYPOINT, [{"podDisruptionBudget": {}}, {"horizontalPodAutoscaler": {"spec": {"maxReplicas": 3}}}])
    assert made["horizontalPodAutoscaler"]["spec"] == {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "waypoint"},
        "maxReplicas": 3,
    }
    assert "podDisruptionBudget" in made


def test_a_gateway_of_class_istio_is_named_after_its_class() -> None:
    made = render_managed(GATEWAY)
    assert {(item["kind"], item["metadata"]["name"]) for item in made.values()} == {
        ("ServiceAccount", "public-istio"),
        ("Deployment", "public-istio"),
        ("Service", "public-istio"),
    }
    for item in made.values():
        assert item["metadata"]["labels"]["istio.io/dataplane-mode"] == "none"
        assert item["metadata"]["labels"]["gateway.istio.io/managed"] == "istio.io-gateway-controller"
        assert item["metadata"]["ownerReferences"][0]["uid"] == "1"
    pod = made["deployment"]["spec"]["template"]["spec"]
    assert pod["serviceAccountName"] == "public-istio"
    assert {mount["name"] for mount in pod["containers"][0]["volumeMounts"]} <= {volume["name"] for volume in pod["volumes"]}


def test_each_port_of_the_listeners_is_one_of_the_service() -> None:
    listeners = [
        {"name": "http", "port": 80, "protocol": "HTTP"},
        {"name": "http-b", "port": 80, "protocol": "HTTP"},
        {"name": "a.b", "port": 443, "protocol": "HTTPS"},
        {"name": "a-b", "port": 8443, "protocol": "HTTPS"},
    ]
    service = render_managed(derived(GATEWAY, {"spec": {"listeners": listeners}}))["service"]["spec"]
    assert [(port["name"], port["port"], port["appProtocol"]) for port in service["ports"]] == [
        ("status-port", 15021, "tcp"),
        ("http", 80, "http"),
        ("a-b", 443, "https"),
        ("a-b-8443", 8443, "https"),
    ]
    assert service["type"] == "LoadBalancer"
    patched = render_managed(GATEWAY, [{"service": {"spec": {"type": "ClusterIP", "ports": [{"port": 15021, "$patch": "delete"}]}}}])["service"]["spec"]
    assert (patched["type"], [port["port"] for port in patched["ports"]]) == ("ClusterIP", [80])


@pytest.mark.parametrize(
    ("infrastructure", "expected"),
    [
        pytest.param(None, {"istio.io/waypoint-for": "service"}, id="those-of-the-gateway"),
        pytest.param({"labels": {"team": "shop", "gateway.networking.k8s.io/x": "y"}}, {"team": "shop"}, id="those-of-the-infrastructure"),
        pytest.param({"annotations": {"a": "b"}}, {"istio.io/waypoint-for": "service"}, id="infrastructure-without-labels"),
    ],
)
def test_labels_come_from_the_gateway_or_its_infrastructure(infrastructure: Object | None, expected: dict[str, str]) -> None:
    gateway = derived(WAYPOINT, {"metadata": {"labels": {"istio.io/waypoint-for": "service"}}, "spec": {"infrastructure": infrastructure}})
    labels = render_managed(gateway)["serviceAccount"]["metadata"]["labels"]
    own = {
        "gateway.networking.k8s.io/gateway-name": "waypoint",
        "gateway.networking.k8s.io/gateway-class-name": "istio-waypoint",
        "gateway.istio.io/managed": "istio.io-mesh-controller",
    }
    assert labels == {**expected, **own}


@pytest.mark.parametrize(
    ("settings", "image"),
    [
        ({}, "docker.io/istio/proxyv2:latest"),
        ({"hub": "example.com/istio", "tag": "1.31.0", "proxy": {"image": "proxyv2"}}, "example.com/istio/proxyv2:1.31.0"),
        ({"hub": "h", "tag": "1.31.0-debug", "variant": "distroless"}, "h/proxyv2:1.31.0-distroless"),
        ({"hub": "h", "tag": "1.31.0-distroless", "variant": "default"}, "h/proxyv2:1.31.0"),
        ({"proxy": {"image": "example.com/mine:1"}}, "example.com/mine:1"),
    ],
)
def test_the_image_is_that_of_the_charts_values(settings: Object, image: str) -> None:
    pod = render_managed(WAYPOINT, values={"global": settings})["deployment"]["spec"]["template"]["spec"]
    assert pod["containers"][0]["image"] == image


def test_overlays_of_the_class_come_first_and_change_no_name() -> None:
    own = mark_overlays({"deployment": {"metadata": {"name": "other"}, "spec": {"replicas": 2}}})
    deployment = render_managed(WAYPOINT, [{"deployment": {"spec": {"replicas": 5, "paused": True}}}, own])["deployment"]
    assert (deployment["spec"]["replicas"], deployment["spec"]["paused"], deployment["metadata"]["name"]) == (2, True, "waypoint")
    assert "meshwright.ambient/parameters" in deployment["metadata"]["annotations"]
    with pytest.raises(OverlayError):
        render_managed(WAYPOINT, [{"deployment": {"spec": {"template": {"spec": {"containers": [{}]}}}}}])


@pytest.mark.parametrize("overlay", [{"metadata": None}, {"metadata": "none"}, {"metadata": {"labels": ["a"]}}, {"$patch": "delete"}])
def test_an_overlay_that_takes_the_metadata_away_cannot_be_applied(overlay: Object) -> None:
    with pytest.raises(OverlayError, match="the overlay service leaves no metadata with labels"):
        render_managed(WAYPOINT, [{"service": overlay}])


def test_an_overlay_may_take_the_labels_away() -> None:
    made = render_managed(WAYPOINT, [{"service": {"metadata": {"labels": None}}}])["service"]
    assert list(made["metadata"]["labels"]) == ["gateway.istio.io/managed"]


@pytest.mark.parametrize("key", ["deployment", "service", "serviceAccount", "horizontalPodAutoscaler", "podDisruptionBudget"])
def test_what_is_tried_under_another_name_is_a_whole_object(key: str) -> None:
    overlay = {"metadata": {"name": "waypoint", "labels": {"a": "b"}}, "spec": {"more": 1}}
    body = under_another_name(render_managed(WAYPOINT, [{key: overlay}])[key])
    assert (body["metadata"]["name"], body["metadata"]["namespace"]) == ("meshwright-dry-run", WAYPOINT["metadata"]["namespace"])
    assert (body["metadata"]["labels"]["a"], body["spec"]["more"], body["kind"].lower()) == ("b", 1, key.lower())


def test_lists_of_overlays_are_merged_into_those_of_istiods_template() -> None:
    mount = {"name": "istio-proxy", "volumeMounts": [{"mountPath": "/etc/more", "name": "istio-data"}]}
    pod = render_managed(WAYPOINT, [{"deployment": {"spec": {"template": {"spec": {"containers": [mount]}}}}}])["deployment"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert {item["name"] for item in container["volumeMounts"]} <= {volume["name"] for volume in pod["volumes"]}
    assert len(container["volumeMounts"]) == 7


def test_an_overlay_that_cannot_be_merged_has_no_objects() -> None:
    with pytest.raises(OverlayError, match="each item needs name"):
        render_managed(WAYPOINT, [{"deployment": {"spec": {"template": {"spec": {"containers": [{}]}}}}}])
