# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""The parameters of a Gateway: the ConfigMap through which overlays reach istiod, and the mark that shows that they did."""

from __future__ import annotations

import hashlib
import json
import typing as t

from .._managed_fields import FIELD_MANAGER, MANAGED_BY
from .labels import GATEWAY_NAME, Object, annotations_of, labels_of
from .strategic_merge import combine

Overlays = t.Dict[str, t.Dict[str, t.Any]]

# The container of the proxy in what istiod renders.
CONTAINER = "istio-proxy"
# For each key of the overlays, the API version and kind of the object that it changes.
OVERLAY_KINDS: t.Mapping[str, t.Tuple[str, str]] = {
    "deployment": ("apps/v1", "Deployment"),
    "service": ("v1", "Service"),
    "serviceAccount": ("v1", "ServiceAccount"),
    "horizontalPodAutoscaler": ("autoscaling/v2", "HorizontalPodAutoscaler"),
    "podDisruptionBudget": ("policy/v1", "PodDisruptionBudget"),
}
# istiod creates these only where there is an overlay for them, and never deletes them.
ON_REQUEST = ("horizontalPodAutoscaler", "podDisruptionBudget")

# istiod only logs what it cannot render, and keeps the old objects. So each set of overlays writes a hash of itself onto the Deployment: once it
# is there, istiod has rendered exactly these overlays. The pod template does not carry it, so it causes no rollout.
MARK = "meshwright.ambient/parameters"
CLASS_DEFAULTS = "gateway.istio.io/defaults-for-class"


def parameters_name(gateway: str) -> str:
    """The name of a Gateway's ConfigMap."""
    return f"{gateway}-parameters"


def render_parameters(name: str, namespace: str, overlays: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """The ConfigMap that carries a Gateway's overlays; empty if there are none.

    The values are JSON, which is also YAML, and identical for identical overlays.
    """
    if not overlays:
        return {}
    data = {key: json.dumps(overlay, indent=2, sort_keys=True, ensure_ascii=False) for key, overlay in sorted(mark_overlays(overlays).items())}
    metadata = {"name": parameters_name(name), "namespace": namespace, "labels": {MANAGED_BY: FIELD_MANAGER, GATEWAY_NAME: name}}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def is_ours(config_map: Object) -> bool:
    """Whether the collection created a ConfigMap."""
    return labels_of(config_map).get(MANAGED_BY) == FIELD_MANAGER


def read_parameters(config_map: Object) -> dict[str, t.Any]:
    """The current overlays of a ConfigMap, including the mark; one that is not JSON as its text."""
    return {key: _parse(text) for key, text in sorted((config_map.get("data") or {}).items())}


def mark_overlays(overlays: t.Mapping[str, t.Any]) -> Overlays:
    """The overlays with the mark that their Deployment will carry."""
    if not overlays:
        return {}
    canonical = json.dumps(overlays, sort_keys=True, separators=(",", ":"))
    mark = {"metadata": {"annotations": {MARK: hashlib.sha256(canonical.encode()).hexdigest()[:16]}}}
    return {**overlays, "deployment": combine(overlays.get("deployment", {}), mark)}


def unmark_overlays(overlays: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """The overlays without the mark, as the options specify them."""
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
    """The mark of the overlays that istiod last rendered into a Deployment; empty if there is none."""
    return annotations_of(item).get(MARK, "") if item else ""


def expected_mark(overlays: t.Mapping[str, t.Any]) -> str:
    """The mark that a Deployment with these overlays carries."""
    return str(mark_overlays(overlays)["deployment"]["metadata"]["annotations"][MARK]) if overlays else ""


def flatten(overlays: t.Mapping[str, t.Any], path: str = "") -> dict[str, t.Any]:
    """The overlays with one entry per value, such as C(deployment.spec.replicas), for diffs."""
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


def _parse(text: str) -> t.Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


__all__ = (
    "CLASS_DEFAULTS",
    "CONTAINER",
    "MARK",
    "ON_REQUEST",
    "OVERLAY_KINDS",
    "Overlays",
    "expected_mark",
    "flatten",
    "is_ours",
    "mark_of",
    "mark_overlays",
    "parameters_name",
    "read_parameters",
    "render_parameters",
    "unmark_overlays",
)
