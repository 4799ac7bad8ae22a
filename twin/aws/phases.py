"""How long things stay CREATING, UPDATING and DELETING.

Nothing ticks: what is due is settled when the next request comes. So a length of 0 means that the next request finds
the work done, and a change of the lengths also counts for what is already under way.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

DEFAULT_SECONDS = 0.5


@dataclass
class Lengths:
    """Seconds that each kind (cluster, nodegroup, addon, update, certificate) spends between two states."""

    default: float = DEFAULT_SECONDS
    kinds: dict[str, float] = field(default_factory=dict)

    def of(self, kind: str) -> float:
        return self.kinds.get(kind, self.default)


@dataclass
class Transition:
    """One change of state that is under way."""

    kind: str
    finish: Callable[[BaseException | None], None]
    future: Future[Any] | None = None
    began: float = field(default_factory=time.monotonic)

    def due(self, lengths: Lengths, now: float) -> bool:
        return now >= self.began + lengths.of(self.kind) and (self.future is None or self.future.done())


class Transitions:
    """What is under way in one region."""

    def __init__(self, lengths: Lengths) -> None:
        self.lengths = lengths
        self._under_way: list[Transition] = []

    def begin(self, kind: str, finish: Callable[[BaseException | None], None], future: Future[Any] | None = None) -> None:
        """Note a change; `finish` is called once it is due, with the error of `future` if that failed."""
        self._under_way.append(Transition(kind, finish, future))

    def settle(self) -> None:
        """Finish what is due, in the order in which it began."""
        now = time.monotonic()
        for transition in [each for each in self._under_way if each.due(self.lengths, now)]:
            self._under_way.remove(transition)
            transition.finish(transition.future.exception() if transition.future else None)
