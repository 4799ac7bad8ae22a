"""Waits of tests for what cannot be watched: it is looked at again and again, and a wait that times out names what it was for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

_PAUSE_SECONDS = 0.05


def until(look: Callable[[], Any], what: str, seconds: float = 60.0, *, so: Callable[[Any], object] = bool, context: Callable[[], object] = lambda: "") -> Any:
    """The first look of which something is true.

    Args:
        look: asked until then.
        what: what is waited for, as the failure names it.
        seconds: how long at most.
        so: what must be true of a look; without it, that there is something to see.
        context: what else helps to understand a wait that timed out.
    """
    deadline, pause = time.monotonic() + seconds, threading.Event()
    while not so(seen := look()):
        assert time.monotonic() < deadline, f"gave up waiting for {what} after {seconds:.0f} s; last seen: {seen!r} {context()}".rstrip()
        pause.wait(_PAUSE_SECONDS)
    return seen
