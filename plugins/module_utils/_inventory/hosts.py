# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Finds hosts that do not meet: of routes and the listeners to which they attach, of load balancers and what is behind them, of certificates.

Only what is declared in full is judged: a Gateway of the inventory has all of its listeners there, whereas routes may also come from elsewhere.
"""

from __future__ import annotations

import typing as t

from .._acm.certificates import name_covers
from .._alb.render import listen_ports
from .._gateway.render import listeners_of, redirecting
from .._limits.hosts import hosts_meet
from .._mesh.labels import GATEWAY_NAME
from .._text import format_names
from .ingress_lists import IngressLists, Listener, meeting_listeners

if t.TYPE_CHECKING:
    from .._ingress.spec import DesiredItem

# The protocols of listeners to which HTTPRoutes attach. Source: the Gateway API's reference of Listener (allowedRoutes.kinds).
_HTTP = ("HTTP", "HTTPS")
# The labels of the pods of a Gateway of class istio. Source: istio's files/kube-gateway.yaml.
_GATEWAY_LABELS = (GATEWAY_NAME, "istio.io/gateway-name")


def find_host_conflicts(lists: IngressLists) -> list[str]:
    """Routes that no listener would accept, and hosts whose requests a load balancer or one of two routes never serves, one sentence each."""
    gateways = {gateway.place: gateway for gateway in lists.gateways if gateway.present}
    classic = {gateway.place: gateway for gateway in lists.classic_gateways if gateway.present}
    return [
        *(error for route in lists.http_routes if route.present for error in _route_errors(route, gateways)),
        *(error for route in lists.virtual_services if route.present for error in _virtual_service_errors(route, classic)),
        *(error for alb in lists.albs if alb.present for error in _alb_errors(alb, gateways)),
        *_shared_doors(lists, gateways, classic),
    ]


def host_warnings(lists: IngressLists, certificates: t.Sequence[t.Mapping[str, t.Any]]) -> list[str]:
    """What may be right because of something that is not in the inventory, one sentence each.

    Args:
        lists: the lists of the role ingress, without conflicts.
        certificates: the items of aws_edge_certificates.
    """
    gateways = {gateway.place: gateway for gateway in lists.gateways if gateway.present}
    return [
        *(warning for route in lists.http_routes if route.present for warning in _ignored_hosts(route, gateways)),
        *(warning for alb in lists.albs if alb.present for warning in _hosts_without_route(alb, lists, gateways)),
        *_uncovered_hosts(lists, certificates),
    ]


def _route_errors(route: DesiredItem, gateways: t.Mapping[tuple[str, str], DesiredItem]) -> t.Iterator[str]:
    """Why a route is accepted by none of the listeners that it names.

    Source: the Gateway API's reference of ParentReference and HTTPRoute: each parent that is named accepts a route if one of its listeners allows its
    namespace and kind, and serves one of its hosts.
    """
    for gateway, refs in _parents(route, gateways):
        namespace, name = gateway.place
        failed: dict[str, list[Listener]] = {}
        for named in refs:
            # A listener that only redirects is another error.
            if named and not (route.place[0] != namespace and any(listener in redirecting(gateway.item) for listener in named)):
                problem, listeners = _problem(named, _hosts_of(route), same_namespace=route.place[0] == namespace)
                failed.setdefault(problem, []).extend(listeners)
        for problem, listeners in failed.items():
            titles = (
                f"{'listener' if len(listeners) == 1 else 'listeners'} {format_names(listener['name'] for listener in listeners)} of Gateway {namespace}/{name}"
            )
            if problem == "kind":
                protocols = format_names(dict.fromkeys(listener["protocol"] for listener in listeners))
                yield f"{route.title} attaches to {titles} with the protocol {protocols}, which takes no HTTPRoute: name a listener of HTTP or HTTPS."
            elif problem == "namespace":
                yield (
                    f"{route.title} attaches to {titles}, where only routes of namespace {namespace} are allowed: "
                    "set allowed_routes of that gateway, or move the route there."
                )
            elif problem == "host":
                served = format_names(dict.fromkeys(listener["hostname"] for listener in listeners))
                hosts = format_names(_hosts_of(route))
                yield f"{route.title} has the hosts {hosts}, which do not match {served} of {titles}: correct the hosts of one of them."


def _problem(listeners: t.Sequence[Listener], hosts: t.Sequence[str], *, same_namespace: bool) -> tuple[str, t.Sequence[Listener]]:
    """Why none of these listeners accepts a route, and which of them it is about; empty if one does."""
    http = [listener for listener in listeners if listener["protocol"] in _HTTP]
    if not http:
        return "kind", listeners
    # Whether a selector matches a namespace is known in the cluster only.
    admitting = [listener for listener in http if same_namespace or _allowed_from(listener) != "Same"]
    if not admitting:
        return "namespace", http
    return "" if meeting_listeners(admitting, hosts) else "host", admitting


def _parents(route: DesiredItem, gateways: t.Mapping[tuple[str, str], DesiredItem]) -> t.Iterator[tuple[DesiredItem, list[list[Listener]]]]:
    """The gateways of the inventory to which a route attaches, each with the listeners that each reference names."""
    found: dict[tuple[str, str], list[list[Listener]]] = {}
    for ref in _dictionaries(_spec(route).get("parentRefs")):
        place = (str(ref.get("namespace") or route.place[0]), str(ref.get("name")))
        if place in gateways and ref.get("kind", "Gateway") == "Gateway":
            section, port = ref.get("sectionName"), ref.get("port")
            named: list[Listener] = [one for one in listeners_of(gateways[place].item) if section in (None, one["name"]) and port in (None, one["port"])]
            found.setdefault(place, []).append(named)
    for place, refs in found.items():
        yield gateways[place], refs


def _ignored_hosts(route: DesiredItem, gateways: t.Mapping[tuple[str, str], DesiredItem]) -> t.Iterator[str]:
    """Hosts that are ignored silently, because others of the route meet a listener."""
    parents = list(_parents(route, gateways))
    if not parents or len({(ref.get("namespace"), ref.get("name")) for ref in _dictionaries(_spec(route).get("parentRefs"))}) > len(parents):
        return
    listeners = [listener for _gateway, refs in parents for named in refs for listener in named if listener["protocol"] in _HTTP]
    ignored = [host for host in _hosts_of(route) if not meeting_listeners(listeners, [host])]
    if ignored:
        hosts = format_names(ignored)
        yield f"{route.title} has the hosts {hosts}, which no listener of its gateway serves, so they are ignored: remove them, or add a listener."


def _virtual_service_errors(route: DesiredItem, gateways: t.Mapping[tuple[str, str], DesiredItem]) -> t.Iterator[str]:
    """Source: istio pilot/pkg/networking/core/gateway.go (pickMatchingGatewayHosts)."""
    for gateway in _classic_parents(route, gateways):
        served = _served_hosts(gateway, route.place[0])
        hosts = _hosts_of(route)
        # A name without a dot is that of a Service, which istiod completes.
        if served is not None and hosts and all("." in host for host in hosts) and not any(hosts_meet(host, one) for host in hosts for one in served):
            which = f"serves {format_names(served)}" if served else f"serves no hosts for namespace {route.place[0]}"
            yield f"{route.title} has the hosts {format_names(hosts)}, but {gateway.title} {which}: correct the hosts of one of them."


def _classic_parents(route: DesiredItem, gateways: t.Mapping[tuple[str, str], DesiredItem]) -> t.Iterator[DesiredItem]:
    named = _spec(route).get("gateways")
    for reference in named if isinstance(named, list) else ():
        namespace, slash, name = str(reference).rpartition("/")
        place = (namespace if slash else route.place[0], name)
        if place in gateways:
            yield gateways[place]


def _served_hosts(gateway: DesiredItem, namespace: str) -> list[str] | None:
    """The hosts that one of Istio's own Gateways serves for the VirtualServices of a namespace; None if they cannot be read."""
    found: list[str] = []
    for server in _dictionaries(_spec(gateway).get("servers")):
        if not isinstance(server.get("hosts"), list):
            return None
        for host in map(str, server["hosts"]):
            home, slash, name = host.rpartition("/")
            if not slash or home in ("*", namespace) or (home == "." and namespace == gateway.place[0]):
                found.append("" if name == "*" else name)
    return found


def _alb_errors(alb: DesiredItem, gateways: t.Mapping[tuple[str, str], DesiredItem]) -> t.Iterator[str]:
    """Hosts that a load balancer sends to a port whose listeners answer with 404."""
    gateway = gateways.get((alb.item["namespace"], alb.item["gateway"] or ""))
    listeners = [one for one in listeners_of(gateway.item) if one["port"] == alb.item["service_port"] and one["protocol"] in _HTTP] if gateway else []
    unserved = [host for host in alb.item["hosts"] if not meeting_listeners(listeners, [host])]
    if gateway and listeners and unserved:
        served = format_names(dict.fromkeys(listener["hostname"] for listener in listeners))
        yield (
            f"{alb.title} has the hosts {format_names(unserved)}, but {gateway.title} serves only {served} at port {alb.item['service_port']}: "
            "correct the hosts of one of them."
        )


def _hosts_without_route(alb: DesiredItem, lists: IngressLists, gateways: t.Mapping[tuple[str, str], DesiredItem]) -> t.Iterator[str]:
    """Hosts of a load balancer for which none of the routes behind it is, if there are some."""
    place = (alb.item["namespace"], alb.item["gateway"] or "")
    routes = [route for route in lists.http_routes if route.present and any(gateway.place == place for gateway, _refs in _parents(route, gateways))]
    hosts = [_hosts_of(route) for route in routes]
    if not routes or not all(hosts):
        return
    missed = [host for host in alb.item["hosts"] if not any(hosts_meet(host, one) for named in hosts for one in named)]
    if missed:
        yield f"{alb.title} has the hosts {format_names(missed)}, for which ingress_routes has no route: unless something else creates one, requests get 404."


def _uncovered_hosts(lists: IngressLists, certificates: t.Sequence[t.Mapping[str, t.Any]]) -> t.Iterator[str]:
    """Hosts that the certificates which are found by their domains do not cover, as far as the inventory declares these."""
    items = [
        (alb, alb.item, any(protocol == "HTTPS" for protocol, _port in listen_ports(alb.item)) and not alb.item["certificate_discovery"]) for alb in lists.albs
    ]
    items += [(one, one.item["nlb"] or {}, one.item["load_balancer"] == "nlb" and one.item["tls"] == "load_balancer") for one in lists.gateways]
    declared = [[item["domain"], *(item.get("subject_alternative_names") or ())] for item in certificates]
    for item, source, uses in items:
        domains = source.get("certificate_domains") or ()
        chosen = [next((names for names in declared if domain in names), None) for domain in domains]
        if not item.present or not uses or not domains or source.get("certificate_arns") or None in chosen:
            continue
        names = [name for one in chosen for name in one or ()]
        missed = [host for host in item.item["hosts"] if not any(name_covers(name, host) for name in names)]
        if missed:
            yield (
                f"{item.title} has the hosts {format_names(missed)}, which no certificate of aws_edge_certificates for its certificate_domains covers: "
                "add them to subject_alternative_names of that certificate, or to certificate_domains."
            )


def _shared_doors(lists: IngressLists, gateways: t.Mapping[tuple[str, str], DesiredItem], classic: t.Mapping[tuple[str, str], DesiredItem]) -> t.Iterator[str]:
    """Hosts of an HTTPRoute and of a VirtualService that the same pods serve, of which only one would get the requests."""
    routes = [(route, gateway) for route in lists.http_routes if route.present for gateway, _refs in _parents(route, gateways)]
    for service in lists.virtual_services:
        for istio_gateway in _classic_parents(service, classic) if service.present else ():
            selector = _spec(istio_gateway).get("selector") or {}
            pods = {str(selector[label]) for label in _GATEWAY_LABELS if label in selector}
            for route, gateway in routes:
                same = [host for host in _hosts_of(service) if host in _hosts_of(route)]
                if gateway.place[1] in pods and same:
                    yield (
                        f"{service.title} and {route.title} both send {format_names(same)} at the pods of {gateway.title}, and only one of them would be used: "
                        "remove the host from one of them."
                    )


def _allowed_from(listener: Listener) -> str:
    """Whose routes a listener admits; the default is that of the Gateway API."""
    return str(((listener.get("allowedRoutes") or {}).get("namespaces") or {}).get("from") or "Same")


def _hosts_of(route: DesiredItem) -> list[str]:
    """The hosts that are written; none for every host."""
    spec = _spec(route)
    hosts = spec.get("hostnames") if route.main.key[0] == "HTTPRoute" else spec.get("hosts")
    return [str(host) for host in hosts if host != "*"] if isinstance(hosts, list) and "*" not in hosts else []


def _spec(item: DesiredItem) -> t.Mapping[str, t.Any]:
    return item.main.manifest.get("spec") or {}


def _dictionaries(value: t.Any) -> list[t.Mapping[str, t.Any]]:
    """The items of a list that are dictionaries; what a user has written in full may be anything."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


__all__ = ("find_host_conflicts", "host_warnings")
