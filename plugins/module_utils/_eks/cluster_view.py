# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.

"""What EKS says of a cluster, in the words of the modules: flat, in a fixed order, without what is not there."""

from __future__ import annotations

import typing as t

Described = t.Mapping[str, t.Any]


def cluster_facts(described: Described) -> dict[str, t.Any]:
    """The facts of a cluster; described is the C(cluster) of EKS' DescribeCluster."""
    network = described.get("resourcesVpcConfig") or {}
    access = described.get("accessConfig") or {}
    addresses = described.get("kubernetesNetworkConfig") or {}
    created = described.get("createdAt")
    return {
        "name": described.get("name") or "",
        "arn": described.get("arn") or "",
        "status": described.get("status") or "",
        "version": described.get("version") or "",
        "platform_version": described.get("platformVersion") or "",
        "created_at": created.isoformat() if created is not None else "",
        "endpoint": described.get("endpoint") or "",
        "certificate_authority": (described.get("certificateAuthority") or {}).get("data") or "",
        "oidc_issuer": ((described.get("identity") or {}).get("oidc") or {}).get("issuer") or "",
        "role_arn": described.get("roleArn") or "",
        "vpc_id": network.get("vpcId") or "",
        "subnet_ids": sorted(network.get("subnetIds") or []),
        "security_group_ids": sorted(network.get("securityGroupIds") or []),
        "cluster_security_group_id": network.get("clusterSecurityGroupId") or "",
        "endpoint_public_access": bool(network.get("endpointPublicAccess")),
        "endpoint_private_access": bool(network.get("endpointPrivateAccess")),
        "public_access_cidrs": sorted(network.get("publicAccessCidrs") or []),
        "service_ipv4_cidr": addresses.get("serviceIpv4Cidr") or "",
        "ip_family": addresses.get("ipFamily") or "",
        "log_types": enabled_log_types(described),
        "encryption_key_arn": encryption_key(described),
        # A cluster that does not tell is from before there was a choice.
        "authentication_mode": access.get("authenticationMode") or "CONFIG_MAP",
        "upgrade_policy": (described.get("upgradePolicy") or {}).get("supportType") or "",
        "deletion_protection": bool(described.get("deletionProtection")),
        "health_issues": health_issues(described),
        "tags": dict(sorted((described.get("tags") or {}).items())),
    }


def enabled_log_types(described: Described) -> list[str]:
    """The control plane's logs that go to CloudWatch."""
    setups = (described.get("logging") or {}).get("clusterLogging") or []
    return sorted({log_type for setup in setups if setup.get("enabled") for log_type in setup.get("types") or []})


def encryption_key(described: Described) -> str:
    """The ARN of the key that encrypts Secrets; empty when only AWS' own does."""
    for configuration in described.get("encryptionConfig") or []:
        if "secrets" in (configuration.get("resources") or []):
            return str((configuration.get("provider") or {}).get("keyArn") or "")
    return ""


def health_issues(described: Described) -> list[dict[str, t.Any]]:
    """What EKS says is wrong with the cluster."""
    issues = (described.get("health") or {}).get("issues") or []
    return [
        {"code": issue.get("code") or "", "message": issue.get("message") or "", "resource_ids": sorted(issue.get("resourceIds") or [])} for issue in issues
    ]


def issues_in_a_line(issues: t.Sequence[t.Mapping[str, t.Any]]) -> str:
    """The issues in words; empty when there are none."""
    return "; ".join(f"{item['code']}: {item['message']}" + (f" [{', '.join(item['resource_ids'])}]" if item["resource_ids"] else "") for item in issues)


__all__ = ("Described", "cluster_facts", "enabled_log_types", "encryption_key", "health_issues", "issues_in_a_line")
