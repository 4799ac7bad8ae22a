# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Objects as they change: one list and one watch per kind and scope, however many objects, on one queue."""

from __future__ import annotations

import queue
import random
import threading
import time
import typing as t
from dataclasses import dataclass

from .._errors import ApiError, NotServed, ResourceExpired
from .._kinds import Kind
from .outside import decode
from .session import ApiSession, Object
from .transport import Response, Timeout, TransportError

# The API server ends a watch after this many seconds; the stream continues from the last version read.
WATCH_SECONDS = 240
# Bookmarks come once a minute (apiserver's storage/cacher); a stream silent for longer has lost its connection.
SILENCE_SECONDS = 75.0
# How long the first word of an answer is waited for: a list of thousands of objects takes a while, opening a watch does not.
LIST_TIMEOUT: Timeout = (5.0, 30.0)
OPEN_TIMEOUT: Timeout = (5.0, 15.0)
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


@dataclass(frozen=True)
class Resumed:
    """A scope that was in trouble is followed again, from where it was left."""

    scope: Scope


Event = t.Union[Listed, Changed, Gone, Trouble, Resumed]


class Streams:
    """Follows scopes, each in a thread of its own, and puts their events on one queue.

    Args:
        session: where to list and watch; it is shared by the threads.
        scopes: what to follow.
        trim: makes an object smaller before it is kept; it must not change its argument's nested values.
        clock: a monotonic clock in seconds.
    """

    def __init__(
        self,
        session: ApiSession,
        scopes: t.Iterable[Scope],
        trim: t.Callable[[Object], Object] = lambda item: item,
        clock: t.Callable[[], float] = time.monotonic,
    ) -> None:
        self._stopping = threading.Event()
        self.events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._streams = {scope: _Stream(session, scope, trim, self.events.put, self._stopping, clock) for scope in scopes}
        self._threads = [threading.Thread(target=stream.follow, name=f"watch {scope.kind.plural}", daemon=True) for scope, stream in self._streams.items()]

    def __enter__(self) -> Streams:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stopping.set()
        for stream in self._streams.values():
            stream.interrupt()

    def next_events(self, timeout: float) -> list[Event]:
        """All events that have come; waits up to timeout seconds for the first. Empty when none came."""
        events: list[Event] = []
        try:
            events.append(self.events.get(timeout=max(timeout, 0.0)))
            while True:
                events.append(self.events.get_nowait())
        except queue.Empty:
            return events

    def heard(self, scope: Scope) -> float:
        """When, by the clock, the server last sent anything about a scope, if only a bookmark; initially, when following began."""
        return self._streams[scope].heard

    def renew(self, scope: Scope) -> None:
        """Drop the scope's connection and list it again: a silent connection may be half-open, and its events lost."""
        self._streams[scope].renew()


class _Stream:
    """One scope's list and watch; each break is repaired by the cheapest means that is still right."""

    def __init__(
        self,
        session: ApiSession,
        scope: Scope,
        trim: t.Callable[[Object], Object],
        put: t.Callable[[Event], None],
        stopping: threading.Event,
        clock: t.Callable[[], float],
    ) -> None:
        self._session = session
        self._scope = scope
        self._trim = trim
        self._put = put
        self._stopping = stopping
        self._clock = clock
        self._response: Response | None = None
        # The version that was read last; empty before the first list, and when the scope must be listed again.
        self._version = ""
        self._outdated = False
        self._in_trouble = False
        self.heard = clock()

    def renew(self) -> None:
        """List anew; called by another thread than the one that follows."""
        self._outdated = True
        self.interrupt()

    def interrupt(self) -> None:
        """Wake the thread that reads from the open watch."""
        response = self._response
        if response is not None:
            response.interrupt()

    def follow(self) -> None:
        """List, then watch, until the streams are left or the server has refused for good."""
        failures = 0
        while not self._stopping.is_set():
            try:
                if not self._version or self._outdated:
                    self._list()
                self._watch()
                failures = 0
                self._stopping.wait(_BETWEEN_WATCHES)
            except ResourceExpired:
                self._version = ""
                self._stopping.wait(_BETWEEN_WATCHES)
            except ApiError as error:
                failures += 1
                trouble = Trouble(self._scope, error)
                self._in_trouble = True
                self._put(trouble)
                if trouble.final:
                    return
                self._stopping.wait(self._pause_after(error, failures))

    def _list(self) -> None:
        self._outdated = False
        # What the session would do about a busy server is done here, where leaving the streams ends it.
        listed = self._session.list(self._scope.kind, self._scope.namespace, trim=self._trim, timeout=LIST_TIMEOUT, persist=False)
        self._version = listed.resource_version
        self._in_trouble = False
        self.heard = self._clock()
        self._put(Listed(self._scope, listed.items))

    def _watch(self) -> None:
        """Follow one watch to its end, whoever ends it; what came whole has been counted, so the next goes on from there.

        Raises:
            ResourceExpired: the server no longer has the version.
            ApiError: the watch could not be opened.
        """
        query = [("resourceVersion", self._version), ("timeoutSeconds", str(WATCH_SECONDS))]
        response = self._session.open_watch(self._scope.kind, self._scope.namespace, query=query, timeout=OPEN_TIMEOUT)
        response.allow_silence(SILENCE_SECONDS)
        self._response = response
        try:
            # Who asked for news, or left, while the watch was being opened had no connection to interrupt.
            if self._stopping.is_set() or self._outdated:
                return
            # An open watch has sent nothing yet: the events that were missed are still to come.
            if self._in_trouble:
                self._in_trouble = False
                self._put(Resumed(self._scope))
            for line in response.lines():
                self.heard = self._clock()
                event = decode(line.decode())
                if event["type"] == "ERROR":
                    # Whatever it is, going on from the same version might meet it again.
                    raise ResourceExpired("The watch cannot continue from its version.", status=410, reason="Expired")
                self._take(event["type"], event["object"])
                if self._stopping.is_set() or self._outdated:
                    return
        except (TransportError, ValueError):
            # A cut connection, or a line cut in two.
            return
        except (KeyError, TypeError):
            # A proxy has inserted a text of its own: which events it dropped is not known.
            self._version = ""
        finally:
            self._response = None
            response.close()

    def _take(self, change: str, item: Object) -> None:
        self._version = item["metadata"]["resourceVersion"]
        if change in ("ADDED", "MODIFIED"):
            self._put(Changed(self._scope, self._trim(item)))
        elif change == "DELETED":
            self._put(Gone(self._scope, self._trim(item)))

    def _pause_after(self, error: ApiError, failures: int) -> float:
        if isinstance(error, NotServed):
            self._version = ""
            return NOT_SERVED_PAUSE
        if error.retry_after is not None:
            return error.retry_after
        # Jitter keeps a fleet of controllers from asking all at once.
        return min(0.1 * 2.0 ** min(failures, 10), LONGEST_BACKOFF) * random.uniform(0.5, 1.0)


__all__ = ("Changed", "Event", "Gone", "Listed", "Resumed", "Scope", "Streams", "Trouble")
