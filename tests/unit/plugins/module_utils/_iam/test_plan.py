"""In what IAM roles and managed policies differ from the desired ones."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._iam.plan import policy_differences, role_differences
from ansible_collections.meshwright.ambient.plugins.module_utils._iam.spec import ManagedPolicy, Role

TRUST = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": ["sts:AssumeRole"]}]}
WORKER, CNI = "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy", "arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy"
BOUNDARY = "arn:aws:iam::123456789012:policy/boundary"
ROLE = {"RoleName": "prod-nodes", "Path": "/", "AssumeRolePolicyDocument": TRUST, "Tags": [{"Key": "Stage", "Value": "prod"}, {"Key": "Owner", "Value": "x"}]}
DESIRED: dict[str, Any] = {"name": "prod-nodes", "trust": TRUST, "managed_policies": (WORKER, CNI), "tags": {"Stage": "prod"}}


@pytest.mark.parametrize(
    ("desired", "current", "attached", "differs"),
    [
        ({}, ROLE, [CNI, WORKER], []),
        ({}, None, [], ["missing"]),
        # One way to write a policy is as good as another.
        ({"trust": {**TRUST, "Statement": [{**TRUST["Statement"][0], "Action": "sts:AssumeRole"}]}}, ROLE, [WORKER, CNI], []),  # type: ignore[dict-item]
        ({"trust": {**TRUST, "Statement": []}}, ROLE, [WORKER, CNI], ["trust"]),
        ({}, ROLE, [WORKER], ["managed_policies"]),
        ({}, ROLE, [WORKER, CNI, BOUNDARY], ["managed_policies"]),
        ({"path": "/mesh/"}, ROLE, [WORKER, CNI], ["path"]),
        ({"tags": {"Stage": "test"}}, ROLE, [WORKER, CNI], ["tags"]),
        ({"tags": {"Stage": "prod", "Cost": 7}}, {**ROLE, "Tags": [*ROLE["Tags"], {"Key": "Cost", "Value": "7"}]}, [WORKER, CNI], []),  # type: ignore[misc]
        ({"boundary": BOUNDARY}, ROLE, [WORKER, CNI], ["boundary"]),
        ({"boundary": BOUNDARY}, {**ROLE, "PermissionsBoundary": {"PermissionsBoundaryArn": BOUNDARY}}, [WORKER, CNI], []),
        ({}, {**ROLE, "PermissionsBoundary": {"PermissionsBoundaryArn": BOUNDARY}}, [WORKER, CNI], []),
        ({"path": "/mesh/", "tags": {"a": "b"}}, ROLE, [], ["path", "managed_policies", "tags"]),
    ],
)
def test_a_role_is_compared_part_by_part(desired: dict[str, Any], current: dict[str, Any] | None, attached: list[str], differs: list[str]) -> None:
    assert role_differences(Role(**{**DESIRED, **desired}), current, attached) == differs


DOCUMENT = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["ec2:DescribeVpcs", "ec2:DescribeSubnets"], "Resource": "*"}]}
POLICY = {"Arn": BOUNDARY, "DefaultVersionId": "v2", "Tags": [{"Key": "Stage", "Value": "prod"}]}
REORDERED = {**DOCUMENT, "Statement": [{"Resource": ["*"], "Action": ["ec2:DescribeSubnets", "ec2:DescribeVpcs"], "Effect": "Allow"}]}
LESS = {**DOCUMENT, "Statement": [{"Effect": "Allow", "Action": ["ec2:DescribeVpcs"], "Resource": "*"}]}


@pytest.mark.parametrize(
    ("tags", "current", "document", "differs"),
    [
        ({}, POLICY, DOCUMENT, []),
        ({}, POLICY, REORDERED, []),
        ({}, POLICY, LESS, ["document"]),
        ({"Stage": "test"}, POLICY, LESS, ["document", "tags"]),
        ({}, None, None, ["missing"]),
    ],
)
def test_a_policy_is_compared_by_its_default_version(
    tags: dict[str, str], current: dict[str, Any] | None, document: dict[str, Any] | None, differs: list[str]
) -> None:
    assert policy_differences(ManagedPolicy(BOUNDARY, DOCUMENT, tags), current, document) == differs
