# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.
"""Is a route of the Gateway API accepted by each of its parents, and does traffic really take it?

Source: istio pilot/pkg/config/kube/gateway/conditions.go and conversion.go (referenceAllowed), networking/core/listener_waypoint.go.
The status of a parent Service does not show everything: ResolvedWaypoints is always True, only its message differs; that message is about a label alone,
not about a waypoint behind it, and counts the namespace's label even for a Service that opts out; and a route in a namespace of its own is Accepted
although no waypoint reads it.
"""

from __future__ import annotations

import typing as t

from .._kinds import NAMESPACE, SERVICE, Kind
from .._mesh.waypoints import waypoint_of
from .bindings import binding_problem, can_be_bound
from .target import Need, Rule, Snapshot, Target
from .verdict import Object, Verdict, absent, observed_generation, terminating

_GATEWAY_GROUP = "gateway.networking.k8s.io"
_ALL_RESOLVED = "All waypoints resolved"
# The names of istiod's controllers begin so; what another controller reports on the same parent is about its own data plane.
_ISTIO = "istio.io/"
# Only a change of the route itself can resolve these.
_FINAL_REASONS = frozenset({"InvalidKind", "InvalidFilter", "InvalidConfiguration", "InvalidDestination", "UnsupportedValue", "UnsupportedProtocol"})

_REMEDIES = {
    "NoMatchingParent": "Correct name, namespace, port and sectionName of the parentRef, or create the parent.",
    "NotAllowedByListeners": "Allow routes of this kind and namespace on a listener of the Gateway (allowedRoutes).",
    "NoMatchingListenerHostname": "Give the route a host name that a listener of the Gateway serves.",
    "ParentRefConflict": "Let only one route claim this parent and port.",
    "BackendNotFound": "Create the Service that the backendRef names, or correct the backendRef.",
    "RefNotPermitted": "Create a ReferenceGrant in the backend's namespace that allows routes from this namespace.",
    "InvalidKind": "Refer to a Service in the backendRef, or to another kind that istiod supports.",
}
_SEE_MESSAGE = "This message comes from istiod: correct the route accordingly."
_ISTIOD = "Check that istiod is running, and that the route's namespace is not hidden from it (discoverySelectors)."


def parents_of(route: Object | None) -> list[tuple[str, str, str]]:
    """Kind, namespace and name of each parent of a route, with the API's defaults filled in."""
    if route is None:
        return []
    own = route["metadata"].get("namespace", "")
    return [
        (ref.get("kind", "Gateway"), ref.get("namespace") or own, ref["name"])
        for ref in (_with_defaults(ref, own) for ref in route["spec"].get("parentRefs") or ())
    ]


def judge_route(title: str, route: Object | None, services: t.Mapping[tuple[str, str], Object | None], namespaces: t.Mapping[str, Object | None]) -> Verdict:
    """Current when each parent has accepted it at its generation, its references resolve, and a parent Service's waypoint reads it.

    Args:
        title: how messages name it.
        route: the HTTPRoute, GRPCRoute or another of their kind, or None.
        services: its parent Services, by namespace and name.
        namespaces: their Namespaces, by name.
    """
    if route is None or terminating(route):
        return absent(title, route, "Create it, or correct its name.")
    refs = route["spec"].get("parentRefs") or ()
    if not refs:
        return Verdict("Failed", "NoParents", "it has no parentRefs, so it gets no traffic", "Name a Gateway or a Service in spec.parentRefs.", final=True)
    for ref in refs:
        verdict = _judge_parent(route, ref, services, namespaces)
        if verdict:
            return verdict
    parents = [_format_parent(_with_defaults(ref, route["metadata"]["namespace"])) for ref in refs]
    return Verdict("Current", message=f"attached to {', '.join(dict.fromkeys(parents))}", details={"parents": parents})


def _judge_parent(
    route: Object,
    ref: t.Mapping[str, t.Any],
    services: t.Mapping[tuple[str, str], Object | None],
    namespaces: t.Mapping[str, Object | None],
) -> Verdict | None:
    own = route["metadata"].get("namespace", "")
    parent = _with_defaults(ref, own)
    parent_title = _format_parent(parent)
    conditions = _conditions(route, parent)
    if conditions is None:
        remedy = f"Check that {parent_title} exists, and that istiod manages its class. {_ISTIOD}" if parent["kind"] == "Gateway" else _ISTIOD
        return Verdict("InProgress", "NoParentStatus", f"no controller has reported a status for its parent {parent_title}", remedy)
    for kind in ("Accepted", "ResolvedRefs"):
        verdict = _judge_condition(conditions.get(kind), kind, parent_title, route["metadata"].get("generation", 0))
        if verdict:
            return verdict
    resolved = conditions.get("ResolvedWaypoints")
    if resolved is not None and str(resolved.get("message", "")) != _ALL_RESOLVED:
        message = f"it gets no traffic, although its status is True: parent {parent_title}: {resolved.get('message')}"
        return Verdict("InProgress", "NoWaypoint", message, "Bind the parent to a waypoint (module enrollment).", resolved.get("lastTransitionTime", ""))
    if (parent["group"], parent["kind"]) != ("", "Service"):
        return None
    return _judge_service_parent(parent_title, own, services.get((parent["namespace"], parent["name"])), namespaces.get(parent["namespace"]))


def _judge_condition(found: t.Mapping[str, t.Any] | None, kind: str, parent: str, generation: int) -> Verdict | None:
    if found is None:
        return Verdict("InProgress", "NoParentStatus", f"{kind} has not been decided for parent {parent}", _ISTIOD)
    since = str(found.get("lastTransitionTime", ""))
    if (observed_generation(found) or 0) < generation:
        message = f"{kind} at parent {parent} is for generation {observed_generation(found) or 0}, but the current generation is {generation}"
        return Verdict("InProgress", "GenerationNotObserved", message, _ISTIOD, since)
    if found.get("status") == "True":
        return None
    reason = str(found.get("reason", ""))
    final = reason in _FINAL_REASONS
    message = f"{kind} at parent {parent} is {found.get('status')}: {found.get('message', '')}"
    return Verdict("Failed" if final else "InProgress", reason, message, _REMEDIES.get(reason, _SEE_MESSAGE), since, final)


def _judge_service_parent(parent_title: str, route_namespace: str, service: Object | None, namespace: Object | None) -> Verdict | None:
    """Whether a parent Service has a waypoint, and whether that reads routes of this namespace."""
    if service is None:
        return Verdict("InProgress", "NoMatchingParent", f"parent {parent_title} does not exist", _REMEDIES["NoMatchingParent"])
    if not can_be_bound(service):
        remedy = "Name another Service: istiod never binds an ExternalName Service, or the Service of a waypoint, to a waypoint."
        return Verdict("Failed", "NeverBound", f"it gets no traffic: parent {parent_title} cannot have a waypoint", remedy, final=True)
    waypoint = waypoint_of(service, namespace)
    if waypoint is None:
        message = f"it gets no traffic, although its status is True: parent {parent_title} uses no waypoint"
        return Verdict("InProgress", "NoWaypoint", message, "Bind the parent to a waypoint (module enrollment).")
    problem = binding_problem(service, namespace)
    if problem and problem[0] == "NotBound":
        message = f"it gets no traffic, although its status is True: parent {parent_title}: {problem[1]}"
        return Verdict("InProgress", "WaypointNotBound", message, "Check that the waypoint is ready, allows the namespace and handles service traffic.")
    if route_namespace not in (service["metadata"]["namespace"], waypoint.namespace):
        message = f"it gets no traffic, although its status is True: waypoint {waypoint} reads no routes for {parent_title} from namespace {route_namespace}"
        remedy = "Move the route to the Service's namespace, or to the waypoint's."
        return Verdict("Failed", "ConsumerRoute", message, remedy, final=True)
    return None


def _conditions(route: Object, parent: t.Mapping[str, t.Any]) -> dict[str, t.Mapping[str, t.Any]] | None:
    """The conditions of one parent, preferably those that istiod reports; None when no controller reports any."""
    own = route["metadata"].get("namespace", "")
    entries = [entry for entry in (route.get("status") or {}).get("parents") or () if _with_defaults(entry["parentRef"], own) == parent]
    entries.sort(key=lambda entry: not str(entry.get("controllerName", "")).startswith(_ISTIO))
    if not entries:
        return None
    return {found["type"]: found for found in entries[0].get("conditions") or ()}


def _with_defaults(ref: t.Mapping[str, t.Any], namespace: str) -> dict[str, t.Any]:
    """A reference with the defaults of the API, so that two can be compared."""
    return {
        "group": ref.get("group", _GATEWAY_GROUP),
        "kind": ref.get("kind", "Gateway"),
        "namespace": ref.get("namespace") or namespace,
        "name": ref["name"],
        "sectionName": ref.get("sectionName", ""),
        "port": ref.get("port", 0),
    }


def _format_parent(parent: t.Mapping[str, t.Any]) -> str:
    section = f", listener {parent['sectionName']}" if parent["sectionName"] else ""
    port = f", port {parent['port']}" if parent["port"] else ""
    return f"{parent['kind']} {parent['namespace']}/{parent['name']}{section}{port}"


def route_rule(kind: Kind) -> Rule:
    """The rule of one kind of route: its parents may be in other namespaces, and are known only when it has been read."""

    def needs(target: Target) -> t.Iterable[Need]:
        return (kind, target.namespace), (SERVICE, None), (NAMESPACE, None)

    def judge(target: Target, snapshot: Snapshot) -> Verdict:
        route = snapshot.get(kind, target.name, target.namespace)
        parents = [(namespace, name) for parent, namespace, name in parents_of(route) if parent == SERVICE.name]
        services = {place: snapshot.get(SERVICE, place[1], place[0]) for place in parents}
        namespaces = {namespace: snapshot.get(NAMESPACE, namespace) for namespace, _name in parents}
        return judge_route(target.title_of(kind), route, services, namespaces)

    return Rule(needs, ("name", "namespace"), judge)


__all__ = ("judge_route", "parents_of", "route_rule")
