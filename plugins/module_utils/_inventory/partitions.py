# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Validates that the ARNs of an inventory belong to the partition of its region."""

from __future__ import annotations

import re
import typing as t

from .._iam.trust import partition_of

if t.TYPE_CHECKING:
    from .variables import Variables


_ARN = re.compile(r"arn:(aws[a-z-]*):")
# Variables of the roles that work in the region of the cluster.
_PREFIXES = ("eks_", "alb_controller_", "karpenter_", "ingress_", "aws_edge_")


def validate_partitions(variables: Variables) -> t.Iterator[str]:
    """One sentence for each ARN of another partition; each begins with the variable's name.

    Args:
        variables: the values of the roles' variables, as values.convert() returns them.
    """
    region = str(variables.get("eks_region") or "")
    if not region:
        return
    expected = partition_of(region)
    for name, value in variables.items():
        if name.startswith(_PREFIXES):
            for place, text in _texts(name, value):
                found = _ARN.match(text)
                if found and found[1] != expected:
                    yield (
                        f"{place} is an ARN of the partition {found[1]}, but eks_region {region} belongs to {expected}: "
                        f"use an ARN that begins with arn:{expected}:."
                    )


def _texts(place: str, value: t.Any) -> t.Iterator[tuple[str, str]]:
    """The texts of a value, however deep they are, each with its place."""
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _texts(f"{place}.{key}", item)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts(f"{place}[{index}]", item)


__all__ = ("validate_partitions",)
