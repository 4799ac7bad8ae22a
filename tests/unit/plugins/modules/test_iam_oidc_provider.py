"""The module iam_oidc_provider: whom IAM trusts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._errors import MeshError
from ansible_collections.meshwright.ambient.plugins.modules.iam_oidc_provider import OPTIONS, ensure_provider
from tests.unit.aws_stub import AwsStub, stub_module

URL = "https://oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF"
ARN = "arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF"
PRINT = "a" * 40


@pytest.fixture
def aws() -> Iterator[AwsStub]:
    with AwsStub() as stub:
        yield stub


def listed(aws: AwsStub, *arns: str) -> None:
    aws.answer("iam", "list_open_id_connect_providers", {"OpenIDConnectProviderList": [{"Arn": arn} for arn in arns]})


def reported(aws: AwsStub, **content: Any) -> None:
    content = {"ClientIDList": ["sts.amazonaws.com"], "ThumbprintList": [PRINT], "Tags": [{"Key": "team", "Value": "mesh"}], **content}
    aws.answer("iam", "get_open_id_connect_provider", content, OpenIDConnectProviderArn=ARN)


def run(aws: AwsStub, *, check_mode: bool = False, **options: Any) -> dict[str, Any]:
    return ensure_provider(stub_module(OPTIONS, check_mode=check_mode, **{"url": URL, **options}), aws.session)


def test_a_provider_is_made_without_a_thumbprint(aws: AwsStub) -> None:
    listed(aws, ARN[:-1] + "0")
    aws.answer(
        "iam",
        "create_open_id_connect_provider",
        {"OpenIDConnectProviderArn": ARN},
        Url=URL,
        ClientIDList=["sts.amazonaws.com"],
        Tags=[{"Key": "cost", "Value": "7"}],
    )
    result = run(aws, tags={"cost": 7})
    assert (result["changed"], result["arn"], result["changes"]) == (True, ARN, ["created"])
    assert result["after"] == {"url": URL, "client_ids": ["sts.amazonaws.com"], "thumbprints": [], "tags": {"cost": "7"}}


def test_check_mode_makes_none(aws: AwsStub) -> None:
    listed(aws)
    assert run(aws, check_mode=True)["changes"] == ["created"]
    assert aws.session.api_calls == {"iam:ListOpenIDConnectProviders": 1}


@pytest.mark.parametrize("url", [URL, URL + "/"])
def test_an_unchanged_provider_costs_two_calls(aws: AwsStub, url: str) -> None:
    listed(aws, ARN)
    reported(aws)
    result = run(aws, url=url)
    assert (result["changed"], result["arn"], "diff" in result) == (False, ARN, False)
    assert aws.session.api_calls == {"iam:GetOpenIDConnectProvider": 1, "iam:ListOpenIDConnectProviders": 1}


def test_a_provider_is_changed_where_it_differs(aws: AwsStub) -> None:
    listed(aws, ARN)
    reported(aws)
    aws.answer("iam", "add_client_id_to_open_id_connect_provider", {}, OpenIDConnectProviderArn=ARN, ClientID="other")
    aws.answer("iam", "remove_client_id_from_open_id_connect_provider", {}, OpenIDConnectProviderArn=ARN, ClientID="sts.amazonaws.com")
    aws.answer("iam", "update_open_id_connect_provider_thumbprint", {}, OpenIDConnectProviderArn=ARN, ThumbprintList=["b" * 40])
    aws.answer("iam", "tag_open_id_connect_provider", {}, OpenIDConnectProviderArn=ARN, Tags=[{"Key": "cost", "Value": "7"}])
    aws.answer("iam", "untag_open_id_connect_provider", {}, OpenIDConnectProviderArn=ARN, TagKeys=["team"])
    result = run(aws, client_ids=["other"], thumbprints=["B" * 40], tags={"cost": 7})
    assert result["changes"] == ["client id other", "no client id sts.amazonaws.com", f"thumbprints {'b' * 40}", "tag cost", "no tag team"]
    assert result["before"] == {"url": URL, "client_ids": ["sts.amazonaws.com"], "thumbprints": [PRINT], "tags": {"team": "mesh"}}
    assert result["after"] == {"url": URL, "client_ids": ["other"], "thumbprints": ["b" * 40], "tags": {"cost": "7"}}


def test_tags_of_others_are_kept_on_request(aws: AwsStub) -> None:
    listed(aws, ARN)
    reported(aws)
    aws.answer("iam", "tag_open_id_connect_provider", {}, OpenIDConnectProviderArn=ARN, Tags=[{"Key": "cost", "Value": "7"}])
    assert run(aws, tags={"cost": 7}, purge_tags=False)["after"]["tags"] == {"cost": "7", "team": "mesh"}


def test_a_provider_is_deleted(aws: AwsStub) -> None:
    listed(aws, ARN)
    reported(aws)
    aws.answer("iam", "delete_open_id_connect_provider", {}, OpenIDConnectProviderArn=ARN)
    result = run(aws, state="absent")
    assert (result["changes"], result["arn"], result["after"]) == (["deleted"], "", {})


@pytest.mark.parametrize("check_mode", [False, True])
def test_what_is_not_there_needs_no_deletion(aws: AwsStub, check_mode: bool) -> None:
    listed(aws)
    assert not run(aws, state="absent", check_mode=check_mode)["changed"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"url": "http://oidc.example"}, "url 'http://oidc.example' is not the URL of an issuer: it begins with https://"),
        ({"client_ids": []}, "client_ids is empty, so no token would be accepted"),
        ({"thumbprints": ["abc"]}, "thumbprints: 'abc' is not a SHA-1 hash of 40 hexadecimal digits"),
    ],
)
def test_errors_are_reported_before_anything_is_asked(aws: AwsStub, options: dict[str, Any], message: str) -> None:
    with pytest.raises(MeshError, match=message.replace("(", r"\(")):
        run(aws, **options)
    assert aws.session.api_calls == {}
