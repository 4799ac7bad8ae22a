# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""The permissions of Karpenter's controller in AWS, limited to the resources of its cluster.

Source: which actions it needs and which tags it writes is in cloudformation.yaml of github.com/aws/karpenter-provider-aws v1.14.1
(website/content/en/v1.14/getting-started/getting-started-with-karpenter) and in pkg/aws/sdk.go. Without a queue or zonal shift, their
permissions are left out.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

Document = t.Dict[str, t.Any]

# Tags that Karpenter puts on everything it creates (pkg/apis/v1/labels.go and the core's karpenter.sh/nodepool).
_NODE_POOL_TAG = "karpenter.sh/nodepool"
_NODE_CLASS_TAG = "karpenter.k8s.aws/ec2nodeclass"
_NODE_CLAIM_TAG = "karpenter.sh/nodeclaim"
_CLUSTER_NAME_TAG = "eks:eks-cluster-name"
_REGION_TAG = "topology.kubernetes.io/region"


@dataclass(frozen=True)
class Place:
    """The cluster of the controller, and where it is.

    Attributes:
        cluster: the name of the cluster.
        region: its region.
        partition: C(aws), C(aws-cn) or C(aws-us-gov).
        account: the number of the account.
    """

    cluster: str
    region: str
    partition: str
    account: str

    @property
    def cluster_tag(self) -> str:
        return f"kubernetes.io/cluster/{self.cluster}"

    def of_region(self, service: str, account: str, *names: str) -> list[str]:
        """ARNs of a service in the region."""
        return [f"arn:{self.partition}:{service}:{self.region}:{account}:{name}" for name in names]

    def ec2(self, *kinds: str) -> list[str]:
        """ARNs of all resources of these kinds in the region, in any account."""
        return self.of_region("ec2", "*", *(f"{kind}/*" for kind in kinds))


def karpenter_policies(place: Place, *, node_role_arn: str, queue: str = "", zonal_shift: bool = False) -> dict[str, Document]:
    """The documents of the controller's managed policies, by the end of their names; in one policy they would exceed its size limit.

    Args:
        place: the cluster of the controller.
        node_role_arn: the IAM role of the nodes, the only one that the controller may give to instances.
        queue: the name of the queue with interruptions; empty for none.
        zonal_shift: whether it reads zonal shifts.
    """
    others = [*_cluster_statements(place), *_queue_statements(place, queue), *(_zonal_shift_statements(place) if zonal_shift else [])]
    return {
        "instances": _document(_instance_statements(place)),
        "profiles": _document([*_profile_statements(place, node_role_arn), *others]),
    }


def _instance_statements(place: Place) -> list[Document]:
    created = ("fleet", "instance", "volume", "network-interface", "launch-template", "spot-instances-request")
    ours = {"StringEquals": {f"aws:ResourceTag/{place.cluster_tag}": "owned"}, "StringLike": {f"aws:ResourceTag/{_NODE_POOL_TAG}": "*"}}
    tagged_as_ours = {f"aws:RequestTag/{place.cluster_tag}": "owned", f"aws:RequestTag/{_CLUSTER_NAME_TAG}": place.cluster}
    of_a_pool = {f"aws:RequestTag/{_NODE_POOL_TAG}": "*"}
    start = ["ec2:CreateFleet", "ec2:RunInstances"]
    # Images and snapshots belong to AWS, and their ARNs name no account.
    used = [*place.of_region("ec2", "", "image/*", "snapshot/*"), *place.ec2("security-group", "subnet", "capacity-reservation", "placement-group")]
    return [
        _allow("UseForInstances", start, used),
        _allow("UseOwnLaunchTemplates", start, place.ec2("launch-template"), ours),
        _allow(
            "MakeInstances",
            [*start, "ec2:CreateLaunchTemplate"],
            place.ec2(*created),
            {"StringEquals": tagged_as_ours, "StringLike": of_a_pool},
        ),
        _allow(
            "TagWhatIsMade",
            ["ec2:CreateTags"],
            place.ec2(*created),
            {
                "StringEquals": {**tagged_as_ours, "ec2:CreateAction": ["RunInstances", "CreateFleet", "CreateLaunchTemplate"]},
                "StringLike": of_a_pool,
            },
        ),
        _allow(
            "NameOwnInstances",
            ["ec2:CreateTags"],
            place.ec2("instance"),
            {
                **ours,
                "StringEqualsIfExists": {f"aws:RequestTag/{_CLUSTER_NAME_TAG}": place.cluster},
                "ForAllValues:StringEquals": {"aws:TagKeys": [_CLUSTER_NAME_TAG, _NODE_CLAIM_TAG, "Name"]},
            },
        ),
        _allow("EndOwnInstances", ["ec2:TerminateInstances", "ec2:DeleteLaunchTemplate"], place.ec2("instance", "launch-template"), ours),
    ]


def _profile_statements(place: Place, node_role_arn: str) -> list[Document]:
    profiles = [f"arn:{place.partition}:iam::{place.account}:instance-profile/*"]

    def tagged(*by: str) -> Document:
        equals = {f"aws:{word}/{tag}": value for word in by for tag, value in ((place.cluster_tag, "owned"), (_REGION_TAG, place.region))}
        if "RequestTag" in by:
            equals[f"aws:RequestTag/{_CLUSTER_NAME_TAG}"] = place.cluster
        return {"StringEquals": equals, "StringLike": {f"aws:{word}/{_NODE_CLASS_TAG}": "*" for word in by}}

    change = ["iam:AddRoleToInstanceProfile", "iam:RemoveRoleFromInstanceProfile", "iam:DeleteInstanceProfile"]
    services = ["ec2.amazonaws.com", "ec2.amazonaws.com.cn"] if place.partition == "aws-cn" else ["ec2.amazonaws.com"]
    return [
        _allow("GiveNodesTheirRole", ["iam:PassRole"], [node_role_arn], {"StringEquals": {"iam:PassedToService": services}}),
        _allow("MakeProfiles", ["iam:CreateInstanceProfile"], profiles, tagged("RequestTag")),
        _allow("TagOwnProfiles", ["iam:TagInstanceProfile"], profiles, tagged("ResourceTag", "RequestTag")),
        _allow("ChangeOwnProfiles", change, profiles, tagged("ResourceTag")),
        _allow("ReadProfiles", ["iam:GetInstanceProfile"], profiles),
        _allow("ListProfiles", ["iam:ListInstanceProfiles"], ["*"]),
    ]


def _cluster_statements(place: Place) -> list[Document]:
    subjects = (
        "CapacityReservations", "Images", "InstanceStatus", "InstanceTypeOfferings", "InstanceTypes", "Instances", "LaunchTemplates", "PlacementGroups",
        "SecurityGroups", "SpotPriceHistory", "Subnets",
    )  # fmt: skip
    return [
        _allow("ReadTheRegion", [f"ec2:Describe{subject}" for subject in subjects], ["*"], {"StringEquals": {"aws:RequestedRegion": place.region}}),
        _allow("ReadImages", ["ssm:GetParameter"], place.of_region("ssm", "", "parameter/aws/service/*")),
        _allow("ReadPrices", ["pricing:GetProducts"], ["*"]),
        _allow("ReadTheCluster", ["eks:DescribeCluster"], place.of_region("eks", place.account, f"cluster/{place.cluster}")),
    ]


def _queue_statements(place: Place, queue: str) -> list[Document]:
    actions = ["sqs:DeleteMessage", "sqs:GetQueueUrl", "sqs:ReceiveMessage"]
    return [_allow("HearOfInterruptions", actions, place.of_region("sqs", place.account, queue))] if queue else []


def _zonal_shift_statements(place: Place) -> list[Document]:
    [cluster] = place.of_region("eks", place.account, f"cluster/{place.cluster}")
    condition = {"StringEquals": {"arc-zonal-shift:ResourceIdentifier": cluster}}
    return [_allow("HearOfZonalShifts", ["arc-zonal-shift:GetManagedResource"], ["*"], condition)]


def _allow(name: str, actions: list[str], resources: list[str], condition: Document | None = None) -> Document:
    statement: Document = {"Sid": name, "Effect": "Allow", "Action": actions, "Resource": resources}
    return {**statement, "Condition": condition} if condition else statement


def _document(statements: list[Document]) -> Document:
    return {"Version": "2012-10-17", "Statement": statements}


__all__ = ("Place", "karpenter_policies")
