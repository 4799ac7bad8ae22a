# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Options of HTTPRoutes, their objects, and their validation errors."""

from __future__ import annotations

from .._ingress.spec import DICT, IDENTITY, STRINGS, DesiredItem, DesiredObject, Item, Options, list_of
from .._kubernetes_text import find_text_errors, with_text
from .render import render_route

_BACKEND: Options = {
    "service": {"type": "str", "required": True},
    "port": {"type": "int", "required": True},
    "namespace": {"type": "str"},
    "weight": {"type": "int"},
}
_RULE: Options = {
    "path": {"type": "str", "default": "/"},
    "path_type": {"type": "str", "choices": ["PathPrefix", "Exact", "RegularExpression"], "default": "PathPrefix"},
    "backends": list_of(_BACKEND),
}
# What an HTTPRoute and a VirtualService have in common.
ANY_ROUTE: Options = {
    **IDENTITY,
    "gateway": {"type": "str"},
    "gateway_namespace": {"type": "str"},
    "hosts": STRINGS,
    "rules": list_of(_RULE),
    "labels": DICT,
    "spec": DICT,
}
ROUTE: Options = {**ANY_ROUTE, "section_names": STRINGS}


def parse_route(item: Item) -> DesiredItem:
    """An item, with its HTTPRoute and what is wrong with it."""
    route = DesiredObject(("HTTPRoute", item["namespace"], item["name"]))
    if item["state"] == "absent":
        return DesiredItem("Route", item, route)
    item = with_text(dict(item))
    errors = (*find_text_errors(item), *find_route_errors(item))
    return DesiredItem("Route", item, DesiredObject(route.key, render_route(item)), errors=errors)


def find_route_errors(item: Item) -> list[str]:
    """The validation errors of a route."""
    errors = []
    spec = item.get("spec") or {}
    if not item.get("gateway") and not (spec.get("parentRefs") or spec.get("gateways")):
        errors.append("gateway is missing: set the Gateway to which the route is attached.")
    if not item.get("rules") and not (spec.get("rules") or spec.get("http") or spec.get("tcp") or spec.get("tls")):
        errors.append("rules is empty: add a rule that sends a path to a Service.")
    for place, rule in enumerate(item.get("rules") or ()):
        if not rule.get("backends"):
            errors.append(f"rules[{place}].backends is empty: add a Service and its port.")
        if rule["path_type"] != "RegularExpression" and not str(rule["path"]).startswith("/"):
            errors.append(f"rules[{place}].path is {rule['path']!r}: a path must begin with a slash.")
    return errors


__all__ = ("ANY_ROUTE", "ROUTE", "find_route_errors", "parse_route")
