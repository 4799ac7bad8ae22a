from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.meshwright.ambient.plugins.module_utils._kinds import Kind
from ansible_collections.meshwright.ambient.plugins.module_utils._mesh.waypoints import WaypointRef, is_waypoint
from ansible_collections.meshwright.ambient.plugins.module_utils._status.gateways import judge_with_owned
from ansible_collections.meshwright.ambient.plugins.module_utils._status.target import Target
from ansible_collections.meshwright.ambient.plugins.module_utils._waypoint.render import render_gateway
from ansible_collections.meshwright.ambient.plugins.module_utils._waypoint.spec import TRAFFIC_TYPES, Waypoint, normalize_waypoint
from tests.unit.objects import Object, derived, recorded

REF = WaypointRef("bookinfo", "waypoint")
PROGRAMMED = recorded("gateway/waypoint_programmed")


class Everything:
    """Objects that have been read, of one namespace."""

    def __init__(self, *items: Object) -> None:
        self._items = items

    def get(self, kind: Kind, name: str, namespace: str | None = None) -> Object | None:
        return next((item for item in self.all(kind, namespace) if item["metadata"]["name"] == name), None)

    def all(self, kind: Kind, namespace: str | None = None) -> list[Object]:
        return [item for item in self._items if item["kind"] == kind.name and item["metadata"].get("namespace") == namespace]


@pytest.mark.requirement("H1")
def test_render_gateway_exactly() -> None:
    assert render_gateway(Waypoint(REF)) == {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": {"name": "waypoint", "namespace": "bookinfo", "labels": {"istio.io/waypoint-for": "service"}},
        "spec": {"gatewayClassName": "istio-waypoint", "listeners": [{"name": "mesh", "port": 15008, "protocol": "HBONE"}]},
    }


@pytest.mark.parametrize(
    ("waypoint", "labels", "allowed_routes"),
    [
        pytest.param(Waypoint(REF, revision="1-31"), {"istio.io/waypoint-for": "service", "istio.io/rev": "1-31"}, None, id="revision"),
        pytest.param(Waypoint(REF, revision=""), {"istio.io/waypoint-for": "service"}, None, id="empty-revision-is-none"),
        pytest.param(Waypoint(REF, allowed_from="All"), {"istio.io/waypoint-for": "service"}, {"namespaces": {"from": "All"}}, id="all-namespaces"),
        pytest.param(
            Waypoint(REF, allowed_from="Selector", allowed_selector={"matchLabels": {"team": "shop"}}),
            {"istio.io/waypoint-for": "service"},
            {"namespaces": {"from": "Selector", "selector": {"matchLabels": {"team": "shop"}}}},
            id="chosen-namespaces",
        ),
        *(pytest.param(Waypoint(REF, traffic=traffic), {"istio.io/waypoint-for": traffic}, None, id=f"traffic-{traffic}") for traffic in TRAFFIC_TYPES),
    ],
)
def test_render_gateway_with_options(waypoint: Waypoint, labels: dict[str, str], allowed_routes: dict[str, Any] | None) -> None:
    gateway = render_gateway(waypoint)
    (listener,) = gateway["spec"]["listeners"]
    assert gateway["metadata"]["labels"] == labels
    assert listener.get("allowedRoutes") == allowed_routes


@pytest.mark.requirement("N8")
@pytest.mark.parametrize("traffic", ["service", "workload", "all", "none"])
def test_what_a_waypoint_is_for_is_a_label_and_what_belongs_to_it_is_found_by_its_name(traffic: str) -> None:
    rendered = render_gateway(Waypoint(REF, traffic=traffic))
    assert rendered["metadata"]["labels"]["istio.io/waypoint-for"] == traffic
    assert "istio.io/for-service-account" not in rendered["metadata"].get("annotations", {})
    deployment, service = recorded("deployment/waypoint_available"), recorded("service/of_waypoint")
    target = Target("waypoint", REF.name, REF.namespace)
    assert judge_with_owned(target, PROGRAMMED, Everything(deployment, service)).current
    other = derived(deployment, {"metadata": {"labels": {"gateway.networking.k8s.io/gateway-name": "bookinfo-reviews-istio-waypoint"}}})
    assert judge_with_owned(target, PROGRAMMED, Everything(other, service)).reason == "NoDeployment"


def test_render_gateway_with_infrastructure() -> None:
    waypoint = Waypoint(REF, labels={"team": "shop"}, annotations={"a": "b"}, overlays={"deployment": {"spec": {"replicas": 2}}})
    assert render_gateway(waypoint)["spec"]["infrastructure"] == {
        "labels": {"team": "shop"},
        "annotations": {"a": "b"},
        "parametersRef": {"group": "", "kind": "ConfigMap", "name": "waypoint-parameters"},
    }
    assert normalize_waypoint(render_gateway(waypoint)) == Waypoint(REF, labels={"team": "shop"}, annotations={"a": "b"}, parameters="waypoint-parameters")


def test_what_the_api_server_made_of_a_waypoint_is_that_waypoint() -> None:
    assert normalize_waypoint(PROGRAMMED) == Waypoint(REF)


@pytest.mark.parametrize(
    ("difference", "expected"),
    [
        pytest.param({"metadata": {"labels": None}}, Waypoint(REF), id="no-labels"),
        pytest.param({"metadata": {"labels": {"istio.io/rev": "1-31"}}}, Waypoint(REF, revision="1-31"), id="revision"),
        pytest.param({"spec": {"listeners": [{"port": 15008, "protocol": "HBONE"}]}}, Waypoint(REF), id="no-allowed-routes"),
        pytest.param(
            {"spec": {"listeners": [{"port": 15008, "protocol": "HBONE", "allowedRoutes": {"namespaces": {"from": "Selector", "selector": {}}}}]}},
            Waypoint(REF, allowed_from="Selector", allowed_selector={}),
            id="empty-selector",
        ),
        pytest.param(
            {"spec": {"listeners": [{"port": 80, "protocol": "HTTP"}, {"port": 15008, "protocol": "HBONE"}]}}, Waypoint(REF), id="another-listener-too"
        ),
        pytest.param({"spec": {"listeners": [{"port": 15009, "protocol": "HBONE"}]}}, None, id="other-port"),
        pytest.param({"spec": {"listeners": [{"port": 15008, "protocol": "HTTP"}]}}, None, id="other-protocol"),
        pytest.param({"spec": {"listeners": None}}, None, id="no-listener"),
        pytest.param({"spec": {"gatewayClassName": "istio"}}, None, id="other-class"),
    ],
)
def test_normalize_waypoint(difference: Object, expected: Waypoint | None) -> None:
    assert normalize_waypoint(derived(PROGRAMMED, difference)) == expected


_names = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True)
_selectors = st.fixed_dictionaries({}, optional={"matchLabels": st.dictionaries(_names, _names, max_size=2)})


@st.composite
def waypoints(draw: st.DrawFn) -> Waypoint:
    source = draw(st.sampled_from(["Same", "All", "Selector"]))
    selector = draw(_selectors) if source == "Selector" else None
    ref, traffic = WaypointRef(draw(_names), draw(_names)), draw(st.sampled_from(TRAFFIC_TYPES))
    labels = st.dictionaries(_names, _names, max_size=2)
    return Waypoint(ref, traffic, source, selector, draw(st.none() | _names), labels=draw(labels), annotations=draw(labels))


@given(waypoints())
def test_normalize_reverses_render(waypoint: Waypoint) -> None:
    gateway = render_gateway(waypoint)
    assert normalize_waypoint(gateway) == waypoint
    assert is_waypoint(gateway)
