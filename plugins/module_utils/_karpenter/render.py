# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""From the node pools of the role karpenter to the objects that Karpenter reads.

Source: karpenter.sh_nodepools.yaml and karpenter.k8s.aws_ec2nodeclasses.yaml of github.com/aws/karpenter-provider-aws v1.14.1 (pkg/apis/crds).
"""

from __future__ import annotations

import typing as t

from .._helm.charts import merge
from .._limits.aws import is_arm
from .._managed_fields import FIELD_MANAGER, MANAGED_BY
from .._mesh.startup_taint import KUBERNETES_TAINT, has_startup_taint
from .._text import format_scalar, text_values

Pool = t.Mapping[str, t.Any]
Manifest = t.Dict[str, t.Any]
_NODE_POOL = ("karpenter.sh/v1", "NodePool")
_NODE_CLASS = ("karpenter.k8s.aws/v1", "EC2NodeClass")
# An option of a pool, the label that it stands for, and what it is when neither option nor requirement says more. Current-generation machines
# of general purpose, as in Karpenter's own introduction; without these, the cheapest machine of any kind that fits would be chosen.
_ARCHITECTURE, _CATEGORY = "kubernetes.io/arch", "karpenter.k8s.aws/instance-category"
_CATEGORIES = ("c", "m", "r")
# Categories of machines with accelerators, most of which are of the first two generations.
_ACCELERATED = frozenset({"dl", "f", "g", "gr", "inf", "p", "trn", "vt"})
_REQUIREMENTS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("capacity_types", "karpenter.sh/capacity-type", ("on-demand",)),
    ("architectures", _ARCHITECTURE, ("amd64",)),
    ("instance_types", "node.kubernetes.io/instance-type", ()),
    ("instance_categories", _CATEGORY, _CATEGORIES),
    ("zones", "topology.kubernetes.io/zone", ()),
)
_GENERATION = {"key": "karpenter.k8s.aws/instance-generation", "operator": "Gt", "values": ["2"]}
_NAMES_MACHINES = ("node.kubernetes.io/instance-type", "karpenter.k8s.aws/instance-family")
_CHOOSES_MACHINES = (*_NAMES_MACHINES, _CATEGORY)
# The devices of images that keep the data of pods beside the system (pkg/providers/amifamily/bottlerocket.go and windows.go).
_SYSTEM_DEVICE = "/dev/xvda"
_DATA_DEVICES = {"bottlerocket": "/dev/xvdb", "windows2019": "/dev/sda1", "windows2022": "/dev/sda1", "windows2025": "/dev/sda1"}


def node_pool_manifests(
    pools: t.Sequence[Pool],
    *,
    node_role: str,
    subnet_ids: t.Sequence[str],
    security_group_ids: t.Sequence[str],
    startup_taint: bool,
    ami_alias: str,
    tags: t.Mapping[str, t.Any],
) -> list[Manifest]:
    """The objects of all desired pools, each EC2NodeClass before the NodePool that names it.

    Args:
        pools: the role's node pools.
        node_role: the ARN or the name of the IAM role of the nodes.
        subnet_ids: the subnets of pools that name none.
        security_group_ids: the security groups of pools that name none.
        startup_taint: whether nodes start with Istio's taint.
        ami_alias: the machine image of pools that name none, such as C(al2023@latest).
        tags: the tags of all instances.
    """
    found: list[Manifest] = []
    for pool in pools:
        if pool.get("state") == "absent":
            continue
        if not pool.get("node_class"):
            found.append(_node_class(pool, node_role.rsplit("/", 1)[-1], subnet_ids, security_group_ids, ami_alias, tags))
        found.append(_node_pool(pool, startup_taint))
    return found


def node_pool_removals(pools: t.Sequence[Pool]) -> list[Manifest]:
    """The objects of pools that are to be absent: each NodePool before its EC2NodeClass, which stays until the last node is gone."""
    found: list[Manifest] = []
    for pool in pools:
        if pool.get("state") == "absent":
            kinds = (_NODE_POOL,) if pool.get("node_class") else (_NODE_POOL, _NODE_CLASS)
            found += [{"apiVersion": version, "kind": kind, "metadata": {"name": pool["name"]}} for version, kind in kinds]
    return found


def node_pool_targets(pools: t.Sequence[Pool]) -> list[dict[str, t.Any]]:
    """Targets of the module ready: every desired pool and its class has to have the condition Ready."""
    return [
        {"kind": kind, "api_version": version, "name": pool["name"], "condition": {"type": "Ready"}}
        for pool in pools
        if pool.get("state") != "absent"
        for version, kind in ((_NODE_POOL,) if pool.get("node_class") else (_NODE_CLASS, _NODE_POOL))
    ]


def starts_tainted(pool: Pool, *, startup_taint: bool) -> bool:
    """Whether nodes of a pool start with Istio's taint, after what its own C(spec) says; data of a wrong type is ignored."""
    over: t.Any = pool.get("spec")
    for key in ("template", "spec", "startupTaints"):
        over = over.get(key) if isinstance(over, dict) else None
    if isinstance(over, list):
        return has_startup_taint(over)
    return startup_taint or has_startup_taint(pool.get("startup_taints"))


def _node_pool(pool: Pool, startup_taint: bool) -> Manifest:
    name = str(pool["name"])
    template: dict[str, t.Any] = {
        "nodeClassRef": {"group": _NODE_CLASS[0].rpartition("/")[0], "kind": _NODE_CLASS[1], "name": str(pool.get("node_class") or name)},
        "requirements": _requirements(pool),
    }
    own_taints = [_taint(taint) for taint in pool.get("startup_taints") or ()]
    options = {
        "startupTaints": [*([KUBERNETES_TAINT] if startup_taint and not has_startup_taint(own_taints) else []), *own_taints],
        "taints": [*map(_taint, pool.get("taints") or ())],
        "expireAfter": pool.get("expire_after"),
        "terminationGracePeriod": pool.get("termination_grace_period"),
    }
    template.update({key: value for key, value in options.items() if value})
    metadata = {key: text_values(pool[key]) for key in ("labels", "annotations") if pool.get(key)}
    spec: dict[str, t.Any] = {"template": {**({"metadata": metadata} if metadata else {}), "spec": template}}
    if pool.get("limits"):
        spec["limits"] = text_values(pool["limits"])
    if pool.get("weight") is not None:
        spec["weight"] = pool["weight"]
    if pool.get("disruption"):
        # Karpenter's own default, which is required as soon as anything else is set.
        spec["disruption"] = {"consolidateAfter": "0s", **pool["disruption"]}
    pool_manifest = _manifest(_NODE_POOL, name, spec, pool.get("spec"))
    if isinstance(pool_manifest["spec"].get("disruption"), dict):
        pool_manifest["spec"]["disruption"] = _disruption(pool_manifest["spec"]["disruption"])
    return pool_manifest


def _node_class(
    pool: Pool, role: str, subnet_ids: t.Sequence[str], security_group_ids: t.Sequence[str], ami_alias: str, tags: t.Mapping[str, t.Any]
) -> Manifest:
    alias = str(pool.get("ami_alias") or ami_alias)
    spec: dict[str, t.Any] = {
        "role": role,
        "amiSelectorTerms": [{"alias": alias}],
        "subnetSelectorTerms": [{"id": subnet} for subnet in sorted(pool.get("subnet_ids") or subnet_ids)],
        "securityGroupSelectorTerms": [{"id": group} for group in sorted(pool.get("security_group_ids") or security_group_ids)],
    }
    if pool.get("disk_size"):
        spec["blockDeviceMappings"] = _disks(alias.split("@", 1)[0].lower(), int(pool["disk_size"]))
    if all_tags := text_values({**tags, **(pool.get("tags") or {})}):
        spec["tags"] = all_tags
    return _manifest(_NODE_CLASS, str(pool["name"]), spec, pool.get("node_class_spec"))


def _manifest(kind: tuple[str, str], name: str, spec: dict[str, t.Any], over: Pool | None) -> Manifest:
    metadata = {"name": name, "labels": {MANAGED_BY: FIELD_MANAGER}}
    return {"apiVersion": kind[0], "kind": kind[1], "metadata": metadata, "spec": _without_none(merge(spec, over or {}))}


def _requirements(pool: Pool) -> list[dict[str, t.Any]]:
    """The requirements of the pool's options, the defaults for what they leave open, and its own requirements."""
    requirements = [dict(requirement) for requirement in pool.get("requirements") or ()]
    named = {requirement.get("key") for requirement in requirements} | {key for option, key, _default in _REQUIREMENTS if pool.get(option)}
    found: list[dict[str, t.Any]] = []
    for option, key, default in _REQUIREMENTS:
        if pool.get(option):
            found.append({"key": key, "operator": "In", "values": [str(value) for value in pool[option]]})
        elif default and key not in named and not (option == "instance_categories" and named.intersection(_CHOOSES_MACHINES)):
            values = ("arm64",) if key == _ARCHITECTURE and _are_all_arm(pool, requirements) else default
            found.append({"key": key, "operator": "In", "values": list(values)})
    categories = _values_in(pool, requirements, _CATEGORY)
    accelerated = bool(categories) and _ACCELERATED.issuperset(categories)
    if not accelerated and not named.intersection({_GENERATION["key"], *_NAMES_MACHINES}):
        found.append(dict(_GENERATION))
    return [*found, *requirements]


def _are_all_arm(pool: Pool, requirements: t.Sequence[Pool]) -> bool:
    """Whether a pool names types or families of instances, and all of them are of arm64. Of others, its pods may have no images for arm64."""
    names = [name for key in _NAMES_MACHINES for name in _values_in(pool, requirements, key)]
    return bool(names) and all(map(is_arm, names))


def _values_in(pool: Pool, requirements: t.Sequence[Pool], key: str) -> list[str]:
    """What a pool allows for a label, in its option and in requirements."""
    options = [pool.get(option) or () for option, label, _default in _REQUIREMENTS if label == key]
    own = [one.get("values") or () for one in requirements if one.get("key") == key and one.get("operator") == "In"]
    return [str(value) for values in (*options, *own) if isinstance(values, (list, tuple)) for value in values]


def _disks(family: str, size: int) -> list[dict[str, t.Any]]:
    device = _DATA_DEVICES.get(family, _SYSTEM_DEVICE)
    disks = [_disk(device, size)]
    # Bottlerocket's system has a disk of its own, which is small.
    return [_disk(_SYSTEM_DEVICE, 4), *disks] if family == "bottlerocket" else disks


def _disk(device: str, size: int) -> dict[str, t.Any]:
    return {"deviceName": device, "ebs": {"volumeSize": f"{size}Gi", "volumeType": "gp3", "encrypted": True, "deleteOnTermination": True}}


def _disruption(disruption: Pool) -> dict[str, t.Any]:
    """With the number of nodes in budgets as text, which it must be, whereas YAML makes it a number."""
    budgets = disruption.get("budgets")
    if not isinstance(budgets, list):
        return dict(disruption)
    found = [{**one, "nodes": format_scalar(one["nodes"])} if isinstance(one, dict) and one.get("nodes") is not None else one for one in budgets]
    return {**disruption, "budgets": found}


def _taint(taint: Pool) -> dict[str, t.Any]:
    """A taint whose value is text."""
    return {**taint, "value": format_scalar(taint["value"])} if taint.get("value") is not None else dict(taint)


def _without_none(value: t.Any) -> t.Any:
    """Without the keys that are null, which an override removes."""
    return {key: _without_none(item) for key, item in value.items() if item is not None} if isinstance(value, dict) else value


__all__ = ("node_pool_manifests", "node_pool_removals", "node_pool_targets", "starts_tainted")
