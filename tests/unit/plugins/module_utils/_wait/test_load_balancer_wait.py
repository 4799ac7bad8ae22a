"""When the load balancer controller is listened to, and which of its events count."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._alb import plan as alb_plan
from ansible_collections.meshwright.ambient.plugins.module_utils._alb.spec import ALB as ALB_OPTIONS
from ansible_collections.meshwright.ambient.plugins.module_utils._alb.spec import parse_alb
from ansible_collections.meshwright.ambient.plugins.module_utils._gateway import plan as gateway_plan
from ansible_collections.meshwright.ambient.plugins.module_utils._gateway.spec import GATEWAY, parse_gateway
from ansible_collections.meshwright.ambient.plugins.module_utils._ingress.plan import Change, plan_changes
from ansible_collections.meshwright.ambient.plugins.module_utils._ingress.spec import DesiredItem, complete
from ansible_collections.meshwright.ambient.plugins.module_utils._status.addresses import IngressExpectation
from ansible_collections.meshwright.ambient.plugins.module_utils._status.gateways import GatewayExpectation
from ansible_collections.meshwright.ambient.plugins.module_utils._status.load_balancers import ControllerExpectation
from ansible_collections.meshwright.ambient.plugins.module_utils._status.target import Target
from ansible_collections.meshwright.ambient.plugins.module_utils._wait import load_balancers

NLB: dict[str, Any] = {"name": "edge", "namespace": "istio-ingress", "load_balancer": "nlb"}
ALB: dict[str, Any] = {"name": "public", "namespace": "istio-ingress", "service": "istio-ingress"}
KNOWN = {"1": "5"}
WRITTEN = {("istio-ingress", "public"): 77}
APPLIED = "2026-01-01T00:00:00Z"


def parse(item: dict[str, Any]) -> DesiredItem:
    return parse_alb(complete([item], ALB_OPTIONS)[0]) if "service" in item else parse_gateway(complete([item], GATEWAY)[0])


def changes(before: dict[str, Any] | None, after: dict[str, Any]) -> list[Change]:
    """What to do if the one item was applied before, and the other is desired now."""
    current = {}
    for desired in parse(before).objects if before else ():
        if desired.manifest:
            current[desired.key] = copy.deepcopy(desired.manifest)
            current[desired.key]["metadata"]["managedFields"] = [{"manager": "meshwright", "operation": "Apply", "time": APPLIED, "fieldsV1": {}}]
    return plan_changes([parse(after)], current)


def target(planned: list[Change], *, reconciled: bool = False) -> ControllerExpectation:
    """What the controller must have said of the item's main object."""
    (change,) = [change for change in planned if change.is_main]
    if change.desired.key[0] == "Ingress":
        expectation = alb_plan.ready_target(change, KNOWN, WRITTEN, reconciled=reconciled).expectation
    else:
        expectation = gateway_plan.ready_target(change, planned, KNOWN, reconciled=reconciled).expectation
    assert isinstance(expectation, (GatewayExpectation, IngressExpectation))
    assert expectation.controller
    return expectation.controller


def is_changed(planned: list[Change]) -> bool:
    """Whether an existing load balancer is changed."""
    (change,) = [change for change in planned if change.is_main]
    return alb_plan.changes_load_balancer(change) if change.desired.key[0] == "Ingress" else gateway_plan.changes_load_balancer(change, planned)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(ALB, {**ALB, "idle_timeout": 90}, id="an annotation of the Ingress"),
        pytest.param(NLB, {**NLB, "hosts": ["a.example.com"]}, id="the Gateway"),
        pytest.param(NLB, {**NLB, "nlb": {"cross_zone": True}}, id="only the parameters of the Gateway"),
    ],
)
def test_the_controller_must_acknowledge_a_changed_load_balancer(before: Any, after: Any) -> None:
    planned = changes(before, after)
    assert is_changed(planned)
    assert target(planned, reconciled=True).reconciled, "it already has an address, which proves nothing"
    assert target(planned, reconciled=True).known_events == KNOWN
    assert not target(planned).reconciled


@pytest.mark.parametrize("item", [ALB, NLB])
def test_a_new_load_balancer_is_waited_for_by_its_address(item: Any) -> None:
    planned = changes(None, item)
    assert not is_changed(planned)
    assert target(planned).known_events == KNOWN, "a former object of its name may have been refused"


def test_events_about_an_older_ingress_are_known_by_what_was_written() -> None:
    assert target(changes(None, ALB)).written == 77


def test_of_what_is_unchanged_everything_counts_that_was_said_since() -> None:
    planned = changes(ALB, ALB)
    assert not is_changed(planned)
    assert (target(planned).known_events, target(planned).since) == ({}, APPLIED)


def test_the_controller_has_five_seconds_to_acknowledge(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[tuple[str, float]] = []

    def wait_and_report(_session: Any, targets: list[Target], *, timeout: float, **_options: Any) -> dict[str, Any]:
        waits.append((targets[0].name, timeout))
        return {"failed": True, "elapsed": timeout, "targets": []}

    monkeypatch.setattr(load_balancers, "wait_and_report", wait_and_report)
    targets, acknowledged = [Target("Ingress", "public", "a")], [Target("Ingress", "acknowledged", "a")]
    session: Any = None
    result = load_balancers.wait_for_load_balancers(session, targets, acknowledged, timeout=100.0, progress=None)
    assert waits == [("acknowledged", load_balancers.SECONDS_TO_ANSWER), ("public", 100.0 - load_balancers.SECONDS_TO_ANSWER)]
    assert result["elapsed"] == 100.0
    waits.clear()
    load_balancers.wait_for_load_balancers(session, targets, [], timeout=100.0, progress=None)
    assert waits == [("public", 100.0)]
