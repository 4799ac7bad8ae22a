#!/usr/bin/python
# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: eks_pod_identity_association
short_description: Give service accounts of an EKS cluster IAM roles by EKS Pod Identity
version_added: 0.1.0
description:
  - Declares any number of associations of one cluster in one task. Each gives the pods of one service account the permissions of an IAM role.
  - An association is changed where it is, and not made anew. Pods get what has changed when they next ask for credentials, and a new association
    when they are started anew.
  - Associations that belong to an add-on are left to it.
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
    description: The name of the cluster. In check mode it may be missing, because an earlier task would have made it.
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
        description: The name of the service account. Neither it nor its namespace needs to be there yet.
        type: str
        required: true
      state:
        description: Whether the association should be there.
        type: str
        choices: [present, absent]
        default: present
      role_arn:
        description: The ARN of the IAM role, which must trust C(pods.eks.amazonaws.com). It is required, unless O(associations[].state) is V(absent).
        type: str
      target_role_arn:
        description:
          - The ARN of a second role, of another account perhaps, that is assumed with the first one.
          - An empty string takes it away. Without this option it stays as it is.
        type: str
      disable_session_tags:
        description: Leave out the tags (cluster, namespace, service account and others) that EKS adds to the session. Without this option it stays as it is.
        type: bool
      tags:
        description: The tags of the association. Without this option they stay as they are.
        type: dict
  purge:
    description: Delete the associations of the cluster that O(associations) does not name, except those that belong to add-ons.
    type: bool
    default: false
  purge_tags:
    description: Take away tags of an association that O(associations[].tags) does not name.
    type: bool
    default: true
  missing_agent:
    description:
      - What to do when associations are to be written and the cluster has no add-on C(eks-pod-identity-agent), without which pods get no credentials.
        Clusters of EKS Auto Mode have the agent built in.
      - V(fail) ends the task before the first write (in check mode it warns), V(warn) warns, V(ignore) does not ask.
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

- name: Let an application use a bucket of another account, and fail if nothing could give it credentials
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
      description: Whether it was changed, or in check mode would be.
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
      description: Its fields as they were; empty when it was not there.
      type: dict
      sample: {"disable_session_tags": false, "role_arn": "arn:aws:iam::123456789012:role/old"}
    after:
      description: Its fields as they are now; empty when it should not be there.
      type: dict
      sample: {"disable_session_tags": false, "role_arn": "arn:aws:iam::123456789012:role/aws-load-balancer-controller"}
api_calls:
  description: How many requests were sent to AWS, by operation.
  returned: always
  type: dict
  sample: {"eks:DescribePodIdentityAssociation": 1, "eks:ListPodIdentityAssociations": 1}
"""

import typing as t
from functools import partial

from ..module_utils._aws.connect import aws_module, run
from ..module_utils._aws.eks_objects import Write, describe_cluster, list_of_cluster, once_role_is_known, refuse, set_tags, write_all
from ..module_utils._aws.errors import AwsError
from ..module_utils._diff import diff_of
from ..module_utils._eks.pod_identity_plan import (
    AccountRef,
    Association,
    AssociationChange,
    AssociationWish,
    parse_association,
    parse_wish,
    plan_associations,
    refuse_changes,
    refuse_wishes,
)

if t.TYPE_CHECKING:
    from ..module_utils._aws.connect import AnsibleAWSModule, Result
    from ..module_utils._aws.session import AwsSession

AGENT = "eks-pod-identity-agent"

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
    run(aws_module(OPTIONS), declare_associations)


def declare_associations(module: AnsibleAWSModule, session: AwsSession) -> Result:
    """Read once, decide, write once."""
    params = module.params
    cluster = params["cluster"]
    wishes = [parse_wish(item) for item in params["associations"]]
    refuse(refuse_wishes(wishes), cluster)
    listed = list_associations(session, cluster, required=not module.check_mode)
    if listed is None:
        module.warn(f"There is no EKS cluster {cluster} in {session.region} yet: all its pod identity associations are told as new.")
    present = describe_associations(session, cluster, wishes, listed or [], purge=params["purge"])
    changes = plan_associations(wishes, present, purge=params["purge"], purge_tags=params["purge_tags"])
    refusals = refuse_changes(changes)
    if params["missing_agent"] != "ignore" and listed is not None and any(change.action in ("created", "updated") for change in changes):
        problem = find_missing_agent(session, cluster)
        if problem and params["missing_agent"] == "fail" and not module.check_mode:
            refusals.append(problem)
        elif problem:
            module.warn(problem)
    refuse(refusals, cluster)
    if not module.check_mode:
        write_all(plan_writes(session, cluster, changes))
    return {
        "changed": any(change.changed for change in changes),
        "diff": [diff_of(f"Pod identity association {change.ref}", change.before, change.after) for change in changes if change.changed],
        "associations": [_result(change) for change in changes],
    }


def list_associations(session: AwsSession, cluster: str, *, required: bool) -> list[Association] | None:
    """What EKS lists, which tells neither roles nor tags."""
    listed = list_of_cluster(session, "list_pod_identity_associations", "associations", cluster, required=required)
    return None if listed is None else [parse_association(item) for item in listed]


def describe_associations(
    session: AwsSession, cluster: str, wishes: list[AssociationWish], listed: list[Association], *, purge: bool
) -> dict[AccountRef, Association]:
    """The associations that are there: those that are wished or to be purged with all that is told of them."""
    wanted = {wish.ref for wish in wishes}
    found = {}
    for summary in listed:
        if summary.ref not in wanted and not purge:
            continue
        # One that an add-on owns is left alone, so nothing more is asked about it.
        association = summary if summary.owner and summary.ref not in wanted else _describe(session, cluster, summary)
        if association:
            found[summary.ref] = association
    return found


def find_missing_agent(session: AwsSession, cluster: str) -> str:
    """What is wrong when nothing in the cluster hands out credentials; empty when something does."""
    try:
        session.call("eks", "describe_addon", clusterName=cluster, addonName=AGENT)
    except AwsError as error:
        if not error.absent:
            raise
        if (describe_cluster(session, cluster).get("computeConfig") or {}).get("enabled"):
            return ""
        return (
            f"Cluster {cluster} has no add-on {AGENT}, without which pods get no credentials by pod identity: install it (meshwright.ambient.eks_addon), or "
            "set missing_agent to ignore where the agent runs in another way."
        )
    return ""


def plan_writes(session: AwsSession, cluster: str, changes: list[AssociationChange]) -> list[Write]:
    """All writes in their order: what comes and changes, then what goes."""
    writes: list[Write] = []
    leaving: list[Write] = []
    for change in changes:
        what = f"Pod identity association of {change.ref} for cluster {cluster}"
        call = partial(session.call, "eks", clusterName=cluster)
        if change.action == "created":
            writes.append((what, partial(once_role_is_known, partial(call, "create_pod_identity_association", **change.request))))
        elif change.request:
            writes.append((what, partial(once_role_is_known, partial(call, "update_pod_identity_association", **change.request))))
        if change.tags.any and change.current is not None:
            writes.append((what, partial(set_tags, session, change.current.arn, change.tags)))
        if change.action == "deleted" and change.current is not None:
            leaving.append((what, partial(call, "delete_pod_identity_association", associationId=change.current.id)))
    return [*writes, *leaving]


def _describe(session: AwsSession, cluster: str, summary: Association) -> Association | None:
    try:
        described = session.call("eks", "describe_pod_identity_association", clusterName=cluster, associationId=summary.id)
    except AwsError as error:
        if error.absent:
            return None
        raise
    return parse_association(described["association"])


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
