"""The tables of keys of items, which are written by hand, have keys that exist, with their types and defaults."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from generate.declarations import role_variables
from tests.options import walk_options
from tests.pages import Page, all_pages

_TYPES = {"string": "str", "list": "list", "dict": "dict", "int": "int", "bool": "bool", "`true`, `false`": "str"}


def declared() -> dict[str, list[Mapping[str, Any]]]:
    """All declarations of each key of an item, by the path of the key below the item, and by its name alone."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for variables in role_variables().values():
        for option in variables.values():
            for path, key in walk_options(option.get("options") or {}):
                for name in {path, path.rpartition(".")[2]}:
                    found.setdefault(name, []).append(key)
    return found


KEYS = declared()
# Its table is of the keys of the twin's own data.
_OTHERS = {"docs/twin.md"}


def _rows(shown: Page) -> Iterator[tuple[list[str], dict[str, str]]]:
    """The keys of each row of the tables of keys, with the cells by the titles of their columns."""
    header: list[str] = []
    for row in shown.rows():
        if row[0] in ("Key", "Variable") or len(row) != len(header):
            header = row
        elif header[0] == "Key":
            yield re.findall(r"`([a-z_.]+)`", row[0]), dict(zip(header, row, strict=True))


ROWS = [(shown.name, keys, cells) for shown in all_pages() if shown.name not in _OTHERS for keys, cells in _rows(shown)]


def test_there_are_such_tables() -> None:
    assert len(ROWS) > 50


@pytest.mark.parametrize(("place", "keys", "cells"), ROWS, ids=[f"{place}: {cells['Key']}" for place, _keys, cells in ROWS])
def test_keys_exist_with_their_types_and_defaults(place: str, keys: list[str], cells: dict[str, str]) -> None:
    unknown = [key for key in keys if key not in KEYS]
    assert keys and not unknown, f"{place}: no item has the key {', '.join(unknown)}"
    for key in keys:
        if cells.get("Type"):
            assert _TYPES[cells["Type"]] in {option["type"] for option in KEYS[key]}, f"{place}: {key} is not of the type {cells['Type']}"
        default = re.fullmatch(r"`([^`]*)`", cells.get("Default", ""))
        if default:
            defaults = {str(option.get("default")) for option in KEYS[key]} | {str(option.get("default")).lower() for option in KEYS[key]}
            assert default[1] in defaults, f"{place}: the default of {key} is {', '.join(sorted(defaults))}"
