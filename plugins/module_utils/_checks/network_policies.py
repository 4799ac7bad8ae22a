# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Do NetworkPolicies let the mesh work: HBONE between pods and waypoints, istiod for its proxies and webhooks, and probes?

All traffic between pods in the mesh arrives on port 15008, whatever port the client has asked for, so a policy that allows only that port blocks it.

Source: istio.io/docs/ambient/usage/networkpolicy, istio manifests/charts (networkpolicy.yaml of istiod and ztunnel), kubernetes' NetworkPolicySpec.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._kinds import (
    CILIUM_CLUSTERWIDE_POLICY,
    CILIUM_NETWORK_POLICY,
    CONFIG_MAP,
    DAEMON_SET,
    DEPLOYMENT,
    GATEWAY,
    MUTATING_WEBHOOK,
    NAMESPACE,
    NETWORK_POLICY,
    POD,
    SERVICE,
    VALIDATING_WEBHOOK,
)
from .._mesh.labels import GATEWAY_NAME, HBONE_PORT, Object, labels_of, template_of
from .._text import format_count, format_names
from .check import Check
from .cluster import Cluster
from .finding import ObjectRef, Problem, Severity, ref_of
from .network_components import find_blocked_istiod, find_blocked_waypoints
from .network_rules import Entry, Isolated, NetworkRule, PodKey, key_of, title_of_peers
from .network_traffic import Problems, Traffic, main_policy, names_of
from .policy_rules import address_in

_DNS = {"53", "dns", "dns-tcp"}
# Ports that rules to everywhere open for the internet.
_WEB = {"80", "443"}
_PROBES = "169.254.7.127"
_PROBES_V6 = "fd16:9254:7127:1337:ffff:ffff:ffff:ffff"
_PROBE_SETTING = "HOST_PROBE_SNAT_IP"
_OPEN = f"Allow TCP port {HBONE_PORT} beside the ports of the application, in this policy or in one for the whole namespace."


# HBONE into pods


@dataclass(frozen=True)
class _Case:
    """Pods of a group that are alike.

    Attributes:
        group: the group.
        pods: the pods.
        allowed: who may send them HBONE.
        senders: who sends them HBONE itself, rather than through their waypoints.
        everywhere: how serious it is if the application is open to everywhere, and HBONE is not.
    """

    group: Isolated
    pods: t.Sequence[Object]
    allowed: frozenset[PodKey]
    senders: frozenset[PodKey]
    everywhere: Severity = "error"


def _find_blocked_in(cluster: Cluster) -> t.Iterator[Problem]:
    traffic, found = Traffic(cluster), Problems(cluster)
    for group in traffic.isolated(traffic.captured.values(), "Ingress"):
        if not group.rules:
            message = "it lets nothing in, and no other policy allows anything, so the mesh reaches its pods as little as anybody else"
            found.add(group.policies[0], message, f"If they are to be called, allow TCP port {HBONE_PORT} from their callers.", group.pods, "info")
        allowed = _allowed_in(group, traffic)
        if allowed is None:
            continue
        _judge_waypoints_in(group, allowed, traffic, found)
        for behind in (False, True):
            pods = [pod for pod in group.pods if traffic.only_behind_waypoints(pod) == behind]
            _judge_case_in(_Case(group, pods, allowed, _direct_senders(pods, behind, traffic)), traffic, found)
    # Pods in the mesh send HBONE to sidecars too, but nothing says whether they call these.
    for group in traffic.isolated(traffic.sidecars.values(), "Ingress"):
        allowed = _allowed_in(group, traffic)
        if allowed is not None:
            _judge_case_in(_Case(group, group.pods, allowed, frozenset(traffic.captured), "warning"), traffic, found)
    yield from found.problems()


def _allowed_in(group: Isolated, traffic: Traffic) -> frozenset[PodKey] | None:
    """Who may send HBONE to a group; None for everybody."""
    return traffic.peers.of(rule for rule in group.rules if rule.allows(HBONE_PORT, None))


def _direct_senders(pods: t.Iterable[Object], behind: bool, traffic: Traffic) -> frozenset[PodKey]:
    if not behind:
        return frozenset(traffic.senders)
    through = all(map(traffic.takes_ingress_through_waypoints, pods))
    return frozenset(traffic.sidecars) | (frozenset() if through else frozenset(traffic.gateways))


def _judge_case_in(case: _Case, traffic: Traffic, found: Problems) -> None:
    for rule in case.group.rules if case.pods else ():
        if rule.tcp_ports() and not rule.allows(HBONE_PORT, None):
            _judge_rule_in(rule, case, traffic, found)


def _judge_waypoints_in(group: Isolated, allowed: frozenset[PodKey], traffic: Traffic, found: Problems) -> None:
    """Whether the waypoints in front of pods may reach them, if pods in the mesh are meant to."""
    rule = next((rule for rule in group.rules if (rule.ports is None or rule.tcp_ports()) and _is_for_mesh(rule, traffic)), None)
    by_waypoint: dict[ObjectRef, list[Object]] = {}
    for pod in group.pods if rule is not None else ():
        for key in traffic.fronts_of(key_of(pod)) - allowed:
            name = labels_of(traffic.waypoints[key]).get(GATEWAY_NAME, key[1])
            by_waypoint.setdefault(ObjectRef(GATEWAY.name, key[0], name), []).append(pod)
    for gateway, pods in by_waypoint.items():
        if rule is not None:
            message = f"no policy lets the waypoint {gateway} reach its pods on TCP port {HBONE_PORT}, so traffic that comes through the waypoint times out"
            found.add(rule.policy, message, f"Allow TCP port {HBONE_PORT} from the pods with {GATEWAY_NAME}={gateway.name} of {gateway.namespace}.", pods)


def _is_for_mesh(rule: NetworkRule, traffic: Traffic) -> bool:
    return rule.peers is None or not traffic.peers.of_peers(rule.peers, rule).isdisjoint(traffic.captured)


def _judge_rule_in(rule: NetworkRule, case: _Case, traffic: Traffic, found: Problems) -> None:
    start = f"it lets TCP port {format_names(rule.tcp_ports())} in"
    if rule.peers is None:
        missing = case.senders - case.allowed
        if missing:
            whose = f"calls from {names_of(missing)}" if case.allowed else "calls from the mesh"
            only = ", but only from some" if case.allowed else ", but from nowhere"
            message = f"{start} from everywhere{only} TCP port {HBONE_PORT}, by which pods in the mesh send all traffic, so {whose} time out"
            found.add(rule.policy, message, _OPEN, case.pods, case.everywhere)
        return
    blocks = [peer for peer in rule.peers if peer.get("ipBlock")]
    others = [peer for peer in rule.peers if not peer.get("ipBlock")]
    # A block of addresses may be meant for callers outside of the cluster, although it contains pods.
    _judge_peers_in(f"{start} from {title_of_peers(others)}", others, rule, case, traffic, found, "error")
    _judge_peers_in(f"{start} from {title_of_peers(blocks)}", blocks, rule, case, traffic, found, "warning")


def _judge_peers_in(
    start: str, peers: t.Sequence[Entry], rule: NetworkRule, case: _Case, traffic: Traffic, found: Problems, severity: t.Literal["error", "warning"]
) -> None:
    meant = traffic.peers.of_peers(peers, rule)
    missing = (meant & case.senders) - case.allowed
    if missing:
        message = f"{start}, but not TCP port {HBONE_PORT}, by which pods in the mesh send all traffic, so calls from {names_of(missing)} time out"
        found.add(rule.policy, message, _OPEN, case.pods, severity)
    elif severity == "error" and peers and not meant and case.senders and not _named_elsewhere(peers, rule, case.group):
        message = f"{start}, where no pod runs now, but not TCP port {HBONE_PORT}, by which pods in the mesh will send all traffic"
        found.add(rule.policy, message, _OPEN, case.pods, "warning")


def _named_elsewhere(peers: t.Iterable[Entry], rule: NetworkRule, group: Isolated) -> bool:
    """Whether other rules name the same peers for HBONE, although there is no pod of theirs now."""
    own = rule.policy["metadata"]["namespace"]
    named = [peer for other in group.rules if other.allows(HBONE_PORT, None) and other.policy["metadata"]["namespace"] == own for peer in other.peers or ()]
    return all(peer in named for peer in peers)


# HBONE out of pods


def _find_blocked_out(cluster: Cluster) -> t.Iterator[Problem]:
    traffic, found = Traffic(cluster), Problems(cluster)
    for clients, in_mesh in ((traffic.captured, True), ({**traffic.gateways, **traffic.waypoints}, False)):
        for group in traffic.isolated(clients.values(), "Egress"):
            allowed = traffic.peers.of(rule for rule in group.rules if rule.allows(HBONE_PORT, None))
            for rule in group.rules if allowed is not None else ():
                _judge_rule_out(rule, group, allowed or frozenset(), in_mesh, traffic, found)
    yield from found.problems()


def _judge_rule_out(rule: NetworkRule, group: Isolated, allowed: frozenset[PodKey], in_mesh: bool, traffic: Traffic, found: Problems) -> None:
    ports = rule.tcp_ports()
    if not ports or set(ports) <= _DNS or rule.allows(HBONE_PORT, None):
        return
    blocks = [peer for peer in rule.peers or () if peer.get("ipBlock")]
    others = [peer for peer in rule.peers or () if not peer.get("ipBlock")]
    cases: list[tuple[str, list[Entry] | None, Severity]] = [("everywhere", None, "error")]
    if rule.peers is not None:
        cases = [(title_of_peers(others), others, "error"), (title_of_peers(blocks), blocks, "warning")]
    own = frozenset(map(key_of, group.pods))
    for target, peers, severity in cases:
        missing = traffic.hops_of(rule, peers, through_waypoints=in_mesh) - allowed - own
        if peers is None and (set(ports) <= _WEB or not any(key[0] == rule.policy["metadata"]["namespace"] for key in missing)):
            # It may be meant for the internet, or for a database outside of the mesh.
            severity = "warning"
        if missing:
            message = (
                f"it lets TCP port {format_names(ports)} out to {target}, but not TCP port {HBONE_PORT}, by which the mesh sends it, "
                f"so calls to {names_of(missing)} time out"
            )
            found.add(rule.policy, message, _OPEN, group.pods, severity)


# what is good to know


def _find_probes(cluster: Cluster) -> t.Iterator[Problem]:
    if _has_other_probe_address(cluster):
        return
    traffic, found = Traffic(cluster), Problems(cluster)
    message = (
        f"it does not let in {_PROBES}, the source of probes of the kubelet at pods in ambient mesh (by IPv6 {_PROBES_V6}), "
        "and not all CNI plugins let these pass by themselves"
    )
    for group in traffic.isolated(traffic.captured.values(), "Ingress"):
        if group.rules and not any(_lets_probes_in(rule) for rule in group.rules):
            found.add(main_policy(group), message, f"If probes fail, allow the ports that they use from {_PROBES}/32.", group.pods, "info")
    yield from found.problems()


def _has_other_probe_address(cluster: Cluster) -> bool:
    containers = (one for item in cluster.cni_agents for one in (template_of(item).get("spec") or {}).get("containers") or ())
    if any(entry.get("name") == _PROBE_SETTING for one in containers for entry in one.get("env") or ()):
        return True
    return any(_PROBE_SETTING in (item.get("data") or {}) for item in cluster.all(CONFIG_MAP))


def _lets_probes_in(rule: NetworkRule) -> bool:
    return rule.peers is None or any(_contains_probes(peer["ipBlock"]) for peer in rule.peers if peer.get("ipBlock"))


def _contains_probes(block: Entry) -> bool:
    return address_in(str(block.get("cidr")), _PROBES) and not any(address_in(str(one), _PROBES) for one in block.get("except") or ())


def _find_unread(cluster: Cluster) -> t.Iterator[Problem]:
    traffic = Traffic(cluster)
    found: dict[ObjectRef, dict[ObjectRef, None]] = {}
    for pod in traffic.captured.values():
        for policy in traffic.policies.opaque(pod):
            found.setdefault(ref_of(policy), {})[ref_of(pod)] = None
    for place, pods in found.items():
        message = f"it may select {format_count(len(pods), 'pod')} in ambient mesh and says more than these checks understand, so they do not judge it"
        remedy = f"See for yourself that it lets TCP port {HBONE_PORT} in and out, and probes from {_PROBES}/32 in."
        yield Problem(place, message, remedy, tuple(pods))


_CILIUM = (CILIUM_NETWORK_POLICY, CILIUM_CLUSTERWIDE_POLICY)
_NEEDS = (NETWORK_POLICY, POD, NAMESPACE, SERVICE, GATEWAY, *_CILIUM)
_SOURCE = "istio.io/docs/ambient/usage/networkpolicy, istio#52742"

CHECKS: tuple[Check, ...] = (
    Check("MW7001", "A NetworkPolicy blocks HBONE into pods", "error", _NEEDS, _find_blocked_in, _SOURCE),
    Check("MW7002", "A NetworkPolicy blocks HBONE out of pods", "error", _NEEDS, _find_blocked_out, _SOURCE),
    Check("MW7003", "A NetworkPolicy blocks a waypoint or a gateway", "error", _NEEDS, find_blocked_waypoints, _SOURCE),
    Check(
        "MW7004",
        "A NetworkPolicy blocks istiod",
        "error",
        (*_NEEDS, DEPLOYMENT, DAEMON_SET, MUTATING_WEBHOOK, VALIDATING_WEBHOOK),
        find_blocked_istiod,
        "istio manifests/charts/istio-control/istio-discovery/templates/networkpolicy.yaml",
    ),
    Check("MW7005", "A NetworkPolicy may block probes", "info", _NEEDS, _find_probes, _SOURCE),
    Check("MW7006", "A policy of Cilium's is not judged", "info", _NEEDS, _find_unread, "docs.cilium.io/en/stable/security/policy/language"),
)

__all__ = ("CHECKS",)
