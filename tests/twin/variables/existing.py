"""What an inventory may name because others have made it: roles, policies, a key, a launch template, a queue; and what lies in the cluster's network."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from tests.twin.support.certificates import make_certificate

_TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "pods.eks.amazonaws.com"}, "Action": ["sts:AssumeRole", "sts:TagSession"]}],
}
_ALLOW = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}

# A service's name, and its boto3 client.
Clients = Callable[[str], Any]


def make_before(client: Clients) -> dict[str, Any]:
    """What does not need the cluster."""
    iam, queue = client("iam"), "complete-interruptions"
    boundaries = [iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(_ALLOW))["Policy"]["Arn"] for name in ("complete-one", "complete-two")]
    roles = [
        iam.create_role(RoleName=f"complete-{name}", AssumeRolePolicyDocument=json.dumps(_TRUST))["Role"]["Arn"]
        for name in ("pods", "target", "operators", "retired")
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
    subnets = sorted(subnet["SubnetId"] for subnet in found)
    return {
        "subnets": subnets,
        "private_subnets": sorted(cluster["resourcesVpcConfig"]["subnetIds"])[:1],
        "addresses": sorted(ec2.allocate_address(Domain="vpc")["AllocationId"] for _ in subnets),
        "security_groups": [ec2.create_security_group(GroupName="complete-front", Description="complete", VpcId=vpc)["GroupId"]],
    }


def make_retired(client: Clients, cluster: Mapping[str, Any], existing: Mapping[str, Any]) -> None:
    """One of each kind of EKS that the inventory declares absent."""
    eks, name = client("eks"), str(cluster["name"])
    general = eks.describe_nodegroup(clusterName=name, nodegroupName="general")["nodegroup"]
    eks.create_nodegroup(clusterName=name, nodegroupName="retired", nodeRole=general["nodeRole"], subnets=general["subnets"])
    eks.create_addon(clusterName=name, addonName="metrics-server")
    eks.create_access_entry(clusterName=name, principalArn=existing["retired"])
    eks.create_pod_identity_association(clusterName=name, namespace="complete-a", serviceAccount="retired", roleArn=existing["pods_role"])
