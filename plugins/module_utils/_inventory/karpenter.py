# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Validates the variables of the role karpenter together, for errors that would show only when a node is missing."""

from __future__ import annotations

import re
import typing as t

from .._karpenter.render import starts_tainted
from .._karpenter.validation import EXPIRY, find_class_tag_errors, find_pool_errors
from .._limits.aws import LAST_AL2_MINOR, is_arm, needs_other_image
from .._limits.kubernetes import find_label_errors, find_name_errors, find_number_errors, is_label_name
from .._limits.quantities import find_resource_errors
from .._mesh.startup_taint import KUBERNETES_TAINT, has_startup_taint
from .._text import repeated
from .patterns import BOUNDARY, ROLE_PATH, SECURITY_GROUP_IDS, SUBNET_IDS, role_arn, validate_patterns, validate_role_names

if t.TYPE_CHECKING:
    from .items import KarpenterNodePool
    from .variables import Variables


Items = t.Sequence[t.Mapping[str, t.Any]]

_ALIAS = re.compile(r"(al2|al2023|bottlerocket|windows2019|windows2022|windows2025)@\S+")
# Source: karpenter.k8s.aws_ec2nodeclasses.yaml.
_LONGEST_ALIAS = 30
_PATTERNS = {
    "karpenter_role_arn": role_arn("karpenter"),
    "karpenter_node_role_arn": role_arn("nodes"),
    "karpenter_node_policies": (BOUNDARY[0], "ARNs such as arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"),
    "karpenter_permissions_boundary": BOUNDARY,
    "karpenter_role_path": ROLE_PATH,
    "karpenter_interruption_queue": (re.compile(r"[0-9A-Za-z_-]{1,80}"), "the name of a queue, not its URL or ARN"),
    "karpenter_subnet_ids": SUBNET_IDS,
    "karpenter_security_group_ids": SECURITY_GROUP_IDS,
}
_POOL_PATTERNS = {
    "subnet_ids": SUBNET_IDS,
    "security_group_ids": SECURITY_GROUP_IDS,
    "instance_types": (re.compile(r"[a-z0-9-]+\.[a-z0-9-]+"), "types such as m7i.large"),
    "instance_categories": (re.compile(r"[a-z0-9-]+"), "categories such as m, c or r"),
}


def validate_karpenter(variables: Variables) -> list[str]:
    """One sentence for each validation error; each begins with the variable's name.

    Args:
        variables: the values of the roles' variables, as values.convert() returns them.
    """
    if not variables.get("karpenter_enabled"):
        return []
    tags = variables.get("karpenter_tags") or {}
    return [
        *validate_patterns(variables, _PATTERNS),
        *find_resource_errors("karpenter_resources", variables.get("karpenter_resources")),
        *find_class_tag_errors("eks_tags" if tags == variables.get("eks_tags") else "karpenter_tags", tags),
        *_validate_cluster(variables),
        *_validate_pools(variables),
        *_validate_taints(variables),
    ]


def karpenter_warnings(variables: Variables) -> list[str]:
    """What is possible, and perhaps not meant, one sentence each; the arguments are those of validate_karpenter()."""
    if not variables.get("karpenter_enabled"):
        return []
    return [*_shared_role(variables), *_untainted_pools(variables)]


def _shared_role(variables: Variables) -> t.Iterator[str]:
    """Source: the user guide of EKS, access entries: those of a managed node group are deleted with it."""
    role = variables.get("karpenter_node_role_arn")
    if role and role == variables.get("eks_node_role_arn"):
        yield (
            f"karpenter_node_role_arn is {role}, as is eks_node_role_arn: when the last managed node group of that role is deleted, EKS revokes the access of "
            "Karpenter's nodes, so use a separate role."
        )


def _untainted_pools(variables: Variables) -> list[str]:
    bare = [pool["name"] for pool in _present(variables) if not starts_tainted(pool, startup_taint=_starts_tainted(variables))]
    if not variables.get("istio_startup_taint") or not bare:
        return []
    warning = (
        f"istio_startup_taint is true, but the nodes of the pools {', '.join(bare)} start without {KUBERNETES_TAINT['key']}: "
        "a pod that starts there before istio-cni stays outside of the mesh, so set karpenter_startup_taint to true."
    )
    return [warning]


def _validate_cluster(variables: Variables) -> t.Iterator[str]:
    made = variables.get("eks_enabled")
    if made and not any(group.get("state") != "absent" for group in variables.get("eks_node_groups") or ()):
        yield "eks_node_groups is empty, but karpenter_enabled is true: Karpenter's own pods need nodes that Karpenter has not created, so keep one node group."
    if not made:
        for name in ("karpenter_region", "karpenter_subnet_ids", "karpenter_security_group_ids"):
            fallback = variables.get("eks_region") if name == "karpenter_region" else None
            if not (variables.get(name) or fallback) and (name == "karpenter_region" or _own_classes(variables)):
                yield f"{name} is not set, and eks_enabled is false: the role eks, which provides it, does not run, so set it."
    cluster = variables.get("karpenter_cluster_name") or variables.get("eks_cluster_name")
    region = variables.get("karpenter_region") or variables.get("eks_region")
    roles = {
        "karpenter": not variables.get("karpenter_role_arn") and variables.get("karpenter_identity") != "none",
        "karpenter-nodes": not variables.get("karpenter_node_role_arn"),
    }
    if cluster and region:
        yield from validate_role_names(f"{cluster}-{region}-{suffix}" for suffix, is_made in roles.items() if is_made)


def _validate_pools(variables: Variables) -> t.Iterator[str]:
    yield from _validate_alias("karpenter_ami_alias", variables.get("karpenter_ami_alias"))
    yield from _validate_images(variables)
    pools = variables.get("karpenter_node_pools") or ()
    names = [pool["name"] for pool in pools]
    for name in repeated(names):
        yield f"karpenter_node_pools names {name} more than once: combine these items into one."
    leaving = {pool["name"] for pool in pools if pool.get("state") == "absent" and not pool.get("node_class")}
    region = variables.get("karpenter_region") or variables.get("eks_region") or ""
    for index, pool in enumerate(pools):
        place = f"karpenter_node_pools[{index}]"
        if not is_label_name(pool["name"]):
            yield f"{place}.name is {pool['name']!r}: use at most 63 lower-case letters, digits and dashes."
        if pool.get("state") == "absent":
            continue
        if pool.get("node_class") in leaving:
            yield f"{place}.node_class is {pool['node_class']}, which is removed with the pool of that name: use another one, or keep that pool."
        yield from _validate_alias(f"{place}.ami_alias", pool.get("ami_alias"))
        yield from find_label_errors(f"{place}.labels", pool.get("labels"))
        yield from find_number_errors(f"{place}.", pool, {"weight": (1, 100), "disk_size": (1, 16384)})
        yield from _validate_options(place, pool, region)
        yield from _validate_zones(place, pool, variables)


def _validate_alias(place: str, alias: str | None) -> t.Iterator[str]:
    if alias and (not _ALIAS.fullmatch(alias) or len(alias) > _LONGEST_ALIAS):
        yield f"{place} is {alias!r}: use a family and a version, such as al2023@v20260810 or al2023@latest."
    elif alias and alias.startswith("windows") and not alias.endswith("@latest"):
        yield f"{place} is {alias!r}: Karpenter takes images of Windows only as the latest ones, so write {alias.partition('@')[0]}@latest."


def _validate_images(variables: Variables) -> t.Iterator[str]:
    """Images of Amazon Linux 2 for a version of Kubernetes for which there are none."""
    version = variables.get("eks_version") if variables.get("eks_enabled") else None
    aliases = {f"karpenter_node_pools[{index}].ami_alias": pool.get("ami_alias") for index, pool in enumerate(variables.get("karpenter_node_pools") or ())}
    for place, alias in {"karpenter_ami_alias": variables.get("karpenter_ami_alias"), **aliases}.items():
        if str(alias or "").startswith("al2@") and needs_other_image("AL2_", version):
            yield f"{place} is {alias}, but AWS has images of Amazon Linux 2 only up to Kubernetes 1.{LAST_AL2_MINOR}, not for {version}: use al2023@latest."


def _validate_options(place: str, pool: KarpenterNodePool, region: str) -> t.Iterator[str]:
    if pool.get("expire_after") and not EXPIRY.fullmatch(pool["expire_after"]):
        yield f"{place}.expire_after is {pool['expire_after']!r}: use a duration such as 720h, or Never."
    if pool.get("node_class"):
        yield from find_name_errors(f"{place}.node_class", pool["node_class"])
    yield from validate_patterns(
        {f"{place}.{name}": pool.get(name) for name in _POOL_PATTERNS}, {f"{place}.{name}": one for name, one in _POOL_PATTERNS.items()}
    )
    yield from find_class_tag_errors(f"{place}.tags", pool.get("tags"))
    yield from find_pool_errors(place, pool, region)
    for zone in pool.get("zones") or () if region else ():
        if not zone.startswith(region):
            yield f"{place}.zones names {zone}, which is not in the region {region}."
    allowed = pool.get("architectures") or []
    misfits = [name for name in pool.get("instance_types") or () if ("arm64" if is_arm(name) else "amd64") not in allowed] if allowed else []
    if misfits and len(misfits) == len(pool.get("instance_types") or ()):
        yield f"{place}.architectures is {', '.join(allowed)}, but none of instance_types is of it ({', '.join(misfits)}): correct one of the two."


def _validate_zones(place: str, pool: KarpenterNodePool, variables: Variables) -> t.Iterator[str]:
    """Zones in which the VPC that the role eks creates has no subnet."""
    made = variables.get("eks_availability_zones") or ()
    if not variables.get("eks_enabled") or variables.get("eks_vpc_id") or pool.get("node_class") or not made:
        return
    # Other subnets may be in other zones.
    if pool.get("subnet_ids") or variables.get("karpenter_subnet_ids") or (pool.get("node_class_spec") or {}).get("subnetSelectorTerms"):
        return
    missing = [zone for zone in pool.get("zones") or () if zone not in made]
    if missing:
        yield f"{place}.zones names {', '.join(missing)}, where the VPC has no subnet: use zones of eks_availability_zones, which are {', '.join(made)}."


def _validate_taints(variables: Variables) -> t.Iterator[str]:
    for index, pool in enumerate(variables.get("karpenter_node_pools") or ()):
        if pool.get("state") != "absent" and has_startup_taint(pool.get("taints")):
            yield (
                f"karpenter_node_pools[{index}].taints has {KUBERNETES_TAINT['key']}: Karpenter would conclude that no pod fits and keep creating nodes, "
                "so set karpenter_startup_taint instead."
            )
    tainted = [pool["name"] for pool in _present(variables) if starts_tainted(pool, startup_taint=_starts_tainted(variables))]
    if tainted and variables.get("istio_startup_taint") is False:
        yield (
            f"karpenter_startup_taint puts the taint {KUBERNETES_TAINT['key']} on the nodes of the pools {', '.join(tainted)}, "
            "but istio_startup_taint is false: nothing would remove it, and no pod could run there, so set both to the same value."
        )


def _starts_tainted(variables: Variables) -> bool:
    """As the role's default has it: what role eks does with its node groups."""
    return bool(variables.get("karpenter_startup_taint", variables.get("eks_startup_taint", True)))


def _own_classes(variables: Variables) -> bool:
    """Whether a pool needs subnets and security groups that are not its own."""
    return any(not pool.get("node_class") and not (pool.get("subnet_ids") and pool.get("security_group_ids")) for pool in _present(variables))


def _present(variables: Variables) -> list[KarpenterNodePool]:
    return [pool for pool in variables.get("karpenter_node_pools") or () if pool.get("state") != "absent"]


__all__ = ("karpenter_warnings", "validate_karpenter")
