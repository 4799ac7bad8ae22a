# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""How a wait is reported: as a module's result, as the message of its failure, and line by line while it lasts."""

from __future__ import annotations

import contextlib
import time
import typing as t

from .._progress import lines_to
from .._status.target import Target
from .._status.verdict import Verdict, format_change, format_laggard
from .._text import format_clauses
from .wait import Outcome, Report, wait_until_current

if t.TYPE_CHECKING:
    from .._k8s.session import ApiSession

# How many targets one line of progress names.
_NAMED = 3


def wait_and_report(
    session: ApiSession, targets: t.Sequence[Target], *, timeout: float, stable_for: float = 0.0, fail_fast: bool = True, progress: str | None = None
) -> dict[str, t.Any]:
    """Wait until all targets are Current, and return the result for a module; with C(failed) and C(msg) when they are not.

    Args:
        session: the API server to watch.
        targets: what to wait for.
        timeout: seconds.
        stable_for: for how many seconds all targets must have been Current.
        fail_fast: end the wait when one target can never become Current.
        progress: a file or named pipe that gets a line for each change; None or empty for none.
    """
    with open_report(progress) as report:
        outcome = wait_until_current(session, targets, timeout=timeout, clock=time.monotonic, stable_for=stable_for, fail_fast=fail_fast, report=report)
    result = format_result(outcome)
    return result if outcome.current else {**result, "failed": True, "msg": format_failure(outcome, session.cluster, stable_for)}


def format_result(outcome: Outcome) -> dict[str, t.Any]:
    """The verdicts as a module returns them, with the warnings that Ansible is to show."""
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
    warnings = [f"{target}: {verdict.warning}" for target, verdict in outcome.verdicts if verdict.warning]
    return {"targets": targets, "elapsed": round(outcome.elapsed, 3), **({"warnings": warnings} if warnings else {})}


def format_failure(outcome: Outcome, cluster: str, stable_for: float = 0.0) -> str:
    """One line for each target that is not ready: what, why, since when, and what to do."""
    laggards = outcome.laggards
    held = outcome.held or 0.0
    if not laggards and held >= stable_for:
        return (
            f"All targets were ready on cluster {cluster} for {held:.1f} s, but at the end the API server did not confirm that they still are: "
            "verify that it answers, and that proxies on the way to it allow watches."
        )
    if not laggards:
        return (
            f"All targets are ready on cluster {cluster}, but have been so only for {held:.1f} s instead of {stable_for:g} s: "
            "increase the timeout, or find out why they become ready and unready again."
        )
    lines = [f"{len(laggards)} of {len(outcome.verdicts)} targets are not ready on cluster {cluster} after {outcome.elapsed:.0f} s."]
    return "\n".join([*lines, *(format_laggard(target, verdict) for target, verdict in laggards)])


@contextlib.contextmanager
def open_report(path: str | None) -> t.Iterator[Report | None]:
    """Reports a wait's changes to a file or named pipe, a line for each call; None where nothing can be written."""
    with lines_to(path) as write:
        if write is None:
            yield None
            return

        def report(elapsed: float, changed: t.Sequence[tuple[Target, Verdict]], current: int, of: int) -> None:
            write(format_progress(elapsed, changed, current, of))

        yield report


def format_progress(elapsed: float, changed: t.Sequence[tuple[Target, Verdict]], current: int, of: int) -> str:
    """What has changed, in one line: C(12.3 s, 4 of 5 ready: waypoint shop/waypoint is InProgress (LessAvailable): 0 of 1 pods are available)."""
    # Targets that are not ready come first: they are what the wait is for.
    ordered = sorted(changed, key=lambda pair: pair[1].current)
    return f"{elapsed:.1f} s, {current} of {of} ready: {format_clauses([format_change(*pair) for pair in ordered], _NAMED)}"


__all__ = ("format_failure", "format_progress", "format_result", "open_report", "wait_and_report")
