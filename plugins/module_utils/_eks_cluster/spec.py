# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""From the options of the module to the desired cluster."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass
from ipaddress import ip_network

from .._limits.aws import CLUSTER_NAME, find_tag_errors
from .._limits.ranges import find_range_problem

LOG_TYPES = ("api", "audit", "authenticator", "controllerManager", "scheduler")
# A cluster moves only from one mode to the next, never back.
AUTHENTICATION_MODES = ("CONFIG_MAP", "API_AND_CONFIG_MAP", "API")
VERSION = re.compile(r"1\.(\d+)\Z")
# EKS has offered nothing older since 2024; 1.2 and 1.3 are what YAML makes of 1.20 and 1.30 without quotes.
_OLDEST_MINOR = 20
ROLE_ARN = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+")
_KEY_ARN = re.compile(r"arn:aws[\w-]*:kms:[\w-]+:\d+:key/.+\Z")


@dataclass(frozen=True)
class ClusterSpec:
    """The desired cluster; None leaves the current value, or EKS' default.

    The attributes are the options of the module eks_cluster.
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


def validate_spec(spec: ClusterSpec) -> list[str]:
    """Validation errors, one sentence each, whatever the cluster is."""
    errors = [*find_tag_errors("tags", spec.tags)]
    if not CLUSTER_NAME.fullmatch(spec.name):
        errors.append(f"name {spec.name!r} is not a name of an EKS cluster: use at most 100 letters, digits, dashes and underscores.")
    match = VERSION.match(spec.version or "")
    if spec.version is not None and (not match or int(match.group(1)) < _OLDEST_MINOR):
        errors.append(f"version {spec.version!r} is not a version of EKS: write it as a quoted string, such as '1.34', because YAML reads 1.30 as 1.3.")
    if spec.endpoint_public_access is False and spec.endpoint_private_access is False:
        errors.append("endpoint_public_access and endpoint_private_access are both false: the API server must be reachable, so set one of them to true.")
    if spec.encryption_key_arn and not _KEY_ARN.match(spec.encryption_key_arn):
        errors.append(f"encryption_key_arn {spec.encryption_key_arn!r} is not the ARN of a KMS key: use arn:aws:kms:REGION:ACCOUNT:key/ID, not an alias.")
    if spec.endpoint_public_access is not False and spec.public_access_cidrs is not None and not spec.public_access_cidrs:
        errors.append("public_access_cidrs is empty, which EKS takes for all addresses of the internet: name ranges, or set endpoint_public_access to false.")
    for option in ("public_access_cidrs", "service_ipv4_cidr"):
        option_value = getattr(spec, option)
        cidrs = [option_value] if isinstance(option_value, str) else option_value or []
        problems = {cidr: find_range_problem(cidr, host_bits=True) for cidr in cidrs}
        errors += [f"{option} has {cidr!r}, {problem}." for cidr, problem in problems.items() if problem]
    return errors


def normal_cidr(cidr: str) -> str:
    """The range as AWS writes it; empty if it is not one."""
    try:
        return str(ip_network(cidr, strict=False)) if "/" in cidr else ""
    except ValueError:
        return ""


__all__ = ("AUTHENTICATION_MODES", "LOG_TYPES", "ROLE_ARN", "VERSION", "ClusterSpec", "normal_cidr", "validate_spec")
