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
  - Manages any number of add-ons of one cluster in one task. All requests are sent first, and then all add-ons are waited for, so the task takes as
    long as the slowest add-on.
  - The version may be V(default), V(latest) or a prefix such as V(v1.20), which are resolved for the version of the cluster.
  - The task fails for an unhealthy add-on, and quotes the health issues that EKS reports.
  - An interrupted run is continued. Add-ons that are being created or updated are waited for, and failed creations and updates are repeated.
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
  addons:
    description: The add-ons.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: The name of the add-on in EKS, such as V(vpc-cni), V(coredns), V(kube-proxy), V(eks-pod-identity-agent), V(aws-ebs-csi-driver).
        type: str
        required: true
      state:
        description: Whether the add-on exists.
        type: str
        choices: [present, absent]
        default: present
      version:
        description:
          - V(default) is the version that EKS itself installs on this version of Kubernetes. A newer version that is still offered is kept.
          - V(latest) is the newest version for this version of Kubernetes.
          - A prefix such as V(v1.20) selects the newest version that begins with it, an exact version such as V(v1.20.0-eksbuild.1) that one.
            Both upgrade and downgrade.
          - If omitted, an installed add-on keeps its version, and a new add-on gets the default.
        type: str
      configuration_values:
        description:
          - The configuration of the add-on, in the schema that C(aws eks describe-addon-configuration) shows. Only its meaning is compared.
          - An empty dictionary removes all configuration. If omitted, it is left unchanged.
        type: dict
      resolve_conflicts:
        description:
          - What EKS does with fields of the add-on's objects that others have set. It applies only to add-ons that are created or updated.
          - V(none) changes nothing and lets the request fail, V(overwrite) sets the values of EKS, V(preserve) keeps the current values.
        type: str
        choices: [none, overwrite, preserve]
        default: none
      service_account_role_arn:
        description:
          - The ARN of the IAM role for the add-on's service account (IRSA). It requires an OIDC provider for the cluster in IAM.
          - An empty string removes the role. If omitted, it is left unchanged.
        type: str
      pod_identity_associations:
        description:
          - The IAM roles of the add-on's service accounts through EKS Pod Identity, which requires the add-on V(eks-pod-identity-agent). These associations
            belong to the add-on.
          - An empty list removes all of them. If omitted, they are left unchanged.
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
        description: The namespace of the add-on, if not its own default. It can only be chosen at creation.
        type: str
      tags:
        description: The tags of the add-on. If omitted, they are left unchanged.
        type: dict
  purge:
    description: Delete the add-ons of the cluster that O(addons) does not name.
    type: bool
    default: false
  purge_tags:
    description: Remove tags of an add-on that O(addons[].tags) does not name.
    type: bool
    default: true
  preserve:
    description: Leave the software of deleted add-ons in the cluster, where EKS no longer manages it.
    type: bool
    default: false
  allow_degraded:
    description:
      - Warn, instead of failing, about add-ons that are C(DEGRADED) only because their pods have no nodes yet (C(InsufficientNumberOfReplicas)).
      - Set it where nodes come later than add-ons, as with Karpenter.
    type: bool
    default: false
  wait:
    description:
      - Wait until all add-ons are healthy, and deleted ones are gone.
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
- name: Install the add-ons that every cluster needs, in their default versions
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

- name: Install the EBS CSI driver with its own IAM role, and coredns before there are nodes
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

- name: Keep exactly these add-ons, and leave the software of the others in place
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
  description: The add-ons, in the order of O(addons), followed by those that were purged, by name.
  returned: success, or if add-ons are unhealthy
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
      description: Whether it was changed, or would be in check mode.
      type: bool
      sample: true
    version:
      description: The version that it has, or would have in check mode; empty if it does not exist.
      type: str
      sample: v1.20.0-eksbuild.1
    status:
      description: The last status; empty if it did not exist.
      type: str
      sample: ACTIVE
    arn:
      description: Its ARN; empty if it did not exist.
      type: str
      sample: arn:aws:eks:eu-central-1:123456789012:addon/prod/vpc-cni/50c2a1e5-0000-4c1e-9a52-3f3b2a7c9d10
    issues:
      description: Its health issues.
      type: list
      elements: dict
      contains:
        code:
          description: The code of the issue.
          type: str
          sample: InsufficientNumberOfReplicas
        message:
          description: The message of EKS.
          type: str
          sample: The add-on is unhealthy because it doesn't have the desired number of replicas.
        resources:
          description: The identifiers of the resources that it concerns.
          type: list
          elements: str
          sample: []
    before:
      description: Its fields before the task; empty if it did not exist.
      type: dict
      sample: {"version": "v1.19.2-eksbuild.1"}
    after:
      description: Its fields after the task; empty if it is not to exist.
      type: dict
      sample: {"version": "v1.20.0-eksbuild.1"}
api_calls:
  description: How many requests were sent to AWS, by operation.
  returned: always
  type: dict
  sample: {"eks:DescribeAddon": 3, "eks:ListAddons": 1}
"""

import typing as t

from ..module_utils._aws.connect import aws_module, run
from ..module_utils._diff import diff_of
from ..module_utils._eks_addon.apply import AddonWait, apply_changes, wait_for_changes
from ..module_utils._eks_addon.health import check_health
from ..module_utils._eks_addon.plan import AddonChange, plan_addons
from ..module_utils._eks_addon.refusals import find_refusals
from ..module_utils._eks_addon.spec import parse_spec, validate_specs
from ..module_utils._eks_addon.state import read_again, read_state
from ..module_utils._errors import MeshError, raise_if_any

if t.TYPE_CHECKING:
    from ..module_utils._aws.connect import AnsibleAWSModule, Result
    from ..module_utils._aws.session import AwsSession
    from ..module_utils._eks_addon.normalize import Addon
    from ..module_utils._eks_addon.spec import AddonSpec
    from ..module_utils._eks_addon.state import AddonState

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
    run(aws_module(OPTIONS), ensure_addons)


def ensure_addons(module: AnsibleAWSModule, session: AwsSession) -> Result:
    """Make the add-ons of a cluster the desired ones: all requests are sent first, then all add-ons are waited for."""
    params = module.params
    cluster = params["cluster"]
    specs = [parse_spec(item) for item in params["addons"]]
    raise_if_any(validate_specs(specs), cluster)
    state = read_state(session, cluster, specs, purge=params["purge"], required=not module.check_mode)
    if not state.exists:
        module.warn(f"There is no EKS cluster {cluster} in {session.region} yet: all its add-ons are reported as new.")
    changes = _plan(module, specs, state)
    desired = {spec.name for spec in specs if spec.present}
    current = dict(state.addons)
    warnings: list[str] = []
    if not module.check_mode:
        wait = AddonWait(session, cluster, timeout=params["wait_timeout"], allow_degraded=params["allow_degraded"])
        blocked = [change.name for change in changes if change.blocked]
        if blocked:
            # EKS is still busy with what an earlier run, or somebody else, has requested, and what comes of it is what has to be changed.
            wait.wait_until_idle(blocked)
            changes = _plan(module, specs, read_again(session, cluster, specs, state, blocked))
        apply_changes(session, cluster, changes, wait, preserve=params["preserve"])
        if params["wait"]:
            try:
                warnings = wait_for_changes(changes, desired, wait, current)
            except MeshError as error:
                raise MeshError(error.message, changed=any(change.changed for change in changes), addons=[_result(one, current) for one in changes]) from error
    if module.check_mode or not params["wait"]:
        warnings = _unhealthy(changes, desired, cluster)
    for warning in warnings:
        module.warn(warning)
    return {
        "changed": any(change.changed for change in changes),
        "diff": [diff_of(f"Add-on {change.name}", change.before, change.after) for change in changes if change.changed],
        "addons": [_result(change, current) for change in changes],
    }


def _plan(module: AnsibleAWSModule, specs: t.Sequence[AddonSpec], state: AddonState) -> list[AddonChange]:
    changes = plan_addons(specs, state.addons, state.versions, purge=module.params["purge"], purge_tags=module.params["purge_tags"])
    raise_if_any(find_refusals(changes, specs), module.params["cluster"])
    return changes


def _unhealthy(changes: t.Iterable[AddonChange], desired: t.Collection[str], cluster: str) -> list[str]:
    """What is wrong with add-ons that stay as they are, if nobody waits for them."""
    verdicts = [
        check_health(change.current, cluster, allow_degraded=False) for change in changes if change.name in desired and change.current and not change.request
    ]
    return [verdict.failure for verdict in verdicts if verdict.failure]


def _result(change: AddonChange, current: t.Mapping[str, Addon]) -> Result:
    addon = current.get(change.name)
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
