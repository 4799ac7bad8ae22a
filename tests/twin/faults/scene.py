"""What a fault test works with: a namespace, a proxy in front of the API server, modules that run through it, and the truth behind it."""

from __future__ import annotations

import json
import os
import re
import signal
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from email.message import Message
from pathlib import Path
from typing import Any

import yaml

from tests.polling import until
from tests.twin.conftest import Twin
from tests.twin.support.proxy import Proxy
from twin.collection import NAMESPACE, POD, Kind, Object, Write
from twin.kwok.lifecycle import parts_of, up
from twin.kwok.session import wait_for

DEPLOYMENT = Kind("apps/v1", "Deployment", "deployments")
SERVICE_ACCOUNT = Kind("v1", "ServiceAccount", "serviceaccounts")
CLUSTER_ROLE_BINDING = Kind("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "clusterrolebindings", namespaced=False)
CUSTOM_RESOURCE_DEFINITION = Kind("apiextensions.k8s.io/v1", "CustomResourceDefinition", "customresourcedefinitions", namespaced=False)
VALIDATING_WEBHOOK = Kind("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", "validatingwebhookconfigurations", namespaced=False)
GATEWAY = Kind("gateway.networking.k8s.io/v1", "Gateway", "gateways")

# Nothing listens at port 1.
NOBODY = "https://127.0.0.1:1/"
# How long the world behind the proxy may take for what takes it less than a second.
PATIENCE = 60.0
# A process that goes on for so much longer than its deadline is stuck. It starts, reads and ends in about a second when the machine is quiet.
GRACE = 20.0
# The deadline of a wait that must end long before: near its deadline a wait reads all anew, which would hide that it has missed something.
_LATE = 600


@dataclass
class Running:
    """A module that runs in a process of its own."""

    name: str
    process: subprocess.Popen[str]
    deadline: float

    @property
    def ended(self) -> bool:
        return self.process.poll() is not None

    def finish(self) -> dict[str, Any]:
        """Its result, once it has ended by itself."""
        try:
            output, errors = self.process.communicate(timeout=max(self.deadline + GRACE - time.monotonic(), 0.1))
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.name} is stuck: it still ran {GRACE:.0f} s after it should have ended") from None
        assert output.strip(), f"{self.name} answered nothing: {errors[-2000:]}"
        result: dict[str, Any] = json.loads(output)
        assert "Traceback" not in output, f"{self.name} ended with a traceback: {result.get('msg')}"
        return result

    def kill(self) -> None:
        """End it; nothing to do when it has ended."""
        self.process.kill()
        self.process.wait()


@dataclass
class Scene:
    """One namespace and one proxy of a test's own."""

    twin: Twin
    proxy: Proxy
    namespace: str
    directory: Path
    kubeconfig: Path
    # Where the audit log ended when the scene was opened.
    audited: int
    running: list[Running] = field(default_factory=list)

    def start(self, name: str, arguments: Mapping[str, Any], *, kubeconfig: Path | None = None) -> Running:
        """Start a module that speaks with the API server through the proxy."""
        given = {"kubeconfig": str(kubeconfig or self.kubeconfig), **arguments}
        command = self.twin.module_command(name, given)
        process = subprocess.Popen(command, env=self.twin.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        running = Running(name, process, time.monotonic() + min(arguments.get("timeout", PATIENCE), PATIENCE))
        self.running.append(running)
        return running

    def wait_ready(self, *names: str, kubeconfig: Path | None = None, timeout: int = _LATE, **options: Any) -> Running:
        """Start to wait for Deployments of the namespace; returns when the module watches them."""
        fewest = streams(self.twin)

        def watches() -> bool:
            # Watches of other modules may end meanwhile.
            nonlocal fewest
            served = streams(self.twin)
            fewest = min(fewest, served)
            return served > fewest

        targets = [{"kind": "Deployment", "name": name, "namespace": self.namespace} for name in names]
        running = self.start("ready", {"targets": targets, "timeout": timeout, **options}, kubeconfig=kubeconfig)
        until(lambda: running.ended or watches(), "the module to watch")
        assert not running.ended, f"it did not wait: {running.finish()}"
        return running

    def deploy(self, name: str, *, ready: bool) -> None:
        """A Deployment with one pod, which is ready or not."""
        container = {"name": "app", "image": "registry.example/app:1"}
        template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}}
        body = {
            "apiVersion": DEPLOYMENT.api_version,
            "kind": DEPLOYMENT.name,
            "metadata": {"name": name, "namespace": self.namespace},
            "spec": {"replicas": 1, "selector": {"matchLabels": {"app": name}}, "template": template},
        }
        self.twin.session.write(Write("apply", DEPLOYMENT, name, self.namespace, body))
        self._until_available(name, 1)
        if not ready:
            self.set_ready(name, False)

    def set_ready(self, name: str, ready: bool) -> None:
        """Make the pod of a Deployment ready or not; returns when the Deployment's status says so. Nothing goes through the proxy."""
        session = self.twin.session
        for pod in session.list(POD, self.namespace, label_selector=f"app={name}").items:
            conditions = [{**condition, "status": str(ready)} if condition["type"] == "Ready" else condition for condition in pod["status"]["conditions"]]
            body = {"status": {"conditions": conditions}}
            session.write(Write("patch", POD, pod["metadata"]["name"], self.namespace, body, subresource="status"))
        self._until_available(name, int(ready))

    def _until_available(self, name: str, count: int) -> None:
        def so(found: list[Object]) -> bool:
            mine = [item for item in found if (item["metadata"]["namespace"], item["metadata"]["name"]) == (self.namespace, name)]
            return bool(mine) and "status" in mine[0] and _available(mine[0]) == count

        wait_for(self.twin.session, DEPLOYMENT, so, PATIENCE, f"Deployment {self.namespace}/{name} to have {count} available pods")

    def requests(self, verb: str, *, part: str = "", code: int | None = None) -> list[Object]:
        """What modules have asked the API server since the scene was opened, from its audit log: answered requests whose path has this part."""
        with self.twin.paths.audit_log.open("rb") as log:
            log.seek(self.audited)
            # The last line may be half written.
            lines = log.read().decode().splitlines(keepends=True)
        entries = [json.loads(line) for line in lines if line.endswith("\n") and "meshwright.ambient" in line]
        return [
            entry
            for entry in entries
            if entry["userAgent"].startswith("meshwright.ambient")
            and entry["verb"] == verb
            and (part or self.namespace) in entry["requestURI"]
            and (code is None or entry["responseStatus"]["code"] == code)
        ]


# Opens a scene by its name; modules and proxy of a scene end with it.
OpenScene = Callable[..., AbstractContextManager[Scene]]


def _available(deployment: Object) -> int:
    found: int = deployment["status"].get("availableReplicas", 0)
    return found


@dataclass(frozen=True)
class Answer:
    """What the API server answered."""

    status: int
    headers: Message
    text: str


def ask(twin: Twin, path: str, *, token: str = "", body: Object | None = None) -> Answer:
    """Send one request straight to the API server, as its administrator or with a token: GET, or POST with a body."""
    config = yaml.safe_load(twin.paths.kubeconfig.read_text())
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    context = ssl.create_default_context(cafile=cluster["certificate-authority"])
    if not token:
        context.load_cert_chain(user["client-certificate"], user["client-key"])
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
    request = urllib.request.Request(cluster["server"] + path, data=json.dumps(body).encode() if body else None, headers=headers)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
    try:
        with opener.open(request, timeout=60) as answer:
            return Answer(answer.status, answer.headers, answer.read().decode())
    except urllib.error.HTTPError as refusal:
        return Answer(refusal.code, refusal.headers, refusal.read().decode())


def streams(twin: Twin) -> int:
    """How many watches of Deployments the API server serves that are not cluster-wide; only modules under test have such."""
    gauges = re.findall(r'^apiserver_longrunning_requests\{(.*resource="deployments".*)\} (\d+)', ask(twin, "/metrics").text, re.MULTILINE)
    return sum(int(count) for labels, count in gauges if 'scope="cluster"' not in labels)


def restart_api_server(twin: Twin) -> None:
    """Kill the API server and start it again; returns when it serves."""
    states = {part.name: part.detail for part in parts_of(twin.name)}
    os.kill(int(states["kube-apiserver"].split()[1]), signal.SIGKILL)
    until(lambda: any(part.name == "kube-apiserver" and not part.running for part in parts_of(twin.name)), "the API server to die")
    up(twin.name)


def create_namespaces(twin: Twin, *names: str, labels: Mapping[str, str] | None = None) -> None:
    """Make namespaces."""
    bodies = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {**(labels or {})}}} for name in names]
    twin.session.write_all([Write("apply", NAMESPACE, name, None, body) for name, body in zip(names, bodies, strict=True)])


def create_service_account(twin: Twin, namespace: str, name: str) -> None:
    """Make a ServiceAccount that may do everything."""
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": namespace}}
    binding = {
        "apiVersion": CLUSTER_ROLE_BINDING.api_version,
        "kind": CLUSTER_ROLE_BINDING.name,
        "metadata": {"name": f"{namespace}-{name}"},
        "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": namespace}],
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
    }
    twin.session.write(Write("apply", SERVICE_ACCOUNT, name, namespace, account))
    twin.session.write(Write("apply", CLUSTER_ROLE_BINDING, f"{namespace}-{name}", None, binding))


def token_of(twin: Twin, namespace: str, name: str, *, secret: str = "") -> str:
    """A token of a ServiceAccount; with a Secret, it ends when that Secret is deleted."""
    bound = {"boundObjectRef": {"apiVersion": "v1", "kind": "Secret", "name": secret}} if secret else {}
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"audiences": [], "expirationSeconds": 3600, **bound}}
    answer = twin.session.write(Write("create", SERVICE_ACCOUNT, name, namespace, body, subresource="token"))
    assert answer is not None
    return str(answer["status"]["token"])


def apply_gateway_definition(twin: Twin, *, stored: str = "v1", conversion: Mapping[str, Any] | None = None) -> None:
    """Apply the definition of Gateways, with the version in which they are kept; returns when it is served."""
    definition: Object = yaml.safe_load((Path(twin.environment["TWIN_GATEWAY_API"]) / "gateway.networking.k8s.io_gateways.yaml").read_text())
    definition.pop("status", None)
    definition["spec"]["conversion"] = conversion or {"strategy": "None"}
    for version in definition["spec"]["versions"]:
        version["storage"] = version["name"] == stored
    twin.session.write(Write("apply", CUSTOM_RESOURCE_DEFINITION, definition["metadata"]["name"], None, definition, force=True))
    if not conversion:
        until(lambda: ask(twin, GATEWAY.path("default")).status == 200, "Gateways to be served")


def webhook_for(scene: Scene, resource: str, client: Mapping[str, str], *, selector: Mapping[str, Any] | None = None) -> Object:
    """A webhook that must agree before a core resource is created or changed: in the scene's namespace, or where the labels are as selected."""
    scope = {"objectSelector": selector} if selector else {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": scene.namespace}}}
    webhook = {
        "name": "webhook.example.com",
        "clientConfig": client,
        "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": [resource]}],
        "failurePolicy": "Fail",
        "sideEffects": "None",
        "timeoutSeconds": 30,
        "admissionReviewVersions": ["v1"],
        **scope,
    }
    metadata = {"name": scene.namespace}
    return {"apiVersion": VALIDATING_WEBHOOK.api_version, "kind": VALIDATING_WEBHOOK.name, "metadata": metadata, "webhooks": [webhook]}


def sentence(result: Mapping[str, Any]) -> str:
    """The message of a failure: plain words, no traceback, no token, and no heap of Python."""
    assert result.get("failed"), f"it did not fail: {result}"
    message = str(result["msg"])
    for unwanted in ("Traceback", "eyJ", "HTTPSConnection", "urllib3", "_ssl.c", "IncompleteRead", "object at 0x", "{'"):
        assert unwanted not in message, f"{unwanted} is in the message:\n{message}"
    return message
