"""What all rows share: the twin, its environment, a bare client, the sizes of the work, and a quiet machine before each turn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psutil

from benchmarks.audit import AuditLog
from benchmarks.bare import BareClient, Request, label_patch
from benchmarks.commands import PlayRun, play
from twin.paths import TwinPaths

TEAM = "team=bench"
MODE = "istio.io/dataplane-mode"
AGENT = "meshwright.ambient"

# A machine is quiet when this share of its time (in percent) is used in two looks, one after the other.
QUIET_PERCENT = 25
LONGEST_SETTLING_SECONDS = 5.0


@dataclass(frozen=True)
class Sizes:
    """How much of everything."""

    enroll: int = 300
    enroll_many: int = 1000
    waypoints: int = 200
    loop: int = 20
    one_by_one: int = 10
    polled_one_by_one: int = 4
    events: int = 40
    process_events: int = 4
    wait_objects: int = 300
    wait_seconds: float = 60.0
    pods: tuple[int, ...] = (0, 1000, 3000, 10000)
    pod_namespaces: int = 100


QUICK = Sizes(
    enroll=30, enroll_many=60, waypoints=6, loop=3, one_by_one=2, polled_one_by_one=1, events=10, process_events=1,
    wait_objects=20, wait_seconds=10.0, pods=(0, 100, 300, 1000), pod_namespaces=10,
)  # fmt: skip


@dataclass
class Bench:
    """One run of the benchmark on one twin."""

    paths: TwinPaths
    environment: dict[str, str]
    sizes: Sizes
    log: Callable[[str], None]

    def __post_init__(self) -> None:
        self.kubeconfig = self.paths.kubeconfig
        self.client = BareClient(self.kubeconfig)
        self.audit = AuditLog(self.paths.audit_log, self.client)

    def task(self, name: str, module: str, arguments: dict[str, Any], **more: Any) -> dict[str, Any]:
        """One task of a play against the twin."""
        return {"name": name, module: {"kubeconfig": str(self.kubeconfig), **arguments}, **more}

    def play(self, *tasks: dict[str, Any]) -> PlayRun:
        return play(tasks, self.environment)

    def namespaces(self, count: int) -> list[str]:
        return [f"bench-{number:04}" for number in range(1, count + 1)]

    def ensure_namespaces(self, count: int) -> None:
        """Make the namespaces that are not there yet, and wait for the ServiceAccount that each gets."""
        label, _equals, value = TEAM.partition("=")
        bodies = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {label: value}}} for name in self.namespaces(count)]
        self.client.send_all([Request("POST", "/api/v1/namespaces", body, accepted=(409,)) for body in bodies])
        path = "/api/v1/serviceaccounts"
        with self.client.follow(path) as followed:
            keys = [(name, "default") for name in self.namespaces(count)]
            followed.wait([path], keys, lambda key: key in followed.objects[path], 300)
        self.settle()

    def label_namespaces(self, count: int, labels: dict[str, str | None], connections: int = 0) -> None:
        """Label the first namespaces with the bare client."""
        self.client.send_all([label_patch(f"/api/v1/namespaces/{name}", labels) for name in self.namespaces(count)], connections)

    def settle(self) -> None:
        """Wait until what the last turn left to the controllers is done, but not for long: others may use the machine too."""
        quiet = 0
        for _poll in range(round(LONGEST_SETTLING_SECONDS / 0.25)):
            quiet = quiet + 1 if psutil.cpu_percent(interval=0.25) < QUIET_PERCENT else 0
            if quiet >= 2:
                return
