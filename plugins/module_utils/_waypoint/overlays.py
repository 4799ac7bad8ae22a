# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Renders the options of a waypoint as overlays on the objects that istiod creates.

istiod renders a Deployment, a Service and a ServiceAccount for a waypoint, and merges into them the overlays of the ConfigMap that
spec.infrastructure.parametersRef names. It renders an autoscaler or a disruption budget only if there is an overlay for it.
Source: istio pilot/pkg/config/kube/gatewaycommon/deploymentcontroller.go (applyOverlay, requiredOverlays) and files/waypoint.yaml.
"""

from __future__ import annotations

import typing as t

from .._mesh.labels import GATEWAY_NAME
from .._mesh.parameters import CONTAINER, ON_REQUEST, Overlays
from .._mesh.strategic_merge import combine
from .._text import format_scalars

Item = t.Mapping[str, t.Any]

# What high_availability means: this many pods, of which at most one is voluntarily disrupted at a time.
HIGHLY_AVAILABLE_REPLICAS = 2
# The API server's own default for an autoscaler without metrics.
_DEFAULT_CPU_UTILIZATION = 80


def compose_overlays(item: Item) -> Overlays:
    """The overlays that the options of one item amount to, with the option C(overlays) merged last.

    Raises:
        OverlayError: the option C(overlays) cannot be merged.
    """
    composed: Overlays = {
        "deployment": _deployment(item),
        "service": _service(item),
        "horizontalPodAutoscaler": _autoscaler(item),
        "podDisruptionBudget": _budget(item),
    }
    composed = {key: overlay for key, overlay in composed.items() if overlay}
    for key, overlay in sorted((item.get("overlays") or {}).items()):
        # An overlay that is not a dictionary is a validation error of its own.
        if isinstance(overlay, dict):
            composed[key] = combine(composed.get(key, {}), overlay)
    # An empty overlay creates an autoscaler or a budget; it changes nothing of what istiod creates anyway.
    return {key: overlay for key, overlay in composed.items() if overlay or key in ON_REQUEST}


def _deployment(item: Item) -> dict[str, t.Any]:
    spec: dict[str, t.Any] = {}
    pod: dict[str, t.Any] = {}
    if not item.get("autoscaling"):
        replicas = item.get("replicas") or (HIGHLY_AVAILABLE_REPLICAS if item.get("high_availability") else None)
        spec.update({"replicas": replicas} if replicas else {})
    if item.get("resources"):
        resources = {name: format_scalars(amounts) for name, amounts in item["resources"].items() if amounts}
        pod.update({"containers": [{"name": CONTAINER, "resources": resources}]} if resources else {})
    if item.get("affinity"):
        pod["affinity"] = dict(item["affinity"])
    if item.get("node_selector"):
        pod["nodeSelector"] = format_scalars(item["node_selector"])
    if item.get("tolerations"):
        pod["tolerations"] = [dict(toleration) for toleration in item["tolerations"]]
    spread = _spread(item)
    if spread:
        pod["topologySpreadConstraints"] = spread
    spec.update({"template": {"spec": pod}} if pod else {})
    return {"spec": spec} if spec else {}


def _spread(item: Item) -> list[dict[str, t.Any]]:
    """The constraints, each with the selector of the waypoint's own pods: a constraint without one counts no pods."""
    own = {"matchLabels": {GATEWAY_NAME: item["name"]}}
    if item.get("topology_spread"):
        return [{"labelSelector": own, **constraint} for constraint in item["topology_spread"]]
    if not item.get("high_availability"):
        return []
    # New pods of a rollout are spread among themselves. Where there is only one node or zone, the pods still run.
    common = {"maxSkew": 1, "whenUnsatisfiable": "ScheduleAnyway", "labelSelector": own, "matchLabelKeys": ["pod-template-hash"]}
    return [{"topologyKey": key, **common} for key in ("topology.kubernetes.io/zone", "kubernetes.io/hostname")]


def _service(item: Item) -> dict[str, t.Any]:
    overlay: dict[str, t.Any] = {}
    if item.get("service_annotations"):
        overlay["metadata"] = {"annotations": format_scalars(item["service_annotations"])}
    if item.get("service_type"):
        overlay["spec"] = {"type": item["service_type"]}
    return overlay


def _autoscaler(item: Item) -> dict[str, t.Any]:
    autoscaling = item.get("autoscaling")
    if not autoscaling:
        return {}
    metrics = [dict(metric) for metric in autoscaling.get("metrics") or ()]
    cpu = autoscaling.get("cpu_utilization") or (None if metrics else _DEFAULT_CPU_UTILIZATION)
    if cpu:
        metrics.insert(0, {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": cpu}}})
    return {"spec": {"minReplicas": fewest_replicas(item), "maxReplicas": autoscaling["max_replicas"], "metrics": metrics}}


def _budget(item: Item) -> dict[str, t.Any]:
    budget = item.get("disruption_budget") or ({"max_unavailable": "1"} if item.get("high_availability") else None)
    if not budget:
        return {}
    names = {"min_available": "minAvailable", "max_unavailable": "maxUnavailable"}
    amounts = {names[name]: str(budget[name]) for name in names if budget.get(name) is not None}
    return {"spec": {name: int(amount) if amount.isdigit() else amount for name, amount in amounts.items()}}


def fewest_replicas(item: Item) -> int:
    """The lowest number of pods that the options allow."""
    default = HIGHLY_AVAILABLE_REPLICAS if item.get("high_availability") else 1
    given = item["autoscaling"].get("min_replicas") if item.get("autoscaling") else item.get("replicas")
    return default if given is None else int(given)


__all__ = ("HIGHLY_AVAILABLE_REPLICAS", "Item", "compose_overlays", "fewest_replicas")
