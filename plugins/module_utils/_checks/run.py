# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Asks the checks of a catalogue, and says each cause once."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from .check import Check
from .cluster import Cluster
from .finding import Finding, ObjectRef, Problem


@dataclass(frozen=True)
class Unchecked:
    """A check that could not be made, and why."""

    code: str
    title: str
    reason: str


def run_checks(checks: t.Sequence[Check], cluster: Cluster) -> tuple[list[Finding], list[Unchecked]]:
    """The findings, the most serious first, and what could not be checked.

    Args:
        checks: what to ask.
        cluster: what has been read, and what could not be read.
    """
    findings: list[Finding] = []
    unchecked: list[Unchecked] = []
    for check in checks:
        missing = [f"{kind.plural}: {cluster.unread[kind]}" for kind in check.needs if kind in cluster.unread]
        if missing:
            unchecked.append(Unchecked(check.code, check.title, "; ".join(missing)))
            continue
        try:
            problems = list(check.find(cluster))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            # The API server does not validate every field of every kind, and one odd object must not hide what is wrong with the others.
            unchecked.append(Unchecked(check.code, check.title, f"an object has an unexpected form ({type(error).__name__}: {error})"))
            continue
        findings += [Finding(check.code, problem.severity or check.severity, problem) for problem in problems]
    return sorted(merge_symptoms(findings), key=lambda finding: finding.key), unchecked


def merge_symptoms(findings: t.Sequence[Finding]) -> list[Finding]:
    """The findings without those whose cause is the object of another one, which names their objects as related instead."""
    causes: dict[ObjectRef, int] = {}
    for place, finding in enumerate(findings):
        if finding.severity != "info":
            causes.setdefault(finding.problem.object, place)
    lead = {place: found for place, finding in enumerate(findings) if (found := _lead_of(finding, causes, place)) is not None}
    affected: dict[int, list[ObjectRef]] = {}
    merged: set[int] = set()
    for place in lead:
        root, seen = place, set()
        while root in lead and root not in seen:
            seen.add(root)
            root = lead[root]
        # Those that blame each other in a circle all stay.
        if root not in seen:
            merged.add(place)
            problem = findings[place].problem
            affected.setdefault(root, []).extend([problem.object, *problem.related])
    return [replace(finding, problem=_with_related(finding.problem, affected.get(place, ()))) for place, finding in enumerate(findings) if place not in merged]


def _lead_of(finding: Finding, causes: t.Mapping[ObjectRef, int], place: int) -> int | None:
    cause = finding.problem.cause
    found = causes.get(cause) if cause is not None else None
    return found if found not in (None, place) else None


def _with_related(problem: Problem, more: t.Sequence[ObjectRef]) -> Problem:
    related = dict.fromkeys((*problem.related, *more))
    return replace(problem, related=tuple(ref for ref in related if ref != problem.object))


__all__ = ("Unchecked", "merge_symptoms", "run_checks")
