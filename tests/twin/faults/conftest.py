"""One twin, one proxy server, and for each test a namespace and a proxy of its own."""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import yaml

from tests.stages.twins import fresh_twin
from tests.twin.conftest import Twin
from tests.twin.faults.scene import OpenScene, Scene, create_namespaces, restart_api_server
from tests.twin.support.proxy import ProxyServer

# A twin's API server never says 429, so that nothing is slowed by it. Here it limits as those of clusters do.
_WITHOUT_LIMITS = ("--enable-priority-and-fairness=false", "--max-requests-inflight=0", "--max-mutating-requests-inflight=0")


@pytest.fixture(scope="package")
def faulty_twin() -> Iterator[Twin]:
    """A fresh twin for all fault tests; nothing on it is taken away but with the twin."""
    with fresh_twin("test-faults") as environment:
        twin = Twin("test-faults", environment)
        configuration = twin.paths.cluster / "kwok.yaml"
        lines = configuration.read_text().splitlines(keepends=True)
        kept = [line for line in lines if not any(argument in line for argument in _WITHOUT_LIMITS)]
        assert len(kept) == len(lines) - len(_WITHOUT_LIMITS), "kwokctl starts the API server with other arguments than before: correct this fixture"
        configuration.write_text("".join(kept))
        restart_api_server(twin)
        yield twin


@pytest.fixture(scope="package")
def proxy_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProxyServer]:
    with ProxyServer(tmp_path_factory.mktemp("proxy") / "toxiproxy.log") as server:
        yield server


@pytest.fixture(scope="package")
def open_scene(faulty_twin: Twin, proxy_server: ProxyServer, tmp_path_factory: pytest.TempPathFactory) -> OpenScene:
    """Opens scenes: a namespace of the given name, with a proxy; its modules are ended with it."""

    @contextmanager
    def opened(name: str, *, resets: bool = False) -> Iterator[Scene]:
        source = faulty_twin.paths.kubeconfig
        server = yaml.safe_load(source.read_text())["clusters"][0]["cluster"]["server"]
        audited = faulty_twin.paths.audit_log.stat().st_size
        create_namespaces(faulty_twin, name)
        proxy = proxy_server.open(name, urllib.parse.urlsplit(server).netloc, resets=resets)
        directory = tmp_path_factory.mktemp(name)
        scene = Scene(faulty_twin, proxy, name, directory, proxy.kubeconfig(source, directory / "kubeconfig"), audited)
        try:
            yield scene
        finally:
            for running in scene.running:
                running.kill()
            proxy.delete()

    return opened


@pytest.fixture
def scene(request: pytest.FixtureRequest, open_scene: OpenScene) -> Iterator[Scene]:
    """A scene that is called after its test."""
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")
    # The end of a test's name tells it from the others.
    with open_scene(name[-50:].strip("-"), resets="reset" in name) as opened:
        yield opened
