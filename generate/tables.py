"""The tables of variables in pages, from the argument specs."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.values import is_template
from generate.declarations import Option
from generate.markup import as_code, markdown

BEGIN = "<!-- The table is written by make generate, from the argument specs of the roles. -->"
_HEADER = "| Variable | Type | Default | Meaning |\n|---|---|---|---|\n"
_TYPES = {"str": "string", "path": "string", "raw": "path or content"}
_FOLLOWED = re.compile(r"\{\{ (\w+)(?: \| default\([^()]*\))? \}\}")
_LONGEST = 130
_TABLE = re.compile(r"(?:<!--[^\n]*-->\n\n)?(?:\|[^\n]*\n)+")


def with_table(page: str, heading: str, variables: Mapping[str, Option]) -> str:
    """A page with its table of variables replaced, which is the first one below a heading.

    Raises:
        ValueError: the page has no such heading, or no table below it.
    """
    before, found, section = page.partition(f"\n## {heading}\n")
    below, next_heading, after = section.partition("\n## ")
    if not found or not _TABLE.search(below):
        raise ValueError(f"the page has no heading {heading} with a table below it")
    table = f"{BEGIN}\n\n{_HEADER}" + "".join(_row(name, option) for name, option in variables.items())
    return before + found + _TABLE.sub(lambda _found: table, below, count=1) + next_heading + after


def _row(name: str, option: Option) -> str:
    return f"| `{name}` | {_type(option)} | {_default(option)} | {_meaning(option)} |\n"


def _type(option: Option) -> str:
    kind: str = option["type"]
    return f"list of {_TYPES.get(option['elements'], option['elements'])}" if kind == "list" else _TYPES.get(kind, kind)


def _default(option: Option) -> str:
    default = option.get("default")
    if default is None:
        return "none"
    if default == "":
        return '`""`'
    if is_template(default):
        followed = _FOLLOWED.fullmatch(default)
        if followed:
            return f"as `{followed[1]}`"
        return "computed" if default.startswith("{{") or len(default) > _LONGEST else as_code(default)
    return as_code(default if isinstance(default, str) else json.dumps(default, ensure_ascii=False))


def _meaning(option: Option) -> str:
    parts = [markdown(option["description"])]
    if option.get("choices"):
        parts.append("One of " + ", ".join(as_code(str(choice) or '""') for choice in option["choices"]) + ".")
    if keys := option.get("options"):
        parts.append("Keys: " + ", ".join(map(as_code, keys)) + ".")
    return " ".join(parts)
