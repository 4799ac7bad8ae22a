#!/usr/bin/python
# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: eks_nodegroup
short_description: Create, change and delete the managed node groups of an EKS cluster
version_added: 0.1.0
description:
  - Takes all node groups of a cluster in one task. They are made, changed and waited for at the same time.
  - An existing node group learns its labels, taints, bounds of size, update settings, Kubernetes version, AMI release and tags.
    What EKS fixes at creation (role, subnets, instance types, AMI type, capacity type, disk size, launch template) is refused with what to do instead,
    before anything is written.
  - Node groups that are not named are left alone.
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
    description: The name of the cluster.
    type: str
    required: true
  nodegroups:
    description: The node groups. An option that is not given is left to EKS at creation, and as it is later.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: The name of the node group.
        type: str
        required: true
      state:
        description: Whether the node group is there. Deleting it drains its nodes.
        type: str
        choices: [present, absent]
        default: present
      node_role:
        description: The ARN of the IAM role of the nodes. Needed for a node group that is to be there; fixed at creation.
        type: str
      subnets:
        description: The ids of the subnets in which nodes may start. Needed for a node group that is to be there; fixed at creation.
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
        description: The fewest nodes.
        type: int
      max_size:
        description: The most nodes.
        type: int
      desired_size:
        description:
          - How many nodes the node group starts with.
          - Later it belongs to the cluster's autoscaler, and is moved only where O(nodegroups[].min_size) and O(nodegroups[].max_size) leave it no room.
        type: int
      max_unavailable:
        description: How many nodes may be replaced at the same time during an update.
        type: int
      max_unavailable_percentage:
        description: The same as a percentage of the nodes.
        type: int
      labels:
        description: The Kubernetes labels of the nodes. Labels that are not named are taken away.
        type: dict
      taints:
        description: The taints with which nodes register. Taints that are not named are taken away from the node group.
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
        description: The Kubernetes version of the nodes, such as V(1.35); never newer than the cluster's. Nodes are replaced.
        type: str
      release_version:
        description: The release of the machine image. Nodes are replaced.
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
    description: Take tags away that O(nodegroups[].tags) does not name.
    type: bool
    default: true
  wait:
    description: Wait until node groups that were made or changed are active, and those that are deleted are gone.
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
- name: Run nodes that take no pods before istio-cni is ready on them
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
from ..module_utils._aws.errors import AwsError
from ..module_utils._aws.poll import PollResult, wait_until
from ..module_utils._aws.tags import TagChanges, as_text, compare_tags
from ..module_utils._diff import diff_of
from ..module_utils._eks.nodegroup_plan import Changes, as_result, changes, creation, health_issues, problems
from ..module_utils._errors import MeshError

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


class NodeGroup:
    """One wish, what is there, and what has been done about it."""

    def __init__(self, wish: t.Mapping[str, t.Any], described: dict[str, t.Any] | None) -> None:
        self.wish = wish
        self.described = described
        self.action = "unchanged"
        self.plan = Changes()
        self.tags = TagChanges({}, [])
        self.updates: list[str] = []

    @property
    def name(self) -> str:
        return str(self.wish["name"])

    def problems(self) -> list[str]:
        """Why it cannot become what is wished for."""
        return problems(self.wish, self.described) if self.described is not None and self.wish["state"] == "present" else []

    def decide(self, *, purge_tags: bool) -> None:
        """Say what has to be done; nothing is written."""
        status = (self.described or {}).get("status")
        if self.wish["state"] == "absent":
            self.action = "deleted" if self.described is not None and status != "DELETING" else "unchanged"
        elif self.described is None:
            self.action = "created"
        else:
            self.plan = changes(self.wish, self.described)
            self.tags = compare_tags(self.described.get("tags") or {}, self.wish["tags"], purge=purge_tags)
            self.action = "changed" if self.plan.any or self.tags.any else "unchanged"

    def diff(self) -> dict[str, str] | None:
        if self.action == "unchanged":
            return None
        if self.action == "created":
            return diff_of(f"node group {self.name}", {}, creation(self.wish))
        if self.action == "deleted":
            return diff_of(f"node group {self.name}", as_result(self.described or {}), {})
        before, after = dict(self.plan.before), dict(self.plan.after)
        if self.tags.any:
            present = (self.described or {}).get("tags") or {}
            before["tags"], after["tags"] = present, {**{k: v for k, v in present.items() if k not in self.tags.remove}, **self.tags.set}
        return diff_of(f"node group {self.name}", before, after)

    def result(self) -> Result:
        return {"name": self.name, "changed": self.action != "unchanged", "action": self.action, **as_result(self.described or {})}


def work(module: AnsibleAWSModule, session: AwsSession) -> Result:
    cluster = module.params["cluster"]
    groups = [NodeGroup(wish, describe(session, cluster, wish["name"])) for wish in module.params["nodegroups"]]
    if mistakes := [problem for group in groups for problem in group.problems()]:
        title = f"Node groups of cluster {cluster} cannot become what is wished for, and nothing was changed."
        raise MeshError("\n".join([title, *(f"- {mistake}" for mistake in mistakes)]))
    for group in groups:
        group.decide(purge_tags=module.params["purge_tags"])
    result: Result = {"changed": any(group.action != "unchanged" for group in groups), "diff": [diff for group in groups if (diff := group.diff())]}
    if not module.check_mode:
        deadline = module.params["wait_timeout"]
        # What was still under way when an earlier run ended must be over before it can be changed.
        settle(session, cluster, [group for group in groups if group.plan.any], deadline)
        for group in groups:
            start(session, cluster, group)
        waited_for = [group for group in groups if group.wish["state"] == "absent" or group.action != "unchanged" or _under_way(group)]
        if module.params["wait"]:
            settle(session, cluster, waited_for, deadline)
            finish_versions(session, cluster, groups, deadline)
        for group in waited_for:
            group.described = describe(session, cluster, group.name)
    result["nodegroups"] = [group.result() for group in groups]
    return result


def describe(session: AwsSession, cluster: str, name: str) -> dict[str, t.Any] | None:
    """The node group as EKS tells it; None when it is not there."""
    try:
        described: dict[str, t.Any] = session.call("eks", "describe_nodegroup", clusterName=cluster, nodegroupName=name)["nodegroup"]
    except AwsError as error:
        if error.absent:
            return None
        raise
    return described


def start(session: AwsSession, cluster: str, group: NodeGroup) -> None:
    """Send the first write of a node group; a change of version waits for a change of settings."""
    names = {"clusterName": cluster, "nodegroupName": group.name}
    if group.action == "created":
        session.call("eks", "create_nodegroup", **names, **creation(group.wish), tags=as_text(group.wish["tags"] or {}))
    elif group.action == "deleted":
        session.call("eks", "delete_nodegroup", **names)
    elif group.described is not None:
        arn = group.described["nodegroupArn"]
        if group.tags.set:
            session.call("eks", "tag_resource", resourceArn=arn, tags=group.tags.set)
        if group.tags.remove:
            session.call("eks", "untag_resource", resourceArn=arn, tagKeys=group.tags.remove)
        if group.plan.config:
            group.updates.append(session.call("eks", "update_nodegroup_config", **names, **group.plan.config)["update"]["id"])
        elif group.plan.version:
            group.updates.append(session.call("eks", "update_nodegroup_version", **names, **group.plan.version)["update"]["id"])


def finish_versions(session: AwsSession, cluster: str, groups: t.Sequence[NodeGroup], timeout: float) -> None:
    """Change the versions of those whose settings had to change first."""
    late = [group for group in groups if group.plan.config and group.plan.version]
    for group in late:
        names = {"clusterName": cluster, "nodegroupName": group.name}
        group.updates.append(session.call("eks", "update_nodegroup_version", **names, **group.plan.version)["update"]["id"])
    settle(session, cluster, late, timeout)


def settle(session: AwsSession, cluster: str, groups: t.Sequence[NodeGroup], timeout: float) -> None:
    """Wait until none of these is under way.

    Raises:
        MeshError: one has failed, or the time is up; it says why, as far as EKS does.
    """
    left = list(groups)
    failures: list[str] = []

    def look() -> PollResult:
        for group in list(left):
            seen = _progress(session, cluster, group)
            if seen.done:
                left.remove(group)
                if seen.state:
                    failures.append(seen.state)
        return PollResult(done=not left, state=", ".join(group.name for group in left))

    if not left:
        return
    wait_until(look, timeout=timeout)
    failures += [
        f"Node group {group.name} of cluster {cluster} is still {(group.described or {}).get('status', 'unknown')} after {timeout:g} s"
        f"{_reasons(group)}: raise wait_timeout or run again, which goes on waiting."
        for group in left
    ]
    if failures:
        raise MeshError(" ".join(failures), changed=True, nodegroups=[group.result() for group in groups])


def _progress(session: AwsSession, cluster: str, group: NodeGroup) -> PollResult:
    """Whether a node group is settled; a state that is not empty is why it has failed."""
    group.described = describe(session, cluster, group.name)
    status = (group.described or {}).get("status")
    if group.wish["state"] == "absent":
        if status == "DELETE_FAILED":
            return PollResult(done=True, state=f"Node group {group.name} of cluster {cluster} could not be deleted{_reasons(group)}.")
        return PollResult(done=group.described is None, state="")
    if status in (None, "CREATE_FAILED", "DELETING"):
        became = "is gone" if status is None else f"is {status}"
        return PollResult(done=True, state=f"Node group {group.name} of cluster {cluster} {became}{_reasons(group)}: set it to state absent, then run again.")
    if status in ("CREATING", "UPDATING"):
        return PollResult(done=False, state="")
    if group.updates:
        update = session.call("eks", "describe_update", name=cluster, nodegroupName=group.name, updateId=group.updates[-1])["update"]
        if update["status"] == "InProgress":
            return PollResult(done=False, state="")
        if update["status"] != "Successful":
            why = "; ".join(f"{error.get('errorCode')}: {error.get('errorMessage')}" for error in update.get("errors") or []) or "EKS says no reason"
            return PollResult(done=True, state=f"The update of node group {group.name} of cluster {cluster} is {update['status']} ({why}).")
        group.updates.pop()
    if status == "DEGRADED" and group.action != "unchanged":
        return PollResult(done=True, state=f"Node group {group.name} of cluster {cluster} is DEGRADED{_reasons(group)}.")
    return PollResult(done=True, state="")


def _under_way(group: NodeGroup) -> bool:
    return (group.described or {}).get("status") in ("CREATING", "UPDATING", "DELETING")


def _reasons(group: NodeGroup) -> str:
    issues = health_issues(group.described or {})
    return f" ({'; '.join(issues)})" if issues else ""


def main() -> None:
    module = aws_module(OPTIONS)
    run(module, work)


if __name__ == "__main__":
    main()
