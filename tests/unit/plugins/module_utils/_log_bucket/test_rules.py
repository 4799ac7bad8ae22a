"""Whether a load balancer can write its logs to a bucket."""

from __future__ import annotations

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._log_bucket.rules import Bucket, check_bucket

SERVICE = {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"}
ALLOW = {"Effect": "Allow", "Principal": SERVICE, "Action": "s3:PutObject", "Resource": "arn:aws:s3:::logs/AWSLogs/123456789012/*"}


@pytest.mark.requirement("A8")
@pytest.mark.parametrize(
    ("bucket", "prefix", "kind", "expected"),
    [
        (Bucket("logs", False), "", "alb", ("error", "there is no bucket logs")),
        (Bucket("logs", None), "", "alb", ("warning", "cannot be read")),
        (Bucket("logs", region="us-east-1"), "", "alb", ("error", "is in us-east-1")),
        (Bucket("logs"), "", "alb", ("warning", "does not allow logdelivery.elasticloadbalancing.amazonaws.com to put objects")),
        (Bucket("logs", policy=None), "", "alb", None),
        (Bucket("logs", policy=[ALLOW]), "", "alb", None),
        (Bucket("logs", policy=[ALLOW]), "shop", "alb", ("warning", "arn:aws:s3:::logs/shop/AWSLogs/*")),
        (Bucket("logs", policy=[{**ALLOW, "Resource": ["arn:aws:s3:::logs/shop/*"]}]), "/shop/", "alb", None),
        (Bucket("logs", policy=[ALLOW]), "", "nlb", ("warning", "delivery.logs.amazonaws.com")),
        (Bucket("logs", policy=[{**ALLOW, "Principal": {"AWS": "arn:aws:iam::156460612806:root"}, "Action": ["s3:Put*"]}]), "", "alb", None),
        (Bucket("logs", policy=[{**ALLOW, "Effect": "Deny"}]), "", "alb", ("warning", "does not allow")),
        (Bucket("logs", policy=[{**ALLOW, "Action": "s3:GetObject"}]), "", "alb", ("warning", "does not allow")),
        (Bucket("logs", policy=[{**ALLOW, "Principal": {"AWS": "arn:aws:iam::156460612806:user/x"}}]), "", "alb", ("warning", "does not allow")),
    ],
)
def test_a_log_bucket_must_be_there_and_should_let_the_load_balancer_write(bucket: Bucket, prefix: str, kind: str, expected: tuple[str, str] | None) -> None:
    found = list(check_bucket(bucket, prefix, "eu-west-1", kind))
    assert len(found) == (expected is not None)
    if expected:
        assert found[0][0] == expected[0]
        assert expected[1] in found[0][1]
