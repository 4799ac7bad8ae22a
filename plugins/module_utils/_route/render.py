# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Renders HTTPRoutes. Source: the Gateway API's HTTPRoute."""

from __future__ import annotations

import typing as t

from .._ingress.render import render_object

Item = t.Mapping[str, t.Any]


def render_route(item: Item) -> dict[str, t.Any]:
    """The HTTPRoute of an item."""
    spec: dict[str, t.Any] = {"parentRefs": [_parent(item, section) for section in item.get("section_names") or [""]]}
    if item.get("hosts"):
        spec["hostnames"] = list(item["hosts"])
    spec["rules"] = [_rule(rule, item) for rule in item.get("rules") or ()]
    return render_object("gateway.networking.k8s.io/v1", "HTTPRoute", item, {**spec, **(item.get("spec") or {})})


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


__all__ = ("render_route",)
