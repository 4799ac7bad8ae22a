"""The module eks_network_plan: what it asks, and what it returns."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._errors import MeshError
from ansible_collections.meshwright.ambient.plugins.module_utils._network.spec import Network, subnets
from ansible_collections.meshwright.ambient.plugins.modules.eks_network_plan import OPTIONS, plan_changes
from tests.unit.aws_stub import AwsStub, stub_module

ZONES = ["eu-west-1a", "eu-west-1b"]
PARAMS = {"name": "prod", "cidr_block": "10.0.0.0/16", "availability_zones": ZONES}


def _tags(**tags: str) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _filter(**values: list[str]) -> list[dict[str, Any]]:
    return [{"Name": field.replace("_", "-"), "Values": some} for field, some in values.items()]


def _answer_vpcs(aws: AwsStub, *ids: str) -> None:
    asked = [{"Name": "tag:Name", "Values": ["prod"]}, {"Name": "cidr-block", "Values": ["10.0.0.0/16"]}]
    vpcs = [{"VpcId": each, "State": "available", "Tags": _tags(Name="prod")} for each in ids]
    aws.answer("ec2", "describe_vpcs", {"Vpcs": vpcs}, Filters=asked)


def _route_table(name: str, kind: str, **way: str) -> dict[str, Any]:
    associations = [{"SubnetId": f"subnet-{kind}-{zone}", "Main": False} for zone in ZONES]
    route = {"DestinationCidrBlock": "0.0.0.0/0", "Origin": "CreateRoute", **way}
    return {"RouteTableId": f"rtb-{name}", "Associations": associations, "Routes": [route], "Tags": _tags(Name=f"prod-{name}")}


def _answer_network(aws: AwsStub, *, hostnames: bool = True) -> None:
    _answer_vpcs(aws, "vpc-1")
    aws.answer("ec2", "describe_vpc_attribute", {"EnableDnsSupport": {"Value": True}}, VpcId="vpc-1", Attribute="enableDnsSupport")
    aws.answer("ec2", "describe_vpc_attribute", {"EnableDnsHostnames": {"Value": hostnames}}, VpcId="vpc-1", Attribute="enableDnsHostnames")
    tables = [_route_table("public", "public", GatewayId="igw-1"), _route_table("private", "private", NatGatewayId="nat-1")]
    aws.answer("ec2", "describe_route_tables", {"RouteTables": tables}, Filters=_filter(vpc_id=["vpc-1"]))
    current = [
        {
            "SubnetId": f"subnet-{each.kind}-{each.zone}",
            "CidrBlock": each.cidr,
            "AvailabilityZone": each.zone,
            "MapPublicIpOnLaunch": each.kind == "public",
            "State": "available",
            "Tags": _tags(**each.tags),
        }
        for each in subnets(Network("prod", "10.0.0.0/16", tuple(ZONES), "one"))
    ]
    aws.answer("ec2", "describe_subnets", {"Subnets": current}, Filters=_filter(vpc_id=["vpc-1"]))
    gateway = {"InternetGatewayId": "igw-1", "Tags": _tags(Name="prod")}
    aws.answer("ec2", "describe_internet_gateways", {"InternetGateways": [gateway]}, Filters=[{"Name": "attachment.vpc-id", "Values": ["vpc-1"]}])
    nat = {"NatGatewayId": "nat-1", "SubnetId": "subnet-public-eu-west-1a", "State": "available", "Tags": _tags(Name="prod")}
    aws.answer("ec2", "describe_nat_gateways", {"NatGateways": [nat]}, Filter=_filter(vpc_id=["vpc-1"], state=["available", "pending"]))


def test_a_network_that_matches_costs_seven_requests() -> None:
    with AwsStub() as aws:
        _answer_network(aws)
        result = plan_changes(stub_module(OPTIONS, **PARAMS), aws.session)
    assert result == {
        "changed": False,
        "same": True,
        "differs": [],
        "subnets": [],
        "nat_gateways": [],
        "route_tables": [],
        "tags": {"Name": "prod"},
        "public_subnets": ["10.0.128.0/22", "10.0.132.0/22"],
        "private_subnets": ["10.0.0.0/19", "10.0.32.0/19"],
        "vpc_id": "vpc-1",
        "public_subnet_ids": ["subnet-public-eu-west-1a", "subnet-public-eu-west-1b"],
        "private_subnet_ids": ["subnet-private-eu-west-1a", "subnet-private-eu-west-1b"],
        "internet_gateway_id": "igw-1",
        "subnet_ids": {
            "10.0.0.0/19": "subnet-private-eu-west-1a",
            "10.0.32.0/19": "subnet-private-eu-west-1b",
            "10.0.128.0/22": "subnet-public-eu-west-1a",
            "10.0.132.0/22": "subnet-public-eu-west-1b",
        },
        "nat_gateway_ids": {"10.0.128.0/22": "nat-1"},
    }
    assert sum(aws.session.api_calls.values()) == 7


def test_what_differs_is_named() -> None:
    with AwsStub() as aws:
        _answer_network(aws, hostnames=False)
        result = plan_changes(stub_module(OPTIONS, **PARAMS, tags={"Stage": "prod"}), aws.session)
    assert (result["same"], result["differs"]) == (False, ["vpc", "subnets", "internet_gateway", "nat_gateways", "route_tables"])


@pytest.mark.parametrize("ids", [(), ("vpc-1", "vpc-2")], ids=["none", "two"])
def test_without_exactly_one_vpc_no_more_is_asked(ids: tuple[str, ...]) -> None:
    with AwsStub() as aws:
        _answer_vpcs(aws, *ids)
        result = plan_changes(stub_module(OPTIONS, **PARAMS), aws.session)
    assert (result["same"], result["differs"], result["vpc_id"]) == (False, ["vpc", "subnets", "internet_gateway", "nat_gateways", "route_tables"], "")
    assert aws.session.api_calls == {"ec2:DescribeVpcs": 1}


def test_a_range_that_is_none_is_a_sentence() -> None:
    with AwsStub() as aws, pytest.raises(MeshError, match="cidr_block has 'ten', which is not an address range"):
        plan_changes(stub_module(OPTIONS, **{**PARAMS, "cidr_block": "ten"}), aws.session)
