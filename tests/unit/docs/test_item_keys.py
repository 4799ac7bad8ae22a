"""The keys of the items in a role's lists are those of the module that gets them: the same types, defaults, choices and descriptions."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from generate.declarations import role_variables
from tests.options import NESTED, Options, walk_options
from twin.paths import REPOSITORY

# For each list of a role: the module and its option that the items are handed to as they are.
LISTS = {
    ("mesh", "mesh_namespaces"): ("enrollment", "namespaces"),
    ("mesh", "mesh_services"): ("enrollment", "services"),
    ("mesh", "mesh_workloads"): ("enrollment", "workloads"),
    ("mesh", "mesh_waypoints"): ("waypoint", "waypoints"),
    ("eks", "eks_access_entries"): ("eks_access_entry", "entries"),
    ("eks", "eks_pod_identity_associations"): ("eks_pod_identity_association", "associations"),
    ("ingress", "ingress_gateways"): ("ingress_gateway", "gateways"),
    ("ingress", "ingress_albs"): ("ingress_alb", "albs"),
    ("ingress", "ingress_routes"): ("ingress_route", "routes"),
    ("ingress", "ingress_classic_gateways"): ("istio_ingress", "gateways"),
}
# The keys that a role replaces by others before it hands the items on, and those of which it has more to say than the module.
ADDED = {
    ("ingress", "ingress_gateways"): {"nlb.certificate_domains"},
    ("ingress", "ingress_albs"): {"certificate_domains"},
    ("ingress", "ingress_routes"): {"kind"},
}
# The keys for which a role has a default that its module does not have, or that it takes from another item.
CHOSEN = {
    ("ingress", "ingress_gateways"): {"name", "namespace"},
    ("ingress", "ingress_albs"): {"name", "namespace", "gateway"},
    ("ingress", "ingress_classic_gateways"): {"name", "namespace", "release"},
}
DESCRIBED_BY_THE_ROLE = {("ingress", "ingress_routes", "section_names")}
# Lists whose items the role turns into other ones: no module has their keys, or only keys of the same names with other defaults.
TRANSFORMED = {
    ("aws_edge", "aws_edge_certificates"),
    ("aws_edge", "aws_edge_web_acls"),
    ("eks", "eks_addons"),
    ("eks", "eks_node_groups"),
    ("istio", "istio_gateways"),
    ("karpenter", "karpenter_node_pools"),
}


def described(module: str) -> Options:
    """The options of a module by its documentation."""
    text = (REPOSITORY / "plugins" / "modules" / f"{module}.py").read_text()
    found = re.search(r'DOCUMENTATION = r"""\n(.*?)"""', text, re.DOTALL)
    assert found, f"{module} has no DOCUMENTATION"
    options: Options = yaml.safe_load(found[1])["options"]
    return options


def declared(role: str) -> Options:
    """The variables of a role by its argument spec."""
    return role_variables()[role]


def flatten(options: Options) -> dict[str, dict[str, Any]]:
    """Each key by its path, such as C(canary.weight), without what is below it."""
    return {path: {key: value for key, value in option.items() if key not in NESTED} for path, option in walk_options(options)}


def expected(role: str, module: str, option: str) -> dict[str, dict[str, Any]]:
    """The keys as the role must declare them: references to the module's options become references to the role's variables."""
    variables = {target: variable for (owner, variable), (name, target) in LISTS.items() if (owner, name) == (role, module)}

    def adapt(value: Any) -> Any:
        if isinstance(value, list):
            return [adapt(item) for item in value]
        return (
            re.sub(r"\bO\((\w+)(?!\w*\.\w+\.)", lambda found: f"O({variables.get(found[1], f'{role}_{found[1]}')}", value) if isinstance(value, str) else value
        )

    keys = flatten(described(module)[option]["suboptions"])
    return {path: {**attributes, "description": adapt(attributes["description"])} for path, attributes in keys.items()}


@pytest.mark.parametrize(("owner", "source"), LISTS.items(), ids=lambda value: value[-1])
def test_item_keys_of_a_role_are_those_of_the_module(owner: tuple[str, str], source: tuple[str, str]) -> None:
    role, variable = owner
    keys = flatten(declared(role)[variable]["options"])
    documented = expected(role, *source)
    assert set(keys) == set(documented) | ADDED.get(owner, set())
    for path in documented:
        if (*owner, path) in DESCRIBED_BY_THE_ROLE:
            documented[path]["description"] = keys[path]["description"]
    compared = documented.keys() - CHOSEN.get(owner, set())
    differing = {path: (keys[path], documented[path]) for path in sorted(compared) if keys[path] != documented[path]}
    assert not differing


def test_every_list_with_keys_of_its_own_is_compared() -> None:
    """No role has a list of items with declared keys that is neither compared nor known to be transformed."""
    lists = {
        (role, name) for role, variables in role_variables().items() for name, option in variables.items() if option["type"] == "list" and "options" in option
    }
    assert lists == set(LISTS) | TRANSFORMED


def test_every_list_of_items_declares_their_keys() -> None:
    """Otherwise only the module reports a misspelled key, after the first writes."""
    assert not [
        name for variables in role_variables().values() for name, option in variables.items() if option.get("elements") == "dict" and "options" not in option
    ]


def test_references_in_a_role_name_its_variables() -> None:
    for role in {role for role, _variable in LISTS}:
        text = Path(REPOSITORY / "roles" / role / "meta" / "argument_specs.yml").read_text()
        named = set(re.findall(r"\bO\((\w+)", text)) - {"meshwright"}
        assert named <= set(declared(role)), named - set(declared(role))
