# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.

"""What the module waypoint writes, in the order in which nothing is ever named, used or made anew that is not there or is to go."""

from __future__ import annotations

import time
import typing as t
from dataclasses import dataclass, field

from .._errors import MeshError
from .._k8s.writes import Write
from .._kinds import BY_NAME, CONFIG_MAP, DEPLOYMENT, GATEWAY
from .._mesh.labels import MANAGED_GATEWAY, labels_of
from .._text import format_names
from .parameters import parameters_name, wanted_mark
from .state import wait_until_let_go, wait_until_rendered

if t.TYPE_CHECKING:
    from .._k8s.session import ApiSession
    from .plan import WaypointChange, WaypointSnapshot
    from .users import Detachment


@dataclass
class Steps:
    """The writes, in the order in which they are made; within a step, the order does not matter.

    Attributes:
        users: users let go of waypoints that are to be deleted.
        holding: Deployments keep their number of pods until their new autoscaler looks.
        cleaning: what somebody has added to a ConfigMap of ours goes.
        parameters: ConfigMaps, before the Gateways that name them.
        gateways: Gateways, applied and deleted.
        left_behind: what istiod does not delete itself, once it does not render it any more.
        unused: ConfigMaps that no Gateway names any more; until then they show that there is something to clean up.
    """

    users: list[Write] = field(default_factory=list)
    holding: list[Write] = field(default_factory=list)
    cleaning: list[Write] = field(default_factory=list)
    parameters: list[Write] = field(default_factory=list)
    gateways: list[Write] = field(default_factory=list)
    left_behind: list[Write] = field(default_factory=list)
    unused: list[Write] = field(default_factory=list)

    @property
    def all(self) -> list[Write]:
        return [*self.users, *self.holding, *self.cleaning, *self.parameters, *self.gateways, *self.left_behind, *self.unused]


def plan_steps(changes: list[WaypointChange], snapshot: WaypointSnapshot, detachments: list[Detachment], *, force: bool) -> Steps:
    """The writes that the changes ask for."""
    steps = Steps(users=[Write("patch", BY_NAME[found.kind], found.name, found.namespace, found.patch) for found in detachments])
    for change in changes:
        ref = change.wish.ref
        name = parameters_name(ref.name)
        if change.foreign_keys:
            steps.cleaning.append(Write("patch", CONFIG_MAP, name, ref.namespace, {"data": dict.fromkeys(change.foreign_keys)}))
        if change.config_map == "apply":
            new = ref not in snapshot.parameters
            steps.parameters.append(Write("apply", CONFIG_MAP, name, ref.namespace, change.parameters, force=force, creates=new))
        elif change.config_map == "delete":
            steps.unused.append(Write("delete", CONFIG_MAP, name, ref.namespace))
        if change.gateway == "apply":
            new = change.action == "created"
            steps.gateways.append(Write("apply", GATEWAY, ref.name, ref.namespace, change.manifest, force=force, creates=new))
        elif change.gateway == "delete":
            steps.gateways.append(Write("delete", GATEWAY, ref.name, ref.namespace))
        steps.left_behind += (Write("delete", BY_NAME[kind], name, ref.namespace) for kind, name in change.removed)
    return steps


def plan_holding(session: ApiSession, changes: list[WaypointChange]) -> list[Write]:
    """Own the number of pods of each Deployment whose autoscaler is yet to take it over.

    Source: Kubernetes' documentation of server-side apply, "Transferring ownership".
    """
    writes = []
    for ref in (change.wish.ref for change in changes if change.hands_over):
        found = session.get(DEPLOYMENT, ref.name, ref.namespace)
        if found and MANAGED_GATEWAY in labels_of(found):
            body = {
                "apiVersion": DEPLOYMENT.api_version,
                "kind": DEPLOYMENT.name,
                "metadata": {"name": ref.name, "namespace": ref.namespace},
                "spec": {"replicas": found["spec"]["replicas"]},
            }
            writes.append(Write("apply", DEPLOYMENT, ref.name, ref.namespace, body, force=True))
    return writes


def make_changes(session: ApiSession, changes: list[WaypointChange], detachments: list[Detachment], steps: Steps, timeout: int) -> None:
    """Send the writes, and wait where the next ones would come too early."""
    session.write_all(steps.users)
    deleted = {change.wish.ref for change in changes if change.gateway == "delete"}
    left = wait_until_let_go(session, deleted, detachments, timeout=timeout, clock=time.monotonic)
    if left:
        names = ", ".join(sorted(map(str, deleted)))
        raise MeshError(
            f"Waypoints {names} were unbound, but after {timeout} s {format_names(left)} still use them on cluster {session.cluster}; nothing was deleted: "
            "see that istiod runs and that the pods are replaced, and run again."
        )
    session.write_all(steps.holding, steps.cleaning, steps.parameters, steps.gateways)
    # istiod would make anew what goes while it still knows the former parameters.
    marks = {change.wish.ref: wanted_mark(change.wish.waypoint.overlays) for change in changes if change.removed and change.wish.waypoint}
    late = wait_until_rendered(session, marks, timeout=timeout, clock=time.monotonic)
    if late:
        raise MeshError(
            f"istiod has not taken up the new parameters of {format_names(late)} within {timeout} s on cluster {session.cluster}, so the autoscalers and "
            "disruption budgets that they no longer ask for were not deleted: see that istiod runs and what its log says, and run again."
        )
    session.write_all(steps.left_behind, steps.unused)


__all__ = ("Steps", "make_changes", "plan_holding", "plan_steps")
