"""What the load balancer controller reports by its events."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._kinds import EVENT, INGRESS
from ansible_collections.meshwright.ambient.plugins.module_utils._status.addresses import IngressExpectation
from ansible_collections.meshwright.ambient.plugins.module_utils._status.load_balancers import ControllerExpectation, about, judge_events, versions_of
from ansible_collections.meshwright.ambient.plugins.module_utils._status.rules import needs_of, verdict_on
from ansible_collections.meshwright.ambient.plugins.module_utils._status.target import Target

NO_SUBNET = "Failed build model due to couldn't auto-discover subnets: unable to resolve at least one subnet"
THROTTLED = (
    "Failed deploy model due to operation error Elastic Load Balancing v2: CreateLoadBalancer, https response error StatusCode: 400, Throttling: Rate exceeded"
)


def event(reason: str, message: str = "", *, version: int = 1, name: str = "public", kind: str = "Ingress") -> dict[str, Any]:
    metadata = {"uid": f"{reason}-{name}-{message}", "resourceVersion": str(version), "namespace": "istio-ingress", "name": f"{name}.{reason}.{version}"}
    return {"metadata": metadata, "involvedObject": {"kind": kind, "name": name}, "reason": reason, "message": message, "lastTimestamp": "2026-01-01T00:00:00Z"}


@pytest.mark.parametrize(
    ("events", "known", "reconciled", "verdict"),
    [
        ([], {}, False, None),
        ([], {}, True, ("InProgress", "NotReconciled", False)),
        ([event("SuccessfullyReconciled")], {}, True, None),
        ([event("FailedBuildModel", NO_SUBNET)], {}, False, ("Failed", "FailedBuildModel", True)),
        ([event("FailedDeployModel", THROTTLED)], {}, False, ("InProgress", "FailedDeployModel", False)),
        # What came last counts.
        ([event("FailedBuildModel", NO_SUBNET, version=1), event("SuccessfullyReconciled", version=2)], {}, True, None),
        ([event("SuccessfullyReconciled", version=1), event("FailedDeployModel", "x", version=2)], {}, True, ("Failed", "FailedDeployModel", True)),
        # What was reported before the write is outdated, until it is reported again.
        ([event("FailedBuildModel", "x", version=5)], {"FailedBuildModel-public-x": "5"}, False, None),
        ([event("FailedBuildModel", "x", version=6)], {"FailedBuildModel-public-x": "5"}, False, ("Failed", "FailedBuildModel", True)),
        ([event("SuccessfullyReconciled", version=5)], {"SuccessfullyReconciled-public-": "5"}, True, ("InProgress", "NotReconciled", False)),
        # Others speak of it, too.
        ([event("Sync")], {}, False, None),
    ],
)
def test_the_controllers_last_word_counts(events: list[Any], known: dict[str, str], reconciled: bool, verdict: tuple[str, str, bool] | None) -> None:
    found = judge_events(events, ControllerExpectation(known, reconciled))
    assert ((found.status, found.reason, found.final) if found else None) == verdict


def test_a_refusal_that_is_said_again_may_mean_what_was_there_before() -> None:
    events = [event("FailedBuildModel", NO_SUBNET, version=6)]
    found = judge_events(events, ControllerExpectation({f"FailedBuildModel-public-{NO_SUBNET}": "5"}, reconciled=True))
    assert found is not None
    assert not found.final, "the controller may have read the object before the write"


@pytest.mark.parametrize(("about_version", "refused"), [("99", False), ("100", True), ("101", True), ("", True), ("abc", True)])
def test_a_refusal_of_an_older_version_of_the_object_is_none_of_this_one(about_version: str, refused: bool) -> None:
    spoken = event("FailedBuildModel", NO_SUBNET)
    spoken["involvedObject"]["resourceVersion"] = about_version
    found = judge_events([spoken], ControllerExpectation(written=100))
    assert bool(found) == refused


@pytest.mark.parametrize(("since", "refused"), [("2025-12-31T23:59:59Z", True), ("2026-01-01T00:00:00Z", True), ("2026-01-01T00:00:01Z", False), ("", True)])
def test_a_refusal_from_before_the_object_was_so_is_none_of_this_one(since: str, refused: bool) -> None:
    found = judge_events([event("FailedBuildModel", NO_SUBNET)], ControllerExpectation(since=since))
    assert bool(found) == refused


def test_it_is_quoted() -> None:
    found = judge_events([event("FailedBuildModel", NO_SUBNET)], ControllerExpectation(reconciled=True))
    assert found is not None
    assert NO_SUBNET in found.message


def test_only_events_about_the_object_count_oldest_first() -> None:
    events = [event("B", version=12), event("A", version=9), event("C", name="other"), event("D", kind="Service")]
    assert [found["reason"] for found in about(events, "Ingress", ["public"])] == ["A", "B"]
    assert versions_of(events[:1]) == {"B-public-": "12"}


class Snapshot:
    """A snapshot of some objects."""

    def __init__(self, *items: Any) -> None:
        self._items = items

    def get(self, kind: Any, name: str, namespace: str | None = None) -> Any:
        return next((item for item in self.all(kind, namespace) if item["metadata"]["name"] == name), None)

    def all(self, kind: Any, _namespace: str | None = None) -> list[Any]:
        return [item for item in self._items if item["kind"] == kind.name]


def _ingress(hostname: str = "") -> dict[str, Any]:
    given = [{"hostname": hostname}] if hostname else []
    return {"kind": "Ingress", "metadata": {"name": "public", "namespace": "istio-ingress"}, "status": {"loadBalancer": {"ingress": given}}}


@pytest.mark.requirement("E33")
@pytest.mark.parametrize(
    ("hostname", "events", "reason"),
    [
        ("", [], "NoLoadBalancer"),
        ("a.elb", [], "NotReconciled"),
        ("a.elb", [event("SuccessfullyReconciled")], ""),
        # The address is that of the load balancer before the change that is refused.
        ("a.elb", [event("FailedDeployModel", "no such certificate")], "FailedDeployModel"),
        ("", [event("FailedBuildModel", NO_SUBNET)], "FailedBuildModel"),
        ("", [event("SuccessfullyReconciled")], "NoLoadBalancer"),
    ],
)
def test_an_ingress_is_judged_with_its_events(hostname: str, events: list[Any], reason: str) -> None:
    target = Target("Ingress", "public", "istio-ingress", IngressExpectation(ControllerExpectation(reconciled=True)))
    assert needs_of(target) == ((INGRESS, "istio-ingress"), (EVENT, "istio-ingress"))
    verdict = verdict_on(target, Snapshot(_ingress(hostname), *({**one, "kind": "Event"} for one in events)))  # type: ignore[arg-type]
    assert verdict.reason == reason
    assert verdict.current == (reason == "")


def test_without_being_asked_for_events_are_not_read() -> None:
    assert needs_of(Target("Ingress", "public", "istio-ingress")) == ((INGRESS, "istio-ingress"),)
