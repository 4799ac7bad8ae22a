"""The main job as an operator runs it: again, from elsewhere, interrupted, in check mode."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from generate.declarations import role_variables
from tests.polling import until
from tests.stages.twins import fresh_twin
from tests.twin.conftest import Twin
from tests.twin.support.helm_records import release_status, set_release_status
from tests.twin.support.writes import writes_in_cluster
from twin.paths import REPOSITORY

CLASSIC = {
    "ingress_classic_gateways": [
        {"name": "gateway", "namespace": "istio-system", "labels": {"Team": "Metashare"}, "selector": {"app": "istio-ingress"}, "hosts": ["*.a.com", "a.com"]}
    ],
    "ingress_routes": [
        {
            "name": "shop",
            "namespace": "istio-system",
            "kind": "VirtualService",
            "gateway": "gateway",
            "hosts": ["shop.a.com"],
            "rules": [{"backends": [{"service": "shop", "port": 80}]}],
        }
    ],
}


@pytest.fixture(scope="module")
def second() -> Iterator[Twin]:
    """A twin beside the one with the mesh."""
    with fresh_twin("test-second") as environment:
        yield Twin("test-second", environment)


def _changed(output: str) -> int:
    found = re.search(r"changed=(\d+)", output)
    assert found, f"there is no recap in:\n{output[-3000:]}"
    return int(found[1])


@pytest.mark.requirement("A13")
def test_a_second_run_changes_nothing_from_any_directory(mesh: Twin, tmp_path: Path) -> None:
    for directory in (REPOSITORY, tmp_path):
        done = mesh.play("site.yml", cwd=directory)
        assert done.returncode == 0, done.stdout[-3000:]
        assert _changed(done.stdout) == 0, done.stdout


def test_verify_judges_everything_and_changes_nothing(mesh: Twin) -> None:
    before = writes_in_cluster(mesh.paths.audit_log)
    done = mesh.play("verify.yml")
    assert done.returncode == 0, done.stdout[-3000:]
    assert writes_in_cluster(mesh.paths.audit_log) == before


def test_verify_fails_when_a_label_has_drifted(mesh: Twin) -> None:
    label = ["kubectl", "label", "namespace", "bookinfo", "--overwrite"]
    assert mesh.run([*label, "istio.io/use-waypoint=none"]).returncode == 0
    try:
        refused = {"mesh_services": [{"name": "nowhere", "namespace": "bookinfo", "use_waypoint": "waypoint"}]}
        done = mesh.play("verify.yml", "--tags", "mesh", "-e", json.dumps(refused))
        assert done.returncode == 2
        shown = " ".join(done.stdout.split())
        assert "Cluster sandbox differs from its inventory in Namespace bookinfo" in shown
        # What is refused hides neither what differs nor what is not ready.
        assert "Service bookinfo/nowhere" in shown, shown[-3000:]
        assert "binding bookinfo: " in shown, shown[-3000:]
    finally:
        assert mesh.run([*label, "istio.io/use-waypoint=waypoint"]).returncode == 0


def test_istioctl_sees_the_waypoint_as_programmed(mesh: Twin) -> None:
    reported = mesh.run(["istioctl", "waypoint", "list", "--namespace", "bookinfo"]).stdout.splitlines()
    assert reported[1].split() == ["waypoint", "default", "service", "True"]


def test_check_mode_reports_what_would_be_made_and_writes_nothing(empty_twin: Twin) -> None:
    before = writes_in_cluster(empty_twin.paths.audit_log)
    done = empty_twin.play("site.yml", "--check", "--diff")
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-1000:]
    for reported in ("+bundle-version: v1.6", "Waypoint bookinfo/waypoint", "+istio.io/use-waypoint: waypoint", "Would apply"):
        assert reported in done.stdout, f"check mode does not tell {reported!r}"
    assert writes_in_cluster(empty_twin.paths.audit_log) == before


def test_a_run_that_is_killed_at_any_point_is_made_good_by_the_next(empty_twin: Twin) -> None:
    for task in (
        "Apply the definitions",
        "Install the chart base",
        "Install the chart istiod",
        "Install the chart cni",
        "Install the chart ztunnel",
        "Deploy the application",
        "Create the waypoints",
        "Enroll namespaces",
    ):
        _kill_in_the_midst_of(empty_twin, task)
    done = empty_twin.play("site.yml")
    assert done.returncode == 0, done.stdout[-3000:]
    again = empty_twin.play("site.yml")
    assert again.returncode == 0
    assert _changed(again.stdout) == 0, again.stdout[-3000:]


@pytest.mark.requirement("C17", "D14", "M13", "M17")
def test_one_run_installs_on_an_empty_cluster_and_enrolls_nothing_by_itself(second: Twin) -> None:
    before = _namespace_labels(second)
    # Istio's own Gateway needs a definition that the same run brings.
    done = second.play("site.yml", "--tags", "gateway_api,istio,ingress", "-e", json.dumps(CLASSIC))
    assert done.returncode == 0, done.stdout[-3000:]
    for kind, name in (("gateways", "gateway"), ("virtualservices", "shop")):
        read = second.run(["kubectl", "get", f"{kind}.v1.networking.istio.io", name, "-n", "istio-system", "-o", "json"])
        assert json.loads(read.stdout)["apiVersion"] == "networking.istio.io/v1", read.stderr
    again = second.play("site.yml", "--tags", "ingress", "-e", json.dumps(CLASSIC))
    assert _changed(again.stdout) == 0, again.stdout[-3000:]
    after = _namespace_labels(second)
    assert {name: after[name] for name in before} == before
    assert set(after) - set(before) == {"istio-system"}
    assert "istio.io/dataplane-mode" not in after["istio-system"]


def test_two_twins_side_by_side_do_not_meet(mesh: Twin, second: Twin) -> None:
    assert second.play("site.yml", "--tags", "gateway_api,istio").returncode == 0
    # The webhooks of both serve, each by its own istiod.
    for twin in (mesh, second):
        result = twin.module("ready", {"targets": [{"kind": "control_plane", "namespace": "istio-system"}], "timeout": 20})
        assert not result.get("failed"), result["msg"]


def test_a_release_that_a_killed_helm_left_pending_is_taken_up_again(mesh: Twin) -> None:
    set_release_status(mesh, "ztunnel", "pending-install")
    done = mesh.play("site.yml", "--tags", "istio")
    assert done.returncode == 0, done.stdout[-3000:]
    assert release_status(mesh, "ztunnel") == "deployed"
    again = mesh.play("site.yml")
    assert _changed(again.stdout) == 0, again.stdout[-3000:]


@pytest.mark.requirement("C1")
def test_charts_come_from_a_repository_as_well_as_from_a_directory(mesh: Twin, tmp_path: Path) -> None:
    for chart in Path(mesh.environment["TWIN_CHARTS"]).glob("*.tgz"):
        shutil.copy(chart, tmp_path)
    assert mesh.run(["helm", "repo", "index", str(tmp_path)]).returncode == 0
    repositories = tmp_path / "repositories.yaml"
    with _served(tmp_path) as source:
        done = mesh.play("site.yml", "--tags", "istio", "-e", f"istio_chart_source={source}", HELM_REPOSITORY_CONFIG=str(repositories))
    assert done.returncode == 0, done.stdout[-3000:]
    assert _changed(done.stdout) == 0, "the same charts from elsewhere are the same"
    assert not repositories.exists(), "a repository was registered with Helm"


@pytest.mark.requirement("D1")
def test_definitions_come_from_a_url_as_well_as_from_a_directory_and_name_their_version(mesh: Twin, tmp_path: Path) -> None:
    files = sorted(Path(mesh.environment["TWIN_GATEWAY_API"]).glob("*.yaml"))
    (tmp_path / "standard-install.yaml").write_text("\n---\n".join(file.read_text() for file in files))
    with _served(tmp_path) as source:
        reported = mesh.module("gateway_api", {"source": f"{source}/standard-install.yaml"}, check=True)
    assert not reported.get("failed"), reported["msg"]
    pinned = mesh.environment["TWIN_GATEWAY_API_VERSION"]
    assert (reported["changed"], reported["version"]) == (False, pinned)
    assert {definition["before"] for definition in reported["definitions"]} == {pinned}, "the version on the definitions is not reported"
    default = role_variables()["gateway_api"]["gateway_api_source"]["default"]
    assert default.endswith("/{{ gateway_api_version }}/standard-install.yaml"), "by default it is not the standard channel of the chosen release"


@contextlib.contextmanager
def _served(directory: Path) -> Iterator[str]:
    """The URL of a directory, for a block."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=str(directory))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


def _namespace_labels(twin: Twin) -> dict[str, dict[str, str]]:
    found = json.loads(twin.run(["kubectl", "get", "namespaces", "-o", "json"]).stdout)
    return {item["metadata"]["name"]: item["metadata"]["labels"] for item in found["items"]}


def _kill_in_the_midst_of(twin: Twin, task: str) -> None:
    """Start site.yml and kill it, with all it has started, as soon as a task has written something."""
    command = ["ansible-playbook", "site.yml", "-i", "inventories/sandbox"]
    environment = {**twin.environment, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True) as playing:
        assert playing.stdout is not None
        reached = any(task in line for line in playing.stdout)
        assert reached, f"site.yml ended before {task!r}"
        before = len(writes_in_cluster(twin.paths.audit_log))
        # Only then is the module at work: the requests of Ansible itself do not count as writes.
        until(lambda: len(writes_in_cluster(twin.paths.audit_log)) > before, f"{task!r} to write", so=lambda wrote: wrote or playing.poll() is not None)
        assert playing.poll() is None, f"site.yml ended before {task!r} wrote anything"
        os.killpg(playing.pid, signal.SIGKILL)
