"""Each annotation of load balancers that the requirements name is read back from the AWS API by a test: which one, and that none is forgotten."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import yaml

from tests.twin.aws import test_alb as alb
from tests.twin.aws import test_nlb as nlb
from tests.twin.playbooks import test_removal as removal
from twin.paths import REPOSITORY

Test = Callable[..., Any]

# What an ALB's options are: the rows of annotations among the requirements of ingress by ALB, and of ingress by NLB.
ROWS: dict[str, tuple[Test, ...]] = {
    "E9": (alb.test_name_class_scheme_and_subnets,),
    "E10": (alb.test_the_old_class_the_internal_default_and_tls_to_the_gateway,),
    "E11": (alb.test_name_class_scheme_and_subnets,),
    "E12": (alb.test_name_class_scheme_and_subnets, alb.test_the_old_class_the_internal_default_and_tls_to_the_gateway),
    "E13": (alb.test_ip_targets_are_pods_that_are_asked_on_their_status_port, alb.test_instance_targets_are_asked_at_the_node_port_of_the_status_port),
    "E14": (alb.test_name_class_scheme_and_subnets,),
    "E15": (alb.test_listeners_certificates_policy_and_redirect,),
    "E16": (alb.test_listeners_certificates_policy_and_redirect,),
    "E17": (alb.test_listeners_certificates_policy_and_redirect, alb.test_the_old_class_the_internal_default_and_tls_to_the_gateway),
    "E18": (alb.test_listeners_certificates_policy_and_redirect,),
    "E19": (alb.test_an_action_is_a_rule_for_every_host,),
    **dict.fromkeys(
        ("E20", "E21", "E22", "E23", "E24", "E25", "E26"),
        (alb.test_ip_targets_are_pods_that_are_asked_on_their_status_port, alb.test_instance_targets_are_asked_at_the_node_port_of_the_status_port),
    ),
    "E27": (alb.test_tags_attributes_logs_and_the_guard_against_deletion,),
    "E28": (alb.test_tags_attributes_logs_and_the_guard_against_deletion,),
    "E29": (alb.test_web_acl_and_shield, removal.test_what_is_switched_off_or_taken_out_of_the_inventory_is_off_in_aws),
    "E30": (alb.test_web_acl_and_shield, removal.test_what_is_switched_off_or_taken_out_of_the_inventory_is_off_in_aws),
    "E31": (
        alb.test_tags_attributes_logs_and_the_guard_against_deletion,
        removal.test_what_is_switched_off_or_taken_out_of_the_inventory_is_off_in_aws,
    ),
    "E32": (
        alb.test_tags_attributes_logs_and_the_guard_against_deletion,
        removal.test_deletion_protection_blocks_the_teardown_until_it_is_overridden,
    ),
    "F2": (nlb.test_it_is_the_controllers_and_faces_the_internet,),
    "F3": (
        nlb.test_ip_targets_are_pods_that_are_asked_on_their_status_port,
        nlb.test_instance_targets_with_the_local_policy_are_asked_by_kube_proxys_own_check,
    ),
    "F4": (nlb.test_it_is_the_controllers_and_faces_the_internet, nlb.test_instance_targets_with_the_local_policy_are_asked_by_kube_proxys_own_check),
    "F5": (nlb.test_attributes_logs_and_tags,),
    "F6": (nlb.test_tls_ends_at_one_port_and_the_status_port_has_no_listener,),
    "F7": (nlb.test_tls_ends_at_one_port_and_the_status_port_has_no_listener,),
    "F8": (nlb.test_it_is_the_controllers_and_faces_the_internet,),
    "F9": (nlb.test_a_charts_gateway_gets_the_same_load_balancer,),
    "F10": (
        nlb.test_only_the_named_ranges_may_connect,
        nlb.test_instance_targets_with_the_local_policy_are_asked_by_kube_proxys_own_check,
        nlb.test_each_subnet_has_the_address_that_was_given,
    ),
}

# What the local AWS does not hold, so that no test here can read it back; the rendered annotation is in the tests of units.
NOT_HELD = {
    "wafv2 rules, access log files, redirects that are followed": "nothing goes through an emulated load balancer: what is set is held, not done",
}


def _rows(family: str, first: int, last: int) -> set[str]:
    listed = {each["id"] for each in yaml.safe_load((REPOSITORY / "tests/requirements/requirements.yml").read_text())}
    return {identifier for number in range(first, last + 1) if (identifier := f"{family}{number}") in listed}


def test_no_annotation_is_forgotten() -> None:
    expected = _rows("E", 9, 32) | _rows("F", 2, 10)
    assert len(expected) == 33
    assert set(ROWS) == expected


@pytest.mark.parametrize("identifier", sorted(ROWS))
def test_its_tests_say_that_they_show_it(identifier: str) -> None:
    for test in ROWS[identifier]:
        marks = getattr(test, "pytestmark", [])
        assert identifier in [each for mark in marks if mark.name == "requirement" for each in mark.args], f"{test.__name__} has no mark of {identifier}"
