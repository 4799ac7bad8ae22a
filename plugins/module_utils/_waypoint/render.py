# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""From a desired waypoint to its Gateway, and from its overlays to objects that a dry run can validate."""

from __future__ import annotations

import typing as t

from .._managed_gateway.render import render_managed
from .._mesh.labels import HBONE_PORT, REVISION, WAYPOINT_CLASS, WAYPOINT_FOR
from .._mesh.parameters import parameters_name
from .spec import Waypoint

_PROBE_NAME = "meshwright-dry-run"


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


def render_probe(key: str, overlay: t.Mapping[str, t.Any], namespace: str) -> dict[str, t.Any]:
    """A whole object of an overlay's kind with the overlay merged in, for a dry run on the API server.

    It has everything of istiod's template into which overlays are merged.

    Raises:
        OverlayError: the overlay cannot be merged.
    """
    # No object has this name, so that the dry run is not about a current object.
    listener = {"name": "mesh", "port": HBONE_PORT, "protocol": "HBONE"}
    gateway = {"metadata": {"name": _PROBE_NAME, "namespace": namespace}, "spec": {"gatewayClassName": WAYPOINT_CLASS, "listeners": [listener]}}
    return render_managed(gateway, [{key: overlay}])[key]


__all__ = ("render_gateway", "render_probe")
