"""Every block of YAML in the documentation is right: variables pass validation, tasks give modules what these take, module examples as well."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

import pytest
import yaml

from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.validation import find_errors as find_inventory_errors
from generate.declarations import role_variables
from tests.pages import all_pages
from tests.unit.inventory_values import converted
from tests.unit.module_arguments import Call, arguments_of, calls_of, documented, find_errors
from twin.paths import REPOSITORY

_PREFIXES = ("meshwright.ambient.", "kubernetes.core.", "amazon.aws.", "community.aws.")
# Variables of Ansible, and of the reader.
_OTHER = ("ansible_", "terraform")
# The inventory that the blocks of a page are additions to.
_CONTEXT = {"docs/platforms/eks.md": REPOSITORY / "inventories" / "prod"}
_MODULES = sorted(path.stem for path in (REPOSITORY / "plugins" / "modules").glob("[a-z]*.py"))


def _documents() -> Iterator[tuple[str, Any]]:
    """Each document of YAML in the pages, with where it stands."""
    for shown in all_pages():
        for number, text in enumerate(text for language, text in shown.blocks if language == "yaml"):
            for document in yaml.safe_load_all(text):
                yield f"{shown.name}[{number}]", document


def _variables(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The sets of variables in a mapping: its own, or those of an inventory's hosts with those of their group."""
    for group in (document.get("clusters"), document.get("all")):
        if isinstance(group, dict):
            shared = group.get("vars") or {}
            yield from ({**shared, **(host or {})} for host in (group.get("hosts") or {}).values())
            yield shared
    if any(name in _OPTIONS for name in document):
        yield document


def _without_templates(value: Any) -> Any:
    """A value without what only Ansible knows."""
    if isinstance(value, dict):
        return {name: _without_templates(item) for name, item in value.items() if not _is_template(item)}
    return [_without_templates(item) for item in value if not _is_template(item)] if isinstance(value, list) else value


def _is_template(value: Any) -> bool:
    return isinstance(value, str) and "{{" in value


_OPTIONS = {name for variables in role_variables().values() for name in variables}
_DOCUMENTS = list(_documents())
_SETS = [(place, given) for place, document in _DOCUMENTS if isinstance(document, dict) for given in _variables(document)]
_TASKS = [
    *(call for place, document in _DOCUMENTS if isinstance(document, list) for call in calls_of(document, place)),
    *(
        call
        for name in _MODULES
        for call in calls_of(yaml.safe_load(import_module(f"ansible_collections.meshwright.ambient.plugins.modules.{name}").EXAMPLES), f"module {name}")
    ),
]
_CALLED = frozenset(call.module for call in _TASKS if call.module.startswith(_PREFIXES))


def test_there_is_something_to_validate() -> None:
    assert len(_SETS) > 20 and len(_CALLED) > 20


@pytest.mark.parametrize(("place", "given"), _SETS, ids=[place for place, _given in _SETS])
def test_variables_pass_validation(place: str, given: Mapping[str, Any]) -> None:
    inventory = _CONTEXT.get(place.partition("[")[0])
    files = [yaml.safe_load(path.read_text()) for path in sorted(inventory.glob("*_vars/*.yml"))] if inventory else []
    known = _without_templates({name: value for variables in (*files, given) for name, value in variables.items() if name in _OPTIONS})
    unknown = [name for name in given if name not in _OPTIONS and not name.startswith(_OTHER)]
    assert unknown == [], f"{place} sets variables that no role has"
    assert find_inventory_errors(converted(known)) == []


@pytest.mark.parametrize("call", [call for call in _TASKS if call.module in _CALLED], ids=lambda call: f"{call.place}: {call.module}")
def test_a_task_gives_its_module_only_what_that_takes(call: Call) -> None:
    assert list(find_errors(arguments_of(call), documented(_CALLED)[call.module])) == []
