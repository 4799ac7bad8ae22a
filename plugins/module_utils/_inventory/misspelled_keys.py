# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Warns about annotations and labels that no controller reads, but that are nearly those of one. Others are the user's own."""

from __future__ import annotations

import typing as t

from .._kubernetes_text import is_text_map
from .._near_misses import find_near_miss
from .known_keys import FAMILIES, KNOWN_KEYS

_DOMAIN = "/"


def misspelled_key_warnings(variables: t.Mapping[str, t.Any]) -> list[str]:
    """One sentence for each key of annotations and labels, wherever they are, that is nearly that of a controller.

    Args:
        variables: the values of the roles' variables, as values.convert() returns them.
    """
    return [warning for name, value in variables.items() for warning in _find_misspelled(name, name, value)]


def _find_misspelled(place: str, name: str, value: t.Any) -> t.Iterator[str]:
    if isinstance(value, dict):
        is_map = is_text_map(name, value)
        for key, below in value.items():
            meant = _meant(str(key)) if is_map else None
            if meant:
                yield f"{place} has {str(key)!r}, which no controller reads: did you mean {meant}?"
            yield from _find_misspelled(f"{place}.{key}", str(key), below)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _find_misspelled(f"{place}[{index}]", "", item)


def _meant(key: str) -> str | None:
    """The key of a controller that was meant by another one; of a family, only what comes before the name is compared."""
    if _DOMAIN not in key or key in KNOWN_KEYS:
        return None
    domain, _slash, name = key.rpartition(_DOMAIN)
    head, dot, rest = name.partition(".")
    family = f"{domain}{_DOMAIN}{head}"
    if dot and family in FAMILIES:
        return None
    meant = find_near_miss(key, KNOWN_KEYS)
    if meant or not dot:
        return meant
    meant = find_near_miss(family, FAMILIES)
    return f"{meant}.{rest}" if meant else None


__all__ = ("misspelled_key_warnings",)
