# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Single values as the types of an argument spec, and how sentences name them.

One value has many spellings: the command line, surveys and the environment know only text, and YAML reads C(1.35), C(yes) and C(true) without quotes as
numbers and booleans. All of them are read here, and nowhere else.
"""

from __future__ import annotations

import datetime
import json
import re
import typing as t

from ansible.module_utils.common.validation import check_type_dict
from ansible.module_utils.parsing.convert_bool import boolean

from .._yaml import load_document

# Both are of a length that Python turns into a number, and that fits every field of an API.
_WHOLE = re.compile(r"[+-]?[0-9]{1,18}(\.0{1,9})?")
_LONGEST_SHOWN = 60
# What the last part of an option's name is whose value names something.
_NAMES = ("name", "names", "namespace", "namespaces", "waypoint", "gateway", "service", "service_account", "release", "revision")
# What a value of each type must be, and what to write.
EXPECTED = {
    "bool": ("true or false", "write true or false"),
    "dict": ("a dictionary", "write its keys with their values, {} for none, or leave it out"),
    "float": ("a number", "write digits"),
    "int": ("a whole number", "write digits only"),
    "list": ("a list", "begin each item with a dash, write [] for none, or leave it out"),
    "path": ("a path", "write a text"),
    "str": ("a text", "write one text, in quotes if it has characters that YAML interprets"),
}


class Unconvertible(ValueError):
    """A value that has no meaning as the declared type."""


def is_name(place: str) -> bool:
    """Whether a variable, or a key of an item, is the name of something: C(mesh_namespaces[0].name), C(istio_namespace)."""
    key = re.sub(r"\[\d+\]$", "", place).rpartition(".")[2]
    return key.endswith(tuple(f"_{name}" for name in _NAMES)) or key in _NAMES or ".istio_release_names." in f".{place}"


def clean_text(text: str) -> str:
    """A text without blanks around it, and with the line ends of Unix."""
    # On the controller it is of a class of Ansible's, which keeps where the text came from.
    return str.__str__(text).replace("\r\n", "\n").strip()


def describe(value: t.Any) -> str:
    """What a value is, for a sentence: C('soon', a text)."""
    if isinstance(value, (bool, int, float)):
        kind = "a boolean" if isinstance(value, bool) else "a number"
        return f"{str(value).lower() if isinstance(value, bool) else value}, {kind}"
    if isinstance(value, str):
        text = str.__str__(value)
        return f"{text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + '...'!r}, a text"
    return describe_kind(value)


def describe_kind(value: t.Any) -> str:
    """What a value is, without the value, which may be long or a secret."""
    kinds = (
        (bool, "a boolean"),
        ((int, float), "a number"),
        (str, "a text"),
        (dict, "a dictionary"),
        ((list, tuple, set), "a list"),
        (datetime.date, "a date"),
    )
    return next((kind for types, kind in kinds if isinstance(value, types)), "a value of another type")


def _to_bool(value: t.Any) -> bool:
    """Raises: Unconvertible."""
    if isinstance(value, (bool, str)) or (isinstance(value, int) and value in (0, 1)):
        try:
            return bool(boolean(value))
        except TypeError:
            pass
    raise Unconvertible


def _to_int(value: t.Any) -> int:
    """Raises: Unconvertible."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and _WHOLE.fullmatch(clean_text(value)):
        return int(clean_text(value).partition(".")[0])
    raise Unconvertible


def _to_float(value: t.Any) -> float:
    """Raises: Unconvertible."""
    if isinstance(value, (int, float, str)) and not isinstance(value, bool):
        try:
            return float(value)
        except (OverflowError, ValueError):
            pass
    raise Unconvertible


def _to_text(value: t.Any) -> str:
    """Text as it is, numbers as digits, booleans as YAML writes them.

    Raises:
        Unconvertible: it is a list or a dictionary.
    """
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, bool):
        return str(value).lower()
    if value is None or isinstance(value, (dict, list, tuple, set, bytes)):
        raise Unconvertible
    return str(value)


def to_list(value: t.Any, elements: str) -> list[t.Any]:
    """The items of a list; a lone value is its only item, and text may be several of them, as C(a,b) or in the syntax of JSON or YAML.

    Raises:
        Unconvertible: it is a dictionary, or a text that cannot be items of this type.
    """
    if isinstance(value, (list, tuple)):
        return list(value)
    if isinstance(value, str):
        text = clean_text(value)
        if text.startswith("["):
            return _parsed(text, list)
        if elements != "dict":
            return [item.strip() for item in text.split(",") if item.strip()]
        if not text:
            return []
    elif isinstance(value, (bool, int, float)) and elements != "dict":
        return [value]
    raise Unconvertible


def _to_dict(value: t.Any) -> dict[t.Any, t.Any]:
    """A dictionary; text may be one in the syntax of JSON or YAML, or as C(a=b, c=d).

    Raises:
        Unconvertible: it is none.
    """
    if isinstance(value, dict):
        return value
    if isinstance(value, str):
        text = clean_text(value)
        if not text or text.startswith("{"):
            return _parsed(text, dict) if text else {}
        try:
            return dict(check_type_dict(text))
        except (TypeError, ValueError):
            pass
    raise Unconvertible


def to_choice(value: t.Any, choices: t.Sequence[t.Any]) -> t.Any:
    """The choice that a converted value means: itself, in another case, or the word for the same truth."""
    if value in choices:
        return value
    if isinstance(value, str):
        found = [choice for choice in choices if str(choice).lower() == value.lower()]
        if len(found) == 1:
            return found[0]
        if {"true", "false"} <= set(choices) and value:
            try:
                return _to_text(_to_bool(value))
            except Unconvertible:
                pass
    raise Unconvertible


T = t.TypeVar("T", t.Dict[t.Any, t.Any], t.List[t.Any])


def _parsed(text: str, kind: type[T]) -> T:
    from yaml import YAMLError

    for parse in (json.loads, load_document):
        try:
            found = parse(text)
        except (ValueError, RecursionError, YAMLError):
            continue
        if isinstance(found, kind):
            return found
    raise Unconvertible


CONVERSIONS: dict[str, t.Callable[[t.Any], t.Any]] = {
    "bool": _to_bool,
    "dict": _to_dict,
    "float": _to_float,
    "int": _to_int,
    "path": _to_text,
    "str": _to_text,
}

__all__ = (
    "CONVERSIONS",
    "EXPECTED",
    "Unconvertible",
    "clean_text",
    "describe",
    "describe_kind",
    "is_name",
    "to_choice",
    "to_list",
)
