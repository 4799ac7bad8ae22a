"""The releases of Istio, from the variables of the role."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._helm.istio import istio_releases
from tests.unit.inventory_values import values_of

INGRESS = {"name": "istio-ingress", "namespace": "istio-ingress"}
REPOSITORY = "https://charts.example"


def releases(**given: Any) -> dict[str, Any]:
    return istio_releases(values_of({"istio_chart_source": REPOSITORY, "istio_version": "1.31.1", **given}))


def test_each_chart_is_a_release_as_the_module_takes_it() -> None:
    assert releases()["ztunnel"] == {
        "name": "ztunnel",
        "namespace": "istio-system",
        "chart_ref": "ztunnel",
        "chart_repo_url": REPOSITORY,
        "chart_version": "1.31.1",
        "values": {"profile": "ambient"},
    }
    assert [release["name"] for release in releases(istio_namespace="mesh")["desired"]] == ["istio-base", "istiod", "istio-cni", "ztunnel"]


@pytest.mark.requirement("C10")
def test_sidecar_mode_has_no_node_agents_and_they_are_still_known() -> None:
    found = releases(istio_mode="sidecar", istio_gateways=[INGRESS])
    assert [release["name"] for release in found["desired"]] == ["istio-base", "istiod", "istio-ingress"]
    assert found["ztunnel"]["name"] == "ztunnel"


@pytest.mark.requirement("C12")
def test_each_gateway_is_a_release_of_its_own() -> None:
    found = releases(istio_gateways=[{**INGRESS, "replicas": 2}, {**INGRESS, "name": "egress"}], istio_platform="gke")["gateways"]
    assert [(release["name"], release["namespace"], release["chart_ref"]) for release in found] == [
        ("istio-ingress", "istio-ingress", "gateway"),
        ("egress", "istio-ingress", "gateway"),
    ]
    assert found[0]["values"] == {"global": {"platform": "gke"}, "autoscaling": {"enabled": False}, "replicaCount": 2}


@pytest.mark.requirement("C2")
def test_the_revision_of_istiod_reaches_what_connects_to_it() -> None:
    found = releases(istio_istiod_values={"revision": "blue"}, istio_gateways=[INGRESS, {**INGRESS, "name": "egress", "values": {"revision": "green"}}])
    assert found["base"]["values"]["defaultRevision"] == "blue"
    assert found["ztunnel"]["values"]["revision"] == "blue"
    assert [gateway["values"]["revision"] for gateway in found["gateways"]] == ["blue", "green"]
    # One istio-cni serves all revisions (istio.io: Canary upgrade of ambient mode).
    assert "revision" not in found["cni"]["values"].get("cni", {})


@pytest.mark.parametrize(
    ("given", "istiod"),
    [
        pytest.param({"istio_startup_taint": "false"}, {"profile": "ambient"}, id="switched-off"),
        pytest.param({"istio_istiod_replicas": "2"}, {"profile": "ambient", "pilot": {"autoscaleEnabled": False, "replicaCount": 2}}, id="a-number"),
        pytest.param({"istio_istiod_replicas": "0"}, {"profile": "ambient", "pilot": {"autoscaleEnabled": False, "replicaCount": 0}}, id="none-as-text"),
        pytest.param({"istio_istiod_replicas": 0}, {"profile": "ambient", "pilot": {"autoscaleEnabled": False, "replicaCount": 0}}, id="none"),
        pytest.param({"istio_istiod_values": '{"env": {"A": "0815"}}'}, {"profile": "ambient", "pilot": {"env": {"A": "0815"}}}, id="json"),
    ],
)
def test_variables_as_text_mean_what_their_types_say(given: dict[str, Any], istiod: dict[str, Any]) -> None:
    assert releases(**given)["istiod"]["values"] == istiod
