#!/usr/bin/python
# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: eks_addon
short_description: Install, update and delete add-ons of an EKS cluster
version_added: 0.1.0
description:
  - Declares any number of add-ons of one cluster in one task. All requests are sent first, and then all add-ons are waited for, so the task takes as
    long as the slowest of them.
  - The version may be V(default), V(latest) or a prefix such as V(v1.20), which are resolved for the version of the cluster.
  - An add-on that EKS finds unhealthy is a failure that quotes EKS' own health issues.
  - A run that was interrupted is taken up. What is being created or updated is waited for, and an add-on whose creation or update has failed is made again.
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
  addons:
    description: The add-ons.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: The name of the add-on as EKS has it, such as V(vpc-cni), V(coredns), V(kube-proxy), V(eks-pod-identity-agent), V(aws-ebs-csi-driver).
        type: str
        required: true
      state:
        description: Whether the add-on should be there.
        type: str
        choices: [present, absent]
        default: present
      version:
        description:
          - V(default) is the version that EKS installs by itself on this version of Kubernetes. An add-on that is newer, and still offered, stays.
          - V(latest) is the newest one for this version of Kubernetes.
          - A prefix such as V(v1.20) is the newest one that begins with it, and an exact version such as V(v1.20.0-eksbuild.1) is that one.
            Both are obeyed in both directions.
          - Without this option, what is installed stays, and a new add-on gets the default.
        type: str
      configuration_values:
        description:
          - The configuration of the add-on, by the schema that C(aws eks describe-addon-configuration) shows. It is compared by its meaning.
          - An empty mapping takes all configuration away. Without this option it stays as it is.
        type: dict
      resolve_conflicts:
        description:
          - What EKS does with fields of the add-on's objects that somebody else has set. It is used only when something is sent.
          - V(none) changes nothing and lets the request fail, V(overwrite) sets EKS' own values, V(preserve) keeps what is there.
        type: str
        choices: [none, overwrite, preserve]
        default: none
      service_account_role_arn:
        description:
          - The ARN of the IAM role for the add-on's service account (IRSA). It needs an OIDC provider of the cluster in IAM.
          - An empty string takes the role away. Without this option it stays as it is.
        type: str
      pod_identity_associations:
        description:
          - The IAM roles of the add-on's service accounts by EKS Pod Identity, which needs the add-on V(eks-pod-identity-agent). These belong to the add-on.
          - An empty list takes all of them away. Without this option they stay as they are.
        type: list
        elements: dict
        suboptions:
          service_account:
            description: The name of the add-on's service account.
            type: str
            required: true
          role_arn:
            description: The ARN of the IAM role.
            type: str
            required: true
      namespace:
        description: The namespace for the add-on, where it should not be the add-on's own. It can only be chosen at creation.
        type: str
      tags:
        description: The tags of the add-on. Without this option they stay as they are.
        type: dict
  purge:
    description: Delete the add-ons of the cluster that O(addons) does not name.
    type: bool
    default: false
  purge_tags:
    description: Take away tags of an add-on that O(addons[].tags) does not name.
    type: bool
    default: true
  preserve:
    description: Leave the software of deleted add-ons in the cluster, where EKS does not look after it any more.
    type: bool
    default: false
  allow_degraded:
    description:
      - Do not fail for add-ons that are C(DEGRADED) only because their pods have no nodes yet (C(InsufficientNumberOfReplicas)). They become warnings.
      - Set it where nodes come later than add-ons, as Karpenter's do.
    type: bool
    default: false
  wait:
    description:
      - Wait until all add-ons are healthy, and those that are deleted have gone.
      - An add-on that EKS is still busy with is always waited for before it is changed.
    type: bool
    default: true
  wait_timeout:
    description: How long to wait altogether, in seconds. EKS itself gives up on an add-on after 20 minutes.
    type: int
    default: 1200
seealso:
  - module: meshwright.ambient.eks_pod_identity_association
"""

EXAMPLES = r"""
- name: Have the add-ons that every cluster needs, in their default versions
  meshwright.ambient.eks_addon:
    cluster: prod
    region: eu-central-1
    addons:
      - name: vpc-cni
        version: default
        configuration_values:
          env:
            ENABLE_PREFIX_DELEGATION: "true"
        resolve_conflicts: overwrite
      - name: kube-proxy
        version: default
      - name: eks-pod-identity-agent
        version: default

- name: Install the EBS CSI driver with a role of its own, and coredns before there are nodes
  meshwright.ambient.eks_addon:
    cluster: prod
    region: eu-central-1
    allow_degraded: true
    addons:
      - name: coredns
        version: latest
      - name: aws-ebs-csi-driver
        version: v1.45
        pod_identity_associations:
          - service_account: ebs-csi-controller-sa
            role_arn: arn:aws:iam::123456789012:role/ebs-csi

- name: Have exactly these add-ons, and leave the software of others where it is
  meshwright.ambient.eks_addon:
    cluster: prod
    region: eu-central-1
    purge: true
    preserve: true
    addons:
      - name: vpc-cni
      - name: coredns
      - name: kube-proxy
"""

RETURN = r"""
addons:
  description: The add-ons, in the order of O(addons), and then those that were purged, by name.
  returned: success, or when add-ons are not healthy
  type: list
  elements: dict
  contains:
    name:
      description: The name of the add-on.
      type: str
      sample: vpc-cni
    action:
      description: V(created), V(updated), V(recreated) after a creation that had failed, V(deleted) or V(unchanged).
      type: str
      sample: updated
    changed:
      description: Whether it was changed, or in check mode would be.
      type: bool
      sample: true
    version:
      description: The version that it has, or in check mode would have; empty when it is not there.
      type: str
      sample: v1.20.0-eksbuild.1
    status:
      description: The status that was seen last; empty when it was not there.
      type: str
      sample: ACTIVE
    arn:
      description: Its ARN; empty when it was not there.
      type: str
      sample: arn:aws:eks:eu-central-1:123456789012:addon/prod/vpc-cni/50c2a1e5-0000-4c1e-9a52-3f3b2a7c9d10
    issues:
      description: What EKS finds wrong with it.
      type: list
      elements: dict
      contains:
        code:
          description: The code of the issue.
          type: str
          sample: InsufficientNumberOfReplicas
        message:
          description: EKS' own words.
          type: str
          sample: The add-on is unhealthy because it doesn't have the desired number of replicas.
        resources:
          description: The identifiers of the resources that it concerns.
          type: list
          elements: str
          sample: []
    before:
      description: Its fields as they were; empty when it was not there.
      type: dict
      sample: {"version": "v1.19.2-eksbuild.1"}
    after:
      description: Its fields as they are now; empty when it should not be there.
      type: dict
      sample: {"version": "v1.20.0-eksbuild.1"}
api_calls:
  description: How many requests were sent to AWS, by operation.
  returned: always
  type: dict
  sample: {"eks:DescribeAddon": 3, "eks:ListAddons": 1}
"""

import typing as t

from ..module_utils._aws.addon_calls import AddonReader, AddonWait, remove_failed, send
from ..module_utils._aws.connect import aws_module, run
from ..module_utils._aws.eks_objects import refuse, write_all
from ..module_utils._diff import diff_of
from ..module_utils._eks.addon_plan import Addon, AddonChange, AddonWish, judge, parse_wish, plan_addons, refuse_changes, refuse_wishes
from ..module_utils._errors import MeshError

if t.TYPE_CHECKING:
    from ..module_utils._aws.connect import AnsibleAWSModule, Result
    from ..module_utils._aws.session import AwsSession

_ASSOCIATION = {"service_account": {"type": "str", "required": True}, "role_arn": {"type": "str", "required": True}}
_ADDON = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "version": {"type": "str"},
    "configuration_values": {"type": "dict"},
    "resolve_conflicts": {"type": "str", "choices": ["none", "overwrite", "preserve"], "default": "none"},
    "service_account_role_arn": {"type": "str"},
    "pod_identity_associations": {"type": "list", "elements": "dict", "options": _ASSOCIATION},
    "namespace": {"type": "str"},
    "tags": {"type": "dict"},
}
OPTIONS: dict[str, dict[str, t.Any]] = {
    "cluster": {"type": "str", "required": True},
    "addons": {"type": "list", "elements": "dict", "required": True, "options": _ADDON},
    "purge": {"type": "bool", "default": False},
    "purge_tags": {"type": "bool", "default": True},
    "preserve": {"type": "bool", "default": False},
    "allow_degraded": {"type": "bool", "default": False},
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 1200},
}


def main() -> None:
    run(aws_module(OPTIONS), declare_addons)


def declare_addons(module: AnsibleAWSModule, session: AwsSession) -> Result:
    """Read once, decide, send all, wait for all."""
    params = module.params
    cluster = params["cluster"]
    wishes = [parse_wish(item) for item in params["addons"]]
    refuse(refuse_wishes(wishes), cluster)
    reader = AddonReader(session, cluster, required=not module.check_mode)
    if not reader.cluster_exists:
        module.warn(f"There is no EKS cluster {cluster} in {session.region} yet: all its add-ons are told as new.")
    present = reader.describe(wishes, reader.names if params["purge"] else ())
    versions = reader.versions(wishes, present)

    def plan() -> list[AddonChange]:
        changes = plan_addons(wishes, present, versions, purge=params["purge"], purge_tags=params["purge_tags"])
        refuse(refuse_changes(changes, wishes), cluster)
        return changes

    changes = plan()
    seen: dict[str, Addon] = dict(present)
    if not module.check_mode:
        patience = AddonWait(reader, cluster, timeout=params["wait_timeout"], allow_degraded=params["allow_degraded"])
        blocked = [change.name for change in changes if change.blocked]
        if blocked:
            # EKS is still busy with what an earlier run, or somebody else, has asked for.
            patience.until_idle(blocked)
            for name in blocked:
                present.pop(name, None)
            present.update(reader.describe([wish for wish in wishes if wish.name in blocked], [name for name in blocked if params["purge"]]))
            changes = plan()
        apply(session, cluster, changes, patience, preserve=params["preserve"])
        if params["wait"]:
            try:
                warnings = wait(changes, wishes, patience, seen)
            except MeshError as error:
                raise MeshError(error.message, changed=any(change.changed for change in changes), addons=[_result(one, seen) for one in changes]) from error
            for warning in warnings:
                module.warn(warning)
    if module.check_mode or not params["wait"]:
        for warning in unhealthy(changes, wishes, cluster):
            module.warn(warning)
    return {
        "changed": any(change.changed for change in changes),
        "diff": [diff_of(f"Add-on {change.name}", change.before, change.after) for change in changes if change.changed],
        "addons": [_result(change, seen) for change in changes],
    }


def apply(session: AwsSession, cluster: str, changes: list[AddonChange], patience: AddonWait, *, preserve: bool) -> None:
    """Send all changes: what goes, then what comes."""
    recreated = [change for change in changes if change.action == "recreated"]
    write_all([remove_failed(session, cluster, change) for change in recreated])
    patience.until_gone([change.name for change in recreated])
    ordered = sorted(changes, key=lambda change: change.action != "deleted")
    write_all([write for change in ordered for write in send(session, cluster, change, preserve=preserve)])


def wait(changes: list[AddonChange], wishes: list[AddonWish], patience: AddonWait, seen: dict[str, Addon]) -> list[str]:
    """Wait until what should go has gone, and what should be there is healthy; note what was seen, and return what is tolerated."""
    wanted = {wish.name for wish in wishes if wish.present}
    going = [change.name for change in changes if change.name not in wanted and change.current is not None]
    # Tags alone change nothing about its health.
    known = {change.name: None if change.request else change.current for change in changes if change.name in wanted}
    try:
        tolerated = patience.until_healthy(known, seen)
    finally:
        for name in going:
            seen.pop(name, None)
    patience.until_gone(going)
    stayed = [
        f"Add-on {change.name} is still of version {seen[change.name].version}, although EKS has accepted to make it {change.request['addonVersion']}: look at "
        "its update history in the console of EKS, and run again."
        for change in changes
        if change.request and seen[change.name].version != change.request["addonVersion"]
    ]
    if stayed:
        raise MeshError("\n".join(stayed))
    return tolerated


def unhealthy(changes: list[AddonChange], wishes: list[AddonWish], cluster: str) -> list[str]:
    """What is wrong with add-ons that stay as they are, where nobody waits for them."""
    wanted = {wish.name for wish in wishes if wish.present}
    judged = [judge(change.current, cluster, allow_degraded=False) for change in changes if change.name in wanted and change.current and not change.request]
    return [health.failed for health in judged if health.failed]


def _result(change: AddonChange, seen: t.Mapping[str, Addon]) -> Result:
    addon = seen.get(change.name)
    return {
        "name": change.name,
        "action": change.action,
        "changed": change.changed,
        "version": change.after.get("version", ""),
        "status": addon.status if addon else "",
        "arn": addon.arn if addon else "",
        "issues": [{"code": issue.code, "message": issue.message, "resources": list(issue.resources)} for issue in (addon.issues if addon else ())],
        "before": dict(change.before),
        "after": dict(change.after),
    }


if __name__ == "__main__":
    main()
