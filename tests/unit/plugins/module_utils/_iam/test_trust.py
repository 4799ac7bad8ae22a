"""Who may assume a role."""

from __future__ import annotations

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._iam.trust import partition_of, trust_nodes, trust_service, trust_service_account

ACCOUNT = "arn:aws:iam::123456789012"


@pytest.mark.parametrize(
    ("region", "partition", "service"),
    [
        ("eu-central-1", "aws", "ec2.amazonaws.com"),
        ("us-gov-west-1", "aws-us-gov", "ec2.amazonaws.com"),
        ("cn-north-1", "aws-cn", "ec2.amazonaws.com.cn"),
    ],
)
def test_a_partition_is_that_of_the_region(region: str, partition: str, service: str) -> None:
    assert partition_of(region) == partition
    assert trust_nodes(partition)["Statement"] == [{"Effect": "Allow", "Principal": {"Service": service}, "Action": ["sts:AssumeRole"]}]


def test_pods_assume_a_role_by_their_service_account() -> None:
    names = {"account": ACCOUNT, "issuer": "https://oidc.example/id/1", "namespace": "shop", "name": "reports"}
    assert trust_service_account("pod_identity", **names) == trust_service("pods.eks.amazonaws.com", tag_session=True)
    assert trust_service_account("none", **names) == {}
    (statement,) = trust_service_account("irsa", **names)["Statement"]
    assert statement == {
        "Effect": "Allow",
        "Principal": {"Federated": f"{ACCOUNT}:oidc-provider/oidc.example/id/1"},
        "Action": ["sts:AssumeRoleWithWebIdentity"],
        "Condition": {"StringEquals": {"oidc.example/id/1:sub": "system:serviceaccount:shop:reports", "oidc.example/id/1:aud": "sts.amazonaws.com"}},
    }
