# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""The IAM roles of an EKS cluster, from the variables of the role eks."""

from __future__ import annotations

import typing as t

from .._eks_addon.role_items import CSI_SERVICE_ACCOUNT, needs_role
from .._text import text_values
from .trust import partition_of, trust_nodes, trust_service, trust_service_account

Variables = t.Mapping[str, t.Any]

_NODE_POLICIES = ("AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly", "AmazonEKS_CNI_Policy")


def cluster_roles(variables: Variables, cluster: Variables) -> dict[str, t.Any]:
    """The ARNs of all roles, and those that the role eks itself manages, as M(meshwright.ambient.iam_plan) takes them.

    Args:
        variables: the variables of the role eks, of their declared types.
        cluster: its fact C(eks_cluster); the issuer is known once the cluster exists.

    Returns:
        cluster_arn, node_arn, csi_arn; roles: those that do not depend on the cluster; csi_roles: the role of the EBS CSI driver, or none.
    """
    partition = partition_of(variables["eks_region"])
    account = f"arn:{partition}:iam::{cluster['account_id']}"
    prefix = f"{variables['eks_cluster_name']}-{variables['eks_region']}"
    arns = {name: f"{account}:role{variables['eks_role_path']}{prefix}-{name}" for name in ("cluster", "nodes", "ebs-csi")}

    def role(name: str, trust: t.Mapping[str, t.Any], *policies: str) -> dict[str, t.Any]:
        return {
            "name": f"{prefix}-{name}",
            "path": variables["eks_role_path"],
            "trust": trust,
            "managed_policies": [f"arn:{partition}:iam::aws:policy/{policy}" for policy in policies],
            "boundary": variables["eks_permissions_boundary"],
            "tags": text_values(variables["eks_tags"]),
        }

    roles = []
    if not variables["eks_cluster_role_arn"]:
        roles.append(role("cluster", trust_service("eks.amazonaws.com", tag_session=True), "AmazonEKSClusterPolicy"))
    if not variables["eks_node_role_arn"]:
        roles.append(role("nodes", trust_nodes(partition), *_NODE_POLICIES))
    issuer = str(cluster.get("oidc_issuer") or "")
    trust = trust_service_account(variables["eks_identity"], account=account, issuer=issuer, namespace="kube-system", name=CSI_SERVICE_ACCOUNT)
    csi_roles = [role("ebs-csi", trust, "service-role/AmazonEBSCSIDriverPolicy") for addon in variables["eks_addons"] if needs_role(addon)]
    return {
        "cluster_arn": variables["eks_cluster_role_arn"] or arns["cluster"],
        "node_arn": variables["eks_node_role_arn"] or arns["nodes"],
        "csi_arn": arns["ebs-csi"],
        "roles": roles,
        "csi_roles": csi_roles[:1],
    }


__all__ = ("cluster_roles",)
