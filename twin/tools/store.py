"""The per-user cache of what was built: nothing in it is ever half-written, and two builders never disturb each other."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import platform
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from twin.paths import REPOSITORY, cache_directory
from twin.tools.catalogue import Files, Program

_SEAL = ".complete.json"


def place_of(part: Program | Files) -> Path:
    """The directory a part is kept in; its name changes with anything that changes what is built."""
    recipe = hashlib.sha256(repr(part).encode())
    if part.family:
        for pin in ("go.mod", "go.sum"):
            recipe.update((REPOSITORY / "twin" / "go" / part.family / pin).read_bytes())
    if isinstance(part, Program) and part.patches:
        recipe.update(repr(part.patches).encode())
    machine = f"-{platform.system()}-{platform.machine()}".lower() if isinstance(part, Program) else ""
    return cache_directory() / "tools" / f"{part.name}-{part.version}{machine}-{recipe.hexdigest()[:10]}"


def is_whole(place: Path) -> bool:
    """Whether a part is there, with every file as long as it was when it was sealed."""
    try:
        sizes: dict[str, int] = json.loads((place / _SEAL).read_text())
        return all((place / name).stat().st_size == size for name, size in sizes.items())
    except (OSError, ValueError):
        return False


def fill(place: Path, make: Callable[[Path], None]) -> bool:
    """Make a part in a directory beside its place and move it there in one step; false when another builder was first.

    Args:
        place: where the part will be.
        make: fills the directory that it is given, or raises.
    """
    with _locked(place):
        if is_whole(place):
            return False
        place.parent.mkdir(parents=True, exist_ok=True)
        workspace = Path(tempfile.mkdtemp(prefix=".building-", dir=place.parent))
        try:
            make(workspace)
            sizes = {str(path.relative_to(workspace)): path.stat().st_size for path in sorted(workspace.rglob("*")) if path.is_file()}
            (workspace / _SEAL).write_text(json.dumps(sizes))
            shutil.rmtree(place, ignore_errors=True)
            workspace.chmod(0o755)
            workspace.rename(place)
        finally:
            shutil.rmtree(workspace, ignore_errors=True)
    return True


@contextmanager
def _locked(place: Path) -> Iterator[None]:
    """Hold the part's lock; it is released by the kernel when the process dies."""
    locks = cache_directory() / "locks"
    locks.mkdir(parents=True, exist_ok=True)
    handle = os.open(locks / place.name, os.O_CREAT | os.O_RDWR, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
