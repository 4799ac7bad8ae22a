"""The arguments that tasks give their modules, and what the documentation of these modules says about them."""

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

import yaml
from ansible.module_utils.parsing.convert_bool import boolean

from twin.paths import REPOSITORY

# What a task may have beside its module: keywords of Ansible, and what includes and blocks have.
_BLOCKS = ("block", "rescue", "always")
_NOT_TASKS = ("ansible.builtin.import_playbook",)

Options = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Call:
    """A module with the arguments that one task gives it."""

    place: str
    module: str
    arguments: Mapping[str, Any]
    defaults: Mapping[str, Mapping[str, Any]]


def calls_in(path: Path) -> Iterator[Call]:
    """All calls of modules in a file of tasks or plays of the checkout."""
    return calls_of(yaml.safe_load(path.read_text()), str(path.relative_to(REPOSITORY)))


def calls_of(parts: Any, place: str) -> Iterator[Call]:
    """All calls of modules in the parts of a file of tasks or plays."""
    for part in parts or []:
        if isinstance(part, dict):
            yield from _calls(part, place, {})


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


@cache
def documented(names: frozenset[str]) -> dict[str, Options]:
    """The options of each of these modules, by its documentation."""
    command = [str(Path(sys.executable).with_name("ansible-doc")), "--json", "-t", "module", *sorted(names)]
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
        # Ansible takes true for the choice of that name.
        if choices and item not in choices and str(item).lower() not in choices and kind != "bool":
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


def arguments_of(call: Call) -> Mapping[str, Any]:
    """The arguments with the defaults that a block gives this module by its name."""
    return {**call.defaults.get(call.module, {}), **call.arguments}
