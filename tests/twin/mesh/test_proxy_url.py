"""A cluster that only the proxy of its kubeconfig leads to: modules, Helm and kubernetes.core go the same way."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from tests.twin.conftest import Twin
from tests.twin.support.connect_proxy import NAME, ConnectProxy, connect_proxy

# Nobody listens on this port.
_CLOSED = "http://127.0.0.1:9"


@dataclass(frozen=True)
class Behind:
    """The mesh, and a proxy that leads to it."""

    mesh: Twin
    proxy: ConnectProxy
    directory: Path

    def play(self, playbook: str, *arguments: str, proxy: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a playbook with a kubeconfig that names the proxy, in an environment that names none."""
        content = yaml.safe_load(self.mesh.paths.kubeconfig.read_text())
        for entry in content["clusters"]:
            address = urlsplit(entry["cluster"]["server"])
            entry["cluster"] |= {"server": f"https://{NAME}:{address.port}", "tls-server-name": address.hostname, "proxy-url": proxy or self.proxy.url}
        file = self.directory / "kubeconfig"
        file.write_text(yaml.safe_dump(content))
        names = {"cluster_kubeconfig": str(file)}
        return self.mesh.play(playbook, "-e", json.dumps(names), *arguments, KUBECONFIG=os.devnull, **variables)


@pytest.fixture(scope="module")
def behind(mesh: Twin, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Behind]:
    server = yaml.safe_load(mesh.paths.kubeconfig.read_text())["clusters"][0]["cluster"]["server"]
    with connect_proxy(urlsplit(server).port or 443) as proxy:
        yield Behind(mesh, proxy, tmp_path_factory.mktemp("proxy"))


def test_the_whole_run_goes_by_the_proxy(behind: Behind) -> None:
    done = behind.play("site.yml", "--check")
    assert done.returncode == 0, done.stdout[-4000:]
    assert "changed=0 " in done.stdout, done.stdout[-4000:]
    verified = behind.play("verify.yml")
    assert verified.returncode == 0, verified.stdout[-4000:]
    assert behind.proxy.opened, "nobody asked the proxy"


def test_helm_goes_by_the_proxy(behind: Behind) -> None:
    behind.proxy.opened.clear()
    # A difference, for which Helm is started.
    done = behind.play("site.yml", "--check", "--tags", "istio", "-e", json.dumps({"istio_ztunnel_values": {"podLabels": {"team": "shop"}}}))
    assert done.returncode == 0, done.stdout[-4000:]
    assert "changed=1 " in done.stdout, done.stdout[-4000:]
    assert [program for program in behind.proxy.opened if "Go-http-client" in program or "Helm" in program], behind.proxy.opened


@pytest.mark.parametrize("arguments", [("site.yml", "--tags", "mesh", "--check"), ("verify.yml", "--tags", "istio")], ids=["mesh", "verify"])
def test_a_proxy_that_does_not_answer_is_named(behind: Behind, arguments: tuple[str, ...]) -> None:
    done = behind.play(*arguments, proxy=_CLOSED)
    message = " ".join(done.stdout.split())
    assert done.returncode != 0
    assert f"through the proxy {_CLOSED}" in message, message[-3000:]


def test_the_proxy_of_the_environment_is_named(behind: Behind) -> None:
    content = yaml.safe_load(behind.mesh.paths.kubeconfig.read_text())
    address = urlsplit(content["clusters"][0]["cluster"]["server"])
    content["clusters"][0]["cluster"] |= {"server": f"https://{NAME}:{address.port}", "tls-server-name": address.hostname}
    file = behind.directory / "without-proxy"
    file.write_text(yaml.safe_dump(content))
    done = behind.mesh.play("verify.yml", "--tags", "mesh", "-e", f"cluster_kubeconfig={file}", HTTPS_PROXY=_CLOSED, KUBECONFIG=os.devnull)
    assert f"through the proxy {_CLOSED}" in " ".join(done.stdout.split()), done.stdout[-3000:]
    done = behind.mesh.play("verify.yml", "--tags", "mesh", "-e", f"cluster_kubeconfig={file}", HTTPS_PROXY=behind.proxy.url, KUBECONFIG=os.devnull)
    assert done.returncode == 0, done.stdout[-4000:]
