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
  - Only the labels C(istio.io/dataplane-mode), C(istio.io/use-waypoint) and C(istio.io/use-waypoint-namespace) are ever touched.
  - Running pods are captured without a restart. Use M(meshwright.ambient.ready) to wait until they are.
author:
  - The meshwright.ambient contributors (@meshwright)
extends_documentation_fragment:
  - kubernetes.core.k8s_auth_options
  - meshwright.ambient._attributes
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
      - Each item names one by O(namespaces[].name), or any number by O(namespaces[].label_selector).
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: The name of the namespace.
        type: str
      label_selector:
        description: Labels that namespaces must have, as C(kubectl -l) takes them. Nothing found is an error.
        type: str
      state:
        description:
          - With V(present), the given labels are set.
          - With V(absent), the namespace leaves the mesh and its waypoint.
        type: str
        choices: [present, absent]
        default: present
      dataplane_mode:
        description:
          - V(ambient) captures the namespace's pods. V(none) keeps them out.
          - Not given leaves the label as it is.
        type: str
        choices: [ambient, none]
      use_waypoint:
        description:
          - The waypoint that the namespace's services use. V(none) opts out. An empty string takes the label away.
          - Not given leaves the label as it is.
        type: str
      use_waypoint_namespace:
        description: The namespace of the waypoint, when it is another one.
        type: str
  services:
    description: Services that use another waypoint than their namespace, or none.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: The name of the Service.
        type: str
        required: true
      namespace:
        description: Its namespace.
        type: str
        required: true
      state:
        description: With V(absent), the Service's own waypoint labels are taken away, so that its namespace's hold.
        type: str
        choices: [present, absent]
        default: present
      use_waypoint:
        description: The waypoint that the Service uses. V(none) opts out. An empty string takes the label away.
        type: str
      use_waypoint_namespace:
        description: The namespace of the waypoint, when it is another one.
        type: str
  workloads:
    description:
      - Workloads whose pods are enrolled, kept out or bound on their own.
      - The labels go into the pod template, so a change rolls the workload's pods.
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
        required: true
      namespace:
        description: Its namespace.
        type: str
        required: true
      state:
        description: With V(absent), the pod template's own labels are taken away, so that its namespace's hold.
        type: str
        choices: [present, absent]
        default: present
      dataplane_mode:
        description: V(ambient) captures the pods whatever their namespace says, V(none) keeps them out.
        type: str
        choices: [ambient, none]
      use_waypoint:
        description: The waypoint for traffic that is addressed to the pods themselves. V(none) opts out. An empty string takes the label away.
        type: str
      use_waypoint_namespace:
        description: The namespace of the waypoint, when it is another one.
        type: str
  allow_unsafe_binding:
    description:
      - Bind even to a waypoint that does not exist, is not ready or does not allow the namespace.
      - Traffic then goes on without the waypoint, and its L7 policies are not applied.
    type: bool
    default: false
  allow_injection_labels:
    description: Enroll even namespaces that carry C(istio-injection=enabled) or C(istio.io/rev), whose new pods get sidecars.
    type: bool
    default: false
  planned:
    description:
      - What an earlier task of the same check run would make. It is taken as being there, in check mode only.
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
- name: Enroll a namespace
  meshwright.ambient.enrollment:
    namespaces:
      - name: bookinfo
        dataplane_mode: ambient

- name: Enroll all namespaces of a team, bind one to a waypoint, and let one service use its own
  meshwright.ambient.enrollment:
    namespaces:
      - label_selector: team=shop
        dataplane_mode: ambient
      - name: bookinfo
        dataplane_mode: ambient
        use_waypoint: waypoint
    services:
      - name: reviews
        namespace: bookinfo
        use_waypoint: reviews-waypoint

- name: Keep one workload out of the mesh
  meshwright.ambient.enrollment:
    workloads:
      - name: legacy
        namespace: bookinfo
        dataplane_mode: none

- name: Leave the mesh
  meshwright.ambient.enrollment:
    namespaces:
      - name: bookinfo
        state: absent
"""

RETURN = r"""
objects:
  description: What was wished for, in the order of the options; namespaces found by a selector are sorted by name.
  returned: success
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
      description: The labels of ambient mesh that it had.
      type: dict
      sample: {}
    after:
      description: The labels of ambient mesh that it has now.
      type: dict
      sample:
        istio.io/dataplane-mode: ambient
        istio.io/use-waypoint: waypoint
"""

import typing as t

from ..module_utils._cluster.kinds import BY_NAME, GATEWAY, NAMESPACE
from ..module_utils._cluster.session import Write
from ..module_utils._errors import MeshError, NotServed
from ..module_utils._mesh.enrollment import LabelChange, Snapshot, Wish, plan_enrollment, refuse_enrollment
from ..module_utils._mesh.waypoint import WaypointRef
from ..module_utils._module import diff_of, mesh_module, run

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

    from ..module_utils._cluster.session import ApiSession
    from ..module_utils._module import Result

_STATE = {"type": "str", "choices": ["present", "absent"], "default": "present"}
_MODE = {"type": "str", "choices": ["ambient", "none"]}
_WAYPOINT = {"use_waypoint": {"type": "str"}, "use_waypoint_namespace": {"type": "str"}}
_NAMED = {"name": {"type": "str", "required": True}, "namespace": {"type": "str", "required": True}}

OPTIONS = {
    "namespaces": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {"name": {"type": "str"}, "label_selector": {"type": "str"}, "state": _STATE, "dataplane_mode": _MODE, **_WAYPOINT},
        "required_one_of": [("name", "label_selector")],
        "mutually_exclusive": [("name", "label_selector")],
        "required_by": {"use_waypoint_namespace": "use_waypoint"},
    },
    "services": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {**_NAMED, "state": _STATE, **_WAYPOINT},
        "required_by": {"use_waypoint_namespace": "use_waypoint"},
    },
    "workloads": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "kind": {"type": "str", "choices": ["Deployment", "StatefulSet", "DaemonSet"], "default": "Deployment"},
            **_NAMED,
            "state": _STATE,
            "dataplane_mode": _MODE,
            **_WAYPOINT,
        },
        "required_by": {"use_waypoint_namespace": "use_waypoint"},
    },
    "allow_unsafe_binding": {"type": "bool", "default": False},
    "allow_injection_labels": {"type": "bool", "default": False},
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
    """Read once, decide, write once."""
    wishes = parse_wishes(module.params, session)
    snapshot = describe_snapshot(session, wishes, (module.params["planned"] or {}) if module.check_mode else {})
    overruled = {"unsafe_binding": module.params["allow_unsafe_binding"], "injection": module.params["allow_injection_labels"]}
    refusals = refuse_enrollment(wishes, snapshot, **overruled)
    if refusals:
        raise MeshError("\n".join([*refusals, f"Nothing was changed on cluster {session.cluster}."]), refusals=refusals)
    changes = plan_enrollment(wishes, snapshot)
    apply_changes(session, [change for change in changes if change.changed], dry_run=module.check_mode)
    return {
        "changed": any(change.changed for change in changes),
        "diff": [diff_of(change.wish.title, change.before, change.after) for change in changes if change.changed],
        "objects": [_result(change) for change in changes],
    }


def parse_wishes(params: dict[str, t.Any], session: ApiSession) -> list[Wish]:
    """The wishes of all options, with selectors resolved; an object named twice is an error."""
    wishes = []
    for item in params["namespaces"]:
        if item["name"]:
            names = [item["name"]]
        else:
            found = session.list(NAMESPACE, label_selector=item["label_selector"]).items
            names = sorted(namespace["metadata"]["name"] for namespace in found)
            if not names:
                raise MeshError(f"Cluster {session.cluster} has no namespace with the labels {item['label_selector']}: correct the selector.")
        wishes += [_wish("Namespace", name, None, item) for name in names]
    wishes += [_wish("Service", item["name"], item["namespace"], item) for item in params["services"]]
    wishes += [_wish(item["kind"], item["name"], item["namespace"], item) for item in params["workloads"]]
    titles = [wish.title for wish in wishes]
    twice = sorted({title for title in titles if titles.count(title) > 1})
    if twice:
        raise MeshError(f"{', '.join(twice)}: named more than once in this task; say all that is wished of an object in one item.")
    return wishes


def describe_snapshot(session: ApiSession, wishes: list[Wish], planned: dict[str, t.Any]) -> Snapshot:
    """Read what the wishes touch: each kind once."""
    namespaces = {item["metadata"]["name"]: item for item in session.list(NAMESPACE).items}
    objects = {}
    for kind in sorted({wish.kind for wish in wishes} - {"Namespace"}):
        places = {wish.home for wish in wishes if wish.kind == kind}
        for item in session.list(BY_NAME[kind], places.pop() if len(places) == 1 else None).items:
            objects[(kind, item["metadata"]["namespace"], item["metadata"]["name"])] = item
    refs = {wish.waypoint_ref for wish in wishes if wish.waypoint_ref}
    waypoints = {}
    if refs:
        places = {ref.namespace for ref in refs}
        try:
            gateways = session.list(GATEWAY, places.pop() if len(places) == 1 else None).items
        except NotServed:
            # Then no waypoint exists, which the refusals say; in check mode the CRDs may be planned.
            gateways = []
        waypoints = {WaypointRef(item["metadata"]["namespace"], item["metadata"]["name"]): item for item in gateways}
    planned_waypoints = frozenset(WaypointRef(item["namespace"], item.get("name") or "waypoint") for item in planned.get("waypoints") or ())
    return Snapshot(
        namespaces=namespaces,
        objects=objects,
        waypoints=waypoints,
        planned_namespaces=frozenset(planned.get("namespaces") or ()) - set(namespaces),
        planned_waypoints=planned_waypoints - set(waypoints),
    )


def apply_changes(session: ApiSession, changes: list[LabelChange], *, dry_run: bool) -> None:
    """Write the labels: first what leaves, then what joins, so that nothing is ever bound to what goes away."""
    writes = {True: [_write(change) for change in changes if change.unbinds], False: [_write(change) for change in changes if not change.unbinds]}
    refused = session.refused([*writes[True], *writes[False]])
    if refused:
        raise MeshError("\n".join(refused))
    if dry_run:
        return
    session.write_all(writes[True])
    session.write_all(writes[False])


def _write(change: LabelChange) -> Write:
    metadata = {"metadata": {"labels": change.patch}}
    wish = change.wish
    body = metadata if wish.kind in ("Namespace", "Service") else {"spec": {"template": metadata}}
    return Write("patch", BY_NAME[wish.kind], wish.name, wish.namespace, body)


def _wish(kind: str, name: str, namespace: str | None, item: dict[str, t.Any]) -> Wish:
    if item["state"] == "absent":
        return Wish(kind, name, namespace, dataplane_mode=None if kind == "Service" else "", waypoint="")
    mode, waypoint = item.get("dataplane_mode"), item["use_waypoint"]
    return Wish(kind, name, namespace, dataplane_mode=mode, waypoint=waypoint, waypoint_namespace=item["use_waypoint_namespace"] or "")


def _result(change: LabelChange) -> Result:
    wish = change.wish
    return {
        "kind": wish.kind,
        "namespace": wish.namespace or "",
        "name": wish.name,
        "changed": change.changed,
        "before": dict(change.before),
        "after": dict(change.after),
    }


if __name__ == "__main__":
    main()
