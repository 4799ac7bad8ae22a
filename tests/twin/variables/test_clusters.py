"""Which cluster a host of the inventory is, and what may be missing there: variables that the large inventory cannot set."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.twin.conftest import Twin
from twin.paths import REPOSITORY


def _verify(mesh: Twin, directory: Path, hosts: dict[str, dict[str, Any]], **environment: str) -> subprocess.CompletedProcess[str]:
    """verify.yml for hosts that are the cluster of the twin, as far as their variables say so."""
    inventory = directory / "inventory.yml"
    given = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    inventory.write_text(yaml.safe_dump({"clusters": {"hosts": hosts, "vars": given}}))
    command = ["ansible-playbook", str(REPOSITORY / "verify.yml"), "-i", str(inventory), "--tags", "mesh"]
    return mesh.run(command, KUBECONFIG=os.devnull, **environment)


@pytest.mark.variable("cluster_from_environment")
def test_only_a_host_that_says_so_is_the_cluster_of_the_environment(mesh: Twin, tmp_path: Path) -> None:
    silent = _verify(mesh, tmp_path, {"one": {}}, K8S_AUTH_KUBECONFIG=str(mesh.paths.kubeconfig))
    assert silent.returncode != 0 and "cluster_from_environment" in silent.stdout, silent.stdout[-2000:]
    done = _verify(mesh, tmp_path, {"one": {"cluster_from_environment": True}}, K8S_AUTH_KUBECONFIG=str(mesh.paths.kubeconfig))
    assert done.returncode == 0, done.stdout[-3000:]


@pytest.mark.variable("cluster_shared")
def test_two_hosts_may_be_one_cluster_only_if_both_say_so(mesh: Twin, tmp_path: Path) -> None:
    team = {"cluster_kubeconfig": str(mesh.paths.kubeconfig)}
    refused = _verify(mesh, tmp_path, {"one": {**team, "cluster_shared": True}, "two": team})
    assert refused.returncode != 0 and "cluster_shared" in refused.stdout, refused.stdout[-2000:]
    done = _verify(mesh, tmp_path, {name: {**team, "cluster_shared": True} for name in ("one", "two")})
    assert done.returncode == 0, done.stdout[-3000:]


@pytest.mark.variable("ingress_gateways[].create_namespace")
def test_a_namespace_that_must_not_be_created_is_missed(mesh: Twin) -> None:
    for create, code in ((False, 2), (True, 0)):
        gateway = {"name": "door", "namespace": "nowhere", "create_namespace": create}
        done = mesh.play("site.yml", "--tags", "ingress", "--check", "-e", json.dumps({"ingress_gateways": [gateway]}))
        assert done.returncode == code, f"create_namespace {create}: {done.stdout[-3000:]}"
        assert code == 0 or "namespace nowhere" in done.stdout.lower(), done.stdout[-3000:]


@pytest.mark.variable("gateway_api_version")
def test_the_version_of_the_gateway_api_leads_to_its_definitions(mesh: Twin) -> None:
    source = "/nowhere/{{ gateway_api_version }}/standard-install.yaml"
    done = mesh.play("site.yml", "--tags", "gateway_api", "--check", "-e", json.dumps({"gateway_api_source": source, "gateway_api_version": "v1.6.2"}))
    assert done.returncode != 0 and "/nowhere/v1.6.2/standard-install.yaml" in " ".join(done.stdout.split()), done.stdout[-3000:]
