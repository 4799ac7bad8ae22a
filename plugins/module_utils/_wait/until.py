# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.

"""Waits by watching until nothing is left of something: objects that go, users that let go."""

from __future__ import annotations

import typing as t

from .._k8s.session import ApiSession, Object
from .._k8s.watch import Streams, Trouble
from .._kinds import Kind
from .seen import Seen, scopes_of, trim
from .wait import LAST_LOOK_SECONDS

Clock = t.Callable[[], float]


def wait_until_none_left(
    session: ApiSession,
    places: t.Iterable[tuple[Kind, str | None]],
    left: t.Callable[[Seen], list[str]],
    *,
    timeout: float,
    clock: Clock,
    trim: t.Callable[[Object], Object] = trim,
) -> list[str]:
    """Wait until nothing is left; returns what is when the time is up, or that it could not be seen.

    Args:
        session: where to look.
        places: the kinds to follow, each with a namespace or None for all.
        left: what is left by what is seen; a kind that is not served has no objects.
        timeout: seconds.
        clock: a monotonic clock in seconds.
        trim: makes objects smaller before they are kept.
    """
    scopes = scopes_of(places)
    if not scopes:
        return []
    seen = Seen()
    deadline = clock() + timeout
    last_look = deadline - LAST_LOOK_SECONDS
    with Streams(session, scopes, trim=trim, clock=clock) as streams:
        while True:
            now = clock()
            for event in streams.next_events((last_look if now < last_look else deadline) - now):
                if isinstance(event, Trouble) and event.final:
                    raise event.error
                seen.take(event)
            unread = [scope.kind.plural for scope in scopes if not seen.known(scope.kind)]
            remaining = [f"{plural} (not read yet)" for plural in unread] if unread else left(seen)
            if not remaining or clock() >= deadline:
                return remaining
            if now < last_look <= clock():
                # A stream that has been silent may have lost its connection.
                for scope in scopes:
                    if streams.heard(scope) < last_look - LAST_LOOK_SECONDS:
                        streams.renew(scope)


def wait_until_gone(session: ApiSession, kind: Kind, keys: t.Collection[tuple[str, str]], *, timeout: float, clock: Clock) -> list[str]:
    """Wait until none of these objects, each a namespace and a name, is there; returns those that still are when the time is up."""

    def left(seen: Seen) -> list[str]:
        return sorted(f"{namespace}/{name}" for namespace, name in keys if seen.get(kind, name, namespace))

    return wait_until_none_left(session, [(kind, namespace or None) for namespace, _name in keys], left, timeout=timeout, clock=clock)


__all__ = ("wait_until_gone", "wait_until_none_left")
