"""What the module asks of EKS, and in which order; what is decided is tested with the plan."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._errors import MeshError
from ansible_collections.meshwright.ambient.plugins.modules import eks_pod_identity_association
from tests.unit.aws_stub import AwsStub, stub_module

ROLE, OTHER = "arn:aws:iam::123456789012:role/reports", "arn:aws:iam::123456789012:role/other"


def _item(account: str, **fields: Any) -> dict[str, Any]:
    defaults = {option: rule.get("default") for option, rule in eks_pod_identity_association.OPTIONS["associations"]["options"].items()}
    return defaults | {"namespace": "shop", "service_account": account, "role_arn": ROLE, **fields}


def _run(aws: AwsStub, *items: dict[str, Any], check_mode: bool = False, warnings: list[str] | None = None, **params: Any) -> dict[str, Any]:
    module = stub_module(eks_pod_identity_association.OPTIONS, check_mode=check_mode, cluster="prod", associations=list(items), **params)
    result: dict[str, Any] = eks_pod_identity_association.ensure_associations(module, aws.session)
    if warnings is not None:
        warnings += module.warnings
    return result


def _lists(aws: AwsStub, *accounts: str, **owned: str) -> None:
    listed = [{"namespace": "shop", "serviceAccount": name, "associationId": f"a-{name}"} for name in accounts]
    listed += [{"namespace": "kube-system", "serviceAccount": name, "associationId": f"a-{name}", "ownerArn": arn} for name, arn in owned.items()]
    aws.answer("eks", "list_pod_identity_associations", {"associations": listed}, clusterName="prod")


def _describes(aws: AwsStub, account: str, role: str = ROLE, **fields: Any) -> None:
    described = {
        "namespace": "shop",
        "serviceAccount": account,
        "associationId": f"a-{account}",
        "associationArn": f"arn:{account}-association",
        "roleArn": role,
    }
    aws.answer("eks", "describe_pod_identity_association", {"association": {**described, **fields}}, clusterName="prod", associationId=f"a-{account}")


def _has_agent(aws: AwsStub) -> None:
    aws.answer("eks", "describe_addon", {"addon": {}}, clusterName="prod", addonName="eks-pod-identity-agent")


def _lacks_agent(aws: AwsStub, *, auto_mode: bool = False) -> None:
    aws.refuse("eks", "describe_addon", "ResourceNotFoundException", clusterName="prod", addonName="eks-pod-identity-agent")
    aws.answer("eks", "describe_cluster", {"cluster": {"computeConfig": {"enabled": auto_mode}}}, name="prod")


def _creates(aws: AwsStub, account: str, **params: Any) -> None:
    asked = {"clusterName": "prod", "namespace": "shop", "serviceAccount": account, "roleArn": ROLE, **params}
    aws.answer("eks", "create_pod_identity_association", {"association": {"associationId": "a-9"}}, **asked)


def test_an_unchanged_run_lists_once_and_describes_each_once() -> None:
    with AwsStub() as aws:
        _lists(aws, "reports", "others", "cart")
        _describes(aws, "reports", tags={"a": "1"})
        _describes(aws, "cart")
        result = _run(aws, _item("reports", tags={"a": 1}), _item("cart"))
        assert aws.session.api_calls == {"eks:DescribePodIdentityAssociation": 2, "eks:ListPodIdentityAssociations": 1}
    assert (result["changed"], result["diff"]) == (False, [])


def test_what_comes_is_written_before_what_goes() -> None:
    with AwsStub() as aws:
        _lists(aws, "reports", "former", "stray", ebs="arn:addon")
        for account in ("reports", "former", "stray"):
            _describes(aws, account, tags={"old": "1"})
        _has_agent(aws)
        _creates(aws, "cart", targetRoleArn=OTHER, disableSessionTags=True, tags={"n": "1"})
        answer: dict[str, Any] = {"association": {}}
        aws.answer("eks", "update_pod_identity_association", answer, clusterName="prod", associationId="a-reports", roleArn=OTHER)
        aws.answer("eks", "tag_resource", {}, resourceArn="arn:reports-association", tags={"new": "2"})
        aws.answer("eks", "untag_resource", {}, resourceArn="arn:reports-association", tagKeys=["old"])
        for account in ("former", "stray"):
            aws.answer("eks", "delete_pod_identity_association", answer, clusterName="prod", associationId=f"a-{account}")
        result = _run(
            aws,
            _item("former", state="absent", role_arn=None),
            _item("cart", target_role_arn=OTHER, disable_session_tags=True, tags={"n": 1}),
            _item("reports", role_arn=OTHER, tags={"new": 2}),
            purge=True,
        )
    assert [(one["service_account"], one["action"], one["owner_arn"]) for one in result["associations"]] == [
        ("former", "deleted", ""),
        ("cart", "created", ""),
        ("reports", "updated", ""),
        ("ebs", "kept", "arn:addon"),
        ("stray", "deleted", ""),
    ]


def test_check_mode_reads_only_and_knows_that_the_cluster_may_come() -> None:
    warnings: list[str] = []
    with AwsStub() as aws:
        _lists(aws)
        _lacks_agent(aws)
        result = _run(aws, _item("reports"), check_mode=True, missing_agent="fail", warnings=warnings)
    assert result["associations"][0]["action"] == "created"
    assert "has no add-on eks-pod-identity-agent" in warnings[0]
    with AwsStub() as aws:
        aws.refuse("eks", "list_pod_identity_associations", "ResourceNotFoundException", clusterName="prod")
        assert _run(aws, _item("reports"), check_mode=True, warnings=warnings)["changed"]
    assert warnings[1] == "There is no EKS cluster prod in eu-west-1 yet: all its pod identity associations are reported as new."


def test_without_the_agent_nothing_is_written_on_request() -> None:
    with AwsStub() as aws:
        _lists(aws)
        _lacks_agent(aws)
        with pytest.raises(MeshError, match="Cluster prod has no add-on eks-pod-identity-agent, without which pods get no credentials"):
            _run(aws, _item("reports"), missing_agent="fail")


def test_without_the_agent_there_is_a_warning() -> None:
    warnings: list[str] = []
    with AwsStub() as aws:
        _lists(aws)
        _lacks_agent(aws)
        _creates(aws, "reports")
        assert _run(aws, _item("reports"), warnings=warnings)["changed"]
    assert len(warnings) == 1


def test_auto_mode_has_the_agent_built_in() -> None:
    with AwsStub() as aws:
        _lists(aws)
        _lacks_agent(aws, auto_mode=True)
        _creates(aws, "reports")
        assert _run(aws, _item("reports"), missing_agent="fail")["changed"]


def test_the_agent_is_not_asked_for_on_request() -> None:
    with AwsStub() as aws:
        _lists(aws)
        _creates(aws, "reports")
        assert _run(aws, _item("reports"), missing_agent="ignore")["changed"]


def test_what_an_addon_owns_is_refused_before_the_first_write() -> None:
    with AwsStub() as aws:
        _lists(aws, "reports")
        _describes(aws, "reports", OTHER, ownerArn="arn:addon")
        with pytest.raises(MeshError, match="belongs to the add-on arn:addon"):
            _run(aws, _item("reports"), missing_agent="ignore")


def test_validation_errors_are_refused_before_anything_is_asked() -> None:
    with AwsStub() as aws, pytest.raises(MeshError, match="which is not the ARN of an IAM role"):
        _run(aws, _item("reports", role_arn="reports"))
    assert aws.session.api_calls == {}
