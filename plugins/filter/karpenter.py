# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ..module_utils._karpenter.identity import karpenter_identity
from ..module_utils._karpenter.render import node_pool_manifests, node_pool_removals, node_pool_targets

Mapping = t.Mapping[str, t.Any]
Manifests = t.List[t.Dict[str, t.Any]]


class FilterModule:
    """Filters of the role karpenter."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {
            "karpenter_identity": karpenter_identity_of,
            "karpenter_manifests": karpenter_manifests,
            "karpenter_removals": node_pool_removals,
            "karpenter_targets": node_pool_targets,
        }


def karpenter_identity_of(variables: Mapping, account_id: str, issuer: str = "") -> dict[str, t.Any]:
    """Roles, policies and queue of the controller and its nodes; see karpenter_identity.yml."""
    try:
        return karpenter_identity(variables, str(account_id), str(issuer))
    except ValueError as error:
        raise AnsibleFilterError(f"karpenter_tags: {error}.") from error


def karpenter_manifests(variables: Mapping, node_role: str) -> Manifests:
    """The NodePools and EC2NodeClasses; see karpenter_manifests.yml."""
    try:
        return node_pool_manifests(
            variables["karpenter_node_pools"],
            node_role=str(node_role),
            subnet_ids=variables["karpenter_subnet_ids"],
            security_group_ids=variables["karpenter_security_group_ids"],
            startup_taint=variables["karpenter_startup_taint"],
            ami_alias=variables["karpenter_ami_alias"],
            tags=variables["karpenter_tags"],
        )
    except ValueError as error:
        raise AnsibleFilterError(f"karpenter_node_pools or karpenter_tags: {error}.") from error
