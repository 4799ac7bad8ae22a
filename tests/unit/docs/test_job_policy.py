"""The IAM policy in docs/ allows what the modules of this collection may send, and is one that AWS takes."""

from __future__ import annotations

import ast
import json

import botocore.session
import pytest
from botocore import xform_name

from tests.job_policy import POLICY, action_of, allowed, is_allowed, statements
from twin.paths import REPOSITORY

SERVICES = ("acm", "ec2", "eks", "elbv2", "iam", "route53", "s3", "shield", "sts", "wafv2")
# What site.yml never asks for: no role deletes a cluster.
NOT_FOR_SITE = {"eks:DeleteCluster"}


def operations_in_code() -> set[str]:
    """The IAM actions of all strings in plugins/ that name an operation, behind the service that they follow, or of EKS alone."""
    session = botocore.session.get_session()
    names = {service: {xform_name(name): name for name in session.get_service_model(service).operation_names} for service in SERVICES}
    found = set()
    for path in (REPOSITORY / "plugins").rglob("*.py"):
        tree = ast.parse(path.read_text())
        strings = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
        calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("call", "pages"))
        services = {call.args[0].value for call in calls if call.args and isinstance(call.args[0], ast.Constant)} & set(SERVICES)
        # A plan names the operation, and the file that sends it the service.
        services |= {service for package, service in {"_eks": "eks", "_oidc": "iam"}.items() if path.parent.name.startswith(package)}
        for service in services:
            found |= {action_of(service, names[service][text]) for text in strings & set(names[service])}
    return found


def test_the_policy_allows_what_the_modules_may_send() -> None:
    found = operations_in_code()
    assert {"eks:CreateCluster", "eks:UpdateNodegroupVersion", "iam:CreateOpenIDConnectProvider", "acm:RequestCertificate"} <= found, sorted(found)
    lacking = sorted(action for action in found - NOT_FOR_SITE if not is_allowed(action))
    assert not lacking, f"{POLICY.name} does not allow {', '.join(lacking)}"


def test_aws_would_take_the_policy() -> None:
    """A managed policy has at most 6,144 characters without white space; statement ids are unique and alphanumeric."""
    size = len(json.dumps(json.loads(POLICY.read_text()), separators=(",", ":")))
    assert size <= 6144
    ids = [statement["Sid"] for statement in statements()]
    assert len(ids) == len(set(ids)) and all(name.isalnum() for name in ids), ids


@pytest.mark.parametrize("statement", statements(), ids=lambda statement: statement["Sid"])
def test_actions_are_listed_in_order_and_once(statement: dict[str, object]) -> None:
    actions = statement["Action"]
    if isinstance(actions, list):
        assert actions == sorted(set(actions))
    assert len(allowed()) == len(set(allowed())), "an action stands in two statements"
