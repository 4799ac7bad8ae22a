#!/usr/bin/python
# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: ready
short_description: Wait until parts of a mesh are truly ready, or say why they are not
version_added: 0.1.0
description:
  - Waits, by watching, until every target is what it claims to be; returns the moment that is so. Nothing is changed.
  - A status counts only when it speaks of the newest generation, and only when nothing else shows that it is not true. A Gateway counts only with
    a ready pod behind its address, a webhook only when its endpoint answers, a route only when a waypoint or Gateway reads it, a policy only when
    all of it is enforced.
  - When the time is up, or a target has failed for good, the message says of each target that is not ready why, since when and what to do.
  - In check mode it does the same, because it changes nothing.
author:
  - The meshwright.ambient contributors (@meshwright)
extends_documentation_fragment:
  - kubernetes.core.k8s_auth_options
  - meshwright.ambient._attributes
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
  targets:
    description: What to wait for; kinds may be mixed.
    type: list
    elements: dict
    required: true
    suboptions:
      kind:
        description:
          - What the target is. Without O(targets[].api_version) it is one of those that follow.
          - V(control_plane) is istiod in O(targets[].namespace), of the revision O(targets[].name), with its webhooks, which must have their CA,
            refuse wrong objects, and answer.
          - V(waypoint) and V(Gateway) are ready when accepted and programmed at their generation, with an address, the Service that has it, and an
            available Deployment.
          - V(binding) is ready when the Services of O(targets[].namespace), or the one called O(targets[].name), are bound to the waypoint that
            their labels name; and to its canary, and for ingress traffic, when labels ask for that.
          - V(enrollment) is ready when every pod of O(targets[].namespace) that should be captured is.
          - V(ValidatingWebhookConfiguration) and V(MutatingWebhookConfiguration) are ready when each of their webhooks has a CA that is a certificate
            and still valid, and a Service with a ready endpoint that answers. Who lacks the permission to get C(services/proxy) is not told whether
            it answers; O(targets[].namespace) may name the namespace of their Services, so that less is read.
          - V(HTTPRoute) and V(GRPCRoute) are ready when every parent has accepted them and their references resolve; for a parent Service also
            when its waypoint is bound and reads routes of this namespace, whatever their status says. Of a parent ServiceEntry, istiod's word is
            taken; add a target V(binding) for it.
          - V(AuthorizationPolicy) is ready when ztunnel, or with C(targetRefs) a waypoint, enforces all of it. A policy whose HTTP part ztunnel leaves
            out is V(Failed), though istiod calls it accepted.
          - V(PeerAuthentication) and V(RequestAuthentication) get no status from istiod, and are judged by their form and by what they point to.
          - V(Service) and V(Ingress) are ready when they have their address; a load balancer one from outside.
          - V(CustomResourceDefinition) is ready when it is established, V(Deployment), V(ReplicaSet) and V(StatefulSet) when all pods are new and available,
            V(DaemonSet) when every eligible node has such a pod and there is one, V(Job) when it is complete, V(Pod) when it is ready or has ended well.
        type: str
        required: true
      api_version:
        description:
          - Group and version of any other kind, such as V(cert-manager.io/v1); O(targets[].kind) is then its name.
          - It is judged by O(targets[].condition), by O(targets[].json_path), or else as kstatus does, by C(observedGeneration) and the conditions
            C(Ready), C(Reconciling) and C(Stalled).
        type: str
      name:
        description: The name of the object; of a control plane, its revision.
        type: str
        default: ""
      namespace:
        description: The namespace of the object.
        type: str
        default: ""
      waypoint:
        description: With O(targets[].kind=binding), the waypoint that must be bound. Not given, the labels' word is taken.
        type: str
      waypoint_namespace:
        description: The namespace of O(targets[].waypoint), when it is another one.
        type: str
      bound_kind:
        description: With O(targets[].kind=binding), what must be bound. Not given, it is V(Service).
        type: str
        choices: [Service, ServiceEntry]
      excluded_namespaces:
        description:
          - With O(targets[].kind=enrollment), the namespaces that the istio-cni chart excludes (its value C(excludeNamespaces)).
          - Not given, it is the chart's own default, V(kube-system) alone.
        type: list
        elements: str
      served_versions:
        description: With O(targets[].kind=CustomResourceDefinition), versions that must be served, such as V(v1).
        type: list
        elements: str
      bundle_version:
        description:
          - With O(targets[].kind=CustomResourceDefinition), the version of the Gateway API's bundle that it must be of, by its annotation
            C(gateway.networking.k8s.io/bundle-version).
          - V(v1.6.1) means this very version, V(>=v1.4.0) this one or a newer one.
        type: str
      load_balancer:
        description:
          - With O(targets[].kind=Gateway), whether its address must be the one of its load balancer; istiod may call a Gateway programmed at a name
            inside the cluster.
          - With O(targets[].kind=Service), whether it must be a load balancer.
        type: bool
      root_namespace:
        description:
          - With O(targets[].kind=PeerAuthentication) and O(targets[].kind=RequestAuthentication), the namespace whose policies count for the whole
            mesh (C(meshConfig.rootNamespace)).
          - Not given, it is V(istio-system).
        type: str
      condition:
        description: With O(targets[].api_version), a condition that the object must have; one that speaks of an older generation does not count.
        type: dict
        suboptions:
          type:
            description: The condition's type.
            type: str
            required: true
          status:
            description: The status that it must have.
            type: str
            default: "True"
          reason:
            description: The reason that it must have. Not given, any will do.
            type: str
      json_path:
        description:
          - With O(targets[].api_version), what must be found in the object, as kubectl writes JSONPath, such as
            V({.status.loadBalancer.ingress[0].hostname}) or V({.status.conditions[?(@.type=="Synced"\)].status}).
          - Needs the Python package jsonpath-ng on the host that runs the task.
        type: str
      value:
        description: With O(targets[].json_path), what all that it finds must be. Not given, it must find something that is not empty.
        type: str
  timeout:
    description: How long to wait, in seconds. V(0) judges what is there now.
    type: int
    default: 300
  stable_for:
    description: For how many seconds on end all targets must be ready, before they count as ready.
    type: float
    default: 0
  fail_fast:
    description: Whether to fail at once when a target has failed for good, so that waiting cannot help; else the others are waited for all the same.
    type: bool
    default: true
seealso:
  - module: meshwright.ambient.enrollment
  - module: meshwright.ambient.waypoint
"""

EXAMPLES = r"""
- name: Wait for the control plane and the node agents
  meshwright.ambient.ready:
    targets:
      - kind: control_plane
        namespace: istio-system
      - kind: DaemonSet
        name: istio-cni-node
        namespace: istio-system
      - kind: DaemonSet
        name: ztunnel
        namespace: istio-system

- name: Prove that a namespace is in the mesh and uses its waypoint
  meshwright.ambient.ready:
    targets:
      - kind: waypoint
        name: waypoint
        namespace: bookinfo
      - kind: binding
        namespace: bookinfo
        waypoint: waypoint
      - kind: enrollment
        namespace: bookinfo
    timeout: 60

- name: Prove that a route and a policy do what they say
  meshwright.ambient.ready:
    targets:
      - kind: HTTPRoute
        name: reviews
        namespace: bookinfo
      - kind: AuthorizationPolicy
        name: reviews-viewer
        namespace: bookinfo
    timeout: 60

- name: Prove that the Gateway API is there in the version that is needed, and that its webhooks are served
  meshwright.ambient.ready:
    targets:
      - kind: CustomResourceDefinition
        name: httproutes.gateway.networking.k8s.io
        served_versions: [v1]
        bundle_version: ">=v1.4.0"
      - kind: MutatingWebhookConfiguration
        name: istio-sidecar-injector
        namespace: istio-system
    timeout: 60

- name: Wait until the cloud has given the ingress gateway its address, and it has been stable for five seconds
  meshwright.ambient.ready:
    targets:
      - kind: Gateway
        name: ingress
        namespace: istio-ingress
        load_balancer: true
    stable_for: 5
    timeout: 600

- name: Wait for a database migration and for an external destination behind the waypoint
  meshwright.ambient.ready:
    targets:
      - kind: Job
        name: migration
        namespace: shop
      - kind: binding
        bound_kind: ServiceEntry
        name: payments
        namespace: shop

- name: Wait for objects of any kind
  meshwright.ambient.ready:
    targets:
      - api_version: apiregistration.k8s.io/v1
        kind: APIService
        name: v1.apps
        condition:
          type: Available
      - api_version: v1
        kind: Node
        name: node-1
        json_path: '{.status.conditions[?(@.type=="Ready")].status}'
        value: "True"
      - api_version: policy/v1
        kind: PodDisruptionBudget
        name: web
        namespace: shop
        json_path: "{.status.disruptionsAllowed}"
        value: "1"

- name: Judge without waiting
  meshwright.ambient.ready:
    targets:
      - kind: control_plane
        namespace: istio-system
    timeout: 0
"""

RETURN = r"""
targets:
  description: The verdict on each target, in the order of O(targets).
  returned: always
  type: list
  elements: dict
  contains:
    kind:
      description: The kind of the target.
      type: str
      sample: waypoint
    name:
      description: Its name.
      type: str
      sample: waypoint
    namespace:
      description: Its namespace.
      type: str
      sample: bookinfo
    status:
      description: V(Current) when it is ready; else V(InProgress), V(Failed), V(NotFound), V(Terminating) or V(Unknown).
      type: str
      sample: Current
    reason:
      description: Why, in a stable word; empty when it is ready.
      type: str
      sample: ""
    message:
      description: What was seen.
      type: str
      sample: programmed at 10.0.0.62, waypoint.bookinfo.svc.cluster.local, 1 of 1 pods are available
    remedy:
      description: What to do about it; empty when it is ready.
      type: str
      sample: ""
    since:
      description: Since when, when an object tells.
      type: str
      sample: ""
    details:
      description:
        - More about it, such as the captured pods of an enrollment, the bound Services of a binding, the address of a Gateway, the parents of a route,
          the versions that a CustomResourceDefinition serves, and the condition or the values that were found in any object.
        - C(reported) is V(false) where istiod reports no status, so that the verdict rests on the object's form.
      type: dict
      sample:
        address: 10.0.0.62, waypoint.bookinfo.svc.cluster.local
elapsed:
  description: How long was waited, in seconds.
  returned: always
  type: float
  sample: 1.2
"""

import time
import typing as t

from ..module_utils._errors import MeshError
from ..module_utils._module import mesh_module, run
from ..module_utils._status.spec import parse_target
from ..module_utils._wait.report import wait_and_report

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

    from ..module_utils._k8s.session import ApiSession
    from ..module_utils._module import Result

OPTIONS = {
    "targets": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "kind": {"type": "str", "required": True},
            "api_version": {"type": "str"},
            "name": {"type": "str", "default": ""},
            "namespace": {"type": "str", "default": ""},
            "waypoint": {"type": "str"},
            "waypoint_namespace": {"type": "str"},
            "bound_kind": {"type": "str", "choices": ["Service", "ServiceEntry"]},
            "excluded_namespaces": {"type": "list", "elements": "str"},
            "served_versions": {"type": "list", "elements": "str"},
            "bundle_version": {"type": "str"},
            "load_balancer": {"type": "bool"},
            "root_namespace": {"type": "str"},
            "condition": {
                "type": "dict",
                "options": {"type": {"type": "str", "required": True}, "status": {"type": "str", "default": "True"}, "reason": {"type": "str"}},
            },
            "json_path": {"type": "str"},
            "value": {"type": "str"},
        },
    },
    "timeout": {"type": "int", "default": 300},
    "stable_for": {"type": "float", "default": 0},
    "fail_fast": {"type": "bool", "default": True},
    "progress": {"type": "path"},
}


def main() -> None:
    run(mesh_module(OPTIONS), wait)


def wait(module: AnsibleModule, session: ApiSession) -> Result:
    """Wait, then tell the verdicts."""
    params = module.params
    now = time.time()
    targets = [parse_target(index, item, session.find_kind, now) for index, item in enumerate(params["targets"])]
    if not targets:
        raise MeshError("There is no target to wait for: give at least one, or skip the task.")
    timeout, stable_for = params["timeout"], params["stable_for"]
    if stable_for < 0 or (stable_for and stable_for >= timeout):
        raise MeshError(f"stable_for is {stable_for:g} s, and timeout {timeout} s: what should hold for a while must be given more time than that.")
    told = wait_and_report(session, targets, timeout=timeout, stable_for=stable_for, fail_fast=params["fail_fast"], progress=params["progress"])
    return {"changed": False, **told}


if __name__ == "__main__":
    main()
