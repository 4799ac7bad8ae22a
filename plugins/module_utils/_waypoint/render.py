# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""From a desired waypoint to its Gateway."""

from __future__ import annotations

import typing as t

from .._mesh.labels import HBONE_PORT, REVISION, WAYPOINT_CLASS, WAYPOINT_FOR
from .._mesh.parameters import parameters_name
from .spec import Waypoint


def render_gateway(waypoint: Waypoint) -> dict[str, t.Any]:
    """The Gateway that declares a waypoint, as it is applied.

    Source: istioctl/pkg/waypoint (makeGateway) and the ambient documentation on waypoints.
    """
    listener: dict[str, t.Any] = {"name": "mesh", "port": HBONE_PORT, "protocol": "HBONE"}
    if waypoint.allowed_from != "Same" or waypoint.writes_same:
        namespaces: dict[str, t.Any] = {"from": waypoint.allowed_from}
        if waypoint.allowed_selector is not None:
            namespaces["selector"] = dict(waypoint.allowed_selector)
        listener["allowedRoutes"] = {"namespaces": namespaces}
    labels = {WAYPOINT_FOR: waypoint.traffic}
    if waypoint.revision:
        labels[REVISION] = waypoint.revision
    spec: dict[str, t.Any] = {"gatewayClassName": WAYPOINT_CLASS, "listeners": [listener]}
    infrastructure = _infrastructure(waypoint)
    if infrastructure:
        spec["infrastructure"] = infrastructure
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": {"name": waypoint.ref.name, "namespace": waypoint.ref.namespace, "labels": labels},
        "spec": spec,
    }


def _infrastructure(waypoint: Waypoint) -> dict[str, t.Any]:
    infrastructure: dict[str, t.Any] = {}
    if waypoint.labels:
        infrastructure["labels"] = dict(waypoint.labels)
    if waypoint.annotations:
        infrastructure["annotations"] = dict(waypoint.annotations)
    name = parameters_name(waypoint.ref.name) if waypoint.overlays else None
    if name:
        infrastructure["parametersRef"] = {"group": "", "kind": "ConfigMap", "name": name}
    return infrastructure


__all__ = ("render_gateway",)
