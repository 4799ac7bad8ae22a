from __future__ import annotations

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._mesh.waypoints import WaypointRef
from ansible_collections.meshwright.ambient.plugins.module_utils._status.bindings import judge_binding, judge_namespace
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
            "Service details: istiod reports that it is bound elsewhere (Successfully attached to waypoint bookinfo/reviews), not to bookinfo/waypoint",
            id="an-older-binding",
        ),
        pytest.param(
            _attached_to(BOUND, "bookinfo/waypoint-2"),
            None,
            "Service details: istiod reports that it is bound elsewhere (Successfully attached to waypoint bookinfo/waypoint-2), not to bookinfo/waypoint",
            id="a-longer-name",
        ),
        pytest.param(
            _attached_to(BOUND, "bookinfo/waypoint.v2"),
            None,
            "Service details: istiod reports that it is bound elsewhere (Successfully attached to waypoint bookinfo/waypoint.v2), not to bookinfo/waypoint",
            id="a-longer-name-with-a-dot",
        ),
        pytest.param(
            _attached_to(BOUND, "my-bookinfo/waypoint"),
            None,
            "Service details: istiod reports that it is bound elsewhere (Successfully attached to waypoint my-bookinfo/waypoint), not to bookinfo/waypoint",
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


ELSEWHERE = derived(_attached_to(BOUND, "bookinfo/reviews"), {"metadata": {"labels": {USE: "reviews"}}})
REVIEWS = WaypointRef("bookinfo", "reviews")


@pytest.mark.parametrize(
    ("services", "namespace", "expected", "message"),
    [
        pytest.param(
            [ELSEWHERE], PLAIN, REF, "no Service of the namespace is bound to bookinfo/waypoint, and the namespace names no waypoint", id="nobody-names-it"
        ),
        pytest.param(
            [ELSEWHERE],
            ENROLLED,
            OTHER,
            "no Service of the namespace is bound to infra/shared, and the namespace names bookinfo/waypoint",
            id="both-name-others",
        ),
        pytest.param([ELSEWHERE], PLAIN, REVIEWS, "", id="one-service-names-it"),
        pytest.param([ELSEWHERE], ENROLLED, REF, "", id="the-namespace-names-it"),
        pytest.param([ELSEWHERE, named(BOUND, "other")], ENROLLED, REVIEWS, "Service other: its namespace names bookinfo/waypoint", id="another-has-a-problem"),
        pytest.param([ELSEWHERE], PLAIN, None, "", id="any-will-do"),
    ],
)
def test_a_namespace_uses_the_waypoint_that_is_asked_for(services: list[Object], namespace: Object, expected: WaypointRef | None, message: str) -> None:
    verdict = judge_binding("Namespace bookinfo", services, namespace, expected, one=False)
    assert verdict.current == (not message)
    assert message in verdict.message
    assert verdict.current or verdict.remedy


@pytest.mark.parametrize("kind", ["Service", "ServiceEntry"])
def test_one_service_is_bound_to_the_waypoint_that_is_asked_for_and_to_no_other(kind: str) -> None:
    verdict = judge_binding("it", [ELSEWHERE], ENROLLED, REF, one=True, kind=kind)
    assert (verdict.status, verdict.reason, verdict.message) == ("InProgress", "NotBound", f"{kind} details: it names bookinfo/reviews, not bookinfo/waypoint")
    assert judge_binding("it", [ELSEWHERE], ENROLLED, REVIEWS, one=True, kind=kind).current
    assert judge_binding("it", [ELSEWHERE], ENROLLED, None, one=True, kind=kind).current


def test_a_namespace_that_names_no_waypoint_is_not_bound_to_the_one_expected() -> None:
    verdict = judge_binding("Namespace bookinfo", [BOUND], PLAIN, REF, one=False)
    assert verdict.message == "Service details: neither it nor its namespace names bookinfo/waypoint"


def test_one_service_that_names_no_waypoint_is_not_bound() -> None:
    verdict = judge_binding("Service bookinfo/admin", [OPTED_OUT], ENROLLED, None, one=True)
    assert (verdict.status, verdict.message) == ("InProgress", "Service admin: neither it nor its namespace names a waypoint")


@pytest.mark.parametrize("services", [[], [UNBOUND], [OF_WAYPOINT]], ids=["none", "one", "a-waypoints"])
def test_nothing_is_bound(services: list[Object]) -> None:
    verdict = judge_binding("Namespace bookinfo", services, PLAIN, None, one=False)
    assert (verdict.status, verdict.reason, verdict.message) == ("InProgress", "NothingBound", "no Service of the namespace names a waypoint")


@pytest.mark.parametrize("service", [EXTERNAL, OF_WAYPOINT], ids=["external-name", "of-a-waypoint"])
def test_one_service_that_can_never_be_bound_is_not_called_bound(service: Object) -> None:
    assert not judge_binding("Service bookinfo/it", [service], ENROLLED, REF, one=True).current


def test_a_namespace_without_services_that_names_another_waypoint_is_not_bound() -> None:
    assert not judge_binding("Namespace bookinfo", [], ENROLLED, OTHER, one=False).current


def test_what_is_missing_is_not_found() -> None:
    assert judge_binding("Namespace shop", [], None, None, one=False).message == "Namespace shop does not exist"
    assert judge_binding("Service bookinfo/cart", [], ENROLLED, None, one=True).message == "Service bookinfo/cart does not exist"


def test_of_many_the_first_are_reported_and_all_are_counted() -> None:
    services = [named(UNBOUND, f"s{number}") for number in range(7)]
    verdict = judge_binding("Namespace bookinfo", services, ENROLLED, None, one=False)
    assert verdict.message == "; ".join(f"Service s{number}: istiod has not bound it to bookinfo/waypoint yet" for number in range(5)) + "; and 2 more"


def test_it_lasts_since_the_conditions_last_change() -> None:
    service = with_condition(BOUND, WAYPOINT_BOUND, status="False", lastTransitionTime="2026-11-21T08:00:00Z")
    assert judge_binding("Namespace bookinfo", [service], ENROLLED, None, one=False).since == "2026-11-21T08:00:00Z"


# what only the message tells

JUDGE_B = namespace_of("judge-b", **{USE: "waypoint"})
CANARY_PART = "it is bound, but not to its canary: "


@pytest.mark.parametrize(
    ("situation", "reason", "message"),
    [
        (
            "canary_invalid_weight",
            "CanaryInvalidWeight",
            f'{CANARY_PART}canary waypoint "judge-b/canary" has an invalid weight; must be an integer in [0,100]',
        ),
        ("canary_same_as_primary", "CanarySameAsPrimary", f'{CANARY_PART}canary waypoint "judge-b/waypoint" must differ from the primary waypoint'),
        ("canary_not_ready", "CanaryIsNotReady", f'{CANARY_PART}waypoint "judge-b/missing" is not ready'),
    ],
)
def test_a_canary_that_is_not_attached(situation: str, reason: str, message: str) -> None:
    service = recorded(f"service/{situation}")
    bound = next(condition for condition in service["status"]["conditions"] if condition["type"] == WAYPOINT_BOUND)
    assert (bound["status"], bound["reason"]) == ("True", "WaypointAccepted")
    verdict = judge_binding("it", [service], JUDGE_B, None, one=True)
    assert (verdict.status, verdict.reason) == ("InProgress", reason)
    assert verdict.message == f"Service {service['metadata']['name']}: {message}"
    assert verdict.remedy


CANARY_FAILED = "Successfully attached to waypoint judge-b/waypoint. Canary waypoint not attached: "


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        ('we are not permitted to attach to waypoint "a/b" (missing allowedRoutes?)', "CanaryAttachmentDenied"),
        ('attempting to bind to traffic type "service" which the waypoint "a/b" does not support', "CanaryUnsupportedTrafficType"),
        ("something new", "CanaryNotAttached"),
    ],
)
def test_each_failure_of_a_canary_has_its_reason(failure: str, reason: str) -> None:
    service = with_condition(recorded("service/canary_attached"), WAYPOINT_BOUND, message=CANARY_FAILED + failure)
    assert judge_binding("it", [service], JUDGE_B, None, one=True).reason == reason


def test_a_canary_counts_at_the_level_at_which_it_is_asked_for() -> None:
    """istiod reads a namespace's canary only for a Service that names no waypoint itself (buildWeightedWaypoints)."""
    failing = with_condition(recorded("service/ingress_traverses"), WAYPOINT_BOUND, message=f"{CANARY_FAILED}it is not ready")
    plain = derived(failing, {"metadata": {"labels": {"istio.io/ingress-use-waypoint": None}}})
    asking = namespace_of("judge-b", **{USE: "waypoint", "istio.io/use-waypoint-canary": "canary"})
    assert not judge_binding("it", [plain], asking, None, one=True).current
    own = derived(plain, {"metadata": {"labels": {USE: "waypoint"}}})
    assert judge_binding("it", [own], asking, None, one=True).current
    assert judge_binding("it", [plain], JUDGE_B, None, one=True).current
    assert judge_binding("it", [recorded("service/canary_attached")], JUDGE_B, None, one=True).current


def test_ingress_traffic_takes_the_way_that_the_label_asks_for() -> None:
    traverses, passes_by = recorded("service/ingress_traverses"), recorded("service/ingress_passes_by")
    assert judge_binding("it", [traverses], JUDGE_B, None, one=True).current
    assert judge_binding("it", [passes_by], JUDGE_B, None, one=True).current
    asking = derived(passes_by, {"metadata": {"labels": {"istio.io/ingress-use-waypoint": "true"}}})
    assert judge_binding("it", [asking], JUDGE_B, None, one=True).reason == "IngressPassesBy"
    unlabelled = derived(passes_by, {"metadata": {"labels": {"istio.io/ingress-use-waypoint": None}}})
    by_namespace = derived(JUDGE_B, {"metadata": {"labels": {"istio.io/ingress-use-waypoint": "true"}}})
    assert judge_binding("it", [unlabelled], by_namespace, None, one=True).reason == "IngressPassesBy"
    assert judge_binding("it", [passes_by], by_namespace, None, one=True).current


def test_service_entries_are_bound_like_services() -> None:
    bound, not_ready, alone = (recorded(f"serviceentry/{situation}") for situation in ("bound", "waypoint_not_ready", "no_waypoint"))
    verdict = judge_binding("it", [bound], JUDGE_B, None, one=False, kind="ServiceEntry")
    assert (verdict.status, verdict.message) == ("Current", "1 ServiceEntries are bound")
    verdict = judge_binding("it", [bound, not_ready], JUDGE_B, None, one=False, kind="ServiceEntry")
    assert verdict.message == 'ServiceEntry wrong: WaypointIsNotReady: waypoint "judge-b/missing" is not ready'
    verdict = judge_binding("it", [alone], namespace_of("judge-a"), None, one=True, kind="ServiceEntry")
    assert (verdict.reason, verdict.message) == ("NotBound", "ServiceEntry wild: neither it nor its namespace names a waypoint")
    assert verdict.remedy.startswith("Bind it or its namespace")
    verdict = judge_binding("it", [alone], namespace_of("judge-a", **{USE: "waypoint"}), None, one=True, kind="ServiceEntry")
    assert verdict.message.endswith("yet (ServiceEntry will not apply until it is bound to a valid waypoint.)")
    assert judge_binding("ServiceEntry a/b", [], JUDGE_B, None, one=True, kind="ServiceEntry").remedy.startswith("Create the ServiceEntry")


ENTRY = derived(recorded("serviceentry/bound"), {"metadata": {"namespace": "bookinfo"}})
OWN_LABEL = derived(named(ENTRY, "payments"), {"metadata": {"labels": {USE: "waypiont"}}})
NOT_READY = with_condition(OWN_LABEL, WAYPOINT_BOUND, status="False", reason="WaypointIsNotReady", message='waypoint "bookinfo/waypiont" is not ready')
ATTACHED = _attached_to(ENTRY, "bookinfo/waypoint")
WITHOUT_ADDRESS = derived(named(ATTACHED, "banks"), {"spec": {"resolution": "NONE", "hosts": ["*.bank.example.com"]}, "status": {"addresses": None}})
WITHOUT_ALLOCATION = derived(
    named(ATTACHED, "static"),
    {"metadata": {"labels": {"networking.istio.io/enable-autoallocate-ip": "false"}}, "spec": {"resolution": "STATIC"}, "status": {"addresses": None}},
)


@pytest.mark.parametrize("one", [True, False], ids=["one", "all-of-the-kind"])
def test_a_service_entry_without_an_address_is_a_warning(one: bool) -> None:
    verdict = judge_binding("it", [WITHOUT_ADDRESS], ENROLLED, None, one=one, kind="ServiceEntry")
    assert verdict.current
    assert verdict.warning == (
        "no traffic is sent to the waypoint for banks, because resolution NONE allocates no address: "
        "set its addresses, if its traffic should pass the waypoint."
    )
    assert judge_namespace("Namespace bookinfo", [BOUND], [WITHOUT_ADDRESS, ATTACHED], ENROLLED, REF).warning == verdict.warning
    assert judge_namespace("Namespace bookinfo", [BOUND], [ATTACHED], ENROLLED, REF).warning == ""


def test_service_entries_alone_bind_their_namespace() -> None:
    entry = derived(ATTACHED, {"metadata": {"labels": {USE: "waypoint"}}})
    for services, expected in (([UNBOUND], None), ([], None), ([], REF)):
        verdict = judge_namespace("Namespace bookinfo", services, [entry], PLAIN, expected)
        assert (verdict.status, verdict.message) == ("Current", "0 Services are bound; 1 ServiceEntries are bound")
    assert judge_namespace("Namespace bookinfo", [], [entry], PLAIN, OTHER).reason == "NothingBound"
    assert judge_namespace("Namespace bookinfo", [UNBOUND], [NOT_READY], PLAIN, None).reason == "NotBound"


def test_a_service_entry_that_is_not_bound_keeps_its_namespace_from_being_current() -> None:
    verdict = judge_namespace("Namespace bookinfo", [BOUND], [ATTACHED, NOT_READY], ENROLLED, REF)
    assert (verdict.status, verdict.reason) == ("InProgress", "NotBound")
    assert verdict.message == 'ServiceEntry payments: WaypointIsNotReady: waypoint "bookinfo/waypiont" is not ready'
    assert verdict.remedy
    both = judge_namespace("Namespace bookinfo", [UNBOUND], [NOT_READY], ENROLLED, REF)
    assert both.message.startswith("Service details: istiod has not bound it")
    assert "; ServiceEntry payments: " in both.message


@pytest.mark.parametrize(
    ("entries", "namespace", "message"),
    [
        pytest.param([], ENROLLED, "1 Services are bound", id="none"),
        pytest.param([ATTACHED], ENROLLED, "1 Services are bound; 1 ServiceEntries are bound", id="bound"),
        pytest.param([derived(ATTACHED, {"metadata": {"labels": {USE: "none"}}})], ENROLLED, "1 Services are bound", id="opted-out"),
        pytest.param([derived(ATTACHED, {"status": {"conditions": []}})], PLAIN, "1 Services are bound", id="that-names-no-waypoint"),
        pytest.param(
            [WITHOUT_ADDRESS],
            ENROLLED,
            "1 Services are bound; 1 ServiceEntries are bound; no traffic is sent to the waypoint for banks, because resolution NONE allocates no address",
            id="without-an-address",
        ),
        pytest.param(
            [WITHOUT_ALLOCATION],
            ENROLLED,
            "1 Services are bound; 1 ServiceEntries are bound; no traffic is sent to the waypoint for static, because the label "
            "networking.istio.io/enable-autoallocate-ip=false allocates no address",
            id="of-which-none-is-allocated",
        ),
        pytest.param(
            [derived(WITHOUT_ADDRESS, {"spec": {"addresses": ["192.0.2.1"]}})],
            ENROLLED,
            "1 Services are bound; 1 ServiceEntries are bound",
            id="resolution-none-with-an-address",
        ),
    ],
)
def test_service_entries_that_are_bound(entries: list[Object], namespace: Object, message: str) -> None:
    service = derived(BOUND, {"metadata": {"labels": {USE: "waypoint"}}})
    verdict = judge_namespace("Namespace bookinfo", [service], entries, namespace, None)
    assert (verdict.status, verdict.message) == ("Current", message)


def test_a_namespace_that_does_not_exist_has_no_bindings() -> None:
    assert judge_namespace("Namespace bookinfo", [], [ATTACHED], None, None).status == "NotFound"
