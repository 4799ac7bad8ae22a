# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Reads buckets for access logs from S3."""

from __future__ import annotations

import json
import typing as t

from .._aws.errors import DENIED, AwsError
from .rules import Bucket

if t.TYPE_CHECKING:
    from .._aws.session import AwsSession


def read_bucket(session: AwsSession, name: str) -> Bucket:
    """A bucket with its policy."""
    try:
        answer = session.call("s3", "head_bucket", Bucket=name)
    except AwsError as error:
        # A request without a body is answered without a code: botocore gives the status.
        if error.status in (403, 301) or error.code in ("403", "301", *DENIED):
            return Bucket(name, exists=None)
        if error.status == 404 or error.absent:
            return Bucket(name, exists=False)
        raise
    return Bucket(name, True, answer.get("BucketRegion") or "", _policy(session, name))


def _policy(session: AwsSession, name: str) -> list[t.Mapping[str, t.Any]] | None:
    try:
        policy = json.loads(session.call("s3", "get_bucket_policy", Bucket=name)["Policy"])
    except AwsError as error:
        if error.code == "NoSuchBucketPolicy":
            return []
        if error.code in DENIED:
            return None
        raise
    statements = policy.get("Statement") or []
    return [statements] if isinstance(statements, dict) else list(statements)


__all__ = ("read_bucket",)
