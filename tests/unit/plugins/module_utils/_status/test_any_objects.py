from __future__ import annotations

import builtins
from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._errors import MeshError
from ansible_collections.meshwright.ambient.plugins.module_utils._status import json_paths
from ansible_collections.meshwright.ambient.plugins.module_utils._status.any_objects import ConditionExpectation, ValueExpectation, judge_any_object
from ansible_collections.meshwright.ambient.plugins.module_utils._status.json_paths import check, find, translate
from tests.unit.objects import Object, derived

OBJECT: Object = {
    "metadata": {"name": "it", "generation": 2, "labels": {"istio.io/rev": "1-31"}},
    "spec": {"paused": False},
    "status": {
        "phase": "Bound",
        "replicas": 3,
        "empty": [],
        "loadBalancer": {"ingress": [{"hostname": "lb.example.com"}]},
        "conditions": [
            {
                "type": "Synced",
                "status": "True",
                "reason": "Done",
                "message": "all is well.",
                "observedGeneration": 2,
                "lastTransitionTime": "2026-11-21T08:00:00Z",
            },
            {"type": "Degraded", "status": "False", "reason": "Fine"},
        ],
    },
}


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


def test_a_condition_is_told() -> None:
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


@pytest.mark.parametrize(
    ("path", "found"),
    [
        pytest.param("{.status.phase}", ["Bound"], id="braces"),
        pytest.param(".status.phase", ["Bound"], id="no-braces"),
        pytest.param("status.phase", ["Bound"], id="no-dot"),
        pytest.param("{$.status.phase}", ["Bound"], id="root"),
        pytest.param("{.status.loadBalancer.ingress[0].hostname}", ["lb.example.com"], id="index"),
        pytest.param('{.status.conditions[?(@.type=="Synced")].status}', ["True"], id="filter"),
        pytest.param("{.status.conditions[?(@.type=='Synced')].status}", ["True"], id="filter-with-single-quotes"),
        pytest.param(r"{.metadata.labels.istio\.io/rev}", ["1-31"], id="escaped-dots"),
        pytest.param("{.metadata.labels['istio.io/rev']}", ["1-31"], id="key-in-brackets"),
        pytest.param("{.status.conditions[*].type}", ["Synced", "Degraded"], id="all"),
        pytest.param("{.status.conditions[-1].type}", ["Degraded"], id="last"),
        pytest.param("{..hostname}", ["lb.example.com"], id="anywhere"),
        pytest.param("{.status.conditions[?(@.type=='x.y')].status}", [], id="none"),
    ],
)
def test_json_paths_as_kubectl_writes_them(path: str, found: list[Any]) -> None:
    assert find(path, OBJECT) == found


@pytest.mark.parametrize("path", ["", "{.status[}", "{range .items[*]}{.a}{end}", "{.status.conditions[?(@.x]}", "{.a} {.b}"])
def test_a_path_that_cannot_be_read_is_refused(path: str) -> None:
    with pytest.raises(MeshError, match=r"cannot be parsed .*: write it as for kubectl"):
        check(path)


def test_translate_quotes_what_is_no_plain_word() -> None:
    assert translate("{.spec.a-b.c}") == '$.spec["a-b"].c'


def test_the_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *arguments: Any, **more: Any) -> Any:
        if name.startswith("jsonpath_ng"):
            raise ImportError(name)
        return real(name, *arguments, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    json_paths._compiled.cache_clear()
    with pytest.raises(MeshError, match=r"The Python package jsonpath-ng, which reads json_path '\{\.a\}', is missing"):
        check("{.a}")
