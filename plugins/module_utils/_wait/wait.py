# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.

"""Waits by watching: judges what has changed on each event, and stops the moment waiting is over."""

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
from .seen import scopes_of, trim
from .verdicts import Verdicts

# How long the first answer of an unreachable server is waited for: it may be restarting, but a wrong address never answers.
FIRST_ANSWER_SECONDS = 15.0
# A verdict is given on what the server has spoken of within this time; a stream that was silent for longer is read anew before.
TRUST_SECONDS = 10.0
# How long before the deadline silent streams are read anew, so that the answer is there in time.
LAST_LOOK_SECONDS = 5.0
# How often an endpoint that did not answer is asked again, and how long its answer may take.
PROBE_PAUSE = 1.0
PROBE_TIMEOUT = (2.0, 5.0)

Clock = t.Callable[[], float]
Tell = t.Callable[[float, t.Sequence[t.Tuple[Target, Verdict]], int, int], None]


@dataclass(frozen=True)
class Outcome:
    """How a wait ended.

    Attributes:
        verdicts: the verdict on each target, in their order.
        elapsed: how long it took, in seconds.
        held: for how many seconds all targets had been Current when the wait ended without having seen it hold for long enough; else None.
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
    tell: Tell | None = None,
) -> Outcome:
    """Wait until all targets are Current, one has failed for good, or the time is up.

    Args:
        session: where to look.
        targets: what to wait for.
        timeout: seconds; 0 judges what is there now.
        clock: a monotonic clock in seconds.
        stable_for: for how many seconds without a break all targets must have been Current.
        fail_fast: end the wait when one target can never become Current.
        tell: is called when targets have changed, with the elapsed seconds, these targets and their verdicts, and how many of how many are Current.

    Raises:
        ApiError: the API server refuses to be read, or has not answered once.
    """
    return _Wait(session, targets, timeout, clock, stable_for, fail_fast, tell).run()


class _Wait:
    """One wait: what is seen, since when all is well, and what is asked when."""

    def __init__(
        self,
        session: ApiSession,
        targets: t.Sequence[Target],
        timeout: float,
        clock: Clock,
        stable_for: float,
        fail_fast: bool,
        tell: Tell | None,
    ) -> None:
        self._session = session
        self._clock = clock
        self._started = clock()
        self._deadline = self._started + timeout
        self._stable_for = stable_for
        self._fail_fast = fail_fast
        self._tell = tell
        self._scopes = scopes_of(need for target in targets for need in needs_of(target))
        self._board = Verdicts(targets, self._scopes)
        self._streams = Streams(session, self._scopes, trim=trim, clock=clock)
        self._renewed: dict[Scope, float] = {}
        self._well_since: float | None = None
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
                    self._board.take(event)
            self._board.judge()
            if not self._held and not self._board.current:
                # Others are late, so that those that are Current have not been asked.
                self._ask_all()
            unheard = {} if self._clock() < self._deadline else self._unheard()
            verdicts = tuple((target, self._last_word(target, verdict, unheard)) for target, verdict in self._board.pairs())
        ended = self._clock()
        held = None if self._held or not self._stable_for or self._well_since is None else ended - self._well_since
        outcome = Outcome(verdicts, ended - self._started, held)
        if outcome.current or unheard:
            # Asking a server that does not answer would only go on beyond the deadline.
            return outcome
        return replace(outcome, verdicts=with_causes(self._session, verdicts, self._board.seen))

    # when to stop

    def _over(self) -> bool:
        """Whether there is nothing more to wait for."""
        now = self._clock()
        if not self._board.complete:
            self._raise_if_never_answered(now)
            self._look_before_the_end(now)
            return now >= self._end_of_reading()
        self._tell_of(self._board.judge(), now)
        if self._fail_fast and self._board.failed_for_good:
            return True
        if not (self._board.current and self._answers(now)):
            self._well_since = None
        elif self._well_since is None:
            self._well_since = now
        if self._well_since is not None and now >= self._well_since + self._stable_for and self._heard_since(self._trusted_since(now), now):
            self._held = True
            return True
        self._look_before_the_end(now)
        # Asking endpoints takes time.
        return self._clock() >= self._deadline

    def _tell_of(self, changed: t.Sequence[tuple[Target, Verdict]], now: float) -> None:
        if changed and self._tell:
            current = sum(verdict.current and target not in self._unanswered for target, verdict in self._board.pairs())
            self._tell(now - self._started, changed, current, len(self._board.targets))

    def _next_moment(self) -> float:
        """When there is something to do, if no event comes before."""
        now = self._clock()
        if not self._board.complete:
            ends = [self._end_of_reading(), self._deadline - LAST_LOOK_SECONDS]
            return min((moment for moment in ends if moment > now), default=now)
        moments = [self._deadline, self._deadline - LAST_LOOK_SECONDS]
        if self._well_since is not None:
            moments.append(self._well_since + self._stable_for)
        if self._unanswered:
            moments.append(self._probe_again)
        return min((moment for moment in moments if moment > now), default=now)

    # what is heard of

    def _end_of_reading(self) -> float:
        """Until when what has not been read is waited for: a server that has answered, if only that it is busy, gets no time of its own."""
        troubles = self._board.seen.troubles
        unanswered = [scope for scope in self._scopes if not self._board.seen.known(scope.kind) and not getattr(troubles.get(scope.kind), "status", 0)]
        return max(self._deadline, self._started + FIRST_ANSWER_SECONDS) if unanswered else self._deadline

    def _look_before_the_end(self, now: float) -> None:
        if now >= self._deadline - LAST_LOOK_SECONDS:
            self._heard_since(now - TRUST_SECONDS + LAST_LOOK_SECONDS, now)

    def _trusted_since(self, now: float) -> float:
        """Since when every stream must have spoken before all may be called Current: to hold for a while means to be well at its end."""
        lately = now - TRUST_SECONDS
        return max(lately, self._well_since + self._stable_for) if self._stable_for and self._well_since is not None else lately

    def _heard_since(self, moment: float, now: float) -> bool:
        """Whether all streams work and have spoken since a moment; those that have been silent are read anew."""
        silent = [scope for scope in self._scopes if self._streams.heard(scope) < moment]
        for scope in silent:
            if self._renewed.get(scope, self._started - TRUST_SECONDS) < moment:
                self._renewed[scope] = now
                self._streams.renew(scope)
        return not silent and not self._board.seen.troubles

    def _unheard(self) -> dict[Kind, float]:
        """The kinds of which nothing was heard lately, not even when they were read anew, each with the seconds."""
        now = self._clock()
        silence = {scope.kind: now - self._streams.heard(scope) for scope in self._scopes if self._board.seen.has(scope.kind)}
        return {kind: seconds for kind, seconds in silence.items() if seconds > TRUST_SECONDS}

    def _raise_if_never_answered(self, now: float) -> None:
        seen = self._board.seen
        if now - self._started >= FIRST_ANSWER_SECONDS and not any(seen.has(scope.kind) for scope in self._scopes):
            for error in seen.troubles.values():
                if isinstance(error, Unreachable):
                    raise error

    # what answers

    def _answers(self, now: float) -> bool:
        """Whether the endpoints that the targets speak of answer; asked when all else is well, and again after a pause."""
        if self._well_since is not None and now < self._well_since + self._stable_for:
            return True
        if self._unanswered and now < self._probe_again:
            return False
        before = self._unanswered
        self._ask_all()
        self._tell_of([(target, verdict) for target, verdict in self._unanswered.items() if target not in before], now)
        self._probe_again = self._clock() + PROBE_PAUSE
        return not self._unanswered

    def _ask_all(self) -> None:
        """Ask the endpoints of all targets that are Current by what has been read."""
        self._unanswered, self._notes = {}, {}
        for target, verdict in self._board.pairs():
            for probe in probes_of(target, self._board.seen) if verdict.current else ():
                self._ask(target, probe)

    def _ask(self, target: Target, probe: Probe) -> None:
        if self._unanswered and self._clock() >= self._deadline:
            verdict: Verdict | None = Verdict("Unknown", "NotAsked", f"there was no time left to ask {probe.title} whether it answers", "Allow more time.")
        else:
            status, text = self._session.probe(probe.path, PROBE_TIMEOUT)
            verdict = judge_probe(probe, status, text)
            note = note_on_probe(probe, status, text)
            if note:
                self._notes[target] = note
        if verdict:
            self._unanswered.setdefault(target, verdict)

    # the end

    def _last_word(self, target: Target, verdict: Verdict, unheard: t.Mapping[Kind, float]) -> Verdict:
        """The verdict to give: what was seen last is no verdict when it may be wrong by now."""
        if verdict.status == "Unknown":
            return verdict
        quiet = next((kind for kind, _namespace in needs_of(target) if kind in unheard), None)
        if quiet is None and verdict.current and target in self._notes:
            verdict = replace(verdict, message=f"{verdict.message} ({self._notes[target]})")
        if quiet is None:
            return self._unanswered.get(target, verdict) if verdict.current else verdict
        error = self._board.seen.troubles.get(quiet)
        last = f"{verdict.status} ({verdict.reason})" if verdict.reason else verdict.status
        message = f"nothing was heard of {quiet.plural} for {unheard[quiet]:.0f} s, so what was seen last, {last}, may be wrong by now"
        words = f"{message}: {error.message}" if error else message
        return Verdict("Unknown", "Unreadable", words, "See that the API server answers, and that the way to it lets watches through.")


__all__ = ("LAST_LOOK_SECONDS", "TRUST_SECONDS", "Outcome", "Tell", "wait_until_current")
