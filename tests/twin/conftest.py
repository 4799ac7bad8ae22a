"""Twins for tests of behaviour: one with a mesh for all that only look, and fresh ones for those that break things."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from xdist.remote import Producer

from tests.stages.twins import fresh_twin
from tests.twin.support.rehearsed import Rehearsed
from tests.twin.support.scheduling import SchedulingByTwin, SharedInScope, in_order, own_name, scope_of
from twin.aws import account
from twin.collection import ApiSession
from twin.kwok.session import open_session
from twin.paths import REPOSITORY, TwinPaths

_shared = SharedInScope()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> SchedulingByTwin:
    return SchedulingByTwin(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items[:] = in_order(items)


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    if nextitem is None or scope_of(nextitem.nodeid) != scope_of(item.nodeid):
        _shared.end()


@dataclass(frozen=True)
class Twin:
    """A running twin and the ways a test uses it."""

    name: str
    environment: dict[str, str]

    @property
    def paths(self) -> TwinPaths:
        return TwinPaths(self.name)

    @property
    def session(self) -> ApiSession:
        return open_session(self.paths)

    def play(self, playbook: str, *arguments: str, cwd: Path = REPOSITORY, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a playbook of the checkout against the sandbox inventory."""
        command = ["ansible-playbook", str(REPOSITORY / playbook), "-i", str(REPOSITORY / "inventories" / "sandbox"), *arguments]
        return self.run(command, cwd=cwd, **variables)

    def module(self, name: str, arguments: dict[str, Any], *, check: bool = False, **variables: str) -> dict[str, Any]:
        """Run one module of the collection by its file, as Ansible would, and return its result."""
        command = self.module_command(name, arguments, check=check)
        done = self.run(command, **variables)
        assert done.stdout.strip(), f"{name} answered nothing: {done.stderr[-2000:]}"
        result: dict[str, Any] = json.loads(done.stdout)
        return result

    def module_command(self, name: str, arguments: dict[str, Any], *, check: bool = False) -> list[str]:
        """The command that runs one module; its arguments are given as Ansible gives them."""
        from tests.twin.support.run_module import command_for

        given = {"kubeconfig": str(self.paths.kubeconfig), **arguments, "_ansible_check_mode": check}
        return command_for(name, given)

    def run(self, command: list[str], cwd: Path = REPOSITORY, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the twin's environment."""
        environment = {**self.environment, **variables}
        return subprocess.run(command, cwd=cwd, env=environment, check=False, capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module")
def mesh() -> Twin:
    """A twin on which site.yml has run. Tests leave it as they find it."""
    return _shared.get("mesh", _twin_with_mesh)


@contextmanager
def _twin_with_mesh() -> Iterator[Twin]:
    name = own_name("test-mesh")
    with fresh_twin(name) as environment:
        twin = Twin(name, environment)
        done = twin.play("site.yml")
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
        yield twin


@pytest.fixture(scope="module")
def empty_twin() -> Iterator[Twin]:
    """A fresh twin with nothing on it, for the tests of one file."""
    name = own_name("test-empty")
    with fresh_twin(name) as environment:
        yield Twin(name, environment)


@pytest.fixture(scope="module")
def prod() -> Rehearsed:
    """An account in which inventories/prod has been rehearsed. Tests leave it as they find it.

    MESHWRIGHT_PROD_ACCOUNT names one that is up already, for those who write tests.
    """
    if os.environ.get("MESHWRIGHT_PROD_ACCOUNT"):
        return Rehearsed(os.environ["MESHWRIGHT_PROD_ACCOUNT"])
    return _shared.get("prod", _rehearsed_prod)


@contextmanager
def _rehearsed_prod() -> Iterator[Rehearsed]:
    with fresh_account(own_name("test-prod")) as rehearsed:
        done = rehearsed.rehearse("-vvv", "--diff")
        assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
        rehearsed.first_run.write_text(done.stdout + done.stderr)
        shutil.copy(rehearsed.paths.request_log, rehearsed.first_requests)
        yield rehearsed


@contextmanager
def fresh_account(name: str) -> Iterator[Rehearsed]:
    """An account with nothing in it, for a block."""
    account.down(name)
    account.up(name)
    try:
        yield Rehearsed(name)
    finally:
        account.down(name)
