"""Where the twins and accounts of these tests keep their files."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def state(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty state directory, whose path is short: sockets below it may have no more than about 100 characters."""
    with tempfile.TemporaryDirectory(prefix="mw-") as directory:
        monkeypatch.setenv("XDG_STATE_HOME", directory)
        yield Path(directory)
