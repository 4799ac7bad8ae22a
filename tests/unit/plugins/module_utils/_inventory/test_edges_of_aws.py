"""Certificates, zones, web ACLs, security groups and subnets that AWS would refuse are reported before anything is created."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.validation import find_errors
from tests.unit.inventory_values import converted

SUBNETS = ["subnet-0a1b2c3d4e5f60718", "subnet-0b1c2d3e4f5061728"]
GROUP = "sg-0a1b2c3d4e5f60718"


def certificate(**options: Any) -> dict[str, Any]:
    return {"aws_edge_certificates": [{"domain": "shop.example.com", **options}]}


def rule_groups(*names: str) -> dict[str, Any]:
    return {"aws_edge_web_acls": [{"name": "edge", "managed_rule_groups": list(names)}]}


def alb(**options: Any) -> dict[str, Any]:
    return {
        "ingress_gateways": [{"name": "public", "namespace": "edge", "load_balancer": "alb"}],
        "ingress_albs": [{"name": "public", "namespace": "edge", "gateway": "public", **options}],
    }


def nlb(**options: Any) -> dict[str, Any]:
    return {"ingress_gateways": [{"name": "public", "namespace": "edge", "load_balancer": "nlb", "nlb": options}]}


WRONG: list[tuple[dict[str, Any], str]] = [
    (
        certificate(key_algorithm="EC_prime256"),
        "aws_edge_certificates[0].key_algorithm is 'EC_prime256', which is not one of its choices: did you mean EC_prime256v1?",
    ),
    (certificate(key_algorithm="RSA_1024"), "aws_edge_certificates[0].key_algorithm is 'RSA_1024', which is not one of its choices"),
    (certificate(hosted_zone="example.org"), "aws_edge_certificates[0].hosted_zone is example.org, which does not contain shop.example.com"),
    (certificate(hosted_zone="hop.example.com"), "aws_edge_certificates[0].hosted_zone is hop.example.com, which does not contain shop.example.com"),
    (
        certificate(hosted_zone="shop.example.com", subject_alternative_names=["*.shop.example.com", "bank.example.com"]),
        "which does not contain bank.example.com",
    ),
    (rule_groups("AWS Managed Rules"), "aws_edge_web_acls[0].managed_rule_groups has 'AWS Managed Rules'"),
    (rule_groups("AWSManagedRulesCommonRuleset"), "did you mean AWSManagedRulesCommonRuleSet?"),
    (alb(security_groups=["sg-public"]), "security_groups has 'sg-public': use an id"),
    (alb(security_groups=[GROUP, GROUP]), f"security_groups lists {GROUP} more than once"),
    (nlb(security_groups=[f"sg-{number:08x}" for number in range(17)]), "nlb.security_groups has 17 entries"),
]
RIGHT: list[dict[str, Any]] = [
    certificate(key_algorithm="ec_PRIME256v1"),
    certificate(hosted_zone="example.com", subject_alternative_names=["*.Example.com", "a.b.example.com"]),
    certificate(hosted_zone="Shop.example.com."),
    certificate(hosted_zone="Z0123456789ABCDEFGHIJ"),
    rule_groups("AWSManagedRulesCommonRuleSet", "AWSManagedRulesOfTomorrowRuleSet"),
    alb(security_groups=[GROUP, "public load balancers"], subnets=SUBNETS),
    nlb(subnets=SUBNETS[:1]),
    # It may be in a Local Zone.
    alb(subnets=SUBNETS[:1]),
]


@pytest.mark.parametrize(("variables", "sentence"), WRONG, ids=[sentence for _variables, sentence in WRONG])
def test_what_aws_would_refuse_is_one_error(variables: dict[str, Any], sentence: str) -> None:
    errors = find_errors(converted(variables))
    assert len(errors) == 1, errors
    assert errors[0].startswith(tuple(variables))
    assert sentence in errors[0]


@pytest.mark.parametrize("variables", RIGHT, ids=range(len(RIGHT)))
def test_what_aws_takes_passes(variables: dict[str, Any]) -> None:
    assert find_errors(converted(variables)) == []
