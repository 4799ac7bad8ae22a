"""Operators of a rehearsed account: IAM users with keys of their own, whom its cluster lets in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.twin.support.rehearsed import Rehearsed

_ADMIN = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"


@dataclass(frozen=True)
class Operator:
    """An IAM user who runs jobs."""

    name: str
    arn: str
    access_key: str
    secret_key: str

    @property
    def environment(self) -> dict[str, str]:
        """The keys as a job gets them."""
        return {"AWS_ACCESS_KEY_ID": self.access_key, "AWS_SECRET_ACCESS_KEY": self.secret_key}


@contextmanager
def operator(account: Rehearsed, name: str) -> Iterator[Operator]:
    """An operator who may do everything in the account's cluster, for a block."""
    iam, eks = account.client("iam"), account.client("eks")
    arn = iam.create_user(UserName=name)["User"]["Arn"]
    key = iam.create_access_key(UserName=name)["AccessKey"]
    try:
        eks.create_access_entry(clusterName=account.cluster, principalArn=arn)
        eks.associate_access_policy(clusterName=account.cluster, principalArn=arn, policyArn=_ADMIN, accessScope={"type": "cluster"})
        yield Operator(name, arn, key["AccessKeyId"], key["SecretAccessKey"])
    finally:
        lock_out(account, arn)
        iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
        iam.delete_user(UserName=name)


def lock_out(account: Rehearsed, arn: str) -> None:
    """Take an identity's access entry away, if it has one."""
    eks = account.client("eks")
    if arn in eks.list_access_entries(clusterName=account.cluster)["accessEntries"]:
        eks.delete_access_entry(clusterName=account.cluster, principalArn=arn)
