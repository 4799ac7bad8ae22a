"""Which requirements the tests of the last run have shown: one file for each stage."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from twin.paths import REPOSITORY

RESULTS = REPOSITORY / ".cache" / "results"

_TAG = re.compile(r"requirement_([A-N]\d+)")


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
        for requirement, tests in json.loads(path.read_text()).items():
            together.setdefault(requirement, []).extend(tests)
    return together


def tags_in(paths: Iterable[Path]) -> list[str]:
    """The ids in tags of the form requirement_H1, in playbooks and task files."""
    return sorted({found for path in paths for found in _TAG.findall(path.read_text())})
