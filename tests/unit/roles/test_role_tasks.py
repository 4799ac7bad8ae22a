"""Every argument of every task, and every default for modules, is one that the module's documentation knows, with a value that it can take.

A task that no test has run would fail only at a user's: an option that a module does not have, or a choice that it does not know.
"""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from tests.unit.module_arguments import Call, Options, arguments_of, calls_in, documented, find_errors
from twin.paths import REPOSITORY

# These take keys of the user's choice.
_FREE = ("ansible.builtin.set_fact",)
_OURS = "meshwright.ambient"
_FILES = (*(REPOSITORY / "roles").glob("*/tasks/*.yml"), *(REPOSITORY / "playbooks").glob("**/*.yml"), *(REPOSITORY / "extensions").glob("molecule/**/*.yml"))
_CALLS = [call for path in sorted(_FILES) for call in calls_in(path)]
_MODULES = frozenset(call.module for call in _CALLS)


def test_there_are_tasks_of_every_role() -> None:
    assert {path.name for path in (REPOSITORY / "roles").iterdir()} <= {call.place.split("/")[1] for call in _CALLS if call.place.startswith("roles/")}


@pytest.mark.parametrize("call", [call for call in _CALLS if call.module not in _FREE], ids=lambda call: f"{call.place} ({call.module})")
def test_a_task_gives_its_module_only_what_that_takes(call: Call) -> None:
    arguments = arguments_of(call)
    if "_raw" not in arguments:
        assert list(find_errors(arguments, documented(_MODULES)[call.module])) == []


def test_defaults_of_a_group_are_options_of_every_module_that_they_reach() -> None:
    groups = yaml.safe_load((REPOSITORY / "meta" / "runtime.yml").read_text())["action_groups"]
    reached = {f"group/{_OURS}.{group}": {f"{_OURS}.{name}" for name in names if isinstance(name, str)} for group, names in groups.items()}
    wrong = [
        f"{call.place}: {call.module} has no option {key}"
        for call in _CALLS
        for group, defaults in call.defaults.items()
        if call.module in reached.get(group, ())
        for key in set(defaults) - set(documented(_MODULES)[call.module])
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
