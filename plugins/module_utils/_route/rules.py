# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Validates the rules of an HTTPRoute that are written as the API has them: matches, filters and weights.

Source: the Gateway API's definition of HTTPRoute, v1.6.1. Newer kinds of filters than those of that version are left to the API server, and so is what
has another structure.
"""

from __future__ import annotations

import re
import typing as t

from .._limits.choices import find_choice_errors
from .._limits.fields import Fields, items_of
from .._limits.http import find_path_errors
from .._limits.kubernetes import HIGHEST_PORT, HIGHEST_WEIGHT, MOST_BACKENDS, MOST_RULES, find_count_errors, find_number_errors

_METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH")
_MATCH_TYPES = ("Exact", "RegularExpression")
_PATH_TYPES = ("PathPrefix", "Exact", "RegularExpression")
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+\-.^_`|~]{1,256}")
_DURATION = re.compile(r"([0-9]{1,5}(h|m|s|ms)){1,4}")
_REDIRECT_CODES = (301, 302, 303, 307, 308)
_SCHEMES = ("http", "https")
# The field of each kind of filter.
_FILTERS = {
    "RequestHeaderModifier": "requestHeaderModifier",
    "ResponseHeaderModifier": "responseHeaderModifier",
    "RequestMirror": "requestMirror",
    "RequestRedirect": "requestRedirect",
    "URLRewrite": "urlRewrite",
    "ExtensionRef": "extensionRef",
    "CORS": "cors",
    "ExternalAuth": "externalAuth",
}
_REPEATED = ("RequestMirror", "ExtensionRef")
_PATH_FIELDS = {"ReplaceFullPath": "replaceFullPath", "ReplacePrefixMatch": "replacePrefixMatch"}


def find_rule_errors(place: str, rules: t.Any) -> t.Iterator[str]:
    """The validation errors of C(spec.rules).

    Args:
        place: how messages name it.
        rules: what is written there.
    """
    yield from find_count_errors(place, rules if isinstance(rules, list) else (), MOST_RULES, "move some to a second route")
    for where, rule in items_of(place, rules):
        for at, match in items_of(f"{where}.matches", rule.get("matches")):
            yield from _find_match_errors(at, match)
        yield from _find_filter_errors(where, rule)
        yield from find_count_errors(f"{where}.backendRefs", _listed(rule.get("backendRefs")), MOST_BACKENDS, "use fewer Services")
        for at, backend in items_of(f"{where}.backendRefs", rule.get("backendRefs")):
            yield from find_number_errors(f"{at}.", backend, {"port": (1, HIGHEST_PORT), "weight": (0, HIGHEST_WEIGHT)})
        for name, duration in sorted((rule["timeouts"] if isinstance(rule.get("timeouts"), dict) else {}).items(), key=str):
            if name in ("request", "backendRequest") and not _DURATION.fullmatch(str(duration)):
                yield f"{where}.timeouts.{name} is {duration!r}: use a duration such as 10s or 1m30s."


def _find_match_errors(place: str, match: Fields) -> t.Iterator[str]:
    path = match.get("path")
    if isinstance(path, dict):
        yield from find_choice_errors(f"{place}.path.type", path.get("type"), _PATH_TYPES)
        yield from find_path_errors(f"{place}.path.value", str(path.get("value", "/")), str(path.get("type", "PathPrefix")))
    yield from find_choice_errors(f"{place}.method", match.get("method"), _METHODS)
    for name in ("headers", "queryParams"):
        for at, one in items_of(f"{place}.{name}", match.get(name)):
            yield from find_choice_errors(f"{at}.type", one.get("type"), _MATCH_TYPES)
            yield from _find_named_errors(at, one)


def _find_filter_errors(place: str, rule: Fields) -> t.Iterator[str]:
    filters = list(items_of(f"{place}.filters", rule.get("filters")))
    kinds = [str(one.get("type")) for _at, one in filters]
    for kind in sorted({kind for kind in kinds if kinds.count(kind) > 1 and kind in _FILTERS and kind not in _REPEATED}):
        yield f"{place}.filters has {kind} more than once: combine these filters into one."
    if "RequestRedirect" in kinds and "URLRewrite" in kinds:
        yield f"{place}.filters has both RequestRedirect and URLRewrite, which exclude each other: remove one of them."
    if "RequestRedirect" in kinds and rule.get("backendRefs"):
        yield f"{place} has backendRefs and the filter RequestRedirect, which answers by itself: remove one of the two."
    for at, one in filters:
        yield from _find_kind_errors(at, one)
        for name in ("requestHeaderModifier", "responseHeaderModifier"):
            for action in ("set", "add") if isinstance(one.get(name), dict) else ():
                for where, header in items_of(f"{at}.{name}.{action}", one[name].get(action)):
                    yield from _find_named_errors(where, header)
        for name in ("requestRedirect", "urlRewrite"):
            if isinstance(one.get(name), dict):
                yield from _find_replacement_errors(f"{at}.{name}", one[name], rule)


def _find_kind_errors(place: str, one: Fields) -> t.Iterator[str]:
    """A filter has a kind, and the field of that kind alone."""
    kind = one.get("type")
    yield from find_choice_errors(f"{place}.type", kind, tuple(_FILTERS), required=True)
    if not isinstance(kind, str) or kind not in _FILTERS:
        return
    if _FILTERS[kind] not in one:
        yield f"{place} is of type {kind}, but has no {_FILTERS[kind]}: add it."
    for other, field in _FILTERS.items():
        if other != kind and field in one:
            yield f"{place} is of type {kind}, but has {field}: remove it, or set type to {other}."


def _find_replacement_errors(place: str, replacement: Fields, rule: Fields) -> t.Iterator[str]:
    """What a redirect or a rewrite changes."""
    yield from find_choice_errors(f"{place}.scheme", replacement.get("scheme"), _SCHEMES)
    code = replacement.get("statusCode")
    if code is not None and code not in _REDIRECT_CODES:
        yield f"{place}.statusCode is {code}: use {', '.join(map(str, _REDIRECT_CODES[:-1]))} or {_REDIRECT_CODES[-1]}."
    yield from find_number_errors(f"{place}.", replacement, {"port": (1, HIGHEST_PORT)})
    path = replacement.get("path")
    if not isinstance(path, dict):
        return
    kind = path.get("type")
    yield from find_choice_errors(f"{place}.path.type", kind, tuple(_PATH_FIELDS), required=True)
    if isinstance(kind, str) and kind in _PATH_FIELDS and _PATH_FIELDS[kind] not in path:
        yield f"{place}.path is of type {kind}, but has no {_PATH_FIELDS[kind]}: add it."
    matches = [match.get("path") for _at, match in items_of("", rule.get("matches"))]
    if kind == "ReplacePrefixMatch" and (len(matches) > 1 or any(isinstance(one, dict) and one.get("type", "PathPrefix") != "PathPrefix" for one in matches)):
        yield f"{place}.path replaces the prefix that matches, so the rule must have exactly one match, of the type PathPrefix: split the rule."


def _find_named_errors(place: str, one: Fields) -> t.Iterator[str]:
    """The name and the value of a header or a parameter."""
    name, value = one.get("name"), one.get("value")
    if not isinstance(name, str) or not _HEADER_NAME.fullmatch(name):
        yield f"{place}.name is {name!r}: use 1 to 256 letters, digits and signs, without a blank or a colon." if name else f"{place} has no name: add it."
    if not isinstance(value, str) or not value:
        yield f"{place}.value is not a text: write one, in quotes if need be." if value else f"{place} has no value: add it."


def _listed(value: t.Any) -> t.Sequence[t.Any]:
    return value if isinstance(value, list) else ()


__all__ = ("find_rule_errors",)
