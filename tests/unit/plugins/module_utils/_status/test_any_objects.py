from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._status.any_objects import ConditionExpectation, ValueExpectation, judge_any_object
from tests.unit.objects import Object, derived
from tests.unit.objects_of_any_kind import OBJECT


def _with(**condition: Any) -> Object:
    return derived(OBJECT, {"status": {"conditions": [condition]}})


@pytest.mark.parametrize(
    ("expected", "reason"),
    [
        pytest.param(ConditionExpectation("Synced"), "", id="true"),
        pytest.param(ConditionExpectation("Synced", "True", "Done"), "", id="with-its-reason"),
        pytest.param(ConditionExpectation("Degraded", "False"), "", id="false"),
        pytest.param(ConditionExpectation("Synced", "False"), "Done", id="other-status"),
        pytest.param(ConditionExpectation("Synced", "True", "Perfect"), "Done", id="other-reason"),
        pytest.param(ConditionExpectation("Ready"), "NoCondition", id="missing"),
    ],
)
def test_by_condition(expected: ConditionExpectation, reason: str) -> None:
    verdict = judge_any_object("it", OBJECT, expected)
    assert (verdict.current, verdict.reason) == (not reason, reason)
    assert verdict.current or verdict.remedy


def test_a_condition_on_an_older_generation_does_not_count() -> None:
    newer = derived(OBJECT, {"metadata": {"generation": 3}})
    assert judge_any_object("it", newer, ConditionExpectation("Synced")).reason == "GenerationNotObserved"
    assert judge_any_object("it", newer, ConditionExpectation("Degraded", "False")).current
    stale = derived(newer, {"status": {"observedGeneration": 2}})
    assert judge_any_object("it", stale, ConditionExpectation("Degraded", "False")).reason == "GenerationNotObserved"


def test_a_condition_is_reported() -> None:
    verdict = judge_any_object("it", OBJECT, ConditionExpectation("Synced", "False"))
    assert verdict.message == "condition Synced is True (Done): all is well; expected False"
    assert verdict.since == "2026-11-21T08:00:00Z"


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        pytest.param("{.status.phase}", "Bound", "", id="text"),
        pytest.param("{.status.phase}", None, "", id="anything"),
        pytest.param("{.status.replicas}", "3", "", id="number"),
        pytest.param("{.spec.paused}", "False", "", id="boolean-as-yaml-makes-it-text"),
        pytest.param("{.spec.paused}", None, "", id="false-is-a-value"),
        pytest.param("{.status.conditions[*].status}", "True", "OtherValue", id="all-must-be-it"),
        pytest.param("{.status.phase}", "Pending", "OtherValue", id="other"),
        pytest.param("{.status.phase}", "bound", "OtherValue", id="case-counts"),
        pytest.param("{.status.missing}", None, "NoValue", id="nothing"),
        pytest.param("{.status.missing}", "x", "NoValue", id="nothing-instead-of-a-value"),
        pytest.param("{.status.empty}", None, "NoValue", id="empty"),
    ],
)
def test_by_value(path: str, value: str | None, reason: str) -> None:
    verdict = judge_any_object("it", OBJECT, ValueExpectation(path, value))
    assert (verdict.current, verdict.reason) == (not reason, reason)
    assert path in verdict.message


@pytest.mark.parametrize(
    ("item", "status", "reason"),
    [
        pytest.param(OBJECT, "Current", "", id="no-word-on-readiness"),
        pytest.param(_with(type="Ready", status="True"), "Current", "", id="ready"),
        pytest.param(_with(type="Ready", status="False", reason="Waiting"), "InProgress", "Waiting", id="not-ready"),
        pytest.param(_with(type="Ready", status="Unknown"), "InProgress", "OtherStatus", id="not-known"),
        pytest.param(_with(type="Reconciling", status="True", reason="Upgrading"), "InProgress", "Upgrading", id="reconciling"),
        pytest.param(_with(type="Reconciling", status="False"), "Current", "", id="reconciled"),
        pytest.param(_with(type="Stalled", status="True", reason="NoQuota"), "Failed", "NoQuota", id="stalled"),
        pytest.param(derived(OBJECT, {"status": {"observedGeneration": 1}}), "InProgress", "GenerationNotObserved", id="stale"),
        pytest.param(derived(OBJECT, {"metadata": {"deletionTimestamp": "2026-11-21T08:00:00Z"}}), "Terminating", "Terminating", id="deleted"),
        pytest.param(None, "NotFound", "NotFound", id="missing"),
    ],
)
def test_by_what_controllers_agree_on(item: Object | None, status: str, reason: str) -> None:
    verdict = judge_any_object("it", item)
    assert (verdict.status, verdict.reason, verdict.final) == (status, reason, False)
