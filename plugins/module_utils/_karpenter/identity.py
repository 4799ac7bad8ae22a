# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""What Karpenter and its nodes may do in AWS, from the variables of the role karpenter."""

from __future__ import annotations

import typing as t

from .._iam.trust import partition_of, trust_nodes, trust_service_account
from .._text import text_values
from .policies import Place, karpenter_policies

Variables = t.Mapping[str, t.Any]

_NODE_POLICIES = ("AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly", "AmazonEKS_CNI_Policy")


def karpenter_identity(variables: Variables, account_id: str, issuer: str = "") -> dict[str, t.Any]:
    """The roles and policies of controller and nodes, as M(meshwright.ambient.iam_plan) takes them, and the names and ARNs of all that is used.

    Args:
        variables: the variables of the role karpenter, of their declared types.
        account_id: the number of the AWS account.
        issuer: the URL of the cluster's issuer, which only IRSA needs.

    Returns:
        name: of the controller's role, the queue and the rule, unless others are given; role_arn: empty without one; node_role_arn;
        queue: empty for none; creates_queue; queue_arn; rule_arn; roles and policies: those that are to be created.
    """
    region, partition = variables["karpenter_region"], partition_of(variables["karpenter_region"])
    account = f"arn:{partition}:iam::{account_id}"
    name = f"{variables['karpenter_cluster_name']}-{region}-karpenter"
    identity, path = variables["karpenter_identity"], variables["karpenter_role_path"]
    node_role_arn = variables["karpenter_node_role_arn"] or f"{account}:role{path}{name}-nodes"
    queue = (variables["karpenter_interruption_queue"] or name) if variables["karpenter_interruptions"] else ""
    place = Place(variables["karpenter_cluster_name"], region, partition, account_id)
    zonal_shift = bool((variables["karpenter_values"].get("settings") or {}).get("enableZonalShift"))
    documents = karpenter_policies(place, node_role_arn=node_role_arn, queue=queue, zonal_shift=zonal_shift)
    tags = text_values(variables["karpenter_tags"])
    policies = [{"arn": f"{account}:policy/{name}-{ending}", "document": document, "tags": tags} for ending, document in documents.items()]
    common = {"path": path, "boundary": variables["karpenter_permissions_boundary"], "tags": tags}
    trust = trust_service_account(
        identity, account=account, issuer=issuer, namespace=variables["karpenter_namespace"], name=variables["karpenter_service_account"]
    )
    nodes = {
        "name": f"{name}-nodes",
        "trust": trust_nodes(partition),
        "managed_policies": [*(f"arn:{partition}:iam::aws:policy/{policy}" for policy in _NODE_POLICIES), *variables["karpenter_node_policies"]],
        **common,
    }
    creates_role = identity != "none" and not variables["karpenter_role_arn"]
    controller = {"name": name, "trust": trust, "managed_policies": [policy["arn"] for policy in policies], **common}
    return {
        "name": name,
        "role_arn": "" if identity == "none" else variables["karpenter_role_arn"] or f"{account}:role{path}{name}",
        "node_role_arn": node_role_arn,
        "queue": queue,
        "creates_queue": bool(queue) and not variables["karpenter_interruption_queue"],
        "queue_arn": f"arn:{partition}:sqs:{region}:{account_id}:{queue}",
        "rule_arn": f"arn:{partition}:events:{region}:{account_id}:rule/{name}",
        "roles": [*([controller] if creates_role else []), *([] if variables["karpenter_node_role_arn"] else [nodes])],
        "policies": policies if creates_role else [],
    }


__all__ = ("karpenter_identity",)
