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
  - A waypoint that is still used is not deleted, because its users would go on without any L7 policy.
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
        description: The revision of istiod that owns it. Not given, its namespace's or the default one does.
        type: str
  force_conflicts:
    description: Take over fields that another field manager owns. Without it, such a conflict is an error that names field and owner.
    type: bool
    default: false
  force_delete:
    description: Delete even waypoints that are still used. Their users then go on without L7 policies.
    type: bool
    default: false
  wait:
    description: Wait until the waypoints are truly ready, that is programmed with a ready pod behind them, or are gone.
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

- name: Take one away
  meshwright.ambient.waypoint:
    waypoints:
      - name: shared
        namespace: bookinfo
        state: absent
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
targets:
  description: With O(wait=true), the verdict on each waypoint, as RV(meshwright.ambient.ready#module:targets) describes it.
  returned: when O(wait=true)
  type: list
  elements: dict
"""

import time
import typing as t

from ..module_utils._cluster.kinds import GATEWAY, NAMESPACE, POD, SERVICE
from ..module_utils._cluster.session import Write
from ..module_utils._errors import MeshError, NotServed
from ..module_utils._mesh.waypoint import Waypoint, WaypointRef
from ..module_utils._mesh.waypoint_plan import WaypointChange, WaypointWish, plan_waypoints, refuse_waypoints
from ..module_utils._module import diff_of, mesh_module, run
from ..module_utils._readiness import failure_message, result_of
from ..module_utils._status.targets import Target
from ..module_utils._wait import wait_until_current, wait_until_gone

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

    from ..module_utils._cluster.session import ApiSession, Object
    from ..module_utils._module import Result

OPTIONS = {
    "waypoints": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "name": {"type": "str", "default": "waypoint"},
            "namespace": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "for": {"type": "str", "choices": ["service", "workload", "all", "none"], "default": "service"},
            "allowed_routes": {
                "type": "dict",
                "options": {"from": {"type": "str", "choices": ["Same", "All", "Selector"], "default": "Same"}, "selector": {"type": "dict"}},
                "required_if": [("from", "Selector", ["selector"])],
            },
            "revision": {"type": "str"},
        },
    },
    "force_conflicts": {"type": "bool", "default": False},
    "force_delete": {"type": "bool", "default": False},
    "wait": {"type": "bool", "default": False},
    "wait_timeout": {"type": "int", "default": 120},
    "planned": {"type": "dict", "options": {"namespaces": {"type": "list", "elements": "str", "default": []}}},
}


def main() -> None:
    run(mesh_module(OPTIONS), declare_waypoints)


def declare_waypoints(module: AnsibleModule, session: ApiSession) -> Result:
    """Read once, decide, write once, wait on request."""
    wishes = [parse_wish(item) for item in module.params["waypoints"]]
    planned = frozenset((module.params["planned"] or {}).get("namespaces") or ()) if module.check_mode else frozenset()
    gateways = describe_gateways(session, wishes, served=not module.check_mode)
    namespaces = {item["metadata"]["name"] for item in session.list(NAMESPACE).items} | planned
    users = {} if module.params["force_delete"] else describe_users(session, wishes)
    refusals = refuse_waypoints(wishes, gateways, namespaces, users)
    if refusals:
        raise MeshError("\n".join([*refusals, f"Nothing was changed on cluster {session.cluster}."]), refusals=refusals)
    changes = plan_waypoints(wishes, gateways)
    apply_changes(session, changes, force=module.params["force_conflicts"], dry_run=module.check_mode)
    result: Result = {
        "changed": any(change.changed for change in changes),
        "diff": [diff_of(f"Waypoint {change.wish.ref}", change.before, change.after) for change in changes if change.changed],
        "waypoints": [_result(change) for change in changes],
    }
    if module.params["wait"] and not module.check_mode:
        result.update(wait(session, wishes, module.params["wait_timeout"]))
    return result


def parse_wish(item: dict[str, t.Any]) -> WaypointWish:
    """One item of the option as a value."""
    routes = item["allowed_routes"] or {"from": "Same", "selector": None}
    ref = WaypointRef(item["namespace"], item["name"])
    waypoint = Waypoint(ref, item["for"], routes["from"], routes["selector"] if routes["from"] == "Selector" else None, item["revision"])
    return WaypointWish(ref, waypoint if item["state"] == "present" else None)


def describe_gateways(session: ApiSession, wishes: list[WaypointWish], *, served: bool) -> dict[WaypointRef, Object]:
    """The Gateways of the wishes' namespaces; in check mode, CRDs that are not there yet mean that there are none."""
    places = {wish.ref.namespace for wish in wishes}
    try:
        items = session.list(GATEWAY, places.pop() if len(places) == 1 else None).items
    except NotServed:
        if served and any(wish.waypoint for wish in wishes):
            raise
        items = []
    return {WaypointRef(item["metadata"]["namespace"], item["metadata"]["name"]): item for item in items}


def describe_users(session: ApiSession, wishes: list[WaypointWish]) -> dict[str, list[Object]]:
    """All that carries a use-waypoint label, by kind, when something is to be deleted."""
    if all(wish.waypoint for wish in wishes):
        return {}
    return {kind.name: session.list(kind, label_selector="istio.io/use-waypoint").items for kind in (NAMESPACE, SERVICE, POD)}


def apply_changes(session: ApiSession, changes: list[WaypointChange], *, force: bool, dry_run: bool) -> None:
    """Send the writes that the plan asks for."""
    writes = [
        Write("apply", GATEWAY, change.wish.ref.name, change.wish.ref.namespace, change.manifest, force=force, creates=change.action == "created")
        if change.wish.waypoint
        else Write("delete", GATEWAY, change.wish.ref.name, change.wish.ref.namespace)
        for change in changes
        if change.changed
    ]
    refused = session.refused(writes)
    if refused:
        raise MeshError("\n".join(refused))
    if not dry_run:
        session.write_all(writes)


def wait(session: ApiSession, wishes: list[WaypointWish], timeout: int) -> Result:
    """Wait for the waypoints that should be there to be ready, and for the others to be gone, within one deadline."""
    deadline = time.monotonic() + timeout
    left = wait_until_gone(
        session, GATEWAY, {(wish.ref.namespace, wish.ref.name) for wish in wishes if not wish.waypoint}, timeout=timeout, clock=time.monotonic
    )
    if left:
        names = ", ".join(f"{namespace}/{name}" for namespace, name in sorted(left))
        raise MeshError(f"Waypoints {names} are still there after {timeout} s on cluster {session.cluster}: look for finalizers that hold them.")
    targets = [Target("waypoint", wish.ref.name, wish.ref.namespace) for wish in wishes if wish.waypoint]
    if not targets:
        return {"targets": []}
    outcome = wait_until_current(session, targets, timeout=max(deadline - time.monotonic(), 0.0), clock=time.monotonic)
    result = result_of(outcome)
    return result if outcome.current else {**result, "failed": True, "msg": failure_message(outcome, session.cluster)}


def _result(change: WaypointChange) -> Result:
    ref = change.wish.ref
    return {"name": ref.name, "namespace": ref.namespace, "action": change.action, "changed": change.changed, "manifest": change.manifest}


if __name__ == "__main__":
    main()
