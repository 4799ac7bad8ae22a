# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Evaluates an object of any kind: by a condition, by a value, or by the conventions that all controllers follow.

Source: kstatus' generic rules (sigs.k8s.io/cli-utils, pkg/kstatus/status/generic.go): deletion, observedGeneration, and the conditions
Reconciling, Stalled and Ready.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._kinds import BY_NAME
from .._text import format_scalar
from .json_paths import find
from .target import Expectation, Need, Rule, Snapshot, Target
from .verdict import Object, Verdict, condition, not_found, not_observed, observed_generation, terminating

_CHECK_CONTROLLER = "Check the log of its controller, and the object's events."


@dataclass(frozen=True)
class ConditionExpectation(Expectation):
    """A condition that an object must have.

    Attributes:
        type: its type.
        status: the status it must have.
        reason: the reason it must have; empty for any.
    """

    type: str
    status: str = "True"
    reason: str = ""


@dataclass(frozen=True)
class ValueExpectation(Expectation):
    """What must be found in an object.

    Attributes:
        json_path: where.
        value: what all that is found must be; None for anything but nothing.
    """

    json_path: str
    value: str | None = None


def judge_any_object(title: str, item: Object | None, expected: Expectation | None = None) -> Verdict:
    """Current when it exists, its status is for its generation, and it is as expected.

    Args:
        title: how messages name it.
        item: the object, or None.
        expected: a ConditionExpectation or a ValueExpectation; None for kstatus' generic rules.
    """
    if item is None:
        return not_found(title, "Create it, or correct its name, kind and namespace.")
    early = terminating(item) or not_observed(item)
    if early:
        return early
    if isinstance(expected, ConditionExpectation):
        return _judge_condition(item, expected)
    if isinstance(expected, ValueExpectation):
        return _judge_value(item, expected.json_path, expected.value)
    return _judge_generically(item)


def _judge_condition(item: Object, expected: ConditionExpectation) -> Verdict:
    found = condition(item, expected.type)
    if found is None:
        return Verdict("InProgress", "NoCondition", f"it has no condition {expected.type} yet", _CHECK_CONTROLLER)
    since = str(found.get("lastTransitionTime", ""))
    generation = item["metadata"].get("generation", 0)
    observed = observed_generation(found)
    if observed is not None and observed < generation:
        message = f"condition {expected.type} is for generation {observed}, but the current generation is {generation}"
        return Verdict("InProgress", "GenerationNotObserved", message, _CHECK_CONTROLLER, since)
    message = f"condition {expected.type} is {found.get('status')} ({found.get('reason', 'no reason')}): {found.get('message') or 'no message'}"
    text = message.rstrip(".")
    if found.get("status") != expected.status:
        return Verdict("InProgress", str(found.get("reason") or "OtherStatus"), f"{text}; expected {expected.status}", _CHECK_CONTROLLER, since)
    if expected.reason and found.get("reason") != expected.reason:
        return Verdict(
            "InProgress", str(found.get("reason") or "OtherReason"), f"{message.rstrip('.')}; expected reason {expected.reason}", _CHECK_CONTROLLER, since
        )
    return Verdict("Current", message=message, details={"condition": dict(found)})


def _judge_value(item: Object, json_path: str, value: str | None) -> Verdict:
    found = find(json_path, item)
    if value is None:
        if not found or any(one is None or one in ("", [], {}) for one in found):
            return Verdict("InProgress", "NoValue", f"{json_path} matches nothing", _CHECK_CONTROLLER)
    else:
        if not found:
            return Verdict("InProgress", "NoValue", f"{json_path} matches nothing, expected {value!r}", _CHECK_CONTROLLER)
        others = [format_scalar(one) for one in found if not _is(one, value)]
        if others:
            return Verdict("InProgress", "OtherValue", f"{json_path} is {', '.join(others)}, expected {value!r}", _CHECK_CONTROLLER)
    return Verdict("Current", message=f"{json_path} is {', '.join(map(format_scalar, found))}", details={"values": found})


def _judge_generically(item: Object) -> Verdict:
    for kind, status, reason in (("Stalled", "Failed", "Stalled"), ("Reconciling", "InProgress", "Reconciling")):
        found = condition(item, kind)
        if found and found.get("status") == "True":
            message = str(found.get("message") or f"condition {kind} is True")
            return Verdict(
                t.cast("t.Literal['Failed', 'InProgress']", status),
                str(found.get("reason") or reason),
                message,
                _CHECK_CONTROLLER,
                found.get("lastTransitionTime", ""),
            )
    ready = condition(item, "Ready")
    if ready is None:
        return Verdict("Current", message="it exists, and has no condition Ready")
    return _judge_condition(item, ConditionExpectation("Ready"))


def _is(found: t.Any, value: str) -> bool:
    # YAML's true reaches a text option as True.
    return format_scalar(found).lower() == value.lower() if isinstance(found, bool) else format_scalar(found) == value


def _needs(target: Target) -> t.Iterable[Need]:
    return ((kind, target.namespace if kind.namespaced else None) for kind in (target.api_kind,) if kind)


def _judge(target: Target, snapshot: Snapshot) -> Verdict:
    kind = target.api_kind or BY_NAME[target.kind]
    return judge_any_object(target.title, snapshot.get(kind, target.name, target.namespace if kind.namespaced else None), target.expectation)


ANY_OBJECT_RULE = Rule(_needs, ("name",), _judge)

__all__ = ("ANY_OBJECT_RULE", "ConditionExpectation", "ValueExpectation", "judge_any_object")
