# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""From a desired waypoint to its Gateway, and from its overlays to objects that a dry run can validate."""

from __future__ import annotations

import typing as t

from .._mesh.labels import GATEWAY_NAME, HBONE_PORT, REVISION, WAYPOINT_CLASS, WAYPOINT_FOR
from .._mesh.parameters import CONTAINER, OVERLAY_KINDS, parameters_name
from .._mesh.strategic_merge import merge
from .spec import Waypoint

_PROBE_NAME = "meshwright-dry-run"

# What istiod's template has in the lists of a pod into which overlays are merged by name. Source: files/waypoint.yaml.
_VOLUMES = ("workload-socket", "istio-envoy", "go-proxy-envoy", "istio-data", "go-proxy-data", "istio-podinfo", "istio-token", "istiod-ca-cert")
_PORTS = ((15020, "metrics"), (15021, "status-port"), (15090, "http-envoy-prom"))
_MOUNTS = {
    "/var/run/secrets/workload-spiffe-uds": "workload-socket",
    "/var/run/secrets/istio": "istiod-ca-cert",
    "/var/lib/istio/data": "istio-data",
    "/etc/istio/proxy": "istio-envoy",
    "/var/run/secrets/tokens": "istio-token",
    "/etc/istio/pod": "istio-podinfo",
}


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
    api_version, kind = OVERLAY_KINDS[key]
    # No object has this name, so that the dry run is not about a current object.
    metadata: dict[str, t.Any] = {"name": _PROBE_NAME, "namespace": namespace}
    labels = {GATEWAY_NAME: _PROBE_NAME}
    base: dict[str, t.Any] = {"apiVersion": api_version, "kind": kind, "metadata": metadata}
    if key == "deployment":
        container = {
            "name": CONTAINER,
            "image": "auto",
            "ports": [{"containerPort": port, "name": name, "protocol": "TCP"} for port, name in _PORTS],
            "volumeMounts": [{"mountPath": path, "name": name} for path, name in _MOUNTS.items()],
        }
        pod = {"containers": [container], "volumes": [{"name": name, "emptyDir": {}} for name in _VOLUMES]}
        base["spec"] = {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": pod}}
    elif key == "service":
        ports = [{"name": name, "port": port, "protocol": "TCP"} for name, port in (("status-port", 15021), ("mesh", 15008))]
        base["spec"] = {"ports": ports, "selector": labels, "type": "ClusterIP", "ipFamilyPolicy": "PreferDualStack"}
    elif key == "horizontalPodAutoscaler":
        target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": metadata["name"]}
        base["spec"] = {"scaleTargetRef": target, "maxReplicas": 1}
    elif key == "podDisruptionBudget":
        base["spec"] = {"selector": {"matchLabels": labels}}
    merged = merge(base, overlay)
    # An overlay may repeat the waypoint's own name and namespace.
    return {**merged, "metadata": {**merged["metadata"], **metadata}}


__all__ = ("render_gateway", "render_probe")
