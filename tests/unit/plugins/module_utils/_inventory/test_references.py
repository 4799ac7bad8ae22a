"""A value that nearly names another item of the inventory is reported; names of objects that exist elsewhere are not."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.references import undeclared_waypoints, validate_references
from tests.unit.inventory_values import values_of

DECLARED: dict[str, Any] = {
    "mesh_waypoints": [{"namespace": "shop"}, {"namespace": "infra", "name": "shared"}, {"namespace": "shop", "name": "old", "state": "absent"}],
    "ingress_gateways": [{"name": "public", "namespace": "edge", "listeners": [{"name": "https", "port": 443, "protocol": "HTTPS"}]}],
    "ingress_classic_gateways": [{"name": "classic", "namespace": "edge", "release": "istio-ingress"}],
    "istio_gateways": [{"name": "istio-ingress", "namespace": "edge"}],
    "aws_edge_log_buckets": ["shop-access-logs"],
    "aws_edge_certificates": [{"domain": "shop.example.com", "subject_alternative_names": ["www.example.com"]}],
}
ROUTE: dict[str, Any] = {"name": "cart", "namespace": "shop", "gateway": "public", "gateway_namespace": "edge"}
ALB: dict[str, Any] = {"name": "public", "namespace": "edge"}


def errors_of(**variables: Any) -> list[str]:
    return validate_references(values_of(DECLARED | variables))


SLIPS: list[Any] = [
    (
        {"mesh_namespaces": [{"name": "shop", "use_waypoint": "wayponit"}]},
        "mesh_namespaces[0].use_waypoint is 'wayponit', which mesh_waypoints does not have in namespace shop: did you mean waypoint?",
    ),
    (
        {"mesh_services": [{"name": "a", "namespace": "bank", "use_waypoint": "shard", "use_waypoint_namespace": "infra"}]},
        "mesh_services[0].use_waypoint is 'shard', which mesh_waypoints does not have in namespace infra: did you mean shared?",
    ),
    (
        {"mesh_workloads": [{"name": "a", "namespace": "bank", "use_waypoint": "shared", "use_waypoint_namespace": "infr"}]},
        "mesh_workloads[0].use_waypoint_namespace is 'infr', where mesh_waypoints does not have shared: did you mean infra?",
    ),
    (
        {"mesh_namespaces": [{"name": "shop", "use_waypoint": "waypoint", "canary": {"waypoint": "waypont", "weight": "5"}}]},
        "mesh_namespaces[0].canary.waypoint is 'waypont', which mesh_waypoints does not have in namespace shop: did you mean waypoint?",
    ),
    (
        {"ingress_albs": [{**ALB, "gateway": "pubic"}]},
        "ingress_albs[0].gateway is 'pubic', which ingress_gateways does not have in namespace edge: did you mean public?",
    ),
    (
        {"ingress_routes": [{**ROUTE, "gateway": "publik"}]},
        "ingress_routes[0].gateway is 'publik', which ingress_gateways does not have in namespace edge: did you mean public?",
    ),
    (
        {"ingress_routes": [{**ROUTE, "gateway_namespace": "egde"}]},
        "ingress_routes[0].gateway_namespace is 'egde', where ingress_gateways does not have public: did you mean edge?",
    ),
    (
        {"ingress_routes": [{**ROUTE, "kind": "VirtualService", "gateway": "clasic"}]},
        "ingress_routes[0].gateway is 'clasic', which ingress_classic_gateways does not have in namespace edge: did you mean classic?",
    ),
    (
        {"ingress_routes": [{**ROUTE, "section_names": ["htps"]}]},
        "ingress_routes[0].section_names has 'htps', which Gateway edge/public does not have: did you mean https?",
    ),
    (
        {"ingress_routes": [{**ROUTE, "section_names": ["admin"]}]},
        "ingress_routes[0].section_names has 'admin', which Gateway edge/public does not have: its listeners are https.",
    ),
    (
        {"ingress_classic_gateways": [{"name": "classic", "namespace": "edge", "release": "istio-ingres"}]},
        "ingress_classic_gateways[0].release is 'istio-ingres', which istio_gateways does not have: did you mean istio-ingress?",
    ),
    (
        {"ingress_albs": [{**ALB, "access_logs": {"bucket": "shop-acces-logs"}}]},
        "ingress_albs[0].access_logs.bucket is 'shop-acces-logs', which aws_edge_log_buckets does not have: did you mean shop-access-logs?",
    ),
    (
        {"ingress_albs": [{**ALB, "certificate_domains": ["shop.exmaple.com"]}]},
        "ingress_albs[0].certificate_domains has 'shop.exmaple.com', which aws_edge_certificates does not have: did you mean shop.example.com?",
    ),
    (
        {"ingress_gateways": [{"name": "nlb", "namespace": "edge", "load_balancer": "nlb", "nlb": {"certificate_domains": ["www.exmaple.com"]}}]},
        "ingress_gateways[0].nlb.certificate_domains has 'www.exmaple.com', which aws_edge_certificates does not have: did you mean www.example.com?",
    ),
]


@pytest.mark.parametrize(("variables", "error"), SLIPS, ids=[error.split(" ")[0] + str(index) for index, (_variables, error) in enumerate(SLIPS)])
def test_a_typo_is_reported_with_the_item_that_was_meant(variables: dict[str, Any], error: str) -> None:
    assert errors_of(**variables) == [error]


@pytest.mark.parametrize(
    "variables",
    [
        pytest.param({}, id="declared"),
        pytest.param({"mesh_namespaces": [{"name": "shop", "use_waypoint": "waypoint"}, {"name": "bank", "use_waypoint": "waypoint"}]}, id="of-elsewhere"),
        pytest.param({"mesh_namespaces": [{"name": "shop", "use_waypoint": "none"}, {"name": "infra", "use_waypoint": ""}]}, id="opted-out"),
        pytest.param({"mesh_namespaces": [{"label_selector": "a=b", "use_waypoint": "wayponit"}]}, id="unknown-namespaces"),
        pytest.param({"mesh_namespaces": [{"name": "shop", "use_waypoint": "waypoint-2"}]}, id="numbered"),
        pytest.param({"mesh_namespaces": [{"name": "shop", "use_waypoint": "waypoint-blue"}]}, id="another-word"),
        pytest.param({"mesh_namespaces": [{"name": "shap", "use_waypoint": "waypoint"}]}, id="a-namespace-that-is-its-own"),
        pytest.param({"mesh_namespaces": [{"name": "shop", "use_waypoint": "wayponit", "state": "absent"}]}, id="absent"),
        pytest.param({"ingress_albs": [{**ALB, "gateway": "internal"}, {**ALB, "gateway": "public"}, ALB]}, id="gateways-of-elsewhere"),
        pytest.param({"ingress_routes": [{**ROUTE, "section_names": ["https"]}, {**ROUTE, "gateway": "other", "section_names": ["a"]}]}, id="listeners"),
        pytest.param({"ingress_albs": [{**ALB, "access_logs": {"bucket": "bank-access-logs"}, "certificate_domains": ["api.example.com"]}]}, id="of-aws"),
    ],
)
def test_what_exists_or_may_exist_elsewhere_is_not_told(variables: dict[str, Any]) -> None:
    assert errors_of(**variables) == []


@pytest.mark.requirement("O3")
def test_a_waypoint_that_nobody_declares_is_a_warning() -> None:
    # As in the post: the Service names a waypoint of its own, and only that of the namespace is ever created.
    variables = {
        "mesh_waypoints": [{"namespace": "bookinfo"}],
        "mesh_namespaces": [{"name": "bookinfo", "use_waypoint": "waypoint"}],
        "mesh_services": [
            {"name": "reviews", "namespace": "bookinfo", "use_waypoint": "reviews-svc-waypoint"},
            {"name": "ratings", "namespace": "bookinfo", "use_waypoint": "none"},
            {"name": "details", "namespace": "bookinfo", "use_waypoint": "old", "state": "absent"},
        ],
    }
    (warning,) = undeclared_waypoints(values_of(variables))
    assert warning.startswith("mesh_services[0].use_waypoint names waypoint bookinfo/reviews-svc-waypoint, which mesh_waypoints does not have")


def test_waypoints_that_are_all_declared_elsewhere_are_no_warning() -> None:
    assert undeclared_waypoints(values_of({"mesh_namespaces": [{"name": "shop", "use_waypoint": "shared", "use_waypoint_namespace": "infra"}]})) == []
