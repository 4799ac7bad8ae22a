# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.

"""How a wait's outcome is told: as a module's result, and as the message of its failure."""

from __future__ import annotations

import typing as t

from ._wait import Outcome


def result_of(outcome: Outcome) -> dict[str, t.Any]:
    """The verdicts as a module returns them."""
    targets = [
        {
            "kind": target.kind,
            "name": target.name,
            "namespace": target.namespace,
            "status": verdict.status,
            "reason": verdict.reason,
            "message": verdict.message,
            "remedy": verdict.remedy,
            "since": verdict.since,
            "details": dict(verdict.details or {}),
        }
        for target, verdict in outcome.verdicts
    ]
    return {"targets": targets, "elapsed": round(outcome.elapsed, 3)}


def failure_message(outcome: Outcome, cluster: str) -> str:
    """One line for each target that is not ready: what, why, since when, and what to do."""
    laggards = outcome.laggards
    lines = [f"{len(laggards)} of {len(outcome.verdicts)} targets are not ready on cluster {cluster} after {outcome.elapsed:.0f} s."]
    for target, verdict in laggards:
        since = f", since {verdict.since}" if verdict.since else ""
        ended = " It will not become ready by waiting." if verdict.final else ""
        message = verdict.message.rstrip(". ")
        lines.append(f"- {target}: {verdict.status} ({verdict.reason}{since}): {message}. {verdict.remedy}{ended}".rstrip())
    return "\n".join(lines)


__all__ = ("failure_message", "result_of")
