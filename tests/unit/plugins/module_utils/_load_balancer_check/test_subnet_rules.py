"""Which subnets lead to the internet; what else is checked of subnets is among the rules."""

from __future__ import annotations

from ansible_collections.meshwright.ambient.plugins.module_utils._load_balancer_check.subnet_rules import public_subnets

SUBNETS = [{"SubnetId": f"subnet-{name}", "VpcId": vpc} for name, vpc in (("a", "vpc-1"), ("b", "vpc-1"), ("stray", "vpc-2"))]


def test_a_subnet_is_public_by_its_own_route_table_or_else_by_the_main_one() -> None:
    out, main = {"Routes": [{"GatewayId": "local"}, {"GatewayId": "igw-1"}]}, {"Routes": [{"GatewayId": "local"}]}
    tables = [{**out, "VpcId": "vpc-1", "Associations": [{"SubnetId": "subnet-a"}]}, {**main, "VpcId": "vpc-1", "Associations": [{"Main": True}]}]
    assert public_subnets(SUBNETS, tables) == {"subnet-a"}
