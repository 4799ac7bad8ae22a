"""What the module ingress waits for, and which of the load balancer controller's words it counts."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._ingress.plan import Change, plan_changes
from ansible_collections.meshwright.ambient.plugins.module_utils._ingress.wishes import complete, parse_wishes
from ansible_collections.meshwright.ambient.plugins.module_utils._status.addresses import IngressExpectation
from ansible_collections.meshwright.ambient.plugins.module_utils._status.gateways import GatewayExpectation
from ansible_collections.meshwright.ambient.plugins.module_utils._status.load_balancers import ControllerExpectation
from ansible_collections.meshwright.ambient.plugins.module_utils._status.target import Target
from ansible_collections.meshwright.ambient.plugins.modules import ingress

NLB: dict[str, Any] = {"name": "edge", "namespace": "istio-ingress", "load_balancer": "nlb"}
ALB: dict[str, Any] = {"name": "public", "namespace": "istio-ingress", "service": "istio-ingress"}
HEARD = ingress.Heard({"1": "5"}, {("istio-ingress", "public"): 77})
APPLIED = "2026-01-01T00:00:00Z"


def changes(before: dict[str, Any], after: dict[str, Any]) -> list[Change]:
    """What to do when these items were applied before, and those are wished now."""
    there = {}
    for wish in parse_wishes(complete(before)):
        for wanted in (wish.main, *wish.others):
            if wanted.manifest:
                there[wanted.key] = copy.deepcopy(wanted.manifest)
                there[wanted.key]["metadata"]["managedFields"] = [{"manager": "meshwright", "operation": "Apply", "time": APPLIED, "fieldsV1": {}}]
    return plan_changes(parse_wishes(complete(after)), there)


def targets(planned: list[Change], monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, ControllerExpectation]]:
    """For each wait its patience and what the controller must have said of its first target; nothing ever becomes ready."""
    asked: list[tuple[float, ControllerExpectation]] = []

    def waits(_session: Any, given: list[Target], *, timeout: float, **_options: Any) -> dict[str, Any]:
        expectation = given[0].expectation
        assert isinstance(expectation, (GatewayExpectation, IngressExpectation))
        assert expectation.controller
        asked.append((timeout, expectation.controller))
        return {"failed": True, "elapsed": timeout, "targets": []}

    monkeypatch.setattr(ingress, "wait_and_report", waits)
    ingress.wait(None, planned, HEARD, 100.0, None)
    return asked


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param({"albs": [ALB]}, {"albs": [{**ALB, "idle_timeout": 90}]}, id="an annotation of the Ingress"),
        pytest.param({"gateways": [NLB]}, {"gateways": [{**NLB, "hosts": ["a.example.com"]}]}, id="the Gateway"),
        pytest.param({"gateways": [NLB]}, {"gateways": [{**NLB, "nlb": {"cross_zone": True}}]}, id="only the parameters of the Gateway"),
    ],
)
def test_the_controller_is_heard_about_a_changed_load_balancer(before: Any, after: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = targets(changes(before, after), monkeypatch)
    assert first[0] == ingress.SECONDS_TO_ANSWER
    assert first[1].reconciled, "its address is there already and proves nothing"
    assert first[1].known_events == HEARD.known
    assert second[0] == 100.0 - ingress.SECONDS_TO_ANSWER
    assert not second[1].reconciled, "it says nothing of changes that do not concern it"


@pytest.mark.parametrize("items", [{"albs": [ALB]}, {"gateways": [NLB]}])
def test_a_new_load_balancer_is_waited_for_by_its_address(items: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (asked,) = targets(changes({}, items), monkeypatch)
    assert asked[0] == 100.0
    assert asked[1].known_events == HEARD.known, "a former object of its name may have been refused"


def test_events_about_an_older_ingress_are_told_by_what_was_written(monkeypatch: pytest.MonkeyPatch) -> None:
    (asked,) = targets(changes({}, {"albs": [ALB]}), monkeypatch)
    assert asked[1].written == 77


def test_of_what_is_unchanged_all_counts_that_was_said_since_it_is_so(monkeypatch: pytest.MonkeyPatch) -> None:
    (asked,) = targets(changes({"albs": [ALB]}, {"albs": [ALB]}), monkeypatch)
    assert (asked[1].known_events, asked[1].since) == ({}, APPLIED)
