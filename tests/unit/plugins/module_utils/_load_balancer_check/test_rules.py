"""What is found wrong with a load balancer before it is made."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._acm.certificates import Certificate
from ansible_collections.meshwright.ambient.plugins.module_utils._load_balancer_check.context import Context
from ansible_collections.meshwright.ambient.plugins.module_utils._load_balancer_check.rules import check_load_balancers
from ansible_collections.meshwright.ambient.plugins.module_utils._load_balancer_check.spec import LoadBalancerSpec

NOW = datetime.datetime(2026, 11, 21, tzinfo=datetime.UTC)
ACM = "arn:aws:acm:eu-west-1:123456789012:certificate/"
ACL = "arn:aws:wafv2:eu-west-1:123456789012:regional/webacl/shop/1"
POLICIES = {"ELBSecurityPolicy-TLS13-1-2-2021-06": ["application", "network"], "ELBSecurityPolicy-TLS-1-2-Ext-2018-06": ["application"]}


def _subnet(name: str, zone: str = "a", vpc: str = "vpc-1", free: int = 200, **tags: str) -> dict[str, Any]:
    tag_list = [{"Key": key, "Value": value} for key, value in {"Name": name, **tags}.items()]
    return {"SubnetId": f"subnet-{name}", "VpcId": vpc, "AvailabilityZone": f"eu-west-1{zone}", "AvailableIpAddressCount": free, "Tags": tag_list}


ROLE, PUBLIC = {"kubernetes.io/role/internal-elb": "1"}, {"kubernetes.io/role/elb": ""}
OTHERS = {"kubernetes.io/cluster/test": "shared"}
A, B, B2, STRAY = _subnet("a"), _subnet("b", "b"), _subnet("b2", "b"), _subnet("stray", "b", "vpc-2")
LOCAL, OUTPOST = _subnet("local", "-lax-1a"), {**_subnet("outpost"), "OutpostArn": "arn:aws:outposts:eu-west-1:123456789012:outpost/op-1"}
CERTIFICATES = {
    ACM + "good": Certificate(ACM + "good", "*.example.com", ("*.example.com",), "ISSUED", NOW + datetime.timedelta(days=90)),
    ACM + "soon": Certificate(ACM + "soon", "*.example.com", ("*.example.com",), "ISSUED", NOW + datetime.timedelta(days=3)),
    ACM + "over": Certificate(ACM + "over", "*.example.com", ("*.example.com",), "ISSUED", NOW - datetime.timedelta(days=3)),
    ACM + "half": Certificate(ACM + "half", "*.example.com", ("*.example.com",), "PENDING_VALIDATION"),
    ACM + "none": None,
}


def _context(*subnets: dict[str, Any], **fields: Any) -> Context:
    found = {one["SubnetId"]: one for one in subnets}
    rest = {"certificates": CERTIFICATES, "policies": POLICIES, "shield": False, "web_acls": {ACL: True, f"{ACL}0": False}}
    return Context(region="eu-west-1", now=NOW, subnets=found, **{**rest, **fields})


def _found(desired: dict[str, Any], context: Context) -> list[tuple[str, str, str]]:
    return [(one.what, one.severity, one.message) for one in check_load_balancers([LoadBalancerSpec("web", **desired)], context)]


def _expect(found: list[tuple[str, str, str]], *expected: tuple[str, str, str]) -> None:
    assert [(what, severity) for what, severity, _message in found] == [(what, severity) for what, severity, _text in expected], found
    for (_what, _severity, message), (_also_what, _also_severity, text) in zip(found, expected, strict=True):
        assert text in message


@pytest.mark.requirement("A4")
@pytest.mark.parametrize(
    ("desired", "subnets", "expected"),
    [
        ({"subnets": ("subnet-a", "b")}, [A, B], []),
        ({"subnets": ("local",)}, [LOCAL], []),
        ({"subnets": ("outpost",)}, [OUTPOST], []),
        ({"subnets": ("local",), "type": "nlb"}, [LOCAL], []),
        ({"vpc_id": "vpc-1"}, [{**LOCAL, "Tags": [{"Key": "kubernetes.io/role/internal-elb", "Value": "1"}]}], []),
        ({"subnets": ("subnet-a", "none")}, [A, B], ["error there is no subnet none", "error in eu-west-1a only, and an ALB needs two zones"]),
        ({"subnets": ("subnet-a", "subnet-stray")}, [A, STRAY], ["error subnet-stray is in vpc-2, not in vpc-1", "error an ALB needs two zones"]),
        ({"subnets": ("subnet-a", "b", "b2")}, [A, B, B2], ["error subnet-b, subnet-b2 are all in eu-west-1b"]),
        ({"subnets": ("subnet-a",), "type": "nlb"}, [A], []),
        ({"subnets": ("subnet-a", "c")}, [A, _subnet("c", "c", free=3)], ["warning subnet-c has 3 free addresses"]),
        ({}, [_subnet("a", **ROLE), _subnet("b", "b", **ROLE)], []),
        ({"scheme": "internet-facing"}, [_subnet("a", **PUBLIC), _subnet("b", "b", **PUBLIC)], []),
        (
            {},
            [_subnet("a", **ROLE), B],
            ["error in eu-west-1a only, and an ALB needs two zones (1 subnets of vpc-1 have the tag kubernetes.io/role/internal-elb"],
        ),
        ({"type": "nlb"}, [_subnet("a", **ROLE), B], []),
        ({}, [_subnet("a", **ROLE), _subnet("b", "b", **ROLE, **OTHERS)], ["error of which 1 are free for this cluster and have room"]),
        ({}, [_subnet("a", **ROLE), _subnet("b", "b", free=7, **ROLE)], ["error of which 1 are free for this cluster"]),
        ({}, [A, B], ["warning no subnet of vpc-1 has the tag kubernetes.io/role/internal-elb"]),
        ({"scheme": "internet-facing"}, [A, B], ["error subnets are found in no zone"]),
        ({}, [], ["error vpc-1 has no subnets"]),
        ({"vpc_id": ""}, [], []),
    ],
)
def test_subnets_are_checked_as_the_controller_chooses_them(desired: dict[str, Any], subnets: list[dict[str, Any]], expected: list[str]) -> None:
    found = _found({"vpc_id": "vpc-1", "cluster": "prod", **desired}, _context(*subnets, public=frozenset()))
    _expect(found, *(("subnets", *line.split(" ", 1)) for line in expected))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("desired", "expected"),
    [
        ({"certificate_arns": (ACM + "good",), "hosts": ("shop.example.com",)}, []),
        (
            {"certificate_arns": (ACM + "good",), "hosts": ("shop.example.com", "example.com")},
            [("certificate_arns", "error", "no certificate covers example.com (")],
        ),
        ({"certificate_arns": (ACM + "soon",)}, [("certificate_arns", "warning", "expires soon")]),
        ({"certificate_arns": (ACM + "over",)}, [("certificate_arns", "error", "has expired")]),
        ({"certificate_arns": (ACM + "half",)}, [("certificate_arns", "error", "is not issued")]),
        ({"certificate_arns": (ACM + "none",), "hosts": ("shop.example.com",)}, [("certificate_arns", "error", "there is no certificate")]),
        ({"certificate_arns": ("arn:aws:acm:us-east-1:1:certificate/x",)}, [("certificate_arns", "error", "is in us-east-1")]),
        ({"certificate_arns": ("shop",)}, [("certificate_arns", "error", "is not the ARN of a certificate")]),
        ({"certificate_arns": ("arn:aws:iam::1:server-certificate/x",), "hosts": ("shop.example.com",)}, []),
        ({"ssl_policy": "ELBSecurityPolicy-TLS13-1-2-2021-06"}, []),
        ({"ssl_policy": "ELBSecurityPolicy-TLS13-1-2-2021-6"}, [("ssl_policy", "error", "did you mean ELBSecurityPolicy-TLS13-1-2-2021-06")]),
        ({"ssl_policy": "secure"}, [("ssl_policy", "error", "eu-west-1 has ELBSecurityPolicy-TLS-1-2-Ext-2018-06, ELB")]),
        ({"ssl_policy": "ELBSecurityPolicy-TLS-1-2-Ext-2018-06", "type": "nlb"}, [("ssl_policy", "error", "is for load balancers of type application")]),
        ({"shield": True}, [("shield", "error", "no subscription")]),
        ({"shield": True, "type": "nlb"}, [("shield", "error", "not for NLBs")]),
        ({"security_groups": ("sg-1", "web")}, []),
        ({"security_groups": ("sg-2",), "vpc_id": "vpc-1"}, [("subnets", "error", "has no subnets"), ("security_groups", "error", "sg-2 is in vpc-2")]),
        ({"security_groups": ("sg-3",)}, [("security_groups", "error", "no security group sg-3")]),
        ({"tags": {"AWS:x": "y"}}, [("tags", "error", "begins with aws:")]),
        ({"tags": {f"k{index}": "" for index in range(51)}}, [("tags", "error", "51 tags")]),
        ({"name": "a" * 33}, [("name", "error", "33 characters")]),
        ({"name": "-web"}, [("name", "error", "no hyphen at either end")]),
        ({"name": "internal-web"}, [("name", "error", "do not begin with internal-")]),
    ],
)
def test_what_it_should_have_must_be_there(desired: dict[str, Any], expected: list[tuple[str, str, str]]) -> None:
    _expect(_found(desired, _context(security_groups={"sg-1": "vpc-1", "web": "vpc-1", "sg-2": "vpc-2"})), *expected)


@pytest.mark.requirement("A6")
@pytest.mark.parametrize(
    ("arn", "text"),
    [
        (ACL, ""),
        ("none", ""),
        (f"{ACL}0", "there is no web ACL"),
        (ACL.replace("regional", "global"), "a global one, for CloudFront"),
        (ACL.replace("eu-west-1", "us-east-1"), "is in us-east-1"),
        ("arn:aws:waf-regional:eu-west-1:1:webacl/1", "is not the ARN of a web ACL of AWS WAF (v2)"),
    ],
)
def test_a_web_acl_must_be_a_regional_one_that_exists(arn: str, text: str) -> None:
    _expect(_found({"waf_acl_arn": arn}, _context()), *([("waf_acl_arn", "error", text)] if text else []))


def test_an_nlb_has_no_web_acl() -> None:
    _expect(_found({"waf_acl_arn": ACL, "type": "nlb"}, _context()), ("waf_acl_arn", "error", "not NLBs"))


ADDRESSES = {
    "eipalloc-1": {"AllocationId": "eipalloc-1", "PublicIp": "192.0.2.1"},
    "eipalloc-2": {"AllocationId": "eipalloc-2", "PublicIp": "192.0.2.2", "AssociationId": "eipassoc-2", "NetworkInterfaceOwnerId": "amazon-elb"},
    "eipalloc-3": {
        "AllocationId": "eipalloc-3",
        "PublicIp": "192.0.2.3",
        "AssociationId": "eipassoc-3",
        "NetworkInterfaceId": "eni-3",
        "NetworkInterfaceOwnerId": "123456789012",
    },
}


@pytest.mark.requirement("F10")
@pytest.mark.parametrize(
    ("allocations", "kind", "text"),
    [
        (("eipalloc-1", "eipalloc-2"), "nlb", []),
        (("eipalloc-3",), "nlb", ["eipalloc-3 (192.0.2.3) belongs to eni-3: name one that is free"]),
        (("eipalloc-4", "eipalloc-1"), "nlb", ["there is no Elastic IP address eipalloc-4 in eu-west-1"]),
        (("eipalloc-1", "eipalloc-1"), "nlb", ["eipalloc-1 is named 2 times"]),
        (("eipalloc-1",), "alb", ["an ALB takes no Elastic IP addresses"]),
    ],
)
def test_addresses_must_be_there_and_free(allocations: tuple[str, ...], kind: str, text: list[str]) -> None:
    found = _found({"eip_allocations": allocations, "type": kind}, _context(addresses=ADDRESSES))
    _expect(found, *(("eip_allocations", "error", each) for each in text))


WEB = {"LoadBalancerName": "web", "Type": "application", "Scheme": "internal"}
MINE = {"elbv2.k8s.aws/cluster": "prod", "ingress.k8s.aws/stack": "shop/web"}


@pytest.mark.requirement("E11")
@pytest.mark.parametrize(
    ("existing", "tags", "owned", "expected"),
    [
        (WEB, MINE, {}, []),
        (WEB, {**MINE, "elbv2.k8s.aws/cluster": "test"}, {}, [("name", "error", "taken in eu-west-1 by a load balancer of Ingress shop/web of cluster test")]),
        (WEB, {**MINE, "ingress.k8s.aws/stack": "shop/other"}, {}, [("name", "error", "Ingress shop/other of cluster prod")]),
        (WEB, {"Team": "mesh"}, {}, [("name", "error", "without the tags of a controller")]),
        ({**WEB, "Scheme": "internet-facing"}, MINE, {}, [("scheme", "warning", "its controller replaces it")]),
        ({**WEB, "Type": "network"}, MINE, {}, [("type", "warning", "exists with the type nlb")]),
        (None, {}, {"web": "old"}, [("name", "warning", "exists as old, and keeps that name")]),
        (None, {}, {}, []),
    ],
)
def test_a_name_must_be_free_or_its_own(
    existing: dict[str, Any] | None, tags: dict[str, str], owned: dict[str, str], expected: list[tuple[str, str, str]]
) -> None:
    context = _context(named={"web": (existing, tags)} if existing else {}, owned=owned)
    _expect(_found({"name": "web", "cluster": "prod", "ingress": "shop/web"}, context), *expected)


def test_two_load_balancers_of_one_name_are_both_reported() -> None:
    found = check_load_balancers([LoadBalancerSpec("one", name="web"), LoadBalancerSpec("two", name="web")], _context())
    assert [(one.load_balancer, one.what) for one in found] == [("one", "name"), ("two", "name")]
