"""Which requests reached the API server, by its own audit log: nobody's word has to be taken for it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from uuid import uuid4

from benchmarks.bare import BareClient

Event = dict[str, Any]


class AuditLog:
    """Reads what was written since a mark."""

    def __init__(self, path: Path, client: BareClient) -> None:
        self._path = path
        self._client = client
        self._start = 0

    def mark(self) -> None:
        """From now on."""
        self._start = self._path.stat().st_size

    def since(self) -> list[Event]:
        """All finished requests since the mark.

        A request of our own with a name that nobody else uses goes last; when it is in the log, everything before it is too.
        """
        last = f"/version?last={uuid4()}"
        self._client.get(last)
        for _try in range(50):
            lines = self._lines()
            if any(last in line for line in lines):
                return [json.loads(line) for line in lines]
        raise TimeoutError("the audit log does not show a request that was answered")

    def _lines(self) -> list[str]:
        with self._path.open() as file:
            file.seek(self._start)
            # A line without an end is still being written.
            return [line for line in file if line.endswith("\n")]


def count(events: Iterable[Event], of: Callable[[Event], bool]) -> dict[str, int]:
    """How many requests there were by verb and resource, such as C(list namespaces)."""
    counted: Counter[str] = Counter()
    for event in filter(of, events):
        where = event.get("objectRef") or {}
        name = "/".join(part for part in (where.get("resource", ""), where.get("subresource", "")) if part)
        counted[f"{event['verb']} {name or event['requestURI'].partition('?')[0]}"] += 1
    return dict(sorted(counted.items()))


def by_agent(prefix: str) -> Callable[[Event], bool]:
    """Chooses the requests of one program."""
    return lambda event: str(event.get("userAgent", "")).startswith(prefix)


def by_impersonated(user: str) -> Callable[[Event], bool]:
    """Chooses the requests that were made as somebody else."""
    return lambda event: (event.get("impersonatedUser") or {}).get("username") == user
