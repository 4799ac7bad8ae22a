# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Is a waypoint ready: a Gateway of its class that serves traffic, with the objects that its parameters require?"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._kinds import GATEWAY
from .._mesh.labels import WAYPOINT_CLASS
from .gateways import gateway_needs, judge_parameters, judge_with_owned
from .target import Expectation, Need, Rule, Snapshot, Target
from .verdict import Verdict
from .waypoint_parameters import Overlays


@dataclass(frozen=True)
class WaypointExpectation(Expectation):
    """What else must be true of a waypoint.

    Attributes:
        overlays: what its parameters must have changed; empty when nothing of former parameters may be left, None when they do not matter.
    """

    overlays: Overlays | None = field(default=None, hash=False)


def _needs(target: Target) -> t.Iterable[Need]:
    return gateway_needs(target.namespace, parameters=target.expected(WaypointExpectation).overlays is not None)


def _judge(target: Target, snapshot: Snapshot) -> Verdict:
    gateway = snapshot.get(GATEWAY, target.name, target.namespace)
    gateway_class = gateway["spec"].get("gatewayClassName") if gateway else None
    if gateway_class not in (None, WAYPOINT_CLASS):
        message = f"Gateway {target.namespace}/{target.name} is of class {gateway_class}, not a waypoint"
        return Verdict("Failed", "NotAWaypoint", message, "Name a Gateway of class istio-waypoint.", final=True)
    verdict = judge_with_owned(target, gateway, snapshot)
    if not verdict.current:
        return verdict
    return judge_parameters(target.expected(WaypointExpectation).overlays, target, gateway, snapshot) or verdict


WAYPOINT_RULE = Rule(_needs, ("name", "namespace"), _judge)

__all__ = ("WAYPOINT_RULE", "WaypointExpectation")
