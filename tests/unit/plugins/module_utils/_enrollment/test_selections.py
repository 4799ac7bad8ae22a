from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._enrollment.selections import Selection, resolve_selections, warn_of_settled
from tests.unit.objects import Object, namespace_of

KINDS = {"namespaces": "Namespace", "services": "Service", "workloads": "Deployment"}


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
    ("option", "item", "error"),
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
def test_to_find_nothing_is_an_error(option: str, item: dict[str, Any], error: str) -> None:
    assert _choose((option, item)) == ([], [f"{option}[0]: {error}: correct the name or the selector."])


def test_nothing_is_found_yet_in_a_namespace_that_is_planned() -> None:
    assert _choose(("services", {"namespace": "new", "label_selector": "team=a"}), planned=("new",)) == ([], [])


def test_an_object_that_two_items_choose_is_named() -> None:
    chosen, errors = _choose(
        ("namespaces", {"name": "shop"}), ("namespaces", {"label_selector": "team=a"}), ("services", {"name": "cart", "namespace": "shop"})
    )
    assert chosen == ["Namespace shop", "Namespace bank", "Namespace shop", "Service shop/cart"]
    assert errors == ["Namespace shop is selected by namespaces[0], namespaces[1]: combine these items into one."]


def test_what_should_have_no_labels_need_not_exist() -> None:
    gone = [
        ("namespaces", {"name": "gone", "state": "absent"}),
        ("services", {"name": "gone", "namespace": "shop", "state": "absent"}),
        ("namespaces", {"label_selector": "team=c", "state": "absent"}),
    ]
    assert _choose(*gone, ("namespaces", {"name": "lab", "state": "absent"})) == (["Namespace lab"], [])
    selections = [Selection(option, KINDS[option], item) for option, item in gone]
    (warning,) = warn_of_settled(selections, OBJECTS)
    assert all(str(selection) in warning for selection in selections)
    assert warn_of_settled([Selection("namespaces[0]", "Namespace", {"name": "lab", "state": "absent"})], OBJECTS) == []
