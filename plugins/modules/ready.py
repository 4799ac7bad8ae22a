#!/usr/bin/python
# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: ready
short_description: Wait until parts of a mesh are actually ready, or report why they are not
version_added: 0.1.0
description:
  - Watches the targets until all of them are ready, and returns at that moment. Nothing is changed.
  - A status counts only at the current generation of its object, and only when no other object contradicts it. For example, a Gateway is ready
    only with an available pod behind its address, a webhook only when its endpoint answers, a route only when a waypoint or Gateway reads it, and a
    policy only when all of it is enforced.
  - When the time is up, or when a target has failed for good, the module fails. The message states for each target that is not ready what was found,
    since when, and what to do. If istiod has not created the objects of a Gateway, they are tried as a dry run, as far as this user may create them, and
    the message states why the API server refuses them.
  - Check mode makes no difference, because nothing is changed.
extends_documentation_fragment:
  - kubernetes.core.k8s_auth_options
  - meshwright.ambient._attributes
  - meshwright.ambient._progress
attributes:
  diff_mode:
    support: none
    details: Nothing is changed.
options:
  targets:
    description: What to wait for. Targets of different kinds can be mixed.
    type: list
    elements: dict
    required: true
    suboptions:
      kind:
        description:
          - What the target is. Without O(targets[].api_version), one of the following.
          - V(control_plane) is istiod in O(targets[].namespace), with the revision O(targets[].name), and its webhooks. It is ready when istiod is
            available and the webhooks have their CA, reject invalid objects and answer, and when no webhook of another installation, whose server is
            gone, blocks Istio's objects, those of the Gateway API, or pods. The ConfigMap of its templates must exist, without which it creates no
            waypoints and gateways.
          - V(waypoint) and V(Gateway) are ready when they are accepted and programmed at their generation, and have an address, the Service with
            that address and an available Deployment.
          - V(binding) is ready when the Services of O(targets[].namespace), or only the one named O(targets[].name), are bound to the waypoint that
            their labels name. When labels require it, they must also be bound to its canary, and ingress traffic must take the waypoint.
          - V(enrollment) is ready when every pod of O(targets[].namespace) that should be captured is captured.
          - V(ValidatingWebhookConfiguration) and V(MutatingWebhookConfiguration) are ready when each webhook has a valid CA certificate, and a Service
            with a ready endpoint that answers. Without the permission to get C(services/proxy), whether it answers is not verified. Set
            O(targets[].namespace) to the namespace of their Services to read less.
          - V(HTTPRoute) and V(GRPCRoute) are ready when every parent has accepted them and their references are resolved. For a parent Service,
            its waypoint must also be bound and read routes of this namespace, whatever their status says. For a parent ServiceEntry the status is
            trusted; add a V(binding) target for it.
          - V(AuthorizationPolicy) is ready when ztunnel, or with C(targetRefs) a waypoint, enforces all of it. A policy whose HTTP part ztunnel
            ignores is V(Failed), although istiod reports it as accepted.
          - V(PeerAuthentication) and V(RequestAuthentication) get no status from istiod. They are evaluated by their spec and by what it refers to.
          - V(Service) and V(Ingress) are ready when they have an address; a load balancer needs an external one.
          - V(CustomResourceDefinition) is ready when it is established.
          - V(Deployment), V(ReplicaSet) and V(StatefulSet) are ready when all pods are up to date and available, V(DaemonSet) when there is an
            eligible node and each of them has such a pod, V(Job) when it is complete, and V(Pod) when it is ready or has succeeded.
        type: str
        required: true
      api_version:
        description:
          - The group and version of any other kind, such as V(cert-manager.io/v1). O(targets[].kind) is then the name of the kind.
          - Such an object is evaluated by O(targets[].condition) or O(targets[].json_path). If both are omitted, the generic rules of
            kstatus apply, which are C(observedGeneration) and the conditions C(Ready), C(Reconciling) and C(Stalled).
        type: str
      name:
        description: The name of the object. For V(control_plane), the revision.
        type: str
        default: ""
      namespace:
        description: The namespace of the object.
        type: str
        default: ""
      waypoint:
        description: With O(targets[].kind=binding), the waypoint that must be bound. If omitted, the waypoint that the labels name.
        type: str
      waypoint_namespace:
        description: The namespace of O(targets[].waypoint). If omitted, O(targets[].namespace).
        type: str
      bound_kind:
        description:
          - With O(targets[].kind=binding), the kind of what must be bound.
          - If omitted, V(Service) with O(targets[].name), and both kinds without it.
        type: str
        choices: [Service, ServiceEntry]
      excluded_namespaces:
        description:
          - With O(targets[].kind=enrollment), the namespaces that the istio-cni chart excludes (its value C(excludeNamespaces)).
          - If omitted, the default of the chart, which is V(kube-system).
        type: list
        elements: str
      served_versions:
        description: With O(targets[].kind=CustomResourceDefinition), versions that it must serve, such as V(v1).
        type: list
        elements: str
      bundle_version:
        description:
          - With O(targets[].kind=CustomResourceDefinition), the version of the Gateway API bundle that it must come from, according to its
            annotation C(gateway.networking.k8s.io/bundle-version).
          - V(v1.6.1) is this exact version, V(>=v1.4.0) this version or a newer one.
        type: str
      load_balancer:
        description:
          - With O(targets[].kind=Gateway), whether its address must be that of its load balancer. istiod can report a Gateway as programmed at a
            name inside the cluster.
          - With O(targets[].kind=Service), whether it must be a load balancer.
        type: bool
      root_namespace:
        description:
          - With O(targets[].kind=PeerAuthentication) and O(targets[].kind=RequestAuthentication), the namespace whose policies apply to the whole
            mesh (C(meshConfig.rootNamespace)).
          - If omitted, it is read from istiod's settings; V(istio-system) if they cannot be read, or if there are several meshes.
        type: str
      condition:
        description: With O(targets[].api_version), a condition that the object must have at its current generation.
        type: dict
        suboptions:
          type:
            description: The type of the condition.
            type: str
            required: true
          status:
            description: The status that it must have.
            type: str
            default: "True"
          reason:
            description: The reason that it must have. If omitted, any reason.
            type: str
      json_path:
        description:
          - With O(targets[].api_version), what must exist in the object, written as for kubectl, such as
            V({.status.loadBalancer.ingress[0].hostname}) or V({.status.conditions[?(@.type=="Synced"\)].status}).
          - Requires the Python package jsonpath-ng on the host that runs the task.
        type: str
      value:
        description: With O(targets[].json_path), the value that everything it matches must have. If omitted, any value that is not empty.
        type: str
  timeout:
    description: How long to wait, in seconds. V(0) evaluates the current state once.
    type: int
    default: 300
  stable_for:
    description: For how many seconds without interruption all targets must be ready before the module returns.
    type: float
    default: 0
  fail_fast:
    description: Whether to fail as soon as a target has failed for good. If V(false), the module goes on waiting for the other targets.
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

- name: Verify that a namespace is in the mesh and uses its waypoint
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

- name: Verify that a route and a policy are in effect
  meshwright.ambient.ready:
    targets:
      - kind: HTTPRoute
        name: reviews
        namespace: bookinfo
      - kind: AuthorizationPolicy
        name: reviews-viewer
        namespace: bookinfo
    timeout: 60

- name: Verify that the required version of the Gateway API is served, and that Istio's webhook can be called
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

- name: Wait until the ingress gateway has had the address of its load balancer for five seconds
  meshwright.ambient.ready:
    targets:
      - kind: Gateway
        name: ingress
        namespace: istio-ingress
        load_balancer: true
    stable_for: 5
    timeout: 600

- name: Wait for a database migration, and for an external service to be bound to a waypoint
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

- name: Verify the current state without waiting
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
      description: V(Current) when it is ready. Otherwise V(InProgress), V(Failed), V(NotFound), V(Terminating) or V(Unknown).
      type: str
      sample: Current
    reason:
      description: A stable, one-word reason. Empty when it is ready.
      type: str
      sample: ""
    message:
      description: What was found.
      type: str
      sample: programmed at 10.0.0.62, waypoint.bookinfo.svc.cluster.local, 1 of 1 pods are available
    remedy:
      description: What to do about it. Empty when it is ready.
      type: str
      sample: ""
    since:
      description: Since when the target has this status, if an object records it.
      type: str
      sample: ""
    details:
      description:
        - Details that depend on the kind, such as the captured pods of an enrollment, the bound Services of a binding, the address of a Gateway, the
          parents of a route, the versions that a CustomResourceDefinition serves, and the condition or the values that were found in any other object.
        - C(reported) is V(false) where istiod reports no status, so that the verdict follows from the spec.
      type: dict
      sample:
        address: 10.0.0.62, waypoint.bookinfo.svc.cluster.local
elapsed:
  description: How long the wait took, in seconds.
  returned: always
  type: float
  sample: 1.2
"""

import time
import typing as t

from ..module_utils._module import mesh_module, run
from ..module_utils._status.spec import lacks_root_namespace, parse_targets, validate_times
from ..module_utils._wait.report import wait_and_report
from ..module_utils._wait.root_namespace import read_root_namespace

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
    """Wait for the targets, and report the verdicts on them."""
    params = module.params
    validate_times(params["timeout"], params["stable_for"])
    items = params["targets"]
    if any(map(lacks_root_namespace, items)):
        root = read_root_namespace(session)
        items = [{**item, "root_namespace": root} if lacks_root_namespace(item) else item for item in items]
    targets = parse_targets(items, session.find_kind, time.time())
    times = {"timeout": params["timeout"], "stable_for": params["stable_for"]}
    return {"changed": False, **wait_and_report(session, targets, **times, fail_fast=params["fail_fast"], progress=params["progress"])}


if __name__ == "__main__":
    main()
