# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ..module_utils._eks.wishes import addons, needs_role, nodegroups, texts
from ..module_utils._network.plan import with_ids

Items = t.Sequence[t.Mapping[str, t.Any]]
Wishes = t.List[t.Dict[str, t.Any]]


class FilterModule:
    """Filters of the role eks."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {
            "eks_addons": eks_addons,
            "eks_addons_without_role": eks_addons_without_role,
            "eks_nodegroups": eks_nodegroups,
            "eks_route_tables": eks_route_tables,
            "tag_values": tag_values,
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


def eks_addons_without_role(items: Items) -> Wishes:
    """The add-ons for which a role has to be made; see eks_addons_without_role.yml."""
    return [dict(item) for item in items if needs_role(item)]


def eks_nodegroups(
    groups: Items,
    node_role: str,
    subnet_ids: t.Sequence[str],
    version: str,
    startup_taint: bool = True,
    tags: t.Mapping[str, t.Any] | None = None,
) -> Wishes:
    """The items of the module eks_nodegroup; see eks_nodegroups.yml."""
    try:
        return nodegroups(groups, node_role=str(node_role), subnet_ids=subnet_ids, version=str(version), startup_taint=bool(startup_taint), tags=tags or {})
    except ValueError as error:
        raise AnsibleFilterError(f"eks_node_groups or eks_tags: {error}.") from error


def tag_values(tags: t.Mapping[str, t.Any] | None) -> dict[str, str]:
    """Tags as AWS keeps them; see tag_values.yml."""
    try:
        return texts(tags)
    except ValueError as error:
        raise AnsibleFilterError(f"These tags cannot be given to anything in AWS: {error}.") from error


def eks_route_tables(tables: Items, subnet_ids: t.Mapping[str, str], nat_gateway_ids: t.Mapping[str, str]) -> Wishes:
    """The route tables of a plan, with ids; see eks_route_tables.yml."""
    return with_ids(tables, subnet_ids, nat_gateway_ids)
