# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Waits for load balancers that may have been changed: their controller is listened to first, because their addresses prove nothing."""

from __future__ import annotations

import typing as t

from .report import wait_and_report

if t.TYPE_CHECKING:
    from .._k8s.session import ApiSession
    from .._status.target import Target

# How long the load balancer controller has to acknowledge a change. It says nothing of changes that do not concern it, and of a load balancer
# that AWS still provisions (pkg/deploy/elbv2/load_balancer_synthesizer.go, PostSynthesize).
SECONDS_TO_ANSWER = 5.0


def wait_for_load_balancers(
    session: ApiSession, targets: t.Sequence[Target], acknowledged: t.Sequence[Target], *, timeout: float, progress: str | None
) -> dict[str, t.Any]:
    """Wait until all targets are Current, and return what a module returns of it.

    Args:
        session: where to read.
        targets: what to wait for.
        acknowledged: the same targets, with the expectation that the controller has acknowledged changes; empty if no load balancer was changed.
        timeout: seconds.
        progress: a file or named pipe for the lines of progress.
    """
    elapsed = 0.0
    if acknowledged:
        patience = min(timeout, SECONDS_TO_ANSWER)
        result = wait_and_report(session, acknowledged, timeout=patience, progress=progress)
        elapsed = result["elapsed"]
        if not result.get("failed") or elapsed < patience:
            return result
    result = wait_and_report(session, targets, timeout=max(timeout - elapsed, 0.0), progress=progress)
    return {**result, "elapsed": round(result["elapsed"] + elapsed, 3)}


__all__ = ("SECONDS_TO_ANSWER", "wait_for_load_balancers")
