# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Quantities of Kubernetes, such as 500m and 2Gi, and the resources of containers.

Sources: Kubernetes' apimachinery (pkg/api/resource) and pkg/apis/core/validation (validateResourceRequirements, validateContainerResourceName).
"""

from __future__ import annotations

import re
import typing as t
from fractions import Fraction

from .._near_misses import nearest
from .fields import show_scalar
from .kubernetes import find_key_errors

_QUANTITY = re.compile(r"([+-]?(?:\d{1,30}(?:\.\d{0,30})?|\.\d{1,30}))(?:([numkMGTPE]|[KMGTPE]i)|[eE]([+-]?\d{1,3}))?", re.ASCII)
_SUFFIXES = {
    **{suffix: Fraction(10) ** exponent for suffix, exponent in zip("numkMGTPE", (-9, -6, -3, 3, 6, 9, 12, 15, 18))},  # noqa: B905  # they are of one length
    **{f"{letter}i": Fraction(1024) ** (place + 1) for place, letter in enumerate("KMGTPE")},
}
# What a container can have without a domain in front of its name, beside huge pages.
_STANDARD = ("cpu", "memory", "ephemeral-storage")
_BYTES = ("memory", "ephemeral-storage")


def parse_quantity(written: t.Any) -> Fraction | None:
    """A quantity as a number; None if it is none."""
    if isinstance(written, bool) or not isinstance(written, (str, int, float)):
        return None
    found = _QUANTITY.fullmatch(str(written))
    if not found:
        return None
    # A dot may stand at the end, where a fraction has none.
    return Fraction(found[1].rstrip(".")) * (_SUFFIXES[found[2]] if found[2] else Fraction(10) ** int(found[3] or 0))


def find_quantity_errors(place: str, written: t.Any) -> t.Iterator[str]:
    """A sentence if this is not the amount of a resource."""
    quantity = parse_quantity(written)
    if quantity is None:
        yield f"{place} is {show_scalar(written, 'not a text or a number')}: use a quantity such as 500m, 2 or 1Gi, without a blank."
    elif quantity < 0:
        yield f"{place} is {written}: a quantity cannot be negative."


def find_resource_errors(place: str, resources: t.Any, *, partial: bool = False) -> t.Iterator[str]:
    """What the API server refuses of the requests and limits of a container.

    Args:
        place: how messages name them.
        resources: C(requests) and C(limits); what is of another structure is another error.
        partial: whether they are merged into others, so that a null removes one.
    """
    sides = {side: resources[side] for side in ("requests", "limits") if isinstance(resources, dict) and isinstance(resources.get(side), dict)}
    for side, amounts in sides.items():
        for name, written in sorted(amounts.items(), key=lambda item: str(item[0])):
            if partial and written is None:
                continue
            where = f"{place}.{side}.{name}"
            problems = [*_find_name_errors(f"{place}.{side}", str(name)), *find_quantity_errors(where, written)]
            yield from problems
            if not problems and name in _BYTES and 0 < (parse_quantity(written) or 0) < 1:
                yield f"{where} is {written}, which is less than one byte: m stands for a thousandth, so write {str(written).rstrip('mun')}Mi."
    for name in sorted(set(sides.get("requests", {})) & set(sides.get("limits", {})), key=str):
        request, limit = (parse_quantity(sides[side][name]) for side in ("requests", "limits"))
        if request is not None and limit is not None and request > limit:
            written = f"{place}.requests.{name} is {sides['requests'][name]}"
            yield f"{written}, which is more than {place}.limits.{name} of {sides['limits'][name]}: correct one of them."


def _find_name_errors(place: str, name: str) -> t.Iterator[str]:
    if "/" in name:
        yield from find_key_errors(place, name)
    elif name not in _STANDARD and not name.startswith("hugepages-"):
        meant = nearest(name, _STANDARD)
        remedy = f"did you mean {meant}?" if meant else f"use {', '.join(_STANDARD)}, or a name with a domain such as nvidia.com/gpu."
        yield f"{place} has {name!r}, which is not a resource of a container: {remedy}"


__all__ = ("find_quantity_errors", "find_resource_errors", "parse_quantity")
