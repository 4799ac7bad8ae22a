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
  - A status counts only when it speaks of the newest generation. A Gateway counts only with a ready pod behind its address.
  - When the time is up, or a target has failed for good, the message says of each target that is not ready why, since when and what to do.
  - In check mode it does the same, because it changes nothing.
author:
  - The meshwright.ambient contributors (@meshwright)
extends_documentation_fragment:
  - kubernetes.core.k8s_auth_options
  - meshwright.ambient._attributes
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
    description: What to wait for.
    type: list
    elements: dict
    required: true
    suboptions:
      kind:
        description:
          - V(control_plane) is istiod with its webhooks, in O(targets[].namespace), of the revision O(targets[].name).
          - V(waypoint) and V(Gateway) are ready when accepted and programmed at their generation, with an address and an available Deployment.
          - V(binding) is ready when the Services of O(targets[].namespace), or the one called O(targets[].name), are bound to the waypoint that
            their labels name.
          - V(enrollment) is ready when every pod of O(targets[].namespace) that should be captured is.
          - All others are the Kubernetes kinds of these names.
        type: str
        required: true
        choices: [control_plane, waypoint, binding, enrollment, CustomResourceDefinition, DaemonSet, Deployment, Gateway, StatefulSet]
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
  timeout:
    description: How long to wait, in seconds. V(0) judges what is there now.
    type: int
    default: 300
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
      description: More about it, such as the captured pods of an enrollment and the bound Services of a binding.
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
from ..module_utils._mesh.waypoint import WaypointRef
from ..module_utils._module import mesh_module, run
from ..module_utils._readiness import failure_message, result_of
from ..module_utils._status.targets import RULES, Target
from ..module_utils._wait import wait_until_current

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

    from ..module_utils._cluster.session import ApiSession
    from ..module_utils._module import Result

OPTIONS = {
    "targets": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "kind": {"type": "str", "required": True, "choices": list(RULES)},
            "name": {"type": "str", "default": ""},
            "namespace": {"type": "str", "default": ""},
            "waypoint": {"type": "str"},
            "waypoint_namespace": {"type": "str"},
        },
        "required_if": [("kind", kind, rule.options) for kind, rule in RULES.items()],
    },
    "timeout": {"type": "int", "default": 300},
}


def main() -> None:
    run(mesh_module(OPTIONS), wait)


def wait(module: AnsibleModule, session: ApiSession) -> Result:
    """Wait, then tell the verdicts."""
    targets = [parse_target(index, item) for index, item in enumerate(module.params["targets"])]
    if not targets:
        raise MeshError("There is no target to wait for: give at least one, or skip the task.")
    outcome = wait_until_current(session, targets, timeout=float(module.params["timeout"]), clock=time.monotonic)
    result: Result = {"changed": False, **result_of(outcome)}
    return result if outcome.current else {**result, "failed": True, "msg": failure_message(outcome, session.cluster)}


def parse_target(index: int, item: dict[str, t.Any]) -> Target:
    """One item of the option as a value; options that its kind needs must say something."""
    lacking = [option for option in RULES[item["kind"]].options if not item[option]]
    if lacking:
        raise MeshError(f"targets[{index}] is of kind {item['kind']}, which needs {' and '.join(lacking)}: add it.")
    waypoint = WaypointRef(item["waypoint_namespace"] or item["namespace"], item["waypoint"]) if item["waypoint"] else None
    return Target(item["kind"], item["name"], item["namespace"], waypoint)


if __name__ == "__main__":
    main()
