"""The module ingress before the real load balancer controller: what it waits for, and when it stops. What is in AWS then: test_alb.py, test_nlb.py."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.twin.edge import Edge
from tests.twin.rehearsed import Rehearsed
from twin import account


@pytest.fixture
def edge(prod: Rehearsed) -> Iterator[Edge]:
    """A namespace for the gateway of a test, which is gone afterwards."""
    made = Edge(prod, "refused")
    yield made
    made.remove("refused")
    prod.kubectl("delete", "namespace", made.namespace, "--ignore-not-found", "--wait=false")


def test_the_controllers_refusal_ends_the_wait_in_its_own_words(edge: Edge, capsys: pytest.CaptureFixture[str]) -> None:
    missing = f"arn:aws:acm:{account.REGION}:123456789012:certificate/00000000-0000-4000-8000-000000000000"
    begun = time.monotonic()
    result = edge.module(gateways=[edge.gateway("refused")], albs=[edge.alb("refused", certificate_arns=[missing])], wait=True)
    assert result.get("failed"), "a certificate that is not there is no success"
    assert "the load balancer controller says: Failed deploy model due to" in result["msg"]
    assert missing in result["msg"]
    assert "It will not become ready by waiting" in result["msg"]
    with capsys.disabled():
        print(f"\na missing certificate was told after {time.monotonic() - begun:.1f} s")
