#!/usr/bin/python
# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: eks_access_entry
short_description: Declare who may access an EKS cluster, with access policies and their scopes
version_added: 0.1.0
description:
  - Declares any number of access entries of one cluster in one task, with the access policies that are associated with them.
  - What EKS would refuse, or take and never make true, is refused before the first write.
  - What gives access is written first, and what takes it away last, so that nobody who should have access is without it meanwhile.
author:
  - The meshwright.ambient contributors (@meshwright)
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - meshwright.ambient._attributes_aws
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  cluster:
    description:
      - The name of the cluster. Its authentication mode must be V(API) or V(API_AND_CONFIG_MAP).
      - In check mode it may be missing, because an earlier task would have made it.
    type: str
    required: true
  entries:
    description: The access entries.
    type: list
    elements: dict
    required: true
    suboptions:
      principal_arn:
        description:
          - The ARN of the IAM role or user, with the path of a role that has one. It cannot be the ARN of a session (C(arn:aws:sts::...:assumed-role/...)).
        type: str
        required: true
      state:
        description: Whether the entry should be there.
        type: str
        choices: [present, absent]
        default: present
      type:
        description:
          - V(STANDARD) is for people and programs. The others are for the roles of nodes, of which EKS makes those of managed node groups and Fargate itself.
          - A new entry without this option is V(STANDARD). The type of an entry that is there cannot be changed.
        type: str
        choices: [STANDARD, EC2, EC2_LINUX, EC2_WINDOWS, FARGATE_LINUX, HYBRID_LINUX, HYPERPOD_LINUX]
      username:
        description: The name of the user in Kubernetes. Without it, EKS chooses one from the ARN, which is best for audits.
        type: str
      kubernetes_groups:
        description:
          - The groups of the user in Kubernetes, for role bindings of your own. None can begin with C(system:).
          - An empty list takes all away. Without this option they stay as they are.
        type: list
        elements: str
      policies:
        description: The access policies. An empty list takes all away. Without this option they stay as they are.
        type: list
        elements: dict
        suboptions:
          policy:
            description: The name of the access policy, such as V(AmazonEKSClusterAdminPolicy), V(AmazonEKSAdminPolicy) or V(AmazonEKSViewPolicy), or its ARN.
            type: str
            required: true
          namespaces:
            description: The namespaces that it is limited to, where C(*) stands for any characters, as in V(team-*). None means the whole cluster.
            type: list
            elements: str
            default: []
      tags:
        description: The tags of the entry. Without this option they stay as they are.
        type: dict
  purge:
    description:
      - Delete the entries of the cluster that O(entries) does not name.
      - Never purged are those that are EKS' own, those of nodes, that of the cluster's creator, and that by which the task itself comes in. They are told
        with the action V(kept), and can be deleted by naming them.
    type: bool
    default: false
  purge_policies:
    description: Take away policies of an entry that O(entries[].policies) does not name.
    type: bool
    default: true
  purge_tags:
    description: Take away tags of an entry that O(entries[].tags) does not name.
    type: bool
    default: true
"""

EXAMPLES = r"""
- name: Let one role administrate the cluster, and a team look after its namespaces
  meshwright.ambient.eks_access_entry:
    cluster: prod
    region: eu-central-1
    entries:
      - principal_arn: arn:aws:iam::123456789012:role/platform
        policies:
          - policy: AmazonEKSClusterAdminPolicy
      - principal_arn: arn:aws:iam::123456789012:role/teams/shop
        kubernetes_groups: [shop]
        policies:
          - policy: AmazonEKSEditPolicy
            namespaces: [shop, shop-*]
          - policy: AmazonEKSViewPolicy

- name: Take the access of a role away
  meshwright.ambient.eks_access_entry:
    cluster: prod
    region: eu-central-1
    entries:
      - principal_arn: arn:aws:iam::123456789012:role/former
        state: absent

- name: Let nodes of Karpenter join
  meshwright.ambient.eks_access_entry:
    cluster: prod
    region: eu-central-1
    entries:
      - principal_arn: arn:aws:iam::123456789012:role/karpenter-node
        type: EC2_LINUX
"""

RETURN = r"""
entries:
  description: The entries, in the order of O(entries), and then the others when O(purge) is set, by ARN.
  returned: success
  type: list
  elements: dict
  contains:
    principal_arn:
      description: The ARN of the principal.
      type: str
      sample: arn:aws:iam::123456789012:role/platform
    action:
      description: V(created), V(updated), V(deleted), V(unchanged), or V(kept) for one that O(purge) spares.
      type: str
      sample: created
    changed:
      description: Whether it was changed, or in check mode would be.
      type: bool
      sample: true
    reason:
      description: Why it was spared; empty when it was not.
      type: str
      sample: ""
    before:
      description: Its fields as they were; empty when it was not there.
      type: dict
      sample: {}
    after:
      description: Its fields as they are now; empty when it should not be there.
      type: dict
      sample: {"policies.AmazonEKSClusterAdminPolicy": "cluster", "type": "STANDARD"}
api_calls:
  description: How many requests were sent to AWS, by operation.
  returned: always
  type: dict
  sample: {"eks:DescribeAccessEntry": 2, "eks:ListAccessEntries": 1, "eks:ListAssociatedAccessPolicies": 2}
"""

import typing as t
from functools import partial

from ..module_utils._aws.connect import aws_module, run
from ..module_utils._aws.eks_objects import Write, describe_cluster, list_of_cluster, once_role_is_known, refuse, set_tags, write_all
from ..module_utils._aws.errors import AwsError
from ..module_utils._diff import diff_of
from ..module_utils._eks.access_plan import (
    TYPES,
    Entry,
    EntryChange,
    EntryWish,
    find_protected,
    is_of_eks,
    needs_policies,
    parse_entry,
    parse_wish,
    plan_entries,
    refuse_changes,
    refuse_wishes,
)
from ..module_utils._errors import MeshError

if t.TYPE_CHECKING:
    from ..module_utils._aws.connect import AnsibleAWSModule, Result
    from ..module_utils._aws.session import AwsSession

_POLICY = {"policy": {"type": "str", "required": True}, "namespaces": {"type": "list", "elements": "str", "default": []}}
_ENTRY = {
    "principal_arn": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "type": {"type": "str", "choices": list(TYPES)},
    "username": {"type": "str"},
    "kubernetes_groups": {"type": "list", "elements": "str"},
    "policies": {"type": "list", "elements": "dict", "options": _POLICY},
    "tags": {"type": "dict"},
}
OPTIONS: dict[str, dict[str, t.Any]] = {
    "cluster": {"type": "str", "required": True},
    "entries": {"type": "list", "elements": "dict", "required": True, "options": _ENTRY},
    "purge": {"type": "bool", "default": False},
    "purge_policies": {"type": "bool", "default": True},
    "purge_tags": {"type": "bool", "default": True},
}


def main() -> None:
    run(aws_module(OPTIONS), declare_entries)


def declare_entries(module: AnsibleAWSModule, session: AwsSession) -> Result:
    """Read once, decide, write once."""
    params = module.params
    cluster = params["cluster"]
    wishes = [parse_wish(item) for item in params["entries"]]
    refuse(refuse_wishes(wishes), cluster)
    principals = list_principals(session, cluster, required=not module.check_mode)
    if principals is None:
        module.warn(f"There is no EKS cluster {cluster} in {session.region} with access entries yet: all its access entries are told as new.")
    present = describe_entries(session, cluster, wishes, principals or ())
    others: dict[str, Entry] = {}
    described: dict[str, t.Any] | None = None
    protected: dict[str, str] = {}
    if params["purge"]:
        others = describe_others(session, cluster, set(principals or ()) - {wish.principal for wish in wishes})
        if any(not is_of_eks(principal) for principal in others):
            described = describe_cluster(session, cluster)
            protected = protect(session, described, others.values())
    offered = list_policies(session) if needs_policies(wishes, present) and principals is not None else None
    refuse(refuse_changes(wishes, present, offered), cluster)
    changes = plan_entries(
        wishes,
        {**others, **present},
        offered,
        # The partition is only needed where a policy could not be asked for.
        partition=session.partition if principals is None else "aws",
        purge=params["purge"],
        purge_policies=params["purge_policies"],
        purge_tags=params["purge_tags"],
        protected=protected,
    )
    if not module.check_mode and any(change.changed for change in changes):
        refuse_mode(described or describe_cluster(session, cluster), cluster)
        write_all(plan_writes(session, cluster, changes))
    return {
        "changed": any(change.changed for change in changes),
        "diff": [diff_of(f"Access entry {change.principal}", change.before, change.after) for change in changes if change.changed],
        "entries": [_result(change) for change in changes],
    }


def list_principals(session: AwsSession, cluster: str, *, required: bool) -> list[str] | None:
    """The principals that have an access entry; None when an earlier task of a check run would first make that possible."""
    try:
        return list_of_cluster(session, "list_access_entries", "accessEntries", cluster, required=required)
    except AwsError as error:
        if error.code == "InvalidRequestException" and "authentication mode" in error.server_message:
            if not required:
                return None
            raise _wrong_mode(cluster) from error
        raise


def describe_entries(session: AwsSession, cluster: str, wishes: list[EntryWish], principals: t.Collection[str]) -> dict[str, Entry]:
    """The wished entries that are there. Policies that nobody has a wish about are not asked for."""
    found = {}
    for wish in wishes:
        entry = _describe(session, cluster, wish.principal, policies=not wish.present or wish.policies is not None) if wish.principal in principals else None
        if entry:
            found[wish.principal] = entry
    return found


def describe_others(session: AwsSession, cluster: str, principals: t.Iterable[str]) -> dict[str, Entry]:
    """The entries that nobody wishes; those that are EKS' own need no look."""
    found = {}
    for principal in sorted(principals):
        entry = Entry(principal) if is_of_eks(principal) else _describe(session, cluster, principal, policies=True)
        if entry:
            found[principal] = entry
    return found


def protect(session: AwsSession, described: t.Mapping[str, t.Any], others: t.Iterable[Entry]) -> dict[str, str]:
    """Why entries must not be purged, by principal."""
    caller = str(session.call("sts", "get_caller_identity")["Arn"])
    bootstrapped = (described.get("accessConfig") or {}).get("bootstrapClusterCreatorAdminPermissions")
    created = described.get("createdAt")
    return find_protected(others, caller=caller, cluster_created=created.timestamp() if created is not None else 0.0, bootstrapped=bootstrapped is not False)


def list_policies(session: AwsSession) -> dict[str, str]:
    """The ARNs of EKS' access policies, by name."""
    return {str(policy["name"]): str(policy["arn"]) for policy in session.pages("eks", "list_access_policies", "accessPolicies")}


def refuse_mode(described: t.Mapping[str, t.Any], cluster: str) -> None:
    """Refuse a cluster whose access is decided by a ConfigMap alone."""
    if (described.get("accessConfig") or {}).get("authenticationMode") == "CONFIG_MAP":
        raise _wrong_mode(cluster)


def plan_writes(session: AwsSession, cluster: str, changes: list[EntryChange]) -> list[Write]:
    """All writes in their order: entries, then what gives them access, then what takes access away, then entries that go."""
    entries: list[Write] = []
    giving: list[Write] = []
    taking: list[Write] = []
    leaving: list[Write] = []
    for change in changes:
        what = f"Access entry of {change.principal} for cluster {cluster}"
        call = partial(session.call, "eks", clusterName=cluster, principalArn=change.principal)
        if change.action == "created":
            entries.append((what, partial(once_role_is_known, partial(call, "create_access_entry", **change.request))))
        elif change.request:
            entries.append((what, partial(call, "update_access_entry", **change.request)))
        for arn, namespaces in change.associate.items():
            scope = {"type": "namespace", "namespaces": list(namespaces)} if namespaces else {"type": "cluster"}
            giving.append((what, partial(call, "associate_access_policy", policyArn=arn, accessScope=scope)))
        if change.tags.any and change.current is not None:
            giving.append((what, partial(set_tags, session, change.current.arn, change.tags)))
        taking += ((what, partial(call, "disassociate_access_policy", policyArn=arn)) for arn in change.dissociate)
        if change.action == "deleted":
            leaving.append((what, partial(call, "delete_access_entry")))
    return [*entries, *giving, *taking, *leaving]


def _describe(session: AwsSession, cluster: str, principal: str, *, policies: bool) -> Entry | None:
    try:
        described = session.call("eks", "describe_access_entry", clusterName=cluster, principalArn=principal)["accessEntry"]
        asked = {"clusterName": cluster, "principalArn": principal}
        associated = session.pages("eks", "list_associated_access_policies", "associatedAccessPolicies", **asked) if policies else []
    except AwsError as error:
        if error.absent:
            return None
        raise
    return parse_entry(described, associated)


def _wrong_mode(cluster: str) -> MeshError:
    return MeshError(
        f"Cluster {cluster} takes no access entries, because its authentication mode is CONFIG_MAP: change it to API_AND_CONFIG_MAP first (authentication_mode "
        "of meshwright.ambient.eks_cluster), which cannot be taken back.\n"
        f"Nothing was changed on cluster {cluster}."
    )


def _result(change: EntryChange) -> Result:
    return {
        "principal_arn": change.principal,
        "action": change.action,
        "changed": change.changed,
        "reason": change.reason,
        "before": dict(change.before),
        "after": dict(change.after),
    }


if __name__ == "__main__":
    main()
