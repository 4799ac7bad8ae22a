# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Are policies that select pods by labels enforced as they are written, now that ztunnel enforces them instead of sidecars?

Source: istio pilot/pkg/serviceregistry/ambient/authorization.go and pilot/pkg/model/policyattachment.go (ShouldAttachPolicy), ztunnel src/rbac.rs.
Whatever istiod has reported so far, the answers follow from the policies themselves. Of DENY policies its report is not even right: ztunnel never
matches a clause of which nothing is left without its HTTP fields, so such a policy denies nothing, where the condition speaks of more than requested.
"""

from __future__ import annotations

import typing as t

from .._kinds import (
    AUTHORIZATION_POLICY,
    DEPLOYMENT,
    ENVOY_FILTER,
    GATEWAY,
    NAMESPACE,
    POD,
    SERVICE,
    SIDECAR,
    STATEFUL_SET,
    TELEMETRY,
    WASM_PLUGIN,
    Kind,
)
from .._mesh.labels import SIDECAR_STATUS, Object, annotations_of
from .._text import format_count, format_names
from .ages import is_new
from .check import Check
from .cluster import Cluster, refs_of
from .finding import Problem, ref_of
from .policy_identities import find_identities
from .policy_pods import (
    captured_pods,
    has_labels,
    is_proxy,
    is_waypoint_pod,
    pods_in_scope,
    policies_in,
    selector_of,
    selects_nothing,
    text_of_labels,
)
from .policy_rules import Rule, action_of, is_dry_run, rules_of, spec_of, targets_of
from .policy_waypoints import find_bypasses, find_denied_waypoints

_MOVE = "Name the waypoint, or the Services behind it, in targetRefs instead of a selector; without a waypoint, use only fields of layer 4."


# fields that ztunnel does not read


def _find_http_fields(cluster: Cluster) -> t.Iterator[Problem]:
    for policy in policies_in(cluster):
        if targets_of(policy) or is_dry_run(policy) or action_of(policy) not in ("ALLOW", "DENY"):
            continue
        message = _what_is_left(policy)
        pods = captured_pods(cluster, policy) if message else []
        if pods:
            yield Problem(ref_of(policy), message, _MOVE, refs_of(pods))


def _what_is_left(policy: Object) -> str:
    """What ztunnel does instead of what the policy says; empty if it does just that."""
    rules = rules_of(policy)
    odd = [rule for rule in rules if rule.unread]
    if not odd:
        return ""
    start = f"ztunnel does not read {format_names(sorted({name for rule in odd for name in rule.unread}))}:"
    dead, wider = [rule for rule in odd if not rule.can_match], [rule for rule in odd if rule.can_match]
    if action_of(policy) == "ALLOW":
        dropped = [rule for rule in odd if rule.http or not rule.can_match]
        if not dropped:
            return f"{start} it enforces {_which(wider, rules)} without, so more is allowed than the policy says"
        return f"{start} it drops {_which(dropped, rules)}, so traffic is denied that the policy should allow"
    clauses = []
    if dead:
        clauses.append(f"it never matches {_which(dead, rules)}, so traffic is let through that the policy should deny")
    if wider:
        clauses.append(f"it enforces {_which(wider, rules)} without, so more is denied than the policy says")
    return f"{start} {', and '.join(clauses)}"


def _which(some: t.Sequence[Rule], rules: t.Sequence[Rule]) -> str:
    if len(rules) == 1:
        return "its only rule"
    return f"all of its {len(rules)} rules" if len(some) == len(rules) else f"{len(some)} of its {len(rules)} rules"


# actions that ztunnel does not have


def _find_actions(cluster: Cluster) -> t.Iterator[Problem]:
    for policy in policies_in(cluster):
        action = action_of(policy)
        if targets_of(policy) or is_dry_run(policy) or action in ("ALLOW", "DENY"):
            continue
        pods = captured_pods(cluster, policy)
        if pods:
            provider = (spec_of(policy).get("provider") or {}).get("name")
            traffic = f"the traffic of {format_count(len(pods), 'pod')} in ambient mesh"
            effect = f"provider {provider} is not asked about {traffic}" if action == "CUSTOM" else f"{traffic} is not audited"
            message = f"ztunnel does not have the action {action}, so the policy is not enforced: {effect}"
            yield Problem(ref_of(policy), message, "Name the waypoint, or the Services behind it, in targetRefs instead of a selector.", refs_of(pods))


# selectors that select nothing


def _find_empty_selectors(cluster: Cluster) -> t.Iterator[Problem]:
    for policy in policies_in(cluster):
        if not targets_of(policy) and spec_of(policy).get("selector") is not None:
            problem = _judge_selector(policy, cluster)
            if problem:
                yield problem


def _judge_selector(policy: Object, cluster: Cluster) -> Problem | None:
    wanted = selector_of(policy)
    if wanted is None:
        if not captured_pods(cluster, _without_selector(policy)):
            return None
        message = "its selector has no matchLabels, and ztunnel enforces such a policy on no pod, although sidecars do on all"
        return Problem(ref_of(policy), message, "Remove the selector, so that the policy applies to its whole namespace.", severity="error")
    scope = pods_in_scope(cluster, policy)
    selected = [pod for pod in scope if has_labels(pod, wanted)]
    if selected:
        if not all(is_waypoint_pod(pod, cluster) for pod in selected):
            return None
        message = f"its selector {text_of_labels(wanted)} matches only pods of waypoints, and these read no policy with a selector, so nothing enforces it"
        return Problem(ref_of(policy), message, "Name the waypoint in targetRefs instead.", refs_of(selected), severity="error")
    if is_new(policy, cluster):
        return None
    return selects_nothing(policy, wanted, scope, cluster)


def _without_selector(policy: Object) -> Object:
    return {**policy, "spec": {name: value for name, value in spec_of(policy).items() if name != "selector"}}


# kinds that only sidecars and gateways read


def _find_kinds_of_sidecars(cluster: Cluster) -> t.Iterator[Problem]:
    for kind in (ENVOY_FILTER, SIDECAR, WASM_PLUGIN, TELEMETRY):
        for item in policies_in(cluster, kind):
            if item["metadata"]["namespace"] in cluster.root_namespaces or targets_of(item) or is_new(item, cluster):
                continue
            pods = _selected_in_vain(kind, item, cluster)
            if pods:
                yield _in_vain(kind, item, pods)


def _selected_in_vain(kind: Kind, item: Object, cluster: Cluster) -> list[Object]:
    """The pods in ambient mesh that an object selects, if there is none beside them that reads it."""
    spec = spec_of(item)
    wanted = (spec.get("workloadSelector") or {}).get("labels") if kind in (ENVOY_FILTER, SIDECAR) else (spec.get("selector") or {}).get("matchLabels")
    # Of all these kinds, waypoints read only Telemetry without a selector.
    if not wanted and kind == TELEMETRY:
        return []
    own = item["metadata"]["namespace"]
    selected = [pod for pod in cluster.pods(own) if has_labels(pod, wanted or {})]
    if any(SIDECAR_STATUS in annotations_of(pod) if kind == SIDECAR else is_proxy(pod, cluster) for pod in selected):
        return []
    return [pod for pod in cluster.captured_or_pending.get(own, ()) if has_labels(pod, wanted or {})]


def _in_vain(kind: Kind, item: Object, pods: t.Sequence[Object]) -> Problem:
    readers = "sidecars" if kind == SIDECAR else "sidecars and gateways"
    message = f"only {readers} read this kind, and it selects only pods in ambient mesh, which have none, so it has no effect"
    remedy = {
        SIDECAR: "Delete it: ztunnel needs no list of what a pod calls.",
        ENVOY_FILTER: "Delete it, or use a feature of waypoints instead, such as an HTTPRoute; waypoints read no EnvoyFilter with a selector.",
    }.get(kind, "Name the waypoint, or a Service behind it, in targetRefs instead of a selector.")
    return Problem(ref_of(item), message, remedy, refs_of(pods))


_ZTUNNEL_SOURCE = "istio pilot/pkg/serviceregistry/ambient/authorization.go, ztunnel src/rbac.rs"
_POLICIES = (AUTHORIZATION_POLICY, POD, NAMESPACE)
_BOUND = (*_POLICIES, SERVICE, GATEWAY)

CHECKS: tuple[Check, ...] = (
    Check("MW6501", "An AuthorizationPolicy has HTTP fields that ztunnel does not read", "error", _POLICIES, _find_http_fields, _ZTUNNEL_SOURCE),
    Check("MW6504", "An AuthorizationPolicy has an action that ztunnel does not have", "error", _POLICIES, _find_actions, _ZTUNNEL_SOURCE),
    Check(
        "MW6506",
        "An AuthorizationPolicy selects no pod",
        "warning",
        (*_POLICIES, DEPLOYMENT, STATEFUL_SET),
        _find_empty_selectors,
        "istio pilot/pkg/serviceregistry/ambient/workloads.go (buildWorkloadPolicies), pilot/pkg/model/policyattachment.go",
    ),
    Check(
        "MW6507",
        "AuthorizationPolicies deny the waypoint",
        "error",
        _BOUND,
        find_denied_waypoints,
        "ztunnel src/state.rs (assert_rbac), istio.io waypoint page",
    ),
    Check("MW6508", "Callers may bypass the waypoint and its policies", "info", _BOUND, find_bypasses, "istio.io/docs/ambient/usage/l4-policy"),
    Check(
        "MW6510",
        "An AuthorizationPolicy names callers that cannot exist",
        "warning",
        _POLICIES,
        find_identities,
        "ztunnel src/rbac.rs (matches_principal), src/tls/workload.rs (TrustDomainVerifier), istio pilot/pkg/security/trustdomain/bundle.go",
    ),
    Check(
        "MW6513",
        "A kind that only sidecars and gateways read selects pods in ambient mesh",
        "warning",
        (POD, NAMESPACE, ENVOY_FILTER, SIDECAR, WASM_PLUGIN, TELEMETRY),
        _find_kinds_of_sidecars,
        "istio pilot/pkg/model/policyattachment.go, pkg/config/analysis (IST0167)",
    ),
)

__all__ = ("CHECKS",)
