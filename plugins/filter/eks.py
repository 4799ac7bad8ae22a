# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ..module_utils._eks.route_tables_plan import route_tables_to_make
from ..module_utils._eks.wishes import addons, nodegroups, route_tables, subnets

Items = t.Sequence[t.Mapping[str, t.Any]]
Wishes = t.List[t.Dict[str, t.Any]]


class FilterModule:
    """Filters of the role eks."""

    def filters(self) -> dict[str, t.Callable[..., Wishes]]:
        return {
            "eks_addons": eks_addons,
            "eks_nodegroups": eks_nodegroups,
            "eks_route_tables": eks_route_tables,
            "eks_route_tables_to_make": eks_route_tables_to_make,
            "eks_subnets": eks_subnets,
        }


def eks_addons(
    items: Items,
    startup_taint: bool = True,
    before_nodes: bool = False,
    identity: str = "pod_identity",
    csi_role: str = "",
    tags: t.Mapping[str, t.Any] | None = None,
) -> Wishes:
    """The add-ons of one half of the work; see eks_addons.yml."""
    return addons(items, startup_taint=bool(startup_taint), before_nodes=bool(before_nodes), identity=str(identity), csi_role=str(csi_role), tags=tags or {})


def eks_nodegroups(
    groups: Items,
    node_role: str,
    subnet_ids: t.Sequence[str],
    version: str,
    startup_taint: bool = True,
    tags: t.Mapping[str, t.Any] | None = None,
) -> Wishes:
    """The items of the module eks_nodegroup; see eks_nodegroups.yml."""
    return nodegroups(groups, node_role=str(node_role), subnet_ids=subnet_ids, version=str(version), startup_taint=bool(startup_taint), tags=tags or {})


def eks_subnets(cidr: str, zones: t.Sequence[str], cluster: str) -> Wishes:
    """The subnets of a VPC; see eks_subnets.yml."""
    try:
        return subnets(str(cidr), zones, str(cluster))
    except ValueError as error:
        raise AnsibleFilterError(f"eks_vpc_cidr and eks_availability_zones give no subnets: {error}") from error


def eks_route_tables(nat: str, zones: t.Sequence[str], public_ids: t.Sequence[str], private_ids: t.Sequence[str], gateway_ids: t.Sequence[str]) -> Wishes:
    """The route tables of a VPC; see eks_route_tables.yml."""
    return route_tables(str(nat), zones=zones, public_ids=public_ids, private_ids=private_ids, gateway_ids=gateway_ids)


def eks_route_tables_to_make(wanted: Items, present: Items, cluster: str, tags: t.Mapping[str, t.Any], internet_gateway: str | None) -> Wishes:
    """The route tables that are not as they should be; see eks_route_tables_to_make.yml."""
    return route_tables_to_make(wanted, list(present), cluster=str(cluster), tags=tags, internet_gateway=str(internet_gateway or ""))
