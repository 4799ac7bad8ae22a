# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Reads what a cluster has of a bundle of the Gateway API."""

from __future__ import annotations

import typing as t

from .._kinds import BY_NAME, CUSTOM_RESOURCE_DEFINITION
from .plan import BundleState, applied_guards

if t.TYPE_CHECKING:
    from .._k8s.session import ApiSession
    from .spec import Bundle


def read_state(session: ApiSession, bundle: Bundle, *, upgrade: bool) -> BundleState:
    """One list of all definitions' metadata, and one request for each part of the bundle's admission policy, unless it is left out."""
    definitions = {item["metadata"]["name"]: item for item in session.list(CUSTOM_RESOURCE_DEFINITION, metadata_only=True).items}
    keys = [(guard["kind"], guard["metadata"]["name"]) for guard in applied_guards(bundle, definitions, upgrade=upgrade)]
    guards = {(kind, name): session.get(BY_NAME[kind], name) for kind, name in keys}
    return BundleState(definitions, {key: current for key, current in guards.items() if current is not None})


__all__ = ("read_state",)
