# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""What has to change around Gateways besides their own objects, and what must be true of them afterwards."""

from __future__ import annotations

import typing as t

from .._ingress.plan import Change
from .._ingress.spec import DesiredItem
from .._managed_gateway.spec import Created
from .._status.gateways import GatewayExpectation
from .._status.load_balancers import ControllerExpectation
from .._status.target import Target
from .render import access_labels, overlays_of, service_annotations


def namespaces_to_create(items: t.Iterable[DesiredItem], existing: t.Collection[str]) -> list[str]:
    """The namespaces of gateways that do not exist and may be created."""
    desired = {item.item["namespace"] for item in items if item.present and item.item["create_namespace"]}
    return sorted(desired - set(existing))


def missing_labels(items: t.Iterable[DesiredItem], namespaces: t.Mapping[str, t.Mapping[str, str]]) -> dict[str, dict[str, str]]:
    """The labels that namespaces still need for the routes of shared gateways."""
    missing: dict[str, dict[str, str]] = {}
    for item in items:
        for name in (item.item.get("route_namespaces") or ()) if item.present else ():
            current = namespaces.get(name, {})
            lacking = {key: value for key, value in access_labels(item.item).items() if current.get(key) != value}
            if lacking:
                missing.setdefault(name, {}).update(lacking)
    return missing


def has_nlb(items: t.Iterable[DesiredItem]) -> bool:
    """Whether a load balancer of AWS is desired."""
    return any(item.present and item.item["load_balancer"] == "nlb" for item in items)


def changes_load_balancer(change: Change, changes: t.Sequence[Change]) -> bool:
    """Whether an existing load balancer is changed with this Gateway, if only by its parameters."""
    return change.is_main and change.action != "created" and has_nlb([change.item]) and _is_changed(change, changes)


def ready_target(change: Change, changes: t.Sequence[Change], known_events: t.Mapping[str, str], *, reconciled: bool = False) -> Target:
    """What to wait for.

    Args:
        change: a change of a Gateway or of its redirect that should be present.
        changes: the plan.
        known_events: the events before the writes.
        reconciled: whether the load balancer controller must have acknowledged the change.
    """
    kind, namespace, name = change.desired.key
    if kind == "HTTPRoute":
        return Target(kind, name, namespace)
    overlays = overlays_of(change.item.item)
    if not has_nlb([change.item]):
        return Target(kind, name, namespace, GatewayExpectation(overlays=overlays))
    # If nothing was written, everything that the controller has said since counts.
    controller = ControllerExpectation(known_events if _is_changed(change, changes) else {}, reconciled=reconciled and changes_load_balancer(change, changes))
    return Target(kind, name, namespace, GatewayExpectation(True, overlays, service_annotations(change.item.item), controller))


def objects_to_try(changes: t.Sequence[Change], namespaces: t.Mapping[str, t.Mapping[str, str]]) -> list[Created]:
    """The Gateways whose objects istiod is going to create, or to render from other overlays, in namespaces that exist.

    Args:
        changes: the plan.
        namespaces: the labels of the namespaces, by name; those that are only planned have none.
    """
    found = []
    for change in changes:
        if not change.is_main or not namespaces.get(change.item.item["namespace"]):
            continue
        renewed = any(other.changed for other in changes if other.item is change.item and other.desired.key[0] == "ConfigMap")
        if change.action == "created" or renewed:
            found.append(Created(change.item.title, change.desired.manifest, overlays_of(change.item.item), only_overlays=change.action != "created"))
    return found


def _is_changed(change: Change, changes: t.Sequence[Change]) -> bool:
    return any(other.changed for other in changes if other.item is change.item and other.desired.key[0] != "HTTPRoute")


__all__ = ("changes_load_balancer", "has_nlb", "missing_labels", "namespaces_to_create", "objects_to_try", "ready_target")
