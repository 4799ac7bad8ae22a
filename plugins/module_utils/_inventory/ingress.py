# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Validates gateways, load balancers and routes at the edge of a mesh together."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._alb.spec import ALB, parse_alb
from .._gateway.render import drain_seconds, listeners_of, redirecting
from .._gateway.spec import GATEWAY, parse_gateway
from .._ingress.spec import complete, find_duplicates
from .._istio_ingress.spec import ISTIO_GATEWAY, VIRTUAL_SERVICE, parse_istio_gateway, parse_virtual_service
from .._route.spec import ROUTE, parse_route

if t.TYPE_CHECKING:
    from .._ingress.spec import DesiredItem, Item

Items = t.Sequence["Item"]


@dataclass(frozen=True)
class Edge:
    """The lists of the role ingress, each item with its objects and what is wrong with it; routes include VirtualServices."""

    gateways: tuple[DesiredItem, ...] = ()
    albs: tuple[DesiredItem, ...] = ()
    routes: tuple[DesiredItem, ...] = ()
    classic_gateways: tuple[DesiredItem, ...] = ()

    @property
    def all(self) -> tuple[DesiredItem, ...]:
        return (*self.gateways, *self.albs, *self.classic_gateways, *self.routes)

    @property
    def http_routes(self) -> tuple[DesiredItem, ...]:
        return tuple(route for route in self.routes if route.main.key[0] == "HTTPRoute")

    @property
    def virtual_services(self) -> tuple[DesiredItem, ...]:
        return tuple(route for route in self.routes if route.main.key[0] == "VirtualService")


def parse_edge(lists: t.Mapping[str, t.Any]) -> Edge:
    """The lists by the fields of Edge, as the role's variables have them; certificates may be named by domains."""
    gateways, albs, routes = (lists.get(name) or [] for name in ("gateways", "albs", "routes"))
    return Edge(
        tuple(
            parse_gateway(item, certificates_pending=bool((item["nlb"] or {}).get("certificate_domains")))
            for item in complete(choose_service_types(gateways, albs), GATEWAY)
        ),
        tuple(parse_alb(item, certificates_pending=bool(item.get("certificate_domains"))) for item in complete(albs, ALB)),
        tuple(_parse_route(item) for item in choose_sections(routes, gateways)),
        tuple(parse_istio_gateway(item) for item in complete(lists.get("classic_gateways") or [], ISTIO_GATEWAY)),
    )


def choose_service_types(gateways: Items, albs: Items) -> list[dict[str, t.Any]]:
    """The gateways; each behind an ALB with targets of type C(instance) gets a Service of type NodePort, unless it says another."""
    fronted = {(alb["namespace"], alb.get("gateway")) for alb in albs if alb.get("state", "present") == "present" and alb.get("target_type") == "instance"}
    return [
        {**gateway, "service_type": "NodePort"}
        if (gateway["namespace"], gateway["name"]) in fronted and not gateway.get("service_type") and gateway.get("load_balancer") != "nlb"
        else dict(gateway)
        for gateway in gateways
    ]


def choose_sections(routes: Items, gateways: Items) -> list[dict[str, t.Any]]:
    """The routes; an HTTPRoute that names no listeners attaches to all but those that only redirect to HTTPS.

    Attached to these too, its longer paths would take precedence over the redirect.
    """
    sections = {
        (gateway["namespace"], gateway["name"]): [listener["name"] for listener in listeners_of(gateway) if listener["port"] != 80]
        for gateway in complete(list(gateways), GATEWAY)
        if gateway["redirect_http"]
    }
    chosen = []
    for route in routes:
        place = (route.get("gateway_namespace") or route["namespace"], route.get("gateway"))
        names = sections.get(place) if route.get("kind") != "VirtualService" and not route.get("section_names") else None
        chosen.append({**route, "section_names": names} if names else dict(route))
    return chosen


def find_conflicts(edge: Edge) -> list[str]:
    """Where items contradict each other, one sentence each."""
    return [
        *find_duplicates(edge.all),
        *find_load_balancer_conflicts(edge),
        *_gateways_without_alb(edge),
        *(conflict for alb in edge.albs if alb.present for conflict in _alb_and_gateway(alb, edge)),
        *_routes_to_redirects(edge),
    ]


def find_load_balancer_conflicts(edge: Edge) -> list[str]:
    """Where items contradict each other about a load balancer of AWS, one sentence each; some of the lists may be unknown."""
    return [*_shared_names(edge), *_groups_that_disagree(edge)]


def validate_ingress(variables: t.Mapping[str, t.Any]) -> list[str]:
    """The validation errors of ingress_gateways, ingress_albs, ingress_routes and ingress_classic_gateways, one sentence each.

    Args:
        variables: an inventory's variables, converted to their types.
    """
    names = ("gateways", "albs", "routes", "classic_gateways")
    edge = parse_edge({name: variables.get(f"ingress_{name}") for name in names})
    places = {id(item): f"ingress_{name}[{index}] ({item.title})" for name in names for index, item in enumerate(getattr(edge, name))}
    return [
        *(f"{places[id(item)]}: {error}" for item in edge.all for error in item.errors),
        *(f"{_variables_of(conflict, edge)}: {conflict}" for conflict in find_conflicts(edge)),
        *(f"{places[id(item)]}: {error}" for item in (*edge.gateways, *edge.albs) for error in _foreign_arns(item, variables.get("eks_region"))),
    ]


def _variables_of(conflict: str, edge: Edge) -> str:
    """The variables whose items a sentence names."""
    names = [f"ingress_{name}" for name in ("gateways", "albs", "routes", "classic_gateways") if any(item.title in conflict for item in getattr(edge, name))]
    return " and ".join(names) or "ingress_gateways, ingress_albs or ingress_routes"


def _parse_route(item: Item) -> DesiredItem:
    if item.get("kind") == "VirtualService":
        return parse_virtual_service(complete([item], VIRTUAL_SERVICE)[0])
    return parse_route(complete([item], ROUTE)[0])


def _shared_names(edge: Edge) -> t.Iterator[str]:
    """One name is one load balancer of an account and region; only the Ingresses of a group share it."""
    owners: dict[str, list[DesiredItem]] = {}
    named = [(item, (item.item.get("nlb") or {}).get("name")) for item in edge.gateways] + [(item, item.item["load_balancer_name"]) for item in edge.albs]
    for item, name in named:
        if item.present and name:
            owners.setdefault(str(name), []).append(item)
    for name, items in sorted(owners.items()):
        groups = {item.item.get("group_name") for item in items}
        if len(items) > 1 and (len(groups) > 1 or None in groups or "" in groups):
            yield f"The load balancer name {name} is used by {' and '.join(item.title for item in items)}: each load balancer needs a unique name."


def _gateways_without_alb(edge: Edge) -> t.Iterator[str]:
    fronted = {(alb.item["namespace"], alb.item["gateway"]) for alb in edge.albs if alb.present}
    for gateway in edge.gateways:
        if gateway.present and gateway.item["load_balancer"] == "alb" and gateway.place not in fronted:
            namespace, name = gateway.place
            yield f"{gateway.title}: load_balancer is alb, but no ALB refers to it: add an item with gateway {name} in namespace {namespace}."


def _alb_and_gateway(alb: DesiredItem, edge: Edge) -> t.Iterator[str]:
    gateway = next((gateway for gateway in edge.gateways if gateway.place == (alb.item["namespace"], alb.item["gateway"])), None)
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
    delay, drain = alb.item["deregistration_delay"], drain_seconds(gateway.item)
    if kind == "alb" and delay is not None and drain < delay:
        yield (
            f"{alb.title}: deregistration_delay is {delay}, but {gateway.title} drains for {drain} s, so its pods would be gone before "
            "the load balancer has deregistered them: set its drain_seconds."
        )


def _groups_that_disagree(edge: Edge) -> t.Iterator[str]:
    """Ingresses of a group share one load balancer, so they must agree on it."""
    groups: dict[str, list[DesiredItem]] = {}
    for alb in edge.albs:
        if alb.present and alb.item["group_name"]:
            groups.setdefault(alb.item["group_name"], []).append(alb)
    for name, albs in sorted(groups.items()):
        for option in ("load_balancer_name", "scheme", "ip_address_type", "ssl_redirect", "waf_acl_arn", "shield"):
            values = {str(alb.item[option]) for alb in albs if alb.item[option] is not None}
            if len(values) > 1:
                members = " and ".join(alb.title for alb in albs)
                yield f"Group {name}: {members} set different values of {option} ({', '.join(sorted(values))}), but share one load balancer: make them equal."


def _routes_to_redirects(edge: Edge) -> t.Iterator[str]:
    """Routes of other namespaces that name a listener which only redirects, and would never admit them."""
    redirects = {
        gateway.place: [listener["name"] for listener in redirecting(gateway.item)]
        for gateway in edge.gateways
        if gateway.present and not gateway.item["listeners"]
    }
    for route in edge.http_routes:
        place = (route.item["gateway_namespace"] or route.item["namespace"], route.item["gateway"] or "")
        for section in route.item["section_names"] if route.present else ():
            if section in redirects.get(place, ()) and place[0] != route.item["namespace"]:
                yield (
                    f"{route.title}: listener {section} of Gateway {place[0]}/{place[1]} only redirects to HTTPS (redirect_http): "
                    "omit section_names, or set listeners of that gateway."
                )


def _foreign_arns(item: DesiredItem, region: t.Any) -> t.Iterator[str]:
    """ARNs of another region than the cluster's, which its load balancers cannot use."""
    source = item.item if item.noun == "ALB" else item.item["nlb"] or {}
    arns = [*(source.get("certificate_arns") or ()), *([source["waf_acl_arn"]] if source.get("waf_acl_arn") else [])]
    for arn in arns if item.present and region else ():
        parts = str(arn).split(":")
        if len(parts) > 3 and parts[2] in ("acm", "wafv2") and parts[3] and parts[3] != region and "/webacl/" not in str(arn).partition(":global")[2]:
            yield f"{arn} is in region {parts[3]}, but eks_region is {region}: use one in the region of the load balancer."


__all__ = ("Edge", "choose_sections", "choose_service_types", "find_conflicts", "find_load_balancer_conflicts", "parse_edge", "validate_ingress")
