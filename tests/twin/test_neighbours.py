"""What a twin keeps from other machines, from other users of this one, and from the pods in it."""

from __future__ import annotations

import base64
import json
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.polling import until
from tests.twin.conftest import Twin
from tests.twin.support.neighbours import ask_as_neighbour, listeners_of, open_sockets, reachable_from_elsewhere

_SECRETS = json.dumps({"key": base64.b64encode(b"/registry/secrets/").decode(), "range_end": base64.b64encode(b"/registry/secrets0").decode()}).encode()
_RANGE = b"POST /v3/kv/range HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(_SECRETS), _SECRETS)


def test_nothing_of_a_twin_is_reached_from_elsewhere(mesh: Twin) -> None:
    listeners = listeners_of(mesh.paths)
    assert {"kube-apiserver", "pilot-discovery"} <= {each.program for each in listeners}
    assert reachable_from_elsewhere(listeners) == []


def test_what_a_twin_keeps_is_in_a_directory_of_its_owner(mesh: Twin) -> None:
    assert mesh.paths.home.stat().st_mode & 0o077 == 0
    assert open_sockets(mesh.paths) == []


def test_etcd_and_kwok_answer_nobody_at_a_port(mesh: Twin) -> None:
    listeners = listeners_of(mesh.paths)
    assert {"etcd", "kwok-controller"}.isdisjoint(each.program for each in listeners)
    for each in listeners:
        if each.address == "127.0.0.1":
            assert b'"header"' not in ask_as_neighbour(each.port, _RANGE), each


@pytest.mark.parametrize(
    ("program", "path"),
    [
        pytest.param("kube-apiserver", "/api/v1/secrets", id="secrets"),
        pytest.param("kube-controller-manager", "/configz", id="controller-manager-configuration"),
        pytest.param("kube-controller-manager", "/metrics", id="controller-manager-metrics"),
        pytest.param("kube-scheduler", "/configz", id="scheduler-configuration"),
        pytest.param("kube-scheduler", "/metrics", id="scheduler-metrics"),
    ],
)
def test_a_component_reports_nothing_to_who_does_not_say_who_they_are(mesh: Twin, program: str, path: str) -> None:
    ports = {each.port for each in listeners_of(mesh.paths) if program.startswith(each.program)}
    assert ports, f"nothing of {program} listens"
    for port in ports:
        assert _status(f"https://127.0.0.1:{port}{path}") in (401, 403, 404, 405)


def test_istiod_shows_its_configuration_to_nobody(mesh: Twin) -> None:
    served = [each for each in listeners_of(mesh.paths) if each.program == "pilot-discovery" and each.port in (8080, 15014)]
    assert len(served) == 2
    for each in served:
        assert _status(f"http://{each.address}:{each.port}/debug/configz") == 404


def _status(url: str) -> int:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
    try:
        with opener.open(url, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


@pytest.fixture
def outside(tmp_path: Path, mesh: Twin) -> Iterator[Path]:
    """A place on this machine that no pod may write to, and the namespace of a pod that tries."""
    yield tmp_path / "outside"
    mesh.run(["kubectl", "delete", "namespace", "escape", "--wait=true"])


def test_a_pod_writes_nothing_outside_of_its_root(mesh: Twin, outside: Path) -> None:
    mount = {"name": "v", "mountPath": f"{'/..' * 30}{outside}"}
    container = {"name": "discovery", "image": "example.com/x", "args": ["version"], "volumeMounts": [mount]}
    items: list[Any] = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "escape"}},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "payload", "namespace": "escape"}, "data": {"proof.txt": "written by a pod"}},
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "escape", "namespace": "escape", "labels": {"app": "istiod"}},
            "spec": {"containers": [container], "volumes": [{"name": "v", "configMap": {"name": "payload"}}]},
        },
    ]
    given = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
    made = subprocess.run(["kubectl", "apply", "-f", "-"], env=mesh.environment, input=given, check=False, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    root = mesh.paths.processes / "escape.escape.pod" / "root"
    until(lambda: (root / str(outside).lstrip("/") / "proof.txt").exists(), "the pod's volume to be written")
    assert not outside.exists()


def test_a_twin_of_another_version_is_refused(mesh: Twin) -> None:
    settings = mesh.paths.settings.read_text()
    data = json.loads(settings)
    del data["layout"]
    mesh.paths.settings.write_text(json.dumps(data))
    try:
        done = subprocess.run([sys.executable, "-m", "twin", "--name", mesh.name, "up"], check=False, capture_output=True, text=True)
        assert done.returncode == 1
        assert f"make it anew (TWIN={mesh.name} make twin-down twin-up)" in done.stderr
    finally:
        mesh.paths.settings.write_text(settings)
