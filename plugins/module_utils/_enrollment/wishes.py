# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.

"""What a task says about enrollment: which objects it chooses, and what their labels should be."""

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
    Object,
    labels_of,
    matches,
)
from .._mesh.waypoints import WaypointRef, never_bound
from .selectors import LabelSelector, SelectorError, parse_selector

# Objects by kind, namespace (empty for a Namespace) and name.
Key = t.Tuple[str, str, str]
Item = t.Mapping[str, t.Any]

_HEAVIEST = 100


@dataclass(frozen=True)
class Wish:
    """What one object's labels should be. None leaves a label as it is, an empty string takes it away.

    Attributes:
        kind: C(Namespace), C(Service), or the kind of a workload whose pod template is labelled.
        name: the object's name.
        namespace: its namespace; None for a Namespace.
        dataplane_mode: V(ambient), V(none), empty or None.
        waypoint: the waypoint's name, V(none) to opt out, empty or None.
        waypoint_namespace: where the waypoint is; empty for the object's own namespace.
        ingress: V(true), V(false), empty or None: whether ingress gateways send their traffic through the waypoint.
        canary: the name of a second waypoint, empty or None.
        canary_namespace: where that is; empty for the object's own namespace.
        weight: the percentage of connections that the canary gets, empty or None.
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
        """The waypoint that is bound to, or None when none is."""
        if self.waypoint and self.waypoint != NO_WAYPOINT:
            return WaypointRef(self.waypoint_namespace or self.home, self.waypoint)
        return None

    @property
    def canary_ref(self) -> WaypointRef | None:
        """The canary that is bound to, or None when none is."""
        return WaypointRef(self.canary_namespace or self.home, self.canary) if self.canary else None

    def labels(self) -> dict[str, str]:
        """The labels (and the one annotation) wished for; those to be taken away are empty."""
        wished: dict[str, str] = {}
        if self.dataplane_mode is not None:
            wished[DATAPLANE_MODE] = self.dataplane_mode
        # A waypoint's namespace is only written when it says something: without it, the object's own is meant.
        if self.waypoint is not None:
            wished[USE_WAYPOINT] = self.waypoint
            wished[USE_WAYPOINT_NAMESPACE] = self._elsewhere(self.waypoint_ref)
        if self.ingress is not None:
            wished[INGRESS_USE_WAYPOINT] = self.ingress
        if self.canary is not None:
            wished[CANARY] = self.canary
            wished[CANARY_NAMESPACE] = self._elsewhere(self.canary_ref)
        if self.weight is not None or self.canary == "":
            wished[CANARY_WEIGHT] = self.weight or ""
        return wished

    def _elsewhere(self, ref: WaypointRef | None) -> str:
        return ref.namespace if ref and ref.namespace != self.home else ""


def wish_of(kind: str, name: str, namespace: str | None, item: Item) -> Wish:
    """One item of a module's option, said of one object.

    Keys that are missing or None leave their labels as they are; V(state=absent) takes away all that the kind can carry.
    """
    if item.get("state") == "absent":
        whole = {} if kind == "Service" else {"dataplane_mode": ""}
        bound = {} if kind not in ("Namespace", "Service") else {"ingress": "", "canary": ""}
        return Wish(kind, name, namespace, waypoint="", **whole, **bound)
    canary = item.get("canary") or {}
    return Wish(
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


def mistakes_of(items: t.Iterable[tuple[str, Item]]) -> list[str]:
    """What can be seen to be wrong without a cluster, one sentence each.

    Args:
        items: each item with the option that it was given in, such as C(namespaces[0]).
    """
    mistakes = []
    for place, item in items:
        if item.get("label_selector") is not None:
            try:
                parse_selector(item["label_selector"])
            except SelectorError as error:
                mistakes.append(f"{place}: the label_selector {item['label_selector']!r} cannot be used, because {error}: write it as for kubectl -l.")
        weight = (item.get("canary") or {}).get("weight")
        if weight and not (weight.isascii() and weight.isdigit() and int(weight) <= _HEAVIEST):
            mistakes.append(f"{place}: the canary's weight {weight!r} is no percentage: give a whole number from 0 to {_HEAVIEST}.")
    return mistakes


@dataclass(frozen=True)
class Selection:
    """Which objects an item means, and what it says about them.

    Attributes:
        place: the option that it was given in, for messages.
        kind: the kind of the objects.
        item: the whole item.
    """

    place: str
    kind: str
    item: Item

    @property
    def name(self) -> str:
        return self.item.get("name") or ""

    @property
    def namespace(self) -> str:
        return self.item.get("namespace") or ""

    @property
    def selector(self) -> LabelSelector | None:
        text = self.item.get("label_selector")
        return parse_selector(text) if text is not None else None

    def __str__(self) -> str:
        labels = f" with the labels {self.item['label_selector']}" if self.item.get("label_selector") is not None else ""
        return f"{self.kind}{f' named {self.name}' if self.name else ''}{f' in namespace {self.namespace}' if self.namespace else ''}{labels}"


def resolve(selections: t.Iterable[Selection], objects: t.Mapping[Key, Object], planned_namespaces: t.Collection[str] = ()) -> tuple[list[Wish], list[str]]:
    """The wishes for the objects that are chosen, and one sentence for each choice that means nothing or contradicts another.

    Objects that one selector finds come in the order of their names. An object that is named without a selector need not be there: whether
    that is wrong is for C(refuse_enrollment) to say.
    """
    wishes: list[Wish] = []
    problems: list[str] = []
    chosen: dict[Key, list[str]] = {}
    ordered = sorted(objects.items(), key=lambda entry: entry[0])
    for selection in selections:
        selector = selection.selector
        if selector is None:
            found = [(selection.kind, selection.namespace, selection.name)]
        else:
            found = [key for key, item in ordered if _chooses(selection, selector, key, item)]
            if not found and selection.namespace not in planned_namespaces:
                problems.append(f"{selection.place}: there is no {selection}: correct the name or the selector.")
        for key in found:
            wishes.append(wish_of(key[0], key[2], key[1] or None, selection.item))
            chosen.setdefault(key, []).append(selection.place)
    titles = {wish.key: wish.title for wish in wishes}
    for key, places in chosen.items():
        if len(places) > 1:
            problems.append(f"{titles[key]} is chosen by {', '.join(places)}: say all that is wished of an object in one item.")
    return wishes, problems


def _chooses(selection: Selection, selector: LabelSelector, key: Key, item: Object) -> bool:
    kind, namespace, name = key
    return (
        kind == selection.kind
        and selection.name in ("", name)
        and selection.namespace in ("", namespace)
        and matches(selector, labels_of(item))
        # Waypoints' own Services carry the labels of their Gateway; istiod binds them to nothing.
        and not (kind == "Service" and never_bound(item))
    )


__all__ = ("Key", "Selection", "Wish", "mistakes_of", "resolve", "wish_of")
