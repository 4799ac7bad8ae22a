# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Who sends HBONE to whom: pods in ambient mesh to each other, through the waypoints that are in front of them, and proxies to them.

Pods outside of the mesh, such as a Prometheus that scrapes in plain text, use the ports of the application.

Source: ztunnel src/proxy/outbound.rs, istio pilot/pkg/serviceregistry/ambient/waypoints.go, and the label of its injection template for sidecars that
take HBONE (networking.istio.io/tunnel).
"""

from __future__ import annotations

import functools
import json
import typing as t
from dataclasses import dataclass, field

from .._kinds import DAEMON_SET, POD, SERVICE
from .._mesh.labels import GATEWAY_NAME, INGRESS_USE_WAYPOINT, Object, labels_of, template_of
from .cluster import Cluster, is_live, refs_of, selects
from .finding import ObjectRef, Problem, Severity, ref_of
from .network_rules import NO_PODS, Direction, Entry, Isolated, NetworkPolicies, NetworkRule, Peers, PodKey, container_ports, key_of
from .policy_pods import is_waypoint_pod
from .policy_waypoints import passages

_TUNNEL = ("networking.istio.io/tunnel", "http")
_TRUE = ("1", "t", "T", "true", "TRUE", "True")


class Traffic:
    """The senders and receivers of HBONE in a cluster, and its policies."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.peers = Peers(cluster)
        self.policies = NetworkPolicies(cluster)
        self.captured = {key_of(pod): pod for pods in cluster.captured_or_pending.values() for pod in pods}
        live = [pod for pod in cluster.all(POD) if is_live(pod) and not pod["spec"].get("hostNetwork")]
        self.waypoints = {key_of(pod): pod for pod in live if is_waypoint_pod(pod, cluster)}
        self.gateways = {key_of(pod): pod for pod in live if GATEWAY_NAME in labels_of(pod) and key_of(pod) not in self.waypoints}
        self.sidecars = {key_of(pod): pod for pod in live if labels_of(pod).get(_TUNNEL[0]) == _TUNNEL[1]}
        self.senders = {**self.captured, **self.gateways, **self.waypoints, **self.sidecars}
        self.receivers = {**self.captured, **self.waypoints, **self.sidecars}
        self._hops: dict[tuple[str, str, bool], frozenset[PodKey]] = {}

    @functools.cached_property
    def _fronts(self) -> dict[PodKey, tuple[set[PodKey], set[str]]]:
        """For each pod the pods of the waypoints in front of it, and the names of its Services that are bound to them."""
        by_gateway: dict[PodKey, set[PodKey]] = {}
        for key, pod in self.waypoints.items():
            by_gateway.setdefault((key[0], labels_of(pod).get(GATEWAY_NAME, "")), set()).add(key)
        found: dict[PodKey, tuple[set[PodKey], set[str]]] = {}
        for passage in passages(self.cluster):
            pods, services = found.setdefault(key_of(passage.pod), (set(), set()))
            pods |= by_gateway.get(key_of(passage.gateway), set())
            if passage.service is not None:
                services.add(passage.service["metadata"]["name"])
        return found

    def fronts_of(self, key: PodKey) -> frozenset[PodKey]:
        """The pods of the waypoints in front of a pod."""
        return frozenset(self._fronts.get(key, (set(), set()))[0])

    def only_behind_waypoints(self, pod: Object) -> bool:
        """Whether traffic of pods in the mesh for a pod's Services all comes through waypoints."""
        pods, bound = self._fronts.get(key_of(pod), (set(), set()))
        return bool(pods) and bool(bound) and all(service["metadata"]["name"] in bound for service in self._services_of(pod))

    def takes_ingress_through_waypoints(self, pod: Object) -> bool:
        """Whether ingress gateways, too, send traffic for a pod through its waypoint."""
        space = self.cluster.namespace_labels(pod["metadata"]["namespace"])
        return all({**space, **labels_of(service)}.get(INGRESS_USE_WAYPOINT) in _TRUE for service in self._services_of(pod))

    def _services_of(self, pod: Object) -> list[Object]:
        namespace = pod["metadata"]["namespace"]
        return [service for label in labels_of(pod).items() for service in self._services.get((namespace, *label), ()) if selects(service, pod)]

    @functools.cached_property
    def _services(self) -> dict[tuple[str, str, str], list[Object]]:
        """The Services by their namespace and the first label that they ask for."""
        found: dict[tuple[str, str, str], list[Object]] = {}
        for service in self.cluster.all(SERVICE):
            for label in list((service["spec"].get("selector") or {}).items())[:1]:
                found.setdefault((service["metadata"]["namespace"], *label), []).append(service)
        return found

    def _hops_to(self, pod: Object, *, through_waypoints: bool) -> frozenset[PodKey]:
        """The pods to which HBONE for a pod is sent: itself, or those of its waypoints."""
        fronts = self.fronts_of(key_of(pod)) if through_waypoints else NO_PODS
        return fronts if fronts and self.only_behind_waypoints(pod) else fronts | {key_of(pod)}

    def hops_of(self, rule: NetworkRule, peers: t.Sequence[Entry] | None, *, through_waypoints: bool) -> frozenset[PodKey]:
        """The pods to which HBONE is sent for what a rule lets out to some of its peers, or to everywhere."""
        own = rule.policy["metadata"]["namespace"] if peers is not None else ""
        key = (json.dumps((peers, list(rule.ports or ())), sort_keys=True), own, through_waypoints)
        if key not in self._hops:
            meant = frozenset(self.receivers) if peers is None else self.peers.of_peers(peers, rule) & frozenset(self.receivers)
            served = (self.receivers[pod] for pod in meant if self._serves(self.receivers[pod], rule))
            self._hops[key] = NO_PODS.union(*(self._hops_to(pod, through_waypoints=through_waypoints) for pod in served))
        return self._hops[key]

    def _serves(self, pod: Object, rule: NetworkRule) -> bool:
        """Whether a pod listens on a port that a rule allows, as far as that is known: also if nothing says on which ports it listens."""
        known = self._ports_of(pod)
        return not known or any(rule.allows(port, pod) for port in known)

    def _ports_of(self, pod: Object) -> set[int]:
        found = {port["containerPort"] for port in container_ports(pod) if port.get("protocol", "TCP") == "TCP" and isinstance(port.get("containerPort"), int)}
        for service in self._services_of(pod):
            targets = (port.get("targetPort", port.get("port")) for port in service["spec"].get("ports") or ())
            found |= {target for target in targets if isinstance(target, int)}
        return found

    def isolated(self, pods: t.Iterable[Object], direction: Direction) -> t.Iterator[Isolated]:
        """The isolated pods of which all policies are understood."""
        return (group for group in self.policies.isolated(pods, direction) if group.understood)


# what is found


@dataclass
class Problems:
    """Problems by policy and message, so that each names all pods it affects."""

    cluster: Cluster
    pods: dict[tuple[ObjectRef, str, str, Severity], dict[ObjectRef, None]] = field(default_factory=dict)

    def add(self, policy: Object, message: str, remedy: str, related: t.Iterable[Object], severity: Severity = "error") -> None:
        # A policy that nothing enforces blocks nothing yet.
        if severity == "error" and _is_unenforced(self.cluster):
            message, severity = f"{message}, once NetworkPolicies are enforced, which the VPC CNI of this cluster does not do", "warning"
        self.pods.setdefault((ref_of(policy), message, remedy, severity), {}).update(dict.fromkeys(refs_of(related)))

    def problems(self) -> t.Iterator[Problem]:
        for (place, message, remedy, severity), refs in self.pods.items():
            yield Problem(place, message, remedy, tuple(refs), severity=severity)


def _is_unenforced(cluster: Cluster) -> bool:
    """Whether the VPC CNI is told not to enforce policies, and nothing else does. Source: its argument enable-network-policy (aws-eks-nodeagent)."""
    agent = cluster.get(DAEMON_SET, "aws-node", "kube-system")
    if agent is None or any(item["metadata"]["name"] in ("calico-node", "cilium") for item in cluster.all(DAEMON_SET)):
        return False
    containers = (template_of(agent).get("spec") or {}).get("containers") or ()
    return any("--enable-network-policy=false" in (one.get("args") or ()) for one in containers)


def names_of(keys: t.Collection[PodKey]) -> str:
    """Pods as messages show them: the first by name, and how many more there are."""
    # There may be thousands, and this for each of hundreds of policies.
    first = min(keys)
    more = f" and {len(keys) - 1} more" if len(keys) > 1 else ""
    return f"{'/'.join(first)}{more}"


def main_policy(group: Isolated) -> Object:
    """The policy of a group to which a rule is best added: one that has rules already."""
    return group.rules[0].policy if group.rules else group.policies[0]


__all__ = ("Problems", "Traffic", "main_policy", "names_of")
