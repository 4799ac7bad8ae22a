"""The modules of ingress with the real load balancer controller: what they wait for, and when they stop. What is in AWS then: test_alb.py, test_nlb.py."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator

import pytest

from tests.twin.support.edge import Edge
from tests.twin.support.rehearsed import Rehearsed
from twin.aws import account

_NUMBERS = itertools.count(1)


@pytest.fixture
def edge(prod: Rehearsed) -> Iterator[Edge]:
    """A namespace for the gateway of a test, which is gone afterwards."""
    # One that ends takes nothing new, so each test has another.
    made = Edge(prod, f"refused-{next(_NUMBERS)}")
    yield made
    made.remove("refused")
    prod.kubectl("delete", "namespace", made.namespace, "--ignore-not-found", "--wait=false")


def test_the_controllers_refusal_ends_the_wait_in_its_own_words(edge: Edge, capsys: pytest.CaptureFixture[str]) -> None:
    missing = f"arn:aws:acm:{account.REGION}:123456789012:certificate/00000000-0000-4000-8000-000000000000"
    begun = time.monotonic()
    result = edge.module(gateways=[edge.gateway("refused")], albs=[edge.alb("refused", certificate_arns=[missing])], wait=True)
    assert result.get("failed"), "a certificate that is not there is no success"
    assert "the load balancer controller reports: Failed deploy model due to" in result["msg"]
    assert missing in result["msg"]
    assert "It will not become ready by waiting" in result["msg"]
    with capsys.disabled():
        print(f"\na missing certificate was reported after {time.monotonic() - begun:.1f} s")


@pytest.mark.requirement("D9")
def test_a_gateway_ends_with_its_address_or_with_istiods_reason(edge: Edge) -> None:
    plain = edge.gateway("refused", load_balancer="none")
    assert edge.declare(gateways=[plain])["gateways"][0]["address"] == f"refused-istio.{edge.namespace}.svc.cluster.local"
    foreign = {**plain, "tls": "gateway", "certificate_refs": [{"name": "missing"}]}
    result = edge.module(gateways=[foreign], wait=True, wait_timeout=5)
    assert result.get("failed"), "a listener without its certificate is not programmed"
    (verdict,) = [target for target in result["targets"] if target["kind"] == "Gateway"]
    assert "missing" in verdict["message"], verdict


@pytest.mark.requirement("B5", "B6")
def test_who_would_make_the_load_balancer_is_reported_before(edge: Edge) -> None:
    reported = edge.module(check=True, gateways=[edge.gateway("refused", load_balancer="none", service_type="LoadBalancer")])
    assert [(entry["load_balancer"], entry["made_by"]) for entry in reported["gateways"]] == [("nlb", "AWS Load Balancer Controller")], reported
