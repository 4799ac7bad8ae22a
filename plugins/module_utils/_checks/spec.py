# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""The options of the module check: which checks to make, and which findings are accepted."""

from __future__ import annotations

import datetime
import typing as t
from dataclasses import dataclass

from .._errors import MeshError
from .._kinds import Kind
from .._near_misses import nearest
from .check import Check
from .finding import EXPIRED, Finding, ObjectRef, Problem


@dataclass(frozen=True)
class Accepted:
    """A finding that the users of a mesh know of and have decided to accept.

    Attributes:
        index: its place in the option.
        code: the code of the check.
        object: the object; what is empty in it matches every object.
        reason: why it is accepted.
        until: the last day on which it is; None for ever.
    """

    index: int
    code: str
    object: ObjectRef
    reason: str
    until: datetime.date | None

    def matches(self, finding: Finding) -> bool:
        """Whether a finding is the one that is accepted."""
        found = finding.problem.object
        pairs = ((self.object.kind, found.kind), (self.object.namespace, found.namespace), (self.object.name, found.name))
        return finding.code == self.code and all(given in ("", is_) for given, is_ in pairs)


def parse_accepted(items: t.Sequence[t.Mapping[str, t.Any]], codes: t.Collection[str]) -> list[Accepted]:
    """The option accepted.

    Raises:
        MeshError: an item has a code that no check has, no reason, or no date where one is expected; all of them, one per line.
    """
    parsed, errors = [], []
    for index, item in enumerate(items):
        if item["code"] not in codes:
            near = nearest(item["code"], codes)
            hint = f"; did you mean {near}?" if near else ", see docs/findings."
            errors.append(f"accepted[{index}] has the code {item['code']}, which no check has{hint}")
        if not item["reason"].strip():
            errors.append(f"accepted[{index}] has an empty reason: say why {item['code']} is accepted.")
        until = None
        if item.get("until"):
            try:
                until = datetime.date.fromisoformat(item["until"])
            except ValueError:
                errors.append(f"accepted[{index}] has the date {item['until']} in until: write it as year-month-day, such as 2027-01-31.")
        place = ObjectRef(item.get("kind") or "", item.get("namespace") or "", item.get("name") or "")
        parsed.append(Accepted(index, item["code"], place, item["reason"], until))
    if errors:
        raise MeshError(errors)
    return parsed


def choose_checks(checks: t.Sequence[Check], phase: str, only: t.Collection[str], skip: t.Collection[str]) -> list[Check]:
    """The checks of a phase, or only those with the given codes; without those that are skipped.

    Raises:
        MeshError: a code is none, or nothing is left.
    """
    codes = {check.code for check in checks}
    unknown = sorted({*only, *skip} - codes)
    if unknown:
        raise MeshError(f"No check has the code {' or '.join(unknown)}: correct only or skip.")
    chosen = [check for check in checks if (check.code in only if only else phase in check.phases) and check.code not in skip]
    if not chosen:
        raise MeshError("The options only and skip leave no check: correct them.")
    return chosen


def kinds_of(checks: t.Iterable[Check]) -> list[Kind]:
    """The kinds that checks need, each once."""
    return list(dict.fromkeys(kind for check in checks for kind in check.needs))


def accept(findings: t.Sequence[Finding], accepted: t.Sequence[Accepted], today: datetime.date) -> tuple[list[Finding], list[tuple[Finding, Accepted]]]:
    """The findings that remain, and those that are accepted; an acceptance that has expired is a finding itself."""
    remaining: list[Finding] = []
    known: list[tuple[Finding, Accepted]] = []
    expired: set[int] = set()
    for finding in findings:
        match = next((one for one in accepted if one.matches(finding)), None)
        if match is not None and (match.until is None or match.until >= today):
            known.append((finding, match))
            continue
        remaining.append(finding)
        if match is not None:
            expired.add(match.index)
    for one in accepted:
        if one.index in expired:
            message = f"item {one.index} accepted {one.code} until {one.until} ({one.reason}), and that day has passed"
            remaining.append(
                Finding(EXPIRED, "warning", Problem(ObjectRef("Acceptance", "", one.code), message, "Mend the finding, or decide anew and set another date."))
            )
    return sorted(remaining, key=lambda finding: finding.key), known


__all__ = ("Accepted", "accept", "choose_checks", "kinds_of", "parse_accepted")
