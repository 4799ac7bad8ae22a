"""The injector configuration of istiod, without which it creates nothing for Gateways."""

from __future__ import annotations

import json

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._managed_gateway.spec import find_problem, injector_name, parse_injector
from tests.unit.objects import Object

TITLE = "ConfigMap istio-system/istio-sidecar-injector"


def injector(*templates: str, **values: object) -> Object:
    """A ConfigMap as the chart istiod renders it."""
    config = "policy: enabled\ntemplates:\n" + "".join(f"  {name}: |\n    apiVersion: v1\n" for name in templates)
    metadata = {"name": "istio-sidecar-injector", "namespace": "istio-system"}
    return {"kind": "ConfigMap", "metadata": metadata, "data": {"config": config, "values": json.dumps({"global": values})}}


@pytest.mark.parametrize(
    ("config_map", "problem"),
    [
        pytest.param(injector("sidecar", "waypoint", "kube-gateway"), "", id="complete"),
        pytest.param(None, f"{TITLE} does not exist, from which istiod renders waypoints and gateways", id="absent"),
        pytest.param(injector("sidecar", "kube-gateway"), f"{TITLE} has no template waypoint, so istiod creates nothing for Gateways of this class", id="one"),
        pytest.param(injector(), f"{TITLE} has no template kube-gateway, waypoint, so istiod creates nothing for Gateways of this class", id="empty"),
        pytest.param(
            {"metadata": {}, "data": {"config": "{{ broken"}},
            f"{TITLE} has no template kube-gateway, waypoint, so istiod creates nothing for Gateways of this class",
            id="no-yaml",
        ),
        pytest.param({"metadata": {}}, f"{TITLE} has no template kube-gateway, waypoint, so istiod creates nothing for Gateways of this class", id="no-data"),
    ],
)
def test_without_templates_istiod_creates_nothing(config_map: Object | None, problem: str) -> None:
    assert find_problem(config_map, TITLE) == problem


def test_only_the_template_of_the_class_is_needed() -> None:
    assert find_problem(injector("kube-gateway"), TITLE, ["kube-gateway"]) == ""
    assert parse_injector(injector("waypoint", hub="h")).values == {"global": {"hub": "h"}}


@pytest.mark.parametrize(("revision", "name"), [("", "istio-sidecar-injector"), ("default", "istio-sidecar-injector"), ("1-31", "istio-sidecar-injector-1-31")])
def test_each_revision_has_a_configuration(revision: str, name: str) -> None:
    assert injector_name(revision) == name
