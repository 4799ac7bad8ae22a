# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.

"""Which route tables of a VPC amazon.aws.ec2_vpc_route_table has to look after; it would need seven requests for each that is as it should be."""

from __future__ import annotations

import typing as t

Table = t.Mapping[str, t.Any]


def route_tables_to_make(
    wanted: t.Iterable[Table], present: t.Sequence[Table], *, cluster: str, tags: t.Mapping[str, str], internet_gateway: str
) -> list[dict[str, t.Any]]:
    """The tables that are missing or different, each with its C(tags), and C(moves): whether it takes a subnet from another table.

    Args:
        wanted: as C(route_tables()) makes them.
        present: as C(amazon.aws.ec2_vpc_route_table_info) tells them of the VPC.
        cluster: the name of the cluster, with which names of tables begin.
        tags: what all of them are tagged with.
        internet_gateway: the id that C(igw) means in wanted; empty when there is none yet.
    """
    found = []
    for table in wanted:
        item = {**table, "tags": {**tags, "Name": f"{cluster}-{table['name']}"}}
        same = [other for other in present if _has_tags(item["tags"], other)]
        # With several, the module says what is wrong.
        if len(same) == 1 and _subnets(same[0]) == set(table["subnets"]) and _created(same[0]) == _routes(table, internet_gateway):
            continue
        others = set().union(*(_subnets(other) for other in present if other not in same))
        found.append({**item, "moves": bool(others & set(table["subnets"]))})
    return found


def _has_tags(tags: t.Mapping[str, str], table: Table) -> bool:
    # AWS keeps texts.
    return all(table["tags"].get(name) == str(value) for name, value in tags.items())


def _subnets(table: Table) -> set[str]:
    return {association["subnet_id"] for association in table["associations"] if association.get("subnet_id") and not association.get("main")}


def _created(table: Table) -> set[tuple[str, str]]:
    """Destination and way of each route that somebody has made; those of endpoints have no range as their destination, and stay."""
    return {
        (route["destination_cidr_block"], str(route.get("nat_gateway_id") or route.get("gateway_id")))
        for route in table["routes"]
        if route.get("origin") == "CreateRoute" and route.get("destination_cidr_block")
    }


def _routes(table: Table, internet_gateway: str) -> set[tuple[str, str]]:
    ways = ((route["dest"], route.get("nat_gateway_id") or route["gateway_id"]) for route in table["routes"])
    return {(destination, internet_gateway if way == "igw" else way) for destination, way in ways}


__all__ = ("route_tables_to_make",)
