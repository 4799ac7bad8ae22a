#!/usr/bin/python
# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: waypoint
short_description: Create, change and delete waypoints of ambient mesh
version_added: 0.1.0
description:
  - Manages any number of waypoints in one task. A waypoint is a Gateway of class C(istio-waypoint), for which istiod runs an Envoy that
    applies L7 routes and policies. Waypoints that already match are not written.
  - The number of pods, their scheduling and their resources are passed to istiod in a ConfigMap that the Gateway names. The module creates and
    owns it, and checks its content. It is named after the waypoint, with the suffix C(-parameters).
  - istiod never creates a waypoint whose name is in use, whose revision no istiod owns, or whose parameters it cannot read; at most, it logs this.
    The module detects all of this, and refuses it before the first write.
  - Before the first write, and in check mode, what istiod would create for a new waypoint is tried as a dry run, as far as this user may create such
    objects. What a quota or an admission policy would refuse to istiod, which only logs it, is refused, and a warning if it depends on who asks.
  - An autoscaler or a disruption budget that is no longer desired is deleted, because istiod does not delete it.
  - A waypoint that is still used is not deleted, because its users would continue without any L7 policy.
  - Settings for all waypoints of a cluster belong in the value C(gatewayClasses) of the istiod chart (role C(istio)). The options of this module
    take precedence over them.
extends_documentation_fragment:
  - kubernetes.core.k8s_auth_options
  - meshwright.ambient._attributes
  - meshwright.ambient._progress
  - meshwright.ambient._refusals
options:
  waypoints:
    description: The waypoints.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: The name of the waypoint. V(none) is not allowed, because it is reserved for opting out.
        type: str
        default: waypoint
      namespace:
        description: The namespace of the waypoint.
        type: str
        required: true
      state:
        description: Whether the waypoint should exist.
        type: str
        choices: [present, absent]
        default: present
      for:
        description:
          - The traffic that the waypoint handles. V(service) is traffic addressed to Services, V(workload) traffic addressed to pods, V(all) both.
          - With V(none), the waypoint handles no traffic, which is useful for tests.
        type: str
        choices: [service, workload, all, none]
        default: service
      allowed_routes:
        description: The namespaces whose objects may use the waypoint.
        type: dict
        suboptions:
          from:
            description: V(Same) allows its own namespace, V(All) all, V(Selector) those that O(waypoints[].allowed_routes.selector) selects.
            type: str
            choices: [Same, All, Selector]
            default: Same
          selector:
            description: A LabelSelector (C(matchLabels), C(matchExpressions)) for namespaces.
            type: dict
      revision:
        description:
          - The revision or revision tag of istiod that owns the waypoint. If omitted, that of the namespace or the default one.
          - A revision that no istiod of the cluster has is refused, unless O(allow_unowned_revision=true).
        type: str
      replicas:
        description: The number of pods. If omitted, it is 1, or is set by O(waypoints[].high_availability) or O(waypoints[].autoscaling).
        type: int
      autoscaling:
        description:
          - How a HorizontalPodAutoscaler scales the waypoint. If omitted, there is none.
          - The cluster needs a metrics server for CPU utilization, and an adapter for other metrics.
        type: dict
        suboptions:
          min_replicas:
            description: The minimum number of pods. If omitted, 1, or 2 with O(waypoints[].high_availability=true).
            type: int
          max_replicas:
            description: The maximum number of pods.
            type: int
            required: true
          cpu_utilization:
            description:
              - The target for the average CPU utilization, in percent of the requested CPU.
              - If omitted, 80, or none if O(waypoints[].autoscaling.metrics) are set.
            type: int
          metrics:
            description: Further metrics, as in C(spec.metrics) of a HorizontalPodAutoscaler.
            type: list
            elements: dict
      high_availability:
        description:
          - Run at least 2 pods, or as many as O(waypoints[].replicas) or O(waypoints[].autoscaling) set, spread over zones and nodes where possible,
            with at most one voluntary disruption at a time.
          - O(waypoints[].topology_spread) and O(waypoints[].disruption_budget) take precedence.
        type: bool
        default: false
      disruption_budget:
        description:
          - How many pods may be unavailable because of voluntary disruptions, such as draining a node. If omitted, there is no PodDisruptionBudget.
          - A budget that allows no disruption causes a warning.
        type: dict
        suboptions:
          min_available:
            description: The number or percentage of pods that must stay available.
            type: str
          max_unavailable:
            description: The number or percentage of pods that may be unavailable.
            type: str
      resources:
        description: The resources of the container C(istio-proxy) in each pod. Those that are omitted are set by the istiod chart.
        type: dict
        suboptions:
          requests:
            description: What the container requests, such as V(cpu) and V(memory).
            type: dict
          limits:
            description: What the container may use at most.
            type: dict
      affinity:
        description: The affinity of the pods, as in C(spec.affinity) of a pod.
        type: dict
      node_selector:
        description: Labels that a node must have to run the pods.
        type: dict
      tolerations:
        description: Taints that the pods tolerate, as in C(spec.tolerations) of a pod.
        type: list
        elements: dict
      topology_spread:
        description:
          - How the pods are spread, as in C(spec.topologySpreadConstraints) of a pod.
          - A constraint without C(labelSelector) gets that of the waypoint's own pods.
        type: list
        elements: dict
      service_type:
        description: The type of the waypoint's Service. If omitted, C(ClusterIP).
        type: str
        choices: [ClusterIP, NodePort, LoadBalancer]
      service_annotations:
        description: Annotations of the waypoint's Service, such as those for a load balancer.
        type: dict
      labels:
        description:
          - Labels of everything that istiod creates for the waypoint, including its pods, such as labels for cost allocation. At most 8.
          - If there are any, istiod no longer copies the Gateway's own labels. The label of the network is kept.
        type: dict
      annotations:
        description:
          - Annotations of everything that istiod creates for the waypoint, including its pods. At most 8.
          - If there are any, istiod no longer copies the Gateway's own annotations.
        type: dict
      overlays:
        description:
          - Strategic merge patches for what no other option covers, merged last. The keys are C(deployment), C(service), C(serviceAccount),
            C(horizontalPodAutoscaler) and C(podDisruptionBudget).
          - They are validated by a dry run, so that an unknown field is reported here and not only in the log of istiod.
        type: dict
  force_conflicts:
    description: Take over fields that another field manager owns. Otherwise, such a conflict is an error that names the field and its owner.
    type: bool
    default: false
  force_delete:
    description: Delete even waypoints that are still used. Their users then continue without L7 policies.
    type: bool
    default: false
  detach:
    description:
      - Before a waypoint is deleted, remove the labels that name it from all its users, and wait until istiod and their pods no longer use it.
      - Labels are also removed from the pod templates of Deployments, StatefulSets and DaemonSets, which replaces their pods.
      - A Service whose own label is removed uses the waypoint of its namespace from then on, if there is one.
      - If the waypoint is still used after O(wait_timeout), nothing is deleted.
    type: bool
    default: false
  allow_unowned_revision:
    description: Create and change even waypoints of a revision that no istiod of the cluster has, such as one that is yet to be installed.
    type: bool
    default: false
  wait:
    description: Wait until the waypoints are ready (programmed, with their parameters applied and a ready pod), or are gone.
    type: bool
    default: false
  wait_timeout:
    description:
      - How long to wait, in seconds.
      - It also limits the wait before an autoscaler or a disruption budget is deleted, and that of O(detach=true); both happen even without O(wait=true).
    type: int
    default: 120
  planned:
    description: What an earlier task of the same check run would create. It is treated as existing, in check mode only.
    type: dict
    suboptions:
      namespaces:
        description: Names of namespaces.
        type: list
        elements: str
        default: []
seealso:
  - module: meshwright.ambient.enrollment
  - module: meshwright.ambient.ready
"""

EXAMPLES = r"""
- name: Create a waypoint for the services of a namespace, and one that all namespaces may use
  meshwright.ambient.waypoint:
    waypoints:
      - namespace: bookinfo
      - name: shared
        namespace: bookinfo
        for: all
        allowed_routes:
          from: All
    wait: true

- name: Survive the loss of a node, run on dedicated nodes, and label the costs
  meshwright.ambient.waypoint:
    waypoints:
      - namespace: bookinfo
        high_availability: true
        resources:
          requests: {cpu: 200m, memory: 256Mi}
          limits: {memory: 512Mi}
        node_selector: {workload: mesh}
        tolerations:
          - {key: workload, value: mesh, effect: NoSchedule}
        labels: {cost-center: shop}

- name: Scale with the load, and set a field that no other option covers
  meshwright.ambient.waypoint:
    waypoints:
      - namespace: bookinfo
        autoscaling:
          min_replicas: 2
          max_replicas: 6
          cpu_utilization: 70
        disruption_budget:
          max_unavailable: 50%
        overlays:
          deployment:
            spec:
              template:
                spec:
                  priorityClassName: system-cluster-critical

- name: Delete a waypoint, and unbind its users first
  meshwright.ambient.waypoint:
    waypoints:
      - namespace: bookinfo
        state: absent
    detach: true
"""

RETURN = r"""
waypoints:
  description: The waypoints in the order of O(waypoints).
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The name of the waypoint.
      type: str
      sample: waypoint
    namespace:
      description: The namespace of the waypoint.
      type: str
      sample: bookinfo
    action:
      description: What was done, or in check mode would be, V(created), V(changed), V(deleted) or V(unchanged).
      type: str
      sample: created
    changed:
      description: Whether anything was done.
      type: bool
    manifest:
      description: The Gateway that declares the waypoint; empty for one that is absent.
      type: dict
      sample:
        apiVersion: gateway.networking.k8s.io/v1
        kind: Gateway
        metadata: {name: waypoint, namespace: bookinfo, labels: {istio.io/waypoint-for: service}}
        spec:
          gatewayClassName: istio-waypoint
          listeners: [{name: mesh, port: 15008, protocol: HBONE}]
    parameters:
      description: The ConfigMap with the parameters of the waypoint; empty if it has none.
      type: dict
      sample: {}
    removed:
      description: What istiod had left behind and was deleted, or in check mode would be.
      type: list
      elements: dict
      sample: [{kind: HorizontalPodAutoscaler, name: waypoint}]
detached:
  description:
    - With O(detach=true), the users from which labels were removed, or in check mode would be, each with C(kind), C(namespace) (empty for a Namespace),
      C(name) and C(labels).
    - The labels of a workload are those of its pod template.
  returned: success
  type: list
  elements: dict
  sample:
    - {kind: Namespace, namespace: "", name: bookinfo, labels: {istio.io/use-waypoint: waypoint}}
undo:
  description: The options of this module that restore the state before. They cover neither the labels in RV(detached) nor fields of others.
  returned: success
  type: dict
  sample:
    waypoints:
      - {name: waypoint, namespace: bookinfo, state: absent}
refusals: {description: "With O(return_refusals=true), what would be refused.", returned: when there is any, type: list, elements: str}
targets:
  description: With O(wait=true), the verdict on each waypoint, as described in RV(meshwright.ambient.ready#module:targets).
  returned: when O(wait=true)
  type: list
  elements: dict
"""

import time
import typing as t

from ..module_utils._diff import diff_of
from ..module_utils._errors import MeshError
from ..module_utils._k8s.apply import find_refusals
from ..module_utils._kinds import GATEWAY
from ..module_utils._module import RETURN_REFUSALS, all_was_written, mesh_module, refuse_or_return, run
from ..module_utils._status.target import Target
from ..module_utils._status.waypoints import WaypointExpectation
from ..module_utils._text import format_names
from ..module_utils._wait.deletion import wait_until_deleted
from ..module_utils._wait.report import wait_and_report
from ..module_utils._waypoint.apply import apply_plan, confirm_plan, list_writes
from ..module_utils._waypoint.plan import Plan, expected_overlays, plan_waypoints
from ..module_utils._waypoint.refusals import refuse_waypoints, warn_of_abandoned_users
from ..module_utils._waypoint.spec import OPTIONS as WAYPOINT_OPTIONS
from ..module_utils._waypoint.spec import parse_overrides, parse_waypoint
from ..module_utils._waypoint.state import WaypointReader

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

    from ..module_utils._k8s.session import ApiSession
    from ..module_utils._module import Result

OPTIONS = {
    "waypoints": {"type": "list", "elements": "dict", "required": True, "options": WAYPOINT_OPTIONS},
    "force_conflicts": {"type": "bool", "default": False},
    "force_delete": {"type": "bool", "default": False},
    "detach": {"type": "bool", "default": False},
    "allow_unowned_revision": {"type": "bool", "default": False},
    "wait": {"type": "bool", "default": False},
    "wait_timeout": {"type": "int", "default": 120},
    "progress": {"type": "path"},
    "planned": {"type": "dict", "options": {"namespaces": {"type": "list", "elements": "str", "default": []}}},
    **RETURN_REFUSALS,
}


def main() -> None:
    run(mesh_module(OPTIONS, mutually_exclusive=[("force_delete", "detach")]), ensure_waypoints)


def ensure_waypoints(module: AnsibleModule, session: ApiSession) -> Result:
    """Read the current state, plan, refuse or apply, and wait on request."""
    params, check_mode = module.params, module.check_mode
    desired, overrides = [parse_waypoint(item) for item in params["waypoints"]], parse_overrides(params)
    for one in desired:
        for warning in one.warnings:
            module.warn(f"Waypoint {one.ref}: {warning}")
    reader = WaypointReader(session, desired, module.warn)
    current = reader.read_waypoints(
        overrides,
        planned_namespaces=(params["planned"] or {}).get("namespaces") or () if check_mode else (),
        gateways_required=not check_mode and any(one.waypoint for one in desired),
        for_wait=params["wait"],
    )
    plan = confirm_plan(session, plan_waypoints(desired, current, detach=overrides.detach), current)
    for warning in warn_of_abandoned_users(plan, current):
        module.warn(warning)
    context, steps = reader.read_context(plan, current, overrides, check_mode=check_mode), list_writes(plan, force=overrides.force_conflicts)
    finders = (lambda: refuse_waypoints(plan, current, context), lambda: session.refused(steps.all), lambda: find_refusals(session, steps.all))
    result = {**result_of(plan), **refuse_or_return(module, session.cluster, *finders)}
    if not check_mode:
        apply_plan(session, plan, steps, params["wait_timeout"])
    if params["wait"] and not check_mode:
        with all_was_written("All waypoints are written"):
            result.update(wait_for(session, plan, current.class_defaults, params["wait_timeout"], params["progress"]))
    return result


def wait_for(session: ApiSession, plan: Plan, class_defaults: frozenset[str], timeout: int, progress: str | None) -> Result:
    """Wait until the desired waypoints are ready and the others are gone, within one deadline."""
    deadline = time.monotonic() + timeout
    absent = {(change.ref.namespace, change.ref.name) for change in plan.changes if not change.desired.waypoint}
    left = wait_until_deleted(session, GATEWAY, absent, timeout=timeout, clock=time.monotonic)
    if left:
        raise MeshError(f"Waypoints {format_names(left)} still exist after {timeout} s on cluster {session.cluster}: check which finalizers hold them.")
    targets = [
        Target("waypoint", change.ref.name, change.ref.namespace, WaypointExpectation(expected_overlays(change, class_defaults)))
        for change in plan.changes
        if change.desired.waypoint
    ]
    if not targets:
        return {"targets": []}
    return wait_and_report(session, targets, timeout=max(deadline - time.monotonic(), 0.0), progress=progress)


def result_of(plan: Plan) -> Result:
    """The plan as the module returns it, in check mode as well."""
    return {
        "changed": plan.changed,
        "diff": [
            *(diff_of(f"Waypoint {change.ref}", change.before, change.after) for change in plan.changes if change.changed),
            *(diff_of(str(found), found.removed, {}) for found in plan.detachments),
        ],
        "waypoints": [
            {
                "name": change.ref.name,
                "namespace": change.ref.namespace,
                "action": change.action,
                "changed": change.changed,
                "manifest": change.manifest,
                "parameters": change.parameters,
                "removed": [{"kind": kind, "name": name} for kind, name in change.removed],
            }
            for change in plan.changes
        ],
        "detached": [{"kind": found.kind, "name": found.name, "namespace": found.namespace or "", "labels": dict(found.removed)} for found in plan.detachments],
        "undo": {"waypoints": [dict(change.undo) for change in plan.changes if change.undo]},
    }


if __name__ == "__main__":
    main()
