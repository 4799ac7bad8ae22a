# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.

"""Objects as they change: one list and one watch per kind and scope, however many objects, on one queue."""

from __future__ import annotations

import json
import queue
import random
import threading
import typing as t
from dataclasses import dataclass

from .._errors import ApiError, NotServed, ResourceExpired
from .kinds import Kind
from .session import ApiSession, Object
from .transport import Response, TransportError

# The API server ends a watch after this many seconds; the stream goes on from the last version seen.
WATCH_SECONDS = 240
# Bookmarks come about once a minute; a stream silent for longer has lost its connection.
SILENCE_SECONDS = 90.0
LONGEST_BACKOFF = 5.0
# How often a kind that is not served yet is asked for again.
NOT_SERVED_PAUSE = 1.0
# A server that ends each watch at once must not be asked in a tight loop.
_BETWEEN_WATCHES = 0.05


@dataclass(frozen=True)
class Scope:
    """What one stream follows: a kind, in one namespace or in all of them."""

    kind: Kind
    namespace: str | None = None


@dataclass(frozen=True)
class Listed:
    """The whole content of a scope; it replaces all that was known of it."""

    scope: Scope
    objects: list[Object]


@dataclass(frozen=True)
class Changed:
    """One object was added or changed."""

    scope: Scope
    object: Object


@dataclass(frozen=True)
class Gone:
    """One object was deleted; the object is as it last was."""

    scope: Scope
    object: Object


@dataclass(frozen=True)
class Trouble:
    """A scope cannot be read just now (NotServed, Unreachable) or will never be (401, 403: final)."""

    scope: Scope
    error: ApiError

    @property
    def final(self) -> bool:
        """Whether trying again cannot help."""
        return self.error.status in (400, 401, 403, 405, 406)


Event = t.Union[Listed, Changed, Gone, Trouble]


class Streams:
    """Follows scopes, each in a thread of its own, and puts their events on one queue.

    Args:
        session: where to list and watch; it is shared by the threads.
        scopes: what to follow.
        trim: makes an object smaller before it is kept; it must not change its argument's nested values.
    """

    def __init__(self, session: ApiSession, scopes: t.Iterable[Scope], trim: t.Callable[[Object], Object] = lambda seen: seen) -> None:
        self._session = session
        self._trim = trim
        self._stopping = threading.Event()
        self._open: dict[Scope, Response] = {}
        self.events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._threads = [threading.Thread(target=self._follow, args=(scope,), name=f"watch {scope.kind.plural}", daemon=True) for scope in scopes]

    def __enter__(self) -> Streams:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stopping.set()
        for response in list(self._open.values()):
            response.interrupt()

    def next_events(self, timeout: float) -> list[Event]:
        """All events that have come; waits up to timeout seconds for the first. Empty when none came."""
        events: list[Event] = []
        try:
            events.append(self.events.get(timeout=max(timeout, 0.0)))
            while True:
                events.append(self.events.get_nowait())
        except queue.Empty:
            return events

    def _follow(self, scope: Scope) -> None:
        """List, then watch, for as long as the streams are open; each break is mended by the cheapest means that is still right."""
        version = ""
        failures = 0
        while not self._stopping.is_set():
            try:
                if not version:
                    listed = self._session.list(scope.kind, scope.namespace)
                    version = listed.resource_version
                    self.events.put(Listed(scope, [self._trim(item) for item in listed.items]))
                version = self._watch(scope, version)
                failures = 0
                self._stopping.wait(_BETWEEN_WATCHES)
            except ResourceExpired:
                version = ""
                self._stopping.wait(_BETWEEN_WATCHES)
            except (ApiError, TransportError) as error:
                failures += 1
                if isinstance(error, ApiError):
                    trouble = Trouble(scope, error)
                    self.events.put(trouble)
                    if trouble.final:
                        return
                if isinstance(error, NotServed):
                    version = ""
                    self._stopping.wait(NOT_SERVED_PAUSE)
                else:
                    self._stopping.wait(min(0.1 * 2 ** min(failures, 10), LONGEST_BACKOFF) * random.uniform(0.5, 1.0))

    def _watch(self, scope: Scope, version: str) -> str:
        """Follow one watch to its end; returns the version to go on from.

        Raises:
            ResourceExpired: the server no longer has the version.
            ApiError, TransportError: the watch broke before any event; what was seen since is kept by the caller's version.
        """
        query = [("resourceVersion", version), ("timeoutSeconds", str(WATCH_SECONDS))]
        response = self._session.open_watch(scope.kind, scope.namespace, query=query, timeout=(10.0, SILENCE_SECONDS))
        self._open[scope] = response
        try:
            for line in response.lines():
                event = json.loads(line)
                seen = event["object"]
                if event["type"] == "ERROR":
                    if seen.get("code") == 410:
                        raise ResourceExpired("The watch's version has expired.", status=410, reason="Expired")
                    return version
                version = seen["metadata"]["resourceVersion"]
                if event["type"] in ("ADDED", "MODIFIED"):
                    self.events.put(Changed(scope, self._trim(seen)))
                elif event["type"] == "DELETED":
                    self.events.put(Gone(scope, self._trim(seen)))
        except (TransportError, ValueError):
            # A cut connection, or a line cut in two: all that came whole has been counted, so go on from there.
            if self._stopping.is_set():
                return version
        finally:
            del self._open[scope]
            response.close()
        return version


__all__ = ("Changed", "Event", "Gone", "Listed", "Scope", "Streams", "Trouble")
