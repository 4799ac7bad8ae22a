#!/usr/bin/python
# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: load_balancer_check
short_description: See that load balancers can be made as they are wished for, before they are
version_added: 0.1.0
description:
  - Reads what an Application or Network Load Balancer needs (subnets, certificates, TLS policy, web ACL, subscription, log bucket, security groups,
    addresses, a free name), and says all that is wrong at once. Nothing is changed.
  - What the AWS Load Balancer Controller would only say in an event, after the Ingress or Service was made, fails here.
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
  load_balancers:
    description: The load balancers that are to be made, or exist already.
    type: list
    elements: dict
    required: true
    suboptions:
      title:
        description: How messages name it. Not given, it is what it is for, or its name.
        type: str
      name:
        description: The name that it should get, of up to 32 characters. Not given, the controller makes one up.
        type: str
      type:
        description: Whether it is an Application or a Network Load Balancer.
        type: str
        choices: [alb, nlb]
        default: alb
      scheme:
        description: Whether it is reached from the internet, or inside the VPC only.
        type: str
        choices: [internal, internet-facing]
        default: internal
      vpc_id:
        description: Its VPC, when it is another one than O(vpc_id).
        type: str
      cluster_name:
        description: The cluster that it is for, when it is another one than O(cluster_name).
        type: str
      ingress:
        description: The Ingress that it is for, as C(namespace/name); a load balancer that it has already is no clash of names then.
        type: str
      ingress_group:
        description: The group of Ingresses that it is for, likewise.
        type: str
      service:
        description: The Service that it is for, as C(namespace/name), likewise.
        type: str
      subnets:
        description:
          - Ids or names of its subnets.
          - Not given, the controller finds them by their tags C(kubernetes.io/role/elb) or C(kubernetes.io/role/internal-elb), which is then looked at.
        type: list
        elements: str
        default: []
      hosts:
        description: Hosts that O(load_balancers[].certificate_arns) must cover. Not given, what they cover is not looked at.
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
        description: The ARN of its web ACL of AWS WAF. V(none) and an empty one mean none.
        type: str
      shield:
        description: Whether Shield Advanced should protect it.
        type: bool
        default: false
      security_groups:
        description: Ids or names of its security groups.
        type: list
        elements: str
        default: []
      eip_allocations:
        description: The ids of the elastic IP addresses of an NLB, one for each subnet.
        type: list
        elements: str
        default: []
      access_logs:
        description: Where it should write its access logs.
        type: dict
        suboptions:
          enabled:
            description: Whether it should write them at all.
            type: bool
            default: true
          bucket:
            description: The name of the bucket of S3.
            type: str
          prefix:
            description: The prefix in the bucket.
            type: str
      tags:
        description: Its tags.
        type: dict
  vpc_id:
    description: The VPC of the load balancers. Not given, it is the one of O(cluster_name), if that exists; else VPCs are not compared.
    type: str
  cluster_name:
    description: The name of the EKS cluster that they are for.
    type: str
  fail:
    description: Whether findings that are errors fail the task; else they are only returned.
    type: bool
    default: true
seealso:
  - module: meshwright.ambient.load_balancer_info
  - module: meshwright.ambient.acm_certificate
"""

EXAMPLES = r"""
- name: See that the load balancers of the inventory can be made
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
  description: All that is wrong or odd, in the order of O(load_balancers).
  returned: always
  type: list
  elements: dict
  contains:
    load_balancer:
      description: Which load balancer it is about.
      type: str
      sample: Ingress istio-ingress/public
    what:
      description: The option that it is about.
      type: str
      sample: subnets
    severity:
      description: V(error) when it cannot be made like this, V(warning) when it can.
      type: str
      sample: error
    message:
      description: What is wrong, and what to do.
      type: str
      sample: "its subnets are in eu-west-1a only, and an ALB needs two zones: add a subnet in another zone."
api_calls:
  description: How many requests each of AWS' operations took, by its name in IAM.
  returned: always
  type: dict
  sample: {ec2:DescribeSubnets: 1}
"""

import datetime
import typing as t

from ..module_utils._aws.connect import aws_module, run
from ..module_utils._aws.load_balancer_facts import read_facts, vpc_of
from ..module_utils._edge.load_balancer_checks import check
from ..module_utils._edge.load_balancer_wanted import Wanted

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
    run(aws_module(OPTIONS), work)


def work(module: AnsibleAWSModule, session: AwsSession) -> Result:
    """Read, judge, tell."""
    params = module.params
    vpc = params["vpc_id"] or (vpc_of(session, params["cluster_name"]) if params["cluster_name"] else "")
    wanted = [parse_wanted(index, item, vpc, params["cluster_name"] or "") for index, item in enumerate(params["load_balancers"])]
    findings = check(wanted, read_facts(session, wanted, datetime.datetime.now(tz=_UTC)))
    result: Result = {"changed": False, "findings": [finding.told() for finding in findings]}
    lines = {severity: [f"{one.load_balancer}: {one.message}" for one in findings if one.severity == severity] for severity in ("error", "warning")}
    for line in lines["warning"]:
        module.warn(line)
    if lines["error"] and params["fail"]:
        many = len(lines["error"])
        title = f"{many} thing{'s keep' if many > 1 else ' keeps'} load balancers in {session.region} from being made as wished for."
        return {**result, "failed": True, "msg": "\n".join([title, *(f"- {line}" for line in lines["error"])])}
    return result


def parse_wanted(index: int, item: t.Mapping[str, t.Any], vpc: str, cluster: str) -> Wanted:
    """One item of the option as a value; vpc and cluster are those of the module, for what does not say its own."""
    logs = item["access_logs"] or {}
    logged = bool(logs.get("enabled"))
    owner = next(
        (f"{kind} {item[option]}" for kind, option in (("Ingress", "ingress"), ("Ingress group", "ingress_group"), ("Service", "service")) if item[option]), ""
    )
    called = f"load balancer {item['name']}" if item["name"] else f"load_balancers[{index}]"
    return Wanted(
        title=item["title"] or owner or called,
        vpc_id=item["vpc_id"] or vpc,
        cluster=item["cluster_name"] or cluster,
        log_bucket=(logs.get("bucket") or "") if logged else "",
        log_prefix=(logs.get("prefix") or "") if logged else "",
        tags={str(key): str(value) for key, value in (item["tags"] or {}).items()},
        type=item["type"],
        scheme=item["scheme"],
        shield=item["shield"],
        name=item["name"] or "",
        ingress=item["ingress"] or "",
        ingress_group=item["ingress_group"] or "",
        service=item["service"] or "",
        ssl_policy=item["ssl_policy"] or "",
        waf_acl_arn=item["waf_acl_arn"] or "",
        subnets=tuple(item["subnets"]),
        hosts=tuple(item["hosts"]),
        certificate_arns=tuple(item["certificate_arns"]),
        security_groups=tuple(item["security_groups"]),
        eip_allocations=tuple(item["eip_allocations"]),
    )


if __name__ == "__main__":
    main()
