"""The module iam_plan: what it asks, and what it returns."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._aws.errors import AwsError
from ansible_collections.meshwright.ambient.plugins.modules.iam_plan import OPTIONS, plan_changes
from tests.unit.aws_stub import AwsStub, stub_module

ARN = "arn:aws:iam::123456789012:policy/prod-alb-controller"
TRUST = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "pods.eks.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
DOCUMENT = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ec2:DescribeVpcs", "Resource": "*"}]}
SINCE = "2026-11-21T00:00:00Z"
ROLE: dict[str, Any] = {"name": "prod-alb-controller", "path": "/", "trust": TRUST, "managed_policies": [ARN], "boundary": None, "tags": {}}
POLICY: dict[str, Any] = {"arn": ARN, "document": DOCUMENT, "tags": {}}


def _answer_role(aws: AwsStub, *attached: str) -> None:
    role = {"Path": "/", "RoleName": ROLE["name"], "RoleId": "A" * 16, "Arn": "arn:aws:iam::123456789012:role/prod-alb-controller", "CreateDate": SINCE}
    aws.answer("iam", "get_role", {"Role": {**role, "AssumeRolePolicyDocument": quote(json.dumps(TRUST))}}, RoleName=ROLE["name"])
    listed = [{"PolicyName": arn.rpartition("/")[2], "PolicyArn": arn} for arn in attached]
    aws.answer("iam", "list_attached_role_policies", {"AttachedPolicies": listed}, RoleName=ROLE["name"])


def _answer_policy(aws: AwsStub) -> None:
    aws.answer("iam", "get_policy", {"Policy": {"Arn": ARN, "DefaultVersionId": "v3"}}, PolicyArn=ARN)
    aws.answer("iam", "get_policy_version", {"PolicyVersion": {"Document": quote(json.dumps(DOCUMENT)), "VersionId": "v3"}}, PolicyArn=ARN, VersionId="v3")


def test_each_costs_two_requests() -> None:
    with AwsStub() as aws:
        _answer_role(aws, ARN)
        _answer_policy(aws)
        result = plan_changes(stub_module(OPTIONS, roles=[ROLE], policies=[POLICY]), aws.session)
    assert result == {"changed": False, "roles": [], "policies": []}
    assert aws.session.api_calls == {"iam:GetPolicy": 1, "iam:GetPolicyVersion": 1, "iam:GetRole": 1, "iam:ListAttachedRolePolicies": 1}


def test_what_differs_is_returned_with_all_its_options() -> None:
    with AwsStub() as aws:
        _answer_role(aws)
        _answer_policy(aws)
        roles, policies = [{**ROLE, "boundary": ARN}], [{**POLICY, "document": {**DOCUMENT, "Statement": []}}]
        result = plan_changes(stub_module(OPTIONS, roles=roles, policies=policies), aws.session)
    assert result["roles"] == [{**roles[0], "differs": ["managed_policies", "boundary"]}]
    assert result["policies"] == [{**policies[0], "differs": ["document"]}]


def test_what_is_missing_is_no_error() -> None:
    with AwsStub() as aws:
        aws.refuse("iam", "get_role", "NoSuchEntity", status=404, RoleName=ROLE["name"])
        aws.refuse("iam", "get_policy", "NoSuchEntity", status=404, PolicyArn=ARN)
        result = plan_changes(stub_module(OPTIONS, roles=[ROLE], policies=[POLICY]), aws.session)
    assert result == {
        "changed": False,
        "roles": [{**ROLE, "differs": ["missing"]}],
        "policies": [{**POLICY, "differs": ["missing"]}],
    }


def test_what_may_not_be_read_is_an_error() -> None:
    with AwsStub() as aws:
        aws.refuse("iam", "get_role", "AccessDenied", status=403, RoleName=ROLE["name"])
        with pytest.raises(AwsError, match="AWS denies iam:GetRole"):
            plan_changes(stub_module(OPTIONS, roles=[ROLE], policies=[]), aws.session)


def test_no_items_need_no_request() -> None:
    with AwsStub() as aws:
        assert plan_changes(stub_module(OPTIONS), aws.session) == {"changed": False, "roles": [], "policies": []}
        assert aws.session.api_calls == {}
