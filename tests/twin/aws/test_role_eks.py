"""The role eks against the local AWS alone: what reaches AWS of its variables, in whatever form they come. No cluster runs behind it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.twin.aws.local_aws import OWNER_KEY, OWNER_SECRET, REGION, Base, LocalAws
from twin.paths import REPOSITORY

CLUSTER = "role-eks"
TAGS = {"CostCenter": "0815", "Build": "1234e5", "Shared": "true"}
# As in a file: texts that look like numbers, and what YAML makes a boolean and a number.
VARIABLES = f"""
eks_cluster_name: {CLUSTER}
eks_region: {REGION}
eks_version: "1.35"
eks_tags: {{CostCenter: "0815", Build: 1234e5, Shared: true}}
eks_allow_untagged_subnets: true
eks_identity: irsa
eks_addons:
  - {{name: vpc-cni, state: present}}
  - {{name: aws-ebs-csi-driver, state: present, role_arn: ""}}
eks_node_groups:
  - name: general
    state: present
    instance_types: [m7i.large]
    labels: {{team: "0815", build: 1234e5, shared: true, tier: 1}}
eks_access_entries:
  - principal_arn: arn:aws:iam::123456789012:role/pods
    kubernetes_groups: [operators]
    policies:
      - policy: AmazonEKSClusterAdminPolicy
      - policy: AmazonEKSViewPolicy
        namespaces: [shop-*]
    tags: {{CostCenter: "0815"}}
"""
PLAY = {"hosts": "localhost", "connection": "local", "gather_facts": False}
IDENTITY = [{"ansible.builtin.include_role": {"name": "meshwright.ambient.karpenter", "tasks_from": part}} for part in ("account", "identity")]
PLAYBOOKS: dict[str, list[dict[str, Any]]] = {
    "eks": [{**PLAY, "roles": [{"role": "meshwright.ambient.eks"}]}],
    "verify": [{**PLAY, "tasks": [{"name": "Verify", "ansible.builtin.include_role": {"name": "meshwright.ambient.eks", "tasks_from": "verify"}}]}],
    # Another host than that of the role eks: nothing is known of the cluster but its name and region.
    "karpenter": [{**PLAY, "tasks": [{"name": "Grant Karpenter its permissions", **part} for part in IDENTITY]}],
}


@dataclass(frozen=True)
class Runs:
    """The runs of the role: with an error in its subnets, and in its security groups, from nothing, again, again with variables as text, and verified.

    Attributes:
        group: a security group of others between which and the cluster the mesh ports are opened.
    """

    wrong: subprocess.CompletedProcess[str]
    missing_group: subprocess.CompletedProcess[str]
    created: subprocess.CompletedProcess[str]
    again: subprocess.CompletedProcess[str]
    text: subprocess.CompletedProcess[str]
    verified: subprocess.CompletedProcess[str]
    aws: LocalAws
    directory: Path
    group: str

    def client(self, service: str) -> Any:
        return self.aws.client(service)


@pytest.fixture(scope="module")
def runs(aws: LocalAws, base: Base, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    directory = tmp_path_factory.mktemp("role-eks")
    group = aws.client("ec2").create_security_group(GroupName="role-eks-nodes", Description="of others", VpcId=base.vpc)["GroupId"]
    network = {"eks_vpc_id": base.vpc, "eks_private_subnet_ids": base.subnets, "eks_node_security_group_ids": [group]}
    (directory / "vars.yml").write_text(VARIABLES + yaml.safe_dump(network))
    for playbook in ("eks", "verify"):
        (directory / f"{playbook}.yml").write_text(yaml.safe_dump(PLAYBOOKS[playbook]))
    # As the command line and surveys give them: booleans, numbers and dictionaries are text.
    tags = json.dumps(yaml.safe_load(VARIABLES)["eks_tags"])
    given = {"eks_tags": tags, "eks_startup_taint": "false", "eks_allow_untagged_subnets": "yes", "eks_timeout": "600"}
    yield Runs(
        wrong=_play(aws, directory, "--check", "-e", "eks_allow_untagged_subnets=false"),
        missing_group=_play(aws, directory, "-e", "eks_node_security_group_ids=sg-0123456789abcdef0"),
        created=_play(aws, directory, "-e", "eks_startup_taint=false"),
        again=_play(aws, directory, "-e", "eks_startup_taint=false"),
        text=_play(aws, directory, *(argument for name, value in given.items() for argument in ("-e", json.dumps({name: value})))),
        verified=_play(aws, directory, "-e", "eks_startup_taint=false", playbook="verify"),
        aws=aws,
        directory=directory,
        group=group,
    )


def _play(aws: LocalAws, directory: Path, *arguments: str, playbook: str = "eks") -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "AWS_ENDPOINT_URL": aws.url,
        "AWS_ACCESS_KEY_ID": OWNER_KEY,
        "AWS_SECRET_ACCESS_KEY": OWNER_SECRET,
        "KUBECONFIG": "/dev/null",
    }
    program = str(Path(sys.executable).with_name("ansible-playbook"))
    command = [program, "-i", "localhost,", str(directory / f"{playbook}.yml"), "-e", f"@{directory / 'vars.yml'}"]
    command += ["-e", f"ansible_python_interpreter={sys.executable}", *arguments]
    return subprocess.run(command, cwd=REPOSITORY, env=environment, check=False, capture_output=True, text=True, timeout=300)


def test_a_security_group_that_does_not_exist_is_named_before_anything_is_created(runs: Runs) -> None:
    message = " ".join(runs.missing_group.stdout.split())
    assert runs.missing_group.returncode != 0
    assert f"cluster {CLUSTER} has security groups that do not exist in {REGION}, sg-0123456789abcdef0" in message, message[-3000:]
    assert "changed=0" in message, "something was created"


def test_the_mesh_ports_are_open_between_the_cluster_and_groups_of_others(runs: Runs) -> None:
    cluster = runs.client("eks").describe_cluster(name=CLUSTER)["cluster"]["resourcesVpcConfig"]["clusterSecurityGroupId"]
    for group, origins in ((runs.group, {runs.group, cluster}), (cluster, {runs.group})):
        (found,) = runs.client("ec2").describe_security_groups(GroupIds=[group])["SecurityGroups"]
        opened = {rule["FromPort"]: {pair["GroupId"] for pair in rule["UserIdGroupPairs"]} for rule in found["IpPermissions"] if "FromPort" in rule}
        assert {15008, 15012, 15017, 15021, 9443} <= opened.keys(), f"{group} opens only {sorted(opened)}"
        assert opened[15008] == origins, f"{group} lets in {opened[15008]}"


def test_existing_subnets_are_verified_before_anything_is_created(runs: Runs) -> None:
    message = " ".join(runs.wrong.stdout.split())
    assert runs.wrong.returncode != 0
    assert f"The subnets of cluster {CLUSTER} in {REGION} cannot be used, and nothing was changed." in message
    assert "or set eks_allow_untagged_subnets if only another account can do so." in message


def test_a_principal_gets_the_access_entry_of_the_inventory(runs: Runs, base: Base) -> None:
    assert runs.created.returncode == 0, runs.created.stdout[-4000:]
    name = {"clusterName": CLUSTER, "principalArn": base.pod_role}
    entry = runs.client("eks").describe_access_entry(**name)["accessEntry"]
    assert (entry["type"], entry["kubernetesGroups"], entry["tags"]) == ("STANDARD", ["operators"], {"CostCenter": "0815"})
    associated = runs.client("eks").list_associated_access_policies(**name)["associatedAccessPolicies"]
    assert {each["policyArn"].rpartition("/")[2]: each["accessScope"] for each in associated} == {
        "AmazonEKSClusterAdminPolicy": {"type": "cluster", "namespaces": []},
        "AmazonEKSViewPolicy": {"type": "namespace", "namespaces": ["shop-*"]},
    }


def test_a_driver_with_defaults_that_are_written_out_gets_its_role(runs: Runs) -> None:
    addon = runs.client("eks").describe_addon(clusterName=CLUSTER, addonName="aws-ebs-csi-driver")["addon"]
    role = runs.client("iam").get_role(RoleName=f"{CLUSTER}-{REGION}-ebs-csi")["Role"]
    assert addon["serviceAccountRoleArn"] == role["Arn"]
    issuer = runs.client("eks").describe_cluster(name=CLUSTER)["cluster"]["identity"]["oidc"]["issuer"].removeprefix("https://")
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Condition"]["StringEquals"][f"{issuer}:sub"] == "system:serviceaccount:kube-system:ebs-csi-controller-sa"


def test_tags_and_labels_are_the_texts_that_were_written(runs: Runs) -> None:
    eks = runs.client("eks")
    group = eks.describe_nodegroup(clusterName=CLUSTER, nodegroupName="general")["nodegroup"]
    assert group["labels"] == {"team": "0815", "build": "1234e5", "shared": "true", "tier": "1"}
    role = runs.client("iam").get_role(RoleName=f"{CLUSTER}-{REGION}-nodes")["Role"]
    tags = {tag["Key"]: tag["Value"] for tag in role["Tags"]}
    for found in (tags, group["tags"], eks.describe_cluster(name=CLUSTER)["cluster"]["tags"]):
        assert found.items() >= TAGS.items()


def test_variables_as_text_mean_what_their_types_say(runs: Runs) -> None:
    group = runs.client("eks").describe_nodegroup(clusterName=CLUSTER, nodegroupName="general")["nodegroup"]
    assert not group.get("taints"), "eks_startup_taint=false was taken for true"
    for done in (runs.again, runs.text):
        assert done.returncode == 0, done.stdout[-4000:]
        changes = [line for line in done.stdout.splitlines() if line.startswith(("changed:", "TASK"))]
        assert "changed=0 " in done.stdout, changes


def test_each_part_that_somebody_has_changed_is_verified(runs: Runs, base: Base) -> None:
    assert runs.verified.returncode == 0, runs.verified.stdout[-4000:]
    eks, iam = runs.client("eks"), runs.client("iam")
    eks.delete_addon(clusterName=CLUSTER, addonName="vpc-cni")
    eks.delete_access_entry(clusterName=CLUSTER, principalArn=base.pod_role)
    eks.update_nodegroup_config(clusterName=CLUSTER, nodegroupName="general", labels={"removeLabels": ["team"]})
    eks.update_cluster_config(name=CLUSTER, deletionProtection=True)
    iam.untag_role(RoleName=f"{CLUSTER}-{REGION}-nodes", TagKeys=["CostCenter"])
    written = len(runs.aws.control("GET", "/requests?writes"))
    done = _play(runs.aws, runs.directory, "-e", "eks_startup_taint=false", playbook="verify")
    message = " ".join(done.stdout.split())
    assert done.returncode != 0, message[-4000:]
    for part in ("Add-on vpc-cni", "node group general", f"IAM role {CLUSTER}-{REGION}-nodes (tags)", base.pod_role, f"EKS cluster {CLUSTER}"):
        assert part in message, f"{part} differs, and is not named: {message[-4000:]}"
    assert len(runs.aws.control("GET", "/requests?writes")) == written, "a verification wrote"


def test_karpenter_gets_roles_policies_and_a_queue(aws: LocalAws, base: Base, tmp_path: Path) -> None:
    cluster = "role-karpenter"
    iam, eks = aws.client("iam"), aws.client("eks")
    network = {"subnetIds": base.subnets}
    eks.create_cluster(name=cluster, roleArn=base.role, resourcesVpcConfig=network, accessConfig={"authenticationMode": "API"})
    (tmp_path / "karpenter.yml").write_text(yaml.safe_dump(PLAYBOOKS["karpenter"]))
    (tmp_path / "vars.yml").write_text(yaml.safe_dump({"karpenter_cluster_name": cluster, "karpenter_region": REGION}))
    first, second = (_play(aws, tmp_path, playbook="karpenter") for _ in range(2))
    assert first.returncode == 0, first.stdout[-4000:]
    assert "changed=0 " in second.stdout, [line for line in second.stdout.splitlines() if line.startswith(("changed:", "TASK"))]
    name = f"{cluster}-{REGION}-karpenter"
    attached = {each["PolicyName"] for each in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]}
    assert attached == {f"{name}-instances", f"{name}-profiles"}
    nodes = iam.get_role(RoleName=f"{name}-nodes")["Role"]
    assert eks.describe_access_entry(clusterName=cluster, principalArn=nodes["Arn"])["accessEntry"]["type"] == "EC2_LINUX"
    (association,) = eks.list_pod_identity_associations(clusterName=cluster, namespace="kube-system")["associations"]
    assert association["serviceAccount"] == "karpenter"
    assert aws.client("sqs").get_queue_url(QueueName=name)["QueueUrl"].endswith(f"/{name}")
