# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.

"""Do the Services of a namespace really use the waypoint that their labels name?

Source: istio pilot/pkg/model/service.go and serviceregistry/ambient (condition istio.io/WaypointBound). The condition carries no
observedGeneration, so its message must name the waypoint: an older one may speak of another.
"""

from __future__ import annotations

import re
import typing as t

from .._mesh.labels import USE_WAYPOINT, labels_of
from .._mesh.waypoint import WaypointRef, never_bound, waypoint_of
from .verdict import Object, Verdict, condition, not_found

BOUND = "istio.io/WaypointBound"


def judge_binding(title: str, services: t.Sequence[Object], namespace: Object | None, expected: WaypointRef | None, *, one: bool) -> Verdict:
    """Current when every Service that names a waypoint is bound to it.

    Args:
        title: how messages name the target.
        services: the Services in scope.
        namespace: the Namespace they are in.
        expected: the waypoint that their labels must name; None to take the labels' word.
        one: whether the target is one Service, which then must be there and be bound.
    """
    if namespace is None:
        return not_found(title, "Create the namespace, or correct its name.")
    if one and not services:
        return not_found(title, "Create the Service, or correct its name.")
    if one and not _can_be_bound(services[0]):
        remedy = "Take this target away: an ExternalName Service has no address, and a waypoint's own Service needs none."
        return Verdict("Failed", "NeverBound", "istiod binds this Service to no waypoint", remedy, final=True)
    bound, opted_out, problems = [], [], []
    since = ""
    for service in filter(_can_be_bound, services):
        name = service["metadata"]["name"]
        wanted = waypoint_of(service, namespace)
        if wanted is None and not one and (expected is None or USE_WAYPOINT in labels_of(service)):
            opted_out.append(name)
            continue
        problem = _problem(service, wanted, expected)
        if problem:
            problems.append(f"Service {name}: {problem}")
            since = since or str((condition(service, BOUND) or {}).get("lastTransitionTime", ""))
        else:
            bound.append(name)
    details = {"bound": sorted(bound), "opted_out": sorted(opted_out)}
    if problems:
        told = "; ".join(problems[:5]) + (f"; and {len(problems) - 5} more" if len(problems) > 5 else "")
        return Verdict(
            "InProgress", "NotBound", told, "See that the waypoint is ready, allows this namespace and handles service traffic.", since, details=details
        )
    named = waypoint_of(namespace, None)
    if not bound and (named is None or expected not in (None, named)):
        message = "no Service here names a waypoint" if named is None else f"the namespace names {named}, not {expected}"
        remedy = "Bind the namespace or its Services (module enrollment), or take this target away."
        return Verdict("InProgress", "NothingBound", message, remedy, details=details)
    opted = f", {len(opted_out)} opted out" if opted_out else ""
    return Verdict("Current", message=f"{len(bound)} Services are bound{opted}", details=details)


def _can_be_bound(service: Object) -> bool:
    """ExternalName Services have no address to bind, and never get the condition; nor do those of waypoints."""
    return service["spec"].get("type") != "ExternalName" and not never_bound(service)


def _problem(service: Object, wanted: WaypointRef | None, expected: WaypointRef | None) -> str | None:
    if wanted is None:
        return f"neither it nor its namespace names {expected or 'a waypoint'}"
    # A Service's own label is a decision of its own; it is judged by what it names.
    if expected not in (None, wanted) and USE_WAYPOINT not in labels_of(service):
        return f"its namespace names {wanted}, not {expected}"
    seen = condition(service, BOUND)
    if seen is None:
        return f"istiod has not bound it to {wanted} yet"
    if seen.get("status") != "True":
        return f"{seen.get('reason')}: {seen.get('message')}"
    if not re.search(rf"(?<![\w.-]){re.escape(str(wanted))}(?![\w-]|\.[\w-])", str(seen.get("message", ""))):
        return f"istiod says that it is bound elsewhere ({seen.get('message')}), not to {wanted}"
    return None


__all__ = ("judge_binding",)
