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
# The resources that are measured in bytes.
BYTES = ("memory", "ephemeral-storage")
_FRACTIONS = {"m": "a thousandth", "u": "a millionth", "n": "a billionth"}


def parse_quantity(written: t.Any) -> Fraction | None:
    """A quantity as a number; None if it is none."""
    if isinstance(written, bool) or not isinstance(written, (str, int, float)):
        return None
    found = _QUANTITY.fullmatch(str(written))
    if not found:
        return None
    # A dot may stand at the end, where a fraction has none.
    return Fraction(found[1].rstrip(".")) * (_SUFFIXES[found[2]] if found[2] else Fraction(10) ** int(found[3] or 0))


def find_quantity_errors(place: str, written: t.Any, *, in_bytes: bool = False) -> t.Iterator[str]:
    """A sentence if this is not the amount of a resource.

    Args:
        place: how messages name it.
        written: the amount.
        in_bytes: whether the resource is measured in bytes, of which there is no fraction: see BYTES.
    """
    quantity = parse_quantity(written)
    if quantity is None:
        yield f"{place} is {show_scalar(written, 'not a text or a number')}: use a quantity such as 500m, 2 or 1Gi, without a blank."
    elif quantity < 0:
        yield f"{place} is {written}: a quantity cannot be negative."
    elif in_bytes and 0 < quantity < 1:
        number, suffix = str(written)[:-1], str(written)[-1]
        remedy = f"{suffix} stands for {_FRACTIONS[suffix]}, so write {number}Mi" if suffix in _FRACTIONS else "write it with its unit, such as 128Mi"
        yield f"{place} is {written}, which is less than one byte: {remedy}."


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
            yield from _find_name_errors(f"{place}.{side}", str(name))
            yield from find_quantity_errors(where, written, in_bytes=name in BYTES)
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


__all__ = ("BYTES", "find_quantity_errors", "find_resource_errors", "parse_quantity")
