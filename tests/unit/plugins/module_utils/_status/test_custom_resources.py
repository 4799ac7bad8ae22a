from __future__ import annotations

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._status.custom_resources import judge_custom_resource_definition
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
            "it is being deleted, held by the finalizers customresourcecleanup.apiextensions.k8s.io",
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
