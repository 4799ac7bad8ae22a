"""The main job on the twin, from nothing to a mesh that has proved itself, and a summary of what came out."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ansible_runner
from rich.console import Console
from rich.panel import Panel
from rich.table import Table

from twin.commands.environment import exports_of
from twin.errors import TwinError
from twin.kwok.lifecycle import up
from twin.paths import DEFAULT_NAME, REPOSITORY
from twin.tools.build import ensure_tools
from twin.tools.needs import MAIN_JOB

_PHASES = {"gateway_api": "Gateway API", "istio": "Istio", "bookinfo": "Sample application", "mesh": "Waypoint, enrollment, proof"}


@dataclass
class Story:
    """What happened, as far as the summary shows it: seconds by phase, the proven targets, the task that failed."""

    seconds: dict[str, float] = field(default_factory=dict)
    targets: list[dict[str, Any]] = field(default_factory=list)

    def listen(self, event: dict[str, Any]) -> bool:
        """Take note of one event of ansible-runner."""
        data = event.get("event_data") or {}
        if event["event"] in ("runner_on_ok", "runner_on_failed"):
            role = str(data.get("role") or "").rpartition(".")[2]
            if role in _PHASES:
                self.seconds[_PHASES[role]] = self.seconds.get(_PHASES[role], 0.0) + float(data.get("duration") or 0.0)
            result = data.get("res") or {}
            if data.get("resolved_action") == "meshwright.ambient.ready" and role == "mesh":
                self.targets = list(result.get("targets") or ())
        return True


def demo(name: str) -> int:
    """Run it; returns the exit code."""
    story = Story()
    with _timed(story, "Building the twin's programs"):
        ensure_tools(MAIN_JOB, "The main job")
    with _timed(story, "Starting the twin"):
        up(name)
    code = _play(name, story)
    if code:
        raise TwinError("The playbook did not succeed; the task above says why. Run make demo again to go on where it stopped.")
    summarize(name, story, Console(highlight=False))
    return 0


@contextmanager
def _timed(story: Story, phase: str) -> Iterator[None]:
    """Adds the time of a block to the story."""
    started = time.monotonic()
    yield
    story.seconds[phase] = time.monotonic() - started


def _play(name: str, story: Story) -> int:
    """ansible-playbook site.yml -i inventories/sandbox, with its output on the terminal and its events in the story."""
    environment = exports_of(name)
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environment.get("PATH", os.environ["PATH"])])
    if not sys.stdout.isatty():
        environment["ANSIBLE_NOCOLOR"] = "1"
    with tempfile.TemporaryDirectory(prefix="meshwright-demo-") as directory:
        run = ansible_runner.run(
            private_data_dir=directory,
            project_dir=str(REPOSITORY),
            playbook="site.yml",
            inventory=str(REPOSITORY / "inventories" / "sandbox"),
            envvars={**environment, "ANSIBLE_CONFIG": str(REPOSITORY / "ansible.cfg")},
            event_handler=story.listen,
        )
        return int(run.rc)


def summarize(name: str, story: Story, console: Console) -> None:
    """Show what came out: the mesh with its proofs, the time of each phase, and what to try next."""
    mesh = Table(title=f"The mesh of cluster {name}", title_justify="left", title_style="bold", show_edge=False, pad_edge=False)
    mesh.add_column("Namespace")
    mesh.add_column("What")
    mesh.add_column("Proof")
    for target in story.targets:
        mesh.add_row(target["namespace"], _what(target), _proof(target))
    phases = Table(title="Time of each phase", title_justify="left", title_style="bold", show_edge=False, pad_edge=False, show_header=False)
    phases.add_column("Phase")
    phases.add_column("Seconds", justify="right")
    for phase, seconds in story.seconds.items():
        phases.add_row(phase, f"{seconds:.1f} s")
    phases.add_row("[bold]Together[/]", f"[bold]{sum(story.seconds.values()):.1f} s[/]")
    console.print()
    console.print(mesh)
    console.print()
    console.print(phases)
    console.print()
    console.print(Panel(_NEXT.format(twin="" if name == DEFAULT_NAME else f"TWIN={name} "), title="Try next", title_align="left", expand=False))


def _what(target: dict[str, Any]) -> str:
    if target["kind"] == "waypoint":
        return f"Waypoint {target['name']}"
    return {"binding": "Services bound to their waypoint", "enrollment": "Pods captured by ambient mesh"}[str(target["kind"])]


def _proof(target: dict[str, Any]) -> str:
    details = target["details"]
    if target["kind"] == "binding":
        return f"{len(details['bound'])}: {', '.join(details['bound'])}"
    if target["kind"] == "enrollment":
        return f"{len(details['captured'])} captured, {len(details['pending'])} pending, {len(details['excluded'])} excluded"
    return str(target["message"])


_NEXT = """\
[bold]. .venv/bin/activate; eval "$({twin}make -s twin-env)"[/]
  kubectl, helm, istioctl and Ansible now speak to the twin
[bold]istioctl waypoint list -A[/]
  Istio's own tool sees the waypoint
[bold]ansible-playbook site.yml -i inventories/sandbox[/]
  again: nothing changes
[bold]python -m twin process stop istiod[/]
[bold]ansible-playbook verify.yml -i inventories/sandbox[/]
  what is broken, since when, and what to do
[bold]python -m twin process start istiod[/]
[bold]{twin}make twin-down[/]
  leaves nothing behind"""
