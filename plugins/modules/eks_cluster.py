#!/usr/bin/python
# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: eks_cluster
short_description: Make, change, upgrade and delete an EKS cluster
version_added: 0.1.0
description:
  - Makes an EKS cluster, or makes the one that is there what the options say. An option that is left out leaves what is there.
  - EKS takes one update at a time. Each is begun when the one before has ended, its end is waited for, and an update that fails is told with EKS' own errors.
  - A version is reached one minor after the other. Before each of them EKS' upgrade insights are asked, which find nodes that are too old, add-ons that do
    not fit and APIs that go away. What they call an error stops the upgrade, unless O(force_upgrade=true).
  - A cluster that an interrupted run has left half made is waited for, and then made what the options say.
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
  name:
    description: The name of the cluster.
    type: str
    required: true
  state:
    description: V(present) makes and changes the cluster. V(absent) deletes it.
    type: str
    choices: [present, absent]
    default: present
  version:
    description:
      - The Kubernetes version of the control plane, as a quoted string such as V("1.34"). A new cluster without it gets EKS' newest default.
      - A later version than the cluster's upgrades it, one minor at a time. An earlier one is refused. Node groups are not touched.
    type: str
  force_upgrade:
    description: Upgrade although EKS' upgrade insights say that something stands in the way.
    type: bool
    default: false
  role_arn:
    description: The ARN of the role of the control plane. A new cluster needs it, and it cannot be changed.
    type: str
  subnet_ids:
    description: The subnets of the control plane, in at least two availability zones. A new cluster needs them.
    type: list
    elements: str
  security_group_ids:
    description: Security groups of the control plane's network interfaces, beside the one that EKS makes.
    type: list
    elements: str
  endpoint_public_access:
    description: Whether the API server is reached from the internet. EKS' default for a new cluster is V(true).
    type: bool
  endpoint_private_access:
    description: Whether the API server is reached from the VPC. EKS' default for a new cluster is V(false).
    type: bool
  public_access_cidrs:
    description: From which addresses of the internet the API server is reached. EKS' default for a new cluster is V(0.0.0.0/0).
    type: list
    elements: str
  log_types:
    description: The control plane's logs that go to CloudWatch, all of them. An empty list turns all off.
    type: list
    elements: str
    choices: [api, audit, authenticator, controllerManager, scheduler]
  encryption_key_arn:
    description: The ARN of the KMS key that encrypts Secrets. It can be given to a cluster once, and not be changed or taken away.
    type: str
  authentication_mode:
    description: Who says which AWS identity may do what, the ConfigMap C(aws-auth), access entries, or both. EKS goes only from V(CONFIG_MAP)
      by V(API_AND_CONFIG_MAP) to V(API), never back.
    type: str
    choices: [CONFIG_MAP, API_AND_CONFIG_MAP, API]
  bootstrap_cluster_creator_admin:
    description: Whether the identity that makes the cluster becomes its administrator. It counts only when the cluster is made. EKS' default is V(true).
    type: bool
  upgrade_policy:
    description: V(STANDARD) has EKS upgrade the cluster when the standard support of its version ends. V(EXTENDED) stays on it, for a fee.
    type: str
    choices: [STANDARD, EXTENDED]
  deletion_protection:
    description: Whether the cluster is protected from deletion.
    type: bool
  override_deletion_protection:
    description: With O(state=absent), delete a cluster that is protected from deletion.
    type: bool
    default: false
  service_ipv4_cidr:
    description: The addresses of the cluster's Services. It counts when the cluster is made, and cannot be changed.
    type: str
  tags:
    description: The tags of the cluster. Without it they are left alone.
    type: dict
    aliases: [resource_tags]
  purge_tags:
    description: Take away the tags that O(tags) does not name. Those of AWS itself, C(aws:...), stay.
    type: bool
    default: true
  wait:
    description: Wait until all is done. Without it the first update is begun, and what is left is for another run.
    type: bool
    default: true
  wait_timeout:
    description: How long to wait for each change, in seconds. EKS makes a cluster in about 10 minutes, and upgrades one within 10 to 25.
    type: int
    default: 2400
seealso:
  - module: meshwright.ambient.eks_cluster_info
  - module: meshwright.ambient.iam_oidc_provider
"""

EXAMPLES = r"""
- name: Make a cluster
  meshwright.ambient.eks_cluster:
    name: prod
    region: eu-west-1
    version: "1.33"
    role_arn: arn:aws:iam::123456789012:role/prod-cluster
    subnet_ids: [subnet-0a1b2c3d4e5f60718, subnet-0b1c2d3e4f5061728]
    endpoint_private_access: true
    authentication_mode: API
    log_types: [audit]
    tags:
      team: mesh

- name: Upgrade it, and nothing else
  meshwright.ambient.eks_cluster:
    name: prod
    region: eu-west-1
    version: "1.34"

- name: Delete it, though it is protected
  meshwright.ambient.eks_cluster:
    name: prod
    region: eu-west-1
    state: absent
    override_deletion_protection: true
"""

RETURN = r"""
cluster:
  description: The cluster as it is now, with the facts of M(meshwright.ambient.eks_cluster_info). Empty when there is none.
  returned: success
  type: dict
  sample: {name: prod, arn: "arn:aws:eks:eu-west-1:123456789012:cluster/prod", status: ACTIVE, version: "1.34"}
changes:
  description: What was done, or in check mode would be, in order.
  returned: success
  type: list
  elements: str
  sample: [authentication_mode API, version 1.34]
updates:
  description: The updates that were begun, in order. A failure tells those before it too.
  returned: when any was begun
  type: list
  elements: dict
  contains:
    title:
      description: What it changes.
      type: str
      sample: version 1.34
    id:
      description: EKS' name of it.
      type: str
      sample: 3f1b2c4d-5e6f-4a7b-8c9d-0e1f2a3b4c5d
    type:
      description: EKS' kind of it.
      type: str
      sample: VersionUpdate
    status:
      description: How it ended, or with O(wait=false) where it was.
      type: str
      sample: Successful
before:
  description: The fields that the options name, as they were. Empty when there was no cluster.
  returned: success
  type: dict
  sample: {version: "1.33"}
after:
  description: The same fields as they are now, or in check mode would be. Empty when there is no cluster.
  returned: success
  type: dict
  sample: {version: "1.34"}
api_calls:
  description: How many requests were sent to AWS, by operation.
  returned: always
  type: dict
  sample:
    eks:DescribeCluster: 1
"""

import typing as t

from ..module_utils._aws.cluster_reading import describe_cluster
from ..module_utils._aws.cluster_work import ClusterWork
from ..module_utils._aws.connect import aws_module, run
from ..module_utils._diff import diff_of
from ..module_utils._eks.cluster_plan import (
    ClusterWishes,
    creation,
    creation_mistakes,
    plan_cluster,
    protection,
    wish_mistakes,
    wished_fields,
)
from ..module_utils._eks.cluster_view import cluster_facts
from ..module_utils._errors import MeshError

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

    from ..module_utils._aws.connect import Result
    from ..module_utils._aws.session import AwsSession
    from ..module_utils._eks.cluster_plan import ClusterPlan
    from ..module_utils._eks.cluster_view import Described

OPTIONS: dict[str, dict[str, t.Any]] = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "version": {"type": "str"},
    "force_upgrade": {"type": "bool", "default": False},
    "role_arn": {"type": "str"},
    "subnet_ids": {"type": "list", "elements": "str"},
    "security_group_ids": {"type": "list", "elements": "str"},
    "endpoint_public_access": {"type": "bool"},
    "endpoint_private_access": {"type": "bool"},
    "public_access_cidrs": {"type": "list", "elements": "str"},
    "log_types": {"type": "list", "elements": "str", "choices": ["api", "audit", "authenticator", "controllerManager", "scheduler"]},
    "encryption_key_arn": {"type": "str", "no_log": False},
    "authentication_mode": {"type": "str", "choices": ["CONFIG_MAP", "API_AND_CONFIG_MAP", "API"]},
    "bootstrap_cluster_creator_admin": {"type": "bool"},
    "upgrade_policy": {"type": "str", "choices": ["STANDARD", "EXTENDED"]},
    "deletion_protection": {"type": "bool"},
    "override_deletion_protection": {"type": "bool", "default": False},
    "service_ipv4_cidr": {"type": "str"},
    "tags": {"type": "dict", "aliases": ["resource_tags"]},
    "purge_tags": {"type": "bool", "default": True},
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 2400},
}
# How it is to be; the other options say what to do about it.
_WISHES = [option for option in OPTIONS if option not in ("state", "force_upgrade", "override_deletion_protection", "wait", "wait_timeout")]


def main() -> None:
    run(aws_module(OPTIONS), work)


def work(module: AnsibleModule, session: AwsSession) -> Result:
    """Look at the cluster; make it, change it, or delete it."""
    work_on = ClusterWork(session, module.params["name"], timeout=module.params["wait_timeout"], wait=module.params["wait"])
    described = describe_cluster(session, module.params["name"])
    if module.params["state"] == "absent":
        return _delete(module, work_on, described)
    wishes = ClusterWishes(**{option: module.params[option] for option in _WISHES})
    mistakes = wish_mistakes(wishes)
    if mistakes:
        raise MeshError("\n".join(mistakes))
    deleting = described is not None and described.get("status") == "DELETING"
    if deleting and module.params["wait"] and not module.check_mode:
        work_on.gone()
        described = None
    if described is None or (deleting and module.check_mode):
        return _create(module, work_on, wishes)
    return _change(module, session, work_on, wishes, described)


def _create(module: AnsibleModule, work_on: ClusterWork, wishes: ClusterWishes) -> Result:
    mistakes = creation_mistakes(wishes)
    if mistakes:
        raise MeshError("\n".join(mistakes))
    cluster = {} if module.check_mode else cluster_facts(work_on.create(creation(wishes)))
    return _result(work_on, ["created"], before={}, after=wished_fields(wishes), cluster=cluster)


def _change(module: AnsibleModule, session: AwsSession, work_on: ClusterWork, wishes: ClusterWishes, described: Described) -> Result:
    if not module.check_mode and module.params["wait"] and described.get("status") not in ("ACTIVE", "FAILED"):
        described = work_on.settled()
    work_on.sound(described)
    plan = plan_cluster(wishes, described)
    if plan.refusals:
        raise MeshError("\n".join(plan.refusals))
    first = next((update.version for update in plan.updates if update.version), "")
    if first and not module.params["force_upgrade"]:
        # Before anything is changed; what a later version needs is asked when its turn comes.
        work_on.refuse_unready(first, module.warn)
    changes = _words(plan)
    if module.check_mode or not plan.changed:
        return _result(work_on, changes, before=plan.before, after=plan.after, cluster=cluster_facts(described))
    work_on.tag(str(described.get("arn")), plan.tags)
    updates = _update(module, work_on, plan)
    now = describe_cluster(session, wishes.name) or {}
    result = _result(work_on, changes, before=plan.before, after=plan.after, cluster=cluster_facts(now))
    return {**result, "updates": updates} if updates else result


def _update(module: AnsibleModule, work_on: ClusterWork, plan: ClusterPlan) -> list[dict[str, t.Any]]:
    """Make the updates one after the other; a failure tells those that were made before it."""
    made: list[dict[str, t.Any]] = []
    first = next((update.version for update in plan.updates if update.version), "")
    for update in plan.updates:
        force = module.params["force_upgrade"]
        try:
            if update.version and update.version != first and not force:
                work_on.refuse_unready(update.version, module.warn)
            made.append(work_on.update(update.forced() if force else update))
        except MeshError as error:
            error.details.setdefault("updates", made)
            raise
        left = [later.title for later in plan.updates[len(made) :]]
        if left and not module.params["wait"]:
            module.warn(f"{work_on.title}: EKS takes one update at a time, so these are left for another run: {'; '.join(left)}.")
            break
    return made


def _delete(module: AnsibleModule, work_on: ClusterWork, described: Described | None) -> Result:
    if described is None:
        return _result(work_on, [], before={}, after={}, cluster={})
    before = {"name": module.params["name"], "version": described.get("version") or ""}
    if described.get("status") == "DELETING":
        if module.params["wait"] and not module.check_mode:
            work_on.gone()
        return _result(work_on, [], before={}, after={}, cluster={})
    if described.get("deletionProtection") and not module.params["override_deletion_protection"]:
        raise MeshError(f"{work_on.title} is protected from deletion: set override_deletion_protection to true if it is really to go.")
    work_on.refuse_inhabited()
    if not module.check_mode:
        if module.params["wait"] and described.get("status") not in ("ACTIVE", "FAILED"):
            # EKS deletes no cluster that it is still making or updating.
            work_on.settled_or_failed()
        if described.get("deletionProtection"):
            work_on.update(protection(False))
        work_on.delete()
    return _result(work_on, ["deleted"], before=before, after={}, cluster={})


def _words(plan: ClusterPlan) -> list[str]:
    tags = [f"tag {key}" for key in plan.tags.set] + [f"no tag {key}" for key in plan.tags.remove]
    return [*tags, *(update.title for update in plan.updates)]


def _result(work_on: ClusterWork, changes: list[str], *, before: t.Mapping[str, t.Any], after: t.Mapping[str, t.Any], cluster: Result) -> Result:
    result: Result = {"changed": bool(changes), "changes": changes, "before": dict(before), "after": dict(after), "cluster": cluster}
    if changes:
        result["diff"] = [diff_of(work_on.title, before, after)]
    return result


if __name__ == "__main__":
    main()
