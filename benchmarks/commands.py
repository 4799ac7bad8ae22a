"""Programs and plays as whole processes, with the time that Ansible itself saw for each task."""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.measure import PeerFailed
from twin.paths import REPOSITORY

# No peer's work takes longer than this.
LIMIT_SECONDS = 600

Task = dict[str, Any]


@dataclass(frozen=True)
class TaskRun:
    """One task of a play: how long it took as the controller saw it, when it ended (seconds since the epoch), and its result."""

    name: str
    seconds: float
    ended: float
    result: dict[str, Any]


@dataclass(frozen=True)
class PlayRun:
    """One ansible-playbook process: how long it took, and its tasks."""

    seconds: float
    tasks: tuple[TaskRun, ...]

    def __getitem__(self, name: str) -> TaskRun:
        return next(task for task in self.tasks if task.name == name)


def timed(command: Sequence[str], environment: Mapping[str, str], *, given: str | None = None) -> float:
    """How many seconds a program takes from its start to its end.

    Raises:
        PeerFailed: it did not succeed.
    """
    started = time.monotonic()
    try:
        done = subprocess.run(command, cwd=REPOSITORY, env=environment, input=given, check=False, capture_output=True, text=True, timeout=LIMIT_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise PeerFailed(f"{command[0]} did not end within {LIMIT_SECONDS} s") from error
    elapsed = time.monotonic() - started
    if done.returncode:
        raise PeerFailed(f"{command[0]} ended with {done.returncode}: {(done.stderr or done.stdout).strip()[-400:]}")
    return elapsed


def play(tasks: Sequence[Task], environment: Mapping[str, str]) -> PlayRun:
    """Run tasks in one ansible-playbook process.

    Raises:
        PeerFailed: a task failed.
    """
    with started_play(tasks, environment) as running:
        return running.finish()


class started_play:  # noqa: N801 - used as a function of a with block
    """An ansible-playbook process that runs while the block does something else."""

    def __init__(self, tasks: Sequence[Task], environment: Mapping[str, str]) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="benchmark-")
        playbook = Path(self._directory.name) / "play.yml"
        # The first task of a process pays for what all later ones use.
        warm_up = {"name": "warm up", "ansible.builtin.ping": {}}
        content = {"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": [warm_up, *tasks]}
        # JSON is YAML.
        playbook.write_text(json.dumps([content]))
        settings = {
            "ANSIBLE_CONFIG": str(REPOSITORY / "ansible.cfg"),
            "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_DEPRECATION_WARNINGS": "0",
        }
        extra = "ansible_python_interpreter={{ ansible_playbook_python }}"
        self._started = time.monotonic()
        self._process = subprocess.Popen(
            ["ansible-playbook", "-i", "localhost,", "-e", extra, str(playbook)],
            cwd=REPOSITORY,
            env={**environment, **settings},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> started_play:
        return self

    def __exit__(self, *error: object) -> None:
        if self._process.poll() is None:
            self._process.terminate()
            self._process.wait(timeout=30)
        self._directory.cleanup()

    def finish(self) -> PlayRun:
        """Wait for its end. Raises PeerFailed."""
        try:
            stdout, stderr = self._process.communicate(timeout=LIMIT_SECONDS)
        except subprocess.TimeoutExpired as error:
            raise PeerFailed(f"ansible-playbook did not end within {LIMIT_SECONDS} s") from error
        seconds = time.monotonic() - self._started
        return PlayRun(seconds, parse_play(stdout, stderr, self._process.returncode))


def parse_play(stdout: str, stderr: str, code: int) -> tuple[TaskRun, ...]:
    """The tasks in what the callback ansible.posix.json printed.

    Raises:
        PeerFailed: a task failed, or there was no play.
    """
    begin = stdout.find("{")
    try:
        plays = json.loads(stdout[begin:])["plays"] if begin >= 0 else []
    except ValueError:
        plays = []
    runs = []
    for task in (task for each in plays for task in each["tasks"]):
        result: dict[str, Any] = next(iter(task["hosts"].values()), {})
        if result.get("failed") or result.get("unreachable"):
            message = result.get("msg") or next((item.get("msg") for item in result.get("results", ()) if item.get("failed")), "")
            raise PeerFailed(f"task {task['task']['name']}: {str(message)[:400]}")
        duration = task["task"]["duration"]
        if "end" in duration:
            began, ended = _seconds(duration["start"]), _seconds(duration["end"])
            runs.append(TaskRun(task["task"]["name"], ended - began, ended, result))
    if code or not runs:
        raise PeerFailed(f"ansible-playbook ended with {code}: {(stderr or stdout).strip()[-400:]}")
    return tuple(runs)


def _seconds(timestamp: str) -> float:
    """The callback's UTC time, which has no fraction when it falls on a whole second."""
    return datetime.fromisoformat(timestamp.removesuffix("Z")).replace(tzinfo=UTC).timestamp()
