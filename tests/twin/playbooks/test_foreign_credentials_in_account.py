"""A job that carries a credential of another cluster works on the EKS cluster that its inventory names, and sends the other one nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.twin.support.another_cluster import TOKEN, AnotherCluster, kubeconfig_of, serve
from tests.twin.support.certificates import self_signed
from tests.twin.support.rehearsed import Rehearsed


@pytest.fixture
def another_with_tls(tmp_path: Path) -> Iterator[AnotherCluster]:
    with serve(self_signed(tmp_path / "server.pem")) as another:
        yield another


@pytest.mark.parametrize("playbook", ["site.yml", "verify.yml"])
def test_a_job_of_eks_goes_to_the_cluster_that_it_has_made(prod: Rehearsed, another_with_tls: AnotherCluster, tmp_path: Path, playbook: str) -> None:
    environment = {**another_with_tls.credential, "KUBECONFIG": kubeconfig_of(another_with_tls, tmp_path / "kubeconfig")}
    done = prod.play(playbook, "-vvv", "--tags", "istio,ingress,mesh", **environment)
    assert done.returncode == 0, f"{playbook} did not get through beside a foreign credential:\n{done.stdout[-3000:]}"
    assert another_with_tls.requests == [], f"{playbook} asked the cluster of the credential"
    assert TOKEN not in done.stdout + done.stderr, "the foreign token is in the output"


def test_the_other_cluster_would_remember_who_comes(prod: Rehearsed, another_with_tls: AnotherCluster, tmp_path: Path) -> None:
    """What the test above would see: a module that is given no kubeconfig goes where the environment points."""
    target = {"kind": "ConfigMap", "api_version": "v1", "name": "kube-root-ca.crt", "namespace": "default"}
    prod.module("ready", {"targets": [target], "timeout": 1}, KUBECONFIG=kubeconfig_of(another_with_tls, tmp_path / "kubeconfig"))
    assert another_with_tls.requests
