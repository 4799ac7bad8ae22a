"""Which route tables have to be looked after."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._eks.route_tables_plan import route_tables_to_make
from ansible_collections.meshwright.ambient.plugins.module_utils._eks.wishes import route_tables

LOCAL = {"destination_cidr_block": "10.0.0.0/16", "gateway_id": "local", "origin": "CreateRouteTable"}
TAGS = {"Stage": "prod"}
WANTED = route_tables("one", zones=["a", "b"], public_ids=["u1", "u2"], private_ids=["p1", "p2"], gateway_ids=["nat-1"])


def table(name: str, subnets: list[str], *routes: dict[str, Any], tags: dict[str, str] | None = None) -> dict[str, Any]:
    """One route table as amazon.aws tells it."""
    associations = [{"main": False, "subnet_id": subnet} for subnet in subnets]
    return {"tags": {"Name": f"prod-{name}", **TAGS, **(tags or {})}, "associations": associations, "routes": [LOCAL, *routes]}


def route(way: str, destination: str = "0.0.0.0/0", origin: str = "CreateRoute") -> dict[str, Any]:
    return {"destination_cidr_block": destination, "origin": origin, "nat_gateway_id" if way.startswith("nat-") else "gateway_id": way}


MAIN = {"tags": {}, "associations": [{"main": True}], "routes": [LOCAL]}
PUBLIC = table("public", ["u2", "u1"], route("igw-1"), tags={"added": "by hand"})
PRIVATE = table("private", ["p1", "p2"], route("nat-1"))
ENDPOINT = {"destination_prefix_list_id": "pl-1", "gateway_id": "vpce-1", "origin": "CreateRoute"}


def to_make(*present: dict[str, Any], wanted: Any = WANTED, tags: Any = None, gateway: str = "igw-1") -> list[tuple[str, bool]]:
    found = route_tables_to_make(wanted, present, cluster="prod", tags=TAGS if tags is None else tags, internet_gateway=gateway)
    return [(item["name"], item["moves"]) for item in found]


def test_an_empty_vpc_gets_all_of_them_with_their_tags() -> None:
    found = route_tables_to_make(WANTED, [MAIN], cluster="prod", tags=TAGS, internet_gateway="igw-1")
    assert found == [{**item, "tags": {"Stage": "prod", "Name": f"prod-{item['name']}"}, "moves": False} for item in WANTED]


@pytest.mark.parametrize(
    ("private", "left"),
    [
        pytest.param([PRIVATE], [], id="as it should be"),
        pytest.param([{**PRIVATE, "routes": [*PRIVATE["routes"], ENDPOINT]}], [], id="a VPC endpoint stays"),
        pytest.param(
            [{**PRIVATE, "routes": [*PRIVATE["routes"], route("vgw-1", "172.16.0.0/12", "EnableVgwRoutePropagation")]}], [], id="a propagated route stays"
        ),
        pytest.param([], [("private", False)], id="missing"),
        pytest.param([PRIVATE, PRIVATE], [("private", False)], id="twice"),
        pytest.param([table("private", ["p1", "p2"])], [("private", False)], id="without a route"),
        pytest.param([table("private", ["p1", "p2"], route("nat-2"))], [("private", False)], id="another NAT gateway"),
        pytest.param([table("private", ["p1", "p2"], route("nat-1"), route("tgw-1", "10.9.0.0/16"))], [("private", False)], id="a route more"),
        pytest.param([table("private", ["p1"], route("nat-1"))], [("private", False)], id="a subnet less"),
        pytest.param([table("private", ["p1", "p2", "p3"], route("nat-1"))], [("private", False)], id="a subnet more"),
        pytest.param([table("private", ["p1"], route("nat-1")), table("own", ["p2"])], [("private", True)], id="a subnet that another has"),
        pytest.param([table("private", ["p1", "p2"], route("nat-1"), tags={"Stage": "test"})], [("private", True)], id="another tag"),
    ],
)
def test_what_differs_is_looked_after(private: list[dict[str, Any]], left: list[tuple[str, bool]]) -> None:
    assert to_make(MAIN, PUBLIC, *private) == left


def test_the_internet_gateway_is_the_one_of_the_vpc() -> None:
    assert to_make(PUBLIC, PRIVATE, gateway="igw-2") == to_make(PUBLIC, PRIVATE, gateway="") == [("public", False)]


def test_a_tag_is_compared_as_the_text_that_aws_keeps() -> None:
    assert to_make(*({**item, "tags": {**item["tags"], "cost": "7"}} for item in (PUBLIC, PRIVATE)), tags={"cost": 7}) == []


def test_subnets_move_when_each_zone_gets_a_nat_gateway() -> None:
    wanted = route_tables("per_zone", zones=["a", "b"], public_ids=["u1", "u2"], private_ids=["p1", "p2"], gateway_ids=["nat-1", "nat-2"])
    assert to_make(PUBLIC, PRIVATE, wanted=wanted) == [("private-a", True), ("private-b", True)]
