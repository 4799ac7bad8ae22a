# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.

"""What must be true of a mesh once its labels and waypoints are as wished: the targets of module ready."""

from __future__ import annotations

import typing as t

from .labels import DATAPLANE_MODE, NO_WAYPOINT, USE_WAYPOINT

Item = t.Mapping[str, t.Any]


def mesh_targets(objects: t.Iterable[Item], waypoints: t.Iterable[Item]) -> list[dict[str, str]]:
    """Targets for what the modules enrollment (its C(objects)) and waypoint (its C(waypoints)) have done.

    Every waypoint that is there must be ready, every namespace that is or was enrolled must have its pods captured or let go, and every
    Service that names a waypoint must be bound to it.
    """
    targets = [{"kind": "waypoint", "name": item["name"], "namespace": item["namespace"]} for item in waypoints if item["manifest"]]
    bindings, enrollments = [], []
    for item in objects:
        home = item["namespace"] or item["name"]
        if DATAPLANE_MODE in {**item["before"], **item["after"]}:
            enrollments.append(home)
        if item["after"].get(USE_WAYPOINT, NO_WAYPOINT) != NO_WAYPOINT and item["kind"] in ("Namespace", "Service"):
            bindings.append({"kind": "binding", "name": item["name"] if item["kind"] == "Service" else "", "namespace": home})
    return [*targets, *bindings, *({"kind": "enrollment", "namespace": name} for name in dict.fromkeys(enrollments))]


__all__ = ("mesh_targets",)
