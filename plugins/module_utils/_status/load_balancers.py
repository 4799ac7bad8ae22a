# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.
"""What the AWS Load Balancer Controller reports on an Ingress or a Service by events: until there is an address, it reports nothing else.

Source: aws-load-balancer-controller pkg/k8s/events.go. Events are ordered by resource version, not by time.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field

from .._kinds import EVENT, Kind
from .target import Snapshot
from .verdict import Object, Verdict

# For each event that existed before a write, its resource version.
Known = t.Mapping[str, str]

_RECONCILED = "SuccessfullyReconciled"
_REFUSED = frozenset({"ConflictingIngressClass", "FailedAddFinalizer", "FailedBuildModel", "FailedDeployModel", "FailedLoadGroupID"})
# What the controller retries by itself, and is likely to succeed with.
_TRANSIENT = re.compile(
    r"throttl|rate exceeded|RequestLimitExceeded|TooManyRequests|timed? ?out|connection refused|connection reset|no such host|EOF"
    r"|ServiceUnavailable|InternalFailure|InternalError|the object has been modified|context canceled|StatusCode: 5\d\d",
    re.IGNORECASE,
)
_CORRECT = "Correct what the controller names, and run again."
_RETRIED = "The controller retries by itself: check its log if this persists."


@dataclass(frozen=True)
class ControllerExpectation:
    """What the controller must have reported on an object, and which of its events count.

    Attributes:
        known_events: the outdated events.
        reconciled: whether it must have reported that it reconciled the object; a refusal then counts only when it certainly is about what was written.
        written: the object's resource version after the write: events about older versions are outdated. 0 when it is not known.
        since: when the object was last changed: events last reported before are outdated. Empty when it is not known.
    """

    known_events: Known = field(default_factory=dict, hash=False)
    reconciled: bool = False
    written: int = 0
    since: str = ""


def versions_of(events: t.Iterable[Object]) -> dict[str, str]:
    """The resource versions of events, by which later ones are recognized."""
    return {event["metadata"]["uid"]: event["metadata"]["resourceVersion"] for event in events}


def about(events: t.Iterable[Object], kind: str, names: t.Collection[str]) -> list[Object]:
    """The controller's events about objects of a kind, oldest first."""
    found = [event for event in events if event["involvedObject"].get("kind") == kind and event["involvedObject"].get("name") in names]
    return sorted(found, key=_age)


def judge_controller(expected: ControllerExpectation | None, snapshot: Snapshot, kind: Kind, namespace: str, names: t.Collection[str]) -> Verdict | None:
    """What keeps the controller from reconciling objects of a kind in a namespace; None when nothing does, or when nothing is expected of it."""
    return judge_events(about(snapshot.all(EVENT, namespace), kind.name, names), expected) if expected else None


def judge_events(events: t.Sequence[Object], expected: ControllerExpectation) -> Verdict | None:
    """None when nothing keeps the controller from reconciling the object; else its own message.

    A repeated event keeps its uid and the version of the object that it was first about, and only counts up (client-go
    tools/record/events_cache.go). So when an event from before a write is repeated, it may be about either content: the controller may have read the
    object before the write.

    Args:
        events: the events about one object, oldest first.
        expected: what it must have reported, and which events count.
    """
    reports = [event for event in events if event.get("reason") in _REFUSED or event.get("reason") == _RECONCILED]
    later = [event for event in reports if not _is_outdated(event, expected)]
    last = later[-1] if later else None
    if last is None:
        message = "the load balancer controller has not reported that it is reconciled"
        return Verdict("InProgress", "NotReconciled", message, "Check that the AWS Load Balancer Controller is running.") if expected.reconciled else None
    if last.get("reason") == _RECONCILED:
        return None
    text = str(last.get("message", "")).strip()
    message = f"the load balancer controller reports: {text}"
    if _TRANSIENT.search(text):
        return Verdict("InProgress", str(last.get("reason")), message, _RETRIED, _reported_at(last))
    if expected.reconciled and last["metadata"]["uid"] in expected.known_events:
        return Verdict("InProgress", str(last.get("reason")), f"{message} (as it did before the change)", _RETRIED, _reported_at(last))
    return Verdict("Failed", str(last.get("reason")), message, _CORRECT, _reported_at(last), final=True)


def _is_outdated(event: Object, expected: ControllerExpectation) -> bool:
    """Whether an event is about a former state of the object."""
    known, written, since = expected.known_events, expected.written, expected.since
    uid = event["metadata"]["uid"]
    if uid in known:
        return bool(known[uid] == event["metadata"]["resourceVersion"])
    version = str(event["involvedObject"].get("resourceVersion") or "")
    if written and version.isdigit() and int(version) < written:
        return True
    # Both are in UTC and in the same format, to the second.
    return bool(since and _reported_at(event) and _reported_at(event) < since)


def _reported_at(event: Object) -> str:
    return str(event.get("lastTimestamp") or event.get("eventTime") or "")


def _age(event: Object) -> int:
    version = str(event["metadata"].get("resourceVersion") or "0")
    return int(version) if version.isdigit() else 0


__all__ = ("ControllerExpectation", "Known", "about", "judge_controller", "judge_events", "versions_of")
