"""A job that carries a credential of another cluster works on the cluster that its inventory names, and sends the other one nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.twin.conftest import Twin
from tests.twin.support.another_cluster import TOKEN, AnotherCluster, serve


@pytest.fixture
def another_cluster() -> Iterator[AnotherCluster]:
    with serve() as another:
        yield another


@pytest.mark.parametrize("playbook", ["site.yml", "verify.yml"])
def test_no_task_of_a_playbook_goes_to_the_cluster_of_a_credential(mesh: Twin, another_cluster: AnotherCluster, playbook: str) -> None:
    done = mesh.play(playbook, "-vvv", **another_cluster.credential)
    assert done.returncode == 0, f"{playbook} did not get through beside a foreign credential:\n{done.stdout[-3000:]}"
    assert another_cluster.requests == [], f"{playbook} asked the cluster of the credential"
    assert TOKEN not in done.stdout + done.stderr, "the foreign token is in the output"


def test_without_the_collections_shell_kubernetes_core_does_go_there(mesh: Twin, another_cluster: AnotherCluster, tmp_path: Path) -> None:
    """What the test above would see if the roles did nothing about it."""
    (tmp_path / "look.yml").write_text(
        f"""
- hosts: clusters
  gather_facts: false
  tasks:
    - name: Ask for the default namespace
      kubernetes.core.k8s_info:
        kubeconfig: {mesh.paths.kubeconfig}
        kind: Namespace
        name: default
      register: foreign
      failed_when: foreign is not failed
    - name: Ask for it from the collection's shell
      kubernetes.core.k8s_info:
        kubeconfig: {mesh.paths.kubeconfig}
        kind: Namespace
        name: default
      register: found
      vars:
        ansible_shell_type: meshwright.ambient.own_cluster
    - name: Show what was found
      ansible.builtin.debug:
        msg: "found {{{{ found.resources | map(attribute='metadata.name') | join }}}}"
"""
    )
    done = mesh.play(str(tmp_path / "look.yml"), **another_cluster.credential)
    assert another_cluster.requests, "kubernetes.core did not prefer the credential, so the collection's shell has become needless"
    assert "found default" in done.stdout, done.stdout[-2000:]
