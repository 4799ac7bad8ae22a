# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""The lists of the role ingress, parsed together: what one item leaves open may follow from another."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._alb.spec import ALB, parse_alb
from .._gateway.render import listeners_of
from .._gateway.spec import GATEWAY, parse_gateway
from .._ingress.spec import complete
from .._istio_ingress.spec import ISTIO_GATEWAY, VIRTUAL_SERVICE, parse_istio_gateway, parse_virtual_service
from .._limits.hosts import hosts_meet
from .._route.spec import ROUTE, parse_route

if t.TYPE_CHECKING:
    from .._ingress.spec import DesiredItem, Item

Items = t.Sequence["Item"]
Listener = t.Mapping[str, t.Any]


@dataclass(frozen=True)
class IngressLists:
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


def parse_ingress_lists(lists: t.Mapping[str, t.Any]) -> IngressLists:
    """The lists by the fields of IngressLists, as the role's variables have them; certificates may be named by domains."""
    gateways, albs, routes = (lists.get(name) or [] for name in ("gateways", "albs", "routes"))
    return IngressLists(
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
    """The routes; an HTTPRoute that names no listeners attaches to those that serve one of its hosts, but not to those that only redirect to HTTPS.

    Attached to these too, its longer paths would take precedence over the redirect. A listener that serves none of its hosts would never accept it.
    """
    listeners = {
        (gateway["namespace"], gateway["name"]): [listener for listener in listeners_of(gateway) if listener["port"] != 80]
        for gateway in complete(list(gateways), GATEWAY)
        if gateway["redirect_http"]
    }
    chosen = []
    for route in routes:
        place = (route.get("gateway_namespace") or route["namespace"], route.get("gateway"))
        found = listeners.get(place, []) if route.get("kind") != "VirtualService" and not route.get("section_names") else []
        # One whose hosts meet none of them is an error, which names all of them.
        names = [listener["name"] for listener in meeting_listeners(found, route.get("hosts") or ()) or found]
        chosen.append({**route, "section_names": names} if names else dict(route))
    return chosen


def meeting_listeners(listeners: t.Iterable[Listener], hosts: t.Iterable[str]) -> list[Listener]:
    """The listeners that serve one of a route's hosts; a route without hosts has those of its listeners."""
    wanted = list(hosts) or [""]
    return [listener for listener in listeners if any(hosts_meet(listener.get("hostname") or "", host) for host in wanted)]


def _parse_route(item: Item) -> DesiredItem:
    if item.get("kind") == "VirtualService":
        return parse_virtual_service(complete([item], VIRTUAL_SERVICE)[0])
    return parse_route(complete([item], ROUTE)[0])


__all__ = ("IngressLists", "Listener", "choose_sections", "choose_service_types", "meeting_listeners", "parse_ingress_lists")
