"""Definitions of the Gateway API that the API server would refuse: they are found before the first write, and verify.yml agrees."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.twin.conftest import Twin

NAME = "grpcroutes.gateway.networking.k8s.io"
# As bundle v1.0.0 had it: its only version is one that newer bundles have no more.
OLD = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {
        "name": NAME,
        "annotations": {
            "api-approved.kubernetes.io": "https://github.com/kubernetes-sigs/gateway-api/pull/1",
            "gateway.networking.k8s.io/bundle-version": "v1.0.0",
            "gateway.networking.k8s.io/channel": "standard",
        },
    },
    "spec": {
        "group": "gateway.networking.k8s.io",
        "names": {"kind": "GRPCRoute", "listKind": "GRPCRouteList", "plural": "grpcroutes", "singular": "grpcroute"},
        "scope": "Namespaced",
        "versions": [
            {
                "name": "v1alpha2",
                "served": True,
                "storage": True,
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
            }
        ],
    },
}


@pytest.fixture(scope="module")
def old(empty_twin: Twin, tmp_path_factory: pytest.TempPathFactory) -> Twin:
    """A cluster on which somebody has applied an old definition with kubectl."""
    file: Path = tmp_path_factory.mktemp("old") / "old.yml"
    file.write_text(yaml.safe_dump(OLD))
    applied = empty_twin.run(["kubectl", "apply", "-f", str(file)])
    assert applied.returncode == 0, applied.stderr
    served = empty_twin.run(["kubectl", "wait", "--for=create", f"crd/{NAME}"])
    assert served.returncode == 0, served.stderr
    return empty_twin


def _play(twin: Twin, playbook: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return twin.play(playbook, "--tags", "gateway_api", "-e", "gateway_api_upgrade=true", *arguments)


def _bundles(twin: Twin) -> dict[str, str]:
    """The bundle of each definition of the Gateway API."""
    done = twin.run(["kubectl", "get", "crd", "-o", "json"])
    assert done.returncode == 0, done.stderr
    items = json.loads(done.stdout)["items"]
    return {
        item["metadata"]["name"]: item["metadata"]["annotations"]["gateway.networking.k8s.io/bundle-version"]
        for item in items
        if item["spec"]["group"] == "gateway.networking.k8s.io"
    }


@pytest.mark.requirement("N11")
@pytest.mark.parametrize("check", [("--check",), ()], ids=["check-mode", "run"])
@pytest.mark.parametrize(
    ("force", "reason"),
    [
        pytest.param("false", "set force_conflicts to take it over", id="another-owner"),
        pytest.param("true", "Objects may still be stored in version v1alpha2", id="stored-version"),
    ],
)
def test_what_the_server_would_refuse_is_said_before_the_first_write(old: Twin, check: tuple[str, ...], force: str, reason: str) -> None:
    done = _play(old, "site.yml", "-e", f"gateway_api_force_conflicts={force}", *check)
    assert done.returncode != 0
    assert NAME in done.stdout
    assert reason in done.stdout
    assert "Nothing was changed on cluster" in done.stdout
    assert _bundles(old) == {NAME: "v1.0.0"}


@pytest.mark.requirement("N11")
@pytest.mark.variable("gateway_api_upgrade")
def test_verify_is_not_content_with_an_older_definition(old: Twin) -> None:
    # The rest of the bundle, as a run without the upgrade leaves it.
    done = old.play("site.yml", "--tags", "gateway_api")
    assert done.returncode == 0, done.stdout[-4000:]
    assert _bundles(old)[NAME] == "v1.0.0"
    assert old.play("verify.yml", "--tags", "gateway_api").returncode == 0
    verified = _play(old, "verify.yml", "-e", "gateway_api_force_conflicts=true")
    assert verified.returncode != 0
    assert NAME in verified.stdout


@pytest.mark.requirement("N11")
def test_once_the_old_definition_is_gone_the_upgrade_is_done_and_verified(old: Twin) -> None:
    deleted = old.run(["kubectl", "delete", "crd", NAME])
    assert deleted.returncode == 0, deleted.stderr
    # Whether or not older ones are to be upgraded.
    missing = old.play("verify.yml", "--tags", "gateway_api")
    assert missing.returncode != 0
    assert f"differs from bundle v1.6.1 of the Gateway API in {NAME}: run site.yml with --tags gateway_api" in " ".join(missing.stdout.split())
    done = _play(old, "site.yml")
    assert done.returncode == 0, done.stdout[-4000:]
    assert len(set(_bundles(old).values())) == 1
    verified = _play(old, "verify.yml")
    assert verified.returncode == 0, verified.stdout[-4000:]
