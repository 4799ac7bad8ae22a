"""A variable means the same however it is written: as a value, or as the text that a command line or a survey gives."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.eks import validate_eks
from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.istio import validate_istio
from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.karpenter import validate_karpenter
from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.values import convert, unclear_switches
from tests.unit.inventory_values import converted

OPTIONS: dict[str, dict[str, Any]] = {
    "switch": {"type": "bool", "default": True},
    "number": {"type": "int"},
    "values": {"type": "dict", "default": {}},
    "names": {"type": "list", "elements": "str"},
    "derived": {"type": "str", "default": "{{ inventory_hostname }}"},
    "items": {
        "type": "list",
        "elements": "dict",
        "options": {"name": {"type": "str", "required": True}, "size": {"type": "int", "default": 2}, "note": {"type": "str"}, "values": {"type": "dict"}},
    },
}

# What is given, and what it must mean.
SPELLINGS: list[tuple[str, Any, Any]] = [
    *(("switch", text, True) for text in ("true", "True", "yes", "on", "1", True)),
    *(("switch", text, False) for text in ("false", "False", "no", "off", "0", False)),
    *(("number", text, 0) for text in ("0", 0)),
    ("number", "12", 12),
    ("values", '{"excludeNamespaces": ["kube-system"]}', {"excludeNamespaces": ["kube-system"]}),
    ("values", {"kept": None}, {"kept": None}),
    ("names", "a,b", ["a", "b"]),
    ("names", "a", ["a"]),
    ("items", [{"name": "x", "size": "5"}], [{"name": "x", "size": 5}]),
    ("items", [{"name": "x", "note": None, "values": {"kept": None}}], [{"name": "x", "size": 2, "values": {"kept": None}}]),
]


@pytest.mark.parametrize(("name", "given", "meant"), SPELLINGS, ids=str)
def test_text_means_what_the_type_says(name: str, given: Any, meant: Any) -> None:
    result = convert(OPTIONS, {name: given})
    assert result.errors == ()
    assert result.values[name] == meant
    assert type(result.values[name]) is type(meant)


def test_defaults_are_filled_in_unless_only_ansible_can_resolve_them() -> None:
    assert convert(OPTIONS, {}).values == {"switch": True, "values": {}}


def test_a_value_of_a_wrong_type_hides_no_other() -> None:
    result = convert(OPTIONS, {"number": "many", "switch": "no"})
    assert [error for error in result.errors if "many" in error or "number" in error]
    assert result.values == {"switch": False, "values": {}}


@pytest.mark.parametrize("item", [{"name": "x", "kind": "none such"}, {"name": "x", "kindd": "a"}], ids=["wrong choice", "unknown key"])
def test_a_wrong_choice_or_an_unknown_key_is_an_error_and_the_rest_is_validated_all_the_same(item: dict[str, str]) -> None:
    options = {"items": {"type": "list", "elements": "dict", "options": {"name": {"type": "str"}, "kind": {"type": "str", "choices": ["a"]}}}}
    result = convert(options, {"items": [{"name": "first"}, item]})
    assert len(result.errors) == 1
    assert [one["name"] for one in result.values["items"]] == ["first", "x"]


def test_complete_has_every_declared_key() -> None:
    assert convert(OPTIONS, {"items": [{"name": "x"}]}).complete["items"] == [{"name": "x", "size": 2, "note": None, "values": None}]


def test_an_alias_in_yaml_is_two_items() -> None:
    item = {"name": "x"}
    assert convert(OPTIONS, {"items": [item, item]}).values["items"] == [{"name": "x", "size": 2}] * 2


# Each must be found, however true, false and numbers are written.
WRONG: dict[str, Any] = {
    "eks_enabled": True,
    "eks_region": "eu-central-1",
    "eks_availability_zones": ["eu-west-1a"],
    "eks_endpoint_public_access": False,
    "eks_endpoint_private_access": False,
    "eks_startup_taint": True,
    "istio_startup_taint": False,
    "alb_controller_enabled": True,
    "alb_controller_version": "3.5.0",
    "alb_controller_gateway_api": True,
    "gateway_api_version": "v1.5.1",
    "istio_version": "1.30.2",
    "istio_istiod_replicas": 0,
    "karpenter_enabled": True,
    "eks_node_groups": [{"name": "general", "min_size": 3, "max_size": 2}],
    "eks_addons": [{"name": "vpc-cni"}],
}


def spelled(value: Any, message: tuple[str, str]) -> Any:
    """The same value with its booleans and numbers as text."""
    if isinstance(value, dict):
        return {key: spelled(item, message) for key, item in value.items()}
    if isinstance(value, list):
        return [spelled(item, message) for item in value]
    if isinstance(value, bool):
        return message[value]
    return str(value) if isinstance(value, int) else value


@pytest.mark.parametrize("message", [("false", "true"), ("False", "True"), ("no", "yes"), ("off", "on")], ids=" and ".join)
def test_validation_finds_the_same_in_every_spelling(message: tuple[str, str]) -> None:
    def errors_of(variables: dict[str, Any]) -> list[str]:
        result = converted(variables)
        assert result.errors == ()
        return [error for validate in (validate_istio, validate_eks, validate_karpenter) for error in validate(result.values)]

    expected = errors_of(WRONG)
    assert len(expected) >= 8, expected
    assert errors_of(spelled(WRONG, message)) == expected


def test_false_as_text_is_not_reported_as_true() -> None:
    result = converted({"eks_enabled": True, "eks_startup_taint": "false", "istio_startup_taint": "false", "eks_node_groups": [{"name": "a"}]})
    assert not [error for error in validate_eks(result.values) if "eks_startup_taint" in error]


@pytest.mark.parametrize("text", ["y", "T", " true"])
def test_a_text_that_ansible_reads_in_two_ways_is_an_error(text: str) -> None:
    (error,) = unclear_switches({"eks_enabled": text, "eks_region": text})
    assert error.startswith(f"eks_enabled is {text!r}")


@pytest.mark.parametrize("value", [True, False, "True", "yes", "ON", "1", "no", "n", "0", "", "what"])
def test_a_switch_that_is_clear_or_refused_elsewhere(value: Any) -> None:
    assert not unclear_switches({"eks_enabled": value})
