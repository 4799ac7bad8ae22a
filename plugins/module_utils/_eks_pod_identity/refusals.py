# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Refuses changes to associations."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from .plan import AssociationChange


def find_refusals(changes: t.Iterable[AssociationChange]) -> list[str]:
    """Why the changes must not be made on this cluster; one sentence each."""
    return [
        f"The association of service account {change.ref} belongs to the add-on {change.current.owner}: change it there (pod_identity_associations of "
        "meshwright.ambient.eks_addon), or remove it from this task."
        for change in changes
        if change.changed and change.current is not None and change.current.owner
    ]


__all__ = ("find_refusals",)
