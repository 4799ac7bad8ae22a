# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Do policies with targetRefs stand where something enforces them, and is what else they name there: providers, and RequestAuthentications?

Each target is judged by itself, because a policy of which one target is found reports the status True (PartiallyInvalid).

Source: istio pilot/pkg/serviceregistry/ambient/policies.go (WaypointPolicyStatusCollection), pilot/pkg/model/policyattachment.go,
pilot/pkg/security/authz/builder/builder.go and extauthz.go.
"""

from __future__ import annotations

import typing as t

from .._kinds import AUTHORIZATION_POLICY, BY_NAME, CONFIG_MAP, GATEWAY, GATEWAY_CLASS, NAMESPACE, POD, REQUEST_AUTHENTICATION, SERVICE, SERVICE_ENTRY
from .._mesh.labels import USE_WAYPOINT, WAYPOINT_CLASS, Object, labels_of
from .._mesh.waypoints import is_waypoint
from .._near_misses import find_near_miss
from .._status.bindings import can_be_bound
from .._status.policies import judge_request_authentication
from .._status.verdict import Verdict
from .._text import format_count, format_names
from .ages import has_changed, is_new
from .check import Check
from .cluster import Cluster, refs_of
from .finding import ObjectRef, Problem, Severity, ref_of
from .policy_pods import captured_pods, has_labels, is_proxy, pods_in_scope, policies_in, selector_of
from .policy_rules import action_of, spec_of, targets_of

# What the names of controllers of Istio's GatewayClasses begin with.
_ISTIO = "istio.io/"
_REQUEST_FIELDS = ("requestPrincipals", "notRequestPrincipals")
_REQUEST_KEYS = "request.auth."
_BIND = "Bind it to a waypoint (label istio.io/use-waypoint); if labels name one already, see why that does not take it."
_WAIT = "See why the waypoint has no address: its conditions, and its pods."


# targets


class Missing(t.NamedTuple):
    """A target of a policy at which nothing enforces it."""

    target: t.Mapping[str, t.Any]
    found: Object | None
    verdict: Verdict

    @property
    def title(self) -> str:
        return f"{self.target.get('kind')} {self.target.get('name')}"

    @property
    def why(self) -> str:
        start = f"target {self.title}: "
        message = self.verdict.message
        return message[len(start) :] if message.startswith(start) else message


def _missing_targets(policy: Object, cluster: Cluster) -> list[Missing]:
    own = policy["metadata"]["namespace"]
    # If it is not known which is the root namespace, no namespace is wrong.
    is_root = own in cluster.root_namespaces or not cluster.has_read(CONFIG_MAP)
    root = own if is_root else min(cluster.root_namespaces)

    def find(kind: str, name: str) -> Object | None:
        return cluster.get(BY_NAME[kind], name, own)

    missing = []
    for target in targets_of(policy):
        kind = BY_NAME.get(str(target.get("kind")))
        found = cluster.get(kind, str(target.get("name")), own) if kind is not None and kind.namespaced else None
        # A proxy of a gateway reads the policies of its Gateway by the label of its pods, whether that has an address or not.
        if found is not None and kind == GATEWAY and not is_waypoint(found):
            verdict = _judge_foreign(found, cluster)
        else:
            # The judge asks for nothing but targetRefs, so that it is right for both kinds of policies.
            single = {**policy, "spec": {"targetRefs": [target]}}
            verdict = judge_request_authentication("", single, cluster.namespace(own), find, root_namespace=root)
        if not verdict.current and not (found is not None and _may_settle(found, cluster)):
            missing.append(Missing(target, found, verdict))
    return missing


def _may_settle(item: Object, cluster: Cluster) -> bool:
    """Whether istiod may not have seen an object, or a label of it or of its namespace, yet."""
    namespace = cluster.namespace(item["metadata"]["namespace"])
    return any(has_changed(one, "metadata", cluster) for one in (item, namespace) if one is not None)


def _judge_foreign(gateway: Object, cluster: Cluster) -> Verdict:
    """A Gateway that is no waypoint: whether istiod serves its class."""
    name = str(gateway["spec"].get("gatewayClassName"))
    controller = str(((cluster.get(GATEWAY_CLASS, name) or {}).get("spec") or {}).get("controllerName") or _ISTIO)
    if controller.startswith(_ISTIO):
        return Verdict("Current")
    message = f"it is of class {name}, which {controller} serves, and its proxies do not read Istio's policies"
    return Verdict("Failed", "Invalid", message, "Name a Gateway of Istio, or a Service behind a waypoint.", final=True)


def _is_nowhere(missing: Missing) -> bool:
    """Whether a target is not there at all; else it is there, and nothing enforces the policy at it."""
    return missing.verdict.reason != "AncestorNotBound" and not (missing.verdict.reason == "TargetNotFound" and missing.found is not None)


def _find_absent(cluster: Cluster) -> t.Iterator[Problem]:
    for policy in policies_in(cluster):
        yield from _judge_absent(policy, cluster)


def _judge_absent(policy: Object, cluster: Cluster) -> t.Iterator[Problem]:
    absent = [missing for missing in _missing_targets(policy, cluster) if _is_nowhere(missing)]
    if not absent or is_new(policy, cluster):
        return
    clauses = [f"{missing.title}: {_why_absent(missing, policy, cluster)}" for missing in absent]
    kept = len(targets_of(policy)) - len(absent)
    effect = f"the policy holds only for {format_count(kept, 'other target')}, although its status may be True" if kept else "nothing enforces it"
    message = f"its targetRefs lead nowhere ({'; '.join(clauses)}), so {effect}"
    remedy = absent[0].verdict.remedy if absent[0].verdict.reason == "Invalid" else "Correct the names in targetRefs, or create the targets."
    yield Problem(ref_of(policy), message, remedy)


def _why_absent(missing: Missing, policy: Object, cluster: Cluster) -> str:
    if missing.verdict.reason != "TargetNotFound":
        return missing.why
    own, kind, name = policy["metadata"]["namespace"], BY_NAME[str(missing.target["kind"])], str(missing.target.get("name"))
    near = find_near_miss(name, [item["metadata"]["name"] for item in cluster.all(kind, own)])
    if near:
        return f"it does not exist, but {near} does"
    elsewhere = sorted(item["metadata"]["namespace"] for item in cluster.all(kind) if item["metadata"]["name"] == name)
    hint = f", only in {format_names(elsewhere, 3)}, and a target must be in the same namespace" if elsewhere else ""
    return f"it does not exist in namespace {own}{hint}"


def _find_unbound(cluster: Cluster) -> t.Iterator[Problem]:
    for policy in policies_in(cluster):
        yield from _judge_unbound(policy, cluster)


def _judge_unbound(policy: Object, cluster: Cluster) -> t.Iterator[Problem]:
    """One problem for each cause of why nothing enforces a policy at targets that exist."""
    by_cause: dict[ObjectRef | None, list[Missing]] = {}
    for missing in _missing_targets(policy, cluster):
        if not _is_nowhere(missing) and missing.found is not None:
            by_cause.setdefault(_cause_of(missing.found, cluster), []).append(missing)
    if is_new(policy, cluster):
        return
    for cause, unbound in by_cause.items():
        clauses = "; ".join(f"{missing.title}: {missing.why}" for missing in unbound)
        effect = "nothing enforces the policy for its traffic" if len(unbound) == 1 else "nothing enforces the policy for their traffic"
        remedy = _WAIT if all(missing.target.get("kind") == GATEWAY.name for missing in unbound) else _BIND
        refs = tuple(ref_of(missing.found) for missing in unbound if missing.found is not None)
        yield Problem(ref_of(policy), f"no waypoint is bound to a target ({clauses}), so {effect}", remedy, refs, cause)


def _cause_of(item: Object, cluster: Cluster) -> ObjectRef | None:
    """Whose fault it may be that an object has no waypoint: the Gateway that labels name, or the object with the label if there is no such Gateway."""
    if item["kind"] == GATEWAY.name:
        return ref_of(item)
    waypoint = cluster.waypoint_of(item) if can_be_bound(item) else None
    if waypoint is None:
        return None
    gateway = cluster.gateway(waypoint)
    if gateway is not None:
        return ref_of(gateway)
    return ref_of(item) if USE_WAYPOINT in labels_of(item) else ObjectRef(NAMESPACE.name, "", item["metadata"]["namespace"])


# providers


def _find_providers(cluster: Cluster) -> t.Iterator[Problem]:
    configs = cluster.mesh_configs
    if not configs or not all(config.readable for config in configs):
        return
    known = {name for config in configs for name in config.providers}
    for policy in policies_in(cluster):
        name = str((spec_of(policy).get("provider") or {}).get("name") or "")
        if action_of(policy) != "CUSTOM" or name in known or not _reaches_proxies(policy, cluster):
            continue
        near = find_near_miss(name, known)
        hint = f" ({near} is there)" if near else f" (there are {format_names(sorted(known))})" if known else " (which has none)"
        message = f"its provider {name} is not among the extensionProviders of the mesh{hint}, so every request that its rules match is denied"
        yield Problem(ref_of(policy), message, "Correct provider.name, or add the provider to meshConfig.extensionProviders of istiod.")


def _reaches_proxies(policy: Object, cluster: Cluster) -> bool:
    """Whether a proxy enforces a policy: one with a selector may only select pods that have none."""
    return bool(targets_of(policy)) or any(is_proxy(pod, cluster) and has_labels(pod, selector_of(policy) or {}) for pod in pods_in_scope(cluster, policy))


# tokens


def _find_tokens(cluster: Cluster) -> t.Iterator[Problem]:
    given = _Tokens(cluster)
    for policy in policies_in(cluster):
        fields = _fields_of_tokens(policy)
        targets = [f"{target.get('kind')} {target.get('name')}" for target in targets_of(policy) if not given.at(target, policy)]
        if not fields or not targets or is_new(policy, cluster):
            continue
        message = f"it asks for {format_names(fields)}, but no RequestAuthentication verifies tokens at {format_names(targets)}, so {_effect(policy, fields)}"
        yield Problem(ref_of(policy), message, "Add a RequestAuthentication with the same targetRefs.")


def _fields_of_tokens(policy: Object) -> list[str]:
    found: dict[str, None] = {}
    for rule in spec_of(policy).get("rules") or ():
        for source in ((entry or {}).get("source") or {} for entry in (rule or {}).get("from") or ()):
            found.update(dict.fromkeys(name for name in _REQUEST_FIELDS if source.get(name)))
        keys = (str(condition.get("key")) for condition in (rule or {}).get("when") or ())
        found.update(dict.fromkeys(key for key in keys if key.startswith(_REQUEST_KEYS)))
    return list(found)


def _effect(policy: Object, fields: t.Sequence[str]) -> str:
    denies = action_of(policy) == "DENY"
    if fields == ["notRequestPrincipals"]:
        return "every request counts as one without a token" + (" and is denied" if denies else "")
    return "its rules match no request" + (" and deny nothing" if denies else ", and what only they allow is denied")


class _Tokens:
    """Where RequestAuthentications verify tokens."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._targets: set[tuple[str, str, str]] = set()
        self._namespaces: set[str] = set()
        for item in policies_in(cluster, REQUEST_AUTHENTICATION):
            own = item["metadata"]["namespace"]
            self._targets |= {(str(target.get("kind")), own, str(target.get("name"))) for target in targets_of(item)}
            if not targets_of(item):
                self._namespaces.add(own)

    def at(self, target: t.Mapping[str, t.Any], policy: Object) -> bool:
        """Whether tokens are verified at a target of a policy, or at the waypoint in front of it."""
        own, kind, name = policy["metadata"]["namespace"], str(target.get("kind")), str(target.get("name"))
        if (kind, own, name) in self._targets:
            return True
        found = self._cluster.get(BY_NAME[kind], name, own) if kind in BY_NAME and BY_NAME[kind].namespaced else None
        if kind == GATEWAY.name and found is not None and not is_waypoint(found):
            # The proxies of a gateway read those that select them by labels as well.
            return bool(self._namespaces & {own, *self._cluster.root_namespaces})
        if any(("GatewayClass", root, WAYPOINT_CLASS) in self._targets for root in self._cluster.root_namespaces):
            return True
        if kind == GATEWAY.name:
            behind = next((items for ref, items in self._cluster.bound.items() if (ref.namespace, ref.name) == (own, name)), [])
            return any((item["kind"], item["metadata"]["namespace"], item["metadata"]["name"]) in self._targets for item in behind)
        waypoint = self._cluster.waypoint_of(found) if found is not None else None
        return waypoint is not None and (GATEWAY.name, waypoint.namespace, waypoint.name) in self._targets


# RequestAuthentications


def _find_untargeted(cluster: Cluster) -> t.Iterator[Problem]:
    for policy in policies_in(cluster, REQUEST_AUTHENTICATION):
        pods = captured_pods(cluster, policy) if not targets_of(policy) else []
        if not pods:
            continue
        others = any(is_proxy(pod, cluster) and has_labels(pod, selector_of(policy)) for pod in pods_in_scope(cluster, policy))
        severity: Severity = "warning" if others else "error"
        which = f"{format_count(len(pods), 'pod')} in ambient mesh"
        message = f"ztunnel does not verify tokens, and waypoints read no RequestAuthentication without targetRefs, so it does nothing for {which}"
        remedy = "Name the waypoint, or the Services behind it, in targetRefs; keep one with a selector for sidecars and gateways alone."
        yield Problem(ref_of(policy), message, remedy, refs_of(pods), severity=severity)


def _find_unread(cluster: Cluster) -> t.Iterator[Problem]:
    for policy in policies_in(cluster, REQUEST_AUTHENTICATION):
        yield from _judge_absent(policy, cluster)
        yield from _judge_unbound(policy, cluster)


_TARGETS = (NAMESPACE, GATEWAY, SERVICE, SERVICE_ENTRY)
_SOURCE = "istio pilot/pkg/serviceregistry/ambient/policies.go (WaypointPolicyStatusCollection), pilot/pkg/model/policyattachment.go"

CHECKS: tuple[Check, ...] = (
    Check("MW6502", "An AuthorizationPolicy has a target that does not exist", "error", (AUTHORIZATION_POLICY, *_TARGETS), _find_absent, _SOURCE),
    Check("MW6503", "An AuthorizationPolicy has a target without a waypoint", "error", (AUTHORIZATION_POLICY, *_TARGETS), _find_unbound, _SOURCE),
    Check(
        "MW6505",
        "An AuthorizationPolicy names a provider that istiod does not know",
        "error",
        (AUTHORIZATION_POLICY, CONFIG_MAP, POD, NAMESPACE),
        _find_providers,
        "istio pilot/pkg/security/authz/builder/extauthz.go (getExtAuthz), builder.go (getBadCustomDenyRules)",
    ),
    Check(
        "MW6509",
        "An AuthorizationPolicy asks for tokens that nothing verifies",
        "warning",
        (AUTHORIZATION_POLICY, REQUEST_AUTHENTICATION, *_TARGETS),
        _find_tokens,
        "istio.io/docs/reference/config/security/request_authentication",
    ),
    Check(
        "MW6601",
        "A RequestAuthentication without targetRefs applies to pods in ambient mesh",
        "error",
        (REQUEST_AUTHENTICATION, POD, NAMESPACE),
        _find_untargeted,
        "istio pilot/pkg/model/authentication.go, policyattachment.go; ztunnel has no tokens",
    ),
    Check(
        "MW6602",
        "A RequestAuthentication has a target where nothing enforces it",
        "error",
        (REQUEST_AUTHENTICATION, *_TARGETS),
        _find_unread,
        _SOURCE,
    ),
)

__all__ = ("CHECKS",)
