# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Reads the root namespace of a mesh, which verdicts on policies depend on."""

from __future__ import annotations

import typing as t

from .._errors import ApiError
from .._kinds import CONFIG_MAP
from .._mesh.mesh_settings import SETTINGS_SELECTOR, find_root_namespaces

if t.TYPE_CHECKING:
    from .._k8s.session import ApiSession


def read_root_namespace(session: ApiSession) -> str:
    """The namespace whose policies apply to the whole mesh; empty if istiod's settings cannot be read, or if there are several meshes."""
    try:
        found = find_root_namespaces(session.list(CONFIG_MAP, label_selector=SETTINGS_SELECTOR, persist=False).items)
    except ApiError:
        return ""
    return found.pop() if len(found) == 1 else ""


__all__ = ("read_root_namespace",)
