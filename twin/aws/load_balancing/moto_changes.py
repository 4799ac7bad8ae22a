"""How moto is changed, and how long things take in what was changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass
class Durations:
    """Seconds that things take here; in AWS the first is minutes, and the second is what the health check is set to.

    Attributes:
        provisioning: from the creation of a load balancer until it is active.
        first_health_check: from the registration of a target until its health is known.
    """

    provisioning: float = 1.0
    first_health_check: float = 1.0


DURATIONS = Durations()


def wrap(owner: Any, name: str, make: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    """Put what `make` returns, when it is given a method of moto's, in that method's place."""
    setattr(owner, name, make(getattr(owner, name)))
