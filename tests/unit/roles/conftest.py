"""The variables of roles as Ansible evaluates them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from twin.paths import REPOSITORY


@pytest.fixture
def evaluate(tmp_path: Path) -> Any:
    """An expression of a role's variables, by what -e name=value gives."""

    def value_of(role: str, expression: str, **given: Any) -> Any:
        files = [str(REPOSITORY / "roles" / role / place / "main.yml") for place in ("defaults", "vars")]
        play = {
            "hosts": "localhost",
            "gather_facts": False,
            "vars": {"ansible_python_interpreter": sys.executable},
            "vars_files": files,
            "tasks": [{"ansible.builtin.copy": {"content": "{{ " + expression + " | to_json }}", "dest": str(tmp_path / "found.json"), "mode": "0600"}}],
        }
        (tmp_path / "play.yml").write_text(yaml.safe_dump([play]))
        variables = [
            argument for name, value in given.items() for argument in ("-e", f"{name}={value}" if isinstance(value, str) else json.dumps({name: value}))
        ]
        command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", "localhost,", "-c", "local", str(tmp_path / "play.yml"), *variables]
        done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads((tmp_path / "found.json").read_text())

    return value_of
