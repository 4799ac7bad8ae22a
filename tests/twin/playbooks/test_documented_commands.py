"""The commands of the documentation that need a cluster, as a reader types them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.documented.shell import copy_checkout, run_step
from tests.documented.ways import NOT_RUN, ON_MESH, Step
from tests.pages import page
from tests.twin.conftest import Twin


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_checkout(tmp_path_factory.mktemp("reader"))


@pytest.fixture(scope="module")
def operator_role(mesh: Twin, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The ClusterRole of the page whose commands use it; afterwards neither it nor what the commands have made is left."""
    file = tmp_path_factory.mktemp("role") / "role.yml"
    blocks = [text for language, text in page("docs/operations/permissions.md").blocks if language == "yaml"]
    file.write_text(next(text for text in blocks if yaml.safe_load(text).get("kind") == "ClusterRole"))
    assert mesh.run(["kubectl", "apply", "-f", str(file)]).returncode == 0
    yield
    for kind in ("clusterrolebinding", "clusterrole"):
        assert mesh.run(["kubectl", "delete", kind, "mesh-operator", "--ignore-not-found"]).returncode == 0
    assert mesh.run(["kubectl", "delete", "serviceaccount", "mesh-operator", "-n", "default", "--ignore-not-found"]).returncode == 0


@pytest.mark.usefixtures("operator_role")
@pytest.mark.parametrize("step", ON_MESH, ids=lambda step: step.commands[0])
def test_a_command_does_on_a_twin_what_the_page_tells(mesh: Twin, checkout: Path, step: Step) -> None:
    run_step(step, checkout, mesh.environment, {})


def test_helm_knows_the_options_of_commands_that_are_not_run(mesh: Twin) -> None:
    listed = [text.split() for text in NOT_RUN if text.startswith("helm ")]
    assert listed
    for _helm, command, *words in listed:
        known = set(re.findall(r"--[a-z-]+", mesh.run(["helm", command, "--help"]).stdout))
        assert {word for word in words if word.startswith("--")} <= known
