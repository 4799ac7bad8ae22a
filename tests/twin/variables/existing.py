"""What an inventory may name because others have made it: roles, policies, a key, a launch template, a queue; and what lies in the cluster's network."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.twin.support.certificates import make_certificate

_TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "pods.eks.amazonaws.com"}, "Action": ["sts:AssumeRole", "sts:TagSession"]}],
}
_ALLOW = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}

# A service's name, and its boto3 client.
Clients = Callable[[str], Any]


def make_sources(files: Mapping[str, Path], directory: Path) -> dict[str, Any]:
    """The controller's IAM policy and the sample application, each with something that those of their projects do not have.

    Args:
        files: the files of the twin's tools.
        directory: where they are written.
    """
    policy = json.loads((files["load-balancer-controller"] / "iam_policy.json").read_text())
    policy["Statement"][0]["Sid"] = "Complete"
    (directory / "policy.json").write_text(json.dumps(policy))
    sample = directory / "bookinfo"
    shutil.copytree(files["istio"] / "samples" / "bookinfo" / "platform", sample / "platform")
    with (sample / "platform" / "kube" / "bookinfo.yaml").open("a") as file:
        file.write("\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: complete-source}\n")
    return {"policy_source": str(directory / "policy.json"), "bookinfo_source": str(sample)}


def make_before(client: Clients) -> dict[str, Any]:
    """What does not need the cluster."""
    iam, queue = client("iam"), "complete-interruptions"
    boundaries = [iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(_ALLOW))["Policy"]["Arn"] for name in ("complete-one", "complete-two")]
    roles = [
        iam.create_role(RoleName=f"complete-{name}", AssumeRolePolicyDocument=json.dumps(_TRUST))["Role"]["Arn"]
        for name in ("pods", "target", "operators", "retired", "nodes")
    ]
    template = client("ec2").create_launch_template(
        LaunchTemplateName="complete", LaunchTemplateData={"InstanceType": "m7i.large", "MetadataOptions": {"HttpTokens": "required"}}
    )["LaunchTemplate"]
    client("sqs").create_queue(QueueName=queue)
    certificate = make_certificate("classic.complete.example")
    return {
        "boundary": boundaries[0],
        "other_boundary": boundaries[1],
        "key": client("kms").create_key(Description="complete")["KeyMetadata"]["Arn"],
        "launch_template": template["LaunchTemplateId"],
        "pods_role": roles[0],
        "target_role": roles[1],
        "operators": roles[2],
        "retired": roles[3],
        "nodes": roles[4],
        "queue": queue,
        "certificate": client("acm").import_certificate(Certificate=certificate.public, PrivateKey=certificate.private)["CertificateArn"],
    }


def make_in_network(client: Clients, cluster: Mapping[str, Any]) -> dict[str, Any]:
    """What lies in the VPC of the cluster.

    Args:
        client: boto3 clients of the region.
        cluster: the cluster as EKS describes it.
    """
    ec2, vpc = client("ec2"), cluster["resourcesVpcConfig"]["vpcId"]
    found = ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc]}, {"Name": "tag-key", "Values": ["kubernetes.io/role/elb"]}])["Subnets"]
    subnets, private = [subnet["SubnetId"] for subnet in found], cluster["resourcesVpcConfig"]["subnetIds"]
    groups = [ec2.create_security_group(GroupName=f"complete-{name}", Description="complete", VpcId=vpc)["GroupId"] for name in ("front", "pool")]
    return {
        "subnets": subnets,
        "private_subnets": private[:1],
        "other_private_subnets": private[1:],
        "addresses": [ec2.allocate_address(Domain="vpc")["AllocationId"] for _ in subnets],
        "security_groups": groups[:1],
        "other_security_groups": groups[1:],
    }


def make_retired(client: Clients, cluster: Mapping[str, Any], existing: Mapping[str, Any]) -> None:
    """One of each kind of EKS that the inventory declares absent."""
    eks, name = client("eks"), str(cluster["name"])
    general = eks.describe_nodegroup(clusterName=name, nodegroupName="general")["nodegroup"]
    eks.create_nodegroup(clusterName=name, nodegroupName="retired", nodeRole=general["nodeRole"], subnets=general["subnets"])
    eks.create_addon(clusterName=name, addonName="metrics-server")
    eks.create_access_entry(clusterName=name, principalArn=existing["retired"])
    eks.create_pod_identity_association(clusterName=name, namespace="complete-a", serviceAccount="retired", roleArn=existing["pods_role"])
