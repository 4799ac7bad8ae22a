# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Which objects the items of a task select: one by its name, or any number by their labels."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._mesh.labels import Object, labels_of, matches
from .._mesh.waypoints import never_bound
from .._text import format_names
from .selectors import LabelSelector, parse_selector
from .spec import DesiredLabels, Item, Key, parse_item

_KINDS = {"namespaces": "Namespace", "services": "Service", "workloads": ""}


@dataclass(frozen=True)
class Selection:
    """An item, and the kind of the objects that it selects.

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


def parse_selections(params: t.Mapping[str, t.Any]) -> list[Selection]:
    """All items of all lists, in their order."""
    return [Selection(f"{option}[{index}]", kind or item["kind"], item) for option, kind in _KINDS.items() for index, item in enumerate(params[option])]


def resolve_selections(
    selections: t.Iterable[Selection], objects: t.Mapping[Key, Object], planned_namespaces: t.Collection[str] = ()
) -> tuple[list[DesiredLabels], list[str]]:
    """The desired labels of the selected objects, and one sentence for each item that selects nothing or what another item selects.

    Objects that one selector finds are sorted by their names. An object that is named without a selector need not exist: that is refused by
    C(refuse_enrollment). An item with C(state=absent) may select nothing: see C(warn_of_settled).
    """
    desired: list[DesiredLabels] = []
    errors: list[str] = []
    selected: dict[Key, list[str]] = {}
    ordered = sorted(objects.items(), key=lambda entry: entry[0])
    for selection in selections:
        if _is_settled(selection, objects):
            continue
        selector = selection.selector
        if selector is None:
            found = [(selection.kind, selection.namespace, selection.name)]
        else:
            found = [key for key, item in ordered if _selects(selection, selector, key, item)]
            if not found and selection.namespace not in planned_namespaces:
                errors.append(f"{selection.place}: there is no {selection}: correct the name or the selector.")
        for key in found:
            desired.append(parse_item(key[0], key[2], key[1] or None, selection.item))
            selected.setdefault(key, []).append(selection.place)
    titles = {one.key: one.title for one in desired}
    errors += (f"{titles[key]} is selected by {', '.join(places)}: combine these items into one." for key, places in selected.items() if len(places) > 1)
    return desired, errors


def warn_of_settled(selections: t.Iterable[Selection], objects: t.Mapping[Key, Object]) -> list[str]:
    """One sentence for the items with C(state=absent) that select nothing, for which nothing is to be done; empty if there are none."""
    settled = [str(selection) for selection in selections if _is_settled(selection, objects)]
    if not settled:
        return []
    return [f"Nothing is to be done for what does not exist and should have no labels: {format_names(settled)}. If the names are right, remove these items."]


def _is_settled(selection: Selection, objects: t.Mapping[Key, Object]) -> bool:
    if selection.item.get("state") != "absent":
        return False
    selector = selection.selector
    if selector is None:
        return (selection.kind, selection.namespace, selection.name) not in objects
    return not any(_selects(selection, selector, key, item) for key, item in objects.items())


def _selects(selection: Selection, selector: LabelSelector, key: Key, item: Object) -> bool:
    kind, namespace, name = key
    return (
        kind == selection.kind
        and selection.name in ("", name)
        and selection.namespace in ("", namespace)
        and matches(selector, labels_of(item))
        # Waypoints' own Services carry the labels of their Gateway; istiod binds them to nothing.
        and not (kind == "Service" and never_bound(item))
    )


__all__ = ("Selection", "parse_selections", "resolve_selections", "warn_of_settled")
