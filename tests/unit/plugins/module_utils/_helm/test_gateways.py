from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._helm.gateways import gateway_targets, gateway_values
from generate.declarations import role_variables

INGRESS = {"name": "istio-ingress", "namespace": "istio-ingress"}


@pytest.mark.requirement("C12")
@pytest.mark.parametrize(
    ("gateway", "expected"),
    [
        pytest.param({}, {}, id="all-is-left-to-the-chart"),
        pytest.param({"replicas": 2}, {"autoscaling": {"enabled": False}, "replicaCount": 2}, id="two-pods"),
        pytest.param({"replicas": 0}, {"autoscaling": {"enabled": False}, "replicaCount": 0}, id="no-pod"),
        pytest.param({"autoscaling": {"min": 2, "max": 6}}, {"autoscaling": {"enabled": True, "minReplicas": 2, "maxReplicas": 6}}, id="autoscaling"),
        pytest.param({"service": {"type": "NodePort", "ports": None}}, {"service": {"type": "NodePort"}}, id="null-is-not-given"),
        pytest.param(
            {"service": {"type": "NodePort"}, "values": {"service": {"type": "ClusterIP"}, "labels": {"team": "a"}}},
            {"service": {"type": "ClusterIP"}, "labels": {"team": "a"}},
            id="values-win",
        ),
        pytest.param({"service": {}}, {}, id="an-empty-service-says-nothing"),
    ],
)
def test_values_of_a_release(gateway: dict[str, Any], expected: dict[str, Any]) -> None:
    assert gateway_values({**INGRESS, **gateway}, "other") == expected


# The chart's own words: istio manifests/charts/gateway/values.yaml (service) and templates/service.yaml.
IN_THE_CHART = {
    "type": "type",
    "ports": "ports",
    "annotations": "annotations",
    "cluster_ip": "clusterIP",
    "load_balancer_ip": "loadBalancerIP",
    "load_balancer_class": "loadBalancerClass",
    "load_balancer_source_ranges": "loadBalancerSourceRanges",
    "external_traffic_policy": "externalTrafficPolicy",
    "health_check_node_port": "healthCheckNodePort",
    "external_ips": "externalIPs",
    "ip_family_policy": "ipFamilyPolicy",
    "ip_families": "ipFamilies",
    "allocate_load_balancer_node_ports": "allocateLoadBalancerNodePorts",
}


def test_every_key_of_the_service_is_compared() -> None:
    assert set(role_variables()["istio"]["istio_gateways"]["options"]["service"]["options"]) == set(IN_THE_CHART)


@pytest.mark.parametrize(("word", "field"), IN_THE_CHART.items())
def test_each_field_of_the_service_reaches_the_chart(word: str, field: str) -> None:
    for value in ("", [], False, "x", ["10.0.0.0/8"]):
        assert gateway_values({**INGRESS, "service": {word: value}}, "other") == {"service": {field: value}}


def test_the_platform_reaches_the_chart() -> None:
    assert gateway_values(INGRESS, "gke") == {"global": {"platform": "gke"}}


def test_what_is_verified() -> None:
    assert gateway_targets([INGRESS, {"name": "edge", "namespace": "edge", "values": {"kind": "DaemonSet"}}]) == [
        {"kind": "Deployment", "name": "istio-ingress", "namespace": "istio-ingress"},
        {"kind": "DaemonSet", "name": "edge", "namespace": "edge"},
    ]
