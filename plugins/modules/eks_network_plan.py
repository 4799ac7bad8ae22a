#!/usr/bin/python
# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: eks_network_plan
short_description: Plan what to create or change in the network of an EKS cluster
version_added: 0.1.0
description:
  - Compares a VPC, its subnets, internet gateway, NAT gateways and route tables with the network that the role C(eks) creates, and returns what is
    missing or different, in one task and seven requests. Nothing is changed.
  - The modules of C(amazon.aws) that create them would need five tasks and nineteen requests to find that there is nothing to do.
  - Other subnets, tags and route tables of the VPC are ignored.
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
  name:
    description: The name of the cluster. It is also the name of the VPC, and the names of the VPC's parts begin with it.
    type: str
    required: true
  cidr_block:
    description: The IPv4 range of the VPC.
    type: str
    required: true
  availability_zones:
    description: The zones that get a private and a public subnet each, at most four.
    type: list
    elements: str
    required: true
  nat_gateways:
    description:
      - V(one) NAT gateway serves all private subnets; V(per_zone), each zone has its own; V(none), private subnets cannot reach the internet.
    type: str
    choices: [one, per_zone, none]
    default: one
  tags:
    description: Tags that every part must have.
    type: dict
    default: {}
    aliases: [resource_tags]
seealso:
  - module: amazon.aws.ec2_vpc_net
  - module: amazon.aws.ec2_vpc_subnet
  - module: amazon.aws.ec2_vpc_route_table
"""

EXAMPLES = r"""
- name: Plan the network
  meshwright.ambient.eks_network_plan:
    name: prod
    region: eu-west-1
    cidr_block: 10.0.0.0/16
    availability_zones: [eu-west-1a, eu-west-1b]
  register: network

- name: Create the missing subnets
  amazon.aws.ec2_vpc_subnet:
    vpc_id: "{{ network.vpc_id }}"
    cidr: "{{ item.cidr }}"
    az: "{{ item.zone }}"
    map_public: "{{ item.kind == 'public' }}"
    tags: "{{ item.tags }}"
    purge_tags: false
  loop: "{{ network.subnets }}"
"""

RETURN = r"""
same:
  description: Whether there is nothing to do.
  returned: success
  type: bool
  sample: false
differs:
  description: The parts that are missing or different. V(vpc), V(subnets), V(internet_gateway), V(nat_gateways) and V(route_tables).
  returned: success
  type: list
  elements: str
  sample: [route_tables]
tags:
  description: The tags of VPC, internet gateway and NAT gateways.
  returned: success
  type: dict
  sample: {Name: prod}
subnets:
  description: The subnets to create or change.
  returned: success
  type: list
  elements: dict
  sample: [{kind: private, zone: eu-west-1a, cidr: 10.0.0.0/19, tags: {Name: prod-private-eu-west-1a}}]
nat_gateways:
  description: The address ranges of the public subnets whose NAT gateway is to be created or changed.
  returned: success
  type: list
  elements: str
  sample: [10.0.128.0/22]
route_tables:
  description:
    - The route tables to create or change. Subnets and NAT gateways, which may not exist yet, are named by the address range of the subnet; the filter
      P(meshwright.ambient.eks_route_tables#filter) puts their ids in place of it.
    - C(moves) says whether a subnet has another route table now.
    - C(id) is the ID of a table that exists and is to be changed, otherwise empty. M(amazon.aws.ec2_vpc_route_table) needs it to change tags; without it, the
      module looks a table up by all of its tags, and creates another one if they change.
  returned: success
  type: list
  elements: dict
  sample:
    - name: private
      subnets: [10.0.0.0/19, 10.0.32.0/19]
      routes: [{dest: 0.0.0.0/0, nat_gateway: 10.0.128.0/22}]
      tags: {Name: prod-private}
      moves: false
      id: rtb-0a1b2c3d4e5f60718
public_subnets:
  description: The address ranges of all public subnets, in the order of O(availability_zones).
  returned: success
  type: list
  elements: str
  sample: [10.0.128.0/22, 10.0.132.0/22]
private_subnets:
  description: The address ranges of all private subnets, in the order of O(availability_zones).
  returned: success
  type: list
  elements: str
  sample: [10.0.0.0/19, 10.0.32.0/19]
vpc_id:
  description: The id of the VPC. Empty when there is none, or more than one of this name and range.
  returned: success
  type: str
  sample: vpc-0a1b2c3d4e5f60718
public_subnet_ids:
  description: The ids of the public subnets that exist, in the order of O(availability_zones).
  returned: success
  type: list
  elements: str
  sample: [subnet-0a1b2c3d4e5f60718, subnet-0b1c2d3e4f5061728]
private_subnet_ids:
  description: The ids of the private subnets that exist, in the order of O(availability_zones).
  returned: success
  type: list
  elements: str
  sample: [subnet-0c1d2e3f405162738, subnet-0d1e2f30415263748]
subnet_ids:
  description: The ids of all these subnets that exist, by address range.
  returned: success
  type: dict
  sample: {10.0.0.0/19: subnet-0c1d2e3f405162738}
internet_gateway_id:
  description: The id of the internet gateway of the VPC. Empty when there is none.
  returned: success
  type: str
  sample: igw-0a1b2c3d4e5f60718
nat_gateway_ids:
  description: The ids of the NAT gateways that exist, by the address range of their subnet.
  returned: success
  type: dict
  sample: {10.0.128.0/22: nat-0a1b2c3d4e5f60718}
api_calls:
  description: How many requests were sent to AWS, by operation.
  returned: always
  type: dict
  sample:
    ec2:DescribeInternetGateways: 1
    ec2:DescribeNatGateways: 1
    ec2:DescribeRouteTables: 1
    ec2:DescribeSubnets: 1
    ec2:DescribeVpcAttribute: 2
    ec2:DescribeVpcs: 1
"""

import typing as t

from ..module_utils._aws.connect import aws_module, run
from ..module_utils._errors import MeshError, raise_if_any
from ..module_utils._limits.aws import find_tag_errors
from ..module_utils._limits.ranges import find_range_errors
from ..module_utils._network.plan import as_result, plan_network
from ..module_utils._network.spec import Network
from ..module_utils._network.state import read_network

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

    from ..module_utils._aws.connect import Result
    from ..module_utils._aws.session import AwsSession

OPTIONS: dict[str, dict[str, t.Any]] = {
    "name": {"type": "str", "required": True},
    "cidr_block": {"type": "str", "required": True},
    "availability_zones": {"type": "list", "elements": "str", "required": True},
    "nat_gateways": {"type": "str", "choices": ["one", "per_zone", "none"], "default": "one"},
    "tags": {"type": "dict", "default": {}, "aliases": ["resource_tags"]},
}


def main() -> None:
    run(aws_module(OPTIONS), plan_changes)


def plan_changes(module: AnsibleModule, session: AwsSession) -> Result:
    """Read each kind once, and compare."""
    options = module.params
    raise_if_any([*find_range_errors("cidr_block", [options["cidr_block"]]), *find_tag_errors("tags", options["tags"])], options["name"])
    desired = Network(options["name"], options["cidr_block"], tuple(options["availability_zones"]), options["nat_gateways"], options["tags"])
    try:
        plan = plan_network(desired, read_network(session, desired.name, desired.cidr))
    except ValueError as error:
        raise MeshError(f"cidr_block and availability_zones give no subnets: {error}") from error
    return {"changed": False, **as_result(desired, plan)}


if __name__ == "__main__":
    main()
