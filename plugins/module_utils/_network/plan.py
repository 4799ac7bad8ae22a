# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""What to create or change in the network of a cluster. Pure.

What counts as a difference is what the modules of C(amazon.aws) would change, as the role eks calls them; what exists besides is left alone.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

from .._aws.tags import compare_tags, tags_of
from .spec import RouteTable, Subnet, cidrs, nat_homes, route_tables, subnets

if t.TYPE_CHECKING:
    from .spec import Network

Answer = t.Mapping[str, t.Any]
Answers = t.Sequence[Answer]
Ids = t.Dict[str, str]

_ANYWHERE = "0.0.0.0/0"
DNS_ATTRIBUTES = {"enableDnsSupport": "EnableDnsSupport", "enableDnsHostnames": "EnableDnsHostnames"}


@dataclass(frozen=True)
class Current:
    """What EC2 answers, each as its operation does. Unless there is exactly one VPC, the rest is not asked for.

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
class Plan:
    """What to create or change, and the ids of what exists.

    Attributes:
        differs: the parts that are missing or different, in the order in which they are made.
        subnets: those to create or change.
        nat_gateways: the ranges of the public subnets whose NAT gateway is to be created or changed.
        route_tables: those to create or change.
        vpc_id, internet_gateway_id: empty when there is none, or more than one VPC.
        subnet_ids: the ids of the subnets that exist, by range.
        nat_gateway_ids: the ids of the NAT gateways that exist, by the range of their subnet.
    """

    differs: tuple[str, ...]
    subnets: tuple[Subnet, ...] = ()
    nat_gateways: tuple[str, ...] = ()
    route_tables: tuple[RouteTable, ...] = ()
    vpc_id: str = ""
    internet_gateway_id: str = ""
    subnet_ids: Ids = field(default_factory=dict)
    nat_gateway_ids: Ids = field(default_factory=dict)


def plan_network(desired: Network, current: Current) -> Plan:
    """Compare all parts, whatever the first difference is.

    Raises:
        ValueError: the range is none, or there are too many zones.
    """
    desired_subnets = subnets(desired)
    # Of several VPCs, the module that would create one says what is wrong.
    vpc = current.vpcs[0] if len(current.vpcs) == 1 else None
    by_place = {(each["CidrBlock"], each["AvailabilityZone"]): each for each in current.subnets}
    existing = {subnet.cidr: by_place[subnet.cidr, subnet.zone] for subnet in desired_subnets if (subnet.cidr, subnet.zone) in by_place}
    subnet_ids = {cidr: str(each["SubnetId"]) for cidr, each in existing.items()}
    gateway = current.internet_gateways[0] if current.internet_gateways else None
    gateway_id = str(gateway["InternetGatewayId"]) if gateway else ""
    homes = nat_homes(desired)
    # As amazon.aws does, the first one of a subnet is taken.
    nat = {home: next((each for each in current.nat_gateways if each["SubnetId"] == subnet_ids.get(home)), None) for home in homes}
    nat_ids = {home: str(each["NatGatewayId"]) for home, each in nat.items() if each}
    subnets_to_make = tuple(subnet for subnet in desired_subnets if not _is_subnet(existing.get(subnet.cidr), subnet))
    nat_to_make = tuple(home for home, each in nat.items() if not (each and each.get("State") == "available" and _has(each, desired.named_tags)))
    tables = tuple(_plan_tables(route_tables(desired), current.route_tables, subnet_ids, {**nat_ids, "igw": gateway_id}))
    is_vpc = vpc is not None and _has(vpc, desired.named_tags) and vpc.get("State") == "available" and current.attributes == frozenset(DNS_ATTRIBUTES)
    differs = {
        "vpc": not is_vpc,
        "subnets": bool(subnets_to_make),
        "internet_gateway": gateway is None or not _has(gateway, desired.named_tags),
        "nat_gateways": bool(nat_to_make),
        "route_tables": bool(tables),
    }
    return Plan(
        tuple(part for part, differing in differs.items() if differing),
        subnets_to_make,
        nat_to_make,
        tables,
        str(vpc["VpcId"]) if vpc else "",
        gateway_id,
        subnet_ids,
        nat_ids,
    )


def as_result(desired: Network, plan: Plan) -> dict[str, t.Any]:
    """The plan as the module returns it."""
    public, private = cidrs(desired, "public"), cidrs(desired, "private")
    return {
        "same": not plan.differs,
        "differs": list(plan.differs),
        "subnets": [{"kind": each.kind, "zone": each.zone, "cidr": each.cidr, "tags": dict(each.tags)} for each in plan.subnets],
        "nat_gateways": list(plan.nat_gateways),
        "route_tables": [_table_result(each) for each in plan.route_tables],
        "tags": desired.named_tags,
        "public_subnets": public,
        "private_subnets": private,
        "vpc_id": plan.vpc_id,
        "public_subnet_ids": [plan.subnet_ids[cidr] for cidr in public if cidr in plan.subnet_ids],
        "private_subnet_ids": [plan.subnet_ids[cidr] for cidr in private if cidr in plan.subnet_ids],
        "internet_gateway_id": plan.internet_gateway_id,
        "subnet_ids": plan.subnet_ids,
        "nat_gateway_ids": plan.nat_gateway_ids,
    }


def with_ids(tables: t.Iterable[t.Mapping[str, t.Any]], subnet_ids: t.Mapping[str, str], nat_gateway_ids: t.Mapping[str, str]) -> list[dict[str, t.Any]]:
    """The route tables of a result with ids in place of ranges; what has no id, as in check mode, is left out."""
    found = []
    for table in tables:
        routes = [
            {"dest": route["dest"], "nat_gateway_id": nat_gateway_ids.get(route["nat_gateway"])} if "nat_gateway" in route else dict(route)
            for route in table["routes"]
        ]
        known = [subnet_ids[cidr] for cidr in table["subnets"] if cidr in subnet_ids]
        found.append({**table, "subnets": known, "routes": [route for route in routes if all(route.values())]})
    return found


def _is_subnet(current: Answer | None, desired: Subnet) -> bool:
    if current is None or current.get("State") != "available":
        return False
    return _has(current, desired.tags) and current.get("MapPublicIpOnLaunch") == (desired.kind == "public")


def _has(current: Answer, tags: t.Mapping[str, t.Any]) -> bool:
    return not compare_tags(tags_of(current.get("Tags")), tags, purge=False).any


def _plan_tables(desired: t.Iterable[RouteTable], current: Answers, subnet_ids: Ids, gateway_ids: Ids) -> t.Iterator[RouteTable]:
    """The tables that are missing or different: amazon.aws.ec2_vpc_route_table needs seven requests for each that is as it should be."""
    for table in desired:
        ids = {subnet_ids.get(cidr, "") for cidr in table.subnets}
        routes = {(_ANYWHERE, gateway_ids.get(table.gateway, ""))} if table.gateway else set()
        same = _named(table, current, ids)
        # Of several, the module that would create one says what is wrong.
        if len(same) == 1 and _has(same[0], table.tags) and _subnets_of(same[0]) == ids and _routes_of(same[0]) == routes:
            continue
        elsewhere = set().union(*(_subnets_of(other) for other in current if other not in same))
        yield replace(table, moves=bool(elsewhere & ids), id=str(same[0]["RouteTableId"]) if len(same) == 1 else "")


def _named(table: RouteTable, current: Answers, subnet_ids: t.Collection[str]) -> Answers:
    """The tables that are this one: other tags do not make it another one, or its subnets would lose their routes until they have moved.

    Of several tables of its name, those with all of its tags, and then those with its subnets count.
    """
    same = [other for other in current if tags_of(other.get("Tags")).get("Name") == table.tags["Name"]]
    if len(same) > 1:
        same = [other for other in same if _has(other, table.tags)] or same
    if len(same) > 1:
        same = [other for other in same if not _subnets_of(other).isdisjoint(subnet_ids)] or same
    return same


def _subnets_of(table: Answer) -> set[str]:
    return {each["SubnetId"] for each in table.get("Associations") or () if each.get("SubnetId") and not each.get("Main")}


def _routes_of(table: Answer) -> set[tuple[str, str]]:
    """Destination and gateway of each route that somebody has created; those of endpoints have no range as their destination, and stay."""
    return {
        (route["DestinationCidrBlock"], str(route.get("NatGatewayId") or route.get("GatewayId")))
        for route in table.get("Routes") or ()
        if route.get("Origin") == "CreateRoute" and route.get("DestinationCidrBlock")
    }


def _table_result(table: RouteTable) -> dict[str, t.Any]:
    routes = [{"dest": _ANYWHERE, "gateway_id" if table.gateway == "igw" else "nat_gateway": table.gateway}] if table.gateway else []
    return {"name": table.name, "subnets": list(table.subnets), "routes": routes, "tags": dict(table.tags), "moves": table.moves, "id": table.id}


__all__ = ("DNS_ATTRIBUTES", "Current", "Plan", "as_result", "plan_network", "with_ids")
