# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""From the options of the module to the desired node groups."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field

from .._errors import MeshError
from .._limits.aws import LAST_AL2_MINOR, NODE_GROUP_NAME, find_tag_errors, is_arm, needs_other_image
from .._limits.kubernetes import LONGEST_LABEL, find_key_errors, find_label_errors, find_number_errors
from .._text import repeated, text_values
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

# User guide of EKS, labels of managed node groups; of Kubernetes' own labels, EKS sets those that it wants.
_RESERVED = ("kubernetes.io", "k8s.io", "eks.amazonaws.com")
# Subdomains of which kubelet may label its own node (kubernetes: staging/src/k8s.io/kubelet, pkg/apis/well_known_labels.go).
_OF_KUBELET = ("kubelet.kubernetes.io", "node.kubernetes.io")
_INSTANCE_TYPE = re.compile(r"[a-z0-9-]+\.[a-z0-9-]+")
_EFFECTS = "NO_SCHEDULE, NO_EXECUTE or PREFER_NO_SCHEDULE"
_AMI_TYPE = re.compile(r"CUSTOM|(AL2|AL2023|BOTTLEROCKET|WINDOWS)_\w+")


# Types of images of which there is one for each architecture (API reference of EKS, Nodegroup, amiType).
_BOTH_ARCHITECTURES = {
    f"{kind.format(architecture)}"
    for kind in ("AL2023_{}_STANDARD", "AL2023_{}_NVIDIA", "BOTTLEROCKET_{}", "BOTTLEROCKET_{}_FIPS", "BOTTLEROCKET_{}_NVIDIA")
    for architecture in ("x86_64", "ARM_64")
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


def validate_items(items: t.Sequence[t.Mapping[str, t.Any]]) -> list[str]:
    """Validation errors of the option C(nodegroups), one sentence each, whatever the cluster has."""
    names = [item["name"] for item in items]
    found = [f"Node group {name} is listed more than once in this task: keep one of the items." for name in repeated(names)]
    for item in items:
        if item["state"] == "present":
            errors = [
                *find_name_errors("name", item["name"]),
                *find_node_errors(item),
                *find_image_errors(item["ami_type"], item["version"], item["instance_types"]),
            ]
            errors += find_tag_errors("tags", item["tags"])
            found += (f"Node group {item['name']}: {error}" for error in errors)
    return found


def find_name_errors(option: str, name: str) -> t.Iterator[str]:
    """What keeps a node group from having a name."""
    if not NODE_GROUP_NAME.fullmatch(name):
        yield f"{option} is {name!r} ({len(name)} characters): use at most 63 letters, digits, dashes and underscores, with a letter or digit first."


def find_node_errors(item: t.Mapping[str, t.Any]) -> t.Iterator[str]:
    """What EKS refuses of the nodes of a group: labels, taints, and numbers out of range."""
    yield from find_label_errors("labels", item.get("labels"))
    yield from find_number_errors("", item, {"max_unavailable": (1, 100), "max_unavailable_percentage": (1, 100), "disk_size": (1, 16384)})
    taints = [taint for taint in item.get("taints") or () if taint.get("key")]
    for taint in taints:
        yield from find_key_errors("taints", taint["key"])
        yield from find_label_errors("taints", {"value": taint.get("value")})
    for key in item.get("labels") or ():
        if _is_reserved(str(key)):
            yield f"labels has the key {key}, whose prefix is reserved, and EKS refuses it: use a prefix of your own."
    for name in item.get("instance_types") or ():
        if not _INSTANCE_TYPE.fullmatch(name):
            yield f"instance_types has {name!r}: use types such as m7i.large."
    keys = [*(item.get("labels") or ()), *(taint["key"] for taint in taints)]
    for key in keys:
        if len(str(key)) > LONGEST_LABEL:
            yield f"labels or taints have the key {key!r}: EKS takes at most {LONGEST_LABEL} characters, the domain included."
    for key, effect in repeated([(taint["key"], taint.get("effect")) for taint in taints]):
        yield f"taints names {key} with the effect {effect} more than once: keep one of them."


def find_taint_errors(taint: t.Mapping[str, t.Any]) -> t.Iterator[str]:
    """What is wrong with a taint; each sentence continues its place."""
    if not taint.get("key"):
        yield " has no key: set the key of the taint."
    effect = taint.get("effect")
    if effect is None:
        yield f" has no effect: use {_EFFECTS}."
    elif effect not in ("NO_SCHEDULE", "NO_EXECUTE", "PREFER_NO_SCHEDULE"):
        yield f" has the effect {effect!r}: EKS uses {_EFFECTS}."
    for key in taint:
        if key not in ("key", "value", "effect"):
            yield f" has the unknown key {key}: a taint has key, value and effect."


def find_template_errors(item: t.Mapping[str, t.Any]) -> t.Iterator[str]:
    """What EKS refuses of a launch template, which is named by its ID or by its name."""
    template = item.get("launch_template")
    if not template:
        return
    unknown = sorted(set(template) - {"id", "name", "version"})
    if unknown:
        yield f"launch_template has the unknown key {', '.join(unknown)}: use id or name, and version."
    elif bool(template.get("id")) == bool(template.get("name")):
        yield "launch_template needs either id or name."
    elif template.get("id") and not re.fullmatch(r"lt-[0-9a-f]{8,17}", str(template["id"])):
        yield f"launch_template.id is {template['id']!r}: use an id such as lt-0a1b2c3d4e5f60718."


def find_image_errors(ami_type: str | None, version: str | None, instance_types: t.Iterable[str] | None = None) -> t.Iterator[str]:
    """Types of images that EKS does not know, that it does not have for a version of Kubernetes, or that do not run on a type of instance."""
    if ami_type and not _AMI_TYPE.fullmatch(ami_type):
        yield f"ami_type is {ami_type!r}: use a type of EKS, such as AL2023_x86_64_STANDARD."
    elif needs_other_image(ami_type, version):
        other = "AL2023_ARM_64_STANDARD" if "ARM" in str(ami_type) else "AL2023_x86_64_NVIDIA" if "GPU" in str(ami_type) else "AL2023_x86_64_STANDARD"
        yield f"ami_type is {ami_type}, but EKS has images of Amazon Linux 2 only up to Kubernetes 1.{LAST_AL2_MINOR}, not for {version}: use {other}."
    elif ami_type and ami_type != "CUSTOM":
        for_arm = "ARM" in ami_type
        for name in instance_types or ():
            if is_arm(name) != for_arm:
                other = ami_type.replace("ARM_64", "x86_64") if for_arm else ami_type.replace("x86_64", "ARM_64")
                remedy = f"use {other}, or other types" if other in _BOTH_ARCHITECTURES else "use an image of their architecture, or other types"
                yield f"ami_type is {ami_type}, whose images do not run on instances of type {name}: {remedy}."


def _is_reserved(key: str) -> bool:
    domain = key.rpartition("/")[0]
    if domain in _OF_KUBELET or domain.endswith(tuple(f".{suffix}" for suffix in _OF_KUBELET)):
        return False
    return domain in _RESERVED or domain.endswith(tuple(f".{suffix}" for suffix in _RESERVED))


__all__ = (
    "FIXED",
    "NodegroupSpec",
    "find_image_errors",
    "find_name_errors",
    "find_node_errors",
    "find_taint_errors",
    "find_template_errors",
    "parse_spec",
    "validate_items",
)
