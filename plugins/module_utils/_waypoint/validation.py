# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Validates the options of one waypoint, independently of the cluster: each function yields sentences that state why and what to do."""

from __future__ import annotations

import math
import re
import typing as t

from .._kubernetes_text import find_text_errors
from .._limits.kubernetes import find_key_errors, find_label_errors
from .._limits.pods import find_affinity_errors, find_metric_errors, find_overlay_errors, find_spread_errors, find_toleration_errors
from .._limits.quantities import find_resource_errors
from .._limits.services import find_annotated_range_errors
from .._mesh.labels import GATEWAY_NAME, MANAGED_GATEWAY
from .._mesh.parameters import OVERLAY_KINDS
from .._mesh.strategic_merge import OverlayError
from .._text import format_count
from .overlays import HIGHLY_AVAILABLE_REPLICAS, Item, compose_overlays, fewest_replicas

# Source: the Gateway API's CRD (spec.infrastructure).
MAX_LABELS = 8
# The maximum length of a Service name and of a label value; istiod uses the waypoint's name as both.
MAX_NAME_LENGTH = 63

_DROPPED_PREFIX = "gateway.networking.k8s.io/"
_SERVICE_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_AMOUNT = re.compile(r"\d+%?")


def find_validation_errors(item: Item) -> list[str]:
    """All validation errors of one item of the option C(waypoints)."""
    return [
        *_name_errors(item),
        *_replica_errors(item),
        *_budget_errors(item),
        *_metadata_errors(item),
        *find_resource_errors("resources", item.get("resources")),
        *find_toleration_errors("tolerations", item.get("tolerations")),
        *find_affinity_errors("affinity", item.get("affinity")),
        *find_spread_errors("topology_spread", item.get("topology_spread")),
        *find_metric_errors("autoscaling.metrics", (item.get("autoscaling") or {}).get("metrics")),
        *_overlay_errors(item),
        *find_text_errors(item),
    ]


def find_warnings(item: Item) -> list[str]:
    """What the options do that is seldom intended: a disruption budget that never allows a disruption."""
    budget = item.get("disruption_budget") or {}
    if all(amount is None for amount in budget.values()) or any(_budget_errors(item)) or any(_replica_errors(item)):
        return []
    replicas = fewest_replicas(item)
    if _allowed_disruptions(budget, replicas) > 0:
        return []
    setting = f"min_available {budget['min_available']}" if budget.get("min_available") is not None else f"max_unavailable {budget['max_unavailable']}"
    pods = format_count(replicas, "replica")
    return [f"disruption_budget ({setting}) allows no disruption at {pods}, so nodes cannot be drained: allow one unavailable pod, or use more replicas."]


def _allowed_disruptions(budget: Item, replicas: int) -> int:
    """How many of the pods a budget allows to be unavailable at once; the API server rounds percentages up."""
    value = budget["min_available"] if budget.get("min_available") is not None else budget["max_unavailable"]
    amount = math.ceil(replicas * int(value[:-1]) / 100) if value.endswith("%") else int(value)
    return replicas - amount if budget.get("min_available") is not None else amount


def _name_errors(item: Item) -> t.Iterator[str]:
    name = item["name"]
    if len(name) > MAX_NAME_LENGTH or not _SERVICE_NAME.fullmatch(name):
        yield (
            f"the name is not valid for the Service that istiod creates: use at most {MAX_NAME_LENGTH} lower-case letters, digits and dashes, "
            "with a letter or digit at both ends."
        )


def _replica_errors(item: Item) -> t.Iterator[str]:
    replicas, autoscaling = item.get("replicas"), item.get("autoscaling") or {}
    available = item.get("high_availability")
    if replicas is not None and autoscaling:
        yield "replicas and autoscaling both set the number of pods: keep one of them."
    elif replicas is not None and replicas < 1:
        yield f"replicas is {replicas}, and without a pod all of its traffic is lost: use at least 1."
    elif replicas is not None and available and replicas < HIGHLY_AVAILABLE_REPLICAS:
        yield f"replicas is {replicas}, which is not highly available: use at least {HIGHLY_AVAILABLE_REPLICAS}, or omit high_availability."
    if autoscaling:
        fewest, most = fewest_replicas(item), autoscaling["max_replicas"]
        if fewest < 1:
            yield f"autoscaling.min_replicas is {fewest}, and without a pod all of its traffic is lost: use at least 1."
        if fewest > most:
            yield f"autoscaling.min_replicas is {fewest}, which is more than its max_replicas of {most}: correct one of them."
        if available and fewest < HIGHLY_AVAILABLE_REPLICAS:
            yield f"autoscaling.min_replicas is {fewest}, which is not highly available: use at least {HIGHLY_AVAILABLE_REPLICAS}."
        cpu = autoscaling.get("cpu_utilization")
        if cpu is not None and cpu < 1:
            yield f"autoscaling.cpu_utilization is {cpu}, which is not a percentage of the requested CPU: use at least 1."


def _budget_errors(item: Item) -> t.Iterator[str]:
    budget = item.get("disruption_budget") or {}
    if budget.get("min_available") is not None and budget.get("max_unavailable") is not None:
        yield "disruption_budget has both min_available and max_unavailable: set only one of them."
    for name, amount in budget.items():
        if amount is not None and not _AMOUNT.fullmatch(amount):
            yield f"disruption_budget.{name} is {amount!r}: use a number of pods, such as 1, or a percentage, such as 50%."


def _metadata_errors(item: Item) -> t.Iterator[str]:
    yield from find_label_errors("labels", item.get("labels"))
    yield from find_label_errors("node_selector", item.get("node_selector"))
    for key in item.get("annotations") or ():
        yield from find_key_errors("annotations", key)
    for option in ("annotations", "service_annotations"):
        yield from find_annotated_range_errors(option, item.get(option))
    for option in ("labels", "annotations"):
        values = item.get(option) or {}
        if len(values) > MAX_LABELS:
            yield f"{option} has {len(values)} entries, and a Gateway allows at most {MAX_LABELS}: set the others in overlays."
        for name in sorted(values):
            if name.startswith(_DROPPED_PREFIX) or name == MANAGED_GATEWAY:
                yield f"{option} has {name}, which istiod reserves and drops silently: remove it."


def _overlay_errors(item: Item) -> t.Iterator[str]:
    overlays = item.get("overlays") or {}
    yield from find_overlay_errors(overlays)
    for key in sorted(set(overlays) - set(OVERLAY_KINDS)):
        yield f"overlays.{key} is unknown, and istiod would then apply no overlay at all: use {', '.join(OVERLAY_KINDS)}."
    for key, overlay in sorted(overlays.items()):
        # A key without a value is one that is left out.
        if key not in OVERLAY_KINDS or overlay is None:
            continue
        if not isinstance(overlay, dict):
            yield f"overlays.{key} is not a dictionary: give the fields of a {OVERLAY_KINDS[key][1]}."
            continue
        yield from _fixed_field_errors(item, key, overlay)
    try:
        composed = compose_overlays({"replicas": None, **item})
    except OverlayError as error:
        yield f"overlays cannot be merged ({error}): correct them."
        return
    deployment = composed.get("deployment", {}).get("spec")
    if "horizontalPodAutoscaler" in composed and not item.get("autoscaling") and item.get("replicas") is not None:
        yield "replicas and overlays.horizontalPodAutoscaler both set the number of pods: keep one of them."
    elif (
        overlays.get("horizontalPodAutoscaler") is not None
        and isinstance(deployment, dict)
        and "replicas" in ((overlays.get("deployment") or {}).get("spec") or {})
    ):
        yield "overlays.deployment.spec.replicas and overlays.horizontalPodAutoscaler both set the number of pods: keep one of them."


def _fixed_field_errors(item: Item, key: str, overlay: Item) -> t.Iterator[str]:
    """Fields with which istiod renders nothing ("illegal metadata change"), or cannot write what it rendered."""
    place = f"overlays.{key}"
    api_version, kind = OVERLAY_KINDS[key]
    for name, right in (("apiVersion", api_version), ("kind", kind)):
        if overlay.get(name, right) != right:
            yield f"{place}.{name} is {overlay[name]!r}, but the overlay is for a {kind} of {api_version}: remove it."
    metadata = overlay.get("metadata")
    own = {"name": item["name"], "namespace": item["namespace"]}
    for name, value in sorted(metadata.items()) if isinstance(metadata, dict) else ():
        if name in ("labels", "annotations"):
            continue
        if name not in own or value != own[name]:
            yield f"{place}.metadata.{name} cannot be changed, and istiod would then apply no overlay at all: remove it."
    labels = metadata.get("labels") if isinstance(metadata, dict) else None
    for name in sorted(labels) if isinstance(labels, dict) else ():
        if name in (GATEWAY_NAME, MANAGED_GATEWAY):
            yield f"{place}.metadata.labels.{name} identifies the waypoint's objects and cannot be changed: remove it."
    spec = overlay.get("spec")
    fixed = {"deployment": "selector", "horizontalPodAutoscaler": "scaleTargetRef", "podDisruptionBudget": "selector"}.get(key)
    if fixed and isinstance(spec, dict) and fixed in spec:
        yield f"{place}.spec.{fixed} must select the waypoint's own objects: remove it."


__all__ = ("find_validation_errors", "find_warnings")
