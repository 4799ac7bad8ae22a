"""What is to be created or changed in a network: each part by itself, and what exists besides makes no difference."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._network.plan import DNS_ATTRIBUTES, Current, Plan, as_result, plan_network, with_ids
from ansible_collections.meshwright.ambient.plugins.module_utils._network.spec import Network, Subnet, cidrs, subnets

ZONES = ("eu-west-1a", "eu-west-1b")
DESIRED = Network("prod", "10.0.0.0/16", ZONES, "one", {"Stage": "prod"})
PUBLIC, PRIVATE = ("subnet-public-a", "subnet-public-b"), ("subnet-private-a", "subnet-private-b")
PUBLIC_CIDRS, PRIVATE_CIDRS = cidrs(DESIRED, "public"), cidrs(DESIRED, "private")
SUBNET_IDS = {**dict(zip(PRIVATE_CIDRS, PRIVATE, strict=True)), **dict(zip(PUBLIC_CIDRS, PUBLIC, strict=True))}
LOCAL = {"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "Origin": "CreateRouteTable"}


def tagged(**tags: str) -> list[dict[str, str]]:
    """Tags as EC2 lists them, with one of somebody else's."""
    return [{"Key": key, "Value": value} for key, value in {"Stage": "prod", "Owner": "others", **tags}.items()]


def subnet(desired: Subnet, **more: Any) -> dict[str, Any]:
    current = {
        "SubnetId": f"subnet-{desired.kind}-{desired.zone[-1]}",
        "CidrBlock": desired.cidr,
        "AvailabilityZone": desired.zone,
        "MapPublicIpOnLaunch": desired.kind == "public",
        "State": "available",
        "Tags": tagged(**desired.tags),
    }
    return {**current, **more}


def route(way: str, destination: str = "0.0.0.0/0", origin: str = "CreateRoute") -> dict[str, Any]:
    return {"DestinationCidrBlock": destination, "Origin": origin, "NatGatewayId" if way.startswith("nat-") else "GatewayId": way}


def table(name: str, subnet_ids: tuple[str, ...], *routes: dict[str, Any], **tags: str) -> dict[str, Any]:
    associations = [{"Main": False, "SubnetId": each} for each in subnet_ids]
    return {"RouteTableId": f"rtb-{name}", "Tags": tagged(Name=f"prod-{name}", **tags), "Associations": associations, "Routes": [LOCAL, *routes]}


def nat(number: int, home: str) -> dict[str, Any]:
    return {"NatGatewayId": f"nat-{number}", "SubnetId": home, "State": "available", "Tags": tagged(Name="prod")}


SUBNETS = subnets(DESIRED)
VPC = {"VpcId": "vpc-1", "State": "available", "Tags": tagged(Name="prod")}
STRAY = {**subnet(SUBNETS[0]), "SubnetId": "subnet-stray", "CidrBlock": "10.0.240.0/24"}
GATEWAY = {"InternetGatewayId": "igw-1", "Tags": tagged(Name="prod")}
MAIN = {"RouteTableId": "rtb-main", "Tags": [], "Associations": [{"Main": True}], "Routes": [LOCAL]}
PUBLIC_TABLE = table("public", (PUBLIC[1], PUBLIC[0]), route("igw-1"))
PRIVATE_TABLE = table("private", PRIVATE, route("nat-1"))
WHOLE = Current((VPC,), frozenset(DNS_ATTRIBUTES), (STRAY, *map(subnet, SUBNETS)), (GATEWAY,), (nat(1, PUBLIC[0]),), (MAIN, PUBLIC_TABLE, PRIVATE_TABLE))
ALL = ("vpc", "subnets", "internet_gateway", "nat_gateways", "route_tables")


def plan(desired: Network = DESIRED, **change: Any) -> Plan:
    return plan_network(desired, dataclasses.replace(WHOLE, **change))


def test_nothing_is_planned_for_a_network_that_matches() -> None:
    matching = plan()
    assert matching == Plan((), (), (), (), "vpc-1", "igw-1", SUBNET_IDS, {PUBLIC_CIDRS[0]: "nat-1"})
    result = as_result(DESIRED, matching)
    assert (result["same"], result["public_subnet_ids"], result["private_subnet_ids"]) == (True, list(PUBLIC), list(PRIVATE))


@pytest.mark.parametrize("vpcs", [(), (VPC, {**VPC, "VpcId": "vpc-2"})], ids=["none", "two"])
def test_without_exactly_one_vpc_everything_is_planned(vpcs: tuple[dict[str, Any], ...]) -> None:
    result = as_result(DESIRED, plan_network(DESIRED, Current(vpcs)))
    assert (result["differs"], result["vpc_id"], result["subnet_ids"], result["nat_gateway_ids"]) == (list(ALL), "", {}, {})
    assert [each["cidr"] for each in result["subnets"]] == [each.cidr for each in SUBNETS]
    assert result["nat_gateways"] == PUBLIC_CIDRS[:1]
    way = {"name": "private", "subnets": PRIVATE_CIDRS, "routes": [{"dest": "0.0.0.0/0", "nat_gateway": PUBLIC_CIDRS[0]}]}
    assert result["route_tables"][1] == {**way, "tags": {"Stage": "prod", "Name": "prod-private"}, "moves": False, "id": ""}


def _first(**more: Any) -> dict[str, Any]:
    return {"subnets": (subnet(SUBNETS[0], **more), *map(subnet, SUBNETS[1:]))}


@pytest.mark.parametrize(
    ("change", "differs"),
    [
        ({"vpcs": ({**VPC, "Tags": tagged(Name="prod", Stage="test")},)}, ["vpc"]),
        ({"vpcs": ({**VPC, "State": "pending"},)}, ["vpc"]),
        ({"attributes": frozenset({"enableDnsSupport"})}, ["vpc"]),
        (_first(State="pending"), ["subnets"]),
        (_first(MapPublicIpOnLaunch=True), ["subnets"]),
        (_first(Tags=tagged(Name="prod-private-eu-west-1a")), ["subnets"]),
        # A new subnet has to get into its table.
        ({"subnets": tuple(map(subnet, SUBNETS[1:]))}, ["subnets", "route_tables"]),
        (_first(AvailabilityZone="eu-west-1c"), ["subnets", "route_tables"]),
        ({"internet_gateways": ()}, ["internet_gateway", "route_tables"]),
        ({"internet_gateways": ({**GATEWAY, "InternetGatewayId": "igw-2"},)}, ["route_tables"]),
        ({"internet_gateways": ({**GATEWAY, "Tags": tagged()},)}, ["internet_gateway"]),
        ({"nat_gateways": ()}, ["nat_gateways", "route_tables"]),
        ({"nat_gateways": ({**nat(1, PUBLIC[0]), "State": "pending"},)}, ["nat_gateways"]),
        ({"nat_gateways": (nat(1, PUBLIC[1]),)}, ["nat_gateways", "route_tables"]),
        ({"nat_gateways": (nat(2, PUBLIC[0]),)}, ["route_tables"]),
        # Left of another kind of network, they are nobody's business.
        ({"route_tables": (*WHOLE.route_tables, table("private-a", ()))}, []),
        ({"nat_gateways": (nat(1, PUBLIC[0]), nat(2, PUBLIC[1]))}, []),
    ],
)
def test_each_part_is_compared(change: dict[str, Any], differs: list[str]) -> None:
    assert list(plan(**change).differs) == differs


@pytest.mark.parametrize(
    ("private", "planned"),
    [
        pytest.param([PRIVATE_TABLE], [], id="matches"),
        pytest.param(
            [{**PRIVATE_TABLE, "Routes": [*PRIVATE_TABLE["Routes"], {"DestinationPrefixListId": "pl-1", "GatewayId": "vpce-1", "Origin": "CreateRoute"}]}],
            [],
            id="a VPC endpoint stays",
        ),
        pytest.param(
            [table("private", PRIVATE, route("nat-1"), route("vgw-1", "172.16.0.0/12", "EnableVgwRoutePropagation"))], [], id="a propagated route stays"
        ),
        pytest.param([table("private", PRIVATE, route("nat-1"), added="by hand")], [], id="another tag more"),
        pytest.param([], [("private", False)], id="missing"),
        pytest.param([PRIVATE_TABLE, PRIVATE_TABLE], [("private", False)], id="twice"),
        pytest.param([table("private", PRIVATE)], [("private", False)], id="without a route"),
        pytest.param([table("private", PRIVATE, route("nat-2"))], [("private", False)], id="another NAT gateway"),
        pytest.param([table("private", PRIVATE, route("nat-1"), route("tgw-1", "10.9.0.0/16"))], [("private", False)], id="a route more"),
        pytest.param([table("private", PRIVATE[:1], route("nat-1"))], [("private", False)], id="a subnet less"),
        pytest.param([table("private", (*PRIVATE, "subnet-stray"), route("nat-1"))], [("private", False)], id="a subnet more"),
        pytest.param([table("private", PRIVATE[:1], route("nat-1")), table("own", PRIVATE[1:])], [("private", True)], id="a subnet that another has"),
        pytest.param([table("private", PRIVATE, route("nat-1"), Stage="test")], [("private", False)], id="another value of a tag"),
        pytest.param([table("private", (), route("nat-1"), Stage="test"), PRIVATE_TABLE], [], id="one of its name that has no subnets any more"),
    ],
)
def test_route_tables_are_compared(private: list[dict[str, Any]], planned: list[tuple[str, bool]]) -> None:
    found = plan(route_tables=(MAIN, PUBLIC_TABLE, *private)).route_tables
    assert [(each.name, each.moves) for each in found] == planned


def test_the_table_of_a_name_is_changed_in_place_whatever_its_tags() -> None:
    former = {**table("private", (), route("nat-1"), Stage="test"), "RouteTableId": "rtb-former"}
    own = table("private", PRIVATE, route("nat-1"), Stage="former")
    for tables in ((own,), (former, own), (own, former)):
        (found,) = plan(route_tables=(MAIN, PUBLIC_TABLE, *tables)).route_tables
        assert (found.id, found.moves) == ("rtb-private", False), (
            "another table would be created, and the subnets would lose their routes until they have moved"
        )


def test_each_zone_can_have_its_own_way_out_or_none() -> None:
    per_zone = dataclasses.replace(DESIRED, nat="per_zone")
    own = [table(f"private-{zone}", (PRIVATE[index],), route(f"nat-{index + 1}")) for index, zone in enumerate(ZONES)]
    found = plan(per_zone, nat_gateways=(nat(2, PUBLIC[1]), nat(1, PUBLIC[0])), route_tables=(PUBLIC_TABLE, *own))
    assert (found.differs, found.nat_gateway_ids) == ((), {PUBLIC_CIDRS[0]: "nat-1", PUBLIC_CIDRS[1]: "nat-2"})
    # Subnets move from the one table to those of their zones.
    moved = plan(per_zone)
    assert (moved.differs, moved.nat_gateways) == (("nat_gateways", "route_tables"), (PUBLIC_CIDRS[1],))
    assert [(each.name, each.moves) for each in moved.route_tables] == [(f"private-{zone}", True) for zone in ZONES]
    assert plan(dataclasses.replace(DESIRED, nat="none"), nat_gateways=(), route_tables=(PUBLIC_TABLE, table("private", PRIVATE))).differs == ()


def test_a_tag_that_is_not_text_is_compared_as_aws_keeps_it() -> None:
    vpc = {**VPC, "Tags": tagged(Name="prod", Cost="7")}
    assert "vpc" not in plan(dataclasses.replace(DESIRED, tags={"Cost": 7}), vpcs=(vpc,)).differs


def test_a_range_without_room_is_an_error() -> None:
    with pytest.raises(ValueError, match="use at most 4"):
        plan(dataclasses.replace(DESIRED, zones=tuple("abcde")))


def test_route_tables_get_the_ids_that_are_known() -> None:
    tables = as_result(DESIRED, plan_network(DESIRED, Current(())))["route_tables"]
    public, private = with_ids(tables, SUBNET_IDS, {PUBLIC_CIDRS[0]: "nat-1"})
    assert (public["subnets"], public["routes"]) == (list(PUBLIC), [{"dest": "0.0.0.0/0", "gateway_id": "igw"}])
    assert (private["subnets"], private["routes"]) == (list(PRIVATE), [{"dest": "0.0.0.0/0", "nat_gateway_id": "nat-1"}])
    # In check mode, nothing new has an id.
    _public, unknown = with_ids(tables, {PRIVATE_CIDRS[0]: PRIVATE[0]}, {})
    assert (unknown["subnets"], unknown["routes"], unknown["name"]) == ([PRIVATE[0]], [], "private")
