# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.

"""Mistakes in the variables of the role karpenter that no type can show, and that would show only when a node is missing."""

from __future__ import annotations

import re
import typing as t

from .._text import repeated
from .karpenter import POOL_TAINT, has_startup_taint, has_taint
from .variables import (
    BOUNDARY,
    SECURITY_GROUP_IDS,
    SUBNET_IDS,
    Items,
    Variables,
    is_true,
    items_of,
    pattern_mistakes,
    role_arn,
    role_name_mistakes,
    without_templates,
)

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_ALIAS = re.compile(r"(al2|al2023|bottlerocket|windows2019|windows2022|windows2025)@\S+")
_DURATION = re.compile(r"(\d+[smh])+|Never")
_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_PATTERNS = {
    "karpenter_role_arn": role_arn("karpenter"),
    "karpenter_node_role_arn": role_arn("nodes"),
    "karpenter_permissions_boundary": BOUNDARY,
    "karpenter_interruption_queue": (re.compile(r"[0-9A-Za-z_-]{1,80}"), "the name of a queue, not its URL or ARN"),
    "karpenter_subnet_ids": SUBNET_IDS,
    "karpenter_security_group_ids": SECURITY_GROUP_IDS,
}


def find_karpenter_mistakes(variables: Variables) -> list[str]:
    """One sentence for each mistake; each begins with the variable's name.

    Args:
        variables: the inventory's, and for those that it does not have the defaults of the roles; a default that is still a template is not judged.
    """
    known = without_templates(variables)
    if not is_true(known.get("karpenter_enabled")):
        return []
    return [*pattern_mistakes(known, _PATTERNS), *_cluster_mistakes(known), *_pool_mistakes(known), *_taint_mistakes(known)]


def find_karpenter_notes(variables: Variables) -> list[str]:
    """What is possible, and perhaps not meant, one sentence each; the arguments are those of find_karpenter_mistakes()."""
    known = without_templates(variables)
    bare = [str(pool.get("name")) for pool in _present(known) if not has_startup_taint(pool, startup_taint=_starts_tainted(known))]
    if not is_true(known.get("karpenter_enabled")) or not is_true(known.get("istio_startup_taint")) or not bare:
        return []
    note = (
        f"istio_startup_taint is true, and the nodes of the pools {', '.join(bare)} start without {POOL_TAINT['key']}: "
        "a pod that starts there before istio-cni stays outside of the mesh, so set karpenter_startup_taint to true."
    )
    return [note]


def _cluster_mistakes(variables: Variables) -> t.Iterator[str]:
    made = is_true(variables.get("eks_enabled"))
    if made and not any(group.get("state") != "absent" for group in items_of(variables, "eks_node_groups")):
        yield "eks_node_groups is empty, and karpenter_enabled is true: Karpenter's own pods need nodes that Karpenter has not made, so keep one node group."
    if not made:
        for name in ("karpenter_region", "karpenter_subnet_ids", "karpenter_security_group_ids"):
            fallback = variables.get("eks_region") if name == "karpenter_region" else None
            if not (variables.get(name) or fallback) and (name == "karpenter_region" or _own_classes(variables)):
                yield f"{name} is not given, and eks_enabled is false: the role eks, which would know it, does not run, so name it."
    cluster = variables.get("karpenter_cluster_name") or variables.get("eks_cluster_name")
    region = variables.get("karpenter_region") or variables.get("eks_region")
    roles = {
        "karpenter": not variables.get("karpenter_role_arn") and variables.get("karpenter_identity") != "none",
        "karpenter-nodes": not variables.get("karpenter_node_role_arn"),
    }
    if cluster and region:
        yield from role_name_mistakes(f"{cluster}-{region}-{suffix}" for suffix, wanted in roles.items() if wanted)


def _pool_mistakes(variables: Variables) -> t.Iterator[str]:
    yield from _alias_mistakes("karpenter_ami_alias", variables.get("karpenter_ami_alias"))
    pools = items_of(variables, "karpenter_node_pools")
    names = [str(pool.get("name")) for pool in pools]
    for name in repeated(names):
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
        for taint in items_of(pool, option):
            if taint.get("effect") not in _EFFECTS:
                yield f"{place}.{option} has the effect {taint.get('effect')!r}: Karpenter writes {', '.join(_EFFECTS[:-1])} or {_EFFECTS[-1]}."
    zones = pool.get("zones")
    for zone in zones if isinstance(zones, list) and region else []:
        if not str(zone).startswith(region):
            yield f"{place}.zones names {zone}, which is not in the region {region}."


def _taint_mistakes(variables: Variables) -> t.Iterator[str]:
    for index, pool in enumerate(items_of(variables, "karpenter_node_pools")):
        if pool.get("state") != "absent" and has_taint(pool.get("taints")):
            yield (
                f"karpenter_node_pools[{index}].taints has {POOL_TAINT['key']}: Karpenter would think that no pod fits and go on making nodes, "
                "so set karpenter_startup_taint instead."
            )
    tainted = [str(pool["name"]) for pool in _present(variables) if has_startup_taint(pool, startup_taint=_starts_tainted(variables))]
    if tainted and variables.get("istio_startup_taint") is not None and not is_true(variables["istio_startup_taint"]):
        yield (
            f"karpenter_startup_taint puts the taint {POOL_TAINT['key']} on the nodes of the pools {', '.join(tainted)}, and istio_startup_taint is false: "
            "nobody would take it away, and no pod could run there, so make both the same."
        )


def _starts_tainted(variables: Variables) -> bool:
    """As the role's default has it: what role eks does with its node groups."""
    return is_true(variables.get("karpenter_startup_taint", variables.get("eks_startup_taint", True)))


def _own_classes(variables: Variables) -> bool:
    """Whether a pool needs subnets and security groups that are not its own."""
    return any(not pool.get("node_class") and not (pool.get("subnet_ids") and pool.get("security_group_ids")) for pool in _present(variables))


def _present(variables: Variables) -> Items:
    return [pool for pool in items_of(variables, "karpenter_node_pools") if pool.get("state") != "absent" and pool.get("name")]


__all__ = ("find_karpenter_mistakes", "find_karpenter_notes")
