"""The desired network: how the range of a VPC is divided, and which way subnets lead out."""

from __future__ import annotations

import ipaddress
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.meshwright.ambient.plugins.module_utils._network.spec import MOST_ZONES, Network, cidrs, route_tables, subnets

ZONES = ("eu-central-1a", "eu-central-1b", "eu-central-1c", "eu-central-1d")


def network(zones: int = 2, *, cidr: str = "10.0.0.0/16", nat: str = "one") -> Network:
    return Network("prod", cidr, ZONES[:zones], nat, {"Stage": "prod"})


@given(prefix=st.integers(16, 22), count=st.integers(1, MOST_ZONES))
def test_subnets_lie_in_the_range_and_never_overlap(prefix: int, count: int) -> None:
    ranges = [ipaddress.ip_network(each.cidr) for each in subnets(network(count, cidr=f"10.0.0.0/{prefix}"))]
    assert all(each.subnet_of(ipaddress.ip_network(f"10.0.0.0/{prefix}")) for each in ranges)
    assert not any(one.overlaps(other) for one, other in combinations(ranges, 2))
    assert all(each.prefixlen <= 28 for each in ranges), "EC2 takes no smaller subnet"


def test_another_zone_at_the_end_moves_no_subnet() -> None:
    assert subnets(network(3))[:4] == subnets(network(2))


@pytest.mark.requirement("A4")
def test_subnets_carry_the_tags_by_which_load_balancers_find_them() -> None:
    private, public = subnets(network(1))
    assert (private.kind, private.cidr, private.tags["Stage"]) == ("private", "10.0.0.0/19", "prod")
    assert private.tags["kubernetes.io/role/internal-elb"] == "1"
    assert public.tags["kubernetes.io/role/elb"] == "1"


def test_more_zones_than_the_range_is_cut_for_are_refused() -> None:
    with pytest.raises(ValueError, match="at most 4"):
        subnets(Network("prod", "10.0.0.0/16", (*ZONES, "eu-central-1e"), "one"))


@pytest.mark.parametrize(
    ("nat", "private"),
    [
        ("none", [("private", (0, 1), "")]),
        ("one", [("private", (0, 1), "10.0.128.0/22")]),
        ("per_zone", [("private-eu-central-1a", (0,), "10.0.128.0/22"), ("private-eu-central-1b", (1,), "10.0.132.0/22")]),
    ],
)
def test_private_subnets_lead_out_by_the_nat_gateways(nat: str, private: list[tuple[str, tuple[int, ...], str]]) -> None:
    desired = network(nat=nat)
    ranges = cidrs(desired, "private")
    first, *others = route_tables(desired)
    assert (first.name, list(first.subnets), first.gateway) == ("public", cidrs(desired, "public"), "igw")
    assert first.tags == {"Stage": "prod", "Name": "prod-public"}
    assert [(each.name, each.subnets, each.gateway) for each in others] == [(name, tuple(ranges[i] for i in which), way) for name, which, way in private]
