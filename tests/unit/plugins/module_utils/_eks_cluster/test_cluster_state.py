"""Reading a cluster, and what belongs to it."""

from __future__ import annotations

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._eks_cluster.state import describe_cluster, list_of_cluster, require_cluster
from ansible_collections.meshwright.ambient.plugins.module_utils._errors import MeshError
from tests.unit.aws_stub import REGION, AwsStub


def test_a_cluster_that_is_not_there_is_an_error_unless_it_may_come() -> None:
    with AwsStub() as aws:
        aws.refuse("eks", "list_addons", "ResourceNotFoundException", status=404, clusterName="prod")
        aws.refuse("eks", "list_addons", "ResourceNotFoundException", status=404, clusterName="prod")
        assert list_of_cluster(aws.session, "list_addons", "addons", "prod", required=False) is None
        with pytest.raises(MeshError) as caught:
            list_of_cluster(aws.session, "list_addons", "addons", "prod", required=True)
    assert caught.value.message == f"There is no EKS cluster prod in {REGION}: correct the name, the region or the account (profile), or create it first."


def test_a_cluster_that_does_not_exist_is_none_or_an_error() -> None:
    with AwsStub() as aws:
        aws.refuse("eks", "describe_cluster", "ResourceNotFoundException", status=404, name="prod")
        aws.refuse("eks", "describe_cluster", "ClientException", "No cluster found for name: prod.", name="prod")
        assert describe_cluster(aws.session, "prod") is None
        with pytest.raises(MeshError, match="There is no EKS cluster prod"):
            require_cluster(aws.session, "prod")
