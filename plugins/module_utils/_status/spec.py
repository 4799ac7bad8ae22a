# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""The option targets of the module ready, as targets."""

from __future__ import annotations

import typing as t

from .._errors import MeshError
from .._kinds import BY_NAME, Kind
from .._mesh.capture import EXCLUDED_NAMESPACES
from .._mesh.mesh_settings import ISTIO_NAMESPACE
from .._mesh.waypoints import WaypointRef
from .addresses import ServiceExpectation
from .any_objects import ANY_OBJECT_RULE, ConditionExpectation, ValueExpectation
from .bindings import BindingExpectation
from .custom_resources import DefinitionExpectation, is_bundle_version
from .enrollments import EnrollmentExpectation
from .gateways import GatewayExpectation
from .json_paths import check
from .policies import PolicyExpectation
from .rules import RULES
from .target import Expectation, Target
from .webhooks import CertificateExpectation

Item = t.Mapping[str, t.Any]
FindKind = t.Callable[[str, str], Kind]

# The options that only some kinds take.
OPTIONS_OF_KIND: t.Mapping[str, tuple[str, ...]] = {
    "binding": ("waypoint", "waypoint_namespace", "bound_kind"),
    "enrollment": ("excluded_namespaces",),
    "CustomResourceDefinition": ("served_versions", "bundle_version"),
    "Gateway": ("load_balancer",),
    "PeerAuthentication": ("root_namespace",),
    "RequestAuthentication": ("root_namespace",),
    "Service": ("load_balancer",),
}
_JUDGED_BY_ROOT_NAMESPACE = tuple(kind for kind, options in OPTIONS_OF_KIND.items() if "root_namespace" in options)
OPTIONS_OF_ANY_OBJECT = ("condition", "json_path", "value")


def validate_times(timeout: float, stable_for: float) -> None:
    """Raise MeshError when targets cannot be ready for this long within the timeout, both in seconds."""
    if stable_for < 0 or (stable_for and stable_for >= timeout):
        raise MeshError(f"stable_for is {stable_for:g} s, and timeout is {timeout:g} s: set stable_for to less than timeout, and to at least 0.")


def lacks_root_namespace(item: Item) -> bool:
    """Whether an item is judged by the root namespace of the mesh, and does not name it."""
    return item["kind"] in _JUDGED_BY_ROOT_NAMESPACE and not item["api_version"] and not item["root_namespace"]


def parse_targets(items: t.Sequence[Item], find_kind: FindKind, now: float) -> list[Target]:
    """The items of the option as targets.

    Args:
        items: the items, each with V(None) for the options that it omits.
        find_kind: finds a kind that the collection does not know, by its API version and name.
        now: the time in seconds since the epoch, at which certificates must be valid.

    Raises:
        MeshError: there is no item, or one omits an option that its kind requires, or has one that it does not take.
    """
    if not items:
        raise MeshError("The list targets is empty: add a target, or skip the task.")
    return [_parse_target(f"targets[{index}] has the kind {item['kind']}", item, find_kind, now) for index, item in enumerate(items)]


def _parse_target(title: str, item: Item, find_kind: FindKind, now: float) -> Target:
    if not item["api_version"] and item["kind"] not in RULES:
        raise MeshError(f"{title}, which this module does not know (it knows {', '.join(RULES)}): correct it, or set its api_version.")
    rule = ANY_OBJECT_RULE if item["api_version"] else RULES[item["kind"]]
    _refuse_other_options(title, item)
    missing = [option for option in rule.options if not item[option]]
    if missing:
        raise MeshError(f"{title}, which requires {' and '.join(missing)}: set {'it' if len(missing) == 1 else 'them'}.")
    problem = _validation_error(item)
    if problem:
        raise MeshError(f"{title}, and {problem}.")
    if not item["api_version"]:
        return Target(item["kind"], item["name"], item["namespace"], _expectation(item, now))
    kind = BY_NAME.get(item["kind"])
    if kind is None or kind.api_version != item["api_version"]:
        kind = find_kind(item["api_version"], item["kind"])
    if kind.namespaced and not item["namespace"]:
        raise MeshError(f"{title}, which is namespaced: set namespace.")
    return Target(item["kind"], item["name"], item["namespace"] if kind.namespaced else "", _expectation_of_any_object(item), kind)


def _expectation(item: Item, now: float) -> Expectation | None:
    """What else must be true of a target of a kind that the collection knows."""
    kind = item["kind"]
    if kind == "binding":
        waypoint = WaypointRef(item["waypoint_namespace"] or item["namespace"], item["waypoint"]) if item["waypoint"] else None
        return BindingExpectation(waypoint, item["bound_kind"] or "")
    if kind in ("control_plane", "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"):
        return CertificateExpectation(now)
    if kind == "enrollment":
        excluded = item["excluded_namespaces"]
        return EnrollmentExpectation(EXCLUDED_NAMESPACES if excluded is None else tuple(excluded))
    if kind == "CustomResourceDefinition":
        return DefinitionExpectation(tuple(item["served_versions"] or ()), item["bundle_version"] or "")
    if kind == "Gateway":
        return GatewayExpectation(load_balancer=bool(item["load_balancer"]))
    if kind == "Service":
        return ServiceExpectation(load_balancer=bool(item["load_balancer"]))
    if kind in _JUDGED_BY_ROOT_NAMESPACE:
        return PolicyExpectation(item["root_namespace"] or ISTIO_NAMESPACE)
    return None


def _expectation_of_any_object(item: Item) -> Expectation | None:
    condition = item["condition"]
    if condition:
        return ConditionExpectation(condition["type"], condition.get("status") or "True", condition.get("reason") or "")
    return ValueExpectation(item["json_path"], item["value"]) if item["json_path"] else None


def _refuse_other_options(title: str, item: Item) -> None:
    """An option that a kind does not take is most often an error, and would never have an effect."""
    own = OPTIONS_OF_ANY_OBJECT if item["api_version"] else OPTIONS_OF_KIND.get(item["kind"], ())
    every = dict.fromkeys(option for options in (*OPTIONS_OF_KIND.values(), OPTIONS_OF_ANY_OBJECT) for option in options)
    others = [option for option in every if item[option] is not None and option not in own]
    if others:
        users = [kind for kind, options in OPTIONS_OF_KIND.items() if others[0] in options]
        place = f"is for {' and '.join(users)}" if users else "requires api_version"
        raise MeshError(f"{title}, which does not take {' and '.join(others)}: {others[0]} {place}.")


def _validation_error(item: Item) -> str | None:
    """What is wrong with the options of an item; None when they can be judged."""
    if item["condition"] and item["json_path"]:
        return "sets both condition and json_path: set one of them, or split it into two targets"
    if item["value"] is not None and not item["json_path"]:
        return "sets value without json_path: set json_path"
    if item["bundle_version"] and not is_bundle_version(item["bundle_version"]):
        return f"its bundle_version {item['bundle_version']!r} is not a version: write it as v1.6.1 or >=v1.4.0"
    if item["json_path"]:
        check(item["json_path"])
    return None


__all__ = ("FindKind", "lacks_root_namespace", "parse_targets", "validate_times")
