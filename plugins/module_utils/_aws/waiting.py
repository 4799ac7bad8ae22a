# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.

"""Waits for AWS, which has no watch: looks again after pauses that grow, as botocore's waiters do with even ones."""

from __future__ import annotations

import time
import typing as t
from dataclasses import dataclass

from .errors import AwsError

# The first pause in seconds, and by how much each is longer than the one before.
FIRST_PAUSE = 0.5
GROWTH = 1.6


@dataclass(frozen=True)
class Look:
    """What was seen.

    Attributes:
        done: whether there is nothing more to wait for, well or not.
        state: in a word or a sentence; each other one is told once.
        value: what the caller wants back.
    """

    done: bool
    state: str
    value: t.Any = None


def wait_until(
    look: t.Callable[[], Look],
    *,
    timeout: float,
    every: float = 15.0,
    tell: t.Callable[[float, str], None] | None = None,
    clock: t.Callable[[], float] = time.monotonic,
    pause: t.Callable[[float], None] = time.sleep,
) -> Look:
    """Look until it is done or the time is up, and return the last look: the caller judges whether it is done.

    Args:
        look: asks AWS once.
        timeout: seconds; 0 looks once.
        every: the longest pause between two looks, in seconds.
        tell: is called with the elapsed seconds and the state, when the state is another than before.
        clock: a monotonic clock in seconds.
        pause: waits for so many seconds.

    Raises:
        AwsError: as look does. What may pass by itself (nothing answers, throttling) is raised only when the time is up.
    """
    started = clock()
    deadline = started + timeout
    length = FIRST_PAUSE
    told = None
    while True:
        seen: Look | None = None
        try:
            seen = look()
        except AwsError as error:
            if not error.transient or clock() >= deadline:
                raise
        now = clock()
        if seen is not None:
            if tell and seen.state != told:
                told = seen.state
                tell(now - started, seen.state)
            if seen.done or now >= deadline:
                return seen
        # The last look is at the deadline, not some time before it.
        pause(max(0.0, min(length, every, deadline - now)))
        length *= GROWTH


__all__ = ("FIRST_PAUSE", "GROWTH", "Look", "wait_until")
