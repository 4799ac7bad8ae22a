#!/usr/bin/python
# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: load_balancer_info
short_description: Read Application and Network Load Balancers, wait until they serve, or say why they do not
version_added: 0.1.0
description:
  - Finds load balancers by name, ARN, DNS name, or by the Ingress or Service that the AWS Load Balancer Controller made them for, and returns what they
    are, up to the health of their targets. Nothing is changed.
  - With O(wait=true) it returns the moment all are provisioned, listen as asked and have healthy targets. When the time is up, or one can never be
    so, the message says of each that is not ready why, and what to do.
  - Load balancers are read 20 at a time, and tags once for a task; RV(api_calls) tells what was asked.
  - In check mode it does the same, because it changes nothing.
author:
  - The meshwright.ambient contributors (@meshwright)
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - meshwright.ambient._attributes_aws
  - meshwright.ambient._progress
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
    description: Which load balancers are meant, and what they should be like.
    type: list
    elements: dict
    required: true
    suboptions:
      arn:
        description: The ARN of the load balancer.
        type: str
      name:
        description: Its name, which is unique in a region of an account.
        type: str
      dns_name:
        description: Its DNS name, as it stands in the status of an Ingress, Service or Gateway.
        type: str
      cluster:
        description:
          - The name of the cluster that it was made for, as the load balancer controller was told it.
          - Alone, it means all load balancers of the cluster, of which each gets an entry in the result.
        type: str
      ingress:
        description: The Ingress that it was made for, as C(namespace/name).
        type: str
      ingress_group:
        description: The group of Ingresses that it was made for (annotation C(alb.ingress.kubernetes.io/group.name)).
        type: str
      service:
        description: The Service that it was made for, as C(namespace/name). The Service of a Gateway of Istio is called C(NAME-istio).
        type: str
      state:
        description: Whether it should be there, or be gone.
        type: str
        choices: [present, absent]
        default: present
      listeners:
        description: The listeners that it should have. Others may be there too.
        type: list
        elements: dict
        suboptions:
          port:
            description: The port.
            type: int
            required: true
          protocol:
            description: The protocol. Not given, any will do.
            type: str
            choices: [HTTP, HTTPS, TCP, TLS, UDP, TCP_UDP]
          certificate_arns:
            description: Certificates that it must have; others may be there too.
            type: list
            elements: str
          ssl_policy:
            description: The TLS policy that it must have.
            type: str
      healthy_targets:
        description:
          - How many targets of each of its target groups must be healthy. Targets that are draining do not count.
          - V(any) suits Services with C(externalTrafficPolicy Local) and instance targets, of which only nodes with a gateway pod can be healthy.
          - V(none) does not look at targets.
        type: str
        choices: [all, any, none]
        default: all
  wait:
    description: Whether to wait until all are as they should be, and to fail when they are not.
    type: bool
    default: false
  wait_timeout:
    description: How long to wait, in seconds. V(0) judges what is there now.
    type: int
    default: 600
    aliases: [timeout]
  fail_fast:
    description: Whether to end the wait at once when one can never become ready; else the others are waited for all the same.
    type: bool
    default: true
  details:
    description: Whether to read attributes, tags, rules, further certificates and the attributes of target groups too, which costs calls.
    type: bool
    default: true
  waf:
    description: Whether to read which web ACL of AWS WAF each ALB has; one call for each.
    type: bool
    default: false
  shield:
    description: Whether to read if each ALB is protected by Shield Advanced; one call for each.
    type: bool
    default: false
seealso:
  - module: meshwright.ambient.ready
  - module: meshwright.ambient.load_balancer_check
"""

EXAMPLES = r"""
- name: Wait until the load balancer of an Ingress serves HTTPS with healthy targets
  meshwright.ambient.load_balancer_info:
    region: eu-west-1
    load_balancers:
      - cluster: prod
        ingress: istio-ingress/public
        listeners:
          - {port: 80, protocol: HTTP}
          - {port: 443, protocol: HTTPS}
    wait: true
    waf: true

- name: Wait for the Network Load Balancer of a Gateway
  meshwright.ambient.load_balancer_info:
    region: eu-west-1
    load_balancers:
      - cluster: prod
        service: istio-ingress/edge-istio
        healthy_targets: any
    wait: true
    wait_timeout: 300

- name: Read all load balancers of a cluster
  meshwright.ambient.load_balancer_info:
    region: eu-west-1
    load_balancers:
      - cluster: prod

- name: Wait until they are gone
  meshwright.ambient.load_balancer_info:
    region: eu-west-1
    load_balancers:
      - cluster: prod
        state: absent
    wait: true
"""

RETURN = r"""
load_balancers:
  description:
    - An entry for each item of O(load_balancers), in their order; for an item with O(load_balancers[].cluster) alone one for each that was found.
    - What does not exist has the keys up to RV(load_balancers[].final) only.
  returned: always
  type: list
  elements: dict
  contains:
    title:
      description: Which one was meant, in words.
      type: str
      sample: load balancer of Ingress istio-ingress/public of cluster prod
    status:
      description: V(Current) when it is as it should be; else V(InProgress), V(Failed) or V(NotFound).
      type: str
      sample: Current
    reason:
      description: Why, in a stable word; of targets, the reason code of ELB. Empty when it is ready.
      type: str
      sample: ""
    message:
      description: What was seen.
      type: str
      sample: active at public-1.eu-west-1.elb.amazonaws.com, HTTP 80, HTTPS 443, 2 of 2 targets are healthy
    remedy:
      description: What to do about it; empty when it is ready.
      type: str
      sample: ""
    final:
      description: Whether waiting cannot help.
      type: bool
      sample: false
    arn:
      description: Its ARN.
      type: str
      sample: arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/public/0a1b2c3d4e5f6789
    name:
      description: Its name.
      type: str
      sample: public
    dns_name:
      description: Its DNS name.
      type: str
      sample: public-1.eu-west-1.elb.amazonaws.com
    hosted_zone_id:
      description: The hosted zone of its DNS name, for alias records in Route 53.
      type: str
      sample: Z32O12XQLNTSW2
    type:
      description: V(application) or V(network).
      type: str
      sample: application
    scheme:
      description: V(internet-facing) or V(internal).
      type: str
      sample: internet-facing
    vpc_id:
      description: Its VPC.
      type: str
      sample: vpc-0a1b2c3d
    ip_address_type:
      description: Such as V(ipv4).
      type: str
      sample: ipv4
    state:
      description: The state of AWS, such as V(active) or V(provisioning).
      type: str
      sample: active
    state_reason:
      description: Why it is in this state, when AWS says so.
      type: str
      sample: ""
    zones:
      description: Its availability zones with their subnets.
      type: list
      elements: dict
      sample: [{zone: eu-west-1a, subnet_id: subnet-0a1b2c3d}, {zone: eu-west-1b, subnet_id: subnet-4e5f6789}]
    security_groups:
      description: Its security groups.
      type: list
      elements: str
      sample: [sg-0a1b2c3d]
    attributes:
      description: Its attributes, with O(details).
      type: dict
      sample: {deletion_protection.enabled: "true", idle_timeout.timeout_seconds: "60"}
    tags:
      description: Its tags, with O(details).
      type: dict
      sample: {elbv2.k8s.aws/cluster: prod, ingress.k8s.aws/stack: istio-ingress/public}
    owner:
      description: What it was made for by its tags, with O(details); empty when no controller made it.
      type: str
      sample: Ingress istio-ingress/public of cluster prod
    listeners:
      description: Its listeners by port, each with its default actions, and with O(details) all certificates and the rules of an ALB.
      type: list
      elements: dict
      sample:
        - arn: arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/public/0a1b2c3d4e5f6789/1
          port: 443
          protocol: HTTPS
          ssl_policy: ELBSecurityPolicy-TLS13-1-2-2021-06
          alpn_policy: []
          certificate_arns: [arn:aws:acm:eu-west-1:123456789012:certificate/0a1b]
          default_actions: [{type: fixed-response, status_code: "404"}]
          rules:
            - arn: arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener-rule/app/public/0a1b2c3d4e5f6789/1/2
              priority: "1"
              conditions: {host-header: [shop.example.com]}
              actions: [{type: forward, target_group_arns: [arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/public/3]}]
    target_groups:
      description: Its target groups with health check and targets, and with O(details) their attributes.
      type: list
      elements: dict
      sample:
        - arn: arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/public/3
          name: public
          target_type: ip
          protocol: HTTP
          protocol_version: HTTP1
          port: 80
          health_check: {enabled: true, protocol: HTTP, port: "15021", path: /healthz/ready, success_codes: "200", interval_seconds: 15,
            timeout_seconds: 5, healthy_threshold: 2, unhealthy_threshold: 2}
          targets: [{id: 10.0.1.2, port: 80, zone: eu-west-1a, state: healthy, reason: "", description: ""}]
          attributes: {deregistration_delay.timeout_seconds: "30"}
    web_acl_arn:
      description: The web ACL of AWS WAF that it has, with O(waf); empty when it has none.
      type: str
      sample: ""
    shield_protected:
      description: Whether Shield Advanced protects it, with O(shield).
      type: bool
      sample: false
elapsed:
  description: How long was waited, in seconds.
  returned: always
  type: float
  sample: 0.4
api_calls:
  description: How many requests each of AWS' operations took, by its name in IAM.
  returned: always
  type: dict
  sample: {elasticloadbalancing:DescribeLoadBalancers: 1}
"""

import time
import typing as t

from ..module_utils._aws.connect import aws_module, run
from ..module_utils._aws.load_balancer_reading import LoadBalancers
from ..module_utils._aws.poll import PollResult, wait_until
from ..module_utils._edge.load_balancer_verdicts import Row, failure_message, judge_each, progress_line
from ..module_utils._edge.load_balancers import Wish, mistake_in, wish_of
from ..module_utils._errors import MeshError
from ..module_utils._progress import lines_to

if t.TYPE_CHECKING:
    from ..module_utils._aws.connect import AnsibleAWSModule, Result
    from ..module_utils._aws.session import AwsSession

OPTIONS = {
    "load_balancers": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "arn": {"type": "str"},
            "name": {"type": "str"},
            "dns_name": {"type": "str"},
            "cluster": {"type": "str"},
            "ingress": {"type": "str"},
            "ingress_group": {"type": "str"},
            "service": {"type": "str"},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "listeners": {
                "type": "list",
                "elements": "dict",
                "options": {
                    "port": {"type": "int", "required": True},
                    "protocol": {"type": "str", "choices": ["HTTP", "HTTPS", "TCP", "TLS", "UDP", "TCP_UDP"]},
                    "certificate_arns": {"type": "list", "elements": "str"},
                    "ssl_policy": {"type": "str"},
                },
            },
            "healthy_targets": {"type": "str", "choices": ["all", "any", "none"], "default": "all"},
        },
    },
    "wait": {"type": "bool", "default": False},
    "wait_timeout": {"type": "int", "default": 600, "aliases": ["timeout"]},
    "fail_fast": {"type": "bool", "default": True},
    "details": {"type": "bool", "default": True},
    "waf": {"type": "bool", "default": False},
    "shield": {"type": "bool", "default": False},
    "progress": {"type": "path"},
}


def main() -> None:
    run(aws_module(OPTIONS), inform)


def inform(
    module: AnsibleAWSModule, session: AwsSession, clock: t.Callable[[], float] = time.monotonic, pause: t.Callable[[float], None] = time.sleep
) -> Result:
    """Look, wait if asked to, and tell."""
    params = module.params
    wishes = parse_wishes(params["load_balancers"])
    reader = LoadBalancers(session)

    def look() -> PollResult:
        rows = judge_all(reader, wishes)
        over = all(row.verdict.current for row in rows) or (params["fail_fast"] and any(row.verdict.final for row in rows))
        return PollResult(over, progress_line(rows), rows)

    started = clock()
    with lines_to(params["progress"]) as tell_line:

        def tell(elapsed: float, state: str) -> None:
            if tell_line:
                tell_line(f"{elapsed:.1f} s, {state}")

        timeout = params["wait_timeout"] if params["wait"] else 0
        rows: list[Row] = wait_until(look, timeout=timeout, report=tell if params["wait"] else None, clock=clock, pause=pause).value
    elapsed = clock() - started
    if params["details"]:
        reader.read_tags(row.described["arn"] for row in rows if row.described)
    reading = {"details": params["details"], "waf": params["waf"], "shield": params["shield"]}
    told = [row.told(reader.complete(row.described, row.wish, **reading) if row.described else None) for row in rows]
    result: Result = {"changed": False, "load_balancers": told, "elapsed": round(elapsed, 3)}
    if params["wait"] and not all(row.verdict.current for row in rows):
        return {**result, "failed": True, "msg": failure_message(rows, session.region, elapsed)}
    return result


def judge_all(reader: LoadBalancers, wishes: t.Sequence[Wish]) -> list[Row]:
    """One look at all that is meant, and the verdicts."""
    rows: list[Row] = []
    for index, found in enumerate(reader.find(wishes)):
        looked = [described for described in (reader.look(said, wishes[index]) for said in found) if described is not None]
        rows += judge_each(wishes[index], looked)
    return rows


def parse_wishes(items: t.Sequence[t.Mapping[str, t.Any]]) -> list[Wish]:
    """The option as values.

    Raises:
        MeshError: an item says too little, or what cannot be.
    """
    if not items:
        raise MeshError("There is no load balancer to look for: give at least one, or skip the task.")
    wishes = [wish_of(item) for item in items]
    mistakes = [f"load_balancers[{index}] {mistake}." for index, wish in enumerate(wishes) for mistake in [mistake_in(wish)] if mistake]
    if mistakes:
        raise MeshError("\n".join(mistakes))
    return wishes


if __name__ == "__main__":
    main()
