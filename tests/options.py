"""Declared options: every key below the variables of roles and the options of modules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Options = Mapping[str, Mapping[str, Any]]

# A module's documentation calls its nested options by another name than an argument spec.
NESTED = ("suboptions", "options")


def walk_options(options: Options, path: str = "", *, of_items: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each option and each key below it: its path, and its declaration.

    Args:
        options: those of an argument spec, or of a module's documentation.
        path: the path of what they belong to.
        of_items: what stands in a path between a list and a key of its items, such as [] in eks_node_groups[].labels.
    """
    for name, option in options.items():
        here = f"{path}.{name}" if path else name
        yield here, option
        below = next((option[key] for key in NESTED if option.get(key)), {})
        yield from walk_options(below, here + (of_items if option.get("type") == "list" else ""), of_items=of_items)
