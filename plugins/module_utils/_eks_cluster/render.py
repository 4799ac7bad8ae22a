# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""From a desired cluster to the parameters of EKS."""

from __future__ import annotations

import typing as t

from .._aws.tags import as_text

if t.TYPE_CHECKING:
    from .spec import ClusterSpec


def render_creation(spec: ClusterSpec) -> dict[str, t.Any]:
    """The parameters of C(CreateCluster)."""
    network = {
        "subnetIds": list(spec.subnet_ids or []),
        "securityGroupIds": list(spec.security_group_ids or []),
        "endpointPublicAccess": spec.endpoint_public_access,
        "endpointPrivateAccess": spec.endpoint_private_access,
        "publicAccessCidrs": list(spec.public_access_cidrs or []) if spec.endpoint_public_access is not False else None,
    }
    access = {"authenticationMode": spec.authentication_mode, "bootstrapClusterCreatorAdminPermissions": spec.bootstrap_cluster_creator_admin}
    parameters = {
        "name": spec.name,
        "version": spec.version,
        "roleArn": spec.role_arn,
        "resourcesVpcConfig": without_none(network),
        "kubernetesNetworkConfig": without_none({"serviceIpv4Cidr": spec.service_ipv4_cidr}),
        "logging": {"clusterLogging": [{"types": sorted(set(spec.log_types)), "enabled": True}]} if spec.log_types else None,
        "tags": as_text(spec.tags) if spec.tags else None,
        "encryptionConfig": render_encryption(spec.encryption_key_arn) if spec.encryption_key_arn else None,
        "accessConfig": without_none(access),
        "upgradePolicy": {"supportType": spec.upgrade_policy} if spec.upgrade_policy else None,
        "deletionProtection": spec.deletion_protection,
    }
    return without_none(parameters)


def render_encryption(key: str) -> list[dict[str, t.Any]]:
    return [{"resources": ["secrets"], "provider": {"keyArn": key}}]


def without_none(parameters: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """The parameters that have a value: EKS takes no empty ones."""
    return {name: value for name, value in parameters.items() if value is not None and value not in ([], {})}


__all__ = ("render_creation", "render_encryption", "without_none")
