"""What a user can cause gives one clear sentence, no traceback, and nothing half-done."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.twin.conftest import Twin

_ENROLL: dict[str, Any] = {"namespaces": [{"name": "bookinfo", "dataplane_mode": "ambient"}]}
_WAYPOINT: dict[str, Any] = {"waypoints": [{"namespace": "bookinfo", "name": "another"}]}
_READY: dict[str, Any] = {"targets": [{"kind": "enrollment", "namespace": "bookinfo"}], "timeout": 2}

_EVERY_MODULE = pytest.mark.parametrize(
    ("name", "arguments"),
    [pytest.param("enrollment", _ENROLL, id="enrollment"), pytest.param("waypoint", _WAYPOINT, id="waypoint"), pytest.param("ready", _READY, id="ready")],
)


def _sentence(result: dict[str, Any]) -> str:
    """The message of a failure, after the checks that hold for every one."""
    assert result.get("failed"), result
    message = str(result["msg"])
    assert "Traceback" not in json.dumps(result), message
    assert "\n" not in message.strip() or message.count("\n") <= 2, f"this is no sentence:\n{message}"
    return message


@pytest.mark.requirement("A1")
@_EVERY_MODULE
def test_an_unreachable_server(mesh: Twin, tmp_path: Path, name: str, arguments: dict[str, Any]) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        kubeconfig = _kubeconfig(mesh, tmp_path, server=f"https://127.0.0.1:{port}")
        message = _sentence(mesh.module(name, {**arguments, "kubeconfig": str(kubeconfig)}))
    assert f"https://127.0.0.1:{port}" in message
    assert "could not be reached" in message
    assert "Connection refused" in message


@_EVERY_MODULE
def test_an_expired_token(mesh: Twin, tmp_path: Path, name: str, arguments: dict[str, Any]) -> None:
    kubeconfig = _kubeconfig(mesh, tmp_path, user={"token": "eyJhbGciOiJSUzI1NiJ9.expired.token"})
    message = _sentence(mesh.module(name, {**arguments, "kubeconfig": str(kubeconfig)}))
    assert "did not accept the credentials" in message
    assert "expired" in message
    assert "eyJ" not in message, "a token is in the message"


@_EVERY_MODULE
def test_a_kubeconfig_that_is_not_there(mesh: Twin, name: str, arguments: dict[str, Any]) -> None:
    message = _sentence(mesh.module(name, {**arguments, "kubeconfig": "/nowhere/kubeconfig"}))
    assert "The option kubeconfig is neither the path of an existing file nor the content of a kubeconfig" in message


@pytest.mark.requirement("A1")
def test_a_permission_that_is_missing_is_found_before_the_first_write(mesh: Twin, tmp_path: Path) -> None:
    kubeconfig = _reader(mesh, tmp_path)
    before = _labels(mesh, "default")
    options = {"namespaces": [{"name": "default", "dataplane_mode": "none"}], "kubeconfig": str(kubeconfig)}
    for check in (True, False):
        message = _sentence(mesh.module("enrollment", options, check=check))
        assert "does not allow this user to patch namespaces" in message
        assert "grant the verb patch on namespaces" in message
    assert _labels(mesh, "default") == before


def test_a_permission_to_read_that_is_missing(mesh: Twin, tmp_path: Path) -> None:
    kubeconfig = _reader(mesh, tmp_path, rules=[])
    for name, arguments in (("enrollment", _ENROLL), ("waypoint", _WAYPOINT), ("ready", _READY)):
        message = _sentence(mesh.module(name, {**arguments, "kubeconfig": str(kubeconfig)}))
        assert "cannot list resource" in message
        assert "grant this permission" in message


def test_a_namespace_that_does_not_exist(mesh: Twin) -> None:
    message = _sentence(mesh.module("enrollment", {"namespaces": [{"name": "nowhere", "dataplane_mode": "ambient"}]}))
    assert "namespace nowhere does not exist: create it first, or correct its name" in message
    message = _sentence(mesh.module("waypoint", {"waypoints": [{"namespace": "nowhere"}]}))
    assert "namespace nowhere does not exist" in message
    message = _sentence(mesh.module("ready", {"targets": [{"kind": "enrollment", "namespace": "nowhere"}], "timeout": 1}))
    assert "Namespace nowhere does not exist" in message


def test_a_waypoint_that_does_not_exist(mesh: Twin) -> None:
    before = _labels(mesh, "default")
    options = {"namespaces": [{"name": "default", "dataplane_mode": "ambient", "use_waypoint": "nowhere"}]}
    message = _sentence(mesh.module("enrollment", options))
    assert "waypoint default/nowhere does not exist" in message
    assert _labels(mesh, "default") == before


def test_a_definition_that_is_missing(empty_twin: Twin) -> None:
    message = _sentence(empty_twin.module("waypoint", {"waypoints": [{"namespace": "default"}]}))
    assert "does not serve Gateway (gateway.networking.k8s.io/v1): install the Gateway API CRDs first (role gateway_api)" in message
    message = _sentence(empty_twin.module("ready", {"targets": [{"kind": "waypoint", "name": "waypoint", "namespace": "default"}], "timeout": 1}))
    assert "does not serve Gateway" in message


@pytest.mark.requirement("L19")
def test_bad_inventory_data_fails_before_the_first_write_with_all_errors_at_once(empty_twin: Twin, tmp_path: Path) -> None:
    wrong = {
        "istio_version": "1.9",
        "istio_platform": "eks-anywhere",
        "istio_timeout": "soon",
        "mesh_namespace": [],
        "mesh_waypoints": [{"name": "Way Point", "namespace": "shop"}, {"name": "w", "namespace": "shop", "for": "everything"}],
        "mesh_namespaces": [{"name": "other", "use_waypoint": "w", "use_waypoint_namespace": "shop"}, {"dataplane_mode": "ambient"}],
    }
    variables = tmp_path / "wrong.yml"
    variables.write_text(yaml.safe_dump(wrong))
    done = empty_twin.play("site.yml", "-e", f"@{variables}")
    assert done.returncode != 0
    output = " ".join(done.stdout.split())
    for reported in (
        "cluster sandbox: istio_version is '1.9'",
        "istio_platform",
        "istio_timeout",
        "mesh_namespace is not a variable of the role mesh: did you mean mesh_namespaces?",
        "mesh_waypoints[0].name is 'Way Point'",
        "mesh_waypoints[1].for is 'everything', which is not one of its choices",
        "mesh_namespaces[0] binds namespace other to shop/w, which allows only its own namespace",
        "mesh_namespaces[1] needs name, label_selector or both",
    ):
        assert reported in output, f"the message does not tell {reported!r}:\n{done.stdout[-3000:]}"
    assert "Apply the definitions" not in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_a_kubeconfig_option_beats_a_credential_of_the_environment(mesh: Twin) -> None:
    result = mesh.module("ready", _READY, K8S_AUTH_HOST="https://127.0.0.1:1", K8S_AUTH_API_KEY="secret", K8S_AUTH_VERIFY_SSL="false")
    assert not result.get("failed"), result


def _kubeconfig(twin: Twin, directory: Path, *, server: str | None = None, user: dict[str, Any] | None = None) -> Path:
    config = yaml.safe_load(twin.paths.kubeconfig.read_text())
    if server:
        config["clusters"][0]["cluster"]["server"] = server
    if user:
        config["users"][0]["user"] = user
    path = directory / "kubeconfig"
    path.write_text(yaml.safe_dump(config))
    return path


def _reader(twin: Twin, directory: Path, rules: list[dict[str, Any]] | None = None) -> Path:
    """The kubeconfig of a user who may read namespaces, or what the rules say, and nothing else."""
    name = "reader" if rules is None else "nobody"
    rules = [{"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get", "list", "watch"]}] if rules is None else rules
    subject = {"kind": "ServiceAccount", "name": name, "namespace": "default"}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": f"test-{name}"}
    objects = [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": "default"}},
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": f"test-{name}"}, "rules": rules},
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": f"test-{name}"},
            "subjects": [subject],
            "roleRef": role,
        },
    ]
    manifest = directory / "reader.yaml"
    manifest.write_text(yaml.safe_dump_all(objects))
    assert twin.run(["kubectl", "apply", "-f", str(manifest)]).returncode == 0
    token = twin.run(["kubectl", "create", "token", name, "-n", "default"]).stdout.strip()
    return _kubeconfig(twin, directory, user={"token": token})


def _labels(twin: Twin, namespace: str) -> dict[str, str]:
    found = json.loads(twin.run(["kubectl", "get", "namespace", namespace, "-o", "json"]).stdout)
    labels: dict[str, str] = found["metadata"]["labels"]
    return labels
