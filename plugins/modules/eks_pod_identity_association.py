#!/usr/bin/python
# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: eks_pod_identity_association
short_description: Give service accounts of an EKS cluster IAM roles through EKS Pod Identity
version_added: 0.1.0
description:
  - Manages any number of associations of one cluster in one task. Each gives the pods of one service account the permissions of an IAM role.
  - An association is updated in place. Pods see an update when they next ask for credentials, and a new association when they are restarted.
  - Associations that belong to an add-on are left to that add-on. Associations that already match are not written.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - meshwright.ambient._attributes.aws
options:
  cluster:
    description: The name of the cluster. In check mode the cluster may not exist yet, because an earlier task would create it.
    type: str
    required: true
  associations:
    description: The associations.
    type: list
    elements: dict
    required: true
    suboptions:
      namespace:
        description: The namespace of the service account.
        type: str
        required: true
      service_account:
        description: The name of the service account. Neither the service account nor its namespace has to exist yet.
        type: str
        required: true
      state:
        description: Whether the association exists.
        type: str
        choices: [present, absent]
        default: present
      role_arn:
        description: The ARN of the IAM role, which must trust C(pods.eks.amazonaws.com). It is required, unless O(associations[].state) is V(absent).
        type: str
      target_role_arn:
        description:
          - The ARN of a second role, often of another account, that is assumed by means of the first one.
          - An empty string removes it. If omitted, it is left unchanged.
        type: str
      disable_session_tags:
        description: Omit the tags (cluster, namespace, service account and others) that EKS adds to the session. If omitted, the setting is left unchanged.
        type: bool
      tags:
        description: The tags of the association. If omitted, they are left unchanged.
        type: dict
  purge:
    description: Delete the associations of the cluster that O(associations) does not name, except those that belong to add-ons.
    type: bool
    default: false
  purge_tags:
    description: Remove tags of an association that O(associations[].tags) does not name.
    type: bool
    default: true
  missing_agent:
    description:
      - What to do if associations are to be written and the cluster lacks the add-on C(eks-pod-identity-agent), without which pods get no credentials.
        Clusters of EKS Auto Mode have the agent built in.
      - V(fail) ends the task before the first write (in check mode it warns), V(warn) warns, V(ignore) skips the check.
    type: str
    choices: [fail, warn, ignore]
    default: warn
seealso:
  - module: meshwright.ambient.eks_addon
"""

EXAMPLES = r"""
- name: Give the load balancer controller its role
  meshwright.ambient.eks_pod_identity_association:
    cluster: prod
    region: eu-central-1
    associations:
      - namespace: kube-system
        service_account: aws-load-balancer-controller
        role_arn: arn:aws:iam::123456789012:role/aws-load-balancer-controller

- name: Let an application use a bucket of another account, and fail if the agent that provides credentials is missing
  meshwright.ambient.eks_pod_identity_association:
    cluster: prod
    region: eu-central-1
    missing_agent: fail
    associations:
      - namespace: shop
        service_account: reports
        role_arn: arn:aws:iam::123456789012:role/reports
        target_role_arn: arn:aws:iam::210987654321:role/reports-bucket
"""

RETURN = r"""
associations:
  description: The associations, in the order of O(associations), and then the others when O(purge) is set, by name.
  returned: success
  type: list
  elements: dict
  contains:
    namespace:
      description: The namespace of the service account.
      type: str
      sample: kube-system
    service_account:
      description: The name of the service account.
      type: str
      sample: aws-load-balancer-controller
    action:
      description: V(created), V(updated), V(deleted), V(unchanged), or V(kept) for one that O(purge) spares because it belongs to an add-on.
      type: str
      sample: updated
    changed:
      description: Whether it was changed, or would be in check mode.
      type: bool
      sample: true
    association_id:
      description: Its identifier; empty when it is new.
      type: str
      sample: a-1f2e3d4c5b6a79880
    owner_arn:
      description: The ARN of the add-on that it belongs to; empty when it belongs to none.
      type: str
      sample: ""
    before:
      description: Its fields before the task; empty if it did not exist.
      type: dict
      sample: {"disable_session_tags": false, "role_arn": "arn:aws:iam::123456789012:role/old"}
    after:
      description: Its fields after the task; empty if it is not to exist.
      type: dict
      sample: {"disable_session_tags": false, "role_arn": "arn:aws:iam::123456789012:role/aws-load-balancer-controller"}
api_calls:
  description: How many requests were sent to AWS, by operation.
  returned: always
  type: dict
  sample: {"eks:DescribePodIdentityAssociation": 1, "eks:ListPodIdentityAssociations": 1}
"""

import typing as t

from ..module_utils._aws.connect import aws_module, run
from ..module_utils._diff import diff_of
from ..module_utils._eks_pod_identity.apply import apply_changes
from ..module_utils._eks_pod_identity.plan import AssociationChange, plan_associations
from ..module_utils._eks_pod_identity.refusals import find_refusals
from ..module_utils._eks_pod_identity.spec import parse_spec, validate_specs
from ..module_utils._eks_pod_identity.state import find_missing_agent, read_associations
from ..module_utils._errors import raise_if_any

if t.TYPE_CHECKING:
    from ..module_utils._aws.connect import AnsibleAWSModule, Result
    from ..module_utils._aws.session import AwsSession

_ASSOCIATION = {
    "namespace": {"type": "str", "required": True},
    "service_account": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "role_arn": {"type": "str"},
    "target_role_arn": {"type": "str"},
    "disable_session_tags": {"type": "bool"},
    "tags": {"type": "dict"},
}
OPTIONS: dict[str, dict[str, t.Any]] = {
    "cluster": {"type": "str", "required": True},
    "associations": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": _ASSOCIATION,
        "required_if": [("state", "present", ["role_arn"])],
    },
    "purge": {"type": "bool", "default": False},
    "purge_tags": {"type": "bool", "default": True},
    "missing_agent": {"type": "str", "choices": ["fail", "warn", "ignore"], "default": "warn"},
}


def main() -> None:
    run(aws_module(OPTIONS), ensure_associations)


def ensure_associations(module: AnsibleAWSModule, session: AwsSession) -> Result:
    """Make the pod identity associations of a cluster the desired ones."""
    params = module.params
    cluster = params["cluster"]
    specs = [parse_spec(item) for item in params["associations"]]
    raise_if_any(validate_specs(specs), cluster)
    current = read_associations(session, cluster, specs, purge=params["purge"], required=not module.check_mode)
    if current is None:
        module.warn(f"There is no EKS cluster {cluster} in {session.region} yet: all its pod identity associations are reported as new.")
    changes = plan_associations(specs, current or {}, purge=params["purge"], purge_tags=params["purge_tags"])
    refusals = find_refusals(changes)
    if params["missing_agent"] != "ignore" and current is not None and any(change.action in ("created", "updated") for change in changes):
        missing = find_missing_agent(session, cluster)
        if missing and params["missing_agent"] == "fail" and not module.check_mode:
            refusals.append(missing)
        elif missing:
            module.warn(missing)
    raise_if_any(refusals, cluster)
    if not module.check_mode:
        apply_changes(session, cluster, changes)
    return {
        "changed": any(change.changed for change in changes),
        "diff": [diff_of(f"Pod identity association {change.ref}", change.before, change.after) for change in changes if change.changed],
        "associations": [_result(change) for change in changes],
    }


def _result(change: AssociationChange) -> Result:
    return {
        "namespace": change.ref.namespace,
        "service_account": change.ref.name,
        "action": change.action,
        "changed": change.changed,
        "association_id": change.current.id if change.current else "",
        "owner_arn": change.current.owner if change.current else "",
        "before": dict(change.before),
        "after": dict(change.after),
    }


if __name__ == "__main__":
    main()
