# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.

"""Mistakes in inventory data that no type can show: names that cannot be, things said twice, bindings that cannot work."""

from __future__ import annotations

import difflib
import re
import typing as t

from .._enrollment.wishes import mistakes_of
from .._mesh.labels import NO_WAYPOINT
from .._mesh.version_matrix import find_version_conflicts
from .._text import repeated
from .._waypoint.options import OPTIONS, find_problems

Items = t.Sequence[t.Mapping[str, t.Any]]

OLDEST_ISTIO = (1, 24)

_NAMESPACE = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


def find_mistakes(variables: t.Mapping[str, t.Any]) -> list[str]:
    """One sentence for each mistake in a cluster's variables; each begins with the variable's name."""
    waypoints = _items(variables, "mesh_waypoints")
    namespaces = _items(variables, "mesh_namespaces")
    services = _items(variables, "mesh_services")
    workloads = _items(variables, "mesh_workloads")
    return [
        *_source_mistakes(variables),
        *_waypoint_mistakes(waypoints),
        *_namespace_mistakes(namespaces),
        *_named_twice("mesh_services", [f"{item.get('namespace')}/{item['name']}" for item in services if item.get("name")]),
        *_named_twice("mesh_workloads", [f"{item.get('kind', 'Deployment')} {item.get('namespace')}/{item['name']}" for item in workloads if item.get("name")]),
        *_binding_mistakes("mesh_namespaces", namespaces, waypoints),
        *_binding_mistakes("mesh_services", services, waypoints),
        *_binding_mistakes("mesh_workloads", workloads, waypoints),
    ]


def find_wrong_wishes(variables: t.Mapping[str, t.Any]) -> list[str]:
    """What the modules enrollment and waypoint would refuse on any cluster, one sentence each.

    Args:
        variables: the role's variables with all keys of all items, as the role's argument spec completes them.
    """
    mistakes: list[str] = []
    for name in ("mesh_namespaces", "mesh_services", "mesh_workloads"):
        items = [(f"{name}[{index}]", item) for index, item in enumerate(_items(variables, name))]
        mistakes += mistakes_of(items)
        if name != "mesh_namespaces":
            unnamed = [place for place, item in items if not (item.get("label_selector") or (item.get("name") and item.get("namespace")))]
            mistakes += (f"{place} needs name and namespace, or label_selector: say which objects are meant." for place in unnamed)
    for index, item in enumerate(_items(variables, "mesh_waypoints")):
        if item.get("state") != "absent":
            mistakes += (f"mesh_waypoints[{index}]: {problem}" for problem in find_problems({**dict.fromkeys(OPTIONS), **item}))
    return mistakes


def find_version_mistakes(variables: t.Mapping[str, t.Any]) -> list[str]:
    """Versions of this inventory that do not go together, one sentence for each pair."""
    serves_gateways = variables.get("alb_controller_enabled") is True and variables.get("alb_controller_gateway_api") is True
    controller = variables.get("alb_controller_version") if serves_gateways else ""
    return find_version_conflicts(str(variables.get("istio_version") or ""), str(variables.get("gateway_api_version") or ""), str(controller or ""))


def find_unknown(names: t.Iterable[str], known: t.Mapping[str, t.Collection[str]]) -> list[str]:
    """Variables that look like a role's but are none of it, when there is one they were meant to be.

    Args:
        names: all variables of a cluster.
        known: each role's variables.
    """
    mistakes = []
    for name in sorted(names):
        for role, variables in known.items():
            if name.startswith(f"{role}_") and name not in variables:
                meant = difflib.get_close_matches(name, sorted(variables), n=1, cutoff=0.8)
                if meant:
                    mistakes.append(f"{name} is no variable of the role {role}: did you mean {meant[0]}?")
    return mistakes


def _items(variables: t.Mapping[str, t.Any], name: str) -> Items:
    """A list of dictionaries; what is none is left to the types' own check."""
    value = variables.get(name) or ()
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else ()


def _source_mistakes(variables: t.Mapping[str, t.Any]) -> t.Iterator[str]:
    """Only what the chosen roles have is asked for."""
    for name, wanted in (("cluster_kubeconfig", "a path"), ("istio_chart_source", "a URL or a path"), ("gateway_api_source", "a URL or a path")):
        if name in variables and not str(variables[name] or "").strip():
            yield f'{name} is empty: name {wanted}. For the sandbox, make twin-up and then eval "$(make -s twin-env)" set it.'
    if "istio_version" not in variables:
        return
    version = str(variables["istio_version"])
    found = re.fullmatch(r"(\d+)\.(\d+)\.(\d+)(-[0-9A-Za-z.-]+)?", version)
    if not found:
        yield f"istio_version is {version!r}: name a full version, such as 1.31.1."
    elif (int(found[1]), int(found[2])) < OLDEST_ISTIO:
        yield f"istio_version is {version}: ambient mesh is stable from {OLDEST_ISTIO[0]}.{OLDEST_ISTIO[1]} on, name that or a newer one."


def _waypoint_mistakes(waypoints: Items) -> t.Iterator[str]:
    for index, item in enumerate(waypoints):
        name, namespace = str(item.get("name", "waypoint")), str(item.get("namespace", ""))
        # istiod names a Service like the waypoint, and a Service's name has no dots.
        if not _NAMESPACE.fullmatch(name) or name == NO_WAYPOINT:
            yield f"mesh_waypoints[{index}].name is {name!r}: use lower-case letters, digits and dashes, and not none."
        if namespace and not _NAMESPACE.fullmatch(namespace):
            yield f"mesh_waypoints[{index}].namespace is {namespace!r}: use lower-case letters, digits and dashes."
        routes = item.get("allowed_routes")
        if isinstance(routes, dict) and routes.get("from") == "Selector" and not routes.get("selector"):
            yield f"mesh_waypoints[{index}].allowed_routes is from Selector, but has no selector: add matchLabels or matchExpressions."
    yield from _named_twice("mesh_waypoints", [f"{item.get('namespace')}/{item.get('name', 'waypoint')}" for item in waypoints])


def _namespace_mistakes(namespaces: Items) -> t.Iterator[str]:
    for index, item in enumerate(namespaces):
        if not item.get("name") and not item.get("label_selector"):
            yield f"mesh_namespaces[{index}] needs name, label_selector or both."
        elif item.get("name") and not _NAMESPACE.fullmatch(str(item["name"])):
            yield f"mesh_namespaces[{index}].name is {item['name']!r}: use lower-case letters, digits and dashes."
    yield from _named_twice("mesh_namespaces", [str(item["name"]) for item in namespaces if item.get("name")])


def _binding_mistakes(variable: str, items: Items, waypoints: Items) -> t.Iterator[str]:
    """A binding to a waypoint of this inventory that does not allow it; waypoints of elsewhere are judged on the cluster."""
    declared = {(str(item.get("namespace")), str(item.get("name", "waypoint"))): item for item in waypoints}
    for index, item in enumerate(items):
        if item.get("use_waypoint_namespace") and not item.get("use_waypoint"):
            yield f"{variable}[{index}].use_waypoint_namespace is given without use_waypoint: name the waypoint too."
        home = str(item.get("namespace") or item.get("name") or "")
        place = str(item.get("use_waypoint_namespace") or home)
        waypoint = declared.get((place, str(item.get("use_waypoint"))))
        if waypoint is None or place == home or not home:
            continue
        routes = waypoint.get("allowed_routes")
        if (routes.get("from", "Same") if isinstance(routes, dict) else "Same") == "Same":
            ref = f"{place}/{item['use_waypoint']}"
            yield f"{variable}[{index}] binds namespace {home} to {ref}, which allows only its own namespace: set allowed_routes of that waypoint."


def _named_twice(variable: str, names: t.Sequence[str]) -> t.Iterator[str]:
    for name in repeated(names):
        yield f"{variable} names {name} more than once: say all that is wished of it in one item."


__all__ = ("find_mistakes", "find_unknown", "find_version_mistakes", "find_wrong_wishes")
