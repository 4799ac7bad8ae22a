"""An account in which an inventory has been rehearsed, and the ways a test uses it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.stages.twins import environment_for
from tests.twin.support.run_module import command_for
from tests.twin.support.writes import writes_in_aws, writes_in_cluster
from twin.aws import account
from twin.commands.rehearsal import environment_of
from twin.paths import REPOSITORY, AccountPaths, TwinPaths
from twin.tools.build import locate_tools

PROD = REPOSITORY / "inventories" / "prod"


@dataclass(frozen=True)
class Rehearsed:
    """A local AWS account and the output of filling it."""

    name: str
    cluster: str = "prod-frankfurt"

    @property
    def paths(self) -> AccountPaths:
        return AccountPaths(self.name)

    @property
    def first_run(self) -> Path:
        """The output of the rehearsal from nothing, at -vvv and with diffs."""
        return self.paths.home / "first-run.txt"

    @property
    def first_requests(self) -> Path:
        """The requests of that rehearsal, a line of JSON for each."""
        return self.paths.home / "first-requests.jsonl"

    def client(self, service: str) -> Any:
        """boto3's client of a service of this account."""
        return account.client(self.name, service)

    def rehearse(self, *arguments: str, inventory: Path = PROD, **variables: str) -> subprocess.CompletedProcess[str]:
        """make rehearse; arguments are those of ansible-playbook."""
        command = [sys.executable, "-m", "twin", "--name", self.name, "rehearse", str(inventory), *(["--", *arguments] if arguments else [])]
        environment = {**os.environ, **variables}
        return subprocess.run(command, cwd=REPOSITORY, env=environment, check=False, capture_output=True, text=True, timeout=540)

    def play(self, playbook: str, *arguments: str, inventory: Path = PROD, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a playbook of the checkout in the environment of a rehearsal, without its tree; variables are of the environment."""
        command = ["ansible-playbook", playbook, "-i", str(inventory), "-e", f"@{self.paths.overlay}", *arguments]
        environment = {**environment_of(os.environ, self.name, locate_tools()), **variables}
        return subprocess.run(command, cwd=REPOSITORY, env=environment, check=False, capture_output=True, text=True, timeout=540)

    def module(self, module: str, arguments: dict[str, Any], *, check: bool = False, **variables: str) -> dict[str, Any]:
        """Run one module of the collection by its file, in the environment of a rehearsal, and return its result."""
        command = command_for(module, {**arguments, "_ansible_check_mode": check, "_ansible_diff": True})
        environment = {**environment_of(os.environ, self.name, locate_tools()), **variables}
        done = subprocess.run(command, cwd=REPOSITORY, env=environment, check=False, capture_output=True, text=True, timeout=300)
        assert done.stdout.strip(), f"{module} answered nothing: {done.stderr[-2000:]}"
        result: dict[str, Any] = json.loads(done.stdout)
        return result

    def run(self, command: list[str], given: str | None = None) -> str:
        """Run a program on the account's cluster, as its administrator; what it says."""
        environment = environment_for(f"{self.name}-{self.cluster}")
        done = subprocess.run(command, env=environment, input=given, check=False, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, f"{' '.join(command)}: {done.stderr[-2000:]}"
        return done.stdout

    def kubectl(self, *arguments: str, given: str | None = None) -> str:
        """kubectl on the account's cluster, as its administrator."""
        return self.run(["kubectl", *arguments], given)

    def get(self, *arguments: str) -> Any:
        """What kubectl get answers, as data."""
        return json.loads(self.kubectl("get", *arguments, "-o", "json"))

    def writes(self) -> list[str]:
        """What people and tools have written in AWS so far."""
        return writes_in_aws(self.control("requests?writes"))

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """A block in which nobody but the control plane and the load balancer controller writes anything, in the cluster or in AWS."""
        audit_log = TwinPaths(f"{self.name}-{self.cluster}").audit_log
        before = {*self.writes(), *writes_in_cluster(audit_log)}
        yield
        made = [write for write in (*self.writes(), *writes_in_cluster(audit_log)) if write not in before]
        assert not made, f"nothing was to be written, and this was: {made}"

    def control(self, path: str, body: Any = None, method: str | None = None) -> Any:
        """Speak with the emulator itself, below /_twin/."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{account.settings_of(self.name).endpoint}/_twin/{path}", data, {"Content-Type": "application/json"}, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            text = answer.read().decode()
        return json.loads(text) if text.strip() else None
