# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Can a load balancer write its access logs to this bucket? Pure: the bucket's policy comes in."""

from __future__ import annotations

import fnmatch
import re
import typing as t
from dataclasses import dataclass

Statement = t.Mapping[str, t.Any]

# Who writes (user guides: "Enable access logs for your Application Load Balancer", "... Network Load Balancer").
_WRITERS = {"alb": "logdelivery.elasticloadbalancing.amazonaws.com", "nlb": "delivery.logs.amazonaws.com"}
# In regions from before August 2022, an account of AWS may write instead, another one for each region.
_ACCOUNT = re.compile(r"^(arn:aws[a-z-]*:iam::)?\d{12}(:root)?$")


@dataclass(frozen=True)
class Bucket:
    """A bucket.

    Attributes:
        name: its name.
        exists: whether it does; None when it may not be read.
        region: where it is; empty when AWS does not say.
        policy: its statements; empty when it has no policy, None when it may not be read.
    """

    name: str
    exists: bool | None = True
    region: str = ""
    policy: t.Sequence[Statement] | None = ()


def check_bucket(bucket: Bucket, prefix: str, region: str, kind: str) -> t.Iterator[tuple[str, str]]:
    """What is wrong with a bucket for the logs of a load balancer: severity and sentence.

    Args:
        bucket: the bucket.
        prefix: where in it the logs go.
        region: the load balancer's.
        kind: C(alb) or C(nlb), as different services write.
    """
    writer = _WRITERS[kind]
    if bucket.exists is False:
        yield "error", f"there is no bucket {bucket.name}: correct the bucket of access_logs, or create it in {region}."
    elif bucket.exists is None:
        yield (
            "warning",
            f"the bucket {bucket.name} cannot be read with these credentials: check that it is in {region} and allows {writer} to write.",
        )
    elif bucket.region and bucket.region != region:
        yield "error", f"the bucket {bucket.name} is in {bucket.region}, but a load balancer needs one in its own region, {region}."
    elif bucket.policy is not None and not any(_lets_write(statement, bucket.name, prefix, writer) for statement in bucket.policy):
        path = f"{bucket.name}/{prefix.strip('/') + '/' if prefix.strip('/') else ''}AWSLogs/*"
        yield "warning", f"the policy of the bucket {bucket.name} does not allow {writer} to put objects: allow s3:PutObject on arn:aws:s3:::{path}."


def _lets_write(statement: Statement, bucket: str, prefix: str, writer: str) -> bool:
    actions = [action.lower() for action in _several(statement.get("Action"))]
    if statement.get("Effect") != "Allow" or not any(fnmatch.fnmatchcase("s3:putobject", action) for action in actions):
        return False
    path = f"{bucket}/{prefix.strip('/') + '/' if prefix.strip('/') else ''}AWSLogs/123456789012/elasticloadbalancing"
    resources = [resource.split(":::", 1)[-1] for resource in _several(statement.get("Resource"))]
    # A resource may name the account, which is not known here.
    if not any(_reaches(resource, path) for resource in resources):
        return False
    principal = statement.get("Principal")
    if principal == "*":
        return True
    principals: t.Mapping[str, t.Any] = principal if isinstance(principal, dict) else {}
    accounts = _several(principals.get("AWS"))
    return writer in _several(principals.get("Service")) or any(account == "*" or _ACCOUNT.match(account) for account in accounts)


def _reaches(resource: str, path: str) -> bool:
    """Whether a pattern of a policy matches objects below a path, whatever account it names."""
    any_account = re.sub(r"/AWSLogs/\d{12}", "/AWSLogs/123456789012", resource)
    return fnmatch.fnmatchcase(f"{path}/x", any_account)


def _several(value: t.Any) -> list[str]:
    """What policies write as one text or as a list of texts."""
    return [value] if isinstance(value, str) else [str(one) for one in value or ()]


__all__ = ("Bucket", "check_bucket")
