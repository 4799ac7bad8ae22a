# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""The rules of a web ACL as community.aws.wafv2_web_acl takes them, and the ARNs of web ACLs by name. Pure."""

from __future__ import annotations

import typing as t


def render_rules(managed_rule_groups: t.Iterable[str]) -> list[dict[str, t.Any]]:
    """A rule for each managed rule group of AWS, in this order."""
    return [
        {
            "name": group,
            "priority": priority,
            "override_action": {"none": {}},
            "visibility_config": {"sampled_requests_enabled": True, "cloud_watch_metrics_enabled": True, "metric_name": group},
            "statement": {"managed_rule_group_statement": {"vendor_name": "AWS", "name": group}},
        }
        for priority, group in enumerate(managed_rule_groups)
    ]


def arns_by_name(results: t.Iterable[t.Mapping[str, t.Any]]) -> dict[str, str]:
    """The ARN of each web ACL, from the results of a task that has read or created them; in check mode, a new one has none."""
    arns = [str(result["arn"]) for result in results if result.get("arn")]
    # arn:aws:wafv2:REGION:ACCOUNT:regional/webacl/NAME/ID
    return {arn.split("/")[2]: arn for arn in arns}


__all__ = ("arns_by_name", "render_rules")
