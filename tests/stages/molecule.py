"""Molecule's scenarios, each on a fresh twin; what tagged tasks have shown counts when their scenario passes."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from tests.results import add_shown, record_environment, shown_by_tasks, write_results
from tests.stages.twins import fresh_twin
from twin.paths import REPOSITORY
from twin.progress import say

_SCENARIOS = REPOSITORY / "extensions" / "molecule"


def test() -> int:
    scenarios = sorted(path.parent.name for path in _SCENARIOS.glob("*/molecule.yml"))
    failed = []
    shown: dict[str, list[str]] = {}
    for scenario in scenarios:
        with fresh_twin(f"test-{scenario.replace('_', '-')}") as environment, tempfile.TemporaryDirectory() as directory:
            record = Path(directory) / "tasks.jsonl"
            environment |= record_environment(record)
            code = subprocess.run(["molecule", "test", "-s", scenario], cwd=REPOSITORY, env=environment, check=False).returncode
            if code:
                failed.append(scenario)
            else:
                add_shown(shown, shown_by_tasks(record, f"extensions/molecule/{scenario}"))
    write_results("molecule", shown)
    say(f"scenarios: {len(scenarios) - len(failed)} passed, {len(failed)} failed{': ' + ', '.join(failed) if failed else ''}")
    return 1 if failed else 0
