from __future__ import annotations

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._mesh.waypoints import WaypointRef, allows_namespace, never_bound, waypoint_of
from tests.unit.objects import Object, derived, named, namespace_of, recorded

REF = WaypointRef("bookinfo", "waypoint")
PROGRAMMED = recorded("gateway/waypoint_programmed")
SERVICE = recorded("service/bound")
ENROLLED = recorded("namespace/enrolled")
USE, USE_NAMESPACE = "istio.io/use-waypoint", "istio.io/use-waypoint-namespace"


def _with_routes(namespaces: Object | None) -> Object:
    routes = {} if namespaces is None else {"allowedRoutes": {"namespaces": namespaces}}
    return derived(PROGRAMMED, {"spec": {"listeners": [{"name": "mesh", "port": 15008, "protocol": "HBONE", **routes}]}})


@pytest.mark.parametrize(
    ("gateway", "namespace", "expected"),
    [
        pytest.param(PROGRAMMED, namespace_of("bookinfo"), True, id="same"),
        pytest.param(PROGRAMMED, namespace_of("shop"), False, id="same-does-not-allow-another"),
        pytest.param(_with_routes(None), namespace_of("bookinfo"), True, id="unset-is-same"),
        pytest.param(_with_routes(None), namespace_of("shop"), False, id="unset-does-not-allow-another"),
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
