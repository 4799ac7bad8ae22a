from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.meshwright.ambient.plugins.module_utils._errors import ApiError, Unreachable
from ansible_collections.meshwright.ambient.plugins.module_utils._k8s import watch as watch_module
from ansible_collections.meshwright.ambient.plugins.module_utils._k8s.transport import TransportError
from ansible_collections.meshwright.ambient.plugins.module_utils._k8s.watch import Changed, Event, Listed, Resumed, Scope, Trouble
from ansible_collections.meshwright.ambient.plugins.module_utils._status.probes import Probe
from ansible_collections.meshwright.ambient.plugins.module_utils._status.rules import RULES
from ansible_collections.meshwright.ambient.plugins.module_utils._status.target import Rule, Target
from ansible_collections.meshwright.ambient.plugins.module_utils._status.verdict import Verdict
from ansible_collections.meshwright.ambient.plugins.module_utils._wait import wait as wait_module
from ansible_collections.meshwright.ambient.plugins.module_utils._wait.report import format_failure
from ansible_collections.meshwright.ambient.plugins.module_utils._wait.wait import (
    PROBE_PAUSE,
    PROBE_TIMEOUT,
    TRUST_SECONDS,
    Outcome,
    wait_until_current,
)
from tests.unit.fake_api import Answer, Cluster, Reply, Request, listed, refusal
from tests.unit.objects import Object, derived, named, recorded, with_condition

WAYPOINT = Target("waypoint", "waypoint", "bookinfo")
ISTIOD = Target("Deployment", "istiod", "istio-system")
GATEWAY_OBJECT = recorded("gateway/waypoint_programmed")
NOT_PROGRAMMED = with_condition(GATEWAY_OBJECT, "Programmed", status="False", reason="AddressNotAssigned", message="no instances found")
DEPLOYMENT = recorded("deployment/waypoint_available")
SERVICE = recorded("service/of_waypoint")
ISTIOD_OBJECT = recorded("deployment/istiod_available")
PATIENCE = 10.0
NOT_SERVED = Answer(404, "404 page not found\n")


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch_module, "LONGEST_BACKOFF", 0.001)
    monkeypatch.setattr(watch_module, "NOT_SERVED_PAUSE", 0.001)


def _leaping(seconds: float) -> Callable[[], float]:
    """A clock that leaps at each call."""
    return itertools.count(0.0, seconds).__next__


# waiting


def test_what_is_current_is_not_waited_for() -> None:
    outcome = wait_until_current(Cluster(GATEWAY_OBJECT, DEPLOYMENT, SERVICE).api.session, [WAYPOINT], timeout=PATIENCE, clock=lambda: 0.0)
    assert outcome.current
    assert outcome.laggards == []
    assert [verdict.status for _target, verdict in outcome.verdicts] == ["Current"]


def test_the_wait_ends_with_the_event_that_was_missing() -> None:
    cluster = Cluster(NOT_PROGRAMMED, DEPLOYMENT, SERVICE)
    cluster.send("Gateway", "MODIFIED", GATEWAY_OBJECT)
    assert wait_until_current(cluster.api.session, [WAYPOINT], timeout=PATIENCE, clock=time.monotonic).current


def test_all_targets_must_be_current() -> None:
    cluster = Cluster(GATEWAY_OBJECT, DEPLOYMENT, SERVICE)
    cluster.send("Deployment", "ADDED", ISTIOD_OBJECT)
    outcome = wait_until_current(cluster.api.session, [WAYPOINT, ISTIOD], timeout=PATIENCE, clock=time.monotonic)
    assert outcome.current
    assert [target for target, _verdict in outcome.verdicts] == [WAYPOINT, ISTIOD]


def test_without_time_what_is_there_is_judged() -> None:
    outcome = wait_until_current(Cluster(NOT_PROGRAMMED, DEPLOYMENT, SERVICE, ISTIOD_OBJECT).api.session, [WAYPOINT], timeout=0, clock=lambda: 0.0)
    ((target, verdict),) = outcome.laggards
    assert (target, verdict.status, verdict.reason) == (WAYPOINT, "InProgress", "AddressNotAssigned")


def test_one_that_has_failed_for_good_ends_the_wait_for_all() -> None:
    failed = with_condition(GATEWAY_OBJECT, "Accepted", status="False", reason="UnsupportedAddress", message="only Hostname is supported")
    cluster = Cluster(failed, DEPLOYMENT, SERVICE, ISTIOD_OBJECT)
    missing = Target("Deployment", "missing", "bookinfo")
    outcome = wait_until_current(cluster.api.session, [missing, WAYPOINT], timeout=3600, clock=lambda: 0.0)
    assert [verdict.final for _target, verdict in outcome.verdicts] == [False, True]


def test_no_right_to_read_ends_the_wait_at_once() -> None:
    cluster = Cluster(DEPLOYMENT, SERVICE, Gateway=refusal(403, "Forbidden", "gateways is forbidden"))
    with pytest.raises(ApiError, match=r"refused to list gateways in namespace bookinfo \(gateways is forbidden\)"):
        wait_until_current(cluster.api.session, [WAYPOINT], timeout=3600, clock=lambda: 0.0)


def test_a_kind_may_come_to_be_served_during_the_wait() -> None:
    answers = iter([NOT_SERVED, NOT_SERVED])
    cluster = Cluster(DEPLOYMENT, SERVICE, Gateway=lambda: next(answers, listed(GATEWAY_OBJECT)))
    assert wait_until_current(cluster.api.session, [WAYPOINT], timeout=PATIENCE, clock=time.monotonic).current


def test_a_kind_that_is_not_served_is_reported_with_its_remedy() -> None:
    cluster = Cluster(DEPLOYMENT, SERVICE, ISTIOD_OBJECT, Gateway=NOT_SERVED)
    outcome = wait_until_current(cluster.api.session, [WAYPOINT], timeout=0, clock=lambda: 0.0)
    ((_target, verdict),) = outcome.laggards
    assert (verdict.status, verdict.reason) == ("NotFound", "KindNotServed")
    assert verdict.message.startswith("Cluster prod (https://api.example.org) does not serve Gateway (gateway.networking.k8s.io/v1)")
    assert verdict.remedy == "Install the Gateway API CRDs first (role gateway_api)."


def test_a_server_that_never_answers_is_given_up_early() -> None:
    cluster = Cluster(
        Gateway=TransportError("Connection refused"), Deployment=TransportError("Connection refused"), Service=TransportError("Connection refused")
    )
    with pytest.raises(Unreachable, match="could not be reached"):
        wait_until_current(cluster.api.session, [WAYPOINT], timeout=3600, clock=_leaping(1.0))


def test_what_has_not_been_read_is_not_called_missing() -> None:
    """A list that takes longer than the time there is says nothing about the objects in it."""
    released = threading.Event()

    def late() -> Reply:
        released.wait(PATIENCE)
        return listed(GATEWAY_OBJECT)

    cluster = Cluster(DEPLOYMENT, SERVICE, ISTIOD_OBJECT, Gateway=late)
    try:
        outcome = wait_until_current(cluster.api.session, [WAYPOINT], timeout=60, clock=_leaping(100.0))
    finally:
        released.set()
    ((_target, verdict),) = outcome.laggards
    assert verdict.status == "Unknown"


# a cluster in time


class Timeline:
    """A cluster whose objects change when a test says, whose streams can fail, and whose clock moves only while a wait waits.

    It stands in for the streams, in one thread: the same wait always goes the same way.
    """

    def __init__(self, patch: pytest.MonkeyPatch, *objects: Object) -> None:
        self.now = 0.0
        self.cluster = Cluster(*objects)
        self.renewed: list[tuple[float, str]] = []
        self.list_seconds = 0.0
        self._existing = {_key(item): item for item in objects}
        self._plan: list[tuple[float, int, Callable[[], list[Event]]]] = []
        self._order = itertools.count()
        self._scopes: dict[str, Scope] = {}
        self._heard: dict[str, float] = {}
        self._deaf: set[str] = set()
        self._dead: set[str] = set()
        self._turns = 0
        patch.setattr(wait_module, "Streams", self._open)

    def wait(self, *targets: Target, timeout: float, **options: Any) -> Outcome:
        return wait_until_current(self.cluster.api.session, targets, timeout=timeout, clock=lambda: self.now, **options)

    # what happens when

    def change(self, at: float, item: Object) -> None:
        """An object is made or changed."""

        def do() -> list[Event]:
            self._existing[_key(item)] = item
            return self._events(item["kind"], lambda scope: Changed(scope, item))

        self._at(at, do)

    def bookmark(self, at: float, kind: str) -> None:
        """The server says that nothing has changed."""

        def do() -> list[Event]:
            self._events(kind, Resumed)
            return []

        self._at(at, do)

    def deafen(self, at: float, kind: str) -> None:
        """The connection is half-open: nothing comes any more, and nobody notices."""

        def do() -> list[Event]:
            self._deaf.add(kind)
            return []

        self._at(at, do)

    def part(self, at: float, kind: str, until: float = float("inf")) -> None:
        """The server cannot be reached, and after a while it can."""

        def begin() -> list[Event]:
            self._dead.add(kind)
            return [Trouble(self._scopes[kind], Unreachable("it cannot be reached", status=0, reason="no"))]

        def end() -> list[Event]:
            self._dead.discard(kind)
            self._deaf.discard(kind)
            return self._list(kind)

        self._at(at, begin)
        self._at(until, end)

    # as watch.Streams

    def _open(self, _session: object, scopes: Sequence[Scope], *, trim: object, clock: object) -> Timeline:
        del trim, clock
        self._scopes = {scope.kind.name: scope for scope in scopes}
        self._heard = dict.fromkeys(self._scopes, self.now)
        return self

    def __enter__(self) -> Timeline:
        for kind in self._scopes:
            self._at(self.now, lambda kind=kind: self._list(kind))  # type: ignore[misc]
            # What the test plans for the same moment comes after what is there at first.
            self._plan.sort(key=lambda entry: (entry[0], entry[1]))
        return self

    def __exit__(self, *_error: object) -> None:
        """Nothing is left open."""

    def next_events(self, timeout: float) -> list[Event]:
        self._turns += 1
        assert self._turns < 2000, f"the wait spins at {self.now} s"
        until = self.now + max(timeout, 0.0)
        while self._plan and self._plan[0][0] <= until:
            at, _order, do = heapq.heappop(self._plan)
            self.now = max(self.now, at)
            events = do()
            if events:
                return events
        self.now = max(self.now, until)
        return []

    def heard(self, scope: Scope) -> float:
        return self._heard[scope.kind.name]

    def renew(self, scope: Scope) -> None:
        kind = scope.kind.name
        self.renewed.append((self.now, kind))
        self._at(self.now + self.list_seconds, lambda: [] if kind in self._dead else self._list(kind))

    # inside

    def _at(self, moment: float, do: Callable[[], list[Event]]) -> None:
        heapq.heappush(self._plan, (moment, next(self._order), do))

    def _events(self, kind: str, event: Callable[[Scope], Event]) -> list[Event]:
        if kind not in self._scopes or kind in self._deaf | self._dead:
            return []
        self._heard[kind] = self.now
        return [event(self._scopes[kind])]

    def _list(self, kind: str) -> list[Event]:
        self._deaf.discard(kind)
        return self._events(kind, lambda scope: Listed(scope, [item for (of, *_name), item in self._existing.items() if of == kind]))


def _key(item: Object) -> tuple[str, str, str]:
    return item["kind"], item["metadata"].get("namespace", ""), item["metadata"]["name"]


@pytest.fixture
def existing_waypoint(monkeypatch: pytest.MonkeyPatch) -> Timeline:
    """A waypoint that is ready from the beginning."""
    return Timeline(monkeypatch, GATEWAY_OBJECT, DEPLOYMENT, SERVICE, ISTIOD_OBJECT)


@pytest.fixture
def waypoint_coming(monkeypatch: pytest.MonkeyPatch) -> Timeline:
    """A waypoint that is not programmed."""
    return Timeline(monkeypatch, NOT_PROGRAMMED, DEPLOYMENT, SERVICE, ISTIOD_OBJECT)


BROKEN = derived(DEPLOYMENT, {"status": {"availableReplicas": 0}})
FAILED = with_condition(GATEWAY_OBJECT, "Accepted", status="False", reason="UnsupportedAddress", message="only Hostname is supported")


def test_the_deadline_ends_the_wait(waypoint_coming: Timeline) -> None:
    outcome = waypoint_coming.wait(WAYPOINT, timeout=60)
    assert [verdict.reason for _target, verdict in outcome.laggards] == ["AddressNotAssigned"], "the truth was read again just before"
    assert outcome.elapsed == 60


def test_the_wait_ends_in_the_moment_in_which_all_is_well(waypoint_coming: Timeline) -> None:
    waypoint_coming.change(3.25, GATEWAY_OBJECT)
    outcome = waypoint_coming.wait(WAYPOINT, timeout=60)
    assert (outcome.current, outcome.elapsed) == (True, 3.25)


def test_nothing_to_wait_for(existing_waypoint: Timeline) -> None:
    outcome = existing_waypoint.wait(timeout=60)
    assert (outcome.current, outcome.verdicts, outcome.elapsed) == (True, (), 0.0)


def test_the_same_target_twice_is_judged_twice_and_reported_twice(waypoint_coming: Timeline) -> None:
    waypoint_coming.change(5, GATEWAY_OBJECT)
    outcome = waypoint_coming.wait(WAYPOINT, ISTIOD, WAYPOINT, timeout=60)
    assert [target for target, verdict in outcome.verdicts if verdict.current] == [WAYPOINT, ISTIOD, WAYPOINT]


# failing fast


def test_what_can_never_become_current_ends_the_wait(waypoint_coming: Timeline) -> None:
    waypoint_coming.change(7, FAILED)
    outcome = waypoint_coming.wait(WAYPOINT, ISTIOD, timeout=60)
    assert outcome.elapsed == 7
    assert [verdict.final for _target, verdict in outcome.laggards] == [True]


def test_who_does_not_want_to_fail_fast_waits_on(waypoint_coming: Timeline) -> None:
    waypoint_coming.change(7, FAILED)
    waypoint_coming.change(30, GATEWAY_OBJECT)
    outcome = waypoint_coming.wait(WAYPOINT, timeout=60, fail_fast=False)
    assert (outcome.current, outcome.elapsed) == (True, 30)


# to hold for a while


def test_what_must_hold_is_waited_for(waypoint_coming: Timeline) -> None:
    waypoint_coming.change(3, GATEWAY_OBJECT)
    outcome = waypoint_coming.wait(WAYPOINT, timeout=60, stable_for=10)
    assert (outcome.current, outcome.elapsed, outcome.held) == (True, 13, None)


def test_a_break_begins_the_time_again(existing_waypoint: Timeline) -> None:
    existing_waypoint.change(9.5, BROKEN)
    existing_waypoint.change(9.75, DEPLOYMENT)
    outcome = existing_waypoint.wait(WAYPOINT, timeout=60, stable_for=10)
    assert (outcome.current, outcome.elapsed) == (True, 19.75)


def test_a_break_in_the_last_moment_counts(existing_waypoint: Timeline) -> None:
    existing_waypoint.change(10, BROKEN)
    outcome = existing_waypoint.wait(WAYPOINT, timeout=60, stable_for=10)
    assert [verdict.reason for _target, verdict in outcome.laggards] == ["LessAvailable"]


def test_changes_that_break_nothing_do_not_begin_the_time_again(existing_waypoint: Timeline) -> None:
    for second in range(1, 10):
        existing_waypoint.change(second, derived(DEPLOYMENT, {"metadata": {"labels": {"tick": str(second)}}}))
    assert existing_waypoint.wait(WAYPOINT, timeout=60, stable_for=10).elapsed == 10


def test_what_has_not_held_at_the_deadline_is_reported(waypoint_coming: Timeline) -> None:
    waypoint_coming.change(5, GATEWAY_OBJECT)
    outcome = waypoint_coming.wait(WAYPOINT, timeout=20, stable_for=50)
    assert (outcome.current, outcome.held, outcome.elapsed) == (False, 15, 20)
    assert outcome.laggards == []
    assert format_failure(outcome, "prod", 50).startswith("All targets are ready on cluster prod, but have been so only for 15.0 s instead of 50 s: ")


def test_without_time_nothing_can_be_seen_to_hold(existing_waypoint: Timeline) -> None:
    outcome = existing_waypoint.wait(WAYPOINT, timeout=0, stable_for=5)
    assert (outcome.current, outcome.held) == (False, 0.0)


def test_who_has_not_held_because_of_a_laggard_hears_of_the_laggard(existing_waypoint: Timeline) -> None:
    existing_waypoint.change(5, BROKEN)
    outcome = existing_waypoint.wait(WAYPOINT, timeout=20, stable_for=50)
    assert (outcome.current, outcome.held) == (False, None)
    assert "1 of 1 targets are not ready" in format_failure(outcome, "prod", 50)


def test_a_silent_stream_is_read_again_before_success_is_called(existing_waypoint: Timeline) -> None:
    """It was half-open: what broke in the meantime was never reported."""
    existing_waypoint.deafen(1, "Deployment")
    existing_waypoint.change(2, BROKEN)
    outcome = existing_waypoint.wait(WAYPOINT, timeout=60, stable_for=10)
    assert (10, "Deployment") in existing_waypoint.renewed
    assert [verdict.reason for _target, verdict in outcome.laggards] == ["LessAvailable"], "success would have been a lie"


def test_what_has_held_is_seen_shortly_before_the_deadline_too(existing_waypoint: Timeline) -> None:
    """The final read, 5 s before the deadline, comes in the midst of the time to hold, and must not be the last one."""
    outcome = existing_waypoint.wait(WAYPOINT, timeout=20, stable_for=16)
    assert (outcome.current, outcome.elapsed) == (True, 16), format_failure(outcome, "prod", 16)


def test_what_holds_at_the_second_attempt_is_not_waited_for_longer(existing_waypoint: Timeline) -> None:
    """All was read again 4 s before, when the first attempt was over: it has to be read again once more."""
    existing_waypoint.deafen(1, "Gateway")
    existing_waypoint.change(2, NOT_PROGRAMMED)
    existing_waypoint.change(4, GATEWAY_OBJECT)
    outcome = existing_waypoint.wait(WAYPOINT, timeout=600, stable_for=3)
    assert (outcome.current, outcome.elapsed) == (True, 7)


def test_a_stream_in_trouble_is_waited_for_before_success_is_called(existing_waypoint: Timeline) -> None:
    existing_waypoint.part(5, "Deployment", until=25)
    outcome = existing_waypoint.wait(WAYPOINT, timeout=60, stable_for=10)
    assert (outcome.current, outcome.elapsed) == (True, 25)


def test_who_has_held_for_long_enough_but_not_to_the_end_is_not_told_to_have_held_too_short(existing_waypoint: Timeline) -> None:
    existing_waypoint.bookmark(4.5, "Deployment")
    existing_waypoint.part(5, "Deployment")
    outcome = existing_waypoint.wait(WAYPOINT, timeout=14, stable_for=8)
    assert not outcome.current, "whether it is ready at the end could not be read"
    message = format_failure(outcome, "prod", 8)
    assert "only since 14.0 s, not for 8 s" not in message, f"14 s are longer than 8 s: {message}"


# how far the last read is trusted


def test_what_comes_after_a_long_silence_elsewhere_is_believed_only_once_all_is_read_again(waypoint_coming: Timeline) -> None:
    waypoint_coming.deafen(1, "Deployment")
    waypoint_coming.change(2, BROKEN)
    waypoint_coming.change(30, GATEWAY_OBJECT)
    outcome = waypoint_coming.wait(WAYPOINT, timeout=60)
    assert (30, "Deployment") in waypoint_coming.renewed, "the Deployment had not been heard of for 30 s"
    assert [verdict.reason for _target, verdict in outcome.laggards] == ["LessAvailable"]


def test_a_stream_that_has_spoken_lately_is_not_read_again(waypoint_coming: Timeline) -> None:
    waypoint_coming.bookmark(25, "Deployment")
    waypoint_coming.bookmark(26, "Service")
    waypoint_coming.change(30, GATEWAY_OBJECT)
    assert waypoint_coming.wait(WAYPOINT, timeout=60).elapsed == 30
    assert waypoint_coming.renewed == []


def test_at_the_deadline_a_last_list_finds_what_was_never_reported(waypoint_coming: Timeline) -> None:
    waypoint_coming.deafen(10, "Gateway")
    waypoint_coming.change(20, GATEWAY_OBJECT)
    outcome = waypoint_coming.wait(WAYPOINT, timeout=60)
    assert (outcome.current, outcome.elapsed) == (True, 55)


def test_at_the_deadline_what_cannot_be_looked_at_is_unknown(waypoint_coming: Timeline) -> None:
    waypoint_coming.part(10, "Gateway")
    outcome = waypoint_coming.wait(ISTIOD, WAYPOINT, timeout=60)
    ((target, verdict),) = outcome.laggards
    assert (target, verdict.status, verdict.reason) == (WAYPOINT, "Unknown", "Unreadable")
    assert verdict.message == (
        "the watch of gateways has been silent for 60 s, so the last verdict, InProgress (AddressNotAssigned), may be outdated: it cannot be reached"
    )
    assert outcome.elapsed == 60
    assert not waypoint_coming.cluster.api.requests, "a server that does not answer must not be asked for causes beyond the deadline"


def test_what_was_well_is_unknown_when_it_cannot_be_looked_at_in_the_end(existing_waypoint: Timeline) -> None:
    existing_waypoint.part(5, "Gateway")
    outcome = existing_waypoint.wait(WAYPOINT, timeout=60, stable_for=20)
    assert not outcome.current
    assert [(verdict.status, verdict.reason) for _target, verdict in outcome.laggards] == [("Unknown", "Unreadable")]


def test_a_list_that_takes_longer_than_the_last_look_is_not_the_truth_yet(waypoint_coming: Timeline) -> None:
    waypoint_coming.list_seconds = 6.0
    waypoint_coming.deafen(10, "Gateway")
    waypoint_coming.change(20, GATEWAY_OBJECT)
    ((_target, verdict),) = waypoint_coming.wait(WAYPOINT, timeout=60).laggards
    assert (verdict.status, verdict.reason) == ("Unknown", "Unreadable")


def test_while_nothing_is_to_be_decided_nothing_is_read_again(waypoint_coming: Timeline) -> None:
    for second in range(1, 100):
        waypoint_coming.change(second, derived(BROKEN, {"metadata": {"labels": {"tick": str(second)}}}))
    waypoint_coming.wait(WAYPOINT, timeout=100)
    assert waypoint_coming.renewed == [(95.0, "Gateway"), (95.0, "Service")], "the final read is of what has been silent, and only of that"


# endpoints that must answer

NOT_ANSWERING = Verdict("InProgress", "NotAnswering", "the webhook does not answer")


@dataclass
class Endpoint:
    """Answers probes with one status after the other, the last one for ever."""

    timeline: Timeline
    statuses: Sequence[int]
    seconds: float = 0.0
    asked: list[tuple[float, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.timeline.cluster.other = self._respond

    def _respond(self, request: Request) -> Reply:
        status = self.statuses[min(len(self.asked), len(self.statuses) - 1)]
        self.asked.append((self.timeline.now, request.path))
        self.timeline.now += self.seconds
        return Answer(status, "words")


@pytest.fixture
def _probed_deployments(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each Deployment that is waited for has an endpoint."""
    rule = replace(RULES["Deployment"], probes=lambda target, _snapshot: [Probe(f"/probe/{target.name}", f"the endpoint of {target}")])
    monkeypatch.setitem(cast("dict[str, Rule]", RULES), "Deployment", rule)
    monkeypatch.setattr(wait_module, "judge_probe", lambda _probe, status, _text: None if status == 200 else NOT_ANSWERING)


@pytest.mark.usefixtures("_probed_deployments")
def test_an_endpoint_is_asked_only_when_all_else_is_well(waypoint_coming: Timeline) -> None:
    endpoint = Endpoint(waypoint_coming, [200])
    waypoint_coming.change(12, GATEWAY_OBJECT)
    outcome = waypoint_coming.wait(WAYPOINT, ISTIOD, timeout=60)
    assert (outcome.current, outcome.elapsed) == (True, 12)
    assert endpoint.asked[0] == (12, "/probe/istiod")
    assert {at for at, _path in endpoint.asked} == {12}


@pytest.mark.usefixtures("_probed_deployments")
def test_an_endpoint_that_does_not_answer_is_asked_again_after_a_pause(existing_waypoint: Timeline) -> None:
    endpoint = Endpoint(existing_waypoint, [503, 0, 503, 200])
    outcome = existing_waypoint.wait(ISTIOD, timeout=60)
    assert outcome.current
    assert [at for at, _path in endpoint.asked] == [0, PROBE_PAUSE, 2 * PROBE_PAUSE, 3 * PROBE_PAUSE]
    assert outcome.elapsed == 3 * PROBE_PAUSE


@pytest.mark.usefixtures("_probed_deployments")
def test_events_in_between_do_not_ask_more_often(existing_waypoint: Timeline) -> None:
    endpoint = Endpoint(existing_waypoint, [503] * 5 + [200])
    for number in range(1, 50):
        existing_waypoint.change(number / 10, derived(ISTIOD_OBJECT, {"metadata": {"labels": {"tick": str(number)}}}))
    assert existing_waypoint.wait(ISTIOD, timeout=60).current
    assert [at for at, _path in endpoint.asked] == pytest.approx([PROBE_PAUSE * number for number in range(6)], abs=0.11)


@pytest.mark.usefixtures("_probed_deployments")
def test_the_verdict_on_an_endpoint_that_never_answers_is_the_last_word(existing_waypoint: Timeline) -> None:
    Endpoint(existing_waypoint, [503])
    outcome = existing_waypoint.wait(WAYPOINT, ISTIOD, timeout=20)
    ((target, verdict),) = outcome.laggards
    assert (target, verdict.reason) == (ISTIOD, "NotAnswering")
    assert verdict.message.startswith(NOT_ANSWERING.message)
    assert outcome.elapsed == 20


@pytest.mark.usefixtures("_probed_deployments")
def test_what_must_hold_includes_an_endpoint_at_its_end(existing_waypoint: Timeline) -> None:
    endpoint = Endpoint(existing_waypoint, [200, 503, 200])
    outcome = existing_waypoint.wait(ISTIOD, timeout=60, stable_for=10)
    assert outcome.current
    assert endpoint.asked[1][0] == 10, "asked when it began, and when the time was over"
    assert outcome.elapsed >= 10 + PROBE_PAUSE + 10, "it did not answer at the end of the time, so the time begins again"


@pytest.mark.usefixtures("_probed_deployments")
def test_many_endpoints_that_do_not_answer_do_not_keep_the_wait_beyond_its_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"d{number}" for number in range(20)]
    timeline = Timeline(monkeypatch, *(named(ISTIOD_OBJECT, name) for name in names))
    Endpoint(timeline, [0], seconds=sum(PROBE_TIMEOUT))
    outcome = timeline.wait(*(Target("Deployment", name, "istio-system") for name in names), timeout=30)
    assert outcome.elapsed <= 30 + sum(PROBE_TIMEOUT), "one question may be under way at the deadline, not all of them one after the other"


# telling while it lasts

Reports = list[tuple[float, list[str], int, int]]


def _recorder() -> tuple[Reports, Callable[..., None]]:
    reports: Reports = []

    def report(elapsed: float, changed: Sequence[tuple[Target, Verdict]], current: int, of: int) -> None:
        reports.append((elapsed, [f"{target.name} {verdict.reason or verdict.status}" for target, verdict in changed], current, of))

    return reports, report


def test_each_change_is_reported_once(waypoint_coming: Timeline) -> None:
    reports, report = _recorder()
    waypoint_coming.change(2, BROKEN)
    waypoint_coming.change(3, GATEWAY_OBJECT)
    waypoint_coming.change(3.5, derived(BROKEN, {"metadata": {"labels": {"nothing": "new"}}}))
    waypoint_coming.change(4, DEPLOYMENT)
    waypoint_coming.wait(WAYPOINT, ISTIOD, timeout=60, report=report)
    assert reports == [
        (0, ["waypoint AddressNotAssigned", "istiod Current"], 1, 2),
        (3, ["waypoint LessAvailable"], 1, 2),
        (4, ["waypoint Current"], 2, 2),
    ]


def test_a_change_that_ends_the_wait_by_failing_is_reported_as_well(waypoint_coming: Timeline) -> None:
    reports, report = _recorder()
    waypoint_coming.change(5, FAILED)
    waypoint_coming.wait(WAYPOINT, timeout=60, report=report)
    assert [line[1] for line in reports] == [["waypoint AddressNotAssigned"], ["waypoint UnsupportedAddress"]]


def test_many_changes_at_once_are_reported_at_once() -> None:
    names = [f"d{number}" for number in range(100)]
    reports, report = _recorder()
    cluster = Cluster(*(named(ISTIOD_OBJECT, name) for name in names))
    targets = [Target("Deployment", name, "istio-system") for name in names]
    assert wait_until_current(cluster.api.session, targets, timeout=PATIENCE, clock=lambda: 0.0, report=report).current
    assert [(len(changed), current, of) for _elapsed, changed, current, of in reports] == [(100, 100, 100)]


# what it costs


def test_hundreds_of_targets_are_one_list_and_one_watch() -> None:
    names = [f"d{number}" for number in range(300)]
    cluster = Cluster(*(named(ISTIOD_OBJECT, name) for name in names[1:]))
    cluster.send("Deployment", "ADDED", named(ISTIOD_OBJECT, names[0]))
    outcome = wait_until_current(cluster.api.session, [Target("Deployment", name, "istio-system") for name in names], timeout=PATIENCE, clock=lambda: 0.0)
    assert outcome.current
    assert [("watch" in request.query, str(request)) for request in cluster.api.requests] == [
        (False, "GET /apis/apps/v1/namespaces/istio-system/deployments"),
        (True, "GET /apis/apps/v1/namespaces/istio-system/deployments"),
    ]


# whatever happens

HALF_SECONDS = st.integers(1, 60).map(lambda number: number / 2)


def _flips(timeline: Timeline, times: Sequence[float], well: Object, ill: Object, *, well_first: bool) -> list[tuple[float, bool]]:
    """An object that is now well, now not; returns since when it is which."""
    states = [(0.0, well_first)]
    for at in sorted(set(times)):
        states.append((at, not states[-1][1]))
        timeline.change(at, well if states[-1][1] else ill)
    return states


@settings(max_examples=100)
@given(times=st.lists(HALF_SECONDS, max_size=8), well_first=st.booleans(), stable_for=st.integers(0, 12), timeout=st.integers(0, 40))
def test_the_wait_ends_in_the_first_moment_in_which_it_may(times: list[float], well_first: bool, stable_for: int, timeout: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        timeline = Timeline(patch, GATEWAY_OBJECT if well_first else NOT_PROGRAMMED, DEPLOYMENT, SERVICE, ISTIOD_OBJECT)
        states = _flips(timeline, times, GATEWAY_OBJECT, NOT_PROGRAMMED, well_first=well_first)
        outcome = timeline.wait(WAYPOINT, timeout=timeout + 0.25, stable_for=stable_for)
    ends = [at for at, _well in states[1:]] + [float("inf")]
    moments = [start + stable_for for (start, well), end in zip(states, ends, strict=True) if well and (end > start + stable_for or not stable_for)]
    expected = min((moment for moment in moments if moment <= timeout + 0.25), default=None)
    assert (outcome.elapsed if outcome.current else None) == expected, f"the waypoint was {states}"
    if expected is None:
        assert outcome.elapsed == timeout + 0.25


KINDS = st.sampled_from(["Gateway", "Deployment"])
FAULTS = st.lists(st.tuples(st.sampled_from(["deafen", "part"]), HALF_SECONDS, KINDS, HALF_SECONDS), max_size=4)


@settings(max_examples=150)
@given(
    gateway=st.lists(HALF_SECONDS, max_size=5),
    deployment=st.lists(HALF_SECONDS, max_size=5),
    faults=FAULTS,
    stable_for=st.sampled_from([0, 3, 12]),
    timeout=st.integers(0, 60),
    list_seconds=st.sampled_from([0.0, 0.5, 7.0]),
)
def test_whatever_breaks_success_is_never_called_on_old_news(
    gateway: list[float], deployment: list[float], faults: list[tuple[str, float, str, float]], stable_for: int, timeout: int, list_seconds: float
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        timeline = Timeline(patch, NOT_PROGRAMMED, DEPLOYMENT, SERVICE, ISTIOD_OBJECT)
        timeline.list_seconds = list_seconds
        states = {
            "Gateway": _flips(timeline, gateway, GATEWAY_OBJECT, NOT_PROGRAMMED, well_first=False),
            "Deployment": _flips(timeline, deployment, DEPLOYMENT, BROKEN, well_first=True),
        }
        for fault, at, kind, seconds in faults:
            timeline.deafen(at, kind) if fault == "deafen" else timeline.part(at, kind, until=at + seconds)
        outcome = timeline.wait(WAYPOINT, timeout=timeout + 0.25, stable_for=stable_for)
    ended = outcome.elapsed
    assert ended <= timeout + 0.25, "the wait is stuck beyond its deadline"
    if not outcome.current:
        return
    for kind, flips in states.items():
        ends = [at for at, _well in flips[1:]] + [float("inf")]
        was_well = any(well and start <= ended and end >= ended - TRUST_SECONDS for (start, well), end in zip(flips, ends, strict=True))
        assert was_well, f"at {ended} s success was called, but {kind} had not been well for more than {TRUST_SECONDS} s: {flips}"
