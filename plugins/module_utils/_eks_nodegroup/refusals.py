# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Which node groups cannot become the desired ones."""

from __future__ import annotations

import typing as t

from .normalize import format_health
from .spec import FIXED

if t.TYPE_CHECKING:
    from .normalize import Description
    from .spec import NodegroupSpec


def find_refusals(specs: t.Iterable[NodegroupSpec], current: t.Mapping[str, Description]) -> list[str]:
    """Why existing node groups cannot become the desired ones, one sentence each: they are on their way out, or EKS fixes a value at creation."""
    return [refusal for spec in specs if spec.present and spec.name in current for refusal in _find_refusals(spec, current[spec.name])]


def _find_refusals(spec: NodegroupSpec, current: Description) -> t.Iterator[str]:
    status = current.get("status")
    if status in ("DELETING", "CREATE_FAILED", "DELETE_FAILED"):
        remedy = "run again when it is gone" if status == "DELETING" else "set it to state absent, then run again"
        yield f"Node group {spec.name} is {status}{format_health(current)}: {remedy}."
        return
    remedy = "create a node group with another name, let the pods move to it, and set this one to state absent."
    for option, key in FIXED.items():
        desired, present = getattr(spec, option), current.get(key)
        if desired is None or present is None:
            continue
        # The order of subnets has no meaning.
        if sorted(desired) != sorted(present) if option == "subnets" else desired != present:
            yield f"{option} of node group {spec.name} is {_format(present)}, and EKS cannot change it to {_format(desired)}: {remedy}"
    template = current.get("launchTemplate") or {}
    for key in ("id", "name"):
        if spec.launch_template.get(key) and spec.launch_template[key] != template.get(key):
            yield (
                f"The launch template of node group {spec.name} is {template.get(key) or 'none'}, and EKS cannot change it to "
                f"{spec.launch_template[key]}: {remedy}"
            )


def _format(value: t.Any) -> str:
    return ", ".join(sorted(map(str, value))) if isinstance(value, list) else str(value)


__all__ = ("find_refusals",)
