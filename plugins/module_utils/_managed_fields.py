# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Which fields of an object are ours: what server-side apply has recorded in its managedFields."""

from __future__ import annotations

import typing as t

Object = t.Mapping[str, t.Any]

# The field manager: the name under which the API server records what the collection writes.
FIELD_MANAGER = "meshwright"
MANAGED_BY = "app.kubernetes.io/managed-by"


def owns(item: Object, *path: str, manager: str = FIELD_MANAGER) -> bool:
    """Whether a field manager has applied the field at a path, such as C("spec", "infrastructure", "labels", "team").

    An item of a list is named as managedFields does it, such as C('k:{"name":"mesh"}').
    """
    for entry in item["metadata"].get("managedFields") or ():
        if entry.get("manager") == manager and entry.get("operation") == "Apply" and _holds(entry.get("fieldsV1") or {}, path):
            return True
    return False


def _holds(fields: t.Mapping[str, t.Any], path: t.Sequence[str]) -> bool:
    for name in path:
        key = name if name.startswith("k:") else f"f:{name}"
        if key not in fields:
            return False
        fields = fields[key]
    return True


__all__ = ("FIELD_MANAGER", "MANAGED_BY", "owns")
