# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Reads what a cluster has of Helm releases, each namespace once."""

from __future__ import annotations

import os
import typing as t

from .. import _kinds
from .._errors import ApiError, MeshError, NotServed
from .._k8s.writes import title_of
from .._kinds import CONFIG_MAP, CUSTOM_RESOURCE_DEFINITION, SECRET, Kind
from .objects import ObjectRef, objects_of
from .records import CurrentState, UnreadableRecord, decode, parse_records, selector
from .spec import Release

if t.TYPE_CHECKING:
    from .._k8s.session import ApiSession, Object

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
    presence = _Presence(session)
    deployed = {release.key: releases[release.key].newest for release in desired if release.key in releases and releases[release.key].status == "deployed"}
    return CurrentState(releases, definitions, {key: presence.missing(_objects_of(record, key[0])) for key, record in deployed.items()})


def _objects_of(record: t.Mapping[str, t.Any], namespace: str) -> list[ObjectRef]:
    """The objects of a release; none if its record cannot be read, which is another difference."""
    try:
        return objects_of(str(decode(record).get("manifest") or ""), namespace)
    except (UnreadableRecord, ValueError):
        return []


class _Presence:
    """Which objects a cluster has. Each kind is listed once in each namespace, and only by the names of its objects."""

    def __init__(self, session: ApiSession) -> None:
        self._session = session
        self._kinds: dict[tuple[str, str], Kind | None] = {}
        self._names: dict[tuple[Kind, str | None], set[str] | None] = {}

    def missing(self, refs: t.Iterable[ObjectRef]) -> tuple[str, ...]:
        """The titles of the objects that the cluster does not have; what cannot be known is left out."""
        return tuple(title for ref in refs for title in self._missing_title(ref))

    def _missing_title(self, ref: ObjectRef) -> t.Iterator[str]:
        kind = self._kind(ref)
        if kind is None:
            return
        namespace = ref.namespace if kind.namespaced else None
        if (kind, namespace) not in self._names:
            self._names[kind, namespace] = self._list(kind, namespace)
        names = self._names[kind, namespace]
        if names is not None and ref.name not in names:
            yield title_of(kind, ref.name, namespace)

    def _kind(self, ref: ObjectRef) -> Kind | None:
        """The kind of an object; None if the cluster does not serve it, or not in this version."""
        key = ref.api_version, ref.kind
        if key not in self._kinds:
            try:
                self._kinds[key] = _KNOWN.get(key) or self._session.find_kind(*key)
            except NotServed:
                self._kinds[key] = None
        return self._kinds[key]

    def _list(self, kind: Kind, namespace: str | None) -> set[str] | None:
        """The names of all objects of a kind; None if the cluster does not serve it, or this user may not list it."""
        try:
            return {item["metadata"]["name"] for item in self._session.list(kind, namespace, metadata_only=True).items}
        except NotServed:
            return None
        except ApiError as error:
            if error.cause == "rbac":
                return None
            raise


__all__ = ("read_current", "record_kind")
