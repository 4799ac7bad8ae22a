"""The module eks_cluster_info: a cluster's state, and the way to it."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._aws.session import AwsSession
from ansible_collections.meshwright.ambient.plugins.module_utils._errors import MeshError
from ansible_collections.meshwright.ambient.plugins.modules.eks_cluster_info import OPTIONS, read_cluster
from tests.unit.aws_stub import AwsStub, stub_module

AUTH = {option: {"type": "str"} for option in ("access_key", "secret_key", "session_token", "profile")}
ARN = "arn:aws:eks:eu-west-1:123456789012:cluster/prod"


def module(**options: Any) -> Any:
    return stub_module({**AUTH, **OPTIONS}, name="prod", **options)


def test_a_cluster_that_is_not_there_is_no_failure() -> None:
    with AwsStub() as aws:
        aws.refuse("eks", "describe_cluster", "ResourceNotFoundException", status=404, name="prod")
        aws.answer("sts", "get_caller_identity", {"Account": "123456789012"})
        assert read_cluster(module(), aws.session) == {"changed": False, "exists": False, "account_id": "123456789012"}


def test_a_cluster_is_described_with_a_kubeconfig() -> None:
    reported = {
        "name": "prod",
        "arn": ARN,
        "status": "ACTIVE",
        "version": "1.34",
        "endpoint": "https://prod.example",
        "certificateAuthority": {"data": "Q0E="},
        "identity": {"oidc": {"issuer": "https://oidc.example/id/1"}},
        "resourcesVpcConfig": {"vpcId": "vpc-1", "clusterSecurityGroupId": "sg-1", "subnetIds": ["subnet-b", "subnet-a"]},
        "accessConfig": {"authenticationMode": "API"},
        "tags": {"team": "mesh"},
    }
    with AwsStub() as aws:
        aws.answer("eks", "describe_cluster", {"cluster": reported}, name="prod")
        result = read_cluster(module(profile="prod"), aws.session)
    assert (result["exists"], result["account_id"], result["status"], result["version"]) == (True, "123456789012", "ACTIVE", "1.34")
    assert (result["oidc_issuer"], result["vpc_id"], result["cluster_security_group_id"]) == ("https://oidc.example/id/1", "vpc-1", "sg-1")
    assert (result["subnet_ids"], result["authentication_mode"], result["tags"]) == (["subnet-a", "subnet-b"], "API", {"team": "mesh"})
    assert result["kubeconfig"]["clusters"][0]["cluster"] == {"server": "https://prod.example", "certificate-authority-data": "Q0E="}
    program = result["kubeconfig"]["users"][0]["user"]["exec"]
    assert program["command"] == sys.executable
    assert program["args"][2:] == ["prod", "eu-west-1", "https://sts.eu-west-1.amazonaws.com", "prod"]
    assert aws.session.api_calls == {"eks:DescribeCluster": 1}


def test_a_cluster_that_is_still_made_has_no_kubeconfig() -> None:
    with AwsStub() as aws:
        aws.answer("eks", "describe_cluster", {"cluster": {"name": "prod", "arn": ARN, "status": "CREATING"}}, name="prod")
        result = read_cluster(module(), aws.session)
    assert (result["exists"], result["status"], "kubeconfig" in result) == (True, "CREATING", False)


def test_keys_in_options_are_refused_before_anything_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    with AwsStub() as aws, pytest.raises(MeshError, match="The option access_key cannot be used here"):
        read_cluster(module(access_key="AKIAIOSFODNN7EXAMPLE", secret_key="planted"), aws.session)
    assert aws.session.api_calls == {}


def test_an_unknown_region_is_reported() -> None:
    with pytest.raises(MeshError, match="The cluster's region is unknown: set the option region, or AWS_REGION"):
        read_cluster(module(), AwsSession("", lambda _service: None))
