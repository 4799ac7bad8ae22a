# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.

"""The options of one waypoint, and what they say in the words of istiod's overlays.

istiod renders a Deployment, a Service and a ServiceAccount for a waypoint, and merges the overlays of the ConfigMap that
spec.infrastructure.parametersRef names into them. Autoscaler and disruption budget are rendered only when an overlay for them is there.
Source: istio pilot/pkg/config/kube/gatewaycommon/deploymentcontroller.go (applyOverlay, requiredOverlays) and files/waypoint.yaml.
"""

from __future__ import annotations

import math
import re
import typing as t

from .._mesh.labels import GATEWAY_NAME, MANAGED_GATEWAY
from .._text import format_count, format_scalars
from .strategic_merge import OverlayError, combine

Item = t.Mapping[str, t.Any]
Overlays = t.Dict[str, t.Dict[str, t.Any]]

CONTAINER = "istio-proxy"
# The highly available form: this many pods, and never more than this many away on purpose.
HIGHLY_AVAILABLE_REPLICAS = 2
# What the API server itself would take for an autoscaler without metrics.
DEFAULT_CPU_UTILIZATION = 80
# Source: the Gateway API's CRD (spec.infrastructure).
MOST_LABELS = 8
# The longest name that a Service and a label's value can have; istiod gives the waypoint's name to both.
LONGEST_NAME = 63

# The kind that each key of the overlays is about, and its API version.
OVERLAY_KINDS: t.Mapping[str, t.Tuple[str, str]] = {
    "deployment": ("apps/v1", "Deployment"),
    "service": ("v1", "Service"),
    "serviceAccount": ("v1", "ServiceAccount"),
    "horizontalPodAutoscaler": ("autoscaling/v2", "HorizontalPodAutoscaler"),
    "podDisruptionBudget": ("policy/v1", "PodDisruptionBudget"),
}

# istiod makes these only where an overlay asks for them, and never takes them away again.
ON_REQUEST = ("horizontalPodAutoscaler", "podDisruptionBudget")

_DROPPED_PREFIX = "gateway.networking.k8s.io/"
_SERVICE_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_AMOUNT = re.compile(r"\d+%?")

OPTIONS: t.Dict[str, t.Any] = {
    "name": {"type": "str", "default": "waypoint"},
    "namespace": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "for": {"type": "str", "choices": ["service", "workload", "all", "none"], "default": "service"},
    "allowed_routes": {
        "type": "dict",
        "options": {"from": {"type": "str", "choices": ["Same", "All", "Selector"], "default": "Same"}, "selector": {"type": "dict"}},
        "required_if": [("from", "Selector", ["selector"])],
    },
    "revision": {"type": "str"},
    "replicas": {"type": "int"},
    "autoscaling": {
        "type": "dict",
        "options": {
            "min_replicas": {"type": "int"},
            "max_replicas": {"type": "int", "required": True},
            "cpu_utilization": {"type": "int"},
            "metrics": {"type": "list", "elements": "dict"},
        },
    },
    "high_availability": {"type": "bool", "default": False},
    "disruption_budget": {
        "type": "dict",
        "options": {"min_available": {"type": "str"}, "max_unavailable": {"type": "str"}},
        "mutually_exclusive": [("min_available", "max_unavailable")],
        "required_one_of": [("min_available", "max_unavailable")],
    },
    "resources": {"type": "dict", "options": {"requests": {"type": "dict"}, "limits": {"type": "dict"}}},
    "affinity": {"type": "dict"},
    "node_selector": {"type": "dict"},
    "tolerations": {"type": "list", "elements": "dict"},
    "topology_spread": {"type": "list", "elements": "dict"},
    "service_type": {"type": "str", "choices": ["ClusterIP", "NodePort", "LoadBalancer"]},
    "service_annotations": {"type": "dict"},
    "labels": {"type": "dict"},
    "annotations": {"type": "dict"},
    "overlays": {"type": "dict"},
}


def compose_overlays(item: Item) -> Overlays:
    """The overlays that one item's options ask for, with its own raw overlays merged last.

    Raises:
        OverlayError: the raw overlays cannot be merged.
    """
    composed: Overlays = {
        "deployment": _deployment(item),
        "service": _service(item),
        "horizontalPodAutoscaler": _autoscaler(item),
        "podDisruptionBudget": _budget(item),
    }
    composed = {key: overlay for key, overlay in composed.items() if overlay}
    for key, overlay in sorted((item.get("overlays") or {}).items()):
        # An overlay that is not a dictionary is told by find_problems.
        if isinstance(overlay, dict):
            composed[key] = combine(composed.get(key, {}), overlay)
    # An empty overlay brings an autoscaler or a budget about; of what istiod makes anyway, it changes nothing.
    return {key: overlay for key, overlay in composed.items() if overlay or key in ON_REQUEST}


def find_problems(item: Item) -> list[str]:
    """What is wrong with one item's options, whatever is on the cluster; each says what to do."""
    return [*_name_problems(item), *_replica_problems(item), *_budget_problems(item), *_metadata_problems(item), *_overlay_problems(item)]


def find_warnings(item: Item) -> list[str]:
    """What the options do that is seldom meant: a disruption budget that never lets a pod go."""
    budget = item.get("disruption_budget")
    if not budget or any(_budget_problems(item)) or any(_replica_problems(item)):
        return []
    replicas = _fewest_replicas(item)
    if _may_leave(budget, replicas) > 0:
        return []
    pods = format_count(replicas, "replica")
    told = f"min_available {budget['min_available']}" if budget.get("min_available") is not None else f"max_unavailable {budget['max_unavailable']}"
    return [f"disruption_budget ({told}) lets no pod go at {pods}, so nodes cannot be drained: allow one to be away, or ask for more replicas."]


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
    """The constraints, each with the selector of the waypoint's own pods: without one, a constraint would count no pod at all."""
    own = {"matchLabels": {GATEWAY_NAME: item["name"]}}
    if item.get("topology_spread"):
        return [{"labelSelector": own, **constraint} for constraint in item["topology_spread"]]
    if not item.get("high_availability"):
        return []
    # A rollout's new pods are spread among themselves. On one node or in one zone, the pods still run.
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
    wanted = item.get("autoscaling")
    if not wanted:
        return {}
    metrics = [dict(metric) for metric in wanted.get("metrics") or ()]
    cpu = wanted.get("cpu_utilization") or (None if metrics else DEFAULT_CPU_UTILIZATION)
    if cpu:
        metrics.insert(0, {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": cpu}}})
    return {"spec": {"minReplicas": _fewest_replicas(item), "maxReplicas": wanted["max_replicas"], "metrics": metrics}}


def _budget(item: Item) -> dict[str, t.Any]:
    budget = item.get("disruption_budget") or ({"max_unavailable": "1"} if item.get("high_availability") else None)
    if not budget:
        return {}
    names = {"min_available": "minAvailable", "max_unavailable": "maxUnavailable"}
    amounts = {names[name]: str(budget[name]) for name in names if budget.get(name) is not None}
    return {"spec": {name: int(amount) if amount.isdigit() else amount for name, amount in amounts.items()}}


def _fewest_replicas(item: Item) -> int:
    """The number of pods that there are at least."""
    default = HIGHLY_AVAILABLE_REPLICAS if item.get("high_availability") else 1
    given = item["autoscaling"].get("min_replicas") if item.get("autoscaling") else item.get("replicas")
    return default if given is None else int(given)


def _may_leave(budget: Item, replicas: int) -> int:
    """How many of so many pods a budget lets go at once; the API server rounds percentages up."""
    given = budget["min_available"] if budget.get("min_available") is not None else budget["max_unavailable"]
    amount = math.ceil(replicas * int(given[:-1]) / 100) if given.endswith("%") else int(given)
    return replicas - amount if budget.get("min_available") is not None else amount


def _name_problems(item: Item) -> t.Iterator[str]:
    name = item["name"]
    if len(name) > LONGEST_NAME or not _SERVICE_NAME.fullmatch(name):
        yield (
            f"no Service can have this name, and istiod gives it to one: use at most {LONGEST_NAME} lower-case letters, digits and dashes, "
            "with a letter or digit at both ends."
        )


def _replica_problems(item: Item) -> t.Iterator[str]:
    replicas, autoscaling = item.get("replicas"), item.get("autoscaling") or {}
    available = item.get("high_availability")
    if replicas is not None and autoscaling:
        yield "replicas and autoscaling both decide how many pods there are: keep one of them."
    elif replicas is not None and replicas < 1:
        yield f"replicas is {replicas}, and without a pod all of its traffic goes nowhere: ask for at least 1."
    elif replicas is not None and available and replicas < HIGHLY_AVAILABLE_REPLICAS:
        yield f"replicas is {replicas}, which is not highly available: ask for at least {HIGHLY_AVAILABLE_REPLICAS}, or leave high_availability out."
    if autoscaling:
        fewest, most = _fewest_replicas(item), autoscaling["max_replicas"]
        if fewest < 1:
            yield f"autoscaling.min_replicas is {fewest}, and without a pod all of its traffic goes nowhere: ask for at least 1."
        if fewest > most:
            yield f"autoscaling.min_replicas is {fewest}, which is more than its max_replicas of {most}: correct one of them."
        if available and fewest < HIGHLY_AVAILABLE_REPLICAS:
            yield f"autoscaling.min_replicas is {fewest}, which is not highly available: ask for at least {HIGHLY_AVAILABLE_REPLICAS}."
        cpu = autoscaling.get("cpu_utilization")
        if cpu is not None and cpu < 1:
            yield f"autoscaling.cpu_utilization is {cpu}: it is a percentage of the requested CPU, so give at least 1."


def _budget_problems(item: Item) -> t.Iterator[str]:
    for name, amount in (item.get("disruption_budget") or {}).items():
        if amount is not None and not _AMOUNT.fullmatch(amount):
            yield f"disruption_budget.{name} is {amount!r}: give a number of pods, such as 1, or a percentage, such as 50%."


def _metadata_problems(item: Item) -> t.Iterator[str]:
    for option in ("labels", "annotations"):
        values = item.get(option) or {}
        if len(values) > MOST_LABELS:
            yield f"{option} has {len(values)} entries, and a Gateway takes at most {MOST_LABELS}: put more of them into overlays."
        for name in sorted(values):
            if name.startswith(_DROPPED_PREFIX) or name == MANAGED_GATEWAY:
                yield f"{option} has {name}, which istiod keeps for itself and would drop silently: take it out."


def _overlay_problems(item: Item) -> t.Iterator[str]:
    overlays = item.get("overlays") or {}
    for key in sorted(set(overlays) - set(OVERLAY_KINDS)):
        yield f"overlays.{key} is unknown, and istiod would then apply none of them: use {', '.join(OVERLAY_KINDS)}."
    for key, overlay in sorted(overlays.items()):
        if key not in OVERLAY_KINDS:
            continue
        if not isinstance(overlay, dict):
            yield f"overlays.{key} is not a dictionary: give the fields of a {OVERLAY_KINDS[key][1]}."
            continue
        yield from _forbidden_fields(item, key, overlay)
    try:
        composed = compose_overlays({"replicas": None, **item})
    except OverlayError as error:
        yield f"overlays cannot be merged ({error}): correct them."
        return
    deployment = composed.get("deployment", {}).get("spec")
    if "horizontalPodAutoscaler" in composed and not item.get("autoscaling") and item.get("replicas") is not None:
        yield "replicas and overlays.horizontalPodAutoscaler both decide how many pods there are: keep one of them."
    elif "horizontalPodAutoscaler" in overlays and isinstance(deployment, dict) and "replicas" in ((overlays.get("deployment") or {}).get("spec") or {}):
        yield "overlays.deployment.spec.replicas and overlays.horizontalPodAutoscaler both decide how many pods there are: keep one of them."


def _forbidden_fields(item: Item, key: str, overlay: Item) -> t.Iterator[str]:
    """Fields with which istiod renders nothing ("illegal metadata change"), or cannot write what it rendered."""
    told = f"overlays.{key}"
    api_version, kind = OVERLAY_KINDS[key]
    for name, right in (("apiVersion", api_version), ("kind", kind)):
        if overlay.get(name, right) != right:
            yield f"{told}.{name} is {overlay[name]!r}, but it changes a {kind} of {api_version}: take it out."
    metadata = overlay.get("metadata")
    allowed = {"name": item["name"], "namespace": item["namespace"]}
    for name, value in sorted(metadata.items()) if isinstance(metadata, dict) else ():
        if name in ("labels", "annotations"):
            continue
        if name not in allowed or value != allowed[name]:
            yield f"{told}.metadata.{name} cannot be changed, and istiod would then apply none of the overlays: take it out."
    labels = metadata.get("labels") if isinstance(metadata, dict) else None
    for name in sorted(labels) if isinstance(labels, dict) else ():
        if name in (GATEWAY_NAME, MANAGED_GATEWAY):
            yield f"{told}.metadata.labels.{name} is how the waypoint's objects are known: take it out."
    spec = overlay.get("spec")
    fixed = {"deployment": "selector", "horizontalPodAutoscaler": "scaleTargetRef", "podDisruptionBudget": "selector"}.get(key)
    if fixed and isinstance(spec, dict) and fixed in spec:
        yield f"{told}.spec.{fixed} chooses the waypoint's own objects, and no others would do: take it out."


__all__ = (
    "CONTAINER",
    "ON_REQUEST",
    "OPTIONS",
    "OVERLAY_KINDS",
    "Overlays",
    "compose_overlays",
    "find_problems",
    "find_warnings",
)
