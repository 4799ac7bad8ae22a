# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Do the policies that ztunnel enforces on the pods behind a waypoint let the waypoint through, and only the waypoint?

ztunnel sees the identity of the waypoint, not that of the client, on all traffic that has passed one. As long as one ALLOW policy applies to a pod,
what none of them allows is denied.

Source: ztunnel src/state.rs (assert_rbac), istio pilot/pkg/serviceregistry/ambient/policies.go (implicitWaypointPolicy) and waypoints.go,
pilot/pkg/config/kube/gatewaycommon/deploymentcontroller.go (the service account of a waypoint).
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._kinds import AUTHORIZATION_POLICY, SERVICE
from .._mesh.labels import CANARY, CANARY_WEIGHT, GATEWAY_NAME, USE_WAYPOINT, WAYPOINT_CLASS, WAYPOINT_FOR, Object, annotations_of, labels_of, template_of
from .._mesh.waypoints import allows_namespace, canary_of, is_waypoint
from .._status.bindings import can_be_bound
from .._text import format_count, format_names
from .cluster import Cluster, selects
from .finding import ObjectRef, Problem, ref_of
from .policy_pods import ZtunnelPolicies, policies_in
from .policy_rules import Caller, Rule, action_of, enforced_rules, matches, negative, rules_of, targets_of

_SERVICE_ACCOUNT = "gateway.istio.io/service-account"
_AUTO_ALLOW = "PILOT_AUTO_ALLOW_WAYPOINT_POLICY"
_KINDS_FOR = {"service": ("service", "all"), "workload": ("workload", "all")}
_NEGATIVE_SOURCES = tuple(negative(name) for name in ("principals", "namespaces", "serviceAccounts"))


@dataclass(frozen=True)
class Passage:
    """Traffic that reaches a pod through a waypoint.

    Attributes:
        pod: the pod.
        gateway: the waypoint.
        service: the Service that is bound to it; None if the pod itself is.
        ports: the ports of the pod behind the Service, None for each that is not known.
    """

    pod: Object
    gateway: Object
    service: Object | None
    ports: tuple[int | None, ...]


def passages(cluster: Cluster) -> list[Passage]:
    """For each pod in ambient mesh, the waypoints in front of it, by what is bound to them."""
    by_label: dict[tuple[str, str, str], list[Object]] = {}
    for namespace, pods in cluster.captured_or_pending.items():
        for pod in pods:
            for name, value in labels_of(pod).items():
                by_label.setdefault((namespace, name, value), []).append(pod)
    found = []
    for item in (service for services in cluster.bound.values() for service in services):
        selector = item["spec"].get("selector")
        if item["kind"] != SERVICE.name or not isinstance(selector, dict) or not selector:
            continue
        name, value = next(iter(selector.items()))
        pods = [pod for pod in by_label.get((item["metadata"]["namespace"], name, value), ()) if selects(item, pod)]
        for gateway in _waypoints_of(item, cluster) if pods else ():
            found += [Passage(pod, gateway, item, _ports(item, pod)) for pod in pods]
    return found + _passages_of_pods(cluster)


def _waypoints_of(service: Object, cluster: Cluster) -> list[Object]:
    """The waypoint of a Service, and its canary, as far as they exist and take its traffic."""
    namespace = cluster.namespace(service["metadata"]["namespace"])
    source = service if USE_WAYPOINT in labels_of(service) or namespace is None else namespace
    # A label of the Service for its canary counts beside a waypoint of its namespace.
    canary = canary_of(service if CANARY in labels_of(service) else source)
    weights = [annotations_of(item).get(CANARY_WEIGHT) for item in (service, source)]
    refs = [cluster.waypoint_of(service), canary if any(weight not in (None, "0") for weight in weights) else None]
    gateways = [cluster.gateway(ref) for ref in refs if ref is not None]
    return [gateway for gateway in gateways if gateway is not None and _serves(gateway, service, "service", cluster)]


def _passages_of_pods(cluster: Cluster) -> list[Passage]:
    found = []
    for pods in cluster.captured_or_pending.values():
        for pod in pods:
            ref = cluster.waypoint_of(pod)
            gateway = cluster.gateway(ref) if ref else None
            if gateway is not None and _serves(gateway, pod, "workload", cluster):
                found.append(Passage(pod, gateway, None, (None,)))
    return found


def _serves(gateway: Object, item: Object, kind: str, cluster: Cluster) -> bool:
    """Whether a waypoint takes the traffic of a Service or pod that names it, by its class, its traffic type and whom it allows."""
    namespace = item["metadata"]["namespace"]
    if not is_waypoint(gateway) or (kind == "service" and not can_be_bound(item)):
        return False
    traffic = labels_of(gateway).get(WAYPOINT_FOR, "service")
    return traffic in _KINDS_FOR[kind] and allows_namespace(gateway, namespace, cluster.namespace_labels(namespace))


def _ports(service: Object, pod: Object) -> tuple[int | None, ...]:
    named = {port.get("name"): port.get("containerPort") for one in pod["spec"].get("containers") or () for port in one.get("ports") or ()}
    targets = [port.get("targetPort", port.get("port")) for port in service["spec"].get("ports") or () if port.get("protocol", "TCP") == "TCP"]
    found: list[int | None] = [target if isinstance(target, int) else named.get(target) for target in targets]
    return tuple(dict.fromkeys(found)) or (None,)


def _caller_of(gateway: Object, cluster: Cluster) -> Caller:
    """As whom a waypoint connects to the pods behind it."""
    namespace, name = gateway["metadata"]["namespace"], gateway["metadata"]["name"]
    pods = cluster.pods(namespace, {GATEWAY_NAME: name})
    accounts = {pod["spec"]["serviceAccountName"] for pod in pods if pod["spec"].get("serviceAccountName")}
    accounts = accounts or {annotations_of(gateway).get(_SERVICE_ACCOUNT) or name}
    domains = {config.trust_domain for config in cluster.mesh_configs} or {"cluster.local"}
    addresses = tuple(str(pod["status"]["podIP"]) for pod in pods if (pod.get("status") or {}).get("podIP"))
    principals = frozenset(f"{domain}/ns/{namespace}/sa/{account}" for domain in domains for account in accounts)
    return Caller(principals, namespace, frozenset(accounts), addresses)


# what the waypoint may not do


@dataclass
class _Denial:
    gateway: Object
    others: dict[ObjectRef, None]
    affected: dict[ObjectRef, None]
    severity: t.Literal["error", "info"]


def find_denied_waypoints(cluster: Cluster) -> t.Iterator[Problem]:
    """The policies that deny what comes through a waypoint: each with the Services and pods behind it."""
    policies = ZtunnelPolicies(cluster)
    callers: dict[ObjectRef, Caller] = {}
    denials: dict[tuple[ObjectRef, ObjectRef, str], _Denial] = {}
    protected = _protected_by_waypoints(cluster)
    judged: dict[t.Any, tuple[Object | None, str, list[Object]]] = {}
    for passage in passages(cluster):
        gateway = ref_of(passage.gateway)
        caller = callers.setdefault(gateway, _caller_of(passage.gateway, cluster)) if gateway not in callers else callers[gateway]
        applied = policies.of(passage.pod)
        # Most pods of a namespace are in the same situation.
        key = (gateway, passage.ports, tuple(id(policy) for policy in applied))
        if key not in judged:
            judged[key] = _judge(applied, caller, passage.ports, _has_auto_allow(cluster))
        policy, kind, others = judged[key]
        if policy is None:
            continue
        severity: t.Literal["error", "info"] = "error" if kind != "nothing" or _is_protected(passage, protected) else "info"
        denial = denials.setdefault((ref_of(policy), gateway, kind), _Denial(passage.gateway, {}, {}, severity))
        denial.severity = "error" if severity == "error" else denial.severity
        denial.others.update(dict.fromkeys(map(ref_of, others)))
        denial.affected.update(dict.fromkeys(ref_of(item) for item in (passage.service, passage.pod) if item is not None))
    for (place, gateway, kind), denial in denials.items():
        yield _describe(place, gateway, kind, denial, callers[gateway])


def _judge(applied: t.Sequence[Object], caller: Caller, ports: tuple[int | None, ...], auto_allowed: bool) -> tuple[Object | None, str, list[Object]]:
    """Which policy denies a waypoint, how, and which other policies do not allow it either."""
    for policy in applied:
        if action_of(policy) == "DENY" and all(_denies(policy, caller, port) for port in ports):
            return policy, "deny", []
    allowing = [policy for policy in applied if action_of(policy) == "ALLOW"]
    if not allowing or auto_allowed or _admits(allowing, caller, ports):
        return None, "", []
    # Another check names those with HTTP fields, which ztunnel has dropped.
    http = [policy for policy in allowing if any(rule.http for rule in rules_of(policy))]
    candidates = [policy for policy in allowing if rules_of(policy) and policy not in http]
    if candidates:
        return candidates[0], "allow", candidates[1:]
    return (None, "", []) if http else (allowing[0], "nothing", allowing[1:])


def _denies(policy: Object, caller: Caller, port: int | None) -> bool:
    """Whether a DENY policy speaks of callers and means the waypoint too; what it denies to everybody is denied on purpose."""
    own = policy["metadata"]["namespace"]
    return any(rule.from_somebody and matches(rule, caller, own, port, unknown=False) for rule in enforced_rules(policy))


def _admits(allowing: t.Iterable[Object], caller: Caller, ports: tuple[int | None, ...]) -> bool:
    rules = [(rule, policy["metadata"]["namespace"]) for policy in allowing for rule in enforced_rules(policy)]
    admitted = [any(matches(rule, caller, own, port, unknown=True) for rule, own in rules) for port in ports]
    # A rule that means the waypoint shows which of the ports it is to reach.
    meant = any(rule.from_somebody and matches(rule, caller, own, None, unknown=True) for rule, own in rules)
    return any(admitted) and (meant or all(admitted))


def _describe(place: ObjectRef, gateway: ObjectRef, kind: str, denial: _Denial, caller: Caller) -> Problem:
    title = f"Gateway {gateway.namespace}/{gateway.name}"
    identity = " or ".join(sorted(caller.principals))
    also = f" (and neither does {format_names(denial.others)})" if denial.others else ""
    if kind == "deny":
        message = f"it denies {identity}, the identity of the waypoint {title}, so all traffic is denied that comes through it"
        remedy = f"Except {identity} in notPrincipals, and restrict the clients by a policy with targetRefs at the waypoint."
    elif kind == "allow":
        message = f"it does not allow {identity}{also}, the identity of the waypoint {title}, so ztunnel denies all traffic that comes through it"
        remedy = f"Add {identity} to the principals of a rule, and restrict the clients by a policy with targetRefs at the waypoint."
    else:
        message = f"it has no rules and allows nothing{also}, not even {identity}, the identity of the waypoint {title}, so no traffic reaches its pods"
        remedy = f"Allow {identity} by a policy of its own, if traffic that the waypoint allows is to arrive."
    return Problem(place, message, remedy, tuple(denial.affected), severity=denial.severity)


def _has_auto_allow(cluster: Cluster) -> bool:
    """Whether an istiod lets waypoints through by itself."""
    containers = (one for item in cluster.istiods for one in (template_of(item).get("spec") or {}).get("containers") or ())
    return any(entry.get("name") == _AUTO_ALLOW and entry.get("value") == "true" for one in containers for entry in one.get("env") or ())


# what waypoints protect


def _protected_by_waypoints(cluster: Cluster) -> dict[tuple[str, str, str], list[Object]]:
    """By kind, namespace and name of their targets, the policies that waypoints enforce."""
    found: dict[tuple[str, str, str], list[Object]] = {}
    for policy in policies_in(cluster, AUTHORIZATION_POLICY):
        for target in targets_of(policy) if action_of(policy) != "AUDIT" else ():
            namespace = "" if target.get("kind") == "GatewayClass" else policy["metadata"]["namespace"]
            found.setdefault((str(target.get("kind")), namespace, str(target.get("name"))), []).append(policy)
    return found


def _policies_of(passage: Passage, protected: t.Mapping[tuple[str, str, str], list[Object]]) -> list[Object]:
    places = [("GatewayClass", "", WAYPOINT_CLASS)]
    for kind, item in (("Gateway", passage.gateway), ("Service", passage.service)):
        if item is not None:
            places.append((kind, item["metadata"]["namespace"], item["metadata"]["name"]))
    return [policy for place in places for policy in protected.get(place, ())]


def _is_protected(passage: Passage, protected: t.Mapping[tuple[str, str, str], list[Object]]) -> bool:
    return any(action_of(policy) == "ALLOW" for policy in _policies_of(passage, protected))


def find_bypasses(cluster: Cluster) -> t.Iterator[Problem]:
    """The policies at waypoints whose pods ztunnel guards by no policy, so that a caller who addresses a pod itself meets none."""
    if _has_auto_allow(cluster):
        return
    policies = ZtunnelPolicies(cluster)
    protected = _protected_by_waypoints(cluster)
    open_to_all: dict[ObjectRef, dict[ObjectRef, None]] = {}
    for passage in passages(cluster):
        found = _policies_of(passage, protected)
        if found and not any(_restricts(policy) for policy in policies.of(passage.pod)):
            for policy in found:
                open_to_all.setdefault(ref_of(policy), {}).setdefault(ref_of(passage.service or passage.pod))
    for place, items in open_to_all.items():
        message = f"only a waypoint enforces it, so a caller inside the cluster that connects to a pod of {_names(tuple(items))} by its address bypasses it"
        remedy = "To close this, add a DENY policy on the pods with notPrincipals set to the waypoint's identity, or an ALLOW policy with only that."
        yield Problem(place, message, remedy, tuple(items))


def _restricts(policy: Object) -> bool:
    if action_of(policy) == "ALLOW":
        return True
    return any(_excepts_somebody(rule) for rule in enforced_rules(policy))


def _excepts_somebody(rule: Rule) -> bool:
    return any(match.get(name) for clause in rule.clauses for match in clause for name in _NEGATIVE_SOURCES)


def _names(items: t.Sequence[ObjectRef]) -> str:
    return str(items[0]) if len(items) == 1 else format_count(len(items), "Service")


__all__ = (
    "Passage",
    "find_bypasses",
    "find_denied_waypoints",
    "passages",
)
