# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.
"""Is a policy enforced as written: by ztunnel, by a waypoint, or by neither?

Source: istio pilot/pkg/serviceregistry/ambient/policies.go and authorization.go, pilot/pkg/model/service.go and policyattachment.go.
The status True is not enough: it stays True when ztunnel has dropped the HTTP part of a policy (UnsupportedValue), and when only some of
its targets were found (PartiallyInvalid). istiod writes conditions on AuthorizationPolicies only; whether the other two kinds are
enforced follows from their specs and from what they select.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._kinds import BY_NAME, GATEWAY, NAMESPACE, PEER_AUTHENTICATION, REQUEST_AUTHENTICATION, SERVICE, SERVICE_ENTRY
from .._mesh.mesh_settings import ISTIO_NAMESPACE
from .bindings import binding_problem, can_be_bound
from .target import Expectation, Rule, Snapshot, Target, needs_in_namespace
from .verdict import Object, Verdict, absent, condition, observed_generation, terminating

_CREATE = "Create it, or correct its name."
_ISTIOD = "Check that istiod is running, and that the policy's namespace is not hidden from it (discoverySelectors)."
_REMEDIES = {
    "TargetNotFound": "Create what targetRefs name in the policy's own namespace, or correct them; a Gateway counts once it has an address.",
    "AncestorNotBound": "Bind the Service to a waypoint (module enrollment): without one nothing enforces the policy.",
    "PartiallyInvalid": "Correct or create the targets that were not found, and bind them to a waypoint.",
    "UnsupportedValue": "HTTP fields need a waypoint: name it, or a Service behind it, in targetRefs; ztunnel enforces only layer 4.",
    "Invalid": "Correct targetRefs as the message says.",
}


@dataclass(frozen=True)
class PolicyExpectation(Expectation):
    """What a PeerAuthentication or a RequestAuthentication is judged by.

    Attributes:
        root_namespace: the namespace whose policies count for the whole mesh.
    """

    root_namespace: str = ISTIO_NAMESPACE


def _targets_of(policy: Object) -> list[t.Mapping[str, t.Any]]:
    """The targetRefs of a policy; the old singular form counts when there are none."""
    refs = policy["spec"].get("targetRefs") or ()
    single = policy["spec"].get("targetRef")
    return [*refs] or ([single] if single else [])


def judge_authorization_policy(title: str, policy: Object | None) -> Verdict:
    """Current when who must enforce it, a waypoint for one with targetRefs and else ztunnel, has accepted all of it at its generation."""
    if policy is None or terminating(policy):
        return absent(title, policy, _CREATE)
    targets = _targets_of(policy)
    # A condition that belonged to an earlier form of the policy may stay behind, so only the one that its spec calls for counts.
    kind, enforcer = ("WaypointAccepted", "a waypoint") if targets else ("ZtunnelAccepted", "ztunnel")
    found = condition(policy, kind)
    if found is None:
        return Verdict("InProgress", "NoStatus", f"istiod has not reported yet whether {enforcer} accepts it", _ISTIOD)
    since = str(found.get("lastTransitionTime", ""))
    generation = policy["metadata"].get("generation", 0)
    if (observed_generation(found) or 0) < generation:
        message = f"{kind} is for generation {observed_generation(found) or 0}, but the current generation is {generation}"
        return Verdict("InProgress", "GenerationNotObserved", message, _ISTIOD, since)
    reason, message = str(found.get("reason", "")), str(found.get("message", ""))
    if found.get("status") == "True" and reason == "Accepted":
        return Verdict("Current", message=message or f"accepted by {enforcer}")
    # Of several targets istiod says Invalid when it has found none, and they may still come; of a single one it says so of the target's form.
    final = reason in ("UnsupportedValue", "unknown") or (reason == "Invalid" and len(targets) == 1)
    contradiction = "its status is True, but it is not enforced as written: " if found.get("status") == "True" else ""
    remedy = _REMEDIES.get(reason, "This message comes from istiod.")
    if reason == "UnsupportedValue" and policy["spec"].get("action") not in (None, "ALLOW", "DENY"):
        remedy = "Only a waypoint supports this action: name it, or a Service behind it, in targetRefs."
    return Verdict("Failed" if final else "InProgress", reason, f"{contradiction}{message}", remedy, since, final)


def judge_peer_authentication(title: str, policy: Object | None, neighbours: t.Sequence[Object], *, root_namespace: str = ISTIO_NAMESPACE) -> Verdict:
    """Current when ztunnel applies it, by its own form: istiod reports no status on it.

    Args:
        title: how messages name it.
        policy: the PeerAuthentication, or None.
        neighbours: the PeerAuthentications of its namespace.
        root_namespace: the namespace whose policies count for the whole mesh.
    """
    if policy is None or terminating(policy):
        return absent(title, policy, _CREATE)
    metadata, spec = policy["metadata"], policy["spec"]
    labels = (spec.get("selector") or {}).get("matchLabels") or {}
    if labels and metadata["namespace"] == root_namespace:
        remedy = "Move it to the namespace of the pods that it selects, or remove its selector."
        return Verdict("Failed", "SelectorInRootNamespace", f"istiod ignores policies with a selector in namespace {root_namespace}", remedy, final=True)
    created = str(metadata.get("creationTimestamp", ""))
    rivals = {
        other["metadata"]["name"]: str(other["metadata"].get("creationTimestamp", ""))
        for other in neighbours
        if ((other["spec"].get("selector") or {}).get("matchLabels") or {}) == labels and other["metadata"]["name"] != metadata["name"]
    }
    older = [name for name, since in rivals.items() if since < created]
    same_age = [name for name, since in rivals.items() if since == created]
    if same_age and not older:
        message = f"PeerAuthentication {', '.join(sorted(same_age))} of the same namespace and selector is as old, and only one of them takes effect"
        return Verdict("InProgress", "Shadowed", message, "Merge the two, and delete one of them.")
    if older:
        message = f"PeerAuthentication {', '.join(sorted(older))} of the same namespace and selector is older, and only the oldest takes effect"
        return Verdict("InProgress", "Shadowed", message, "Merge the two, and delete one of them.")
    mode = (spec.get("mtls") or {}).get("mode", "UNSET")
    meaning = {"DISABLE": "DISABLE, which ztunnel treats as PERMISSIVE", "UNSET": "the mode that it inherits"}.get(mode, mode)
    message = f"ztunnel applies {meaning}; istiod reports no status on this kind, so this follows from its spec"
    return Verdict("Current", message=message, details={"reported": False})


def judge_request_authentication(
    title: str,
    policy: Object | None,
    namespace: Object | None,
    find: t.Callable[[str, str], Object | None],
    *,
    root_namespace: str = ISTIO_NAMESPACE,
) -> Verdict:
    """Current when a waypoint or a Gateway stands where it points to: istiod reports no status on it, and ztunnel does not read it.

    Args:
        title: how messages name it.
        policy: the RequestAuthentication, or None.
        namespace: the Namespace it is in.
        find: gives an object of its namespace by kind and name; asked for Gateways, Services and ServiceEntries.
        root_namespace: the namespace whose policies count for the whole mesh.
    """
    if policy is None or terminating(policy):
        return absent(title, policy, _CREATE)
    targets = _targets_of(policy)
    if not targets:
        message = "it has no targetRefs, so neither ztunnel nor a waypoint reads it"
        remedy = "Name a waypoint or a Service behind one in targetRefs; a policy that selects sidecars or gateways cannot be verified by this module."
        return Verdict("Failed", "NoTargetRefs", message, remedy, final=True)
    own = policy["metadata"]["namespace"]
    for ref in targets:
        kind, name = str(ref.get("kind", "")), str(ref.get("name", ""))
        title_of_target = f"{kind} {name}"
        if ref.get("namespace") not in (None, "", own):
            message = f"target {title_of_target} is in namespace {ref['namespace']}, but istiod reads only targets in the policy's own namespace"
            return Verdict("Failed", "Invalid", message, "Move the policy to the namespace of its target.", final=True)
        problem = _target_problem(kind, name, own, namespace, find, root_namespace)
        if problem:
            reason, explanation = problem
            final = reason == "Invalid"
            return Verdict("Failed" if final else "InProgress", reason, f"target {title_of_target}: {explanation}", _REMEDIES[reason], final=final)
    titles = ", ".join(f"{ref.get('kind')} {ref.get('name')}" for ref in targets)
    message = f"applied at {titles}; istiod reports no status on this kind, so this follows from its targets"
    return Verdict("Current", message=message, details={"reported": False})


def _target_problem(
    kind: str, name: str, own: str, namespace: Object | None, find: t.Callable[[str, str], Object | None], root_namespace: str
) -> tuple[str, str] | None:
    if kind == "GatewayClass":
        if own != root_namespace:
            return "Invalid", f"a policy for a GatewayClass must be in the root namespace, {root_namespace}"
        return None if name == "istio-waypoint" else ("Invalid", "only the class istio-waypoint can be a target")
    if kind not in ("Gateway", "Service", "ServiceEntry"):
        return "Invalid", "istiod supports only Gateway, GatewayClass, Service and ServiceEntry as targets"
    found = find(kind, name)
    if found is None:
        return "TargetNotFound", "it does not exist in the policy's namespace"
    if kind == "Gateway":
        return None if (found.get("status") or {}).get("addresses") else ("TargetNotFound", "it has no address yet")
    problem = binding_problem(found, namespace) if can_be_bound(found) else ("NotBound", "it cannot have a waypoint")
    return ("AncestorNotBound", problem[1]) if problem and problem[0] == "NotBound" else None


def _peer_authentication(target: Target, snapshot: Snapshot) -> Verdict:
    policy = snapshot.get(PEER_AUTHENTICATION, target.name, target.namespace)
    neighbours = snapshot.all(PEER_AUTHENTICATION, target.namespace)
    root_namespace = target.expected(PolicyExpectation).root_namespace
    return judge_peer_authentication(target.title_of(PEER_AUTHENTICATION), policy, neighbours, root_namespace=root_namespace)


def _request_authentication(target: Target, snapshot: Snapshot) -> Verdict:
    def find(kind: str, name: str) -> Object | None:
        return snapshot.get(BY_NAME[kind], name, target.namespace)

    policy = snapshot.get(REQUEST_AUTHENTICATION, target.name, target.namespace)
    namespace = snapshot.get(NAMESPACE, target.namespace)
    root_namespace = target.expected(PolicyExpectation).root_namespace
    return judge_request_authentication(target.title_of(REQUEST_AUTHENTICATION), policy, namespace, find, root_namespace=root_namespace)


PEER_AUTHENTICATION_RULE = Rule(needs_in_namespace(PEER_AUTHENTICATION), ("name", "namespace"), _peer_authentication)
REQUEST_AUTHENTICATION_RULE = Rule(
    needs_in_namespace(REQUEST_AUTHENTICATION, NAMESPACE, GATEWAY, SERVICE, SERVICE_ENTRY), ("name", "namespace"), _request_authentication
)

__all__ = (
    "PEER_AUTHENTICATION_RULE",
    "REQUEST_AUTHENTICATION_RULE",
    "PolicyExpectation",
    "judge_authorization_policy",
    "judge_peer_authentication",
    "judge_request_authentication",
)
