"""A variable means the same however it is written: as a value, or as the text that a command line or a survey gives."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.eks import validate_eks
from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.istio import validate_istio
from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.karpenter import validate_karpenter
from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.validation import find_errors
from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.values import convert
from tests.unit.inventories import ALL, WHOLE
from tests.unit.inventory_values import converted

DATE = datetime.date(2026, 1, 1)
OPTIONS: dict[str, dict[str, Any]] = {
    "issuer_namespaces": {"type": "list", "elements": "str"},
    "uses_namespace": {"type": "str", "choices": ["true", "false"]},
    "switch": {"type": "bool", "default": True},
    "number": {"type": "int"},
    "values": {"type": "dict", "default": {}},
    "words": {"type": "list", "elements": "str"},
    "derived": {"type": "str", "default": "{{ inventory_hostname }}"},
    "text": {"type": "str"},
    "choice": {"type": "str", "choices": ["Same", "All", ""]},
    "truth": {"type": "str", "choices": ["true", "false", ""]},
    "ports": {"type": "list", "elements": "int"},
    "file": {"type": "raw", "no_log": True},
    "items": {
        "type": "list",
        "elements": "dict",
        "options": {"name": {"type": "str", "required": True}, "size": {"type": "int", "default": 2}, "note": {"type": "str"}, "values": {"type": "dict"}},
    },
}

# An inventory with an item in each list that others refer to.
EVERYTHING: dict[str, Any] = {
    **WHOLE,
    "aws_edge_certificates": [{"domain": "shop.example.com"}],
    "ingress_classic_gateways": [{"name": "classic", "namespace": "edge", "release": "classic", "hosts": ["shop.example.com"]}],
    "istio_istiod_replicas": 2,
    "eks_version": "1.35",
}
WRONG_TYPES: dict[str, Any] = {"list": {"a": 1}, "dict": [1, 2], "str": {"a": 1}, "int": "soon", "bool": "perhaps"}

# What is given, and what it must mean.
SPELLINGS: list[tuple[str, Any, Any]] = [
    *(("switch", text, True) for text in ("true", "True", "yes", "on", "1", True)),
    *(("switch", text, False) for text in ("false", "False", "no", "off", "0", False)),
    *(("number", text, 0) for text in ("0", 0)),
    ("number", "12", 12),
    ("values", '{"excludeNamespaces": ["kube-system"]}', {"excludeNamespaces": ["kube-system"]}),
    ("values", {"kept": None}, {"kept": None}),
    ("words", "a,b", ["a", "b"]),
    ("words", "a", ["a"]),
    *(("switch", text, True) for text in (" true ", "TRUE", "true\r\n", "y", "T", 1)),
    *(("number", text, 12) for text in (" 12\r", "12.0", 12.0, "+12")),
    ("words", "a, b\r\n", ["a", "b"]),
    ("words", '["a", "b"]', ["a", "b"]),
    ("words", "[a, b]", ["a", "b"]),
    ("words", [" a ", 1, True, 1.35], ["a", "1", "true", "1.35"]),
    ("words", "", []),
    ("words", 8, ["8"]),
    ("ports", 80, [80]),
    ("ports", "80,443", [80, 443]),
    ("ports", ["80", 443], [80, 443]),
    ("values", "a=b, c=d", {"a": "b", "c": "d"}),
    ("values", "{a: true}", {"a": True}),
    ("values", " ", {}),
    ("text", 1.35, "1.35"),
    ("text", 7, "7"),
    ("text", True, "true"),
    ("text", " a\r\nb \r\n", "a\nb"),
    ("choice", "all", "All"),
    ("choice", " SAME ", "Same"),
    ("choice", "", ""),
    *(("truth", value, "true") for value in (True, "True", "yes", "on", "true")),
    *(("truth", value, "false") for value in (False, "FALSE", "no", "off")),
    ("file", " ~/.kube/shop\r\n", "~/.kube/shop"),
    ("file", "a: 1\r\nb: 2", "a: 1\r\nb: 2"),
    ("items", '[{"name": "x"}]', [{"name": "x", "size": 2}]),
    ("items", [{"name": "1", "note": 1, "size": None, "values": None}], [{"name": "1", "note": "1", "size": 2}]),
    ("items", [{"name": "0755", "note": DATE}, {"name": "2026-01-01"}], [{"name": "0755", "note": "2026-01-01", "size": 2}, {"name": "2026-01-01", "size": 2}]),
    ("issuer_namespaces", "0755,yes", ["0755", "yes"]),
    ("uses_namespace", True, "true"),
    ("items", "", []),
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


@pytest.mark.parametrize("name", OPTIONS)
def test_a_variable_without_a_value_has_its_default(name: str) -> None:
    assert convert(OPTIONS, {name: None}) == convert(OPTIONS, {})


WORDS_OF_PYTHON = ("NoneType", "<class", "None", "True", "False", "dict ", "str ", "object", "unable to", "expected")

QUOTE = "put it in quotes"
# What is given, and the one sentence about it.
ERRORS: list[tuple[str, Any, str]] = [
    ("switch", "maybe", "switch is 'maybe', a text, but must be true or false: write true or false."),
    ("switch", 2, "switch is 2, a number, but must be true or false: write true or false."),
    ("switch", [], "switch is a list, but must be true or false: write true or false."),
    ("number", "many", "number is 'many', a text, but must be a whole number: write digits only."),
    ("number", True, "number is true, a boolean, but must be a whole number: write digits only."),
    ("number", 1.5, "number is 1.5, a number, but must be a whole number: write digits only."),
    ("number", "", "number is '', a text, but must be a whole number: write digits only."),
    ("values", "all", "values is 'all', a text, but must be a dictionary: write its keys with their values, {} for none, or leave it out."),
    ("values", "{a", "values is '{a', a text, but must be a dictionary: write its keys with their values, {} for none, or leave it out."),
    ("values", ["a"], "values is a list, but must be a dictionary: write its keys with their values, {} for none, or leave it out."),
    ("words", {"a": 1}, "words is a dictionary, but must be a list: begin each item with a dash, write [] for none, or leave it out."),
    ("words", ["a", None], "words[1] has no value: remove the item, or complete it."),
    ("words", ["a", {"b": 1}], "words[1] is a dictionary, but must be a text: write one text, in quotes if it has characters that YAML interprets."),
    *(
        (
            "items",
            [{"name": value}],
            f"items[0].name is {shown}, but is a name, of which YAML changes what looks like something else (0755 becomes 493): {QUOTE}.",
        )
        for value, shown in ((493, "493, a number"), (1.1, "1.1, a number"), (False, "false, a boolean"), (DATE, "a date"))
    ),
    (
        "issuer_namespaces",
        [493],
        f"issuer_namespaces[0] is 493, a number, but is a name, of which YAML changes what looks like something else (0755 becomes 493): {QUOTE}.",
    ),
    ("text", ["a"], "text is a list, but must be a text: write one text, in quotes if it has characters that YAML interprets."),
    ("choice", "Al", "choice is 'Al', which is not one of its choices: did you mean All? The choices are Same, All, \"\"."),
    ("choice", "nothing", "choice is 'nothing', which is not one of its choices: use one of Same, All, \"\"."),
    ("items", {"name": "x"}, "items is a dictionary, but must be a list: begin each item with a dash, write [] for none, or leave it out."),
    ("items", "x", "items is 'x', a text, but must be a list: begin each item with a dash, write [] for none, or leave it out."),
    ("items", ["x"], "items[0] is 'x', a text, but must be a dictionary: write its keys with their values, {} for none, or leave it out."),
    ("items", [{}], "items[0] has no name, which is required: add it."),
    ("items", [{"name": None}], "items[0] has no name, which is required: add it."),
    ("items", [{"nam": "x"}], "items[0] has the key 'nam', which is unknown: did you mean name?"),
    ("items", [{"name": "x", "colour": 1}], "items[0] has the key 'colour', which is unknown: its keys are name, note, size, values."),
    ("items", [{"name": "x"}, {"name": "y", "size": "L"}], "items[1].size is 'L', a text, but must be a whole number: write digits only."),
]


@pytest.mark.parametrize(("name", "given", "error"), ERRORS, ids=str)
def test_what_cannot_be_converted_is_told_in_one_sentence(name: str, given: Any, error: str) -> None:
    assert convert(OPTIONS, {name: given}).errors == (error,)
    assert not [word for word in WORDS_OF_PYTHON if word in error]


def test_a_long_value_is_shortened_and_a_secret_is_not_shown() -> None:
    (error,) = convert(OPTIONS, {"number": "x" * 200}).errors
    assert len(error) < 150
    (error,) = convert({"secret": {"type": "int", "no_log": True}}, {"secret": "hunter2"}).errors
    assert error == "secret is a text, but must be a whole number: write digits only."
    (error,) = convert(OPTIONS, {"items": [{"name": "x", "size": "hunter2"}]}, secrets={"items"}).errors
    assert error == "items[0].size is a text, but must be a whole number: write digits only."
    (error,) = convert(OPTIONS, {"choice": "hunter2"}, secrets={"choice"}).errors
    assert "hunter2" not in error


def test_several_errors_of_one_item_are_told_at_once() -> None:
    errors = convert(OPTIONS, {"items": [{"size": "L", "colour": 1}]}).errors
    assert [error.split(" ")[0] for error in errors] == ["items[0]", "items[0]", "items[0].size"]


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


def test_what_follows_from_another_variable_is_reported_for_that_one_alone() -> None:
    options = {"tags": {"type": "dict"}, "own_tags": {"type": "dict", "default": "{{ tags | default({}) }}"}}
    given = {"tags": ["a"], "own_tags": ["a"]}
    assert [error.split()[0] for error in convert(options, given, derived={"own_tags"}).errors] == ["tags"]
    assert [error.split()[0] for error in convert(options, given).errors] == ["tags", "own_tags"]
    # What it refers to is right, so nobody else says that this is wrong.
    assert [error.split()[0] for error in convert(options, {"own_tags": ["a"]}, derived={"own_tags"}).errors] == ["own_tags"]


@pytest.mark.parametrize("name", [name for name, option in ALL.items() if option["type"] in WRONG_TYPES])
def test_a_value_of_a_wrong_type_is_one_error_and_none_that_follows_from_it(name: str) -> None:
    assert find_errors(converted(EVERYTHING)) == []
    errors = find_errors(converted({**EVERYTHING, name: WRONG_TYPES[ALL[name]["type"]]}))
    assert len(errors) == 1, errors
    assert errors[0].startswith(f"{name} is ")


def test_a_wrong_item_does_not_hide_the_others() -> None:
    albs = [{**EVERYTHING["ingress_albs"][0], "listen_ports": ["HTTP"]}]
    assert [error.split(" is ")[0] for error in find_errors(converted({**EVERYTHING, "ingress_albs": albs}))] == ["ingress_albs[0].listen_ports[0]"]


def test_an_item_is_not_said_to_lack_what_follows_from_a_wrong_variable() -> None:
    lone = {"ingress_albs": [{"hosts": ["shop.example.com"]}]}
    assert "no gateway of this inventory" in " ".join(find_errors(converted(lone)))
    assert [error.split(" is ")[0] for error in find_errors(converted({**lone, "ingress_gateways": 5}))] == ["ingress_gateways"]
