# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""An EKS cluster as the modules return it: flat, in a fixed order, with empty values for what EKS leaves out."""

from __future__ import annotations

import typing as t

Description = t.Mapping[str, t.Any]


def normalize_cluster(description: Description) -> dict[str, t.Any]:
    """The cluster; description is the C(cluster) of EKS' DescribeCluster."""
    network = description.get("resourcesVpcConfig") or {}
    access = description.get("accessConfig") or {}
    addresses = description.get("kubernetesNetworkConfig") or {}
    created = description.get("createdAt")
    return {
        "name": description.get("name") or "",
        "arn": description.get("arn") or "",
        "status": description.get("status") or "",
        "version": description.get("version") or "",
        "platform_version": description.get("platformVersion") or "",
        "created_at": created.isoformat() if created is not None else "",
        "endpoint": description.get("endpoint") or "",
        "certificate_authority": (description.get("certificateAuthority") or {}).get("data") or "",
        "oidc_issuer": ((description.get("identity") or {}).get("oidc") or {}).get("issuer") or "",
        "role_arn": description.get("roleArn") or "",
        "vpc_id": network.get("vpcId") or "",
        "subnet_ids": sorted(network.get("subnetIds") or []),
        "security_group_ids": sorted(network.get("securityGroupIds") or []),
        "cluster_security_group_id": network.get("clusterSecurityGroupId") or "",
        "endpoint_public_access": bool(network.get("endpointPublicAccess")),
        "endpoint_private_access": bool(network.get("endpointPrivateAccess")),
        "public_access_cidrs": sorted(network.get("publicAccessCidrs") or []),
        "service_ipv4_cidr": addresses.get("serviceIpv4Cidr") or "",
        "ip_family": addresses.get("ipFamily") or "",
        "log_types": _enabled_log_types(description),
        "encryption_key_arn": _encryption_key(description),
        # A cluster without this field was created before there was a choice.
        "authentication_mode": access.get("authenticationMode") or "CONFIG_MAP",
        "upgrade_policy": (description.get("upgradePolicy") or {}).get("supportType") or "",
        "deletion_protection": bool(description.get("deletionProtection")),
        "health_issues": health_issues(description),
        "tags": dict(sorted((description.get("tags") or {}).items())),
    }


def _enabled_log_types(description: Description) -> list[str]:
    """The control plane's logs that go to CloudWatch."""
    setups = (description.get("logging") or {}).get("clusterLogging") or []
    return sorted({log_type for setup in setups if setup.get("enabled") for log_type in setup.get("types") or []})


def _encryption_key(description: Description) -> str:
    """The ARN of the key that encrypts Secrets; empty if only AWS' own does."""
    for configuration in description.get("encryptionConfig") or []:
        if "secrets" in (configuration.get("resources") or []):
            return str((configuration.get("provider") or {}).get("keyArn") or "")
    return ""


def health_issues(description: Description) -> list[dict[str, t.Any]]:
    """The health issues of the cluster."""
    issues = (description.get("health") or {}).get("issues") or []
    return [
        {"code": issue.get("code") or "", "message": issue.get("message") or "", "resource_ids": sorted(issue.get("resourceIds") or [])} for issue in issues
    ]


def format_issues(issues: t.Sequence[t.Mapping[str, t.Any]]) -> str:
    """The issues in one line; empty if there are none."""
    return "; ".join(f"{item['code']}: {item['message']}" + (f" [{', '.join(item['resource_ids'])}]" if item["resource_ids"] else "") for item in issues)


__all__ = ("Description", "format_issues", "health_issues", "normalize_cluster")
