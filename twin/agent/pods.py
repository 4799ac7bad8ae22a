"""A node's kubelet for the pods that real processes stand for: each lives, is probed and dies with its pod."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
import ssl
import sys
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from twin.agent.container import arguments_of, environment_of, write_volumes
from twin.agent.files import write_private
from twin.agent.identity import Identity, identity_of
from twin.collection import POD, ApiError, ApiSession, Kind, Object, Write
from twin.errors import TwinError
from twin.kwok.real_processes import RealProcess
from twin.kwok.settings import TwinSettings
from twin.paths import MARK, REPOSITORY, TwinPaths
from twin.supervisor import ProgramState, Supervisor
from twin.tools.build import ensure_tools, locate_tools

_log = logging.getLogger("pods")

# A kubelet probes every few seconds; the twin's probes cost nothing, so the pod's status follows its process closely.
PROBE_SECONDS = 0.25
RETRY_SECONDS = 1.0
# Tokens are asked for a day and renewed long before.
TOKEN_SECONDS = 24 * 3600
RENEWAL_SECONDS = 3600.0

_SERVICE_ACCOUNT = Kind("v1", "ServiceAccount", "serviceaccounts")
_TOKEN_REQUEST = Kind("authentication.k8s.io/v1", "TokenRequest", "tokenrequests")


@dataclass(frozen=True)
class Host:
    """What all pods of a twin share."""

    paths: TwinPaths
    settings: TwinSettings
    supervisor: Supervisor
    session: ApiSession
    server: str


class RealPods:
    """Keeps one runner for each pod of the cluster that a real process stands for."""

    def __init__(self, host: Host, real_processes: list[RealProcess]) -> None:
        self._host = host
        self._real_processes = real_processes
        self._runners: dict[str, PodRunner] = {}

    def reconcile(self, pods: list[Object]) -> None:
        """Start runners for new pods, and give the others their pods as they are now."""
        current = {pod["metadata"]["uid"]: pod for pod in pods}
        for uid, pod in current.items():
            real = next((real for real in self._real_processes if real.stands_for(pod)), None)
            if real is None or not pod["spec"].get("nodeName"):
                continue
            if uid not in self._runners:
                self._runners[uid] = PodRunner(self._host, real, pod, self._free_address(pod, pods))
                self._runners[uid].start()
            elif pod["metadata"].get("deletionTimestamp"):
                self._runners[uid].end()
        for uid, runner in list(self._runners.items()):
            if uid not in current:
                runner.end()
                del self._runners[uid]

    def remove_strangers(self, pods: list[Object]) -> None:
        """Remove the processes of pods that went away while the agent did not run."""
        expected = {program_name(pod) for pod in pods}
        for path in self._host.paths.processes.glob("*.pod"):
            if path.stem not in expected:
                self._host.supervisor.remove(path.stem)
                shutil.rmtree(path, ignore_errors=True)

    def _free_address(self, pod: Object, pods: list[Object]) -> str:
        """The address the pod has, or the lowest that none has."""
        if pod.get("status", {}).get("podIP"):
            return str(pod["status"]["podIP"])
        taken = {other.get("status", {}).get("podIP") for other in pods} | {runner.address for runner in self._runners.values()}
        number = 1
        while self._host.settings.real_pod(number) in taken:
            number += 1
        return self._host.settings.real_pod(number)


def program_name(pod: Object) -> str:
    """What the supervisor calls the process of a pod."""
    return f"{pod['metadata']['name']}.{pod['metadata']['namespace']}"


def _directory_of(host: Host, program: str) -> Path:
    """Where the files of a process are. No pod's name makes one pod's directory another one's configuration, which ends in `.conf`."""
    return host.paths.processes / f"{program}.pod"


class PodRunner:
    """One pod and its process, from the first volume to the last probe."""

    def __init__(self, host: Host, real: RealProcess, pod: Object, address: str) -> None:
        self.address = address
        self._program = program_name(pod)
        self._thread = threading.Thread(target=self._run, name=self._program, daemon=True)
        self._host = host
        self._real = real
        self._pod = pod
        self._name = pod["metadata"]["name"]
        self._namespace = pod["metadata"]["namespace"]
        self._container = next(item for item in pod["spec"]["containers"] if item["name"] == real.container)
        self._directory = _directory_of(host, self._program)
        self._identity: Identity | None = None
        self._ending = threading.Event()
        self._written: Object | None = None
        self._ready_since = ""
        self._process_started = 0
        statuses = pod.get("status", {}).get("containerStatuses") or [{}]
        self._restarts = int(statuses[0].get("restartCount", 0))

    def start(self) -> None:
        """Begin, in a thread of its own."""
        self._thread.start()

    def end(self) -> None:
        """The pod goes away: stop its process, then let the pod go, as a kubelet does."""
        self._ending.set()

    def _run(self) -> None:
        while not self._ending.is_set():
            try:
                self._prepare()
                break
            except (ApiError, TwinError, OSError) as error:
                _log.info("%s cannot start yet: %s", self._program, error)
                # When the API server is what fails, it cannot take a status either; the next try does both.
                with contextlib.suppress(ApiError):
                    self._write_status(waiting="CreateContainerConfigError", message=str(error))
                self._ending.wait(RETRY_SECONDS)
        renewed = time.monotonic()
        while not self._ending.is_set():
            try:
                self._observe()
                if time.monotonic() - renewed > RENEWAL_SECONDS:
                    self._write_volumes()
                    renewed = time.monotonic()
            except (ApiError, TwinError, OSError) as error:
                _log.warning("%s: %s", self._program, error)
                self._ending.wait(RETRY_SECONDS)
            self._ending.wait(PROBE_SECONDS)
        self._finish()

    def _prepare(self) -> None:
        """Write the files, then start the process, unless it has been running since before the agent was started."""
        root, local = self._directory / "root", self._host.settings.local_address(self.address)
        root.mkdir(parents=True, exist_ok=True)
        self._identity = identity_of(self._host.settings.aws, self._account(), root)
        self._write_volumes()
        kubeconfig = root / "kubeconfig"
        write_private(kubeconfig, yaml.safe_dump(_kubeconfig(self._host.server, root)).encode())
        fillings = {"address": local, "root": str(root), "kubeconfig": str(kubeconfig), "namespace": self._namespace}
        self._pod.setdefault("status", {}).update(podIP=self.address, podIPs=[{"ip": self.address}], hostIP="127.0.0.1")
        # Nothing else of the agent's own environment: a key that lies about on this machine is not the pod's.
        environment = {"PATH": os.environ.get("PATH", ""), "HOME": str(root), **self._identity.variables}
        environment |= environment_of(self._pod, self._container, self._host.session)
        environment |= self._identity.endpoint
        environment |= {name: value.format(**fillings) for name, value in self._real.environment}
        environment[MARK] = str(self._host.paths.home)
        program = self._built()
        arguments = [str(program), *arguments_of(self._container, environment), *(part.format(**fillings) for part in self._real.arguments)]
        launch = json.dumps({"arguments": arguments, "environment": environment, "directory": str(root)})
        specification = self._directory / "launch.json"
        if specification.exists() and specification.read_text() == launch and self._host.supervisor.program(self._program):
            return
        write_private(specification, launch.encode())
        # The launcher imports nothing of the twin, and -S leaves out the packages: it starts in a few milliseconds.
        launcher = REPOSITORY / "twin" / "agent" / "launch.py"
        self._host.supervisor.add(self._program, [sys.executable, "-S", str(launcher), str(specification)], self._directory)

    def _built(self) -> Path:
        """The program, built first if no pod has needed it before."""
        program = locate_tools().programs[self._real.program]
        if not program.exists():
            self._write_status(waiting="ContainerCreating", message=f"{self._real.program} is being built, which takes some minutes")
            ensure_tools([self._real.program], f"Pod {self._namespace}/{self._name}")
        return program

    def _write_volumes(self) -> None:
        write_volumes(self._pod, self._container, self._host.session, self._token, self._directory / "root")
        token = self._identity.token if self._identity else None
        if token:
            token.write(self._directory / "root", self._token(token.audience, TOKEN_SECONDS))

    def _observe(self) -> None:
        """Look at the process once and let the pod's status say what is seen."""
        program = self._host.supervisor.program(self._program)
        running = program is not None and program.state in ("RUNNING", "STARTING") and program.pid > 0
        if program is not None and program.started != self._process_started:
            self._restarts += 1 if self._process_started else 0
            self._process_started = program.started
        if running:
            self._write_status(started=program, ready=self._probe())
        else:
            detail = program.state.lower() if program else "gone"
            self._write_status(waiting="CrashLoopBackOff", message=f"{self._real.name} does not run, its process is {detail}")

    def _probe(self) -> bool:
        """Ask the container's own readiness probe; a container without one is ready when it runs."""
        check = (self._container.get("readinessProbe") or {}).get("httpGet")
        if not check:
            return True
        port = check["port"]
        if isinstance(port, str):
            port = next((item["containerPort"] for item in self._container.get("ports") or () if item.get("name") == port), 0)
        scheme = check.get("scheme", "HTTP").lower()
        url = f"{scheme}://{self._host.settings.local_address(self.address)}:{port}{check.get('path', '/')}"
        # A kubelet does not verify the certificate of a probe either.
        context = ssl._create_unverified_context() if scheme == "https" else None
        try:
            with urllib.request.urlopen(url, timeout=1, context=context) as answer:
                return bool(200 <= answer.status < 400)
        except (OSError, urllib.error.URLError):
            return False

    def _write_status(self, *, ready: bool = False, started: ProgramState | None = None, waiting: str = "", message: str = "") -> None:
        """Write the pod's status, when it is not what was written last."""
        news = {"ready": ready, "running": started is not None, "restarts": self._restarts, "waiting": waiting, "message": message}
        if news == self._written:
            return
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        if self._written is None or self._written["ready"] != ready:
            self._ready_since = now
        state: dict[str, Any] = {"waiting": {"reason": waiting, "message": message}, "running": None}
        if started is not None:
            began = datetime.fromtimestamp(started.started or time.time(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            state = {"running": {"startedAt": began}, "waiting": None}
        statuses = [
            {
                "name": container["name"],
                "image": container["image"],
                "imageID": container["image"],
                "ready": ready,
                "started": started is not None,
                "restartCount": self._restarts,
                "state": state,
            }
            for container in self._pod["spec"]["containers"]
        ]
        lacking = {} if ready else {"reason": "ContainersNotReady", "message": f"containers with unready status: [{self._container['name']}]"}
        conditions = [
            {"type": kind, "status": "True" if fulfilled else "False", "lastTransitionTime": self._ready_since, **({} if fulfilled else lacking)}
            for kind, fulfilled in (("PodScheduled", True), ("Initialized", True), ("ContainersReady", ready), ("Ready", ready))
        ]
        status = {
            "phase": "Running" if started is not None or self._process_started else "Pending",
            "conditions": conditions,
            "containerStatuses": statuses,
            "hostIP": "127.0.0.1",
            "hostIPs": [{"ip": "127.0.0.1"}],
            "podIP": self.address,
            "podIPs": [{"ip": self.address}],
            "startTime": self._pod["metadata"]["creationTimestamp"],
        }
        self._host.session.write(Write("patch", POD, self._name, self._namespace, {"status": status}, subresource="status"))
        self._written = news

    def _finish(self) -> None:
        """Stop the process, remove its files, and let the pod go."""
        try:
            self._host.supervisor.remove(self._program)
            shutil.rmtree(self._directory, ignore_errors=True)
            options = {"gracePeriodSeconds": 0, "preconditions": {"uid": self._pod["metadata"]["uid"]}}
            self._host.session.write(Write("delete", POD, self._name, self._namespace, options))
        except (ApiError, TwinError) as error:
            _log.info("%s: %s", self._program, error)

    @property
    def _account_name(self) -> str:
        return str(self._pod["spec"].get("serviceAccountName", "default"))

    def _account(self) -> Object:
        """The pod's ServiceAccount."""
        found = self._host.session.get(_SERVICE_ACCOUNT, self._account_name, self._namespace)
        if found is None:
            raise TwinError(f"ServiceAccount {self._namespace}/{self._account_name} not found")
        return found

    def _token(self, audience: str | None, seconds: int) -> str:
        """A token of the pod's ServiceAccount, bound to the pod."""
        account = self._account_name
        metadata = self._pod["metadata"]
        bound = {"apiVersion": "v1", "kind": "Pod", "name": metadata["name"], "uid": metadata["uid"]}
        spec = {"expirationSeconds": max(seconds, TOKEN_SECONDS), "boundObjectRef": bound, **({"audiences": [audience]} if audience else {})}
        body = {"apiVersion": _TOKEN_REQUEST.api_version, "kind": _TOKEN_REQUEST.name, "spec": spec}
        answer = self._host.session.write(Write("create", _SERVICE_ACCOUNT, account, self._namespace, body, subresource="token"))
        return str((answer or {})["status"]["token"])


def _kubeconfig(server: str, root: Path) -> dict[str, Any]:
    """In-cluster access, at the places where the pod's ServiceAccount is mounted below root."""
    mount = root / "var/run/secrets/kubernetes.io/serviceaccount"
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "twin", "cluster": {"server": server, "certificate-authority": str(mount / "ca.crt")}}],
        "users": [{"name": "pod", "user": {"tokenFile": str(mount / "token")}}],
        "contexts": [{"name": "twin", "context": {"cluster": "twin", "user": "pod"}}],
        "current-context": "twin",
    }
