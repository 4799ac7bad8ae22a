from __future__ import annotations

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._mesh.waypoint import WaypointRef
from ansible_collections.meshwright.ambient.plugins.module_utils._status.bindings import judge_binding
from tests.unit.objects import Object, derived, named, namespace_of, recorded, with_condition

REF = WaypointRef("bookinfo", "waypoint")
OTHER = WaypointRef("infra", "shared")
BOUND = recorded("service/bound")
UNBOUND = derived(BOUND, {"status": {"conditions": []}})
OF_WAYPOINT = recorded("service/of_waypoint")
ENROLLED = recorded("namespace/enrolled")
PLAIN = namespace_of("bookinfo")
USE = "istio.io/use-waypoint"
WAYPOINT_BOUND = "istio.io/WaypointBound"
OPTED_OUT = derived(named(UNBOUND, "admin"), {"metadata": {"labels": {USE: "none"}}})
EXTERNAL = derived(named(UNBOUND, "external"), {"spec": {"type": "ExternalName"}})


def _attached_to(service: Object, waypoint: str) -> Object:
    return with_condition(service, WAYPOINT_BOUND, message=f"Successfully attached to waypoint {waypoint}")


@pytest.mark.parametrize(
    ("services", "namespace", "expected", "bound", "opted_out", "message"),
    [
        pytest.param([BOUND, OF_WAYPOINT], ENROLLED, None, ["details"], [], "1 Services are bound", id="as-recorded"),
        pytest.param([BOUND], ENROLLED, REF, ["details"], [], "1 Services are bound", id="to-the-one-expected"),
        pytest.param([BOUND, OPTED_OUT], ENROLLED, REF, ["details"], ["admin"], "1 Services are bound, 1 opted out", id="one-opted-out"),
        pytest.param([BOUND, EXTERNAL], ENROLLED, REF, ["details"], [], "1 Services are bound", id="external-names-have-no-address-to-bind"),
        pytest.param([], ENROLLED, None, [], [], "0 Services are bound", id="a-bound-namespace-without-services"),
        pytest.param(
            [derived(_attached_to(BOUND, "bookinfo/reviews"), {"metadata": {"labels": {USE: "reviews"}}})],
            ENROLLED,
            REF,
            ["details"],
            [],
            "1 Services are bound",
            id="a-services-own-label-is-a-decision-of-its-own",
        ),
        pytest.param([derived(BOUND, {"metadata": {"labels": {USE: "waypoint"}}})], PLAIN, None, ["details"], [], "1 Services are bound", id="by-itself-alone"),
        pytest.param(
            [_attached_to(BOUND, "bookinfo/waypoint.")], ENROLLED, None, ["details"], [], "1 Services are bound", id="a-name-at-the-end-of-a-sentence"
        ),
    ],
)
def test_bound(services: list[Object], namespace: Object, expected: WaypointRef | None, bound: list[str], opted_out: list[str], message: str) -> None:
    verdict = judge_binding("Namespace bookinfo", services, namespace, expected, one=False)
    assert (verdict.status, verdict.message, verdict.details) == ("Current", message, {"bound": bound, "opted_out": opted_out})


@pytest.mark.parametrize(
    ("service", "expected", "message"),
    [
        pytest.param(UNBOUND, None, "Service details: istiod has not bound it to bookinfo/waypoint yet", id="no-condition"),
        pytest.param(
            with_condition(BOUND, WAYPOINT_BOUND, status="False", reason="WaypointNotAllowed", message="namespace is not allowed"),
            None,
            "Service details: WaypointNotAllowed: namespace is not allowed",
            id="istiod-refuses",
        ),
        pytest.param(
            _attached_to(BOUND, "bookinfo/reviews"),
            None,
            "Service details: istiod says that it is bound elsewhere (Successfully attached to waypoint bookinfo/reviews), not to bookinfo/waypoint",
            id="an-older-binding",
        ),
        pytest.param(
            _attached_to(BOUND, "bookinfo/waypoint-2"),
            None,
            "Service details: istiod says that it is bound elsewhere (Successfully attached to waypoint bookinfo/waypoint-2), not to bookinfo/waypoint",
            id="a-longer-name",
        ),
        pytest.param(
            _attached_to(BOUND, "bookinfo/waypoint.v2"),
            None,
            "Service details: istiod says that it is bound elsewhere (Successfully attached to waypoint bookinfo/waypoint.v2), not to bookinfo/waypoint",
            id="a-longer-name-with-a-dot",
        ),
        pytest.param(
            _attached_to(BOUND, "my-bookinfo/waypoint"),
            None,
            "Service details: istiod says that it is bound elsewhere (Successfully attached to waypoint my-bookinfo/waypoint), not to bookinfo/waypoint",
            id="a-longer-namespace",
        ),
        pytest.param(BOUND, OTHER, "Service details: its namespace names bookinfo/waypoint, not infra/shared", id="not-the-one-expected"),
    ],
)
@pytest.mark.parametrize("one", [False, True], ids=["namespace", "service"])
def test_not_bound(service: Object, expected: WaypointRef | None, message: str, one: bool) -> None:
    verdict = judge_binding("the target", [service], ENROLLED, expected, one=one)
    assert (verdict.status, verdict.reason, verdict.message, verdict.final) == ("InProgress", "NotBound", message, False)
    assert verdict.details == {"bound": [], "opted_out": []}


def test_a_namespace_that_names_no_waypoint_is_not_bound_to_the_one_expected() -> None:
    verdict = judge_binding("Namespace bookinfo", [BOUND], PLAIN, REF, one=False)
    assert verdict.message == "Service details: neither it nor its namespace names bookinfo/waypoint"


def test_one_service_that_names_no_waypoint_is_not_bound() -> None:
    verdict = judge_binding("Service bookinfo/admin", [OPTED_OUT], ENROLLED, None, one=True)
    assert (verdict.status, verdict.message) == ("InProgress", "Service admin: neither it nor its namespace names a waypoint")


@pytest.mark.parametrize("services", [[], [UNBOUND], [OF_WAYPOINT]], ids=["none", "one", "a-waypoints"])
def test_nothing_is_bound(services: list[Object]) -> None:
    verdict = judge_binding("Namespace bookinfo", services, PLAIN, None, one=False)
    assert (verdict.status, verdict.reason, verdict.message) == ("InProgress", "NothingBound", "no Service here names a waypoint")


@pytest.mark.parametrize("service", [EXTERNAL, OF_WAYPOINT], ids=["external-name", "of-a-waypoint"])
def test_one_service_that_can_never_be_bound_is_not_called_bound(service: Object) -> None:
    assert not judge_binding("Service bookinfo/it", [service], ENROLLED, REF, one=True).current


def test_a_namespace_without_services_that_names_another_waypoint_is_not_bound() -> None:
    assert not judge_binding("Namespace bookinfo", [], ENROLLED, OTHER, one=False).current


def test_what_is_missing_is_not_found() -> None:
    assert judge_binding("Namespace shop", [], None, None, one=False).message == "Namespace shop does not exist"
    assert judge_binding("Service bookinfo/cart", [], ENROLLED, None, one=True).message == "Service bookinfo/cart does not exist"


def test_of_many_the_first_are_told_and_all_are_counted() -> None:
    services = [named(UNBOUND, f"s{number}") for number in range(7)]
    verdict = judge_binding("Namespace bookinfo", services, ENROLLED, None, one=False)
    assert verdict.message == "; ".join(f"Service s{number}: istiod has not bound it to bookinfo/waypoint yet" for number in range(5)) + "; and 2 more"


def test_it_lasts_since_the_conditions_last_change() -> None:
    service = with_condition(BOUND, WAYPOINT_BOUND, status="False", lastTransitionTime="2026-11-21T08:00:00Z")
    assert judge_binding("Namespace bookinfo", [service], ENROLLED, None, one=False).since == "2026-11-21T08:00:00Z"
