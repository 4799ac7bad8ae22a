# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Options of HTTPRoutes, their objects, and their validation errors."""

from __future__ import annotations

import typing as t

from .._ingress.spec import DICT, IDENTITY, STRINGS, DesiredItem, DesiredObject, Item, Options, list_of
from .._kubernetes_text import find_text_errors, with_text
from .._limits.hosts import find_host_errors
from .._limits.http import find_path_errors
from .._limits.kubernetes import (
    HIGHEST_PORT,
    HIGHEST_WEIGHT,
    MOST_BACKENDS,
    MOST_HOSTNAMES,
    MOST_PARENTS,
    MOST_RULES,
    find_count_errors,
    find_label_errors,
    find_label_name_errors,
    find_name_errors,
    find_number_errors,
)
from .render import render_route
from .rules import find_rule_errors

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
    errors = (*find_text_errors(item), *find_route_errors(item), *_find_http_route_errors(item))
    return DesiredItem("Route", item, DesiredObject(route.key, render_route(item)), errors=errors)


def _find_http_route_errors(item: Item) -> t.Iterator[str]:
    """The validation errors that only an HTTPRoute can have: hosts of another form, and lists that are too long."""
    yield from find_host_errors("hosts", item.get("hosts"))
    yield from find_count_errors("hosts", item.get("hosts"), MOST_HOSTNAMES, "use a wildcard, or a second route")
    yield from find_count_errors("section_names", item.get("section_names"), MOST_PARENTS, "name fewer listeners, or omit it to attach to all of them")
    yield from find_count_errors("rules", item.get("rules"), MOST_RULES, "move some to a second route")
    for place, rule in enumerate(item.get("rules") or ()):
        yield from find_count_errors(f"rules[{place}].backends", rule.get("backends"), MOST_BACKENDS, "use fewer Services")
        yield from find_path_errors(f"rules[{place}].path", str(rule["path"]), rule["path_type"])
    yield from find_rule_errors("spec.rules", (item.get("spec") or {}).get("rules"))


def find_route_errors(item: Item) -> list[str]:
    """The validation errors that an HTTPRoute and a VirtualService can have."""
    errors = [*_find_name_errors(item)]
    spec = item.get("spec") or {}
    if not item.get("gateway") and not (spec.get("parentRefs") or spec.get("gateways")):
        errors.append("gateway is missing: set the Gateway to which the route is attached.")
    if not item.get("rules") and not (spec.get("rules") or spec.get("http") or spec.get("tcp") or spec.get("tls")):
        errors.append("rules is empty: add a rule that sends a path to a Service.")
    for place, rule in enumerate(item.get("rules") or ()):
        if not rule.get("backends"):
            errors.append(f"rules[{place}].backends is empty: add a Service and its port.")
    return errors


def _find_name_errors(item: Item) -> t.Iterator[str]:
    yield from find_name_errors("name", item.get("name"))
    for option in ("namespace", "gateway_namespace"):
        if item.get(option):
            yield from find_label_name_errors(option, item[option])
    yield from find_label_errors("labels", item.get("labels"))
    for place, rule in enumerate(item.get("rules") or ()):
        for index, backend in enumerate(rule.get("backends") or ()):
            at = f"rules[{place}].backends[{index}]."
            yield from find_label_name_errors(f"{at}service", backend["service"])
            if backend.get("namespace"):
                yield from find_label_name_errors(f"{at}namespace", backend["namespace"])
            yield from find_number_errors(at, backend, {"port": (1, HIGHEST_PORT), "weight": (0, HIGHEST_WEIGHT)})


__all__ = ("ANY_ROUTE", "ROUTE", "find_route_errors", "parse_route")
