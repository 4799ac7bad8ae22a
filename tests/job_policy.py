"""docs/platforms/eks-job-policy.json: the IAM policy of a job that runs inventories/prod."""

from __future__ import annotations

import fnmatch
import functools
import json
from typing import Any

from twin.paths import REPOSITORY

POLICY = REPOSITORY / "docs" / "platforms" / "eks-job-policy.json"

# Where an operation is not allowed by an action of its own name. https://docs.aws.amazon.com/service-authorization/latest/reference/
_SERVICES = {"elbv2": "elasticloadbalancing"}
_ACTIONS = {
    "s3:GetBucketAccelerateConfiguration": "s3:GetAccelerateConfiguration",
    "s3:GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "s3:GetObjectLockConfiguration": "s3:GetBucketObjectLockConfiguration",
    "s3:GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
    "s3:HeadBucket": "s3:ListBucket",
    "s3:ListBuckets": "s3:ListAllMyBuckets",
    "s3:ListBucketInventoryConfigurations": "s3:GetInventoryConfiguration",
    "s3:PutBucketEncryption": "s3:PutEncryptionConfiguration",
    "s3:PutPublicAccessBlock": "s3:PutBucketPublicAccessBlock",
}


def action_of(service: str, operation: str) -> str:
    """The IAM action that allows an operation: C(elbv2), C(DescribeTags) is C(elasticloadbalancing:DescribeTags)."""
    action = f"{_SERVICES.get(service, service)}:{operation}"
    return _ACTIONS.get(action, action)


def statements() -> list[dict[str, Any]]:
    """The policy's statements."""
    found: list[dict[str, Any]] = json.loads(POLICY.read_text())["Statement"]
    return found


@functools.cache
def allowed() -> tuple[str, ...]:
    """All actions that the policy allows, on whatever."""
    actions = (statement["Action"] for statement in statements())
    return tuple(action for some in actions for action in ([some] if isinstance(some, str) else some))


def is_allowed(action: str) -> bool:
    return any(fnmatch.fnmatchcase(action, pattern) for pattern in allowed())
