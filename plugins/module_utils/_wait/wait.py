# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Waits by watching: evaluates what each event has changed, and stops as soon as the wait is over."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from .._errors import Unreachable
from .._k8s.session import ApiSession
from .._k8s.watch import Scope, Streams, Trouble
from .._kinds import Kind
from .._status.probes import Probe, judge_probe, note_on_probe
from .._status.rules import needs_of, probes_of
from .._status.target import Target
from .._status.verdict import Verdict
from .causes import with_causes
from .object_cache import scopes_of, trim
from .verdicts import Verdicts

# How long to wait for the first answer of an unreachable server: it may be restarting, but a wrong address never answers.
FIRST_ANSWER_SECONDS = 15.0
# A verdict counts only when its streams have been heard within this time; a stream that was silent for longer is read again first.
TRUST_SECONDS = 10.0
# How long before the deadline silent streams are read again, so that the answer arrives in time.
FINAL_READ_SECONDS = 5.0
# How long to pause before an endpoint that did not answer is probed again, and how long its answer may take (connect, read).
PROBE_PAUSE = 1.0
PROBE_TIMEOUT = (2.0, 5.0)

Clock = t.Callable[[], float]
Report = t.Callable[[float, t.Sequence[t.Tuple[Target, Verdict]], int, int], None]


@dataclass(frozen=True)
class Outcome:
    """How a wait ended.

    Attributes:
        verdicts: the verdict on each target, in their order.
        elapsed: how long it took, in seconds.
        held: with a wait that ended before all targets had been Current for long enough, for how many seconds they had been; else None.
    """

    verdicts: tuple[tuple[Target, Verdict], ...]
    elapsed: float
    held: float | None = None

    @property
    def current(self) -> bool:
        return self.held is None and all(verdict.current for _target, verdict in self.verdicts)

    @property
    def laggards(self) -> list[tuple[Target, Verdict]]:
        return [(target, verdict) for target, verdict in self.verdicts if not verdict.current]


def wait_until_current(
    session: ApiSession,
    targets: t.Sequence[Target],
    *,
    timeout: float,
    clock: Clock,
    stable_for: float = 0.0,
    fail_fast: bool = True,
    report: Report | None = None,
) -> Outcome:
    """Wait until all targets are Current, one has failed for good, or the time is up.

    Args:
        session: the API server to watch.
        targets: what to wait for.
        timeout: seconds; 0 judges the current state.
        clock: a monotonic clock in seconds.
        stable_for: for how many seconds without a break all targets must have been Current.
        fail_fast: end the wait when one target can never become Current.
        report: called when verdicts have changed, with the elapsed seconds, these targets and their verdicts, and how many of how many are Current.

    Raises:
        ApiError: the API server refuses a read, or has never answered.
    """
    return _Wait(session, targets, timeout, clock, stable_for, fail_fast, report).run()


class _Wait:
    """One wait: its verdicts, since when all of them are Current, and when what is read or probed."""

    def __init__(
        self,
        session: ApiSession,
        targets: t.Sequence[Target],
        timeout: float,
        clock: Clock,
        stable_for: float,
        fail_fast: bool,
        report: Report | None,
    ) -> None:
        self._session = session
        self._clock = clock
        self._started = clock()
        self._deadline = self._started + timeout
        self._stable_for = stable_for
        self._fail_fast = fail_fast
        self._report_to = report
        self._scopes = scopes_of(need for target in targets for need in needs_of(target))
        self._verdicts = Verdicts(targets, self._scopes)
        self._streams = Streams(session, self._scopes, trim=trim, clock=clock)
        self._renewed: dict[Scope, float] = {}
        self._current_since: float | None = None
        self._held = False
        self._unanswered: dict[Target, Verdict] = {}
        self._notes: dict[Target, str] = {}
        self._probe_again = self._started

    def run(self) -> Outcome:
        with self._streams:
            while not self._over():
                for event in self._streams.next_events(self._next_moment() - self._clock()):
                    if isinstance(event, Trouble) and event.final:
                        raise event.error
                    self._verdicts.apply_event(event)
            self._verdicts.judge()
            if not self._held and not self._verdicts.current:
                # As long as some targets are not Current, the endpoints of the others have not been probed.
                self._probe_all()
            unheard = {} if self._clock() < self._deadline else self._unheard()
            verdicts = tuple((target, self._final_verdict(target, verdict, unheard)) for target, verdict in self._verdicts.pairs())
        ended = self._clock()
        held = None if self._held or not self._stable_for or self._current_since is None else ended - self._current_since
        outcome = Outcome(verdicts, ended - self._started, held)
        if outcome.current or unheard:
            # Reading causes from a server that does not answer would only take the wait beyond its deadline.
            return outcome
        return replace(outcome, verdicts=with_causes(self._session, verdicts, self._verdicts.cache))

    # when the wait is over

    def _over(self) -> bool:
        """Whether the wait is over."""
        now = self._clock()
        if not self._verdicts.complete:
            self._raise_if_never_answered(now)
            self._reread_before_deadline(now)
            return now >= self._end_of_reading()
        self._report(self._verdicts.judge(), now)
        if self._fail_fast and self._verdicts.failed_for_good:
            return True
        if not (self._verdicts.current and self._all_answer(now)):
            self._current_since = None
        elif self._current_since is None:
            self._current_since = now
        if self._current_since is not None and now >= self._current_since + self._stable_for and self._heard_since(self._trusted_since(now), now):
            self._held = True
            return True
        self._reread_before_deadline(now)
        # Probes take time.
        return self._clock() >= self._deadline

    def _report(self, changed: t.Sequence[tuple[Target, Verdict]], now: float) -> None:
        if changed and self._report_to:
            current = sum(verdict.current and target not in self._unanswered for target, verdict in self._verdicts.pairs())
            self._report_to(now - self._started, changed, current, len(self._verdicts.targets))

    def _next_moment(self) -> float:
        """When there is something to do, if no event arrives before."""
        now = self._clock()
        if not self._verdicts.complete:
            ends = [self._end_of_reading(), self._deadline - FINAL_READ_SECONDS]
            return min((moment for moment in ends if moment > now), default=now)
        moments = [self._deadline, self._deadline - FINAL_READ_SECONDS]
        if self._current_since is not None:
            moments.append(self._current_since + self._stable_for)
        if self._unanswered:
            moments.append(self._probe_again)
        return min((moment for moment in moments if moment > now), default=now)

    # whether the streams can be trusted

    def _end_of_reading(self) -> float:
        """Until when to wait for the first read: beyond the deadline only for a server that has not answered at all."""
        troubles = self._verdicts.cache.troubles
        unanswered = [scope for scope in self._scopes if not self._verdicts.cache.known(scope.kind) and not getattr(troubles.get(scope.kind), "status", 0)]
        return max(self._deadline, self._started + FIRST_ANSWER_SECONDS) if unanswered else self._deadline

    def _reread_before_deadline(self, now: float) -> None:
        if now >= self._deadline - FINAL_READ_SECONDS:
            self._heard_since(now - TRUST_SECONDS + FINAL_READ_SECONDS, now)

    def _trusted_since(self, now: float) -> float:
        """Since when every stream must have been heard before all targets count as Current: to be stable means to be Current at the end, too."""
        lately = now - TRUST_SECONDS
        return max(lately, self._current_since + self._stable_for) if self._stable_for and self._current_since is not None else lately

    def _heard_since(self, moment: float, now: float) -> bool:
        """Whether all streams work and have been heard since a moment; those that have been silent are read again."""
        silent = [scope for scope in self._scopes if self._streams.heard(scope) < moment]
        for scope in silent:
            if self._renewed.get(scope, self._started - TRUST_SECONDS) < moment:
                self._renewed[scope] = now
                self._streams.renew(scope)
        return not silent and not self._verdicts.cache.troubles

    def _unheard(self) -> dict[Kind, float]:
        """The kinds whose streams have been silent for too long, even after they were read again, each with the seconds."""
        now = self._clock()
        silence = {scope.kind: now - self._streams.heard(scope) for scope in self._scopes if self._verdicts.cache.has(scope.kind)}
        return {kind: seconds for kind, seconds in silence.items() if seconds > TRUST_SECONDS}

    def _raise_if_never_answered(self, now: float) -> None:
        cache = self._verdicts.cache
        if now - self._started >= FIRST_ANSWER_SECONDS and not any(cache.has(scope.kind) for scope in self._scopes):
            for error in cache.troubles.values():
                if isinstance(error, Unreachable):
                    raise error

    # whether the endpoints answer

    def _all_answer(self, now: float) -> bool:
        """Whether the endpoints of the targets answer; probed when everything else is Current, and again after a pause."""
        if self._current_since is not None and now < self._current_since + self._stable_for:
            return True
        if self._unanswered and now < self._probe_again:
            return False
        before = self._unanswered
        self._probe_all()
        self._report([(target, verdict) for target, verdict in self._unanswered.items() if target not in before], now)
        self._probe_again = self._clock() + PROBE_PAUSE
        return not self._unanswered

    def _probe_all(self) -> None:
        """Probe the endpoints of all targets that are Current by what has been read."""
        self._unanswered, self._notes = {}, {}
        for target, verdict in self._verdicts.pairs():
            for probe in probes_of(target, self._verdicts.cache) if verdict.current else ():
                self._probe(target, probe)

    def _probe(self, target: Target, probe: Probe) -> None:
        if self._unanswered and self._clock() >= self._deadline:
            verdict: Verdict | None = Verdict("Unknown", "NotAsked", f"there was no time left to probe {probe.title}", "Allow more time.")
        else:
            status, text = self._session.probe(probe.path, PROBE_TIMEOUT)
            verdict = judge_probe(probe, status, text)
            note = note_on_probe(probe, status, text)
            if note:
                self._notes[target] = note
        if verdict:
            self._unanswered.setdefault(target, verdict)

    # the final verdict

    def _final_verdict(self, target: Target, verdict: Verdict, unheard: t.Mapping[Kind, float]) -> Verdict:
        """The verdict to return: Unknown when the last one may be outdated."""
        if verdict.status == "Unknown":
            return verdict
        silent = next((kind for kind, _namespace in needs_of(target) if kind in unheard), None)
        if silent is None and verdict.current and target in self._notes:
            verdict = replace(verdict, message=f"{verdict.message} ({self._notes[target]})")
        if silent is None:
            return self._unanswered.get(target, verdict) if verdict.current else verdict
        error = self._verdicts.cache.troubles.get(silent)
        last = f"{verdict.status} ({verdict.reason})" if verdict.reason else verdict.status
        message = f"the watch of {silent.plural} has been silent for {unheard[silent]:.0f} s, so the last verdict, {last}, may be outdated"
        message = f"{message}: {error.message}" if error else message
        return Verdict("Unknown", "Unreadable", message, "Verify that the API server answers, and that proxies on the way to it allow watches.")


__all__ = ("FINAL_READ_SECONDS", "TRUST_SECONDS", "Outcome", "Report", "wait_until_current")
