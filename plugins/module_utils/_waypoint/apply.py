# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Applies a plan for waypoints, in an order in which nothing is named before it exists or used after it is gone."""

from __future__ import annotations

import time
import typing as t
from dataclasses import dataclass, field, replace

from .._errors import MeshError
from .._k8s.apply import confirm_changes
from .._k8s.writes import Write
from .._kinds import BY_NAME, CONFIG_MAP, DEPLOYMENT, GATEWAY, POD, SERVICE, SERVICE_ENTRY, WORKLOAD_ENTRY
from .._mesh.labels import GATEWAY_NAME, MANAGED_GATEWAY, labels_of
from .._mesh.parameters import expected_mark, mark_of, parameters_name
from .._mesh.waypoints import WaypointRef
from .._text import format_names
from .._wait.deletion import wait_until_none_left
from .plan import CurrentWaypoints, Plan
from .users import still_bound, still_labelled

if t.TYPE_CHECKING:
    from .._k8s.session import ApiSession, Object
    from .._wait.object_cache import ObjectCache
    from .plan import WaypointChange

# The kind on which a user's binding shows: that of a Namespace on its Services, that of a workload on its pods.
_SHOWN_ON = {"Namespace": SERVICE, "Service": SERVICE, "ServiceEntry": SERVICE_ENTRY, "WorkloadEntry": WORKLOAD_ENTRY}


@dataclass
class Steps:
    """The writes in their order; within a step, the order does not matter.

    Attributes:
        users: labels are removed from the users of waypoints that are to be deleted.
        holding: Deployments keep their number of pods until their new autoscaler acts.
        cleaning: keys that somebody else added to our ConfigMaps are removed.
        parameters: ConfigMaps are applied before the Gateways that name them.
        gateways: Gateways are applied and deleted.
        leftovers: what istiod does not delete is deleted once istiod no longer renders it.
        unused: ConfigMaps that no Gateway names any longer are deleted last, because until then they show that there are leftovers.
    """

    users: list[Write] = field(default_factory=list)
    holding: list[Write] = field(default_factory=list)
    cleaning: list[Write] = field(default_factory=list)
    parameters: list[Write] = field(default_factory=list)
    gateways: list[Write] = field(default_factory=list)
    leftovers: list[Write] = field(default_factory=list)
    unused: list[Write] = field(default_factory=list)

    @property
    def all(self) -> list[Write]:
        return [*self.users, *self.holding, *self.cleaning, *self.parameters, *self.gateways, *self.leftovers, *self.unused]


def confirm_plan(session: ApiSession, plan: Plan, current: CurrentWaypoints) -> Plan:
    """The plan without waypoints that the API server would not change, such as one that differs by null fields; found out by a dry run."""
    applies = {}
    for change in plan.changes:
        steps = list_writes(Plan((change,)), force=True)
        if change.action == "changed" and len(steps.all) == len(steps.parameters) + len(steps.gateways):
            objects = {CONFIG_MAP: current.parameters.get(change.ref), GATEWAY: current.gateways.get(change.ref)}
            applies.update({(change.ref, write.kind): (write, objects[write.kind]) for write in steps.all})
    differs = confirm_changes(session, list(applies.values()))
    differing = {ref for number, (ref, _kind) in enumerate(applies) if differs[number]}
    unconfirmed = {ref for ref, _kind in applies} - differing
    return replace(plan, changes=tuple(change.without_changes() if change.ref in unconfirmed else change for change in plan.changes))


def list_writes(plan: Plan, *, force: bool) -> Steps:
    """The writes of a plan; with C(force), fields that another field manager owns are taken over."""
    steps = Steps(users=[Write("patch", BY_NAME[found.kind], found.name, found.namespace, found.patch) for found in plan.detachments])
    for change in plan.changes:
        ref = change.ref
        name = parameters_name(ref.name)
        if change.held_replicas is not None:
            steps.holding.append(_hold_replicas(ref, change.held_replicas))
        if change.foreign_keys:
            steps.cleaning.append(Write("patch", CONFIG_MAP, name, ref.namespace, {"data": dict.fromkeys(change.foreign_keys)}))
        if change.config_map == "apply":
            steps.parameters.append(Write("apply", CONFIG_MAP, name, ref.namespace, change.parameters, force=force, creates=change.new_config_map))
        elif change.config_map == "delete":
            steps.unused.append(Write("delete", CONFIG_MAP, name, ref.namespace))
        if change.gateway == "apply":
            steps.gateways.append(Write("apply", GATEWAY, ref.name, ref.namespace, change.manifest, force=force, creates=change.action == "created"))
        elif change.gateway == "delete":
            steps.gateways.append(Write("delete", GATEWAY, ref.name, ref.namespace))
        steps.leftovers += (Write("delete", BY_NAME[kind], name, ref.namespace) for kind, name in change.removed)
    return steps


def apply_plan(session: ApiSession, plan: Plan, steps: Steps, timeout: int) -> None:
    """Send the writes, and wait before those that would otherwise come too early.

    Args:
        session: where to write.
        plan: what the steps were made from.
        steps: the writes.
        timeout: how long to wait at each of these points, in seconds.

    Raises:
        MeshError: a write was refused, or a wait timed out; what must not be deleted yet is then left.
    """
    session.write_all(steps.users)
    bound = _wait_until_unbound(session, plan, timeout)
    if bound:
        raise MeshError(
            f"Waypoints {', '.join(sorted(map(str, plan.deleted)))} were unbound, but after {timeout} s {format_names(bound)} still use them on cluster "
            f"{session.cluster}; nothing was deleted: check that istiod runs and that the pods are replaced, and run again."
        )
    session.write_all(steps.holding, steps.cleaning, steps.parameters, steps.gateways)
    late = _wait_until_rendered(session, [change for change in plan.changes if change.removed], timeout)
    if late:
        raise MeshError(
            f"istiod has not rendered the new parameters of {format_names(late)} within {timeout} s on cluster {session.cluster}, so autoscalers and "
            "disruption budgets that are no longer desired were not deleted: check that istiod runs and what its log says, and run again."
        )
    session.write_all(steps.leftovers, steps.unused)


def _hold_replicas(ref: WaypointRef, replicas: int) -> Write:
    """Own the number of pods of a Deployment until its autoscaler takes it over.

    Source: Kubernetes' documentation of server-side apply, "Transferring ownership".
    """
    body = {
        "apiVersion": DEPLOYMENT.api_version,
        "kind": DEPLOYMENT.name,
        "metadata": {"name": ref.name, "namespace": ref.namespace},
        "spec": {"replicas": replicas},
    }
    return Write("apply", DEPLOYMENT, ref.name, ref.namespace, body, force=True)


def _wait_until_unbound(session: ApiSession, plan: Plan, timeout: float) -> list[str]:
    """Wait until istiod binds nothing to the deleted waypoints and no pod names them; returns what is left when the time is up."""
    places = [(_SHOWN_ON.get(found.kind, POD), found.namespace or found.name) for found in plan.detachments]

    def left(objects: ObjectCache) -> list[str]:
        bound = [item for kind in (SERVICE, SERVICE_ENTRY, WORKLOAD_ENTRY) for item in objects.all(kind)]
        return [*still_bound(plan.deleted, bound), *still_labelled(plan.deleted, objects.all(POD))]

    return wait_until_none_left(session, places, left, timeout=timeout, clock=time.monotonic, trim=_trim)


def _wait_until_rendered(session: ApiSession, changes: t.Sequence[WaypointChange], timeout: float) -> list[str]:
    """Wait until istiod has rendered the new parameters: until then it would create again what is deleted; returns the waypoints that are late."""
    marks = {change.ref: expected_mark(change.overlays) for change in changes}

    def left(objects: ObjectCache) -> list[str]:
        made = [item for item in objects.all(DEPLOYMENT) if MANAGED_GATEWAY in labels_of(item)]
        items = {WaypointRef(item["metadata"]["namespace"], labels_of(item).get(GATEWAY_NAME) or item["metadata"]["name"]): item for item in made}
        return sorted(str(ref) for ref, mark in marks.items() if ref in items and mark_of(items[ref]) != mark)

    return wait_until_none_left(session, [(DEPLOYMENT, ref.namespace) for ref in marks], left, timeout=timeout, clock=time.monotonic, trim=_trim)


def _trim(item: Object) -> Object:
    """Only what is waited for: labels, annotations and conditions."""
    metadata = {name: item["metadata"][name] for name in ("name", "namespace", "labels", "annotations") if name in item["metadata"]}
    conditions = (item.get("status") or {}).get("conditions") or []
    return {"kind": item.get("kind"), "metadata": metadata, "status": {"conditions": conditions}}


__all__ = ("Steps", "apply_plan", "confirm_plan", "list_writes")
