"""Validation of the gateways that the role istio installs."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.istio import validate_istio
from tests.unit.inventory_values import values_of

INGRESS = {"name": "istio-ingress", "namespace": "istio-ingress"}


@pytest.mark.parametrize(
    ("gateways", "expected"),
    [
        pytest.param([INGRESS, {**INGRESS, "name": "other"}], [], id="two-in-one-namespace"),
        pytest.param([{**INGRESS, "replicas": 1}, {**INGRESS, "name": "other", "autoscaling": {"min": 1, "max": 1}}], [], id="one"),
        pytest.param([{**INGRESS, "replicas": 0}], ["istio_gateways[0].replicas is 0"], id="none"),
        pytest.param([INGRESS, INGRESS], ["istio_gateways[1] names the same release istio-ingress/istio-ingress as istio_gateways[0]"], id="twice"),
        pytest.param(
            [{**INGRESS, "replicas": 2, "autoscaling": {"min": 1, "max": 2}}],
            ["istio_gateways[0].replicas and istio_gateways[0].autoscaling are both set"],
            id="both",
        ),
        pytest.param([{**INGRESS, "replicas": -1}], ["istio_gateways[0].replicas is -1"], id="less-than-none"),
        pytest.param([{**INGRESS, "autoscaling": {"min": 3, "max": 2}}], ["istio_gateways[0].autoscaling is from 3 to 2"], id="min-over-max"),
    ],
)
def test_gateways(gateways: list[dict[str, Any]], expected: list[str]) -> None:
    found = validate_istio(values_of({"istio_version": "1.31.1", "istio_gateways": gateways}))
    assert len(found) == len(expected)
    for sentence, beginning in zip(found, expected, strict=True):
        assert sentence.startswith(beginning)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, {"namespace": "argocd", "project": "default", "destination": "https://kubernetes.default.svc"}),
        ({"istio_argocd": None}, {"namespace": "argocd", "project": "default", "destination": "https://kubernetes.default.svc"}),
        ({"istio_argocd": {}}, {"namespace": "argocd", "project": "default", "destination": "https://kubernetes.default.svc"}),
        ({"istio_argocd": {"project": "mesh"}}, {"namespace": "argocd", "project": "mesh", "destination": "https://kubernetes.default.svc"}),
        ({"istio_argocd": "project=mesh"}, {"namespace": "argocd", "project": "mesh", "destination": "https://kubernetes.default.svc"}),
        ({"istio_argocd": {"namespace": None, "project": "mesh"}}, {"namespace": "argocd", "project": "mesh", "destination": "https://kubernetes.default.svc"}),
    ],
    ids=str,
)
def test_what_istio_argocd_leaves_out_has_its_documented_default(given: dict[str, Any], expected: dict[str, str]) -> None:
    assert values_of(given)["istio_argocd"] == expected


@pytest.mark.parametrize(
    ("source", "is_error"), [("/srv/charts", True), ("charts", True), ("https://charts.shop.example/istio", False), ("oci://charts.shop.example/istio", False)]
)
def test_argocd_cannot_read_a_directory(source: str, is_error: bool) -> None:
    errors = validate_istio(values_of({"istio_delivery": "argocd", "istio_chart_source": source}))
    assert [error for error in errors if error.startswith("istio_chart_source")] == errors
    assert bool(errors) is is_error
    assert validate_istio(values_of({"istio_delivery": "helm", "istio_chart_source": source})) == []


@pytest.mark.parametrize(("destination", "is_error"), [("in-cluster", True), ("", True), ("https://kube.shop.example:6443", False), (None, False)])
def test_argocd_knows_a_cluster_by_its_url(destination: str | None, is_error: bool) -> None:
    given = {"istio_chart_source": "https://charts.shop.example/istio", "istio_argocd": {"destination": destination}}
    errors = validate_istio(values_of({"istio_delivery": "argocd", **given}))
    assert [error.startswith(f"istio_argocd.destination is {destination!r}: use the URL of the API server") for error in errors] == [True] * is_error
    assert validate_istio(values_of({"istio_delivery": "helm", **given})) == []


@pytest.mark.requirement("D12")
@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"ingress_gateways": [{"name": "public", "namespace": "edge"}]}, "ingress_gateways has gateways, but istio_version is 1.25.5"),
        ({"mesh_waypoints": [{"name": "waypoint", "namespace": "shop", "replicas": 2}]}, "mesh_waypoints[0] has options that become parameters"),
        ({"mesh_waypoints": [{"name": "waypoint", "namespace": "shop"}]}, ""),
        ({"mesh_waypoints": [{"name": "waypoint", "namespace": "shop", "replicas": 2, "state": "absent"}]}, ""),
        ({"ingress_gateways": [{"name": "public", "namespace": "edge", "state": "absent"}]}, ""),
        ({"istio_gateways": [INGRESS]}, ""),
    ],
    ids=range(6),
)
def test_what_an_older_istio_would_ignore_is_an_error(given: dict[str, Any], expected: str) -> None:
    errors = validate_istio(values_of({"istio_version": "1.25.5", "gateway_api_version": "v1.2.1", **given}))
    assert [error[: len(expected)] for error in errors] == [expected] * bool(expected)
    assert validate_istio(values_of({"istio_version": "1.26.0", "gateway_api_version": "v1.3.0", **given})) == []


@pytest.mark.parametrize(
    ("istiod", "is_error"),
    [
        ({"revision": "1-31"}, False),
        ({"revision": 131}, False),
        ({"revision": 1.31}, True),
        ({"pilot": {"revision": "1.31"}}, True),
        ({"revision": None}, False),
    ],
)
def test_a_revision_is_part_of_the_names_of_services(istiod: dict[str, Any], is_error: bool) -> None:
    errors = validate_istio(values_of({"istio_version": "1.31.1", "istio_istiod_values": istiod}))
    assert bool(errors) is is_error
    assert all(error.startswith("istio_istiod_values.revision is '1.31': use lower-case letters, digits and dashes") for error in errors)


@pytest.mark.parametrize(
    ("values", "place"),
    [
        ({"istio_istiod_values": {"global": {"istioNamespace": "other"}}}, "istio_istiod_values.global.istioNamespace"),
        ({"istio_base_values": {"global": {"istioNamespace": "other"}}}, "istio_base_values.global.istioNamespace"),
        ({"istio_ztunnel_values": {"istioNamespace": "other"}}, "istio_ztunnel_values.istioNamespace"),
        ({"istio_ztunnel_values": {"istioNamespace": "other", "xdsAddress": "a.example:15012", "caAddress": "a.example:15012"}}, ""),
        ({"istio_ztunnel_values": {"istioNamespace": "mesh"}, "istio_istiod_values": {"global": {"istioNamespace": "mesh"}}}, ""),
        ({"istio_istiod_values": {"global": None}, "istio_base_values": {"global": {"istioNamespace": None}}}, ""),
    ],
)
def test_every_chart_looks_for_istiod_where_it_is_installed(values: dict[str, Any], place: str) -> None:
    errors = validate_istio(values_of({"istio_version": "1.31.1", "istio_namespace": "mesh", **values}))
    assert [error.split(",")[0] for error in errors] == [f"{place} is 'other'"] * bool(place)


@pytest.mark.parametrize(
    "values",
    [
        {"istio_istiod_values": {"revision": "default"}},
        {"istio_istiod_values": {"pilot": {"revision": "default"}}},
        {"istio_ztunnel_values": {"revision": "default"}},
    ],
)
def test_the_istiod_without_a_revision_has_no_name_for_the_charts(values: dict[str, Any]) -> None:
    (error,) = validate_istio(values_of({"istio_version": "1.31.1", **values}))
    assert error.startswith(f"{next(iter(values))}.revision is 'default', for which the charts would use a Service istiod-default: omit it")
