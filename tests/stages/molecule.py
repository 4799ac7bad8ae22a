"""Molecule's scenarios, each on a fresh twin; what a scenario's tags name counts when the scenario passes."""

from __future__ import annotations

import subprocess

from tests.results import tags_in, write_results
from tests.stages.twins import fresh_twin
from twin.paths import REPOSITORY
from twin.progress import say

_SCENARIOS = REPOSITORY / "extensions" / "molecule"


def test() -> int:
    scenarios = sorted(path.parent.name for path in _SCENARIOS.glob("*/molecule.yml"))
    failed = []
    shown: dict[str, list[str]] = {}
    for scenario in scenarios:
        with fresh_twin(f"test-{scenario.replace('_', '-')}") as environment:
            code = subprocess.run(["molecule", "test", "-s", scenario], cwd=REPOSITORY, env=environment, check=False).returncode
        if code:
            failed.append(scenario)
            continue
        for requirement in tags_in((_SCENARIOS / scenario).rglob("*.yml")):
            shown.setdefault(requirement, []).append(f"extensions/molecule/{scenario}")
    write_results("molecule", shown)
    say(f"scenarios: {len(scenarios) - len(failed)} passed, {len(failed)} failed{': ' + ', '.join(failed) if failed else ''}")
    return 1 if failed else 0
