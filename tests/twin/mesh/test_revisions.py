"""An istiod with a revision, in a namespace of another name: ztunnel connects to its Service."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.twin.conftest import Twin

VARIABLES = {
    "bookinfo_enabled": False,
    "istio_namespace": "mesh-control",
    "istio_istiod_values": {"revision": "blue"},
    "mesh_namespaces": [{"name": "shop", "dataplane_mode": "ambient", "use_waypoint": "waypoint"}],
    "mesh_waypoints": [{"namespace": "shop"}],
}


@pytest.fixture(scope="module")
def variables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("revisions") / "variables.yml"
    file.write_text(yaml.safe_dump(VARIABLES))
    return file


@pytest.fixture(scope="module")
def blue(empty_twin: Twin, variables: Path) -> Twin:
    assert empty_twin.run(["kubectl", "create", "namespace", "shop"]).returncode == 0
    done = empty_twin.play("site.yml", "-e", f"@{variables}")
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    return empty_twin


def _addresses(twin: Twin) -> set[str]:
    done = twin.run(["kubectl", "-n", "mesh-control", "get", "daemonset", "ztunnel", "-o", "json"])
    assert done.returncode == 0, done.stderr
    (container,) = json.loads(done.stdout)["spec"]["template"]["spec"]["containers"]
    return {variable["value"] for variable in container["env"] if variable["name"] in ("CA_ADDRESS", "XDS_ADDRESS")}


def _wait_for_ztunnel(twin: Twin) -> dict[str, Any]:
    return twin.module("ready", {"targets": [{"kind": "DaemonSet", "namespace": "mesh-control", "name": "ztunnel"}], "timeout": 0})


def test_ztunnel_connects_to_the_service_that_exists(blue: Twin) -> None:
    assert _addresses(blue) == {"istiod-blue.mesh-control.svc:15012"}
    assert blue.run(["kubectl", "-n", "mesh-control", "get", "service", "istiod-blue"]).returncode == 0
    assert blue.run(["kubectl", "-n", "mesh-control", "get", "service", "istiod"]).returncode != 0
    # Nothing is left to the namespace that the charts take by themselves.
    assert blue.run(["kubectl", "get", "namespace", "istio-system"]).returncode != 0
    assert not _wait_for_ztunnel(blue).get("failed")


def test_verify_agrees_and_a_second_run_changes_nothing(blue: Twin, variables: Path) -> None:
    done = blue.play("verify.yml", "-e", f"@{variables}")
    assert done.returncode == 0, done.stdout[-4000:]
    again = blue.play("site.yml", "-e", f"@{variables}")
    assert "changed=0" in again.stdout, again.stdout[-4000:]


def test_an_agent_that_names_another_istiod_is_found(blue: Twin, variables: Path) -> None:
    container = {"name": "istio-proxy", "env": [{"name": "XDS_ADDRESS", "value": "istiod.mesh-control.svc:15012"}]}
    patch = {"spec": {"template": {"spec": {"containers": [container]}}}}
    patched = blue.run(["kubectl", "-n", "mesh-control", "patch", "daemonset", "ztunnel", "-p", json.dumps(patch)])
    assert patched.returncode == 0, patched.stderr
    found = _wait_for_ztunnel(blue)
    assert found["failed"]
    assert "its pods connect to Service mesh-control/istiod (XDS_ADDRESS), which does not exist" in found["msg"]
    done = blue.play("verify.yml", "-e", f"@{variables}", "--tags", "istio")
    assert done.returncode != 0
    assert "Service mesh-control/istiod (XDS_ADDRESS)" in done.stdout
