# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.

"""How a wait is told: as a module's result, as the message of its failure, and line by line while it lasts."""

from __future__ import annotations

import contextlib
import time
import typing as t

from .._progress import lines_to
from .._status.target import Target
from .._status.verdict import Verdict
from .._text import format_clauses
from .wait import Outcome, Tell, wait_until_current

if t.TYPE_CHECKING:
    from .._k8s.session import ApiSession

# How many targets one line of progress names.
_NAMED = 3


def wait_and_tell(
    session: ApiSession, targets: t.Sequence[Target], *, timeout: float, stable_for: float = 0.0, fail_fast: bool = True, progress: str | None = None
) -> dict[str, t.Any]:
    """Wait until all targets are Current, and return what a module returns of it; with C(failed) and C(msg) when they are not.

    Args:
        session: where to look.
        targets: what to wait for.
        timeout: seconds.
        stable_for: for how many seconds all must have held.
        fail_fast: end when one can never become ready.
        progress: a file or named pipe that is told each change; None or empty tells nobody.
    """
    with progress_to(progress) as tell:
        outcome = wait_until_current(session, targets, timeout=timeout, clock=time.monotonic, stable_for=stable_for, fail_fast=fail_fast, tell=tell)
    result = result_of(outcome)
    return result if outcome.current else {**result, "failed": True, "msg": failure_message(outcome, session.cluster, stable_for)}


def result_of(outcome: Outcome) -> dict[str, t.Any]:
    """The verdicts as a module returns them."""
    targets = [
        {
            "kind": target.kind,
            "name": target.name,
            "namespace": target.namespace,
            "status": verdict.status,
            "reason": verdict.reason,
            "message": verdict.message,
            "remedy": verdict.remedy,
            "since": verdict.since,
            "details": dict(verdict.details or {}),
        }
        for target, verdict in outcome.verdicts
    ]
    return {"targets": targets, "elapsed": round(outcome.elapsed, 3)}


def failure_message(outcome: Outcome, cluster: str, stable_for: float = 0.0) -> str:
    """One line for each target that is not ready: what, why, since when, and what to do."""
    laggards = outcome.laggards
    held = outcome.held or 0.0
    if not laggards and held >= stable_for:
        return (
            f"All targets were ready on cluster {cluster} for {held:.1f} s, but at the end the API server did not say whether they still are: "
            "see that it answers, and that the way to it lets watches through."
        )
    if not laggards:
        return (
            f"All targets are ready on cluster {cluster}, but only since {held:.1f} s, not for {stable_for:g} s as they should be: "
            "allow more time, or look for what makes them come and go."
        )
    lines = [f"{len(laggards)} of {len(outcome.verdicts)} targets are not ready on cluster {cluster} after {outcome.elapsed:.0f} s."]
    for target, verdict in laggards:
        since = f", since {verdict.since}" if verdict.since else ""
        ended = " It will not become ready by waiting." if verdict.final else ""
        message = verdict.message.rstrip(". ")
        lines.append(f"- {target}: {verdict.status} ({verdict.reason}{since}): {message}. {verdict.remedy}{ended}".rstrip())
    return "\n".join(lines)


@contextlib.contextmanager
def progress_to(path: str | None) -> t.Iterator[Tell | None]:
    """Tells a wait's changes to a file or named pipe, a line for each time that something has changed; None where nothing can be told."""
    with lines_to(path) as write:
        if write is None:
            yield None
            return

        def tell(elapsed: float, changed: t.Sequence[tuple[Target, Verdict]], current: int, of: int) -> None:
            write(progress_line(elapsed, changed, current, of))

        yield tell


def progress_line(elapsed: float, changed: t.Sequence[tuple[Target, Verdict]], current: int, of: int) -> str:
    """What has changed, in one line: C(12.3 s, 4 of 5 ready: waypoint shop/waypoint is InProgress (LessAvailable): 0 of 1 pods are available)."""
    # What is not ready is told first: it is what is waited for.
    told = sorted(changed, key=lambda pair: pair[1].current)
    words = format_clauses((_named(target, verdict) for target, verdict in told), _NAMED)
    return f"{elapsed:.1f} s, {current} of {of} ready: {words}"


def _named(target: Target, verdict: Verdict) -> str:
    if verdict.current:
        return f"{target} is Current"
    message = verdict.message.partition("\n")[0]
    return f"{target} is {verdict.status} ({verdict.reason}): {message}"


__all__ = ("failure_message", "progress_line", "progress_to", "result_of", "wait_and_tell")
