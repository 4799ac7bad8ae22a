"""Objects for tests: recorded ones from fixtures/<kind>/<situation>.yml, and other situations derived from them."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import yaml

Object = dict[str, Any]

_FIXTURES = Path(__file__).resolve().parent / "fixtures"


def recorded(situation: str) -> Object:
    """A recorded object, such as C(gateway/waypoint_programmed)."""
    found: Object = yaml.safe_load((_FIXTURES / f"{situation}.yml").read_text())
    return found


def derived(item: Object, difference: Object) -> Object:
    """The object with a JSON merge patch applied: None takes a key away. The argument is not changed."""
    result = copy.deepcopy(item)
    for key, value in difference.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict):
            below = result.get(key)
            result[key] = derived(below if isinstance(below, dict) else {}, value)
        else:
            result[key] = copy.deepcopy(value)
    return result


def with_condition(item: Object, kind: str, **difference: Any) -> Object:
    """The object with fields of one condition changed."""
    result = copy.deepcopy(item)
    (condition,) = (seen for seen in result["status"]["conditions"] if seen["type"] == kind)
    condition.update(difference)
    return result


def without_condition(item: Object, kind: str) -> Object:
    """The object without one of its conditions."""
    result = copy.deepcopy(item)
    result["status"]["conditions"] = [seen for seen in result["status"]["conditions"] if seen["type"] != kind]
    return result


def named(item: Object, name: str, namespace: str | None = None) -> Object:
    """The object under another name."""
    return derived(item, {"metadata": {"name": name} | ({"namespace": namespace} if namespace else {})})


def namespace_of(name: str, **labels: str) -> Object:
    """A Namespace with the label that every one carries; in label names, give them by C(**{...})."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {"kubernetes.io/metadata.name": name, **labels}}}
