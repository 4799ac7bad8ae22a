# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Does each PeerAuthentication do what it says on pods in ambient mesh, and does STRICT keep out a caller that has no identity?

ztunnel knows two modes: STRICT denies what has no identity, and everything else is PERMISSIVE. Pods in ambient mesh always call each other by mTLS.
The callers outside of the mesh that are known from objects are the API servers, which call webhooks in plain TLS.

Source: istio pilot/pkg/serviceregistry/ambient/authorization.go (convertedSelectorPeerAuthentications, convertPeerAuthentication) and workloads.go
(fetchPeerAuthentications), pkg/config/validation/validation.go (ValidatePeerAuthentication).
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._kinds import (
    CONFIG_MAP,
    DEPLOYMENT,
    MUTATING_WEBHOOK,
    NAMESPACE,
    PEER_AUTHENTICATION,
    POD,
    SERVICE,
    STATEFUL_SET,
    VALIDATING_WEBHOOK,
)
from .._mesh.labels import Object
from .._status.policies import judge_peer_authentication
from .._text import format_count, format_names
from .ages import is_new
from .check import Check
from .cluster import Cluster, refs_of
from .finding import ObjectRef, Problem, Severity, ref_of
from .policy_pods import has_labels, pods_in_scope, policies_in, selects_nothing
from .policy_rules import spec_of

_UNSET = ("", "UNSET")


def _mode_of(policy: Object | None) -> str:
    """The mode that a policy sets; empty if it inherits it."""
    mode = str(((spec_of(policy) if policy else {}).get("mtls") or {}).get("mode") or "")
    return "" if mode in _UNSET else mode


def _ports_of(policy: Object) -> dict[int, str]:
    """The modes that a policy sets for ports."""
    ports = spec_of(policy).get("portLevelMtls") or {}
    modes = {int(port): str((mtls or {}).get("mode") or "") for port, mtls in ports.items()}
    return {port: mode for port, mode in modes.items() if mode not in _UNSET}


def _selector_of(policy: Object) -> t.Mapping[str, str]:
    return (spec_of(policy).get("selector") or {}).get("matchLabels") or {}


# what is in force


@dataclass(frozen=True)
class InForce:
    """What ztunnel does on one pod.

    Attributes:
        policy: the policy that sets the mode; None if none does.
        mode: the mode; V(PERMISSIVE) if no policy sets one.
        of_pod: the policy that selects the pod, whose ports count; None if none does.
    """

    policy: Object | None
    mode: str
    of_pod: Object | None

    def is_strict(self, port: int | None) -> bool:
        """Whether callers without an identity are denied on a port of the pod; None is a port that no policy names."""
        strict = self.mode == "STRICT"
        ports = _ports_of(self.of_pod) if self.of_pod is not None else {}
        mode = ports.get(port, "") if port is not None else ""
        if not mode or mode == "STRICT":
            return strict or mode == "STRICT"
        return strict and not self._takes(mode, ports)

    def _takes(self, mode: str, ports: t.Mapping[int, str]) -> bool:
        """Whether an exception counts: beside an inherited STRICT, DISABLE does only if another port is PERMISSIVE."""
        return bool(_mode_of(self.of_pod)) or mode == "PERMISSIVE" or "PERMISSIVE" in ports.values()


class Authentications:
    """The PeerAuthentications that istiod sees, by where they apply."""

    def __init__(self, cluster: Cluster) -> None:
        self._roots = cluster.root_namespaces
        self._whole: dict[str, Object] = {}
        self._selecting: dict[str, list[Object]] = {}
        # Of several the oldest counts; of those of one second, nobody knows which.
        for policy in sorted(policies_in(cluster, PEER_AUTHENTICATION), key=lambda item: str(item["metadata"].get("creationTimestamp", ""))):
            own = policy["metadata"]["namespace"]
            if _selector_of(policy):
                self._selecting.setdefault(own, []).append(policy)
            elif not (own in self._roots and spec_of(policy).get("selector") is not None):
                self._whole.setdefault(own, policy)

    def of(self, pod: Object) -> InForce:
        """What is in force on a pod."""
        own = pod["metadata"]["namespace"]
        selecting = [] if own in self._roots else self._selecting.get(own, ())
        of_pod = next((policy for policy in selecting if has_labels(pod, _selector_of(policy))), None)
        mesh = next((self._whole[root] for root in sorted(self._roots) if root in self._whole), None)
        for policy in (of_pod, self._whole.get(own), mesh):
            if policy is not None and _mode_of(policy):
                return InForce(policy, _mode_of(policy), of_pod)
        return InForce(None, "PERMISSIVE", of_pod)


# DISABLE


_Pods = t.Dict[ObjectRef, None]


def _find_disabled(cluster: Cluster) -> t.Iterator[Problem]:
    found = Authentications(cluster)
    taken: dict[ObjectRef, _Pods] = {}
    refused: dict[tuple[ObjectRef, ObjectRef, tuple[int, ...]], _Pods] = {}
    for pod in (pod for pods in cluster.captured_or_pending.values() for pod in pods):
        state = found.of(pod)
        if state.policy is not None and state.mode == "DISABLE":
            taken.setdefault(ref_of(state.policy), {})[ref_of(pod)] = None
        if state.of_pod is None:
            continue
        ports = [port for port, mode in sorted(_ports_of(state.of_pod).items()) if mode == "DISABLE"]
        kept = tuple(port for port in ports if state.is_strict(port))
        if kept and state.policy is not None:
            refused.setdefault((ref_of(state.of_pod), ref_of(state.policy), kept), {})[ref_of(pod)] = None
        if len(kept) < len(ports):
            taken.setdefault(ref_of(state.of_pod), {})[ref_of(pod)] = None
    for place, pods in taken.items():
        message = (
            f"it says DISABLE for {format_count(len(pods), 'pod')} in ambient mesh, but ztunnel has no such mode and takes it as PERMISSIVE: "
            "callers in the mesh still use mTLS, and callers outside of it may use plain text"
        )
        remedy = "Write PERMISSIVE, which says what is done; to have plain text alone, take the pods out of the mesh (istio.io/dataplane-mode: none)."
        yield Problem(place, message, remedy, tuple(pods))
    for (place, source, kept), pods in refused.items():
        message = f"it says DISABLE for port {format_names(kept)}, but under STRICT from {source} ztunnel takes no DISABLE, so plain text is denied there"
        yield Problem(place, message, "Write PERMISSIVE for these ports.", tuple(pods), severity="error")


# webhooks


def _find_webhooks(cluster: Cluster) -> t.Iterator[Problem]:
    found = Authentications(cluster)
    denied: dict[ObjectRef, tuple[dict[str, None], dict[ObjectRef, None]]] = {}
    for kind in (MUTATING_WEBHOOK, VALIDATING_WEBHOOK):
        for configuration in cluster.all(kind):
            for webhook in configuration.get("webhooks") or ():
                for policy, service in _strict_backends(webhook, found, cluster):
                    names, refs = denied.setdefault(ref_of(policy), ({}, {}))
                    names[_title(webhook, service)] = None
                    refs.update(dict.fromkeys((ref_of(configuration), ref_of(service))))
    for place, (names, refs) in denied.items():
        message = (
            f"STRICT denies the API servers, which have no identity in the mesh, and with them {format_names(names, 5)}: requests for what these webhooks "
            "see fail, or pass unseen where failurePolicy is Ignore"
        )
        remedy = (
            "Add a PeerAuthentication with a selector for the pods of the webhook and PERMISSIVE for its port in portLevelMtls, "
            "or take these pods out of the mesh (istio.io/dataplane-mode: none)."
        )
        yield Problem(place, message, remedy, tuple(refs))


def _title(webhook: t.Mapping[str, t.Any], service: Object) -> str:
    return f"webhook {webhook.get('name')} (Service {service['metadata']['namespace']}/{service['metadata']['name']})"


def _strict_backends(webhook: t.Mapping[str, t.Any], found: Authentications, cluster: Cluster) -> t.Iterator[tuple[Object, Object]]:
    """The policies that keep the API servers from the pods behind a webhook, each with the Service."""
    ref = (webhook.get("clientConfig") or {}).get("service") or {}
    service = cluster.get(SERVICE, str(ref.get("name")), str(ref.get("namespace")))
    selector = service["spec"].get("selector") if service else None
    if service is None or not selector:
        return
    for pod in cluster.captured_or_pending.get(service["metadata"]["namespace"], ()):
        if has_labels(pod, selector):
            state = found.of(pod)
            policy = state.policy if state.mode == "STRICT" else state.of_pod
            if policy is not None and state.is_strict(_port_of(service, int(ref.get("port") or 443), pod)):
                yield policy, service


def _port_of(service: Object, number: int, pod: Object) -> int | None:
    """The port of a pod to which a port of a Service leads; None if it is not known."""
    port: t.Mapping[str, t.Any] = next((one for one in service["spec"].get("ports") or () if one.get("port") == number), {})
    target = port.get("targetPort", port.get("port"))
    if isinstance(target, int):
        return target
    named = {one.get("name"): one.get("containerPort") for container in pod["spec"].get("containers") or () for one in container.get("ports") or ()}
    return t.cast("int | None", named.get(target))


# policies that have no effect


def _find_ignored(cluster: Cluster) -> t.Iterator[Problem]:
    for policy in policies_in(cluster, PEER_AUTHENTICATION):
        if policy["metadata"]["namespace"] not in cluster.root_namespaces or spec_of(policy).get("selector") is None:
            continue
        if _selector_of(policy):
            verdict = judge_peer_authentication("", policy, [], root_namespace=policy["metadata"]["namespace"])
            if verdict.reason == "SelectorInRootNamespace":
                yield Problem(ref_of(policy), f"{verdict.message}, so it has no effect on any pod", verdict.remedy)
        elif cluster.captured_or_pending:
            message = "it has an empty selector, and then it holds for sidecars of the whole mesh, but not for pods in ambient mesh of other namespaces"
            yield Problem(ref_of(policy), message, "Remove the selector.")


def _find_shadowed(cluster: Cluster) -> t.Iterator[Problem]:
    policies = policies_in(cluster, PEER_AUTHENTICATION)
    for policy in policies:
        own = policy["metadata"]["namespace"]
        if own in cluster.root_namespaces and spec_of(policy).get("selector") is not None:
            continue
        root = own if own in cluster.root_namespaces else min(cluster.root_namespaces)
        neighbours = [other for other in policies if other["metadata"]["namespace"] == own]
        verdict = judge_peer_authentication("", policy, neighbours, root_namespace=root)
        if verdict.reason == "Shadowed":
            others = [other for other in neighbours if other is not policy and _selector_of(other) == _selector_of(policy)]
            same = all(_says(other) == _says(policy) for other in others)
            severity: Severity | None = "info" if same else None
            yield Problem(ref_of(policy), verdict.message, verdict.remedy, refs_of(others), severity=severity)
    yield from _find_overlaps(cluster)


def _says(policy: Object) -> tuple[str, dict[int, str]]:
    return _mode_of(policy), _ports_of(policy)


def _find_overlaps(cluster: Cluster) -> t.Iterator[Problem]:
    """Policies with different selectors that select the same pods: there, too, only the oldest counts."""
    found = Authentications(cluster)
    by_namespace: dict[str, list[Object]] = {}
    for policy in policies_in(cluster, PEER_AUTHENTICATION):
        if _selector_of(policy) and policy["metadata"]["namespace"] not in cluster.root_namespaces:
            by_namespace.setdefault(policy["metadata"]["namespace"], []).append(policy)
    for namespace, policies in by_namespace.items():
        lost: dict[tuple[ObjectRef, ObjectRef], list[Object]] = {}
        for pod in cluster.captured_or_pending.get(namespace, ()) if len(policies) > 1 else ():
            winner = found.of(pod).of_pod
            for policy in policies:
                if winner is None or policy is winner or not has_labels(pod, _selector_of(policy)):
                    continue
                if _selector_of(policy) != _selector_of(winner) and _says(policy) != _says(winner):
                    lost.setdefault((ref_of(policy), ref_of(winner)), []).append(pod)
        for (place, winner_ref), pods in lost.items():
            message = (
                f"it also selects {format_count(len(pods), 'pod')} of {winner_ref}, which is older, and only the oldest that selects a pod takes effect on it"
            )
            yield Problem(place, message, "Merge the two, or let their selectors not overlap.", refs_of(pods))


def _find_empty(cluster: Cluster) -> t.Iterator[Problem]:
    for policy in policies_in(cluster, PEER_AUTHENTICATION):
        wanted, own = _selector_of(policy), policy["metadata"]["namespace"]
        if not wanted or own in cluster.root_namespaces or is_new(policy, cluster):
            continue
        scope = pods_in_scope(cluster, policy)
        if not any(has_labels(pod, wanted) for pod in scope):
            yield selects_nothing(policy, wanted, scope, cluster)


def _find_ports(cluster: Cluster) -> t.Iterator[Problem]:
    for policy in policies_in(cluster, PEER_AUTHENTICATION):
        ports = _ports_of(policy)
        if ports and not _selector_of(policy):
            message = (
                f"it sets modes for port {format_names(sorted(ports))} without a selector, and such modes count only for selected pods, so they are ignored"
            )
            yield Problem(ref_of(policy), message, "Set portLevelMtls in a PeerAuthentication with a selector.")


_SOURCE = "istio pilot/pkg/serviceregistry/ambient/authorization.go (convertedSelectorPeerAuthentications)"
_NEEDS = (PEER_AUTHENTICATION, POD, NAMESPACE)

CHECKS: tuple[Check, ...] = (
    Check("MW6701", "A PeerAuthentication says DISABLE in ambient mesh", "warning", _NEEDS, _find_disabled, _SOURCE),
    Check(
        "MW6702",
        "STRICT denies the API servers a webhook",
        "error",
        (*_NEEDS, SERVICE, MUTATING_WEBHOOK, VALIDATING_WEBHOOK),
        _find_webhooks,
        "istio pilot/pkg/serviceregistry/ambient/policies.go (DefaultPolicy), ztunnel src/proxy/inbound_passthrough.rs",
    ),
    Check("MW6703", "A PeerAuthentication in the root namespace has a selector", "error", (*_NEEDS, CONFIG_MAP), _find_ignored, _SOURCE),
    Check("MW6704", "An older PeerAuthentication takes precedence", "warning", _NEEDS, _find_shadowed, _SOURCE),
    Check("MW6705", "A PeerAuthentication selects no pod", "warning", (*_NEEDS, DEPLOYMENT, STATEFUL_SET), _find_empty, _SOURCE),
    Check(
        "MW6706",
        "A PeerAuthentication without a selector sets modes for ports",
        "warning",
        (PEER_AUTHENTICATION, NAMESPACE),
        _find_ports,
        "istio pkg/config/validation/validation.go",
    ),
)

__all__ = ("CHECKS", "Authentications", "InForce")
