# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.

"""In what the network of a cluster differs from the one that is wanted. Pure.

What counts as a difference is what the modules of C(amazon.aws) would change, as the role eks calls them; what is there besides is left alone.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._aws.tags import compare_tags, tags_of
from .route_tables_plan import route_tables_to_make
from .wishes import route_tables, subnets

Answer = t.Mapping[str, t.Any]
Answers = t.Sequence[Answer]


@dataclass(frozen=True)
class Wanted:
    """The network that the role eks makes: a VPC with a private and a public subnet in each zone, and the ways out.

    Attributes:
        name: the cluster's, which the VPC has, and with which the names of its parts begin.
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


@dataclass(frozen=True)
class Present:
    """What EC2 tells, each as its operation does, but route tables as amazon.aws tells them. Without exactly one VPC the rest is not asked for.

    Attributes:
        vpcs: those of this name and range.
        attributes: which DNS attributes of the VPC are on.
        subnets: all of the VPC.
        internet_gateways: those attached to it.
        nat_gateways: those that run in it, or are about to.
        route_tables: all of it.
    """

    vpcs: Answers
    attributes: frozenset[str] = frozenset()
    subnets: Answers = ()
    internet_gateways: Answers = ()
    nat_gateways: Answers = ()
    route_tables: Answers = ()


@dataclass(frozen=True)
class Network:
    """What was found: in what it differs, and the ids of what there is; subnets and NAT gateways in the order of the zones."""

    differs: tuple[str, ...]
    vpc_id: str = ""
    public_subnet_ids: tuple[str, ...] = ()
    private_subnet_ids: tuple[str, ...] = ()
    internet_gateway_id: str = ""
    nat_gateway_ids: tuple[str, ...] = ()


DNS_ATTRIBUTES = {"enableDnsSupport": "EnableDnsSupport", "enableDnsHostnames": "EnableDnsHostnames"}


def compare_network(wanted: Wanted, present: Present) -> Network:
    """Compare all parts, whatever the first difference is.

    Raises:
        ValueError: the range is none, or there are too many zones.
    """
    wished = subnets(wanted.cidr, wanted.zones, wanted.name)
    # With several, the module that makes it says what is wrong.
    if len(present.vpcs) != 1:
        return Network(("vpc",))
    vpc = present.vpcs[0]
    named = {**wanted.tags, "Name": wanted.name}
    found = {(each["CidrBlock"], each["AvailabilityZone"]): each for each in present.subnets}
    there = [(wish, found.get((wish["cidr"], wish["zone"]))) for wish in wished]
    ids = {kind: tuple(str(each["SubnetId"]) for wish, each in there if each and wish["kind"] == kind) for kind in ("public", "private")}
    gateway = present.internet_gateways[0] if present.internet_gateways else None
    gateway_id = str(gateway["InternetGatewayId"]) if gateway else ""
    homes = {"one": ids["public"][:1], "per_zone": ids["public"], "none": ()}[wanted.nat]
    # As amazon.aws does, the first one of a subnet is taken.
    nat = [next((each for each in present.nat_gateways if each["SubnetId"] == home), None) for home in homes]
    nat_ids = tuple(str(each["NatGatewayId"]) for each in nat if each)
    tables = route_tables(wanted.nat, zones=wanted.zones, public_ids=ids["public"], private_ids=ids["private"], gateway_ids=nat_ids)
    to_make = route_tables_to_make(tables, present.route_tables, cluster=wanted.name, tags=wanted.tags, internet_gateway=gateway_id)
    differs = {
        "vpc": not _has(vpc, named) or vpc.get("State") != "available" or present.attributes != frozenset(DNS_ATTRIBUTES),
        "subnets": not all(_is_subnet(each, wish, wanted.tags) for wish, each in there),
        "internet_gateway": gateway is None or not _has(gateway, named),
        "nat_gateways": not all(each and each.get("State") == "available" and _has(each, named) for each in nat),
        "route_tables": bool(to_make),
    }
    return Network(tuple(part for part, differing in differs.items() if differing), str(vpc["VpcId"]), ids["public"], ids["private"], gateway_id, nat_ids)


def _is_subnet(present: Answer | None, wish: t.Mapping[str, t.Any], tags: t.Mapping[str, t.Any]) -> bool:
    if present is None:
        return False
    return _has(present, {**tags, **wish["tags"]}) and present.get("MapPublicIpOnLaunch") == (wish["kind"] == "public") and present.get("State") == "available"


def _has(present: Answer, tags: t.Mapping[str, t.Any]) -> bool:
    return not compare_tags(tags_of(present.get("Tags")), tags, purge=False).any


__all__ = ("DNS_ATTRIBUTES", "Network", "Present", "Wanted", "compare_network")
