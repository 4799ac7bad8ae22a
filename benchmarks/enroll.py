"""Namespaces enrolled, and enrolled once more."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from benchmarks.audit import by_agent, count
from benchmarks.bare import Refused, selected
from benchmarks.bench import AGENT, MODE, TEAM, Bench
from benchmarks.commands import TaskRun, timed
from benchmarks.measure import Measured, Peer, PeerFailed, Row

ISTIOCTL_CANNOT = "it has no command that enrolls namespaces"
# How many connections the limit may use; the fastest is taken.
CONNECTIONS = (1, 2, 4, 8)


def rows(bench: Bench) -> list[Row]:
    """The rows of the smaller number; the larger one comes late, because its namespaces stay."""
    return [_row(bench, bench.sizes.enroll, "enroll-300"), _row(bench, bench.sizes.enroll, "enroll-300-again", again=True)]


def many_rows(bench: Bench) -> list[Row]:
    return [_row(bench, bench.sizes.enroll_many, "enroll-1000")]


def _row(bench: Bench, number: int, name: str, *, again: bool = False) -> Row:
    scenario = _Scenario(bench, number, again)
    looped = f"from {bench.sizes.loop} items"
    peers = [
        Peer("ours", scenario.ours),
        Peer("kubectl", scenario.kubectl),
        Peer("k8s_list", scenario.k8s_list),
        Peer("k8s_loop", scenario.k8s_loop, extrapolated=looped),
        Peer("limit", scenario.limit),
        Peer("empty_play", scenario.empty_play),
    ]
    return Row(
        name=name,
        unit="s",
        title=f"{number:,} namespaces enrolled{' again, nothing to change' if again else ''}",
        peers=peers,
        prepare=scenario.prepare,
        reset=scenario.reset,
        clean=lambda: bench.label_namespaces(number, {MODE: None}),
        cannot={"istioctl": ISTIOCTL_CANNOT},
        extras=scenario.extras,
    )


@dataclass
class _Scenario:
    """The same work by everybody: this many namespaces get the label, or have it already (again)."""

    bench: Bench
    number: int
    again: bool
    connections: int = 4
    extras: dict[str, Any] = field(default_factory=dict)

    def prepare(self) -> None:
        self.bench.ensure_namespaces(self.number)
        taken = {}
        for connections in CONNECTIONS:
            self.reset()
            label = functools.partial(self.bench.label_namespaces, self.number, {MODE: "ambient"}, connections)
            taken[connections] = self._timed(label)
        self.connections = min(taken, key=lambda connections: taken[connections])
        self.extras["limit_connections"] = self.connections

    def reset(self) -> None:
        self.bench.label_namespaces(self.number, {MODE: "ambient" if self.again else None})
        self.bench.settle()

    def ours(self) -> Measured:
        arguments = {"namespaces": [{"label_selector": TEAM, "dataplane_mode": "ambient"}]}
        self.bench.audit.mark()
        task = self.bench.task("ours", "meshwright.ambient.enrollment", arguments)
        done = self.bench.play({"name": "empty", "ansible.builtin.ping": {}}, task)
        self.extras["requests"] = count(self.bench.audit.since(), by_agent(AGENT))
        self._check(done["ours"])
        return {"ours": done["ours"].seconds, "empty_task": done["empty"].seconds, "ours_process": done.seconds}

    def kubectl(self) -> Measured:
        command = ["kubectl", "label", "namespaces", "-l", TEAM, f"{MODE}=ambient", "--overwrite"]
        seconds = timed(command, self.bench.environment)
        self._check()
        return {"kubectl": seconds}

    def k8s_list(self) -> Measured:
        definition = [_definition(name) for name in self.bench.namespaces(self.number)]
        self.bench.audit.mark()
        done = self.bench.play(self.bench.task("list", "kubernetes.core.k8s", {"state": "present", "definition": definition}))
        self.extras["requests_k8s_list"] = count(self.bench.audit.since(), by_agent("OpenAPI-Generator"))
        self._check(done["list"])
        return {"k8s_list": done["list"].seconds}

    def k8s_loop(self) -> Measured:
        names = self.bench.namespaces(self.bench.sizes.loop)
        arguments = {"state": "present", "definition": _definition("{{ item }}")}
        done = self.bench.play(self.bench.task("loop", "kubernetes.core.k8s", arguments, loop=names))
        return {"k8s_loop": done["loop"].seconds / len(names) * self.number}

    def limit(self) -> Measured:
        seconds = self._timed(lambda: self.bench.label_namespaces(self.number, {MODE: "ambient"}, self.connections))
        self._check()
        return {"limit": seconds}

    def empty_play(self) -> Measured:
        return {"empty_play": self.bench.play({"name": "empty", "ansible.builtin.ping": {}}).seconds}

    def _check(self, task: TaskRun | None = None) -> None:
        """That the work was done: a fast failure is no success."""
        labelled = self.bench.client.get(selected("/api/v1/namespaces", f"{TEAM},{MODE}=ambient"))["items"]
        if len(labelled) != self.number:
            raise PeerFailed(f"{len(labelled)} of {self.number} namespaces were enrolled")
        if task and bool(task.result.get("changed")) == self.again:
            raise PeerFailed(f"the task reported changed={task.result.get('changed')}")

    @staticmethod
    def _timed(scenario: Callable[[], None]) -> float:
        started = monotonic()
        try:
            scenario()
        except Refused as error:
            raise PeerFailed(str(error)) from error
        return monotonic() - started


def _definition(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {MODE: "ambient"}}}
