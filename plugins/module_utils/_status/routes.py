# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.
"""Is a route of the Gateway API accepted by each of its parents, and does traffic really take it?

Source: istio pilot/pkg/config/kube/gateway/conditions.go and conversion.go (referenceAllowed), networking/core/listener_waypoint.go.
The status of a parent Service does not tell all: ResolvedWaypoints is always True, only its message speaks; that message asks for a label alone, not for a
waypoint behind it, and takes the namespace's label even for a Service that opts out; and a route in a namespace of its own is Accepted though no
waypoint reads it.
"""

from __future__ import annotations

import typing as t

from .._kinds import NAMESPACE, SERVICE, Kind
from .._mesh.waypoints import waypoint_of
from .bindings import binding_problem, can_be_bound
from .target import Need, Rule, Snapshot, Target
from .verdict import Object, Verdict, not_found, observed_generation, terminating

_GATEWAY_GROUP = "gateway.networking.k8s.io"
_ALL_RESOLVED = "All waypoints resolved"
# The controllers that speak for istiod begin so; another one's word on the same parent is about its own data plane.
_ISTIO = "istio.io/"
# Nothing but a change of the route itself mends these.
_FINAL_REASONS = frozenset({"InvalidKind", "InvalidFilter", "InvalidConfiguration", "InvalidDestination", "UnsupportedValue", "UnsupportedProtocol"})

_REMEDIES = {
    "NoMatchingParent": "Correct name, namespace, port and sectionName of the parentRef, or create the parent.",
    "NotAllowedByListeners": "Let a listener of the Gateway allow routes of this kind and namespace (allowedRoutes).",
    "NoMatchingListenerHostname": "Give the route a host name that a listener of the Gateway serves.",
    "ParentRefConflict": "Let only one route claim this parent and port.",
    "BackendNotFound": "Create the Service that the backendRef names, or correct the backendRef.",
    "RefNotPermitted": "Create a ReferenceGrant in the backend's namespace that allows routes from this namespace.",
    "InvalidKind": "Let the backendRef name a Service, or another kind that istiod knows.",
}
_SEE_MESSAGE = "The message above is istiod's own: correct the route accordingly."
_ISTIOD = "See that istiod runs, and that the route's namespace is not hidden from it (discoverySelectors)."


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
    if route is None:
        return not_found(title, "Create it, or correct its name.")
    deleted = terminating(route)
    if deleted:
        return deleted
    refs = route["spec"].get("parentRefs") or ()
    if not refs:
        return Verdict("Failed", "NoParents", "it has no parentRefs, so no traffic takes it", "Name a Gateway or a Service in spec.parentRefs.", final=True)
    for ref in refs:
        verdict = _judge_parent(route, ref, services, namespaces)
        if verdict:
            return verdict
    parents = [_told(_with_defaults(ref, route["metadata"]["namespace"])) for ref in refs]
    return Verdict("Current", message=f"attached to {', '.join(dict.fromkeys(parents))}", details={"parents": parents})


def _judge_parent(
    route: Object,
    ref: t.Mapping[str, t.Any],
    services: t.Mapping[tuple[str, str], Object | None],
    namespaces: t.Mapping[str, Object | None],
) -> Verdict | None:
    own = route["metadata"].get("namespace", "")
    parent = _with_defaults(ref, own)
    told = _told(parent)
    conditions = _conditions(route, parent)
    if conditions is None:
        remedy = f"See that {told} exists, and is of a class that istiod serves. {_ISTIOD}" if parent["kind"] == "Gateway" else _ISTIOD
        return Verdict("InProgress", "NoParentStatus", f"no controller has taken up its parent {told}", remedy)
    for kind in ("Accepted", "ResolvedRefs"):
        verdict = _judge_condition(conditions.get(kind), kind, told, route["metadata"].get("generation", 0))
        if verdict:
            return verdict
    resolved = conditions.get("ResolvedWaypoints")
    if resolved is not None and str(resolved.get("message", "")) != _ALL_RESOLVED:
        message = f"no traffic takes it, though its status is True: parent {told}: {resolved.get('message')}"
        return Verdict("InProgress", "NoWaypoint", message, "Bind the parent to a waypoint (module enrollment).", resolved.get("lastTransitionTime", ""))
    if (parent["group"], parent["kind"]) != ("", "Service"):
        return None
    return _judge_service_parent(told, own, services.get((parent["namespace"], parent["name"])), namespaces.get(parent["namespace"]))


def _judge_condition(seen: t.Mapping[str, t.Any] | None, kind: str, parent: str, generation: int) -> Verdict | None:
    if seen is None:
        return Verdict("InProgress", "NoParentStatus", f"{kind} has not been decided for parent {parent}", _ISTIOD)
    since = str(seen.get("lastTransitionTime", ""))
    if (observed_generation(seen) or 0) < generation:
        message = f"{kind} at parent {parent} speaks of generation {observed_generation(seen) or 0}, but generation {generation} is wanted"
        return Verdict("InProgress", "GenerationNotObserved", message, _ISTIOD, since)
    if seen.get("status") == "True":
        return None
    reason = str(seen.get("reason", ""))
    final = reason in _FINAL_REASONS
    message = f"{kind} at parent {parent} is {seen.get('status')}: {seen.get('message', '')}"
    return Verdict("Failed" if final else "InProgress", reason, message, _REMEDIES.get(reason, _SEE_MESSAGE), since, final)


def _judge_service_parent(told: str, route_namespace: str, service: Object | None, namespace: Object | None) -> Verdict | None:
    """Whether a waypoint stands before a parent Service, and whether it reads routes of this namespace."""
    if service is None:
        return Verdict("InProgress", "NoMatchingParent", f"parent {told} does not exist", _REMEDIES["NoMatchingParent"])
    if not can_be_bound(service):
        remedy = "Name another Service: istiod binds no waypoint to one of type ExternalName, nor to a waypoint's own."
        return Verdict("Failed", "NeverBound", f"no traffic takes it: parent {told} can have no waypoint", remedy, final=True)
    waypoint = waypoint_of(service, namespace)
    if waypoint is None:
        message = f"no traffic takes it, though its status is True: parent {told} uses no waypoint"
        return Verdict("InProgress", "NoWaypoint", message, "Bind the parent to a waypoint (module enrollment).")
    problem = binding_problem(service, namespace)
    if problem and problem[0] == "NotBound":
        message = f"no traffic takes it, though its status is True: parent {told}: {problem[1]}"
        return Verdict("InProgress", "WaypointNotBound", message, "See that the waypoint is ready, allows the namespace and handles service traffic.")
    if route_namespace not in (service["metadata"]["namespace"], waypoint.namespace):
        message = f"no traffic takes it, though its status is True: waypoint {waypoint} reads no routes for {told} from namespace {route_namespace}"
        remedy = "Move the route to the Service's namespace, or to the waypoint's."
        return Verdict("Failed", "ConsumerRoute", message, remedy, final=True)
    return None


def _conditions(route: Object, parent: t.Mapping[str, t.Any]) -> dict[str, t.Mapping[str, t.Any]] | None:
    """What is said of one parent, by istiod when it says something; None when nobody says anything."""
    own = route["metadata"].get("namespace", "")
    entries = [entry for entry in (route.get("status") or {}).get("parents") or () if _with_defaults(entry["parentRef"], own) == parent]
    entries.sort(key=lambda entry: not str(entry.get("controllerName", "")).startswith(_ISTIO))
    if not entries:
        return None
    return {seen["type"]: seen for seen in entries[0].get("conditions") or ()}


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


def _told(parent: t.Mapping[str, t.Any]) -> str:
    section = f", listener {parent['sectionName']}" if parent["sectionName"] else ""
    port = f", port {parent['port']}" if parent["port"] else ""
    return f"{parent['kind']} {parent['namespace']}/{parent['name']}{section}{port}"


def route_rule(kind: Kind) -> Rule:
    """The rule of one kind of route: its parents may be in other namespaces, and who they are is known only when it has been read."""

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
