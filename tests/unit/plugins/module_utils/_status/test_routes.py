from __future__ import annotations

import copy

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._status.routes import judge_route, parents_of
from ansible_collections.meshwright.ambient.plugins.module_utils._status.verdict import Verdict
from tests.unit.objects import Object, derived, named, namespace_of, recorded, with_condition

REVIEWS = recorded("service/reviews_bound")
RATINGS = named(REVIEWS, "ratings")
WEB = derived(named(recorded("service/load_balancer_pending"), "web", "judge-a"), {"status": {"conditions": []}})
ENROLLED = recorded("namespace/enrolled")
PLAIN = namespace_of("judge-a")
ATTACHED = recorded("httproute/attached_to_waypoint")
AT_GATEWAY = recorded("httproute/attached_to_gateway")
USE = "istio.io/use-waypoint"
BOUND = "istio.io/WaypointBound"


def _judge(route: Object | None, *services: Object, namespaces: tuple[Object, ...] = (ENROLLED, PLAIN)) -> Verdict:
    known = {(item["metadata"]["namespace"], item["metadata"]["name"]): item for item in (services or (REVIEWS, RATINGS, WEB))}
    return judge_route("HTTPRoute bookinfo/good", route, known, {item["metadata"]["name"]: item for item in namespaces})


def _with_parent_condition(route: Object, kind: str, **difference: object) -> Object:
    result = copy.deepcopy(route)
    (condition,) = (condition for condition in result["status"]["parents"][0]["conditions"] if condition["type"] == kind)
    condition.update(difference)
    return result


def _without_parent_condition(route: Object, kind: str) -> Object:
    result = copy.deepcopy(route)
    parent = result["status"]["parents"][0]
    parent["conditions"] = [condition for condition in parent["conditions"] if condition["type"] != kind]
    return result


@pytest.mark.parametrize(
    ("route", "message"),
    [
        pytest.param(ATTACHED, "attached to Service bookinfo/reviews, port 9080", id="to-a-waypoint"),
        pytest.param(recorded("grpcroute/attached_to_waypoint"), "attached to Service bookinfo/ratings, port 9080", id="a-grpc-route"),
        pytest.param(AT_GATEWAY, "attached to Gateway judge-a/front", id="to-a-gateway"),
        pytest.param(_without_parent_condition(ATTACHED, "ResolvedWaypoints"), "attached to Service bookinfo/reviews, port 9080", id="istio-before-1.26"),
    ],
)
def test_current(route: Object, message: str) -> None:
    verdict = _judge(route)
    assert (verdict.status, verdict.message) == ("Current", message)


@pytest.mark.parametrize(
    ("situation", "reason", "part"),
    [
        ("parent_not_found", "NoMatchingParent", 'parent service: "missing" not found'),
        ("backend_not_found", "BackendNotFound", "backend(missing.bookinfo.svc.cluster.local) not found"),
        pytest.param("not_allowed", "NotAllowedByListeners", 'namespace "bookinfo" is not allowed by the parent', marks=pytest.mark.requirement("D8")),
        ("no_matching_hostname", "NoMatchingListenerHostname", "no hostnames matched"),
        ("no_matching_section", "NoMatchingParent", 'sectionName "nope" not found'),
        ("no_gateway", "NoParentStatus", "no controller has reported a status for its parent Gateway judge-a/gone"),
        ("reference_not_permitted", "RefNotPermitted", "missing a ReferenceGrant?"),
    ],
)
def test_what_istiod_denies(situation: str, reason: str, part: str) -> None:
    verdict = _judge(recorded(f"httproute/{situation}"))
    assert (verdict.status, verdict.reason, verdict.final) == ("InProgress", reason, False)
    assert part in verdict.message
    assert verdict.remedy


SILENT = "it gets no traffic, although its status is True: "
OPTED_OUT = derived(REVIEWS, {"metadata": {"labels": {USE: "none"}}, "status": {"conditions": []}})
NOT_READY = with_condition(REVIEWS, BOUND, status="False", reason="WaypointIsNotReady", message='waypoint "bookinfo/waypoint" is not ready')


@pytest.mark.parametrize(
    ("route", "services", "reason", "message"),
    [
        pytest.param(
            recorded("httproute/parent_without_waypoint"),
            (WEB,),
            "NoWaypoint",
            f"{SILENT}parent Service judge-a/web, port 80: istio.io/use-waypoint label missing from parent and parent namespace; "
            "in ambient mode, route will not be respected",
            id="no-label",
        ),
        pytest.param(ATTACHED, (OPTED_OUT,), "NoWaypoint", f"{SILENT}parent Service bookinfo/reviews, port 9080 uses no waypoint", id="the-service-opts-out"),
        pytest.param(
            ATTACHED,
            (NOT_READY,),
            "WaypointNotBound",
            f'{SILENT}parent Service bookinfo/reviews, port 9080: WaypointIsNotReady: waypoint "bookinfo/waypoint" is not ready',
            id="a-label-that-points-nowhere",
        ),
        pytest.param(
            recorded("httproute/of_consumer"),
            (REVIEWS,),
            "ConsumerRoute",
            f"{SILENT}waypoint bookinfo/waypoint reads no routes for Service bookinfo/reviews, port 9080 from namespace judge-a",
            id="a-route-in-the-clients-namespace",
        ),
        pytest.param(
            ATTACHED,
            (derived(REVIEWS, {"spec": {"type": "ExternalName"}}),),
            "NeverBound",
            "it gets no traffic: parent Service bookinfo/reviews, port 9080 cannot have a waypoint",
            id="an-external-name",
        ),
    ],
)
def test_where_the_status_lies(route: Object, services: tuple[Object, ...], reason: str, message: str) -> None:
    conditions = {condition["type"]: condition["status"] for condition in route["status"]["parents"][0]["conditions"]}
    assert conditions == {"Accepted": "True", "ResolvedRefs": "True", "ResolvedWaypoints": "True"}
    verdict = _judge(route, *services)
    assert not verdict.current
    assert (verdict.reason, verdict.message) == (reason, message)
    assert verdict.remedy


def test_a_canary_that_is_not_attached_leaves_the_route_attached() -> None:
    service = derived(named(recorded("service/canary_invalid_weight"), "reviews", "bookinfo"), {"metadata": {"labels": {USE: "waypoint"}}})
    bound = with_condition(service, BOUND, message="Successfully attached to waypoint bookinfo/waypoint. Canary waypoint not attached: no")
    assert _judge(ATTACHED, bound).current


@pytest.mark.parametrize("kind", ["Accepted", "ResolvedRefs"])
def test_a_word_on_an_older_generation_does_not_count(kind: str) -> None:
    verdict = _judge(_with_parent_condition(derived(ATTACHED, {"metadata": {"generation": 1}}), kind, observedGeneration=0))
    assert (verdict.status, verdict.reason) == ("InProgress", "GenerationNotObserved")


def test_a_condition_that_is_not_there_is_not_true() -> None:
    assert _judge(_without_parent_condition(ATTACHED, "Accepted")).reason == "NoParentStatus"


def test_a_route_that_can_never_work_is_final() -> None:
    denied = _with_parent_condition(ATTACHED, "ResolvedRefs", status="False", reason="InvalidKind", message="referencing unsupported backendRef")
    assert (_judge(denied).status, _judge(denied).final) == ("Failed", True)
    assert _judge(derived(ATTACHED, {"spec": {"parentRefs": []}})).final


def test_all_parents_count() -> None:
    second = {"group": "", "kind": "Service", "name": "ratings", "port": 9080}
    route = copy.deepcopy(ATTACHED)
    route["spec"]["parentRefs"].append(second)
    assert _judge(route).message == "no controller has reported a status for its parent Service bookinfo/ratings, port 9080"
    route["status"]["parents"].append({**route["status"]["parents"][0], "parentRef": second})
    assert _judge(route).message == "attached to Service bookinfo/reviews, port 9080, Service bookinfo/ratings, port 9080"


def test_istiods_word_counts_before_another_controllers() -> None:
    """Two data planes may serve one Gateway; what is waited for is Istio's."""
    route = copy.deepcopy(AT_GATEWAY)
    own = route["status"]["parents"][0]
    route["status"]["parents"] = [{**own, "controllerName": "example.com/gateway", "conditions": []}, own]
    assert _judge(route).current


def test_what_is_deleted_or_missing() -> None:
    assert _judge(derived(ATTACHED, {"metadata": {"deletionTimestamp": "2026-11-21T08:00:00Z"}})).status == "Terminating"
    assert _judge(None).message == "HTTPRoute bookinfo/good does not exist"
    assert _judge(ATTACHED, WEB).reason == "NoMatchingParent"


def test_parents_have_the_defaults_of_the_api() -> None:
    assert parents_of(AT_GATEWAY) == [("Gateway", "judge-a", "front")]
    assert parents_of(recorded("httproute/of_consumer")) == [("Service", "bookinfo", "reviews")]
    assert parents_of(None) == []
