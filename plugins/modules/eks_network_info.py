#!/usr/bin/python
# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: eks_network_info
short_description: Tell whether the network of an EKS cluster is as it is wanted, by one look
version_added: 0.1.0
description:
  - Compares a VPC, its subnets, internet gateway, NAT gateways and route tables with the network that the role C(eks) makes, in one task and seven
    requests. The modules of C(amazon.aws) that make them would take five tasks and nineteen requests to find that nothing is to be done.
  - What is there besides, such as other subnets or tags, makes no difference.
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
  name:
    description: The name of the cluster. The VPC has it, and the names of its parts begin with it.
    type: str
    required: true
  cidr_block:
    description: The IPv4 range of the VPC.
    type: str
    required: true
  availability_zones:
    description: The zones that have a private and a public subnet each.
    type: list
    elements: str
    required: true
  nat_gateways:
    description: Whether V(one) NAT gateway serves all private subnets, one V(per_zone) that of its zone, or V(none) is there.
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
- name: Look at the network
  meshwright.ambient.eks_network_info:
    name: prod
    region: eu-west-1
    cidr_block: 10.0.0.0/16
    availability_zones: [eu-west-1a, eu-west-1b]
  register: network

- name: Say what is to be done
  ansible.builtin.debug:
    msg: "{{ network.differs | join(', ') | default('nothing', true) }}"
"""

RETURN = r"""
same:
  description: Whether nothing is to be done.
  returned: success
  type: bool
  sample: false
differs:
  description: The parts that are missing or different. V(vpc), V(subnets), V(internet_gateway), V(nat_gateways) and V(route_tables).
  returned: success
  type: list
  elements: str
  sample: [route_tables]
vpc_id:
  description: The VPC; empty when there is none, or more than one of this name and range.
  returned: success
  type: str
  sample: vpc-0a1b2c3d4e5f60718
public_subnet_ids:
  description: The public subnets that there are, in the order of O(availability_zones).
  returned: success
  type: list
  elements: str
  sample: [subnet-0a1b2c3d4e5f60718, subnet-0b1c2d3e4f5061728]
private_subnet_ids:
  description: The private subnets that there are, likewise.
  returned: success
  type: list
  elements: str
  sample: [subnet-0c1d2e3f405162738, subnet-0d1e2f30415263748]
internet_gateway_id:
  description: The internet gateway of the VPC; empty when there is none.
  returned: success
  type: str
  sample: igw-0a1b2c3d4e5f60718
nat_gateway_ids:
  description: The NAT gateways that there are, likewise.
  returned: success
  type: list
  elements: str
  sample: [nat-0a1b2c3d4e5f60718]
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
from ..module_utils._aws.network_reading import read_network
from ..module_utils._eks.network import Wanted, compare_network
from ..module_utils._errors import MeshError

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
    run(aws_module(OPTIONS), look)


def look(module: AnsibleModule, session: AwsSession) -> Result:
    """Read each kind of thing once, and compare."""
    options = module.params
    wanted = Wanted(options["name"], options["cidr_block"], tuple(options["availability_zones"]), options["nat_gateways"], options["tags"])
    try:
        found = compare_network(wanted, read_network(session, wanted.name, wanted.cidr))
    except ValueError as error:
        raise MeshError(f"cidr_block and availability_zones give no subnets: {error}") from error
    return {
        "changed": False,
        "same": not found.differs,
        "differs": list(found.differs),
        "vpc_id": found.vpc_id,
        "public_subnet_ids": list(found.public_subnet_ids),
        "private_subnet_ids": list(found.private_subnet_ids),
        "internet_gateway_id": found.internet_gateway_id,
        "nat_gateway_ids": list(found.nat_gateway_ids),
    }


if __name__ == "__main__":
    main()
