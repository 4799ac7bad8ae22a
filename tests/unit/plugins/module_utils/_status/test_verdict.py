from __future__ import annotations

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._status.verdict import Verdict, condition, not_found, not_observed, terminating
from tests.unit.objects import Object, derived, recorded

GATEWAY = recorded("gateway/waypoint_programmed")
DELETED = "2026-11-21T08:00:00Z"


def test_an_object_that_stays_is_not_terminating() -> None:
    assert terminating(GATEWAY) is None
    assert terminating(None) is None


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        pytest.param({}, "it is being deleted", id="nothing-holds-it"),
        pytest.param(
            {"finalizers": ["example.org/a", "example.org/b"]}, "it is being deleted, blocked by the finalizers example.org/a, example.org/b", id="held"
        ),
    ],
)
def test_terminating(metadata: Object, message: str) -> None:
    item = derived(GATEWAY, {"metadata": {"deletionTimestamp": DELETED, **metadata}})
    assert terminating(item) == Verdict("Terminating", "Terminating", message, "Wait until it is deleted, then create it again.", DELETED)


@pytest.mark.parametrize(
    ("generation", "observed", "message"),
    [
        pytest.param(2, 2, None, id="up-to-date"),
        pytest.param(2, 3, None, id="ahead"),
        pytest.param(2, None, None, id="nothing-reported"),
        pytest.param(None, 1, None, id="without-generations"),
        pytest.param(2, 1, "its status is for generation 1, but the current generation is 2", id="stale"),
    ],
)
def test_not_observed(generation: int | None, observed: int | None, message: str | None) -> None:
    verdict = not_observed(derived(GATEWAY, {"metadata": {"generation": generation}, "status": {"observedGeneration": observed}}))
    assert (verdict.message if verdict else None) == message
    assert verdict is None or (verdict.status, verdict.reason, verdict.final) == ("InProgress", "GenerationNotObserved", False)


def test_condition() -> None:
    found = condition(GATEWAY, "Programmed")
    assert found is not None
    assert found["status"] == "True"
    assert condition(GATEWAY, "Ready") is None
    assert condition(derived(GATEWAY, {"status": None}), "Programmed") is None
    assert condition(derived(GATEWAY, {"status": {"conditions": None}}), "Programmed") is None


def test_only_current_is_current() -> None:
    assert Verdict("Current").current
    assert not not_found("Gateway shop/waypoint", "Create it.").current
    assert not_found("Gateway shop/waypoint", "Create it.").message == "Gateway shop/waypoint does not exist"
