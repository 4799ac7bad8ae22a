# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Selectors in the syntax of kubectl -l, parsed strictly, so that they can be applied to objects that have been listed already.

The selector of kubernetes.core (plugins/module_utils/selector.py) was considered: it supports one requirement at a time and accepts anything as one.
Source: apimachinery pkg/labels (Parse), and its validation of keys and values.
"""

from __future__ import annotations

import re
import typing as t

from .._limits.kubernetes import is_label_key, is_label_value

LabelSelector = t.Dict[str, t.Any]

_TOKEN = re.compile(r"\s*(?:(?P<symbol>==|!=|[=!(),<>])|(?P<word>[^\s=!(),<>]+))")
_END = ""


class SelectorError(ValueError):
    """A text is not a selector; the message says why, as the end of a sentence."""


def parse_selector(text: str) -> LabelSelector:
    """A selector's text as a LabelSelector, which C(labels.matches) evaluates.

    Raises:
        SelectorError: the text is empty, malformed, or compares values by their order, which no LabelSelector does.
    """
    tokens = _tokens(text)
    if tokens == [_END]:
        raise SelectorError("it is empty and would select everything")
    expressions = []
    while True:
        expressions.append(_requirement(tokens))
        separator = tokens.pop(0)
        if separator == _END:
            return {"matchExpressions": expressions}
        if separator != ",":
            raise SelectorError(f"a comma or the end is expected before {separator!r}")


def _tokens(text: str) -> list[str]:
    """Words and symbols, and an empty token for the end."""
    return [found["symbol"] or found["word"] for found in _TOKEN.finditer(text.rstrip())] + [_END]


def _requirement(tokens: list[str]) -> dict[str, t.Any]:
    """Take one requirement off the tokens."""
    if tokens[0] == "!":
        tokens.pop(0)
        return {"key": _key(tokens.pop(0)), "operator": "DoesNotExist"}
    key = _key(tokens.pop(0))
    operator = tokens[0]
    if operator in (",", _END):
        return {"key": key, "operator": "Exists"}
    tokens.pop(0)
    if operator in ("=", "==", "!="):
        return {"key": key, "operator": "NotIn" if operator == "!=" else "In", "values": [_value(tokens)]}
    if operator in ("in", "notin"):
        return {"key": key, "operator": "In" if operator == "in" else "NotIn", "values": _values(tokens, operator)}
    if operator in ("<", ">"):
        raise SelectorError(f"{operator} compares numbers, which is not supported here")
    raise SelectorError(f"after {key}, one of =, ==, !=, in and notin is expected, not {operator!r}")


def _values(tokens: list[str], operator: str) -> list[str]:
    """A list in parentheses; as in Kubernetes, the value between two commas may be empty."""
    if tokens.pop(0) != "(":
        raise SelectorError(f"after {operator}, values in parentheses are expected, such as {operator} (a, b)")
    values = [_value(tokens)]
    while tokens[0] == ",":
        tokens.pop(0)
        values.append(_value(tokens))
    if tokens.pop(0) != ")":
        raise SelectorError("a parenthesis is not closed")
    return values


def _value(tokens: list[str]) -> str:
    """The next value; empty if there is none."""
    if tokens[0] in (",", ")", _END):
        return ""
    value = tokens.pop(0)
    if not is_label_value(value):
        raise SelectorError(f"{value!r} is not a valid label value")
    return value


def _key(key: str) -> str:
    if not is_label_key(key):
        raise SelectorError(f"{key!r} is not a valid label key" if key else "a label key is expected at its end")
    return key


__all__ = ("LabelSelector", "SelectorError", "parse_selector")
