"""The cluster of a twin: etcd, kube-apiserver, its controllers and KWOK, run by kwokctl."""

from __future__ import annotations

import os
import ssl
import subprocess
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import psutil
import yaml

from twin.errors import TwinError
from twin.kwok.real_processes import RealProcess
from twin.kwok.settings import AwsSettings, TwinSettings
from twin.paths import CONFIG, MARK, TwinPaths
from twin.tools.build import Toolbox

COMPONENTS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok-controller")


class ControlPlane:
    """Creates, starts, inspects and deletes the cluster of one twin."""

    def __init__(self, paths: TwinPaths, toolbox: Toolbox) -> None:
        self._paths = paths
        self._toolbox = toolbox

    def create(self, settings: TwinSettings, real_processes: list[RealProcess]) -> None:
        """Create and start the cluster; returns when the API server answers."""
        self._paths.egress_config.write_text(yaml.safe_dump(_egress(self._paths)))
        if settings.aws:
            self._paths.authentication_config.write_text(yaml.safe_dump(_authentication(settings.aws)))
        documents = [self._kwokctl_configuration(settings), *_stages(self._toolbox.files["kwok-stages"], real_processes)]
        self._paths.kwokctl_config.write_text(yaml.safe_dump_all(documents, sort_keys=False))
        self._kwokctl("create", "cluster", "--config", str(self._paths.kwokctl_config), "--kubeconfig", str(self._paths.kubeconfig), "--wait", "60s")

    def start(self) -> None:
        """Start whatever component does not run."""
        # kwokctl takes a process number for its component's as long as any process has it, a zombie or a stranger too.
        for component, pid in self.components().items():
            if pid is None:
                self._pid_file(component).unlink(missing_ok=True)
        self._kwokctl("start", "cluster")

    def delete(self) -> None:
        """Stop all components and remove what kwokctl keeps of them."""
        self._kwokctl("delete", "cluster", "--kubeconfig", str(self._paths.kubeconfig))

    def exists(self) -> bool:
        return (self._paths.cluster / "kwok.yaml").exists()

    def components(self) -> dict[str, int | None]:
        """Each component's process id, or None when it does not run."""
        return {name: self._running(name) for name in COMPONENTS}

    def serves(self) -> bool:
        """Whether the API server says that it is ready."""
        try:
            config = yaml.safe_load(self._paths.kubeconfig.read_text())
            cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
            context = ssl.create_default_context(cafile=cluster["certificate-authority"])
            context.load_cert_chain(user["client-certificate"], user["client-key"])
            with urllib.request.urlopen(cluster["server"] + "/readyz", context=context, timeout=2) as answer:
                return bool(answer.status == 200)
        except (OSError, KeyError, IndexError, TypeError, urllib.error.URLError):
            return False

    def _running(self, component: str) -> int | None:
        try:
            pid = int(self._pid_file(component).read_text())
            process = psutil.Process(pid)
            # A number may have been given to another program since; a zombie has no program any more.
            alive = Path(process.exe()) == (self._paths.cluster / "bin" / component).resolve()
        except (OSError, ValueError, psutil.Error):
            return None
        return pid if alive else None

    def _pid_file(self, component: str) -> Path:
        return self._paths.cluster / "pids" / f"{component}.pid"

    def _kwokctl(self, *arguments: str) -> None:
        environment = {**os.environ, "KWOK_WORKDIR": str(self._paths.kwok_workdir), MARK: str(self._paths.home)}
        command = [str(self._toolbox.programs["kwokctl"]), "--name", self._paths.name, *arguments]
        done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
        if done.returncode:
            failure = (done.stderr or done.stdout).strip()[-1500:]
            raise TwinError(f"kwokctl could not {' '.join(arguments[:2])} of twin {self._paths.name}; logs are in {self._paths.logs}:\n{failure}")

    def _kwokctl_configuration(self, settings: TwinSettings) -> dict[str, Any]:
        program = {name: str(path) for name, path in self._toolbox.programs.items()}
        return {
            "apiVersion": "config.kwok.x-k8s.io/v1alpha1",
            "kind": "KwokctlConfiguration",
            "options": {
                "runtime": "binary",
                "etcdBinary": program["etcd"],
                "kubeApiserverBinary": program["kube-apiserver"],
                "kubeControllerManagerBinary": program["kube-controller-manager"],
                "kubeSchedulerBinary": program["kube-scheduler"],
                "kubectlBinary": program["kubectl"],
                "kwokControllerBinary": program["kwok"],
                "bindAddress": "127.0.0.1",
                "disableQPSLimits": True,
                "kubeAuditPolicy": str(CONFIG / "audit-policy.yaml"),
                "nodeLeaseDurationSeconds": 40,
            },
            "componentsPatches": [
                {"name": "etcd", "extraArgs": _etcd_arguments(self._paths)},
                {
                    "name": "kube-apiserver",
                    "extraArgs": [
                        _overriding("etcd-servers", f"unix://{self._paths.etcd_socket}"),
                        # Webhook Services are called at their endpoints' addresses, without kube-proxy ...
                        {"key": "enable-aggregator-routing", "value": "true"},
                        # ... and those addresses are reached through the twin's agent.
                        {"key": "egress-selector-config-file", "value": str(self._paths.egress_config)},
                        *(self._eks_arguments(settings.aws) if settings.aws else ()),
                    ],
                },
                # The paths that are always allowed are those that reveal nothing of what is in the cluster.
                *(
                    {"name": name, "extraArgs": [_overriding("authorization-always-allow-paths", "/healthz,/readyz,/livez")]}
                    for name in ("kube-controller-manager", "kube-scheduler")
                ),
                # Without address and port it serves nothing; with a port alone, at all addresses. It asks nobody who they are.
                {
                    "name": "kwok-controller",
                    "extraArgs": [{"key": "cidr", "value": settings.simulated_pods}, _overriding("server-address", ""), _overriding("node-port", "0")],
                },
            ],
        }

    def _eks_arguments(self, aws: AwsSettings) -> list[dict[str, Any]]:
        """What EKS configures: the account says whose a token is that no ServiceAccount's is, and knows who issues the others."""
        return [
            _overriding("service-account-issuer", aws.oidc_issuer),
            {"key": "service-cluster-ip-range", "value": aws.service_cidr},
            {"key": "authentication-token-webhook-config-file", "value": str(self._paths.authentication_config)},
            {"key": "authentication-token-webhook-version", "value": "v1"},
            # An answer is believed for a moment only: a changed access entry, or an expired token, is felt soon.
            {"key": "authentication-token-webhook-cache-ttl", "value": "5s"},
        ]


def _etcd_arguments(paths: TwinPaths) -> list[dict[str, Any]]:
    """etcd serves on sockets in directories that only their owner may enter: at a port, it would ask nobody who they are.

    A peer's URL without a host would be an abstract socket, which everybody may open; this one is a file of its working directory.
    """
    client, peer = f"unix://{paths.etcd_socket}", "unix://peer.sock"
    urls = {
        "listen-client-urls": client,
        "advertise-client-urls": client,
        "listen-peer-urls": peer,
        "initial-advertise-peer-urls": peer,
        "initial-cluster": f"node0={peer}",
    }
    # The twin is thrown away; what a power cut would lose need not be waited for.
    return [{"key": "unsafe-no-fsync", "value": "true"}, *(_overriding(key, value) for key, value in urls.items())]


def _overriding(key: str, value: str) -> dict[str, Any]:
    """An argument that takes the place of kwokctl's own."""
    return {"key": key, "value": value, "override": True}


def _authentication(aws: AwsSettings) -> dict[str, Any]:
    """The kubeconfig of the token webhook: the API server posts a TokenReview to the account."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "account", "cluster": {"server": aws.authentication_url}}],
        "users": [{"name": "api-server", "user": {}}],
        "contexts": [{"name": "account", "context": {"cluster": "account", "user": "api-server"}}],
        "current-context": "account",
    }


def _egress(paths: TwinPaths) -> dict[str, Any]:
    """The API server's way into the pod network: an HTTP CONNECT proxy on a socket, the same door that Konnectivity uses."""
    transport = {"uds": {"udsName": str(paths.egress_socket)}}
    selection = {"name": "cluster", "connection": {"proxyProtocol": "HTTPConnect", "transport": transport}}
    return {"apiVersion": "apiserver.k8s.io/v1beta1", "kind": "EgressSelectorConfiguration", "egressSelections": [selection]}


def _stages(directory: Path, real_processes: list[RealProcess]) -> list[dict[str, Any]]:
    """KWOK's own stages, kept away from the pods that real processes stand for."""
    stages = [yaml.safe_load(path.read_text()) for path in sorted(directory.glob("*.yaml"))]
    for stage in stages:
        if stage["spec"]["resourceRef"]["kind"] == "Pod":
            for real in real_processes:
                label, value = real.pods
                expression = {"key": f'.metadata.labels["{label}"]', "operator": "NotIn", "values": [value]}
                stage["spec"]["selector"]["matchExpressions"].append(expression)
    return stages
