"""How the EKS API works with what makes its clusters, when that takes time or fails."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import polling
from tests.twin.aws.gated_server import REFUSED
from tests.twin.aws.local_aws import Base, LocalAws, make_base, serving

DEADLINE_SECONDS = 20


class Gate:
    """Lets the provider's calls return, and reads which there were."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def open(self) -> None:
        (self._directory / "open").touch()

    def close(self) -> None:
        (self._directory / "open").unlink(missing_ok=True)

    def calls(self, cluster: str) -> list[list[Any]]:
        noted = self._directory / "calls"
        calls = [json.loads(line) for line in noted.read_text().splitlines()] if noted.exists() else []
        return [call for call in calls if call[1] == cluster]


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("gate")


@pytest.fixture(scope="module")
def aws(directory: Path) -> Iterator[LocalAws]:
    with serving([sys.executable, "-m", "tests.twin.aws.gated_server", str(directory)], directory / "none") as local:
        yield local
        (directory / "open").touch()


@pytest.fixture(scope="module")
def base(aws: LocalAws) -> Base:
    return make_base(aws)


@pytest.fixture
def gate(directory: Path) -> Gate:
    gate = Gate(directory)
    gate.open()
    return gate


def until(look: Callable[[], Any], expected: object) -> Any:
    """Look until it is so: the provider works in a thread of the server."""
    return polling.until(look, f"{expected!r}", DEADLINE_SECONDS, so=lambda seen: seen == expected)


def create(aws: LocalAws, base: Base, name: str, **more: Any) -> Callable[[], str]:
    """Begin a cluster, and return what tells its status."""
    eks = aws.client("eks")
    expected = {"bootstrapSelfManagedAddons": False, "accessConfig": {"authenticationMode": "API"}, **more}
    eks.create_cluster(name=name, roleArn=base.role, resourcesVpcConfig={"subnetIds": base.subnets}, version="1.36", **expected)
    return lambda: str(eks.describe_cluster(name=name)["cluster"]["status"])


def test_a_cluster_is_creating_until_it_is_made(aws: LocalAws, base: Base, gate: Gate) -> None:
    gate.close()
    status = create(aws, base, "made")
    until(lambda: [call[0] for call in gate.calls("made")], ["create"])
    assert status() == "CREATING", "no phase is over before the work is"
    gate.open()
    until(status, "ACTIVE")
    cluster = aws.client("eks").describe_cluster(name="made")["cluster"]
    assert (cluster["endpoint"], cluster["certificateAuthority"]["data"]) == ("https://127.0.0.1:6443", "Q0E=")
    spec = gate.calls("made")[0][2]
    assert (spec["version"], spec["vpc_id"], spec["region"]) == ("1.36", base.vpc, "eu-central-1")
    assert spec["oidc_issuer"] == cluster["identity"]["oidc"]["issuer"]
    assert spec["webhook_url"] == f"{aws.url}/_twin/clusters/eu-central-1/made/authenticate"
    assert spec["creator_arn"] == aws.client("sts").get_caller_identity()["Arn"]


def test_the_api_answers_while_a_cluster_is_being_made(aws: LocalAws, base: Base, gate: Gate) -> None:
    gate.close()
    one, other = create(aws, base, "slow-1"), create(aws, base, "slow-2")
    until(lambda: bool(gate.calls("slow-1") and gate.calls("slow-2")), True)
    assert one() == other() == "CREATING"
    gate.open()
    until(one, "ACTIVE")
    until(other, "ACTIVE")


def test_one_that_cannot_be_made_says_why_and_can_be_deleted(aws: LocalAws, base: Base, gate: Gate) -> None:
    until(create(aws, base, "bad"), "FAILED")
    eks = aws.client("eks")
    assert eks.describe_cluster(name="bad")["cluster"]["health"]["issues"][0]["message"] == REFUSED
    until(lambda: [call[0] for call in gate.calls("bad")], ["create"])


@pytest.mark.parametrize(
    ("more", "installed"),
    [
        pytest.param({"bootstrapSelfManagedAddons": False}, [], id="not-wanted"),
        pytest.param({"bootstrapSelfManagedAddons": True}, ["vpc-cni", "kube-proxy", "coredns"], id="wanted"),
        pytest.param({}, ["vpc-cni", "kube-proxy", "coredns"], id="by-default"),
    ],
)
def test_a_new_cluster_has_the_add_ons_that_eks_puts_into_it(
    aws: LocalAws, base: Base, gate: Gate, request: pytest.FixtureRequest, more: dict[str, Any], installed: list[str]
) -> None:
    name = f"addons-{request.node.callspec.id}"
    eks = aws.client("eks")
    access = {"authenticationMode": "API"}
    eks.create_cluster(name=name, roleArn=base.role, resourcesVpcConfig={"subnetIds": base.subnets}, version="1.36", accessConfig=access, **more)
    until(lambda: eks.describe_cluster(name=name)["cluster"]["status"], "ACTIVE")
    spec = [call[2] for call in gate.calls(name) if call[0] == "install_addon"]
    assert [each["name"] for each in spec] == installed
    offered = {each["name"]: eks.describe_addon_versions(addonName=each["name"], kubernetesVersion="1.36")["addons"][0]["addonVersions"] for each in spec}
    for each in spec:
        (default,) = [version["addonVersion"] for version in offered[each["name"]] if version["compatibilities"][0]["defaultVersion"]]
        assert each["version"] == default
    assert eks.list_addons(clusterName=name)["addons"] == [], "they are self-managed: EKS does not list them"


def test_policies_of_single_namespaces_are_reported(aws: LocalAws, base: Base, gate: Gate) -> None:
    until(create(aws, base, "granted"), "ACTIVE")
    eks, name = aws.client("eks"), {"clusterName": "granted"}
    policy = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy"
    people = [aws.client("iam").create_user(UserName=user)["User"]["Arn"] for user in ("bea", "cem")]
    for person in people:
        eks.create_access_entry(**name, principalArn=person)
        scope = {"type": "namespace", "namespaces": ["shop", "team-*"]}
        eks.associate_access_policy(**name, principalArn=person, policyArn=policy, accessScope=scope)

    def reported() -> list[list[str]]:
        return [[each["group"] for each in call[2]] for call in gate.calls("granted") if call[0] == "set_grants"]

    both = ["eks:policy:AmazonEKSViewPolicy:shop", "eks:policy:AmazonEKSViewPolicy:team-*"]
    until(reported, [both])
    eks.associate_access_policy(**name, principalArn=people[0], policyArn=policy, accessScope={"type": "cluster"})
    eks.disassociate_access_policy(**name, principalArn=people[0], policyArn=policy)
    eks.delete_access_entry(**name, principalArn=people[1])
    until(reported, [both, []])


def test_node_groups_and_addons(aws: LocalAws, base: Base, gate: Gate) -> None:
    until(create(aws, base, "full"), "ACTIVE")
    eks, name = aws.client("eks"), {"clusterName": "full"}
    taint = {"key": "cni.istio.io/not-ready", "value": "true", "effect": "NO_SCHEDULE"}
    scaling = {"minSize": 1, "maxSize": 2, "desiredSize": 2}
    group = {**name, "nodegroupName": "workers"}
    eks.create_nodegroup(**group, subnets=base.subnets, nodeRole=base.node_role, scalingConfig=scaling, labels={"team": "mesh"}, taints=[taint])
    until(lambda: eks.describe_nodegroup(**group)["nodegroup"]["status"], "ACTIVE")
    nodes = gate.calls("full")[-1][2]
    assert len(nodes) == 2
    for node in nodes:
        assert node["taints"] == [{"key": "cni.istio.io/not-ready", "value": "true", "effect": "NoSchedule"}]
        assert node["labels"]["team"] == "mesh"
        assert node["labels"]["eks.amazonaws.com/nodegroup"] == "workers"
        assert node["provider_id"] == f"aws:///{node['zone']}/{node['instance_id']}"
    assert sorted(node["zone"] for node in nodes) == ["eu-central-1a", "eu-central-1b"]

    eks.create_addon(**name, addonName="coredns", configurationValues="replicaCount: 3\n")
    until(lambda: eks.describe_addon(**name, addonName="coredns")["addon"]["status"], "ACTIVE")
    assert gate.calls("full")[-1][2]["configuration"] == {"replicaCount": 3}
    update = eks.update_addon(**name, addonName="coredns", configurationValues='{"bad": true}')["update"]["id"]
    until(lambda: eks.describe_update(name="full", addonName="coredns", updateId=update)["update"]["status"], "Failed")
    addon = eks.describe_addon(**name, addonName="coredns")["addon"]
    assert (addon["status"], addon["health"]["issues"][0]["message"]) == ("UPDATE_FAILED", REFUSED)

    eks.delete_addon(**name, addonName="coredns")
    eks.delete_nodegroup(**group)
    until(lambda: eks.list_nodegroups(**name)["nodegroups"], [])
    eks.delete_cluster(name="full")
    until(lambda: "full" in eks.list_clusters()["clusters"], False)
    done = ["create", "set_nodes", "install_addon", "install_addon", "remove_addon", "set_nodes", "delete"]
    assert [call[0] for call in gate.calls("full")] == done, "the calls of one cluster must come one after the other"
