"""Secrets that a test plants, and a search for them in all that a run says, starts and leaves behind."""

from __future__ import annotations

import base64
import json
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

# A token of the exec credential plugin, whoever made it.
_BEARER = re.compile(rb"k8s-aws-v1\.[A-Za-z0-9_-]{20}|Bearer [A-Za-z0-9_.=-]{20}")
_PRIVATE_KEY = re.compile(
    rb"-----BEGIN [A-Z ]*PRIVATE KEY-----\s*\S|LS0tLS1CRUdJTi[A-Za-z0-9+/]*UFJJVkFURSBLRVk|BEGIN [A-Z ]*PRIVATE KEY-----(?:\\n|\s)+[A-Za-z0-9+/]{20}"
)


@dataclass
class Planted:
    """Secret values by name, and a search for all of their forms."""

    values: dict[str, str] = field(default_factory=dict)

    def found_in(self, data: bytes) -> set[str]:
        """The names of the values that are in the data, in clear, in base64 at any offset, or URL-encoded; and forms that only a secret has."""
        found = {name for name, value in self.values.items() if any(form in data for form in _forms(value))}
        if _BEARER.search(data):
            found.add("a bearer token")
        if _PRIVATE_KEY.search(data):
            found.add("a private key")
        return found

    def found_below(self, directory: Path, since: float = 0.0) -> set[str]:
        """The same for the files of a directory that were written since a moment; each finding names its file."""
        found = set()
        for place, directories, files in os.walk(directory):
            directories[:] = [name for name in directories if name not in (".git", ".venv", "__pycache__", "node_modules")]
            for name in files:
                path = Path(place, name)
                try:
                    if path.is_file() and path.stat().st_mtime >= since:
                        found |= {f"{what} in {path}" for what in self.found_in(path.read_bytes())}
                except OSError:
                    # A file of somebody else's that is gone again.
                    continue
        return found


def _forms(value: str) -> Iterator[bytes]:
    plain = value.encode()
    yield plain
    yield json.dumps(value)[1:-1].encode()
    yield quote(value, safe="").encode()
    for offset in range(3):
        # The middle of its base64 is the same wherever it stands in a longer text, but for the offset to a multiple of three.
        encoded = base64.b64encode(b"\0" * offset + plain)
        yield encoded[4 : len(encoded) - 4]
        yield base64.urlsafe_b64encode(b"\0" * offset + plain)[4 : len(encoded) - 4]


@contextmanager
def arguments_of_processes() -> Iterator[list[bytes]]:
    """The command lines of all processes that run for a moment of the block; the list is filled while it lasts."""
    seen: set[bytes] = set()
    found: list[bytes] = []
    over = threading.Event()

    def sample() -> None:
        while not over.wait(0.01):
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    line = path.read_bytes()
                except OSError:
                    # The process has ended.
                    continue
                if line not in seen:
                    seen.add(line)
                    found.append(line)

    thread = threading.Thread(target=sample, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        over.set()
        thread.join()
