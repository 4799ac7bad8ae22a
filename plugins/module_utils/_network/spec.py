# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""The desired network of an EKS cluster: a VPC with a private and a public subnet in each zone, and the ways out. Pure."""

from __future__ import annotations

import ipaddress
import typing as t
from dataclasses import dataclass, field

# How many parts of the same size a half of the VPC is cut into, which is the most zones there can be.
MOST_ZONES = 4


@dataclass(frozen=True)
class Network:
    """The network that the role eks creates.

    Attributes:
        name: the cluster's; it is also the VPC's, and the names of the VPC's parts begin with it.
        cidr: the range of the VPC.
        zones: the names of the availability zones.
        nat: C(one), C(per_zone) or C(none).
        tags: those that every part must have; it may have others.
    """

    name: str
    cidr: str
    zones: tuple[str, ...]
    nat: str
    tags: t.Mapping[str, t.Any] = field(default_factory=dict)

    @property
    def named_tags(self) -> dict[str, t.Any]:
        """The tags of VPC, internet gateway and NAT gateways."""
        return {**self.tags, "Name": self.name}


@dataclass(frozen=True)
class Subnet:
    """A subnet of the VPC: C(private) or C(public), with all tags that it must have."""

    kind: str
    zone: str
    cidr: str
    tags: t.Mapping[str, t.Any]


@dataclass(frozen=True)
class RouteTable:
    """A route table of the VPC.

    Attributes:
        name: its name within the network.
        subnets: the ranges of its subnets.
        gateway: where the traffic that leaves the VPC goes: C(igw), the range of the public subnet whose NAT gateway takes it, or nothing.
        tags: all tags that it must have.
        moves: whether a plan takes one of the subnets from another table.
        id: the table that exists already and is to be changed; empty if there is none.
    """

    name: str
    subnets: tuple[str, ...]
    gateway: str
    tags: t.Mapping[str, t.Any]
    moves: bool = False
    id: str = ""


def subnets(network: Network) -> list[Subnet]:
    """For each zone a private subnet of an eighth of the VPC, and a public one of a sixty-fourth.

    The first half of the range belongs to the private subnets, the next eighth to the public ones; the rest is free for what else a VPC may need.
    Another zone at the end moves none of the others.

    Raises:
        ValueError: the range is none, or there are too many zones.
    """
    whole: t.Any = ipaddress.ip_network(network.cidr)
    if len(network.zones) > MOST_ZONES:
        raise ValueError(f"{len(network.zones)} availability zones are set: use at most {MOST_ZONES}.")
    eighths = list(whole.subnets(prefixlen_diff=3))
    publics = list(eighths[MOST_ZONES].subnets(prefixlen_diff=3))
    found = []
    for index, zone in enumerate(network.zones):
        found.append(_subnet(network, zone, "private", eighths[index], "kubernetes.io/role/internal-elb"))
        found.append(_subnet(network, zone, "public", publics[index], "kubernetes.io/role/elb"))
    return found


def nat_homes(network: Network) -> list[str]:
    """The ranges of the public subnets that have a NAT gateway each."""
    public = cidrs(network, "public")
    return {"one": public[:1], "per_zone": public, "none": []}[network.nat]


def route_tables(network: Network) -> list[RouteTable]:
    """One table for all public subnets, and one for the private ones, or for each of them with a NAT gateway per zone."""
    private, homes = cidrs(network, "private"), nat_homes(network)
    tables = [("public", cidrs(network, "public"), "igw")]
    if network.nat == "per_zone":
        tables += [(f"private-{zone}", [private[index]], homes[index]) for index, zone in enumerate(network.zones)]
    else:
        tables.append(("private", private, homes[0] if homes else ""))
    return [RouteTable(name, tuple(ranges), gateway, {**network.tags, "Name": f"{network.name}-{name}"}) for name, ranges, gateway in tables]


def cidrs(network: Network, kind: str) -> list[str]:
    """The ranges of the private or the public subnets, in the order of the zones."""
    return [subnet.cidr for subnet in subnets(network) if subnet.kind == kind]


def _subnet(network: Network, zone: str, kind: str, cidr: object, role: str) -> Subnet:
    own = {"Name": f"{network.name}-{kind}-{zone}", role: "1", f"kubernetes.io/cluster/{network.name}": "shared"}
    return Subnet(kind, zone, str(cidr), {**network.tags, **own})


__all__ = ("MOST_ZONES", "Network", "RouteTable", "Subnet", "cidrs", "nat_homes", "route_tables", "subnets")
