"""What reaches a chart, and how a release comes out of a state in which Helm refuses to work on it, or would leave it."""

from __future__ import annotations

import json
import re
import subprocess
from typing import Any

import pytest

from tests.twin.conftest import Twin
from tests.twin.support.helm_records import release_status, set_release_status

# Texts that are numbers for Helm unless they are quoted.
ENVIRONMENT = {"ACCOUNT": "012345678901", "COMMIT": "1234e5", "OCTAL": "0o17", "HEX": "0x1F", "SWITCH": "on", "DAY": "2026-11-29", "GROUPED": "1_000"}
ANNOTATIONS = {"team": "0815", "release": "1e3", "minutes": "1:30"}
VALUES = {"istio_istiod_values": {"pilot": {"env": ENVIRONMENT, "podAnnotations": ANNOTATIONS}}, "istio_ztunnel_values": {"podAnnotations": ANNOTATIONS}}


@pytest.fixture(scope="module")
def installed(empty_twin: Twin) -> Twin:
    done = play(empty_twin, "site.yml", "gateway_api,istio")
    assert done.returncode == 0, done.stdout[-4000:]
    return empty_twin


def test_texts_reach_the_charts_as_texts(installed: Twin) -> None:
    template = get(installed, "deployment", "istiod")["spec"]["template"]
    environment = {variable["name"]: variable.get("value") for variable in template["spec"]["containers"][0]["env"]}
    assert ENVIRONMENT.items() <= environment.items()
    assert ANNOTATIONS.items() <= template["metadata"]["annotations"].items()
    assert ANNOTATIONS.items() <= get(installed, "daemonset", "ztunnel")["spec"]["template"]["metadata"]["annotations"].items()
    again = play(installed, "site.yml")
    assert (again.returncode, changes(again)) == (0, 0), again.stdout[-4000:]
    verified = play(installed, "verify.yml")
    assert verified.returncode == 0, verified.stdout[-4000:]


# Three releases at a time, so that each state costs a third of a run.
STATES = [
    {"istio-cni": "failed", "istiod": "uninstalling", "ztunnel": "pending-upgrade"},
    {"istio-cni": "pending-rollback", "istiod": "unknown", "ztunnel": "superseded"},
]


@pytest.mark.parametrize("states", STATES, ids=lambda states: ",".join(states.values()))
def test_releases_in_another_state_are_deployed_again(installed: Twin, states: dict[str, str]) -> None:
    for release, status in states.items():
        set_release_status(installed, release, status)
    verified = play(installed, "verify.yml")
    assert verified.returncode == 2, verified.stdout[-4000:]
    assert [release for release in states if f"istio-system/{release} (" not in in_a_line(verified)] == [], verified.stdout[-4000:]
    checked = play(installed, "site.yml", "istio", "--check")
    assert (checked.returncode, changes(checked)) == (0, len(states)), checked.stdout[-4000:]
    done = play(installed, "site.yml")
    assert (done.returncode, changes(done)) == (0, len(states)), done.stdout[-4000:]
    assert {release: release_status(installed, release) for release in states} == dict.fromkeys(states, "deployed")
    assert play(installed, "verify.yml").returncode == 0


def test_without_repair_it_is_refused_with_the_way_out_in_check_mode_too(installed: Twin) -> None:
    set_release_status(installed, "ztunnel", "uninstalling")
    for arguments in (["--check"], []):
        refused = play(installed, "site.yml", "istio", *arguments, "-e", "istio_repair_releases=false")
        output = in_a_line(refused)
        assert refused.returncode == 2 and "Release istio-system/ztunnel on cluster" in output and "is uninstalling in revision" in output, output[-3000:]
        assert "kubectl delete secret -n istio-system sh.helm.release.v1.ztunnel.v" in output
    assert release_status(installed, "ztunnel") == "uninstalling", "something was changed"
    assert play(installed, "site.yml").returncode == 0


def test_what_a_refused_upgrade_left_is_made_whole_though_the_values_are_those_of_before(installed: Twin) -> None:
    wrong = {**VALUES, "istio_ztunnel_values": {"podAnnotations": {"no key of an annotation": "x"}}}
    refused = play(installed, "site.yml", "istio", "-e", json.dumps(wrong))
    assert refused.returncode == 2 and "Helm could not install release istio-system/ztunnel" in in_a_line(refused), refused.stdout[-4000:]
    assert release_status(installed, "ztunnel") == "failed"
    done = play(installed, "site.yml")
    assert done.returncode == 0 and changes(done) == 1, done.stdout[-4000:]
    assert release_status(installed, "ztunnel") == "deployed"
    again = play(installed, "site.yml")
    assert (again.returncode, changes(again)) == (0, 0), again.stdout[-4000:]


def play(twin: Twin, playbook: str, tags: str = "istio", *arguments: str) -> subprocess.CompletedProcess[str]:
    return twin.play(playbook, "--tags", tags, "-e", json.dumps({"istio_timeout": 120, **VALUES}), *arguments)


def changes(done: subprocess.CompletedProcess[str]) -> int:
    return sum(map(int, re.findall(r"changed=(\d+)", done.stdout)))


def in_a_line(done: subprocess.CompletedProcess[str]) -> str:
    return " ".join(done.stdout.split())


def get(twin: Twin, kind: str, name: str) -> Any:
    return json.loads(twin.run(["kubectl", "get", kind, name, "-n", "istio-system", "-o", "json"]).stdout)


def test_objects_that_somebody_has_deleted_are_named_and_installed_again(installed: Twin) -> None:
    deleted = {
        "DaemonSet istio-system/istio-cni-node": ("-n", "istio-system", "daemonset", "istio-cni-node"),
        "ConfigMap istio-system/istio": ("-n", "istio-system", "configmap", "istio"),
        "ClusterRole istiod-gateway-controller-istio-system": ("clusterrole", "istiod-gateway-controller-istio-system"),
        "CustomResourceDefinition telemetries.telemetry.istio.io": ("crd", "telemetries.telemetry.istio.io"),
    }
    for arguments in deleted.values():
        assert installed.run(["kubectl", "delete", *arguments]).returncode == 0
    verified = in_a_line(play(installed, "verify.yml"))
    lacking = [title for title in deleted if f"objects missing: {title}" not in verified and f", {title}" not in verified]
    assert not lacking, f"verify.yml does not name {lacking}: {verified[-3000:]}"
    checked = play(installed, "site.yml", "istio", "--check")
    assert (checked.returncode, changes(checked)) == (0, 3), checked.stdout[-4000:]
    done = play(installed, "site.yml")
    assert (done.returncode, changes(done)) == (0, 3), done.stdout[-4000:]
    again = play(installed, "verify.yml")
    assert again.returncode == 0, again.stdout[-4000:]
