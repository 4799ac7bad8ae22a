from __future__ import annotations

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._status.probes import Probe, judge_probe, note_on_probe

PROBE = Probe("/api/v1/namespaces/istio-system/services/https:istiod:443/proxy/validate", "Service istio-system/istiod, port 443, path /validate")


def _status(code: int, reason: str, message: str, **details: str) -> str:
    more = ', "details": {' + ", ".join(f'"{key}": "{value}"' for key, value in details.items()) + "}" if details else ""
    return f'{{"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": "{message}", "reason": "{reason}", "code": {code}{more}}}'


FORBIDDEN = _status(403, "Forbidden", "services is forbidden: User u cannot get resource services/proxy", name="https:istiod:443", kind="services")


@pytest.mark.parametrize(
    ("status", "text"),
    [
        pytest.param(400, "no body found\n", id="istiod-as-recorded"),
        pytest.param(200, "", id="content"),
        pytest.param(404, "404 page not found\n", id="the-endpoints-own-404"),
        pytest.param(405, "Method not allowed", id="method"),
        pytest.param(500, "boom", id="its-own-error"),
        pytest.param(503, "I am starting", id="its-own-503"),
        pytest.param(403, FORBIDDEN, id="no-permission-to-ask"),
    ],
)
def test_any_answer_of_the_endpoint_will_do(status: int, text: str) -> None:
    assert judge_probe(PROBE, status, text) is None


@pytest.mark.parametrize(
    ("status", "text", "part"),
    [
        pytest.param(0, "timed out", "timed out", id="no-answer"),
        pytest.param(
            503,
            _status(503, "ServiceUnavailable", "error trying to reach service: dial tcp 10.64.128.1:15017: connect: connection refused"),
            "connection refused",
            id="process-stopped-as-recorded",
        ),
        pytest.param(
            503, _status(503, "ServiceUnavailable", "no endpoints available for service https:istiod:443"), "no endpoints available", id="no-endpoints"
        ),
        pytest.param(404, _status(404, "NotFound", "services nope not found", name="nope", kind="services"), "services nope not found", id="no-service"),
        pytest.param(504, "", "status 504 on the way to it", id="gateway-timeout"),
    ],
)
def test_no_answer(status: int, text: str, part: str) -> None:
    verdict = judge_probe(PROBE, status, text)
    assert verdict is not None
    assert (verdict.status, verdict.reason) == ("InProgress", "NotAnswering")
    assert verdict.message.startswith("Service istio-system/istiod, port 443, path /validate does not answer the API server: ")
    assert part in verdict.message
    assert verdict.remedy


def test_what_nobody_may_ask_is_reported() -> None:
    note = note_on_probe(PROBE, 403, FORBIDDEN)
    assert note.startswith("whether Service istio-system/istiod, port 443, path /validate answers was not checked: ")
    assert note_on_probe(PROBE, 403, "RBAC: access denied") == ""
    assert note_on_probe(PROBE, 400, "no body found") == ""


def _needs_data(item: object) -> str:
    if item is None:
        return "there is none"
    return "" if isinstance(item, dict) and item.get("data") else "it is empty"


OBJECT = Probe("/api/v1/namespaces/istio-system/configmaps/a", "ConfigMap istio-system/a", "Install it.", _needs_data)
ABSENT = _status(404, "NotFound", "configmaps a not found", name="a", kind="configmaps")


@pytest.mark.parametrize(
    ("status", "text", "message"),
    [
        pytest.param(200, '{"data": {"a": "b"}}', None, id="well"),
        pytest.param(200, "{}", "it is empty", id="not-as-it-should-be"),
        pytest.param(404, ABSENT, "there is none", id="absent"),
        pytest.param(404, _status(404, "NotFound", "the server could not find the requested resource"), None, id="not-served"),
        pytest.param(403, FORBIDDEN, None, id="not-allowed"),
        pytest.param(503, "busy", None, id="busy"),
        pytest.param(0, "timed out", None, id="no-answer"),
        pytest.param(200, "<html>", None, id="no-api-server"),
    ],
)
def test_an_object_is_read_when_all_else_is_well(status: int, text: str, message: str | None) -> None:
    verdict = judge_probe(OBJECT, status, text)
    assert (verdict and verdict.message) == message
    assert verdict is None or (verdict.status, verdict.reason, verdict.remedy) == ("InProgress", "NotConfigured", "Install it.")


def test_an_object_that_may_not_be_read_is_reported() -> None:
    assert note_on_probe(OBJECT, 403, FORBIDDEN).startswith("whether ConfigMap istio-system/a is complete was not checked: ")
