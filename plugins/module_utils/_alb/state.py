# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.

"""Reads the current state around Application Load Balancers; each kind only if it matters."""

from __future__ import annotations

import typing as t

from .._errors import NotServed
from .._ingress.state import Reader, place_of
from .._kinds import GATEWAY, Kind
from .refusals import AlbState

if t.TYPE_CHECKING:
    from .._ingress.plan import Place
    from .._ingress.spec import DesiredItem, Item

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
    return AlbState(
        objects=reader.objects(items, required=True),
        namespaces=frozenset({*(planned.get("namespaces") or ()), *(reader.namespaces() if present else ())}),
        services=reader.services() if present else {},
        planned_services=frozenset(_place(service) for service in planned.get("services") or ()),
        listeners=_read_listeners(reader) if any(item.get("gateway") for item in present) else {},
        ingress_classes=_read_ingress_classes(reader) if present and not planned_controller else None,
        routable=reader.routable() if by_address and not allow_unroutable_targets and not planned_controller else None,
    )


def _read_listeners(reader: Reader) -> dict[Place, frozenset[int]]:
    """The ports of the Gateways; none if the Gateway API is not installed."""
    try:
        return {place_of(item): frozenset(listener["port"] for listener in item["spec"]["listeners"]) for item in reader.read(GATEWAY)}
    except NotServed:
        return {}


def _read_ingress_classes(reader: Reader) -> frozenset[str] | None:
    """The names of the IngressClasses; None if this user may not read them."""
    found = reader.read_optional(_INGRESS_CLASS, "the ingress class exists")
    return None if found is None else frozenset(item["metadata"]["name"] for item in found)


def _place(service: str) -> Place:
    namespace, _slash, name = service.partition("/")
    return namespace, name


__all__ = ("read_alb_state",)
