from __future__ import annotations

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._status.custom_resources import (
    DefinitionExpectation,
    is_bundle_version,
    judge_custom_resource_definition,
)
from tests.unit.objects import Object, derived, recorded, with_condition, without_condition

ESTABLISHED = recorded("customresourcedefinition/gateways_established")
NAME = "gateways.gateway.networking.k8s.io"


@pytest.mark.parametrize(
    ("definition", "status", "reason", "message"),
    [
        pytest.param(ESTABLISHED, "Current", "", "serves v1, v1beta1", id="as-recorded"),
        pytest.param(
            derived(ESTABLISHED, {"spec": {"versions": [{"name": "v1", "served": True}, {"name": "v1beta1", "served": False}]}}),
            "Current",
            "",
            "serves v1",
            id="a-version-that-is-not-served",
        ),
        pytest.param(None, "NotFound", "NotFound", f"CustomResourceDefinition {NAME} does not exist", id="missing"),
        pytest.param(
            derived(ESTABLISHED, {"metadata": {"deletionTimestamp": "2026-11-21T08:00:00Z", "finalizers": ["customresourcecleanup.apiextensions.k8s.io"]}}),
            "Terminating",
            "Terminating",
            "it is being deleted, blocked by the finalizers customresourcecleanup.apiextensions.k8s.io",
            id="deleted",
        ),
        pytest.param(
            without_condition(ESTABLISHED, "Established"), "InProgress", "NotEstablished", "the API server does not serve it yet", id="not-established"
        ),
        pytest.param(
            with_condition(ESTABLISHED, "Established", status="False", reason="Installing"),
            "InProgress",
            "NotEstablished",
            "the API server does not serve it yet",
            id="installing",
        ),
        pytest.param(derived(ESTABLISHED, {"status": None}), "InProgress", "NotEstablished", "the API server does not serve it yet", id="no-status"),
    ],
)
def test_judge_custom_resource_definition(definition: Object | None, status: str, reason: str, message: str) -> None:
    verdict = judge_custom_resource_definition(NAME, definition)
    assert (verdict.status, verdict.reason, verdict.message) == (status, reason, message)
    assert verdict.current or verdict.remedy
    assert not verdict.final


def test_a_taken_name_is_final() -> None:
    taken = with_condition(ESTABLISHED, "NamesAccepted", status="False", reason="ListKindConflict", message='"GatewayList" is already in use')
    verdict = judge_custom_resource_definition(NAME, taken)
    assert (verdict.status, verdict.reason, verdict.message, verdict.final) == ("Failed", "ListKindConflict", '"GatewayList" is already in use', True)


BUNDLE = "gateway.networking.k8s.io/bundle-version"


def _of(bundle: str | None) -> Object:
    return derived(ESTABLISHED, {"metadata": {"annotations": {BUNDLE: bundle}}})


@pytest.mark.parametrize(
    ("expected", "reason"),
    [
        pytest.param(["v1"], "", id="one"),
        pytest.param(["v1", "v1beta1"], "", id="both"),
        pytest.param(["v1", "v2"], "VersionNotServed", id="one-is-missing"),
    ],
)
def test_versions_that_must_be_served(expected: list[str], reason: str) -> None:
    verdict = judge_custom_resource_definition(NAME, ESTABLISHED, DefinitionExpectation(tuple(expected)))
    assert verdict.reason == reason
    assert verdict.current or verdict.message == "it does not serve v2, only v1, v1beta1"


@pytest.mark.parametrize(
    ("bundle", "expected", "current"),
    [
        ("v1.6.1", "v1.6.1", True),
        ("v1.6.1", "1.6.1", True),
        ("v1.6.1", "v1.6.0", False),
        ("v1.6.1", ">=v1.6.1", True),
        ("v1.6.1", ">=1.4.0", True),
        ("v1.10.0", ">=v1.9.0", True),
        ("v1.6.1", ">= v1.7.0", False),
        ("v1.6.0-rc.1", ">=v1.6.0", False),
        ("v1.6.0", ">=v1.6.0-rc.1", True),
        ("v1.6.0-rc.2", ">=v1.6.0-rc.1", True),
        ("main", ">=v1.6.0", False),
        (None, "v1.6.1", False),
    ],
)
def test_the_bundle_that_it_must_be_of(bundle: str | None, expected: str, current: bool) -> None:
    verdict = judge_custom_resource_definition(NAME, _of(bundle), DefinitionExpectation(bundle_version=expected))
    assert verdict.current == current
    assert current or verdict.reason == "OtherBundle"


@pytest.mark.parametrize(
    ("text", "is_version"), [("v1.6.1", True), (">=v1.4.0", True), ("v1.6.0-rc.1", True), ("latest", False), (">=", False), ("v1.6", False)]
)
def test_an_expected_bundle_must_be_a_version(text: str, is_version: bool) -> None:
    assert is_bundle_version(text) == is_version
