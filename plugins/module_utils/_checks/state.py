# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Reads a cluster for the checks: each kind once, only those that are asked for, and of each object no more than they need."""

from __future__ import annotations

import typing as t
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus

from .._errors import ApiError, NotServed
from .._kinds import CONFIG_MAP, CUSTOM_RESOURCE_DEFINITION, DEPLOYMENT, LEASE, POD, Kind
from .._mesh.mesh_settings import ISTIO_NAMESPACE, SETTINGS_SELECTOR
from .._mesh.revisions import is_istiod
from .cluster import Cluster
from .trim import trim_config_map, trim_definition, trim_object, trim_pod

if t.TYPE_CHECKING:
    from .._k8s.session import ApiSession, Object

# Connections; the answers are parsed one after the other in any case.
READERS = 8
_ROOT_CERTIFICATE = "istio-ca-root-cert"
_TRIMS: t.Mapping[Kind, t.Callable[[Object], Object]] = {POD: trim_pod, CUSTOM_RESOURCE_DEFINITION: trim_definition}
# These are read by selectors and names, once it is known which.
_CHOSEN = (CONFIG_MAP, LEASE)

Report = t.Callable[[Kind, int, int], None]


def read_cluster(session: ApiSession, kinds: t.Collection[Kind], now: float, report: Report = lambda _kind, _done, _all: None) -> Cluster:
    """What the checks need of a cluster; what this user may not read is noted as unread.

    Args:
        session: where to read.
        kinds: what to read.
        now: the time, in seconds since the epoch.
        report: called after each kind, with the kind and how many of how many have been read.

    Raises:
        ApiError: the cluster cannot be reached, or accepts no request of this user.
    """
    objects: dict[Kind, list[Object]] = {}
    unread: dict[Kind, str] = {}

    def read(kind: Kind) -> None:
        trim = _TRIMS.get(kind, trim_object)
        _note(kind, lambda: session.list(kind, trim=trim).items, objects, unread)
        report(kind, len(objects) + len(unread), len(kinds))

    listed = [kind for kind in kinds if kind not in _CHOSEN]
    with ThreadPoolExecutor(max_workers=READERS) as pool:
        # The largest answer first, so that the others arrive while it is being read.
        list(pool.map(read, sorted(listed, key=lambda kind: kind is not POD)))
        homes = sorted({item["metadata"]["namespace"] for item in objects.get(DEPLOYMENT, ()) if is_istiod(item)} or {ISTIO_NAMESPACE})
        if CONFIG_MAP in kinds:
            _note(CONFIG_MAP, lambda: _read_config_maps(session, homes), objects, unread)
        if LEASE in kinds:
            _note(LEASE, lambda: [item for home in homes for item in session.list(LEASE, home, trim=trim_object).items], objects, unread)
        return Cluster(objects, unread=unread, now=now)


def _note(kind: Kind, read: t.Callable[[], list[Object]], objects: dict[Kind, list[Object]], unread: dict[Kind, str]) -> None:
    try:
        objects[kind] = read()
    except NotServed:
        objects[kind] = []
    except ApiError as error:
        if error.status in (0, HTTPStatus.UNAUTHORIZED):
            raise
        why = f"this user may not list {kind.plural} in all namespaces" if error.status == HTTPStatus.FORBIDDEN else error.server_message
        unread[kind] = why


def _read_config_maps(session: ApiSession, homes: t.Iterable[str]) -> list[Object]:
    """Istio's settings, and the root certificate of each istiod: there may be thousands of others, of any size."""
    found = session.list(CONFIG_MAP, label_selector=SETTINGS_SELECTOR, trim=trim_config_map).items
    roots = (session.get(CONFIG_MAP, _ROOT_CERTIFICATE, home) for home in homes)
    return [*found, *(item for item in roots if item)]


__all__ = ("read_cluster",)
