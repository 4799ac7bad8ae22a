"""What the last run has shown: the requirements, in one file for each stage.

pytest's marks are recorded by tests/conftest.py, and tags of tasks by a callback plugin, whose record of a run is read here. Below the same directory,
tests/variables.py keeps which variables have had an effect.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from twin.paths import REPOSITORY

RESULTS = REPOSITORY / ".cache" / "results"
# The callback plugin that records how tagged tasks ended.
CALLBACK_PLUGINS = REPOSITORY / "tests" / "callback_plugins"


def clear_results() -> None:
    """Forget the last run: what it showed must be shown again."""
    shutil.rmtree(RESULTS, ignore_errors=True)


def write_results(stage: str, shown: dict[str, list[str]]) -> None:
    """Keep what a stage has shown.

    Args:
        stage: its name.
        shown: for each requirement id, the tests that showed it.
    """
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / f"{stage}.json").write_text(json.dumps(shown, indent=1, sort_keys=True))


def read_results() -> dict[str, list[str]]:
    """For each requirement id, the tests that showed it in the last run."""
    together: dict[str, list[str]] = {}
    for path in sorted(RESULTS.glob("*.json")):
        add_shown(together, json.loads(path.read_text()))
    return together


def record_environment(record: Path) -> dict[str, str]:
    """The variables with which ansible-playbook records its tagged tasks in a file."""
    return {"ANSIBLE_CALLBACK_PLUGINS": str(CALLBACK_PLUGINS), "MESHWRIGHT_REQUIREMENT_RECORD": str(record)}


def record_configuration(record: Path) -> str:
    """The same as the text of an ansible.cfg, for programs that hand on no variables."""
    return f"[defaults]\ncallback_plugins = {CALLBACK_PLUGINS}\n\n[callback_requirement_tags]\nrecord = {record}\n"


def shown_by_tasks(record: Path, source: str) -> dict[str, list[str]]:
    """What the tagged tasks of a run have shown; a task that was skipped or has failed anywhere, even if that was ignored, shows nothing.

    Args:
        record: what the callback plugin has written; a run without tagged tasks writes none.
        source: where the tasks are, for their names.

    Returns:
        For each requirement id, the tasks that showed it.
    """
    lines = [json.loads(line) for line in record.read_text().splitlines()] if record.exists() else []
    tasks = {(line["requirement"], line["task"]) for line in lines}
    not_passed = {(line["requirement"], line["task"]) for line in lines if not line["passed"]}
    shown: dict[str, list[str]] = {}
    for requirement, task in sorted(tasks - not_passed):
        shown.setdefault(requirement, []).append(f"{source}: {task}")
    return shown


def add_shown(together: dict[str, list[str]], added: dict[str, list[str]]) -> None:
    """Add what another run has shown."""
    for requirement, tests in added.items():
        together.setdefault(requirement, []).extend(tests)
