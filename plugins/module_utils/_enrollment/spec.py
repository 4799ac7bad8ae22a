# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""From the options of the module enrollment to the desired labels of one object."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._mesh.labels import (
    CANARY,
    CANARY_NAMESPACE,
    CANARY_WEIGHT,
    DATAPLANE_MODE,
    INGRESS_USE_WAYPOINT,
    NO_WAYPOINT,
    USE_WAYPOINT,
    USE_WAYPOINT_NAMESPACE,
)
from .._mesh.waypoints import WaypointRef
from .selectors import SelectorError, parse_selector

# Kind, namespace (empty for a Namespace) and name of an object.
Key = t.Tuple[str, str, str]
Item = t.Mapping[str, t.Any]

_MAX_WEIGHT = 100

_STATE = {"type": "str", "choices": ["present", "absent"], "default": "present"}
_MODE = {"type": "str", "choices": ["ambient", "none", ""]}
_WAYPOINT = {"use_waypoint": {"type": "str"}, "use_waypoint_namespace": {"type": "str"}}
_TRAFFIC = {
    **_WAYPOINT,
    "ingress_use_waypoint": {"type": "str", "choices": ["true", "false", ""]},
    "canary": {
        "type": "dict",
        "options": {"waypoint": {"type": "str"}, "waypoint_namespace": {"type": "str"}, "weight": {"type": "str"}},
        "required_one_of": [("waypoint", "weight")],
        "required_by": {"waypoint_namespace": "waypoint"},
    },
}
_SELECTION = {"name": {"type": "str"}, "label_selector": {"type": "str"}, "state": _STATE}
_RULES = {"required_by": {"use_waypoint_namespace": "use_waypoint"}}
# A name identifies an object only together with its namespace.
_NAMESPACED = {**_RULES, "required_one_of": [("name", "label_selector"), ("namespace", "label_selector")]}
_KIND = {"type": "str", "choices": ["Deployment", "StatefulSet", "DaemonSet"], "default": "Deployment"}


def _list_of(options: dict[str, t.Any], rules: dict[str, t.Any]) -> dict[str, t.Any]:
    return {"type": "list", "elements": "dict", "default": [], "options": options, **rules}


ENROLLMENT_OPTIONS: t.Dict[str, t.Any] = {
    "namespaces": _list_of({**_SELECTION, "dataplane_mode": _MODE, **_TRAFFIC}, {**_RULES, "required_one_of": [("name", "label_selector")]}),
    "services": _list_of({**_SELECTION, "namespace": {"type": "str"}, **_TRAFFIC}, _NAMESPACED),
    "workloads": _list_of({"kind": _KIND, **_SELECTION, "namespace": {"type": "str"}, "dataplane_mode": _MODE, **_WAYPOINT}, _NAMESPACED),
    "allow_unsafe_binding": {"type": "bool", "default": False},
    "allow_injection_labels": {"type": "bool", "default": False},
    "allow_excluded_namespaces": {"type": "bool", "default": False},
    "allow_hidden_namespaces": {"type": "bool", "default": False},
    "force_conflicts": {"type": "bool", "default": False},
    "wait": {"type": "bool", "default": False},
    "wait_timeout": {"type": "int", "default": 120},
    "progress": {"type": "path"},
    "planned": {
        "type": "dict",
        "options": {
            "namespaces": {"type": "list", "elements": "str", "default": []},
            "waypoints": {"type": "list", "elements": "dict", "default": []},
        },
    },
}


@dataclass(frozen=True)
class DesiredLabels:
    """The desired labels of one object. None leaves a label as it is, an empty string removes it.

    Attributes:
        kind: C(Namespace), C(Service), or the kind of a workload whose pod template is labelled.
        namespace: None for a Namespace.
        waypoint_namespace: empty for the object's own.
        ingress: V(true) or V(false): whether ingress gateways send their traffic through the waypoint.
        canary_namespace: empty for the object's own.
        weight: the percentage of connections that the canary gets.
    """

    kind: str
    name: str
    namespace: str | None = None
    dataplane_mode: str | None = None
    waypoint: str | None = None
    waypoint_namespace: str = ""
    ingress: str | None = None
    canary: str | None = None
    canary_namespace: str = ""
    weight: str | None = None

    @property
    def title(self) -> str:
        """How messages name the object."""
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"

    @property
    def home(self) -> str:
        """The namespace that the object is in, or is."""
        return self.namespace or self.name

    @property
    def key(self) -> Key:
        return self.kind, self.namespace or "", self.name

    @property
    def waypoint_ref(self) -> WaypointRef | None:
        """The waypoint to bind the object to, or None."""
        if self.waypoint and self.waypoint != NO_WAYPOINT:
            return WaypointRef(self.waypoint_namespace or self.home, self.waypoint)
        return None

    @property
    def canary_ref(self) -> WaypointRef | None:
        """The canary to bind the object to, or None."""
        return WaypointRef(self.canary_namespace or self.home, self.canary) if self.canary else None

    def labels(self) -> dict[str, str]:
        """The desired labels, and the one annotation; those to be removed are empty."""
        desired: dict[str, str] = {}
        if self.dataplane_mode is not None:
            desired[DATAPLANE_MODE] = self.dataplane_mode
        # Without a label for it, the waypoint's namespace is the object's own.
        if self.waypoint is not None:
            desired[USE_WAYPOINT] = self.waypoint
            desired[USE_WAYPOINT_NAMESPACE] = self._elsewhere(self.waypoint_ref)
        if self.ingress is not None:
            desired[INGRESS_USE_WAYPOINT] = self.ingress
        if self.canary is not None:
            desired[CANARY] = self.canary
            desired[CANARY_NAMESPACE] = self._elsewhere(self.canary_ref)
        if self.weight is not None or self.canary == "":
            desired[CANARY_WEIGHT] = self.weight or ""
        return desired

    def _elsewhere(self, ref: WaypointRef | None) -> str:
        return ref.namespace if ref and ref.namespace != self.home else ""


@dataclass(frozen=True)
class Overrides:
    """The options of a task that lift refusals; each has the meaning of the option C(allow_...) of its name, or of C(force_conflicts)."""

    unsafe_binding: bool = False
    injection_labels: bool = False
    excluded_namespaces: bool = False
    hidden_namespaces: bool = False
    conflicts: bool = False


def parse_overrides(params: t.Mapping[str, t.Any]) -> Overrides:
    """The overrides among the parameters of the module."""
    names = ("unsafe_binding", "injection_labels", "excluded_namespaces", "hidden_namespaces")
    return Overrides(**{name: params[f"allow_{name}"] for name in names}, conflicts=params["force_conflicts"])


def parse_item(kind: str, name: str, namespace: str | None, item: Item) -> DesiredLabels:
    """One item of a module's option, for one object.

    Keys that are missing or None leave their labels as they are; V(state=absent) removes all that the kind can carry.
    """
    if item.get("state") == "absent":
        mode = {} if kind == "Service" else {"dataplane_mode": ""}
        traffic = {} if kind not in ("Namespace", "Service") else {"ingress": "", "canary": ""}
        return DesiredLabels(kind, name, namespace, waypoint="", **mode, **traffic)
    canary = item.get("canary") or {}
    return DesiredLabels(
        kind,
        name,
        namespace,
        dataplane_mode=item.get("dataplane_mode"),
        waypoint=item.get("use_waypoint"),
        waypoint_namespace=item.get("use_waypoint_namespace") or "",
        ingress=item.get("ingress_use_waypoint"),
        canary=canary.get("waypoint"),
        canary_namespace=canary.get("waypoint_namespace") or "",
        weight=canary.get("weight"),
    )


def find_validation_errors(items: t.Iterable[tuple[str, Item]]) -> list[str]:
    """What is wrong with items, whatever the cluster, one sentence each.

    Args:
        items: each item with the option that it was given in, such as C(namespaces[0]).
    """
    errors = []
    for place, item in items:
        if item.get("label_selector") is not None:
            try:
                parse_selector(item["label_selector"])
            except SelectorError as error:
                errors.append(f"{place}: the label_selector {item['label_selector']!r} is invalid, because {error}: use the syntax of kubectl -l.")
        weight = (item.get("canary") or {}).get("weight")
        if weight and not (weight.isascii() and weight.isdigit() and int(weight) <= _MAX_WEIGHT):
            errors.append(f"{place}: the canary's weight {weight!r} is not a percentage: use a whole number from 0 to {_MAX_WEIGHT}.")
    return errors


__all__ = ("ENROLLMENT_OPTIONS", "DesiredLabels", "Item", "Key", "Overrides", "find_validation_errors", "parse_item", "parse_overrides")
