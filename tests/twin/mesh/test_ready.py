"""Readiness against a real istiod: a failure names the cause, and a success returns at once."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.polling import until
from tests.twin.conftest import Twin
from twin.collection import POD, Changed, Listed, Object, Scope, Streams


@pytest.fixture
def without_istiod(mesh: Twin) -> Iterator[Twin]:
    """The mesh with istiod's process stopped; it is started again afterwards."""
    _process(mesh, "stop")
    _wait_for_istiod(mesh, ready=False)
    yield mesh
    _process(mesh, "start")
    _wait_for_istiod(mesh, ready=True)


def test_istiod_is_named_as_the_cause_at_the_deadline(without_istiod: Twin, capsys: pytest.CaptureFixture[str]) -> None:
    targets = [{"kind": "control_plane", "namespace": "istio-system"}]
    result = without_istiod.module("ready", {"targets": targets, "timeout": 3})
    assert result["failed"]
    assert result["elapsed"] >= 3, "it gave up before its deadline"
    # The delay after the deadline is printed, not asserted: a busy machine must not fail a test.
    with capsys.disabled():
        print(f"\nready with a deadline of 3 s ended its wait after {result['elapsed']:.2f} s")
    assert "istiod is the cause" in result["msg"]
    assert "since 20" in result["msg"]
    assert "istiod does not run" in result["msg"], result["msg"]
    assert result["targets"][0]["reason"] == "IstiodNotAvailable"


@pytest.mark.requirement("H2")
def test_a_new_waypoint_without_istiod_says_so(without_istiod: Twin) -> None:
    waypoint = {"name": "orphan", "namespace": "bookinfo"}
    try:
        result = without_istiod.module("waypoint", {"waypoints": [waypoint], "wait": True, "wait_timeout": 3})
        assert result["failed"]
        assert "istiod is the cause: Deployment istio-system/istiod has no available pod" in result["msg"]
    finally:
        gone = without_istiod.module("waypoint", {"waypoints": [{**waypoint, "state": "absent"}]})
        assert not gone.get("failed"), gone


def test_a_service_entry_with_a_misspelled_waypoint_is_found_with_its_namespace(mesh: Twin, tmp_path: Path) -> None:
    body = {
        "apiVersion": "networking.istio.io/v1",
        "kind": "ServiceEntry",
        "metadata": {"name": "payments", "namespace": "bookinfo", "labels": {"istio.io/use-waypoint": "waypiont"}},
        "spec": {
            "hosts": ["payments.example.com"],
            "location": "MESH_EXTERNAL",
            "resolution": "DNS",
            "ports": [{"number": 443, "name": "tls", "protocol": "TLS"}],
        },
    }
    target = {"kind": "binding", "namespace": "bookinfo"}
    file = tmp_path / "entry.json"
    file.write_text(json.dumps(body))
    created = mesh.run(["kubectl", "create", "-f", str(file)])
    assert created.returncode == 0, created.stderr
    try:
        # Until istiod has judged it, it is not bound either.
        result = mesh.module("ready", {"targets": [target], "timeout": 0})
        assert result["failed"]
        assert "ServiceEntry payments: " in result["msg"]
        assert "waypiont" in result["msg"]
    finally:
        mesh.run(["kubectl", "delete", "-f", str(file)])
    assert not mesh.module("ready", {"targets": [target], "timeout": 30}).get("failed")


@pytest.mark.parametrize(
    ("kind", "groups", "resources", "path", "blocked"),
    [
        ("ValidatingWebhookConfiguration", ["networking.istio.io", "security.istio.io"], ["*"], "/validate", "Istio's objects"),
        ("MutatingWebhookConfiguration", [""], ["pods"], "/inject", "pods"),
    ],
)
def test_a_webhook_that_another_installation_has_left_is_named(
    mesh: Twin, tmp_path: Path, kind: str, groups: list[str], resources: list[str], path: str, blocked: str
) -> None:
    body = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": kind,
        "metadata": {"name": "istio-mesh-old", "labels": {"app": "istiod", "istio.io/rev": "old"}},
        "webhooks": [
            {
                "name": "rev.validation.istio.io",
                "admissionReviewVersions": ["v1"],
                "sideEffects": "None",
                "failurePolicy": "Fail",
                "clientConfig": {"service": {"name": "istiod", "namespace": "mesh-old", "path": path, "port": 443}},
                # Whatever else runs on this twin goes on.
                "namespaceSelector": {"matchLabels": {"istio.io/rev": "old"}},
                "rules": [{"apiGroups": groups, "apiVersions": ["*"], "operations": ["CREATE"], "resources": resources}],
            }
        ],
    }
    file = tmp_path / "webhook.json"
    file.write_text(json.dumps(body))
    created = mesh.run(["kubectl", "create", "-f", str(file)])
    assert created.returncode == 0, created.stderr
    try:
        verified = mesh.play("verify.yml", "--tags", "istio")
    finally:
        mesh.run(["kubectl", "delete", "-f", str(file)])
    message = " ".join(verified.stdout.split())
    assert verified.returncode != 0, message[-3000:]
    assert f"{kind} istio-mesh-old of another installation intercepts {blocked}, and its Service mesh-old/istiod" in message, message[-3000:]
    assert f"{blocked} cannot be written" in message


def test_ready_returns_when_the_truth_has_come_and_not_before(mesh: Twin, capsys: pytest.CaptureFixture[str]) -> None:
    _process(mesh, "stop")
    _wait_for_istiod(mesh, ready=False)
    targets = [{"kind": "control_plane", "namespace": "istio-system"}]
    read_before = _deployments_read(mesh)
    waiting = subprocess.Popen(mesh.module_command("ready", {"targets": targets, "timeout": 60}), env=mesh.environment, stdout=subprocess.PIPE, text=True)
    until(lambda: _deployments_read(mesh) > read_before, "the module to look at istiod")
    # Another one that does not wait takes as long as the first would to return too early.
    assert mesh.module("ready", {"targets": targets, "timeout": 0}).get("failed")
    assert waiting.poll() is None, "it returned although istiod was stopped"
    truth = _process_and_wait_for_deployment(mesh)
    output, _errors = waiting.communicate(timeout=30)
    lag = time.monotonic() - truth
    assert waiting.returncode == 0, output
    assert [target["status"] for target in json.loads(output)["targets"]] == ["Current"]
    # A busy machine must not fail a test, so the figure is printed, not asserted; it should be below a second.
    with capsys.disabled():
        print(f"\nready returned {lag:.2f} s after istiod's Deployment was available again")


def test_a_killed_istiod_is_restarted_with_its_restart_counted(mesh: Twin) -> None:
    pod = _istiod_pod(mesh)
    restarts = pod["status"]["containerStatuses"][0]["restartCount"]
    subprocess.run(["pkill", "-KILL", "-f", f"pilot-discovery discovery .*{mesh.paths.name}/"], check=True)
    with Streams(mesh.session, [Scope(POD, "istio-system")]) as streams:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            for event in streams.next_events(deadline - time.monotonic()):
                if isinstance(event, Changed) and event.object["metadata"]["uid"] == pod["metadata"]["uid"]:
                    status = event.object["status"]["containerStatuses"][0]
                    if status["ready"] and status["restartCount"] == restarts + 1:
                        return
    raise AssertionError("istiod's pod did not become ready again with one more restart")


def test_the_process_goes_with_its_pod(mesh: Twin) -> None:
    old = _istiod_pod(mesh)
    assert mesh.run(["kubectl", "delete", "pod", "-n", "istio-system", old["metadata"]["name"], "--wait"]).returncode == 0
    result = mesh.module("ready", {"targets": [{"kind": "control_plane", "namespace": "istio-system"}], "timeout": 30})
    assert not result.get("failed"), result["msg"]
    new = _istiod_pod(mesh)
    assert new["metadata"]["uid"] != old["metadata"]["uid"]
    status = mesh.run([sys.executable, "-m", "twin", "status"]).stdout
    assert new["metadata"]["name"] in status
    assert old["metadata"]["name"] not in status


def _process(twin: Twin, action: str) -> None:
    done = twin.run([sys.executable, "-m", "twin", "process", action, "istiod"])
    assert done.returncode == 0, done.stderr


def _process_and_wait_for_deployment(twin: Twin) -> float:
    """Start istiod; returns when the Deployment became available again, on the monotonic clock."""
    from twin.collection import Kind

    deployments = Kind("apps/v1", "Deployment", "deployments")
    with Streams(twin.session, [Scope(deployments, "istio-system")]) as streams:
        _process(twin, "start")
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            for event in streams.next_events(deadline - time.monotonic()):
                if isinstance(event, Changed) and event.object["metadata"]["name"] == "istiod" and event.object["status"].get("availableReplicas"):
                    return time.monotonic()
    raise AssertionError("the Deployment did not become available")


def _deployments_read(twin: Twin) -> int:
    """How often the Deployments beside istiod were listed so far."""
    return len(re.findall(r'"requestURI":"/apis/apps/v1/namespaces/istio-system/deployments\?[^"]*","verb":"list"', twin.paths.audit_log.read_text()))


def _istiod_pod(twin: Twin) -> Object:
    pods = twin.session.list(POD, "istio-system", label_selector="app=istiod").items
    return next(pod for pod in pods if not pod["metadata"].get("deletionTimestamp"))


def _wait_for_istiod(twin: Twin, *, ready: bool) -> None:
    with Streams(twin.session, [Scope(POD, "istio-system")]) as streams:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            for event in streams.next_events(deadline - time.monotonic()):
                objects = event.objects if isinstance(event, Listed) else [event.object] if isinstance(event, Changed) else []
                for pod in objects:
                    if pod["metadata"]["labels"].get("app") == "istiod" and _is_ready(pod) == ready:
                        return
    raise AssertionError(f"istiod's pod did not become {'ready' if ready else 'unready'}")


def _is_ready(pod: Object) -> bool:
    return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in pod.get("status", {}).get("conditions", ()))
