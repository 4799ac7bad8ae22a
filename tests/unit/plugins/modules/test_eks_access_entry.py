"""What the module asks of EKS, and in which order; what is decided is tested with the plan."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._errors import MeshError
from ansible_collections.meshwright.ambient.plugins.modules import eks_access_entry
from tests.unit.aws_stub import AwsStub, stub_module

ADA, BOB, EVE = (f"arn:aws:iam::123456789012:role/{name}" for name in ("ada", "bob", "eve"))
OF_EKS = "arn:aws:iam::123456789012:role/aws-service-role/eks.amazonaws.com/AWSServiceRoleForAmazonEKS"
VIEW, EDIT, ADMIN = (f"arn:aws:eks::aws:cluster-access-policy/AmazonEKS{name}Policy" for name in ("View", "Edit", "ClusterAdmin"))
CREATED = datetime(2026, 11, 1, tzinfo=UTC)
LATER = CREATED + timedelta(days=1)


def _item(principal: str, **fields: Any) -> dict[str, Any]:
    item = {option: rule.get("default") for option, rule in eks_access_entry.OPTIONS["entries"]["options"].items()} | {"principal_arn": principal, **fields}
    policies = item["policies"]
    return {**item, "policies": None if policies is None else [{"namespaces": [], **one} for one in policies]}


def _run(aws: AwsStub, *items: dict[str, Any], check_mode: bool = False, warnings: list[str] | None = None, **params: Any) -> dict[str, Any]:
    module = stub_module(eks_access_entry.OPTIONS, check_mode=check_mode, cluster="prod", entries=list(items), **params)
    result: dict[str, Any] = eks_access_entry.ensure_entries(module, aws.session)
    if warnings is not None:
        warnings += module.warnings
    return result


def _lists(aws: AwsStub, *principals: str) -> None:
    aws.answer("eks", "list_access_entries", {"accessEntries": list(principals)}, clusterName="prod")


def _describes(aws: AwsStub, principal: str, policies: dict[str, list[str]] | None = None, created: datetime = LATER, **fields: Any) -> None:
    """An entry; its policies are only listed when they are given."""
    entry = {"principalArn": principal, "type": "STANDARD", "accessEntryArn": f"{principal}/entry", "createdAt": created, **fields}
    aws.answer("eks", "describe_access_entry", {"accessEntry": entry}, clusterName="prod", principalArn=principal)
    if policies is not None:
        associated = [{"policyArn": arn, "accessScope": {"type": "namespace" if names else "cluster", "namespaces": names}} for arn, names in policies.items()]
        answer = {"associatedAccessPolicies": associated}
        aws.answer("eks", "list_associated_access_policies", answer, clusterName="prod", principalArn=principal)


def _offers(aws: AwsStub) -> None:
    aws.answer("eks", "list_access_policies", {"accessPolicies": [{"name": arn.rpartition("/")[2], "arn": arn} for arn in (VIEW, EDIT, ADMIN)]})


def _describes_cluster(aws: AwsStub, mode: str = "API", **config: Any) -> None:
    aws.answer("eks", "describe_cluster", {"cluster": {"createdAt": CREATED, "accessConfig": {"authenticationMode": mode, **config}}}, name="prod")


def _associates(aws: AwsStub, principal: str, policy: str, *namespaces: str) -> None:
    scope: dict[str, Any] = {"type": "namespace", "namespaces": list(namespaces)} if namespaces else {"type": "cluster"}
    aws.answer("eks", "associate_access_policy", {}, clusterName="prod", principalArn=principal, policyArn=policy, accessScope=scope)


def test_an_unchanged_run_lists_once_and_asks_twice_for_each_entry() -> None:
    with AwsStub() as aws:
        _lists(aws, EVE, BOB, ADA)
        _describes(aws, ADA, {VIEW: ["shop"]}, kubernetesGroups=["a"])
        _describes(aws, BOB)
        result = _run(aws, _item(ADA, kubernetes_groups=["a"], policies=[{"policy": "AmazonEKSViewPolicy", "namespaces": ["shop"]}]), _item(BOB))
        assert aws.session.api_calls == {"eks:DescribeAccessEntry": 2, "eks:ListAccessEntries": 1, "eks:ListAssociatedAccessPolicies": 1}
    assert (result["changed"], result["diff"]) == (False, [])
    assert [(entry["principal_arn"], entry["action"]) for entry in result["entries"]] == [(ADA, "unchanged"), (BOB, "unchanged")]


def test_what_gives_access_comes_before_what_takes_it_away() -> None:
    with AwsStub() as aws:
        _lists(aws, BOB, EVE)
        _describes(aws, EVE, {EDIT: []})
        _describes(aws, BOB, {VIEW: []}, tags={"old": "1"})
        _offers(aws)
        _describes_cluster(aws)
        aws.answer("eks", "update_access_entry", {}, clusterName="prod", principalArn=BOB, username="bob")
        aws.answer("eks", "create_access_entry", {}, clusterName="prod", principalArn=ADA, type="STANDARD", kubernetesGroups=["a"])
        _associates(aws, BOB, EDIT, "shop", "shop-*")
        aws.answer("eks", "tag_resource", {}, resourceArn=f"{BOB}/entry", tags={"new": "2"})
        aws.answer("eks", "untag_resource", {}, resourceArn=f"{BOB}/entry", tagKeys=["old"])
        _associates(aws, ADA, ADMIN)
        aws.answer("eks", "disassociate_access_policy", {}, clusterName="prod", principalArn=BOB, policyArn=VIEW)
        aws.answer("eks", "delete_access_entry", {}, clusterName="prod", principalArn=EVE)
        result = _run(
            aws,
            _item(EVE, state="absent"),
            _item(BOB, username="bob", policies=[{"policy": "AmazonEKSEditPolicy", "namespaces": ["shop-*", "shop"]}], tags={"new": 2}),
            _item(ADA, kubernetes_groups=["a"], policies=[{"policy": ADMIN}]),
        )
    assert [entry["action"] for entry in result["entries"]] == ["deleted", "updated", "created"]
    assert result["diff"][2]["after"] == "type: STANDARD\nkubernetes_groups: ['a']\npolicies.AmazonEKSClusterAdminPolicy: cluster\n"


def test_check_mode_reads_only() -> None:
    with AwsStub() as aws:
        _lists(aws, BOB)
        _describes(aws, BOB, {VIEW: []})
        _offers(aws)
        result = _run(aws, _item(BOB, policies=[]), _item(ADA, policies=[{"policy": ADMIN}]), check_mode=True)
    assert [entry["action"] for entry in result["entries"]] == ["updated", "created"]


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("ResourceNotFoundException", "No cluster found"),
        ("InvalidRequestException", "The cluster's authentication mode must be set to one of [API, API_AND_CONFIG_MAP]"),
    ],
)
def test_check_mode_knows_that_an_earlier_task_would_make_it_possible(code: str, message: str) -> None:
    with AwsStub() as aws:
        aws.refuse("eks", "list_access_entries", code, message, clusterName="prod")
        warnings: list[str] = []
        result = _run(aws, _item(ADA, policies=[{"policy": "AmazonEKSViewPolicy"}]), check_mode=True, warnings=warnings)
    assert result["entries"][0]["action"] == "created"
    assert warnings == ["There is no EKS cluster prod in eu-west-1 with access entries yet: all its access entries are reported as new."]


def test_a_cluster_that_takes_no_entries_is_refused() -> None:
    reported = "Cluster prod does not support access entries, because its authentication mode is CONFIG_MAP: change it to API_AND_CONFIG_MAP first"
    with AwsStub() as aws:
        aws.refuse("eks", "list_access_entries", "InvalidRequestException", "The cluster's authentication mode must be set to one of [API]", clusterName="prod")
        with pytest.raises(MeshError, match=reported):
            _run(aws, _item(ADA))
    with AwsStub() as aws:
        _lists(aws)
        _describes_cluster(aws, "CONFIG_MAP")
        with pytest.raises(MeshError, match=reported):
            _run(aws, _item(ADA))


def test_an_unknown_policy_is_refused_before_the_first_write() -> None:
    with AwsStub() as aws:
        _lists(aws)
        _offers(aws)
        with pytest.raises(MeshError) as caught:
            _run(aws, _item(ADA, policies=[{"policy": "Admin"}]), _item(BOB))
    assert caught.value.message == (
        f"Access entry of {ADA}: EKS has no access policy Admin: choose one of AmazonEKSClusterAdminPolicy, AmazonEKSEditPolicy, AmazonEKSViewPolicy.\n"
        "Nothing was changed on cluster prod."
    )


def test_validation_errors_are_refused_before_anything_is_asked() -> None:
    with AwsStub() as aws, pytest.raises(MeshError, match="group system:masters is reserved for Kubernetes"):
        _run(aws, _item(ADA, kubernetes_groups=["system:masters"]))
    assert aws.session.api_calls == {}


def test_a_purge_spares_eks_nodes_creator_and_caller() -> None:
    nodes, deploy = "arn:aws:iam::123456789012:role/nodes", "arn:aws:iam::123456789012:role/deploy"
    with AwsStub() as aws:
        _lists(aws, OF_EKS, nodes, deploy, ADA, BOB, EVE)
        _describes(aws, BOB)
        _describes(aws, ADA, {ADMIN: []}, CREATED + timedelta(seconds=30))
        _describes(aws, deploy, {ADMIN: []})
        _describes(aws, EVE, {ADMIN: []})
        _describes(aws, nodes, {}, type="EC2_LINUX")
        _describes_cluster(aws, bootstrapClusterCreatorAdminPermissions=True)
        aws.answer("sts", "get_caller_identity", {"Arn": "arn:aws:sts::123456789012:assumed-role/deploy/job"})
        aws.answer("eks", "delete_access_entry", {}, clusterName="prod", principalArn=EVE)
        result = _run(aws, _item(BOB), purge=True)
        # The cluster is described once, for the purge and for its authentication mode.
        assert aws.session.api_calls["eks:DescribeCluster"] == 1
    assert [(entry["principal_arn"], entry["action"], entry["reason"]) for entry in result["entries"]] == [
        (BOB, "unchanged", ""),
        (ADA, "kept", "it belongs to the cluster's creator"),
        (OF_EKS, "kept", "it belongs to EKS"),
        (deploy, "kept", "this run itself uses it"),
        (EVE, "deleted", ""),
        (nodes, "kept", "nodes need it (type EC2_LINUX)"),
    ]


def test_a_refused_entry_gets_no_policies_and_the_others_do() -> None:
    with AwsStub() as aws:
        _lists(aws)
        _offers(aws)
        _describes_cluster(aws)
        aws.refuse("eks", "create_access_entry", "InvalidParameterException", "it is wrong", clusterName="prod", principalArn=ADA, type="STANDARD")
        aws.answer("eks", "create_access_entry", {}, clusterName="prod", principalArn=BOB, type="STANDARD")
        _associates(aws, BOB, VIEW)
        with pytest.raises(MeshError) as caught:
            _run(aws, *(_item(principal, policies=[{"policy": "AmazonEKSViewPolicy"}]) for principal in (ADA, BOB)))
    assert "(InvalidParameterException): it is wrong" in caught.value.message
    assert caught.value.message.endswith(f"Written: Access entry of {BOB} for cluster prod.")


def test_an_entry_that_goes_while_it_is_read_is_new() -> None:
    with AwsStub() as aws:
        _lists(aws, ADA)
        aws.refuse("eks", "describe_access_entry", "ResourceNotFoundException", clusterName="prod", principalArn=ADA)
        assert _run(aws, _item(ADA), check_mode=True)["entries"][0]["action"] == "created"
