# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Reads the current state around Gateways; each kind only if it matters."""

from __future__ import annotations

import typing as t

from .._ingress.state import Reader, place_of
from .._kinds import DEPLOYMENT
from .._mesh.labels import GATEWAY_NAME, MANAGED_GATEWAY, labels_of
from .plan import has_nlb
from .refusals import GatewayState
from .render import DEFAULT_NLB, service_type

if t.TYPE_CHECKING:
    from .._ingress.spec import DesiredItem, Item

_CONTROLLER = "app.kubernetes.io/name=aws-load-balancer-controller"


def read_gateway_state(reader: Reader, items: t.Sequence[DesiredItem], planned: Item, *, required: bool, allow_unroutable_targets: bool) -> GatewayState:
    """The state that plan, refusals and report need.

    Args:
        reader: reads from the cluster.
        items: the gateways.
        planned: what earlier tasks of the same check run would create.
        required: whether the kinds must be served.
        allow_unroutable_targets: whether it does not matter if a load balancer can reach pods.
    """
    present = [item for item in items if item.present]
    planned_controller = bool(planned.get("controller"))
    by_address = any(has_nlb([item]) and (item.item.get("nlb") or DEFAULT_NLB)["target_type"] == "ip" for item in present)
    # Only for these does it matter whether the webhook handles new Services.
    unassigned = any(service_type(item.item) == "LoadBalancer" and not has_nlb([item]) for item in present)
    return GatewayState(
        objects=reader.objects(items, required=required),
        namespaces={**{name: {} for name in planned.get("namespaces") or ()}, **reader.namespaces()},
        services=reader.services(),
        deployments=_foreign_deployments(reader) if present else frozenset(),
        controller=_has_controller(reader) if has_nlb(present) and not planned_controller else None,
        routable=reader.routable() if by_address and not allow_unroutable_targets and not planned_controller else None,
        handles_services=(planned_controller or reader.handles_services()) if unassigned else None,
    )


def _foreign_deployments(reader: Reader) -> frozenset[tuple[str, str]]:
    """The Deployments that istiod did not make."""
    found = reader.read_optional(DEPLOYMENT, "a gateway's name is taken", f"!{MANAGED_GATEWAY}")
    return frozenset(place_of(item) for item in found or () if GATEWAY_NAME not in labels_of(item))


def _has_controller(reader: Reader) -> bool | None:
    """Whether the AWS Load Balancer Controller is installed; None if this user may not read it."""
    found = reader.read_optional(DEPLOYMENT, "the AWS Load Balancer Controller is installed", _CONTROLLER, everywhere=True)
    return None if found is None else bool(found)


__all__ = ("read_gateway_state",)
