"""Who calls: from an access key to an IAM principal, in moto's own books."""

from __future__ import annotations

import os
from dataclasses import dataclass

from moto.iam.models import get_account_id_from, iam_backends
from moto.sts.models import sts_backends
from moto.utilities.utils import get_partition


@dataclass(frozen=True)
class Identity:
    """What STS GetCallerIdentity answers, and the IAM principal behind it."""

    user_id: str
    arn: str
    account: str
    principal: str
    """The ARN that access entries name: of a session's role, with its path; else the same as `arn`."""


def identity_of(access_key: str, region: str) -> Identity:
    """Who has this key: the session of a role, a user, or else the account's owner, as moto has it."""
    backend = sts_backends[get_account_id_from(access_key)][get_partition(region)]
    user_id, arn, account = backend.get_caller_identity(access_key, region)
    session = backend.get_assumed_role_from_access_key(access_key)
    return Identity(user_id, arn, account, str(session.role_arn) if session else arn)


def secret_of(access_key: str, region: str) -> str | None:
    """The secret of a key: of a session or a user, or the owner's, which the environment of the server names; else unknown."""
    account, partition = get_account_id_from(access_key), get_partition(region)
    session = sts_backends[account][partition].get_assumed_role_from_access_key(access_key)
    if session:
        return str(session.secret_access_key)
    key = iam_backends[account][partition].access_keys.get(access_key)
    if key:
        return str(key.secret_access_key)
    return os.environ.get("AWS_SECRET_ACCESS_KEY") if os.environ.get("AWS_ACCESS_KEY_ID") == access_key else None
