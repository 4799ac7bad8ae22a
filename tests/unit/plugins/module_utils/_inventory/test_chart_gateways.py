"""What is known of gateways of the chart and their load balancers before anything is made."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.chart_gateways import chart_gateway_warnings, validate_chart_gateways
from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.validation import find_errors
from tests.unit.inventory_values import converted, values_of

RELEASE: dict[str, Any] = {"name": "istio-ingress", "namespace": "istio-ingress"}
ALB: dict[str, Any] = {"name": "public", "namespace": "istio-ingress", "service": "istio-ingress"}


def errors_of(release: dict[str, Any], alb: dict[str, Any], **variables: Any) -> list[str]:
    """The errors of an inventory with a release and an ALB; each differs from a plain one in what is given."""
    return validate_chart_gateways(values_of({"istio_gateways": [{**RELEASE, **release}], "ingress_albs": [{**ALB, **alb}], **variables}))


@pytest.mark.parametrize(
    ("release", "alb", "message"),
    [
        pytest.param(
            {},
            {},
            "istio_gateways[0].service.type is not set, and the chart's default is LoadBalancer, so there would be a second load balancer beside "
            "ingress_albs[0]: set it to ClusterIP, or set ingress_allow_load_balancer_service.",
            id="default-type",
            marks=[pytest.mark.requirement("M1"), pytest.mark.requirement("M2")],
        ),
        pytest.param(
            {"service": {"type": "LoadBalancer"}},
            {"target_type": "instance"},
            "istio_gateways[0].service.type is LoadBalancer, so there would be a second load balancer beside ingress_albs[0]: set it to NodePort, "
            "or set ingress_allow_load_balancer_service.",
            id="load-balancer",
            marks=pytest.mark.requirement("M2"),
        ),
        pytest.param(
            {"service": {"type": "ClusterIP"}, "values": {"service": {"type": "LoadBalancer"}}},
            {},
            "istio_gateways[0].service.type is LoadBalancer",
            id="values-decide",
        ),
        pytest.param(
            {"service": {"type": "ClusterIP"}},
            {"target_type": "instance"},
            "ingress_albs[0].target_type is instance, which needs a NodePort, but istio_gateways[0].service.type is ClusterIP",
            id="no-node-port",
            marks=pytest.mark.requirement("E2"),
        ),
        pytest.param({"service": {"type": "None"}}, {}, "istio_gateways[0].service.type is None, so the chart creates no Service", id="no-service"),
        pytest.param(
            {"service": {"type": "ClusterIP"}},
            {"service_port": 8080},
            "ingress_albs[0].service_port is 8080, but istio_gateways[0] has only 15021, 80, 443",
            id="no-port",
            marks=pytest.mark.requirement("E6"),
        ),
        pytest.param(
            {"service": {"type": "ClusterIP", "ports": [{"name": "http2", "port": 80}]}},
            {},
            "ingress_albs[0] probes the port status-port, which istio_gateways[0].service.ports does not have",
            id="no-status-port",
        ),
    ],
)
def test_what_could_not_serve_is_an_error_before_anything_is_made(release: dict[str, Any], alb: dict[str, Any], message: str) -> None:
    (error,) = errors_of(release, alb)
    assert error.startswith(message)


@pytest.mark.parametrize(
    ("release", "alb", "variables"),
    [
        ({"service": {"type": "ClusterIP"}}, {}, {}),
        ({"values": {"service": {"type": "ClusterIP"}}}, {}, {}),
        ({"service": {"type": "NodePort"}}, {"target_type": "instance"}, {}),
        ({"service": {"type": "ClusterIP", "ports": [{"name": "http", "port": 80}]}}, {"health_check": {"port": "15021"}}, {}),
        ({"service": {"type": "ClusterIP", "ports": [{"name": "http", "port": 80}]}}, {"health_check": {"port": "traffic-port"}}, {}),
        ({}, {}, {"ingress_allow_load_balancer_service": True}),
        ({}, {"state": "absent"}, {}),
        ({}, {"service": "another"}, {}),
        ({}, {"service": None, "gateway": "public"}, {}),
    ],
    ids=range(9),
)
def test_what_can_serve_is_right(release: dict[str, Any], alb: dict[str, Any], variables: dict[str, Any]) -> None:
    assert errors_of(release, alb, **variables) == []


def test_the_whole_validation_names_it() -> None:
    errors = find_errors(converted({"istio_gateways": [RELEASE], "ingress_albs": [ALB]}))
    assert any("a second load balancer beside ingress_albs[0]" in error for error in errors), errors


@pytest.mark.requirement("B6")
@pytest.mark.parametrize(
    ("release", "variables", "warned"),
    [
        ({}, {}, True),
        ({"service": {"type": "LoadBalancer"}}, {}, True),
        ({"service": {"type": "ClusterIP"}}, {}, False),
        ({}, {"alb_controller_enabled": True}, False),
        ({}, {"eks_enabled": False}, False),
        ({"service": {"load_balancer_class": "service.k8s.aws/nlb"}}, {}, False),
        ({"service": {"annotations": {"service.beta.kubernetes.io/aws-load-balancer-type": "external"}}}, {}, False),
        ({"values": {"service": {"type": "NodePort"}}}, {}, False),
    ],
    ids=range(8),
)
def test_a_load_balancer_without_the_controller_is_a_warning(release: dict[str, Any], variables: dict[str, Any], warned: bool) -> None:
    warnings = chart_gateway_warnings(values_of({"eks_enabled": True, "istio_gateways": [{**RELEASE, **release}], **variables}))
    assert ["istio_gateways[0]" in warning and "AWS creates a Classic Load Balancer" in warning for warning in warnings] == [True] * warned
