# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.
"""Would server-side apply of a manifest change an object? Every field of the manifest must be there, and no other field may be ours."""

from __future__ import annotations

import json
import typing as t

from .._managed_fields import FIELD_MANAGER
from .._mesh.labels import Object
from .._mesh.parameters import flatten

Map = t.Mapping[str, t.Any]


def is_as_desired(current: Object, desired: Map) -> bool:
    """Whether applying this manifest would change nothing."""
    return _holds(current, desired) and not any(_leaves(fields, desired) for fields in applied_fields(current))


def is_ours(current: Object) -> bool:
    """Whether the collection has applied this object."""
    return any(True for _fields in applied_fields(current))


def applied_fields(current: Object) -> t.Iterator[Map]:
    """The fields that the collection has applied, as managedFields have them."""
    for entry in current["metadata"].get("managedFields") or ():
        if entry.get("manager") == FIELD_MANAGER and entry.get("operation") == "Apply":
            yield entry.get("fieldsV1") or {}


def foreign_owners(current: Object, manifest: Map) -> dict[str, list[str]]:
    """The field managers other than ours, each with the fields of the manifest that it owns with another value; those of subresources own none.

    Args:
        current: the object.
        manifest: how it should be; empty if it should be absent.
    """
    desired, found = flatten_manifest(manifest), flatten_manifest(current)
    differing = sorted(line for line, value in desired.items() if line in found and found[line] != value)
    owners: dict[str, list[str]] = {}
    for entry in current["metadata"].get("managedFields") or ():
        if entry.get("manager") and entry["manager"] != FIELD_MANAGER and not entry.get("subresource"):
            fields = entry.get("fieldsV1") or {}
            owned = owners.setdefault(str(entry["manager"]), [])
            owned += [line for line in differing if line not in owned and _owned(fields, line)]
    return owners


def applied_at(current: Object) -> str:
    """When the collection has last changed this object, by the API server's clock (RFC 3339, in UTC); empty when it has not."""
    entries = current["metadata"].get("managedFields") or ()
    return max((str(entry.get("time") or "") for entry in entries if entry.get("manager") == FIELD_MANAGER and entry.get("operation") == "Apply"), default="")


def flatten_manifest(manifest: Map | None) -> dict[str, t.Any]:
    """The values that a manifest decides, one line each, for diffs."""
    if not manifest:
        return {}
    metadata = {name: manifest["metadata"][name] for name in ("labels", "annotations") if manifest["metadata"].get(name)}
    return flatten({**{name: value for name, value in manifest.items() if name not in ("apiVersion", "kind", "metadata", "status")}, "metadata": metadata})


def flatten_current(current: Object | None, desired: Map) -> dict[str, t.Any]:
    """The values of an object's fields that the manifest decides or that are ours."""
    if current is None:
        return {}
    decided = flatten_manifest(desired)
    found = flatten_manifest(current)
    ours = list(applied_fields(current))
    return {line: value for line, value in found.items() if line in decided or any(_owned(fields, line) for fields in ours)}


def _holds(current: t.Any, desired: t.Any) -> bool:
    """Whether everything that is desired is there; lists must be of the same length and order."""
    if isinstance(desired, dict):
        # To the API server, an omitted value and an empty one are the same.
        return all(_holds(current.get(name), value) for name, value in desired.items()) if isinstance(current, dict) else not desired and current is None
    if isinstance(desired, (list, tuple)):
        if not desired and current is None:
            return True
        return isinstance(current, list) and len(current) == len(desired) and all(_holds(current[place], item) for place, item in enumerate(desired))
    if desired == "" and current is None:
        return True
    return bool(current == desired)


def _leaves(fields: Map, desired: t.Any) -> bool:
    """Whether a field that is ours is no longer desired."""
    for key, below in fields.items():
        if key == "." or key.startswith("v:"):
            continue
        if key.startswith("f:"):
            name = key[2:]
            if not isinstance(desired, dict) or name not in desired:
                return True
            if below and _leaves(below, desired[name]):
                return True
        elif key.startswith("k:"):
            keys = json.loads(key[2:])
            item = next((item for item in desired if _has(item, keys)), None) if isinstance(desired, list) else None
            if item is None or _leaves(below, item):
                return True
    return False


def _has(item: t.Any, keys: Map) -> bool:
    # An omitted key has the API's default, and is then a key all the same.
    return isinstance(item, dict) and all(item.get(name) == value for name, value in keys.items() if name in item) and any(name in item for name in keys)


def _owned(fields: Map, line: str) -> bool:
    """Whether the first steps of a line are ours; names with dots are looked for as they are."""
    for key, below in fields.items():
        name = key[2:] if key.startswith("f:") else ""
        if name and (line == name or line.startswith((f"{name}.", f"{name}["))):
            rest = line[len(name) :].lstrip(".")
            return not rest or not below or rest.startswith("[") or _owned(below, rest)
    return False


__all__ = ("applied_at", "applied_fields", "flatten_current", "flatten_manifest", "foreign_owners", "is_as_desired", "is_ours")
