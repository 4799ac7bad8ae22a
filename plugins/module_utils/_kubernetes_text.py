# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Fields of Kubernetes and AWS that hold only text, wherever a user's own structure has them.

YAML reads C(true) and C(1) without quotes as a boolean and a number, but an API server takes only text as the value of a label, and refuses the rest.
"""

from __future__ import annotations

import typing as t

from ._text import format_scalar

# Maps of text to text: in objects of Kubernetes, and as options and variables name them.
_MAPS = ("labels", "annotations", "tags", "nodeSelector", "node_selector", "matchLabels", "attributes")
_ENDS = ("_labels", "_annotations", "_tags", "_attributes")
# A chart, or an add-on of EKS, has a schema of its own, and takes values as the types that were written.
_VALUES = ("values", "configuration_values")
# Requirements of selectors and of nodes, whose values are texts.
_REQUIREMENTS = ("matchExpressions", "matchFields", "requirements")


def is_text_map(name: str, keys: t.Container[str] = ()) -> bool:
    """Whether what has this name, and these keys, is a map of text to text: a C(selector) is one unless it is a LabelSelector."""
    return name in _MAPS or name.endswith(_ENDS) or (name == "selector" and "matchLabels" not in keys and "matchExpressions" not in keys)


def holds_values(name: str) -> bool:
    """Whether what has this name are the values of a chart or an add-on."""
    return name in _VALUES or name.endswith("_values")


def with_text(value: t.Any, name: str = "") -> t.Any:
    """The same structure with its labels, annotations, tags and selectors as text; a null as the value of one is an empty text.

    Args:
        value: any structure.
        name: what it is called, where that says what it is.
    """
    if holds_values(name):
        return value
    if isinstance(value, dict):
        if is_text_map(name, value):
            # A key that YAML reads as a boolean, such as on, is its word, as for kubectl (sigs.k8s.io/yaml, convertToJSONableObject).
            return {format_scalar(key): item if isinstance(item, (dict, list)) else _text(item) for key, item in value.items()}
        return {key: with_text(item, str(key)) for key, item in value.items()}
    if isinstance(value, list):
        if name in _REQUIREMENTS:
            return [_requirement(item) for item in value]
        if name in ("tolerations", "taints", "startupTaints"):
            return [{**item, "value": _text(item["value"])} if isinstance(item, dict) and item.get("value") is not None else item for item in value]
        return [with_text(item) for item in value]
    return value


def without_lists(value: t.Any, name: str = "") -> t.Iterator[str]:
    """The path of each value of a label, annotation, tag or selector that is a list or a dictionary, and cannot be text."""
    if holds_values(name):
        return
    if isinstance(value, dict):
        for key, item in value.items():
            if is_text_map(name, value) and isinstance(item, (dict, list)):
                yield f".{key}"
            else:
                yield from (f".{key}{path}" for path in without_lists(item, str(key)))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from (f"[{index}]{path}" for path in without_lists(item))


def find_text_errors(item: t.Mapping[str, t.Any]) -> t.Iterator[str]:
    """One sentence for each label, annotation, tag or selector of an item that cannot be text."""
    return (f"{path[1:]} is a list or a dictionary, but must be a text: write one, in quotes if need be." for path in without_lists(dict(item)))


def _requirement(item: t.Any) -> t.Any:
    if not isinstance(item, dict) or not isinstance(item.get("values"), list):
        return item
    return {**item, "values": [one if isinstance(one, (dict, list)) else _text(one) for one in item["values"]]}


def _text(value: t.Any) -> str:
    return "" if value is None else format_scalar(value)


__all__ = ("find_text_errors", "holds_values", "is_text_map", "with_text", "without_lists")
