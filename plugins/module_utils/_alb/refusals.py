# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Why Application Load Balancers must not be changed on this cluster, one sentence each."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._ingress.annotation_values import ALB_PREFIX, STATUS_PORT_NAME
from .._ingress.plan import Change, Place
from .._ingress.refusals import refuse_changes, refuse_unroutable
from .._ingress.spec import DesiredItem, Key
from .._mesh.labels import Object, annotations_of
from .._status.addresses import external_addresses
from .render import backend_service


@dataclass(frozen=True)
class AlbState:
    """The current state around Application Load Balancers.

    Attributes:
        objects: the Ingresses.
        namespaces: the names of the namespaces, planned ones included.
        services: the Services in the namespaces of the Ingresses.
        planned_services: Services that an earlier task would create.
        listeners: the ports at which each Gateway of class istio listens, which its Service will have; empty if no Service lacks a port.
        ingress_classes: the names of the IngressClasses; None if that is not known.
        routable: whether a load balancer can reach the addresses of pods; None if that is not known.
    """

    objects: t.Mapping[Key, Object] = field(default_factory=dict)
    namespaces: frozenset[str] = frozenset()
    services: t.Mapping[Place, Object] = field(default_factory=dict)
    planned_services: frozenset[Place] = frozenset()
    listeners: t.Mapping[Place, frozenset[int]] = field(default_factory=dict)
    ingress_classes: frozenset[str] | None = None
    routable: bool | None = None


def refuse_albs(
    changes: t.Sequence[Change],
    state: AlbState,
    *,
    force_conflicts: bool = False,
    override_deletion_protection: bool = False,
    allow_load_balancer_service: bool = False,
) -> list[str]:
    """Why these changes must not be made.

    Args:
        changes: the plan.
        state: the current state.
        force_conflicts: whether objects of others are taken over.
        override_deletion_protection: whether protected load balancers are deleted all the same.
        allow_load_balancer_service: whether a load balancer may be in front of a Service that has one of its own.
    """
    refusals = refuse_changes(changes, state.namespaces, force_conflicts=force_conflicts, override_deletion_protection=override_deletion_protection)
    for change in changes:
        if change.is_main:
            refusals += _refuse_class(change.item, state)
            refusals += refuse_unroutable(change.item.title, change.item.item["target_type"], routable=state.routable)
            refusals += _refuse_backend(change.item, state, allow_load_balancer_service)
            refusals += _refuse_name(change)
    return refusals


def _refuse_class(item: DesiredItem, state: AlbState) -> t.Iterator[str]:
    if state.ingress_classes is not None and item.item["ingress_class"] not in state.ingress_classes:
        yield (
            f"{item.title}: this cluster has no IngressClass {item.item['ingress_class']}, so the load balancer would never be provisioned: "
            "install the AWS Load Balancer Controller (role alb_controller), or correct ingress_class."
        )


def _refuse_name(change: Change) -> t.Iterator[str]:
    if change.current is None or not external_addresses(change.current):
        return
    before = annotations_of(change.current).get(f"{ALB_PREFIX}load-balancer-name", "")
    after = change.item.item.get("load_balancer_name") or ""
    if before != after:
        yield (
            f"{change.item.title}: load_balancer_name would change from {before or 'none'} to {after or 'none'}, but the name of a load balancer "
            "cannot change: delete the item (state absent) and create it again, or keep the name."
        )


def _refuse_backend(item: DesiredItem, state: AlbState, allow_load_balancer_service: bool) -> t.Iterator[str]:
    namespace, name = item.item["namespace"], backend_service(item.item)
    if (namespace, name) in state.planned_services:
        return
    service = state.services.get((namespace, name))
    listeners = state.listeners.get((namespace, item.item.get("gateway") or ""))
    title = f"Service {namespace}/{name}"
    if service is None and listeners is None:
        option = "gateway" if item.item.get("gateway") else "service"
        yield f"{item.title}: its backend {title} does not exist: create the gateway first, or correct {option}."
        return
    ports = {port["port"]: port.get("name", "") for port in (service or {}).get("spec", {}).get("ports") or ()}
    # istiod may not have brought the Service of a changed Gateway up to date yet.
    if item.item["service_port"] not in {*ports, *(listeners or ())}:
        found = ", ".join(f"{port} ({name})" if name else str(port) for port, name in sorted({**dict.fromkeys(listeners or (), ""), **ports}.items()))
        yield f"{item.title}: {title} has no port {item.item['service_port']}, only {found}: correct service_port."
    if service is not None:
        yield from _refuse_service(item, title, service, list(ports.values()), allow_load_balancer_service)


def _refuse_service(item: DesiredItem, title: str, service: Object, port_names: t.Sequence[str], allow_load_balancer_service: bool) -> t.Iterator[str]:
    check = str((item.item.get("health_check") or {}).get("port") or STATUS_PORT_NAME)
    if not check.isdigit() and check != "traffic-port" and check not in port_names:
        found = ", ".join(filter(None, port_names)) or "no named ports"
        yield f"{item.title}: {title} has no port named {check} for the health check, only {found}: add it to the Service, or set health_check.port."
    kind, instance = service["spec"].get("type", "ClusterIP"), item.item["target_type"] == "instance"
    remedy = "set service_type of the gateway to" if item.item.get("gateway") else "set the value service.type of its chart to"
    if instance and kind == "ClusterIP":
        yield f"{item.title}: target_type instance needs a NodePort, but {title} is of type ClusterIP: {remedy} NodePort."
    if kind == "LoadBalancer" and not allow_load_balancer_service:
        yield (
            f"{item.title}: {title} is of type LoadBalancer, so there would be a second load balancer beside this one: "
            f"{remedy} {'NodePort' if instance else 'ClusterIP'}, or set allow_load_balancer_service."
        )


__all__ = ("AlbState", "refuse_albs")
