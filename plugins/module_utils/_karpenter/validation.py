# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Validates node pools: what their definition refuses, and what Karpenter refuses later by leaving the pool without nodes.

Sources: karpenter.sh_nodepools.yaml and karpenter.k8s.aws_ec2nodeclasses.yaml of github.com/aws/karpenter-provider-aws v1.14.1 (pkg/apis/crds), and
pkg/apis/v1 of sigs.k8s.io/karpenter (labels.go, nodeclaim_validation.go).
"""

from __future__ import annotations

import re
import typing as t

from .._limits.choices import find_choice_errors
from .._limits.fields import Fields, find_misspelled_fields, items_of, show_scalar
from .._limits.kubernetes import find_count_errors, find_key_errors, find_label_value_errors
from .._limits.pods import EFFECTS
from .._limits.quantities import BYTES, find_quantity_errors
from .._near_misses import find_near_miss, nearest

EXPIRY = re.compile(r"(\d+[smh])+|Never")
_GRACE_PERIOD = re.compile(r"(\d+[smh])+")
_BUDGET_NODES = re.compile(r"(100|\d{1,2})%|\d+")
_BUDGET_DURATION = re.compile(r"(\d+[hm]|\d+h\d+m)(0s)?")
_SCHEDULE = re.compile(r"@(annually|yearly|monthly|weekly|daily|midnight|hourly)|\S+(\s+\S+){4}")
_MOST_BUDGETS, _MOST_REQUIREMENTS, _MOST_VALUES = 50, 100, 50
_DISRUPTION = ("consolidationPolicy", "consolidateAfter", "budgets")
_BUDGET = ("nodes", "schedule", "duration", "reasons")
_POLICIES = ("WhenEmpty", "WhenEmptyOrUnderutilized", "Balanced")
_REASONS = ("Underutilized", "Empty", "Drifted")
# How many values an operator has.
_OPERATORS = {"In": "some", "NotIn": "any", "Exists": "none", "DoesNotExist": "none", "Gt": "one", "Lt": "one", "Gte": "one", "Lte": "one"}
_RESOURCES = ("cpu", "memory", "ephemeral-storage", "pods", "nodes")
_CAPACITY, _ARCHITECTURE, _ZONE = "karpenter.sh/capacity-type", "kubernetes.io/arch", "topology.kubernetes.io/zone"
# Values of which each other one fits no machine of EC2.
_KNOWN_VALUES = {_CAPACITY: ("on-demand", "spot", "reserved"), _ARCHITECTURE: ("amd64", "arm64"), "kubernetes.io/os": ("linux", "windows")}
_RESTRICTED = ("karpenter.sh/nodepool", "kubernetes.io/hostname")
# Karpenter's own labels, of which only known ones may be set. A newer version may know more of the second domain.
_OWN_DOMAIN, _AWS_DOMAIN = "karpenter.sh", "karpenter.k8s.aws"
_AWS_LABELS = tuple(
    f"{_AWS_DOMAIN}/{name}"
    for name in (
        *("ec2nodeclass", "instance-tenancy", "capacity-reservation-type", "capacity-reservation-id", "capacity-reservation-interruptible"),
        *("instance-encryption-in-transit-supported", "instance-category", "instance-hypervisor", "instance-family", "instance-generation"),
        *("instance-local-nvme", "instance-size", "instance-cpu", "instance-cpu-manufacturer", "instance-cpu-sustained-clock-speed-mhz"),
        *("instance-memory", "instance-ebs-bandwidth", "instance-network-bandwidth", "instance-gpu-name", "instance-gpu-manufacturer"),
        *("instance-gpu-count", "instance-gpu-memory", "instance-accelerator-name", "instance-accelerator-manufacturer"),
        *("instance-accelerator-count", "instance-capability-flex", "placement-group-id", "placement-group-partition"),
    )
)
_TAGS = ("eks:eks-cluster-name", "karpenter.sh/nodepool", "karpenter.sh/nodeclaim", "karpenter.k8s.aws/ec2nodeclass")
_CLUSTER_TAG = "kubernetes.io/cluster"


def find_pool_errors(place: str, pool: Fields, region: str) -> t.Iterator[str]:
    """The validation errors of a pool that its definition or Karpenter would report, in its options and in what is written over them.

    Args:
        place: how messages name the pool.
        pool: the pool.
        region: where its nodes are; empty if that is not known.
    """
    yield from _find_requirement_errors(f"{place}.requirements", pool.get("requirements"), region)
    yield from _find_node_label_errors(f"{place}.labels", pool.get("labels"))
    yield from _find_taint_errors(place, {name: pool.get(name) for name in ("taints", "startup_taints")})
    yield from _find_limit_errors(f"{place}.limits", pool.get("limits"))
    yield from _find_disruption_errors(f"{place}.disruption", pool.get("disruption"))
    grace = pool.get("termination_grace_period")
    if grace and not _GRACE_PERIOD.fullmatch(grace):
        yield f"{place}.termination_grace_period is {grace!r}: use a duration such as 48h, or omit it for no limit."
    spec = pool.get("spec") or {}
    yield from _find_limit_errors(f"{place}.spec.limits", spec.get("limits"))
    yield from _find_disruption_errors(f"{place}.spec.disruption", spec.get("disruption"))
    template: t.Any = spec.get("template")
    below = template.get("spec") if isinstance(template, dict) else None
    if isinstance(below, dict):
        where = f"{place}.spec.template.spec"
        yield from _find_requirement_errors(f"{where}.requirements", below.get("requirements"), region)
        yield from _find_taint_errors(where, {name: below.get(name) for name in ("taints", "startupTaints")})


def find_class_tag_errors(place: str, tags: Fields | None) -> t.Iterator[str]:
    """Tags of an EC2NodeClass that Karpenter sets itself."""
    for key in sorted(map(str, tags or {})):
        if key in _TAGS or key.startswith(_CLUSTER_TAG):
            yield f"{place} has {key!r}, which Karpenter sets itself and refuses: remove it."


def _find_requirement_errors(place: str, requirements: t.Any, region: str) -> t.Iterator[str]:
    yield from find_count_errors(place, requirements if isinstance(requirements, list) else (), _MOST_REQUIREMENTS, "combine some", api="Karpenter")
    for where, one in items_of(place, requirements):
        key, operator, values = one.get("key"), one.get("operator"), one.get("values")
        if not key:
            yield f"{where} has no key: add the label that it is about, such as karpenter.k8s.aws/instance-family."
        else:
            yield from find_key_errors(where, key)
            yield from _find_restricted_errors(where, str(key))
        yield from find_choice_errors(f"{where}.operator", operator, tuple(_OPERATORS), required=True)
        if values is not None and not isinstance(values, list):
            yield f"{where}.values must be a list: begin each value with a dash."
            continue
        yield from _find_count_errors(where, str(operator), list(map(str, values or ())), one.get("minValues"))
        for index, value in enumerate(values or ()) if _OPERATORS.get(str(operator)) != "one" else ():
            yield from find_label_value_errors(f"{where}.values[{index}]", value)
        if operator in ("In", "NotIn"):
            yield from _find_value_errors(where, str(key), list(map(str, values or ())), region)


def _find_count_errors(place: str, operator: str, values: t.Sequence[str], least: t.Any) -> t.Iterator[str]:
    expected = _OPERATORS.get(operator)
    if expected == "some" and not values:
        yield f"{place} has the operator {operator}, which needs values: add them."
    elif expected == "none" and values:
        yield f"{place} has the operator {operator}, which ignores values: remove them, or set operator to {'In' if operator == 'Exists' else 'NotIn'}."
    elif expected == "one" and (len(values) != 1 or not re.fullmatch(r"[0-9]{1,18}", values[0])):
        yield f"{place} has the operator {operator}, which compares with one whole number: write exactly one, of 0 or more."
    if least is None:
        return
    if isinstance(least, bool) or not isinstance(least, int) or not 1 <= least <= _MOST_VALUES:
        yield f"{place}.minValues must be a number from 1 to {_MOST_VALUES}."
    elif operator == "In" and 0 < len(values) < least:
        yield f"{place}.minValues is {least}, but there {'is 1 value' if len(values) == 1 else f'are {len(values)} values'}: add some, or decrease it."


def _find_value_errors(place: str, key: str, values: t.Sequence[str], region: str) -> t.Iterator[str]:
    known = _KNOWN_VALUES.get(key, ())
    for value in values:
        if known and value not in known:
            meant = nearest(value, known)
            yield f"{place}.values has {value!r}: {f'did you mean {meant}? ' if meant else ''}{key} is {', '.join(known[:-1])} or {known[-1]}."
        elif key == _ZONE and region and not value.startswith(region):
            yield f"{place}.values names {value}, which is not in the region {region}."


def _find_restricted_errors(place: str, key: str) -> t.Iterator[str]:
    """Labels that Karpenter keeps for itself."""
    domain = key.rpartition("/")[0]
    meant = find_near_miss(key, _AWS_LABELS)
    if key in _RESTRICTED or (domain.endswith(_OWN_DOMAIN) and key != _CAPACITY):
        yield f"{place} has {key}, which Karpenter sets itself and refuses: use another label, or karpenter.sh/capacity-type."
    elif domain == _AWS_DOMAIN and meant:
        yield f"{place} has {key}, which Karpenter does not know, and refuses: did you mean {meant}?"


def _find_node_label_errors(place: str, labels: Fields | None) -> t.Iterator[str]:
    for key in sorted(map(str, labels or {})):
        yield from _find_restricted_errors(place, key)


def _find_taint_errors(place: str, lists: t.Mapping[str, t.Any]) -> t.Iterator[str]:
    """Taints of both kinds, which must differ in key or effect."""
    found: set[tuple[str, str]] = set()
    for name, taints in lists.items():
        for where, taint in items_of(f"{place}.{name}", taints):
            key, effect = taint.get("key"), taint.get("effect")
            yield from find_choice_errors(f"{where}.effect", effect, EFFECTS, required=True)
            if not key:
                yield f"{where} has no key: add it."
                continue
            yield from find_key_errors(where, key)
            if taint.get("value"):
                yield from find_label_value_errors(f"{where}.value", taint["value"])
            if (str(key), str(effect)) in found:
                yield f"{where} is {key} with {effect}, which another taint is as well: remove one of them."
            found.add((str(key), str(effect)))


def _find_limit_errors(place: str, limits: t.Any) -> t.Iterator[str]:
    for name, written in sorted(limits.items(), key=str) if isinstance(limits, dict) else ():
        meant = find_near_miss(str(name), _RESOURCES) if name not in _RESOURCES else None
        if meant:
            yield f"{place} has {str(name)!r}, of which no node has any: did you mean {meant}?"
        if written is not None:
            yield from find_quantity_errors(f"{place}.{name}", written, in_bytes=name in BYTES)


def _find_disruption_errors(place: str, disruption: t.Any) -> t.Iterator[str]:
    if not isinstance(disruption, dict):
        return
    yield from find_misspelled_fields(place, disruption, _DISRUPTION)
    yield from find_choice_errors(f"{place}.consolidationPolicy", disruption.get("consolidationPolicy"), _POLICIES)
    after = disruption.get("consolidateAfter")
    if after is not None and not EXPIRY.fullmatch(str(after)):
        yield f"{place}.consolidateAfter is {_shown(after)}: use a duration such as 30s or 1h30m, or Never."
    budgets = disruption.get("budgets")
    if budgets is not None and not isinstance(budgets, list):
        yield f"{place}.budgets must be a list: begin each budget with a dash."
    yield from find_count_errors(f"{place}.budgets", budgets if isinstance(budgets, list) else (), _MOST_BUDGETS, "combine some", api="Karpenter")
    for where, budget in items_of(f"{place}.budgets", budgets):
        yield from find_misspelled_fields(where, budget, _BUDGET)
        yield from _find_budget_errors(where, budget)


def _find_budget_errors(place: str, budget: Fields) -> t.Iterator[str]:
    nodes, schedule, duration, reasons = (budget.get(name) for name in _BUDGET)
    if nodes is not None and not _BUDGET_NODES.fullmatch(str(nodes)):
        yield f"{place}.nodes is {_shown(nodes)}: use a number such as 5, or a percentage such as 10%."
    if schedule is not None and not _SCHEDULE.fullmatch(str(schedule).strip()):
        yield f"{place}.schedule is {_shown(schedule)}: use the five fields of cron, such as 0 9 * * mon-fri, or @daily."
    if duration is not None and not _BUDGET_DURATION.fullmatch(str(duration)):
        yield f"{place}.duration is {_shown(duration)}: use hours and minutes, such as 8h or 1h30m."
    if (schedule is None) != (duration is None):
        yield f"{place} has only one of schedule and duration, which need each other: set both, or neither."
    if reasons is not None and not isinstance(reasons, list):
        yield f"{place}.reasons must be a list: begin each with a dash."
    for index, reason in enumerate(reasons if isinstance(reasons, list) else ()):
        yield from find_choice_errors(f"{place}.reasons[{index}]", reason, _REASONS)


def _shown(value: t.Any) -> str:
    return show_scalar(value, "not a text")


__all__ = ("EXPIRY", "find_class_tag_errors", "find_pool_errors")
