# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ..module_utils._eks.karpenter import node_pool_manifests, node_pool_removals, node_pool_targets
from ..module_utils._eks.karpenter_policies import Place, karpenter_policies

Pools = t.Sequence[t.Mapping[str, t.Any]]
Manifests = t.List[t.Dict[str, t.Any]]


class FilterModule:
    """Filters of the role karpenter."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {
            "karpenter_manifests": karpenter_manifests,
            "karpenter_policies": karpenter_policies_of,
            "karpenter_removals": node_pool_removals,
            "karpenter_targets": node_pool_targets,
        }


def karpenter_manifests(
    pools: Pools,
    node_role: str,
    subnet_ids: t.Sequence[str],
    security_group_ids: t.Sequence[str],
    startup_taint: bool = True,
    ami_alias: str = "al2023@latest",
    tags: t.Mapping[str, t.Any] | None = None,
) -> Manifests:
    """The NodePools and EC2NodeClasses; see karpenter_manifests.yml."""
    try:
        return node_pool_manifests(
            pools,
            node_role=str(node_role),
            subnet_ids=subnet_ids,
            security_group_ids=security_group_ids,
            startup_taint=bool(startup_taint),
            ami_alias=str(ami_alias),
            tags=tags or {},
        )
    except ValueError as error:
        raise AnsibleFilterError(f"karpenter_node_pools or karpenter_tags: {error}.") from error


def karpenter_policies_of(cluster: str, region: str, partition: str, account: str, node_role_arn: str, queue: str = "", zonal_shift: bool = False) -> Manifests:
    """The IAM policies of the controller; see karpenter_policies.yml."""
    place = Place(cluster=str(cluster), region=str(region), partition=str(partition), account=str(account))
    documents = karpenter_policies(place, node_role_arn=str(node_role_arn), queue=str(queue), zonal_shift=bool(zonal_shift))
    return [{"name": name, "document": document} for name, document in documents.items()]
