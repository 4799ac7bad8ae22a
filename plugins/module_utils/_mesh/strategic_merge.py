# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Strategic merge as istiod applies overlays: maps are merged, some lists by a key of their items, and everything else is replaced.

Source: k8s.io/apimachinery strategicpatch with the patchMergeKey tags of k8s.io/api (core/v1, apps/v1, autoscaling/v2, policy/v1).
"""

from __future__ import annotations

import typing as t

Path = t.Tuple[str, ...]
Map = t.Mapping[str, t.Any]

# The key by which a list is merged, by the list's name; for names that mean something else in other places, by the whole path.
_MERGE_KEYS = {
    "containers": "name",
    "env": "name",
    "ephemeralContainers": "name",
    "hostAliases": "ip",
    "initContainers": "name",
    "schedulingGates": "name",
    "topologySpreadConstraints": "topologyKey",
    "volumeDevices": "devicePath",
    "volumeMounts": "mountPath",
    "volumes": "name",
}
_MERGE_KEYS_BY_PATH: t.Mapping[Path, str] = {
    ("secrets",): "name",
    ("spec", "ports"): "port",
    ("spec", "template", "spec", "imagePullSecrets"): "name",
    ("spec", "template", "spec", "resourceClaims"): "name",
}
_DELETE_PRIMITIVES = "$deleteFromPrimitiveList/"
_ELEMENT_ORDER = "$setElementOrder/"


class OverlayError(ValueError):
    """A patch that strategic merge cannot apply; its message says where and why."""


def merge_key(path: Path) -> str | None:
    """The key by which the list at a path is merged; None for a list that is replaced as a whole."""
    if path[-1] == "ports" and len(path) > 2 and path[-3].lower().endswith("containers"):
        return "containerPort"
    return _MERGE_KEYS_BY_PATH.get(path) or _MERGE_KEYS.get(path[-1])


def merge(base: Map, patch: Map, path: Path = ()) -> dict[str, t.Any]:
    """The base with a patch applied.

    Raises:
        OverlayError: an item of a list that is merged by a key lacks that key, or a directive is unknown.
    """
    directive = patch.get("$patch", "merge")
    if directive not in ("merge", "replace", "delete"):
        raise OverlayError(f"{_place(path)}: $patch is {directive!r}; it must be merge, replace or delete")
    if directive == "delete":
        return {}
    result = {} if directive == "replace" else dict(base)
    if "$retainKeys" in patch:
        result = {name: value for name, value in result.items() if name in patch["$retainKeys"]}
    for key, value in patch.items():
        # YAML makes another type of some keys, such as on.
        name = str(key)
        if name.startswith(_DELETE_PRIMITIVES):
            name = name[len(_DELETE_PRIMITIVES) :]
            result[name] = [item for item in result.get(name) or () if item not in value]
        elif name in ("$patch", "$retainKeys") or name.startswith(_ELEMENT_ORDER):
            continue
        elif value is None:
            result.pop(name, None)
        elif isinstance(value, dict):
            below = result.get(name)
            result[name] = merge(below if isinstance(below, dict) else {}, value, (*path, name))
        elif isinstance(value, list) and merge_key((*path, name)):
            result[name] = _merge_list(result.get(name) or [], value, (*path, name))
        else:
            result[name] = value
    return result


def combine(first: Map, second: Map, path: Path = ()) -> dict[str, t.Any]:
    """Two patches as one, in which the second takes precedence; unlike C(merge), it keeps directives and nulls.

    Raises:
        OverlayError: as C(merge).
    """
    if "$patch" in second:
        return dict(second)
    result = dict(first)
    for name, value in second.items():
        before = result.get(name)
        if isinstance(value, dict) and isinstance(before, dict):
            result[name] = combine(before, value, (*path, name))
        elif isinstance(value, list) and isinstance(before, list) and merge_key((*path, name)):
            result[name] = _merge_list(before, value, (*path, name), keep=True)
        else:
            result[name] = value
    return result


def _merge_list(base: t.Sequence[t.Any], patch: t.Sequence[t.Any], path: Path, *, keep: bool = False) -> list[t.Any]:
    key = merge_key(path) or ""
    replaces = any(isinstance(item, dict) and item.get("$patch") == "replace" and key not in item for item in patch)
    if replaces:
        return list(patch) if keep else [item for item in patch if not (item.get("$patch") == "replace" and key not in item)]
    result = list(base)
    for item in patch:
        if not isinstance(item, dict) or key not in item:
            raise OverlayError(f"{_place(path)}: each item needs {key}, by which the list is merged")
        places = [place for place, known in enumerate(result) if isinstance(known, dict) and known.get(key) == item[key]]
        if item.get("$patch") == "delete" and not keep:
            result = [known for place, known in enumerate(result) if place not in places]
        elif places:
            join = combine if keep else merge
            result[places[0]] = join(result[places[0]], item, (*path, str(item[key])))
        else:
            result.append(dict(item) if keep else merge({}, item, (*path, str(item[key]))))
    return result


def _place(path: Path) -> str:
    return ".".join(path) or "the overlay"


__all__ = ("OverlayError", "combine", "merge", "merge_key")
