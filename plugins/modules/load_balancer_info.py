#!/usr/bin/python
# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: load_balancer_info
short_description: Read Application and Network Load Balancers, or wait until they are ready
version_added: 0.1.0
description:
  - Finds load balancers by name, ARN, DNS name, or by the Ingress or Service for which the AWS Load Balancer Controller created them, and returns their
    current state, down to the health of their targets. Nothing is changed.
  - With O(wait=true), it returns as soon as all are provisioned, have the desired listeners and healthy targets. When the time is up, or one can never
    become ready, the message states for each that is not ready why, and what to do.
  - Load balancers are read 20 at a time, and tags once per task. RV(api_calls) has the number of requests.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - meshwright.ambient._attributes.aws
  - meshwright.ambient._progress
attributes:
  diff_mode:
    support: none
    details: Nothing is changed.
options:
  load_balancers:
    description: Which load balancers to read, and their desired state.
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
        description: Its DNS name, as in the status of an Ingress, Service or Gateway.
        type: str
      cluster:
        description:
          - The name of its cluster, as the load balancer controller knows it.
          - Without another key, it selects all load balancers of the cluster, each of which gets an entry in the result.
        type: str
      ingress:
        description: The Ingress that it was created for, as C(namespace/name).
        type: str
      ingress_group:
        description: The group of Ingresses that it was created for (annotation C(alb.ingress.kubernetes.io/group.name)).
        type: str
      service:
        description: The Service that it was created for, as C(namespace/name). The Service of a Gateway of Istio is called C(NAME-istio).
        type: str
      state:
        description: Whether it should exist.
        type: str
        choices: [present, absent]
        default: present
      listeners:
        description: The listeners that it must have. It may have others.
        type: list
        elements: dict
        suboptions:
          port:
            description: The port.
            type: int
            required: true
          protocol:
            description: The protocol. If omitted, any protocol matches.
            type: str
            choices: [HTTP, HTTPS, TCP, TLS, UDP, TCP_UDP]
          certificate_arns:
            description: Certificates that it must have. It may have others.
            type: list
            elements: str
          ssl_policy:
            description: The TLS policy that it must have.
            type: str
      healthy_targets:
        description:
          - How many targets of each target group must be healthy. Draining targets do not count.
          - V(any) suits Services with C(externalTrafficPolicy Local) and instance targets, of which only nodes with a gateway pod can be healthy.
          - V(none) ignores targets.
        type: str
        choices: [all, any, none]
        default: all
  wait:
    description: Whether to wait until all are in their desired state, and to fail if they are not.
    type: bool
    default: false
  wait_timeout:
    description: How long to wait, in seconds. V(0) checks the current state once.
    type: int
    default: 600
    aliases: [timeout]
  fail_fast:
    description: Whether to stop waiting as soon as one can never become ready. Otherwise, it continues to wait for the others.
    type: bool
    default: true
  details:
    description: Whether to read attributes, tags, rules, further certificates and the attributes of target groups too, which takes more requests.
    type: bool
    default: true
  waf:
    description: Whether to read which web ACL of AWS WAF each ALB has; one request for each.
    type: bool
    default: false
  shield:
    description: Whether to read if each ALB is protected by Shield Advanced; one request for each.
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

- name: Wait until they are deleted
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
    - A load balancer that does not exist has only the keys up to RV(load_balancers[].final).
  returned: always
  type: list
  elements: dict
  contains:
    title:
      description: The load balancer that the item selects.
      type: str
      sample: load balancer of Ingress istio-ingress/public of cluster prod
    status:
      description: V(Current) if it is in its desired state; otherwise V(InProgress), V(Failed) or V(NotFound).
      type: str
      sample: Current
    reason:
      description: Why, as a stable word; for targets, the reason code of ELB. Empty if it is ready.
      type: str
      sample: ""
    message:
      description: The current state, as a sentence.
      type: str
      sample: active at public-1.eu-west-1.elb.amazonaws.com, HTTP 80, HTTPS 443, 2 of 2 targets are healthy
    remedy:
      description: What to do about it. Empty if it is ready.
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
      description: Why it is in this state, if AWS gives a reason.
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
      description: Its attributes. Only with O(details).
      type: dict
      sample: {deletion_protection.enabled: "true", idle_timeout.timeout_seconds: "60"}
    tags:
      description: Its tags. Only with O(details).
      type: dict
      sample: {elbv2.k8s.aws/cluster: prod, ingress.k8s.aws/stack: istio-ingress/public}
    owner:
      description: What it was created for, by its tags. Empty if no controller created it. Only with O(details).
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
      description: Its web ACL of AWS WAF. Empty if it has none. Only with O(waf).
      type: str
      sample: ""
    shield_protected:
      description: Whether Shield Advanced protects it. Only with O(shield).
      type: bool
      sample: false
elapsed:
  description: How long the task has waited, in seconds.
  returned: always
  type: float
  sample: 0.4
api_calls:
  description: How many requests were sent to AWS, by operation.
  returned: always
  type: dict
  sample: {elasticloadbalancing:DescribeLoadBalancers: 1}
"""

import time
import typing as t

from ..module_utils._aws.connect import aws_module, run
from ..module_utils._aws.poll import PollResult, wait_until
from ..module_utils._load_balancer.spec import parse_specs
from ..module_utils._load_balancer.state import LoadBalancers
from ..module_utils._load_balancer.verdicts import Row, format_failure, format_progress, verdicts_on
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
    run(aws_module(OPTIONS), report_load_balancers)


def report_load_balancers(
    module: AnsibleAWSModule, session: AwsSession, clock: t.Callable[[], float] = time.monotonic, pause: t.Callable[[float], None] = time.sleep
) -> Result:
    """Read the load balancers, wait until they are ready if asked to, and report."""
    params = module.params
    specs = parse_specs(params["load_balancers"])
    reader = LoadBalancers(session)

    def poll() -> PollResult:
        rows = [row for spec, answers in reader.list_matching(specs) for row in verdicts_on(spec, reader.read_all(answers, spec))]
        over = all(row.verdict.current for row in rows) or (params["fail_fast"] and any(row.verdict.final for row in rows))
        return PollResult(over, format_progress(rows), rows)

    started = clock()
    with lines_to(params["progress"]) as write_line:

        def report(elapsed: float, state: str) -> None:
            if write_line:
                write_line(f"{elapsed:.1f} s, {state}")

        timeout = params["wait_timeout"] if params["wait"] else 0
        rows: list[Row] = wait_until(poll, timeout=timeout, report=report if params["wait"] else None, clock=clock, pause=pause).value
    elapsed = clock() - started
    if params["details"]:
        reader.read_tags(row.current["arn"] for row in rows if row.current)
    reading = {"details": params["details"], "waf": params["waf"], "shield": params["shield"]}
    entries = [row.as_result(reader.read_rest(row.current, row.spec, **reading) if row.current else None) for row in rows]
    result: Result = {"changed": False, "load_balancers": entries, "elapsed": round(elapsed, 3)}
    if params["wait"] and not all(row.verdict.current for row in rows):
        return {**result, "failed": True, "msg": format_failure(rows, session.region, elapsed)}
    return result


if __name__ == "__main__":
    main()
