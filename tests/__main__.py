"""All checks and tests, one after the other: python -m tests [STAGE ...]. People and CI run the same list."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.results import clear_results
from tests.stages import ansible_test, docs, molecule
from twin.paths import REPOSITORY
from twin.progress import say

_BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Stage:
    """One part of make test: a command, or a function that returns an exit code."""

    name: str
    what: str
    run: list[str] | Callable[[], int]


STAGES = (
    Stage("yamllint", "the form of all YAML", ["yamllint", "--strict", "."]),
    Stage("ruff", "the form of all Python", ["ruff", "check", "."]),
    Stage("format", "the layout of all Python", ["ruff", "format", "--check", "."]),
    # pyproject.toml names the packages: tests are not among them.
    Stage("types", "the types of plugins, twin, generator and benchmarks", ["mypy"]),
    Stage("ansible-lint", "roles and playbooks, profile production", ["ansible-lint", "--offline", "--strict"]),
    Stage("unit", "pure rules", ["pytest", "tests/unit", "-q", "-n", "auto", "--maxprocesses", "8"]),
    Stage("sanity", "ansible-test sanity, without an ignore file", ansible_test.sanity),
    Stage("docs", "the documentation of modules, roles and plugins", docs.lint),
    Stage("package", "the tarball, installed into an empty place", ["pytest", "tests/package", "-q"]),
    Stage("integration", "modules on a twin", ansible_test.integration),
    Stage("molecule", "the main job on a twin: converge, idempotence, verify", molecule.test),
    Stage("twin", "behaviour against real parts", ["pytest", "tests/twin", "-q", "-n", "auto", "--maxprocesses", "2", "--durations=60"]),
)


def main(chosen: list[str]) -> int:
    unknown = set(chosen) - {stage.name for stage in STAGES}
    if unknown:
        say(f"There is no stage {', '.join(sorted(unknown))}: the stages are {', '.join(stage.name for stage in STAGES)}.")
        return 2
    stages = [stage for stage in STAGES if not chosen or stage.name in chosen]
    if not chosen:
        clear_results()
    started = time.monotonic()
    failed = []
    for number, stage in enumerate(stages, 1):
        say(f"\n=== [{number}/{len(stages)}] {stage.name}: {stage.what}")
        began = time.monotonic()
        code = _run(stage)
        say(f"=== {stage.name}: {'passed' if code == 0 else 'FAILED'} in {time.monotonic() - began:.0f} s, {time.monotonic() - started:.0f} s in all")
        if code:
            failed.append(stage.name)
    if not chosen:
        subprocess.run([sys.executable, "-m", "tests.requirements", "--brief"], cwd=REPOSITORY, check=False)
    say(f"\nstages: {len(stages) - len(failed)} passed, {len(failed)} failed{': ' + ', '.join(failed) if failed else ''}")
    return 1 if failed else 0


def _run(stage: Stage) -> int:
    if callable(stage.run):
        return stage.run()
    program, *arguments = stage.run
    environment = {**os.environ, "PATH": f"{_BIN}{os.pathsep}{os.environ.get('PATH', '')}", "MESHWRIGHT_STAGE": stage.name}
    command = [shutil.which(program, path=str(_BIN)) or program, *arguments]
    return subprocess.run(command, cwd=REPOSITORY, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
