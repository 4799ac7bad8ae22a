from __future__ import annotations

import datetime

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._checks.check import Check
from ansible_collections.meshwright.ambient.plugins.module_utils._checks.cluster import Cluster
from ansible_collections.meshwright.ambient.plugins.module_utils._checks.finding import Finding, ObjectRef, Problem, Severity
from ansible_collections.meshwright.ambient.plugins.module_utils._checks.run import merge_symptoms, run_checks
from ansible_collections.meshwright.ambient.plugins.module_utils._checks.spec import accept, choose_checks, kinds_of, parse_accepted
from ansible_collections.meshwright.ambient.plugins.module_utils._errors import MeshError
from ansible_collections.meshwright.ambient.plugins.module_utils._kinds import NAMESPACE, POD, SERVICE

ISTIOD, GATEWAY = ObjectRef("Deployment", "istio-system", "istiod"), ObjectRef("Gateway", "shop", "waypoint")
CART, WEB = ObjectRef("Service", "shop", "cart"), ObjectRef("Service", "shop", "web")


def finding(code: str, at: ObjectRef, *, cause: ObjectRef | None = None, severity: Severity = "error", related: tuple[ObjectRef, ...] = ()) -> Finding:
    return Finding(code, severity, Problem(at, "is wrong", "Mend it.", related, cause))


def check_of(code: str, *problems: Problem, needs: tuple = (NAMESPACE,), phases: tuple = ("verify",), severity: Severity = "error") -> Check:  # type: ignore[type-arg]
    return Check(code, f"title of {code}", severity, needs, lambda _cluster: problems, "", phases)


def shown(findings: list[Finding]) -> list[tuple[str, str, list[str]]]:
    return [(one.code, str(one.problem.object), [str(ref) for ref in one.problem.related]) for one in findings]


def test_a_symptom_is_told_by_its_cause() -> None:
    found = merge_symptoms([finding("MW3", CART, cause=GATEWAY), finding("MW2", GATEWAY, related=(WEB,))])
    assert shown(found) == [("MW2", "Gateway shop/waypoint", ["Service shop/web", "Service shop/cart"])]


def test_a_chain_of_causes_ends_at_the_first_one() -> None:
    found = merge_symptoms([finding("MW3", CART, cause=GATEWAY, related=(WEB,)), finding("MW2", GATEWAY, cause=ISTIOD), finding("MW1", ISTIOD)])
    assert shown(found) == [("MW1", "Deployment istio-system/istiod", ["Service shop/cart", "Service shop/web", "Gateway shop/waypoint"])]


def test_a_cause_that_nobody_reports_hides_nothing() -> None:
    assert len(merge_symptoms([finding("MW3", CART, cause=GATEWAY)])) == 1


def test_information_about_an_object_is_no_cause() -> None:
    assert len(merge_symptoms([finding("MW3", CART, cause=GATEWAY), finding("MW2", GATEWAY, severity="info")])) == 2


def test_two_that_blame_each_other_are_both_told() -> None:
    assert len(merge_symptoms([finding("MW3", CART, cause=GATEWAY), finding("MW2", GATEWAY, cause=CART)])) == 2


def test_one_that_is_its_own_cause_is_told() -> None:
    assert len(merge_symptoms([finding("MW2", GATEWAY, cause=GATEWAY)])) == 1


def test_the_most_serious_comes_first_whatever_the_order_of_the_checks() -> None:
    checks = [
        check_of("MW1", Problem(WEB, "is odd", "Look."), severity="info"),
        check_of("MW2", Problem(WEB, "is odd", "Look."), Problem(CART, "is odd", "Look.", severity="warning"), severity="error"),
    ]
    found, unchecked = run_checks(checks, Cluster({}))
    assert [(one.code, one.severity) for one in found] == [("MW2", "error"), ("MW2", "warning"), ("MW1", "info")]
    assert not unchecked


def test_what_cannot_be_read_is_told_and_asked_nothing() -> None:
    def fail(_cluster: Cluster) -> list[Problem]:
        raise AssertionError("a check without its kinds was asked")

    checks = [Check("MW1", "no pods", "error", (NAMESPACE, POD), fail, ""), check_of("MW2", Problem(CART, "is odd", "Look."))]
    found, unchecked = run_checks(checks, Cluster({NAMESPACE: []}, unread={POD: "this user may not list pods"}))
    assert [one.code for one in found] == ["MW2"]
    assert [(one.code, one.title, one.reason) for one in unchecked] == [("MW1", "no pods", "pods: this user may not list pods")]


def test_one_odd_object_does_not_hide_the_rest() -> None:
    def stumble(_cluster: Cluster) -> list[Problem]:
        return [Problem(CART, {}["missing"], "")]

    found, unchecked = run_checks([Check("MW1", "odd", "error", (), stumble, ""), check_of("MW2", Problem(CART, "is odd", "Look."))], Cluster({}))
    assert [one.code for one in found] == ["MW2"]
    assert unchecked[0].reason == "an object has an unexpected form (KeyError: 'missing')"


PHASED = [check_of("MW1"), check_of("MW2", phases=("preflight", "verify"), needs=(POD, NAMESPACE)), check_of("MW3", phases=("upgrade",))]


@pytest.mark.parametrize(
    ("phase", "only", "skip", "codes"),
    [
        ("verify", [], [], ["MW1", "MW2"]),
        ("preflight", [], [], ["MW2"]),
        ("verify", ["MW3"], [], ["MW3"]),
        ("verify", [], ["MW1"], ["MW2"]),
    ],
)
def test_checks_are_chosen(phase: str, only: list[str], skip: list[str], codes: list[str]) -> None:
    assert [one.code for one in choose_checks(PHASED, phase, only, skip)] == codes


@pytest.mark.parametrize(
    ("only", "skip", "message"),
    [(["MW9"], [], "No check has the code MW9: correct only or skip."), ([], ["MW1", "MW2"], "The options only and skip leave no check: correct them.")],
)
def test_nothing_to_ask_is_an_error(only: list[str], skip: list[str], message: str) -> None:
    with pytest.raises(MeshError, match=f"^{message}$"):
        choose_checks(PHASED, "verify", only, skip)


def test_each_kind_is_read_once() -> None:
    assert kinds_of(PHASED) == [NAMESPACE, POD]


TODAY = datetime.date(2026, 11, 30)
KNOWN = {"code": "MW1", "kind": None, "namespace": "shop", "name": None, "reason": "known", "until": None}


@pytest.mark.parametrize(
    ("item", "remaining", "accepted"),
    [
        (KNOWN, [], ["MW1"]),
        ({**KNOWN, "name": "web"}, ["MW1"], []),
        ({**KNOWN, "kind": "Service", "name": "cart"}, [], ["MW1"]),
        ({**KNOWN, "code": "MW2"}, ["MW1"], []),
        ({**KNOWN, "until": "2026-11-30"}, [], ["MW1"]),
        ({**KNOWN, "until": "2026-11-29"}, ["MW1", "MW9001"], []),
    ],
    ids=["namespace", "another name", "exact", "another code", "last day", "expired"],
)
def test_findings_are_accepted(item: dict[str, str | None], remaining: list[str], accepted: list[str]) -> None:
    left, known = accept([finding("MW1", CART)], parse_accepted([item], {"MW1", "MW2"}), TODAY)
    assert [one.code for one in left] == remaining
    assert [one.code for one, _by in known] == accepted


def test_an_acceptance_that_has_expired_says_which() -> None:
    left, _known = accept([finding("MW1", CART)], parse_accepted([{**KNOWN, "until": "2026-11-29"}], {"MW1"}), TODAY)
    assert left[1].problem.message == "item 0 accepted MW1 until 2026-11-29 (known), and that day has passed"


def test_errors_in_acceptances_are_told_all_at_once() -> None:
    items = [{**KNOWN, "code": "MW5110"}, {**KNOWN, "reason": " "}, {**KNOWN, "until": "31.12.2026"}]
    with pytest.raises(MeshError) as raised:
        parse_accepted(items, {"MW1", "MW5101"})
    assert raised.value.message.splitlines() == [
        "accepted[0] has the code MW5110, which no check has; did you mean MW5101?",
        "accepted[1] has an empty reason: say why MW1 is accepted.",
        "accepted[2] has the date 31.12.2026 in until: write it as year-month-day, such as 2027-01-31.",
    ]


def test_services_and_kinds_have_views() -> None:
    service = {"kind": "Service", "metadata": {"name": "cart", "namespace": "shop"}, "spec": {"selector": {"app": "cart"}}}
    pod = {"kind": "Pod", "metadata": {"name": "cart-1", "namespace": "shop", "labels": {"app": "cart"}}, "spec": {}, "status": {"phase": "Running"}}
    ended = {**pod, "metadata": {**pod["metadata"], "name": "cart-0"}, "status": {"phase": "Succeeded"}}
    cluster = Cluster({SERVICE: [service], POD: [pod, ended]})
    assert [one["metadata"]["name"] for one in cluster.pods_of_service(service)] == ["cart-1"]
    assert cluster.has_read(SERVICE, NAMESPACE)
    assert not Cluster({}, unread={POD: "no"}).has_read(POD)
