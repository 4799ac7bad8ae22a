# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ..module_utils._eks_addon.role_items import addon_items
from ..module_utils._eks_nodegroup.role_items import nodegroup_items
from ..module_utils._iam.eks_roles import cluster_roles
from ..module_utils._network.existing import find_subnet_errors
from ..module_utils._network.plan import with_ids

Mapping = t.Mapping[str, t.Any]
Items = t.List[t.Dict[str, t.Any]]


class FilterModule:
    """Filters of the role eks."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {
            "eks_addons": eks_addons,
            "eks_iam_roles": eks_iam_roles,
            "eks_nodegroups": eks_nodegroups,
            "eks_route_tables": eks_route_tables,
            "eks_subnet_errors": eks_subnet_errors,
        }


def eks_addons(variables: Mapping, before_nodes: bool, csi_role: str = "") -> Items:
    """The add-ons that are needed before the first node, or all others; see eks_addons.yml."""
    return addon_items(
        variables["eks_addons"],
        startup_taint=variables["eks_startup_taint"],
        before_nodes=before_nodes,
        identity=variables["eks_identity"],
        csi_role=str(csi_role),
        tags=variables["eks_tags"],
    )


def eks_iam_roles(variables: Mapping, cluster: Mapping) -> dict[str, t.Any]:
    """The IAM roles of a cluster; see eks_iam_roles.yml."""
    try:
        return cluster_roles(variables, cluster)
    except ValueError as error:
        raise AnsibleFilterError(f"eks_tags: {error}.") from error


def eks_nodegroups(variables: Mapping, node_role: str, subnet_ids: t.Sequence[str]) -> Items:
    """The items of the module eks_nodegroup; see eks_nodegroups.yml."""
    try:
        return nodegroup_items(
            variables["eks_node_groups"],
            node_role=str(node_role),
            subnet_ids=subnet_ids,
            version=variables["eks_version"],
            startup_taint=variables["eks_startup_taint"],
            tags=variables["eks_tags"],
        )
    except ValueError as error:
        raise AnsibleFilterError(f"eks_node_groups or eks_tags: {error}.") from error


def eks_route_tables(tables: t.Sequence[Mapping], subnet_ids: t.Mapping[str, str], nat_gateway_ids: t.Mapping[str, str]) -> Items:
    """The route tables of a plan, with ids; see eks_route_tables.yml."""
    return with_ids(tables, subnet_ids, nat_gateway_ids)


def eks_subnet_errors(variables: Mapping, subnets: t.Sequence[Mapping]) -> list[str]:
    """What is wrong with existing subnets; see eks_subnet_errors.yml."""
    return find_subnet_errors(
        subnets,
        region=variables["eks_region"],
        vpc_id=variables["eks_vpc_id"],
        private_ids=variables["eks_private_subnet_ids"],
        public_ids=variables["eks_public_subnet_ids"],
        allow_untagged=variables["eks_allow_untagged_subnets"],
    )
