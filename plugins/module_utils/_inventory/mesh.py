# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Validation of what no type can show in the variables of istio and mesh: impossible names, duplicates, bindings that cannot work."""

from __future__ import annotations

import typing as t

from .._enrollment.spec import find_validation_errors as find_enrollment_errors
from .._limits.kubernetes import find_selector_errors, is_label_name
from .._mesh.labels import NO_WAYPOINT
from .._text import repeated
from .._waypoint.spec import OPTIONS
from .._waypoint.validation import find_validation_errors as find_waypoint_errors

if t.TYPE_CHECKING:
    from .items import MeshNamespace, MeshService, MeshWaypoint, MeshWorkload
    from .variables import Variables

# The traffic types with which a waypoint has an effect, as the module enrollment judges them.
_FITTING = {
    "mesh_namespaces": ("service", "workload", "all"),
    "mesh_services": ("service", "all"),
    "mesh_workloads": ("workload", "all"),
}
_Bound = t.Sequence[t.Union["MeshNamespace", "MeshService", "MeshWorkload"]]


def validate_mesh(variables: Variables) -> list[str]:
    """One sentence for each validation error in a cluster's variables; each begins with the variable's name.

    Args:
        variables: the values of the roles' variables, as values.convert() returns them.
    """
    waypoints = variables.get("mesh_waypoints") or ()
    namespaces = variables.get("mesh_namespaces") or ()
    services = variables.get("mesh_services") or ()
    workloads = variables.get("mesh_workloads") or ()
    unsafe = bool(variables.get("mesh_allow_unsafe_binding"))
    return [
        *_validate_waypoints(waypoints),
        *_validate_namespaces(namespaces),
        *_named_twice("mesh_services", [f"{item.get('namespace')}/{item['name']}" for item in services if item.get("name")]),
        *_named_twice("mesh_workloads", [f"{item.get('kind', 'Deployment')} {item.get('namespace')}/{item['name']}" for item in workloads if item.get("name")]),
        *_validate_bindings("mesh_namespaces", namespaces, waypoints, unsafe),
        *_validate_bindings("mesh_services", services, waypoints, unsafe),
        *_validate_bindings("mesh_workloads", workloads, waypoints, unsafe),
    ]


def validate_mesh_items(variables: t.Mapping[str, t.Any]) -> list[str]:
    """What the modules enrollment and waypoint would refuse on any cluster, one sentence each.

    Args:
        variables: the role's variables with all keys of all items, as the role's argument spec completes them.
    """
    errors: list[str] = []
    for name in ("mesh_namespaces", "mesh_services", "mesh_workloads"):
        items = [(f"{name}[{index}]", item) for index, item in enumerate(variables.get(name) or ())]
        errors += find_enrollment_errors(items)
        if name != "mesh_namespaces":
            unnamed = [place for place, item in items if not (item.get("label_selector") or (item.get("name") and item.get("namespace")))]
            errors += (f"{place} needs name and namespace, or label_selector, to select objects." for place in unnamed)
    for index, item in enumerate(variables.get("mesh_waypoints") or ()):
        if item.get("state") != "absent":
            errors += (f"mesh_waypoints[{index}]: {error}" for error in find_waypoint_errors({**dict.fromkeys(OPTIONS), **item}))
    return errors


def _validate_waypoints(waypoints: t.Sequence[MeshWaypoint]) -> t.Iterator[str]:
    for index, item in enumerate(waypoints):
        name, namespace = item["name"], item["namespace"]
        # istiod names a Service like the waypoint, and a Service's name has no dots.
        if not is_label_name(name) or name == NO_WAYPOINT:
            yield f"mesh_waypoints[{index}].name is {name!r}: use lower-case letters, digits and dashes, and not none."
        if not is_label_name(namespace):
            yield f"mesh_waypoints[{index}].namespace is {namespace!r}: use lower-case letters, digits and dashes."
        routes = item.get("allowed_routes") or {}
        if routes.get("from") == "Selector" and not routes.get("selector"):
            yield f"mesh_waypoints[{index}].allowed_routes is from Selector, but has no selector: add matchLabels or matchExpressions."
        elif routes.get("selector"):
            yield from find_selector_errors(f"mesh_waypoints[{index}].allowed_routes.selector", routes["selector"])
    yield from _named_twice("mesh_waypoints", [f"{item.get('namespace')}/{item['name']}" for item in waypoints])


def _validate_namespaces(namespaces: t.Sequence[MeshNamespace]) -> t.Iterator[str]:
    for index, item in enumerate(namespaces):
        if not item.get("name") and not item.get("label_selector"):
            yield f"mesh_namespaces[{index}] needs name, label_selector or both."
        elif item.get("name") and not is_label_name(item["name"]):
            yield f"mesh_namespaces[{index}].name is {item['name']!r}: use lower-case letters, digits and dashes."
    yield from _named_twice("mesh_namespaces", [item["name"] for item in namespaces if item.get("name")])


def _validate_bindings(variable: str, items: _Bound, waypoints: t.Iterable[MeshWaypoint], unsafe: bool) -> t.Iterator[str]:
    """A binding to a waypoint of this inventory that does not allow it; waypoints of elsewhere are judged on the cluster.

    Args:
        variable: the name of the list, for messages.
        items: what is bound.
        waypoints: the waypoints of the inventory.
        unsafe: whether bindings to waypoints that are closed to the namespace are allowed.
    """
    declared = {(item["namespace"], item["name"]): item for item in waypoints}
    for index, item in enumerate(items):
        if item.get("use_waypoint_namespace") and not item.get("use_waypoint"):
            yield f"{variable}[{index}].use_waypoint_namespace is set without use_waypoint: set the waypoint as well."
        home = str(item.get("namespace") or item.get("name") or "")
        place = str(item.get("use_waypoint_namespace") or home)
        waypoint = declared.get((place, str(item.get("use_waypoint"))))
        if unsafe or waypoint is None or item.get("state") == "absent" or waypoint.get("state") == "absent":
            continue
        traffic = waypoint.get("for", "service")
        if traffic not in _FITTING[variable]:
            yield (
                f"{variable}[{index}] is bound to {place}/{item.get('use_waypoint')}, which is for {traffic} traffic, so its traffic would pass it by: "
                "set for of that waypoint, or name another one."
            )
        if place == home or not home:
            continue
        if (waypoint.get("allowed_routes") or {}).get("from", "Same") == "Same":
            ref = f"{place}/{item['use_waypoint']}"
            yield f"{variable}[{index}] binds namespace {home} to {ref}, which allows only its own namespace: set allowed_routes of that waypoint."


def _named_twice(variable: str, names: t.Sequence[str]) -> t.Iterator[str]:
    for name in repeated(names):
        yield f"{variable} names {name} more than once: combine these items into one."


__all__ = ("validate_mesh", "validate_mesh_items")
