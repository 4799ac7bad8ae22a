# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Renders the frame of objects that carry labels of their item."""

from __future__ import annotations

import typing as t

from .._managed_fields import FIELD_MANAGER, MANAGED_BY
from .._text import format_scalar
from .spec import Item


def render_object(api_version: str, kind: str, item: Item, spec: dict[str, t.Any]) -> dict[str, t.Any]:
    """An object with the name, the namespace and the labels of an item."""
    labels = {**{key: format_scalar(value) for key, value in sorted((item.get("labels") or {}).items())}, MANAGED_BY: FIELD_MANAGER}
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": item["name"], "namespace": item["namespace"], "labels": labels}, "spec": spec}


__all__ = ("render_object",)
