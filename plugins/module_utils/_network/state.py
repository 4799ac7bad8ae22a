# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Reads what EC2 has of a cluster's network, each kind once."""

from __future__ import annotations

import typing as t

from .plan import DNS_ATTRIBUTES, Current

if t.TYPE_CHECKING:
    from .._aws.session import AwsSession


def read_network(session: AwsSession, name: str, cidr: str) -> Current:
    """The current state of the network whose VPC has this name and range."""
    vpcs = session.pages("ec2", "describe_vpcs", "Vpcs", Filters=_filters(**{"tag:Name": name, "cidr-block": cidr}))
    if len(vpcs) != 1:
        return Current(vpcs)
    vpc = vpcs[0]["VpcId"]
    answers = {attribute: session.call("ec2", "describe_vpc_attribute", VpcId=vpc, Attribute=attribute) for attribute in DNS_ATTRIBUTES}
    tables = session.pages("ec2", "describe_route_tables", "RouteTables", Filters=_filters(**{"vpc-id": vpc}))
    running = [*_filters(**{"vpc-id": vpc}), {"Name": "state", "Values": ["available", "pending"]}]
    return Current(
        vpcs,
        frozenset(attribute for attribute, key in DNS_ATTRIBUTES.items() if answers[attribute].get(key, {}).get("Value")),
        session.pages("ec2", "describe_subnets", "Subnets", Filters=_filters(**{"vpc-id": vpc})),
        session.pages("ec2", "describe_internet_gateways", "InternetGateways", Filters=_filters(**{"attachment.vpc-id": vpc})),
        session.pages("ec2", "describe_nat_gateways", "NatGateways", Filter=running),
        tables,
    )


def _filters(**values: str) -> list[dict[str, t.Any]]:
    return [{"Name": field, "Values": [value]} for field, value in values.items()]


__all__ = ("read_network",)
