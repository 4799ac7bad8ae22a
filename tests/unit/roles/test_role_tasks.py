"""Every argument of every task, and every default for modules, is one that the module's documentation knows, with a value that it can take.

A task that no test has run would fail only at a user's: an option that a module does not have, or a choice that it does not know.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.parsing.convert_bool import boolean

from twin.paths import REPOSITORY

# What a task may have beside its module: keywords of Ansible, and what includes and blocks have.
_BLOCKS = ("block", "rescue", "always")
_NOT_TASKS = ("ansible.builtin.import_playbook",)
# These take keys of the user's choice.
_FREE = ("ansible.builtin.set_fact",)
_OURS = "meshwright.ambient"
_FILES = (*(REPOSITORY / "roles").glob("*/tasks/*.yml"), *(REPOSITORY / "playbooks").glob("**/*.yml"), *(REPOSITORY / "extensions").glob("molecule/**/*.yml"))

Options = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Call:
    """A module with the arguments that one task gives it."""

    place: str
    module: str
    arguments: Mapping[str, Any]
    defaults: Mapping[str, Mapping[str, Any]]


def calls_of(path: Path) -> Iterator[Call]:
    """All calls of modules in a file of tasks or plays."""
    for part in yaml.safe_load(path.read_text()) or []:
        if isinstance(part, dict):
            yield from _calls(part, str(path.relative_to(REPOSITORY)), {})


def _calls(part: Mapping[str, Any], place: str, outer: Mapping[str, Mapping[str, Any]]) -> Iterator[Call]:
    place = f"{place}: {part.get('name', 'without a name')}"
    defaults = {**outer, **part.get("module_defaults", {})}
    for key in (*_BLOCKS, "tasks", "pre_tasks", "post_tasks", "handlers"):
        for inner in part.get(key) or []:
            yield from _calls(inner, place, defaults)
    for key, value in part.items():
        if "." in key and key not in _NOT_TASKS:
            given = value if isinstance(value, dict) else {"_raw": value} if value else {}
            yield Call(place, key, {**given, **(part.get("args") or {})}, defaults)


_CALLS = [call for path in sorted(_FILES) for call in calls_of(path)]


@cache
def documented() -> dict[str, Options]:
    """The options of each module that a task calls, by its documentation."""
    names = sorted({call.module for call in _CALLS})
    command = [str(Path(sys.executable).with_name("ansible-doc")), "--json", "-t", "module", *names]
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(REPOSITORY / "collections")}
    done = subprocess.run(command, cwd=REPOSITORY, env=environment, check=True, capture_output=True, text=True, timeout=120)
    return {name: found["doc"].get("options", {}) for name, found in json.loads(done.stdout).items()}


def find_errors(given: Any, options: Options, place: str = "") -> Iterator[str]:
    """What is wrong with arguments, one sentence each; what a template gives is not known, and not reported."""
    if not isinstance(given, dict):
        return
    named = {alias: name for name, option in options.items() for alias in (name, *option.get("aliases", ()))}
    for key, value in given.items():
        if key not in named:
            yield f"{place}{key} is no option: {', '.join(sorted(options))}."
        else:
            yield from _find_value_errors(value, options[named[key]], f"{place}{key}")
    there = {named.get(key) for key in given}
    yield from (f"{place}{name} is required." for name, option in options.items() if option.get("required") and name not in there)


def _find_value_errors(value: Any, option: Mapping[str, Any], place: str) -> Iterator[str]:
    if _is_template(value) or value is None:
        return
    kind = option.get("type", "raw")
    if not _fits(value, kind):
        yield f"{place} is {value!r}, and has the type {kind}."
        return
    items = value if kind == "list" and isinstance(value, list) else [value]
    for index, item in enumerate(items):
        where = f"{place}[{index}]" if kind == "list" else place
        if _is_template(item):
            continue
        if kind == "list" and not _fits(item, option.get("elements", "raw")):
            yield f"{where} is {item!r}, and has the type {option['elements']}."
        choices = option.get("choices")
        if choices and item not in choices and kind != "bool":
            yield f"{where} is {item!r}, and must be one of {', '.join(map(str, choices))}."
        if option.get("suboptions"):
            yield from find_errors(item, option["suboptions"], f"{where}.")


def _is_template(value: Any) -> bool:
    return isinstance(value, str) and ("{{" in value or "{%" in value)


def _fits(value: Any, kind: str) -> bool:
    if kind == "bool":
        try:
            boolean(value)
        except TypeError:
            return False
        return True
    if kind in ("int", "float"):
        return isinstance(value, int | float) and not isinstance(value, bool)
    # Numbers become texts, and a text is a list of one, as Ansible does it.
    fitting = {"list": (list, str), "dict": (dict,), "str": (str, int, float), "path": (str,)}
    return kind not in fitting or isinstance(value, fitting[kind])


def _as_arguments(call: Call) -> Mapping[str, Any]:
    """The arguments with the defaults that a block gives this module by its name."""
    return {**call.defaults.get(call.module, {}), **call.arguments}


def test_there_are_tasks_of_every_role() -> None:
    assert {path.name for path in (REPOSITORY / "roles").iterdir()} <= {call.place.split("/")[1] for call in _CALLS if call.place.startswith("roles/")}


@pytest.mark.parametrize("call", [call for call in _CALLS if call.module not in _FREE], ids=lambda call: f"{call.place} ({call.module})")
def test_a_task_gives_its_module_only_what_that_takes(call: Call) -> None:
    arguments = _as_arguments(call)
    if "_raw" not in arguments:
        assert list(find_errors(arguments, documented()[call.module])) == []


def test_defaults_of_a_group_are_options_of_every_module_that_they_reach() -> None:
    groups = yaml.safe_load((REPOSITORY / "meta" / "runtime.yml").read_text())["action_groups"]
    reached = {f"group/{_OURS}.{group}": {f"{_OURS}.{name}" for name in names if isinstance(name, str)} for group, names in groups.items()}
    wrong = [
        f"{call.place}: {call.module} has no option {key}"
        for call in _CALLS
        for group, defaults in call.defaults.items()
        if call.module in reached.get(group, ())
        for key in set(defaults) - set(documented()[call.module])
    ]
    assert wrong == []
    assert {group for call in _CALLS for group in call.defaults if group.startswith(f"group/{_OURS}.")} <= set(reached)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"cluster": "prod", "wait_timeout": 3}, "wait_timeout is no option"),
        ({"entries": []}, "cluster is required"),
        ({"cluster": "prod", "state": "gone"}, "state is 'gone', and must be one of present, absent"),
        ({"cluster": "prod", "entries": [{"principal": "x"}]}, "entries[0].principal is no option"),
        ({"cluster": "prod", "entries": {"a": 1}}, "entries is {'a': 1}, and has the type list"),
        ({"cluster": "prod", "purge": "sometimes"}, "purge is 'sometimes', and has the type bool"),
        ({"cluster": "{{ name }}", "purge": "{{ purge }}", "state": "{{ state }}", "entries": "{{ entries }}"}, ""),
    ],
)
def test_a_wrong_argument_is_found(given: dict[str, Any], expected: str) -> None:
    options: Options = {
        "cluster": {"type": "str", "required": True},
        "state": {"type": "str", "choices": ["present", "absent"]},
        "entries": {"type": "list", "elements": "dict", "suboptions": {"principal_arn": {"type": "str"}}},
        "purge": {"type": "bool"},
    }
    found = " ".join(find_errors(given, options))
    assert expected in found and bool(expected) == bool(found)


def test_no_role_hides_an_integration_target() -> None:
    """ansible-test runs a target as a role by its name, and takes a role of the collection first: the target would pass without a task."""
    roles = {path.name for path in (REPOSITORY / "roles").iterdir()}
    targets = {path.name for path in (REPOSITORY / "tests" / "integration" / "targets").iterdir()}
    assert targets
    assert not roles & targets, "give the target another name"
