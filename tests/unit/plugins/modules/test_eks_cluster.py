"""The module eks_cluster: what it asks EKS for, waits for, refuses and tells."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._aws.poll import wait_until
from ansible_collections.meshwright.ambient.plugins.module_utils._eks_cluster import apply
from ansible_collections.meshwright.ambient.plugins.module_utils._errors import MeshError
from ansible_collections.meshwright.ambient.plugins.modules.eks_cluster import OPTIONS, ensure_cluster
from tests.unit.aws_stub import AwsStub, Clock, stub_module

ARN = "arn:aws:eks:eu-west-1:123456789012:cluster/prod"
ROLE = "arn:aws:iam::123456789012:role/prod-cluster"


@pytest.fixture(autouse=True)
def no_sleep(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(apply, "wait_until", partial(wait_until, clock=clock, pause=clock.pause))
    return clock


@pytest.fixture
def aws() -> Iterator[AwsStub]:
    with AwsStub() as stub:
        yield stub


def cluster(status: str = "ACTIVE", version: str = "1.32", **changes: Any) -> dict[str, Any]:
    network = {"subnetIds": ["subnet-a", "subnet-b"], "endpointPublicAccess": True, "endpointPrivateAccess": False, "publicAccessCidrs": ["0.0.0.0/0"]}
    reported = {"name": "prod", "arn": ARN, "status": status, "version": version, "roleArn": ROLE, "resourcesVpcConfig": network, "tags": {"team": "mesh"}}
    return {"cluster": {**reported, "accessConfig": {"authenticationMode": "API"}, **changes}}


def see(aws: AwsStub, *states: dict[str, Any] | None) -> None:
    """The next looks at the cluster; None for one at which it is not there."""
    for state in states:
        if state is None:
            aws.refuse("eks", "describe_cluster", "ResourceNotFoundException", "No cluster found for name: prod.", status=404, name="prod")
        else:
            aws.answer("eks", "describe_cluster", state, name="prod")


def begin(aws: AwsStub, operation: str, identifier: str, kind: str, **params: Any) -> None:
    aws.answer("eks", operation, {"update": {"id": identifier, "status": "InProgress", "type": kind}}, **params)


def track(aws: AwsStub, identifier: str, *states: str, errors: list[dict[str, Any]] | None = None) -> None:
    for state in states:
        reported = {"id": identifier, "status": state, "errors": errors if errors and state == "Failed" else []}
        aws.answer("eks", "describe_update", {"update": reported}, name="prod", updateId=identifier)


def insights(aws: AwsStub, version: str, *found: dict[str, Any]) -> None:
    desired = {"categories": ["UPGRADE_READINESS"], "kubernetesVersions": [version], "statuses": ["ERROR"]}
    aws.answer("eks", "list_insights", {"insights": list(found)}, clusterName="prod", filter=desired)


def run(aws: AwsStub, *, check_mode: bool = False, **options: Any) -> dict[str, Any]:
    return ensure_cluster(stub_module(OPTIONS, check_mode=check_mode, name="prod", **options), aws.session)


# making


def test_a_new_cluster_is_made_and_waited_for(aws: AwsStub) -> None:
    see(aws, None)
    network = {"subnetIds": ["subnet-a", "subnet-b"]}
    aws.answer("eks", "create_cluster", cluster("CREATING"), name="prod", version="1.32", roleArn=ROLE, resourcesVpcConfig=network, tags={"team": "mesh"})
    see(aws, cluster("CREATING"), cluster("CREATING"), cluster())
    result = run(aws, version="1.32", role_arn=ROLE, subnet_ids=["subnet-a", "subnet-b"], tags={"team": "mesh"})
    assert (result["changed"], result["changes"], result["cluster"]["status"]) == (True, ["created"], "ACTIVE")
    assert result["before"] == {}
    assert result["after"] == {"version": "1.32", "role_arn": ROLE, "subnet_ids": ["subnet-a", "subnet-b"], "tags": {"team": "mesh"}}
    assert "version: 1.32" in result["diff"][0]["after"]


def test_without_waiting_it_is_reported_as_it_is(aws: AwsStub) -> None:
    see(aws, None)
    aws.answer("eks", "create_cluster", cluster("CREATING"), name="prod", roleArn=ROLE, resourcesVpcConfig={"subnetIds": ["subnet-a"]})
    assert run(aws, role_arn=ROLE, subnet_ids=["subnet-a"], wait=False)["cluster"]["status"] == "CREATING"


def test_check_mode_makes_nothing(aws: AwsStub) -> None:
    see(aws, None)
    result = run(aws, check_mode=True, role_arn=ROLE, subnet_ids=["subnet-a"])
    assert (result["changed"], result["cluster"]) == (True, {})
    assert aws.session.api_calls == {"eks:DescribeCluster": 1}


def test_what_a_new_cluster_lacks_is_reported_before_it_is_made(aws: AwsStub) -> None:
    see(aws, None)
    with pytest.raises(MeshError, match="EKS cluster prod does not exist, and a new cluster requires role_arn and subnet_ids"):
        run(aws, version="1.32")


def test_a_half_made_cluster_is_waited_for_and_then_changed(aws: AwsStub) -> None:
    see(aws, cluster("CREATING"), cluster("CREATING"), cluster())
    begin(aws, "update_cluster_config", "u-1", "DeletionProtectionUpdate", name="prod", deletionProtection=True)
    track(aws, "u-1", "Successful")
    see(aws, cluster(deletionProtection=True), cluster(deletionProtection=True))
    assert run(aws, deletion_protection=True)["changes"] == ["deletion_protection on"]


def test_a_cluster_that_has_failed_is_reported_with_its_issues(aws: AwsStub) -> None:
    issue = {"code": "Ec2SubnetNotFound", "message": "no such subnet", "resourceIds": ["subnet-a"]}
    see(aws, cluster("FAILED", health={"issues": [issue]}))
    with pytest.raises(MeshError) as caught:
        run(aws)
    assert caught.value.message == (
        "EKS cluster prod in eu-west-1 has FAILED (Ec2SubnetNotFound: no such subnet [subnet-a]): delete it (state absent), fix the cause, and create it again."
    )


def test_a_cluster_that_is_being_deleted_is_made_anew_when_it_is_gone(aws: AwsStub) -> None:
    see(aws, cluster("DELETING"), cluster("DELETING"), None)
    aws.answer("eks", "create_cluster", cluster("CREATING"), name="prod", roleArn=ROLE, resourcesVpcConfig={"subnetIds": ["subnet-a"]})
    see(aws, cluster())
    assert run(aws, role_arn=ROLE, subnet_ids=["subnet-a"])["changes"] == ["created"]


def test_one_that_is_never_ready_is_reported_at_the_end_of_the_wait(aws: AwsStub, no_sleep: Clock) -> None:
    see(aws, *[cluster("CREATING")] * 8)
    with pytest.raises(MeshError, match="EKS cluster prod in eu-west-1 is still CREATING after 10 s: raise wait_timeout, or run again to keep waiting"):
        run(aws, wait_timeout=10)
    assert no_sleep.now == pytest.approx(10)


# changing


def test_an_unchanged_cluster_costs_one_call(aws: AwsStub) -> None:
    see(aws, cluster())
    result = run(aws, version="1.32", role_arn=ROLE, subnet_ids=["subnet-b", "subnet-a"], authentication_mode="API", tags={"team": "mesh"})
    assert (result["changed"], result["changes"], "diff" in result) == (False, [], False)
    assert result["before"] == result["after"]
    assert aws.session.api_calls == {"eks:DescribeCluster": 1}


def test_updates_go_one_after_the_other_and_each_is_tracked(aws: AwsStub) -> None:
    see(aws, cluster())
    aws.answer("eks", "tag_resource", {}, resourceArn=ARN, tags={"cost": "7"})
    aws.answer("eks", "untag_resource", {}, resourceArn=ARN, tagKeys=["team"])
    begin(aws, "update_cluster_config", "u-1", "LoggingUpdate", name="prod", logging={"clusterLogging": [{"types": ["audit"], "enabled": True}]})
    track(aws, "u-1", "InProgress", "Successful")
    see(aws, cluster("UPDATING"), cluster())
    network = {"endpointPublicAccess": True, "endpointPrivateAccess": True}
    begin(aws, "update_cluster_config", "u-2", "EndpointAccessUpdate", name="prod", resourcesVpcConfig=network)
    track(aws, "u-2", "Successful")
    see(aws, cluster(), cluster())
    result = run(aws, log_types=["audit"], endpoint_private_access=True, tags={"cost": 7})
    assert result["changes"] == ["tag cost", "no tag team", "log_types audit", "endpoint access public and private"]
    assert result["updates"] == [
        {"title": "log_types audit", "id": "u-1", "type": "LoggingUpdate", "status": "Successful"},
        {"title": "endpoint access public and private", "id": "u-2", "type": "EndpointAccessUpdate", "status": "Successful"},
    ]
    assert result["before"] == {"log_types": [], "endpoint_private_access": False, "tags": {"team": "mesh"}}
    assert result["after"] == {"log_types": ["audit"], "endpoint_private_access": True, "tags": {"cost": "7"}}


def test_check_mode_reports_the_updates_and_makes_none(aws: AwsStub) -> None:
    see(aws, cluster())
    insights(aws, "1.33")
    result = run(aws, check_mode=True, version="1.34", tags={})
    assert result["changes"] == ["no tag team", "version 1.33", "version 1.34"]
    assert set(aws.session.api_calls) == {"eks:DescribeCluster", "eks:ListInsights"}


def test_an_upgrade_takes_each_minor_in_turn(aws: AwsStub) -> None:
    see(aws, cluster())
    for version, identifier in (("1.33", "u-1"), ("1.34", "u-2")):
        insights(aws, version)
        begin(aws, "update_cluster_version", identifier, "VersionUpdate", name="prod", version=version)
        track(aws, identifier, "InProgress", "InProgress", "Successful")
        see(aws, cluster(version=version))
    see(aws, cluster(version="1.34"))
    result = run(aws, version="1.34")
    assert [update["title"] for update in result["updates"]] == ["version 1.33", "version 1.34"]
    assert result["cluster"]["version"] == "1.34"


def test_what_stands_in_the_way_of_an_upgrade_is_reported_before_anything_changes(aws: AwsStub) -> None:
    see(aws, cluster())
    skew = {"name": "Kubelet version skew", "insightStatus": {"status": "ERROR", "reason": "Node versions are 4 minors behind."}}
    insights(aws, "1.33", skew)
    with pytest.raises(MeshError) as caught:
        run(aws, version="1.33", deletion_protection=True, tags={})
    assert caught.value.message == (
        "EKS cluster prod in eu-west-1 is not ready for version 1.33 (Kubelet version skew: Node versions are 4 minors behind.): "
        "fix this first, or set force_upgrade to true."
    )


def test_insights_that_may_not_be_read_are_a_warning(aws: AwsStub) -> None:
    see(aws, cluster())
    desired = {"categories": ["UPGRADE_READINESS"], "kubernetesVersions": ["1.33"], "statuses": ["ERROR"]}
    aws.refuse("eks", "list_insights", "AccessDeniedException", status=403, clusterName="prod", filter=desired)
    module = stub_module(OPTIONS, check_mode=True, name="prod", version="1.33")
    assert ensure_cluster(module, aws.session)["changed"]
    assert "the upgrade insights for version 1.33 could not be read" in module.warnings[0]


def test_a_forced_upgrade_asks_for_no_insights(aws: AwsStub) -> None:
    see(aws, cluster())
    begin(aws, "update_cluster_version", "u-1", "VersionUpdate", name="prod", version="1.33", force=True)
    track(aws, "u-1", "Successful")
    see(aws, cluster(version="1.33"), cluster(version="1.33"))
    assert run(aws, version="1.33", force_upgrade=True)["changed"]


def test_a_failed_update_is_reported_with_its_errors_and_what_was_done_before(aws: AwsStub) -> None:
    see(aws, cluster())
    begin(aws, "update_cluster_config", "u-1", "DeletionProtectionUpdate", name="prod", deletionProtection=True)
    track(aws, "u-1", "Successful")
    see(aws, cluster())
    begin(aws, "update_cluster_config", "u-2", "VpcConfigUpdate", name="prod", resourcesVpcConfig={"securityGroupIds": ["sg-gone"]})
    track(aws, "u-2", "Failed", errors=[{"errorCode": "SecurityGroupNotFound", "errorMessage": "no such group", "resourceIds": ["sg-gone"]}])
    with pytest.raises(MeshError) as caught:
        run(aws, deletion_protection=True, security_group_ids=["sg-gone"])
    assert caught.value.message == (
        "EKS cluster prod in eu-west-1: the update security_group_ids sg-gone (u-2) ended as Failed "
        "(SecurityGroupNotFound: no such group [sg-gone]): fix this, and run again."
    )
    assert [update["title"] for update in caught.value.details["updates"]] == ["deletion_protection on"]


def test_while_eks_is_at_another_update_this_one_waits(aws: AwsStub) -> None:
    see(aws, cluster())
    for _ in range(2):
        aws.refuse("eks", "update_cluster_config", "ResourceInUseException", "update in progress", status=409, name="prod", deletionProtection=True)
    begin(aws, "update_cluster_config", "u-1", "DeletionProtectionUpdate", name="prod", deletionProtection=True)
    track(aws, "u-1", "Successful")
    see(aws, cluster(), cluster())
    assert run(aws, deletion_protection=True)["changed"]


def test_without_waiting_one_update_is_begun_and_the_rest_is_reported(aws: AwsStub) -> None:
    see(aws, cluster())
    begin(aws, "update_cluster_config", "u-1", "DeletionProtectionUpdate", name="prod", deletionProtection=True)
    see(aws, cluster("UPDATING"))
    module = stub_module(OPTIONS, name="prod", deletion_protection=True, endpoint_private_access=True, wait=False)
    assert [update["status"] for update in ensure_cluster(module, aws.session)["updates"]] == ["InProgress"]
    assert "left for another run: endpoint access public and private" in module.warnings[0]


def test_several_errors_are_reported_at_once(aws: AwsStub) -> None:
    see(aws, cluster())
    with pytest.raises(MeshError) as caught:
        run(aws, version="1.31", role_arn="arn:aws:iam::123456789012:role/other")
    assert len(caught.value.message.split("\n")) == 2


def test_a_key_is_associated_under_the_name_that_this_call_has(aws: AwsStub) -> None:
    key = "arn:aws:kms:eu-west-1:123456789012:key/1"
    configuration = [{"resources": ["secrets"], "provider": {"keyArn": key}}]
    see(aws, cluster())
    begin(aws, "associate_encryption_config", "u-1", "AssociateEncryptionConfig", clusterName="prod", encryptionConfig=configuration)
    track(aws, "u-1", "Successful")
    see(aws, cluster(encryptionConfig=configuration), cluster(encryptionConfig=configuration))
    assert run(aws, encryption_key_arn=key)["cluster"]["encryption_key_arn"] == key


# deleting


def empty(aws: AwsStub, *groups: str) -> None:
    aws.answer("eks", "list_nodegroups", {"nodegroups": list(groups)}, clusterName="prod")


def test_what_is_not_there_needs_no_deletion(aws: AwsStub) -> None:
    aws.refuse("eks", "describe_cluster", "ClientException", "No cluster found for name: prod", name="prod")
    result = run(aws, state="absent")
    assert (result["changed"], result["cluster"]) == (False, {})


def test_a_cluster_is_deleted_and_waited_for(aws: AwsStub) -> None:
    see(aws, cluster())
    empty(aws)
    aws.answer("eks", "delete_cluster", {}, name="prod")
    see(aws, cluster("DELETING"), None)
    result = run(aws, state="absent")
    assert (result["changes"], result["before"], result["after"]) == (["deleted"], {"name": "prod", "version": "1.32"}, {})


def test_check_mode_deletes_nothing(aws: AwsStub) -> None:
    see(aws, cluster())
    empty(aws)
    assert run(aws, check_mode=True, state="absent")["changed"]


def test_a_deletion_that_is_under_way_is_waited_for(aws: AwsStub) -> None:
    see(aws, cluster("DELETING"), cluster("DELETING"), None)
    assert not run(aws, state="absent")["changed"]


def test_node_groups_that_are_left_are_named(aws: AwsStub) -> None:
    see(aws, cluster())
    empty(aws, "system", "apps")
    with pytest.raises(MeshError, match="EKS cluster prod in eu-west-1 still has the node groups apps, system: delete these first"):
        run(aws, state="absent")


def test_deletion_protection_is_respected(aws: AwsStub) -> None:
    see(aws, cluster(deletionProtection=True))
    empty(aws)
    with pytest.raises(MeshError, match="is protected from deletion: set override_deletion_protection to true to delete it all the same"):
        run(aws, state="absent")


def test_all_that_keeps_a_cluster_from_being_deleted_is_reported_at_once(aws: AwsStub) -> None:
    see(aws, cluster(deletionProtection=True))
    empty(aws, "system")
    with pytest.raises(MeshError, match=r"(?s)is protected from deletion.*still has the node groups system"):
        run(aws, state="absent")


def test_deletion_protection_is_overridden_on_request(aws: AwsStub) -> None:
    see(aws, cluster(deletionProtection=True))
    empty(aws)
    begin(aws, "update_cluster_config", "u-1", "DeletionProtectionUpdate", name="prod", deletionProtection=False)
    track(aws, "u-1", "Successful")
    see(aws, cluster())
    aws.answer("eks", "delete_cluster", {}, name="prod")
    see(aws, None)
    assert run(aws, state="absent", override_deletion_protection=True)["changes"] == ["deleted"]


def test_a_failed_cluster_can_be_deleted(aws: AwsStub) -> None:
    see(aws, cluster("FAILED"))
    empty(aws)
    aws.answer("eks", "delete_cluster", {}, name="prod")
    see(aws, None)
    assert run(aws, state="absent")["changed"]


def test_a_half_made_cluster_is_deleted_once_it_is_made(aws: AwsStub) -> None:
    see(aws, cluster("CREATING"))
    empty(aws)
    see(aws, cluster("CREATING"), cluster("FAILED"))
    aws.answer("eks", "delete_cluster", {}, name="prod")
    see(aws, None)
    assert run(aws, state="absent")["changed"]
