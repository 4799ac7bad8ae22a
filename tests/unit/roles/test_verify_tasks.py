"""The verdict on releases, for a user who may not read Helm's records."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from twin.paths import REPOSITORY

_UNREADABLE = {"changed": False, "readable": False, "releases": [], "stale": [], "differences": []}


def _last_assertion(role: str) -> dict[str, Any]:
    (block,) = yaml.safe_load((REPOSITORY / "roles" / role / "tasks" / "verify.yml").read_text())
    task: dict[str, Any] = block["block"][-1]
    assert "ansible.builtin.assert" in task
    return task


@pytest.mark.parametrize("role", ["alb_controller", "istio", "karpenter"])
def test_releases_that_cannot_be_read_are_no_failure(role: str, tmp_path: Path) -> None:
    files = [str(REPOSITORY / "roles" / role / place / "main.yml") for place in ("defaults", "vars")]
    compared = {f"__karpenter_{what}": {"changed": False} for what in ("access", "association")}
    variables = {**compared, f"__{role}_current": _UNREADABLE, "ansible_python_interpreter": sys.executable, "eks_enabled": False}
    play = {"hosts": "localhost", "gather_facts": False, "vars_files": files, "vars": variables, "tasks": [_last_assertion(role)]}
    (tmp_path / "play.yml").write_text(yaml.safe_dump([play]))
    command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", "localhost,", "-c", "local", str(tmp_path / "play.yml")]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
