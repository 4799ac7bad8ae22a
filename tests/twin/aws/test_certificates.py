"""Certificates of ACM: from a request to an issued one, and how they are listed."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from tests.twin.aws.local_aws import LocalAws
from tests.twin.support.certificates import make_certificate


@pytest.fixture(scope="module")
def acm(aws: LocalAws) -> Any:
    return aws.client("acm")


def requested(acm: Any, domain: str, *others: str) -> str:
    more = {"SubjectAlternativeNames": [domain, *others]} if others else {}
    return str(acm.request_certificate(DomainName=domain, ValidationMethod="DNS", **more)["CertificateArn"])


def described(acm: Any, arn: str) -> dict[str, Any]:
    reported: dict[str, Any] = acm.describe_certificate(CertificateArn=arn)["Certificate"]
    return reported


def answer(aws: LocalAws, zone: str, record: dict[str, str]) -> None:
    change = {"Action": "UPSERT", "ResourceRecordSet": {"Name": record["Name"], "Type": "CNAME", "TTL": 60, "ResourceRecords": [{"Value": record["Value"]}]}}
    aws.client("route53").change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": [change]})


def test_is_issued_once_each_name_has_its_record(aws: LocalAws, acm: Any) -> None:
    zone = aws.client("route53").create_hosted_zone(Name="shop.example", CallerReference="shop")["HostedZone"]["Id"]
    arn = requested(acm, "shop.example", "api.shop.example")
    pending = described(acm, arn)
    assert pending["Status"] == "PENDING_VALIDATION"
    assert "NotAfter" not in pending, "what is not issued has no dates"
    records = {option["DomainName"]: option["ResourceRecord"] for option in pending["DomainValidationOptions"]}
    assert list(records) == ["shop.example", "api.shop.example"]
    answer(aws, zone, records["shop.example"])
    half = described(acm, arn)
    assert half["Status"] == "PENDING_VALIDATION"
    assert [option["ValidationStatus"] for option in half["DomainValidationOptions"]] == ["SUCCESS", "PENDING_VALIDATION"]
    answer(aws, zone, records["api.shop.example"])
    issued = described(acm, arn)
    assert issued["Status"] == "ISSUED"
    assert issued["NotAfter"] > datetime.datetime.now(datetime.UTC)


def test_a_private_zone_validates_nothing(aws: LocalAws, acm: Any) -> None:
    vpc = aws.client("ec2").create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    place = {"VPCRegion": "eu-central-1", "VPCId": vpc}
    zone = aws.client("route53").create_hosted_zone(Name="inside.example", CallerReference="i", VPC=place, HostedZoneConfig={"PrivateZone": True})
    arn = requested(acm, "inside.example")
    answer(aws, zone["HostedZone"]["Id"], described(acm, arn)["DomainValidationOptions"][0]["ResourceRecord"])
    assert described(acm, arn)["Status"] == "PENDING_VALIDATION"


def test_the_record_is_reported_a_moment_later(slow: LocalAws, acm: Any) -> None:
    arn = requested(acm, "later.example")
    assert "ResourceRecord" not in described(acm, arn)["DomainValidationOptions"][0]
    slow.control("POST", "/phases", {"default": 0})
    assert "ResourceRecord" in described(acm, arn)["DomainValidationOptions"][0]


def imported(acm: Any, domain: str) -> str:
    made = make_certificate(domain)
    return str(acm.import_certificate(Certificate=made.public, PrivateKey=made.private)["CertificateArn"])


def test_lists(aws: LocalAws, acm: Any) -> None:
    pending, elliptic = requested(acm, "waiting.example"), imported(acm, "elliptic.example")

    def listed(**filters: Any) -> dict[str, dict[str, Any]]:
        return {each["CertificateArn"]: each for each in acm.list_certificates(**filters)["CertificateSummaryList"]}

    assert pending in listed()
    assert pending not in listed(CertificateStatuses=["ISSUED"])
    assert listed(CertificateStatuses=["PENDING_VALIDATION"])[pending]["SubjectAlternativeNameSummaries"] == ["waiting.example"]
    assert elliptic not in listed(), "ACM lists RSA keys only, unless others are asked for"
    found = listed(CertificateStatuses=["ISSUED"], Includes={"keyTypes": ["EC_prime256v1"]})[elliptic]
    assert (found["Type"], found["Status"]) == ("IMPORTED", "ISSUED")
    aws.control("POST", "/certificates", {"arn": elliptic, "not_after": "2020-01-01T00:00:00+00:00"})
    reported = described(acm, elliptic)
    assert (reported["Status"], reported["NotAfter"].year) == ("EXPIRED", 2020)
    assert elliptic in listed(CertificateStatuses=["EXPIRED"], Includes={"keyTypes": ["EC_prime256v1"]})
