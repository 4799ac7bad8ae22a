# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Managed node groups as the module returns them."""

from __future__ import annotations

import typing as t

from .._text import format_scalar

# The C(nodegroup) of EKS' DescribeNodegroup.
Description = t.Mapping[str, t.Any]
Taint = t.Mapping[str, str]


def normalize_nodegroup(description: Description) -> dict[str, t.Any]:
    """A node group as the module returns it."""
    return {
        "arn": description.get("nodegroupArn", ""),
        "status": description.get("status", ""),
        "version": description.get("version", ""),
        "release_version": description.get("releaseVersion", ""),
        "capacity_type": description.get("capacityType", ""),
        "ami_type": description.get("amiType", ""),
        "instance_types": list(description.get("instanceTypes") or []),
        "subnets": list(description.get("subnets") or []),
        "node_role": description.get("nodeRole", ""),
        "labels": dict(description.get("labels") or {}),
        "taints": [dict(taint) for taint in description.get("taints") or []],
        "scaling": dict(description.get("scalingConfig") or {}),
        "autoscaling_groups": [group["name"] for group in (description.get("resources") or {}).get("autoScalingGroups") or []],
        "health_issues": health_issues(description),
    }


def health_issues(description: Description) -> list[str]:
    """The health issues of a node group, one sentence each."""
    issues = (description.get("health") or {}).get("issues") or []
    return [f"{issue.get('code')}: {issue.get('message') or 'no message'} ({', '.join(issue.get('resourceIds') or [])})" for issue in issues]


def format_health(description: Description) -> str:
    """The health issues in brackets, after a space; empty if there are none."""
    issues = health_issues(description)
    return f" ({'; '.join(issues)})" if issues else ""


def normalize_taint(taint: t.Mapping[str, t.Any]) -> dict[str, str]:
    """A taint without an empty value, which EKS leaves out of its answers."""
    value = {"value": format_scalar(taint["value"])} if taint.get("value") else {}
    return {"key": taint["key"], **value, "effect": taint["effect"]}


__all__ = ("Description", "Taint", "format_health", "health_issues", "normalize_nodegroup", "normalize_taint")
