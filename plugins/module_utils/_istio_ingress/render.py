# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Renders Istio's own Gateway and VirtualService. Source: Istio's reference of both."""

from __future__ import annotations

import typing as t

from .._ingress.render import render_object
from .._text import format_scalar

Item = t.Mapping[str, t.Any]

_API_VERSION = "networking.istio.io/v1"


def render_istio_gateway(item: Item) -> dict[str, t.Any]:
    """The Gateway of an item."""
    servers = list(item.get("servers") or ())
    if not servers:
        server: dict[str, t.Any] = {
            "hosts": list(item.get("hosts") or ["*"]),
            "port": {"name": item["protocol"].lower(), "number": item["port"], "protocol": item["protocol"]},
        }
        if item.get("tls"):
            server["tls"] = dict(item["tls"])
        servers = [server]
    selector = {key: format_scalar(value) for key, value in sorted((item.get("selector") or _pods_of(item)).items())}
    return render_object(_API_VERSION, "Gateway", item, {"selector": selector, "servers": servers})


def render_virtual_service(item: Item) -> dict[str, t.Any]:
    """The VirtualService of an item."""
    gateway = f"{item.get('gateway_namespace') or item['namespace']}/{item.get('gateway')}"
    spec = {
        "hosts": list(item.get("hosts") or ["*"]),
        "gateways": [gateway],
        "http": [_rule(rule, item) for rule in _in_order(item.get("rules") or ())],
    }
    return render_object(_API_VERSION, "VirtualService", item, {**spec, **(item.get("spec") or {})})


def _in_order(rules: t.Iterable[Item]) -> list[Item]:
    """The rules as they are written, but each before those that would hide it: of a VirtualService, the first rule that matches is taken."""
    found: list[Item] = []
    for rule in rules:
        place = next((index for index, earlier in enumerate(found) if _hides(earlier, rule)), len(found))
        found.insert(place, rule)
    return found


def _hides(earlier: Item, later: Item) -> bool:
    """Whether a rule takes each request of another one, and is not the same."""
    prefix, path = str(earlier["path"]), str(later["path"])
    if earlier["path_type"] != "PathPrefix" or (later["path_type"], path) == ("PathPrefix", prefix):
        return False
    return prefix == "/" or (later["path_type"] != "RegularExpression" and path.startswith(prefix))


def _pods_of(item: Item) -> dict[str, str]:
    """The label of a release's pods. Source: istio manifests/charts/gateway/templates/_helpers.tpl (gateway.selectorLabels)."""
    return {"app": item["release"]} if item.get("release") else {}


def _rule(rule: Item, item: Item) -> dict[str, t.Any]:
    match = {"PathPrefix": "prefix", "Exact": "exact", "RegularExpression": "regex"}[rule["path_type"]]
    routes = []
    for backend in rule["backends"]:
        namespace = backend.get("namespace") or item["namespace"]
        destination = {"host": f"{backend['service']}.{namespace}.svc.cluster.local", "port": {"number": backend["port"]}}
        routes.append({"destination": destination, **({"weight": backend["weight"]} if backend.get("weight") is not None else {})})
    return {"match": [{"uri": {match: rule["path"]}}], "route": routes}


__all__ = ("render_istio_gateway", "render_virtual_service")
