from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._helm.gateway_releases import (
    SERVICE_FIELDS,
    gateway_mistakes,
    gateway_releases,
    gateway_targets,
    gateway_values,
)

INGRESS = {"name": "istio-ingress", "namespace": "istio-ingress"}


@pytest.mark.requirement("C12")
@pytest.mark.parametrize(
    ("gateway", "expected"),
    [
        pytest.param({}, {}, id="all-is-left-to-the-chart"),
        pytest.param({"replicas": 2}, {"autoscaling": {"enabled": False}, "replicaCount": 2}, id="two-pods"),
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
    assert gateway_values({**INGRESS, **gateway}) == expected


@pytest.mark.parametrize(("word", "field"), sorted(SERVICE_FIELDS.items()))
def test_each_field_of_the_service_reaches_the_chart(word: str, field: str) -> None:
    for value in ("", [], False, "x", ["10.0.0.0/8"]):
        assert gateway_values({**INGRESS, "service": {word: value}}) == {"service": {field: value}}


def test_the_platform_reaches_the_chart() -> None:
    assert gateway_values(INGRESS, platform="gke") == {"global": {"platform": "gke"}}


def test_what_is_judged() -> None:
    assert gateway_targets([INGRESS, {"name": "edge", "namespace": "edge", "values": {"kind": "DaemonSet"}}]) == [
        {"kind": "Deployment", "name": "istio-ingress", "namespace": "istio-ingress"},
        {"kind": "DaemonSet", "name": "edge", "namespace": "edge"},
    ]


@pytest.mark.parametrize(
    ("gateways", "told"),
    [
        pytest.param([INGRESS, {**INGRESS, "name": "other"}], [], id="two-in-one-namespace"),
        pytest.param([INGRESS, INGRESS], ["istio_gateways[1] says istio-ingress/istio-ingress again, as istio_gateways[0] does"], id="twice"),
        pytest.param([{**INGRESS, "replicas": 2, "autoscaling": {"min": 1, "max": 2}}], ["istio_gateways[0] has replicas and autoscaling"], id="both"),
        pytest.param([{**INGRESS, "autoscaling": {"min": 3, "max": 2}}], ["istio_gateways[0] has autoscaling from 3 to 2"], id="min-above-max"),
    ],
)
def test_mistakes(gateways: list[dict[str, Any]], told: list[str]) -> None:
    found = gateway_mistakes(gateways)
    assert len(found) == len(told)
    for sentence, beginning in zip(found, told, strict=True):
        assert sentence.startswith(beginning)


@pytest.mark.requirement("C12")
def test_each_gateway_is_a_release_of_its_own() -> None:
    releases = gateway_releases([{**INGRESS, "replicas": 2}, {**INGRESS, "name": "egress"}], source="https://charts.example", version="1.31.1", platform="gke")
    assert [(release["title"], release["name"], release["namespace"]) for release in releases] == [
        ("gateway as istio-ingress", "istio-ingress", "istio-ingress"),
        ("gateway as egress", "egress", "istio-ingress"),
    ]
    assert releases[0]["reference"] == {"chart_ref": "gateway", "chart_repo_url": "https://charts.example", "chart_version": "1.31.1"}
    assert releases[0]["release_values"] == gateway_values({**INGRESS, "replicas": 2}, platform="gke")
