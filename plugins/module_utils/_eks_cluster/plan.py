# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""From the desired and the current cluster to its updates, in the order in which EKS takes them.

EKS takes one kind of update at a time, and only from an ACTIVE cluster; the rules here are those of its API (CreateCluster, UpdateClusterConfig,
UpdateClusterVersion, AssociateEncryptionConfig).
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

from .._aws.tags import TagChanges, as_text, compare_tags, tags_after
from .normalize import normalize_cluster
from .refusals import endpoint_access, find_refusals
from .render import render_encryption, without_none
from .spec import AUTHENTICATION_MODES, VERSION, normal_cidr

if t.TYPE_CHECKING:
    from .normalize import Description
    from .spec import ClusterSpec


@dataclass(frozen=True)
class Update:
    """One update of a cluster.

    Attributes:
        title: what it changes, such as C(version 1.34).
        operation: the request, in botocore's snake_case.
        params: its parameters without the cluster's name.
        version: the Kubernetes version that it leads to; empty if it does not change the version.
    """

    title: str
    operation: str
    params: t.Mapping[str, t.Any] = field(default_factory=dict)
    version: str = ""

    def forced(self) -> Update:
        """The same update, in spite of EKS' upgrade insights; only an update of the version can be forced."""
        return replace(self, params={**self.params, "force": True}) if self.version else self


@dataclass(frozen=True)
class ClusterPlan:
    """The changes of an existing cluster.

    Attributes:
        refusals: what EKS cannot change, one sentence each; if there are any, nothing is changed.
        updates: the updates in their order, one at a time.
        tags: the tags that are set and removed.
        before, after: the current and the desired values of the fields that the options name.
    """

    refusals: tuple[str, ...]
    updates: tuple[Update, ...]
    tags: TagChanges
    before: t.Mapping[str, t.Any]
    after: t.Mapping[str, t.Any]

    @property
    def changed(self) -> bool:
        return bool(self.updates or self.tags.any)

    @property
    def first_version(self) -> str:
        """The next Kubernetes version on the way; empty if the version stays."""
        return next((update.version for update in self.updates if update.version), "")

    @property
    def changes(self) -> list[str]:
        """What is changed, in order."""
        tags = [f"tag {key}" for key in self.tags.set] + [f"no tag {key}" for key in self.tags.remove]
        return [*tags, *(update.title for update in self.updates)]


def desired_fields(spec: ClusterSpec) -> dict[str, t.Any]:
    """The fields of a new cluster that the options name, as normalize_cluster() would return them."""
    fields = {
        option: sorted(value) if isinstance(value, (list, tuple)) else value
        for option, value in vars(spec).items()
        if value is not None and option not in ("name", "tags", "purge_tags", "bootstrap_cluster_creator_admin")
    }
    return {**fields, "tags": as_text(spec.tags)} if spec.tags is not None else fields


def plan_cluster(spec: ClusterSpec, description: Description) -> ClusterPlan:
    """The changes from the current cluster (ACTIVE, or soon to be) to the desired one."""
    current = normalize_cluster(description)
    refusals = find_refusals(spec, current)
    if refusals:
        return ClusterPlan(tuple(refusals), (), TagChanges({}, []), {}, {})
    policy = _policy(spec, current)
    updates = [
        *_protection(spec, current),
        *(Update(f"authentication_mode {mode}", "update_cluster_config", {"accessConfig": {"authenticationMode": mode}}) for mode in _modes(spec, current)),
        *_logging(spec, current),
        *_endpoint(spec, current),
        *_network(spec, current),
        *_encrypting(spec, current),
        # An upgrade ends extended support; a cluster that stays on a version without standard support needs extended support first.
        *(policy if spec.upgrade_policy == "EXTENDED" else ()),
        *(Update(f"version {version}", "update_cluster_version", {"version": version}, version) for version in _versions(spec, current)),
        *(policy if spec.upgrade_policy != "EXTENDED" else ()),
    ]
    tags = compare_tags(current["tags"], spec.tags, purge=spec.purge_tags)
    before, after = _fields(spec, current, tags)
    return ClusterPlan((), tuple(updates), tags, before, after)


def _versions(spec: ClusterSpec, current: t.Mapping[str, t.Any]) -> list[str]:
    """The versions on the way, one minor version at a time."""
    now, desired = VERSION.match(current["version"]), VERSION.match(spec.version or "")
    if not (now and desired):
        return []
    return [f"1.{minor}" for minor in range(int(now.group(1)) + 1, int(desired.group(1)) + 1)]


def _modes(spec: ClusterSpec, current: t.Mapping[str, t.Any]) -> t.Sequence[str]:
    if spec.authentication_mode is None:
        return ()
    now, desired = AUTHENTICATION_MODES.index(current["authentication_mode"]), AUTHENTICATION_MODES.index(spec.authentication_mode)
    return AUTHENTICATION_MODES[now + 1 : desired + 1]


def _policy(spec: ClusterSpec, current: t.Mapping[str, t.Any]) -> list[Update]:
    # Extended support is the default of EKS.
    if spec.upgrade_policy is None or spec.upgrade_policy == (current["upgrade_policy"] or "EXTENDED"):
        return []
    return [Update(f"upgrade_policy {spec.upgrade_policy}", "update_cluster_config", {"upgradePolicy": {"supportType": spec.upgrade_policy}})]


def _protection(spec: ClusterSpec, current: t.Mapping[str, t.Any]) -> list[Update]:
    if spec.deletion_protection is None or spec.deletion_protection == current["deletion_protection"]:
        return []
    return [plan_protection(spec.deletion_protection)]


def plan_protection(on: bool) -> Update:
    """The update that switches deletion protection on or off."""
    return Update(f"deletion_protection {'on' if on else 'off'}", "update_cluster_config", {"deletionProtection": on})


def _logging(spec: ClusterSpec, current: t.Mapping[str, t.Any]) -> list[Update]:
    if spec.log_types is None or set(spec.log_types) == set(current["log_types"]):
        return []
    on, off = sorted(set(spec.log_types)), sorted(set(current["log_types"]) - set(spec.log_types))
    setups = [{"types": types, "enabled": enabled} for types, enabled in ((on, True), (off, False)) if types]
    return [Update(f"log_types {', '.join(on) or 'none'}", "update_cluster_config", {"logging": {"clusterLogging": setups}})]


def _endpoint(spec: ClusterSpec, current: t.Mapping[str, t.Any]) -> list[Update]:
    public, private = endpoint_access(spec, current)
    # Without public access EKS may keep or drop the ranges; they only matter with it.
    cidrs = (spec.public_access_cidrs or None) if public else None
    changed = (public, private) != (current["endpoint_public_access"], current["endpoint_private_access"])
    if not changed and (cidrs is None or _cidr_set(cidrs) == _cidr_set(current["public_access_cidrs"])):
        return []
    config = without_none({"endpointPublicAccess": public, "endpointPrivateAccess": private, "publicAccessCidrs": sorted(cidrs) if cidrs else None})
    ways = [word for word, way in (("public", public), ("private", private)) if way]
    from_where = f" from {', '.join(sorted(cidrs))}" if cidrs else ""
    return [Update(f"endpoint access {' and '.join(ways)}{from_where}", "update_cluster_config", {"resourcesVpcConfig": config})]


def _network(spec: ClusterSpec, current: t.Mapping[str, t.Any]) -> list[Update]:
    """Subnets and security groups, each in an update of its own."""
    updates = []
    for option, key in (("subnet_ids", "subnetIds"), ("security_group_ids", "securityGroupIds")):
        desired = getattr(spec, option)
        if desired is not None and set(desired) != set(current[option]):
            ids = sorted(set(desired))
            updates.append(Update(f"{option} {', '.join(ids) or 'none'}", "update_cluster_config", {"resourcesVpcConfig": {key: ids}}))
    return updates


def _encrypting(spec: ClusterSpec, current: t.Mapping[str, t.Any]) -> list[Update]:
    if not spec.encryption_key_arn or current["encryption_key_arn"]:
        return []
    return [
        Update(
            f"encryption of Secrets by {spec.encryption_key_arn}",
            "associate_encryption_config",
            {"encryptionConfig": render_encryption(spec.encryption_key_arn)},
        )
    ]


def _fields(spec: ClusterSpec, current: t.Mapping[str, t.Any], tags: TagChanges) -> tuple[dict[str, t.Any], dict[str, t.Any]]:
    """The fields that the options name, before and after."""
    desired = desired_fields(spec)
    if spec.endpoint_public_access is False or (spec.endpoint_public_access is None and not current["endpoint_public_access"]):
        desired.pop("public_access_cidrs", None)
    before = {option: current[option] for option in desired}
    after = {option: before[option] if _same(option, before[option], desired[option]) else desired[option] for option in desired}
    if spec.tags is not None:
        after["tags"] = tags_after(current["tags"], tags)
    return before, after


def _same(option: str, current: t.Any, desired: t.Any) -> bool:
    """Whether two spellings mean the same; an unset policy is EKS' default."""
    if option == "public_access_cidrs":
        return not desired or _cidr_set(current) == _cidr_set(desired)
    if option == "upgrade_policy":
        return bool((current or "EXTENDED") == desired)
    if isinstance(desired, list):
        return set(current) == set(desired)
    return bool(current == desired)


def _cidr_set(cidrs: t.Iterable[str]) -> set[str]:
    return {normal_cidr(cidr) or cidr for cidr in cidrs}


__all__ = ("ClusterPlan", "Update", "desired_fields", "plan_cluster", "plan_protection")
