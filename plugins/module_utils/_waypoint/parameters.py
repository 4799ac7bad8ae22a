# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.

"""The ConfigMap through which a waypoint's overlays reach istiod, and how it is known that they did."""

from __future__ import annotations

import hashlib
import json
import typing as t

from .._k8s.managed_fields import FIELD_MANAGER, MANAGED_BY
from .._mesh.labels import GATEWAY_NAME, Object, annotations_of, labels_of
from .options import CONTAINER, OVERLAY_KINDS, Overlays
from .strategic_merge import combine, merge

# istiod only logs what it cannot render, and keeps the old objects. So each set of overlays puts its own name on the Deployment: when that is
# there, istiod has rendered these overlays and no others. The Deployment's pods do not carry it, so it rolls nothing.
MARK = "meshwright.ambient/parameters"
CLASS_DEFAULTS = "gateway.istio.io/defaults-for-class"

# What istiod's template already has, for the lists of a pod into which overlays are merged by name. Source: files/waypoint.yaml.
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


def parameters_name(waypoint: str) -> str:
    """The name of a waypoint's ConfigMap."""
    return f"{waypoint}-parameters"


def render_parameters(name: str, namespace: str, overlays: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """The ConfigMap that carries a waypoint's overlays; empty when there are none.

    The values are JSON, which is YAML too, and the same for the same overlays.
    """
    if not overlays:
        return {}
    data = {key: json.dumps(overlay, indent=2, sort_keys=True, ensure_ascii=False) for key, overlay in sorted(mark_overlays(overlays).items())}
    metadata = {"name": parameters_name(name), "namespace": namespace, "labels": {MANAGED_BY: FIELD_MANAGER, GATEWAY_NAME: name}}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def is_ours(config_map: Object) -> bool:
    """Whether a ConfigMap is one that the collection made."""
    return labels_of(config_map).get(MANAGED_BY) == FIELD_MANAGER


def read_parameters(config_map: Object) -> dict[str, t.Any]:
    """The overlays of a ConfigMap as they are, the mark included; one that is not JSON as its text."""
    return {key: _parse(text) for key, text in sorted((config_map.get("data") or {}).items())}


def mark_overlays(overlays: t.Mapping[str, t.Any]) -> Overlays:
    """The overlays with the mark that their Deployment will carry."""
    if not overlays:
        return {}
    canonical = json.dumps(overlays, sort_keys=True, separators=(",", ":"))
    mark = {"metadata": {"annotations": {MARK: hashlib.sha256(canonical.encode()).hexdigest()[:16]}}}
    return {**overlays, "deployment": combine(overlays.get("deployment", {}), mark)}


def unmark_overlays(overlays: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """The overlays without the mark, as options ask for them."""
    result = dict(overlays)
    deployment = result.get("deployment")
    annotations = ((deployment.get("metadata") or {}).get("annotations") or {}) if isinstance(deployment, dict) else {}
    if MARK in annotations and isinstance(deployment, dict):
        rest = {name: value for name, value in annotations.items() if name != MARK}
        metadata = {name: value for name, value in deployment["metadata"].items() if name != "annotations"}
        metadata.update({"annotations": rest} if rest else {})
        without = {name: value for name, value in deployment.items() if name != "metadata"}
        without.update({"metadata": metadata} if metadata else {})
        result["deployment"] = without
        if not without:
            del result["deployment"]
    return result


def mark_of(item: Object | None) -> str:
    """The mark of the overlays that istiod has last rendered into a Deployment; empty without one."""
    return annotations_of(item).get(MARK, "") if item else ""


def wanted_mark(overlays: t.Mapping[str, t.Any]) -> str:
    """The mark that a Deployment with these overlays carries."""
    return str(mark_overlays(overlays)["deployment"]["metadata"]["annotations"][MARK]) if overlays else ""


def flatten(overlays: t.Mapping[str, t.Any], path: str = "") -> dict[str, t.Any]:
    """The overlays as one line per value, such as C(deployment.spec.replicas), for diffs."""
    lines: dict[str, t.Any] = {}
    for key, value in sorted(overlays.items()):
        below = f"{path}.{key}" if path else str(key)
        if isinstance(value, dict) and value:
            lines.update(flatten(value, below))
        elif isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
            for place, item in enumerate(value):
                lines.update(flatten(item, f"{below}[{item.get('name', place)}]"))
        else:
            lines[below] = value
    return lines


def skeleton(key: str, overlay: t.Mapping[str, t.Any], namespace: str) -> dict[str, t.Any]:
    """A whole object of an overlay's kind with the overlay merged in, for the API server to judge without keeping it.

    It has what istiod's template has, as far as overlays are merged into it.

    Raises:
        OverlayError: the overlay cannot be merged.
    """
    api_version, kind = OVERLAY_KINDS[key]
    # No object has this name, so that what is there already does not come into it.
    metadata: dict[str, t.Any] = {"name": "meshwright-judges-overlay", "namespace": namespace}
    labels = {"gateway.networking.k8s.io/gateway-name": "meshwright-judges-overlay"}
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
    # An overlay may name the waypoint itself, which is no change.
    return {**merged, "metadata": {**merged["metadata"], **metadata}}


def _parse(text: str) -> t.Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


__all__ = (
    "CLASS_DEFAULTS",
    "MARK",
    "flatten",
    "is_ours",
    "mark_of",
    "mark_overlays",
    "parameters_name",
    "read_parameters",
    "render_parameters",
    "skeleton",
    "unmark_overlays",
    "wanted_mark",
)
