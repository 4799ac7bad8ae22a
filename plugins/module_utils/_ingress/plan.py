# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""From desired and current objects to changes, and changes as a module returns them."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._diff import diff_of
from .._mesh.labels import Object, annotations_of
from .annotation_values import ALB_ATTRIBUTES, NLB_ATTRIBUTES, is_protected
from .compare import flatten_current, flatten_manifest, is_as_desired, is_ours
from .removals import switch_off_removed
from .spec import DesiredItem, DesiredObject, Key, service_name

Action = t.Literal["created", "changed", "deleted", "unchanged"]
# Namespace and name.
Place = t.Tuple[str, str]


@dataclass(frozen=True)
class Change:
    """What to do about one object.

    Attributes:
        item: the item that it belongs to.
        desired: the object as it should be.
        current: the object as it is, or None.
        action: V(created), V(changed), V(deleted) or V(unchanged).
    """

    item: DesiredItem
    desired: DesiredObject
    current: Object | None
    action: Action

    @property
    def changed(self) -> bool:
        return self.action != "unchanged"

    @property
    def is_main(self) -> bool:
        """Whether this is the object that stands for an item that should be present."""
        return self.desired is self.item.main and self.item.present

    @property
    def title(self) -> str:
        """How messages name the object."""
        kind, namespace, name = self.desired.key
        return f"{kind} {namespace}/{name}"


def plan_changes(items: t.Iterable[DesiredItem], objects: t.Mapping[Key, Object]) -> list[Change]:
    """What to do, in the order of the items; what belongs to an item follows it."""
    changes = []
    for item in switch_off_removed(list(items), objects):
        changes.append(_plan(item, item.main, objects.get(item.main.key)))
        for desired in item.others:
            current = objects.get(desired.key)
            # An object of that name that somebody else has made must not be deleted.
            changes.append(_plan(item, desired, current if desired.manifest or (current is not None and is_ours(current)) else None))
    return changes


def protecting_attributes(change: Change, services: t.Mapping[Place, Object]) -> str:
    """The attributes of a load balancer that is to be deleted despite its deletion protection; empty if it has none."""
    if change.action != "deleted" or change.current is None:
        return ""
    kind, namespace, name = change.desired.key
    attributes = ""
    if kind == "Ingress":
        attributes = annotations_of(change.current).get(ALB_ATTRIBUTES, "")
    elif kind == "Gateway":
        service = services.get((namespace, service_name(name)))
        attributes = annotations_of(service).get(NLB_ATTRIBUTES, "") if service else ""
    return attributes if is_protected(attributes) else ""


def report_changes(changes: t.Sequence[Change], ready_kinds: t.Collection[str] = ()) -> dict[str, t.Any]:
    """The changes as a module returns them.

    Args:
        changes: the plan.
        ready_kinds: the kinds that can be judged to be ready.
    """
    diffs = [
        diff_of(change.title, flatten_current(change.current, change.desired.manifest), flatten_manifest(change.desired.manifest))
        for change in changes
        if change.changed
    ]
    present = [change for change in changes if change.desired.manifest]
    return {
        "changed": bool(diffs),
        "diff": diffs,
        "objects": [_report(change) for change in changes if change.changed or change.desired.manifest],
        "ready_targets": [_ready_target(change) for change in present if change.desired.key[0] in ready_kinds],
    }


def _plan(item: DesiredItem, desired: DesiredObject, current: Object | None) -> Change:
    if not desired.manifest:
        gone = current is None or bool(current["metadata"].get("deletionTimestamp"))
        return Change(item, desired, current, "unchanged" if gone else "deleted")
    if current is None:
        return Change(item, desired, None, "created")
    return Change(item, desired, current, "unchanged" if is_as_desired(current, desired.manifest) else "changed")


def _report(change: Change) -> dict[str, t.Any]:
    kind, namespace, name = change.desired.key
    return {"kind": kind, "namespace": namespace, "name": name, "action": change.action, "changed": change.changed, "manifest": change.desired.manifest}


def _ready_target(change: Change) -> dict[str, t.Any]:
    kind, namespace, name = change.desired.key
    balanced = kind == "Gateway" and change.item.item["load_balancer"] == "nlb"
    return {"kind": kind, "name": name, "namespace": namespace, **({"load_balancer": True} if balanced else {})}


__all__ = (
    "Change",
    "Place",
    "plan_changes",
    "protecting_attributes",
    "report_changes",
)
