#!/usr/bin/python
# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: load_balancer_check
short_description: Check whether load balancers can be created as desired, before they are
version_added: 0.1.0
description:
  - Reads what an Application or Network Load Balancer needs (subnets, certificates, TLS policy, web ACL, subscription, log bucket, security groups,
    addresses, a free name), and reports all errors at once. Nothing is changed.
  - Finds before anything is created what the AWS Load Balancer Controller would only report in an event of the Ingress or Service.
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
  load_balancers:
    description: The load balancers to check. They may exist already.
    type: list
    elements: dict
    required: true
    suboptions:
      title:
        description: How messages name it. If omitted, it is called after its Ingress or Service, or by its name.
        type: str
      name:
        description: Its name, of up to 32 characters. If omitted, the controller generates one.
        type: str
      type:
        description: Whether it is an Application or a Network Load Balancer.
        type: str
        choices: [alb, nlb]
        default: alb
      scheme:
        description: Whether it is reachable from the internet, or only inside the VPC.
        type: str
        choices: [internal, internet-facing]
        default: internal
      vpc_id:
        description: Its VPC, if it differs from O(vpc_id).
        type: str
      cluster_name:
        description: Its cluster, if it differs from O(cluster_name).
        type: str
      ingress:
        description: The Ingress that it belongs to, as C(namespace/name). An existing load balancer of this Ingress is then no name conflict.
        type: str
      ingress_group:
        description: The group of Ingresses that it belongs to.
        type: str
      service:
        description: The Service that it belongs to, as C(namespace/name).
        type: str
      subnets:
        description:
          - Ids or names of its subnets.
          - If omitted, the controller finds them by their tags C(kubernetes.io/role/elb) or C(kubernetes.io/role/internal-elb), which are then checked.
        type: list
        elements: str
        default: []
      hosts:
        description: Hosts that O(load_balancers[].certificate_arns) must cover. If omitted, this is not checked.
        type: list
        elements: str
        default: []
      certificate_arns:
        description: The ARNs of its certificates.
        type: list
        elements: str
        default: []
      ssl_policy:
        description: The name of its TLS policy, such as V(ELBSecurityPolicy-TLS13-1-2-2021-06).
        type: str
      waf_acl_arn:
        description: The ARN of its web ACL of AWS WAF. V(none) or an empty value means none.
        type: str
      shield:
        description: Whether Shield Advanced protects it.
        type: bool
        default: false
      security_groups:
        description: Ids or names of its security groups.
        type: list
        elements: str
        default: []
      eip_allocations:
        description: The ids of the Elastic IP addresses of an NLB, one for each subnet.
        type: list
        elements: str
        default: []
      access_logs:
        description: Where it writes its access logs.
        type: dict
        suboptions:
          enabled:
            description: Whether it writes access logs.
            type: bool
            default: true
          bucket:
            description: The name of the S3 bucket.
            type: str
          prefix:
            description: The prefix in the bucket.
            type: str
      tags:
        description: Its tags.
        type: dict
  vpc_id:
    description: The VPC of the load balancers. If omitted, the one of O(cluster_name) is used if that cluster exists; otherwise VPCs are not compared.
    type: str
  cluster_name:
    description: The name of their EKS cluster.
    type: str
  fail:
    description: Whether errors fail the task. Otherwise they are only returned.
    type: bool
    default: true
seealso:
  - module: meshwright.ambient.load_balancer_info
  - module: meshwright.ambient.acm_certificate
"""

EXAMPLES = r"""
- name: Check that the load balancers of the inventory can be created
  meshwright.ambient.load_balancer_check:
    region: eu-west-1
    cluster_name: prod
    load_balancers:
      - name: public
        scheme: internet-facing
        ingress: istio-ingress/public
        hosts: [shop.example.com]
        certificate_arns: ["arn:aws:acm:eu-west-1:123456789012:certificate/0a1b"]
        ssl_policy: ELBSecurityPolicy-TLS13-1-2-2021-06
        access_logs: {bucket: my-alb-logs}
      - name: edge
        type: nlb
        service: istio-ingress/edge-istio
"""

RETURN = r"""
findings:
  description: All errors and warnings, in the order of O(load_balancers).
  returned: always
  type: list
  elements: dict
  contains:
    load_balancer:
      description: The load balancer that it is about.
      type: str
      sample: Ingress istio-ingress/public
    what:
      description: The option that it is about.
      type: str
      sample: subnets
    severity:
      description: V(error) if the load balancer cannot be created like this, V(warning) if it can.
      type: str
      sample: error
    message:
      description: What is wrong, and what to do.
      type: str
      sample: "its subnets are in eu-west-1a only, and an ALB needs two zones: add a subnet in another zone."
api_calls:
  description: How many requests were sent to AWS, by operation.
  returned: always
  type: dict
  sample: {ec2:DescribeSubnets: 1}
"""

import datetime
import typing as t

from ..module_utils._aws.connect import aws_module, run
from ..module_utils._load_balancer_check.rules import check_load_balancers
from ..module_utils._load_balancer_check.spec import parse_spec
from ..module_utils._load_balancer_check.state import read_context, read_vpc_id

if t.TYPE_CHECKING:
    from ..module_utils._aws.connect import AnsibleAWSModule, Result
    from ..module_utils._aws.session import AwsSession

OPTIONS = {
    "load_balancers": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "title": {"type": "str"},
            "name": {"type": "str"},
            "type": {"type": "str", "choices": ["alb", "nlb"], "default": "alb"},
            "scheme": {"type": "str", "choices": ["internal", "internet-facing"], "default": "internal"},
            "vpc_id": {"type": "str"},
            "cluster_name": {"type": "str"},
            "ingress": {"type": "str"},
            "ingress_group": {"type": "str"},
            "service": {"type": "str"},
            "subnets": {"type": "list", "elements": "str", "default": []},
            "hosts": {"type": "list", "elements": "str", "default": []},
            "certificate_arns": {"type": "list", "elements": "str", "default": []},
            "ssl_policy": {"type": "str"},
            "waf_acl_arn": {"type": "str"},
            "shield": {"type": "bool", "default": False},
            "security_groups": {"type": "list", "elements": "str", "default": []},
            "eip_allocations": {"type": "list", "elements": "str", "default": []},
            "access_logs": {
                "type": "dict",
                "options": {"enabled": {"type": "bool", "default": True}, "bucket": {"type": "str"}, "prefix": {"type": "str"}},
            },
            "tags": {"type": "dict"},
        },
    },
    "vpc_id": {"type": "str"},
    "cluster_name": {"type": "str"},
    "fail": {"type": "bool", "default": True},
}

# Not datetime.UTC, which came with Python 3.11.
_UTC = datetime.timezone(datetime.timedelta(0))


def main() -> None:
    run(aws_module(OPTIONS), check)


def check(module: AnsibleAWSModule, session: AwsSession) -> Result:
    """Read what the load balancers need, and report all findings."""
    params = module.params
    vpc = params["vpc_id"] or (read_vpc_id(session, params["cluster_name"]) if params["cluster_name"] else "")
    specs = [parse_spec(index, item, vpc, params["cluster_name"] or "") for index, item in enumerate(params["load_balancers"])]
    findings = check_load_balancers(specs, read_context(session, specs, datetime.datetime.now(tz=_UTC)))
    result: Result = {"changed": False, "findings": [finding.as_result() for finding in findings]}
    lines = {severity: [f"{one.load_balancer}: {one.message}" for one in findings if one.severity == severity] for severity in ("error", "warning")}
    for line in lines["warning"]:
        module.warn(line)
    if lines["error"] and params["fail"]:
        many = len(lines["error"])
        title = f"{many} error{'s' if many > 1 else ''}: load balancers in {session.region} cannot be created as desired."
        return {**result, "failed": True, "msg": "\n".join([title, *(f"- {line}" for line in lines["error"])])}
    return result


if __name__ == "__main__":
    main()
