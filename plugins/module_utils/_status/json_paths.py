# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""JSONPath as kubectl writes it, such as C({.status.conditions[?(@.type=="Ready")].status}). Translated for the package jsonpath-ng, which evaluates it.

Source: kubectl's reference "JSONPath Support": braces around, no leading C($) needed, dots in keys escaped by a backslash.
"""

from __future__ import annotations

import functools
import re
import typing as t

from .._errors import MeshError
from .verdict import Object

# A step that begins with a dot: a key, in which any character may be escaped.
_STEP = re.compile(r"\.((?:\\.|[^.\[\]\\(){}\s])+)")
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|\*")


def find(path: str, item: Object) -> list[t.Any]:
    """All values that a path finds in an object.

    Raises:
        MeshError: the path cannot be parsed, or the package that reads it is missing.
    """
    compiled = _compiled(path)
    try:
        return [found.value for found in compiled.find(dict(item))]
    except Exception as error:  # such as a regular expression in a filter that cannot be compiled
        raise MeshError(f"json_path {path!r} cannot be evaluated ({str(error).rstrip('.')}): correct its filter.") from None


def check(path: str) -> None:
    """Raise MeshError when the path cannot be parsed, or the package that reads it is missing."""
    _compiled(path)


def translate(path: str) -> str:
    """A path of kubectl's in the syntax of jsonpath-ng."""
    text = path.strip()
    if text.startswith("{") and text.endswith("}"):
        text = text[1:-1].strip()
    text = text[1:] if text.startswith(("$", "@")) else text
    if not text.startswith((".", "[")):
        text = f".{text}"
    steps = []
    position = 0
    while position < len(text):
        found = _STEP.match(text, position)
        if found:
            key = re.sub(r"\\(.)", r"\1", found.group(1))
            steps.append(f".{key}" if _PLAIN.fullmatch(key) else f'["{key}"]')
            position = found.end()
            continue
        # A bracket, up to its end; in it a filter keeps its own dots.
        end = _end_of_bracket(text, position)
        steps.append(_bracket(text[position:end]))
        position = end
    return "$" + "".join(steps)


def _bracket(text: str) -> str:
    """kubectl takes single quotes for strings in filters, and C(==) for equality; both are jsonpath-ng's too, but not quoted keys."""
    return re.sub(r"'([^']*)'", r'"\1"', text)


def _end_of_bracket(text: str, start: int) -> int:
    depth, quote = 0, ""
    for position in range(start, len(text)):
        character = text[position]
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        else:
            depth += {"[": 1, "]": -1}.get(character, 0)
            if depth == 0 and character == "]":
                return position + 1
    return len(text)


@functools.lru_cache(maxsize=128)
def _compiled(path: str) -> t.Any:
    try:
        # Only needed with a path.
        from jsonpath_ng.ext.parser import parse
    except ImportError:
        raise MeshError(
            f"The Python package jsonpath-ng, which reads json_path {path!r}, is missing on the host that runs this task: "
            "install it there (pip install jsonpath-ng), or use condition instead."
        ) from None
    try:
        return parse(translate(path))
    except Exception as error:  # the package raises plain Exception for what it cannot read
        raise MeshError(f"json_path {path!r} cannot be parsed ({str(error).rstrip('.')}): write it as for kubectl, such as {{.status.phase}}.") from None


__all__ = ("check", "find", "translate")
