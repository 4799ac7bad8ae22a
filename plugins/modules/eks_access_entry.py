#!/usr/bin/python
# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: eks_access_entry
short_description: Manage who may access an EKS cluster, with access policies and their scopes
version_added: 0.1.0
description:
  - Manages any number of access entries of one cluster in one task, with the access policies that are associated with them.
  - Whatever EKS would reject, or accept without any effect, is refused before the first write.
  - Access is granted before it is revoked, so that no principal that should have access loses it temporarily. Entries that already match are not written.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - meshwright.ambient._attributes.aws
options:
  cluster:
    description:
      - The name of the cluster. Its authentication mode must be V(API) or V(API_AND_CONFIG_MAP).
      - In check mode the cluster may not exist yet, because an earlier task would create it.
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
        description: Whether the entry exists.
        type: str
        choices: [present, absent]
        default: present
      type:
        description:
          - V(STANDARD) is for people and programs. The other types are for the roles of nodes. EKS itself creates the entries of managed node groups and
            of Fargate.
          - If omitted, a new entry is V(STANDARD). The type of an existing entry cannot be changed.
        type: str
        choices: [STANDARD, EC2, EC2_LINUX, EC2_WINDOWS, FARGATE_LINUX, HYBRID_LINUX, HYPERPOD_LINUX]
      username:
        description: The name of the user in Kubernetes. If omitted, EKS derives one from the ARN, which is best for audits.
        type: str
      kubernetes_groups:
        description:
          - The groups of the user in Kubernetes, for role bindings of your own. None can begin with C(system:).
          - An empty list removes all groups. If omitted, they are left unchanged.
        type: list
        elements: str
      policies:
        description: The access policies. An empty list removes all of them. If omitted, they are left unchanged.
        type: list
        elements: dict
        suboptions:
          policy:
            description: The name of the access policy, such as V(AmazonEKSClusterAdminPolicy), V(AmazonEKSAdminPolicy) or V(AmazonEKSViewPolicy), or its ARN.
            type: str
            required: true
          namespaces:
            description: The namespaces that it is limited to. C(*) matches any characters, as in V(team-*). If empty, the policy applies to the whole cluster.
            type: list
            elements: str
            default: []
      tags:
        description: The tags of the entry. If omitted, they are left unchanged.
        type: dict
  purge:
    description:
      - Delete the entries of the cluster that O(entries) does not name.
      - The entries of EKS itself, of nodes, of the cluster's creator and of the identity that runs the task are never purged. They are reported with the
        action V(kept), and can be deleted by naming them.
    type: bool
    default: false
  purge_policies:
    description: Remove policies of an entry that O(entries[].policies) does not name.
    type: bool
    default: true
  purge_tags:
    description: Remove tags of an entry that O(entries[].tags) does not name.
    type: bool
    default: true
"""

EXAMPLES = r"""
- name: Let one role administer the cluster, and a team manage its namespaces
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

- name: Revoke the access of a role
  meshwright.ambient.eks_access_entry:
    cluster: prod
    region: eu-central-1
    entries:
      - principal_arn: arn:aws:iam::123456789012:role/former
        state: absent

- name: Let Karpenter's nodes join
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
      description: V(created), V(updated), V(deleted), V(unchanged), or V(kept) for an entry that O(purge) spares.
      type: str
      sample: created
    changed:
      description: Whether it was changed, or would be in check mode.
      type: bool
      sample: true
    reason:
      description: Why it was spared; otherwise empty.
      type: str
      sample: ""
    before:
      description: Its fields before the task; empty if it did not exist.
      type: dict
      sample: {}
    after:
      description: Its fields after the task; empty if it is not to exist.
      type: dict
      sample: {"policies.AmazonEKSClusterAdminPolicy": "cluster", "type": "STANDARD"}
api_calls:
  description: How many requests were sent to AWS, by operation.
  returned: always
  type: dict
  sample: {"eks:DescribeAccessEntry": 2, "eks:ListAccessEntries": 1, "eks:ListAssociatedAccessPolicies": 2}
"""

import typing as t

from ..module_utils._aws.connect import aws_module, run
from ..module_utils._diff import diff_of
from ..module_utils._eks_access.apply import apply_changes
from ..module_utils._eks_access.normalize import TYPES
from ..module_utils._eks_access.plan import EntryChange, plan_entries
from ..module_utils._eks_access.refusals import find_refusals
from ..module_utils._eks_access.spec import parse_spec, validate_specs
from ..module_utils._eks_access.state import read_state, refuse_config_map
from ..module_utils._errors import raise_if_any

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
    run(aws_module(OPTIONS), ensure_entries)


def ensure_entries(module: AnsibleAWSModule, session: AwsSession) -> Result:
    """Make the access entries of a cluster the desired ones."""
    params = module.params
    cluster = params["cluster"]
    specs = [parse_spec(item) for item in params["entries"]]
    raise_if_any(validate_specs(specs), cluster)
    state = read_state(session, cluster, specs, purge=params["purge"], required=not module.check_mode)
    if not state.exists:
        module.warn(f"There is no EKS cluster {cluster} in {session.region} with access entries yet: all its access entries are reported as new.")
    raise_if_any(find_refusals(specs, state.entries, state.offered), cluster)
    changes = plan_entries(
        specs,
        state.entries,
        state.offered,
        # The partition is only needed for policies that could not be looked up.
        partition="aws" if state.exists else session.partition,
        purge=params["purge"],
        purge_policies=params["purge_policies"],
        purge_tags=params["purge_tags"],
        protected=state.protected,
    )
    changed = any(change.changed for change in changes)
    if changed and not module.check_mode:
        refuse_config_map(session, cluster, state.description)
        apply_changes(session, cluster, changes)
    return {
        "changed": changed,
        "diff": [diff_of(f"Access entry {change.principal}", change.before, change.after) for change in changes if change.changed],
        "entries": [_result(change) for change in changes],
    }


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
