"""Compares what ready reported with what the journal shows.

Nothing here depends on how fast the machine is as far as revisions can tell: a wait reads the cluster at the earliest as it was when the wait was
called, and at the latest as it was when it had returned. Only inside a longer wait a clock decides how old a state may be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.soak.journal import Journal
from tests.soak.truth import Goal, Truth, truth_of

# An event may be on its way to ready for so long, in seconds, before a verdict must know of it.
DELIVERY = 0.5
# An object that has been Current for so many seconds must have been noticed.
GRACE = 3.0
# A break of what had to be stable that is shorter than this may go by in one batch of events.
BLINK = 0.1


@dataclass(frozen=True)
class Reported:
    """What a wait reported on one target."""

    goal: Goal
    status: str
    reason: str = ""
    message: str = ""
    final: bool = False


@dataclass(frozen=True)
class Wait:
    """One wait that has ended.

    Attributes:
        number: which wait of the soak.
        way: V(engine) in this process, or V(module) as a process.
        timeout: its option, and so are stable_for and fail_fast.
        reported: the verdicts.
        current: whether the wait as a whole succeeded.
        judged: between which two times the verdicts were given, by the journal's clock.
        elapsed: how many seconds it says that it took.
        before: a revision that was there before the wait was called.
        after: one that was there after it had returned.
    """

    number: int
    way: str
    timeout: float
    reported: tuple[Reported, ...]
    current: bool
    judged: tuple[float, float]
    elapsed: float
    before: int
    after: int
    stable_for: float = 0.0
    fail_fast: bool = True

    def __str__(self) -> str:
        options = f"timeout {self.timeout:g}" + (f", stable_for {self.stable_for:g}" if self.stable_for else "") + ("" if self.fail_fast else ", no fail_fast")
        return (
            f"wait {self.number} ({self.way}, {options}, {len(self.reported)} targets) {'succeeded' if self.current else 'gave up'} after {self.elapsed:.2f} s"
        )


@dataclass(frozen=True)
class Disagreement:
    """ready reported one thing, the journal shows another."""

    what: str
    goal: Goal
    wait: Wait
    verdict: str
    shown: tuple[str, ...]


@dataclass(frozen=True)
class Stretch:
    """What was true of a target from one moment on, until the next stretch."""

    revision: int
    seen: float
    truth: Truth


@dataclass
class Checker:
    """Judges waits by a journal that has caught up with them.

    Attributes:
        journal: what happened.
        delivery: how long an event may be on its way to ready, in seconds.
        grace: for how long an object must have been Current to have been noticed, in seconds.
        faulty: whether something between ready and the server breaks things, so that ready may say that it does not know.
        blinks: how many breaks of what had to be stable were too short to count.
    """

    journal: Journal
    delivery: float = DELIVERY
    grace: float = GRACE
    faulty: bool = False
    blinks: int = field(default=0)

    def check(self, wait: Wait) -> list[Disagreement]:
        """Every verdict of the wait that is wrong."""
        found = [item for reported in wait.reported for item in self._check_one(wait, reported)]
        if wait.current:
            found += self._check_stable(wait)
        return found + self._check_in_time(wait)

    def stretches(self, goal: Goal, since: int, until: int) -> list[Stretch]:
        """What was true of a target from one revision to another, without repetitions."""
        found: list[Stretch] = []
        for moment in self.journal.moments(goal.reads, since, until):
            truth = truth_of(goal, moment)
            if not found or found[-1].truth != truth:
                found.append(Stretch(moment.revision, moment.seen, truth))
        return found

    def _check_one(self, wait: Wait, reported: Reported) -> list[Disagreement]:
        # At the earliest what was so when the wait began, and in a longer wait what was so a moment ago.
        recent = self.stretches(reported.goal, self._since(wait, self.delivery), wait.after)
        if reported.status == "Current":
            if not any(stretch.truth.current for stretch in recent):
                return [_disagree("false Current", wait, reported, recent)]
            return []
        long = self.stretches(reported.goal, self._since(wait, self.grace), wait.after)
        if reported.status == "Unknown":
            return [] if self.faulty else [_disagree("no verdict", wait, reported, recent)]
        if all(stretch.truth.current for stretch in long):
            return [_disagree("missed Current", wait, reported, long)]
        if reported.status in ("NotFound", "Terminating") and not any(stretch.truth.status == reported.status for stretch in recent):
            return [_disagree(f"false {reported.status}", wait, reported, recent)]
        return []

    def _check_stable(self, wait: Wait) -> list[Disagreement]:
        """A wait with stable_for must not have succeeded across a break of one of its targets."""
        if not wait.stable_for:
            return []
        # Of a module's process it is known only roughly when it judged: this lies within what it had to see, whenever that was.
        begin, end = wait.judged[1] - wait.stable_for + self.delivery, wait.judged[0] - self.delivery
        found = []
        for reported in wait.reported:
            stretches = self.stretches(reported.goal, max(wait.before, self.journal.revision_at(begin)), wait.after)
            for stretch, following in zip(stretches, [*stretches[1:], None], strict=True):
                ended = following.seen if following else end
                length = min(ended, end) - max(stretch.seen, begin)
                if stretch.truth.current or length <= 0:
                    continue
                if ended - stretch.seen < BLINK:
                    self.blinks += 1
                    continue
                found.append(_disagree("not stable", wait, reported, stretches))
                break
        return found

    def _check_in_time(self, wait: Wait) -> list[Disagreement]:
        """A wait must not go on when all its targets have been Current for longer than is asked for."""
        needed = self.grace + wait.stable_for
        if wait.elapsed <= needed:
            return []
        since = self.journal.revision_at(wait.judged[0] - needed)
        all_stretches = [(reported, self.stretches(reported.goal, since, wait.after)) for reported in wait.reported]
        if any(not stretch.truth.current for _message, stretches in all_stretches for stretch in stretches):
            return []
        # Given up with a verdict that is wrong, it has been reported already.
        if not wait.current and any(reported.status != "Current" for reported in wait.reported):
            return []
        return [_disagree("seen too late", wait, *all_stretches[0])]

    def _since(self, wait: Wait, seconds: float) -> int:
        return max(wait.before, self.journal.revision_at(wait.judged[0] - seconds))


def check_final(wait: Wait, later: dict[Goal, Truth], touched: Sequence[str]) -> list[Disagreement]:
    """Verdicts that waiting cannot help, of targets that are Current now although nobody has changed anything in their namespaces since."""
    return [
        Disagreement("false final verdict", reported.goal, wait, _format_verdict(reported), ("it became Current with nobody's help",))
        for reported in wait.reported
        if reported.final and reported.goal in later and later[reported.goal].current and reported.goal.namespace not in touched
    ]


def _disagree(what: str, wait: Wait, reported: Reported, stretches: Sequence[Stretch]) -> Disagreement:
    shown = tuple(
        f"revision {stretch.revision}, {f'{stretch.seen - wait.judged[0]:+.3f} s' if stretch.seen else 'from the beginning'}: "
        f"{stretch.truth.status}{': ' + stretch.truth.why if stretch.truth.why else ''}"
        for stretch in stretches[-8:]
    )
    return Disagreement(what, reported.goal, wait, _format_verdict(reported), shown)


def _format_verdict(reported: Reported) -> str:
    return f"{reported.status}{' (' + reported.reason + ')' if reported.reason else ''}{', final' if reported.final else ''}: {reported.message}"
