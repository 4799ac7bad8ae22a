"""What items at the edge of a mesh take from what is behind them."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.filter.ingress import ingress_items
from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.backends import with_backends
from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.ingress_lists import parse_ingress_lists
from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.validation import find_errors
from tests.unit.inventory_values import converted, values_of

RELEASE: dict[str, Any] = {"name": "istio-ingress", "namespace": "istio-ingress", "service": {"type": "ClusterIP"}}
GATEWAY: dict[str, Any] = {"name": "public", "namespace": "edge", "load_balancer": "alb"}
CERTAIN = {"istio_version": "1.31.1", "gateway_api_version": "v1.6.1"}


def objects(**variables: Any) -> list[dict[str, Any]]:
    """The Ingresses and Istio Gateways of an inventory that is right, as the role hands their items to the modules."""
    given = {"istio_chart_source": "/charts", "gateway_api_source": "/api", "cluster_kubeconfig": "/kubeconfig", **CERTAIN, **variables}
    errors = find_errors(converted(given))
    assert errors == []
    values = values_of(given)
    lists = {name: values[f"ingress_{name}"] for name in ("gateways", "albs", "routes", "classic_gateways")}
    items = ingress_items({**lists, "releases": values["istio_gateways"]}, [])
    edge = parse_ingress_lists({name: items[name] for name in ("gateways", "albs", "classic_gateways")})
    return [item.main.manifest for item in (*edge.albs, *edge.classic_gateways)]


def backend(ingress: dict[str, Any]) -> tuple[str, str, str]:
    """Where an Ingress is, its name, and the Service that it sends to."""
    service = ingress["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]["name"]
    return ingress["metadata"]["namespace"], ingress["metadata"]["name"], service


@pytest.mark.requirement("C14", "E6")
def test_the_only_release_is_the_backend_and_the_selector_by_default() -> None:
    ingress, gateway = objects(istio_gateways=[RELEASE], ingress_albs=[{}], ingress_classic_gateways=[{}])
    assert backend(ingress) == ("istio-ingress", "istio-ingress", "istio-ingress")
    assert gateway["spec"]["selector"] == {"app": "istio-ingress"}
    assert (gateway["metadata"]["namespace"], gateway["metadata"]["name"]) == ("istio-ingress", "istio-ingress")


@pytest.mark.requirement("A17", "N4")
def test_names_of_releases_and_gateways_have_defaults_that_can_be_replaced() -> None:
    (ingress,) = objects(ingress_gateways=[{"load_balancer": "alb"}], ingress_albs=[{}])
    assert backend(ingress) == ("istio-ingress", "gateway", "gateway-istio")
    (ingress,) = objects(istio_gateways=[{"service": {"type": "ClusterIP"}}], ingress_albs=[{"name": "front"}])
    assert backend(ingress) == ("istio-ingress", "front", "istio-ingress")
    (ingress,) = objects(ingress_gateways=[GATEWAY], ingress_albs=[{"name": "alb-ingress", "namespace": "edge", "gateway": "public"}])
    assert backend(ingress) == ("edge", "alb-ingress", "public-istio")


@pytest.mark.requirement("E6")
@pytest.mark.parametrize(
    ("variables", "place"),
    [
        pytest.param({"ingress_gateways": [GATEWAY], "ingress_albs": [{"name": "a", "gateway": "public"}]}, ("edge", "a", "public-istio"), id="gateway"),
        pytest.param({"istio_gateways": [RELEASE], "ingress_albs": [{"service": "istio-ingress"}]}, ("istio-ingress",) + ("istio-ingress",) * 2, id="release"),
        pytest.param(
            {"ingress_gateways": [GATEWAY], "istio_gateways": [RELEASE], "ingress_albs": [{"namespace": "edge"}]},
            ("edge", "public", "public-istio"),
            id="only-one-in-the-namespace",
        ),
        pytest.param(
            {"ingress_gateways": [GATEWAY, {**GATEWAY, "name": "internal", "load_balancer": "none"}], "ingress_albs": [{}]},
            ("edge", "public", "public-istio"),
            id="only-one-is-for-an-alb",
        ),
        pytest.param({"ingress_albs": [{"namespace": "old", "service": "other"}]}, ("old", "other", "other"), id="of-another-tool"),
    ],
)
def test_an_alb_is_where_its_backend_is(variables: dict[str, Any], place: tuple[str, str, str]) -> None:
    (ingress,) = objects(**variables)
    assert backend(ingress) == place


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        pytest.param({"ingress_albs": [{"name": "a", "gateway": "public"}]}, "ingress_albs[0] has no namespace, and no gateway", id="unknown-gateway"),
        pytest.param({"istio_gateways": [RELEASE, {**RELEASE, "name": "b"}], "ingress_albs": [{}]}, "ingress_albs[0] has no name and no namespace", id="two"),
        pytest.param(
            {"ingress_gateways": [GATEWAY, {**GATEWAY, "namespace": "b"}], "ingress_albs": [{"gateway": "public"}]},
            "ingress_albs[0] has no namespace",
            id="one-name-in-two-namespaces",
        ),
        pytest.param({"ingress_classic_gateways": [{"release": "x"}]}, "ingress_classic_gateways[0] has no namespace", id="unknown-release"),
    ],
)
def test_what_is_not_clear_is_asked_for(variables: dict[str, Any], message: str) -> None:
    errors = find_errors(converted({**CERTAIN, **variables}))
    assert any(error.startswith(message) for error in errors), errors


def test_what_is_given_is_never_replaced() -> None:
    albs = [{"name": "a", "namespace": "n", "gateway": "g"}, {"name": "b", "namespace": "n", "service": "s"}]
    classic = [{"name": "c", "namespace": "n", "selector": {"istio": "edge"}}]
    given = {"ingress_gateways": [GATEWAY], "istio_gateways": [RELEASE], "ingress_albs": albs, "ingress_classic_gateways": classic}
    assert with_backends(given) == given
