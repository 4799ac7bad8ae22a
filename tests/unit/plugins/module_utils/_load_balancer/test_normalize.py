"""The answers of ELBv2 as the modules return them."""

from __future__ import annotations

from ansible_collections.meshwright.ambient.plugins.module_utils._load_balancer.normalize import normalize_action, normalize_rules


def test_rules_come_in_the_order_in_which_they_are_tried() -> None:
    query = {"Field": "query-string", "QueryStringConfig": {"Values": [{"Key": "a", "Value": "b"}]}}
    answers = [
        {"Priority": "default", "IsDefault": True},
        {"Priority": "10", "Conditions": [{"Field": "path-pattern", "Values": ["/a"], "PathPatternConfig": {"Values": ["/a"]}}]},
        {"Priority": "2", "Conditions": [query], "Actions": [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}]},
    ]
    rules = normalize_rules(answers)
    assert [(rule["priority"], rule["conditions"]) for rule in rules] == [("2", {"query-string": ["a=b"]}), ("10", {"path-pattern": ["/a"]})]
    assert rules[0]["actions"] == [{"type": "fixed-response", "status_code": "404"}]
    assert normalize_action({"Type": "forward", "TargetGroupArn": "g"}) == {"type": "forward", "target_group_arns": ["g"]}
