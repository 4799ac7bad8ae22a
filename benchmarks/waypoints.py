"""Waypoints created and truly ready: programmed at their generation, with an available Deployment behind them."""

from __future__ import annotations

import json
import subprocess
import threading
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from benchmarks.audit import by_agent, count
from benchmarks.bare import Followed, Key, Object, Request, selected
from benchmarks.bench import AGENT, Bench
from benchmarks.commands import LIMIT_SECONDS, TaskRun, timed
from benchmarks.measure import Measured, Peer, PeerFailed, Row

NAME = "waypoint"
GATEWAYS = "/apis/gateway.networking.k8s.io/v1/gateways"
# All that istiod makes for a waypoint carries the class; bookinfo's own is another namespace's.
_OF_WAYPOINTS = "gateway.networking.k8s.io/gateway-class-name=istio-waypoint"
DEPLOYMENTS = selected("/apis/apps/v1/deployments", _OF_WAYPOINTS)
PODS = selected("/api/v1/pods", _OF_WAYPOINTS)


def rows(bench: Bench) -> list[Row]:
    number = bench.sizes.waypoints
    scenario = _Scenario(bench)
    few, fewer = bench.sizes.one_by_one, bench.sizes.polled_one_by_one
    first = Row(
        name="waypoints-200",
        unit="s",
        title=f"{number:,} waypoints created and truly ready",
        peers=[
            Peer("ours", scenario.ours),
            Peer("limit", scenario.limit),
            Peer("istioctl", scenario.istioctl, rounds=3, extrapolated=f"from {few} waypoints, 3 rounds"),
            Peer("k8s_list", scenario.k8s_list, rounds=1, extrapolated=f"from {fewer} waypoints, 1 round; it polls one after the other"),
        ],
        prepare=lambda: bench.ensure_namespaces(number),
        reset=scenario.remove,
        cannot={"k8s_loop": "it waits for one after the other, as k8s_list does", "kubectl": "it is the limit: kubectl create, and a watch"},
        extras=scenario.extras,
    )
    again = _Again(bench)
    second = Row(
        name="waypoints-200-again",
        unit="s",
        title=f"{number:,} waypoints again, nothing to change",
        peers=[
            Peer("ours", again.ours),
            Peer("istioctl", again.istioctl, rounds=3, extrapolated=f"from {few} waypoints, 3 rounds"),
            Peer("k8s_list", again.k8s_list, rounds=3),
        ],
        prepare=again.prepare,
        reset=bench.settle,
        clean=scenario.remove,
        cannot={"limit": "there is nothing to create", "k8s_loop": "not measured; k8s_list is faster", "kubectl": "kubectl create refuses what is there"},
        extras=again.extras,
    )
    return [first, second]


@dataclass
class _Scenario:
    bench: Bench
    extras: dict[str, Any] = field(default_factory=dict)

    @property
    def keys(self) -> list[Key]:
        return [(name, NAME) for name in self.bench.namespaces(self.bench.sizes.waypoints)]

    def ours(self) -> Measured:
        waypoints = [{"namespace": namespace, "name": NAME} for namespace, _name in self.keys]
        arguments = {"waypoints": waypoints, "wait": True, "wait_timeout": LIMIT_SECONDS}
        self.bench.audit.mark()
        task = self.bench.task("ours", "meshwright.ambient.waypoint", arguments)
        done = self.bench.play({"name": "empty", "ansible.builtin.ping": {}}, task)
        self.extras["requests"] = count(self.bench.audit.since(), by_agent(AGENT))
        self.check(done["ours"])
        return {"ours": done["ours"].seconds, "empty_task": done["empty"].seconds}

    def limit(self) -> Measured:
        """kubectl create, while a bare watch looks for the moment when all is there."""
        manifests = json.dumps({"apiVersion": "v1", "kind": "List", "items": [manifest(*key) for key in self.keys]})
        with self.bench.client.follow(GATEWAYS, DEPLOYMENTS) as followed:
            started = monotonic()
            kubectl = threading.Thread(target=self._create, args=(manifests,))
            kubectl.start()
            _wait_until_ready(followed, self.keys)
            elapsed = monotonic() - started
            kubectl.join()
        return {"limit": elapsed}

    def istioctl(self) -> Measured:
        started = monotonic()
        few = self.bench.sizes.one_by_one
        for namespace, name in self.keys[:few]:
            timed(["istioctl", "waypoint", "apply", "--namespace", namespace, "--name", name, "--wait"], self.bench.environment)
        return {"istioctl": (monotonic() - started) / few * self.bench.sizes.waypoints}

    def k8s_list(self) -> Measured:
        few = self.bench.sizes.polled_one_by_one
        done = self.bench.play(self.k8s_task(self.keys[:few]))
        return {"k8s_list": done["list"].seconds / few * self.bench.sizes.waypoints}

    def k8s_task(self, keys: list[Key]) -> dict[str, Any]:
        condition = {"type": "Programmed", "status": "True"}
        definition = [manifest(*key) for key in keys]
        return self.bench.task("list", "kubernetes.core.k8s", {"state": "present", "definition": definition, "wait": True, "wait_condition": condition})

    def remove(self) -> None:
        """Delete the waypoints, and wait until their pods are gone."""
        paths = [f"/apis/gateway.networking.k8s.io/v1/namespaces/{namespace}/gateways/{name}" for namespace, name in self.keys]
        self.bench.client.send_all([Request("DELETE", path, accepted=(404,)) for path in paths])
        ours = {namespace for namespace, _name in self.keys}
        with self.bench.client.follow(PODS, DEPLOYMENTS) as followed:
            # Bookinfo's waypoint stays.
            followed.wait_until_gone([PODS, DEPLOYMENTS], lambda key: key[0] in ours, LIMIT_SECONDS)
        self.bench.settle()

    def check(self, task: TaskRun, *, changed: bool = True) -> None:
        """That all of them are as they should be, by our own eyes."""
        if bool(task.result.get("changed")) != changed:
            raise PeerFailed(f"the task reported changed={task.result.get('changed')}")
        gateways = {_key(item): item for item in self.bench.client.get(GATEWAYS)["items"]}
        deployments = {_key(item): item for item in self.bench.client.get(DEPLOYMENTS)["items"]}
        late = [key for key in self.keys if not ready(gateways.get(key), deployments.get(key))]
        if late:
            raise PeerFailed(f"{len(late)} of {len(self.keys)} waypoints were not ready, such as {late[0][0]}/{late[0][1]}")

    def _create(self, manifests: str) -> None:
        command = ["kubectl", "create", "-f", "-"]
        subprocess.run(command, env=self.bench.environment, input=manifests, text=True, check=False, capture_output=True, timeout=LIMIT_SECONDS)


class _Again(_Scenario):
    """The same with waypoints that are there already."""

    def prepare(self) -> None:
        self.bench.ensure_namespaces(self.bench.sizes.waypoints)
        bodies = [(f"/apis/gateway.networking.k8s.io/v1/namespaces/{key[0]}/gateways", manifest(*key)) for key in self.keys]
        self.bench.client.send_all([Request("POST", path, body, accepted=(409,)) for path, body in bodies])
        with self.bench.client.follow(GATEWAYS, DEPLOYMENTS) as followed:
            _wait_until_ready(followed, self.keys)
        # Each tool may write once what it would have written itself.
        self.bench.play(self._task())

    def ours(self) -> Measured:
        self.bench.audit.mark()
        done = self.bench.play(self._task())
        self.extras["requests"] = count(self.bench.audit.since(), by_agent(AGENT))
        self.check(done["ours"], changed=False)
        return {"ours": done["ours"].seconds}

    def k8s_list(self) -> Measured:
        return {"k8s_list": self.bench.play(self.k8s_task(self.keys))["list"].seconds}

    def _task(self) -> dict[str, Any]:
        waypoints = [{"namespace": namespace, "name": NAME} for namespace, _name in self.keys]
        return self.bench.task("ours", "meshwright.ambient.waypoint", {"waypoints": waypoints, "wait": True, "wait_timeout": LIMIT_SECONDS})


def manifest(namespace: str, name: str) -> Object:
    """A waypoint as istioctl and the module declare it."""
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": {"name": name, "namespace": namespace, "labels": {"istio.io/waypoint-for": "service"}},
        "spec": {"gatewayClassName": "istio-waypoint", "listeners": [{"name": "mesh", "port": 15008, "protocol": "HBONE"}]},
    }


def ready(gateway: Object | None, deployment: Object | None) -> bool:
    """Programmed at its generation, and an available Deployment at its own."""
    if gateway is None or deployment is None:
        return False
    programmed: Object = next((item for item in gateway.get("status", {}).get("conditions", ()) if item["type"] == "Programmed"), {})
    if programmed.get("status") != "True" or programmed.get("observedGeneration") != gateway["metadata"]["generation"]:
        return False
    status = deployment.get("status", {})
    return bool(status.get("availableReplicas", 0) >= 1 and status.get("observedGeneration") == deployment["metadata"]["generation"])


def _wait_until_ready(followed: Followed, keys: list[Key]) -> None:
    objects = followed.objects
    followed.wait([GATEWAYS, DEPLOYMENTS], keys, lambda key: ready(objects[GATEWAYS].get(key), objects[DEPLOYMENTS].get(key)), LIMIT_SECONDS)


def _key(item: Object) -> Key:
    return item["metadata"]["namespace"], item["metadata"]["name"]
