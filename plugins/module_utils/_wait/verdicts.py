# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""The verdicts on all targets of a wait, kept up to date with each event."""

from __future__ import annotations

import typing as t

from .._errors import NotServed
from .._k8s.watch import Event, Scope
from .._kinds import Kind
from .._status.rules import needs_of, verdict_on
from .._status.target import Target
from .._status.verdict import Verdict
from .object_cache import ObjectCache, Place, TrackedView


class Verdicts:
    """Judges a target again when something that its judge has read has changed, and only then.

    So the cost of an event does not depend on the number of targets.

    Args:
        targets: the targets to judge.
        scopes: the streams that cover what the targets need.
    """

    def __init__(self, targets: t.Sequence[Target], scopes: t.Iterable[Scope]) -> None:
        self.targets = targets
        self.cache = ObjectCache()
        self._scopes = {scope.kind: scope for scope in scopes}
        self._verdicts: list[Verdict] = [Verdict("Unknown", "NotRead", "nothing has been read yet") for _target in targets]
        self._read_places: list[frozenset[Place]] = [frozenset() for _target in targets]
        self._readers: dict[Place, set[int]] = {}
        self._by_kind: dict[Kind, list[int]] = {}
        for index, target in enumerate(targets):
            for kind in dict.fromkeys(kind for kind, _namespace in needs_of(target)):
                self._by_kind.setdefault(kind, []).append(index)
        self._stale: set[int] = set(range(len(targets)))

    @property
    def complete(self) -> bool:
        """Whether every kind has been read, or is known not to be served."""
        return all(self.cache.known(kind) for kind in self._scopes)

    @property
    def current(self) -> bool:
        return all(verdict.current for verdict in self._verdicts)

    @property
    def failed_for_good(self) -> bool:
        """Whether waiting cannot help any more, because a target has failed for good."""
        return any(verdict.final for verdict in self._verdicts)

    def pairs(self) -> tuple[tuple[Target, Verdict], ...]:
        """Each target with its verdict, in the order of the targets."""
        return tuple((target, self._verdicts[index]) for index, target in enumerate(self.targets))

    def apply_event(self, event: Event) -> None:
        """Apply one event, and mark the targets that it concerns as stale."""
        place = self.cache.apply_event(event)
        if place is None:
            return
        kind, namespace, name = place
        if namespace is None:
            self._stale.update(self._by_kind.get(kind, ()))
            return
        for read_place in ((kind, namespace, name), (kind, namespace, None), (kind, None, None)):
            self._stale.update(self._readers.get(read_place, ()))

    def judge(self) -> list[tuple[Target, Verdict]]:
        """Judge the targets that the events since the last call concern; returns those whose status or reason has changed."""
        changed = []
        for index in sorted(self._stale):
            before, verdict = self._verdicts[index], self._judge(index)
            self._verdicts[index] = verdict
            if (before.status, before.reason) != (verdict.status, verdict.reason):
                changed.append((self.targets[index], verdict))
        self._stale.clear()
        return changed

    def _judge(self, index: int) -> Verdict:
        target = self.targets[index]
        unread = [kind for kind, _namespace in needs_of(target) if not self.cache.has(kind)]
        if unread:
            return self._unread(unread[0])
        view = TrackedView(self.cache)
        verdict = verdict_on(target, view)
        self._record_reads(index, frozenset(view.places))
        return verdict

    def _unread(self, kind: Kind) -> Verdict:
        error = self.cache.troubles.get(kind)
        if isinstance(error, NotServed):
            message, _colon, remedy = error.message.partition(": ")
            return Verdict("NotFound", "KindNotServed", message, remedy[:1].upper() + remedy[1:])
        message = error.message if error else f"{kind.plural} have not been read yet"
        return Verdict("Unknown", "Unreadable", message, "Verify that the API server answers, and allow more time.")

    def _record_reads(self, index: int, places: frozenset[Place]) -> None:
        before = self._read_places[index]
        if places == before:
            return
        for place in before - places:
            self._readers[place].discard(index)
        for place in places - before:
            self._readers.setdefault(place, set()).add(index)
        self._read_places[index] = places


__all__ = ("Verdicts",)
