# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Reads what a cluster has of Helm releases, each namespace once."""

from __future__ import annotations

import os
import typing as t

from .._errors import MeshError
from .._kinds import CONFIG_MAP, CUSTOM_RESOURCE_DEFINITION, SECRET, Kind
from .records import CurrentState, parse_records, selector
from .spec import Release

if t.TYPE_CHECKING:
    from .._k8s.session import ApiSession, Object

_DRIVERS = {"": SECRET, "secret": SECRET, "secrets": SECRET, "configmap": CONFIG_MAP, "configmaps": CONFIG_MAP}


def record_kind() -> Kind:
    """The kind of object in which Helm keeps its records here, by the environment variable E(HELM_DRIVER).

    Raises:
        MeshError: it keeps them outside of the cluster, or nowhere.
    """
    driver = os.environ.get("HELM_DRIVER", "").lower()
    if driver not in _DRIVERS:
        raise MeshError(
            f"The environment variable HELM_DRIVER is {driver}, and the records that Helm keeps there cannot be read: set it to secret or configmap."
        )
    return _DRIVERS[driver]


def read_current(session: ApiSession, desired: t.Sequence[Release]) -> CurrentState:
    """Read the records of releases, and the definitions of the cluster when a release includes its own."""
    kind = record_kind()
    records: list[Object] = []
    for namespace in sorted({release.namespace for release in desired}):
        label_selector = selector(release.name for release in desired if release.namespace == namespace)
        records += session.list(kind, namespace, label_selector=label_selector).items
    definitions: dict[str, Object] = {}
    if any(release.definitions for release in desired):
        definitions = {item["metadata"]["name"]: item for item in session.list(CUSTOM_RESOURCE_DEFINITION).items}
    return CurrentState(parse_records(records), definitions)


__all__ = ("read_current", "record_kind")
