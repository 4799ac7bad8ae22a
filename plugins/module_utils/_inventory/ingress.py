# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Validates gateways, load balancers and routes at the edge of a mesh together."""

from __future__ import annotations

import typing as t

from .._alb.groups import find_group_conflicts, find_grpc_errors, hidden_rule_warnings
from .._alb.render import listen_ports
from .._gateway.render import drain_seconds, listeners_of, redirecting
from .._ingress.annotation_values import ALB_PREFIX, deregistration_delay, group_of
from .._ingress.spec import find_duplicates
from .backends import find_missing_places
from .hosts import find_host_conflicts, host_warnings
from .ingress_lists import IngressLists, parse_ingress_lists

if t.TYPE_CHECKING:
    from .._ingress.spec import DesiredItem
    from .variables import Variables

# The variables of the role by the fields of IngressLists, without their prefix.
_LISTS = ("gateways", "albs", "routes", "classic_gateways")
# An ALB that is missing has no title by which the variable that it belongs into could be found.
_NO_ALB = "no ALB refers to it"


def find_conflicts(lists: IngressLists) -> list[str]:
    """Where items contradict each other, one sentence each."""
    return [
        *find_duplicates(lists.all),
        *find_load_balancer_conflicts(lists),
        *_gateways_without_alb(lists),
        *(conflict for alb in lists.albs if alb.present for conflict in _alb_and_gateway(alb, lists)),
        *_routes_to_redirects(lists),
        *_routes_named_like_redirects(lists),
        *_routes_for_the_same(lists),
        *find_host_conflicts(lists),
        *_grpc_without_https(lists),
    ]


def find_load_balancer_conflicts(lists: IngressLists) -> list[str]:
    """Where items contradict each other about a load balancer of AWS, one sentence each; some of the lists may be unknown."""
    return [*_shared_names(lists), *find_group_conflicts(lists.albs), *find_grpc_errors(lists.albs)]


def find_second_load_balancers(lists: IngressLists, option: str = "allow_load_balancer_service") -> list[str]:
    """Gateways behind an ALB whose own Service would get a load balancer, too, one sentence each.

    Args:
        lists: the items.
        option: the option that allows it.
    """
    fronted = {(alb.item["namespace"], alb.item["gateway"]): alb for alb in lists.albs if alb.present}
    return [
        f"{fronted[gateway.place].title} is in front of {gateway.title}, whose service_type is LoadBalancer: that would create two load balancers, "
        f"so omit service_type, or set {option}."
        for gateway in lists.gateways
        if gateway.present and gateway.place in fronted and gateway.item["service_type"] == "LoadBalancer" and gateway.item["load_balancer"] != "nlb"
    ]


def validate_ingress(variables: Variables) -> list[str]:
    """The validation errors of ingress_gateways, ingress_albs, ingress_routes and ingress_classic_gateways, one sentence each.

    Args:
        variables: an inventory's variables, converted to their types, with what backends.with_backends() has chosen.
    """
    lists = _lists_of(variables)
    allowing = "ingress_allow_load_balancer_service"
    second = [] if variables.get(allowing) else find_second_load_balancers(lists, allowing)
    places = {id(item): f"ingress_{name}[{index}] ({item.title})" for name in _LISTS for index, item in enumerate(getattr(lists, name))}
    return [
        *find_missing_places("ingress_albs", variables.get("ingress_albs") or ()),
        *find_missing_places("ingress_classic_gateways", variables.get("ingress_classic_gateways") or ()),
        # What has no place yet is one error, not one for each thing that would follow from it.
        *(f"{places[id(item)]}: {error}" for item in lists.all if all(item.place) for error in item.errors),
        *(f"{_variables_of(conflict, lists)}: {conflict}" for conflict in [*find_conflicts(lists), *second]),
        *(f"{places[id(item)]}: {error}" for item in (*lists.gateways, *lists.albs) for error in _foreign_arns(item, variables.get("eks_region"))),
    ]


def ingress_warnings(variables: Variables) -> list[str]:
    """What is possible, and perhaps not meant, one sentence each; the arguments are those of validate_ingress()."""
    lists = _lists_of(variables)
    found = [*host_warnings(lists, variables.get("aws_edge_certificates") or ()), *hidden_rule_warnings(lists.albs)]
    return [f"{_variables_of(warning, lists)}: {warning}" for warning in found]


def _lists_of(variables: Variables) -> IngressLists:
    return parse_ingress_lists({name: variables.get(f"ingress_{name}") for name in _LISTS})


def _variables_of(conflict: str, lists: IngressLists) -> str:
    """The variables whose items a sentence names."""
    names = [f"ingress_{name}" for name in _LISTS if any(item.title in conflict for item in getattr(lists, name))]
    if _NO_ALB in conflict:
        names.append("ingress_albs")
    return " and ".join(names) or "ingress_gateways, ingress_albs or ingress_routes"


def _shared_names(lists: IngressLists) -> t.Iterator[str]:
    """One name is one load balancer of an account and region; only the Ingresses of a group share it."""
    owners: dict[str, list[DesiredItem]] = {}
    named = [(item, (item.item.get("nlb") or {}).get("name")) for item in lists.gateways]
    named += [(item, item.main.manifest["metadata"]["annotations"].get(f"{ALB_PREFIX}load-balancer-name")) for item in lists.albs if item.present]
    for item, name in named:
        if item.present and name:
            owners.setdefault(str(name), []).append(item)
    for name, items in sorted(owners.items()):
        groups = {group_of(item.item) for item in items}
        if len(items) > 1 and (len(groups) > 1 or "" in groups):
            yield f"The load balancer name {name} is used by {' and '.join(item.title for item in items)}: each load balancer needs a unique name."


def _gateways_without_alb(lists: IngressLists) -> t.Iterator[str]:
    fronted = {(alb.item["namespace"], alb.item["gateway"]) for alb in lists.albs if alb.present}
    for gateway in lists.gateways:
        if gateway.present and gateway.item["load_balancer"] == "alb" and gateway.place not in fronted:
            namespace, name = gateway.place
            yield f"{gateway.title}: load_balancer is alb, but {_NO_ALB}: add an item with gateway {name} in namespace {namespace}."


def _alb_and_gateway(alb: DesiredItem, lists: IngressLists) -> t.Iterator[str]:
    gateway = next((gateway for gateway in lists.gateways if gateway.place == (alb.item["namespace"], alb.item["gateway"])), None)
    if gateway is None:
        return
    if not gateway.present:
        yield f"{alb.title} is in front of {gateway.title}, which should be absent: remove one of the two."
        return
    kind = gateway.item["load_balancer"]
    if kind == "nlb":
        yield f"{alb.title} is in front of {gateway.title}, whose load_balancer is nlb: that would create two load balancers, so set it to alb."
    if alb.item["target_type"] == "instance" and gateway.item["service_type"] == "ClusterIP":
        yield (f"{alb.title}: target_type instance needs a NodePort, but {gateway.title} has service_type ClusterIP: omit service_type, or use target_type ip.")
    ports = {listener["port"] for listener in listeners_of(gateway.item)}
    if alb.item["service_port"] not in ports:
        listened = ", ".join(map(str, sorted(ports)))
        yield f"{alb.title}: service_port is {alb.item['service_port']}, but {gateway.title} listens at {listened}: correct the port, or add a listener."
    yield from _find_protocol_errors(alb, gateway)
    delay, drain = deregistration_delay(alb.item), drain_seconds(gateway.item)
    if kind == "alb" and delay is not None and str(delay).isdecimal() and drain < int(delay):
        yield (
            f"{alb.title}: deregistration_delay is {delay}, but {gateway.title} drains for {drain} s, so its pods would be gone before "
            "the load balancer has deregistered them: set its drain_seconds."
        )


def _find_protocol_errors(alb: DesiredItem, gateway: DesiredItem) -> t.Iterator[str]:
    """Plain requests to a listener that expects TLS, and the reverse (the controller's pkg/ingress/model_build_target_group.go, buildTargetGroupProtocol)."""
    port = alb.item["service_port"]
    expected = {listener["protocol"] for listener in listeners_of(gateway.item) if listener["port"] == port}
    sent = alb.main.manifest["metadata"]["annotations"].get(f"{ALB_PREFIX}backend-protocol", "HTTP").upper()
    if sent == "HTTP" and expected & {"HTTPS", "TLS"}:
        yield (
            f"{alb.title} sends plain HTTP to port {port} of {gateway.title}, whose listener expects TLS: use a listener of HTTP, "
            f"or set the annotation {ALB_PREFIX}backend-protocol to HTTPS."
        )
    elif sent == "HTTPS" and expected == {"HTTP"}:
        annotated = f"{ALB_PREFIX}backend-protocol" in (alb.item.get("annotations") or {})
        remedy = f"remove the annotation {ALB_PREFIX}backend-protocol" if annotated else "move the listener to another port, such as 80"
        yield f"{alb.title} sends HTTPS to port {port} of {gateway.title}, whose listener is plain HTTP: {remedy}."


def _routes_to_redirects(lists: IngressLists) -> t.Iterator[str]:
    """Routes of other namespaces that name a listener which only redirects, and would never admit them."""
    redirects = {
        gateway.place: [listener["name"] for listener in redirecting(gateway.item)]
        for gateway in lists.gateways
        if gateway.present and not gateway.item["listeners"]
    }
    for route in lists.http_routes:
        place = (route.item["gateway_namespace"] or route.item["namespace"], route.item["gateway"] or "")
        for section in route.item["section_names"] if route.present else ():
            if section in redirects.get(place, ()) and place[0] != route.item["namespace"]:
                yield (
                    f"{route.title}: listener {section} of Gateway {place[0]}/{place[1]} only redirects to HTTPS (redirect_http): "
                    "omit section_names, or set listeners of that gateway."
                )


def _routes_named_like_redirects(lists: IngressLists) -> t.Iterator[str]:
    """Routes with the name of the route that a gateway's redirect_http makes."""
    made = {other.key: gateway for gateway in lists.gateways for other in gateway.others if gateway.present and other.manifest}
    for route in lists.routes:
        gateway = made.get(route.main.key)
        if route.present and gateway is not None:
            yield f"{route.title} has the name of the route that redirect_http of {gateway.title} makes: choose another name."


def _routes_for_the_same(lists: IngressLists) -> t.Iterator[str]:
    """Routes of one gateway with the same host and path at the same listener, of which only one would be used."""
    owners: dict[tuple[t.Any, ...], dict[str, list[str]]] = {}
    for route in lists.routes:
        item = route.item
        if not route.present or item.get("spec"):
            continue
        place = (route.main.key[0], item["gateway_namespace"] or item["namespace"], item["gateway"])
        for host in dict.fromkeys(item["hosts"]):
            for rule in item["rules"]:
                sections = owners.setdefault((*place, host, rule["path_type"], rule["path"]), {})
                for section in dict.fromkeys(item.get("section_names") or [""]):
                    sections.setdefault(section, []).append(route.title)
    for (_kind, namespace, gateway, host, _type, path), sections in owners.items():
        anywhere = sections.get("", [])
        same = next((titles for titles in ([*anywhere, *found] if section else found for section, found in sections.items()) if len(titles) > 1), None)
        if same:
            titles = list(dict.fromkeys(same))
            who = f"{' and '.join(titles)} both send" if len(titles) > 1 else f"{titles[0]} sends twice"
            yield f"{who} {host} {path} of gateway {namespace}/{gateway}, and only one of the rules would be used: combine them."


def _grpc_without_https(lists: IngressLists) -> t.Iterator[str]:
    """Load balancers of plain HTTP in front of a release whose port is for gRPC."""
    ports = {(release, server["port"].get("number")) for gateway in lists.classic_gateways for release, server in _grpc_servers(gateway)}
    for alb in lists.albs:
        if alb.present and (alb.item["service"], alb.item["service_port"]) in ports and all(protocol == "HTTP" for protocol, _port in listen_ports(alb.item)):
            yield (
                f"{alb.title}: port {alb.item['service_port']} of {alb.item['service']} is for gRPC, which an ALB takes by HTTPS only: "
                "add a certificate and an HTTPS listener."
            )


def _grpc_servers(gateway: DesiredItem) -> t.Iterator[tuple[str, dict[str, t.Any]]]:
    """The servers for gRPC of one of Istio's own Gateways, each with the release that serves it."""
    spec = gateway.main.manifest.get("spec") or {}
    release = (spec.get("selector") or {}).get("app")
    for server in spec.get("servers") or () if gateway.present and release else ():
        if isinstance(server, dict) and isinstance(server.get("port"), dict) and server["port"].get("protocol") == "GRPC":
            yield str(release), server


def _foreign_arns(item: DesiredItem, region: t.Any) -> t.Iterator[str]:
    """ARNs of another region than the cluster's, which its load balancers cannot use."""
    source = item.item if item.noun == "ALB" else item.item["nlb"] or {}
    arns = [*(source.get("certificate_arns") or ()), *([source["waf_acl_arn"]] if source.get("waf_acl_arn") else [])]
    for arn in arns if item.present and region else ():
        parts = str(arn).split(":")
        if len(parts) > 3 and parts[2] in ("acm", "wafv2") and parts[3] and parts[3] != region and "/webacl/" not in str(arn).partition(":global")[2]:
            yield f"{arn} is in region {parts[3]}, but eks_region is {region}: use one in the region of the load balancer."


__all__ = ("find_conflicts", "find_load_balancer_conflicts", "find_second_load_balancers", "ingress_warnings", "validate_ingress")
