"""No task, and no variable of a role, reads a variable of an inventory as it came: all of them read what the lookup role_variables has converted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from generate.declarations import role_variables
from twin.paths import REPOSITORY

FILES = sorted([*(REPOSITORY / "roles").glob("*/tasks/*.yml"), *(REPOSITORY / "roles").glob("*/vars/*.yml"), *(REPOSITORY / "playbooks").glob("*.yml")])
NAMES = {name for options in role_variables().values() for name in options}
# The lookup kubeconfig converts these; of the others, only whether they are there decides which shell is used.
CONNECTION = {"cluster_kubeconfig", "cluster_context", "cluster_from_environment"}
CONDITIONS = ("when", "that", "changed_when", "failed_when", "until")


def expressions(part: Any, key: str = "") -> Iterator[str]:
    """What Jinja evaluates: templates in texts, and conditions."""
    if isinstance(part, dict):
        for name, value in part.items():
            yield from expressions(value, str(name))
    elif isinstance(part, list):
        for item in part:
            yield from expressions(item, key)
    elif isinstance(part, str):
        yield from [part] if key in CONDITIONS else re.findall(r"{{.*?}}|{%.*?%}", part, re.DOTALL)


def raw_names(expression: str) -> set[str]:
    """The variables of roles that an expression reads as they came; attributes and texts in quotes are none."""
    bare = re.sub(r"'[^']*'|\"[^\"]*\"", "", expression)
    return {name for name in re.findall(r"(?<![\w.])[a-z]\w*", bare) if name in NAMES} - CONNECTION


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_no_variable_is_read_as_it_came(path: Path) -> None:
    found = {name for expression in expressions(yaml.safe_load(path.read_text())) for name in raw_names(expression)}
    assert not found, f"read these from the lookup role_variables: {sorted(found)}"


def test_a_raw_variable_would_be_found() -> None:
    assert raw_names("{{ mesh_timeout }}") == {"mesh_timeout"}
    assert raw_names("lookup('x', 'mesh', variable='mesh_timeout') + __mesh_variables.mesh_timeout") == set()


@pytest.mark.parametrize("role", sorted(role_variables()))
def test_the_argument_spec_has_the_default_of_each_variable(role: str) -> None:
    """The lookup takes it from there when the inventory has the variable without a value."""
    defaults = yaml.safe_load((REPOSITORY / "roles" / role / "defaults" / "main.yml").read_text())
    missing = [name for name in defaults if "default" not in role_variables()[role][name]]
    assert not missing


@pytest.mark.parametrize("playbook", ["site.yml", "verify.yml"])
def test_the_playbooks_leave_validation_to_the_collection(playbook: str) -> None:
    """Ansible's own validation of a role refuses what has no value, in words about Python's types."""
    roles = re.findall(r"name: meshwright\.ambient\.\w+\n +(rolespec_validate: false)?", (REPOSITORY / "playbooks" / playbook).read_text())
    assert roles
    assert all(roles)
