"""A local AWS account: EKS clusters created in it are twins, with nodes, add-ons and access as EKS gives them."""

from __future__ import annotations

import base64
import datetime
import json
import os
import re
import signal
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.signers import RequestSigner

from tests.polling import until
from tests.stages.twins import environment_for
from twin.aws import account
from twin.kwok.lifecycle import clusters_of, parts_of
from twin.kwok.settings import read_settings
from twin.paths import REPOSITORY, AccountPaths, TwinPaths
from twin.supervisor import marked_processes

_ACCOUNT = "test-account"
_CLUSTER = "prod"
_TWIN = f"{_ACCOUNT}-{_CLUSTER}"
_TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": ["eks.amazonaws.com", "ec2.amazonaws.com"]}, "Action": "sts:AssumeRole"}],
    }
)


@dataclass(frozen=True)
class Account:
    """A running account with one EKS cluster."""

    cluster: dict[str, Any]
    subnets: list[str]
    role: str

    def client(self, service: str) -> Any:
        return account.client(_ACCOUNT, service)

    def kubectl(self, *arguments: str) -> Any:
        """What kubectl answers as JSON, as the administrator of the twin."""
        done = subprocess.run(["kubectl", *arguments, "-o", "json"], env=environment_for(_TWIN), check=True, capture_output=True, text=True, timeout=60)
        return json.loads(done.stdout)

    def get(self, path: str, token: str) -> int:
        """The status with which the API server answers whoever presents this token at the endpoint that EKS tells."""
        certificate = base64.b64decode(self.cluster["certificateAuthority"]["data"]).decode()
        request = urllib.request.Request(self.cluster["endpoint"] + path, headers={"Authorization": f"Bearer {token}"})
        try:
            with urllib.request.urlopen(request, context=ssl.create_default_context(cadata=certificate), timeout=20) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as refusal:
            return refusal.code


@pytest.fixture(scope="module")
def prod() -> Iterator[Account]:
    account.down(_ACCOUNT)
    account.up(_ACCOUNT)
    ec2, iam, eks = (account.client(_ACCOUNT, service) for service in ("ec2", "iam", "eks"))
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    zones = ("a", "b")
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=f"{account.REGION}{zone}")["Subnet"]["SubnetId"]
        for number, zone in enumerate(zones)
    ]
    role = iam.create_role(RoleName="eks", AssumeRolePolicyDocument=_TRUST)["Role"]["Arn"]
    started = time.monotonic()
    eks.create_cluster(name=_CLUSTER, roleArn=role, resourcesVpcConfig={"subnetIds": subnets}, accessConfig={"authenticationMode": "API"})
    assert eks.describe_cluster(name=_CLUSTER)["cluster"]["status"] == "CREATING"
    cluster = _until(lambda: eks.describe_cluster(name=_CLUSTER)["cluster"], lambda found: found["status"] != "CREATING")
    assert cluster["status"] == "ACTIVE", cluster["health"]
    print(f"\nthe cluster took {time.monotonic() - started:.1f} s")
    yield Account(cluster, subnets, role)
    account.down(_ACCOUNT)


def _until(look: Callable[[], Any], true_of: Callable[[Any], bool]) -> Any:
    """The last look, once something is true of it."""
    return until(look, "it to be so", so=true_of)


def _token(cluster: str = _CLUSTER, key: str = account.ACCESS_KEY, secret: str = account.SECRET_KEY) -> str:
    """A token as `aws eks get-token` makes it: a presigned URL that asks STS who has signed it."""
    session = boto3.Session(aws_access_key_id=key, aws_secret_access_key=secret, region_name=account.REGION)
    signer = RequestSigner(session.client("sts").meta.service_model.service_id, account.REGION, "sts", "v4", session.get_credentials(), session.events)
    url = f"https://sts.{account.REGION}.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15"
    request = {"method": "GET", "url": url, "body": {}, "headers": {"x-k8s-aws-id": cluster}, "context": {}}
    signed = signer.generate_presigned_url(request, region_name=account.REGION, expires_in=60, operation_name="")
    return "k8s-aws-v1." + base64.urlsafe_b64encode(signed.encode()).decode().rstrip("=")


def _aged(token: str, age: datetime.timedelta) -> str:
    """The token as if it had been signed that long ago."""
    encoded = token.removeprefix("k8s-aws-v1.")
    url = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()
    moment = (datetime.datetime.now(datetime.UTC) - age).strftime("%Y%m%dT%H%M%SZ")
    return "k8s-aws-v1." + base64.urlsafe_b64encode(re.sub(r"X-Amz-Date=\w+", f"X-Amz-Date={moment}", url).encode()).decode().rstrip("=")


def _twin(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "twin", "--name", _ACCOUNT, *arguments]
    return subprocess.run(command, cwd=REPOSITORY, check=False, capture_output=True, text=True, timeout=120)


# access


def test_a_cluster_of_the_account_is_a_twin(prod: Account) -> None:
    aws = read_settings(TwinPaths(_TWIN)).aws
    assert aws is not None
    assert (aws.account, aws.cluster, aws.region) == (_ACCOUNT, _CLUSTER, account.REGION)
    assert all(part.running for part in parts_of(_TWIN))
    assert prod.cluster["endpoint"].startswith("https://127.0.0.1:")
    assert prod.kubectl("get", "nodes")["items"] == [], "nodes come from node groups"
    workloads = {each["metadata"]["name"] for each in prod.kubectl("get", "daemonsets,deployments", "-n", "kube-system")["items"]}
    assert workloads == {"aws-node", "kube-proxy", "coredns"}, "EKS puts these into a cluster by itself"


def test_an_account_begins_with_a_subscription_to_shield(prod: Account) -> None:
    assert prod.client("shield").get_subscription_state()["SubscriptionState"] == "ACTIVE"


def test_who_made_the_cluster_may_do_everything(prod: Account) -> None:
    assert prod.get("/api/v1/nodes", _token()) == 200
    assert prod.get("/api/v1/secrets", _token()) == 200


@pytest.mark.parametrize(
    "token",
    [
        pytest.param(lambda: _aged(_token(), datetime.timedelta(minutes=16)), id="expired"),
        pytest.param(lambda: _token(cluster="other"), id="of-another-cluster"),
        pytest.param(lambda: _token(secret="guessed"), id="signed-with-another-secret"),
        pytest.param(lambda: "k8s-aws-v1.nonsense", id="malformed"),
        pytest.param(lambda: "something", id="no-token-of-eks"),
    ],
)
def test_a_bad_token_is_refused(prod: Account, token: Callable[[], str]) -> None:
    assert prod.get("/api/v1/nodes", token()) == 401


def test_access_entries_decide_who_gets_in(prod: Account) -> None:
    iam, eks = prod.client("iam"), prod.client("eks")
    user = iam.create_user(UserName="reader")["User"]["Arn"]
    key = iam.create_access_key(UserName="reader")["AccessKey"]

    def get(path: str) -> int:
        return prod.get(path, _token(key=key["AccessKeyId"], secret=key["SecretAccessKey"]))

    assert get("/api/v1/pods") == 401, "a principal without an access entry is nobody"
    eks.create_access_entry(clusterName=_CLUSTER, principalArn=user)
    # An answer of the account is believed for some seconds.
    _until(lambda: get("/api/v1/pods"), lambda status: status == 403)
    policy = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy"
    eks.associate_access_policy(clusterName=_CLUSTER, principalArn=user, policyArn=policy, accessScope={"type": "cluster"})
    _until(lambda: get("/api/v1/pods"), lambda status: status == 200)
    assert get("/api/v1/secrets") == 403, "who may view may not see Secrets"
    eks.delete_access_entry(clusterName=_CLUSTER, principalArn=user)
    _until(lambda: get("/api/v1/pods"), lambda status: status == 401)


def test_a_policy_counts_in_the_namespaces_of_its_scope(prod: Account) -> None:
    iam, eks = prod.client("iam"), prod.client("eks")
    user = iam.create_user(UserName="developer")["User"]["Arn"]
    key = iam.create_access_key(UserName="developer")["AccessKey"]
    token = _token(key=key["AccessKeyId"], secret=key["SecretAccessKey"])
    policy = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSEditPolicy"
    eks.create_access_entry(clusterName=_CLUSTER, principalArn=user)
    scope = {"type": "namespace", "namespaces": ["default", "later"]}
    eks.associate_access_policy(clusterName=_CLUSTER, principalArn=user, policyArn=policy, accessScope=scope)
    _until(lambda: prod.get("/api/v1/namespaces/default/secrets", token), lambda status: status == 200)
    assert prod.get("/api/v1/namespaces/kube-system/secrets", token) == 403
    assert prod.get("/api/v1/namespaces/later/secrets", token) == 403, "nothing is bound before the namespace is there"
    prod.kubectl("create", "namespace", "later")
    _until(lambda: prod.get("/api/v1/namespaces/later/secrets", token), lambda status: status == 200)
    eks.delete_access_entry(clusterName=_CLUSTER, principalArn=user)
    _until(lambda: prod.kubectl("get", "rolebindings", "-A", "-l", "eks.amazonaws.com/component=access-policy")["items"], lambda found: found == [])


def test_tokens_of_service_accounts_come_from_the_issuer_that_iam_trusts(prod: Account) -> None:
    done = subprocess.run(["kubectl", "create", "token", "default"], env=environment_for(_TWIN), check=True, capture_output=True, text=True, timeout=20)
    claims = done.stdout.split(".")[1]
    assert json.loads(base64.urlsafe_b64decode(claims + "=="))["iss"] == prod.cluster["identity"]["oidc"]["issuer"]
    assert prod.get("/api", done.stdout) == 200


# nodes and add-ons


@pytest.fixture(scope="module")
def nodes(prod: Account) -> Account:
    """The cluster with a node group of two nodes."""
    eks = prod.client("eks")
    eks.create_nodegroup(
        clusterName=_CLUSTER,
        nodegroupName="main",
        subnets=prod.subnets,
        nodeRole=prod.role,
        instanceTypes=["m7g.large"],
        scalingConfig={"minSize": 0, "maxSize": 4, "desiredSize": 2},
        labels={"team": "metashare"},
        taints=[{"key": "cni.istio.io/not-ready", "value": "true", "effect": "NO_SCHEDULE"}],
    )
    group = _until(lambda: eks.describe_nodegroup(clusterName=_CLUSTER, nodegroupName="main")["nodegroup"], lambda found: found["status"] != "CREATING")
    assert group["status"] == "ACTIVE", group["health"]
    return prod


def test_node_groups_become_nodes(nodes: Account) -> None:
    found = nodes.kubectl("get", "nodes")["items"]
    instances = {
        instance["InstanceId"]: instance for reservation in nodes.client("ec2").describe_instances()["Reservations"] for instance in reservation["Instances"]
    }
    assert len(found) == 2
    assert len({node["metadata"]["labels"]["topology.kubernetes.io/zone"] for node in found}) == 2, "one in each subnet"
    for node in found:
        instance = instances[node["spec"]["providerID"].rpartition("/")[2]]
        zone, labels = instance["Placement"]["AvailabilityZone"], node["metadata"]["labels"]
        assert node["spec"]["providerID"] == f"aws:///{zone}/{instance['InstanceId']}"
        assert {"type": "InternalIP", "address": instance["PrivateIpAddress"]} in node["status"]["addresses"]
        assert {"type": "Ready", "status": "True"}.items() <= next(each for each in node["status"]["conditions"] if each["type"] == "Ready").items()
        assert {"key": "cni.istio.io/not-ready", "value": "true", "effect": "NoSchedule"} in node["spec"]["taints"]
        expected = {
            "eks.amazonaws.com/nodegroup": "main",
            "kubernetes.io/arch": "arm64",
            "kubernetes.io/hostname": node["metadata"]["name"],
            "kubernetes.io/os": "linux",
            "node.kubernetes.io/instance-type": "m7g.large",
            "team": "metashare",
            "topology.kubernetes.io/region": account.REGION,
            "topology.kubernetes.io/zone": zone,
        }
        assert expected.items() <= labels.items()


def test_a_taint_that_was_removed_does_not_come_back_with_another_change(nodes: Account) -> None:
    eks, name = nodes.client("eks"), nodes.kubectl("get", "nodes")["items"][0]["metadata"]["name"]
    subprocess.run(["kubectl", "taint", "node", name, "cni.istio.io/not-ready-"], env=environment_for(_TWIN), check=True, capture_output=True, timeout=20)
    eks.update_nodegroup_config(clusterName=_CLUSTER, nodegroupName="main", labels={"addOrUpdateLabels": {"stage": "test"}})
    node = _until(lambda: nodes.kubectl("get", "node", name), lambda found: found["metadata"]["labels"].get("stage") == "test")
    assert node["spec"].get("taints") is None


def test_add_ons_are_workloads_that_tolerate_what_they_tolerate_in_life(nodes: Account) -> None:
    eks = nodes.client("eks")
    tolerations = [{"key": "cni.istio.io/not-ready", "operator": "Exists"}]
    for name, values in (
        ("vpc-cni", {}),
        ("kube-proxy", {}),
        ("eks-pod-identity-agent", {}),
        ("aws-ebs-csi-driver", {}),
        ("coredns", {"tolerations": tolerations}),
    ):
        eks.create_addon(clusterName=_CLUSTER, addonName=name, configurationValues=json.dumps(values))
        addon = _until(lambda name=name: eks.describe_addon(clusterName=_CLUSTER, addonName=name)["addon"], lambda found: found["status"] != "CREATING")
        assert addon["status"] == "ACTIVE", addon["health"]

    def ready() -> dict[str, tuple[int, int]]:
        found = nodes.kubectl("get", "daemonsets,deployments", "-n", "kube-system")["items"]
        return {
            each["metadata"]["name"]: (each["status"].get("numberReady", each["status"].get("readyReplicas", 0)), each["spec"].get("replicas", 2))
            for each in found
        }

    expected = {"aws-node", "kube-proxy", "eks-pod-identity-agent", "ebs-csi-node", "coredns", "ebs-csi-controller"}
    _until(ready, lambda found: found.keys() == expected and all(have == want for have, want in found.values()))
    coredns = nodes.kubectl("get", "deployment", "coredns", "-n", "kube-system")
    assert coredns["spec"]["template"]["spec"]["tolerations"] == tolerations
    assert coredns["spec"]["template"]["spec"]["containers"][0]["image"].endswith(
        eks.describe_addon(clusterName=_CLUSTER, addonName="coredns")["addon"]["addonVersion"]
    )
    assert nodes.kubectl("get", "service", "kube-dns", "-n", "kube-system")["spec"]["clusterIP"].endswith(".10")
    eks.delete_addon(clusterName=_CLUSTER, addonName="aws-ebs-csi-driver")
    _until(ready, lambda found: found.keys() == expected - {"ebs-csi-node", "ebs-csi-controller"})


def test_scaling_down_moves_pods_away_and_removes_the_node(nodes: Account) -> None:
    eks = nodes.client("eks")
    eks.update_nodegroup_config(clusterName=_CLUSTER, nodegroupName="main", scalingConfig={"minSize": 0, "maxSize": 4, "desiredSize": 1})
    (left,) = _until(lambda: nodes.kubectl("get", "nodes")["items"], lambda found: len(found) == 1)
    pods = _until(
        lambda: nodes.kubectl("get", "pods", "-A", "--field-selector", "status.phase!=Pending")["items"],
        lambda found: {pod["spec"].get("nodeName") for pod in found} <= {left["metadata"]["name"]},
    )
    assert pods
    # While a node group is being updated, EKS takes no other update.
    eks.get_waiter("nodegroup_active").wait(clusterName=_CLUSTER, nodegroupName="main", WaiterConfig={"Delay": 1})
    eks.update_nodegroup_config(clusterName=_CLUSTER, nodegroupName="main", scalingConfig={"minSize": 0, "maxSize": 4, "desiredSize": 3})
    _until(lambda: nodes.kubectl("get", "nodes")["items"], lambda found: len(found) == 3)


# the account as a whole


@pytest.mark.usefixtures("prod")
def test_environment_and_status_speak_of_the_account() -> None:
    exports = dict(re.findall(r"^export (\w+)=(.*)$", _twin("env").stdout, re.MULTILINE))
    assert exports["AWS_ENDPOINT_URL"] == account.settings_of(_ACCOUNT).endpoint
    assert exports["AWS_REGION"] == exports["AWS_DEFAULT_REGION"] == account.REGION
    assert exports["KUBECONFIG"] == exports["TWIN_KUBECONFIG"] == str(TwinPaths(_TWIN).kubeconfig)
    status = _twin("status")
    assert status.returncode == 0, status.stdout
    assert re.search(rf"^up +cluster {_CLUSTER} +twin {_TWIN}$", status.stdout, re.MULTILINE), status.stdout


@pytest.mark.usefixtures("prod")
def test_up_on_a_running_account_does_nothing() -> None:
    before = {process.pid for process in marked_processes(AccountPaths(_ACCOUNT))}
    done = _twin("account", "up")
    assert done.returncode == 0, done.stderr
    assert "is up" in done.stderr
    assert {process.pid for process in marked_processes(AccountPaths(_ACCOUNT))} == before


def test_a_deleted_cluster_leaves_no_twin(prod: Account) -> None:
    eks = prod.client("eks")
    eks.create_cluster(name="brief", roleArn=prod.role, resourcesVpcConfig={"subnetIds": prod.subnets})
    _until(lambda: eks.describe_cluster(name="brief")["cluster"]["status"], lambda status: status == "ACTIVE")
    paths = TwinPaths(f"{_ACCOUNT}-brief")
    assert paths.complete.exists()
    eks.delete_cluster(name="brief")
    _until(lambda: eks.list_clusters()["clusters"], lambda found: found == [_CLUSTER])
    assert not paths.home.exists()
    assert marked_processes(paths) == []
    with pytest.raises(eks.exceptions.ResourceNotFoundException):
        eks.describe_cluster(name="brief")


def test_an_emulator_that_was_started_anew_is_empty_and_its_clusters_go(prod: Account) -> None:
    """The last of the tests that need the cluster."""
    pid = next(process.pid for process in marked_processes(AccountPaths(_ACCOUNT)) if "twin.aws" in process.cmdline())
    os.kill(pid, signal.SIGKILL)
    status = _twin("status")
    assert status.returncode == 1, status.stdout
    done = _twin("account", "up")
    assert done.returncode == 0, done.stderr
    assert f"Taking down clusters of before: {_TWIN}" in done.stderr
    assert clusters_of(_ACCOUNT) == {}
    assert prod.client("eks").list_clusters()["clusters"] == []
    assert _twin("status").returncode == 0


def test_down_leaves_nothing_behind() -> None:
    account.up(_ACCOUNT)
    paths = AccountPaths(_ACCOUNT)
    assert _twin("down").returncode == 0
    assert not paths.home.exists()
    assert marked_processes(paths) == []
    assert marked_processes(TwinPaths(_TWIN)) == []
    assert _twin("account", "status").returncode == 1
    assert _twin("account", "down").returncode == 0, "down on no account is no error"


def test_a_rehearsal_without_inventory_says_so() -> None:
    missing = str(Path(tempfile.gettempdir()) / "no-such-inventory")
    done = _twin("rehearse", missing)
    assert done.returncode == 1
    assert f"There is no inventory {missing}" in done.stderr
    assert not AccountPaths(_ACCOUNT).home.exists()
