#!/usr/bin/python
# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: eks_nodegroup
short_description: Create, update and delete the managed node groups of an EKS cluster
version_added: 0.1.0
description:
  - Manages all node groups of a cluster in one task. They are created, updated and waited for at the same time.
  - The labels, taints, size limits, update settings, Kubernetes version, AMI release and tags of an existing node group are updated.
    Changes of what EKS fixes at creation (role, subnets, instance types, AMI type, capacity type, disk size, launch template) are refused, with a remedy,
    before anything is written.
  - Node groups that already match are not written. Node groups that are not named are left unchanged.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - meshwright.ambient._attributes.aws
options:
  cluster:
    description: The name of the cluster.
    type: str
    required: true
  nodegroups:
    description: The node groups. Options that are omitted get the defaults of EKS at creation, and are left unchanged later.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: The name of the node group.
        type: str
        required: true
      state:
        description: Whether the node group exists. Deleting it drains its nodes.
        type: str
        choices: [present, absent]
        default: present
      node_role:
        description: The ARN of the IAM role of the nodes. Required unless O(nodegroups[].state=absent). Fixed at creation.
        type: str
      subnets:
        description: The ids of the subnets in which nodes may start. Required unless O(nodegroups[].state=absent). Fixed at creation.
        type: list
        elements: str
      instance_types:
        description: The EC2 instance types, such as V(m7i.large). Fixed at creation.
        type: list
        elements: str
      ami_type:
        description: The kind of machine image, such as V(AL2023_x86_64_STANDARD) or V(BOTTLEROCKET_ARM_64). Fixed at creation.
        type: str
      capacity_type:
        description: How nodes are paid for. Fixed at creation.
        type: str
        choices: [ON_DEMAND, SPOT, CAPACITY_BLOCK]
      disk_size:
        description: The size of each node's root disk, in GiB. Fixed at creation.
        type: int
      min_size:
        description: The minimum number of nodes.
        type: int
      max_size:
        description: The maximum number of nodes.
        type: int
      desired_size:
        description:
          - How many nodes the node group starts with.
          - Later, the cluster's autoscaler sets it, and changes only if O(nodegroups[].min_size) and O(nodegroups[].max_size) require it.
        type: int
      max_unavailable:
        description: How many nodes may be replaced at the same time during an update.
        type: int
      max_unavailable_percentage:
        description: The same as a percentage of the nodes.
        type: int
      labels:
        description: The Kubernetes labels of the nodes. Labels that are not named are removed.
        type: dict
      taints:
        description: The taints with which nodes register. Taints that are not named are removed from the node group.
        type: list
        elements: dict
        suboptions:
          key:
            description: The key of the taint.
            type: str
            required: true
          value:
            description: The value of the taint.
            type: str
          effect:
            description: What happens to pods that do not tolerate it.
            type: str
            required: true
            choices: [NO_SCHEDULE, NO_EXECUTE, PREFER_NO_SCHEDULE]
      version:
        description: The Kubernetes version of the nodes, such as V(1.35); never newer than the cluster's. An update replaces the nodes.
        type: str
      release_version:
        description: The release of the machine image. An update replaces the nodes.
        type: str
      launch_template:
        description: The launch template of the nodes. Its version can change later, the template cannot.
        type: dict
        suboptions:
          id:
            description: The id of the template.
            type: str
          name:
            description: The name of the template.
            type: str
          version:
            description: The version of the template.
            type: str
      tags:
        description: The tags of the node group.
        type: dict
  purge_tags:
    description: Remove tags that O(nodegroups[].tags) does not name.
    type: bool
    default: true
  wait:
    description: Wait until node groups that were created or updated are active, and deleted ones are gone.
    type: bool
    default: true
  wait_timeout:
    description: How long to wait for all of them together, in seconds.
    type: int
    default: 1800
seealso:
  - module: community.aws.eks_nodegroup
    description: Manages one node group, without AL2023 images, Kubernetes upgrades and changes of taints.
"""

EXAMPLES = r"""
- name: Run nodes that accept no pods until istio-cni is ready on them
  meshwright.ambient.eks_nodegroup:
    cluster: prod
    nodegroups:
      - name: general
        node_role: arn:aws:iam::123456789012:role/prod-nodes
        subnets: [subnet-0a1b2c3d4e5f60718, subnet-0b1c2d3e4f5061728]
        instance_types: [m7i.large]
        ami_type: AL2023_x86_64_STANDARD
        min_size: 2
        max_size: 6
        desired_size: 3
        taints:
          - key: cni.istio.io/not-ready
            value: "true"
            effect: NO_EXECUTE

- name: Delete a node group
  meshwright.ambient.eks_nodegroup:
    cluster: prod
    nodegroups:
      - name: old
        state: absent
"""

RETURN = r"""
nodegroups:
  description: One item for each item of O(nodegroups), in the same order.
  returned: success, and failures after something was written
  type: list
  elements: dict
  sample:
    - name: general
      changed: true
      action: created
      arn: arn:aws:eks:eu-central-1:123456789012:nodegroup/prod/general/8ac6b0d4
      status: ACTIVE
      version: "1.35"
      release_version: 1.35.0-20261015
      ami_type: AL2023_x86_64_STANDARD
      capacity_type: ON_DEMAND
      instance_types: [m7i.large]
      node_role: arn:aws:iam::123456789012:role/prod-nodes
      subnets: [subnet-0a1b2c3d4e5f60718, subnet-0b1c2d3e4f5061728]
      labels: {}
      taints: [{key: cni.istio.io/not-ready, value: "true", effect: NO_EXECUTE}]
      scaling: {minSize: 2, maxSize: 6, desiredSize: 3}
      autoscaling_groups: [eks-general-8ac6b0d4]
      health_issues: []
api_calls:
  description: How many requests were sent to AWS, by operation.
  returned: always
  type: dict
  sample: {"eks:DescribeNodegroup": 1}
"""

import typing as t

from ..module_utils._aws.connect import Result, aws_module, run
from ..module_utils._diff import diff_of
from ..module_utils._eks_nodegroup.apply import NodegroupWriter
from ..module_utils._eks_nodegroup.plan import plan_nodegroups
from ..module_utils._eks_nodegroup.refusals import find_refusals
from ..module_utils._eks_nodegroup.spec import parse_spec, validate_items
from ..module_utils._eks_nodegroup.state import read_nodegroups
from ..module_utils._errors import raise_if_any

if t.TYPE_CHECKING:
    from ..module_utils._aws.connect import AnsibleAWSModule
    from ..module_utils._aws.session import AwsSession

OPTIONS: dict[str, t.Any] = {
    "cluster": {"type": "str", "required": True},
    "nodegroups": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "required_if": [("state", "present", ("node_role", "subnets"))],
        "mutually_exclusive": [("max_unavailable", "max_unavailable_percentage")],
        "options": {
            "name": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "node_role": {"type": "str"},
            "subnets": {"type": "list", "elements": "str"},
            "instance_types": {"type": "list", "elements": "str"},
            "ami_type": {"type": "str"},
            "capacity_type": {"type": "str", "choices": ["ON_DEMAND", "SPOT", "CAPACITY_BLOCK"]},
            "disk_size": {"type": "int"},
            "min_size": {"type": "int"},
            "max_size": {"type": "int"},
            "desired_size": {"type": "int"},
            "max_unavailable": {"type": "int"},
            "max_unavailable_percentage": {"type": "int"},
            "labels": {"type": "dict"},
            "taints": {
                "type": "list",
                "elements": "dict",
                "options": {
                    "key": {"type": "str", "required": True, "no_log": False},
                    "value": {"type": "str"},
                    "effect": {"type": "str", "required": True, "choices": ["NO_SCHEDULE", "NO_EXECUTE", "PREFER_NO_SCHEDULE"]},
                },
            },
            "version": {"type": "str"},
            "release_version": {"type": "str"},
            "launch_template": {
                "type": "dict",
                "options": {"id": {"type": "str"}, "name": {"type": "str"}, "version": {"type": "str"}},
            },
            "tags": {"type": "dict"},
        },
    },
    "purge_tags": {"type": "bool", "default": True},
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 1800},
}


def main() -> None:
    run(aws_module(OPTIONS), ensure_nodegroups)


def ensure_nodegroups(module: AnsibleAWSModule, session: AwsSession) -> Result:
    """Make the node groups of a cluster the desired ones, all at the same time."""
    params = module.params
    raise_if_any(validate_items(params["nodegroups"]), params["cluster"])
    specs = [parse_spec(item) for item in params["nodegroups"]]
    current = read_nodegroups(session, params["cluster"], [spec.name for spec in specs])
    raise_if_any(find_refusals(specs, current), params["cluster"])
    changes = plan_nodegroups(specs, current, purge_tags=params["purge_tags"])
    writer = NodegroupWriter(session, params["cluster"], changes, timeout=params["wait_timeout"])
    if not module.check_mode:
        writer.apply(wait=params["wait"])
    return {
        "changed": any(change.changed for change in changes),
        "diff": [diff_of(f"node group {change.name}", change.before, change.after) for change in changes if change.changed],
        "nodegroups": [writer.result(change) for change in changes],
    }


if __name__ == "__main__":
    main()
