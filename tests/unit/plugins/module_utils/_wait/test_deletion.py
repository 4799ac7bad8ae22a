from __future__ import annotations

import itertools
import time

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._errors import ApiError
from ansible_collections.meshwright.ambient.plugins.module_utils._k8s import watch as watch_module
from ansible_collections.meshwright.ambient.plugins.module_utils._kinds import GATEWAY
from ansible_collections.meshwright.ambient.plugins.module_utils._wait.deletion import wait_until_deleted
from tests.unit.fake_api import Answer, Cluster, refusal
from tests.unit.objects import recorded

GATEWAY_OBJECT = recorded("gateway/waypoint_programmed")
KEY = ("bookinfo", "waypoint")
PATIENCE = 10.0
NOT_SERVED = Answer(404, "404 page not found\n")


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch_module, "LONGEST_BACKOFF", 0.001)
    monkeypatch.setattr(watch_module, "NOT_SERVED_PAUSE", 0.001)


def test_the_event_that_takes_the_last_one_ends_the_wait() -> None:
    cluster = Cluster(GATEWAY_OBJECT)
    cluster.send("Gateway", "DELETED", GATEWAY_OBJECT)
    assert wait_until_deleted(cluster.api.session, GATEWAY, [KEY], timeout=PATIENCE, clock=time.monotonic) == []


def test_what_was_never_there_is_gone() -> None:
    assert wait_until_deleted(Cluster().api.session, GATEWAY, [KEY], timeout=PATIENCE, clock=time.monotonic) == []
    assert wait_until_deleted(Cluster(Gateway=NOT_SERVED).api.session, GATEWAY, [KEY], timeout=PATIENCE, clock=time.monotonic) == []


def test_nothing_to_wait_for_asks_nothing() -> None:
    cluster = Cluster()
    assert wait_until_deleted(cluster.api.session, GATEWAY, [], timeout=PATIENCE, clock=lambda: 0.0) == []
    assert cluster.api.requests == []


def test_what_stays_is_returned() -> None:
    now = itertools.chain([0.0, 0.0, 0.0], itertools.repeat(61.0))
    other = ("bookinfo", "other")
    assert wait_until_deleted(Cluster(GATEWAY_OBJECT).api.session, GATEWAY, [KEY, other], timeout=60, clock=now.__next__) == ["bookinfo/waypoint"]


def test_no_right_to_read_is_not_taken_for_gone() -> None:
    cluster = Cluster(Gateway=refusal(403, "Forbidden", "no"))
    with pytest.raises(ApiError, match="refused to list gateways"):
        wait_until_deleted(cluster.api.session, GATEWAY, [KEY], timeout=PATIENCE, clock=time.monotonic)


def test_what_could_not_be_read_is_not_taken_for_gone() -> None:
    cluster = Cluster(Gateway=refusal(500, "InternalError", "oops"))
    assert wait_until_deleted(cluster.api.session, GATEWAY, [KEY], timeout=0, clock=time.monotonic) == ["gateways (not read yet)"]
