#!/usr/bin/python
# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: ingress_alb
short_description: Declare Application Load Balancers in front of gateways
version_added: 0.1.0
description:
  - Declares Application Load Balancers, each by an Ingress for the AWS Load Balancer Controller, in front of the Service of a gateway.
  - Objects that already match are not written. Objects are written by server-side apply.
  - Everything that can never work is reported and refused before the first write.
    Whether AWS has what they name, such as a subnet, is checked by M(meshwright.ambient.load_balancer_check).
  - With O(wait=true), the task ends when the load balancers have addresses. If the controller rejects one, the task fails within seconds with the
    controller's message, which requires the permission to list and watch events.
extends_documentation_fragment:
  - kubernetes.core.k8s_auth_options
  - meshwright.ambient._attributes
  - meshwright.ambient._progress
  - meshwright.ambient._ingress
  - meshwright.ambient._ingress.load_balancers
  - meshwright.ambient._ingress.albs
options:
  albs:
    description: Application Load Balancers, each an Ingress in front of the Service of a gateway.
    type: list
    elements: dict
    default: []
    suboptions:
      name: {type: str, required: true, description: The name of the Ingress.}
      namespace: {type: str, required: true, description: 'Its namespace, which is that of the gateway.'}
      state: {type: str, choices: [present, absent], default: present, description: Whether it should exist.}
      gateway: {type: str, description: The Gateway of class C(istio) behind it.}
      service: {type: str, description: 'The Service behind it, if the gateway comes from a chart. It has the name of the release.'}
      service_port: {type: int, default: 80, description: 'The port of the Service. With V(443), the load balancer sends HTTPS to it.'}
      hosts: {type: list, elements: str, default: [], description: 'The hosts of its rules. If empty, there is one rule for every host.'}
      tls_hosts: {type: list, elements: str, default: [], description: Hosts for which the controller looks for certificates (C(spec.tls)).}
      path: {type: str, default: /, description: The path of its rules.}
      labels: {type: dict, default: {}, description: Labels of the Ingress.}
      ingress_class: {type: str, default: alb, description: The class of the Ingress.}
      class_annotation:
        description: Set the class by the former annotation C(kubernetes.io/ingress.class) instead of the field.
        type: bool
        default: false
      load_balancer_name: {type: str, description: 'Its name in AWS, at most 32 characters. It is set on creation and cannot be changed.'}
      scheme:
        description: Whether it is reachable from outside. If omitted, the controller creates an internal one.
        type: str
        choices: [internet-facing, internal]
      target_type:
        description: V(ip) sends to the pods, whose addresses the VPC must route. V(instance) sends to the NodePorts of the nodes.
        type: str
        choices: [ip, instance]
        default: ip
      subnets:
        description: The IDs of its subnets, in at least two availability zones. If empty, the controller discovers them by their tags.
        type: list
        elements: str
        default: []
      certificate_arns:
        {type: list, elements: str, default: [], description: The ARNs of its certificates. The first one is the default.}
      ssl_policy:
        description: The policy of TLS versions and ciphers. If omitted, it is C(ELBSecurityPolicy-TLS13-1-2-2021-06) where TLS ends.
        type: str
      attributes: {type: dict, default: {}, description: 'Attributes of the load balancer, by their names in AWS.'}
      deletion_protection: {type: bool, description: Protect it from deletion. It is then deleted only after the protection has been disabled.}
      access_logs:
        description: Access logs in an S3 bucket, which must exist and let the load balancer write.
        type: dict
        suboptions:
          enabled: {type: bool, default: true, description: Whether to write access logs. V(false) disables them.}
          bucket: {type: str, description: The bucket.}
          prefix: {type: str, description: The prefix in the bucket.}
      tags: {type: dict, default: {}, description: Its tags.}
      ip_address_type: {type: str, choices: [ipv4, dualstack, dualstack-without-public-ipv4], description: The type of its addresses.}
      security_groups:
        description: Security groups instead of the one that the controller creates. The controller still allows traffic from them to the targets.
        type: list
        elements: str
        default: []
      health_check:
        description: How targets are probed. Options that are omitted default to HTTP C(/healthz/ready) on the port C(status-port).
        type: dict
        suboptions:
          protocol: {type: str, choices: [HTTP, HTTPS, TCP], description: The protocol.}
          port: {type: str, description: 'The port. The name of a port of the Service works for both target types, a number only for V(ip).'}
          path: {type: str, description: The path.}
          interval: {type: int, description: Seconds between two probes.}
          timeout: {type: int, description: Seconds after which a probe has failed.}
          healthy_threshold: {type: int, description: How many successes make a target healthy.}
          unhealthy_threshold: {type: int, description: How many failures make a target unhealthy.}
          success_codes: {type: str, description: 'The HTTP codes of success; of a backend that speaks gRPC, its codes, from 0 to 99.'}
      deregistration_delay: {type: int, default: 30, description: 'How long a target that is deregistered may finish its requests, in seconds.'}
      target_group_attributes: {type: dict, default: {}, description: 'Attributes of the target groups, by their names in AWS.'}
      annotations:
        description: Other annotations C(alb.ingress.kubernetes.io/*). Annotations that an option sets are an error.
        type: dict
        default: {}
      listen_ports:
        description: 'Its listeners, such as V({HTTPS: 443}). If omitted, they are HTTP 80, and with certificates also HTTPS 443.'
        type: list
        elements: dict
      ssl_redirect: {type: int, description: The port of the HTTPS listener to which all HTTP is redirected.}
      certificate_discovery: {type: bool, default: false, description: Let the controller find certificates by host.}
      waf_acl_arn:
        description: The ARN of a regional WAFv2 web ACL. An empty string detaches it. If omitted, a web ACL that an earlier run has attached is detached; one
          that others have attached is kept.
        type: str
      shield:
        description: Whether Shield Advanced protects it, which requires a subscription of the account. V(false) disables the protection. If omitted, protection
          that an earlier run has enabled is disabled.
        type: bool
      idle_timeout: {type: int, description: After how many idle seconds a connection is closed.}
      group_name: {type: str, description: The group of Ingresses that share the load balancer.}
      group_order: {type: int, description: The order of its rules in the group.}
      inbound_cidrs: {type: list, elements: str, default: [], description: The address ranges that may reach it.}
      actions:
        description: Actions by name, as in the annotation C(actions.*). Each gets a rule, before all others, without which it would have no effect.
        type: dict
        default: {}
  wait:
    description: Wait until the load balancers have their addresses, and what should be absent is deleted.
    type: bool
    default: false
  wait_timeout:
    description:
      - How long to wait, in seconds.
      - It also bounds the wait for load balancers to be deleted, which takes place even without O(wait=true).
    type: int
    default: 600
seealso:
  - module: meshwright.ambient.ingress_gateway
  - module: meshwright.ambient.load_balancer_check
  - module: meshwright.ambient.load_balancer_info
"""

EXAMPLES = r"""
- name: An Application Load Balancer in front of a gateway
  meshwright.ambient.ingress_alb:
    albs:
      - name: public
        namespace: istio-ingress
        gateway: public
        scheme: internet-facing
        hosts: ["*.example.com", example.com]
        certificate_arns: ["arn:aws:acm:eu-central-1:123456789012:certificate/5e5e4a3c-0b7a-4f0e-9d57-1d3f2c6b8a90"]
        ssl_redirect: 443
        deletion_protection: true
        tags: {Team: shop, Stage: production}
    wait: true

- name: Detach the web ACL, and disable Shield Advanced
  meshwright.ambient.ingress_alb:
    albs:
      - name: public
        namespace: istio-ingress
        gateway: public
        waf_acl_arn: ""
        shield: false

- name: Delete it, although it is protected
  meshwright.ambient.ingress_alb:
    albs:
      - {name: public, namespace: istio-ingress, state: absent}
    override_deletion_protection: true
"""

RETURN = r"""
objects:
  description: What was done to each object, in the order of the options; objects that belong to an item follow it.
  returned: success
  type: list
  elements: dict
  contains:
    kind: {type: str, sample: Ingress, description: The kind of the object.}
    namespace: {type: str, sample: istio-ingress, description: Its namespace.}
    name: {type: str, sample: public, description: Its name.}
    action: {type: str, sample: created, description: 'V(created), V(changed), V(deleted) or V(unchanged); in check mode, what would be done.'}
    changed: {type: bool, sample: true, description: Whether anything was done.}
    manifest: {type: dict, sample: {}, description: The object as it is applied; empty for one that is absent.}
albs:
  description: The Application Load Balancers that should be present, each with the hops from it to the pods.
  returned: success
  type: list
  elements: dict
  contains:
    name: {type: str, sample: public, description: The name of the Ingress.}
    namespace: {type: str, sample: istio-ingress, description: Its namespace.}
    made_by: {type: str, sample: AWS Load Balancer Controller, description: The controller that creates it.}
    address:
      description: The host name of the load balancer, for DNS; empty as long as it has none.
      type: str
      sample: public-1234567890.eu-central-1.elb.amazonaws.com
    target_type: {type: str, sample: instance, description: The type of its targets.}
    node_port: {type: int, sample: 31380, description: 'The port of the nodes with target type V(instance), otherwise V(0).'}
    service: {type: str, sample: public-istio, description: The Service.}
    service_port: {type: int, sample: 80, description: Its port.}
    pods: {type: list, elements: str, sample: [public-istio-6c9d5bb5c7-x5x7h], description: The names of the gateway's ready pods.}
ready_targets:
  description: Targets with which M(meshwright.ambient.ready) can verify the result, as in O(meshwright.ambient.ready#module:targets).
  returned: success
  type: list
  elements: dict
  sample:
    - {kind: Ingress, name: public, namespace: istio-ingress}
targets:
  description: The verdict on each of them, as in RV(meshwright.ambient.ready#module:targets).
  returned: when O(wait=true)
  type: list
  elements: dict
"""

import time
import typing as t

from ..module_utils._alb.plan import changes_load_balancer, ready_target
from ..module_utils._alb.refusals import refuse_albs
from ..module_utils._alb.report import report_albs
from ..module_utils._alb.spec import ALBS, parse_alb
from ..module_utils._alb.state import read_alb_state
from ..module_utils._errors import raise_if_any
from ..module_utils._ingress.apply import apply_writes, confirm, plan_writes
from ..module_utils._ingress.plan import plan_changes, report_changes
from ..module_utils._ingress.spec import ALB_OPTIONS, WAITING, find_errors
from ..module_utils._ingress.state import Reader
from ..module_utils._inventory.ingress import find_load_balancer_conflicts
from ..module_utils._inventory.ingress_lists import IngressLists
from ..module_utils._k8s.apply import find_refusals
from ..module_utils._module import all_was_written, mesh_module, run
from ..module_utils._wait.load_balancers import wait_for_load_balancers

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

    from ..module_utils._k8s.session import ApiSession
    from ..module_utils._module import Result

OPTIONS = {"albs": ALBS, **ALB_OPTIONS, **WAITING}


def main() -> None:
    run(mesh_module(OPTIONS), ensure_albs)


def ensure_albs(module: AnsibleModule, session: ApiSession) -> Result:
    """Bring the Ingresses of the load balancers to their desired state."""
    params, check = module.params, module.check_mode
    items = [parse_alb(item) for item in params["albs"]]
    for note in (f"{item.title}: {note}" for item in items for note in item.notes):
        module.warn(note)
    raise_if_any([*find_errors(items), *find_load_balancer_conflicts(IngressLists(albs=tuple(items)))], session.cluster)
    reader = Reader(session, items, module.warn)
    planned = (params["planned"] or {}) if check else {}
    state = read_alb_state(reader, items, planned, allow_unroutable_targets=params["allow_unroutable_targets"])
    changes = plan_changes(items, state.objects)
    allowances = {name: params[name] for name in ("force_conflicts", "override_deletion_protection", "allow_load_balancer_service")}
    raise_if_any(refuse_albs(changes, state, **allowances), session.cluster)
    changes = confirm(session, changes, force=params["force_conflicts"])
    writes = plan_writes(changes, force=params["force_conflicts"])
    raise_if_any(session.refused(writes.all), session.cluster)
    raise_if_any(find_refusals(session, writes.all), session.cluster)
    result: Result = report_changes(changes, ("Ingress",))
    started = time.monotonic()
    present = [change for change in changes if change.desired.manifest]
    waiting = params["wait"] and not check and bool(present)
    known_events = reader.events() if waiting else {}
    written = {} if check else apply_writes(session, writes, params["wait_timeout"])
    with all_was_written("All of it is written"):
        if waiting:
            targets = [ready_target(change, known_events, written) for change in present]
            changed = any(changes_load_balancer(change) for change in present)
            acknowledged = [ready_target(change, known_events, written, reconciled=True) for change in present] if changed else []
            timeout = max(params["wait_timeout"] - (time.monotonic() - started), 0.0)
            result.update(wait_for_load_balancers(session, targets, acknowledged, timeout=timeout, progress=params["progress"]))
        result["albs"] = report_albs(items, state, result.get("targets") or (), reader.ready_pods() if present else {})
    return result


if __name__ == "__main__":
    main()
