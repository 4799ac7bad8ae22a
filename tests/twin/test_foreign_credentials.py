"""A job that carries a credential of another cluster works on the cluster that its inventory names, and sends the other one nothing."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

from tests.twin.certificates import self_signed
from tests.twin.conftest import Twin
from tests.twin.rehearsed import Rehearsed

_TOKEN = "token-of-another-cluster"


class AnotherCluster:
    """An API server that refuses everything, and remembers what it was asked."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.requests: list[str] = []

    @property
    def credential(self) -> dict[str, str]:
        """The environment that AWX's Kubernetes credential gives a job (without a CA it switches verification off), and Helm's own words."""
        return {
            "K8S_AUTH_HOST": self.address,
            "K8S_AUTH_API_KEY": _TOKEN,
            "K8S_AUTH_VERIFY_SSL": "False",
            "HELM_KUBEAPISERVER": self.address,
            "HELM_KUBETOKEN": _TOKEN,
        }


@contextmanager
def _another_cluster(certificate: Path | None = None) -> Iterator[AnotherCluster]:
    """It speaks TLS when there is a file with certificate and key."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            another.requests.append(f"{self.command} {self.path}")
            body = json.dumps({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 404}).encode()
            self.send_response(404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    scheme = "http"
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket, scheme = context.wrap_socket(server.socket, server_side=True), "https"
    another = AnotherCluster(f"{scheme}://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield another
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def another_cluster() -> Iterator[AnotherCluster]:
    with _another_cluster() as another:
        yield another


@pytest.fixture
def another_with_tls(tmp_path: Path) -> Iterator[AnotherCluster]:
    with _another_cluster(self_signed(tmp_path / "server.pem")) as another:
        yield another


def _kubeconfig_of(another: AnotherCluster, path: Path) -> str:
    """What a job's user may have lying about: a kubeconfig of the other cluster, named by the environment."""
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "another", "cluster": {"server": another.address, "insecure-skip-tls-verify": True}}],
        "users": [{"name": "another", "user": {"token": _TOKEN}}],
        "contexts": [{"name": "another", "context": {"cluster": "another", "user": "another"}}],
        "current-context": "another",
    }
    path.write_text(yaml.safe_dump(config))
    return str(path)


@pytest.mark.parametrize("playbook", ["site.yml", "verify.yml"])
def test_a_job_of_eks_goes_to_the_cluster_that_it_has_made(prod: Rehearsed, another_with_tls: AnotherCluster, tmp_path: Path, playbook: str) -> None:
    environment = {**another_with_tls.credential, "KUBECONFIG": _kubeconfig_of(another_with_tls, tmp_path / "kubeconfig")}
    done = prod.play(playbook, "-vvv", "--tags", "istio,ingress,mesh", **environment)
    assert done.returncode == 0, f"{playbook} did not get through beside a foreign credential:\n{done.stdout[-3000:]}"
    assert another_with_tls.requests == [], f"{playbook} asked the cluster of the credential"
    assert _TOKEN not in done.stdout + done.stderr, "the foreign token is in the output"


def test_the_other_cluster_would_remember_who_comes(prod: Rehearsed, another_with_tls: AnotherCluster, tmp_path: Path) -> None:
    """What the test above would see: a module that is given no kubeconfig goes where the environment points."""
    target = {"kind": "ConfigMap", "api_version": "v1", "name": "kube-root-ca.crt", "namespace": "default"}
    prod.module("ready", {"targets": [target], "timeout": 1}, KUBECONFIG=_kubeconfig_of(another_with_tls, tmp_path / "kubeconfig"))
    assert another_with_tls.requests


@pytest.mark.parametrize("playbook", ["site.yml", "verify.yml"])
def test_no_task_of_a_playbook_goes_to_the_cluster_of_a_credential(mesh: Twin, another_cluster: AnotherCluster, playbook: str) -> None:
    done = mesh.play(playbook, "-vvv", **another_cluster.credential)
    assert done.returncode == 0, f"{playbook} did not get through beside a foreign credential:\n{done.stdout[-3000:]}"
    assert another_cluster.requests == [], f"{playbook} asked the cluster of the credential"
    assert _TOKEN not in done.stdout + done.stderr, "the foreign token is in the output"


def test_without_the_collections_shell_kubernetes_core_does_go_there(mesh: Twin, another_cluster: AnotherCluster, tmp_path: Path) -> None:
    """What the test above would see if the roles did nothing about it."""
    (tmp_path / "look.yml").write_text(
        f"""
- hosts: clusters
  gather_facts: false
  tasks:
    - name: Ask for the default namespace
      kubernetes.core.k8s_info:
        kubeconfig: {mesh.paths.kubeconfig}
        kind: Namespace
        name: default
      register: foreign
      failed_when: foreign is not failed
    - name: Ask for it from the collection's shell
      kubernetes.core.k8s_info:
        kubeconfig: {mesh.paths.kubeconfig}
        kind: Namespace
        name: default
      register: found
      vars:
        ansible_shell_type: meshwright.ambient.own_cluster
    - name: Show what was found
      ansible.builtin.debug:
        msg: "found {{{{ found.resources | map(attribute='metadata.name') | join }}}}"
"""
    )
    done = mesh.play(str(tmp_path / "look.yml"), **another_cluster.credential)
    assert another_cluster.requests, "kubernetes.core did not prefer the credential, so the collection's shell has become needless"
    assert "found default" in done.stdout, done.stdout[-2000:]
