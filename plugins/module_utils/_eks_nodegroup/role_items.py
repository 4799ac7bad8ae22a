# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""From the variables of the role eks to items of the module eks_nodegroup."""

from __future__ import annotations

import typing as t

from .._mesh.startup_taint import STARTUP_TAINT
from .._text import text_values
from .normalize import normalize_taint

Item = t.Mapping[str, t.Any]

# What a group without a launch template gets.
DEFAULT_IMAGE = "AL2023_x86_64_STANDARD"
# What EKS calls the image of a launch template.
OWN_IMAGE = "CUSTOM"


def nodegroup_items(
    groups: t.Sequence[Item], *, node_role: str, subnet_ids: t.Sequence[str], version: str, startup_taint: bool, tags: Item
) -> list[dict[str, t.Any]]:
    """Items of the module eks_nodegroup for the role's node groups."""
    return [_nodegroup(group, node_role, subnet_ids, version, startup_taint, tags) for group in groups]


def _nodegroup(group: Item, node_role: str, subnet_ids: t.Sequence[str], version: str, startup_taint: bool, tags: Item) -> dict[str, t.Any]:
    if group.get("state") == "absent":
        return {"name": group["name"], "state": "absent"}
    template = group.get("launch_template")
    item: dict[str, t.Any] = {
        "name": group["name"],
        "node_role": node_role,
        "subnets": list(group.get("subnet_ids") or subnet_ids),
        "min_size": _given(group, "min_size", 2),
        "max_size": _given(group, "max_size", 4),
        "desired_size": _given(group, "desired_size", _given(group, "min_size", 2)),
        "capacity_type": _given(group, "capacity_type", "ON_DEMAND"),
        "labels": text_values(group.get("labels")),
        "taints": _taints(group, startup_taint),
        "tags": text_values(tags),
    }
    if template:
        item["launch_template"] = dict(template)
    image = group.get("ami_type") or (None if template else DEFAULT_IMAGE)
    # A template with an image of its own determines the Kubernetes version, and EKS then refuses to be told either. One without takes both
    # (API reference of EKS, CreateNodegroup, amiType and version).
    if image != OWN_IMAGE:
        if image:
            item["ami_type"] = image
        if image or group.get("version"):
            item["version"] = str(group.get("version") or version)
    for name in ("instance_types", "disk_size", "max_unavailable"):
        if group.get(name) is not None:
            item[name] = group[name]
    return item


def _taints(group: Item, startup_taint: bool) -> list[t.Any]:
    """The group's own taints, and Istio's, which may be among them."""
    own = [normalize_taint(taint) for taint in group.get("taints") or []]
    is_there = any((taint["key"], taint["effect"]) == (STARTUP_TAINT["key"], STARTUP_TAINT["effect"]) for taint in own)
    return [*([STARTUP_TAINT] if startup_taint and not is_there else []), *own]


def _given(item: Item, option: str, default: t.Any) -> t.Any:
    """The value of an option; null means the default."""
    value = item.get(option)
    return default if value is None else value


__all__ = ("DEFAULT_IMAGE", "OWN_IMAGE", "nodegroup_items")
