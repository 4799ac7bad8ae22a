# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""The kinds of targets: for each, the objects to read, the options that it needs, and the function that evaluates it."""

from __future__ import annotations

import typing as t

from .._kinds import (
    AUTHORIZATION_POLICY,
    DEPLOYMENT,
    GRPC_ROUTE,
    HTTP_ROUTE,
    JOB,
    MUTATING_WEBHOOK,
    POD,
    REPLICA_SET,
    STATEFUL_SET,
    VALIDATING_WEBHOOK,
)
from .addresses import INGRESS_RULE, SERVICE_RULE
from .any_objects import ANY_OBJECT_RULE
from .bindings import BINDING_RULE
from .control_plane import CONTROL_PLANE_RULE
from .custom_resources import DEFINITION_RULE
from .enrollments import ENROLLMENT_RULE
from .gateways import GATEWAY_RULE
from .node_agents import DAEMON_SET_RULE
from .policies import PEER_AUTHENTICATION_RULE, REQUEST_AUTHENTICATION_RULE, judge_authorization_policy
from .probes import Probe
from .routes import route_rule
from .target import Need, Rule, Snapshot, Target, object_rule
from .verdict import Verdict
from .waypoints import WAYPOINT_RULE
from .webhooks import webhook_rule
from .workloads import judge_deployment, judge_job, judge_pod, judge_replica_set, judge_stateful_set

RULES: t.Mapping[str, Rule] = {
    "control_plane": CONTROL_PLANE_RULE,
    "waypoint": WAYPOINT_RULE,
    "binding": BINDING_RULE,
    "enrollment": ENROLLMENT_RULE,
    "AuthorizationPolicy": object_rule(AUTHORIZATION_POLICY, judge_authorization_policy),
    "CustomResourceDefinition": DEFINITION_RULE,
    "DaemonSet": DAEMON_SET_RULE,
    "Deployment": object_rule(DEPLOYMENT, judge_deployment),
    "GRPCRoute": route_rule(GRPC_ROUTE),
    "Gateway": GATEWAY_RULE,
    "HTTPRoute": route_rule(HTTP_ROUTE),
    "Ingress": INGRESS_RULE,
    "Job": object_rule(JOB, judge_job),
    "MutatingWebhookConfiguration": webhook_rule(MUTATING_WEBHOOK),
    "PeerAuthentication": PEER_AUTHENTICATION_RULE,
    "Pod": object_rule(POD, judge_pod),
    "ReplicaSet": object_rule(REPLICA_SET, judge_replica_set),
    "RequestAuthentication": REQUEST_AUTHENTICATION_RULE,
    "Service": SERVICE_RULE,
    "StatefulSet": object_rule(STATEFUL_SET, judge_stateful_set),
    "ValidatingWebhookConfiguration": webhook_rule(VALIDATING_WEBHOOK),
}


def _rule_of(target: Target) -> Rule:
    """How a target is judged."""
    return ANY_OBJECT_RULE if target.api_kind else RULES[target.kind]


def needs_of(target: Target) -> tuple[Need, ...]:
    """The kinds to read for a target, each with the namespace to read it in (None: in all, or it has none)."""
    return tuple(_rule_of(target).needs(target))


def verdict_on(target: Target, snapshot: Snapshot) -> Verdict:
    """The verdict on what has been read."""
    return _rule_of(target).judge(target, snapshot)


def probes_of(target: Target, snapshot: Snapshot) -> tuple[Probe, ...]:
    """What must answer besides, when the verdict on what has been read is Current."""
    return tuple(_rule_of(target).probes(target, snapshot))


__all__ = ("RULES", "needs_of", "probes_of", "verdict_on")
