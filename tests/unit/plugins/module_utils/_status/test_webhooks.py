from __future__ import annotations

import base64
import copy

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._status.probes import Probe
from ansible_collections.meshwright.ambient.plugins.module_utils._status.verdict import Verdict
from ansible_collections.meshwright.ambient.plugins.module_utils._status.webhooks import ca_problem, endpoint_probes, judge_webhooks, services_of
from tests.unit.objects import Object, derived, named, recorded

BASE = recorded("validatingwebhookconfiguration/base_serving")
INJECTOR = recorded("mutatingwebhookconfiguration/injector_serving")
ENDPOINTS = recorded("endpointslice/istiod_ready")
SERVICE: Object = {
    "kind": "Service",
    "metadata": {"name": "istiod", "namespace": "istio-system"},
    "spec": {"type": "ClusterIP", "ports": [{"port": 15012}, {"port": 443}]},
}
HOOK = BASE["webhooks"][0]
# The recorded CA lives for ten years.
RECORDED_AT = 1_795_000_000.0
LONG_AFTER = 4_000_000_000.0


def _with_hook(difference: Object, index: int = 0, of: Object = BASE) -> Object:
    result = copy.deepcopy(of)
    result["webhooks"][index] = derived(result["webhooks"][index], difference)
    return result


def _judge(configuration: Object | None, *services: Object, slices: tuple[Object, ...] = (ENDPOINTS,), now: float | None = RECORDED_AT) -> Verdict:
    return judge_webhooks("ValidatingWebhookConfiguration it", configuration, services or (SERVICE,), slices, now=now)


@pytest.mark.parametrize(
    ("configuration", "message"),
    [
        pytest.param(BASE, "1 webhooks have a CA and a ready endpoint", id="validating"),
        pytest.param(INJECTOR, "4 webhooks have a CA and a ready endpoint", id="mutating"),
        pytest.param(
            _with_hook({"clientConfig": {"service": None, "caBundle": None, "url": "https://hooks.example.com/"}}),
            "1 webhooks have a CA and a ready endpoint",
            id="by-url-with-a-certificate-of-the-worlds",
        ),
    ],
)
def test_current(configuration: Object, message: str) -> None:
    verdict = _judge(configuration)
    assert (verdict.status, verdict.message) == ("Current", message)


NOT_CA = base64.b64encode(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").decode()


@pytest.mark.parametrize(
    ("configuration", "reason", "part"),
    [
        pytest.param(_with_hook({"clientConfig": {"caBundle": ""}}), "NoCA", "has no CA yet", id="no-ca"),
        pytest.param(_with_hook({"clientConfig": {"caBundle": ""}}, 3, INJECTOR), "NoCA", "has no CA yet", id="no-ca-in-the-last"),
        pytest.param(_with_hook({"clientConfig": {"caBundle": "Q0E="}}), "InvalidCA", "without a certificate", id="text"),
        pytest.param(_with_hook({"clientConfig": {"caBundle": "/w=="}}), "InvalidCA", "without a certificate", id="not-text"),
        pytest.param(_with_hook({"clientConfig": {"caBundle": "!"}}), "InvalidCA", "without a certificate", id="not-base64"),
        pytest.param(_with_hook({"clientConfig": {"caBundle": NOT_CA}}), "InvalidCA", "without a certificate", id="not-a-certificate"),
        pytest.param(_with_hook({"clientConfig": {"service": {"name": "other"}}}), "NoService", "Service istio-system/other of webhook", id="no-service"),
        pytest.param(_with_hook({"clientConfig": {"service": {"port": 8443}}}), "NoPort", "Service istio-system/istiod has no port 8443", id="no-port"),
        pytest.param(derived(BASE, {"webhooks": []}), "NoWebhooks", "it has no webhooks", id="none"),
    ],
)
def test_not_current(configuration: Object, reason: str, part: str) -> None:
    verdict = _judge(configuration)
    assert (verdict.status, verdict.reason) == ("InProgress", reason)
    assert part in verdict.message
    assert verdict.remedy


def test_a_ca_counts_while_it_is_valid() -> None:
    assert _judge(BASE, now=LONG_AFTER).reason == "ExpiredCA"
    assert _judge(BASE, now=None).current
    assert ca_problem(HOOK, RECORDED_AT) is None


@pytest.mark.parametrize(
    "slices",
    [
        pytest.param((), id="none"),
        pytest.param((derived(ENDPOINTS, {"endpoints": []}),), id="empty"),
        pytest.param((derived(ENDPOINTS, {"endpoints": [{"conditions": {"ready": False}}]}),), id="not-ready"),
        pytest.param((derived(ENDPOINTS, {"metadata": {"namespace": "other"}}),), id="elsewhere"),
    ],
)
def test_without_a_ready_endpoint(slices: tuple[Object, ...]) -> None:
    assert _judge(BASE, slices=slices).reason == "NoEndpoint"


def test_a_service_that_stands_for_a_host_has_no_endpoints() -> None:
    assert _judge(BASE, derived(SERVICE, {"spec": {"type": "ExternalName"}}), slices=()).current


def test_what_goes_or_is_gone() -> None:
    assert _judge(derived(BASE, {"metadata": {"deletionTimestamp": "2026-11-21T08:00:00Z"}})).status == "Terminating"
    assert _judge(None).message == "ValidatingWebhookConfiguration it does not exist"


# whether it answers

PROBE = Probe("/api/v1/namespaces/istio-system/services/https:istiod:443/proxy/validate", "Service istio-system/istiod, port 443, path /validate")


def test_each_endpoint_and_path_is_asked_once() -> None:
    assert endpoint_probes([BASE, named(BASE, "again")]) == (PROBE,)
    assert [probe.path.rpartition("/")[2] for probe in endpoint_probes([BASE, INJECTOR])] == ["validate", "inject"]
    assert endpoint_probes([_with_hook({"clientConfig": {"service": None, "url": "https://hooks.example.com/"}})]) == ()
    bare = derived(HOOK, {"clientConfig": {"service": {"path": None, "port": None}}})
    assert [probe.path for probe in endpoint_probes([{"webhooks": [bare]}])] == ["/api/v1/namespaces/istio-system/services/https:istiod:443/proxy/"]


def test_the_services_of_webhooks() -> None:
    assert services_of(INJECTOR) == [("istio-system", "istiod")]
    assert services_of(None) == []
