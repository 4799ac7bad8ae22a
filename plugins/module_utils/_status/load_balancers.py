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


def versions_of(events: t.Iterable[Object]) -> dict[str, str]:
    """What is known of events, to tell later ones from them."""
    return {event["metadata"]["uid"]: event["metadata"]["resourceVersion"] for event in events}


def about(events: t.Iterable[Object], kind: str, names: t.Collection[str]) -> list[Object]:
    """The controller's events about objects of a kind, oldest first."""
    found = [event for event in events if event["involvedObject"].get("kind") == kind and event["involvedObject"].get("name") in names]
    return sorted(found, key=_age)


def judge_events(events: t.Sequence[Object], known: Known, *, reconciled: bool) -> Verdict | None:
    """None when the controller has nothing against it; else what it says, in its own words.

    Args:
        events: the events about one object, oldest first.
        known: the events that speak of former times.
        reconciled: whether the controller must have said that it made the object true.
    """
    later = [event for event in events if known.get(event["metadata"]["uid"]) != event["metadata"]["resourceVersion"]]
    spoken = [event for event in later if event.get("reason") in _REFUSED or event.get("reason") == RECONCILED]
    last = spoken[-1] if spoken else None
    if last is None:
        words = "the load balancer controller has not said that it made it true"
        return Verdict("InProgress", "NotReconciled", words, "See that the AWS Load Balancer Controller runs.") if reconciled else None
    if last.get("reason") == RECONCILED:
        return None
    said = str(last.get("message", "")).strip()
    since = str(last.get("lastTimestamp") or last.get("eventTime") or "")
    message = f"the load balancer controller says: {said}"
    if _PASSING.search(said):
        return Verdict("InProgress", str(last.get("reason")), message, _RETRIED, since)
    return Verdict("Failed", str(last.get("reason")), message, _CORRECT, since, final=True)


def _age(event: Object) -> int:
    version = str(event["metadata"].get("resourceVersion") or "0")
    return int(version) if version.isdigit() else 0


__all__ = ("RECONCILED", "Known", "about", "judge_events", "versions_of")
