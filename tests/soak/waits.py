"""Runs the waits: most by the engine in this process, which is quick, and some by the module as a process of its own."""

from __future__ import annotations

import contextlib
import inspect
import json
import os
import queue
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.soak.api import Api
from tests.soak.checker import Reported, Wait
from tests.soak.truth import Goal
from tests.twin.support.run_module import command_for
from twin.collection import ApiSession, MeshError
from twin.kwok.session import open_session
from twin.paths import REPOSITORY

# twin.collection puts the collection's place on the path.
from ansible_collections.meshwright.ambient.plugins.module_utils._mesh.waypoints import WaypointRef  # isort: skip
from ansible_collections.meshwright.ambient.plugins.module_utils._status.bindings import BindingExpectation  # isort: skip
from ansible_collections.meshwright.ambient.plugins.module_utils._status.target import Target  # isort: skip
from ansible_collections.meshwright.ambient.plugins.module_utils._wait.wait import wait_until_current  # isort: skip

# What this engine can be asked for beyond a timeout.
ENGINE_OPTIONS = frozenset(inspect.signature(wait_until_current).parameters) & {"stable_for", "fail_fast"}


@dataclass(frozen=True)
class Plan:
    """A wait that is to be made."""

    number: int
    goals: tuple[Goal, ...]
    timeout: float
    stable_for: float = 0.0
    fail_fast: bool = True


class Broken(Exception):
    """A wait ended with an error of its own instead of verdicts."""


@dataclass(frozen=True)
class Waiter:
    """Makes waits.

    Attributes:
        api: tells the revisions between which a wait has read.
        kubeconfig: how ready reaches the server; a faulty way may lie between.
        clock: a monotonic clock in seconds.
        idle: sessions of waits that have ended.
    """

    api: Api
    kubeconfig: Path
    clock: Callable[[], float] = time.monotonic
    idle: queue.SimpleQueue[ApiSession] = field(default_factory=queue.SimpleQueue)

    def by_engine(self, plan: Plan) -> Wait:
        """Wait as the module does, in this process.

        Raises:
            Broken: it ended with an error.
        """
        options = {name: getattr(plan, name) for name in ENGINE_OPTIONS}
        # A session that is open already begins to read at once, before the controllers have seen what has just been changed.
        session = self._session()
        before = self.api.revision()
        started = self.clock()
        try:
            outcome = wait_until_current(session, [_target(goal) for goal in plan.goals], timeout=plan.timeout, clock=self.clock, **options)
        except MeshError as error:
            raise Broken(str(error)) from error
        ended, after = self.clock(), self.api.revision()
        self.idle.put(session)
        reported = tuple(
            Reported(goal, verdict.status, verdict.reason, verdict.message, verdict.final)
            for goal, (_target, verdict) in zip(plan.goals, outcome.verdicts, strict=True)
        )
        return self._wait(plan, "engine", reported, outcome.current, (started + outcome.elapsed, ended), outcome.elapsed, before, after)

    def by_module(self, plan: Plan) -> Wait:
        """Wait with the module, as Ansible runs it.

        Raises:
            Broken: it gave no verdicts.
        """
        targets = [_module_target(goal) for goal in plan.goals]
        options = {name: getattr(plan, name) for name in ENGINE_OPTIONS if name in _module_options()}
        arguments = {"kubeconfig": str(self.kubeconfig), "targets": targets, "timeout": int(plan.timeout), **options}
        before, started = self.api.revision(), self.clock()
        done = subprocess.run(command_for("ready", arguments), cwd=REPOSITORY, env=dict(os.environ), check=False, capture_output=True, text=True, timeout=120)
        ended, after = self.clock(), self.api.revision()
        result = json.loads(done.stdout) if done.stdout.strip() else {"msg": done.stderr[-2000:]}
        if "targets" not in result:
            raise Broken(str(result.get("msg")))
        reported = tuple(
            Reported(
                goal, item["status"], item["reason"], item["message"], "It will not become ready by waiting" in result.get("msg", "") and len(plan.goals) == 1
            )
            for goal, item in zip(plan.goals, result["targets"], strict=True)
        )
        elapsed = float(result["elapsed"])
        return self._wait(plan, "module", reported, not result.get("failed"), (started + elapsed, ended), elapsed, before, after)

    def _session(self) -> ApiSession:
        with contextlib.suppress(queue.Empty):
            return self.idle.get_nowait()

        @dataclass(frozen=True)
        class Door:
            name: str
            kubeconfig: Path

        return open_session(Door("soak", self.kubeconfig))  # type: ignore[arg-type]

    @staticmethod
    def _wait(plan: Plan, way: str, reported: Sequence[Reported], current: bool, judged: tuple[float, float], elapsed: float, before: int, after: int) -> Wait:
        stable_for = plan.stable_for if "stable_for" in ENGINE_OPTIONS else 0.0
        return Wait(plan.number, way, plan.timeout, tuple(reported), current, judged, elapsed, before, after, stable_for, plan.fail_fast)


def _target(goal: Goal) -> Target:
    expectation = BindingExpectation(WaypointRef(*goal.waypoint.split("/"))) if goal.waypoint else None
    return Target(goal.kind, goal.name, goal.namespace, expectation)


def _module_target(goal: Goal) -> dict[str, Any]:
    namespace, _slash, name = goal.waypoint.partition("/")
    waypoint = {"waypoint": name, "waypoint_namespace": namespace} if name else {}
    return {"kind": goal.kind, "name": goal.name, "namespace": goal.namespace, **waypoint}


def _module_options() -> frozenset[str]:
    from ansible_collections.meshwright.ambient.plugins.modules import ready

    return frozenset(ready.OPTIONS)
