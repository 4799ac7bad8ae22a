"""The request log, and errors on demand, for each protocol of AWS."""

from __future__ import annotations

import json
import socket
import urllib.request
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError

from tests.twin.aws.local_aws import OWNER_KEY, Base, LocalAws

# One read for each protocol: service, operation, method of boto3, what it needs.
READS = [
    pytest.param("ec2", "DescribeVpcs", "describe_vpcs", {}, id="ec2"),
    pytest.param("elbv2", "DescribeLoadBalancers", "describe_load_balancers", {}, id="query"),
    pytest.param("elb", "DescribeLoadBalancers", "describe_load_balancers", {}, id="query of the classic load balancers"),
    pytest.param("iam", "ListRoles", "list_roles", {}, id="query without region"),
    pytest.param("sts", "GetCallerIdentity", "get_caller_identity", {}, id="sts"),
    pytest.param("acm", "ListCertificates", "list_certificates", {}, id="json"),
    pytest.param("wafv2", "ListWebACLs", "list_web_acls", {"Scope": "REGIONAL"}, id="json of WAF"),
    pytest.param("resourcegroupstaggingapi", "GetResources", "get_resources", {}, id="another signing name"),
    pytest.param("eks", "ListClusters", "list_clusters", {}, id="rest-json"),
    pytest.param("route53", "ListHostedZones", "list_hosted_zones", {}, id="rest-xml"),
    pytest.param("s3", "ListBuckets", "list_buckets", {}, id="s3"),
]


@pytest.fixture(autouse=True)
def _clean(aws: LocalAws) -> Iterator[None]:
    aws.control("DELETE", "/requests")
    yield
    aws.control("DELETE", "/faults")


@pytest.mark.parametrize(("service", "operation", "method", "parameters"), READS)
def test_log_names_service_and_operation_as_botocore_does(aws: LocalAws, service: str, operation: str, method: str, parameters: dict[str, Any]) -> None:
    getattr(aws.client(service), method)(**parameters)
    (line,) = aws.control("GET", "/requests")
    assert (line["service"], line["operation"], line["status"], line["access_key"]) == (service, operation, 200, OWNER_KEY)
    assert "Botocore" in line["user_agent"]
    assert json.loads(aws.request_log.read_text().splitlines()[-1]) == line, "the file must have the same line"


# One write for each protocol: service, method of boto3, its parameters, and those that name what it is about.
WRITES = [
    pytest.param("ec2", "create_vpc", {"CidrBlock": "10.8.0.0/16"}, ("CidrBlock",), id="ec2"),
    pytest.param("iam", "create_role", {"RoleName": "named", "AssumeRolePolicyDocument": "{}"}, ("RoleName",), id="query"),
    pytest.param("acm", "request_certificate", {"DomainName": "named.example", "IdempotencyToken": "once"}, ("DomainName",), id="json"),
    pytest.param("route53", "create_hosted_zone", {"Name": "named.example", "CallerReference": "once"}, ("Name",), id="rest-xml"),
    pytest.param(
        "s3",
        "create_bucket",
        {"Bucket": "named-bucket", "CreateBucketConfiguration": {"LocationConstraint": "eu-central-1"}},
        ("Bucket",),
        id="s3",
    ),
]


@pytest.mark.parametrize(("service", "method", "parameters", "names"), WRITES)
def test_log_names_what_is_written(aws: LocalAws, service: str, method: str, parameters: dict[str, Any], names: tuple[str, ...]) -> None:
    getattr(aws.client(service), method)(**parameters)
    (line,) = aws.control("GET", "/requests")
    assert line["names"] == {name: parameters[name] for name in names}


def test_log_names_each_of_several_resources(aws: LocalAws, base: Base) -> None:
    aws.client("ec2").create_tags(Resources=base.subnets, Tags=[{"Key": "Named", "Value": "both"}])
    (line,) = aws.control("GET", "/requests")
    assert line["names"] == {"Resources": ",".join(base.subnets)}


def test_log_names_what_is_written_below_a_path(aws: LocalAws, base: Base) -> None:
    eks = aws.client("eks")
    eks.create_cluster(name="named", roleArn=base.role, resourcesVpcConfig={"subnetIds": base.subnets})
    eks.create_pod_identity_association(clusterName="named", namespace="shop", serviceAccount="uploader", roleArn=base.pod_role)
    (line,) = [each for each in aws.control("GET", "/requests?writes") if each["operation"] == "CreatePodIdentityAssociation"]
    assert line["names"] == {"clusterName": "named", "namespace": "shop", "serviceAccount": "uploader", "roleArn": base.pod_role}
    eks.delete_cluster(name="named")


def test_an_answer_comes_in_one_piece(aws: LocalAws) -> None:
    address = urlsplit(aws.url)
    for _ in range(20):
        with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
            connection.sendall(b"GET /_twin/health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            head, _separator, body = connection.recv(65536).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200")
        assert json.loads(body or "null") == {"status": "serving", "region": "eu-central-1"}, "the body came later than the head"


@pytest.mark.parametrize(("service", "operation", "method", "parameters"), READS)
def test_throttling_as_each_service_says_it(aws: LocalAws, service: str, operation: str, method: str, parameters: dict[str, Any]) -> None:
    aws.control("POST", "/faults", {"service": service, "operation": operation, "error": "throttled", "times": 1})
    with pytest.raises(ClientError) as refused:
        getattr(aws.client(service), method)(**parameters)
    error = refused.value.response["Error"]
    assert error["Code"] in ("Throttling", "ThrottlingException", "RequestLimitExceeded"), "botocore and AWSRetry retry these"
    assert error["Message"]
    getattr(aws.client(service), method)(**parameters)
    assert [line["status"] == 200 for line in aws.control("GET", "/requests")] == [False, True], "the fault must hit once, and be logged"


@pytest.mark.parametrize(("service", "operation", "method", "parameters"), READS)
def test_codes_are_reported_exactly(aws: LocalAws, service: str, operation: str, method: str, parameters: dict[str, Any]) -> None:
    rule = {"service": service, "operation": operation, "error": "SomethingOdd", "message": "Said exactly so.", "status": 418}
    aws.control("POST", "/faults", rule)
    with pytest.raises(ClientError) as refused:
        getattr(aws.client(service), method)(**parameters)
    assert refused.value.response["Error"]["Code"] == "SomethingOdd"
    assert refused.value.response["Error"]["Message"] == "Said exactly so."
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 418


def test_a_key_can_expire_everywhere(aws: LocalAws) -> None:
    other = "AKIAOTHER00000000000"
    aws.control("POST", "/faults", {"access_key": other, "error": "expired"})
    codes = {}
    for service, method in (("ec2", "describe_vpcs"), ("sts", "get_caller_identity"), ("eks", "list_clusters"), ("acm", "list_certificates")):
        with pytest.raises(ClientError) as refused:
            getattr(aws.client(service, access_key=other), method)()
        codes[service] = refused.value.response["Error"]["Code"]
        getattr(aws.client(service), method)()
    assert codes == {"ec2": "RequestExpired", "sts": "ExpiredToken", "eks": "ExpiredTokenException", "acm": "ExpiredTokenException"}
    aws.control("DELETE", "/faults")
    aws.client("ec2", access_key=other).describe_vpcs()


def test_a_fault_can_come_in_the_middle(aws: LocalAws) -> None:
    aws.control("POST", "/faults", {"service": "ec2", "error": "expired", "skip": 2, "times": 1})
    ec2 = aws.client("ec2")
    ec2.describe_vpcs()
    ec2.describe_subnets()
    with pytest.raises(ClientError, match="RequestExpired"):
        ec2.describe_vpcs()
    ec2.describe_vpcs()


def test_writes_can_be_told_from_reads(aws: LocalAws) -> None:
    ec2 = aws.client("ec2")
    ec2.describe_vpcs()
    ec2.create_vpc(CidrBlock="10.9.0.0/16")
    aws.client("sts").get_caller_identity()
    assert [line["operation"] for line in aws.control("GET", "/requests?writes")] == ["CreateVpc"]


def test_an_unfit_rule_is_refused(aws: LocalAws) -> None:
    status, reported = aws.ask("POST", "/faults", {"services": "eks", "error": "throttled"})
    assert (status, "services" in reported["message"]) == (400, True)
    assert aws.control("GET", "/faults") == []


@pytest.mark.parametrize(
    ("path", "body", "status", "expected"),
    [
        ("/pods", {}, 400, "lacks the field cluster"),
        ("/pods", {"cluster": "nobody", "pods": []}, 404, "There is no cluster nobody."),
        ("/status", {"cluster": "nobody", "status": "ACTIVE"}, 404, "There is no cluster nobody."),
        ("/certificates", {"arn": "nothing", "not_after": "2020-01-01T00:00:00+00:00"}, 404, "There is no certificate nothing."),
        ("/phases", {"phase": 1}, 400, "no phase of phase"),
        ("/phases", {"default": "long"}, 400, "long"),
    ],
)
def test_wrong_control_requests_are_reported_in_words(aws: LocalAws, path: str, body: object, status: int, expected: str) -> None:
    answered, reported = aws.ask("POST", path, body)
    assert (answered, expected in reported["message"]) == (status, True), reported


def test_control_paths_are_no_requests_of_aws(aws: LocalAws) -> None:
    aws.control("GET", "/health")
    assert aws.control("GET", "/requests") == []
    status, _ = aws.ask("GET", "/nothing")
    assert status == 404


def test_what_is_no_request_of_aws_is_noted_without_names(aws: LocalAws) -> None:
    with urllib.request.urlopen(f"{aws.url}/moto-api/config", timeout=30) as answer:
        assert answer.status < 300
    (line,) = aws.control("GET", "/requests")
    assert (line["service"], line["operation"]) == ("", "")
