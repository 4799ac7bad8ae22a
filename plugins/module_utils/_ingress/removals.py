# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.
"""What an earlier run has switched on at a load balancer, and what its item does not say any more.

The AWS Load Balancer Controller leaves alone what no annotation names, so taking a web ACL out of an inventory would leave it attached. What the
collection itself has said is therefore said to be off from then on; what others have attached was never said by it, and stays.
Source: aws-load-balancer-controller docs/guide/ingress/annotations.md (wafv2-acl-arn, shield-advanced-protection, load-balancer-attributes).
"""

from __future__ import annotations

import typing as t
from dataclasses import replace

from .._mesh.labels import Object
from .alb import PREFIX
from .compare import applied_fields
from .nlb import ATTRIBUTES as NLB_ATTRIBUTES
from .nlb import TYPE as NLB_TYPE
from .words import pairs, parse_pairs

if t.TYPE_CHECKING:
    from .wishes import Key, Wish

Annotations = t.Mapping[str, str]

ALB_ATTRIBUTES = f"{PREFIX}load-balancer-attributes"

_OFF: Annotations = {f"{PREFIX}wafv2-acl-arn": "none", f"{PREFIX}shield-advanced-protection": "false"}
_OFF_ATTRIBUTES: Annotations = {"access_logs.s3.enabled": "false", "deletion_protection.enabled": "false"}
# Where the objects of load balancers carry their annotations, and which of these holds the attributes.
_PLACES: t.Mapping[str, tuple[tuple[str, ...], str]] = {
    "Ingress": (("metadata", "annotations"), ALB_ATTRIBUTES),
    "Gateway": (("spec", "infrastructure", "annotations"), NLB_ATTRIBUTES),
}


def say_removals(wishes: t.Sequence[Wish], objects: t.Mapping[Key, Object]) -> list[Wish]:
    """The wishes; what the objects that are there have switched on by the collection, and a wish does not name, is said to be off.

    Args:
        wishes: all items.
        objects: the objects that are there.
    """
    return [_say(wish, objects.get(wish.main.key), wishes) for wish in wishes]


def _say(wish: Wish, seen: Object | None, wishes: t.Sequence[Wish]) -> Wish:
    kind = wish.main.key[0]
    if seen is None or kind not in _PLACES or not wish.main.manifest:
        return wish
    wanted = _annotations(wish.main.manifest, kind)
    missing = _removed(kind, _ours(seen, kind), wanted, _of_its_group(wish, wishes))
    if not missing:
        return wish
    return replace(wish, main=replace(wish.main, manifest=_put(wish.main.manifest, _PLACES[kind][0], dict(sorted({**wanted, **missing}.items())))))


def _removed(kind: str, ours: Annotations, wanted: Annotations, others: t.Sequence[Annotations]) -> dict[str, str]:
    """The annotations to add or to replace."""
    missing = {key: off for key, off in _OFF.items() if key in ours and not any(key in said for said in (wanted, *others))}
    holder = _PLACES[kind][1]
    if kind == "Gateway" and NLB_TYPE not in wanted:
        # It should have no load balancer any more.
        return missing
    before, after = parse_pairs(ours.get(holder, "")), parse_pairs(wanted.get(holder, ""))
    elsewhere = {name for said in others for name in parse_pairs(said.get(holder, ""))}
    lost = {name: off for name, off in _OFF_ATTRIBUTES.items() if name in before and name not in after and name not in elsewhere}
    if lost:
        missing[holder] = pairs({**after, **lost})
    return missing


def _of_its_group(wish: Wish, wishes: t.Sequence[Wish]) -> list[Annotations]:
    """What the other Ingresses say that share its load balancer: two of them must not contradict each other."""
    group = wish.item.get("group_name")
    if not group:
        return []
    others = [other for other in wishes if other is not wish and other.present and other.group == wish.group and other.item.get("group_name") == group]
    return [_annotations(other.main.manifest, other.main.key[0]) for other in others]


def _annotations(item: t.Mapping[str, t.Any], kind: str) -> Annotations:
    found: t.Any = item
    for step in _PLACES[kind][0]:
        found = (found or {}).get(step)
    return found or {}


def _ours(seen: Object, kind: str) -> dict[str, str]:
    """The annotations of an object that the collection has applied."""
    said: set[str] = set()
    for fields in applied_fields(seen):
        below: t.Any = fields
        for step in _PLACES[kind][0]:
            below = below.get(f"f:{step}") or {}
        said.update(key[2:] for key in below if key.startswith("f:"))
    return {key: value for key, value in _annotations(seen, kind).items() if key in said}


def _put(manifest: t.Mapping[str, t.Any], path: tuple[str, ...], value: t.Any) -> dict[str, t.Any]:
    """A copy of the manifest with another value at a path."""
    step, *rest = path
    return {**manifest, step: _put(manifest.get(step) or {}, tuple(rest), value) if rest else value}


__all__ = ("say_removals",)
