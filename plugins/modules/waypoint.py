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
  - Declares any number of waypoints in one task. A waypoint is a Gateway of class C(istio-waypoint), for which istiod runs an Envoy that
    applies L7 routes and policies.
  - A waypoint that already is as wished is not written.
  - How many pods a waypoint has, where they run and what they may use is told to istiod by a ConfigMap that the Gateway names. The module makes,
    checks and owns it. It is called like the waypoint, with C(-parameters) added.
  - istiod never makes a waypoint whose name is taken, whose revision nobody owns or whose parameters it cannot read, and says so in its log at most.
    All of this is found out and refused before the first write.
  - An autoscaler or a disruption budget that is not asked for any more is deleted, because istiod leaves it there.
  - A waypoint that is still used is not deleted, because its users would go on without any L7 policy.
  - What all waypoints of a cluster have in common is better said once, in the value C(gatewayClasses) of the istiod chart (role C(istio)). The options
    here have the last word.
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
    support: full
  idempotent:
    support: full
options:
  waypoints:
    description: The waypoints.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: The name of the waypoint. V(none) cannot be used, because it opts out where a waypoint is named.
        type: str
        default: waypoint
      namespace:
        description: Its namespace.
        type: str
        required: true
      state:
        description: Whether the waypoint should be there.
        type: str
        choices: [present, absent]
        default: present
      for:
        description:
          - The traffic that it handles. V(service) is traffic addressed to Services, V(workload) traffic addressed to pods, V(all) both.
          - V(none) makes a waypoint that handles nothing, for tests.
        type: str
        choices: [service, workload, all, none]
        default: service
      allowed_routes:
        description: The namespaces whose objects may use it.
        type: dict
        suboptions:
          from:
            description: V(Same) is its own namespace, V(All) every one, V(Selector) those that O(waypoints[].allowed_routes.selector) chooses.
            type: str
            choices: [Same, All, Selector]
            default: Same
          selector:
            description: A LabelSelector (C(matchLabels), C(matchExpressions)) of namespaces.
            type: dict
      revision:
        description:
          - The revision or revision tag of istiod that owns it. Not given, its namespace's or the default one does.
          - A revision that no istiod of the cluster has is refused, unless O(allow_unowned_revision=true).
        type: str
      replicas:
        description: How many pods it has. Not given, it is one, or what O(waypoints[].high_availability) or O(waypoints[].autoscaling) says.
        type: int
      autoscaling:
        description:
          - How a HorizontalPodAutoscaler scales it. Not given, it has none.
          - The cluster needs a metrics server for CPU utilization, and an adapter for other metrics.
        type: dict
        suboptions:
          min_replicas:
            description: The fewest pods. Not given, it is 1, or 2 with O(waypoints[].high_availability=true).
            type: int
          max_replicas:
            description: The most pods.
            type: int
            required: true
          cpu_utilization:
            description:
              - The CPU that pods should use on average, in percent of what they request.
              - Not given, it is 80, or nothing when there are O(waypoints[].autoscaling.metrics).
            type: int
          metrics:
            description: More metrics, as in C(spec.metrics) of a HorizontalPodAutoscaler.
            type: list
            elements: dict
      high_availability:
        description:
          - Two pods, or as many as O(waypoints[].replicas) or O(waypoints[].autoscaling) say, spread over zones and nodes as well as can be, of which
            at most one is away on purpose at a time.
          - O(waypoints[].topology_spread) and O(waypoints[].disruption_budget) replace what it says about them.
        type: bool
        default: false
      disruption_budget:
        description:
          - How many pods may be away on purpose, as when a node is drained. Not given, there is no PodDisruptionBudget.
          - A budget that lets no pod go is a warning.
        type: dict
        suboptions:
          min_available:
            description: So many pods, or such a percentage of them, stay.
            type: str
          max_unavailable:
            description: So many pods, or such a percentage of them, may be away.
            type: str
      resources:
        description: What the container C(istio-proxy) of each pod gets. What is not given stays as the istiod chart has it.
        type: dict
        suboptions:
          requests:
            description: What it asks for, such as V(cpu) and V(memory).
            type: dict
          limits:
            description: What it may use at most.
            type: dict
      affinity:
        description: The pods' affinity, as in C(spec.affinity) of a pod.
        type: dict
      node_selector:
        description: Labels that the pods' nodes must have.
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
        description: The type of its Service. Not given, it is C(ClusterIP).
        type: str
        choices: [ClusterIP, NodePort, LoadBalancer]
      service_annotations:
        description: Annotations of its Service, such as those of a load balancer.
        type: dict
      labels:
        description:
          - Labels of all that istiod makes for it, its pods included, such as those by which costs are told apart. At most 8.
          - Once there are any, istiod no longer copies the Gateway's own labels to them; that of the network is kept.
        type: dict
      annotations:
        description: Annotations of all that istiod makes for it, its pods included. At most 8. istiod then no longer copies the Gateway's own.
        type: dict
      overlays:
        description:
          - Strategic merge patches for what no other option covers, merged after them. The keys are C(deployment), C(service), C(serviceAccount),
            C(horizontalPodAutoscaler) and C(podDisruptionBudget).
          - They are tried out in a dry run, so that a field that does not exist is told here, not in the log of istiod.
        type: dict
  force_conflicts:
    description: Take over fields that another field manager owns. Without it, such a conflict is an error that names field and owner.
    type: bool
    default: false
  force_delete:
    description: Delete even waypoints that are still used. Their users then go on without L7 policies.
    type: bool
    default: false
  detach:
    description:
      - Before a waypoint is deleted, take the labels that name it from all its users, and wait until istiod and their pods have let go of it.
      - Labels in the pod templates of Deployments, StatefulSets and DaemonSets are taken away too, which rolls their pods.
      - A Service whose own label goes uses the waypoint of its namespace from then on, if there is one.
      - When that does not come true within O(wait_timeout), nothing is deleted.
    type: bool
    default: false
  allow_unowned_revision:
    description: Create and change even waypoints of a revision that no istiod of the cluster has, as when it is yet to come or runs elsewhere.
    type: bool
    default: false
  wait:
    description: Wait until the waypoints are truly ready, that is programmed, with their parameters and a ready pod behind them, or are gone.
    type: bool
    default: false
  wait_timeout:
    description:
      - How long to wait, in seconds.
      - It also bounds the wait before an autoscaler or a disruption budget is deleted, and that of O(detach=true); both take place even without O(wait=true).
    type: int
    default: 120
  planned:
    description: What an earlier task of the same check run would make. It is taken as being there, in check mode only.
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
- name: A waypoint for the services of a namespace
  meshwright.ambient.waypoint:
    waypoints:
      - namespace: bookinfo

- name: Two waypoints in one namespace, and one that every namespace may use
  meshwright.ambient.waypoint:
    waypoints:
      - namespace: bookinfo
      - name: reviews-waypoint
        namespace: bookinfo
      - name: shared
        namespace: bookinfo
        for: all
        allowed_routes:
          from: All
    wait: true

- name: One that survives the loss of a node, on nodes of its own, with its costs told apart
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

- name: One that scales with its load, and a field that no other option covers
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

- name: Take one away, once nothing uses it any more
  meshwright.ambient.waypoint:
    waypoints:
      - name: shared
        namespace: bookinfo
        state: absent

- name: Take one away, and unbind its users first
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
      description: Its namespace.
      type: str
      sample: bookinfo
    action:
      description: What was done, or in check mode would be.
      type: str
      sample: created
    changed:
      description: Whether anything was done.
      type: bool
      sample: true
    manifest:
      description: The Gateway that declares it; empty for one that is absent.
      type: dict
      sample:
        apiVersion: gateway.networking.k8s.io/v1
        kind: Gateway
        metadata:
          labels:
            istio.io/waypoint-for: service
          name: waypoint
          namespace: bookinfo
        spec:
          gatewayClassName: istio-waypoint
          listeners:
            - name: mesh
              port: 15008
              protocol: HBONE
    parameters:
      description: The ConfigMap that carries its parameters; empty for one that has none.
      type: dict
      sample: {}
    removed:
      description: What istiod had left behind and was deleted, or in check mode would be.
      type: list
      elements: dict
      sample:
        - kind: HorizontalPodAutoscaler
          name: waypoint
detached:
  description: With O(detach=true), the users from which labels were taken, or in check mode would be.
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description: The kind of the user.
      type: str
      sample: Namespace
    namespace:
      description: Its namespace; empty for a Namespace.
      type: str
      sample: ""
    name:
      description: Its name.
      type: str
      sample: bookinfo
    labels:
      description: The labels that were taken away, with their values; of a workload, from its pod template.
      type: dict
      sample:
        istio.io/use-waypoint: waypoint
undo:
  description: What restores the state before, as options of this module. Labels in RV(detached) and fields of others are not part of it.
  returned: success
  type: dict
  contains:
    waypoints:
      description: The items of O(waypoints).
      type: list
      elements: dict
      sample:
        - name: waypoint
          namespace: bookinfo
          state: absent
targets:
  description: With O(wait=true), the verdict on each waypoint, as RV(meshwright.ambient.ready#module:targets) describes it.
  returned: when O(wait=true)
  type: list
  elements: dict
"""

import json
import time
import typing as t
from dataclasses import replace

from ..module_utils._diff import diff_of
from ..module_utils._errors import ApiError, MeshError
from ..module_utils._k8s.writes import Write
from ..module_utils._kinds import BY_NAME, GATEWAY
from ..module_utils._module import all_was_written, mesh_module, run
from ..module_utils._status.target import Target
from ..module_utils._status.waypoints import WaypointExpectation
from ..module_utils._text import format_names
from ..module_utils._wait.deletion import wait_until_deleted
from ..module_utils._wait.report import wait_and_report
from ..module_utils._waypoint.apply import make_changes, plan_holding, plan_steps
from ..module_utils._waypoint.options import ON_REQUEST
from ..module_utils._waypoint.options import OPTIONS as WAYPOINT_OPTIONS
from ..module_utils._waypoint.parameters import skeleton
from ..module_utils._waypoint.plan import WaypointChange, parse_wish, plan_waypoints
from ..module_utils._waypoint.refusals import Surroundings, refuse_changes, refuse_wishes
from ..module_utils._waypoint.state import Reader
from ..module_utils._waypoint.strategic_merge import OverlayError
from ..module_utils._waypoint.users import Detachment, find_unreachable, find_users, plan_detachments

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

    from ..module_utils._k8s.session import ApiSession, Object
    from ..module_utils._module import Result
    from ..module_utils._waypoint.plan import WaypointSnapshot

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
}


def main() -> None:
    run(mesh_module(OPTIONS, mutually_exclusive=[("force_delete", "detach")]), declare_waypoints)


def declare_waypoints(module: AnsibleModule, session: ApiSession) -> Result:
    """Read once, decide, write once, wait on request."""
    params = module.params
    wishes = [parse_wish(item) for item in params["waypoints"]]
    for wish in wishes:
        for warning in wish.warnings:
            module.warn(f"Waypoint {wish.ref}: {warning}")
    reader = Reader(session, [wish.ref for wish in wishes], module.warn)
    planned = (params["planned"] or {}).get("namespaces") or () if module.check_mode else ()
    namespaces = reader.namespaces(planned)
    snapshot = reader.snapshot(gateways_required=not module.check_mode and any(wish.waypoint for wish in wishes))
    changes = plan_waypoints(wishes, snapshot)
    if any(change.removed or (params["wait"] and _expectation_of(change, frozenset())) for change in changes):
        # What seems to be left behind may be what all waypoints get.
        snapshot = replace(snapshot, class_defaults=reader.class_defaults())
        changes = plan_waypoints(wishes, snapshot)
    items = describe_users(reader, changes, namespaces, force=params["force_delete"], detach=params["detach"])
    surroundings = describe_surroundings(module, reader, changes, snapshot, namespaces, items)
    deleted = [change.wish.ref for change in changes if change.gateway == "delete"]
    detachments = plan_detachments(deleted, items) if params["detach"] else []
    refusals = [*refuse_wishes(wishes), *refuse_changes(changes, snapshot, surroundings), *judge_overlays(module, session, changes, namespaces)]
    refusals += refuse_detachment(find_unreachable(deleted, items)) if params["detach"] else []
    if refusals:
        raise MeshError("\n".join([*refusals, f"Nothing was changed on cluster {session.cluster}."]), refusals=refusals)
    steps = plan_steps(changes, snapshot, detachments, force=params["force_conflicts"])
    steps.holding = plan_holding(session, changes)
    refused = session.refused(steps.all)
    if refused:
        raise MeshError("\n".join(refused))
    if not module.check_mode:
        make_changes(session, changes, detachments, steps, params["wait_timeout"])
    result: Result = {
        "changed": any(change.changed for change in changes),
        "diff": [
            *(diff_of(f"Waypoint {change.wish.ref}", change.before, change.after) for change in changes if change.changed),
            *(diff_of(f"{found.kind} {_title(found)}", found.removed, {}) for found in detachments),
        ],
        "waypoints": [_result(change) for change in changes],
        "detached": [{"kind": found.kind, "name": found.name, "namespace": found.namespace or "", "labels": dict(found.removed)} for found in detachments],
        "undo": {"waypoints": [dict(change.undo) for change in changes if change.undo]},
    }
    if params["wait"] and not module.check_mode:
        with all_was_written("All waypoints are written"):
            result.update(wait(session, changes, snapshot.class_defaults, params["wait_timeout"], params["progress"]))
    return result


def describe_users(reader: Reader, changes: list[WaypointChange], namespaces: dict[str, Object], *, force: bool, detach: bool) -> dict[str, list[Object]]:
    """All that may use the waypoints to be deleted, by kind; their workloads only where they are to be changed."""
    if force or not any(change.gateway == "delete" for change in changes):
        return {}
    items = reader.users(namespaces)
    return {**items, **reader.workloads()} if detach else items


def describe_surroundings(
    module: AnsibleModule,
    reader: Reader,
    changes: list[WaypointChange],
    snapshot: WaypointSnapshot,
    namespaces: dict[str, Object],
    items: dict[str, list[Object]],
) -> Surroundings:
    """What the refusals must know; each is asked for only where something is to be changed."""
    params = module.params
    revisions = None
    if not params["allow_unowned_revision"] and any(change.gateway == "apply" for change in changes):
        revisions = reader.revisions()
        # The istiod may come with an earlier task of the same check run.
        revisions = None if module.check_mode and revisions and not revisions.tags else revisions
    created = {change.wish.ref for change in changes if change.action == "created"}
    new_parameters = {change.wish.ref for change in changes if change.config_map == "apply" and change.wish.ref not in snapshot.parameters}
    deleted = () if params["detach"] else [change.wish.ref for change in changes if change.gateway == "delete"]
    return Surroundings(
        namespaces=namespaces,
        users={ref: find_users(ref, items) for ref in deleted},
        taken=reader.taken(created),
        others_parameters=reader.others_parameters(new_parameters),
        revisions=revisions,
        force_conflicts=params["force_conflicts"],
    )


def judge_overlays(module: AnsibleModule, session: ApiSession, changes: list[WaypointChange], namespaces: dict[str, Object]) -> list[str]:
    """What the API server would refuse of the objects that istiod is going to write, found out by a dry run of each distinct overlay.

    istiod would only log the refusal. Where the user may not even try, nothing is known, which is a warning.
    """
    refusals = []
    judged: dict[str, str] = {}
    for change in changes:
        waypoint = change.wish.waypoint
        for key, overlay in sorted(waypoint.overlays.items()) if waypoint and change.config_map == "apply" and not change.wish.problems else ():
            ref = change.wish.ref
            place = ref.namespace if namespaces.get(ref.namespace, {}).get("kind") else "default"
            try:
                body = skeleton(key, overlay, place)
            except OverlayError as error:
                refusals.append(f"Waypoint {ref}: overlay {key} cannot be merged ({error}): correct it.")
                continue
            told = {**body, "metadata": {name: value for name, value in body["metadata"].items() if name != "namespace"}}
            # The selectors of constraints name the waypoint.
            identity = json.dumps(told, sort_keys=True).replace(json.dumps(ref.name), "")
            if identity not in judged:
                judged[identity] = _judge_object(module, session, body)
            if judged[identity]:
                refusals.append(
                    f"Waypoint {ref}: with these parameters its {body['kind']} is not valid ({judged[identity]}): correct the options, or overlays.{key}."
                )
    return refusals


def _judge_object(module: AnsibleModule, session: ApiSession, body: Object) -> str:
    """Why the API server would not take an object; empty when it would."""
    try:
        session.write(Write("create", BY_NAME[body["kind"]], body["metadata"]["name"], body["metadata"]["namespace"], body, dry_run=True))
    except ApiError as error:
        words = error.server_message.replace(f' "{body["metadata"]["name"]}"', "").rstrip(".")
        if error.status == 403:
            module.warn(f"Whether the parameters make a valid {body['kind']} was not tried out: {error.message}")
            return ""
        if error.status not in (400, 422):
            raise
        return words
    return ""


def refuse_detachment(unreachable: list[str]) -> list[str]:
    """Pods that would go on naming a waypoint, whatever is done here."""
    if not unreachable:
        return []
    names = format_names(unreachable)
    return [f"{names}: their own labels name a waypoint that is to be deleted, and what makes them is not changed by this module: unbind them first."]


def wait(session: ApiSession, changes: list[WaypointChange], class_defaults: frozenset[str], timeout: int, progress: str | None) -> Result:
    """Wait for the waypoints that should be there to be ready, and for the others to be gone, within one deadline."""
    deadline = time.monotonic() + timeout
    absent = {(change.wish.ref.namespace, change.wish.ref.name) for change in changes if not change.wish.waypoint}
    left = wait_until_deleted(session, GATEWAY, absent, timeout=timeout, clock=time.monotonic)
    if left:
        raise MeshError(f"Waypoints {format_names(left)} are still there after {timeout} s on cluster {session.cluster}: look for finalizers that hold them.")
    targets = [
        Target("waypoint", change.wish.ref.name, change.wish.ref.namespace, _expectation_of(change, class_defaults))
        for change in changes
        if change.wish.waypoint
    ]
    if not targets:
        return {"targets": []}
    return wait_and_report(session, targets, timeout=max(deadline - time.monotonic(), 0.0), progress=progress)


def _expectation_of(change: WaypointChange, class_defaults: frozenset[str]) -> WaypointExpectation | None:
    """What else must be true of a waypoint; nothing of one that has and had no parameters, so that less needs to be read."""
    overlays = change.wish.waypoint.overlays if change.wish.waypoint else {}
    if not (overlays or change.removed or change.config_map != "leave"):
        return None
    return WaypointExpectation({**{key: None for key in ON_REQUEST if key in class_defaults}, **overlays})


def _result(change: WaypointChange) -> Result:
    ref = change.wish.ref
    return {
        "name": ref.name,
        "namespace": ref.namespace,
        "action": change.action,
        "changed": change.changed,
        "manifest": change.manifest,
        "parameters": change.parameters,
        "removed": [{"kind": kind, "name": name} for kind, name in change.removed],
    }


def _title(found: Detachment) -> str:
    return f"{found.namespace}/{found.name}" if found.namespace else found.name


if __name__ == "__main__":
    main()
