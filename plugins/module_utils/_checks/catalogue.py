# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""All checks, by the page of the documentation that describes them."""

from __future__ import annotations

import typing as t

from . import capture, control_plane, labels, network_policies, node_agents, peer_authentications, policies, policy_targets, webhooks
from .check import Check
from .finding import EXPIRED

SUBJECTS: t.Mapping[str, tuple[Check, ...]] = {
    "control-plane": control_plane.CHECKS,
    "webhooks": webhooks.CHECKS,
    "node-agents": node_agents.CHECKS,
    "capture": capture.CHECKS,
    "labels": labels.CHECKS,
    "policies": (*policies.CHECKS, *policy_targets.CHECKS),
    "peer-authentications": peer_authentications.CHECKS,
    "network-policies": network_policies.CHECKS,
}
CHECKS: tuple[Check, ...] = tuple(check for checks in SUBJECTS.values() for check in checks)
# The page of each code; those that belong to no check are on the page about reports.
PAGES: t.Mapping[str, str] = {
    **{check.code: page for page, checks in SUBJECTS.items() for check in checks},
    EXPIRED: "accepted",
}

__all__ = ("CHECKS", "PAGES", "SUBJECTS")
