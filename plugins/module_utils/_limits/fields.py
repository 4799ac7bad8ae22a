# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Structures whose keys are an API's and not the collection's: what is in them, and which of their keys are misspelled."""

from __future__ import annotations

import typing as t

from .._near_misses import find_near_miss

Fields = t.Mapping[str, t.Any]


def items_of(place: str, value: t.Any) -> t.Iterator[tuple[str, Fields]]:
    """The dictionaries of a list, each with its place; what is of another structure is left to the API server."""
    for index, item in enumerate(value if isinstance(value, list) else ()):
        if isinstance(item, dict):
            yield f"{place}[{index}]", item


def find_misspelled_fields(place: str, fields: Fields, known: t.Sequence[str]) -> t.Iterator[str]:
    """A sentence for each key that is nearly a known one; others may be of a newer API.

    Args:
        place: how messages name the structure.
        fields: what is written there.
        known: the keys that the API has.
    """
    for name in sorted(map(str, fields)):
        meant = find_near_miss(name, [one for one in known if one not in fields]) if name not in known else None
        if meant:
            yield f"{place} has the key {name!r}, which is unknown: did you mean {meant}?"


def show_scalar(value: t.Any, otherwise: str) -> str:
    """A value as YAML has it, for a message.

    Args:
        value: what is written.
        otherwise: what is shown of a list, a dictionary, or nothing.
    """
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value) if isinstance(value, (str, int, float)) else otherwise


__all__ = ("Fields", "find_misspelled_fields", "items_of", "show_scalar")
