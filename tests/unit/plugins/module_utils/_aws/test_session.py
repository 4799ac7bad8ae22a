"""Calls of AWS: counted, retried, and distinguished when they fail."""

from __future__ import annotations

import botocore.exceptions
import pytest
from ansible_collections.amazon.aws.plugins.module_utils.retries import AWSRetry

from ansible_collections.meshwright.ambient.plugins.module_utils._aws.errors import THROTTLED, AwsError, explain
from ansible_collections.meshwright.ambient.plugins.module_utils._aws.session import AwsSession
from tests.unit.aws_stub import REGION, AwsStub


def refusal(code: str, message: str = "refused", operation: str = "CreateCluster", attempts: int = 0) -> botocore.exceptions.ClientError:
    response = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": 400, "RetryAttempts": attempts}}
    return botocore.exceptions.ClientError(response, operation)


def test_a_call_answers_without_metadata_and_is_counted_by_its_name_in_iam() -> None:
    with AwsStub() as aws:
        aws.answer("eks", "describe_cluster", {"cluster": {"name": "prod"}}, name="prod")
        aws.answer("elbv2", "describe_load_balancers", {"LoadBalancers": []})
        assert aws.session.call("eks", "describe_cluster", name="prod") == {"cluster": {"name": "prod"}}
        aws.session.call("elbv2", "describe_load_balancers")
    assert aws.session.api_calls == {"eks:DescribeCluster": 1, "elasticloadbalancing:DescribeLoadBalancers": 1}


def test_all_pages_are_read_and_each_is_counted() -> None:
    with AwsStub() as aws:
        aws.answer("eks", "list_nodegroups", {"nodegroups": ["a"], "nextToken": "more"}, clusterName="prod")
        aws.answer("eks", "list_nodegroups", {"nodegroups": ["b"]}, clusterName="prod", nextToken="more")
        assert aws.session.pages("eks", "list_nodegroups", "nodegroups", clusterName="prod") == ["a", "b"]
    assert aws.session.api_calls == {"eks:ListNodegroups": 2}


def test_an_operation_without_pages_is_one_call() -> None:
    with AwsStub() as aws:
        aws.answer("iam", "list_open_id_connect_providers", {"OpenIDConnectProviderList": [{"Arn": "arn:aws:iam::123456789012:oidc-provider/a"}]})
        listed = aws.session.pages("iam", "list_open_id_connect_providers", "OpenIDConnectProviderList")
    assert listed == [{"Arn": "arn:aws:iam::123456789012:oidc-provider/a"}]
    assert aws.session.api_calls == {"iam:ListOpenIDConnectProviders": 1}


def test_what_is_missing_is_distinguished() -> None:
    with AwsStub() as aws:
        aws.refuse("eks", "describe_cluster", "ResourceNotFoundException", status=404, name="prod")
        with pytest.raises(AwsError) as caught:
            aws.session.call("eks", "describe_cluster", name="prod")
    assert (caught.value.absent, caught.value.operation, caught.value.status) == (True, "eks:DescribeCluster", 404)


class Client:
    """A client whose one operation answers what was arranged; it looks like botocore's to the session."""

    class meta:  # noqa: N801
        class service_model:  # noqa: N801
            signing_name = "eks"

        method_to_api_mapping = {"create_cluster": "CreateCluster"}  # noqa: RUF012

    def __init__(self, *answers: object) -> None:
        self._answers = list(answers)

    def create_cluster(self) -> object:
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def session_with(*answers: object) -> AwsSession:
    client = Client(*answers)
    return AwsSession(REGION, lambda _service: client, AWSRetry.jittered_backoff(retries=3, delay=0, catch_extra_error_codes=list(THROTTLED)))


@pytest.mark.parametrize("code", ["ThrottlingException", "Throttling", "TooManyRequestsException", "RequestLimitExceeded"])
def test_a_throttled_call_is_repeated_and_every_request_counts(code: str) -> None:
    session = session_with(refusal(code, attempts=4), {"cluster": {}, "ResponseMetadata": {"RetryAttempts": 1}})
    assert session.call("eks", "create_cluster") == {"cluster": {}}
    assert session.api_calls == {"eks:CreateCluster": 5 + 2}


def test_a_call_that_stays_throttled_says_what_to_do() -> None:
    session = session_with(*[refusal("ThrottlingException", "Rate exceeded")] * 3)
    with pytest.raises(AwsError) as caught:
        session.call("eks", "create_cluster")
    assert caught.value.message == (
        "AWS kept throttling eks:CreateCluster in eu-west-1 (ThrottlingException: Rate exceeded): run fewer hosts at once (forks, serial), "
        "or ask AWS for a higher quota, and run again; completed changes are kept."
    )
    assert caught.value.transient


def test_a_refusal_is_not_repeated() -> None:
    session = session_with(refusal("AccessDeniedException", "User is not authorized"))
    with pytest.raises(AwsError, match="AWS denies eks:CreateCluster in eu-west-1"):
        session.call("eks", "create_cluster")


def test_an_error_of_the_program_is_no_error_of_aws() -> None:
    with pytest.raises(ZeroDivisionError):
        session_with(ZeroDivisionError()).call("eks", "create_cluster")


@pytest.mark.parametrize(
    ("error", "code", "expected"),
    [
        (
            refusal("ExpiredTokenException"),
            "ExpiredTokenException",
            "The AWS credentials have expired (ExpiredTokenException at eks:X in eu-west-1): renew them",
        ),
        (refusal("ExpiredToken"), "ExpiredToken", "The AWS credentials have expired"),
        (refusal("UnrecognizedClientException"), "UnrecognizedClientException", "AWS does not accept these credentials"),
        (
            refusal("AccessDenied", "no"),
            "AccessDenied",
            "AWS denies eks:X in eu-west-1 (AccessDenied: no): allow this action to the identity that runs the job.",
        ),
        (refusal("ServerException", "oops"), "ServerException", "AWS could not serve eks:X in eu-west-1 (ServerException: oops): run again later"),
        (refusal("ResourceInUseException", "busy"), "ResourceInUseException", "AWS refused eks:X in eu-west-1 (ResourceInUseException): busy"),
        (botocore.exceptions.NoCredentialsError(), "NoCredentialsError", "No AWS credentials could be used for eks:X in eu-west-1 (Unable to locate"),
        (botocore.exceptions.EndpointConnectionError(endpoint_url="https://x"), "Unreachable", "AWS could not be reached for eks:X in eu-west-1"),
        (botocore.exceptions.ConnectTimeoutError(endpoint_url="https://x"), "Unreachable", "check the name of the region, the network and the proxy."),
        (botocore.exceptions.ProfileNotFound(profile="nope"), "ProfileNotFound", "The config profile (nope) could not be found: correct the option profile"),
        (
            botocore.exceptions.ParamValidationError(report="Invalid length"),
            "ParamValidationError",
            "eks:X in eu-west-1 cannot be called with these values: ",
        ),
        (botocore.exceptions.NoRegionError(), "NoRegionError", "eks:X needs a region and none is given: set the option region, or AWS_REGION"),
    ],
)
def test_every_error_is_one_sentence_that_says_what_to_do(error: Exception, code: str, expected: str) -> None:
    found = explain(error, "eks:X", REGION)
    assert found.code == code
    assert expected in found.message
    assert "\n" not in found.message


def test_what_was_signed_is_never_quoted() -> None:
    message = "The Canonical String for this request should have been 'POST / x-amz-security-token:PLANTED'"
    assert "PLANTED" not in explain(refusal("SignatureDoesNotMatch", message), "iam:GetRole", REGION).message


def test_the_encoded_part_of_a_denial_is_left_out() -> None:
    message = "You are not authorized to perform this operation. Encoded authorization failure message: AAAABBBBCCCC"
    assert "AAAABBBB" not in explain(refusal("UnauthorizedOperation", message), "ec2:CreateVpc", REGION).message


@pytest.mark.parametrize(
    "code", ["ResourceNotFoundException", "NoSuchEntity", "InvalidVpcID.NotFound", "LoadBalancerNotFound", "NoSuchHostedZone", "NotFoundException"]
)
def test_each_service_has_its_own_word_for_absent(code: str) -> None:
    assert explain(refusal(code), "x:Y", REGION).absent


@pytest.mark.parametrize("code", ["404", "AccessDenied", "ValidationError"])
def test_not_everything_is_absent(code: str) -> None:
    assert not explain(refusal(code), "x:Y", REGION).absent
