"""Memory and time of a module that looks at many pods."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from time import monotonic
from typing import Any

from benchmarks.bare import MERGE_PATCH, Object, Request, selected
from benchmarks.bench import MODE, Bench
from benchmarks.commands import LIMIT_SECONDS
from benchmarks.measure import Measured, Peer, PeerFailed, Row, rounded
from twin.paths import REPOSITORY
from twin.supervisor import AGENT, Supervisor

# No scheduler has this name: nobody but us ever writes to these pods.
SCHEDULER = "nobody"
SELECTOR = "bench=memory"
MEGABYTE = 1_000_000
WRITERS = 8


def rows(bench: Bench, rounds: int) -> list[Row]:
    scenario = _Scenario(bench, rounds)
    pods = bench.sizes.pods[-1]
    return [
        Row(
            name="memory-10000-pods",
            unit="MB",
            title=f"peak memory of the module at {pods:,} pods",
            peers=[
                Peer("ours", scenario.ours),
                Peer("k8s_list", scenario.k8s_info, rounds=3, remark="kubernetes.core.k8s_info lists the same pods, 3 rounds"),
                Peer("empty_module", scenario.empty),
            ],
            prepare=scenario.prepare,
            reset=bench.settle,
            clean=scenario.clean,
            cannot={
                "kubectl": "it is no module",
                "istioctl": "it is no module",
                "k8s_loop": "a loop over namespaces holds fewer pods at a time",
                "limit": "a client that keeps nothing needs nothing",
            },
            extras=scenario.extras,
        )
    ]


@dataclass
class _Scenario:
    bench: Bench
    rounds: int
    extras: dict[str, Any] = field(default_factory=lambda: {"growth": []})
    _made: int = 0
    _largest: list[tuple[float, float]] = field(default_factory=list)

    @property
    def _supervisor(self) -> Supervisor:
        return Supervisor(self.bench.paths)

    @property
    def namespaces(self) -> list[str]:
        return self.bench.namespaces(self.bench.sizes.pod_namespaces)

    def prepare(self) -> None:
        """Make the pods in steps; at each step, see what the module takes."""
        self.bench.ensure_namespaces(len(self.namespaces))
        self.bench.label_namespaces(len(self.namespaces), {MODE: "ambient"})
        # The twin's agent looks at all pods whenever one changes, and has nothing to do here.
        self._supervisor.set_running(AGENT, False)
        for number in self.bench.sizes.pods:
            self._make_pods(number)
            self.bench.log(f"{number:,} pods are there")
            if number != self.bench.sizes.pods[-1]:
                self._note(number, [self._settled() for _round in range(self.rounds)])

    def clean(self) -> None:
        paths = [f"{selected(f'/api/v1/namespaces/{namespace}/pods', SELECTOR)}&gracePeriodSeconds=0" for namespace in self.namespaces]
        try:
            self.bench.client.send_all([Request("DELETE", path) for path in paths])
        finally:
            self._supervisor.set_running(AGENT, True)
        self.bench.label_namespaces(len(self.namespaces), {MODE: None})

    def ours(self) -> Measured:
        self._largest.append(self._ours())
        self._note(self._made, self._largest)
        return {"ours": self._largest[-1][0]}

    def k8s_info(self) -> Measured:
        arguments = {"kind": "Pod", "label_selectors": [SELECTOR]}
        megabytes, seconds, result = self._peak("kubernetes.core.k8s_info", arguments)
        if len(result.get("resources", ())) != self._made:
            raise PeerFailed(f"it saw {len(result.get('resources', ()))} pods")
        self.extras.setdefault("seconds_k8s_list", []).append(rounded(seconds))
        return {"k8s_list": megabytes}

    def empty(self) -> Measured:
        """What Python, Ansible's module code and the Kubernetes client take before any pod is read."""
        megabytes, _seconds, _result = self._peak("kubernetes.core.k8s_info", {"kind": "Namespace", "name": "default"})
        return {"empty_module": megabytes}

    def _settled(self) -> tuple[float, float]:
        self.bench.settle()
        return self._ours()

    def _ours(self) -> tuple[float, float]:
        targets = [{"kind": "enrollment", "namespace": namespace} for namespace in self.namespaces]
        megabytes, seconds, result = self._peak("meshwright.ambient.ready", {"targets": targets, "timeout": 0})
        captured = sum(len(target["details"]["captured"]) for target in result["targets"])
        if result.get("failed") or captured != self._made:
            raise PeerFailed(f"{captured} of {self._made} pods were reported as captured: {str(result.get('msg', ''))[:200]}")
        return megabytes, seconds

    def _note(self, number: int, values: list[tuple[float, float]]) -> None:
        megabytes, seconds = (rounded(median(column)) for column in zip(*values, strict=True))
        steps = [step for step in self.extras["growth"] if step["pods"] != number]
        self.extras["growth"] = [*steps, {"pods": number, "seconds": seconds, "megabytes": megabytes}]

    def _peak(self, module: str, arguments: dict[str, Any]) -> tuple[float, float, dict[str, Any]]:
        """Run a module in a process of its own: its peak in MB, its time in seconds, its result."""
        given = json.dumps({"kubeconfig": str(self.bench.kubeconfig), **arguments})
        with tempfile.TemporaryDirectory(prefix="benchmark-") as directory:
            file = Path(directory) / "peak"
            command = [sys.executable, "-m", "benchmarks.peak", str(file), module, given]
            started = monotonic()
            done = subprocess.run(command, cwd=REPOSITORY, env=self.bench.environment, check=False, capture_output=True, text=True, timeout=LIMIT_SECONDS)
            elapsed = monotonic() - started
            if not done.stdout.strip() or not file.exists():
                raise PeerFailed(f"{module} ended with {done.returncode}: {done.stderr.strip()[-300:]}")
            result = json.loads(done.stdout)
            if module.startswith("kubernetes.") and result.get("failed"):
                raise PeerFailed(f"{module}: {result.get('msg')}")
            return int(file.read_text()) / MEGABYTE, elapsed, result

    def _make_pods(self, number: int) -> None:
        """Pods of no node, running and captured by what their status says."""
        each, begin = number // len(self.namespaces), self._made // len(self.namespaces)
        places = [(namespace, pod) for pod in range(begin, each) for namespace in self.namespaces]
        create = [Request("POST", f"/api/v1/namespaces/{namespace}/pods", pod_body(pod), accepted=(409,)) for namespace, pod in places]
        self.bench.client.send_all(create, WRITERS)
        status = [
            Request("PATCH", f"/api/v1/namespaces/{namespace}/pods/{_name(pod)}/status", pod_status(number, pod), MERGE_PATCH)
            for number, (namespace, pod) in enumerate(places, self._made)
        ]
        self.bench.client.send_all(status, WRITERS)
        self._made = number


def pod_body(pod: int) -> Object:
    """A pod as a Deployment of a usual application makes it."""
    probe = {"httpGet": {"path": "/healthz", "port": 8080}, "initialDelaySeconds": 5, "periodSeconds": 10}
    environment: list[Object] = [{"name": f"SETTING_{number}", "value": f"value-of-setting-{number}"} for number in range(12)]
    environment.append({"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}})
    container = {
        "name": "app",
        "image": "registry.example.com/team/app:1.2.3",
        "env": environment,
        "ports": [{"name": "http", "containerPort": 8080}],
        "readinessProbe": probe,
        "livenessProbe": probe,
        "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}},
        "volumeMounts": [{"name": "configuration", "mountPath": "/etc/app"}, {"name": "scratch", "mountPath": "/tmp"}],  # noqa: S108
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": _name(pod), "labels": {"app": "app", "version": "v1", "bench": "memory"}, "annotations": {"example.com/commit": "0" * 40}},
        "spec": {
            "schedulerName": SCHEDULER,
            "containers": [container],
            "volumes": [{"name": "configuration", "configMap": {"name": "app", "optional": True}}, {"name": "scratch", "emptyDir": {}}],
        },
    }


def pod_status(number: int, pod: int) -> Object:
    """Running, ready and captured; every pod of the cluster has an address of its own."""
    since = "2026-01-01T00:00:00Z"
    address = f"198.18.{number // 250}.{number % 250 + 1}"
    conditions = [{"type": kind, "status": "True", "lastTransitionTime": since} for kind in ("PodScheduled", "Initialized", "ContainersReady", "Ready")]
    image = "registry.example.com/team/app"
    container = {
        "name": "app",
        "image": f"{image}:1.2.3",
        "imageID": f"{image}@sha256:{pod:064x}",
        "containerID": f"containerd://{number:064x}",
        "ready": True,
        "restartCount": 0,
        "started": True,
        "state": {"running": {"startedAt": since}},
    }
    return {
        "metadata": {"annotations": {"ambient.istio.io/redirection": "enabled"}},
        "status": {
            "phase": "Running",
            "podIP": address,
            "podIPs": [{"ip": address}],
            "hostIP": "127.0.0.1",
            "startTime": since,
            "conditions": conditions,
            "containerStatuses": [container],
        },
    }


def _name(pod: int) -> str:
    return f"app-{pod:04}"
