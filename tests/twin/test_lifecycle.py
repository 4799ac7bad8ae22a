"""The twin itself: nothing to do when it is up, repaired after any kill, gone without a trace."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stages.twins import environment_for
from tests.twin.conftest import Twin
from twin.kwok.lifecycle import down, parts_of, up
from twin.paths import REPOSITORY, TwinPaths
from twin.supervisor import marked_processes

_NAME = "test-lifecycle"


@pytest.fixture(scope="module")
def victim() -> Iterator[Twin]:
    """A twin to be broken."""
    down(_NAME)
    up(_NAME, nodes=1)
    yield Twin(_NAME, environment_for(_NAME))
    down(_NAME)


def _twin(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "twin", "--name", _NAME, *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)


def test_up_on_a_running_twin_does_nothing(victim: Twin, capsys: pytest.CaptureFixture[str]) -> None:
    before = {process.pid for process in marked_processes(victim.paths)}
    started = time.monotonic()
    done = _twin("up")
    elapsed = time.monotonic() - started
    assert done.returncode == 0, done.stderr
    assert "is up" in done.stderr
    assert {process.pid for process in marked_processes(victim.paths)} == before
    with capsys.disabled():
        print(f"\nup on a running twin took {elapsed:.2f} s")


@pytest.mark.parametrize("part", ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok-controller", "supervisor"])
def test_a_killed_part_is_reported_and_mended(victim: Twin, part: str) -> None:
    _kill(part)
    status = _twin("status")
    assert status.returncode == 1
    assert f"DEAD  {part}" in status.stdout, status.stdout
    repaired = _twin("up")
    assert repaired.returncode == 0, repaired.stderr
    assert part in repaired.stderr
    assert _twin("status").returncode == 0
    assert victim.run(["kubectl", "get", "nodes"]).returncode == 0


def test_a_twin_is_mended_after_its_checkout_was_removed(victim: Twin, tmp_path: Path) -> None:
    python = _environment_in(tmp_path)
    _kill("supervisor")
    command = [str(python), "-m", "twin", "--name", _NAME, "up"]
    started = subprocess.run(command, cwd=REPOSITORY, check=False, capture_output=True, text=True, timeout=120)
    assert started.returncode == 0, started.stderr
    # A pod's program of that checkout, as its agent has left it.
    left = victim.paths.processes / "left.default.conf"
    left.write_text(f"[program:left.default]\ncommand='{python}' -S launch.py\n")
    python.unlink()
    status = _twin("status")
    assert re.search("DEAD  supervisor +the checkout that it was started from has been removed", status.stdout), status.stdout
    repaired = _twin("up")
    assert repaired.returncode == 0, repaired.stderr
    assert _twin("status").returncode == 0
    assert not left.exists(), "the program of a checkout that is gone is still to be started"


def test_down_leaves_nothing_behind() -> None:
    paths = TwinPaths(_NAME)
    up(_NAME, nodes=1)
    assert _twin("down").returncode == 0
    assert not paths.home.exists()
    assert marked_processes(paths) == []
    assert _twin("status").returncode == 1
    assert _twin("down").returncode == 0, "down on no twin is no error"


def _environment_in(directory: Path) -> Path:
    """The Python of a virtual environment with the packages of this one."""
    packages = directory / Path(sysconfig.get_path("purelib")).relative_to(sys.prefix)
    packages.parent.mkdir(parents=True)
    packages.symlink_to(sysconfig.get_path("purelib"))
    (directory / "pyvenv.cfg").write_text(f"home = {Path(sys.base_prefix) / 'bin'}\n")
    python = directory / "bin" / "python"
    python.parent.mkdir()
    python.symlink_to(Path(sys.executable).resolve())
    return python


def _kill(part: str) -> None:
    detail = {found.name: found.detail for found in parts_of(_NAME)}[part]
    os.kill(int(detail.split()[1]), signal.SIGKILL)
    _wait_until_dead(part)


def _wait_until_dead(part: str) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if any(found.name == part and not found.running for found in parts_of(_NAME)):
            return
    raise AssertionError(f"{part} was killed and is still reported as running")
