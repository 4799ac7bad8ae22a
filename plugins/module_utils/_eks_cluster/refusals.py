# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""What EKS cannot change, and what a new cluster lacks."""

from __future__ import annotations

import typing as t

from .spec import AUTHENTICATION_MODES, VERSION, normal_cidr

if t.TYPE_CHECKING:
    from .spec import ClusterSpec


def find_creation_refusals(spec: ClusterSpec) -> list[str]:
    """What a new cluster lacks, one sentence each."""
    missing = [option for option in ("role_arn", "subnet_ids") if not getattr(spec, option)]
    return [f"EKS cluster {spec.name} does not exist, and a new cluster requires {' and '.join(missing)}."] if missing else []


def find_refusals(spec: ClusterSpec, current: t.Mapping[str, t.Any]) -> list[str]:
    """What EKS cannot change of an existing cluster, one sentence each."""
    refusals = []
    if spec.role_arn and spec.role_arn != current["role_arn"]:
        refusals.append(_fixed(spec, "role_arn", current["role_arn"], spec.role_arn))
    cidr = spec.service_ipv4_cidr
    if cidr and current["service_ipv4_cidr"] and normal_cidr(cidr) != normal_cidr(current["service_ipv4_cidr"]):
        refusals.append(_fixed(spec, "service_ipv4_cidr", current["service_ipv4_cidr"], cidr))
    key = current["encryption_key_arn"]
    if spec.encryption_key_arn is not None and key and spec.encryption_key_arn != key:
        refusals.append(_fixed(spec, "encryption_key_arn", key, spec.encryption_key_arn or "none"))
    now, desired = VERSION.match(current["version"]), VERSION.match(spec.version or "")
    if now and desired and int(desired.group(1)) < int(now.group(1)):
        refusals.append(
            f"EKS cluster {spec.name} runs version {current['version']} and cannot be downgraded to {spec.version}: "
            f"set version to {current['version']} or a later one."
        )
    modes = AUTHENTICATION_MODES
    if spec.authentication_mode is not None and modes.index(spec.authentication_mode) < modes.index(current["authentication_mode"]):
        refusals.append(
            f"EKS cluster {spec.name} has authentication_mode {current['authentication_mode']}, and EKS cannot change it back to {spec.authentication_mode}: "
            "correct the option."
        )
    if not any(endpoint_access(spec, current)):
        refusals.append(f"The API server of EKS cluster {spec.name} would be unreachable: set endpoint_public_access or endpoint_private_access to true.")
    return refusals


def endpoint_access(spec: ClusterSpec, current: t.Mapping[str, t.Any]) -> tuple[bool, bool]:
    """Whether the desired API server is reached from the internet, and from the VPC."""
    public = current["endpoint_public_access"] if spec.endpoint_public_access is None else spec.endpoint_public_access
    private = current["endpoint_private_access"] if spec.endpoint_private_access is None else spec.endpoint_private_access
    return bool(public), bool(private)


def find_deletion_refusals(title: str, *, protected: bool, override_protection: bool, nodegroups: t.Iterable[str]) -> list[str]:
    """Why a cluster is not deleted, one sentence each.

    Args:
        title: the cluster, as messages name it.
        protected: whether its deletion protection is on.
        override_protection: whether it is to be deleted in spite of that.
        nodegroups: the names of its node groups.
    """
    refusals = []
    if protected and not override_protection:
        refusals.append(f"{title} is protected from deletion: set override_deletion_protection to true to delete it all the same.")
    if groups := sorted(nodegroups):
        refusals.append(
            f"{title} still has the node groups {', '.join(groups)}: delete these first, because EKS does not delete a cluster that has node groups."
        )
    return refusals


def find_upgrade_refusals(version: str, insights: t.Iterable[t.Mapping[str, t.Any]]) -> str:
    """What EKS' upgrade insights say stands in the way of a version (old nodes, add-ons, APIs that are removed); empty if nothing does."""
    # A server that does not know the filter returns all insights.
    errors = [insight for insight in insights if (insight.get("insightStatus") or {}).get("status") == "ERROR"]
    if not errors:
        return ""
    reasons = "; ".join(f"{error.get('name')}: {(error.get('insightStatus') or {}).get('reason') or error.get('description')}" for error in errors)
    return f"is not ready for version {version} ({reasons}): fix this first, or set force_upgrade to true."


def _fixed(spec: ClusterSpec, option: str, current: str, desired: str) -> str:
    return (
        f"EKS cluster {spec.name} has {option} {current}, and EKS cannot change it to {desired}: correct the option, or delete the cluster and create it again."
    )


__all__ = ("endpoint_access", "find_creation_refusals", "find_deletion_refusals", "find_refusals", "find_upgrade_refusals")
