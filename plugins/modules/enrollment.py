#!/usr/bin/python
# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: enrollment
short_description: Put namespaces, services and workloads into ambient mesh and bind them to waypoints
version_added: 0.1.0
description:
  - Sets and removes the labels that steer ambient mesh, on any number of objects in one task.
  - Everything is read and checked before the first label is written. A wish that would weaken security silently, such as a binding
    to a waypoint that does not exist, is refused together with all others, and nothing is changed.
  - Only the labels C(istio.io/dataplane-mode), C(istio.io/use-waypoint), C(istio.io/use-waypoint-namespace),
    C(istio.io/ingress-use-waypoint), C(istio.io/use-waypoint-canary) and C(istio.io/use-waypoint-canary-namespace), and the annotation
    C(istio.io/use-waypoint-canary-weight), are ever touched.
  - An option that is not given leaves its label as it is. An empty string takes the label away.
  - What leaves does so in the safe order. First all objects are unbound from waypoints, then pods leave the mesh, and only then others
    join and are bound.
  - Running pods are captured without a restart. With O(wait=true) the module waits until they are.
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
  namespaces:
    description:
      - The namespaces to enroll or to take out.
      - Each item names one by O(namespaces[].name), or any number by O(namespaces[].label_selector). With both, the one that is named must
        have the labels, too. To find none is an error, and so is an object that two items choose.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: The name of the namespace.
        type: str
      label_selector:
        description: Labels that namespaces must have, as C(kubectl -l) takes them.
        type: str
      state:
        description:
          - With V(present), the given labels are set.
          - With V(absent), all labels that this module knows are taken away, so that the namespace leaves its waypoint and then the mesh.
        type: str
        choices: [present, absent]
        default: present
      dataplane_mode:
        description: V(ambient) captures the namespace's pods. V(none) keeps them out, and so does an empty string, which takes the label away.
        type: str
        choices: [ambient, none, ""]
      use_waypoint:
        description: The waypoint that the namespace's services use. V(none) opts out. An empty string takes the label away.
        type: str
      use_waypoint_namespace:
        description: The namespace of the waypoint, when it is another one.
        type: str
      ingress_use_waypoint:
        description:
          - Whether ingress gateways send their traffic through the waypoint, too. Without this, they go straight to the pods. It only matters
            where a waypoint is bound.
          - V(false) is written as a label, too, and means the same as none. An empty string takes the label away.
        type: str
        choices: ["true", "false", ""]
      canary:
        description:
          - A second waypoint that gets a share of the connections, to try it out. This needs Istio 1.31 or newer.
          - The share is one of new connections from within the mesh, and of requests from ingress gateways that use the waypoint.
        type: dict
        suboptions:
          waypoint:
            description: The second waypoint. An empty string takes the canary away, with its namespace and its weight.
            type: str
          waypoint_namespace:
            description: The namespace of the second waypoint, when it is another one.
            type: str
          weight:
            description: The percentage that it gets, a whole number from 0 to 100. An empty string takes the annotation away, which means 0.
            type: str
  services:
    description:
      - Services that use another waypoint than their namespace, or none.
      - Each item names one by O(services[].name) and O(services[].namespace), or any number by O(services[].label_selector), of one namespace
        or of all. The Services of waypoints are never chosen by a selector.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: The name of the Service.
        type: str
      namespace:
        description: Its namespace. It may be left out when there is a selector, which then looks in all namespaces.
        type: str
      label_selector:
        description: Labels that Services must have, as C(kubectl -l) takes them.
        type: str
      state:
        description: With V(absent), the Service's own labels are taken away, so that its namespace's hold.
        type: str
        choices: [present, absent]
        default: present
      use_waypoint:
        description: The waypoint that the Service uses. V(none) opts out. An empty string takes the label away.
        type: str
      use_waypoint_namespace:
        description: The namespace of the waypoint, when it is another one.
        type: str
      ingress_use_waypoint:
        description:
          - Whether ingress gateways send their traffic through the waypoint, too. Without this, they go straight to the pods. It only matters
            where a waypoint is bound.
          - A Service's own label beats its namespace's, both ways. An empty string takes it away, so that the namespace's holds.
        type: str
        choices: ["true", "false", ""]
      canary:
        description:
          - A second waypoint that gets a share of the connections, to try it out. This needs Istio 1.31 or newer.
          - The share is one of new connections from within the mesh, and of requests from ingress gateways that use the waypoint.
        type: dict
        suboptions:
          waypoint:
            description: The second waypoint. An empty string takes the canary away, with its namespace and its weight.
            type: str
          waypoint_namespace:
            description: The namespace of the second waypoint, when it is another one.
            type: str
          weight:
            description: The percentage that it gets, a whole number from 0 to 100. An empty string takes the annotation away, which means 0.
            type: str
  workloads:
    description:
      - Workloads whose pods are enrolled, kept out or bound on their own.
      - Each item names one by O(workloads[].name) and O(workloads[].namespace), or any number by O(workloads[].label_selector), of one
        namespace or of all.
      - The labels go into the pod template, so a change replaces the workload's pods.
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
        description: Its namespace. It may be left out when there is a selector, which then looks in all namespaces.
        type: str
      label_selector:
        description: Labels that the workloads themselves (not their pods) must have, as C(kubectl -l) takes them.
        type: str
      state:
        description: With V(absent), the pod template's own labels are taken away, so that its namespace's hold.
        type: str
        choices: [present, absent]
        default: present
      dataplane_mode:
        description:
          - V(ambient) captures the pods whatever their namespace says, V(none) keeps them out.
          - An empty string takes the label away, so that the namespace's holds.
        type: str
        choices: [ambient, none, ""]
      use_waypoint:
        description:
          - The waypoint for traffic that is addressed to the pods themselves. It must be one for C(workload) traffic or for all.
          - V(none) opts out. An empty string takes the label away.
        type: str
      use_waypoint_namespace:
        description: The namespace of the waypoint, when it is another one.
        type: str
  allow_unsafe_binding:
    description:
      - Bind even to a waypoint that does not exist, is not programmed, does not allow the namespace, does not handle this kind of traffic,
        or is no waypoint, and to a canary that istiod is too old to know.
      - Traffic then goes on without the waypoint, and its L7 policies are not applied. Istio reports this in the status of a Service at most.
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
    description: Enroll even namespaces that C(meshConfig.discoverySelectors) hide from every istiod, so that no ztunnel is told about their pods.
    type: bool
    default: false
  force_conflicts:
    description:
      - Change even labels that another field manager declares by server-side apply, as GitOps tools do. It will set them again, unless they are
        changed there, too.
      - Labels that were set in any other way, such as C(kubectl label), are changed without this option, and told in a warning and in
        RV(objects[].taken_over).
    type: bool
    default: false
  wait:
    description:
      - Wait until all pods of the namespaces that were enrolled or taken out are captured or let go, and every Service that was bound is so in
        istiod's own words.
    type: bool
    default: false
  wait_timeout:
    description: How long to wait, in seconds.
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
      waypoints:
        description: Waypoints, each with namespace and name (V(waypoint) when not given). Other keys are ignored.
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
    services:
      - name: reviews
        namespace: bookinfo
        use_waypoint: reviews-waypoint

- name: Let what comes in through ingress gateways pass the waypoint, except for one service
  meshwright.ambient.enrollment:
    namespaces:
      - name: bookinfo
        ingress_use_waypoint: true
    services:
      - name: productpage
        namespace: bookinfo
        ingress_use_waypoint: false

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

- name: Keep every workload of one kind out of the mesh, wherever it runs
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

- name: Come back as it was
  meshwright.ambient.enrollment:
    namespaces: "{{ left.undo.namespaces }}"
    services: "{{ left.undo.services }}"
    workloads: "{{ left.undo.workloads }}"
"""

RETURN = r"""
objects:
  description: What was wished for, in the order of the options; objects found by a selector are sorted by namespace and name.
  returned: when nothing was refused
  type: list
  elements: dict
  contains:
    kind:
      description: The kind of the object.
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
    changed:
      description: Whether its labels were changed, or in check mode would be.
      type: bool
      sample: true
    before:
      description: The labels of ambient mesh that it had, and the annotation with the weight of its canary.
      type: dict
      sample: {}
    after:
      description: The labels of ambient mesh that it has now, and the annotation with the weight of its canary.
      type: dict
      sample:
        istio.io/dataplane-mode: ambient
        istio.io/use-waypoint: waypoint
    taken_over:
      description: The labels that were changed although somebody else had set them, with the name of that field manager.
      type: dict
      sample:
        istio.io/dataplane-mode: kubectl-label
    pods:
      description:
        - Where the object's pods stand, judged by the labels as they now are, or in check mode would be.
        - They are read after the labels are written and after the wait, if there is one.
      returned: for namespaces and workloads with O(namespaces[].dataplane_mode) or V(state=absent), unless pods cannot be read, which is a warning
      type: dict
      contains:
        captured:
          description: Pods whose traffic goes through ztunnel.
          type: list
          elements: str
          sample: [details-v1-65bd58d55f-psmmz]
        pending:
          description: Pods that should be captured and are not yet, each with C(name), C(reason) and C(message).
          type: list
          elements: dict
          sample:
            - name: ratings-v1-5f9699cfdf-cp8q4
              reason: NotRedirected
              message: the istio-cni agent on node node-1 has not redirected it
        excluded:
          description: Pods that cannot be captured, each with C(name), C(reason) and C(message).
          type: list
          elements: dict
          sample:
            - name: node-exporter-7xk2p
              reason: HostNetwork
              message: it uses the network of its node
        leaving:
          description: Pods that should not be captured and still are, each with C(name), C(reason) and C(message).
          type: list
          elements: dict
          sample: []
        opted_out:
          description: Pods of an enrolled namespace whose own label keeps them out.
          type: list
          elements: str
          sample: []
undo:
  description:
    - The options that, given to this module, bring the labels back as they were. The lists are empty when nothing was changed.
    - A value that the options do not take comes back as what it means to Istio, such as an unknown dataplane mode as none at all.
  returned: when nothing was refused
  type: dict
  sample:
    namespaces:
      - name: bookinfo
        dataplane_mode: ""
        use_waypoint: ""
    services: []
    workloads: []
refusals:
  description: Why nothing was done, one sentence each.
  returned: when something was refused
  type: list
  elements: str
  sample:
    - "Namespace bookinfo: waypoint bookinfo/nowhere does not exist, so traffic would skip it and its L7 policies silently: create it first
      (module waypoint), or correct its name."
targets:
  description: With O(wait=true), the verdict on each namespace and binding, as RV(meshwright.ambient.ready#module:targets) describes it.
  returned: when O(wait=true), not in check mode
  type: list
  elements: dict
elapsed:
  description: With O(wait=true), how long the wait took, in seconds.
  returned: when O(wait=true), not in check mode
  type: float
  sample: 0.412
"""

import typing as t

from ..module_utils._diff import diff_of
from ..module_utils._enrollment.plan import LabelChange, Snapshot, metadata_patch, plan_enrollment
from ..module_utils._enrollment.refusals import Overruled, refuse_enrollment
from ..module_utils._enrollment.state import describe_snapshot
from ..module_utils._enrollment.undo import undo_of
from ..module_utils._enrollment.wishes import Selection, mistakes_of
from ..module_utils._errors import ApiError, MeshError
from ..module_utils._k8s.writes import Write
from ..module_utils._kinds import BY_NAME, POD
from ..module_utils._mesh.capture import report_pods, trim_pod, workload_of
from ..module_utils._mesh.labels import DATAPLANE_MODE, USE_WAYPOINT, labels_of
from ..module_utils._mesh.targets import mesh_targets
from ..module_utils._module import all_was_written, mesh_module, run
from ..module_utils._text import format_names

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

    from ..module_utils._enrollment.plan import Patch
    from ..module_utils._k8s.session import ApiSession, Object
    from ..module_utils._module import Result

_STATE = {"type": "str", "choices": ["present", "absent"], "default": "present"}
_MODE = {"type": "str", "choices": ["ambient", "none", ""]}
_WAYPOINT = {"use_waypoint": {"type": "str"}, "use_waypoint_namespace": {"type": "str"}}
_TRAFFIC = {
    **_WAYPOINT,
    "ingress_use_waypoint": {"type": "str", "choices": ["true", "false", ""]},
    "canary": {
        "type": "dict",
        "options": {"waypoint": {"type": "str"}, "waypoint_namespace": {"type": "str"}, "weight": {"type": "str"}},
        "required_one_of": [("waypoint", "weight")],
        "required_by": {"waypoint_namespace": "waypoint"},
    },
}
_CHOICE = {"name": {"type": "str"}, "label_selector": {"type": "str"}, "state": _STATE}
_RULES = {"required_by": {"use_waypoint_namespace": "use_waypoint"}}
# A name says which object is meant only together with its namespace.
_PLACED = {**_RULES, "required_one_of": [("name", "label_selector"), ("namespace", "label_selector")]}
_WORKLOAD = {"type": "str", "choices": ["Deployment", "StatefulSet", "DaemonSet"], "default": "Deployment"}


def _list_of(options: dict[str, t.Any], rules: dict[str, t.Any]) -> dict[str, t.Any]:
    return {"type": "list", "elements": "dict", "default": [], "options": options, **rules}


OPTIONS = {
    "namespaces": _list_of({**_CHOICE, "dataplane_mode": _MODE, **_TRAFFIC}, {**_RULES, "required_one_of": [("name", "label_selector")]}),
    "services": _list_of({**_CHOICE, "namespace": {"type": "str"}, **_TRAFFIC}, _PLACED),
    "workloads": _list_of({"kind": _WORKLOAD, **_CHOICE, "namespace": {"type": "str"}, "dataplane_mode": _MODE, **_WAYPOINT}, _PLACED),
    "allow_unsafe_binding": {"type": "bool", "default": False},
    "allow_injection_labels": {"type": "bool", "default": False},
    "allow_excluded_namespaces": {"type": "bool", "default": False},
    "allow_hidden_namespaces": {"type": "bool", "default": False},
    "force_conflicts": {"type": "bool", "default": False},
    "wait": {"type": "bool", "default": False},
    "wait_timeout": {"type": "int", "default": 120},
    "progress": {"type": "path"},
    "planned": {
        "type": "dict",
        "options": {
            "namespaces": {"type": "list", "elements": "str", "default": []},
            "waypoints": {"type": "list", "elements": "dict", "default": []},
        },
    },
}


def main() -> None:
    run(mesh_module(OPTIONS), enroll)


def enroll(module: AnsibleModule, session: ApiSession) -> Result:
    """Read once, decide, write in three phases, wait on request, and tell where the pods stand."""
    params, dry_run = module.params, module.check_mode
    selections = parse_selections(params)
    settings_optional = params["allow_excluded_namespaces"] and params["allow_hidden_namespaces"]
    wishes, snapshot, problems = describe_snapshot(session, selections, (params["planned"] or {}) if dry_run else {}, settings_optional=settings_optional)
    changes = plan_enrollment(wishes, snapshot)
    overruled = Overruled(
        unsafe_binding=params["allow_unsafe_binding"],
        injection_labels=params["allow_injection_labels"],
        excluded_namespaces=params["allow_excluded_namespaces"],
        hidden_namespaces=params["allow_hidden_namespaces"],
        conflicts=params["force_conflicts"],
    )
    _raise_refusals([*problems, *refuse_enrollment(changes, snapshot, overruled)], session)
    apply_changes(session, [change for change in changes if change.changed], dry_run=dry_run)
    for warning in warnings_about(changes, snapshot):
        module.warn(warning)
    told = [(change, _result(change)) for change in changes]
    objects = [result for _change, result in told]
    waited: Result = {}
    if params["wait"] and not dry_run:
        with all_was_written("All labels are written"):
            waited = wait(session, objects, params["wait_timeout"], params["progress"])
    try:
        add_pods(session, told, snapshot)
    except ApiError as error:
        module.warn(f"Where the pods stand could not be read, so that the result does not tell. {error.message}")
    return {
        "changed": any(change.changed for change in changes),
        "diff": [diff_of(change.wish.title, change.before, change.after) for change in changes if change.changed],
        "objects": objects,
        "undo": undo_of(changes),
        **waited,
    }


def parse_selections(params: dict[str, t.Any]) -> list[Selection]:
    """All items of all lists, in their order. Raises MeshError for what needs no cluster to be seen as wrong."""
    kinds = {"namespaces": "Namespace", "services": "Service", "workloads": ""}
    selections = [Selection(f"{option}[{index}]", kind or item["kind"], item) for option, kind in kinds.items() for index, item in enumerate(params[option])]
    mistakes = mistakes_of((selection.place, selection.item) for selection in selections)
    if mistakes:
        raise MeshError("\n".join([*mistakes, "Nothing was changed."]), refusals=mistakes)
    return selections


def _raise_refusals(refusals: list[str], session: ApiSession) -> None:
    if refusals:
        raise MeshError("\n".join([*refusals, f"Nothing was changed on cluster {session.cluster}."]), refusals=refusals)


# writing


def apply_changes(session: ApiSession, changes: list[LabelChange], *, dry_run: bool) -> None:
    """Write the labels phase by phase, so that nothing is ever bound to what goes away; all permissions are asked for before."""
    parted = [(change, change.phases()) for change in changes]
    phases = [[_write(change, patches[number]) for change, patches in parted if patches[number]] for number in range(3)]
    refused = session.refused(write for phase in phases for write in phase)
    if refused:
        raise MeshError("\n".join(refused))
    if not dry_run:
        session.write_all(*phases)


def _write(change: LabelChange, patch: Patch) -> Write:
    wish = change.wish
    metadata: Object = {"metadata": metadata_patch(patch)}
    body = metadata if wish.kind in ("Namespace", "Service") else {"spec": {"template": metadata}}
    return Write("patch", BY_NAME[wish.kind], wish.name, wish.namespace, body)


# telling


def warnings_about(changes: list[LabelChange], snapshot: Snapshot) -> list[str]:
    """What is done as wished, and should be known all the same; one sentence for each thing, however many objects."""
    warnings = []
    taken = {f"{change.wish.title} ({name}, set by {manager})" for change in changes for name, manager in change.taken_over.items()}
    if taken:
        warnings.append(
            f"Labels that others had set are changed: {format_names(sorted(taken))}. Change them where they come from, too, or they may be set back from there."
        )
    left = {change.wish.name for change in changes if change.wish.kind == "Namespace" and change.leaves}
    after = {change.wish.key: change.after for change in changes}
    bound = {
        f"{place}/{name}"
        for (kind, place, name), item in snapshot.objects.items()
        if kind == "Service" and place in left and USE_WAYPOINT in after.get((kind, place, name), labels_of(item))
    }
    if bound:
        warnings.append(
            f"Services of namespaces that leave the mesh keep their own label {USE_WAYPOINT}: {format_names(sorted(bound))}. "
            "They will use that waypoint again when the namespace comes back; list them in services with state absent to take it away."
        )
    return warnings


def _result(change: LabelChange) -> Result:
    wish = change.wish
    return {
        "kind": wish.kind,
        "namespace": wish.namespace or "",
        "name": wish.name,
        "changed": change.changed,
        "before": dict(change.before),
        "after": dict(change.after),
        "taken_over": change.taken_over,
    }


def wait(session: ApiSession, objects: list[Result], timeout: int, progress: str | None) -> Result:
    """Wait until what the labels say is true of pods and Services."""
    from ..module_utils._status.target import Target
    from ..module_utils._wait.report import wait_and_report

    targets = [Target(item["kind"], item.get("name", ""), item["namespace"]) for item in mesh_targets(objects, [])]
    if not targets:
        return {"targets": [], "elapsed": 0.0}
    return wait_and_report(session, targets, timeout=timeout, progress=progress)


def add_pods(session: ApiSession, told: list[tuple[LabelChange, Result]], snapshot: Snapshot) -> None:
    """Say of each object whose dataplane mode the task decides where its pods stand; from one list of pods."""
    decided = [(change.wish, change.after, result) for change, result in told if change.wish.dataplane_mode is not None]
    homes = {wish.home for wish, _after, _result in decided} & set(snapshot.namespaces)
    if not homes:
        return
    pods: dict[str, list[Object]] = {home: [] for home in homes}
    for pod in session.list(POD, next(iter(homes)) if len(homes) == 1 else None, trim=trim_pod).items:
        if pod["metadata"]["namespace"] in homes:
            pods[pod["metadata"]["namespace"]].append(pod)
    modes = {change.wish.name: change.after.get(DATAPLANE_MODE) for change, _result in told if change.wish.kind == "Namespace"}
    excluded = snapshot.settings.excluded_namespaces
    for wish, after, result in decided:
        mode = modes[wish.home] if wish.home in modes else labels_of(snapshot.namespaces.get(wish.home, {"metadata": {}})).get(DATAPLANE_MODE)
        labels = {DATAPLANE_MODE: mode} if mode else {}
        own = pods.get(wish.home, [])
        if wish.kind == "Namespace":
            result["pods"] = report_pods(own, labels, excluded)
        else:
            result["pods"] = report_pods([pod for pod in own if workload_of(pod) == (wish.kind, wish.name)], labels, excluded, after)


if __name__ == "__main__":
    main()
