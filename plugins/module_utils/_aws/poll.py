# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Polls AWS, which has no watch API: the pauses between two polls grow, up to a limit."""

from __future__ import annotations

import time
import typing as t
from dataclasses import dataclass

from .errors import AwsError

# The first pause in seconds, and the factor by which each pause is longer than the one before.
_FIRST_PAUSE = 0.5
_GROWTH = 1.6


@dataclass(frozen=True)
class PollResult:
    """What one poll has found.

    Attributes:
        done: whether there is nothing more to wait for, be it success or failure.
        state: a word or a sentence; it is reported each time it changes.
        value: what the caller wants back.
    """

    done: bool
    state: str
    value: t.Any = None


def wait_until(
    poll: t.Callable[[], PollResult],
    *,
    timeout: float,
    every: float = 15.0,
    report: t.Callable[[float, str], None] | None = None,
    clock: t.Callable[[], float] = time.monotonic,
    pause: t.Callable[[float], None] = time.sleep,
) -> PollResult:
    """Poll until it is done or the time is up, and return the last result; whether that one is done is for the caller to check.

    Args:
        poll: asks AWS once.
        timeout: seconds; 0 polls once.
        every: the longest pause between two polls, in seconds.
        report: is called with the elapsed seconds and the state whenever the state has changed.
        clock: a monotonic clock in seconds.
        pause: sleeps for so many seconds.

    Raises:
        AwsError: as poll raises it. Transient errors (no answer, throttling) are raised only when the time is up.
    """
    started = clock()
    deadline = started + timeout
    length = _FIRST_PAUSE
    reported = None
    while True:
        result: PollResult | None = None
        try:
            result = poll()
        except AwsError as error:
            if not error.transient or clock() >= deadline:
                raise
        now = clock()
        if result is not None:
            if report and result.state != reported:
                reported = result.state
                report(now - started, result.state)
            if result.done or now >= deadline:
                return result
        # The last poll is at the deadline, not some time before it.
        pause(max(0.0, min(length, every, deadline - now)))
        length *= _GROWTH


__all__ = ("PollResult", "wait_until")
