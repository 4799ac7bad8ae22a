"""Labels, annotations, tags and selectors are text, wherever a user's structure has them; the values of charts stay as they were written."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from ansible_collections.meshwright.ambient.plugins.module_utils._alb.spec import ALB, parse_alb
from ansible_collections.meshwright.ambient.plugins.module_utils._aws.tags import as_text, compare_tags, tag_list
from ansible_collections.meshwright.ambient.plugins.module_utils._errors import MeshError
from ansible_collections.meshwright.ambient.plugins.module_utils._gateway.spec import GATEWAY, parse_gateway
from ansible_collections.meshwright.ambient.plugins.module_utils._ingress.spec import complete
from ansible_collections.meshwright.ambient.plugins.module_utils._istio_ingress.spec import (
    ISTIO_GATEWAY,
    VIRTUAL_SERVICE,
    parse_istio_gateway,
    parse_virtual_service,
)
from ansible_collections.meshwright.ambient.plugins.module_utils._kubernetes_text import find_text_errors, holds_values, is_text_map, with_text
from ansible_collections.meshwright.ambient.plugins.module_utils._route.spec import ROUTE, parse_route
from ansible_collections.meshwright.ambient.plugins.module_utils._waypoint.spec import OPTIONS, parse_waypoint
from generate.declarations import role_variables
from tests.options import Options, walk_options
from tests.unit.inventory_values import converted

# A label as people write it, and as an API server takes it.
LABELS = {"shared": True, "tier": 1, "version": 1.5, "owner": None, 7: "x", True: "y"}
TEXTS = {"shared": "true", "tier": "1", "version": "1.5", "owner": "", "7": "x", "true": "y"}
PLACE = {"name": "shop", "namespace": "shop"}

STRUCTURES: list[Any] = [
    pytest.param({"labels": LABELS}, {"labels": TEXTS}, id="labels"),
    pytest.param({"service_annotations": LABELS}, {"service_annotations": TEXTS}, id="end"),
    pytest.param({"selector": LABELS}, {"selector": TEXTS}, id="flat-selector"),
    pytest.param({"selector": {"matchLabels": LABELS}}, {"selector": {"matchLabels": TEXTS}}, id="label-selector"),
    pytest.param(
        {"selector": {"matchExpressions": [{"key": "a", "operator": "In", "values": [True, 1]}]}},
        {"selector": {"matchExpressions": [{"key": "a", "operator": "In", "values": ["true", "1"]}]}},
        id="expressions",
    ),
    pytest.param({"tolerations": [{"key": "a", "value": True}, {"key": "b"}]}, {"tolerations": [{"key": "a", "value": "true"}, {"key": "b"}]}, id="toleration"),
    pytest.param({"startupTaints": [{"key": "a", "value": 1}]}, {"startupTaints": [{"key": "a", "value": "1"}]}, id="startup-taint"),
    pytest.param(
        {"overlays": {"deployment": {"metadata": {"labels": LABELS}, "spec": {"replicas": 2}}}},
        {"overlays": {"deployment": {"metadata": {"labels": TEXTS}, "spec": {"replicas": 2}}}},
        id="overlay",
    ),
    pytest.param({"values": {"labels": LABELS}}, {"values": {"labels": LABELS}}, id="values-of-a-chart"),
    pytest.param({"istiod_values": {"labels": LABELS}}, {"istiod_values": {"labels": LABELS}}, id="values-of-a-named-chart"),
    pytest.param({"replicas": 2, "enabled": True, "none": None}, {"replicas": 2, "enabled": True, "none": None}, id="other-fields"),
]


@pytest.mark.parametrize(("given", "text"), STRUCTURES)
def test_what_holds_only_text_becomes_text(given: Any, text: Any) -> None:
    assert with_text(given) == text
    assert with_text(text) == text


def test_a_list_as_a_label_is_told_with_its_place() -> None:
    assert list(find_text_errors({"overlays": {"service": {"metadata": {"labels": {"team": ["a"]}}}}})) == [
        "overlays.service.metadata.labels.team is a list or a dictionary, but must be a text: write one, in quotes if need be."
    ]
    assert list(find_text_errors({"values": {"labels": {"team": ["a"]}}, "labels": LABELS})) == []


def leaves_that_are_no_text(value: Any, name: str = "") -> list[tuple[str, Any]]:
    """The labels, annotations and selectors of an object whose values an API server would refuse."""
    if isinstance(value, dict):
        if is_text_map(name, value):
            return [(f"{name}.{key}", item) for key, item in value.items() if not (isinstance(key, str) and isinstance(item, str))]
        return [found for key, item in value.items() for found in leaves_that_are_no_text(item, str(key))]
    return [found for item in value for found in leaves_that_are_no_text(item)] if isinstance(value, list) else []


SELECTED = {"from": "Selector", "selector": {"matchLabels": LABELS}}
MANIFESTS: list[Any] = [
    pytest.param(lambda item: parse_gateway(complete([item], GATEWAY)[0]), {"labels": LABELS, "annotations": LABELS, "allowed_routes": SELECTED}, id="gateway"),
    pytest.param(lambda item: parse_gateway(complete([item], GATEWAY)[0]), {"overlays": {"deployment": {"metadata": {"labels": LABELS}}}}, id="overlay"),
    pytest.param(
        lambda item: parse_gateway(complete([item], GATEWAY)[0]),
        {"load_balancer": "nlb", "nlb": {"tags": {"a": True}, "attributes": {"b": True}, "annotations": LABELS}},
        id="nlb",
    ),
    pytest.param(lambda item: parse_alb(complete([item], ALB)[0]), {"gateway": "shop", "labels": LABELS, "annotations": LABELS, "tags": {"a": 1}}, id="alb"),
    pytest.param(lambda item: parse_route(complete([item], ROUTE)[0]), {"labels": LABELS}, id="route"),
    pytest.param(lambda item: parse_virtual_service(complete([item], VIRTUAL_SERVICE)[0]), {"labels": LABELS}, id="virtual-service"),
    pytest.param(lambda item: parse_istio_gateway(complete([item], ISTIO_GATEWAY)[0]), {"labels": LABELS, "selector": LABELS}, id="istio-gateway"),
]


@pytest.mark.parametrize(("parse", "options"), MANIFESTS)
def test_a_module_writes_text(parse: Any, options: dict[str, Any]) -> None:
    item = parse(PLACE | options)
    manifests = [found.manifest for found in item.objects if found.manifest]
    assert manifests
    assert not leaves_that_are_no_text(manifests)
    configs = [yaml.safe_load(text) for found in manifests if found["kind"] == "ConfigMap" for text in found["data"].values()]
    assert not leaves_that_are_no_text(configs)


@pytest.mark.parametrize(("parse", "options"), MANIFESTS)
def test_a_module_tells_a_list(parse: Any, options: dict[str, Any]) -> None:
    name = next(name for name in options if name in ("labels", "overlays", "nlb"))
    wrong = {"labels": {"a": ["b"]}, "overlays": {"deployment": {"metadata": {"labels": {"a": ["b"]}}}}, "nlb": {"tags": {"a": ["b"]}}}[name]
    errors = parse(PLACE | options | {name: wrong}).errors
    assert any(error.endswith("must be a text: write one, in quotes if need be.") for error in errors), errors


def test_a_waypoint_is_written_with_text() -> None:
    options = {
        "labels": {"a": True, 1: 2},
        "annotations": LABELS,
        "allowed_routes": SELECTED,
        "node_selector": LABELS,
        "service_annotations": LABELS,
        "tolerations": [{"key": "a", "value": True}],
        "topology_spread": [{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {"matchLabels": LABELS}}],
        "affinity": {"podAffinity": {"x": [{"labelSelector": {"matchLabels": LABELS}}]}},
        "overlays": {"service": {"metadata": {"labels": LABELS}}},
    }
    desired = parse_waypoint({**dict.fromkeys(OPTIONS), **PLACE, "state": "present", "for": "service", **options})
    assert not desired.validation_errors
    assert desired.waypoint is not None
    waypoint = desired.waypoint
    assert (waypoint.labels, waypoint.annotations) == ({"a": "true", "1": "2"}, TEXTS)
    assert not leaves_that_are_no_text([dict(waypoint.overlays), {"selector": waypoint.allowed_selector}])


def test_tags_of_aws_are_text_in_every_form() -> None:
    assert as_text(LABELS) == TEXTS
    assert {one["Key"]: one["Value"] for one in tag_list(LABELS)} == TEXTS
    assert compare_tags(TEXTS, LABELS, purge=True).any is False
    with pytest.raises(MeshError, match="The tags cannot be used in AWS: the value of a is"):
        as_text({"a": ["b"]})


def free_dictionaries(options: Options) -> list[str]:
    """The place of each option of a role that takes keys of the user's choice."""
    return [place for place, option in walk_options(options) if not option.get("options") and "dict" in (option.get("type"), option.get("elements"))]


# Structures of others, in which labels and the like are found by their names, and maps of quantities or ids, which an API takes as text and numbers.
STRUCTURED = {
    *("spec", "node_class_spec", "disruption", "overlays", "affinity", "metrics", "topology_spread", "actions", "servers", "tls", "ports", "listen_ports"),
    *("launch_template", "tolerations", "taints", "startup_taints", "requirements", "selector"),
    *("requests", "limits", "karpenter_resources"),
}


@pytest.mark.parametrize("role", sorted(role_variables()))
def test_each_free_dictionary_is_a_map_of_text_or_known_to_be_none(role: str) -> None:
    """The next one that is added has to be one of these."""
    names = {place: place.rpartition(".")[2] for place in free_dictionaries(role_variables()[role])}
    unknown = [place for place, name in names.items() if not is_text_map(name) and not holds_values(name) and name not in STRUCTURED]
    assert not unknown


@pytest.mark.parametrize(
    ("variable", "given", "expected"),
    [
        ("mesh_waypoints", [{**PLACE, "labels": {"a": True}}], {"a": "true"}),
        ("eks_tags", {"a": True}, {"a": "true"}),
        ("eks_tags", "a=true", {"a": "true"}),
        ("karpenter_node_pools", [{"name": "a", "labels": {"a": True}}], {"a": "true"}),
        ("eks_access_entries", [{"principal_arn": "x", "tags": {"a": True}}], {"a": "true"}),
    ],
)
def test_a_role_gets_text(variable: str, given: Any, expected: dict[str, str]) -> None:
    result = converted({variable: given})
    assert result.errors == ()
    value = result.values[variable]
    assert (value if isinstance(value, dict) else value[0].get("labels") or value[0]["tags"]) == expected


def test_the_values_of_charts_keep_their_types() -> None:
    values = {"labels": {"a": True}, "podAnnotations": {"b": 1}, "nodeSelector": {"c": 1.5}}
    assert converted({"istio_istiod_values": values}).values["istio_istiod_values"] == values


def test_a_list_as_a_label_of_a_role_is_told_with_variable_item_and_key() -> None:
    (error,) = converted({"mesh_waypoints": [{**PLACE, "overlays": {"service": {"metadata": {"labels": {"a": [1]}}}}}]}).errors
    assert error.startswith("mesh_waypoints[0].overlays.service.metadata.labels.a is a list or a dictionary, but must be a text: ")
