"""In what a network differs: each part by itself, and what is there besides makes no difference."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._eks.network import DNS_ATTRIBUTES, Network, Present, Wanted, compare_network
from ansible_collections.meshwright.ambient.plugins.module_utils._eks.wishes import subnets

ZONES = ("eu-west-1a", "eu-west-1b")
WANTED = Wanted("prod", "10.0.0.0/16", ZONES, "one", {"Stage": "prod"})
PUBLIC, PRIVATE = ("subnet-public-a", "subnet-public-b"), ("subnet-private-a", "subnet-private-b")


def tagged(**tags: str) -> list[dict[str, str]]:
    """Tags as EC2 tells them, with one of somebody else's."""
    return [{"Key": key, "Value": value} for key, value in {"Stage": "prod", "Owner": "others", **tags}.items()]


def subnet(wish: dict[str, Any], **more: Any) -> dict[str, Any]:
    told = {
        "SubnetId": f"subnet-{wish['kind']}-{wish['zone'][-1]}",
        "CidrBlock": wish["cidr"],
        "AvailabilityZone": wish["zone"],
        "MapPublicIpOnLaunch": wish["kind"] == "public",
        "State": "available",
        "Tags": tagged(**wish["tags"]),
    }
    return {**told, **more}


def table(name: str, subnet_ids: tuple[str, ...], **way: str) -> dict[str, Any]:
    """A route table as amazon.aws tells it."""
    return {
        "tags": {"Stage": "prod", "Name": f"prod-{name}"},
        "associations": [{"main": False, "subnet_id": each} for each in subnet_ids],
        "routes": [{"destination_cidr_block": "0.0.0.0/0", "origin": "CreateRoute", **way}],
    }


def nat(number: int, home: str) -> dict[str, Any]:
    return {"NatGatewayId": f"nat-{number}", "SubnetId": home, "State": "available", "Tags": tagged(Name="prod")}


WISHED = subnets(WANTED.cidr, ZONES, WANTED.name)
VPC = {"VpcId": "vpc-1", "State": "available", "Tags": tagged(Name="prod")}
STRAY = {**subnet(WISHED[0]), "SubnetId": "subnet-stray", "CidrBlock": "10.0.240.0/24"}
GATEWAY = {"InternetGatewayId": "igw-1", "Tags": tagged(Name="prod")}
TABLES = (table("public", PUBLIC, gateway_id="igw-1"), table("private", PRIVATE, nat_gateway_id="nat-1"))
WHOLE = Present((VPC,), frozenset(DNS_ATTRIBUTES), (STRAY, *map(subnet, WISHED)), (GATEWAY,), (nat(1, PUBLIC[0]),), TABLES)


def test_what_is_as_it_should_be_is_told_with_its_ids_in_the_order_of_the_zones() -> None:
    assert compare_network(WANTED, WHOLE) == Network((), "vpc-1", PUBLIC, PRIVATE, "igw-1", ("nat-1",))


@pytest.mark.parametrize("vpcs", [(), (VPC, {**VPC, "VpcId": "vpc-2"})], ids=["none", "two"])
def test_without_exactly_one_vpc_nothing_is_known(vpcs: tuple[dict[str, Any], ...]) -> None:
    assert compare_network(WANTED, Present(vpcs)) == Network(("vpc",))


def _first(**more: Any) -> dict[str, Any]:
    return {"subnets": (subnet(WISHED[0], **more), *map(subnet, WISHED[1:]))}


@pytest.mark.parametrize(
    ("change", "differs"),
    [
        ({"vpcs": ({**VPC, "Tags": tagged(Name="prod", Stage="test")},)}, ["vpc"]),
        ({"vpcs": ({**VPC, "State": "pending"},)}, ["vpc"]),
        ({"attributes": frozenset({"enableDnsSupport"})}, ["vpc"]),
        (_first(State="pending"), ["subnets"]),
        (_first(MapPublicIpOnLaunch=True), ["subnets"]),
        (_first(Tags=tagged(Name="prod-private-eu-west-1a")), ["subnets"]),
        # Whose tables have one subnet more than there are.
        ({"subnets": tuple(map(subnet, WISHED[1:]))}, ["subnets", "route_tables"]),
        (_first(AvailabilityZone="eu-west-1c"), ["subnets", "route_tables"]),
        ({"internet_gateways": ()}, ["internet_gateway", "route_tables"]),
        ({"internet_gateways": ({**GATEWAY, "Tags": tagged()},)}, ["internet_gateway"]),
        ({"nat_gateways": ()}, ["nat_gateways", "route_tables"]),
        ({"nat_gateways": ({**nat(1, PUBLIC[0]), "State": "pending"},)}, ["nat_gateways"]),
        ({"nat_gateways": (nat(1, PUBLIC[1]),)}, ["nat_gateways", "route_tables"]),
        ({"nat_gateways": (nat(2, PUBLIC[0]),)}, ["route_tables"]),
        ({"route_tables": TABLES[:1]}, ["route_tables"]),
        # Left of another kind of network, they are nobody's business.
        ({"route_tables": (*TABLES, table("private-a", ()))}, []),
        ({"nat_gateways": (nat(1, PUBLIC[0]), nat(2, PUBLIC[1]))}, []),
    ],
)
def test_each_part_is_compared(change: dict[str, Any], differs: list[str]) -> None:
    assert list(compare_network(WANTED, dataclasses.replace(WHOLE, **change)).differs) == differs


def test_each_zone_can_have_its_own_way_out_or_none() -> None:
    own = [table(f"private-{zone}", (PRIVATE[index],), nat_gateway_id=f"nat-{index + 1}") for index, zone in enumerate(ZONES)]
    there = dataclasses.replace(WHOLE, nat_gateways=(nat(2, PUBLIC[1]), nat(1, PUBLIC[0])), route_tables=(TABLES[0], *own))
    found = compare_network(dataclasses.replace(WANTED, nat="per_zone"), there)
    assert (found.differs, found.nat_gateway_ids) == ((), ("nat-1", "nat-2"))
    assert compare_network(dataclasses.replace(WANTED, nat="per_zone"), WHOLE).differs == ("nat_gateways", "route_tables")
    closed = {**table("private", PRIVATE), "routes": []}
    assert compare_network(dataclasses.replace(WANTED, nat="none"), dataclasses.replace(WHOLE, nat_gateways=(), route_tables=(TABLES[0], closed))).differs == ()


def test_a_tag_that_is_no_text_is_compared_as_aws_keeps_it() -> None:
    told = tagged(Name="prod", Cost="7")
    there = dataclasses.replace(WHOLE, vpcs=({**VPC, "Tags": told},))
    assert "vpc" not in compare_network(dataclasses.replace(WANTED, tags={"Cost": 7}), there).differs


def test_a_range_without_room_is_an_error() -> None:
    with pytest.raises(ValueError, match="name at most 4"):
        compare_network(dataclasses.replace(WANTED, zones=tuple("abcde")), WHOLE)
