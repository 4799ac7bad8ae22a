# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Waits by watching until nothing is left: of objects that are deleted, or of objects that still use another."""

from __future__ import annotations

import typing as t

from .._k8s.session import ApiSession, Object
from .._k8s.watch import Streams, Trouble
from .._kinds import Kind
from .object_cache import ObjectCache, scopes_of, trim
from .wait import FINAL_READ_SECONDS

Clock = t.Callable[[], float]


def wait_until_none_left(
    session: ApiSession,
    places: t.Iterable[tuple[Kind, str | None]],
    left: t.Callable[[ObjectCache], list[str]],
    *,
    timeout: float,
    clock: Clock,
    trim: t.Callable[[Object], Object] = trim,
) -> list[str]:
    """Wait until nothing is left; returns what is left when the time is up, or which kinds could not be read.

    Args:
        session: the API server to watch.
        places: the kinds to watch, each with a namespace or None for all.
        left: names what is left; a kind that is not served has no objects.
        timeout: seconds.
        clock: a monotonic clock in seconds.
        trim: makes objects smaller before they are kept.
    """
    scopes = scopes_of(places)
    if not scopes:
        return []
    cache = ObjectCache()
    deadline = clock() + timeout
    final_read = deadline - FINAL_READ_SECONDS
    with Streams(session, scopes, trim=trim, clock=clock) as streams:
        while True:
            now = clock()
            for event in streams.next_events((final_read if now < final_read else deadline) - now):
                if isinstance(event, Trouble) and event.final:
                    raise event.error
                cache.apply_event(event)
            unread = [scope.kind.plural for scope in scopes if not cache.known(scope.kind)]
            remaining = [f"{plural} (not read yet)" for plural in unread] if unread else left(cache)
            if not remaining or clock() >= deadline:
                return remaining
            if now < final_read <= clock():
                # A stream that has been silent may have lost its connection.
                for scope in scopes:
                    if streams.heard(scope) < final_read - FINAL_READ_SECONDS:
                        streams.renew(scope)


def wait_until_deleted(session: ApiSession, kind: Kind, keys: t.Collection[tuple[str, str]], *, timeout: float, clock: Clock) -> list[str]:
    """Wait until none of these objects, each a namespace and a name, exists; returns those that still do when the time is up."""

    def left(cache: ObjectCache) -> list[str]:
        return sorted(f"{namespace}/{name}" for namespace, name in keys if cache.get(kind, name, namespace))

    return wait_until_none_left(session, [(kind, namespace or None) for namespace, _name in keys], left, timeout=timeout, clock=clock)


__all__ = ("wait_until_deleted", "wait_until_none_left")
