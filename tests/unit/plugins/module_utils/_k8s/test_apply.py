from __future__ import annotations

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._errors import ApiError
from ansible_collections.meshwright.ambient.plugins.module_utils._k8s.apply import confirm_changes, find_refusals
from ansible_collections.meshwright.ambient.plugins.module_utils._k8s.transport import TransportError
from ansible_collections.meshwright.ambient.plugins.module_utils._k8s.writes import Write
from ansible_collections.meshwright.ambient.plugins.module_utils._kinds import POD_DISRUPTION_BUDGET
from tests.unit.fake_api import Answer, FakeApi, Request, refusal
from tests.unit.objects import Object, derived

BUDGET: Object = {
    "apiVersion": "policy/v1",
    "kind": "PodDisruptionBudget",
    "metadata": {"name": "waypoint", "namespace": "shop", "resourceVersion": "7", "generation": 1, "managedFields": [], "labels": {"team": "mesh"}},
    "spec": {"minAvailable": 1},
    "status": {"currentHealthy": 2},
}
BODY: Object = {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "waypoint", "namespace": "shop"}, "spec": {"minAvailable": 1}}
WRITE = Write("apply", POD_DISRUPTION_BUDGET, "waypoint", "shop", BODY, force=True)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        pytest.param(Answer(200, BUDGET), False, id="the-same"),
        pytest.param(
            Answer(200, derived(BUDGET, {"metadata": {"resourceVersion": "8", "generation": 2, "managedFields": [{"manager": "meshwright"}]}})),
            False,
            id="nothing-but-the-records-of-a-write",
        ),
        pytest.param(Answer(200, derived(BUDGET, {"status": {"currentHealthy": 1}})), False, id="a-controller-was-at-it"),
        pytest.param(Answer(200, derived(BUDGET, {"spec": {"minAvailable": 2}})), True, id="another-spec"),
        pytest.param(Answer(200, derived(BUDGET, {"metadata": {"labels": {"team": "shop"}}})), True, id="another-label"),
        pytest.param(refusal(409, "Conflict", "conflict with argocd"), True, id="refused"),
        pytest.param(refusal(400, "BadRequest", "the webhook does not support dry run"), True, id="no-dry-run-there"),
    ],
)
def test_the_server_says_whether_an_apply_changes_anything(answer: Answer, expected: bool) -> None:
    api = FakeApi(answer)
    assert confirm_changes(api.session, [(WRITE, BUDGET)]) == [expected]
    [request] = api.requests
    assert (request.method, request.query["dryRun"], request.query["force"], request.content_type) == ("PATCH", "All", "true", "application/apply-patch+yaml")


def test_what_does_not_exist_is_created_without_a_request() -> None:
    def respond(request: Request) -> Answer:
        return Answer(200, BUDGET if "other" in request.path else derived(BUDGET, {"spec": {"minAvailable": 3}}))

    api = FakeApi(respond=respond)
    other = Write("apply", POD_DISRUPTION_BUDGET, "other", "shop", BODY)
    assert confirm_changes(api.session, [(WRITE, None), (other, BUDGET), (WRITE, BUDGET)]) == [True, False, True]
    assert len(api.requests) == 2
    assert confirm_changes(api.session, []) == []


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        pytest.param(Answer(200, BUDGET), [], id="accepted"),
        pytest.param(
            refusal(409, "Conflict", 'Apply failed with 1 conflict: conflict with "argocd": .spec.minAvailable'),
            [
                (
                    "Cluster prod (https://api.example.org) refused to apply PodDisruptionBudget shop/waypoint: Apply failed with 1 conflict: conflict with "
                    '"argocd": .spec.minAvailable. Leave the field to its owner, or set force_conflicts to take it over.'
                )
            ],
            id="conflict",
        ),
        pytest.param(refusal(400, "BadRequest", 'admission webhook "a.example.org" does not support dry run'), [], id="webhook-with-side-effects"),
        pytest.param(refusal(404, "NotFound", 'namespaces "shop" not found', name="shop"), [], id="namespace-of-an-earlier-write"),
        pytest.param(refusal(404, "NotFound", "the server could not find the requested resource"), [], id="kind-that-is-not-served-yet"),
    ],
)
def test_what_the_server_would_refuse_is_found_without_writing(answer: Answer, expected: list[str]) -> None:
    api = FakeApi(answer)
    assert find_refusals(api.session, [WRITE]) == expected
    [request] = api.requests
    assert (request.method, request.query["dryRun"]) == ("PATCH", "All")


def test_every_refusal_is_found_at_once_in_the_order_of_the_writes() -> None:
    api = FakeApi(respond=lambda request: refusal(422, "Invalid", f"{request.path.rpartition('/')[2]} is wrong"))
    writes = [Write("apply", POD_DISRUPTION_BUDGET, name, "shop", BODY) for name in ("one", "two", "three")]
    found = find_refusals(api.session, writes)
    assert [name for name in ("one", "two", "three") for sentence in found if f"{name} is wrong" in sentence] == ["one", "two", "three"]
    assert find_refusals(api.session, []) == []


def test_a_server_that_does_not_answer_is_no_refusal() -> None:
    api = FakeApi(respond=lambda _request: TransportError("Connection refused"))
    with pytest.raises(ApiError):
        find_refusals(api.session, [WRITE])
