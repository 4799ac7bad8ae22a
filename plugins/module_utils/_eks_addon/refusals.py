# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Refuses changes to add-ons."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from .plan import AddonChange
    from .spec import AddonSpec


def find_refusals(changes: t.Iterable[AddonChange], specs: t.Iterable[AddonSpec]) -> list[str]:
    """Why the changes must not be made on this cluster; one sentence each."""
    namespaces = {spec.name: spec.namespace for spec in specs if spec.present}
    return [
        f"Add-on {change.name} is in namespace {change.current.namespace}, and EKS cannot move it to {namespaces[change.name]}: delete it first "
        "(state absent), or correct its namespace."
        for change in changes
        if change.current is not None
        and change.action in ("updated", "unchanged")
        and namespaces.get(change.name)
        and change.current.namespace
        and change.current.namespace != namespaces[change.name]
    ]


__all__ = ("find_refusals",)
