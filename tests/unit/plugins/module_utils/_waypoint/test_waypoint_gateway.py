from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.meshwright.ambient.plugins.module_utils._waypoint.gateway import (
    TRAFFIC_TYPES,
    Waypoint,
    WaypointRef,
    allows_namespace,
    is_waypoint,
    never_bound,
    normalize_waypoint,
    render_waypoint,
    waypoint_of,
)
from tests.unit.objects import Object, derived, named, namespace_of, recorded

REF = WaypointRef("bookinfo", "waypoint")
PROGRAMMED = recorded("gateway/waypoint_programmed")
SERVICE = recorded("service/bound")
ENROLLED = recorded("namespace/enrolled")
USE, USE_NAMESPACE = "istio.io/use-waypoint", "istio.io/use-waypoint-namespace"


@pytest.mark.requirement("H1")
def test_render_waypoint_exactly() -> None:
    assert render_waypoint(Waypoint(REF)) == {
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
def test_render_waypoint_with_options(waypoint: Waypoint, labels: dict[str, str], allowed_routes: dict[str, Any] | None) -> None:
    gateway = render_waypoint(waypoint)
    (listener,) = gateway["spec"]["listeners"]
    assert gateway["metadata"]["labels"] == labels
    assert listener.get("allowedRoutes") == allowed_routes


def test_render_waypoint_with_infrastructure() -> None:
    waypoint = Waypoint(REF, labels={"team": "shop"}, annotations={"a": "b"}, overlays={"deployment": {"spec": {"replicas": 2}}})
    assert render_waypoint(waypoint)["spec"]["infrastructure"] == {
        "labels": {"team": "shop"},
        "annotations": {"a": "b"},
        "parametersRef": {"group": "", "kind": "ConfigMap", "name": "waypoint-parameters"},
    }
    assert normalize_waypoint(render_waypoint(waypoint)) == Waypoint(REF, labels={"team": "shop"}, annotations={"a": "b"}, parameters="waypoint-parameters")


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
def test_normalize_undoes_render(waypoint: Waypoint) -> None:
    gateway = render_waypoint(waypoint)
    assert normalize_waypoint(gateway) == waypoint
    assert is_waypoint(gateway)


def _with_routes(namespaces: Object | None) -> Object:
    routes = {} if namespaces is None else {"allowedRoutes": {"namespaces": namespaces}}
    return derived(PROGRAMMED, {"spec": {"listeners": [{"name": "mesh", "port": 15008, "protocol": "HBONE", **routes}]}})


@pytest.mark.parametrize(
    ("gateway", "namespace", "expected"),
    [
        pytest.param(PROGRAMMED, namespace_of("bookinfo"), True, id="same"),
        pytest.param(PROGRAMMED, namespace_of("shop"), False, id="same-does-not-allow-another"),
        pytest.param(_with_routes(None), namespace_of("bookinfo"), True, id="nothing-said-is-same"),
        pytest.param(_with_routes(None), namespace_of("shop"), False, id="nothing-said-does-not-allow-another"),
        pytest.param(_with_routes({}), namespace_of("shop"), False, id="no-from-is-same"),
        pytest.param(_with_routes({"from": "All"}), namespace_of("shop"), True, id="all"),
        pytest.param(_with_routes({"from": "Selector", "selector": {"matchLabels": {"team": "a"}}}), namespace_of("shop", team="a"), True, id="selected"),
        pytest.param(_with_routes({"from": "Selector", "selector": {"matchLabels": {"team": "a"}}}), namespace_of("shop", team="b"), False, id="not-selected"),
        pytest.param(
            _with_routes({"from": "Selector", "selector": {"matchLabels": {"team": "a"}}}),
            namespace_of("bookinfo"),
            False,
            id="its-own-is-not-selected-by-itself",
        ),
        pytest.param(_with_routes({"from": "Selector", "selector": {}}), namespace_of("shop"), True, id="empty-selector-selects-all"),
        pytest.param(derived(PROGRAMMED, {"spec": {"listeners": None}}), namespace_of("bookinfo"), True, id="no-mesh-listener-is-same"),
        pytest.param(derived(PROGRAMMED, {"spec": {"listeners": None}}), namespace_of("shop"), False, id="no-mesh-listener-does-not-allow-another"),
    ],
)
def test_allows_namespace(gateway: Object, namespace: Object, expected: bool) -> None:
    assert allows_namespace(gateway, namespace["metadata"]["name"], namespace["metadata"]["labels"]) is expected


def test_a_missing_selector_selects_nothing() -> None:
    """Istio makes it with LabelSelectorAsSelector, which turns nil into a selector that matches nothing, and only an empty one into all."""
    assert not allows_namespace(_with_routes({"from": "Selector"}), "shop", namespace_of("shop")["metadata"]["labels"])


def test_a_namespace_that_is_only_planned_has_its_name_as_a_label() -> None:
    gateway = _with_routes({"from": "Selector", "selector": {"matchLabels": {"kubernetes.io/metadata.name": "shop"}}})
    assert allows_namespace(gateway, "shop", {})
    assert not allows_namespace(gateway, "store", {})


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        pytest.param(recorded("service/of_waypoint"), True, id="service-of-a-waypoint"),
        pytest.param(
            derived(recorded("service/of_waypoint"), {"metadata": {"labels": {"gateway.istio.io/managed": "istio.io-eastwest-controller"}}}),
            True,
            id="service-of-an-east-west-gateway",
        ),
        pytest.param(
            derived(recorded("service/of_waypoint"), {"metadata": {"labels": {"gateway.istio.io/managed": "istio.io-gateway-controller"}}}),
            False,
            id="service-of-an-ingress-gateway",
        ),
        pytest.param(SERVICE, False, id="service-of-an-application"),
    ],
)
def test_never_bound(item: Object, expected: bool) -> None:
    assert never_bound(item) is expected


@pytest.mark.parametrize(
    ("own", "namespaces", "expected"),
    [
        pytest.param({}, {USE: "waypoint"}, REF, id="by-its-namespace"),
        pytest.param({}, {}, None, id="by-nobody"),
        pytest.param({}, {USE: "none"}, None, id="namespace-opts-out"),
        pytest.param({USE: "reviews"}, {USE: "waypoint"}, WaypointRef("bookinfo", "reviews"), id="its-own-word-wins"),
        pytest.param({USE: "none"}, {USE: "waypoint"}, None, id="it-opts-out"),
        pytest.param({USE: "reviews"}, {}, WaypointRef("bookinfo", "reviews"), id="its-own-word-alone"),
        pytest.param({USE: "shared", USE_NAMESPACE: "infra"}, {USE: "waypoint"}, WaypointRef("infra", "shared"), id="its-own-of-elsewhere"),
        pytest.param({}, {USE: "shared", USE_NAMESPACE: "infra"}, WaypointRef("infra", "shared"), id="its-namespaces-of-elsewhere"),
        pytest.param({USE_NAMESPACE: "infra"}, {USE: "waypoint"}, REF, id="a-place-without-a-name-says-nothing"),
        pytest.param({USE: "reviews"}, {USE: "shared", USE_NAMESPACE: "infra"}, WaypointRef("bookinfo", "reviews"), id="labels-of-two-objects-do-not-mix"),
    ],
)
def test_waypoint_of_a_service(own: dict[str, str], namespaces: dict[str, str], expected: WaypointRef | None) -> None:
    service = derived(SERVICE, {"metadata": {"labels": own}})
    assert waypoint_of(service, namespace_of("bookinfo", **namespaces)) == expected


def test_waypoint_of_a_namespace_is_in_that_namespace() -> None:
    assert waypoint_of(ENROLLED, None) == REF
    assert waypoint_of(named(ENROLLED, "shop"), None) == WaypointRef("shop", "waypoint")


def test_a_reference_reads_as_namespace_and_name() -> None:
    assert str(REF) == "bookinfo/waypoint"
