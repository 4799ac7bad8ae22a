# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.

"""Is an object of any kind what it claims to be: by one condition, by a value in it, or by what all controllers agree on?

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

_ITS_CONTROLLER = "Its controller decides: look into that one's log and at the object's events."


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
    """Current when it is there, its status is of this generation, and it is as expected.

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


def _judge_condition(item: Object, wanted: ConditionExpectation) -> Verdict:
    seen = condition(item, wanted.type)
    if seen is None:
        return Verdict("InProgress", "NoCondition", f"it has no condition {wanted.type} yet", _ITS_CONTROLLER)
    since = str(seen.get("lastTransitionTime", ""))
    generation = item["metadata"].get("generation", 0)
    observed = observed_generation(seen)
    if observed is not None and observed < generation:
        message = f"condition {wanted.type} speaks of generation {observed}, but generation {generation} is wanted"
        return Verdict("InProgress", "GenerationNotObserved", message, _ITS_CONTROLLER, since)
    told = f"condition {wanted.type} is {seen.get('status')} ({seen.get('reason', 'no reason')}): {seen.get('message') or 'no message'}"
    if seen.get("status") != wanted.status:
        return Verdict("InProgress", str(seen.get("reason") or "OtherStatus"), f"{told.rstrip('.')}; {wanted.status} is wanted", _ITS_CONTROLLER, since)
    if wanted.reason and seen.get("reason") != wanted.reason:
        return Verdict("InProgress", str(seen.get("reason") or "OtherReason"), f"{told.rstrip('.')}; reason {wanted.reason} is wanted", _ITS_CONTROLLER, since)
    return Verdict("Current", message=told, details={"condition": dict(seen)})


def _judge_value(item: Object, json_path: str, value: str | None) -> Verdict:
    found = find(json_path, item)
    if value is None:
        if not found or any(one is None or one in ("", [], {}) for one in found):
            return Verdict("InProgress", "NoValue", f"{json_path} finds nothing in it", _ITS_CONTROLLER)
    else:
        if not found:
            return Verdict("InProgress", "NoValue", f"{json_path} finds nothing in it, and {value!r} is wanted", _ITS_CONTROLLER)
        others = [format_scalar(one) for one in found if not _is(one, value)]
        if others:
            return Verdict("InProgress", "OtherValue", f"{json_path} is {', '.join(others)}, and {value!r} is wanted", _ITS_CONTROLLER)
    return Verdict("Current", message=f"{json_path} is {', '.join(map(format_scalar, found))}", details={"values": found})


def _judge_generically(item: Object) -> Verdict:
    for kind, status, reason in (("Stalled", "Failed", "Stalled"), ("Reconciling", "InProgress", "Reconciling")):
        seen = condition(item, kind)
        if seen and seen.get("status") == "True":
            told = str(seen.get("message") or f"condition {kind} is True")
            return Verdict(
                t.cast("t.Literal['Failed', 'InProgress']", status),
                str(seen.get("reason") or reason),
                told,
                _ITS_CONTROLLER,
                seen.get("lastTransitionTime", ""),
            )
    ready = condition(item, "Ready")
    if ready is None:
        return Verdict("Current", message="it is there, and has no condition Ready that would say more")
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
