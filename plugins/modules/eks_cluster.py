#!/usr/bin/python
# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: eks_cluster
short_description: Create, update, upgrade and delete an EKS cluster
version_added: 0.1.0
description:
  - Creates an EKS cluster, or updates an existing one. Options that are omitted leave the current values unchanged.
  - EKS accepts one update at a time, so the module waits for each update before it starts the next. If an update fails, the error quotes those of EKS.
  - The cluster is upgraded one minor version at a time. Before each step, the upgrade insights of EKS are read, which find nodes that are too old, add-ons that
    are incompatible, and APIs that are removed. An insight with an error stops the upgrade, unless O(force_upgrade=true).
  - A cluster that an interrupted run has left half created is waited for, and then updated.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - meshwright.ambient._attributes.aws
options:
  name:
    description: The name of the cluster.
    type: str
    required: true
  state:
    description: V(present) creates and updates the cluster. V(absent) deletes it.
    type: str
    choices: [present, absent]
    default: present
  version:
    description:
      - The Kubernetes version of the control plane, as a quoted string such as V("1.34"). If omitted, a new cluster gets the default of EKS.
      - A later version than the cluster's upgrades it, one minor version at a time. An earlier one is refused. Node groups are not changed.
    type: str
  force_upgrade:
    description: Upgrade even if the upgrade insights of EKS report errors.
    type: bool
    default: false
  role_arn:
    description: The ARN of the IAM role of the control plane. It is required for a new cluster, and cannot be changed.
    type: str
  subnet_ids:
    description: The subnets of the control plane, in at least two availability zones. They are required for a new cluster.
    type: list
    elements: str
  security_group_ids:
    description: Security groups of the control plane's network interfaces, beside the one that EKS creates.
    type: list
    elements: str
  endpoint_public_access:
    description: Whether the API server can be reached from the internet. The default of EKS for a new cluster is V(true).
    type: bool
  endpoint_private_access:
    description: Whether the API server can be reached from the VPC. The default of EKS for a new cluster is V(false).
    type: bool
  public_access_cidrs:
    description: The address ranges of the internet that may reach the API server. The default of EKS for a new cluster is V(0.0.0.0/0).
    type: list
    elements: str
  log_types:
    description: All logs of the control plane that go to CloudWatch. An empty list turns all of them off.
    type: list
    elements: str
    choices: [api, audit, authenticator, controllerManager, scheduler]
  encryption_key_arn:
    description: The ARN of the KMS key that encrypts Secrets. It can be set once, and neither changed nor removed.
    type: str
  authentication_mode:
    description: What grants AWS identities access, the ConfigMap C(aws-auth), access entries, or both. EKS moves only from V(CONFIG_MAP)
      through V(API_AND_CONFIG_MAP) to V(API), never back.
    type: str
    choices: [CONFIG_MAP, API_AND_CONFIG_MAP, API]
  bootstrap_cluster_creator_admin:
    description: Whether the identity that creates the cluster becomes its administrator. It applies only at creation. The default of EKS is V(true).
    type: bool
  upgrade_policy:
    description: With V(STANDARD), EKS upgrades the cluster when standard support for its version ends. With V(EXTENDED), it keeps the version, for a fee.
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
    description: The address range of the cluster's Services. It applies only at creation, and cannot be changed.
    type: str
  tags:
    description: The tags of the cluster. If omitted, they are left unchanged.
    type: dict
    aliases: [resource_tags]
  purge_tags:
    description: Remove the tags that O(tags) does not name. Tags of AWS itself, C(aws:...), are kept.
    type: bool
    default: true
  wait:
    description: Wait until everything is done. If V(false), the first update is started, and the others are left for another run.
    type: bool
    default: true
  wait_timeout:
    description: How long to wait for each change, in seconds. EKS creates a cluster in about 10 minutes, and upgrades one in 10 to 25.
    type: int
    default: 2400
seealso:
  - module: meshwright.ambient.eks_cluster_info
  - module: meshwright.ambient.iam_oidc_provider
"""

EXAMPLES = r"""
- name: Create a cluster
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

- name: Delete it in spite of its protection
  meshwright.ambient.eks_cluster:
    name: prod
    region: eu-west-1
    state: absent
    override_deletion_protection: true
"""

RETURN = r"""
cluster:
  description: The cluster after the task, with the keys of M(meshwright.ambient.eks_cluster_info). Empty if there is none.
  returned: success
  type: dict
  sample: {name: prod, arn: "arn:aws:eks:eu-west-1:123456789012:cluster/prod", status: ACTIVE, version: "1.34"}
changes:
  description: What was changed, or would be in check mode, in order.
  returned: success
  type: list
  elements: str
  sample: [authentication_mode API, version 1.34]
updates:
  description: The updates that were started, in order. A failure returns those before it as well.
  returned: if any was started
  type: list
  elements: dict
  contains:
    title:
      description: What it changes.
      type: str
      sample: version 1.34
    id:
      description: Its id in EKS.
      type: str
      sample: 3f1b2c4d-5e6f-4a7b-8c9d-0e1f2a3b4c5d
    type:
      description: Its type in EKS.
      type: str
      sample: VersionUpdate
    status:
      description: Its final status, or with O(wait=false) its first one.
      type: str
      sample: Successful
before:
  description: The fields that the options name, before the task. Empty if there was no cluster.
  returned: success
  type: dict
  sample: {version: "1.33"}
after:
  description: The same fields after the task, or as they would be in check mode. Empty if there is no cluster.
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

from ..module_utils._aws.connect import aws_module, run
from ..module_utils._diff import diff_of
from ..module_utils._eks_cluster.apply import ClusterWriter
from ..module_utils._eks_cluster.normalize import normalize_cluster
from ..module_utils._eks_cluster.plan import desired_fields, plan_cluster, plan_protection
from ..module_utils._eks_cluster.refusals import find_creation_refusals, find_deletion_refusals
from ..module_utils._eks_cluster.render import render_creation
from ..module_utils._eks_cluster.spec import AUTHENTICATION_MODES, LOG_TYPES, ClusterSpec, validate_spec
from ..module_utils._eks_cluster.state import describe_cluster, list_nodegroups
from ..module_utils._errors import MeshError

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

    from ..module_utils._aws.connect import Result
    from ..module_utils._aws.session import AwsSession
    from ..module_utils._eks_cluster.normalize import Description

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
    "log_types": {"type": "list", "elements": "str", "choices": list(LOG_TYPES)},
    "encryption_key_arn": {"type": "str", "no_log": False},
    "authentication_mode": {"type": "str", "choices": list(AUTHENTICATION_MODES)},
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
# The desired cluster; the other options say how it is changed.
_SPEC = [option for option in OPTIONS if option not in ("state", "force_upgrade", "override_deletion_protection", "wait", "wait_timeout")]


def main() -> None:
    run(aws_module(OPTIONS), ensure_cluster)


def ensure_cluster(module: AnsibleModule, session: AwsSession) -> Result:
    """Create the cluster, change it, or delete it."""
    params = module.params
    name, wait = params["name"], params["wait"] and not module.check_mode
    spec = ClusterSpec(**{option: params[option] for option in _SPEC})
    writer = ClusterWriter(session, name, timeout=params["wait_timeout"], wait=params["wait"], force_upgrade=params["force_upgrade"], warn=module.warn)
    if params["state"] == "absent":
        return _delete(module, session, writer, describe_cluster(session, name))
    _refuse(validate_spec(spec))
    current = describe_cluster(session, name)
    if current is not None and current.get("status") == "DELETING" and (wait or module.check_mode):
        if wait:
            writer.wait_until_deleted()
        current = None
    if current is None:
        return _create(module, writer, spec)
    return _change(module, session, writer, spec, current)


def _create(module: AnsibleModule, writer: ClusterWriter, spec: ClusterSpec) -> Result:
    _refuse(find_creation_refusals(spec))
    cluster = {} if module.check_mode else normalize_cluster(writer.create(render_creation(spec)))
    return _result(writer, ["created"], before={}, after=desired_fields(spec), cluster=cluster)


def _change(module: AnsibleModule, session: AwsSession, writer: ClusterWriter, spec: ClusterSpec, current: Description) -> Result:
    if not module.check_mode and module.params["wait"] and current.get("status") not in ("ACTIVE", "FAILED"):
        current = writer.wait_until_active()
    plan = plan_cluster(spec, writer.check_usable(current))
    _refuse(plan.refusals)
    # Before anything is changed; the insights for later versions are read when their turn comes.
    writer.refuse_unready(plan.first_version)
    if module.check_mode or not plan.changed:
        return _result(writer, plan.changes, before=plan.before, after=plan.after, cluster=normalize_cluster(current))
    updates = writer.apply(str(current.get("arn")), plan)
    result = _result(writer, plan.changes, before=plan.before, after=plan.after, cluster=normalize_cluster(describe_cluster(session, spec.name) or {}))
    return {**result, "updates": updates} if updates else result


def _delete(module: AnsibleModule, session: AwsSession, writer: ClusterWriter, current: Description | None) -> Result:
    if current is None:
        return _result(writer, [], before={}, after={}, cluster={})
    wait = module.params["wait"] and not module.check_mode
    if current.get("status") == "DELETING":
        if wait:
            writer.wait_until_deleted()
        return _result(writer, [], before={}, after={}, cluster={})
    protected, override = bool(current.get("deletionProtection")), module.params["override_deletion_protection"]
    nodegroups = list_nodegroups(session, module.params["name"])
    _refuse(find_deletion_refusals(writer.title, protected=protected, override_protection=override, nodegroups=nodegroups))
    if not module.check_mode:
        if wait and current.get("status") not in ("ACTIVE", "FAILED"):
            # EKS deletes no cluster that it is still creating or updating.
            writer.wait_until_idle()
        if protected:
            writer.update(plan_protection(False))
        writer.delete()
    before = {"name": module.params["name"], "version": current.get("version") or ""}
    return _result(writer, ["deleted"], before=before, after={}, cluster={})


def _refuse(refusals: t.Sequence[str]) -> None:
    if refusals:
        raise MeshError(refusals)


def _result(writer: ClusterWriter, changes: list[str], *, before: t.Mapping[str, t.Any], after: t.Mapping[str, t.Any], cluster: Result) -> Result:
    result: Result = {"changed": bool(changes), "changes": changes, "before": dict(before), "after": dict(after), "cluster": cluster}
    if changes:
        result["diff"] = [diff_of(writer.title, before, after)]
    return result


if __name__ == "__main__":
    main()
