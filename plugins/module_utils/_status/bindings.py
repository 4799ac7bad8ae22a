# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Do the Services, or the ServiceEntries, of a namespace really use the waypoint that their labels name?

Source: istio pilot/pkg/model/service.go and serviceregistry/ambient (condition istio.io/WaypointBound). The condition carries no
observedGeneration, so its message must name the waypoint: an older one may speak of another. It stays True when only the canary
waypoint is not attached, or when ingress traffic passes the waypoint by: only the message shows it.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, replace

from .._kinds import BY_NAME, NAMESPACE, SERVICE, SERVICE_ENTRY, Kind
from .._mesh.labels import CANARY, INGRESS_USE_WAYPOINT, NO_WAYPOINT, USE_WAYPOINT, labels_of
from .._mesh.waypoints import WaypointRef, never_bound, waypoint_of
from .._text import format_clauses, format_names
from .target import Expectation, Need, Rule, Snapshot, Target
from .verdict import Object, Verdict, condition, not_found, terminating

BOUND = "istio.io/WaypointBound"
_AUTOALLOCATE = "networking.istio.io/enable-autoallocate-ip"

_INGRESS_TRAVERSES = "Ingress traffic will traverse the waypoint"
_CANARY_FAILED = "Canary waypoint not attached: "
# What istiod reports on a canary (pilot/pkg/serviceregistry/ambient/status.go), and the reason for it.
_CANARY_REASONS = (
    ("invalid weight", "CanaryInvalidWeight"),
    ("must differ from", "CanarySameAsPrimary"),
    ("not permitted", "CanaryAttachmentDenied"),
    ("traffic type", "CanaryUnsupportedTrafficType"),
    ("is not ready", "CanaryIsNotReady"),
)
_REMEDIES = {
    "NotBound": "Check that the waypoint is ready, allows this namespace and handles service traffic.",
    "CanaryInvalidWeight": "Set annotation istio.io/use-waypoint-canary-weight to a whole number from 0 to 100.",
    "CanarySameAsPrimary": "Name another waypoint as canary, or remove the label istio.io/use-waypoint-canary.",
    "IngressPassesBy": "Try again in a moment; if this persists, check that the label's value is true and that istiod is running.",
}
_BIND = "Bind it or its namespace (module enrollment), or remove this target."
_CANARY_REMEDY = "Check that the canary waypoint is ready, allows this namespace and handles service traffic."


@dataclass(frozen=True)
class BindingExpectation(Expectation):
    """To what objects must be bound, and which.

    Attributes:
        waypoint: the waypoint that must be bound; None to trust the labels.
        bound_kind: what must be bound: V(Service) or V(ServiceEntry); empty for one Service, or for both kinds in a namespace.
    """

    waypoint: WaypointRef | None = None
    bound_kind: str = ""


def judge_binding(
    title: str, services: t.Sequence[Object], namespace: Object | None, expected: WaypointRef | None, *, one: bool, kind: str = "Service"
) -> Verdict:
    """Current when every Service that names a waypoint is bound to it.

    Of a namespace that must use a certain waypoint, its own label or at least one of its Services must name that one.

    Args:
        title: how messages name the target.
        services: the Services in scope.
        namespace: the Namespace they are in.
        expected: the waypoint that must be used; None to trust the labels.
        one: whether the target is one Service, which must then exist and be bound.
        kind: what the services are: V(Service) or V(ServiceEntry).
    """
    if namespace is None:
        return not_found(title, "Create the namespace, or correct its name.")
    if gone := terminating(namespace):
        return gone
    if one and not services:
        return not_found(title, f"Create the {kind}, or correct its name.")
    if one and not can_be_bound(services[0]):
        remedy = "Remove this target: an ExternalName Service has no address, and a waypoint's own Service needs none."
        return Verdict("Failed", "NeverBound", "istiod never binds this Service to a waypoint", remedy, final=True)
    bound: dict[str, WaypointRef | None] = {}
    opted_out = []
    problems: list[tuple[str, str]] = []
    since, unnamed = "", True
    for service in filter(can_be_bound, services):
        name = service["metadata"]["name"]
        waypoint = waypoint_of(service, namespace)
        if waypoint is None and not one and (expected is None or USE_WAYPOINT in labels_of(service)):
            opted_out.append(name)
            continue
        problem = binding_problem(service, namespace, expected, one=one)
        if problem:
            problems.append((problem[0], f"{kind} {name}: {problem[1]}"))
            unnamed = unnamed and waypoint is None
            since = since or str((condition(service, BOUND) or {}).get("lastTransitionTime", ""))
        else:
            bound[name] = waypoint
    details = {"bound": sorted(bound), "opted_out": sorted(opted_out)}
    if problems:
        reason = problems[0][0]
        message = format_clauses(problem for _reason, problem in problems)
        return Verdict("InProgress", reason, message, _BIND if unnamed else _REMEDIES.get(reason, _CANARY_REMEDY), since, details=details)
    named = waypoint_of(namespace, None)
    used = [*bound.values()] if named is None else [named, *bound.values()]
    if not used or expected not in (None, *used):
        message = _nothing_bound(kind, bound, named, expected)
        remedy = f"Bind the namespace or its {_plural(kind)} (module enrollment), or remove this target."
        return Verdict("InProgress", "NothingBound", message, remedy, details=details)
    opted = f", {len(opted_out)} opted out" if opted_out else ""
    stranded = _stranded(service for service in services if kind == "ServiceEntry" and service["metadata"]["name"] in bound)
    message = "; ".join([f"{len(bound)} {_plural(kind)} are bound{opted}", *stranded])
    warning = f"{'; '.join(stranded)}: set its addresses, if its traffic should pass the waypoint." if stranded else ""
    return Verdict("Current", message=message, details=details, warning=warning)


def judge_namespace(title: str, services: t.Sequence[Object], entries: t.Sequence[Object], namespace: Object | None, expected: WaypointRef | None) -> Verdict:
    """Current when every Service and every ServiceEntry of a namespace that names a waypoint is bound to it.

    Args:
        title: how messages name the namespace.
        services: its Services.
        entries: its ServiceEntries.
        namespace: the Namespace.
        expected: the waypoint that the namespace, or one of its Services, must use; None to trust the labels.
    """
    verdict = judge_binding(title, services, namespace, expected, one=False)
    naming = [entry for entry in entries if waypoint_of(entry, namespace)]
    if not naming or verdict.status not in ("Current", "InProgress"):
        return verdict
    of_entries = judge_binding(title, naming, namespace, None, one=False, kind="ServiceEntry")
    if verdict.reason == "NothingBound" and expected in (None, *(waypoint_of(entry, namespace) for entry in naming)):
        # What the ServiceEntries use counts as well.
        verdict = Verdict("Current", message=f"{len((verdict.details or {})['bound'])} Services are bound", details=verdict.details)
    details = {**(verdict.details or {}), "service_entries": (of_entries.details or {}).get("bound", [])}
    if not of_entries.current:
        message = of_entries.message if verdict.current else format_clauses([verdict.message, of_entries.message])
        first = of_entries if verdict.current else verdict
        return replace(first, message=message, details=details)
    if not verdict.current:
        return replace(verdict, details=details)
    return replace(verdict, message=f"{verdict.message}; {of_entries.message}", details=details, warning=of_entries.warning)


def _stranded(entries: t.Iterable[Object]) -> list[str]:
    """One clause for each reason for which ServiceEntries have no address, by which ztunnel would find them."""
    found: dict[str, list[str]] = {}
    for entry in entries:
        if reason := _why_no_address(entry):
            found.setdefault(reason, []).append(entry["metadata"]["name"])
    return [f"no traffic is sent to the waypoint for {format_names(sorted(names))}, because {why} allocates no address" for why, names in sorted(found.items())]


def _why_no_address(entry: Object) -> str:
    """What keeps istiod from allocating an address; empty if there is one, or may be soon.

    Source: istio pilot/pkg/networking/serviceentry/ip_autoallocation.go (ShouldV2AutoAllocateIP), pilot/pkg/model/service.go.
    """
    if entry["spec"].get("addresses") or (entry.get("status") or {}).get("addresses"):
        return ""
    if entry["spec"].get("resolution", "NONE") == "NONE":
        return "resolution NONE"
    return f"the label {_AUTOALLOCATE}=false" if labels_of(entry).get(_AUTOALLOCATE, "").lower() == "false" else ""


def _nothing_bound(kind: str, bound: t.Mapping[str, WaypointRef | None], named: WaypointRef | None, expected: WaypointRef | None) -> str:
    if bound:
        return f"no {kind} of the namespace is bound to {expected}, and the namespace names {named or 'no waypoint'}"
    return f"no {kind} of the namespace names a waypoint" if named is None else f"the namespace names {named}, not {expected}"


def can_be_bound(service: Object) -> bool:
    """ExternalName Services have no address to bind, and never get the condition; nor do those of waypoints."""
    return service["spec"].get("type") != "ExternalName" and not never_bound(service)


def binding_problem(service: Object, namespace: Object | None, expected: WaypointRef | None = None, *, one: bool = False) -> tuple[str, str] | None:
    """Why a Service is not bound to the waypoint that its labels name, as reason and message; None when it is bound.

    Args:
        service: the Service or ServiceEntry.
        namespace: the Namespace it is in.
        expected: the waypoint that its labels must name; None to trust the labels.
        one: whether this very Service must use the expected one; else its own label is a decision of its own, and it is judged by what that names.
    """
    waypoint = waypoint_of(service, namespace)
    if waypoint is None:
        return "NotBound", f"neither it nor its namespace names {expected or 'a waypoint'}"
    own = USE_WAYPOINT in labels_of(service)
    if expected not in (None, waypoint) and (one or not own):
        return "NotBound", f"{'it' if own else 'its namespace'} names {waypoint}, not {expected}"
    found = condition(service, BOUND)
    if found is None:
        missing = condition(service, "istio.io/WaypointMissing")
        cause = f" ({missing.get('message')})" if missing and missing.get("status") == "True" else ""
        return "NotBound", f"istiod has not bound it to {waypoint} yet{cause}"
    message = str(found.get("message", ""))
    if found.get("status") != "True":
        return "NotBound", f"{found.get('reason')}: {message}"
    if not re.search(rf"(?<![\w.-]){re.escape(str(waypoint))}(?![\w-]|\.[\w-])", message.partition(_CANARY_FAILED)[0]):
        return "NotBound", f"istiod reports that it is bound elsewhere ({message}), not to {waypoint}"
    return _canary_problem(service, namespace, message) or _ingress_problem(service, namespace, message)


def _canary_problem(service: Object, namespace: Object | None, message: str) -> tuple[str, str] | None:
    """A canary is chosen where the waypoint itself is; a namespace's canary counts only when the object names no waypoint."""
    sources = [labels_of(service)]
    if USE_WAYPOINT not in labels_of(service) and namespace is not None:
        sources.append(labels_of(namespace))
    requested = next((labels[CANARY] for labels in sources if CANARY in labels), "")
    failure = message.partition(_CANARY_FAILED)[2]
    if not failure or requested in ("", NO_WAYPOINT):
        return None
    reason = next((reason for text, reason in _CANARY_REASONS if text in failure), "CanaryNotAttached")
    return reason, f"it is bound, but not to its canary: {failure}"


def _ingress_problem(service: Object, namespace: Object | None, message: str) -> tuple[str, str] | None:
    """Whether ingress traffic takes the path that the label requires; a Service's label takes precedence over its namespace's."""
    labels = next((labels_of(item) for item in (service, namespace) if item is not None and INGRESS_USE_WAYPOINT in labels_of(item)), {})
    # As Go's strconv.ParseBool reads it.
    requested = labels.get(INGRESS_USE_WAYPOINT) in ("1", "t", "T", "true", "TRUE", "True")
    if requested and _INGRESS_TRAVERSES not in message:
        return "IngressPassesBy", f"it is bound, but ingress traffic bypasses the waypoint, although {INGRESS_USE_WAYPOINT} requires it ({message})"
    return None


def _plural(kind: str) -> str:
    return "ServiceEntries" if kind == "ServiceEntry" else f"{kind}s"


def _bound_kinds(target: Target) -> tuple[Kind, ...]:
    bound_kind = target.expected(BindingExpectation).bound_kind
    if bound_kind:
        return (BY_NAME[bound_kind],)
    return (SERVICE,) if target.name else (SERVICE, SERVICE_ENTRY)


def _needs(target: Target) -> t.Iterable[Need]:
    return *((kind, target.namespace) for kind in _bound_kinds(target)), (NAMESPACE, None)


def _judge(target: Target, snapshot: Snapshot) -> Verdict:
    kind, *others = _bound_kinds(target)
    namespace = snapshot.get(NAMESPACE, target.namespace)
    expected = target.expected(BindingExpectation).waypoint
    if target.name:
        one = snapshot.get(kind, target.name, target.namespace)
        return judge_binding(target.title_of(kind), [one] if one else [], namespace, expected, one=True, kind=kind.name)
    title = f"Namespace {target.namespace}"
    services = snapshot.all(kind, target.namespace)
    if others:
        return judge_namespace(title, services, snapshot.all(SERVICE_ENTRY, target.namespace), namespace, expected)
    return judge_binding(title, services, namespace, expected, one=False, kind=kind.name)


BINDING_RULE = Rule(_needs, ("namespace",), _judge)

__all__ = ("BINDING_RULE", "BindingExpectation", "binding_problem", "can_be_bound", "judge_binding", "judge_namespace")
