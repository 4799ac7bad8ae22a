# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Do NetworkPolicies let the parts of the mesh itself be reached: waypoints, gateways, and istiod by its proxies and by the API servers?

Source: istio manifests/charts (networkpolicy.yaml of istiod and ztunnel: the ports that each needs).
"""

from __future__ import annotations

import typing as t

from .._kinds import MUTATING_WEBHOOK, SERVICE, VALIDATING_WEBHOOK
from .._mesh.labels import GATEWAY_NAME, HBONE_PORT, Object, labels_of
from .._text import format_names
from .cluster import Cluster, is_live, selects
from .finding import Problem, ref_of
from .network_rules import Isolated, NetworkRule, PodKey, key_of
from .network_traffic import Problems, Traffic, main_policy, names_of

_XDS_PORT, _WEBHOOK_PORT, _STATUS_PORT = 15012, 15017, 15021


# waypoints and gateways


def find_blocked_waypoints(cluster: Cluster) -> t.Iterator[Problem]:
    traffic, found = Traffic(cluster), Problems(cluster)
    for group in traffic.isolated(traffic.waypoints.values(), "Ingress"):
        allowed = traffic.peers.of(rule for rule in group.rules if rule.allows(HBONE_PORT, None))
        callers = frozenset(traffic.captured)
        if allowed is not None and not (allowed & callers if callers else allowed):
            titles = format_names(sorted({f"{pod['metadata']['namespace']}/{labels_of(pod).get(GATEWAY_NAME)}" for pod in group.pods}))
            message = f"no pod in the mesh may reach the waypoint {titles} on TCP port {HBONE_PORT}, so all traffic for what is bound to it times out"
            found.add(main_policy(group), message, f"Allow TCP port {HBONE_PORT} from the pods that call through the waypoint.", group.pods)
    for group in traffic.isolated((pod for pod in traffic.gateways.values() if _has_load_balancer(pod, cluster)), "Ingress"):
        if not any(rule.allows(_STATUS_PORT, pod) for rule in group.rules for pod in group.pods[:1]):
            message = f"no policy lets TCP port {_STATUS_PORT} in, on which load balancers check the health of a gateway, so they may take it for failed"
            found.add(main_policy(group), message, f"Allow TCP port {_STATUS_PORT} from everywhere, or from the load balancer.", group.pods, "warning")
    yield from found.problems()


def _has_load_balancer(pod: Object, cluster: Cluster) -> bool:
    services = cluster.all(SERVICE, pod["metadata"]["namespace"])
    return any(service["spec"].get("type") in ("LoadBalancer", "NodePort") and selects(service, pod) for service in services)


# istiod


def find_blocked_istiod(cluster: Cluster) -> t.Iterator[Problem]:
    traffic, found = Traffic(cluster), Problems(cluster)
    istiods = [pod for item in cluster.istiods for pod in _pods_of_deployment(item, cluster)]
    agents = [pod for item in cluster.ztunnels for pod in cluster.agent_pods(item) if is_live(pod) and not pod["spec"].get("hostNetwork")]
    clients = {key_of(pod): pod for pod in agents}
    clients.update({**traffic.gateways, **traffic.waypoints, **traffic.sidecars})
    for group in traffic.isolated(istiods, "Ingress"):
        _judge_istiod(group, frozenset(clients), traffic, found)
    reachable = frozenset(map(key_of, istiods))
    for group in traffic.isolated(clients.values(), "Egress") if reachable else ():
        allowed = traffic.peers.of(rule for rule in group.rules if rule.allows(_XDS_PORT, istiods[0]))
        if allowed is not None and not allowed & reachable:
            message = f"no policy lets its pods reach istiod on TCP port {_XDS_PORT}, so they get neither configuration nor certificates"
            found.add(main_policy(group), message, f"Allow TCP port {_XDS_PORT} to the pods of istiod.", group.pods)
    yield from found.problems()


def _pods_of_deployment(deployment: Object, cluster: Cluster) -> list[Object]:
    return cluster.pods_selected(deployment["metadata"]["namespace"], deployment["spec"].get("selector") or {"matchLabels": {"app": "istiod"}})


def _judge_istiod(group: Isolated, clients: frozenset[PodKey], traffic: Traffic, found: Problems) -> None:
    first = group.pods[0]
    allowed = traffic.peers.of(rule for rule in group.rules if rule.allows(_XDS_PORT, first))
    missing = clients - allowed if allowed is not None else frozenset()
    if missing or (allowed is not None and not clients and not allowed):
        who = names_of(missing) if missing else "nobody"
        effect = f"{who} cannot" if missing else "nobody can"
        message = f"{effect} reach istiod on TCP port {_XDS_PORT}, so no configuration and no certificates arrive there"
        found.add(main_policy(group), message, f"Allow TCP port {_XDS_PORT} from everywhere.", group.pods)
    webhooks = _webhooks_of(first, traffic.cluster)
    if webhooks and not any(rule.allows(_WEBHOOK_PORT, first) and _may_be_outside(rule) for rule in group.rules):
        message = f"the API servers may not reach istiod on TCP port {_WEBHOOK_PORT}, so the webhooks of {format_names(webhooks, 3)} fail"
        found.add(main_policy(group), message, f"Allow TCP port {_WEBHOOK_PORT} from everywhere: API servers are no pods that labels can select.", group.pods)


def _may_be_outside(rule: NetworkRule) -> bool:
    """Whether a rule may be meant for somebody who is no pod."""
    return rule.peers is None or any(peer.get("ipBlock") for peer in rule.peers)


def _webhooks_of(pod: Object, cluster: Cluster) -> list[str]:
    """The webhook configurations whose requests arrive at a pod."""
    found = []
    for kind in (MUTATING_WEBHOOK, VALIDATING_WEBHOOK):
        for item in cluster.all(kind):
            refs = ((webhook.get("clientConfig") or {}).get("service") or {} for webhook in item.get("webhooks") or ())
            services = (cluster.get(SERVICE, str(ref.get("name")), str(ref.get("namespace"))) for ref in refs)
            if any(service and service["metadata"]["namespace"] == pod["metadata"]["namespace"] and selects(service, pod) for service in services):
                found.append(str(ref_of(item)))
    return found


__all__ = ("find_blocked_istiod", "find_blocked_waypoints")
