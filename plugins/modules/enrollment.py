#!/usr/bin/python
# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: enrollment
short_description: Enroll namespaces, Services and workloads in ambient mesh and bind them to waypoints
version_added: 0.1.0
description:
  - Sets and removes the labels that control ambient mesh, on any number of objects in one task.
  - Everything is read and checked before the first label is written. Changes that would silently weaken security, such as a binding to a waypoint
    that does not exist, are refused together with all other errors, and nothing is changed.
  - Only the labels C(istio.io/dataplane-mode), C(istio.io/use-waypoint), C(istio.io/use-waypoint-namespace),
    C(istio.io/ingress-use-waypoint), C(istio.io/use-waypoint-canary) and C(istio.io/use-waypoint-canary-namespace), and the annotation
    C(istio.io/use-waypoint-canary-weight), are ever changed.
  - If an option is omitted, its label is left unchanged. An empty string removes the label.
  - Labels are written in a safe order. First all objects are unbound from waypoints, then pods leave the mesh, and only then others join and
    are bound.
  - Running pods are captured without a restart. With O(wait=true), the module waits until they are.
extends_documentation_fragment:
  - kubernetes.core.k8s_auth_options
  - meshwright.ambient._attributes
  - meshwright.ambient._progress
  - meshwright.ambient._refusals
options:
  namespaces:
    description:
      - The namespaces to enroll or to remove from the mesh.
      - Each item selects one by O(namespaces[].name), or any number by O(namespaces[].label_selector). With both, the named namespace must also
        have the labels. It is an error if an item selects nothing, unless its state is V(absent), or if two items select the same object.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: The name of the namespace.
        type: str
      label_selector:
        description: Labels that the namespaces must have, in the syntax of C(kubectl -l).
        type: str
      state:
        description:
          - With V(present), the given labels are set.
          - With V(absent), all labels that this module manages are removed, so that the namespace leaves its waypoint and then the mesh.
        type: str
        choices: [present, absent]
        default: present
      dataplane_mode:
        description: V(ambient) captures the namespace's pods. V(none) excludes them, and so does an empty string, which removes the label.
        type: str
        choices: [ambient, none, ""]
      use_waypoint:
        description: The waypoint that the namespace's services use. V(none) opts out. An empty string removes the label.
        type: str
      use_waypoint_namespace: &waypoint_namespace
        description: The namespace of the waypoint. If omitted, the object's own namespace.
        type: str
      ingress_use_waypoint:
        description:
          - Whether ingress gateways send their traffic through the waypoint as well. Otherwise, they send it straight to the pods. This only has an
            effect where a waypoint is bound.
          - V(false) is written as a label and means the same as no label. An empty string removes the label.
        type: str
        choices: ["true", "false", ""]
      canary: &canary
        description:
          - A second waypoint that receives a share of the connections, to try it. This requires Istio 1.31 or newer.
          - The share is one of new connections from within the mesh, and of requests from ingress gateways that use the waypoint.
        type: dict
        suboptions:
          waypoint:
            description: The second waypoint. An empty string removes the canary, with its namespace and its weight.
            type: str
          waypoint_namespace:
            description: The namespace of the second waypoint. If omitted, the object's own namespace.
            type: str
          weight:
            description: The percentage that the canary receives, a whole number from 0 to 100. An empty string removes the annotation, which means 0.
            type: str
  services:
    description:
      - Services that use a waypoint other than their namespace's, or none.
      - Each item selects one by O(services[].name) and O(services[].namespace), or any number by O(services[].label_selector), in one namespace
        or in all. The Services of waypoints are never selected by labels.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: The name of the Service.
        type: str
      namespace:
        description: The namespace of the Service. With a selector, it may be omitted to search all namespaces.
        type: str
      label_selector:
        description: Labels that the Services must have, in the syntax of C(kubectl -l).
        type: str
      state:
        description: With V(absent), the Service's own labels are removed, so that those of its namespace apply.
        type: str
        choices: [present, absent]
        default: present
      use_waypoint:
        description: The waypoint that the Service uses. V(none) opts out. An empty string removes the label.
        type: str
      use_waypoint_namespace: *waypoint_namespace
      ingress_use_waypoint:
        description:
          - Whether ingress gateways send their traffic through the waypoint as well. Otherwise, they send it straight to the pods. This only has an
            effect where a waypoint is bound.
          - A Service's own label takes precedence over its namespace's. An empty string removes it, so that the namespace's applies.
        type: str
        choices: ["true", "false", ""]
      canary: *canary
  workloads:
    description:
      - Workloads whose pods are enrolled, excluded or bound individually.
      - Each item selects one by O(workloads[].name) and O(workloads[].namespace), or any number by O(workloads[].label_selector), in one
        namespace or in all.
      - The labels are written to the pod template, so a change replaces the workload's pods.
    type: list
    elements: dict
    default: []
    suboptions:
      kind:
        description: The kind of the workload.
        type: str
        choices: [Deployment, StatefulSet, DaemonSet]
        default: Deployment
      name:
        description: The name of the workload.
        type: str
      namespace:
        description: The namespace of the workload. With a selector, it may be omitted to search all namespaces.
        type: str
      label_selector:
        description: Labels that the workloads themselves (not their pods) must have, in the syntax of C(kubectl -l).
        type: str
      state:
        description: With V(absent), the pod template's own labels are removed, so that those of its namespace apply.
        type: str
        choices: [present, absent]
        default: present
      dataplane_mode:
        description:
          - V(ambient) captures the pods regardless of their namespace's label, V(none) excludes them.
          - An empty string removes the label, so that the namespace's applies.
        type: str
        choices: [ambient, none, ""]
      use_waypoint:
        description:
          - The waypoint for traffic that is addressed to the pods themselves. It must be one for C(workload) traffic or for all.
          - V(none) opts out. An empty string removes the label.
        type: str
      use_waypoint_namespace: *waypoint_namespace
  allow_unsafe_binding:
    description:
      - Bind even to a waypoint that does not exist, is not programmed, has no ready pod, does not allow the namespace, does not handle this kind of
        traffic, or is not a waypoint, and to a canary that istiod is too old to support.
      - Traffic then continues without the waypoint, and its L7 policies are not applied; if only a ready pod is missing, it fails. Istio reports this
        only in the status of a Service, if at all.
    type: bool
    default: false
  allow_injection_labels:
    description:
      - Enroll even where pods would get sidecars, because of the label C(istio-injection) or C(istio.io/rev) of the namespace, or
        C(sidecar.istio.io/inject) or C(istio.io/rev) of a workload's pod template. Their new pods then leave the ambient mesh.
    type: bool
    default: false
  allow_excluded_namespaces:
    description: Enroll even namespaces in C(excludeNamespaces) of the istio-cni chart, whose pods are never captured.
    type: bool
    default: false
  allow_hidden_namespaces:
    description: Enroll even namespaces that C(meshConfig.discoverySelectors) hide from every istiod, so that no ztunnel knows their pods.
    type: bool
    default: false
  force_conflicts:
    description:
      - Change even labels that another field manager, such as a GitOps tool, declares by server-side apply. That manager will set them again, unless they
        are changed there as well.
      - Labels that were set in any other way, such as by C(kubectl label), are changed without this option, and reported in a warning and in
        RV(objects[].taken_over).
    type: bool
    default: false
  wait:
    description: Wait until the pods of enrolled and removed namespaces are captured or released, and istiod reports every bound Service as bound.
    type: bool
    default: false
  wait_timeout:
    description: How long to wait, in seconds.
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
      waypoints:
        description: Waypoints, each with its namespace and name (V(waypoint) if omitted). Other keys are ignored.
        type: list
        elements: dict
        default: []
seealso:
  - module: meshwright.ambient.waypoint
  - module: meshwright.ambient.ready
"""

EXAMPLES = r"""
- name: Enroll a namespace, and wait until its pods are captured
  meshwright.ambient.enrollment:
    namespaces:
      - name: bookinfo
        dataplane_mode: ambient
    wait: true

- name: Enroll all namespaces of a team, bind one to a waypoint, and let one service use its own
  meshwright.ambient.enrollment:
    namespaces:
      - label_selector: team=shop, tier notin (batch)
        dataplane_mode: ambient
      - name: bookinfo
        dataplane_mode: ambient
        use_waypoint: waypoint
        ingress_use_waypoint: true
    services:
      - name: reviews
        namespace: bookinfo
        use_waypoint: reviews-waypoint

- name: Send a tenth of the connections to a waypoint of the next revision
  meshwright.ambient.enrollment:
    namespaces:
      - name: bookinfo
        canary:
          waypoint: waypoint-next
          weight: 10

- name: Promote it
  meshwright.ambient.enrollment:
    namespaces:
      - name: bookinfo
        use_waypoint: waypoint-next
        canary:
          waypoint: ""

- name: Exclude all workloads of one kind from the mesh, wherever they run
  meshwright.ambient.enrollment:
    workloads:
      - kind: DaemonSet
        label_selector: app=node-exporter
        dataplane_mode: none

- name: Leave the mesh
  meshwright.ambient.enrollment:
    namespaces:
      - name: bookinfo
        state: absent
  register: left

- name: Return to it with the same labels
  meshwright.ambient.enrollment:
    namespaces: "{{ left.undo.namespaces }}"
    services: "{{ left.undo.services }}"
    workloads: "{{ left.undo.workloads }}"
"""

RETURN = r"""
objects:
  description: The selected objects, in the order of the options; objects that one selector finds are sorted by namespace and name.
  returned: when nothing was refused
  type: list
  elements: dict
  contains:
    kind:
      description: The kind of the object.
      type: str
      sample: Namespace
    namespace:
      description: The namespace of the object; empty for a Namespace.
      type: str
      sample: ""
    name:
      description: The name of the object.
      type: str
      sample: bookinfo
    changed:
      description: Whether its labels were changed, or in check mode would be.
      type: bool
    before:
      description: The labels of ambient mesh before, and the annotation with the weight of its canary.
      type: dict
    after:
      description: The labels of ambient mesh after, and the annotation with the weight of its canary.
      type: dict
      sample: {istio.io/dataplane-mode: ambient, istio.io/use-waypoint: waypoint}
    taken_over:
      description: The labels that were changed although another field manager had set them, with its name.
      type: dict
      sample: {istio.io/dataplane-mode: kubectl-label}
    pods:
      description:
        - How far the object's pods are captured, according to the labels as they are now, or in check mode would be. The pods are read after the
          labels are written, and after the wait, if there is one.
        - C(captured) are the names of pods whose traffic goes through ztunnel, and C(opted_out) of those that their own label excludes.
        - C(pending) are pods that should be captured and are not yet, C(excluded) pods that cannot be captured, and C(leaving) pods that should not be
          captured and still are, each with C(name), C(reason) and C(message).
      returned: for namespaces and workloads with O(namespaces[].dataplane_mode) or V(state=absent), unless pods cannot be read, which is a warning
      type: dict
      sample:
        captured: [details-v1-65bd58d55f-psmmz]
        pending: [{name: ratings-v1-5f9699cfdf-cp8q4, reason: NotScheduled, message: it has no node yet}]
        excluded: [{name: node-exporter-7xk2p, reason: HostNetwork, message: it uses the network of its node}]
        leaving: []
        opted_out: []
undo:
  description:
    - The options of this module that restore the labels. The lists are empty if nothing was changed.
    - A value that the options do not allow is restored as an equivalent one, such as an unknown dataplane mode as none.
  returned: when nothing was refused
  type: dict
  sample: {namespaces: [{name: bookinfo, dataplane_mode: "", use_waypoint: ""}], services: [], workloads: []}
refusals:
  description: Why nothing was done, or with O(return_refusals=true) would be, one sentence each.
  returned: when something was refused
  type: list
  elements: str
  sample: ["Namespace bookinfo: namespace bookinfo does not exist: create it first, or correct its name."]
targets:
  description: With O(wait=true), the verdict on each namespace and binding, as described in RV(meshwright.ambient.ready#module:targets).
  returned: when O(wait=true), not in check mode
  type: list
  elements: dict
elapsed:
  description: With O(wait=true), how long the wait took, in seconds.
  returned: when O(wait=true), not in check mode
  type: float
  sample: 0.412
"""

import dataclasses
import typing as t

from ..module_utils._diff import diff_of
from ..module_utils._enrollment.apply import list_writes
from ..module_utils._enrollment.plan import LabelChange, plan_enrollment
from ..module_utils._enrollment.refusals import find_warnings, refuse_enrollment
from ..module_utils._enrollment.selections import parse_selections, resolve_selections, warn_of_settled
from ..module_utils._enrollment.spec import ENROLLMENT_OPTIONS, find_validation_errors, parse_overrides
from ..module_utils._enrollment.state import read_captures, read_objects, read_waypoints_without_pods
from ..module_utils._enrollment.undo import undo_of
from ..module_utils._errors import ApiError, raise_if_any
from ..module_utils._k8s.apply import find_refusals
from ..module_utils._mesh.targets import mesh_targets
from ..module_utils._module import RETURN_REFUSALS, all_was_written, mesh_module, refuse_or_return, run

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

    from ..module_utils._enrollment.spec import Key
    from ..module_utils._k8s.session import ApiSession
    from ..module_utils._module import Result

OPTIONS = {**ENROLLMENT_OPTIONS, **RETURN_REFUSALS}


def main() -> None:
    run(mesh_module(OPTIONS), ensure_enrollment)


def ensure_enrollment(module: AnsibleModule, session: ApiSession) -> Result:
    """Read the current state, plan, refuse or write in three phases, wait on request, and report on the pods."""
    params, check_mode = module.params, module.check_mode
    selections, overrides = parse_selections(params), parse_overrides(params)
    raise_if_any(find_validation_errors((selection.place, selection.item) for selection in selections))
    planned = (params["planned"] or {}) if check_mode else {}
    current = read_objects(session, selections, planned, settings_optional=overrides.excluded_namespaces and overrides.hidden_namespaces)
    desired, unresolved = resolve_selections(selections, current.objects, current.planned_namespaces)
    changes = plan_enrollment(desired, current)
    steps = list_writes(changes)
    writes = [write for step in steps for write in step]
    if not overrides.unsafe_binding:
        current = dataclasses.replace(current, without_pods=read_waypoints_without_pods(session, changes, current))
    refused = refuse_or_return(
        module,
        session.cluster,
        # In a namespace that is being deleted, all else that could be said of it leads nowhere.
        lambda: session.refuse_terminating((write.into, str(write)) for write in writes),
        lambda: [*unresolved, *refuse_enrollment(changes, current, overrides)],
        lambda: session.refused(writes),
        lambda: find_refusals(session, writes),
    )
    if not check_mode:
        session.write_all(*steps)
    for warning in (*warn_of_settled(selections, current.objects), *find_warnings(changes, current)):
        module.warn(warning)
    waited: Result = {}
    if params["wait"] and not check_mode:
        with all_was_written("All labels are written"):
            waited = wait_for(session, changes, params["wait_timeout"], params["progress"])
    captures: dict[Key, Result] = {}
    try:
        captures = read_captures(session, changes, current)
    except ApiError as error:
        module.warn(f"The pods could not be read, so the result does not report on them. {error.message}")
    return {
        "changed": any(change.changed for change in changes),
        "diff": [diff_of(change.desired.title, change.before, change.after) for change in changes if change.changed],
        "objects": [_result(change, captures.get(change.desired.key)) for change in changes],
        "undo": undo_of(changes),
        **refused,
        **waited,
    }


def wait_for(session: ApiSession, changes: list[LabelChange], timeout: int, progress: str | None) -> Result:
    """Wait until pods and Services are what their labels say."""
    from ..module_utils._status.target import Target
    from ..module_utils._wait.report import wait_and_report

    objects = [_result(change) for change in changes]
    targets = [Target(item["kind"], item.get("name", ""), item["namespace"]) for item in mesh_targets(objects, [])]
    if not targets:
        return {"targets": [], "elapsed": 0.0}
    return wait_and_report(session, targets, timeout=timeout, progress=progress)


def _result(change: LabelChange, pods: Result | None = None) -> Result:
    return {
        "kind": change.desired.kind,
        "namespace": change.desired.namespace or "",
        "name": change.desired.name,
        "changed": change.changed,
        "before": dict(change.before),
        "after": dict(change.after),
        "taken_over": change.taken_over,
        **({} if pods is None else {"pods": pods}),
    }


if __name__ == "__main__":
    main()
