"""What the module asks of AWS, each thing once, and nothing that nobody has asked for."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.modules.load_balancer_check import OPTIONS, check
from tests.unit.aws_stub import AwsStub, stub_module

ITEM = {name: option.get("default") for name, option in OPTIONS["load_balancers"]["options"].items()}  # type: ignore[attr-defined]
ROLE = [{"Key": "kubernetes.io/role/internal-elb", "Value": "1"}]
ACM = "arn:aws:acm:eu-west-1:123456789012:certificate/1"
ACL = "arn:aws:wafv2:eu-west-1:123456789012:regional/webacl/shop/1"
WEB = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/web/1"


def _run(aws: AwsStub, *items: dict[str, Any], **params: Any) -> tuple[dict[str, Any], list[str]]:
    module = stub_module(OPTIONS, load_balancers=[{**ITEM, **item} for item in items], **params)
    return check(module, aws.session), module.warnings


def _answer_vpc(aws: AwsStub) -> None:
    aws.answer("eks", "describe_cluster", {"cluster": {"resourcesVpcConfig": {"vpcId": "vpc-1"}}}, name="prod")
    subnets = [{"SubnetId": f"subnet-{zone}", "VpcId": "vpc-1", "AvailabilityZone": f"eu-west-1{zone}", "Tags": ROLE} for zone in "ab"]
    aws.answer("ec2", "describe_subnets", {"Subnets": subnets}, Filters=[{"Name": "vpc-id", "Values": ["vpc-1"]}])


def test_twenty_load_balancers_of_a_cluster_cost_two_calls() -> None:
    with AwsStub() as aws:
        _answer_vpc(aws)
        result, warnings = _run(aws, *({"ingress": f"shop/web{number}"} for number in range(20)), cluster_name="prod")
    assert (result["findings"], warnings, "failed" in result) == ([], [], False)
    assert sum(aws.session.api_calls.values()) == 2


def test_what_two_have_in_common_is_asked_for_once() -> None:
    with AwsStub() as aws:
        _answer_vpc(aws)
        aws.refuse("elbv2", "describe_load_balancers", "LoadBalancerNotFound", Names=["edge", "web"])
        listed = [{"LoadBalancerArn": WEB, "LoadBalancerName": "web", "Type": "application", "Scheme": "internal"}]
        aws.answer("elbv2", "describe_load_balancers", {"LoadBalancers": listed})
        tags = [{"Key": "elbv2.k8s.aws/cluster", "Value": "prod"}, {"Key": "ingress.k8s.aws/stack", "Value": "shop/web"}]
        aws.answer("elbv2", "describe_tags", {"TagDescriptions": [{"ResourceArn": WEB, "Tags": tags}]}, ResourceArns=[WEB])
        aws.answer("elbv2", "describe_load_balancers", {"LoadBalancers": listed})
        certificate = {"CertificateArn": ACM, "DomainName": "*.example.com", "SubjectAlternativeNames": ["*.example.com"], "Status": "ISSUED"}
        aws.answer("acm", "describe_certificate", {"Certificate": certificate}, CertificateArn=ACM)
        policies = [{"Name": "P", "SupportedLoadBalancerTypes": ["application", "network"]}]
        aws.answer("elbv2", "describe_ssl_policies", {"SslPolicies": policies})
        aws.refuse("wafv2", "get_web_acl", "WAFNonexistentItemException", Name="shop", Id="1", Scope="REGIONAL")
        aws.answer("shield", "get_subscription_state", {"SubscriptionState": "ACTIVE"})
        aws.answer("s3", "head_bucket", {"BucketRegion": "eu-west-1"}, Bucket="logs")
        aws.refuse("s3", "get_bucket_policy", "NoSuchBucketPolicy", status=404, Bucket="logs")
        common = {"certificate_arns": [ACM], "hosts": ["shop.example.com"], "ssl_policy": "P"}
        web = {"name": "web", "ingress": "shop/web", "waf_acl_arn": ACL, "shield": True, "access_logs": {"enabled": True, "bucket": "logs", "prefix": None}}
        result, warnings = _run(aws, {"name": "edge", "type": "nlb", "service": "shop/edge", **common}, {**web, **common}, cluster_name="prod")
    assert result["msg"].splitlines() == [
        "1 error: load balancers in eu-west-1 cannot be created as desired.",
        f"- Ingress shop/web: there is no web ACL {ACL}: correct the ARN, or create it.",
    ]
    assert [one["severity"] for one in result["findings"]] == ["error", "warning"]
    assert len(warnings) == 1


@pytest.mark.parametrize(("status", "code", "severity"), [(404, "404", "error"), (403, "403", "warning")])
def test_a_missing_bucket_is_distinguished_from_one_that_cannot_be_read(status: int, code: str, severity: str) -> None:
    with AwsStub() as aws:
        aws.refuse("s3", "head_bucket", code, status=status, Bucket="logs")
        result, _warnings = _run(aws, {"access_logs": {"enabled": True, "bucket": "logs", "prefix": None}}, fail=False)
    assert [one["severity"] for one in result["findings"]] == [severity]
    assert "failed" not in result


def test_a_policy_of_one_statement_is_read_as_well() -> None:
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::logs/*"}
    with AwsStub() as aws:
        aws.answer("s3", "head_bucket", {}, Bucket="logs")
        aws.answer("s3", "get_bucket_policy", {"Policy": json.dumps({"Statement": statement})}, Bucket="logs")
        result, _warnings = _run(aws, {"access_logs": {"enabled": True, "bucket": "logs", "prefix": None}})
    assert result["findings"] == []


def test_addresses_are_asked_for_all_at_once() -> None:
    with AwsStub() as aws:
        addresses = [{"AllocationId": "eipalloc-1", "PublicIp": "192.0.2.1"}]
        aws.answer("ec2", "describe_addresses", {"Addresses": addresses}, Filters=[{"Name": "allocation-id", "Values": ["eipalloc-1", "eipalloc-2"]}])
        items = [{"type": "nlb", "eip_allocations": ids} for ids in (["eipalloc-1"], ["eipalloc-1", "eipalloc-2"])]
        result, _warnings = _run(aws, *items)
    assert [one["message"] for one in result["findings"]] == [
        "there is no Elastic IP address eipalloc-2 in eu-west-1: correct eip_allocations, or allocate one."
    ]


def test_logs_that_are_off_and_a_cluster_that_is_not_there_yet_ask_for_no_more() -> None:
    with AwsStub() as aws:
        aws.refuse("eks", "describe_cluster", "ResourceNotFoundException", status=404, name="prod")
        result, _warnings = _run(aws, {"access_logs": {"enabled": False, "bucket": "logs", "prefix": None}}, cluster_name="prod")
    assert result["findings"] == []


def test_subnets_of_another_vpc_and_untagged_ones_are_checked() -> None:
    with AwsStub() as aws:
        here = [{"SubnetId": f"subnet-{zone}", "VpcId": "vpc-1", "AvailabilityZone": f"eu-west-1{zone}"} for zone in "ab"]
        aws.answer("ec2", "describe_subnets", {"Subnets": here}, Filters=[{"Name": "vpc-id", "Values": ["vpc-1"]}])
        stray = [{"SubnetId": "subnet-x", "VpcId": "vpc-2", "AvailabilityZone": "eu-west-1a"}]
        aws.answer("ec2", "describe_subnets", {"Subnets": stray}, Filters=[{"Name": "subnet-id", "Values": ["subnet-x"]}])
        aws.answer("ec2", "describe_subnets", {"Subnets": []}, Filters=[{"Name": "tag:Name", "Values": ["nowhere"]}])
        tables = [{"VpcId": "vpc-1", "Associations": [{"Main": True}], "Routes": [{"GatewayId": "igw-1"}]}]
        aws.answer("ec2", "describe_route_tables", {"RouteTables": tables}, Filters=[{"Name": "vpc-id", "Values": ["vpc-1"]}])
        result, warnings = _run(aws, {"subnets": ["subnet-a", "subnet-x", "nowhere"]}, {"scheme": "internet-facing"}, vpc_id="vpc-1")
    assert [one["severity"] for one in result["findings"]] == ["error", "error", "error", "warning"]
    assert "with a route to an internet gateway (subnet-a, subnet-b)" in warnings[0]
