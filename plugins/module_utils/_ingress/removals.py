# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.
"""What an earlier run has switched on at a load balancer, and its item no longer names.

The AWS Load Balancer Controller leaves alone what no annotation names, so taking a web ACL out of an inventory would leave it attached. What the
collection itself has switched on is therefore explicitly switched off; what others have attached was never set by it, and stays.
Source: aws-load-balancer-controller docs/guide/ingress/annotations.md (wafv2-acl-arn, shield-advanced-protection, load-balancer-attributes).
"""

from __future__ import annotations

import typing as t
from dataclasses import replace

from .._mesh.labels import Object
from .annotation_values import ALB_ATTRIBUTES, ALB_PREFIX, NLB_ATTRIBUTES, NLB_TYPE, format_pairs, group_of, parse_pairs
from .compare import applied_fields

if t.TYPE_CHECKING:
    from .spec import DesiredItem, Key

Annotations = t.Mapping[str, str]

_OFF: Annotations = {f"{ALB_PREFIX}wafv2-acl-arn": "none", f"{ALB_PREFIX}shield-advanced-protection": "false"}
_OFF_ATTRIBUTES: Annotations = {"access_logs.s3.enabled": "false", "deletion_protection.enabled": "false"}
# Where the objects of load balancers carry their annotations, and which of these holds the attributes.
_PLACES: t.Mapping[str, tuple[tuple[str, ...], str]] = {
    "Ingress": (("metadata", "annotations"), ALB_ATTRIBUTES),
    "Gateway": (("spec", "infrastructure", "annotations"), NLB_ATTRIBUTES),
}


def switch_off_removed(items: t.Sequence[DesiredItem], objects: t.Mapping[Key, Object]) -> list[DesiredItem]:
    """The items; what the collection has switched on in current objects, and an item no longer names, is switched off.

    Args:
        items: all items.
        objects: the current objects.
    """
    return [_switch_off(item, objects.get(item.main.key), items) for item in items]


def _switch_off(item: DesiredItem, current: Object | None, items: t.Sequence[DesiredItem]) -> DesiredItem:
    kind = item.main.key[0]
    if current is None or kind not in _PLACES or not item.main.manifest:
        return item
    desired = _annotations(item.main.manifest, kind)
    missing = _removed(kind, _applied(current, kind), desired, _of_its_group(item, items))
    if not missing:
        return item
    return replace(item, main=replace(item.main, manifest=_put(item.main.manifest, _PLACES[kind][0], dict(sorted({**desired, **missing}.items())))))


def _removed(kind: str, applied: Annotations, desired: Annotations, others: t.Sequence[Annotations]) -> dict[str, str]:
    """The annotations to add or to replace."""
    missing = {key: off for key, off in _OFF.items() if key in applied and not any(key in annotations for annotations in (desired, *others))}
    holder = _PLACES[kind][1]
    if kind == "Gateway" and NLB_TYPE not in desired:
        # It should no longer have a load balancer.
        return missing
    before, after = parse_pairs(applied.get(holder, "")), parse_pairs(desired.get(holder, ""))
    elsewhere = {name for annotations in others for name in parse_pairs(annotations.get(holder, ""))}
    lost = {name: off for name, off in _OFF_ATTRIBUTES.items() if name in before and name not in after and name not in elsewhere}
    if lost:
        missing[holder] = format_pairs({**after, **lost})
    return missing


def _of_its_group(item: DesiredItem, items: t.Sequence[DesiredItem]) -> list[Annotations]:
    """The annotations of the other Ingresses that share its load balancer: two of them must not contradict each other."""
    group = group_of(item.item)
    if not group:
        return []
    others = [other for other in items if other is not item and other.present and group_of(other.item) == group]
    return [_annotations(other.main.manifest, other.main.key[0]) for other in others]


def _annotations(manifest: t.Mapping[str, t.Any], kind: str) -> Annotations:
    found: t.Any = manifest
    for step in _PLACES[kind][0]:
        found = (found or {}).get(step)
    return found or {}


def _applied(current: Object, kind: str) -> dict[str, str]:
    """The annotations of an object that the collection has applied."""
    names: set[str] = set()
    for fields in applied_fields(current):
        below: t.Any = fields
        for step in _PLACES[kind][0]:
            below = below.get(f"f:{step}") or {}
        names.update(key[2:] for key in below if key.startswith("f:"))
    return {key: value for key, value in _annotations(current, kind).items() if key in names}


def _put(manifest: t.Mapping[str, t.Any], path: tuple[str, ...], value: t.Any) -> dict[str, t.Any]:
    """A copy of the manifest with another value at a path."""
    step, *rest = path
    return {**manifest, step: _put(manifest.get(step) or {}, tuple(rest), value) if rest else value}


__all__ = ("switch_off_removed",)
