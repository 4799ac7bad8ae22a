"""Every variable of every role has a run on a twin that would fail if it had no effect."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import jmespath
import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.values import convert
from ansible_collections.meshwright.ambient.plugins.plugin_utils._role_variables import resolve
from generate.declarations import role_variables
from tests.options import walk_options
from tests.unit.module_arguments import calls_in
from tests.variables import COMPLETE, OTHERWISE, PLACED, all_variables, marked_variables, rows_of_evidence, set_variables
from twin.commands.rehearsal import overlay_of
from twin.paths import REPOSITORY
from twin.tools.build import locate_tools

_ROLES = sorted(path.name for path in (REPOSITORY / "roles").iterdir())
_RUNS = pytest.mark.parametrize("otherwise", [pytest.param(False, id="complete"), pytest.param(True, id="otherwise")])
# What a row about the names of all tasks looks for.
_NAMED = re.compile(r"contains\(@, '((?:[^'\\]|\\.)+)'\)")


def test_every_variable_has_a_row_of_evidence_or_a_marked_test() -> None:
    lacking = sorted(all_variables() - set(rows_of_evidence()) - set(marked_variables()))
    assert not lacking, f"no run on a twin shows the effect of: {', '.join(lacking)}"


def test_evidence_and_marks_name_variables_that_exist() -> None:
    unknown = sorted((set(rows_of_evidence()) | set(marked_variables())) - all_variables())
    assert not unknown, f"no role has: {', '.join(unknown)}"


@_RUNS
def test_the_run_that_evidence_is_about_sets_the_variable(otherwise: bool) -> None:
    rows = {variable for variable, row in rows_of_evidence().items() if row.otherwise == otherwise}
    unset = sorted(rows - set_variables(otherwise=otherwise))
    assert not unset, f"the effect of a default is no evidence for: {', '.join(unset)}"


@_RUNS
def test_the_run_that_evidence_is_about_sets_another_value_than_the_default(otherwise: bool) -> None:
    rows = sorted(variable for variable, row in rows_of_evidence().items() if row.otherwise == otherwise)
    same = _without_effect(_given(otherwise=otherwise), rows)
    assert not same, f"the role gets the same without the value of: {', '.join(same)}"


def test_a_value_that_is_the_default_is_found() -> None:
    albs = [{"path": "/", "service_port": 443}, {"path": "/"}]
    given = {"eks_startup_taint": False, "karpenter_startup_taint": False, "karpenter_replicas": 3, "ingress_albs": albs}
    wrong = ["karpenter_startup_taint", "ingress_albs[].path"]
    assert _without_effect(given, [*wrong, "karpenter_replicas", "ingress_albs[].service_port"]) == wrong


def test_a_row_of_evidence_expects_something_else_than_the_default() -> None:
    rows = rows_of_evidence()
    same = sorted({name for name, default in _declared_defaults() if name in rows and str(default).lower() == str(rows[name].value).lower()})
    assert not same, f"the default itself is what these look for: {', '.join(same)}"


@pytest.mark.parametrize("variable", sorted(rows_of_evidence()))
def test_a_row_of_evidence_has_a_path_that_can_be_read(variable: str) -> None:
    jmespath.compile(rows_of_evidence()[variable].path)


@pytest.mark.parametrize("variable", sorted(variable for variable, row in rows_of_evidence().items() if row.of.partition(" ")[0] in ("task", "tasks")))
def test_a_row_about_tasks_names_some_that_a_role_has(variable: str) -> None:
    """That a task did not run is no evidence if there is no such task, nor is a null that only means that nothing was recorded."""
    row = rows_of_evidence()[variable]
    named = [name.replace("\\'", "'") for name in _NAMED.findall(row.path)] if row.of == "tasks" else [row.of.partition(" ")[2]]
    assert named, f"{row.path} names no task"
    unknown = [name for name in named if not any(pattern.fullmatch(name) for pattern in _tasks())]
    assert not unknown, f"no role has the task {', '.join(unknown)}"
    assert row.of == "tasks" or row.value is not None, "a task that did not run has no arguments either"


def _given(*, otherwise: bool) -> dict[str, Any]:
    """What the run is given: the inventory, and over it the files of -e in their order."""
    files = [*sorted(COMPLETE.rglob("*.yml")), PLACED, *([OTHERWISE] if otherwise else [])]
    # What others make is known only in the run, and unlike every default.
    existing = {name: f"existing-{name}" for file in files for name in re.findall(r"existing\.(\w+)", file.read_text())}
    loaded = [DataLoader().load_from_file(str(file), trusted_as_template=True) for file in files]
    rehearsal = yaml.safe_load(overlay_of(locate_tools()))
    inventory, extra = loaded[: files.index(PLACED)], loaded[files.index(PLACED) :]
    given = {"inventory_hostname": "complete", "existing": existing}
    for each in (*inventory, rehearsal, *extra):
        given |= each
    return given


def _without_effect(given: Mapping[str, Any], variables: Sequence[str]) -> list[str]:
    """The variables, and keys of items, of which the roles get the same if they are taken out."""
    keys = {variable: variable.replace("[]", "").split(".") for variable in variables}
    before = {name: _converted(given, name) for name in {path[0] for path in keys.values()}}
    return [variable for variable, path in keys.items() if _converted(_without(given, path), path[0]) == before[path[0]]]


def _converted(given: Mapping[str, Any], name: str) -> list[Any]:
    """What each role that has the variable gets."""
    found = []
    for variables in role_variables().values():
        if name in variables:
            options = {name: variables[name]}
            resolved, errors = resolve(Templar(loader=DataLoader(), variables=dict(given)), options, given)
            assert not errors, errors
            found.append(convert(options, resolved).complete.get(name))
    return found


def _without(value: Any, keys: Sequence[str]) -> Any:
    """The value without a key below these, in every item."""
    if isinstance(value, list):
        return [_without(item, keys) for item in value]
    if not isinstance(value, dict) or keys[0] not in value:
        return value
    rest = {key: below for key, below in value.items() if key != keys[0]}
    return rest if len(keys) == 1 else {**value, keys[0]: _without(value[keys[0]], keys[1:])}


def _declared_defaults() -> Iterator[tuple[str, Any]]:
    declared = (found for variables in role_variables().values() for found in walk_options(variables, of_items="[]"))
    yield from ((path, option["default"]) for path, option in declared if option.get("default") is not None)


@functools.cache
def _tasks() -> list[re.Pattern[str]]:
    """The names of the roles' tasks, in which a template stands for any text, with and without the name of the role."""
    patterns = []
    for role in _ROLES:
        for path in sorted((REPOSITORY / "roles" / role / "tasks").glob("*.yml")):
            for call in calls_in(path):
                parts = re.split(r"\{\{.*?\}\}", call.place.rpartition(": ")[2])
                patterns.append(re.compile(f"({role} : )?" + ".+".join(map(re.escape, parts))))
    return patterns
