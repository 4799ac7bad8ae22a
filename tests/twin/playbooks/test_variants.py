"""The ways through the roles that inventories/prod does not take: two clusters of one name that differ in all that can differ."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.polling import until
from tests.twin.aws.local_aws import OWNER_KEY, OWNER_SECRET, REGION, make_base, serving
from tests.twin.conftest import fresh_account
from tests.twin.support.rehearsed import Rehearsed
from twin.aws import account
from twin.aws.twin_provider import twin_name
from twin.paths import REPOSITORY, TwinPaths

_INVENTORY = Path(__file__).parent / "inventories" / "variants"
_FRANKFURT, _VIRGINIA = "eu-central-1", "us-east-1"
_TRUST = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "pods.eks.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
_ROLES = ("controllers-of-others", "operators")
_TAGS = {"Project": "variants", "CostCenter": "0815", "Build": "1234e5", "Shared": "true"}
# What does not vary here, and would double the time.
_LEFT_OUT = ("--skip-tags", "istio,bookinfo,ingress,mesh")
# What the controller says at this level although nothing is wrong: that it looks again later, that another pod leads, whoever tries its webhooks,
# and a pod that is replaced while it leads, that it does no more (controller-runtime, pkg/manager/internal.go, engageStopProcedure), also if it was just
# renewing its lease.
_NO_ERRORS = ("requeue needed", "already exists", "unknown content type", "error received after stop sequence was engaged", "context canceled")


@dataclass(frozen=True)
class Network:
    """A VPC that is there before the cluster."""

    vpc: str
    private: list[str]
    public: list[str]


@dataclass(frozen=True)
class Variants:
    """The account, and the output on the way to it.

    Attributes:
        frankfurt: the account, with kubectl for the cluster in Frankfurt.
        virginia: the same, with kubectl for that in Virginia.
        network: what Frankfurt's cluster was given.
        role: the controller's role that Virginia's cluster was given.
        untagged: the first run, in which a subnet lacked its tag, and how many writes there were before and after it.
        allowed: a check of the same, in which that was allowed.
        changed: the run after the first change of the inventory.
        again: the one after that.
        verified: the verification after all of them.
    """

    frankfurt: Rehearsed
    virginia: Rehearsed
    network: Network
    role: str
    untagged: tuple[subprocess.CompletedProcess[str], int, int]
    allowed: subprocess.CompletedProcess[str]
    changed: subprocess.CompletedProcess[str]
    again: subprocess.CompletedProcess[str]
    verified: subprocess.CompletedProcess[str]

    def client(self, service: str, region: str = _FRANKFURT) -> Any:
        return account.client(self.frankfurt.name, service, region)


@pytest.fixture(scope="module")
def variants(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Variants]:
    """Both clusters made from nothing, then changed.

    Virginia gets a NAT gateway for each zone and another service account, and loses a node group and an add-on; Frankfurt gets a newer Gateway API.
    """
    with fresh_account("test-variants") as rehearsed:
        yield _fill(Rehearsed(rehearsed.name, "shop"), tmp_path_factory.mktemp("variants"))


def _fill(frankfurt: Rehearsed, directory: Path) -> Variants:
    virginia = Rehearsed(frankfurt.name, twin_name(frankfurt.name, "shop", _VIRGINIA).removeprefix(f"{frankfurt.name}-"))
    network = _network(frankfurt)
    roles = {name: frankfurt.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(_TRUST)) for name in _ROLES}
    role, operators = (roles[name]["Role"]["Arn"] for name in _ROLES)
    inventory = directory / "inventory"
    shutil.copytree(_INVENTORY, inventory)
    existing = {
        "existing_vpc_id": network.vpc,
        "existing_private_subnet_ids": network.private,
        "existing_public_subnet_ids": network.public,
        "existing_controller_role_arn": role,
        "existing_operators_arn": operators,
    }
    (inventory / "group_vars" / "all.yml").write_text(yaml.safe_dump(existing))

    before = len(frankfurt.control("requests?writes"))
    checked = frankfurt.rehearse("--limit", "frankfurt", "--check", inventory=inventory)
    untagged = (checked, before, len(frankfurt.control("requests?writes")))
    allowed = frankfurt.play("site.yml", "--limit", "frankfurt", "--check", "--tags", "eks", "-e", "eks_allow_untagged_subnets=true", inventory=inventory)
    frankfurt.client("ec2").create_tags(Resources=network.public[1:], Tags=[{"Key": "kubernetes.io/role/elb", "Value": "1"}])
    done = frankfurt.play("site.yml", *_LEFT_OUT, inventory=inventory)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]

    virginia.kubectl("create", "serviceaccount", "by-others", "-n", "kube-system")
    definitions = [name for name in frankfurt.kubectl("get", "crd", "-o", "name").split() if name.endswith(".gateway.networking.k8s.io")]
    frankfurt.kubectl("annotate", "--overwrite", *definitions, "gateway.networking.k8s.io/bundle-version=v1.6.9")
    host = inventory / "host_vars" / "virginia.yml"
    expected = yaml.safe_load(host.read_text())
    expected |= {"eks_nat_gateways": "per_zone", "alb_controller_service_account": "by-others", "alb_controller_service_account_create": False}
    for variable, name in {"eks_node_groups": "extra", "eks_addons": "metrics-server"}.items():
        expected[variable] = [{"name": name, "state": "absent"} if item["name"] == name else item for item in expected[variable]]
    host.write_text(yaml.safe_dump(expected))
    changed = frankfurt.play("site.yml", "--tags", "eks,alb_controller", inventory=inventory)
    assert changed.returncode == 0, changed.stdout[-6000:] + changed.stderr[-2000:]
    again = frankfurt.play("site.yml", *_LEFT_OUT, inventory=inventory)
    verified = frankfurt.play("verify.yml", *_LEFT_OUT, inventory=inventory)
    return Variants(frankfurt, virginia, network, role, untagged, allowed, changed, again, verified)


def _network(frankfurt: Rehearsed) -> Network:
    """A VPC of two zones; one public subnet lacks the tag by which load balancers find it."""
    ec2 = frankfurt.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.40.0.0/16")["Vpc"]["VpcId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    places = [(10 * kind + zone, "ab"[zone]) for kind in range(2) for zone in range(2)]
    subnets = [ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.40.{part}.0/24", AvailabilityZone=f"{_FRANKFURT}{zone}") for part, zone in places]
    ids = [each["Subnet"]["SubnetId"] for each in subnets]
    ec2.create_tags(Resources=ids[:2], Tags=[{"Key": "kubernetes.io/role/internal-elb", "Value": "1"}])
    ec2.create_tags(Resources=ids[2:3], Tags=[{"Key": "kubernetes.io/role/elb", "Value": "1"}])
    return Network(vpc, ids[:2], ids[2:])


@pytest.mark.requirement("A4")
@pytest.mark.variable("eks_allow_untagged_subnets", "eks_public_subnet_ids")
def test_subnets_without_their_tags_are_reported_before_anything_is_made(variants: Variants) -> None:
    done, before, after = variants.untagged
    expected = " ".join(done.stdout.split())
    assert done.returncode != 0, "a public subnet without its tag was taken"
    assert "The subnets of cluster shop in eu-central-1 cannot be used, and nothing was changed." in expected
    assert f"by which load balancers find subnets: {variants.network.public[1]}." in expected
    assert after == before, "something was written"
    assert variants.allowed.returncode == 0, variants.allowed.stdout[-3000:]
    assert "virginia" not in expected.split("PLAY RECAP")[1].split("AWS account")[0], "--limit frankfurt touched another cluster"


@pytest.mark.variable("eks_vpc_id", "eks_private_subnet_ids", "eks_endpoint_public_access")
def test_an_existing_network_is_used_and_left_as_it_is(variants: Variants) -> None:
    ec2 = variants.client("ec2")
    cluster = variants.client("eks").describe_cluster(name="shop")["cluster"]["resourcesVpcConfig"]
    assert (cluster["vpcId"], sorted(cluster["subnetIds"])) == (variants.network.vpc, sorted(variants.network.private))
    assert not cluster["endpointPublicAccess"], "the API server can be reached from the internet"
    made = [vpc["VpcId"] for vpc in ec2.describe_vpcs()["Vpcs"] if not vpc["IsDefault"]]
    assert made == [variants.network.vpc], "another VPC was made"
    assert not ec2.describe_nat_gateways()["NatGateways"], "a NAT gateway was made in it"
    tables = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [variants.network.vpc]}])["RouteTables"]
    assert len(tables) == 1, "a route table was made in it"
    tags = [subnet.get("Tags") for subnet in ec2.describe_subnets(SubnetIds=variants.network.private)["Subnets"]]
    assert tags == [[{"Key": "kubernetes.io/role/internal-elb", "Value": "1"}]] * 2


@pytest.mark.variable("eks_identity")
def test_irsa_takes_the_place_of_pod_identity(variants: Variants) -> None:
    eks, iam = variants.client("eks"), variants.client("iam")
    assert eks.list_pod_identity_associations(clusterName="shop")["associations"] == []
    issuer = eks.describe_cluster(name="shop")["cluster"]["identity"]["oidc"]["issuer"].removeprefix("https://")
    provider = f"arn:aws:iam::123456789012:oidc-provider/{issuer}"
    assert [each["Arn"] for each in iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]] == [provider]
    for role, subject in {"alb-controller": "aws-load-balancer-controller", "ebs-csi": "ebs-csi-controller-sa"}.items():
        (statement,) = iam.get_role(RoleName=f"shop-eu-central-1-{role}")["Role"]["AssumeRolePolicyDocument"]["Statement"]
        assert (statement["Principal"], statement["Action"]) == ({"Federated": provider}, ["sts:AssumeRoleWithWebIdentity"])
        desired = {f"{issuer}:sub": f"system:serviceaccount:kube-system:{subject}", f"{issuer}:aud": "sts.amazonaws.com"}
        assert statement["Condition"] == {"StringEquals": desired}
    annotations = variants.frankfurt.get("serviceaccount", "aws-load-balancer-controller", "-n", "kube-system")["metadata"]["annotations"]
    assert annotations["eks.amazonaws.com/role-arn"] == "arn:aws:iam::123456789012:role/shop-eu-central-1-alb-controller"


def test_a_principal_gets_the_access_entry_of_the_inventory(variants: Variants) -> None:
    eks = variants.client("eks", _VIRGINIA)
    name = {"clusterName": "shop", "principalArn": "arn:aws:iam::123456789012:role/operators"}
    entry = eks.describe_access_entry(**name)["accessEntry"]
    assert (entry["type"], entry["kubernetesGroups"], entry["tags"]) == ("STANDARD", ["operators"], {"CostCenter": "0815"})
    policies = {each["policyArn"].rpartition("/")[2]: each["accessScope"] for each in eks.list_associated_access_policies(**name)["associatedAccessPolicies"]}
    assert policies == {
        "AmazonEKSClusterAdminPolicy": {"type": "cluster", "namespaces": []},
        "AmazonEKSViewPolicy": {"type": "namespace", "namespaces": ["shop-*"]},
    }


def test_tags_and_labels_are_the_texts_that_were_written(variants: Variants) -> None:
    labels = {"team": "0815", "build": "1234e5", "shared": "true"}
    group = variants.client("eks").describe_nodegroup(clusterName="shop", nodegroupName="general")["nodegroup"]
    assert group["labels"] == {**labels, "tier": "1"}
    pool = variants.virginia.get("nodepool", "general")["spec"]["template"]
    assert pool["metadata"]["labels"] == labels
    assert variants.virginia.get("ec2nodeclass", "general")["spec"]["tags"] == _TAGS
    role = variants.client("iam").get_role(RoleName="shop-us-east-1-karpenter-nodes")["Role"]
    vpc = variants.client("eks", _VIRGINIA).describe_cluster(name="shop")["cluster"]["resourcesVpcConfig"]["vpcId"]
    (network,) = variants.client("ec2", _VIRGINIA).describe_vpcs(VpcIds=[vpc])["Vpcs"]
    for found in (role["Tags"], network["Tags"]):
        assert {tag["Key"]: tag["Value"] for tag in found}.items() >= _TAGS.items()
    assert group["tags"].items() >= _TAGS.items()


@pytest.mark.requirement("B4")
@pytest.mark.variable("alb_controller_role_arn", "alb_controller_service_account_create")
def test_an_existing_role_and_an_existing_service_account_are_used_as_they_are(variants: Variants) -> None:
    associations = variants.client("eks", _VIRGINIA).list_pod_identity_associations(clusterName="shop", serviceAccount="by-others")["associations"]
    (found,) = [
        variants.client("eks", _VIRGINIA).describe_pod_identity_association(clusterName="shop", associationId=each["associationId"]) for each in associations
    ]
    assert found["association"]["roleArn"] == variants.role
    controller = variants.virginia.get("deployment", "ingress-aws-load-balancer-controller", "-n", "kube-system")
    assert controller["spec"]["template"]["spec"]["serviceAccountName"] == "by-others"
    assert controller["status"].get("readyReplicas") == 2
    labels = variants.virginia.get("serviceaccount", "by-others", "-n", "kube-system")["metadata"].get("labels", {})
    assert "app.kubernetes.io/managed-by" not in labels, "the chart took over the service account"
    names = {role["RoleName"] for role in variants.client("iam").list_roles()["Roles"]}
    assert "shop-us-east-1-alb-controller" not in names, "a role was made beside the one that was given"
    assert variants.client("iam").list_attached_role_policies(RoleName="controllers-of-others")["AttachedPolicies"] == []
    steps = (REPOSITORY / "roles" / "alb_controller" / "README.md").read_text()
    assert "OIDC provider" in steps and "pods.eks.amazonaws.com" in steps, "the docs do not tell the IAM steps"


@pytest.mark.requirement("B9")
@pytest.mark.variable("alb_controller_gateway_api")
def test_the_controller_serves_gateways_of_its_own_and_starts_anew_with_other_definitions(variants: Variants) -> None:
    template = variants.frankfurt.get("deployment", "aws-load-balancer-controller", "-n", "kube-system")["spec"]["template"]
    assert template["metadata"]["annotations"]["ambient.meshwright/gateway-api"] == "6.9 standard"
    logs = sorted(TwinPaths(f"{variants.frankfurt.name}-shop").logs.glob("aws-load-balancer-controller-*.log"))
    assert len(logs) == 4, f"other definitions were found, and pods were not replaced: {[log.name for log in logs]}"
    lines = [line for log in logs for line in log.read_text().splitlines()]
    errors = [line for line in lines if '"level":"error"' in line and not any(known in line for known in _NO_ERRORS)]
    assert not errors, "\n".join(errors)

    gateway_class = {"kind": "GatewayClass", "metadata": {"name": "aws-alb"}, "spec": {"controllerName": "gateway.k8s.aws/alb"}}
    listener = {"name": "http", "port": 80, "protocol": "HTTP"}
    gateway = {"kind": "Gateway", "metadata": {"name": "own", "namespace": "default"}, "spec": {"gatewayClassName": "aws-alb", "listeners": [listener]}}
    desired = [{"apiVersion": "gateway.networking.k8s.io/v1", **each} for each in (gateway_class, gateway)]
    variants.frankfurt.kubectl("apply", "-f", "-", given=yaml.safe_dump_all(desired))
    try:
        # The lease of the leader before may have to run out first.
        variants.frankfurt.kubectl("wait", "gateway/own", "--for=condition=Programmed", "--timeout=90s")
        (found,) = variants.client("elbv2").describe_load_balancers()["LoadBalancers"]
        (address,) = variants.frankfurt.get("gateway", "own")["status"]["addresses"]
        assert (found["Type"], found["State"]["Code"], found["DNSName"]) == ("application", "active", address["value"])
        # Subnets were found by the tag that a run would have asked for.
        assert sorted(zone["SubnetId"] for zone in found["AvailabilityZones"]) == sorted(variants.network.private)
        assert "AssumeRoleWithWebIdentity" in {line["operation"] for line in variants.frankfurt.control("requests")}, "its credentials came in another way"
    finally:
        for each in ("gateway/own", "gatewayclass/aws-alb"):
            variants.frankfurt.kubectl("delete", each, "--timeout=60s")


def test_one_nat_gateway_becomes_one_for_each_zone(variants: Variants) -> None:
    ec2 = variants.client("ec2", _VIRGINIA)
    vpc = variants.client("eks", _VIRGINIA).describe_cluster(name="shop")["cluster"]["resourcesVpcConfig"]["vpcId"]
    of_vpc = [{"Name": "vpc-id", "Values": [vpc]}]
    subnets = {subnet["SubnetId"]: subnet for subnet in ec2.describe_subnets(Filters=of_vpc)["Subnets"]}
    gateways = {each["NatGatewayId"]: subnets[each["SubnetId"]]["AvailabilityZone"] for each in ec2.describe_nat_gateways(Filter=of_vpc)["NatGateways"]}
    assert sorted(gateways.values()) == ["us-east-1a", "us-east-1b"]
    ways: dict[str, str] = {}
    for table in ec2.describe_route_tables(Filters=of_vpc)["RouteTables"]:
        (out,) = [route for route in table["Routes"] if route.get("DestinationCidrBlock") == "0.0.0.0/0"] or [{}]
        for association in table["Associations"]:
            if "SubnetId" in association:
                ways[_named(subnets[association["SubnetId"]])] = gateways.get(out.get("NatGatewayId", ""), str(out.get("GatewayId", ""))[:3])
    assert ways == {
        "shop-private-us-east-1a": "us-east-1a",
        "shop-private-us-east-1b": "us-east-1b",
        "shop-public-us-east-1a": "igw",
        "shop-public-us-east-1b": "igw",
    }
    assert "Install the chart istiod" not in variants.changed.stdout, "--tags eks,alb_controller ran other roles"


def test_a_node_group_and_an_addon_are_taken_away_by_their_state(variants: Variants) -> None:
    eks = variants.client("eks", _VIRGINIA)
    left = eks.list_nodegroups(clusterName="shop")["nodegroups"], sorted(eks.list_addons(clusterName="shop")["addons"])
    assert left == (["general"], ["coredns", "eks-pod-identity-agent", "kube-proxy", "vpc-cni"])
    asked = [line["operation"] for line in variants.frankfurt.control("requests?writes")]
    assert asked.count("CreateNodegroup") == 3, "the node group was never there"
    assert (asked.count("DeleteNodegroup"), asked.count("DeleteAddon")) == (1, 1)
    assert variants.virginia.get("deployments", "-n", "kube-system", "--field-selector", "metadata.name=metrics-server")["items"] == []


@pytest.mark.requirement("A13")
def test_another_run_changes_nothing_in_either_cluster(variants: Variants) -> None:
    assert variants.again.returncode == 0, variants.again.stdout[-4000:]
    changes = re.findall(r"^(\w+) .*changed=(\d+)", variants.again.stdout, re.MULTILINE)
    reported = [line for line in variants.again.stdout.splitlines() if line.startswith(("TASK", "changed:"))]
    assert changes == [("frankfurt", "0"), ("virginia", "0")], reported
    tasks = variants.again.stdout.split("\nTASK [")
    helm = [task for task in tasks if re.match(r".*(Install the chart|definitions of)", task) and re.search(r"^(ok|changed): ", task, re.MULTILINE)]
    assert not helm, f"Helm was started for what is as it should be: {helm}"


def test_what_the_runs_have_left_passes_verification(variants: Variants) -> None:
    assert variants.verified.returncode == 0, variants.verified.stdout[-6000:]
    # IRSA, a network of others, Karpenter and its node pools were compared, too.
    for task in ("karpenter : Create or update the pools", "eks : Create the cluster's IAM OIDC provider", "eks : Verify the existing subnets"):
        assert task in variants.verified.stdout, f"{task} was not compared"


def test_two_clusters_of_one_name_share_only_what_is_of_the_account(variants: Variants) -> None:
    roles = {role["RoleName"] for role in variants.client("iam").list_roles()["Roles"]}
    assert {f"shop-{region}-{part}" for region in (_FRANKFURT, _VIRGINIA) for part in ("cluster", "nodes")} <= roles
    for region in (_FRANKFURT, _VIRGINIA):
        cluster = variants.client("eks", region).describe_cluster(name="shop")["cluster"]
        assert cluster["roleArn"].endswith(f"/shop-{region}-cluster")
        assert variants.client("eks", region).list_nodegroups(clusterName="shop")["nodegroups"] == ["general"]
    nodes = [{node["metadata"]["name"] for node in each.get("nodes")["items"]} for each in (variants.frankfurt, variants.virginia)]
    assert all(nodes) and not nodes[0] & nodes[1]
    zones = variants.client("route53").list_hosted_zones()["HostedZones"]
    assert [zone["Name"] for zone in zones] == ["variants.example."], "both clusters made the zone that they share"


@pytest.mark.requirement("K14")
def test_nodes_of_karpenter_begin_with_the_taint(variants: Variants) -> None:
    pools = {pool["metadata"]["name"]: pool["spec"]["template"]["spec"] for pool in variants.virginia.get("nodepools")["items"]}
    assert pools["general"]["startupTaints"] == [{"key": "cni.istio.io/not-ready", "value": "true", "effect": "NoExecute"}]
    assert {pool["nodeClassRef"]["name"] for pool in pools.values()} == {"general"} and set(pools) == {"general", "arm"}
    (node_class,) = variants.virginia.get("ec2nodeclasses")["items"]
    eks = variants.client("eks", _VIRGINIA)
    network = eks.describe_cluster(name="shop")["cluster"]["resourcesVpcConfig"]
    spec = node_class["spec"]
    assert (node_class["metadata"]["name"], spec["role"]) == ("general", "shop-us-east-1-karpenter-nodes")
    assert sorted(term["id"] for term in spec["subnetSelectorTerms"]) == sorted(network["subnetIds"])
    assert [term["id"] for term in spec["securityGroupSelectorTerms"]] == [network["clusterSecurityGroupId"]]
    entry = eks.describe_access_entry(clusterName="shop", principalArn="arn:aws:iam::123456789012:role/shop-us-east-1-karpenter-nodes")
    assert entry["accessEntry"]["type"] == "EC2_LINUX"
    assert variants.virginia.get("deployment", "karpenter-nodes", "-n", "kube-system")["status"].get("readyReplicas") == 2
    assert "startupTaints" in (REPOSITORY / "docs" / "platforms" / "eks.md").read_text(), "the docs have no example for Karpenter"


@pytest.mark.variable("eks_cluster_role_arn", "eks_node_role_arn")
def test_a_cluster_that_another_run_is_making_is_waited_for(tmp_path: Path) -> None:
    log = tmp_path / "requests.jsonl"
    with serving([sys.executable, "-m", "twin.aws", "--port", "0", "--request-log", str(log)], log) as aws:
        base = make_base(aws)
        aws.client("ec2").create_tags(Resources=base.subnets, Tags=[{"Key": "kubernetes.io/role/internal-elb", "Value": "1"}])
        aws.control("POST", "/phases", {"default": 0, "cluster": 3600})
        mode = {"authenticationMode": "API"}
        aws.client("eks").create_cluster(name="early", roleArn=base.role, resourcesVpcConfig={"subnetIds": base.subnets}, accessConfig=mode)
        aws.control("DELETE", "/requests")
        given = {
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
            "eks_enabled": True,
            "eks_region": REGION,
            "eks_vpc_id": base.vpc,
            "eks_private_subnet_ids": base.subnets,
            "eks_cluster_role_arn": base.role,
            "eks_node_role_arn": base.node_role,
            "eks_addons": [],
        }
        inventory = tmp_path / "inventory.yml"
        inventory.write_text(yaml.safe_dump({"clusters": {"hosts": {"early": given}}}))
        keys = {"AWS_ENDPOINT_URL": aws.url, "AWS_ACCESS_KEY_ID": OWNER_KEY, "AWS_SECRET_ACCESS_KEY": OWNER_SECRET, "AWS_EC2_METADATA_DISABLED": "true"}
        command = [str(Path(sys.executable).with_name("ansible-playbook")), "site.yml", "-i", str(inventory), "--tags", "eks"]
        environment = {**{name: value for name, value in os.environ.items() if not name.startswith("AWS_")}, **keys}
        with subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as run:
            # The first look finds it, and the others are those of the wait.
            until(lambda: [line["operation"] for line in aws.control("GET", "/requests")].count("DescribeCluster") >= 4, "the run to wait for the cluster", 120)
            assert run.poll() is None, run.communicate()[0][-3000:]
            aws.control("POST", "/phases", {"default": 0})
            expected = run.communicate(timeout=120)[0]
        assert run.returncode == 0, expected[-4000:]
        assert not {"CreateCluster", "CreateRole"} & {line["operation"] for line in aws.control("GET", "/requests")}, "the given roles were not used"
        assert aws.client("eks").describe_cluster(name="early")["cluster"]["status"] == "ACTIVE"


def _named(resource: dict[str, Any]) -> str:
    return str(next((tag["Value"] for tag in resource.get("Tags", []) if tag["Key"] == "Name"), ""))
