# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.

"""Mistakes in the variables of the role karpenter that no type can show, and that would show only when a node is missing."""

from __future__ import annotations

import re
import typing as t

from .karpenter import POOL_TAINT, has_startup_taint, has_taint

Variables = t.Mapping[str, t.Any]
Items = t.Sequence[t.Mapping[str, t.Any]]

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_ALIAS = re.compile(r"(al2|al2023|bottlerocket|windows2019|windows2022|windows2025)@\S+")
_DURATION = re.compile(r"(\d+[smh])+|Never")
_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_PATTERNS = {
    "karpenter_role_arn": (re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/\S+"), "an ARN such as arn:aws:iam::123456789012:role/karpenter"),
    "karpenter_node_role_arn": (re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/\S+"), "an ARN such as arn:aws:iam::123456789012:role/nodes"),
    "karpenter_permissions_boundary": (
        re.compile(r"arn:aws[a-z-]*:iam::(\d{12}|aws):policy/\S+"),
        "an ARN such as arn:aws:iam::123456789012:policy/boundary",
    ),
    "karpenter_interruption_queue": (re.compile(r"[0-9A-Za-z_-]{1,80}"), "the name of a queue, not its URL or ARN"),
    "karpenter_subnet_ids": (re.compile(r"subnet-[0-9a-f]{8,17}"), "ids such as subnet-0a1b2c3d4e5f60718"),
    "karpenter_security_group_ids": (re.compile(r"sg-[0-9a-f]{8,17}"), "ids such as sg-0a1b2c3d4e5f60718"),
}
# The longest name of an IAM role.
_ROLE_NAME = 64


def find_karpenter_mistakes(variables: Variables) -> list[str]:
    """One sentence for each mistake; each begins with the variable's name.

    Args:
        variables: the inventory's, and for those that it does not have the defaults of the roles; a default that is still a template is not judged.
    """
    known = {name: value for name, value in variables.items() if not (isinstance(value, str) and "{{" in value)}
    if not _is(known.get("karpenter_enabled")):
        return []
    return [*_pattern_mistakes(known), *_cluster_mistakes(known), *_pool_mistakes(known), *_taint_mistakes(known)]


def find_karpenter_notes(variables: Variables) -> list[str]:
    """What is possible, and perhaps not meant, one sentence each; the arguments are those of find_karpenter_mistakes()."""
    known = {name: value for name, value in variables.items() if not (isinstance(value, str) and "{{" in value)}
    bare = [str(pool.get("name")) for pool in _present(known) if not has_startup_taint(pool, startup_taint=_starts_tainted(known))]
    if not _is(known.get("karpenter_enabled")) or not _is(known.get("istio_startup_taint")) or not bare:
        return []
    note = (
        f"istio_startup_taint is true, and the nodes of the pools {', '.join(bare)} start without {POOL_TAINT['key']}: "
        "a pod that starts there before istio-cni stays outside of the mesh, so set karpenter_startup_taint to true."
    )
    return [note]


def _pattern_mistakes(variables: Variables) -> t.Iterator[str]:
    for name, (pattern, wanted) in _PATTERNS.items():
        value = variables.get(name)
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, str) and item and not pattern.fullmatch(item):
                yield f"{name} has {item!r}: name {wanted}."


def _cluster_mistakes(variables: Variables) -> t.Iterator[str]:
    made = _is(variables.get("eks_enabled"))
    if made and not any(group.get("state") != "absent" for group in _items(variables, "eks_node_groups")):
        yield "eks_node_groups is empty, and karpenter_enabled is true: Karpenter's own pods need nodes that Karpenter has not made, so keep one node group."
    if not made:
        for name in ("karpenter_region", "karpenter_subnet_ids", "karpenter_security_group_ids"):
            fallback = variables.get("eks_region") if name == "karpenter_region" else None
            if not (variables.get(name) or fallback) and (name == "karpenter_region" or _own_classes(variables)):
                yield f"{name} is not given, and eks_enabled is false: the role eks, which would know it, does not run, so name it."
    cluster, region = variables.get("karpenter_cluster_name") or variables.get("eks_cluster_name"), variables.get("eks_region")
    longest = f"{cluster}-{region}-karpenter-nodes"
    if cluster and region and len(longest) > _ROLE_NAME and not (variables.get("karpenter_node_role_arn") and variables.get("karpenter_role_arn")):
        yield (
            f"eks_cluster_name is too long for the IAM role {longest} ({len(longest)} characters, and {_ROLE_NAME} are possible): "
            "name roles of your own by karpenter_role_arn and karpenter_node_role_arn."
        )


def _pool_mistakes(variables: Variables) -> t.Iterator[str]:
    yield from _alias_mistakes("karpenter_ami_alias", variables.get("karpenter_ami_alias"))
    pools = _items(variables, "karpenter_node_pools")
    names = [str(pool.get("name")) for pool in pools]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"karpenter_node_pools names {name} more than once: say all that is wished of it in one item."
    leaving = {str(pool.get("name")) for pool in pools if pool.get("state") == "absent" and not pool.get("node_class")}
    region = str(variables.get("karpenter_region") or variables.get("eks_region") or "")
    for index, pool in enumerate(pools):
        place = f"karpenter_node_pools[{index}]"
        if not _NAME.fullmatch(str(pool.get("name", ""))):
            yield f"{place}.name is {pool.get('name')!r}: use lower-case letters, digits and dashes, at most 63."
        if pool.get("state") == "absent":
            continue
        if pool.get("node_class") in leaving:
            yield f"{place}.node_class is {pool['node_class']}, which is removed with the pool of that name: name another one, or keep that pool."
        yield from _alias_mistakes(f"{place}.ami_alias", pool.get("ami_alias"))
        yield from _option_mistakes(place, pool, region)


def _alias_mistakes(place: str, alias: t.Any) -> t.Iterator[str]:
    if isinstance(alias, str) and alias and not _ALIAS.fullmatch(alias):
        yield f"{place} is {alias!r}: name a family and a version, such as al2023@v20260810 or al2023@latest."


def _option_mistakes(place: str, pool: t.Mapping[str, t.Any], region: str) -> t.Iterator[str]:
    if pool.get("expire_after") and not _DURATION.fullmatch(str(pool["expire_after"])):
        yield f"{place}.expire_after is {pool['expire_after']!r}: name a time such as 720h, or Never."
    for option in ("taints", "startup_taints"):
        for taint in _items(pool, option):
            if taint.get("effect") not in _EFFECTS:
                yield f"{place}.{option} has the effect {taint.get('effect')!r}: Karpenter writes {', '.join(_EFFECTS[:-1])} or {_EFFECTS[-1]}."
    zones = pool.get("zones")
    for zone in zones if isinstance(zones, list) and region else []:
        if not str(zone).startswith(region):
            yield f"{place}.zones names {zone}, which is not in the region {region}."


def _taint_mistakes(variables: Variables) -> t.Iterator[str]:
    for index, pool in enumerate(_items(variables, "karpenter_node_pools")):
        if pool.get("state") != "absent" and has_taint(pool.get("taints")):
            yield (
                f"karpenter_node_pools[{index}].taints has {POOL_TAINT['key']}: Karpenter would think that no pod fits and go on making nodes, "
                "so set karpenter_startup_taint instead."
            )
    tainted = [str(pool["name"]) for pool in _present(variables) if has_startup_taint(pool, startup_taint=_starts_tainted(variables))]
    if tainted and variables.get("istio_startup_taint") is not None and not _is(variables["istio_startup_taint"]):
        yield (
            f"karpenter_startup_taint puts the taint {POOL_TAINT['key']} on the nodes of the pools {', '.join(tainted)}, and istio_startup_taint is false: "
            "nobody would take it away, and no pod could run there, so make both the same."
        )


def _starts_tainted(variables: Variables) -> bool:
    """As the role's default has it: what role eks does with its node groups."""
    return _is(variables.get("karpenter_startup_taint", variables.get("eks_startup_taint", True)))


def _own_classes(variables: Variables) -> bool:
    """Whether a pool needs subnets and security groups that are not its own."""
    return any(not pool.get("node_class") and not (pool.get("subnet_ids") and pool.get("security_group_ids")) for pool in _present(variables))


def _present(variables: Variables) -> Items:
    return [pool for pool in _items(variables, "karpenter_node_pools") if pool.get("state") != "absent" and pool.get("name")]


def _items(variables: Variables, name: str) -> Items:
    value = variables.get(name)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _is(value: t.Any) -> bool:
    return value in (True, "true", "yes")


__all__ = ("find_karpenter_mistakes", "find_karpenter_notes")
