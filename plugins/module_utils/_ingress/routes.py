# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.
"""Routes behind an entry: HTTPRoute, and for users of sidecars Istio's own Gateway and VirtualService.

Source: the Gateway API's HTTPRoute, and Istio's reference of Gateway and VirtualService.
"""

from __future__ import annotations

import typing as t

from .._k8s.managed_fields import FIELD_MANAGER, MANAGED_BY
from .._text import format_scalar

Item = t.Mapping[str, t.Any]


def render_route(item: Item, default_sections: t.Sequence[str] = ()) -> dict[str, t.Any]:
    """The HTTPRoute or VirtualService of an item.

    Args:
        item: the route.
        default_sections: the listeners to attach to, when the item names none; empty means all.
    """
    if item["kind"] == "VirtualService":
        spec: dict[str, t.Any] = {"hosts": list(item.get("hosts") or ["*"]), "gateways": [classic_reference(item)]}
        spec["http"] = [_classic_rule(rule, item) for rule in item.get("rules") or ()]
        api_version = "networking.istio.io/v1"
    else:
        sections = list(item.get("section_names") or default_sections)
        spec = {"parentRefs": [_parent(item, section) for section in sections or [""]]}
        if item.get("hosts"):
            spec["hostnames"] = list(item["hosts"])
        spec["rules"] = [_rule(rule, item) for rule in item.get("rules") or ()]
        api_version = "gateway.networking.k8s.io/v1"
    return _object(api_version, item["kind"], item, {**spec, **(item.get("spec") or {})})


def render_classic_gateway(item: Item) -> dict[str, t.Any]:
    """Istio's own Gateway of an item."""
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
    return _object("networking.istio.io/v1", "Gateway", item, {"selector": selector, "servers": servers})


def classic_reference(item: Item) -> str:
    """How a VirtualService names its Gateway: C(namespace/name)."""
    return f"{item.get('gateway_namespace') or item['namespace']}/{item.get('gateway')}"


def find_route_problems(item: Item) -> list[str]:
    """What is wrong with one route, whatever is on the cluster."""
    problems = []
    spec = item.get("spec") or {}
    if not item.get("gateway") and not (spec.get("parentRefs") or spec.get("gateways")):
        problems.append("gateway is missing: name the Gateway that it is attached to.")
    if not item.get("rules") and not (spec.get("rules") or spec.get("http") or spec.get("tcp") or spec.get("tls")):
        problems.append("rules is empty: say which path goes to which Service.")
    for place, rule in enumerate(item.get("rules") or ()):
        if not rule.get("backends"):
            problems.append(f"rules[{place}].backends is empty: name the Service and its port.")
        if rule["path_type"] != "RegularExpression" and not str(rule["path"]).startswith("/"):
            problems.append(f"rules[{place}].path is {rule['path']!r}: it begins with a slash.")
    return problems


def find_classic_problems(item: Item) -> list[str]:
    """What is wrong with one of Istio's own Gateways, whatever is on the cluster."""
    problems = []
    if item["state"] == "present" and not item.get("selector") and not item.get("release"):
        problems.append("release and selector are empty: name the release of the chart gateway, such as istio-ingress, or the labels of the gateway's pods.")
    if item["protocol"] in ("HTTPS", "TLS") and not item.get("servers") and not item.get("tls"):
        problems.append(f"protocol is {item['protocol']} without tls: give mode and credentialName.")
    return problems


def _pods_of(item: Item) -> dict[str, str]:
    """The label of a release's pods. Source: istio manifests/charts/gateway/templates/_helpers.tpl (gateway.selectorLabels)."""
    return {"app": item["release"]} if item.get("release") else {}


def _object(api_version: str, kind: str, item: Item, spec: dict[str, t.Any]) -> dict[str, t.Any]:
    labels = {**{key: format_scalar(value) for key, value in sorted((item.get("labels") or {}).items())}, MANAGED_BY: FIELD_MANAGER}
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": item["name"], "namespace": item["namespace"], "labels": labels}, "spec": spec}


def _parent(item: Item, section: str) -> dict[str, t.Any]:
    parent = {"name": item.get("gateway") or ""}
    if item.get("gateway_namespace") and item["gateway_namespace"] != item["namespace"]:
        parent["namespace"] = item["gateway_namespace"]
    if section:
        parent["sectionName"] = section
    return parent


def _rule(rule: Item, item: Item) -> dict[str, t.Any]:
    return {"matches": [{"path": {"type": rule["path_type"], "value": rule["path"]}}], "backendRefs": [_backend(backend, item) for backend in rule["backends"]]}


def _backend(backend: Item, item: Item) -> dict[str, t.Any]:
    reference: dict[str, t.Any] = {"name": backend["service"], "port": backend["port"]}
    if backend.get("namespace") and backend["namespace"] != item["namespace"]:
        reference["namespace"] = backend["namespace"]
    if backend.get("weight") is not None:
        reference["weight"] = backend["weight"]
    return reference


def _classic_rule(rule: Item, item: Item) -> dict[str, t.Any]:
    word = {"PathPrefix": "prefix", "Exact": "exact", "RegularExpression": "regex"}[rule["path_type"]]
    routes = []
    for backend in rule["backends"]:
        namespace = backend.get("namespace") or item["namespace"]
        destination = {"host": f"{backend['service']}.{namespace}.svc.cluster.local", "port": {"number": backend["port"]}}
        routes.append({"destination": destination, **({"weight": backend["weight"]} if backend.get("weight") is not None else {})})
    return {"match": [{"uri": {word: rule["path"]}}], "route": routes}


__all__ = ("classic_reference", "find_classic_problems", "find_route_problems", "render_classic_gateway", "render_route")
