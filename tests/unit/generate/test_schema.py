"""The JSON Schemas for editors accept all that the collection accepts, and refuse misspelled names and wrong values with a message that helps."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.near_misses import find_misspelled
from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.values import convert
from generate.__main__ import contents
from generate.declarations import declared_variables, role_variables
from tests.pages import all_pages
from tests.unit.generate.schemas import find_messages, load, load_all, schema
from tests.unit.inventories import ALL, ANYTHING, named, nearly_right, right, spelled
from twin.paths import REPOSITORY

DECLARED = declared_variables()
KNOWN = {role: options.keys() for role, options in role_variables().items()}
NAMES = sorted(DECLARED)
NEAR_MISSES = [(re.compile(pattern), refused) for pattern, refused in schema("variables")["patternProperties"].items()]


@pytest.mark.parametrize("path", contents(), ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_generated_files_are_current(path: Path) -> None:
    assert path.read_text() == contents()[path], f"{path.relative_to(REPOSITORY)} differs from the argument specs: run make generate."


@pytest.mark.parametrize("name", ["variables", "inventory"])
def test_schemas_are_schemas(name: str) -> None:
    Draft7Validator.check_schema(schema(name))


def test_every_variable_and_every_key_is_described() -> None:
    assert set(schema("variables")["properties"]) == set(ALL)

    def undescribed(found: Mapping[str, Any], path: str) -> Iterator[str]:
        for name, below in (found.get("properties") or found.get("items", {}).get("properties") or {}).items():
            if not below.get("description"):
                yield f"{path}.{name}"
            yield from undescribed(below, f"{path}.{name}")

    assert list(undescribed(schema("variables"), "")) == []
    text = json.dumps(schema("variables"))
    assert not [markup for markup in ("O(", "V(", "C(", "M(", "E(", "RV(") if f" {markup}" in text]
    assert schema("variables")["properties"]["istio_mode"]["default"] == "ambient"
    assert schema("variables")["properties"]["istio_mode"]["examples"] == ["ambient", "sidecar"]


# --- the project's own data


def _data_files(*patterns: str) -> list[Path]:
    places = ("inventories", "extensions", "tests", "twin", "benchmarks")
    return sorted(path for place in places for pattern in patterns for path in (REPOSITORY / place).rglob(pattern) if "output" not in path.parts)


VARIABLE_FILES = _data_files("group_vars/*.yml", "host_vars/*.yml")
INVENTORY_FILES = _data_files("inventory/hosts.yml", "inventories/*/hosts.yml", "sandbox/hosts.yml", "prod/hosts.yml")


def test_the_inventories_of_the_project_are_found() -> None:
    assert len(VARIABLE_FILES) >= 5 and len(INVENTORY_FILES) >= 4


@pytest.mark.parametrize("path", VARIABLE_FILES, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_files_of_variables_are_accepted(path: Path) -> None:
    assert find_messages("variables", load(path.read_text())) == []


@pytest.mark.parametrize("path", INVENTORY_FILES, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_inventories_are_accepted(path: Path) -> None:
    assert find_messages("inventory", load(path.read_text())) == []


@pytest.mark.parametrize("path", sorted((REPOSITORY / "inventories").rglob("*.yml")), ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_inventories_name_their_schema(path: Path) -> None:
    named = re.search(r"^# yaml-language-server: \$schema=(\S+)$", path.read_text(), re.M)
    assert named
    assert (path.parent / named[1]).resolve() == REPOSITORY / "schemas" / ("inventory.json" if path.name == "hosts.yml" else "variables.json")


def _examples() -> Iterator[tuple[str, str, Any]]:
    """The place of each example of variables or an inventory in the pages, the schema for it, and the data."""
    for shown in all_pages():
        for number, text in enumerate(text for language, text in shown.blocks if language == "yaml"):
            for document in load_all(text):
                place = f"{shown.name}[{number}]"
                if isinstance(document, dict) and document.keys() & {"all", "clusters"}:
                    yield place, "inventory", document
                elif isinstance(document, dict) and document.keys() & ALL.keys():
                    yield place, "variables", document
                elif isinstance(document, list):
                    yield from ((place, "variables", part["vars"]) for part in document if isinstance(part, dict) and "vars" in part)


EXAMPLES = list(_examples())


def test_there_are_examples_of_both() -> None:
    kinds = [kind for _place, kind, _data in EXAMPLES]
    assert kinds.count("inventory") >= 3 and kinds.count("variables") >= 20


@pytest.mark.parametrize(("place", "name", "data"), EXAMPLES, ids=[place for place, _name, _data in EXAMPLES])
def test_examples_are_accepted(place: str, name: str, data: Any) -> None:
    assert find_messages(name, data) == [], place


# --- what is accepted beside plain values

ACCEPTED = """
istio_mode: "{{ mode_of_all }}"
istio_timeout: "{% if slow %}900{% else %}300{% endif %}"
istio_istiod_replicas: !vault |
  $ANSIBLE_VAULT;1.1;AES256
  3161
istio_startup_taint: " ON "
eks_enabled: 1
mesh_timeout: "600"
mesh_allow_unsafe_binding:
istio_version: 1.31
istio_platform: EKS
eks_log_types: api, audit
eks_availability_zones: eu-central-1a
eks_tags: team=mesh, stage=test
ingress_routes: "[{'name': 'cart'}]"
mesh_namespaces:
  - "{{ shop }}"
  - name: shop
    dataplane_mode: Ambient
    ingress_use_waypoint: true
    use_waypoint:
mesh_waypoints:
  - namespace: shop
    labels: {team: 1, canary: true, note: , "0": x}
    overlays: {deployment: {spec: {template: {}}}}
karpenter_node_pools: "{{ pools }}"
cluster_kubeconfig: {apiVersion: v1, kind: Config}
my_own_variable: {anything: [1, null]}
mesh_waypoints_shop: []
aks_region: westeurope
ansible_connection: local
"""


def test_templates_vaulted_values_texts_and_own_variables_are_accepted() -> None:
    assert find_messages("variables", load(ACCEPTED)) == []


@pytest.mark.parametrize("whole", ["", "$ANSIBLE_VAULT;1.1;AES256\n3161\n", "clusters:\n  hosts:\n", "plugin: amazon.aws.aws_ec2\nregions: [eu-central-1]\n"])
def test_files_that_are_empty_encrypted_or_the_configuration_of_a_plugin_are_accepted(whole: str) -> None:
    assert find_messages("inventory", load(whole)) == []


# --- what is refused, with the message

REFUSED = [
    ("istio_verison: 1.31.1", "istio_verison: This is not a variable of the role istio: did you mean istio_version?"),
    ("istio-version: 1.31.1", "['istio-version']: This is not a variable of the role istio: did you mean istio_version?"),
    ("cluster_kubeconfg: x", "cluster_kubeconfg: This is not a variable of any role: did you mean cluster_kubeconfig?"),
    ("alb_controler_enabled: true", "alb_controler_enabled: This is not a variable of the role alb_controller: did you mean alb_controller_...?"),
    ("istio_mode: ambiant", "istio_mode: istio_mode must be one of ambient, sidecar."),
    ("istio_startup_taint: soon", "istio_startup_taint: istio_startup_taint must be true or false: write true or false."),
    ("eks_enabled: 2", "eks_enabled: eks_enabled must be true or false: write true or false."),
    ("istio_timeout: 3m", "istio_timeout: istio_timeout must be a whole number: write digits only."),
    ("istio_version: [1.31]", "istio_version: istio_version must be a text: write one text, in quotes if it has characters that YAML interprets."),
    (
        "ingress_albs: shop",
        "ingress_albs: ingress_albs must be a list: begin each item with a dash, write [] for none, or leave it out.",
    ),
    ("eks_log_types: api,audits", "eks_log_types: eks_log_types must be a list: begin each item with a dash, write [] for none, or leave it out."),
    ("eks_log_types: [audits]", "eks_log_types[0]: eks_log_types[] must be one of api, audit, authenticator, controllerManager, scheduler."),
    ("eks_tags: soon", "eks_tags: eks_tags must be a dictionary: write its keys with their values, {} for none, or leave it out."),
    ("eks_tags: {team: [a]}", "eks_tags.team: Each value in eks_tags must be a text."),
    ("mesh_waypoints: [{name: a}]", "mesh_waypoints[0]: 'namespace' is a required property"),
    (
        "mesh_waypoints: [{namespace: shop, replcas: 2}]",
        "mesh_waypoints[0]: Additional properties are not allowed ('replcas' was unexpected)",
    ),
    (
        "mesh_waypoints: [{namespace: shop, autoscaling: {max_replicas: two}}]",
        "mesh_waypoints[0].autoscaling.max_replicas: mesh_waypoints[].autoscaling.max_replicas must be a whole number: write digits only.",
    ),
    ("mesh_waypoints: [{namespace: }]", "mesh_waypoints[0].namespace: mesh_waypoints[].namespace is a name and must be a text: "),
    ("mesh_namespaces: [{name: 0755}]", "mesh_namespaces[0].name: mesh_namespaces[].name is a name and must be a text: put it in quotes."),
    ("mesh_waypoints: [null]", "mesh_waypoints[0]: None is not of type 'object', 'string'"),
]


@pytest.mark.parametrize(("text", "message"), REFUSED, ids=[text for text, _message in REFUSED])
def test_a_wrong_value_is_refused_with_a_message_that_helps(text: str, message: str) -> None:
    (shown,) = find_messages("variables", load(text))
    assert shown.startswith(message)


def test_a_misspelled_key_of_a_group_and_of_a_host_are_refused() -> None:
    wrong = "clusters: {host: {a: }, hosts: {b: {istio_mod: ambient}}, vars: {eks_enabled: perhaps}}"
    assert find_messages("inventory", load(wrong)) == [
        "clusters: Additional properties are not allowed ('host' was unexpected)",
        "clusters.hosts.b.istio_mod: This is not a variable of the role istio: did you mean istio_mode?",
        "clusters.vars.eks_enabled: eks_enabled must be true or false: write true or false.",
    ]


# --- properties


@st.composite
def _values(draw: st.DrawFn) -> tuple[str, Any]:
    name = draw(st.sampled_from(NAMES))
    if draw(st.booleans()):
        return name, spelled(draw, named(name, ALL[name]), draw(right(name)))
    return name, draw(st.one_of(nearly_right(name), ANYTHING))


def _as_json(value: Any) -> Any:
    """Data as a file can have it."""
    return json.loads(json.dumps(value))


@settings(max_examples=1000)
@given(drawn=_values())
def test_what_the_conversion_accepts_is_accepted(drawn: tuple[str, Any]) -> None:
    name, value = drawn
    value = _as_json(value)
    if not convert({name: ALL[name]}, {name: value}).errors:
        assert find_messages("variables", value, name) == []


def test_every_list_of_keys_is_closed() -> None:
    def open_ones(found: Any, path: str) -> Iterator[str]:
        if isinstance(found, dict):
            if "properties" in found and path and found.get("additionalProperties") is not False:
                yield path
            for key, below in found.items():
                yield from open_ones(below, f"{path}/{key}")

    assert list(open_ones(schema("variables")["properties"], "")) == []


def _misspelled(name: str) -> Iterator[str]:
    """A name with each letter and separator taken away or doubled, and each letter swapped with its neighbor."""
    for index, letter in enumerate(name):
        yield name[:index] + name[index + 1 :]
        yield name[:index] + letter + name[index:]
        if "_" not in name[index : index + 2]:
            yield name[:index] + name[index + 1 : index + 2] + letter + name[index + 2 :]


def _refusals(name: str) -> list[str]:
    return [refused["errorMessage"] for pattern, refused in NEAR_MISSES if pattern.search(name)]


@pytest.mark.parametrize("known", NAMES)
def test_a_near_miss_is_refused_if_and_only_if_validation_refuses_it(known: str) -> None:
    """The schema does not know all near misses, such as those with two wrong letters in a long word, but all of these."""
    # The names of its role are compared only, of which one letter makes no other role's.
    role = DECLARED[known][0]
    names = {role: KNOWN[role]} if role else KNOWN
    for name in set(_misspelled(known)) - set(NAMES):
        product = find_misspelled([name], names)
        assert bool(_refusals(name)) == bool(product), (name, product)
        if product:
            meant = product[0].rpartition("did you mean ")[2].rstrip("?")
            assert any(refusal.endswith((f"did you mean {meant}?", "_...?")) for refusal in _refusals(name)), (name, product, _refusals(name))


@settings(max_examples=150)
@given(name=st.from_regex(r"(eks|istio|mesh|ingress|alb_controller|karpenter|aws_edge|my)_[a-z]{1,9}(_[a-z]{1,9}){0,2}", fullmatch=True))
def test_a_name_that_validation_takes_for_the_users_own_is_accepted(name: str) -> None:
    if name not in NAMES and not find_misspelled([name], KNOWN):
        assert _refusals(name) == []
