"""The rules of web ACLs, and their ARNs."""

from __future__ import annotations

from ansible_collections.meshwright.ambient.plugins.module_utils._web_acl.render import arns_by_name, render_rules

ARN = "arn:aws:wafv2:eu-central-1:123456789012:regional/webacl/shop/0a1b"


def test_rule_groups_become_rules_in_their_order() -> None:
    first, second = render_rules(["AWSManagedRulesCommonRuleSet", "AWSManagedRulesSQLiRuleSet"])
    assert first == {
        "name": "AWSManagedRulesCommonRuleSet",
        "priority": 0,
        "override_action": {"none": {}},
        "visibility_config": {"sampled_requests_enabled": True, "cloud_watch_metrics_enabled": True, "metric_name": "AWSManagedRulesCommonRuleSet"},
        "statement": {"managed_rule_group_statement": {"vendor_name": "AWS", "name": "AWSManagedRulesCommonRuleSet"}},
    }
    assert (second["name"], second["priority"]) == ("AWSManagedRulesSQLiRuleSet", 1)


def test_a_web_acl_without_an_arn_is_left_out() -> None:
    assert arns_by_name([{"arn": ARN, "item": {"name": "shop"}}, {"item": {"name": "new"}}, {"arn": ""}]) == {"shop": ARN}
