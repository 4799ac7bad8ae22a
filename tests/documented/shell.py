"""Commands of the documentation in a shell, as a reader runs them: in a copy of the checkout, with a home of its own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.documented.ways import Step
from twin.paths import REPOSITORY, cache_directory, state_directory

# What a virtual environment has beside the programs, so that Python finds its packages through the copy.
_PARTS = ("bin", "lib", "include", "pyvenv.cfg")


def copy_checkout(directory: Path) -> Path:
    """A checkout with what git tracks, and what it would, and with the environment that runs the tests as its own."""
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=REPOSITORY, check=True, capture_output=True)
    copy = directory / "checkout"
    for name in filter(None, listed.stdout.decode().split("\0")):
        if os.path.lexists(REPOSITORY / name):
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / name, copy / name, follow_symlinks=False)
    environment = copy / ".venv"
    environment.mkdir()
    for part in _PARTS:
        if (Path(sys.prefix) / part).exists():
            (environment / part).symlink_to(Path(sys.prefix) / part)
    # Else make would begin to install.
    os.utime(copy / "requirements.lock", (0, 0))
    (environment / ".ready").touch()
    return copy


def run_step(step: Step, checkout: Path, environment: Mapping[str, str], replaced: Mapping[str, str]) -> None:
    """Run the commands of a step, and compare what comes of them with what the pages tell; skip the test if the machine lacks what the step needs.

    Args:
        step: the commands.
        checkout: where they run.
        environment: what the reader's shell has.
        replaced: what a page calls otherwise, such as the address of an emulator.

    Raises:
        AssertionError: the exit code or the output is another one.
    """
    if step.needs and not shutil.which(step.needs):
        pytest.skip(f"the page uses {step.needs}, which this machine does not have")
    script = "\n".join(step.commands)
    for shown, real in {"/path/to/the/checkout": str(checkout), **replaced}.items():
        script = script.replace(shown, real)
    home = checkout.parent / "home"
    home.mkdir(exist_ok=True)
    given = {name: value for name, value in environment.items() if name not in ("ANSIBLE_CONFIG", "ANSIBLE_COLLECTIONS_PATH", "MAKEFLAGS", "PYTHONPATH")}
    # The twin's programs are built once per user, and not again for this reader, who also uses the twin of the tests.
    given |= {"HOME": str(home), "XDG_CACHE_HOME": str(cache_directory().parent), "XDG_STATE_HOME": str(state_directory().parent)}
    given["PATH"] = f"{checkout / '.venv' / 'bin'}{os.pathsep}{given.get('PATH', '')}"
    command = ["bash", "-e", "-o", "pipefail", "-c", script]
    done = subprocess.run(command, cwd=checkout, env=given, check=False, capture_output=True, text=True, timeout=400)
    output = f"{script}\nexit code {done.returncode}\n{done.stdout[-6000:]}{done.stderr[-3000:]}"
    assert done.returncode == step.code, output
    assert step.shows in done.stdout + done.stderr, f"{step.shows!r} is not in the output of:\n{output}"
    last = (done.stdout.splitlines() or [""])[-1]
    assert step.ends in ("", last), f"the output does not end with {step.ends!r}:\n{output}"
    if step.unchanged:
        # One playbook that changes nothing must not hide what another one of the step has changed.
        changes = re.findall(r"\bchanged=(\d+)", done.stdout)
        assert changes and set(changes) == {"0"}, f"the playbooks changed {', '.join(changes) or 'nothing that is shown'}:\n{output}"
