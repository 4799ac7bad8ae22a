# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""What must be true of a mesh once its labels and waypoints have been applied: targets of the module ready."""

from __future__ import annotations

import typing as t

from .._mesh.labels import DATAPLANE_MODE, NO_WAYPOINT, USE_WAYPOINT, USE_WAYPOINT_NAMESPACE, WAYPOINT_FOR, labels_of

Item = t.Mapping[str, t.Any]


def mesh_targets(objects: t.Iterable[Item], waypoints: t.Iterable[Item], detached: t.Iterable[Item] = ()) -> list[dict[str, str]]:
    """Targets for what the modules enrollment (its C(objects)) and waypoint (its C(waypoints)) have done.

    Every waypoint that should exist must be ready, every workload whose template has changed must have rolled out, the pods of every namespace
    that is or was enrolled must be captured or released, and every Service that names a waypoint must be bound to it.

    Args:
        objects: C(objects) of the module enrollment.
        waypoints: C(waypoints) of the module waypoint.
        detached: C(detached) of the module waypoint, if it has unbound some of the objects since.
    """
    unbound = {(item["kind"], item["namespace"], item["name"]) for item in detached if USE_WAYPOINT in item["labels"]}
    # What a namespace names may be meant for its pods alone; its Services are not bound then.
    for_pods = {(item["namespace"], item["name"]) for item in waypoints if _traffic_of(item["manifest"]) == "workload"}
    targets = [{"kind": "waypoint", "name": item["name"], "namespace": item["namespace"]} for item in waypoints if item["manifest"]]
    bindings, enrollments, workloads = [], [], []
    for item in objects:
        home = item["namespace"] or item["name"]
        if DATAPLANE_MODE in {**item["before"], **item["after"]}:
            enrollments.append(home)
        if item["kind"] not in ("Namespace", "Service"):
            workloads += [{"kind": item["kind"], "name": item["name"], "namespace": home}] if item["changed"] else []
        elif item["kind"] == "Namespace" and (item["after"].get(USE_WAYPOINT_NAMESPACE, home), item["after"].get(USE_WAYPOINT)) in for_pods:
            continue
        elif item["after"].get(USE_WAYPOINT, NO_WAYPOINT) != NO_WAYPOINT and (item["kind"], item["namespace"] or "", item["name"]) not in unbound:
            bindings.append({"kind": "binding", "name": item["name"] if item["kind"] == "Service" else "", "namespace": home})
    return [*targets, *workloads, *bindings, *({"kind": "enrollment", "namespace": name} for name in dict.fromkeys(enrollments))]


def _traffic_of(manifest: Item) -> str:
    return labels_of(manifest).get(WAYPOINT_FOR, "service") if manifest.get("metadata") else ""


__all__ = ("mesh_targets",)
