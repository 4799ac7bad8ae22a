# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.
"""Is an object on the server as an applied manifest wants it? In the terms of server-side apply: what is said must be there, and what was ours goes."""

from __future__ import annotations

import json
import typing as t

from .._k8s.managed_fields import FIELD_MANAGER
from .._mesh.labels import Object
from .._mesh.parameters import flatten

Map = t.Mapping[str, t.Any]


def is_as_wanted(seen: Object, wanted: Map) -> bool:
    """Whether applying this manifest would change nothing."""
    return _holds(seen, wanted) and not any(_leaves(fields, wanted) for fields in applied_fields(seen))


def is_ours(seen: Object) -> bool:
    """Whether the collection has applied this object."""
    return any(True for _fields in applied_fields(seen))


def applied_fields(seen: Object) -> t.Iterator[Map]:
    """The fields that the collection has applied, as managedFields have them."""
    for entry in seen["metadata"].get("managedFields") or ():
        if entry.get("manager") == FIELD_MANAGER and entry.get("operation") == "Apply":
            yield entry.get("fieldsV1") or {}


def applied_at(seen: Object) -> str:
    """When the collection has last changed this object, by the API server's clock (RFC 3339, in UTC); empty when it has not."""
    entries = seen["metadata"].get("managedFields") or ()
    return max((str(entry.get("time") or "") for entry in entries if entry.get("manager") == FIELD_MANAGER and entry.get("operation") == "Apply"), default="")


def told(manifest: Map | None) -> dict[str, t.Any]:
    """What a manifest decides, one line for each value, for diffs."""
    if not manifest:
        return {}
    metadata = {name: manifest["metadata"][name] for name in ("labels", "annotations") if manifest["metadata"].get(name)}
    return flatten({**{name: value for name, value in manifest.items() if name not in ("apiVersion", "kind", "metadata", "status")}, "metadata": metadata})


def told_of(seen: Object | None, wanted: Map) -> dict[str, t.Any]:
    """What an object has of the fields that the manifest decides, or that were ours."""
    if seen is None:
        return {}
    wished = told(wanted)
    there = told(seen)
    ours = list(applied_fields(seen))
    return {line: value for line, value in there.items() if line in wished or any(_owned(fields, line) for fields in ours)}


def _holds(seen: t.Any, wanted: t.Any) -> bool:
    """Whether all that is wanted is there; lists are as long as wanted, and their items in order."""
    if isinstance(wanted, dict):
        # Not said, and said to be empty, are the same to the API server.
        return all(_holds(seen.get(name), value) for name, value in wanted.items()) if isinstance(seen, dict) else not wanted and seen is None
    if isinstance(wanted, (list, tuple)):
        if not wanted and seen is None:
            return True
        return isinstance(seen, list) and len(seen) == len(wanted) and all(_holds(seen[place], item) for place, item in enumerate(wanted))
    if wanted == "" and seen is None:
        return True
    return bool(seen == wanted)


def _leaves(fields: Map, wanted: t.Any) -> bool:
    """Whether a field that is ours is not wanted any more."""
    for key, below in fields.items():
        if key == "." or key.startswith("v:"):
            continue
        if key.startswith("f:"):
            name = key[2:]
            if not isinstance(wanted, dict) or name not in wanted:
                return True
            if below and _leaves(below, wanted[name]):
                return True
        elif key.startswith("k:"):
            keys = json.loads(key[2:])
            item = next((item for item in wanted if _has(item, keys)), None) if isinstance(wanted, list) else None
            if item is None or _leaves(below, item):
                return True
    return False


def _has(item: t.Any, keys: Map) -> bool:
    # A key that is not said has the API's default, and is then a key all the same.
    return isinstance(item, dict) and all(item.get(name) == value for name, value in keys.items() if name in item) and any(name in item for name in keys)


def _owned(fields: Map, line: str) -> bool:
    """Whether the first steps of a line are ours; names with dots are looked for as they are."""
    for key, below in fields.items():
        name = key[2:] if key.startswith("f:") else ""
        if name and (line == name or line.startswith((f"{name}.", f"{name}["))):
            rest = line[len(name) :].lstrip(".")
            return not rest or not below or rest.startswith("[") or _owned(below, rest)
    return False


__all__ = ("applied_at", "applied_fields", "is_as_wanted", "is_ours", "told", "told_of")
