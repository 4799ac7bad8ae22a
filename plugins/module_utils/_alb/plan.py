# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""What must be true of Application Load Balancers after a plan."""

from __future__ import annotations

import typing as t

from .._ingress.compare import applied_at
from .._ingress.plan import Change, Place
from .._status.addresses import IngressExpectation
from .._status.load_balancers import ControllerExpectation
from .._status.target import Target


def changes_load_balancer(change: Change) -> bool:
    """Whether an existing load balancer is changed with this Ingress."""
    return change.is_main and change.action == "changed"


def ready_target(change: Change, known_events: t.Mapping[str, str], written: t.Mapping[Place, int], *, reconciled: bool = False) -> Target:
    """What to wait for.

    Args:
        change: a change of an Ingress that should be present.
        known_events: the events before the writes.
        written: the resource versions that Ingresses got by the writes.
        reconciled: whether the load balancer controller must have acknowledged the change.
    """
    kind, namespace, name = change.desired.key
    controller = ControllerExpectation(
        # If nothing was written, everything that the controller has said since counts.
        known_events if change.changed else {},
        reconciled=reconciled and changes_load_balancer(change),
        written=written.get((namespace, name), 0),
        since=applied_at(change.current) if change.current and not change.changed else "",
    )
    return Target(kind, name, namespace, IngressExpectation(controller))


__all__ = ("changes_load_balancer", "ready_target")
