"""Structures in which one place is replaced by something odd, to show that whatever is written there ends in a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

ODD: tuple[Any, ...] = (None, True, 5, -1, 1.5, "", "x", "a b", [], ["x"], [5], [None], [[]], {}, {"x": 1}, [{}])


def mutations(value: Any) -> Iterator[Any]:
    """The structure with each of its places, one after the other, replaced by each of the odd values."""
    yield from ODD
    if isinstance(value, dict):
        for key, below in value.items():
            yield from ({**value, key: changed} for changed in mutations(below))
    elif isinstance(value, list):
        for index, below in enumerate(value):
            yield from ([changed if place == index else item for place, item in enumerate(value)] for changed in mutations(below))
