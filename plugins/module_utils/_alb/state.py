# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Reads the current state around Application Load Balancers; each kind only if it matters."""

from __future__ import annotations

import typing as t

from .._errors import ApiError, NotServed
from .._ingress.state import Reader, place_of
from .._kinds import GATEWAY, Kind
from .refusals import AlbState
from .render import backend_service

if t.TYPE_CHECKING:
    from .._ingress.plan import Place
    from .._ingress.spec import DesiredItem, Item
    from .._mesh.labels import Object

_INGRESS_CLASS = Kind("networking.k8s.io/v1", "IngressClass", "ingressclasses", namespaced=False)


def read_alb_state(reader: Reader, items: t.Sequence[DesiredItem], planned: Item, *, allow_unroutable_targets: bool) -> AlbState:
    """The state that plan, refusals and report need.

    Args:
        reader: reads from the cluster.
        items: the load balancers.
        planned: what earlier tasks of the same check run would create.
        allow_unroutable_targets: whether it does not matter if a load balancer can reach pods.
    """
    present = [item.item for item in items if item.present]
    planned_controller = bool(planned.get("controller"))
    by_address = any(item["target_type"] == "ip" for item in present)
    services = reader.services() if present else {}
    planned_services = frozenset(_place(service) for service in planned.get("services") or ())
    # Only for these do the listeners of their Gateway matter.
    missing = [
        item for item in present if item.get("gateway") and not _has_port(item, services) and (item["namespace"], backend_service(item)) not in planned_services
    ]
    return AlbState(
        objects=reader.objects(items, required=True),
        namespaces=frozenset({*(planned.get("namespaces") or ()), *(reader.namespaces() if present else ())}),
        services=services,
        planned_services=planned_services,
        listeners=_read_listeners(reader) if missing else {},
        ingress_classes=_read_ingress_classes(reader) if present and not planned_controller else None,
        routable=reader.routable() if by_address and not allow_unroutable_targets and not planned_controller else None,
    )


def _has_port(item: Item, services: t.Mapping[Place, Object]) -> bool:
    """Whether the Service of a load balancer has the port to which it sends requests."""
    service = services.get((item["namespace"], backend_service(item))) or {}
    return any(port["port"] == item["service_port"] for port in service.get("spec", {}).get("ports") or ())


def _read_listeners(reader: Reader) -> dict[Place, frozenset[int]]:
    """The ports of the Gateways; none if the Gateway API is not installed, or if this user may not read them."""
    try:
        return {place_of(item): frozenset(listener["port"] for listener in item["spec"]["listeners"]) for item in reader.read(GATEWAY)}
    except NotServed:
        return {}
    except ApiError as error:
        if error.status != 403:
            raise
        return {}


def _read_ingress_classes(reader: Reader) -> frozenset[str] | None:
    """The names of the IngressClasses; None if this user may not read them."""
    found = reader.read_optional(_INGRESS_CLASS, "the ingress class exists")
    return None if found is None else frozenset(item["metadata"]["name"] for item in found)


def _place(service: str) -> Place:
    namespace, _slash, name = service.partition("/")
    return namespace, name


__all__ = ("read_alb_state",)
