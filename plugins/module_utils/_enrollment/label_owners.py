# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Who has set a label: the API server records it for every field, in an object's managedFields.

Source: Kubernetes' documentation of server-side apply, and structured-merge-diff's FieldsV1.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._mesh.labels import MANAGED_ANNOTATIONS, MANAGED_LABELS, Object

# Where the labels and annotations of an object are: in its own metadata, or in that of its pod template.
OWN: tuple[str, ...] = ()
TEMPLATE = ("spec", "template")


@dataclass(frozen=True)
class Owner:
    """One field manager of a field.

    Attributes:
        manager: its name, such as C(argocd-controller) or C(kubectl-label).
        applies: whether it declares the field by server-side apply, and so intends to keep it.
    """

    manager: str
    applies: bool


def owners_of(item: Object, name: str, place: tuple[str, ...] = OWN, *, but: str) -> list[Owner]:
    """The field managers of one managed label or annotation, other than our own; those that apply come first.

    Args:
        item: the object, with its managedFields.
        name: the label or annotation.
        place: C(OWN) or C(TEMPLATE).
        but: the name of our own field manager.
    """
    found = set()
    for entry in item["metadata"].get("managedFields") or ():
        if entry.get("manager") != but and name in _fields(entry, name, place):
            found.add(Owner(str(entry.get("manager", "")), entry.get("operation") == "Apply"))
    return sorted(found, key=lambda owner: (not owner.applies, owner.manager))


def trim_owners(item: Object, place: tuple[str, ...] = OWN) -> list[dict[str, t.Any]]:
    """The managedFields, reduced to what this collection manages: they are the larger part of many objects."""
    kept = []
    for entry in item["metadata"].get("managedFields") or ():
        fields: dict[str, t.Any] = {}
        for name in (*MANAGED_LABELS, *MANAGED_ANNOTATIONS):
            if name in _fields(entry, name, place):
                fields.setdefault(_part(name), {})[f"f:{name}"] = {}
        if fields:
            tree: dict[str, t.Any] = {"f:metadata": fields}
            for step in reversed(place):
                tree = {f"f:{step}": tree}
            kept.append({"manager": entry.get("manager"), "operation": entry.get("operation"), "fieldsV1": tree})
    return kept


def _fields(entry: t.Mapping[str, t.Any], name: str, place: tuple[str, ...]) -> set[str]:
    """The labels (or annotations) that an entry of managedFields is about."""
    below = entry.get("fieldsV1") or {}
    for step in (*place, "metadata"):
        below = below.get(f"f:{step}") or {}
    return {field[2:] for field in below.get(_part(name)) or {} if field.startswith("f:")}


def _part(name: str) -> str:
    return "f:annotations" if name in MANAGED_ANNOTATIONS else "f:labels"


__all__ = ("OWN", "TEMPLATE", "Owner", "owners_of", "trim_owners")
