"""What a wait asks of the API server: many objects, none ready until the end."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from time import monotonic, sleep
from typing import Any

from benchmarks.audit import by_impersonated, count
from benchmarks.bare import Key, Object, Request, label_patch, selected
from benchmarks.bench import Bench
from benchmarks.commands import started_play
from benchmarks.measure import Measured, Peer, PeerFailed, Row
from twin.paths import REPOSITORY

NAMESPACE = "bench-0001"
LABEL = "bench"
VALUE = "wait"
DEPLOYMENTS = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"
PODS = selected(f"/api/v1/namespaces/{NAMESPACE}/pods", f"{LABEL}={VALUE}")
# Pods ask for a node with this label; nodes get it when the wait is to end.
GATE = "bench/open"
ADMINISTRATORS = "system:masters"
# How long programs have to start and to see the end, beside the wait itself.
SLACK_SECONDS = 120


def rows(bench: Bench, instances: int) -> list[Row]:
    """The row; all waits, several of each peer, share one window of time, because a count does not depend on the clock."""
    scenario = _Scenario(bench, instances)
    sizes = bench.sizes
    return [
        Row(
            name="wait-requests",
            unit="requests",
            title=f"requests during a wait of {sizes.wait_seconds:.0f} s for {sizes.wait_objects} Deployments",
            peers=[Peer("waits", scenario.wait, rounds=1, remark=f"{instances} waits of each, all in the same {sizes.wait_seconds:.0f} s")],
            prepare=scenario.prepare,
            clean=scenario.clean,
            cannot={"istioctl": "it waits for waypoints only", "k8s_loop": "one task per object, each as long as the first is not ready"},
            extras=scenario.extras,
        )
    ]


@dataclass
class _Scenario:
    bench: Bench
    instances: int
    extras: dict[str, Any] = field(default_factory=dict)

    @property
    def keys(self) -> list[Key]:
        return [(NAMESPACE, f"wait-{number:03}") for number in range(1, self.bench.sizes.wait_objects + 1)]

    def prepare(self) -> None:
        self.bench.ensure_namespaces(1)
        self._gate(None)
        self.bench.client.send_all([Request("POST", DEPLOYMENTS, _deployment(name), accepted=(409,)) for _namespace, name in self.keys])
        with self.bench.client.follow(PODS) as followed:
            followed.wait_until([PODS], lambda objects: len(objects[PODS]) == len(self.keys), 120)
        self.bench.settle()

    def clean(self) -> None:
        self.bench.client.send_all([Request("DELETE", f"{DEPLOYMENTS}/{name}", accepted=(404,)) for _namespace, name in self.keys])
        self._gate(None)
        with self.bench.client.follow(PODS) as followed:
            followed.wait_until_gone([PODS], lambda _key: True, 300)

    def wait(self) -> Measured:
        """Start all waits, each under a name of its own, open the gate at the end of the window, and count."""
        seconds = self.bench.sizes.wait_seconds
        self.bench.audit.mark()
        with ExitStack() as stack:
            plays, processes = {}, {}
            for number in range(1, self.instances + 1):
                processes[f"ours-{number}"] = stack.enter_context(self._started(self._ours(f"ours-{number}")))
                processes[f"kubectl-{number}"] = stack.enter_context(self._started(self._kubectl(f"kubectl-{number}")))
                plays[f"k8s_list-{number}"] = stack.enter_context(started_play([self._info(f"k8s_list-{number}")], self.bench.environment))
            ends = monotonic() + seconds
            while monotonic() < ends:
                sleep(max(min(10.0, ends - monotonic()), 0.0))
                self.bench.log(f"{max(ends - monotonic(), 0.0):.0f} s of the wait are left")
            early = [name for name, process in processes.items() if process.poll() is not None]
            if early:
                raise PeerFailed(f"{', '.join(early)} did not wait until the end")
            self._gate("true")
            for name, process in processes.items():
                if process.wait(timeout=SLACK_SECONDS):
                    raise PeerFailed(f"{name} ended with {process.returncode}")
            for running in plays.values():
                running.finish()
        events = self.bench.audit.since()
        counts = {name: count(events, by_impersonated(name)) for name in (*processes, *plays)}
        self.extras["requests"] = counts["ours-1"]
        self.extras["requests_kubectl"] = counts["kubectl-1"]
        self.extras["requests_k8s_list"] = counts["k8s_list-1"]
        numbers = range(1, self.instances + 1)
        return {peer: [float(sum(counts[f"{peer}-{number}"].values())) for number in numbers] for peer in ("ours", "kubectl", "k8s_list")}

    def _ours(self, user: str) -> list[str]:
        targets = [{"kind": "Deployment", "namespace": namespace, "name": name} for namespace, name in self.keys]
        arguments = {"targets": targets, "timeout": self._timeout, **self._as(user)}
        return [sys.executable, "-m", "tests.twin.support.run_module", "ready", json.dumps({"kubeconfig": str(self.bench.kubeconfig), **arguments})]

    def _kubectl(self, user: str) -> list[str]:
        impersonation = [f"--as={user}", f"--as-group={ADMINISTRATORS}"]
        return [
            "kubectl",
            "wait",
            "deployment",
            "--all",
            "--for=condition=Available",
            f"--namespace={NAMESPACE}",
            f"--timeout={self._timeout}s",
            *impersonation,
        ]

    def _info(self, user: str) -> dict[str, Any]:
        what = {"api_version": "apps/v1", "kind": "Deployment", "namespace": NAMESPACE, "label_selectors": [f"{LABEL}={VALUE}"]}
        condition = {"type": "Available", "status": "True"}
        arguments = {**what, "wait": True, "wait_condition": condition, "wait_timeout": self._timeout, **self._as(user)}
        return self.bench.task("wait", "kubernetes.core.k8s_info", arguments)

    @property
    def _timeout(self) -> int:
        return round(self.bench.sizes.wait_seconds) + SLACK_SECONDS

    @staticmethod
    def _as(user: str) -> dict[str, Any]:
        return {"impersonate_user": user, "impersonate_groups": [ADMINISTRATORS]}

    @contextmanager
    def _started(self, command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
        """A program that runs while the block does something else; what it says is not needed."""
        process = subprocess.Popen(command, cwd=REPOSITORY, env=self.bench.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(timeout=30)

    def _gate(self, value: str | None) -> None:
        nodes = self.bench.client.get(selected("/api/v1/nodes", "kubernetes.io/hostname"))["items"]
        self.bench.client.send_all([label_patch(f"/api/v1/nodes/{node['metadata']['name']}", {GATE: value}) for node in nodes])


def _deployment(name: str) -> Object:
    labels = {"app": name, LABEL: VALUE}
    pod = {"nodeSelector": {GATE: "true"}, "containers": [{"name": "app", "image": "example.com/app:1"}], "terminationGracePeriodSeconds": 0}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": labels},
        "spec": {"selector": {"matchLabels": {"app": name}}, "template": {"metadata": {"labels": labels}, "spec": pod}},
    }
