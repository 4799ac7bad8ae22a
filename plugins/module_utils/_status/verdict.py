# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""A verdict on one object, in the terms of kstatus (sigs.k8s.io/cli-utils, pkg/kstatus/status)."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._mesh.namespaces import what_holds
from .._text import message_line

Object = t.Mapping[str, t.Any]
Status = t.Literal["Current", "InProgress", "Failed", "NotFound", "Terminating", "Unknown"]


@dataclass(frozen=True)
class Verdict:
    """The state of an object, and what to do about it.

    Attributes:
        status: V(Current) when it is what it claims to be.
        reason: a stable word that says why.
        message: what was found, with numbers and names.
        remedy: what a person should do or check.
        since: since when, as RFC 3339 time, if an object records it; else empty.
        final: with V(Failed), that waiting cannot help.
        details: more about it, for the module's result.
        warning: what is as it is declared, and is probably not meant.
    """

    status: Status
    reason: str = ""
    message: str = ""
    remedy: str = ""
    since: str = ""
    final: bool = False
    details: t.Mapping[str, t.Any] | None = None
    warning: str = ""

    def __post_init__(self) -> None:
        # Each may quote a name or a value that others have chosen, and is a part of one line.
        for field in ("reason", "message", "remedy", "warning"):
            object.__setattr__(self, field, message_line(getattr(self, field)))

    @property
    def current(self) -> bool:
        return self.status == "Current"


def not_found(title: str, remedy: str) -> Verdict:
    """There is no such object."""
    return Verdict("NotFound", "NotFound", f"{title} does not exist", remedy)


def terminating(item: Object | None) -> Verdict | None:
    """A verdict on an object that is being deleted; None for any other."""
    deleted = item["metadata"].get("deletionTimestamp") if item else None
    if not deleted:
        return None
    held = item["metadata"].get("finalizers") if item else None
    by = f", blocked by the finalizers {', '.join(held)}" if held else ""
    if item and item.get("kind") == "Namespace":
        by = f" ({what_holds(item)})"
    return Verdict("Terminating", "Terminating", f"it is being deleted{by}", "Wait until it is deleted, then create it again.", str(deleted))


def absent(title: str, item: Object | None, remedy: str) -> Verdict:
    """A verdict on an object that does not exist, or is being deleted."""
    return terminating(item) or not_found(title, remedy)


def not_observed(item: Object) -> Verdict | None:
    """A verdict on an object whose status is for an older generation; None when the status is up to date."""
    generation = item["metadata"].get("generation", 0)
    status = item.get("status")
    observed = observed_generation(status if isinstance(status, dict) else {})
    if observed is not None and observed < generation:
        message = f"its status is for generation {observed}, but the current generation is {generation}"
        return Verdict("InProgress", "GenerationNotObserved", message, "Its controller has not processed the change yet: check that it is running.")
    return None


def observed_generation(status: t.Mapping[str, t.Any]) -> int | None:
    """The generation that a status or a condition is for; None if it names none.

    Istio's own kinds write it as text, because theirs is protobuf's JSON form of a 64-bit number.
    """
    try:
        return int(status["observedGeneration"])
    except (KeyError, TypeError, ValueError):
        return None


def condition(item: Object, kind: str) -> t.Mapping[str, t.Any] | None:
    """One condition of the object's status, or None."""
    # The status of a custom resource may be of any form.
    status = item.get("status")
    conditions = status.get("conditions") if isinstance(status, dict) else None
    for found in conditions if isinstance(conditions, list) else ():
        if isinstance(found, dict) and found.get("type") == kind:
            return t.cast("t.Mapping[str, t.Any]", found)
    return None


def format_change(title: object, verdict: Verdict) -> str:
    """A verdict in a line of progress: C(waypoint shop/waypoint is InProgress (LessAvailable): 0 of 1 pods are available)."""
    if verdict.current:
        return f"{title} is Current"
    return f"{title} is {verdict.status} ({verdict.reason}): {verdict.message}"


def format_laggard(title: object, verdict: Verdict) -> str:
    """A verdict in a failure: what, why, since when, and what to do."""
    since = f", since {verdict.since}" if verdict.since else ""
    ended = " It will not become ready by waiting." if verdict.final else ""
    message = verdict.message.rstrip(". ")
    return f"- {title}: {verdict.status} ({verdict.reason}{since}): {message}. {verdict.remedy}{ended}".rstrip()


__all__ = (
    "Object",
    "Status",
    "Verdict",
    "absent",
    "condition",
    "format_change",
    "format_laggard",
    "not_found",
    "not_observed",
    "observed_generation",
    "terminating",
)
