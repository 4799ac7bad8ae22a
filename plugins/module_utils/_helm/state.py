# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Reads what a cluster has of Helm releases, each namespace once."""

from __future__ import annotations

import os
import typing as t

from .. import _kinds
from .._errors import ApiError, MeshError, NotServed
from .._kinds import CONFIG_MAP, CUSTOM_RESOURCE_DEFINITION, SECRET, Kind
from .objects import ObjectRef, objects_of
from .records import CurrentState, UnreadableRecord, decode, parse_records, selector
from .spec import Release

if t.TYPE_CHECKING:
    from .._k8s.session import ApiSession, Object

# Namespace and name of a release.
Key = t.Tuple[str, str]

# The kinds for which no discovery is needed.
_KNOWN = {(kind.api_version, kind.name): kind for kind in vars(_kinds).values() if isinstance(kind, Kind)}
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
    releases = parse_records(records)
    keys = [release.key for release in desired if release.key in releases and releases[release.key].status == "deployed"]
    return CurrentState(releases, definitions, _find_missing(session, {key: _objects_of(releases[key].newest, key[0]) for key in keys}))


def _objects_of(record: t.Mapping[str, t.Any], namespace: str) -> list[ObjectRef]:
    """The objects of a release; none if its record cannot be read, which is another difference."""
    try:
        return objects_of(str(decode(record).get("manifest") or ""), namespace)
    except (UnreadableRecord, ValueError):
        return []


def _find_missing(session: ApiSession, expected: t.Mapping[Key, t.Sequence[ObjectRef]]) -> dict[Key, tuple[str, ...]]:
    """What is missing of releases, by titles. Each kind is listed once in each namespace, and those that this user may not list are left out."""
    present: dict[tuple[Kind, str | None], set[str] | None] = {}
    kinds: dict[tuple[str, str], Kind | None] = {}
    missing: dict[Key, list[str]] = {}
    for key, refs in expected.items():
        for ref in refs:
            kind = kinds.setdefault((ref.api_version, ref.kind), _KNOWN.get((ref.api_version, ref.kind)) or _kind_of(session, ref))
            place = (kind, ref.namespace if kind and kind.namespaced else None)
            if kind is not None and place not in present:
                present[t.cast("t.Tuple[Kind, t.Optional[str]]", place)] = _names(session, kind, place[1])
            names = present.get(t.cast("t.Tuple[Kind, t.Optional[str]]", place)) if kind else set()
            if names is not None and ref.name not in names:
                missing.setdefault(key, []).append(f"{ref.kind} {f'{place[1]}/' if place[1] else ''}{ref.name}")
    return {key: tuple(titles) for key, titles in missing.items()}


def _kind_of(session: ApiSession, ref: ObjectRef) -> Kind | None:
    """The kind of an object; None if the cluster does not serve it, and so has no such object."""
    try:
        return session.find_kind(ref.api_version, ref.kind)
    except NotServed:
        return None


def _names(session: ApiSession, kind: Kind, namespace: str | None) -> set[str] | None:
    """The names of all objects of a kind; None if this user may not list them."""
    try:
        return {item["metadata"]["name"] for item in session.list(kind, namespace, metadata_only=True).items}
    except NotServed:
        return set()
    except ApiError as error:
        if error.cause == "rbac":
            return None
        raise


__all__ = ("read_current", "record_kind")
