# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Names, labels and numbers as the API server takes them: each function yields a sentence for each value that it would refuse.

Sources: Kubernetes' apimachinery (pkg/util/validation) and the definitions of the Gateway API (maxItems, maxProperties).
"""

from __future__ import annotations

import re
import typing as t

from .._text import format_scalar

# The longest value of a label, and the longest name of a Namespace or a Service.
LONGEST_LABEL = 63
# The longest name of any other object.
LONGEST_NAME = 253
# Lists of the Gateway API.
MOST_LISTENERS = 64
MOST_CERTIFICATES = 64
MOST_PARENTS = 32
MOST_HOSTNAMES = 16
MOST_RULES = 16
MOST_BACKENDS = 16
MOST_INFRASTRUCTURE_LABELS = 8
HIGHEST_PORT = 65535
HIGHEST_WEIGHT = 1000000

Limits = t.Mapping[str, t.Tuple[int, int]]

# The operators of a label selector, and whether they have values.
_OPERATORS = {"In": True, "NotIn": True, "Exists": False, "DoesNotExist": False}

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_SUBDOMAIN = re.compile(rf"{_LABEL.pattern}(\.{_LABEL.pattern})*")
_QUALIFIED = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?")
_QUALIFIED_REMEDY = f"use at most {LONGEST_LABEL} letters, digits, dashes, underscores and dots, with a letter or digit at both ends"


def is_label_name(name: t.Any) -> bool:
    """Whether a Namespace or a Service can have this name."""
    return isinstance(name, str) and len(name) <= LONGEST_LABEL and bool(_LABEL.fullmatch(name))


def is_subdomain(name: t.Any) -> bool:
    """Whether another object can have this name."""
    return isinstance(name, str) and len(name) <= LONGEST_NAME and bool(_SUBDOMAIN.fullmatch(name))


def is_label_value(text: str) -> bool:
    """Whether a label, a taint or a term of a selector can have this value."""
    return not text or (len(text) <= LONGEST_LABEL and bool(_QUALIFIED.fullmatch(text)))


def is_label_key(text: str) -> bool:
    """Whether a label, an annotation, a taint or a term of a selector can have this key."""
    prefix, slash, name = text.rpartition("/")
    return bool(name) and is_label_value(name) and (not slash or is_subdomain(prefix))


def find_label_name_errors(option: str, name: t.Any) -> t.Iterator[str]:
    """What keeps a Namespace or a Service from having a name."""
    if not is_label_name(name):
        yield f"{option} is {name!r}: use at most {LONGEST_LABEL} lower-case letters, digits and dashes, with a letter or digit at both ends."


def find_name_errors(option: str, name: t.Any) -> t.Iterator[str]:
    """What keeps any other object from having a name."""
    if not is_subdomain(name):
        yield f"{option} is {name!r}: use at most {LONGEST_NAME} lower-case letters, digits, dashes and dots, with a letter or digit at both ends."


def find_label_errors(option: str, labels: t.Mapping[t.Any, t.Any] | None) -> t.Iterator[str]:
    """Keys and values that labels cannot have; a value that cannot be text is another error."""
    for key, value in sorted((labels or {}).items(), key=lambda item: str(item[0])):
        yield from find_key_errors(option, key)
        if not is_label_value(_text_of(value)):
            yield f"{option} has {key} with the value {_text_of(value)!r}: {_QUALIFIED_REMEDY}."


def find_label_value_errors(option: str, value: t.Any) -> t.Iterator[str]:
    """What keeps a text from being the value of a label or a taint; a value that cannot be text is another error."""
    if not is_label_value(_text_of(value)):
        yield f"{option} is {_text_of(value)!r}: {_QUALIFIED_REMEDY}."


def _text_of(value: t.Any) -> str:
    return "" if value is None or isinstance(value, (dict, list)) else format_scalar(value)


def find_selector_errors(option: str, selector: t.Any) -> t.Iterator[str]:
    """What is wrong with a label selector: the API server drops keys that it does not know, and a selector without conditions selects everything."""
    if not isinstance(selector, dict):
        return
    unknown = sorted(str(key) for key in selector if key not in ("matchLabels", "matchExpressions"))
    if unknown:
        yield f"{option} has the key {', '.join(unknown)}: put labels below matchLabels, as in {{matchLabels: {{team: shop}}}}, or use matchExpressions."
        return
    labels, expressions = selector.get("matchLabels") or {}, selector.get("matchExpressions") or []
    if not isinstance(labels, dict):
        yield f"{option}.matchLabels must be a dictionary of labels."
    elif not isinstance(expressions, list) or not all(isinstance(item, dict) for item in expressions):
        yield f"{option}.matchExpressions must be a list of dictionaries with key, operator and values."
    elif not labels and not expressions:
        yield f"{option} is empty, and would select everything: add matchLabels or matchExpressions."
    else:
        yield from find_label_errors(f"{option}.matchLabels", labels)
        for index, item in enumerate(expressions):
            yield from _find_expression_errors(f"{option}.matchExpressions[{index}]", item)


def _find_expression_errors(place: str, item: t.Mapping[str, t.Any]) -> t.Iterator[str]:
    operator = item.get("operator")
    if not item.get("key") or operator not in _OPERATORS:
        yield f"{place} needs a key, and as its operator one of {', '.join(_OPERATORS)}."
    elif bool(item.get("values")) != _OPERATORS[operator]:
        yield f"{place} has the operator {operator}, which {'needs values' if _OPERATORS[operator] else 'has no values'}."


def find_key_errors(option: str, key: t.Any) -> t.Iterator[str]:
    """What keeps a label, an annotation or a taint from having a key."""
    if not is_label_key(str(key)):
        yield f"{option} has the key {str(key)!r}: {_QUALIFIED_REMEDY}, and before them at most a domain and a slash."


def find_number_errors(place: str, values: t.Mapping[str, t.Any], limits: Limits) -> t.Iterator[str]:
    """Numbers outside of their limits; what is not given or is not a number is left out.

    Args:
        place: what is put in front of the names in messages.
        values: numbers by name.
        limits: the least and the greatest of each.
    """
    for name, (least, most) in limits.items():
        value = values.get(name)
        number = int(value) if isinstance(value, str) and re.fullmatch(r"-?\d+", value) else value
        if isinstance(number, int) and not isinstance(number, bool) and not least <= number <= most:
            yield f"{place}{name} is {number}: use {least} to {most}."


def find_count_errors(option: str, items: t.Sized | None, most: int, remedy: str, *, api: str = "the Gateway API") -> t.Iterator[str]:
    """A sentence if there are more items than an API takes."""
    count = len(items or ())
    if count > most:
        yield f"{option} has {count} entries, and {api} allows {most}: {remedy}."


__all__ = (
    "HIGHEST_PORT",
    "HIGHEST_WEIGHT",
    "LONGEST_LABEL",
    "LONGEST_NAME",
    "MOST_BACKENDS",
    "MOST_CERTIFICATES",
    "MOST_HOSTNAMES",
    "MOST_INFRASTRUCTURE_LABELS",
    "MOST_LISTENERS",
    "MOST_PARENTS",
    "MOST_RULES",
    "find_count_errors",
    "find_key_errors",
    "find_label_errors",
    "find_label_name_errors",
    "find_label_value_errors",
    "find_name_errors",
    "find_number_errors",
    "find_selector_errors",
    "is_label_key",
    "is_label_name",
    "is_label_value",
    "is_subdomain",
)
