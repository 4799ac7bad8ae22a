# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Values and lists as text, for messages and for fields that hold only text."""

from __future__ import annotations

import re
import typing as t

T = t.TypeVar("T")

# How much of a text from outside a message quotes, and how long a line of a message is at most, in characters.
LONGEST_TEXT = 2000
LONGEST_LINE = 5000
# What a terminal obeys instead of showing it, what reorders or hides text (Unicode, UAX #9 and category Cf), and what cannot be written as UTF-8.
# Not the two joiners, which ordinary words need in some scripts.
_CONTROLS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)
_SHOWN_INSTEAD = "\N{REPLACEMENT CHARACTER}"
# Source: RFC 3986, 3.2: what stands between the slashes and the last "@" before the path. In a password, "/", "?" and "#" should be written as %2F, %3F and
# %23; where they are not, and the colon before them is none of a port, the text up to the next "@" is a password all the same.
_USERINFO = re.compile(r"(?<=://)(?:[^\s/?#\"'<>]*@|[^\s/?#\"'<>:@\[]*:(?!\d+[/?#])[^\s\"'<>@]*@)")


def printable(text: str) -> str:
    """A text whose control characters are replaced, so that a terminal shows it and obeys none of it; line breaks and tabs stay."""
    return text if text.isprintable() else _CONTROLS.sub(_SHOWN_INSTEAD, text)


def in_one_line(text: object) -> str:
    """A text without line breaks, runs of blanks or control characters."""
    return printable(" ".join(str(text).split()))


def quoted(text: object) -> str:
    """A text from outside as messages quote it: in one line, harmless, and of bounded length."""
    return _cut(in_one_line(text), LONGEST_TEXT)


def without_userinfo(text: str) -> str:
    """A text without the user and password of the URLs in it."""
    return _USERINFO.sub("", text) if "@" in text else text


def userinfo_in(text: str) -> list[str]:
    """The users and passwords of the URLs in a text, as they stand there: C(user:password)."""
    return [found[:-1] for found in _USERINFO.findall(text)] if "@" in text else []


def message_line(text: object) -> str:
    """A line of a message, whatever it is made of: one line, nothing in it that a terminal obeys, no password of a URL, of bounded length."""
    return _cut(without_userinfo(in_one_line(text)), LONGEST_LINE)


def harmless(value: t.Any) -> t.Any:
    """A value of JSON whose texts, below lists and dictionaries as well, are as messages quote them."""
    if isinstance(value, str):
        return value if value.isprintable() and len(value) <= LONGEST_TEXT else quoted(value)
    if isinstance(value, dict):
        return {name: harmless(below) for name, below in value.items()}
    return [harmless(item) for item in value] if isinstance(value, list) else value


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
    return {format_scalar(name): format_scalar(value) for name, value in (values or {}).items()}


def text_values(values: t.Mapping[t.Any, object] | None) -> dict[str, str]:
    """Labels, annotations or tags that a user has written, as the text that they are in Kubernetes and AWS, sorted; null is an empty text.

    Raises:
        ValueError: a value is a list or a dictionary.
    """
    for name, value in (values or {}).items():
        if isinstance(value, (dict, list, tuple)):
            raise ValueError(f"the value of {name} is {value!r}, but must be a string")
    return {format_scalar(name): "" if value is None else format_scalar(value) for name, value in sorted((values or {}).items(), key=lambda item: str(item[0]))}


def repeated(items: t.Sequence[T]) -> list[T]:
    """Which items of a list stand there more than once, each once, sorted by their text."""
    return sorted({item for item in items if items.count(item) > 1}, key=str)


def _cut(line: str, most: int) -> str:
    return line if len(line) <= most else line[:most] + " [...]"


def _shortened(items: t.Iterable[object], most: int, separator: str, last: str) -> str:
    texts = [str(item) for item in items]
    return separator.join(texts[:most]) + (f"{last} {len(texts) - most} more" if len(texts) > most else "")


__all__ = (
    "LONGEST_LINE",
    "LONGEST_TEXT",
    "format_clauses",
    "format_count",
    "format_names",
    "format_scalar",
    "format_scalars",
    "harmless",
    "in_one_line",
    "message_line",
    "printable",
    "quoted",
    "repeated",
    "text_values",
    "userinfo_in",
    "without_userinfo",
)
