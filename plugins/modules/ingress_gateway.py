#!/usr/bin/python
# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: ingress_gateway
short_description: Declare Gateways of class istio and their Network Load Balancers
version_added: 0.1.0
description:
  - Declares Gateways of class C(istio), through which traffic enters the mesh, and the Network Load Balancers in front of them.
  - Objects that already match are not written. Objects are written by server-side apply.
  - Everything that can never work is reported and refused before the first write. What istiod would create for a Gateway, such as its Service with the
    overlays, is tried as a dry run, as far as this user may create such objects, because istiod only logs what is refused to it.
  - With O(wait=true), the task ends when the Gateways are programmed and their load balancers have addresses. If the AWS Load Balancer Controller
    rejects one, the task fails within seconds with the controller's message, which requires the permission to list and watch events.
extends_documentation_fragment:
  - kubernetes.core.k8s_auth_options
  - meshwright.ambient._attributes
  - meshwright.ambient._progress
  - meshwright.ambient._ingress
  - meshwright.ambient._ingress.load_balancers
options:
  gateways:
    description:
      - Gateways of class C(istio). istiod creates a Deployment and a Service for each, both with the name of the Gateway and the suffix C(-istio).
    type: list
    elements: dict
    default: []
    suboptions:
      name: {type: str, required: true, description: The name of the Gateway.}
      namespace: {type: str, required: true, description: The namespace of the Gateway.}
      state: {type: str, choices: [present, absent], default: present, description: Whether it should exist.}
      create_namespace: {type: bool, default: true, description: Create the namespace if it does not exist. It is never deleted.}
      load_balancer:
        description:
          - The load balancer in front of the gateway. V(nlb) requests a Network Load Balancer for its Service, V(alb) declares that an Application Load
            Balancer will be created (M(meshwright.ambient.ingress_alb)), V(none) that there is no AWS load balancer.
          - It determines the type of the Service from the start, so that no unwanted load balancer is created.
        type: str
        choices: [none, nlb, alb]
        default: none
      service_type:
        description: The type of its Service. If omitted, it is C(LoadBalancer) with V(nlb) and C(ClusterIP) otherwise. An ALB with target type V(instance)
          needs V(NodePort), which the role C(ingress) sets automatically.
        type: str
        choices: [ClusterIP, NodePort, LoadBalancer]
      hosts:
        description:
          - The hosts of its listeners, each with a listener at port 80, and with O(gateways[].tls) one at port 443. If empty, every host matches.
          - A wildcard does not cover the domain itself.
        type: list
        elements: str
        default: []
      tls:
        description: Where TLS terminates. With V(load_balancer), port 443 uses HTTP, because TLS terminates earlier; with V(gateway), it uses HTTPS with
          O(gateways[].certificate_refs). Behind an ALB, use V(none).
        type: str
        choices: [none, load_balancer, gateway]
        default: none
      certificate_refs:
        description: The Secrets of the certificates, with O(gateways[].tls=gateway).
        type: list
        elements: dict
        default: []
        suboptions: &secret
          name: {type: str, required: true, description: The name of the Secret.}
          namespace: {type: str, description: 'Its namespace, if it differs. It then needs a ReferenceGrant.'}
      redirect_http:
        description:
          - Redirect port 80 to HTTPS by an HTTPRoute. Routes of the role C(ingress) then attach to the other listeners that serve one of their hosts,
            unless they name some.
          - Port 80 then admits routes of the gateway's own namespace only, whatever O(gateways[].allowed_routes) says, so that nothing is served in plain
            HTTP. Listeners of O(gateways[].listeners) keep their own setting.
        type: bool
        default: false
      allowed_routes:
        description: The namespaces whose routes may attach to its listeners.
        type: dict
        suboptions: &allowed_routes
          from:
            description: V(Same) is its own namespace, V(All) is every namespace, V(Selector) those that the selector matches.
            type: str
            choices: [Same, All, Selector]
            default: Same
          selector: {type: dict, description: 'A LabelSelector of namespaces. If omitted, it is the label C(shared-gateway-access=true).'}
      route_namespaces: {type: list, elements: str, default: [], description: Namespaces to which the labels of that selector are added.}
      listeners:
        description: The listeners in full, in place of those of O(gateways[].hosts) and O(gateways[].tls).
        type: list
        elements: dict
        default: []
        suboptions:
          name: {type: str, required: true, description: The name of the listener.}
          port: {type: int, required: true, description: Its port.}
          protocol: {type: str, choices: [HTTP, HTTPS, TCP, TLS], default: HTTP, description: Its protocol.}
          hostname: {type: str, description: 'Its host. If omitted, every host matches.'}
          certificate_refs:
            description: The Secrets of its certificates.
            type: list
            elements: dict
            default: []
            suboptions: *secret
          tls_mode: {type: str, choices: [Terminate, Passthrough], description: 'Whether TLS ends here. If omitted, it does if there are certificates.'}
          allowed_routes:
            description: The namespaces whose routes may attach to it. If omitted, they are those of the gateway.
            type: dict
            suboptions: *allowed_routes
      revision: {type: str, description: 'The revision of istiod that owns it. If omitted, it is that of its namespace, or the default one.'}
      labels: {type: dict, default: {}, description: Labels of everything that istiod creates for it.}
      annotations:
        description: Annotations of everything that istiod creates for it. A Gateway has at most 8, including those of its load balancer.
        type: dict
        default: {}
      replicas: {type: int, description: 'How many pods it has. If omitted, it is one.'}
      trusted_proxies:
        description: How many proxies in front are trusted to report the client's address (C(X-Forwarded-For)). If omitted, it is 1 behind an ALB, and 0
          otherwise.
        type: int
      drain_seconds:
        description: How long a terminating pod still answers. If omitted, it is 30 behind a load balancer; V(0) leaves it to Istio. It must not be shorter
          than the deregistration delay.
        type: int
      overlays:
        description: Strategic merge patches for what no other option covers, merged last, as in O(meshwright.ambient.waypoint#module:waypoints[].overlays).
        type: dict
        default: {}
      nlb:
        description: The Network Load Balancer, with O(gateways[].load_balancer=nlb).
        type: dict
        suboptions:
          name: {type: str, description: 'Its name in AWS, at most 32 characters. It is set on creation and cannot be changed.'}
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
          ip_address_type: {type: str, choices: [ipv4, dualstack], description: The type of its addresses.}
          security_groups:
            description: Security groups instead of the one that the controller creates. The controller still allows traffic from them to the targets.
            type: list
            elements: str
            default: []
          health_check:
            description: How targets are probed. If omitted, it is HTTP C(/healthz/ready) at port 15021 with target type V(ip), the controller's default with
              V(instance), and TCP with proxy protocol.
            type: dict
            suboptions:
              protocol: {type: str, choices: [HTTP, HTTPS, TCP], description: The protocol.}
              port: {type: str, description: 'The port. The name of a port of the Service works for both target types, a number only for V(ip).'}
              path: {type: str, description: The path.}
              interval: {type: int, description: Seconds between two probes.}
              timeout: {type: int, description: Seconds after which a probe has failed.}
              healthy_threshold: {type: int, description: How many successes make a target healthy.}
              unhealthy_threshold: {type: int, description: How many failures make a target unhealthy.}
              success_codes: {type: str, description: The HTTP codes of success.}
          deregistration_delay: {type: int, default: 30, description: 'How long a target that is deregistered may finish its requests, in seconds.'}
          target_group_attributes: {type: dict, default: {}, description: 'Attributes of the target groups, by their names in AWS.'}
          annotations:
            description: Other annotations C(service.beta.kubernetes.io/aws-load-balancer-*). Annotations that an option sets are an error.
            type: dict
            default: {}
          ssl_ports: {type: list, elements: int, description: 'The ports on which TLS terminates if there are certificates. If omitted, 443.'}
          cross_zone: {type: bool, description: Distribute traffic over the targets of all zones.}
          eip_allocations: {type: list, elements: str, default: [], description: 'The IDs of elastic IP addresses, one for each subnet.'}
          source_ranges: {type: list, elements: str, default: [], description: 'The address ranges that may reach it. If empty, all addresses.'}
          external_traffic_policy:
            description: V(Local) sends traffic only to nodes with a pod, and preserves the client's address with target type V(instance).
            type: str
            choices: [Cluster, Local]
          preserve_client_ip: {type: bool, description: 'Whether targets see the client''s address. If omitted, AWS decides by target type and protocol.'}
          proxy_protocol:
            description: Send the client's address by proxy protocol, and configure the gateway for it. Health checks then use TCP, because the
              status port does not support it.
            type: bool
            default: false
          expose_status_port:
            description: Keep port 15021 in the Service, which makes it a listener. Health checks of pods do not need this.
            type: bool
            default: false
  wait:
    description: Wait until the Gateways are programmed, load balancers have their addresses, and what should be absent is deleted.
    type: bool
    default: false
  wait_timeout:
    description:
      - How long to wait, in seconds.
      - It also bounds the wait for a load balancer to be deleted before its gateway, which takes place even without O(wait=true).
    type: int
    default: 600
  planned:
    description: What earlier tasks of the same check run would create. It is taken into account in check mode only.
    type: dict
    suboptions:
      namespaces: {type: list, elements: str, default: [], description: Names of namespaces.}
      controller: {type: bool, default: false, description: Whether the AWS Load Balancer Controller would be installed.}
seealso:
  - module: meshwright.ambient.ingress_alb
  - module: meshwright.ambient.ingress_route
  - module: meshwright.ambient.load_balancer_check
  - module: meshwright.ambient.load_balancer_info
"""

EXAMPLES = r"""
- name: A gateway without a load balancer
  meshwright.ambient.ingress_gateway:
    gateways:
      - {name: shop, namespace: shop}
    wait: true

- name: A gateway behind an Application Load Balancer, which many namespaces share
  meshwright.ambient.ingress_gateway:
    gateways:
      - name: public
        namespace: istio-ingress
        load_balancer: alb
        allowed_routes: {from: Selector}
        route_namespaces: [shop]
    wait: true

- name: A Network Load Balancer at which TLS ends
  meshwright.ambient.ingress_gateway:
    gateways:
      - name: edge
        namespace: istio-ingress
        load_balancer: nlb
        hosts: ["*.example.com"]
        tls: load_balancer
        redirect_http: true
        nlb:
          scheme: internet-facing
          cross_zone: true
          certificate_arns: ["arn:aws:acm:eu-central-1:123456789012:certificate/5e5e4a3c-0b7a-4f0e-9d57-1d3f2c6b8a90"]
    wait: true

- name: Delete it, although its load balancer is protected
  meshwright.ambient.ingress_gateway:
    gateways:
      - {name: edge, namespace: istio-ingress, state: absent}
    override_deletion_protection: true
"""

RETURN = r"""
objects:
  description: What was done to each object, in the order of the options; objects that belong to an item follow it.
  returned: success
  type: list
  elements: dict
  contains:
    kind: {type: str, sample: Gateway, description: The kind of the object.}
    namespace: {type: str, sample: istio-ingress, description: Its namespace.}
    name: {type: str, sample: public, description: Its name.}
    action: {type: str, sample: created, description: 'V(created), V(changed), V(deleted) or V(unchanged); in check mode, what would be done.'}
    changed: {type: bool, sample: true, description: Whether anything was done.}
    manifest: {type: dict, sample: {}, description: The object as it is applied; empty for one that is absent.}
gateways:
  description: The gateways that should be present.
  returned: success
  type: list
  elements: dict
  contains:
    name: {type: str, sample: public, description: The name of the Gateway.}
    namespace: {type: str, sample: istio-ingress, description: Its namespace.}
    service: {type: str, sample: public-istio, description: The name of its Service.}
    deployment: {type: str, sample: public-istio, description: The name of its Deployment.}
    reference: {type: str, sample: istio-ingress/public, description: 'The Gateway as C(namespace/name).'}
    service_type: {type: str, sample: ClusterIP, description: The current type of its Service.}
    load_balancer:
      description:
        - The load balancer in front of it, even if it has not been created yet. V(alb), V(nlb), V(none), or V(cloud) for that of the cloud, which in EKS is a
          Classic Load Balancer.
        - V(unknown) for a Service of type C(LoadBalancer) if this user may not read whether the AWS Load Balancer Controller handles new ones.
      type: str
      sample: alb
    made_by:
      description: The controller that creates it, V(AWS Load Balancer Controller) or V(cloud controller); empty if there is none, or if it is unknown.
      type: str
      sample: AWS Load Balancer Controller
    address: {type: str, sample: public-istio.istio-ingress.svc.cluster.local, description: Its address; empty as long as it has none.}
    pods: {type: list, elements: str, sample: [public-istio-6c9d5bb5c7-x5x7h], description: The names of its ready pods.}
ready_targets:
  description: Targets with which M(meshwright.ambient.ready) can verify the result, as in O(meshwright.ambient.ready#module:targets).
  returned: success
  type: list
  elements: dict
  sample:
    - {kind: Gateway, name: public, namespace: istio-ingress}
labelled:
  description: The namespaces that were labelled, with their new labels.
  returned: success
  type: dict
  sample: {shop: {shared-gateway-access: "true"}}
targets:
  description: The verdict on each of them, as in RV(meshwright.ambient.ready#module:targets).
  returned: when O(wait=true)
  type: list
  elements: dict
"""

import time
import typing as t

from ..module_utils._errors import raise_if_any
from ..module_utils._gateway.plan import changes_load_balancer, has_nlb, missing_labels, namespaces_to_create, objects_to_try, ready_target
from ..module_utils._gateway.refusals import refuse_gateways
from ..module_utils._gateway.report import diff_namespaces, report_gateways
from ..module_utils._gateway.spec import GATEWAY, parse_gateway
from ..module_utils._gateway.state import read_gateway_state
from ..module_utils._ingress.apply import apply_writes, confirm, plan_writes
from ..module_utils._ingress.plan import plan_changes, report_changes
from ..module_utils._ingress.spec import LOAD_BALANCER_OPTIONS, WAITING, find_errors, list_of
from ..module_utils._ingress.state import Reader
from ..module_utils._inventory.ingress import find_load_balancer_conflicts
from ..module_utils._inventory.ingress_lists import IngressLists
from ..module_utils._k8s.apply import find_refusals
from ..module_utils._managed_gateway.state import find_managed_refusals
from ..module_utils._module import all_was_written, mesh_module, run
from ..module_utils._wait.load_balancers import wait_for_load_balancers

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

    from ..module_utils._k8s.session import ApiSession
    from ..module_utils._module import Result

OPTIONS = {
    "gateways": list_of(GATEWAY),
    **LOAD_BALANCER_OPTIONS,
    **WAITING,
    "planned": {
        "type": "dict",
        "options": {"namespaces": {"type": "list", "elements": "str", "default": []}, "controller": {"type": "bool", "default": False}},
    },
}


def main() -> None:
    run(mesh_module(OPTIONS), ensure_gateways)


def ensure_gateways(module: AnsibleModule, session: ApiSession) -> Result:
    """Bring the Gateways to their desired state."""
    params, check = module.params, module.check_mode
    items = [parse_gateway(item) for item in params["gateways"]]
    for note in (f"{item.title}: {note}" for item in items for note in item.notes):
        module.warn(note)
    raise_if_any([*find_errors(items), *find_load_balancer_conflicts(IngressLists(gateways=tuple(items)))], session.cluster)
    reader = Reader(session, items, module.warn)
    planned = (params["planned"] or {}) if check else {}
    state = read_gateway_state(reader, items, planned, required=not check, allow_unroutable_targets=params["allow_unroutable_targets"])
    changes = plan_changes(items, state.objects)
    allowances = {name: params[name] for name in ("force_conflicts", "override_deletion_protection")}
    raise_if_any(refuse_gateways(changes, state, **allowances), session.cluster)
    changes = confirm(session, changes, force=params["force_conflicts"])
    namespaces, labels = namespaces_to_create(items, state.namespaces), missing_labels(items, state.namespaces)
    writes = plan_writes(changes, force=params["force_conflicts"], services=state.services, namespaces=namespaces, labels=labels)
    raise_if_any(session.refused(writes.all), session.cluster)
    tried = objects_to_try(changes, state.namespaces)
    raise_if_any([*find_refusals(session, writes.all), *find_managed_refusals(session, tried, module.warn)], session.cluster)
    result: Result = {**report_changes(changes, ("Gateway", "HTTPRoute")), "changed": bool(writes.all), "labelled": labels}
    result["diff"] = [*diff_namespaces(namespaces, labels), *result["diff"]]
    started = time.monotonic()
    waiting = params["wait"] and not check
    known_events = reader.events() if waiting and has_nlb(items) else {}
    if not check:
        apply_writes(session, writes, params["wait_timeout"])
    with all_was_written("All of it is written"):
        present = [change for change in changes if change.desired.manifest and change.desired.key[0] != "ConfigMap"]
        if waiting:
            targets = [ready_target(change, changes, known_events) for change in present]
            changed = any(changes_load_balancer(change, changes) for change in present)
            acknowledged = [ready_target(change, changes, known_events, reconciled=True) for change in present] if changed else []
            timeout = max(params["wait_timeout"] - (time.monotonic() - started), 0.0)
            result.update(wait_for_load_balancers(session, targets, acknowledged, timeout=timeout, progress=params["progress"]))
        result["gateways"] = report_gateways(items, state, result.get("targets") or (), reader.ready_pods() if present else {})
    return result


if __name__ == "__main__":
    main()
