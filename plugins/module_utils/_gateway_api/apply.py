# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Applies a bundle of the Gateway API, and waits until the API server serves it."""

from __future__ import annotations

import time
import typing as t

from .._errors import MeshError
from .._k8s.writes import Write
from .._kinds import BY_NAME, CUSTOM_RESOURCE_DEFINITION
from .._status.target import Target
from .._wait.report import format_failure
from .._wait.wait import wait_until_current

if t.TYPE_CHECKING:
    from .._k8s.session import ApiSession
    from .plan import BundlePlan


def plan_writes(plan: BundlePlan, *, force: bool) -> tuple[list[Write], list[Write]]:
    """The writes of the definitions, and those of the admission policy, which follow them."""
    definitions = [
        Write("apply", CUSTOM_RESOURCE_DEFINITION, change.name, body=change.definition, force=force, creates=change.action == "installed")
        for change in plan.changes
        if change.changed
    ]
    # Whoever may install the definitions may create the policy too, so the permission is asked for even if it exists.
    guards = [Write("apply", BY_NAME[item["kind"]], item["metadata"]["name"], body=dict(item), force=force, creates=True) for item in plan.guards]
    return definitions, guards


def wait_until_served(session: ApiSession, plan: BundlePlan, timeout: float) -> None:
    """Wait until all definitions of the bundle are established.

    Raises:
        MeshError: some are not in time; it says which and why.
    """
    targets = [Target("CustomResourceDefinition", change.name) for change in plan.changes]
    outcome = wait_until_current(session, targets, timeout=timeout, clock=time.monotonic)
    if not outcome.current:
        raise MeshError(format_failure(outcome, session.cluster))


__all__ = ("plan_writes", "wait_until_served")
