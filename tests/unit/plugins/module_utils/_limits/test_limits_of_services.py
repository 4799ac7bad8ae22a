"""Addresses and ranges of Services, wherever the fields of a Service are written: what the API server refuses of them is a sentence of the validation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.validation import find_errors
from tests.unit.inventory_values import converted

RANGES = "service.beta.kubernetes.io/load-balancer-source-ranges"
PLACE = {"name": "shop", "namespace": "shop-edge"}
ANNOTATED = {RANGES: "203.0.113.0/24, 203.0.113.7"}


def gateway(**options: Any) -> dict[str, Any]:
    """A Gateway behind an NLB, whose Service is of type LoadBalancer."""
    return {"ingress_gateways": [{**PLACE, "load_balancer": "nlb", "nlb": {"scheme": "internal"}, **options}]}


def waypoint(**options: Any) -> dict[str, Any]:
    return {"mesh_waypoints": [{**PLACE, **options}]}


def chart(service: dict[str, Any], **options: Any) -> dict[str, Any]:
    """A release of the chart, whose Service is of type LoadBalancer by default."""
    return {"istio_gateways": [{**PLACE, "service": service, **options}]}


def chart_values(service: dict[str, Any]) -> dict[str, Any]:
    return chart({}, values={"service": service})


def overlay(made: Callable[..., dict[str, Any]], spec: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    return made(overlays={"service": {"spec": spec, **({"metadata": metadata} if metadata else {})}})


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        (gateway(annotations=ANNOTATED), f"annotations.{RANGES} has '203.0.113.7', which is an address without the length of its prefix"),
        (overlay(gateway, {}, annotations=ANNOTATED), f"overlays.service.metadata.annotations.{RANGES} has '203.0.113.7'"),
        (waypoint(annotations=ANNOTATED), f"annotations.{RANGES} has '203.0.113.7'"),
        (waypoint(service_annotations=ANNOTATED), f"service_annotations.{RANGES} has '203.0.113.7'"),
        (overlay(waypoint, {}, annotations=ANNOTATED), f"overlays.service.metadata.annotations.{RANGES} has '203.0.113.7'"),
        (chart({"annotations": ANNOTATED}), f"istio_gateways[0].service.annotations.{RANGES} has '203.0.113.7'"),
        (chart_values({"annotations": ANNOTATED}), f"istio_gateways[0].values.service.annotations.{RANGES} has '203.0.113.7'"),
        (chart_values({"loadBalancerSourceRanges": ["203.0.113.0/33"]}), "istio_gateways[0].values.service.loadBalancerSourceRanges has '203.0.113.0/33'"),
        (chart({"external_ips": ["203.0.113.0/24"]}), "istio_gateways[0].service.external_ips has '203.0.113.0/24', which is not an IP address"),
        (chart_values({"externalIPs": ["office"]}), "istio_gateways[0].values.service.externalIPs has 'office'"),
        (overlay(gateway, {"externalIPs": ["office"]}), "overlays.service.spec.externalIPs has 'office'"),
        (chart({"cluster_ip": "172.20.0"}), "istio_gateways[0].service.cluster_ip is '172.20.0', which is not an IP address"),
        (chart({"cluster_ip": "None", "type": "NodePort"}), "istio_gateways[0].service.cluster_ip is None, but type is NodePort"),
        (chart({"cluster_ip": "None"}), "istio_gateways[0].service.cluster_ip is None, but type is LoadBalancer"),
        (
            chart({"type": "ClusterIP", "load_balancer_source_ranges": ["203.0.113.0/24"]}),
            "istio_gateways[0].service is of type ClusterIP, but has ranges of sources, which the API server takes only for type LoadBalancer",
        ),
        (
            chart({"load_balancer_source_ranges": ["203.0.113.0/24"]}, values={"service": {"type": "NodePort"}}),
            "istio_gateways[0].service is of type NodePort, but has ranges of sources",
        ),
        (
            gateway(load_balancer="none", nlb=None, annotations={RANGES: "203.0.113.0/24"}),
            "ingress_gateways[0] (Gateway shop-edge/shop): its Service is of type ClusterIP, but has ranges of sources",
        ),
        (
            overlay(lambda **options: gateway(load_balancer="none", nlb=None, **options), {"loadBalancerSourceRanges": ["203.0.113.0/24"]}),
            "its Service is of type ClusterIP, but has ranges of sources",
        ),
    ],
    ids=range(18),
)
def test_what_no_service_can_have_is_a_sentence(variables: dict[str, Any], message: str) -> None:
    (error,) = find_errors(converted(variables))
    assert message in error


@pytest.mark.parametrize(
    "variables",
    [
        # An address within a range, and blanks, are right for Kubernetes.
        gateway(annotations={RANGES: " 203.0.113.7/24 , 2001:db8::/32 "}),
        gateway(annotations={RANGES: ""}),
        overlay(gateway, {"loadBalancerSourceRanges": [" 203.0.113.7/24"], "externalIPs": ["203.0.113.7", "2001:db8::7"]}),
        overlay(
            lambda **options: gateway(load_balancer="none", nlb=None, **options),
            {"type": "LoadBalancer", "loadBalancerSourceRanges": ["203.0.113.0/24"]},
        ),
        gateway(load_balancer="none", nlb=None, service_type="LoadBalancer", annotations={RANGES: "203.0.113.0/24"}),
        overlay(waypoint, {"type": "LoadBalancer"}, annotations={RANGES: "203.0.113.0/24"}),
        chart({"load_balancer_source_ranges": ["203.0.113.0/24"], "external_ips": ["203.0.113.7"], "cluster_ip": "172.20.0.7"}),
        chart({"type": "LoadBalancer", "annotations": {RANGES: "203.0.113.0/24"}}),
        chart({"type": "ClusterIP", "cluster_ip": "None"}),
        # The chart makes no Service then.
        chart({"type": "None", "load_balancer_source_ranges": ["203.0.113.0/24"]}),
        chart({"load_balancer_source_ranges": ["203.0.113.0/24"], "type": "ClusterIP"}, values={"service": {"type": "LoadBalancer"}}),
        chart_values({"loadBalancerSourceRanges": None, "annotations": None}),
    ],
    ids=range(12),
)
def test_what_a_service_can_have_is_right(variables: dict[str, Any]) -> None:
    assert find_errors(converted(variables)) == []
