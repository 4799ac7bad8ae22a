"""Wrong data of load balancers: reported before anything is created where it can be known, else by the controller's own word within seconds."""

from __future__ import annotations

import datetime
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.stages.twins import environment_for
from tests.twin.support.certificates import make_certificate
from tests.twin.support.edge import run_modules
from tests.twin.support.rehearsed import Rehearsed

_PLACE = "wrong-data"
_ISTIO = "istio-ingress"
_ACCOUNT = "123456789012"
_GATEWAY: dict[str, Any] = {"name": "wrong", "namespace": _PLACE, "load_balancer": "alb"}
_ALB: dict[str, Any] = {"name": "wrong", "namespace": _PLACE, "gateway": "wrong", "load_balancer_name": "wrong-data", "scheme": "internet-facing"}
_GONE: dict[str, Any] = {"name": "wrong", "namespace": _PLACE, "state": "absent"}


def _missing(region: str) -> str:
    return f"arn:aws:acm:{region}:{_ACCOUNT}:certificate/00000000-0000-4000-8000-000000000000"


# How long the modules wait, in seconds.
_WAIT = 120


def _declare(prod: Rehearsed, **options: Any) -> dict[str, Any]:
    """Run the modules of ingress and wait; their joint result, whether or not one failed."""
    kubeconfig = environment_for(f"{prod.name}-{prod.cluster}")["TWIN_KUBECONFIG"]
    return run_modules(prod, kubeconfig, wait=True, wait_timeout=_WAIT, **options)


@pytest.fixture(scope="module")
def certificates(prod: Rehearsed) -> Iterator[dict[str, str]]:
    """A good certificate, and one that has expired."""
    acm = prod.client("acm")
    made = {name: make_certificate(f"{name}.wrong-data.example") for name in ("good", "expired")}
    arns = {name: str(acm.import_certificate(Certificate=each.public, PrivateKey=each.private)["CertificateArn"]) for name, each in made.items()}
    ended = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
    prod.control("certificates", {"arn": arns["expired"], "not_after": ended.isoformat()})
    yield arns
    for arn in arns.values():
        acm.delete_certificate(CertificateArn=arn)


@pytest.fixture
def place(prod: Rehearsed) -> Iterator[str]:
    """A namespace for load balancers that are refused."""
    yield _PLACE
    gone = _declare(prod, gateways=[_GONE], albs=[_GONE])
    assert not gone.get("failed"), gone["msg"]
    prod.kubectl("delete", "namespace", _PLACE, "--ignore-not-found", "--wait=false")


def _alb(name: str, **options: Any) -> dict[str, Any]:
    return {"name": name, "namespace": _ISTIO, "gateway": "shop", **options}


@pytest.mark.requirement("A6", "E2", "E18")
def test_all_errors_of_an_inventory_are_reported_at_once_and_nothing_is_made(prod: Rehearsed) -> None:
    certificate = [f"arn:aws:acm:eu-central-1:{_ACCOUNT}:certificate/5e5e4a3c-0b7a-4f0e-9d57-1d3f2c6b8a90"]
    gateways = [
        {"name": "fixed", "namespace": _ISTIO, "load_balancer": "alb", "service_type": "ClusterIP"},
        {"name": "longer", "namespace": _ISTIO, "load_balancer": "nlb", "nlb": {"name": "a" * 33}},
        {"name": "strange", "namespace": _ISTIO, "load_balancer": "nlb", "nlb": {"subnets": ["10.0.0.0/24"]}},
        {"name": "open", "namespace": _ISTIO, "load_balancer": "nlb", "tls": "load_balancer"},
    ]
    albs = [
        _alb("cluster-ip", gateway="fixed", target_type="instance"),
        _alb("number", target_type="instance", health_check={"port": "15021"}),
        _alb("bare", listen_ports=[{"HTTPS": 443}]),
        _alb("global", waf_acl_arn=f"arn:aws:wafv2:us-east-1:{_ACCOUNT}:global/webacl/shop/0a1b"),
        _alb("long", load_balancer_name="b" * 33),
        _alb("elsewhere", certificate_arns=certificate, listen_ports=[{"HTTP": 80}, {"HTTPS": 443}], ssl_redirect=8443),
        _alb("policy", certificate_arns=certificate, ssl_policy="TLSv1.3"),
        _alb("abroad", certificate_arns=[certificate[0].replace("eu-central-1", "us-east-1")]),
    ]
    expected = [
        "target_type instance needs a NodePort, but Gateway istio-ingress/fixed has service_type ClusterIP",
        "health_check.port is 15021 with target_type instance, which would probe port 15021 of the nodes",
        "listen_ports has HTTPS 443, but there is no certificate",
        "a web ACL for CloudFront: use one with the scope REGIONAL",
        f"load_balancer_name is '{'b' * 33}' (33 characters)",
        f"nlb.name is '{'a' * 33}' (33 characters)",
        "ssl_redirect is 8443, but listen_ports has no HTTPS listener at that port",
        "ssl_policy is 'TLSv1.3': use a policy of Elastic Load Balancing",
        "is in region us-east-1, but eks_region is eu-central-1",
        "nlb.subnets",
        "tls is load_balancer, but nlb has no certificate",
    ]
    with prod.unchanged():
        wrong = json.dumps({"ingress_gateways": gateways, "ingress_albs": albs})
        done = prod.play("site.yml", "-e", wrong, ANSIBLE_CALLBACK_RESULT_FORMAT="json")
    message = done.stdout.replace('\\"', '"')
    assert done.returncode != 0, "wrong data is no success"
    assert "Nothing was changed anywhere" in message
    assert not [text for text in expected if text not in message], message[-6000:]


def test_a_run_with_a_wrong_subnet_ends_at_the_check(prod: Rehearsed) -> None:
    alb = {**_alb("shop"), "load_balancer_name": "shop", "scheme": "internet-facing", "subnets": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]}
    with prod.unchanged():
        done = prod.play("site.yml", "--tags", "ingress", "-e", json.dumps({"ingress_albs": [alb]}))
    assert done.returncode != 0, "a subnet that is not there is no success"
    reported = " ".join(done.stdout.split())
    assert "there is no subnet subnet-0123456789abcdef0" in reported, done.stdout[-3000:]
    assert "Verify that AWS accepts the load balancers before anything is written" in reported
    assert "ingress : Create or update" not in reported, "a module has run in spite of the check"


def test_what_aws_would_refuse_is_reported_of_all_load_balancers_at_once(prod: Rehearsed, certificates: dict[str, str]) -> None:
    region = prod.client("elbv2").meta.region_name
    policy = "ELBSecurityPolicy-TLS13-1-2-2021-06"
    wrong: dict[str, tuple[dict[str, Any], str]] = {
        "subnet": ({"subnets": ["subnet-0123456789abcdef0"]}, "there is no subnet subnet-0123456789abcdef0"),
        "expired": ({"certificate_arns": [certificates["expired"]]}, "has expired"),
        "missing": ({"certificate_arns": [_missing(region)]}, "there is no certificate"),
        "other": ({"certificate_arns": [certificates["good"]], "hosts": ["shop.example.com"]}, "no certificate covers shop.example.com"),
        "policy": ({"certificate_arns": [certificates["good"]], "ssl_policy": f"{policy}-X"}, f"there is no TLS policy {policy}-X"),
        "acl": ({"waf_acl_arn": f"arn:aws:wafv2:{region}:{_ACCOUNT}:regional/webacl/none/0a1b"}, "there is no web ACL"),
        "global": ({"waf_acl_arn": f"arn:aws:wafv2:us-east-1:{_ACCOUNT}:global/webacl/shop/0a1b"}, "a global one, for CloudFront"),
        "group": ({"security_groups": ["sg-0123456789abcdef0"]}, "there is no security group sg-0123456789abcdef0"),
        "address": ({"type": "nlb", "eip_allocations": ["eipalloc-0123456789abcdef0"]}, "there is no Elastic IP address eipalloc-0123456789abcdef0"),
        "bucket": ({"access_logs": {"enabled": True, "bucket": "wrong-data-none"}}, "there is no bucket"),
    }
    items = [{"title": name, "ingress": f"{_PLACE}/{name}", "scheme": "internet-facing", **options} for name, (options, _message) in wrong.items()]
    vpc = prod.client("eks").describe_cluster(name=prod.cluster)["cluster"]["resourcesVpcConfig"]["vpcId"]
    with prod.unchanged():
        result = prod.module("load_balancer_check", {"load_balancers": items, "vpc_id": vpc, "cluster_name": prod.cluster, "region": region})
    assert result.get("failed"), "what AWS would refuse is no success"
    lines = result["msg"].splitlines()
    unreported = [name for name, (_options, text) in wrong.items() if not any(name in line and text in line for line in lines)]
    assert not unreported, f"{unreported} are not reported: {result['msg']}"


@pytest.mark.requirement("A10", "E6")
def test_what_the_cluster_shows_to_be_wrong_is_refused_before_the_first_write(prod: Rehearsed) -> None:
    daemon = prod.get("daemonset", "aws-node", "-n", "kube-system")
    lonely = {"name": "wrong", "namespace": _ISTIO, "service": "nobody"}
    with prod.unchanged():
        result = _declare(prod, albs=[lonely])
    assert "its backend Service istio-ingress/nobody does not exist" in result["msg"]
    assert "Nothing was changed on cluster" in result["msg"]
    named = ("apiVersion", "kind", "spec")
    kept = {key: daemon[key] for key in named} | {
        "metadata": {key: daemon["metadata"][key] for key in ("name", "namespace", "labels") if key in daemon["metadata"]}
    }
    prod.kubectl("delete", "daemonset", "aws-node", "-n", "kube-system", "--cascade=orphan")
    try:
        with prod.unchanged():
            result = _declare(prod, gateways=[_GATEWAY], albs=[_ALB])
    finally:
        prod.kubectl("apply", "-f", "-", given=json.dumps(kept))
    assert "target_type ip needs pods whose addresses the VPC routes" in result["msg"]


@pytest.mark.requirement("E33")
def test_what_only_the_controller_sees_is_quoted_within_seconds_and_a_good_rerun_converges(
    prod: Rehearsed, certificates: dict[str, str], place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = _missing(prod.client("elbv2").meta.region_name)
    refused = _declare(prod, gateways=[_GATEWAY], albs=[{**_ALB, "certificate_arns": [missing]}])
    assert refused.get("failed"), "a certificate that is not there is no success"
    assert "the load balancer controller reports: Failed deploy model due to" in refused["msg"]
    assert "CertificateNotFound" in refused["msg"]
    assert "It will not become ready by waiting" in refused["msg"] and refused["elapsed"] < _WAIT, "the wait went on to its end"
    # The same item with a certificate that is there; what the controller has said of the former one does not count any more.
    begun = time.monotonic()
    repaired = _declare(prod, gateways=[_GATEWAY], albs=[{**_ALB, "certificate_arns": [certificates["good"]]}])
    assert not repaired.get("failed"), repaired["msg"]
    took = time.monotonic() - begun
    assert took < 60, "AWS provisions it for a second, and the controller looks again every 10 s"
    assert repaired["albs"][0]["address"]
    # The address is there already: a change that is refused is reported all the same.
    again = _declare(prod, gateways=[_GATEWAY], albs=[{**_ALB, "certificate_arns": [missing]}])
    assert "CertificateNotFound" in again["msg"]
    unchanged = _declare(prod, gateways=[_GATEWAY], albs=[{**_ALB, "certificate_arns": [missing]}])
    assert not unchanged["changed"]
    assert "CertificateNotFound" in unchanged["msg"], "it stands as long as nothing is changed"
    with capsys.disabled():
        print(f"\nrefused after {refused['elapsed']:.1f} s, repaired after {took:.1f} s, refused again after {again['elapsed']:.1f} s in namespace {place}")
