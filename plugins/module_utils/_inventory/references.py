# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Values that should name another item of the inventory, but only nearly match one.

What an item names may also exist without the inventory, so only a name that is nearly one of the inventory's is an error.
"""

from __future__ import annotations

import typing as t

from .._gateway.render import listeners_of
from .._gateway.spec import GATEWAY
from .._ingress.spec import complete
from .._mesh.labels import NO_WAYPOINT
from .._near_misses import find_near_miss, nearest

if t.TYPE_CHECKING:
    from .items import IngressAlb, IngressGatewayNlb
    from .variables import Variables

_Item = t.TypeVar("_Item", bound=t.Mapping[str, t.Any])
_Placed = t.Mapping[str, t.Any]
# Namespace and name.
Place = t.Tuple[str, str]


def validate_references(variables: Variables) -> list[str]:
    """One sentence for each value that nearly names an item of the inventory.

    Args:
        variables: the values of the roles' variables, as values.convert() returns them.
    """
    return [
        *_waypoints(variables),
        *_deleted_waypoints(variables),
        *_gateways(variables),
        *_deleted_gateways(variables),
        *_listeners(variables),
        *_releases(variables),
        *_names_in_aws(variables),
    ]


def undeclared_waypoints(variables: Variables) -> list[str]:
    """One warning for each waypoint that items name and that the inventory does not declare, although it declares others.

    What is bound to a waypoint that does not exist fails open: its traffic passes by all policies of layer 7.

    Args:
        variables: the values of the roles' variables, as values.convert() returns them.
    """
    declared = _places(variables.get("mesh_waypoints"))
    if not declared:
        return []
    return [
        f"{item}.{keys[0]} names waypoint {place[0]}/{place[1]}, which mesh_waypoints does not have: unless something else creates it, traffic is not "
        "processed by any waypoint, so add it there."
        for item, keys, place, _is_given in _named_waypoints(variables)
        if place not in declared
    ]


def gateways_of_another_kind(variables: Variables) -> list[str]:
    """One warning for each route whose gateway the inventory declares only as one of the kind to which the route does not attach.

    HTTPRoutes attach to the Gateway API's Gateways, VirtualServices to Istio's own. The arguments are those of undeclared_waypoints().
    """
    kinds = {"HTTPRoute": "ingress_gateways", "VirtualService": "ingress_classic_gateways"}
    places = {"HTTPRoute": _places(variables.get("ingress_gateways")), "VirtualService": _places(variables.get("ingress_classic_gateways"))}
    found = []
    for index, item in _present(variables.get("ingress_routes")):
        kind, other = ("VirtualService", "HTTPRoute") if item.get("kind") == "VirtualService" else ("HTTPRoute", "VirtualService")
        place = (item.get("gateway_namespace") or item["namespace"], item.get("gateway") or "")
        if place in places[other] and place not in places[kind]:
            found.append(
                f"ingress_routes[{index}].gateway is {place[1]!r}, which {kinds[other]} has in namespace {place[0]}, but a route of kind {kind} attaches to "
                f"those of {kinds[kind]}: set kind to {other}, or name one of these."
            )
    return found


def _deleted_waypoints(variables: Variables) -> t.Iterator[str]:
    deleted = _absent_places(variables.get("mesh_waypoints"))
    for item, keys, place, _is_given in _named_waypoints(variables):
        if place in deleted:
            yield f"{item}.{keys[0]} names waypoint {place[0]}/{place[1]}, which mesh_waypoints deletes: name another one, or keep it."


def _deleted_gateways(variables: Variables) -> t.Iterator[str]:
    deleted = {
        "ingress_gateways": _absent_places(variables.get("ingress_gateways")),
        "ingress_classic_gateways": _absent_places(variables.get("ingress_classic_gateways")),
    }
    named = [
        (f"ingress_routes[{index}]", route.get("kind"), (route.get("gateway_namespace") or route["namespace"], route.get("gateway") or ""))
        for index, route in _present(variables.get("ingress_routes"))
    ]
    named += [(f"ingress_albs[{index}]", "HTTPRoute", (alb["namespace"], alb.get("gateway") or "")) for index, alb in _present(variables.get("ingress_albs"))]
    for item, kind, place in named:
        source = "ingress_classic_gateways" if kind == "VirtualService" else "ingress_gateways"
        if place in deleted[source]:
            yield f"{item}.gateway is {place[1]!r}, which {source} deletes from namespace {place[0]}: name another one, or keep it."


def _absent_places(items: t.Iterable[_Placed] | None) -> set[Place]:
    """What a list deletes and does not declare."""
    listed = list(items or ())
    return {(item["namespace"], item["name"]) for item in listed if item.get("state") == "absent"} - _places(listed)


def _waypoints(variables: Variables) -> t.Iterator[str]:
    declared = _places(variables.get("mesh_waypoints"))
    for item, keys, place, is_given in _named_waypoints(variables):
        yield from _missed(item, keys, place, declared, "mesh_waypoints", is_given=is_given)


def _named_waypoints(variables: Variables) -> t.Iterator[tuple[str, tuple[str, str], Place, bool]]:
    """The waypoints that items name: the item, its keys for name and namespace, the waypoint, and whether its namespace is given."""
    lists: tuple[tuple[str, t.Sequence[t.Mapping[str, t.Any]]], ...] = (
        ("mesh_namespaces", variables.get("mesh_namespaces") or ()),
        ("mesh_services", variables.get("mesh_services") or ()),
        ("mesh_workloads", variables.get("mesh_workloads") or ()),
    )
    for variable, items in lists:
        for index, item in _present(items):
            home = item.get("namespace") if variable != "mesh_namespaces" else item.get("name")
            canary = item.get("canary") or {}
            for keys, name, namespace in (
                (("use_waypoint", "use_waypoint_namespace"), item.get("use_waypoint"), item.get("use_waypoint_namespace")),
                (("canary.waypoint", "canary.waypoint_namespace"), canary.get("waypoint"), canary.get("waypoint_namespace")),
            ):
                place = (str(namespace or home or ""), str(name))
                if name and name != NO_WAYPOINT and place[0]:
                    yield f"{variable}[{index}]", keys, place, bool(namespace)


def _gateways(variables: Variables) -> t.Iterator[str]:
    gateways, classic = _places(variables.get("ingress_gateways")), _places(variables.get("ingress_classic_gateways"))
    for index, alb in _present(variables.get("ingress_albs")):
        if alb.get("gateway"):
            yield from _missed(f"ingress_albs[{index}]", ("gateway", "namespace"), (alb["namespace"], alb["gateway"]), gateways, "ingress_gateways")
    for index, item in _present(variables.get("ingress_routes")):
        if item.get("gateway"):
            is_classic = item.get("kind") == "VirtualService"
            namespace = item.get("gateway_namespace")
            yield from _missed(
                f"ingress_routes[{index}]",
                ("gateway", "gateway_namespace"),
                (namespace or item["namespace"], item["gateway"]),
                classic if is_classic else gateways,
                "ingress_classic_gateways" if is_classic else "ingress_gateways",
                is_given=bool(namespace),
            )


def _listeners(variables: Variables) -> t.Iterator[str]:
    """Listeners of gateways of the inventory, which are all known."""
    gateways = complete([item for _index, item in _present(variables.get("ingress_gateways"))], GATEWAY)
    names = {(item["namespace"], item["name"]): [listener["name"] for listener in listeners_of(item)] for item in gateways}
    for index, item in _present(variables.get("ingress_routes")):
        place = (item.get("gateway_namespace") or item["namespace"], item.get("gateway") or "")
        known = names.get(place)
        for name in item.get("section_names") or () if known and item.get("kind") != "VirtualService" else ():
            if known and name not in known:
                meant = nearest(name, known)
                remedy = f"did you mean {meant}?" if meant else f"its listeners are {', '.join(known)}."
                yield f"ingress_routes[{index}].section_names has {name!r}, which Gateway {place[0]}/{place[1]} does not have: {remedy}"


def _releases(variables: Variables) -> t.Iterator[str]:
    declared = _places(variables.get("istio_gateways"))
    for index, item in _present(variables.get("ingress_classic_gateways")):
        if item.get("release"):
            meant = find_near_miss(item["release"], {name for _namespace, name in declared})
            if meant:
                yield f"ingress_classic_gateways[{index}].release is {item['release']!r}, which istio_gateways does not have: did you mean {meant}?"


def _names_in_aws(variables: Variables) -> t.Iterator[str]:
    buckets = variables.get("aws_edge_log_buckets") or ()
    certificates = variables.get("aws_edge_certificates") or ()
    domains = {domain for item in certificates for domain in (item["domain"], *(item.get("subject_alternative_names") or ()))}
    sources: list[tuple[str, IngressAlb | IngressGatewayNlb]] = [(f"ingress_albs[{index}]", alb) for index, alb in _present(variables.get("ingress_albs"))]
    sources += [(f"ingress_gateways[{index}].nlb", gateway.get("nlb") or {}) for index, gateway in _present(variables.get("ingress_gateways"))]
    for place, source in sources:
        bucket = (source.get("access_logs") or {}).get("bucket")
        meant = find_near_miss(bucket, buckets) if bucket else None
        if meant:
            yield f"{place}.access_logs.bucket is {bucket!r}, which aws_edge_log_buckets does not have: did you mean {meant}?"
        for domain in source.get("certificate_domains") or ():
            meant = find_near_miss(domain, domains)
            if meant:
                yield f"{place}.certificate_domains has {domain!r}, which aws_edge_certificates does not have: did you mean {meant}?"


def _missed(item: str, keys: tuple[str, str], place: Place, declared: t.Collection[Place], variable: str, *, is_given: bool = True) -> t.Iterator[str]:
    """A sentence if a place is nearly a declared one: of another name in its namespace, or of its name in another namespace that is named as well."""
    namespace, name = place
    if place in declared:
        return
    meant = find_near_miss(name, {other for home, other in declared if home == namespace})
    if meant:
        yield f"{item}.{keys[0]} is {name!r}, which {variable} does not have in namespace {namespace}: did you mean {meant}?"
        return
    meant = find_near_miss(namespace, {home for home, other in declared if other == name}) if is_given else None
    if meant:
        yield f"{item}.{keys[1]} is {namespace!r}, where {variable} does not have {name}: did you mean {meant}?"


def _places(items: t.Iterable[_Placed] | None) -> set[Place]:
    return {(item["namespace"], item["name"]) for _index, item in _present(items)}


def _present(items: t.Iterable[_Item] | None) -> t.Iterator[tuple[int, _Item]]:
    return ((index, item) for index, item in enumerate(items or ()) if item.get("state") != "absent")


__all__ = ("gateways_of_another_kind", "undeclared_waypoints", "validate_references")
