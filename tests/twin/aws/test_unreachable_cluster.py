"""An EKS cluster that has no endpoint: a run ends with one sentence, and never goes on in the cluster that the environment names."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.twin.aws.local_aws import OWNER_KEY, OWNER_SECRET, REGION, Base, LocalAws
from tests.twin.support.another_cluster import AnotherCluster, kubeconfig_of, serve
from tests.twin.support.certificates import self_signed
from twin.paths import REPOSITORY

_IN_THE_CLUSTER = ["gateway_api", "alb_controller", "karpenter", "istio", "bookinfo", "ingress", "mesh"]


@pytest.fixture(scope="module")
def clusters(aws: LocalAws, base: Base) -> Iterator[dict[str, str]]:
    """Clusters without an endpoint, and what a message says of each."""
    aws.control("POST", "/phases", {"default": 3600})
    for name in ("slow", "broken"):
        aws.client("eks").create_cluster(name=name, roleArn=base.role, resourcesVpcConfig={"subnetIds": base.subnets})
    aws.control("POST", "/status", {"cluster": "broken", "status": "FAILED"})
    yield {"slow": "is CREATING and has no endpoint", "broken": "is FAILED and has no endpoint", "nowhere": "does not exist"}
    aws.control("POST", "/phases", {"default": 0})


@pytest.fixture
def another(tmp_path: Path) -> Iterator[AnotherCluster]:
    with serve(self_signed(tmp_path / "server.pem")) as another:
        yield another


def _play(aws: LocalAws, another: AnotherCluster, directory: Path, playbook: str, cluster: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        **another.credential,
        "KUBECONFIG": kubeconfig_of(another, directory / "kubeconfig"),
        "AWS_ACCESS_KEY_ID": OWNER_KEY,
        "AWS_SECRET_ACCESS_KEY": OWNER_SECRET,
        "AWS_ENDPOINT_URL": aws.url,
        "AWS_REGION": REGION,
    }
    variables = json.dumps({"eks_cluster_name": cluster, "karpenter_enabled": True, "aws_edge_web_acls": []})
    command = [str(Path(sys.executable).parent / "ansible-playbook"), playbook, "-i", "inventories/prod", "-e", variables, *arguments]
    return subprocess.run(command, cwd=REPOSITORY, env=environment, check=False, capture_output=True, text=True, timeout=300)


@pytest.mark.parametrize(
    ("playbook", "tag", "cluster"),
    [
        *(("site.yml", tag, "slow") for tag in _IN_THE_CLUSTER),
        *(("site.yml", tag, "nowhere") for tag in ("karpenter", "mesh")),
        ("site.yml", "mesh", "broken"),
        *(("verify.yml", tag, "slow") for tag in ("ingress", "mesh")),
        ("verify.yml", "mesh", "nowhere"),
    ],
)
def test_no_other_cluster_takes_its_place(
    aws: LocalAws, clusters: dict[str, str], another: AnotherCluster, tmp_path: Path, playbook: str, tag: str, cluster: str
) -> None:
    before = len(aws.control("GET", "/requests?writes"))
    done = _play(aws, another, tmp_path, playbook, cluster, "--tags", tag)
    sentence = f"Cluster prod-frankfurt cannot be reached, because EKS cluster {cluster} in eu-central-1 {clusters[cluster]}"
    assert sentence in " ".join(done.stdout.split()), done.stdout[-3000:]
    assert done.returncode != 0
    assert another.requests == []
    assert len(aws.control("GET", "/requests?writes")) == before


def test_a_check_before_the_cluster_has_been_created_ends_without_an_error(aws: LocalAws, another: AnotherCluster, tmp_path: Path) -> None:
    done = _play(aws, another, tmp_path, "site.yml", "nowhere", "--check", "--tags", ",".join(_IN_THE_CLUSTER))
    assert done.returncode == 0, done.stdout[-3000:]
    assert another.requests == []
