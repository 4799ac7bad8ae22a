#!/usr/bin/python
# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: iam_rights_info
short_description: Tell which IAM roles and managed policies are as they are wanted, by one look
version_added: 0.1.0
description:
  - Compares many roles and managed policies with what is wanted of them, in one task and two requests for each. M(amazon.aws.iam_role) takes a task
    and four requests for a role that needs nothing, and M(amazon.aws.iam_managed_policy) reads the names of all policies of AWS to find one.
  - In check mode it does the same, because it changes nothing.
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
    support: none
    details: Nothing is changed.
  idempotent:
    support: full
options:
  roles:
    description: The roles as they are wanted.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: The name of the role.
        type: str
        required: true
      path:
        description: Its path.
        type: str
        default: /
      trust:
        description: The policy that says who may assume it.
        type: dict
        required: true
      managed_policies:
        description: The ARNs of all managed policies that are to be attached to it.
        type: list
        elements: str
        default: []
      boundary:
        description: The ARN of its permissions boundary. Not given, it may have any, or none.
        type: str
      tags:
        description: Tags that it must have. It may have others.
        type: dict
        default: {}
  policies:
    description: The managed policies as they are wanted.
    type: list
    elements: dict
    default: []
    suboptions:
      arn:
        description: The ARN of the policy.
        type: str
        required: true
      document:
        description: What its default version is to say.
        type: dict
        required: true
      tags:
        description: Tags that it must have. It may have others.
        type: dict
        default: {}
seealso:
  - module: amazon.aws.iam_role
  - module: amazon.aws.iam_managed_policy
"""

EXAMPLES = r"""
- name: Look at the role of the nodes
  meshwright.ambient.iam_rights_info:
    roles:
      - name: prod-nodes
        trust:
          Version: "2012-10-17"
          Statement:
            - Effect: Allow
              Principal: {Service: ec2.amazonaws.com}
              Action: sts:AssumeRole
        managed_policies:
          - arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy
          - arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy
  register: rights

- name: Say whether it is as it should be
  ansible.builtin.debug:
    msg: "{{ rights.roles[0].same }}"
"""

RETURN = r"""
roles:
  description: What was found, in the order of O(roles).
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The name of the role.
      type: str
      sample: prod-nodes
    same:
      description: Whether it is as it is wanted.
      type: bool
      sample: false
    differs:
      description: In what it differs. V(missing), V(path), V(trust), V(managed_policies), V(boundary) and V(tags).
      type: list
      elements: str
      sample: [managed_policies]
policies:
  description: What was found, in the order of O(policies).
  returned: success
  type: list
  elements: dict
  contains:
    arn:
      description: The ARN of the policy.
      type: str
      sample: arn:aws:iam::123456789012:policy/prod-alb-controller
    same:
      description: Whether it is as it is wanted.
      type: bool
      sample: true
    differs:
      description: In what it differs. V(missing), V(document) and V(tags).
      type: list
      elements: str
      sample: []
api_calls:
  description: How many requests were sent to AWS, by operation.
  returned: always
  type: dict
  sample:
    iam:GetRole: 1
    iam:ListAttachedRolePolicies: 1
"""

import typing as t

from ..module_utils._aws.connect import aws_module, run
from ..module_utils._aws.rights_reading import read_policy, read_role
from ..module_utils._eks.rights import ManagedPolicy, Role, policy_differences, role_differences

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

    from ..module_utils._aws.connect import Result
    from ..module_utils._aws.session import AwsSession

OPTIONS: dict[str, dict[str, t.Any]] = {
    "roles": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "name": {"type": "str", "required": True},
            "path": {"type": "str", "default": "/"},
            "trust": {"type": "dict", "required": True},
            "managed_policies": {"type": "list", "elements": "str", "default": []},
            "boundary": {"type": "str"},
            "tags": {"type": "dict", "default": {}},
        },
    },
    "policies": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "arn": {"type": "str", "required": True},
            "document": {"type": "dict", "required": True},
            "tags": {"type": "dict", "default": {}},
        },
    },
}


def main() -> None:
    run(aws_module(OPTIONS), look)


def look(module: AnsibleModule, session: AwsSession) -> Result:
    """Read each role and policy by its name, and compare."""
    return {
        "changed": False,
        "roles": [_role(session, item) for item in module.params["roles"]],
        "policies": [_policy(session, item) for item in module.params["policies"]],
    }


def _role(session: AwsSession, item: t.Mapping[str, t.Any]) -> Result:
    wanted = Role(item["name"], item["trust"], tuple(item["managed_policies"]), item["path"], item["boundary"] or "", item["tags"])
    differs = role_differences(wanted, *read_role(session, wanted.name))
    return {"name": wanted.name, "same": not differs, "differs": differs}


def _policy(session: AwsSession, item: t.Mapping[str, t.Any]) -> Result:
    wanted = ManagedPolicy(item["arn"], item["document"], item["tags"])
    differs = policy_differences(wanted, *read_policy(session, wanted.arn))
    return {"arn": wanted.arn, "same": not differs, "differs": differs}


if __name__ == "__main__":
    main()
