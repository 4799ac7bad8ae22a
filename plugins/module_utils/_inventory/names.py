# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Validates that no two items of an inventory, of whichever role, are the same Gateway or get the same Service."""

from __future__ import annotations

import typing as t

from .._helm.charts import revision_of
from .._ingress.spec import service_name
from .._mesh.revisions import istiod_name

if t.TYPE_CHECKING:
    from .items import IngressGateway, MeshWaypoint
    from .variables import Variables

# Namespace and name.
Place = t.Tuple[str, str]

# The Services of istio/samples/bookinfo.
_BOOKINFO = ("productpage", "details", "ratings", "reviews", "productpage-v1", "details-v1", "ratings-v1", "reviews-v1", "reviews-v2", "reviews-v3")


def validate_shared_names(variables: Variables) -> list[str]:
    """One sentence for each name that two items use; each begins with the variable's name.

    Args:
        variables: the values of the roles' variables, as values.convert() returns them.
    """
    waypoints, gateways = _named("mesh_waypoints", variables.get("mesh_waypoints")), _named("ingress_gateways", variables.get("ingress_gateways"))
    both = sorted(waypoints.keys() & gateways.keys())
    errors = [f"{waypoints[at]} and {gateways[at]} are both the Gateway {at[0]}/{at[1]}: choose another name for one of them." for at in both]
    made = [
        *((at, item) for at, item in waypoints.items() if at not in both),
        *((((at[0], service_name(at[1])), item) for at, item in gateways.items())),
        *_releases(variables),
    ]
    owners: dict[Place, str] = {}
    for at, item in made:
        if at in owners:
            errors.append(f"{owners[at]} and {item} would both get the Service {at[0]}/{at[1]}: choose another name for one of them.")
        owners.setdefault(at, item)
    applications = _applications(variables)
    errors += (
        f"{item} would get the Service {at[0]}/{at[1]}, which is that of {applications[at]}: choose another name for the waypoint."
        for at, item in waypoints.items()
        if at in applications
    )
    return errors


def _named(variable: str, items: t.Iterable[MeshWaypoint | IngressGateway] | None) -> dict[Place, str]:
    """The items of a list that should be present, each with its place in the list."""
    present = [(index, item) for index, item in enumerate(items or ()) if item.get("state") != "absent"]
    return {(item["namespace"], item["name"]): f"{variable}[{index}]" for index, item in reversed(present)}


def _releases(variables: Variables) -> t.Iterator[tuple[Place, str]]:
    """The Services of charts; two releases of one name are another error."""
    releases = {
        (gateway["namespace"], gateway["name"]): f"istio_gateways[{index}]"
        for index, gateway in enumerate(variables.get("istio_gateways") or ())
        if (gateway.get("service") or {}).get("type") != "None"
    }
    yield from releases.items()
    if variables.get("istio_namespace"):
        istiod = istiod_name(revision_of(variables.get("istio_istiod_values") or {}))
        yield (variables["istio_namespace"], istiod), "the chart istiod (istio_namespace)"
    if variables.get("karpenter_enabled"):
        yield (variables.get("karpenter_namespace", ""), "karpenter"), "the chart karpenter (karpenter_namespace)"


def _applications(variables: Variables) -> dict[Place, str]:
    """The Services of applications that an inventory names."""
    found = {(variables.get("bookinfo_namespace", ""), name): "the sample application" for name in _BOOKINFO} if variables.get("bookinfo_enabled") else {}
    for index, service in enumerate(variables.get("mesh_services") or ()):
        if service.get("name") and service.get("namespace") and service.get("state") != "absent":
            found[service["namespace"], service["name"]] = f"mesh_services[{index}]"
    for index, route in enumerate(variables.get("ingress_routes") or ()):
        for rule in route.get("rules") or () if route.get("state") != "absent" else ():
            for backend in rule.get("backends") or ():
                found[backend.get("namespace") or route["namespace"], backend["service"]] = f"a backend of ingress_routes[{index}]"
    return found


__all__ = ("validate_shared_names",)
