"""What the module asks of ACM and Route 53, in which order, and what it reports when a certificate cannot be had."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._acm.state import KEY_ALGORITHMS
from ansible_collections.meshwright.ambient.plugins.module_utils._errors import MeshError
from ansible_collections.meshwright.ambient.plugins.modules.acm_certificate import OPTIONS, ensure_certificates
from tests.unit.aws_stub import AwsStub, stub_module

ARN = "arn:aws:acm:eu-west-1:123456789012:certificate/"
SOON, LATE = datetime.datetime(2199, 1, 1, tzinfo=datetime.UTC), datetime.datetime(2199, 6, 1, tzinfo=datetime.UTC)
ITEM = {name: option.get("default") for name, option in OPTIONS["certificates"]["options"].items()}  # type: ignore[attr-defined]
KEYS = {"Includes": {"keyTypes": list(KEY_ALGORITHMS)}}
RECORD = {"Name": "_1.example.com.", "Type": "CNAME", "Value": "_2.acm-validations.aws."}
ZONE = {"Id": "/hostedzone/Z0123456789", "Name": "example.com.", "CallerReference": "x", "Config": {"PrivateZone": False}}


def _summary(name: str, *names: str, status: str = "ISSUED", until: datetime.datetime = SOON, **fields: Any) -> dict[str, Any]:
    arn = {"CertificateArn": ARN + name, "DomainName": names[0], "SubjectAlternativeNameSummaries": list(names), "Status": status}
    return {**arn, "NotAfter": until, "Type": "AMAZON_ISSUED", "KeyAlgorithm": "RSA_2048", "InUse": False, **fields}


def _description(name: str, *names: str, status: str, records: bool = True, **fields: Any) -> dict[str, Any]:
    options = [{"DomainName": one, **({"ResourceRecord": RECORD} if records else {})} for one in names]
    answer = {"CertificateArn": ARN + name, "DomainName": names[0], "SubjectAlternativeNames": list(names), "Status": status, "Type": "AMAZON_ISSUED"}
    return {"Certificate": {**answer, "DomainValidationOptions": options, **fields}}


class Acm:
    """A module's run against arranged answers; time passes only by its pauses."""

    def __init__(self, aws: AwsStub, *have: dict[str, Any]) -> None:
        self.aws = aws
        self.time = 0.0
        self.warnings: list[str] = []
        aws.answer("acm", "list_certificates", {"CertificateSummaryList": list(have)}, **KEYS)

    def run(self, *items: dict[str, Any], check_mode: bool = False, **params: Any) -> dict[str, Any]:
        module = stub_module(OPTIONS, check_mode=check_mode, certificates=[{**ITEM, **item} for item in items], **params)
        self.warnings = module.warnings
        return ensure_certificates(module, self.aws.session, clock=lambda: self.time, pause=self._pass)

    def _pass(self, seconds: float) -> None:
        self.time += seconds


WILD = {"domain": "*.example.com", "subject_alternative_names": ["example.com"], "state": "present", "hosted_zone": "example.com", "tags": {"Team": "mesh"}}
NAMES = ("*.example.com", "example.com")
READ_RECORD = {"HostedZoneId": "Z0123456789", "StartRecordName": "_1.example.com.", "StartRecordType": "CNAME", "MaxItems": "1"}


@pytest.mark.requirement("A3")
def test_a_domain_is_found_by_one_call() -> None:
    with AwsStub() as aws:
        acm = Acm(aws, _summary("wild", "*.example.com"), _summary("soon", "shop.example.com"), _summary("late", "shop.example.com", until=LATE))
        result = acm.run({"domain": "shop.example.com"})
    assert (result["arns"], result["changed"], result["certificates"][0]["action"]) == ([ARN + "late"], False, "found")
    assert aws.session.api_calls == {"acm:ListCertificates": 1}


@pytest.mark.requirement("A3")
@pytest.mark.parametrize(
    ("have", "expected"),
    [
        ([], "ACM has no certificate there"),
        ([_summary("x", "example.org")], "ACM has 1 certificate there, none of this domain"),
        ([_summary("x", "other.example.com")], rf"cover other names or have another key: {ARN}x \(other.example.com; ISSUED, valid until 2199-01-01\)"),
        ([_summary("x", "shop.example.com", status="PENDING_VALIDATION")], rf"not issued, or not valid: {ARN}x .*PENDING_VALIDATION"),
        ([_summary("x", "shop.example.com"), _summary("y", "shop.example.com")], f"2 issued certificates in eu-west-1 cover .*{ARN}x .*{ARN}y "),
    ],
)
def test_none_or_several_that_are_equally_good_are_an_error_with_the_candidates(have: list[dict[str, Any]], expected: str) -> None:
    with AwsStub() as aws, pytest.raises(MeshError, match=expected) as refused:
        Acm(aws, *have).run({"domain": "shop.example.com"})
    assert [one["arn"] for one in refused.value.details["candidates"]] == [one["CertificateArn"] for one in have if one["DomainName"] != "example.org"]


def test_a_request_is_validated_in_route_53_and_waited_for() -> None:
    with AwsStub() as aws:
        acm = Acm(aws, _summary("other", "example.org"))
        aws.answer(
            "route53", "list_hosted_zones_by_name", {"HostedZones": [ZONE], "IsTruncated": False, "MaxItems": "100"}, DNSName="example.com", MaxItems="100"
        )
        tags = [{"Key": "Team", "Value": "mesh"}]
        request = {"DomainName": NAMES[0], "SubjectAlternativeNames": [NAMES[1]], "ValidationMethod": "DNS", "Tags": tags}
        aws.answer("acm", "request_certificate", {"CertificateArn": ARN + "new"}, **request)
        aws.answer("acm", "describe_certificate", _description("new", *NAMES, status="PENDING_VALIDATION", records=False), CertificateArn=ARN + "new")
        aws.answer("acm", "describe_certificate", _description("new", *NAMES, status="PENDING_VALIDATION"), CertificateArn=ARN + "new")
        aws.answer("route53", "list_resource_record_sets", {"ResourceRecordSets": [], "IsTruncated": False, "MaxItems": "1"}, **READ_RECORD)
        record = {"Name": RECORD["Name"], "Type": "CNAME", "TTL": 300, "ResourceRecords": [{"Value": RECORD["Value"]}]}
        batch = {"Comment": "Validation of certificates by ACM", "Changes": [{"Action": "UPSERT", "ResourceRecordSet": record}]}
        info = {"ChangeInfo": {"Id": "c", "Status": "PENDING", "SubmittedAt": SOON}}
        aws.answer("route53", "change_resource_record_sets", info, HostedZoneId="Z0123456789", ChangeBatch=batch)
        aws.answer("acm", "describe_certificate", _description("new", *NAMES, status="PENDING_VALIDATION"), CertificateArn=ARN + "new")
        aws.answer("acm", "describe_certificate", _description("new", *NAMES, status="ISSUED", NotAfter=LATE), CertificateArn=ARN + "new")
        result = acm.run(WILD, hosts=["A.example.com.", "example.com"])
    assert result["changed"]
    assert [result["certificates"][0][key] for key in ("action", "arn", "status")] == ["requested", ARN + "new", "ISSUED"]
    assert result["host_arns"] == [ARN + "new"]
    assert result["by_host"] == {"a.example.com": ARN + "new", "example.com": ARN + "new"}


def test_what_an_interrupted_run_has_requested_is_taken_up_again() -> None:
    with AwsStub() as aws:
        acm = Acm(aws, _summary("half", *NAMES, status="PENDING_VALIDATION"))
        aws.answer(
            "route53", "list_hosted_zones_by_name", {"HostedZones": [ZONE], "IsTruncated": False, "MaxItems": "100"}, DNSName="example.com", MaxItems="100"
        )
        aws.answer("acm", "describe_certificate", _description("half", *NAMES, status="PENDING_VALIDATION"), CertificateArn=ARN + "half")
        there = [{"Name": RECORD["Name"], "Type": "CNAME", "TTL": 300, "ResourceRecords": [{"Value": RECORD["Value"]}]}]
        aws.answer("route53", "list_resource_record_sets", {"ResourceRecordSets": there, "IsTruncated": False, "MaxItems": "1"}, **READ_RECORD)
        aws.answer("acm", "describe_certificate", _description("half", *NAMES, status="ISSUED", NotAfter=LATE), CertificateArn=ARN + "half")
        result = acm.run({**WILD, "tags": None})
    assert (result["changed"], result["arns"]) == (False, [ARN + "half"])


def test_in_check_mode_nothing_is_requested_and_its_hosts_count_as_covered() -> None:
    with AwsStub() as aws:
        acm = Acm(aws)
        result = acm.run({**WILD, "hosted_zone": None}, hosts=["a.example.com"], check_mode=True)
    assert result["changed"]
    assert result["diff"][0]["after"] == "names: *.example.com, example.com\ntags: {'Team': 'mesh'}\n"
    assert aws.session.api_calls == {"acm:ListCertificates": 1}


@pytest.mark.parametrize(
    ("status", "reason", "expected"),
    [
        ("FAILED", "CAA_ERROR", r"FAILED \(CAA_ERROR\).*was not issued in eu-west-1. To fix it, let the CAA records of the domain name"),
        ("VALIDATION_TIMED_OUT", "", "VALIDATION_TIMED_OUT.*not validated within 72 hours"),
    ],
)
def test_a_request_that_fails_is_reported_with_its_reason_at_once(status: str, reason: str, expected: str) -> None:
    with AwsStub() as aws, pytest.raises(MeshError, match=expected):
        acm = Acm(aws, _summary("new", *NAMES, status="PENDING_VALIDATION"))
        aws.answer("acm", "describe_certificate", _description("new", *NAMES, status="PENDING_VALIDATION"), CertificateArn=ARN + "new")
        failed = _description("new", *NAMES, status=status, **({"FailureReason": reason} if reason else {}))
        aws.answer("acm", "describe_certificate", failed, CertificateArn=ARN + "new")
        acm.run({**WILD, "hosted_zone": None, "tags": None})


def test_without_a_zone_the_records_are_reported_and_nothing_is_waited_for() -> None:
    with AwsStub() as aws:
        acm = Acm(aws)
        aws.answer("acm", "request_certificate", {"CertificateArn": ARN + "new"}, DomainName="example.com", ValidationMethod="DNS")
        aws.answer("acm", "describe_certificate", _description("new", "example.com", status="PENDING_VALIDATION"), CertificateArn=ARN + "new")
        with pytest.raises(MeshError, match=r"Create these DNS records.*_1.example.com. CNAME _2.acm-validations.aws. Then run again") as failure:
            acm.run({"domain": "example.com", "state": "present"})
    assert failure.value.details["certificates"][0]["validation_records"] == [{"name": "_1.example.com.", "type": "CNAME", "value": "_2.acm-validations.aws."}]
    assert acm.time == 0


def test_a_domain_that_nobody_has_validated_in_time_is_reported_with_its_records() -> None:
    # How often it polls does not matter here: the stub is left with an error, and does not count what was not asked.
    with pytest.raises(MeshError, match=r"still not issued in eu-west-1 after 60 s. Create these DNS records"), AwsStub() as aws:
        acm = Acm(aws, _summary("new", "example.com", status="PENDING_VALIDATION"))
        for _poll in range(40):
            aws.answer("acm", "describe_certificate", _description("new", "example.com", status="PENDING_VALIDATION"), CertificateArn=ARN + "new")
        acm.run({"domain": "example.com", "state": "present"}, wait_timeout=60)


@pytest.mark.parametrize(
    ("zones", "zone", "expected"),
    [
        ([], "example.com", "has no public hosted zone called example.com: create it"),
        ([{**ZONE, "Config": {"PrivateZone": True}}], "example.com", "only a private one"),
        ([ZONE, {**ZONE, "Id": "/hostedzone/Z9876543210"}], "example.com", "2 public hosted zones called example.com"),
        ([{**ZONE, "Name": "example.org."}], "example.org", r"example.org does not contain \*.example.com, example.com"),
    ],
)
def test_a_zone_that_cannot_validate_it_is_refused_before_anything_is_requested(zones: list[dict[str, Any]], zone: str, expected: str) -> None:
    with AwsStub() as aws, pytest.raises(MeshError, match=expected):
        acm = Acm(aws)
        aws.answer("route53", "list_hosted_zones_by_name", {"HostedZones": zones, "IsTruncated": False, "MaxItems": "100"}, DNSName=zone, MaxItems="100")
        acm.run({**WILD, "hosted_zone": zone})


def test_a_certificate_in_use_is_not_deleted_and_its_users_are_named() -> None:
    with AwsStub() as aws, pytest.raises(MeshError, match="is in use by arn:aws:elasticloadbalancing:x: detach it there first"):
        acm = Acm(aws, _summary("old", "example.com", InUse=True))
        described = _description("old", "example.com", status="ISSUED", InUseBy=["arn:aws:elasticloadbalancing:x"])
        aws.answer("acm", "describe_certificate", described, CertificateArn=ARN + "old")
        # Nor is anything else of the task written: the stub would refuse a request that is not arranged.
        acm.run({"domain": "new.example.com", "state": "present"}, {"domain": "example.com", "state": "absent"})


def test_what_is_deleted_is_for_exactly_these_names_and_a_second_run_changes_nothing() -> None:
    with AwsStub() as aws:
        acm = Acm(aws, _summary("wild", *NAMES), _summary("old", "shop.example.com"))
        aws.answer("acm", "delete_certificate", {}, CertificateArn=ARN + "old")
        assert acm.run({"domain": "shop.example.com", "state": "absent"})["changed"]
    with AwsStub() as aws:
        again = Acm(aws, _summary("wild", *NAMES)).run({"domain": "shop.example.com", "state": "absent"})
    assert (again["changed"], again["certificates"][0]["action"]) == (False, "absent")


def test_tags_are_set_on_a_certificate_for_these_names_only() -> None:
    with AwsStub() as aws:
        acm = Acm(aws, _summary("wild", *NAMES))
        aws.answer("acm", "list_tags_for_certificate", {"Tags": [{"Key": "Stage", "Value": "test"}]}, CertificateArn=ARN + "wild")
        aws.answer("acm", "add_tags_to_certificate", {}, CertificateArn=ARN + "wild", Tags=[{"Key": "Team", "Value": "mesh"}])
        result = acm.run(WILD)
    assert (result["changed"], result["certificates"][0]["action"]) == (True, "tagged")
    with AwsStub() as aws:
        assert not Acm(aws, _summary("wild", *NAMES)).run({"domain": "shop.example.com", "state": "present", "tags": {"Team": "mesh"}})["changed"]


@pytest.mark.requirement("A3")
@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({"arn": ARN + "none"}, "There is no certificate .*none in eu-west-1"),
        ({"arn": ARN + "wild", "domain": "example.org"}, "does not cover example.org"),
        ({"arn": ARN + "half"}, "cannot be used: it must be issued and valid"),
    ],
)
def test_a_given_arn_must_be_there_issued_and_cover_its_domain(item: dict[str, Any], expected: str) -> None:
    have = [_summary("wild", *NAMES), _summary("half", "example.com", status="PENDING_VALIDATION")]
    with AwsStub() as aws, pytest.raises(MeshError, match=expected):
        Acm(aws, *have).run(item)
    with AwsStub() as aws:
        assert Acm(aws, *have).run({"arn": ARN + "wild", "domain": "shop.example.com"})["arns"] == [ARN + "wild"]


def test_hosts_that_no_certificate_covers_are_named_together() -> None:
    with AwsStub() as aws, pytest.raises(MeshError, match=r"covers a.b.example.com, example.org: request one") as refused:
        Acm(aws, _summary("wild", *NAMES)).run(hosts=["example.com", "a.b.example.com", "example.org"])
    assert refused.value.details["candidates"] == []


def test_all_refusals_are_reported_at_once() -> None:
    with AwsStub() as aws, pytest.raises(MeshError) as refused:
        Acm(aws).run({"domain": "a.example.com"}, {"domain": "b.example.com"})
    assert len(refused.value.message.splitlines()) == 2


def test_a_certificate_that_two_items_ask_for_is_requested_once() -> None:
    with AwsStub() as aws:
        acm = Acm(aws)
        aws.answer("acm", "request_certificate", {"CertificateArn": ARN + "new"}, DomainName="example.com", ValidationMethod="EMAIL")
        item = {"domain": "example.com", "state": "present", "validation_method": "EMAIL"}
        result = acm.run(item, {**item, "domain": "Example.com."}, wait=False)
    assert (result["arns"], [one["action"] for one in result["certificates"]], len(result["diff"])) == ([ARN + "new"], ["requested"] * 2, 1)
    assert [warning.partition(".com ")[2] for warning in acm.warnings] == [
        "is not issued yet. Answer the mail that ACM has sent to the owners of the domain."
    ] * 2
