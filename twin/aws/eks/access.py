"""Access entries and the access policies that are associated with them."""

from __future__ import annotations

import re
import uuid
from typing import Any

from twin.aws.cluster_provider import Grant
from twin.aws.eks.call import Call
from twin.aws.eks.region import Cluster, Entry, Region, now, page
from twin.aws.errors import InUse, InvalidParameter, InvalidRequest, NotFound

CLUSTER_ADMIN_POLICY = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
_POLICIES = (
    "AmazonEKSAdminPolicy",
    "AmazonEKSAdminViewPolicy",
    "AmazonEKSAutoNodePolicy",
    "AmazonEKSClusterAdminPolicy",
    "AmazonEKSEditPolicy",
    "AmazonEKSViewPolicy",
)
_TYPES = ("STANDARD", "EC2_LINUX", "EC2_WINDOWS", "FARGATE_LINUX", "EC2", "HYBRID_LINUX", "HYPERPOD_LINUX")
# moto's stand-in for a caller whose key it does not know is a user of STS; EKS itself accepts IAM's ARNs only.
_PRINCIPAL = re.compile(r"arn:aws[a-z-]*:(iam|sts)::(?P<account>\d{12}):(?P<kind>role|user)/.+")


def _policy_arn(name: str) -> str:
    return f"arn:aws:eks::aws:cluster-access-policy/{name}"


def _must_have_entries(cluster: Cluster) -> None:
    if not has_entries(cluster):
        raise InvalidRequest("The cluster's authentication mode must be set to one of [API, API_AND_CONFIG_MAP] to perform this operation.")


def new_entry(region: Region, cluster: Cluster, principal: str, kind: str, groups: list[str], username: str | None, tags: dict[str, str]) -> Entry:
    """An entry as EKS completes it.

    Raises:
        InvalidParameter: principal, type, groups or user name are not allowed.
    """
    match = _PRINCIPAL.fullmatch(principal)
    if not match:
        raise InvalidParameter(f"The principalArn parameter format is not valid: {principal}")
    if kind not in _TYPES:
        raise InvalidParameter(f"The type {kind} is not one of {', '.join(_TYPES)}.")
    if kind != "STANDARD" and (groups or username):
        raise InvalidParameter(f"An access entry of type {kind} cannot have kubernetesGroups or a username.")
    _check_groups(groups)
    if username is not None:
        _check_username(username)
    last = principal.rsplit("/", 1)[1]
    session = f"arn:aws:sts::{match['account']}:assumed-role/{last}/{{{{SessionName}}}}"
    if kind == "STANDARD":
        username = username or (session if match["kind"] == "role" else principal)
    else:
        username, groups = "system:node:{{EC2PrivateDNSName}}", ["system:nodes"]
    moment = now()
    record = {
        "clusterName": cluster.name,
        "principalArn": principal,
        "kubernetesGroups": list(groups),
        "accessEntryArn": region.arn("access-entry", cluster.name, match["kind"], match["account"], last, str(uuid.uuid4())),
        "createdAt": moment,
        "modifiedAt": moment,
        "tags": dict(tags),
        "username": username,
        "type": kind,
    }
    return Entry(record)


def _check_groups(groups: list[str]) -> None:
    for group in groups:
        if group.startswith(("system:", "eks:", "aws:", "amazon:", "iam:")):
            raise InvalidParameter(f"The kubernetes group name {group} is invalid, it cannot start with system:, eks:, aws:, amazon: or iam:")


def _check_username(username: str) -> None:
    if username.startswith(("system:", "eks:", "aws:", "amazon:", "iam:")):
        raise InvalidParameter(f"The username {username} is invalid, it cannot start with system:, eks:, aws:, amazon: or iam:")


def policy_group(policy: str, namespace: str | None = None) -> str:
    """The group of those who have an access policy, by its ARN: for the whole cluster, or in one namespace."""
    name = f"eks:policy:{policy.rsplit('/', 1)[1]}"
    return name if namespace is None else f"{name}:{namespace}"


def _grants(cluster: Cluster) -> list[Grant]:
    """The policies of all entries that count in single namespaces."""
    return sorted(
        {
            Grant(policy_group(arn, namespace), arn.rsplit("/", 1)[1], namespace)
            for entry in cluster.entries.values()
            for arn, association in entry.policies.items()
            for namespace in association["accessScope"]["namespaces"]
        }
    )


def _apply_grants(call: Call, before: list[Grant]) -> None:
    """Give the cluster the grants, if they are not what they were."""
    region, cluster, grants = call.region, call.cluster, _grants(call.cluster)
    if grants != before:
        region.submit(cluster, lambda: region.provider.set_grants(region.key(cluster), grants))


def has_entries(cluster: Cluster) -> bool:
    return bool(cluster.record["accessConfig"]["authenticationMode"] != "CONFIG_MAP")


def let_creator_in(region: Region, cluster: Cluster) -> None:
    """What bootstrapClusterCreatorAdminPermissions makes, once: an entry with the cluster admin policy.

    A cluster that starts without access entries gets it when it begins to have them.
    """
    if cluster.creator_let_in or not has_entries(cluster) or not cluster.record["accessConfig"]["bootstrapClusterCreatorAdminPermissions"]:
        return
    cluster.creator_let_in = True
    entry = new_entry(region, cluster, cluster.creator, "STANDARD", [], None, {})
    entry.policies[CLUSTER_ADMIN_POLICY] = _association(CLUSTER_ADMIN_POLICY, {"type": "cluster", "namespaces": []})
    cluster.entries.setdefault(cluster.creator, entry)


def let_nodes_in(region: Region, cluster: Cluster, role: str) -> None:
    """The entry that EKS makes for the role of a managed node group."""
    if has_entries(cluster) and role not in cluster.entries:
        cluster.entries[role] = new_entry(region, cluster, role, "EC2_LINUX", [], None, {})


def forget_nodes(cluster: Cluster, role: str) -> None:
    """Remove that entry once no node group has the role any more."""
    entry = cluster.entries.get(role)
    if entry and entry.record["type"] == "EC2_LINUX" and all(group.record["nodeRole"] != role for group in cluster.node_groups.values()):
        del cluster.entries[role]


def _association(policy: str, scope: dict[str, Any]) -> dict[str, Any]:
    moment = now()
    return {"policyArn": policy, "accessScope": scope, "associatedAt": moment, "modifiedAt": moment}


def create_access_entry(call: Call) -> dict[str, Any]:
    cluster, principal = call.cluster, call.need("principalArn")
    _must_have_entries(cluster)
    if principal in cluster.entries:
        raise InUse("The specified access entry resource is already in use on this cluster.")
    entry = new_entry(
        call.region,
        cluster,
        principal,
        call.get("type", "STANDARD"),
        call.get("kubernetesGroups", []),
        call.get("username"),
        call.get("tags", {}),
    )
    cluster.entries[principal] = entry
    return {"accessEntry": entry.record}


def describe_access_entry(call: Call) -> dict[str, Any]:
    _must_have_entries(call.cluster)
    return {"accessEntry": call.cluster.entry(call.need("principalArn")).record}


def list_access_entries(call: Call) -> dict[str, Any]:
    cluster, policy = call.cluster, call.get("associatedPolicyArn")
    _must_have_entries(cluster)
    principals = [principal for principal, entry in cluster.entries.items() if policy is None or policy in entry.policies]
    return page(sorted(principals), call.parameters, "accessEntries")


def update_access_entry(call: Call) -> dict[str, Any]:
    _must_have_entries(call.cluster)
    entry = call.cluster.entry(call.need("principalArn"))
    if entry.record["type"] != "STANDARD":
        raise InvalidRequest(f"An access entry of type {entry.record['type']} cannot be changed.")
    if (groups := call.get("kubernetesGroups")) is not None:
        _check_groups(groups)
        entry.record["kubernetesGroups"] = list(groups)
    if username := call.get("username"):
        _check_username(username)
        entry.record["username"] = username
    entry.record["modifiedAt"] = now()
    return {"accessEntry": entry.record}


def delete_access_entry(call: Call) -> dict[str, Any]:
    _must_have_entries(call.cluster)
    call.cluster.entry(call.need("principalArn"))
    before = _grants(call.cluster)
    del call.cluster.entries[call.need("principalArn")]
    _apply_grants(call, before)
    return {}


def associate_access_policy(call: Call) -> dict[str, Any]:
    cluster, policy, scope = call.cluster, call.need("policyArn"), call.need("accessScope")
    _must_have_entries(cluster)
    entry = cluster.entry(call.need("principalArn"))
    if policy not in map(_policy_arn, _POLICIES):
        raise InvalidParameter(f"The policyArn parameter format is not valid: {policy}")
    if entry.record["type"] != "STANDARD":
        raise InvalidRequest(f"A policy cannot be associated with an access entry of type {entry.record['type']}.")
    kind, namespaces = scope.get("type"), list(scope.get("namespaces") or [])
    if kind not in ("cluster", "namespace"):
        raise InvalidParameter(f"The access scope type {kind} is not one of cluster, namespace.")
    if kind == "cluster" and namespaces:
        raise InvalidParameter("An access scope of type cluster cannot have namespaces.")
    if kind == "namespace" and not namespaces:
        raise InvalidParameter("An access scope of type namespace needs namespaces.")
    association = _association(policy, {"type": kind, "namespaces": namespaces})
    if policy in entry.policies:
        association["associatedAt"] = entry.policies[policy]["associatedAt"]
    before = _grants(cluster)
    entry.policies[policy] = association
    _apply_grants(call, before)
    return {"clusterName": cluster.name, "principalArn": call.need("principalArn"), "associatedAccessPolicy": association}


def disassociate_access_policy(call: Call) -> dict[str, Any]:
    _must_have_entries(call.cluster)
    entry, policy = call.cluster.entry(call.need("principalArn")), call.need("policyArn")
    if policy not in entry.policies:
        raise NotFound(f"The policy {policy} is not associated with the access entry {call.need('principalArn')}.")
    before = _grants(call.cluster)
    del entry.policies[policy]
    _apply_grants(call, before)
    return {}


def list_associated_access_policies(call: Call) -> dict[str, Any]:
    _must_have_entries(call.cluster)
    entry = call.cluster.entry(call.need("principalArn"))
    answer = page(entry.policies.values(), call.parameters, "associatedAccessPolicies")
    return {"clusterName": call.cluster.name, "principalArn": call.need("principalArn"), **answer}


def list_access_policies(call: Call) -> dict[str, Any]:
    return page([{"name": name, "arn": _policy_arn(name)} for name in _POLICIES], call.parameters, "accessPolicies")


OPERATIONS = {
    "AssociateAccessPolicy": associate_access_policy,
    "CreateAccessEntry": create_access_entry,
    "DeleteAccessEntry": delete_access_entry,
    "DescribeAccessEntry": describe_access_entry,
    "DisassociateAccessPolicy": disassociate_access_policy,
    "ListAccessEntries": list_access_entries,
    "ListAccessPolicies": list_access_policies,
    "ListAssociatedAccessPolicies": list_associated_access_policies,
    "UpdateAccessEntry": update_access_entry,
}
