# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Namespaces that are being deleted: they take nothing new, and their conditions say what holds them.

Source: kubernetes pkg/controller/namespace/deletion/status_condition_utils.go.
"""

from __future__ import annotations

import typing as t

from .._text import format_clauses
from .labels import Object


def is_terminating(namespace: Object | None) -> bool:
    """Whether a Namespace is being deleted."""
    return bool(namespace and namespace["metadata"].get("deletionTimestamp"))


def what_holds(namespace: Object) -> str:
    """What keeps a Namespace that is being deleted from being gone, in the words of its conditions."""
    conditions = (namespace.get("status") or {}).get("conditions") or ()
    true = [condition for condition in conditions if condition.get("status") == "True"]
    # The discovery of an API that does not answer fails first, and everything else waits for it.
    clauses = [f"{condition.get('type')}: {str(condition.get('message', '')).rstrip('.')}" for condition in true]
    return format_clauses(clauses) or "its conditions do not say yet what holds it"


def refuse_terminating(namespace: Object, writes: t.Sequence[str], cluster: str) -> str:
    """Why nothing is written into a Namespace that is being deleted.

    Args:
        namespace: the whole Namespace.
        writes: what was to be written, as messages name it.
        cluster: the cluster, as messages name it.
    """
    metadata = namespace["metadata"]
    name, more = metadata["name"], f" and {len(writes) - 1} more" if len(writes) > 1 else ""
    return (
        f"Namespace {name} of cluster {cluster} is being deleted since {metadata['deletionTimestamp']} and takes nothing new (needed to {writes[0]}{more}): "
        f"wait until it is gone, and create it again. What holds it: {what_holds(namespace)}."
    )


__all__ = ("is_terminating", "refuse_terminating", "what_holds")
