# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Where pods run, and how many: what the API server refuses of the fields of a pod, an autoscaler and a disruption budget.

Sources: Kubernetes' pkg/apis/core/validation (ValidateTolerations, validateTopologySpreadConstraints, validateAffinity, ValidateNodeSelectorRequirement),
pkg/apis/autoscaling/validation and pkg/apis/policy/validation. A field that is not known here may be one of a newer version, so it passes, unless it is
nearly a known one, which the API server would not know either.
"""

from __future__ import annotations

import typing as t

from .choices import find_choice_errors
from .fields import Fields, find_misspelled_fields, items_of, show_scalar
from .kubernetes import find_key_errors, find_label_errors, find_number_errors
from .quantities import find_resource_errors
from .services import find_annotated_range_errors, find_service_errors

EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_TOLERATION = ("key", "operator", "value", "effect", "tolerationSeconds")
# The last two are newer, and compare numbers.
_TOLERATION_OPERATORS = ("Exists", "Equal", "Lt", "Gt")
_SPREAD = (
    *("maxSkew", "topologyKey", "whenUnsatisfiable", "labelSelector", "matchLabelKeys", "minDomains"),
    *("nodeAffinityPolicy", "nodeTaintsPolicy"),
)
_UNSATISFIABLE = ("DoNotSchedule", "ScheduleAnyway")
_AFFINITIES = ("nodeAffinity", "podAffinity", "podAntiAffinity")
_REQUIRED, _PREFERRED = "requiredDuringSchedulingIgnoredDuringExecution", "preferredDuringSchedulingIgnoredDuringExecution"
# How many values a requirement of nodes has.
_NODE_OPERATORS = {"In": "some", "NotIn": "some", "Exists": "none", "DoesNotExist": "none", "Gt": "one", "Lt": "one"}
_METRICS = {"Resource": "resource", "Pods": "pods", "Object": "object", "External": "external", "ContainerResource": "containerResource"}
_SERVICE_TYPES = ("ClusterIP", "NodePort", "LoadBalancer", "ExternalName")
_MOST = 2**31 - 1


def find_overlay_errors(overlays: t.Any) -> t.Iterator[str]:
    """What is wrong with the overlays of a Gateway, which istiod merges into what it renders; what is of another structure is another error."""
    if not isinstance(overlays, dict):
        return
    place = "overlays.deployment.spec.template.spec"
    pod = _below(overlays, "deployment", "spec", "template", "spec")
    yield from find_toleration_errors(f"{place}.tolerations", pod.get("tolerations"))
    yield from find_affinity_errors(f"{place}.affinity", pod.get("affinity"))
    # What is missing may be in the constraint into which it is merged.
    yield from find_spread_errors(f"{place}.topologySpreadConstraints", pod.get("topologySpreadConstraints"), partial=True)
    yield from find_label_errors(f"{place}.nodeSelector", _below(pod, "nodeSelector"))
    for where, container in _items(f"{place}.containers", pod.get("containers")):
        yield from find_resource_errors(f"{where}.resources", container.get("resources"), partial=True)
    yield from _find_autoscaler_errors("overlays.horizontalPodAutoscaler.spec", _below(overlays, "horizontalPodAutoscaler", "spec"))
    budget = _below(overlays, "podDisruptionBudget", "spec")
    if budget.get("minAvailable") is not None and budget.get("maxUnavailable") is not None:
        yield "overlays.podDisruptionBudget.spec has both minAvailable and maxUnavailable: set only one of them."
    service = _below(overlays, "service", "spec")
    yield from find_choice_errors("overlays.service.spec.type", service.get("type"), _SERVICE_TYPES)
    yield from find_service_errors("overlays.service.spec", service)
    yield from find_annotated_range_errors("overlays.service.metadata.annotations", _below(overlays, "service", "metadata", "annotations"))


def find_toleration_errors(place: str, tolerations: t.Any) -> t.Iterator[str]:
    """What is wrong with tolerations."""
    for where, one in _items(place, tolerations):
        key, operator, effect = (one.get(name) or None for name in ("key", "operator", "effect"))
        yield from find_misspelled_fields(where, one, _TOLERATION)
        yield from find_choice_errors(f"{where}.operator", operator, _TOLERATION_OPERATORS)
        yield from find_choice_errors(f"{where}.effect", effect, EFFECTS)
        if key is not None:
            yield from find_key_errors(where, key)
        elif operator != "Exists":
            yield f"{where} has no key, which tolerates every taint only with the operator Exists: add the key, or set operator to Exists."
        if operator == "Exists" and one.get("value") not in (None, ""):
            yield f"{where} has the operator Exists and a value, of which the API takes only one: remove the value, or set operator to Equal."
        if one.get("tolerationSeconds") is not None and effect != "NoExecute":
            yield f"{where}.tolerationSeconds needs the effect NoExecute: set it, or remove tolerationSeconds."


def find_spread_errors(place: str, constraints: t.Any, *, partial: bool = False) -> t.Iterator[str]:
    """What is wrong with topology spread constraints; partial ones are merged into others."""
    kinds: set[tuple[str, str]] = set()
    for where, one in _items(place, constraints):
        yield from find_misspelled_fields(where, one, _SPREAD)
        skew, domains, action = one.get("maxSkew"), one.get("minDomains"), one.get("whenUnsatisfiable")
        if not _is_positive(skew) and not (partial and skew is None):
            yield f"{where}.maxSkew is {'missing' if skew is None else _shown(skew)}: use a number from 1 on."
        if not one.get("topologyKey"):
            yield f"{where} has no topologyKey: add the label of nodes by which pods are spread, such as topology.kubernetes.io/zone."
        yield from find_choice_errors(f"{where}.whenUnsatisfiable", action, _UNSATISFIABLE, required=not partial)
        if domains is not None and not _is_positive(domains):
            yield f"{where}.minDomains is {_shown(domains)}: use a number from 1 on."
        elif domains is not None and action != "DoNotSchedule" and not (partial and action is None):
            yield f"{where}.minDomains needs whenUnsatisfiable DoNotSchedule: set it, or remove minDomains."
        kind = (str(one.get("topologyKey")), str(action))
        if kind in kinds:
            yield f"{place} has {kind[0]} with {kind[1]} more than once: combine these constraints into one."
        kinds.add(kind)


def find_affinity_errors(place: str, affinity: t.Any) -> t.Iterator[str]:
    """What is wrong with an affinity."""
    if not isinstance(affinity, dict):
        return
    yield from find_misspelled_fields(place, affinity, _AFFINITIES)
    for kind in _AFFINITIES:
        where, one = f"{place}.{kind}", affinity.get(kind)
        if not isinstance(one, dict):
            continue
        yield from find_misspelled_fields(where, one, (_REQUIRED, _PREFERRED))
        for at, weighted in _items(f"{where}.{_PREFERRED}", one.get(_PREFERRED)):
            if not _is_positive(weighted.get("weight")) or weighted["weight"] > 100:
                yield f"{at}.weight is {'missing' if weighted.get('weight') is None else _shown(weighted['weight'])}: use 1 to 100."
            field = "preference" if kind == "nodeAffinity" else "podAffinityTerm"
            if not isinstance(weighted.get(field), dict):
                yield f"{at} has no {field}: add it."
            else:
                yield from _find_term_errors(f"{at}.{field}", weighted[field], kind)
        yield from _find_required_errors(f"{where}.{_REQUIRED}", one.get(_REQUIRED), kind)


def find_metric_errors(place: str, metrics: t.Any) -> t.Iterator[str]:
    """What is wrong with the metrics of a HorizontalPodAutoscaler."""
    for where, one in _items(place, metrics):
        kind = one.get("type")
        yield from find_choice_errors(f"{where}.type", kind, tuple(_METRICS), required=True)
        if isinstance(kind, str) and kind in _METRICS and not one.get(_METRICS[kind]):
            yield f"{where} is of type {kind}, but has no {_METRICS[kind]}: add it."


def _find_requirement_errors(place: str, requirement: Fields) -> t.Iterator[str]:
    """What is wrong with a requirement of nodes, as affinities have it."""
    operator, values = requirement.get("operator"), requirement.get("values")
    if requirement.get("key"):
        yield from find_key_errors(place, requirement["key"])
    else:
        yield f"{place} has no key: add the label of nodes that it is about."
    yield from find_choice_errors(f"{place}.operator", operator, tuple(_NODE_OPERATORS), required=True)
    if values is not None and not isinstance(values, list):
        yield f"{place}.values must be a list: begin each value with a dash."
        return
    count = len(values or ())
    expected = _NODE_OPERATORS.get(str(operator))
    if expected == "some" and not count:
        yield f"{place} has the operator {operator}, which needs values: add them."
    elif expected == "none" and count:
        yield f"{place} has the operator {operator}, which has no values: remove them."
    elif expected == "one" and count != 1:
        yield f"{place} has the operator {operator} with {count} values: it needs exactly one."


def _find_autoscaler_errors(place: str, autoscaler: Fields) -> t.Iterator[str]:
    yield from find_number_errors(f"{place}.", autoscaler, {"minReplicas": (1, _MOST), "maxReplicas": (1, _MOST)})
    fewest, most = autoscaler.get("minReplicas"), autoscaler.get("maxReplicas")
    if _is_positive(fewest) and _is_positive(most) and int(fewest or 0) > int(most or 0):
        yield f"{place}.minReplicas is {fewest}, which is more than its maxReplicas of {most}: correct one of them."
    yield from find_metric_errors(f"{place}.metrics", autoscaler.get("metrics"))


def _find_required_errors(place: str, required: t.Any, kind: str) -> t.Iterator[str]:
    """Terms that must hold: of nodes in a dictionary, of pods in a list."""
    if required is None:
        return
    if kind != "nodeAffinity":
        if not isinstance(required, list):
            yield f"{place} must be a list of terms: begin each with a dash."
        for at, term in _items(place, required):
            yield from _find_term_errors(at, term, kind)
        return
    terms = required.get("nodeSelectorTerms") if isinstance(required, dict) else None
    if not isinstance(terms, list) or not terms:
        yield f"{place} needs nodeSelectorTerms, a list with at least one term: add it."
    for at, term in _items(f"{place}.nodeSelectorTerms", terms):
        yield from _find_term_errors(at, term, kind)


def _find_term_errors(place: str, term: Fields, kind: str) -> t.Iterator[str]:
    if kind == "nodeAffinity":
        for at, requirement in _items(f"{place}.matchExpressions", term.get("matchExpressions")):
            yield from _find_requirement_errors(at, requirement)
    elif not term.get("topologyKey"):
        yield f"{place} has no topologyKey: add the label of nodes that says what is near, such as kubernetes.io/hostname."


def _below(fields: Fields, *names: str) -> Fields:
    """What is below some keys, if it is a dictionary."""
    found: t.Any = fields
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def _is_positive(number: t.Any) -> bool:
    return isinstance(number, int) and not isinstance(number, bool) and 1 <= number <= _MOST


def _shown(value: t.Any) -> str:
    return show_scalar(value, "not a number")


def _items(place: str, value: t.Any) -> t.Iterator[tuple[str, Fields]]:
    """The dictionaries of a list, each with its place, but for those that a strategic merge takes away."""
    return ((where, item) for where, item in items_of(place, value) if "$patch" not in item)


__all__ = (
    "EFFECTS",
    "find_affinity_errors",
    "find_metric_errors",
    "find_overlay_errors",
    "find_spread_errors",
    "find_toleration_errors",
)
