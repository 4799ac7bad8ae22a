# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Options of Istio's own Gateways and VirtualServices, their objects, and their validation errors."""

from __future__ import annotations

import re
import typing as t

from .._ingress.spec import DICT, IDENTITY, STRINGS, DesiredItem, DesiredObject, Item, Options
from .._kubernetes_text import find_text_errors, with_text
from .._limits.choices import find_choice_errors
from .._limits.hosts import find_one_host_errors, is_address
from .._limits.http import find_expression_errors
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

# Source: Istio's reference of Gateway (Port.protocol), and of ServerTLSSettings.
_PROTOCOLS = ("HTTP", "HTTPS", "GRPC", "GRPC-WEB", "HTTP2", "MONGO", "REDIS", "MYSQL", "TCP", "TLS", "UDP")
_TLS_VERSIONS = ("TLS_AUTO", "TLSV1_0", "TLSV1_1", "TLSV1_2", "TLSV1_3")
_TLS_CHOICES = {
    "mode": ("PASSTHROUGH", "SIMPLE", "MUTUAL", "AUTO_PASSTHROUGH", "ISTIO_MUTUAL", "OPTIONAL_MUTUAL"),
    "minProtocolVersion": _TLS_VERSIONS,
    "maxProtocolVersion": _TLS_VERSIONS,
}
# The steps of writing: what others need comes first.
_GATEWAYS, _ROUTES = range(2)


def parse_istio_gateway(item: Item) -> DesiredItem:
    """An item, with its Gateway and what is wrong with it."""
    gateway = DesiredObject(("IstioGateway", item["namespace"], item["name"]), order=_GATEWAYS)
    if item["state"] == "absent":
        return DesiredItem("Istio Gateway", item, gateway)
    item = with_text(dict(item))
    errors = (*find_text_errors(item), *_find_istio_gateway_errors(item))
    return DesiredItem("Istio Gateway", item, DesiredObject(gateway.key, render_istio_gateway(item), _GATEWAYS), errors=errors)


def parse_virtual_service(item: Item) -> DesiredItem:
    """An item, with its VirtualService and what is wrong with it."""
    route = DesiredObject(("VirtualService", item["namespace"], item["name"]), order=_ROUTES)
    if item["state"] == "absent":
        return DesiredItem("VirtualService", item, route)
    item = with_text(dict(item))
    errors = (*find_text_errors(item), *find_route_errors(item), *_find_host_errors("hosts", item, with_namespace=False), *_find_rule_errors(item))
    notes = tuple(_find_rule_notes(item))
    return DesiredItem("VirtualService", item, DesiredObject(route.key, render_virtual_service(item), _ROUTES), errors=errors, notes=notes)


def report_istio_gateways(items: t.Iterable[DesiredItem]) -> list[dict[str, str]]:
    """The Gateways that should be present, as a module returns them."""
    places = [item.place for item in items if item.present]
    return [{"name": name, "namespace": namespace, "reference": f"{namespace}/{name}"} for namespace, name in places]


def _find_istio_gateway_errors(item: Item) -> list[str]:
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
        errors += _find_server_errors(f"servers[{index}]", server)
    errors += _find_tls_errors("tls", item.get("tls"))
    if not item.get("selector") and not item.get("release"):
        errors.append("release and selector are empty: set the release of the chart gateway, such as istio-ingress, or the labels of the gateway's pods.")
    if item["protocol"] in ("HTTPS", "TLS") and not item.get("servers") and not item.get("tls"):
        errors.append(f"protocol is {item['protocol']} without tls: set mode and credentialName.")
    return errors


def _find_server_errors(place: str, server: Item) -> t.Iterator[str]:
    """A server as the API has it; what is of another structure is left to the API server."""
    port = server.get("port")
    if isinstance(port, dict):
        yield from find_number_errors(f"{place}.port.", port, {"number": (1, HIGHEST_PORT)})
        # istiod reads it in any case. Source: istio pkg/config/protocol (Parse).
        protocol = None if port.get("protocol") is None else str(port["protocol"]).upper()
        yield from find_choice_errors(f"{place}.port.protocol", protocol, _PROTOCOLS, required=True)
    else:
        yield f"{place} has no port: set its number, name and protocol."
    yield from _find_tls_errors(f"{place}.tls", server.get("tls"))


def _find_tls_errors(place: str, tls: t.Any) -> t.Iterator[str]:
    """Source: Istio's definition of Gateway (ServerTLSSettings), v1.31: the API server refuses other words, and the same ones in another case."""
    for name, choices in _TLS_CHOICES.items() if isinstance(tls, dict) else ():
        yield from find_choice_errors(f"{place}.{name}", tls.get(name), choices)


def _find_rule_errors(item: Item) -> t.Iterator[str]:
    """What istiod's webhook refuses. Where there are several backends, one without a weight counts as one of weight 0.

    Source: istio pkg/config/validation (validateHTTPRouteDestinations, validateStringMatchRegexp).
    """
    for place, rule in enumerate(item.get("rules") or ()):
        if rule["path_type"] == "RegularExpression":
            yield from find_expression_errors(f"rules[{place}].path", str(rule["path"]))
        elif not str(rule["path"]).startswith("/"):
            yield f"rules[{place}].path is {rule['path']!r}: a path must begin with a slash."
        weights = [backend.get("weight") for backend in rule.get("backends") or ()]
        if len(weights) > 1 and not any(weights):
            yield f"rules[{place}].backends has several backends and no weight above 0, which istiod refuses: give each a weight."


def _find_rule_notes(item: Item) -> t.Iterator[str]:
    for place, rule in enumerate(item.get("rules") or ()):
        weights = [backend.get("weight") for backend in rule.get("backends") or ()]
        if len(weights) > 1 and any(weights) and None in weights:
            yield f"rules[{place}].backends without a weight get no request, because others have one: give each a weight."


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


__all__ = ("ISTIO_GATEWAY", "VIRTUAL_SERVICE", "parse_istio_gateway", "parse_virtual_service", "report_istio_gateways")
