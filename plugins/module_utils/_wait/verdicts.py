# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.

"""The verdicts on all targets of a wait, kept up to date with what is seen."""

from __future__ import annotations

import typing as t

from .._errors import NotServed
from .._k8s.watch import Event, Scope
from .._kinds import Kind
from .._status.rules import needs_of, verdict_on
from .._status.target import Target
from .._status.verdict import Verdict
from .seen import Look, Place, Seen


class Verdicts:
    """Judges each target anew when something that its judge has looked at has changed, and only then.

    So the cost of an event does not depend on how many targets there are.

    Args:
        targets: what is judged.
        scopes: the streams that show what the targets need.
    """

    def __init__(self, targets: t.Sequence[Target], scopes: t.Iterable[Scope]) -> None:
        self.targets = targets
        self.seen = Seen()
        self._scopes = {scope.kind: scope for scope in scopes}
        self._verdicts: list[Verdict] = [Verdict("Unknown", "NotRead", "nothing has been read yet") for _target in targets]
        self._looked_at: list[frozenset[Place]] = [frozenset() for _target in targets]
        self._lookers: dict[Place, set[int]] = {}
        self._by_kind: dict[Kind, list[int]] = {}
        for index, target in enumerate(targets):
            for kind in dict.fromkeys(kind for kind, _namespace in needs_of(target)):
                self._by_kind.setdefault(kind, []).append(index)
        self._stale: set[int] = set(range(len(targets)))

    @property
    def complete(self) -> bool:
        """Whether every kind has been read, or is known not to be served."""
        return all(self.seen.known(kind) for kind in self._scopes)

    @property
    def current(self) -> bool:
        return all(verdict.current for verdict in self._verdicts)

    @property
    def failed_for_good(self) -> bool:
        """Whether waiting cannot help any more."""
        return any(verdict.final for verdict in self._verdicts)

    def pairs(self) -> tuple[tuple[Target, Verdict], ...]:
        """Each target with its verdict, in the order of the targets."""
        return tuple((target, self._verdicts[index]) for index, target in enumerate(self.targets))

    def take(self, event: Event) -> None:
        """Note one event, and whom it concerns."""
        place = self.seen.take(event)
        if place is None:
            return
        kind, namespace, name = place
        if namespace is None:
            self._stale.update(self._by_kind.get(kind, ()))
            return
        for looked_at in ((kind, namespace, name), (kind, namespace, None), (kind, None, None)):
            self._stale.update(self._lookers.get(looked_at, ()))

    def judge(self) -> list[tuple[Target, Verdict]]:
        """Judge whom the events since the last call concern; returns those whose status or reason is another now."""
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
        unread = [kind for kind, _namespace in needs_of(target) if not self.seen.has(kind)]
        if unread:
            return self._unread(unread[0])
        look = Look(self.seen)
        verdict = verdict_on(target, look)
        self._note(index, frozenset(look.places))
        return verdict

    def _unread(self, kind: Kind) -> Verdict:
        error = self.seen.troubles.get(kind)
        if isinstance(error, NotServed):
            message, _colon, remedy = error.message.partition(": ")
            return Verdict("NotFound", "KindNotServed", message, remedy[:1].upper() + remedy[1:])
        message = error.message if error else f"{kind.plural} have not been read yet"
        return Verdict("Unknown", "Unreadable", message, "See that the API server answers, and allow more time.")

    def _note(self, index: int, places: frozenset[Place]) -> None:
        before = self._looked_at[index]
        if places == before:
            return
        for place in before - places:
            self._lookers[place].discard(index)
        for place in places - before:
            self._lookers.setdefault(place, set()).add(index)
        self._looked_at[index] = places


__all__ = ("Verdicts",)
