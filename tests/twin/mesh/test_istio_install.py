"""The role istio step by step: what a failed step stops, what it leaves alone, and what of it is compared later."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.twin.conftest import Twin

LABELS = {"team": "platform", "pod-security.kubernetes.io/enforce": "privileged"}


@pytest.fixture(scope="module")
def failed(empty_twin: Twin) -> subprocess.CompletedProcess[str]:
    """A run on a cluster with a namespace that others have made, whose istiod finds no node."""
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "istio-system", "labels": LABELS}}
    applied = subprocess.run(
        ["kubectl", "create", "-f", "-"], env=empty_twin.environment, input=json.dumps(namespace), capture_output=True, text=True, check=False
    )
    assert applied.returncode == 0, applied.stderr
    return play(empty_twin, istio_istiod_values={"nodeSelector": {"kubernetes.io/hostname": "nowhere"}}, istio_timeout=6)


@pytest.fixture(scope="module")
def installed(empty_twin: Twin, failed: subprocess.CompletedProcess[str], tmp_path_factory: pytest.TempPathFactory) -> Twin:
    """The same cluster after the next run, with values from a file."""
    del failed
    file = tmp_path_factory.mktemp("values") / "istiod.yml"
    file.write_text(yaml.safe_dump({"autoscaleMax": 3}))
    values = "{{ lookup('ansible.builtin.file', '" + str(file) + "') | from_yaml }}"
    gateway = {"name": "istio-ingress", "namespace": "istio-ingress", "service": {"type": "ClusterIP"}}
    done = play(empty_twin, istio_istiod_values=values, istio_gateways=[gateway])
    assert done.returncode == 0, done.stdout[-4000:]
    return empty_twin


@pytest.mark.requirement("C8")
def test_a_step_that_fails_stops_the_rest_and_shows_what_its_pods_say(empty_twin: Twin, failed: subprocess.CompletedProcess[str]) -> None:
    output = " ".join(failed.stdout.split())
    assert failed.returncode == 2, output[-3000:]
    order = ["Apply the definitions", "Install the chart base", "Install the chart istiod", "Wait until the control plane and its webhooks serve"]
    places = [output.index(f": {task}") for task in order]
    assert places == sorted(places), "the steps have another order"
    assert "Install the chart cni" not in output and "Install the chart ztunnel" not in output, "a later step was begun"
    assert "node(s) didn't match Pod's node affinity/selector" in output, "the events of the pod are not shown"
    assert {release["name"] for release in releases(empty_twin)} >= {"istio-base", "istiod"}


@pytest.mark.requirement("C9")
def test_a_namespace_that_is_there_keeps_its_labels_and_one_that_is_not_is_made(installed: Twin) -> None:
    assert LABELS.items() <= labels_of(installed, "istio-system").items()
    assert labels_of(installed, "istio-ingress")["kubernetes.io/metadata.name"] == "istio-ingress"


@pytest.mark.requirement("C3", "C11")
def test_an_upgrade_with_values_of_ones_own_stays_ambient(installed: Twin) -> None:
    assert values_of_istiod(installed) == {"profile": "ambient", "pilot": {"autoscaleMax": 3}}, "the file's values are not over our own"
    done = play(installed, istio_istiod_values={"autoscaleMax": 2})
    assert done.returncode == 0 and "changed=0" not in done.stdout, done.stdout[-4000:]
    assert values_of_istiod(installed) == {"profile": "ambient", "pilot": {"autoscaleMax": 2}}
    deployment = json.loads(installed.run(["kubectl", "get", "deployment", "istiod", "-n", "istio-system", "-o", "json"]).stdout)
    environment = {variable["name"]: variable.get("value") for variable in deployment["spec"]["template"]["spec"]["containers"][0]["env"]}
    assert environment["PILOT_ENABLE_AMBIENT"] == "true", "ztunnels are refused from now on"


@pytest.mark.requirement("C7", "M12")
def test_one_version_pins_all_charts_and_another_one_is_named(installed: Twin, tmp_path: Path) -> None:
    pinned = installed.environment["TWIN_ISTIO_VERSION"]
    assert {release["chart"] for release in releases(installed)} >= {f"{chart}-{pinned}" for chart in ("base", "istiod", "cni", "ztunnel")}
    unpinned = play(installed, istio_version="")
    assert unpinned.returncode != 0 and "istio_version" in unpinned.stdout, unpinned.stdout[-3000:]

    shutil.unpack_archive(Path(installed.environment["TWIN_CHARTS"]) / f"ztunnel-{pinned}.tgz", tmp_path)
    for command in (["package", "ztunnel", "--version", "1.30.9"], ["upgrade", "ztunnel", "ztunnel-1.30.9.tgz", "-n", "istio-system", "--reuse-values"]):
        done = installed.run(["helm", *command], cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    verified = installed.play("verify.yml", "--tags", "istio")
    assert verified.returncode == 2, verified.stdout[-3000:]
    assert f"whose istio_version is {pinned}, in" in " ".join(verified.stdout.split())
    assert "istio-system/ztunnel (chart" in " ".join(verified.stdout.split())


def play(twin: Twin, **variables: Any) -> subprocess.CompletedProcess[str]:
    """site.yml as far as Istio."""
    return twin.play("site.yml", "--tags", "gateway_api,istio", "-e", json.dumps({"istio_timeout": 120, **variables}))


def values_of_istiod(twin: Twin) -> Any:
    """As the documentation has them printed."""
    return json.loads(twin.run(["helm", "get", "values", "istiod", "-n", "istio-system", "-o", "json"]).stdout)


def releases(twin: Twin) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(twin.run(["helm", "list", "--all", "--all-namespaces", "-o", "json"]).stdout)
    return found


def labels_of(twin: Twin, namespace: str) -> dict[str, str]:
    found: dict[str, str] = json.loads(twin.run(["kubectl", "get", "namespace", namespace, "-o", "json"]).stdout)["metadata"]["labels"]
    return found
