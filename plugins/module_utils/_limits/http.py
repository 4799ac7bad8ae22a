# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Paths and expressions of HTTP as routes and load balancers take them: each function yields a sentence for each value that they would refuse.

Sources: the rules of HTTPPathMatch in the Gateway API's definition of HTTPRoute, which are those of Ingress (Kubernetes' pkg/apis/networking/validation)
and some more; Go's regexp/syntax for expressions.
"""

from __future__ import annotations

import re
import typing as t

_LONGEST_PATH = 1024

_SEQUENCES = ("//", "/./", "/../", "%2f", "%2F")
_ENDS = ("/..", "/.")
_PATH = re.compile(r"(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|%[0-9a-fA-F]{2})+")
# What Python reports of an expression that no other syntax takes either.
_BROKEN = ("missing ), unterminated", "unbalanced parenthesis", "unterminated character set", "nothing to repeat", "bad character range")
# Sources: Go's regexp/syntax, "not supported".
_UNSUPPORTED = re.compile(r"\(\?(<?[=!])|\\([1-9])")


def find_sequence_errors(option: str, path: str) -> t.Iterator[str]:
    """What the API server refuses of a path that is a prefix or exact, in an Ingress as in a route."""
    if not path.startswith("/"):
        yield f"{option} is {path!r}: a path must begin with a slash."
        return
    for sequence in _SEQUENCES:
        if sequence in path:
            yield f"{option} is {path!r}, which has {sequence}: write the path as servers see it, without empty, relative or encoded parts."
            return
    for end in _ENDS:
        if path.endswith(end):
            yield f"{option} is {path!r}, which ends with {end}: write the path as servers see it, without relative parts."


def find_path_errors(option: str, path: str, path_type: str) -> t.Iterator[str]:
    """What the Gateway API refuses of a path.

    Args:
        option: how messages name it.
        path: the path, or what it must match.
        path_type: C(PathPrefix), C(Exact) or C(RegularExpression), of which the last is an expression.
    """
    if len(path) > _LONGEST_PATH:
        yield f"{option} has {len(path)} characters, and the Gateway API allows {_LONGEST_PATH}: shorten it."
    if path_type == "RegularExpression":
        yield from find_expression_errors(option, path)
        return
    problems = list(find_sequence_errors(option, path))
    yield from problems
    if not problems and not _PATH.fullmatch(path):
        wrong = next((character for character in re.sub(r"%[0-9a-fA-F]{2}", "", path) if not _PATH.fullmatch(character)), "%")
        yield f"{option} is {path!r}, which has {wrong!r}: encode it with a percent sign, as %20 for a blank, or use path_type RegularExpression."


def find_expression_errors(option: str, expression: str) -> t.Iterator[str]:
    """What keeps a text from being a regular expression of RE2, as far as it is certain."""
    # What is escaped or in a set is a character.
    bare = re.sub(r"\\[^1-9]|\[\^?\]?[^\]]*\]", "", expression)
    unsupported = _UNSUPPORTED.search(bare)
    if unsupported:
        what = "a reference to a group" if unsupported[2] else "looks ahead or behind"
        yield f"{option} is {expression!r}, which has {unsupported[0]} ({what}): Envoy's expressions (RE2) have none, so write it without."
        return
    try:
        re.compile(expression)
    except re.error as error:
        # A dash after a class such as \w is a character for RE2 (regexp/syntax/parse.go, parseClass), and an error for Python.
        if error.msg.startswith(_BROKEN) and not ("range" in error.msg and "\\" in error.msg):
            yield f"{option} is {expression!r}, which is not a regular expression ({error.msg}): correct it."
    except (OverflowError, RecursionError):
        yield f"{option} is not a regular expression, because it is too large: shorten it."


__all__ = ("find_expression_errors", "find_path_errors", "find_sequence_errors")
