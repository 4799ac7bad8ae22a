# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.
"""What the AWS Load Balancer Controller says of an Ingress or a Service by its events: the only word that it gives before there is an address.

Source: aws-load-balancer-controller pkg/k8s/events.go. Which event came last is told by its resource version, not by clocks.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field

from .._kinds import EVENT, Kind
from .target import Snapshot
from .verdict import Object, Verdict

# For each event that was there before a write, its resource version.
Known = t.Mapping[str, str]

RECONCILED = "SuccessfullyReconciled"
_REFUSED = frozenset({"ConflictingIngressClass", "FailedAddFinalizer", "FailedBuildModel", "FailedDeployModel", "FailedLoadGroupID"})
# What the controller tries again by itself, and is likely to succeed with.
_PASSING = re.compile(
    r"throttl|rate exceeded|RequestLimitExceeded|TooManyRequests|timed? ?out|connection refused|connection reset|no such host|EOF"
    r"|ServiceUnavailable|InternalFailure|InternalError|the object has been modified|context canceled|StatusCode: 5\d\d",
    re.IGNORECASE,
)
_CORRECT = "Correct what the controller names, and run again."
_RETRIED = "The controller tries again by itself: see its log, if it goes on."


@dataclass(frozen=True)
class ControllerExpectation:
    """What the controller must have said of an object, and which of its events count.

    Attributes:
        known_events: the events that speak of former times.
        reconciled: whether it must have said that it made the object true; a refusal then counts only when it surely means what was written.
        written: the object's resource version as it was written: events about older ones speak of former times. 0 when it is not known.
        since: since when the object is as it is: events that were last said before speak of former times. Empty when it is not known.
    """

    known_events: Known = field(default_factory=dict, hash=False)
    reconciled: bool = False
    written: int = 0
    since: str = ""


def versions_of(events: t.Iterable[Object]) -> dict[str, str]:
    """What is known of events, to tell later ones from them."""
    return {event["metadata"]["uid"]: event["metadata"]["resourceVersion"] for event in events}


def about(events: t.Iterable[Object], kind: str, names: t.Collection[str]) -> list[Object]:
    """The controller's events about objects of a kind, oldest first."""
    found = [event for event in events if event["involvedObject"].get("kind") == kind and event["involvedObject"].get("name") in names]
    return sorted(found, key=_age)


def judge_controller(expected: ControllerExpectation | None, snapshot: Snapshot, kind: Kind, namespace: str, names: t.Collection[str]) -> Verdict | None:
    """What the controller has against objects of a kind in a namespace; None when nothing, or when nothing is expected of it."""
    return judge_events(about(snapshot.all(EVENT, namespace), kind.name, names), expected) if expected else None


def judge_events(events: t.Sequence[Object], expected: ControllerExpectation) -> Verdict | None:
    """None when the controller has nothing against it; else what it says, in its own words.

    An event that is said again keeps its uid and the version of the object that it was first said of, and only counts up (client-go
    tools/record/events_cache.go). So of one that was there before a write, and is said again, it is not known which of the two contents it means: the
    controller may have begun to look before the write.

    Args:
        events: the events about one object, oldest first.
        expected: what it must have said, and which events count.
    """
    spoken = [event for event in events if event.get("reason") in _REFUSED or event.get("reason") == RECONCILED]
    later = [event for event in spoken if not _former(event, expected)]
    last = later[-1] if later else None
    if last is None:
        words = "the load balancer controller has not said that it made it true"
        return Verdict("InProgress", "NotReconciled", words, "See that the AWS Load Balancer Controller runs.") if expected.reconciled else None
    if last.get("reason") == RECONCILED:
        return None
    said = str(last.get("message", "")).strip()
    message = f"the load balancer controller says: {said}"
    if _PASSING.search(said):
        return Verdict("InProgress", str(last.get("reason")), message, _RETRIED, _said_at(last))
    if expected.reconciled and last["metadata"]["uid"] in expected.known_events:
        return Verdict("InProgress", str(last.get("reason")), f"{message} (which it said before the change, too)", _RETRIED, _said_at(last))
    return Verdict("Failed", str(last.get("reason")), message, _CORRECT, _said_at(last), final=True)


def _former(event: Object, expected: ControllerExpectation) -> bool:
    """Whether an event speaks of former times."""
    known, written, since = expected.known_events, expected.written, expected.since
    uid = event["metadata"]["uid"]
    if uid in known:
        return bool(known[uid] == event["metadata"]["resourceVersion"])
    version = str(event["involvedObject"].get("resourceVersion") or "")
    if written and version.isdigit() and int(version) < written:
        return True
    # Both are in UTC and of the same form, to the second.
    return bool(since and _said_at(event) and _said_at(event) < since)


def _said_at(event: Object) -> str:
    return str(event.get("lastTimestamp") or event.get("eventTime") or "")


def _age(event: Object) -> int:
    version = str(event["metadata"].get("resourceVersion") or "0")
    return int(version) if version.isdigit() else 0


__all__ = ("RECONCILED", "ControllerExpectation", "Known", "about", "judge_controller", "judge_events", "versions_of")
