"""Twins of the tests' own: fresh, beside whatever twin the user has, and gone afterwards."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from twin.commands.environment import exports_of
from twin.kwok.lifecycle import down, up


@contextmanager
def fresh_twin(name: str) -> Iterator[dict[str, str]]:
    """A new twin for a block; yields the environment for programs that are to use it."""
    down(name)
    up(name)
    try:
        yield environment_for(name)
    finally:
        down(name)


def environment_for(name: str) -> dict[str, str]:
    """The process environment with a twin's variables, and the virtual environment's programs first on PATH."""
    environment = {**os.environ, **exports_of(name)}
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environment["PATH"]])
    return environment
