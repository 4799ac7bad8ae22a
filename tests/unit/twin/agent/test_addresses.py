from __future__ import annotations

import itertools
import queue
from typing import Any

import pytest

from twin.agent.addresses import PodAddresses, addresses_of, follow_addresses
from twin.kwok.settings import AwsSettings

_SETTINGS = AwsSettings("one", "http://127.0.0.1:9", "prod", "eu-west-1", "http://127.0.0.1:9/authenticate", "https://issuer", "172.20.0.0/16")


def _pod(name: str, address: str | None, node: str | None = "node-1", phase: str = "Running", **spec: Any) -> dict[str, Any]:
    status = {"phase": phase, **({"podIP": address} if address else {})}
    return {"metadata": {"name": name, "namespace": "shop"}, "spec": {**({"nodeName": node} if node else {}), **spec}, "status": status}


def test_pods_with_an_address_of_their_own() -> None:
    pods = [
        _pod("b", "10.64.0.2", "node-2"),
        _pod("a", "10.64.0.1"),
        _pod("on-the-host", "10.64.0.3", hostNetwork=True),
        _pod("waiting", None),
        _pod("unscheduled", None, None),
        _pod("done", "10.64.0.4", phase="Succeeded"),
    ]
    assert addresses_of(pods) == [
        {"address": "10.64.0.1", "node": "node-1", "pod": "shop/a"},
        {"address": "10.64.0.2", "node": "node-2", "pod": "shop/b"},
    ]


def test_changes_are_sent_and_repetitions_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: queue.Queue[list[str]] = queue.Queue()
    monkeypatch.setattr(PodAddresses, "_send", lambda _self, addresses: sent.put([each["address"] for each in addresses]))
    tell = follow_addresses(_SETTINGS)
    tell([_pod("a", "10.64.0.1")])
    assert sent.get(timeout=5) == ["10.64.0.1"]
    tell([_pod("a", "10.64.0.1")])
    tell([])
    assert sent.get(timeout=5) == []


def test_what_could_not_be_sent_is_sent_again(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    tries: queue.Queue[int] = queue.Queue()
    numbers = itertools.count(1)

    def send(_self: PodAddresses, _addresses: object) -> None:
        number = next(numbers)
        tries.put(number)
        if number == 1:
            raise ConnectionRefusedError("Connection refused")

    monkeypatch.setattr("twin.agent.addresses._RETRY_SECONDS", 0.0)
    monkeypatch.setattr(PodAddresses, "_send", send)
    follow_addresses(_SETTINGS)([_pod("a", "10.64.0.1")])
    assert [tries.get(timeout=5), tries.get(timeout=5)] == [1, 2]
    assert "the account one did not take the addresses of 1 pods: Connection refused" in caplog.text


def test_without_an_account_nothing_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    began: list[str] = []
    monkeypatch.setattr(PodAddresses, "start", lambda _self: began.append("start"))
    monkeypatch.setattr(PodAddresses, "update", lambda _self, _pods: began.append("update"))
    follow_addresses(None)([_pod("a", "10.64.0.1")])
    assert began == []
    follow_addresses(_SETTINGS)([_pod("a", "10.64.0.1")])
    assert began == ["start", "update"], "with an account it is the same"
