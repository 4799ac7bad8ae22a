"""Releases of other names: the run names them before it changes anything, takes them over by their names, or takes over what they have left."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.twin.conftest import Twin

# Helm names one of them.
_OWNED = re.compile(r"its chart contains \w+ \S+, which belongs to release istio-system/base:")


@pytest.fixture(scope="module")
def foreign(empty_twin: Twin) -> Twin:
    """A cluster in which somebody has installed the chart base as release base."""
    definitions = _play(empty_twin, "site.yml", "--tags", "gateway_api")
    assert definitions.returncode == 0, definitions.stdout[-4000:]
    charts, version = (Path(empty_twin.environment[name]) for name in ("TWIN_CHARTS", "TWIN_ISTIO_VERSION"))
    command = ["helm", "install", "base", f"{charts}/base-{version}.tgz", "-n", "istio-system", "--create-namespace"]
    done = empty_twin.run(command)
    assert done.returncode == 0, done.stderr
    return empty_twin


def _play(twin: Twin, playbook: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return twin.play(playbook, "-e", json.dumps({"bookinfo_enabled": False}), *arguments)


def _releases(twin: Twin) -> dict[str, int]:
    """The revision of each release of Istio's namespace."""
    done = twin.run(["helm", "list", "--all", "-n", "istio-system", "-o", "json"])
    assert done.returncode == 0, done.stderr
    return {item["name"]: int(item["revision"]) for item in json.loads(done.stdout)}


@pytest.mark.requirement("A13", "O2")
@pytest.mark.parametrize("arguments", [("--check",), ()], ids=["check", "run"])
def test_the_release_that_owns_the_objects_is_named_before_anything_changes(foreign: Twin, arguments: tuple[str, ...]) -> None:
    done = _play(foreign, "site.yml", "--tags", "istio", *arguments)
    message = " ".join(done.stdout.split())
    assert done.returncode != 0, message[-3000:]
    assert _OWNED.search(message), message[-3000:]
    assert "release_names" in message
    assert _releases(foreign) == {"base": 1}


@pytest.mark.requirement("A13", "O2")
def test_releases_are_taken_over_by_their_names(foreign: Twin) -> None:
    names = ("-e", json.dumps({"istio_release_names": {"base": "base"}}))
    done = _play(foreign, "site.yml", "--tags", "istio", *names)
    assert done.returncode == 0, done.stdout[-4000:]
    assert _releases(foreign) == {"base": 2, "istiod": 1, "istio-cni": 1, "ztunnel": 1}
    again = _play(foreign, "site.yml", "--tags", "istio", *names)
    assert "changed=0 " in again.stdout, again.stdout[-4000:]
    verified = _play(foreign, "verify.yml", "--tags", "istio", *names)
    assert verified.returncode == 0, verified.stdout[-4000:]


def test_what_an_uninstalled_release_has_left_is_handed_over(foreign: Twin) -> None:
    uninstalled = foreign.run(["helm", "uninstall", "base", "-n", "istio-system"])
    assert uninstalled.returncode == 0, uninstalled.stderr
    refused = _play(foreign, "site.yml", "--tags", "istio")
    assert _OWNED.search(" ".join(refused.stdout.split())), refused.stdout[-3000:]
    done = _play(foreign, "site.yml", "--tags", "istio", "-e", "istio_take_ownership=true")
    assert done.returncode == 0, done.stdout[-4000:]
    assert _releases(foreign)["istio-base"] == 1
    # Once they are handed over, the permission is not needed any more.
    again = _play(foreign, "site.yml", "--tags", "istio")
    assert "changed=0 " in again.stdout, again.stdout[-4000:]
