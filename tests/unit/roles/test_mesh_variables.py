"""The role mesh takes apart its waypoints by their state, whether they name it or not, and converts what they have as text."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from twin.paths import REPOSITORY

WAYPOINTS = [{"namespace": "shop"}, {"namespace": "bank", "state": "absent"}, {"namespace": "lab", "high_availability": "yes"}]


def test_waypoints_are_taken_apart_by_their_state() -> None:
    template = "{{ [__mesh_present, __mesh_absent] | to_json }}"
    command = [
        str(Path(sys.executable).parent / "ansible"), "localhost", "-m", "debug", "-a", f"msg={template}", "-e", "@roles/mesh/vars/main.yml",
        "-e", json.dumps({"mesh_waypoints": WAYPOINTS}),
    ]  # fmt: skip
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    found = json.loads(done.stdout[done.stdout.index("[[") : done.stdout.rindex("]]") + 2].replace('\\"', '"'))
    defaults = {"name": "waypoint", "for": "service", "high_availability": False}
    assert found == [
        [{**defaults, "namespace": "shop", "state": "present"}, {**defaults, "namespace": "lab", "state": "present", "high_availability": True}],
        [{**defaults, "namespace": "bank", "state": "absent"}],
    ], done.stdout + done.stderr
