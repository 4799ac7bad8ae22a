# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""From the options of the module to the desired node groups."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._errors import MeshError
from .._text import text_values
from .normalize import Taint, normalize_taint

# What CreateNodegroup takes once and no update changes later, by option (API reference of EKS, UpdateNodegroupConfig and UpdateNodegroupVersion).
FIXED = {
    "node_role": "nodeRole",
    "subnets": "subnets",
    "instance_types": "instanceTypes",
    "ami_type": "amiType",
    "capacity_type": "capacityType",
    "disk_size": "diskSize",
}


@dataclass(frozen=True)
class NodegroupSpec:
    """The desired state of one node group; None leaves the current value, or EKS' default.

    The attributes are the options of the module eks_nodegroup, with text as EKS takes it.
    """

    name: str
    present: bool = True
    node_role: str | None = None
    subnets: t.Sequence[str] | None = None
    instance_types: t.Sequence[str] | None = None
    ami_type: str | None = None
    capacity_type: str | None = None
    disk_size: int | None = None
    min_size: int | None = None
    max_size: int | None = None
    desired_size: int | None = None
    max_unavailable: int | None = None
    max_unavailable_percentage: int | None = None
    labels: t.Mapping[str, str] | None = None
    taints: t.Sequence[Taint] | None = None
    version: str | None = None
    release_version: str | None = None
    launch_template: t.Mapping[str, str] = field(default_factory=dict)
    tags: t.Mapping[str, t.Any] | None = None


def parse_spec(item: t.Mapping[str, t.Any]) -> NodegroupSpec:
    """One item of the option C(nodegroups), with all its keys.

    Raises:
        MeshError: the value of a label is no text.
    """
    taints, labels = item["taints"], item["labels"]
    try:
        labels = None if labels is None else text_values(labels)
    except ValueError as error:
        raise MeshError(f"The labels of node group {item['name']} are invalid: {error}.") from error
    return NodegroupSpec(
        **{key: value for key, value in item.items() if key not in ("state", "labels", "taints", "launch_template")},
        present=item["state"] == "present",
        labels=labels,
        taints=None if taints is None else [normalize_taint(taint) for taint in taints],
        launch_template={key: str(value) for key, value in (item["launch_template"] or {}).items() if value is not None},
    )


__all__ = ("FIXED", "NodegroupSpec", "parse_spec")
