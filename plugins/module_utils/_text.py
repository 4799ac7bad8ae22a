# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Values and lists as text, for messages and for fields that hold only text."""

from __future__ import annotations

import typing as t

T = t.TypeVar("T")


def in_one_line(text: object) -> str:
    """A text without line breaks or runs of blanks."""
    return " ".join(str(text).split())


def format_names(names: t.Iterable[object], most: int = 10) -> str:
    """The first names of a list, and how many more there are: C(a, b and 3 more)."""
    return _shortened(names, most, ", ", " and")


def format_clauses(clauses: t.Iterable[object], most: int = 5) -> str:
    """The first clauses of a list, and how many more there are: C(pod a: waits; pod b: waits; and 3 more)."""
    return _shortened(clauses, most, "; ", "; and")


def format_count(number: int, noun: str) -> str:
    """A number with its noun: C(1 replica), C(3 replicas)."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def format_scalar(value: object) -> str:
    """A value as labels, annotations and other fields of text hold it: YAML's booleans as C(true) and C(false)."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def format_scalars(values: t.Mapping[t.Any, object] | None) -> dict[str, str]:
    """A map of text to text, such as labels: YAML's numbers and booleans as text."""
    return {str(name): format_scalar(value) for name, value in (values or {}).items()}


def text_values(values: t.Mapping[t.Any, object] | None) -> dict[str, str]:
    """Labels, annotations or tags that a user has written, as the text that they are in Kubernetes and AWS, sorted; null is an empty text.

    Raises:
        ValueError: a value is a list or a dictionary.
    """
    for name, value in (values or {}).items():
        if isinstance(value, (dict, list, tuple)):
            raise ValueError(f"the value of {name} is {value!r}, but must be a string")
    return {str(name): "" if value is None else format_scalar(value) for name, value in sorted((values or {}).items(), key=lambda item: str(item[0]))}


def repeated(items: t.Sequence[T]) -> list[T]:
    """Which items of a list stand there more than once, each once, sorted by their text."""
    return sorted({item for item in items if items.count(item) > 1}, key=str)


def _shortened(items: t.Iterable[object], most: int, separator: str, last: str) -> str:
    texts = [str(item) for item in items]
    return separator.join(texts[:most]) + (f"{last} {len(texts) - most} more" if len(texts) > most else "")


__all__ = ("format_clauses", "format_count", "format_names", "format_scalar", "format_scalars", "in_one_line", "repeated", "text_values")
