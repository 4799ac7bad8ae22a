from __future__ import annotations

import copy
from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._status.control_plane import judge_control_plane
from ansible_collections.meshwright.ambient.plugins.module_utils._status.verdict import Verdict
from tests.unit.objects import Object, derived, named, recorded

ISTIOD = recorded("deployment/istiod_available")
ENDPOINTS = recorded("endpointslice/istiod_ready")
BASE = recorded("validatingwebhookconfiguration/base_serving")
VALIDATOR = recorded("validatingwebhookconfiguration/istiod_serving")
INJECTOR = recorded("mutatingwebhookconfiguration/injector_serving")


def _with_webhook(configuration: Object, index: int, difference: Object) -> Object:
    result = copy.deepcopy(configuration)
    result["webhooks"][index] = derived(result["webhooks"][index], difference)
    return result


def _with_endpoints(*conditions: Object | None) -> Object:
    return derived(ENDPOINTS, {"endpoints": [{"addresses": ["10.64.128.1"], "conditions": each} for each in conditions]})


def _judge(**difference: Any) -> Verdict:
    default = {
        "namespace": "istio-system",
        "revision": "default",
        "deployments": [ISTIOD],
        "endpoint_slices": [ENDPOINTS],
        "webhooks": [BASE, VALIDATOR, INJECTOR],
    }
    return judge_control_plane(**(default | difference))


def test_as_recorded_it_is_current() -> None:
    verdict = _judge()
    assert (verdict.status, verdict.message) == ("Current", "istiod is available, 3 webhook configurations are ready")


UNAVAILABLE = derived(ISTIOD, {"status": {"availableReplicas": None, "readyReplicas": None}})


@pytest.mark.parametrize(
    ("difference", "status", "reason", "message"),
    [
        pytest.param({"deployments": []}, "NotFound", "NotFound", "Deployment istio-system/istiod does not exist", id="no-istiod"),
        pytest.param({"revision": "1-31"}, "NotFound", "NotFound", "Deployment istio-system/istiod-1-31 does not exist", id="no-istiod-of-this-revision"),
        pytest.param(
            {"deployments": [UNAVAILABLE]},
            "InProgress",
            "IstiodNotAvailable",
            "istiod is the cause: Deployment istio-system/istiod: 0 of 1 pods are available",
            id="istiod-not-available",
        ),
        pytest.param({"endpoint_slices": []}, "InProgress", "NoEndpoint", "Service istio-system/istiod has no ready endpoint", id="no-endpoint-slice"),
        pytest.param(
            {"endpoint_slices": [derived(ENDPOINTS, {"endpoints": None})]},
            "InProgress",
            "NoEndpoint",
            "Service istio-system/istiod has no ready endpoint",
            id="no-endpoint",
        ),
        pytest.param(
            {"endpoint_slices": [_with_endpoints({"ready": False})]},
            "InProgress",
            "NoEndpoint",
            "Service istio-system/istiod has no ready endpoint",
            id="endpoint-not-ready",
        ),
        pytest.param(
            {"endpoint_slices": [derived(ENDPOINTS, {"metadata": {"labels": {"kubernetes.io/service-name": "other"}}})]},
            "InProgress",
            "NoEndpoint",
            "Service istio-system/istiod has no ready endpoint",
            id="endpoints-of-another-service",
        ),
        pytest.param({"webhooks": []}, "NotFound", "NotFound", "the validating webhook of revision default does not exist", id="no-webhooks"),
        pytest.param({"webhooks": [INJECTOR]}, "NotFound", "NotFound", "the validating webhook of revision default does not exist", id="no-validating-webhook"),
        pytest.param(
            {"webhooks": [derived(BASE, {"metadata": {"labels": {"istio.io/rev": "1-31"}}}), INJECTOR]},
            "NotFound",
            "NotFound",
            "the validating webhook of revision default does not exist",
            id="the-validating-webhook-of-another-revision",
        ),
        pytest.param(
            {"webhooks": [_with_webhook(BASE, 0, {"clientConfig": {"service": {"namespace": "istio-two"}}}), INJECTOR]},
            "NotFound",
            "NotFound",
            "the validating webhook of revision default does not exist",
            id="the-validating-webhook-of-another-mesh",
        ),
        pytest.param(
            {"webhooks": [BASE, VALIDATOR, _with_webhook(INJECTOR, 2, {"clientConfig": {"caBundle": ""}})]},
            "InProgress",
            "WebhookNotServing",
            "MutatingWebhookConfiguration istio-sidecar-injector: webhook namespace.sidecar-injector.istio.io has no CA yet",
            id="no-ca-in-one-webhook-of-the-injector",
        ),
        pytest.param(
            {"webhooks": [_with_webhook(BASE, 0, {"failurePolicy": "Ignore"}), VALIDATOR, INJECTOR]},
            "InProgress",
            "WebhookNotServing",
            "ValidatingWebhookConfiguration istiod-default-validator: webhook validation.istio.io still ignores failures (failurePolicy Ignore): "
            "istiod has not verified yet that it rejects an invalid object",
            id="validation-lets-everything-pass",
        ),
    ],
)
def test_not_current(difference: Object, status: str, reason: str, message: str) -> None:
    verdict = _judge(**difference)
    assert (verdict.status, verdict.reason, verdict.message) == (status, reason, message)
    assert verdict.remedy


@pytest.mark.parametrize(
    "difference",
    [
        pytest.param({"endpoint_slices": [_with_endpoints({"ready": False}, {"ready": True})]}, id="one-ready-endpoint-is-enough"),
        pytest.param({"endpoint_slices": [_with_endpoints(None)]}, id="readiness-unknown-counts-as-ready"),
        pytest.param({"webhooks": [BASE, _with_webhook(INJECTOR, 0, {"failurePolicy": "Ignore"})]}, id="the-injector-may-ignore"),
        pytest.param(
            {"webhooks": [BASE, derived(_with_webhook(INJECTOR, 0, {"clientConfig": {"caBundle": ""}}), {"metadata": {"labels": {"istio.io/rev": "1-31"}}})]},
            id="the-injector-of-another-revision",
        ),
        pytest.param(
            {"webhooks": [BASE, {"kind": "ValidatingWebhookConfiguration", "metadata": {"name": "aws"}, "webhooks": [{"name": "a", "clientConfig": {}}]}]},
            id="somebody-elses-webhook",
        ),
        pytest.param({"webhooks": [derived(BASE, {"metadata": {"labels": {"istio.io/rev": None}}})]}, id="no-revision-label-is-the-default-one"),
    ],
)
def test_current(difference: Object) -> None:
    assert _judge(**difference).current


def test_a_named_revision_has_its_own_of_everything() -> None:
    labels = {"metadata": {"labels": {"istio.io/rev": "1-31"}}}
    validator = named(derived(_with_webhook(VALIDATOR, 0, {"clientConfig": {"service": {"name": "istiod-1-31"}}}), labels), "istio-validator-1-31-istio-system")
    verdict = _judge(
        revision="1-31",
        deployments=[UNAVAILABLE, named(ISTIOD, "istiod-1-31")],
        endpoint_slices=[derived(ENDPOINTS, {"metadata": {"labels": {"kubernetes.io/service-name": "istiod-1-31"}}})],
        webhooks=[_with_webhook(BASE, 0, {"failurePolicy": "Ignore"}), validator],
    )
    assert verdict.current
