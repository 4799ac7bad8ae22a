# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""What NetworkPolicies let through: they add up, and a pod that one of them selects in a direction may do only what they allow together.

Of Cilium's own policies only those are understood that say no more than a NetworkPolicy could: endpoints and ports.

Source: kubernetes' API reference of NetworkPolicySpec, cilium pkg/policy/api (Rule, IngressRule, PortRule) and its pages on layers 3 and 4.
"""

from __future__ import annotations

import functools
import ipaddress
import json
import typing as t
from dataclasses import dataclass

from .._kinds import CILIUM_CLUSTERWIDE_POLICY, CILIUM_NETWORK_POLICY, NAMESPACE, NETWORK_POLICY, POD
from .._mesh.labels import Object, labels_of, matches
from .cluster import Cluster, is_live

Direction = t.Literal["Ingress", "Egress"]
# A pod by its namespace and name.
PodKey = t.Tuple[str, str]
NO_PODS: frozenset[PodKey] = frozenset()
Entry = t.Mapping[str, t.Any]

_NAMESPACE_NAME = "kubernetes.io/metadata.name"
_CILIUM_NAMESPACE = "io.kubernetes.pod.namespace"
_CILIUM_PREFIX = "k8s:"
_CILIUM_SPEC = {"endpointSelector", "ingress", "egress", "description", "labels"}


@dataclass(frozen=True)
class NetworkRule:
    """One rule of a policy.

    Attributes:
        policy: the policy.
        ports: what it allows; None for all ports.
        peers: from or to where; None for everywhere.
    """

    policy: Object
    ports: t.Sequence[Entry] | None
    peers: t.Sequence[Entry] | None

    def allows(self, port: int, pod: Object | None) -> bool:
        """Whether it allows a TCP port of a pod; a named port counts by the containers of that pod."""
        return self.ports is None or any(_includes(entry, port, pod) for entry in self.ports)

    def tcp_ports(self) -> list[str]:
        """The TCP ports that it names, as messages show them; empty if it names none, or allows all."""
        return [_title_of(entry) for entry in self.ports or () if entry.get("protocol", "TCP") == "TCP"]


def _includes(entry: Entry, port: int, pod: Object | None) -> bool:
    if entry.get("protocol", "TCP") != "TCP":
        return False
    first = entry.get("port")
    if first is None:
        return True
    if isinstance(first, int):
        return first <= port <= int(entry.get("endPort") or first)
    return pod is not None and any(named.get("name") == first and named.get("containerPort") == port for named in container_ports(pod))


def _title_of(entry: Entry) -> str:
    if entry.get("port") is None:
        return "all ports"
    return f"{entry['port']}-{entry['endPort']}" if entry.get("endPort") else str(entry["port"])


def container_ports(pod: Object) -> list[Entry]:
    """The ports that the containers of a pod declare."""
    return [port for container in pod["spec"].get("containers") or () for port in container.get("ports") or ()]


def key_of(pod: Object) -> PodKey:
    """Which pod this is."""
    return pod["metadata"]["namespace"], pod["metadata"]["name"]


# peers


class Peers:
    """Which pods the peers of rules stand for; pods in the network of their node are none to a NetworkPolicy."""

    def __init__(self, cluster: Cluster) -> None:
        self._labels = {item["metadata"]["name"]: {_NAMESPACE_NAME: item["metadata"]["name"], **labels_of(item)} for item in cluster.all(NAMESPACE)}
        self._pods: dict[str, list[Object]] = {}
        for pod in cluster.all(POD):
            if is_live(pod) and not pod["spec"].get("hostNetwork"):
                self._pods.setdefault(pod["metadata"]["namespace"], []).append(pod)
        self._found: dict[tuple[str, str], frozenset[PodKey]] = {}

    def of(self, rules: t.Iterable[NetworkRule]) -> frozenset[PodKey] | None:
        """The pods that rules together stand for; None for all."""
        found = NO_PODS
        for rule in rules:
            if rule.peers is None:
                return None
            found |= self.of_peers(rule.peers, rule)
        return found

    def of_peers(self, peers: t.Iterable[Entry], rule: NetworkRule) -> frozenset[PodKey]:
        """The pods that some peers of a rule stand for."""
        return NO_PODS.union(*(self._of_peer(peer, rule.policy["metadata"]["namespace"]) for peer in peers))

    def _of_peer(self, peer: Entry, own_namespace: str) -> frozenset[PodKey]:
        """The pods that one peer stands for."""
        key = (json.dumps(peer, sort_keys=True), own_namespace if "namespaceSelector" not in peer else "")
        if key not in self._found:
            block = peer.get("ipBlock")
            self._found[key] = self._in_block(block) if block else self._selected(peer, own_namespace)
        return self._found[key]

    def _selected(self, peer: Entry, own_namespace: str) -> frozenset[PodKey]:
        spaces = peer.get("namespaceSelector")
        namespaces = [own_namespace] if spaces is None else [name for name in self._pods if matches(spaces, self._labels.get(name, {_NAMESPACE_NAME: name}))]
        selector = peer.get("podSelector") or {}
        return frozenset(key_of(pod) for name in namespaces for pod in self._pods.get(name, ()) if matches(selector, labels_of(pod)))

    def _in_block(self, block: Entry) -> frozenset[PodKey]:
        try:
            network = ipaddress.ip_network(str(block.get("cidr")), strict=False)
            excepted = [ipaddress.ip_network(str(one), strict=False) for one in block.get("except") or ()]
        except ValueError:
            return frozenset()
        return frozenset(key for key, address in self._addresses if address in network and not any(address in one for one in excepted))

    @functools.cached_property
    def _addresses(self) -> list[tuple[PodKey, ipaddress.IPv4Address | ipaddress.IPv6Address]]:
        found = ((key_of(pod), _address_of(pod)) for pods in self._pods.values() for pod in pods)
        return [(key, address) for key, address in found if address is not None]


def _address_of(pod: Object) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(str((pod.get("status") or {}).get("podIP")))
    except ValueError:
        return None


def title_of_peers(peers: t.Iterable[Entry]) -> str:
    """Peers as messages show them."""
    return " or ".join(dict.fromkeys(map(_title_of_peer, peers)))


def _title_of_peer(peer: Entry) -> str:
    if peer.get("ipBlock"):
        return f"addresses {peer['ipBlock'].get('cidr')}"
    spaces, pods = peer.get("namespaceSelector"), _title_of_selector(peer.get("podSelector") or {})
    wanted = _title_of_selector(spaces or {})
    where = "" if spaces is None else f" of namespaces with {wanted}" if wanted else " of all namespaces"
    return f"pods with {pods}{where}" if pods else f"all pods{where or ' of its namespace'}"


def _title_of_selector(selector: Entry) -> str:
    """The labels that a selector asks for; empty if it matches everything."""
    parts = [f"{name}={value}" for name, value in sorted((selector.get("matchLabels") or {}).items())]
    for one in selector.get("matchExpressions") or ():
        values = f" ({', '.join(map(str, one['values']))})" if one.get("values") else ""
        parts.append(f"{one.get('key')} {one.get('operator')}{values}")
    return ", ".join(parts)


# policies


@dataclass(frozen=True)
class Isolated:
    """Pods that the same policies isolate in one direction.

    Attributes:
        pods: the pods.
        policies: the policies.
        rules: what these allow together.
        understood: whether that is all: not if policies of Cilium's select them that say more.
    """

    pods: tuple[Object, ...]
    policies: tuple[Object, ...]
    rules: tuple[NetworkRule, ...]
    understood: bool = True


class NetworkPolicies:
    """The policies of a cluster, by namespace."""

    def __init__(self, cluster: Cluster) -> None:
        self._policies: dict[str, list[Object]] = {}
        for policy in (*cluster.all(NETWORK_POLICY), *filter(None, map(_as_network_policy, cluster.all(CILIUM_NETWORK_POLICY)))):
            if not policy["metadata"].get("deletionTimestamp"):
                self._policies.setdefault(policy["metadata"]["namespace"], []).append(policy)
        self._opaque: dict[str, list[Object]] = {}
        for policy in cluster.all(CILIUM_NETWORK_POLICY):
            if _as_network_policy(policy) is None:
                self._opaque.setdefault(policy["metadata"]["namespace"], []).append(policy)
        self._wide = [policy for policy in cluster.all(CILIUM_CLUSTERWIDE_POLICY) if not _only_host_probes(policy)]

    def isolated(self, pods: t.Iterable[Object], direction: Direction) -> list[Isolated]:
        """Those of the pods that policies isolate, grouped by the policies; pods in the network of their node never are."""
        groups: dict[tuple[t.Any, ...], list[Object]] = {}
        chosen: dict[tuple[t.Any, ...], tuple[Object, ...]] = {}
        for pod in pods:
            found = self._selecting(pod, direction)
            if found and not pod["spec"].get("hostNetwork"):
                key = (*map(id, found), bool(self.opaque(pod)))
                groups.setdefault(key, []).append(pod)
                chosen[key] = found
        return [
            Isolated(tuple(group), chosen[key], tuple(rule for policy in chosen[key] for rule in _rules_of(policy, direction)), not key[-1])
            for key, group in groups.items()
        ]

    def _selecting(self, pod: Object, direction: Direction) -> tuple[Object, ...]:
        policies = self._policies.get(pod["metadata"]["namespace"], ())
        return tuple(one for one in policies if direction in _types_of(one) and matches(one["spec"].get("podSelector") or {}, labels_of(pod)))

    def opaque(self, pod: Object) -> list[Object]:
        """The policies of Cilium's that may select a pod and are not understood."""
        return [*(one for one in self._opaque.get(pod["metadata"]["namespace"], ()) if _may_select(one, pod)), *self._wide]


def _types_of(policy: Object) -> t.Collection[str]:
    given = policy["spec"].get("policyTypes")
    return given if given else ("Ingress", "Egress") if policy["spec"].get("egress") else ("Ingress",)


def _rules_of(policy: Object, direction: Direction) -> t.Iterator[NetworkRule]:
    field, peers = ("ingress", "from") if direction == "Ingress" else ("egress", "to")
    for rule in policy["spec"].get(field) or ():
        yield NetworkRule(policy, (rule or {}).get("ports") or None, (rule or {}).get(peers) or None)


# Cilium


def _as_network_policy(policy: Object) -> Object | None:
    """A CiliumNetworkPolicy in the form of a NetworkPolicy; None if it says more than that can."""
    spec = policy.get("spec")
    if not isinstance(spec, dict) or policy.get("specs") or not set(spec) <= _CILIUM_SPEC:
        return None
    selector = _as_peer(spec.get("endpointSelector"))
    ingress = [_as_rule(rule, "fromEndpoints", "from") for rule in spec.get("ingress") or ()]
    egress = [_as_rule(rule, "toEndpoints", "to") for rule in spec.get("egress") or ()]
    if selector is None or "namespaceSelector" in selector or None in (*ingress, *egress):
        return None
    types = [name for name, rules in (("Ingress", ingress), ("Egress", egress)) if rules]
    return {**policy, "spec": {"podSelector": selector["podSelector"], "policyTypes": types or ["None"], "ingress": ingress, "egress": egress}}


def _as_rule(rule: t.Any, endpoints: str, peers: str) -> Entry | None:
    if not isinstance(rule, dict) or not rule or not set(rule) <= {endpoints, "toPorts"}:
        return None
    found: dict[str, t.Any] = {}
    if endpoints in rule:
        found[peers] = [_as_peer(one) for one in rule[endpoints] or ()]
        if not found[peers] or None in found[peers]:
            return None
    for group in rule.get("toPorts") or ():
        if not set(group) <= {"ports"} or not group.get("ports"):
            return None
        for port in group["ports"]:
            number = str(port.get("port") or "0")
            entry = {"port": int(number) if number.isdigit() else number, **({"endPort": port["endPort"]} if port.get("endPort") else {})}
            protocols = ("TCP", "UDP") if port.get("protocol", "ANY") == "ANY" else (port["protocol"],)
            found.setdefault("ports", []).extend({**entry, "protocol": name} for name in protocols)
    return found


def _as_peer(selector: t.Any) -> dict[str, t.Any] | None:
    """A selector of endpoints as a peer; its labels may name the namespace."""
    if not isinstance(selector, dict) or not set(selector) <= {"matchLabels", "matchExpressions"}:
        return None
    labels = {_plain(name): value for name, value in (selector.get("matchLabels") or {}).items()}
    expressions = [{**one, "key": _plain(str(one.get("key")))} for one in selector.get("matchExpressions") or ()]
    namespace = labels.pop(_CILIUM_NAMESPACE, None)
    if any(":" in name or name.startswith(_CILIUM_NAMESPACE.rpartition(".")[0]) for name in (*labels, *(one["key"] for one in expressions))):
        return None
    peer: dict[str, t.Any] = {"podSelector": {"matchLabels": labels, "matchExpressions": expressions}}
    return peer if namespace is None else {**peer, "namespaceSelector": {"matchLabels": {_NAMESPACE_NAME: namespace}}}


def _plain(name: str) -> str:
    return name[len(_CILIUM_PREFIX) :] if name.startswith(_CILIUM_PREFIX) else name


def _may_select(policy: Object, pod: Object) -> bool:
    selector = _as_peer((policy.get("spec") or {}).get("endpointSelector"))
    return selector is None or matches(selector["podSelector"], labels_of(pod))


def _only_host_probes(policy: Object) -> bool:
    """Whether a policy denies nothing by default and allows only addresses, such as the one that Istio's pages give for the probes of kubelets."""
    spec = policy.get("spec") or {}
    default_deny = spec.get("enableDefaultDeny") or {}
    quiet = default_deny.get("ingress") is False and default_deny.get("egress", False) is False
    return quiet and not spec.get("egress") and all(set(rule) <= {"fromCIDR", "fromCIDRSet"} for rule in spec.get("ingress") or ())


__all__ = (
    "NO_PODS",
    "Direction",
    "Entry",
    "Isolated",
    "NetworkPolicies",
    "NetworkRule",
    "Peers",
    "PodKey",
    "container_ports",
    "key_of",
    "title_of_peers",
)
