# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Options of Istio's own Gateways and VirtualServices, their objects, and their validation errors."""

from __future__ import annotations

import re
import typing as t

from .._ingress.spec import DICT, IDENTITY, STRINGS, DesiredItem, DesiredObject, Item, Options
from .._kubernetes_text import find_text_errors, with_text
from .._limits.hosts import find_one_host_errors, is_address
from .._limits.kubernetes import HIGHEST_PORT, find_label_errors, find_label_name_errors, find_name_errors, find_number_errors
from .._route.spec import ANY_ROUTE, find_route_errors
from .._text import repeated
from .render import render_istio_gateway, render_virtual_service

ISTIO_GATEWAY: Options = {
    **IDENTITY,
    "labels": DICT,
    "release": {"type": "str"},
    "selector": DICT,
    "hosts": STRINGS,
    "port": {"type": "int", "default": 80},
    "protocol": {"type": "str", "choices": ["HTTP", "HTTPS", "HTTP2", "GRPC", "TCP", "TLS"], "default": "HTTP"},
    "tls": DICT,
    "servers": {"type": "list", "elements": "dict", "default": []},
}
VIRTUAL_SERVICE = ANY_ROUTE

# The steps of writing: what others need comes first.
_GATEWAYS, _ROUTES = range(2)


def parse_istio_gateway(item: Item) -> DesiredItem:
    """An item, with its Gateway and what is wrong with it."""
    gateway = DesiredObject(("IstioGateway", item["namespace"], item["name"]), order=_GATEWAYS)
    if item["state"] == "absent":
        return DesiredItem("Istio Gateway", item, gateway)
    item = with_text(dict(item))
    errors = (*find_text_errors(item), *find_istio_gateway_errors(item))
    return DesiredItem("Istio Gateway", item, DesiredObject(gateway.key, render_istio_gateway(item), _GATEWAYS), errors=errors)


def parse_virtual_service(item: Item) -> DesiredItem:
    """An item, with its VirtualService and what is wrong with it."""
    route = DesiredObject(("VirtualService", item["namespace"], item["name"]), order=_ROUTES)
    if item["state"] == "absent":
        return DesiredItem("VirtualService", item, route)
    item = with_text(dict(item))
    errors = (*find_text_errors(item), *find_route_errors(item), *_find_host_errors("hosts", item, with_namespace=False))
    return DesiredItem("VirtualService", item, DesiredObject(route.key, render_virtual_service(item), _ROUTES), errors=errors)


def report_istio_gateways(items: t.Iterable[DesiredItem]) -> list[dict[str, str]]:
    """The Gateways that should be present, as a module returns them."""
    places = [item.place for item in items if item.present]
    return [{"name": name, "namespace": namespace, "reference": f"{namespace}/{name}"} for namespace, name in places]


def find_istio_gateway_errors(item: Item) -> list[str]:
    """The validation errors of one of Istio's own Gateways."""
    errors = [
        *find_name_errors("name", item.get("name")),
        *find_label_name_errors("namespace", item.get("namespace")),
        *find_label_errors("labels", item.get("labels")),
        *find_label_errors("selector", item.get("selector")),
        *find_number_errors("", item, {"port": (1, HIGHEST_PORT)}),
        *_find_host_errors("hosts", item),
    ]
    for index, server in enumerate(item.get("servers") or ()):
        if isinstance(server.get("hosts"), list):
            errors += _find_host_errors(f"servers[{index}].hosts", server)
    if not item.get("selector") and not item.get("release"):
        errors.append("release and selector are empty: set the release of the chart gateway, such as istio-ingress, or the labels of the gateway's pods.")
    if item["protocol"] in ("HTTPS", "TLS") and not item.get("servers") and not item.get("tls"):
        errors.append(f"protocol is {item['protocol']} without tls: set mode and credentialName.")
    return errors


def _find_host_errors(option: str, item: Item, *, with_namespace: bool = True) -> t.Iterator[str]:
    """Hosts as Istio's own kinds take them: also addresses, a lone wildcard, and one that is a part of the first label; in a Gateway after a namespace."""
    hosts = [str(host) for host in item.get("hosts") or ()]
    for host in hosts:
        namespace, slash, name = host.rpartition("/") if with_namespace and "://" not in host else ("", "", host)
        if slash and namespace not in ("*", "."):
            yield from find_label_name_errors(f"the namespace of {host} in {option}", namespace)
        bare = name if name.startswith("*.") else re.sub(r"^\*-?(?=[A-Za-z0-9])", "", name)
        if name != "*" and not is_address(name):
            yield from find_one_host_errors(option, bare.lower())
    for host in repeated(hosts):
        yield f"{option} names {host} more than once: keep one of them."


__all__ = ("ISTIO_GATEWAY", "VIRTUAL_SERVICE", "find_istio_gateway_errors", "parse_istio_gateway", "parse_virtual_service", "report_istio_gateways")
