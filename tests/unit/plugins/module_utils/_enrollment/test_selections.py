from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._enrollment.selections import Selection, resolve_selections
from ansible_collections.meshwright.ambient.plugins.module_utils._enrollment.spec import DesiredLabels, find_validation_errors, parse_item
from ansible_collections.meshwright.ambient.plugins.module_utils._mesh.waypoints import WaypointRef
from tests.unit.objects import Object, namespace_of

KINDS = {"namespaces": "Namespace", "services": "Service", "workloads": "Deployment"}


@pytest.mark.parametrize(
    ("kind", "item", "expected"),
    [
        pytest.param("Namespace", {}, DesiredLabels("Namespace", "a"), id="nothing-desired"),
        pytest.param(
            "Namespace", {"dataplane_mode": "", "use_waypoint": ""}, DesiredLabels("Namespace", "a", dataplane_mode="", waypoint=""), id="labels-away"
        ),
        pytest.param(
            "Namespace",
            {"use_waypoint": "w", "use_waypoint_namespace": "infra", "ingress_use_waypoint": "true"},
            DesiredLabels("Namespace", "a", waypoint="w", waypoint_namespace="infra", ingress="true"),
            id="waypoint",
        ),
        pytest.param(
            "Namespace",
            {"canary": {"waypoint": "next", "waypoint_namespace": "infra", "weight": "10"}},
            DesiredLabels("Namespace", "a", canary="next", canary_namespace="infra", weight="10"),
            id="canary",
        ),
        pytest.param("Namespace", {"canary": {"waypoint": None, "weight": "10"}}, DesiredLabels("Namespace", "a", weight="10"), id="weight-alone"),
        pytest.param(
            "Namespace",
            {"state": "absent", "use_waypoint": "w"},
            DesiredLabels("Namespace", "a", dataplane_mode="", waypoint="", ingress="", canary=""),
            id="absent",
        ),
        pytest.param("Service", {"state": "absent"}, DesiredLabels("Service", "a", waypoint="", ingress="", canary=""), id="service-absent"),
        pytest.param("Deployment", {"state": "absent"}, DesiredLabels("Deployment", "a", dataplane_mode="", waypoint=""), id="workload-absent"),
    ],
)
def test_parse_item(kind: str, item: dict[str, Any], expected: DesiredLabels) -> None:
    assert parse_item(kind, "a", None, item) == expected


def test_desired_labels_name_their_waypoints() -> None:
    desired = DesiredLabels("Service", "cart", "shop", waypoint="w", canary="next", canary_namespace="infra")
    assert (desired.waypoint_ref, desired.canary_ref) == (WaypointRef("shop", "w"), WaypointRef("infra", "next"))
    assert DesiredLabels("Service", "cart", "shop", waypoint="none", canary="").waypoint_ref is None
    assert DesiredLabels("Service", "cart", "shop", waypoint="none", canary="").canary_ref is None


@pytest.mark.parametrize(
    ("item", "error"),
    [
        pytest.param({"label_selector": "team=shop"}, None, id="selector"),
        pytest.param(
            {"label_selector": "team in shop"},
            "the label_selector 'team in shop' is invalid, because after in, values in parentheses are expected, such as in (a, b): "
            "use the syntax of kubectl -l.",
            id="malformed-selector",
        ),
        pytest.param(
            {"label_selector": ""},
            "the label_selector '' is invalid, because it is empty and would select everything: use the syntax of kubectl -l.",
            id="empty-selector",
        ),
        *(pytest.param({"canary": {"weight": weight}}, None, id=f"weight-{weight or 'empty'}") for weight in ("", "0", "7", "100")),
        *(
            pytest.param({"canary": {"weight": weight}}, f"the canary's weight {weight!r} is not a percentage: use a whole number from 0 to 100.", id=weight)
            for weight in ("101", "-1", "10%", "1.5", "ten", "٣")
        ),
    ],
)
def test_find_validation_errors(item: dict[str, Any], error: str | None) -> None:
    assert find_validation_errors([("namespaces[0]", item)]) == ([f"namespaces[0]: {error}"] if error else [])


# Which objects are chosen.


def _labelled(name: str, namespace: str, **labels: str) -> Object:
    return {"metadata": {"name": name, "namespace": namespace, "labels": labels}}


OBJECTS: dict[tuple[str, str, str], Object] = {
    ("Namespace", "", "shop"): namespace_of("shop", team="a"),
    ("Namespace", "", "bank"): namespace_of("bank", team="a", tier="x"),
    ("Namespace", "", "lab"): namespace_of("lab"),
    ("Service", "shop", "cart"): _labelled("cart", "shop", team="a"),
    ("Service", "bank", "cart"): _labelled("cart", "bank", team="b"),
    ("Service", "bank", "vault"): _labelled("vault", "bank", team="a"),
    ("Service", "bank", "waypoint"): _labelled("waypoint", "bank", team="a", **{"gateway.istio.io/managed": "istio.io-mesh-controller"}),
    ("Deployment", "shop", "cart"): _labelled("cart", "shop", team="a"),
}


def _choose(*items: tuple[str, dict[str, Any]], planned: tuple[str, ...] = ()) -> tuple[list[str], list[str]]:
    selections = [Selection(f"{option}[{index}]", KINDS[option], item) for index, (option, item) in enumerate(items)]
    desired, errors = resolve_selections(selections, OBJECTS, planned)
    return [one.title for one in desired], errors


@pytest.mark.parametrize(
    ("option", "item", "chosen"),
    [
        pytest.param("namespaces", {"name": "shop"}, ["Namespace shop"], id="by-name"),
        pytest.param("namespaces", {"name": "missing"}, ["Namespace missing"], id="a-name-that-is-not-there-is-refused-later"),
        pytest.param("namespaces", {"label_selector": "team=a"}, ["Namespace bank", "Namespace shop"], id="by-label"),
        pytest.param("namespaces", {"label_selector": "team=a,!tier"}, ["Namespace shop"], id="by-labels"),
        pytest.param("namespaces", {"name": "shop", "label_selector": "team=a"}, ["Namespace shop"], id="by-both"),
        pytest.param("services", {"name": "cart", "namespace": "shop"}, ["Service shop/cart"], id="service-by-name"),
        pytest.param("services", {"label_selector": "team"}, ["Service bank/cart", "Service bank/vault", "Service shop/cart"], id="services-everywhere"),
        pytest.param("services", {"label_selector": "team", "namespace": "bank"}, ["Service bank/cart", "Service bank/vault"], id="services-of-one-namespace"),
        pytest.param("services", {"label_selector": "team=a", "name": "cart"}, ["Service shop/cart"], id="services-of-one-name"),
        pytest.param("services", {"name": "waypoint", "namespace": "bank"}, ["Service bank/waypoint"], id="a-waypoints-service-only-by-name"),
        pytest.param("workloads", {"label_selector": "team=a"}, ["Deployment shop/cart"], id="workloads-by-label"),
    ],
)
def test_what_an_item_chooses(option: str, item: dict[str, Any], chosen: list[str]) -> None:
    assert _choose((option, item)) == (chosen, [])


@pytest.mark.parametrize(
    ("option", "item", "problem"),
    [
        pytest.param("namespaces", {"label_selector": "team=c"}, "there is no Namespace with the labels team=c", id="namespaces"),
        pytest.param(
            "namespaces", {"name": "lab", "label_selector": "team=a"}, "there is no Namespace named lab with the labels team=a", id="name-without-the-labels"
        ),
        pytest.param(
            "services",
            {"namespace": "lab", "label_selector": "team"},
            "there is no Service in namespace lab with the labels team",
            id="services",
        ),
        pytest.param("workloads", {"label_selector": "team=c"}, "there is no Deployment with the labels team=c", id="workloads"),
    ],
)
def test_to_find_nothing_is_an_error(option: str, item: dict[str, Any], problem: str) -> None:
    assert _choose((option, item)) == ([], [f"{option}[0]: {problem}: correct the name or the selector."])


def test_nothing_is_found_yet_in_a_namespace_that_is_planned() -> None:
    assert _choose(("services", {"namespace": "new", "label_selector": "team=a"}), planned=("new",)) == ([], [])


def test_an_object_that_two_items_choose_is_named() -> None:
    chosen, errors = _choose(
        ("namespaces", {"name": "shop"}), ("namespaces", {"label_selector": "team=a"}), ("services", {"name": "cart", "namespace": "shop"})
    )
    assert chosen == ["Namespace shop", "Namespace bank", "Namespace shop", "Service shop/cart"]
    assert errors == ["Namespace shop is selected by namespaces[0], namespaces[1]: combine these items into one."]
