# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""What the checks find: an object, what is wrong with it, and what to do."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._mesh.labels import Object
from .._text import quoted

Severity = t.Literal["error", "warning", "info"]
# From the one that must be acted on at once to the one that is only good to know.
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")

# The code of a finding that no check makes: an acceptance that has expired.
EXPIRED = "MW9001"


@dataclass(frozen=True, order=True)
class ObjectRef:
    """One object of a cluster; with an empty name, all of its kind or the cluster itself."""

    kind: str
    namespace: str = ""
    name: str = ""

    def __str__(self) -> str:
        place = "/".join(part for part in (self.namespace, self.name) if part)
        return f"{self.kind} {place}" if place else self.kind

    def as_result(self) -> dict[str, str]:
        """The object as modules return it."""
        return {"kind": quoted(self.kind), "namespace": quoted(self.namespace), "name": quoted(self.name)}


def ref_of(item: Object) -> ObjectRef:
    """Which object this is."""
    return ObjectRef(str(item["kind"]), item["metadata"].get("namespace") or "", item["metadata"]["name"])


@dataclass(frozen=True)
class Problem:
    """One fault that a check has found.

    Attributes:
        object: what must be changed, or looked at first.
        message: what is wrong with it and what follows from that, as a sentence without its object.
        remedy: what to do, as a sentence.
        related: the other objects that the fault affects.
        cause: the object whose own fault may explain this one: if another check finds one there, that finding alone is shown, with this object as related.
        severity: how serious this one is; None for the severity of the check.
    """

    object: ObjectRef
    message: str
    remedy: str
    related: tuple[ObjectRef, ...] = ()
    cause: ObjectRef | None = None
    severity: Severity | None = None


@dataclass(frozen=True)
class Finding:
    """A problem with the code and the severity of the check that found it."""

    code: str
    severity: Severity
    problem: Problem

    @property
    def key(self) -> tuple[int, str, ObjectRef, str]:
        """By what findings are sorted: the most serious first."""
        return SEVERITIES.index(self.severity), self.code, self.problem.object, self.problem.message


__all__ = ("EXPIRED", "SEVERITIES", "Finding", "ObjectRef", "Problem", "Severity", "ref_of")
