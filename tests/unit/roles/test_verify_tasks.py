"""The verdicts of verifications: on releases that may not be read, and on several steps that each find something."""

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
    compared = {f"__karpenter_{what}": {"changed": False} for what in ("access", "association")}
    done = _verdict(role, tmp_path, {**compared, f"__{role}_current": _UNREADABLE, "eks_enabled": False})
    assert done.returncode == 0, done.stdout + done.stderr


_STEPS = {
    "mesh": ("declared", "enrolled", "ready"),
    "ingress": ("check", "ready", "load_balancers"),
    "gateway_api": ("current", "ready"),
    "alb_controller": ("ready",),
    "karpenter": ("ready",),
}
_TITLE = {"before_header": "Waypoint shop/waypoint", "after_header": "Waypoint shop/waypoint"}
_FOUND = [
    {"diff": [_TITLE], "refusals": ["Waypoint shop/other: refused."]},
    {"msg": "Cluster prod refused to list pods."},
    {"msg": "1 of 2 targets are not ready."},
]


@pytest.mark.parametrize("role", ["alb_controller", "karpenter"])
def test_what_is_not_ready_is_reported_with_what_differs(role: str, tmp_path: Path) -> None:
    compared = {f"__karpenter_{what}": {"changed": False} for what in ("access", "association")}
    current = {**_UNREADABLE, "readable": True, "differences": ["kube-system/controller (values)"]}
    done = _verdict(
        role, tmp_path, {**compared, f"__{role}_current": current, f"__{role}_ready": {"msg": "1 of 2 targets are not ready."}, "eks_enabled": False}
    )
    shown = " ".join(done.stdout.split())
    assert "differs from its inventory in release kube-system/controller (values): run site.yml" in shown, shown
    assert "1 of 2 targets are not ready." in shown


def test_a_bundle_that_is_refused_does_not_hide_what_is_not_served(tmp_path: Path) -> None:
    current = {"changed": True, "version": "v1.6.1", "definitions": [{"name": "gateways", "changed": True}], "msg": "Refused."}
    done = _verdict("gateway_api", tmp_path, {"__gateway_api_current": current, "__gateway_api_ready": {"msg": "1 of 4 targets are not ready."}})
    shown = " ".join(done.stdout.split())
    for message in ("differs from bundle v1.6.1 of the Gateway API in gateways: run site.yml", "Refused.", "1 of 4 targets are not ready."):
        assert message in shown, shown
    assert _verdict("gateway_api", tmp_path, {"__gateway_api_current": {"skipped": True}, "__gateway_api_ready": {}}).returncode == 0


@pytest.mark.parametrize("role", ["mesh", "ingress"])
def test_what_one_step_finds_does_not_hide_what_another_does(role: str, tmp_path: Path) -> None:
    registered = {f"__{role}_{step}": found for step, found in zip(_STEPS[role], _FOUND, strict=True)}
    shown = " ".join(_verdict(role, tmp_path, registered).stdout.split())
    for message in ("differs from its inventory in Waypoint shop/waypoint", "shop/other: refused.", "refused to list pods.", "1 of 2 targets are not ready."):
        assert message in shown, f"{message!r} is not in {shown}"
    nothing = {f"__{role}_{step}": {"diff": [], "changed": False} for step in _STEPS[role][:-1]} | {f"__{role}_{_STEPS[role][-1]}": {"skipped": True}}
    assert _verdict(role, tmp_path, nothing).returncode == 0


@pytest.mark.parametrize("role", _STEPS)
def test_each_step_goes_on_unless_the_cluster_cannot_be_used(role: str) -> None:
    (block,) = yaml.safe_load((REPOSITORY / "roles" / role / "tasks" / "verify.yml").read_text())
    steps = [task for task in block["block"] if task.get("register", "").removeprefix(f"__{role}_") in _STEPS[role]]
    assert len(steps) == len(_STEPS[role])
    for task in steps:
        assert task["failed_when"] in (False, f"not {task['register']}.cluster_accessible | default(true)"), task["name"]


def _verdict(role: str, folder: Path, registered: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    """The last assertion of a verification, after steps with these results."""
    files = [str(REPOSITORY / "roles" / role / place / "main.yml") for place in ("defaults", "vars")]
    variables = {**registered, "ansible_python_interpreter": sys.executable}
    play = {"hosts": "localhost", "gather_facts": False, "vars_files": files, "vars": variables, "tasks": [_last_assertion(role)]}
    (folder / "play.yml").write_text(yaml.safe_dump([play]))
    command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", "localhost,", "-c", "local", str(folder / "play.yml")]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("role", ["alb_controller", "karpenter"])
def test_what_helm_refuses_is_known_before_anything_is_written_in_aws(role: str) -> None:
    """A controller in another namespace is another release, which Helm refuses, and a second one would work against the first."""
    main = yaml.safe_load((REPOSITORY / "roles" / role / "tasks" / "main.yml").read_text())
    files = [task.get("ansible.builtin.import_tasks") for task in main]
    assert files.index("account.yml") < files.index("compare.yml") < files.index("identity.yml") < files.index("chart.yml")
    compare = yaml.safe_load((REPOSITORY / "roles" / role / "tasks" / "compare.yml").read_text())[0]["block"][-1]
    assert compare["meshwright.ambient.helm_release_info"]["dry_run"] is True
