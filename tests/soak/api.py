"""A bare HTTP client for the twin's API server, so that the soak sees and changes objects without the collection's own client."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import urllib3
import yaml

Object = dict[str, Any]


@dataclass(frozen=True)
class Resource:
    """Where objects of one kind are served."""

    kind: str
    group_version: str
    plural: str
    namespaced: bool = True

    def path(self, namespace: str = "", name: str = "") -> str:
        root = f"/api/{self.group_version}" if self.group_version == "v1" else f"/apis/{self.group_version}"
        place = f"/namespaces/{namespace}" if self.namespaced and namespace else ""
        return f"{root}{place}/{self.plural}{'/' + name if name else ''}"


NAMESPACE = Resource("Namespace", "v1", "namespaces", namespaced=False)
POD = Resource("Pod", "v1", "pods")
SERVICE = Resource("Service", "v1", "services")
CONFIG_MAP = Resource("ConfigMap", "v1", "configmaps")
RESOURCE_QUOTA = Resource("ResourceQuota", "v1", "resourcequotas")
DEPLOYMENT = Resource("Deployment", "apps/v1", "deployments")
STATEFUL_SET = Resource("StatefulSet", "apps/v1", "statefulsets")
DAEMON_SET = Resource("DaemonSet", "apps/v1", "daemonsets")
REPLICA_SET = Resource("ReplicaSet", "apps/v1", "replicasets")
GATEWAY = Resource("Gateway", "gateway.networking.k8s.io/v1", "gateways")

# What the journal follows. ReplicaSets are there for the rules that look below a Deployment's status.
FOLLOWED = (NAMESPACE, POD, SERVICE, DEPLOYMENT, STATEFUL_SET, DAEMON_SET, REPLICA_SET, GATEWAY)
BY_KIND = {resource.kind: resource for resource in (*FOLLOWED, CONFIG_MAP, RESOURCE_QUOTA)}


class Refused(Exception):
    """The API server refused a request."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status


class Api:
    """Requests as the administrator whom a twin's kubeconfig names; may be used by several threads."""

    def __init__(self, kubeconfig: Path) -> None:
        config = yaml.safe_load(kubeconfig.read_text())
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        self._server = cluster["server"]
        self._pool = urllib3.PoolManager(
            maxsize=32,
            ca_certs=cluster["certificate-authority"],
            cert_file=user["client-certificate"],
            key_file=user["client-key"],
            retries=False,
        )

    def send(self, method: str, path: str, body: Object | None = None, content_type: str = "application/json") -> Object:
        """One request and its answer.

        Raises:
            Refused: the answer is an error.
        """
        data = None if body is None else json.dumps(body)
        answer = self._pool.request(method, self._server + path, body=data, headers={"Content-Type": content_type}, timeout=30)
        result: Object = json.loads(answer.data)
        if answer.status >= 400:
            raise Refused(answer.status, str(result.get("message")))
        return result

    def revision(self) -> int:
        """The revision that the whole cluster has now: a list is answered with all that was written before it was asked for."""
        return int(self.send("GET", POD.path("default") + "?limit=1")["metadata"]["resourceVersion"])

    def list(self, resource: Resource, namespace: str = "") -> tuple[list[Object], int]:
        """All objects of a kind, and the revision at which they were so."""
        answer = self.send("GET", resource.path(namespace))
        items = [{**item, "kind": resource.kind} for item in answer["items"]]
        return items, int(answer["metadata"]["resourceVersion"])

    def watch(self, resource: Resource, revision: int) -> Iterator[Object]:
        """Events of a kind in all namespaces, from a revision on, until the server ends the watch."""
        path = f"{resource.path()}?watch=1&allowWatchBookmarks=1&resourceVersion={revision}&timeoutSeconds=300"
        timeout = urllib3.Timeout(connect=10, read=90)
        answer = self._pool.request("GET", self._server + path, preload_content=False, timeout=timeout)
        try:
            rest = b""
            for chunk in answer.stream(2**16):
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    yield json.loads(line)
        finally:
            answer.close()
