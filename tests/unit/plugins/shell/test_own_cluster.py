"""The shell without credentials of another cluster, and the roles that need it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template
from ansible_collections.kubernetes.core.plugins.module_utils.args_common import AUTH_ARG_MAP

from ansible_collections.meshwright.ambient.plugins.shell.own_cluster import ShellModule

_ROLES = Path(__file__).resolve().parents[4] / "roles"
# What says nothing of which cluster is meant: how to get to it, and where its kubeconfig is.
_KEPT = {"KUBECONFIG", "PROXY", "NO_PROXY", "PROXY_HEADERS", "PERSIST_CONFIG"}


def _seen_by_a_module(environment: dict[str, str], **play: str) -> dict[str, str]:
    prefix = ShellModule().env_prefix(**play)
    done = subprocess.run(["/bin/sh", "-c", f"{prefix} env"], env=environment, check=True, capture_output=True, text=True)
    return dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)


def test_every_variable_by_which_kubernetes_core_finds_a_cluster_is_taken_away() -> None:
    names = {name.upper() for pair in AUTH_ARG_MAP.items() for name in pair} - _KEPT
    foreign = {f"K8S_AUTH_{name}": "foreign" for name in names}
    seen = _seen_by_a_module({**foreign, "PATH": os.environ["PATH"]})
    assert not foreign.keys() & seen.keys()


def test_other_variables_and_those_of_the_play_are_kept() -> None:
    seen = _seen_by_a_module({"PATH": os.environ["PATH"], "AWS_REGION": "eu-central-1", "K8S_AUTH_KUBECONFIG": "/a"}, HTTPS_PROXY="http://a b")
    assert (seen["AWS_REGION"], seen["K8S_AUTH_KUBECONFIG"], seen["HTTPS_PROXY"]) == ("eu-central-1", "/a", "http://a b")


def test_it_is_never_chosen_for_a_shell_of_some_name() -> None:
    assert not ShellModule.COMPATIBLE_SHELLS


@pytest.mark.parametrize("role", sorted(path.name for path in _ROLES.iterdir()))
def test_a_role_that_uses_kubernetes_core_chooses_it(role: str) -> None:
    if not any("kubernetes.core." in path.read_text() for path in (_ROLES / role / "tasks").glob("*.yml")):
        return
    variables = yaml.safe_load((_ROLES / role / "vars" / "main.yml").read_text())
    chosen = variables.get("ansible_shell_type", "")
    assert "meshwright.ambient.own_cluster" in chosen, f"A foreign Kubernetes credential in the environment redirects tasks of the role {role}."
    # A variable that is null names no cluster: with cluster_from_environment, its tasks go where those of the other roles go.
    null = {"cluster_kubeconfig": None, "cluster_context": None}
    for given, shell in [({}, "sh"), (null, "sh"), ({**null, "cluster_context": "a"}, "meshwright.ambient.own_cluster")]:
        assert Templar(loader=DataLoader(), variables=given).template(trust_as_template(chosen)) == shell
