"""How late a wait returns: from the answer to the write that made it true, to the moment that the waiter knows."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import count
from threading import Thread
from time import monotonic, sleep, time
from typing import Any

from benchmarks.bare import MERGE_PATCH, Object, Request
from benchmarks.bench import Bench
from benchmarks.commands import started_play
from benchmarks.measure import Measured, Peer, PeerFailed, Row, distribution, percentile
from twin.paths import REPOSITORY

NAMESPACE = "bench-0001"
GATEWAYS = f"/apis/gateway.networking.k8s.io/v1/namespaces/{NAMESPACE}/gateways"
# Between the start of a wait in a running process and the change, in seconds.
BEFORE_CHANGE = (0.1, 0.3)
# How long whole processes get to start and to begin their wait.
STARTING_SECONDS = 8.0
BETWEEN_CHANGES = (0.15, 0.45)
LIMIT_SECONDS = 60


def rows(bench: Bench, rounds: int) -> list[Row]:
    scenario = _Scenario(bench)
    events, processes = bench.sizes.events, bench.sizes.process_events
    return [
        Row(
            name="readiness-lag-p99",
            unit="ms",
            title=f"readiness seen after the truth, 99th percentile of {events * rounds} events",
            peers=[
                Peer("ours", scenario.ours, remark="this collection and the limit wait in a process that runs already"),
                Peer("limit", scenario.limit),
                Peer("processes", scenario.processes, remark=f"whole processes: {processes * rounds} events for each, so their 99th percentile is the largest"),
            ],
            prepare=lambda: bench.ensure_namespaces(1),
            reset=bench.settle,
            clean=scenario.clean,
            cannot={"istioctl": "it waits for waypoints only, and looks once a second", "k8s_loop": "as k8s_list: it polls every 5 s"},
            summary=lambda values: percentile(values, 0.99),
            extras=scenario.extras,
        )
    ]


@dataclass
class _Scenario:
    """Gateways of a class that nobody serves: their status is ours to write."""

    bench: Bench
    extras: dict[str, Any] = field(default_factory=lambda: {"distribution": {}})
    _values: dict[str, list[float]] = field(default_factory=dict)
    _numbers: count[int] = field(default_factory=lambda: count(1))

    def ours(self) -> Measured:
        return self._kept({"ours": self._in_process("ours")})

    def limit(self) -> Measured:
        return self._kept({"limit": self._in_process("bare")})

    def processes(self) -> Measured:
        """Waits of several programs at once, each for its own object; the changes come one by one."""
        number = self.bench.sizes.process_events
        names = self._create(3 * number)
        done: dict[str, float] = {}
        changed: dict[str, float] = {}
        failures: list[str] = []

        def watch_end(name: str, process: subprocess.Popen[bytes]) -> None:
            if process.wait(timeout=LIMIT_SECONDS * 2):
                failures.append(f"the wait for {name} ended with {process.returncode}")
            done[name] = time()

        with ExitStack() as stack:
            threads = []
            for name in names[: 2 * number]:
                command = self._module(name) if name in names[:number] else self._kubectl(name)
                process = stack.enter_context(
                    subprocess.Popen(command, cwd=REPOSITORY, env=self.bench.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                )
                threads.append(Thread(target=watch_end, args=(name, process), daemon=True))
                threads[-1].start()
            plays = {name: stack.enter_context(started_play([self._info(name)], self.bench.environment)) for name in names[2 * number :]}
            sleep(STARTING_SECONDS)
            early = sorted(done)
            for name in random.sample(names, len(names)):
                self._make_true(name)
                changed[name] = time()
                sleep(random.uniform(*BETWEEN_CHANGES))
            for thread in threads:
                thread.join()
            done.update({name: running.finish()["wait"].ended for name, running in plays.items()})
        self._delete(names)
        if failures or early:
            raise PeerFailed(failures[0] if failures else f"{len(early)} waits ended before the change")
        lags = {name: 1000 * (done[name] - changed[name]) for name in names}
        return self._kept(
            {
                "ours_process": [lags[name] for name in names[:number]],
                "kubectl": [lags[name] for name in names[number : 2 * number]],
                "k8s_list": [lags[name] for name in names[2 * number :]],
            }
        )

    def clean(self) -> None:
        items = self.bench.client.get(GATEWAYS)["items"]
        self._delete([item["metadata"]["name"] for item in items if item["spec"]["gatewayClassName"] == "bench"])

    def _in_process(self, waiter: str) -> list[float]:
        """One process waits for one object after the other; both sides read the same monotonic clock."""
        names = self._create(self.bench.sizes.events)
        command = [sys.executable, "-m", "benchmarks.waiter", waiter, str(self.bench.kubeconfig), NAMESPACE]
        lags = []
        with subprocess.Popen(command, cwd=REPOSITORY, env=self.bench.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            if process.stdin is None or process.stdout is None:
                raise PeerFailed("the waiter has no pipes")
            for name in names:
                process.stdin.write(f"{name}\n")
                process.stdin.flush()
                if not process.stdout.readline():
                    raise PeerFailed(f"the waiter {waiter} ended with {process.wait()}")
                sleep(random.uniform(*BEFORE_CHANGE))
                self._make_true(name)
                changed = monotonic()
                returned = process.stdout.readline()
                if not returned:
                    raise PeerFailed(f"the waiter {waiter} ended with {process.wait()}")
                lags.append(1000 * (float(returned) - changed))
            process.stdin.close()
        self._delete(names)
        return lags

    def _kept(self, measured: dict[str, list[float]]) -> Measured:
        for name, values in measured.items():
            self._values.setdefault(name, []).extend(values)
            self.extras["distribution"][name] = distribution(self._values[name])
        return measured

    def _create(self, number: int) -> list[str]:
        names = [f"lag-{next(self._numbers):04}" for _each in range(number)]
        self.bench.client.send_all([Request("POST", GATEWAYS, _gateway(name), accepted=(409,)) for name in names])
        return names

    def _delete(self, names: list[str]) -> None:
        self.bench.client.send_all([Request("DELETE", f"{GATEWAYS}/{name}", accepted=(404,)) for name in names])

    def _make_true(self, name: str) -> None:
        since = "2026-01-01T00:00:00Z"
        conditions = [
            {"type": kind, "status": "True", "reason": kind, "message": "", "observedGeneration": 1, "lastTransitionTime": since}
            for kind in ("Accepted", "Programmed")
        ]
        body = {"status": {"conditions": conditions, "addresses": [{"type": "Hostname", "value": "bench.example.com"}]}}
        self.bench.client.send_all([Request("PATCH", f"{GATEWAYS}/{name}/status", body, MERGE_PATCH)])

    def _module(self, name: str) -> list[str]:
        targets = [{"kind": "Gateway", "namespace": NAMESPACE, "name": name}]
        arguments = {"kubeconfig": str(self.bench.kubeconfig), "targets": targets, "timeout": LIMIT_SECONDS}
        return [sys.executable, "-m", "tests.twin.support.run_module", "ready", json.dumps(arguments)]

    @staticmethod
    def _kubectl(name: str) -> list[str]:
        return ["kubectl", "wait", f"gateway/{name}", "--for=condition=Programmed", f"--namespace={NAMESPACE}", f"--timeout={LIMIT_SECONDS}s"]

    def _info(self, name: str) -> dict[str, Any]:
        condition = {"type": "Programmed", "status": "True"}
        what = {"api_version": "gateway.networking.k8s.io/v1", "kind": "Gateway", "namespace": NAMESPACE, "name": name}
        return self.bench.task("wait", "kubernetes.core.k8s_info", {**what, "wait": True, "wait_condition": condition, "wait_timeout": LIMIT_SECONDS})


def _gateway(name: str) -> Object:
    # An address of type Hostname: no Deployment is expected behind it.
    address = {"type": "Hostname", "value": "bench.example.com"}
    listener = {"name": "http", "port": 80, "protocol": "HTTP"}
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": {"name": name},
        "spec": {"gatewayClassName": "bench", "addresses": [address], "listeners": [listener]},
    }
