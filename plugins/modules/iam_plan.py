#!/usr/bin/python
# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: iam_plan
short_description: Plan which IAM roles and managed policies to create or change
version_added: 0.1.0
description:
  - Compares IAM roles and managed policies with the desired ones, and returns those that are missing or different, in one task and two requests for
    each. Nothing is changed.
  - M(amazon.aws.iam_role) needs a task and four requests for a role that needs no change, and M(amazon.aws.iam_managed_policy) reads the names of all
    policies of AWS to find one.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - meshwright.ambient._attributes.aws
attributes:
  diff_mode:
    support: none
    details: Nothing is changed.
options:
  roles:
    description: The desired roles.
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
        description: Its trust policy.
        type: dict
        required: true
      managed_policies:
        description: The ARNs of all managed policies that are to be attached to it.
        type: list
        elements: str
        default: []
      boundary:
        description: The ARN of its permissions boundary. If omitted, it may have any, or none.
        type: str
      tags:
        description: Tags that it must have. It may have others.
        type: dict
        default: {}
  policies:
    description: The desired managed policies.
    type: list
    elements: dict
    default: []
    suboptions:
      arn:
        description: The ARN of the policy.
        type: str
        required: true
      document:
        description: The document of its default version.
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
- name: Plan the role of the nodes
  meshwright.ambient.iam_plan:
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
  register: iam

- name: Create or change it
  amazon.aws.iam_role:
    name: "{{ item.name }}"
    assume_role_policy_document: "{{ item.trust | to_json }}"
    managed_policies: "{{ item.managed_policies }}"
  loop: "{{ iam.roles }}"
"""

RETURN = r"""
roles:
  description: The items of O(roles) to create or change, in their order, each with all its options and C(differs).
  returned: success
  type: list
  elements: dict
  contains:
    differs:
      description: What is different. V(missing), V(path), V(trust), V(managed_policies), V(boundary) and V(tags).
      type: list
      elements: str
      sample: [managed_policies]
policies:
  description: The items of O(policies) to create or change, in their order, each with all its options and C(differs).
  returned: success
  type: list
  elements: dict
  contains:
    differs:
      description: What is different. V(missing), V(document) and V(tags).
      type: list
      elements: str
      sample: [document]
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
from ..module_utils._iam.plan import policy_differences, role_differences
from ..module_utils._iam.spec import parse_policy, parse_role
from ..module_utils._iam.state import read_policy, read_role

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
    run(aws_module(OPTIONS), plan_changes)


def plan_changes(module: AnsibleModule, session: AwsSession) -> Result:
    """Read each role and policy by its name, and compare."""
    roles = [{**item, "differs": _role_differences(session, item)} for item in module.params["roles"]]
    policies = [{**item, "differs": _policy_differences(session, item)} for item in module.params["policies"]]
    return {"changed": False, "roles": [item for item in roles if item["differs"]], "policies": [item for item in policies if item["differs"]]}


def _role_differences(session: AwsSession, item: t.Mapping[str, t.Any]) -> list[str]:
    desired = parse_role(item)
    return role_differences(desired, *read_role(session, desired.name))


def _policy_differences(session: AwsSession, item: t.Mapping[str, t.Any]) -> list[str]:
    desired = parse_policy(item)
    return policy_differences(desired, *read_policy(session, desired.arn))


if __name__ == "__main__":
    main()
