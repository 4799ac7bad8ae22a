"""A requirement counts only by a task or test that has run and passed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.results import record_configuration, record_environment, shown_by_tasks
from twin.paths import REPOSITORY

_KNOWN = {requirement["id"] for requirement in yaml.safe_load((REPOSITORY / "tests/requirements/requirements.yml").read_text())}
_TAGGED = [*(REPOSITORY / "tests/integration/targets").rglob("*.yml"), *(REPOSITORY / "extensions/molecule").rglob("*.yml")]

PLAY = """
- hosts: localhost
  gather_facts: false
  tasks:
    - name: passes
      ansible.builtin.assert: {that: 1 == 1}
      tags: [requirement_H1, requirement_O3, other]
    - name: is skipped
      ansible.builtin.assert: {that: 1 == 1}
      when: false
      tags: [requirement_H2]
    - name: fails and is ignored
      ansible.builtin.assert: {that: 1 == 2}
      ignore_errors: true
      tags: [requirement_H3]
    - name: is rescued
      block:
        - name: fails in a block
          ansible.builtin.assert: {that: 1 == 2}
          tags: [requirement_H4]
        - name: is not reached
          ansible.builtin.assert: {that: 1 == 1}
          tags: [requirement_H5]
      rescue:
        - name: rescues
          ansible.builtin.assert: {that: 1 == 1}
    - name: fails for one of two
      ansible.builtin.assert: {that: item == 1}
      loop: [1, 2]
      ignore_errors: true
      tags: [requirement_H6]
    - name: passes for all of two
      ansible.builtin.assert: {that: item > 0}
      loop: [1, 2]
      tags: [requirement_H7]
"""


def _play(directory: Path, environment: dict[str, str], *arguments: str) -> None:
    playbook = directory / "play.yml"
    playbook.write_text(PLAY)
    command = [str(Path(sys.executable).parent / "ansible-playbook"), str(playbook), "-i", "localhost,", "-c", "local", *arguments]
    done = subprocess.run(command, cwd=directory, env={**os.environ, **environment}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("way", ["variables", "configuration"])
def test_only_tasks_that_ran_and_passed_show_a_requirement(way: str, tmp_path: Path) -> None:
    record, configuration = tmp_path / "tasks.jsonl", tmp_path / "ansible.cfg"
    configuration.write_text(record_configuration(record))
    _play(tmp_path, record_environment(record) if way == "variables" else {"ANSIBLE_CONFIG": str(configuration)})
    assert shown_by_tasks(record, "x") == {"H1": ["x: passes"], "H7": ["x: passes for all of two"], "O3": ["x: passes"]}


def test_a_run_that_leaves_the_tags_out_shows_nothing(tmp_path: Path) -> None:
    record = tmp_path / "tasks.jsonl"
    _play(tmp_path, record_environment(record), "--skip-tags", "requirement_H1,requirement_H7")
    assert shown_by_tasks(record, "x") == {}
    assert shown_by_tasks(tmp_path / "never-written", "x") == {}


def _tagged_tasks(tasks: Any) -> Iterator[dict[str, Any]]:
    """The tasks with tags of requirements, also those in blocks and plays."""
    for task in tasks or ():
        if any(str(tag).startswith("requirement_") for tag in task.get("tags") or ()):
            yield task
        for part in ("tasks", "pre_tasks", "post_tasks", "block", "rescue", "always"):
            yield from _tagged_tasks(task.get(part))


def test_only_tasks_that_judge_are_tagged_and_with_known_requirements() -> None:
    files = [(path.relative_to(REPOSITORY), yaml.safe_load(path.read_text())) for path in _TAGGED]
    found = [(path, task) for path, tasks in files if isinstance(tasks, list) for task in _tagged_tasks(tasks)]
    assert len(found) > 20
    wrong = [f"{path}: {task.get('name')}" for path, task in found if not {"ansible.builtin.assert", "failed_when"} & task.keys()]
    assert not wrong, f"only a task that judges shows something: {wrong}"
    unknown = [f"{path}: {tag}" for path, task in found for tag in task["tags"] if tag.startswith("requirement_") and tag.partition("_")[2] not in _KNOWN]
    assert not unknown, f"requirements.yml does not have {unknown}"


# The recorder of tests/conftest.py, which writes beside the tests instead of into the results of this run.
CONFTEST = """
import json
from pathlib import Path

from tests import conftest

conftest._KEPT = {mark: lambda stage, shown, mark=mark: Path(f"{mark}.json").write_text(json.dumps([stage, shown])) for mark in conftest._KEPT}
from tests.conftest import *
"""
TESTS = """
import pytest

@pytest.fixture
def broken_afterwards():
    yield
    raise RuntimeError

@pytest.mark.requirement("H1")
@pytest.mark.variable("istio_version")
def test_passes(): pass

@pytest.mark.requirement("H2")
@pytest.mark.variable("istio_mode")
def test_fails(): assert False

@pytest.mark.requirement("H3")
def test_is_skipped(): pytest.skip("x")

@pytest.mark.requirement("H4")
@pytest.mark.xfail
def test_is_expected_to_fail(): assert False

@pytest.mark.requirement("H5")
def test_breaks_afterwards(broken_afterwards): pass
"""


def test_only_tests_that_passed_show_a_requirement(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_ends.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n  requirement\n  variable\n")
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "MESHWRIGHT_STAGE": "trial"}
    environment.pop("PYTEST_ADDOPTS", None)
    done = subprocess.run([sys.executable, "-m", "pytest", "-q"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert "2 passed, 1 skipped, 1 xfailed, 1 error" in done.stdout.replace("1 failed, ", ""), done.stdout + done.stderr
    assert json.loads((tmp_path / "requirement.json").read_text()) == ["trial", {"H1": ["test_ends.py::test_passes"]}]
    assert json.loads((tmp_path / "variable.json").read_text()) == ["trial", {"istio_version": ["test_ends.py::test_passes"]}]
