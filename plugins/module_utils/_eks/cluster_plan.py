# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.

"""What makes an EKS cluster the wished one: the updates, in the order in which EKS takes them, and what cannot be had.

EKS takes one kind of update at a time, and only from an ACTIVE cluster; the rules here are those of its API (CreateCluster, UpdateClusterConfig,
UpdateClusterVersion, AssociateEncryptionConfig).
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field, replace
from ipaddress import ip_network

from .._aws.tags import TagChanges, as_text, compare_tags, tags_after
from .cluster_view import cluster_facts

if t.TYPE_CHECKING:
    from .cluster_view import Described

LOG_TYPES = ("api", "audit", "authenticator", "controllerManager", "scheduler")
# EKS goes only from one to the next, and never back.
AUTHENTICATION_MODES = ("CONFIG_MAP", "API_AND_CONFIG_MAP", "API")

_VERSION = re.compile(r"1\.(\d+)\Z")
# EKS has offered nothing older since 2024; 1.2 and 1.3 are what YAML makes of 1.20 and 1.30 without quotes.
_OLDEST_MINOR = 20
_KEY_ARN = re.compile(r"arn:aws[\w-]*:kms:[\w-]+:\d+:key/.+\Z")


@dataclass(frozen=True)
class ClusterWishes:
    """How a cluster is to be; None leaves what it is, or what EKS makes of it.

    Attributes are the options of the module eks_cluster of the same name.
    """

    name: str
    version: str | None = None
    role_arn: str | None = None
    subnet_ids: t.Sequence[str] | None = None
    security_group_ids: t.Sequence[str] | None = None
    endpoint_public_access: bool | None = None
    endpoint_private_access: bool | None = None
    public_access_cidrs: t.Sequence[str] | None = None
    log_types: t.Sequence[str] | None = None
    encryption_key_arn: str | None = None
    authentication_mode: str | None = None
    bootstrap_cluster_creator_admin: bool | None = None
    upgrade_policy: str | None = None
    deletion_protection: bool | None = None
    service_ipv4_cidr: str | None = None
    tags: t.Mapping[str, t.Any] | None = None
    purge_tags: bool = True


@dataclass(frozen=True)
class Update:
    """One update of a cluster.

    Attributes:
        title: what it changes, in words.
        operation: the call of EKS, in botocore's snake_case.
        params: its parameters, the cluster's name left out.
        version: the Kubernetes version that it leads to; empty for one that changes none.
    """

    title: str
    operation: str
    params: t.Mapping[str, t.Any] = field(default_factory=dict)
    version: str = ""

    def forced(self) -> Update:
        """The same one, made although EKS finds something in the way; only a version knows of that."""
        return replace(self, params={**self.params, "force": True}) if self.version else self


@dataclass(frozen=True)
class ClusterPlan:
    """What is to be done.

    Attributes:
        refusals: sentences that say what cannot be had; nothing is done when there are any.
        updates: in their order, one at a time.
        tags: what to set and to take away.
        before, after: the fields that the wishes name, as they are and as they will be.
    """

    refusals: tuple[str, ...]
    updates: tuple[Update, ...]
    tags: TagChanges
    before: t.Mapping[str, t.Any]
    after: t.Mapping[str, t.Any]

    @property
    def changed(self) -> bool:
        return bool(self.updates or self.tags.any)


def wish_mistakes(wishes: ClusterWishes) -> list[str]:
    """What is wrong with the wishes whatever the cluster is: sentences."""
    mistakes = []
    match = _VERSION.match(wishes.version or "")
    if wishes.version is not None and (not match or int(match.group(1)) < _OLDEST_MINOR):
        mistakes.append(f"version {wishes.version!r} is no version of EKS: write it as a quoted string such as '1.34', or YAML takes 1.30 for 1.3.")
    if wishes.endpoint_public_access is False and wishes.endpoint_private_access is False:
        mistakes.append("endpoint_public_access and endpoint_private_access are both false: the API server needs one way in.")
    if wishes.encryption_key_arn and not _KEY_ARN.match(wishes.encryption_key_arn):
        mistakes.append(f"encryption_key_arn {wishes.encryption_key_arn!r} is not the ARN of a KMS key: give arn:aws:kms:REGION:ACCOUNT:key/ID, not an alias.")
    for option in ("public_access_cidrs", "service_ipv4_cidr"):
        given = getattr(wishes, option)
        cidrs = [given] if isinstance(given, str) else given or []
        mistakes += [f"{option}: {cidr!r} is not a range of addresses such as 203.0.113.0/24." for cidr in cidrs if not _normal_cidr(cidr)]
    return mistakes


def creation_mistakes(wishes: ClusterWishes) -> list[str]:
    """What a cluster cannot be made without: sentences."""
    missing = [option for option in ("role_arn", "subnet_ids") if not getattr(wishes, option)]
    return [f"EKS cluster {wishes.name} does not exist, and making it needs {' and '.join(missing)}."] if missing else []


def creation(wishes: ClusterWishes) -> dict[str, t.Any]:
    """The parameters of CreateCluster."""
    network = {
        "subnetIds": list(wishes.subnet_ids or []),
        "securityGroupIds": list(wishes.security_group_ids or []),
        "endpointPublicAccess": wishes.endpoint_public_access,
        "endpointPrivateAccess": wishes.endpoint_private_access,
        "publicAccessCidrs": list(wishes.public_access_cidrs or []) if wishes.endpoint_public_access is not False else None,
    }
    access = {"authenticationMode": wishes.authentication_mode, "bootstrapClusterCreatorAdminPermissions": wishes.bootstrap_cluster_creator_admin}
    parameters = {
        "name": wishes.name,
        "version": wishes.version,
        "roleArn": wishes.role_arn,
        "resourcesVpcConfig": _given(network),
        "kubernetesNetworkConfig": _given({"serviceIpv4Cidr": wishes.service_ipv4_cidr}),
        "logging": {"clusterLogging": [{"types": sorted(set(wishes.log_types)), "enabled": True}]} if wishes.log_types else None,
        "tags": as_text(wishes.tags) if wishes.tags else None,
        "encryptionConfig": _encryption(wishes.encryption_key_arn) if wishes.encryption_key_arn else None,
        "accessConfig": _given(access),
        "upgradePolicy": {"supportType": wishes.upgrade_policy} if wishes.upgrade_policy else None,
        "deletionProtection": wishes.deletion_protection,
    }
    return _given(parameters)


def wished_fields(wishes: ClusterWishes) -> dict[str, t.Any]:
    """The fields of a new cluster that the wishes name, as cluster_facts() would tell them."""
    fields = {
        option: sorted(value) if isinstance(value, (list, tuple)) else value
        for option, value in vars(wishes).items()
        if value is not None and option not in ("name", "tags", "purge_tags", "bootstrap_cluster_creator_admin")
    }
    return {**fields, "tags": as_text(wishes.tags)} if wishes.tags is not None else fields


def plan_cluster(wishes: ClusterWishes, described: Described) -> ClusterPlan:
    """What makes the described cluster (ACTIVE, or soon to be) the wished one."""
    present = cluster_facts(described)
    refusals = _unchangeable(wishes, present)
    versions = _versions(wishes, present, refusals)
    modes = _modes(wishes, present, refusals)
    policy = _policy(wishes, present)
    updates = [
        *_protection(wishes, present),
        *(Update(f"authentication_mode {mode}", "update_cluster_config", {"accessConfig": {"authenticationMode": mode}}) for mode in modes),
        *_logging(wishes, present),
        *_endpoint(wishes, present, refusals),
        *_network(wishes, present),
        *_encrypting(wishes, present),
        # A cluster whose version has only extended support leaves it by the upgrade, one that is to stay on such a version has to enter it before.
        *(policy if wishes.upgrade_policy == "EXTENDED" else ()),
        *(Update(f"version {version}", "update_cluster_version", {"version": version}, version) for version in versions),
        *(policy if wishes.upgrade_policy != "EXTENDED" else ()),
    ]
    tags = compare_tags(present["tags"], wishes.tags, purge=wishes.purge_tags)
    before, after = _fields(wishes, present, tags)
    return ClusterPlan(tuple(refusals), () if refusals else tuple(updates), tags, before, after)


def _unchangeable(wishes: ClusterWishes, present: t.Mapping[str, t.Any]) -> list[str]:
    refusals = []
    if wishes.role_arn and wishes.role_arn != present["role_arn"]:
        refusals.append(_fixed(wishes, "role_arn", present["role_arn"], wishes.role_arn))
    wished_cidr = wishes.service_ipv4_cidr
    if wished_cidr and present["service_ipv4_cidr"] and _normal_cidr(wished_cidr) != _normal_cidr(present["service_ipv4_cidr"]):
        refusals.append(_fixed(wishes, "service_ipv4_cidr", present["service_ipv4_cidr"], wished_cidr))
    key = present["encryption_key_arn"]
    if wishes.encryption_key_arn is not None and key and wishes.encryption_key_arn != key:
        refusals.append(_fixed(wishes, "encryption_key_arn", key, wishes.encryption_key_arn or "none"))
    return refusals


def _fixed(wishes: ClusterWishes, option: str, present: str, wished: str) -> str:
    return (
        f"EKS cluster {wishes.name} has {option} {present}, and EKS cannot change it to {wished}: correct the option, or delete the cluster and make it anew."
    )


def _versions(wishes: ClusterWishes, present: t.Mapping[str, t.Any], refusals: list[str]) -> list[str]:
    """The versions on the way, each one minor after the other."""
    now, wished = _VERSION.match(present["version"]), _VERSION.match(wishes.version or "")
    if not (now and wished):
        return []
    minor, target = int(now.group(1)), int(wished.group(1))
    if target < minor:
        refusals.append(
            f"EKS cluster {wishes.name} is at version {present['version']} and is not taken back to {wishes.version}: "
            f"set version to {present['version']} or a later one."
        )
    return [f"1.{step}" for step in range(minor + 1, target + 1)]


def _modes(wishes: ClusterWishes, present: t.Mapping[str, t.Any], refusals: list[str]) -> t.Sequence[str]:
    if wishes.authentication_mode is None:
        return ()
    now, wished = AUTHENTICATION_MODES.index(present["authentication_mode"]), AUTHENTICATION_MODES.index(wishes.authentication_mode)
    if wished < now:
        refusals.append(
            f"EKS cluster {wishes.name} has authentication_mode {present['authentication_mode']}, and EKS never goes back to {wishes.authentication_mode}: "
            "correct the option."
        )
    return AUTHENTICATION_MODES[now + 1 : wished + 1]


def _policy(wishes: ClusterWishes, present: t.Mapping[str, t.Any]) -> list[Update]:
    # EKS gives extended support to a cluster that does not ask for another policy.
    if wishes.upgrade_policy is None or wishes.upgrade_policy == (present["upgrade_policy"] or "EXTENDED"):
        return []
    return [Update(f"upgrade_policy {wishes.upgrade_policy}", "update_cluster_config", {"upgradePolicy": {"supportType": wishes.upgrade_policy}})]


def _protection(wishes: ClusterWishes, present: t.Mapping[str, t.Any]) -> list[Update]:
    if wishes.deletion_protection is None or wishes.deletion_protection == present["deletion_protection"]:
        return []
    return [protection(wishes.deletion_protection)]


def protection(on: bool) -> Update:
    """The update that protects a cluster from deletion, or no longer does."""
    return Update(f"deletion_protection {'on' if on else 'off'}", "update_cluster_config", {"deletionProtection": on})


def _logging(wishes: ClusterWishes, present: t.Mapping[str, t.Any]) -> list[Update]:
    if wishes.log_types is None or set(wishes.log_types) == set(present["log_types"]):
        return []
    on, off = sorted(set(wishes.log_types)), sorted(set(present["log_types"]) - set(wishes.log_types))
    setups = [{"types": types, "enabled": enabled} for types, enabled in ((on, True), (off, False)) if types]
    return [Update(f"log_types {', '.join(on) or 'none'}", "update_cluster_config", {"logging": {"clusterLogging": setups}})]


def _endpoint(wishes: ClusterWishes, present: t.Mapping[str, t.Any], refusals: list[str]) -> list[Update]:
    public = present["endpoint_public_access"] if wishes.endpoint_public_access is None else wishes.endpoint_public_access
    private = present["endpoint_private_access"] if wishes.endpoint_private_access is None else wishes.endpoint_private_access
    if not public and not private:
        refusals.append(f"EKS cluster {wishes.name} would have no way to its API server: set endpoint_public_access or endpoint_private_access to true.")
        return []
    # Without public access EKS keeps the ranges, or forgets them; they matter again with it.
    cidrs = (wishes.public_access_cidrs or None) if public else None
    changed = (public, private) != (present["endpoint_public_access"], present["endpoint_private_access"])
    if not changed and (cidrs is None or _cidr_set(cidrs) == _cidr_set(present["public_access_cidrs"])):
        return []
    config = _given({"endpointPublicAccess": public, "endpointPrivateAccess": private, "publicAccessCidrs": sorted(cidrs) if cidrs else None})
    ways = [word for word, way in (("public", public), ("private", private)) if way]
    from_where = f" from {', '.join(sorted(cidrs))}" if cidrs else ""
    return [Update(f"endpoint access {' and '.join(ways)}{from_where}", "update_cluster_config", {"resourcesVpcConfig": config})]


def _network(wishes: ClusterWishes, present: t.Mapping[str, t.Any]) -> list[Update]:
    """Subnets and security groups, each in an update of its own."""
    updates = []
    for option, key in (("subnet_ids", "subnetIds"), ("security_group_ids", "securityGroupIds")):
        wished = getattr(wishes, option)
        if wished is not None and set(wished) != set(present[option]):
            ids = sorted(set(wished))
            updates.append(Update(f"{option} {', '.join(ids) or 'none'}", "update_cluster_config", {"resourcesVpcConfig": {key: ids}}))
    return updates


def _encrypting(wishes: ClusterWishes, present: t.Mapping[str, t.Any]) -> list[Update]:
    if not wishes.encryption_key_arn or present["encryption_key_arn"]:
        return []
    return [
        Update(
            f"encryption of Secrets by {wishes.encryption_key_arn}",
            "associate_encryption_config",
            {"encryptionConfig": _encryption(wishes.encryption_key_arn)},
        )
    ]


def _encryption(key: str) -> list[dict[str, t.Any]]:
    return [{"resources": ["secrets"], "provider": {"keyArn": key}}]


def _fields(wishes: ClusterWishes, present: t.Mapping[str, t.Any], tags: TagChanges) -> tuple[dict[str, t.Any], dict[str, t.Any]]:
    """The fields that the wishes name, before and after."""
    wished = wished_fields(wishes)
    if wishes.endpoint_public_access is False or (wishes.endpoint_public_access is None and not present["endpoint_public_access"]):
        wished.pop("public_access_cidrs", None)
    before = {option: present[option] for option in wished}
    after = {option: before[option] if _same(option, before[option], wished[option]) else wished[option] for option in wished}
    if wishes.tags is not None:
        after["tags"] = tags_after(present["tags"], tags)
    return before, after


def _same(option: str, present: t.Any, wished: t.Any) -> bool:
    """Whether two spellings say the same; an unset policy is EKS' default."""
    if option == "public_access_cidrs":
        return not wished or _cidr_set(present) == _cidr_set(wished)
    if option == "upgrade_policy":
        return bool((present or "EXTENDED") == wished)
    if isinstance(wished, list):
        return set(present) == set(wished)
    return bool(present == wished)


def _given(parameters: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """The parameters that have a value: EKS wants the others left out."""
    return {name: value for name, value in parameters.items() if value is not None and value not in ([], {})}


def _cidr_set(cidrs: t.Iterable[str]) -> set[str]:
    return {_normal_cidr(cidr) or cidr for cidr in cidrs}


def _normal_cidr(cidr: str) -> str:
    """The range as AWS writes it; empty when it is none."""
    try:
        return str(ip_network(cidr, strict=False)) if "/" in cidr else ""
    except ValueError:
        return ""


__all__ = (
    "AUTHENTICATION_MODES",
    "LOG_TYPES",
    "ClusterPlan",
    "ClusterWishes",
    "Update",
    "creation",
    "creation_mistakes",
    "plan_cluster",
    "protection",
    "wish_mistakes",
    "wished_fields",
)
