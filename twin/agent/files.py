"""Files of a pod: nothing that an API object says leads out of the pod's own directory, and no reader sees half a file."""

from __future__ import annotations

import contextlib
import os
import posixpath
from pathlib import Path

from twin.errors import TwinError


def inside(root: Path, path: str) -> Path:
    """Where a path of the pod is on this machine.

    As in a container, `..` leads no higher than the root.

    Args:
        root: the directory that the pod sees as `/`.
        path: as an object of the API server names it, with or without a leading slash.

    Raises:
        TwinError: the path cannot be one, or a symbolic link on the way leads out of the root.
    """
    if "\0" in path:
        raise TwinError(f"The path {path!r} has a null byte.")
    place = root / posixpath.normpath(f"/{path}").lstrip("/")
    if not place.resolve().is_relative_to(root.resolve()):
        raise TwinError(f"The path {path} leads out of the pod's root directory by a symbolic link.")
    return place


def write_private(target: Path, content: bytes) -> None:
    """Replace a file by one that only its owner may read; a reader sees the old one or the new one."""
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(target.name + ".new")
    with contextlib.suppress(FileNotFoundError):
        draft.unlink()
    # Made anew, so that nothing is written through a link.
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as file:
        file.write(content)
    draft.rename(target)
