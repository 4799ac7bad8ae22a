"""What EKS asks of EC2 and IAM, and makes there: subnets, roles, the cluster security group, the instances of node groups."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from moto.core.exceptions import ServiceException
from moto.ec2.models import EC2Backend, ec2_backends
from moto.iam.models import iam_backends

from twin.aws.errors import InvalidParameter


@dataclass(frozen=True)
class Vpc:
    """Where a cluster is."""

    vpc_id: str
    cidr: str


def backend(account: str, region: str) -> EC2Backend:
    return ec2_backends[account][region]


def must_be_role(account: str, arn: str, **concerned: str) -> None:
    """Refuse a role that does not exist, as EKS does when it cannot assume it.

    Raises:
        InvalidParameter: it is no role's ARN, or there is no such role.
    """
    known = [role.arn for role in list(iam_backends[account]["aws"].roles.values())]
    if arn not in known:
        raise InvalidParameter(f"Role with arn: {arn}, could not be assumed because it does not exist or the trusted entity is not correct", **concerned)


def subnets_of(account: str, region: str, subnet_ids: Sequence[str]) -> list[Any]:
    """moto's records of these subnets.

    Raises:
        InvalidParameter: one does not exist.
    """
    found = []
    for subnet_id in subnet_ids:
        try:
            found.append(backend(account, region).get_subnet(subnet_id))
        except Exception:
            raise InvalidParameter(f"The subnet ID '{subnet_id}' does not exist") from None
    return found


def vpc_of(account: str, region: str, subnet_ids: Sequence[str], group_ids: Sequence[str]) -> Vpc:
    """The VPC of a cluster's subnets.

    Raises:
        InvalidParameter: a subnet or security group does not exist, or they are in one zone only, or in more than one VPC.
    """
    subnets = subnets_of(account, region, subnet_ids)
    if len({subnet.availability_zone for subnet in subnets}) < 2:
        raise InvalidParameter("Subnets specified must be in at least two different AZs")
    vpc_ids = {str(subnet.vpc_id) for subnet in subnets}
    if len(vpc_ids) > 1:
        raise InvalidParameter("Subnets must be part of the same VPC")
    for group_id in group_ids:
        if backend(account, region).get_security_group_from_id(group_id) is None:
            raise InvalidParameter(f"The security group '{group_id}' does not exist")
    vpc_id = vpc_ids.pop()
    return Vpc(vpc_id, str(backend(account, region).get_vpc(vpc_id).cidr_block))


def create_cluster_security_group(account: str, region: str, vpc_id: str, cluster: str) -> str:
    """Make the group that EKS makes for each cluster, open between its members, and return its id."""
    name = f"eks-cluster-sg-{cluster}-{secrets.randbelow(10**9)}"
    ec2 = backend(account, region)
    group = ec2.create_security_group(
        name,
        "EKS created security group applied to ENI that is attached to EKS Control Plane master nodes, as well as any managed workloads.",
        vpc_id=vpc_id,
        tags={"Name": name, f"kubernetes.io/cluster/{cluster}": "owned", "aws:eks:cluster-name": cluster},
    )
    ec2.authorize_security_group_ingress(group.id, "-1", "-1", "-1", [], source_groups=[{"GroupId": group.id}], vpc_id=vpc_id)
    return str(group.id)


def delete_security_group(account: str, region: str, group_id: str) -> None:
    """Remove the group, unless something of the user's still refers to it: EKS leaves it behind then, too."""
    with contextlib.suppress(ServiceException, Exception):
        backend(account, region).delete_security_group(group_id=group_id)
