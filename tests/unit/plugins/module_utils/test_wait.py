from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._cluster import watch as watch_module
from ansible_collections.meshwright.ambient.plugins.module_utils._cluster.kinds import BY_NAME, GATEWAY, POD
from ansible_collections.meshwright.ambient.plugins.module_utils._cluster.transport import TransportError
from ansible_collections.meshwright.ambient.plugins.module_utils._cluster.watch import Changed, Gone, Listed, Scope, Trouble
from ansible_collections.meshwright.ambient.plugins.module_utils._errors import ApiError, NotServed, Unreachable
from ansible_collections.meshwright.ambient.plugins.module_utils._readiness import failure_message, result_of
from ansible_collections.meshwright.ambient.plugins.module_utils._status.targets import Target
from ansible_collections.meshwright.ambient.plugins.module_utils._wait import Seen, scopes_of, trim, wait_until_current, wait_until_gone
from tests.unit.fake_api import Answer, FakeApi, Reply, Request, WatchAnswer, listed, refusal
from tests.unit.objects import Object, derived, named, recorded, with_condition

WAYPOINT = Target("waypoint", "waypoint", "bookinfo")
ISTIOD = Target("Deployment", "istiod", "istio-system")
GATEWAY_OBJECT = recorded("gateway/waypoint_programmed")
NOT_PROGRAMMED = with_condition(GATEWAY_OBJECT, "Programmed", status="False", reason="AddressNotAssigned", message="no instances found")
DEPLOYMENT = recorded("deployment/waypoint_available")
ISTIOD_OBJECT = recorded("deployment/istiod_available")
PATIENCE = 10.0
NOT_SERVED = Answer(404, "404 page not found\n")


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch_module, "LONGEST_BACKOFF", 0.001)
    monkeypatch.setattr(watch_module, "NOT_SERVED_PAUSE", 0.001)


class Cluster:
    """Serves some objects by kind; a test may put another answer in a kind's place, and send events into its watch."""

    def __init__(self, *objects: Object, **answers: Reply | Callable[[], Reply]) -> None:
        self._objects = [derived(item, {"metadata": {"resourceVersion": "1"}}) for item in objects]
        self._answers = answers
        self.watches: dict[str, WatchAnswer] = {kind: WatchAnswer() for kind in BY_NAME}
        self.api = FakeApi(respond=self._respond)

    def _respond(self, request: Request) -> Reply:
        kind = next(kind for kind in BY_NAME.values() if kind.path(_namespace_in(request.path)) == request.path)
        if "watch" in request.query:
            return self.watches[kind.name]
        answer = self._answers.get(kind.name)
        if answer is not None:
            return answer() if callable(answer) else answer
        labels = dict(part.split("=") for part in request.query.get("labelSelector", "").split(",") if part)
        place = _namespace_in(request.path)
        return listed(
            *(
                item
                for item in self._objects
                if item["kind"] == kind.name
                and place in (None, item["metadata"].get("namespace"))
                and labels.items() <= item["metadata"].get("labels", {}).items()
            )
        )

    def send(self, kind: str, event: str, item: Object) -> None:
        self.watches[kind].send((event, derived(item, {"metadata": {"resourceVersion": "2"}})))


def _namespace_in(path: str) -> str | None:
    parts = path.split("/")
    return parts[parts.index("namespaces") + 1] if "namespaces" in parts[:-1] else None


def _leaping(seconds: float) -> Callable[[], float]:
    """A clock that leaps at each look."""
    return itertools.count(0.0, seconds).__next__


# waiting


def test_what_is_current_is_not_waited_for() -> None:
    outcome = wait_until_current(Cluster(GATEWAY_OBJECT, DEPLOYMENT).api.session, [WAYPOINT], timeout=PATIENCE, clock=lambda: 0.0)
    assert outcome.current
    assert outcome.laggards == []
    assert [verdict.status for _target, verdict in outcome.verdicts] == ["Current"]


def test_the_wait_ends_with_the_event_that_was_missing() -> None:
    cluster = Cluster(NOT_PROGRAMMED, DEPLOYMENT)
    cluster.send("Gateway", "MODIFIED", GATEWAY_OBJECT)
    assert wait_until_current(cluster.api.session, [WAYPOINT], timeout=PATIENCE, clock=time.monotonic).current


def test_all_targets_must_be_current() -> None:
    cluster = Cluster(GATEWAY_OBJECT, DEPLOYMENT)
    cluster.send("Deployment", "ADDED", ISTIOD_OBJECT)
    outcome = wait_until_current(cluster.api.session, [WAYPOINT, ISTIOD], timeout=PATIENCE, clock=time.monotonic)
    assert outcome.current
    assert [target for target, _verdict in outcome.verdicts] == [WAYPOINT, ISTIOD]


def test_without_time_what_is_there_is_judged() -> None:
    outcome = wait_until_current(Cluster(NOT_PROGRAMMED, DEPLOYMENT, ISTIOD_OBJECT).api.session, [WAYPOINT], timeout=0, clock=lambda: 0.0)
    ((target, verdict),) = outcome.laggards
    assert (target, verdict.status, verdict.reason) == (WAYPOINT, "InProgress", "AddressNotAssigned")


def test_one_that_has_failed_for_good_ends_the_wait_for_all() -> None:
    failed = with_condition(GATEWAY_OBJECT, "Accepted", status="False", reason="InvalidParameters", message="no such ConfigMap")
    cluster = Cluster(failed, DEPLOYMENT, ISTIOD_OBJECT)
    missing = Target("Deployment", "missing", "bookinfo")
    outcome = wait_until_current(cluster.api.session, [missing, WAYPOINT], timeout=3600, clock=lambda: 0.0)
    assert [verdict.final for _target, verdict in outcome.verdicts] == [False, True]


def test_the_deadline_ends_the_wait() -> None:
    cluster = Cluster(NOT_PROGRAMMED, DEPLOYMENT, ISTIOD_OBJECT)
    seconds = itertools.count(0.0, 1.0)

    def clock() -> float:
        cluster.send("Gateway", "MODIFIED", NOT_PROGRAMMED)
        return next(seconds)

    outcome = wait_until_current(cluster.api.session, [WAYPOINT], timeout=60, clock=clock)
    assert [verdict.reason for _target, verdict in outcome.laggards] == ["AddressNotAssigned"]
    assert 60 <= outcome.elapsed < 65


def test_no_right_to_read_ends_the_wait_at_once() -> None:
    cluster = Cluster(DEPLOYMENT, Gateway=refusal(403, "Forbidden", "gateways is forbidden"))
    with pytest.raises(ApiError, match=r"refused to list gateways in namespace bookinfo \(gateways is forbidden\)"):
        wait_until_current(cluster.api.session, [WAYPOINT], timeout=3600, clock=lambda: 0.0)


def test_a_kind_may_come_to_be_served_during_the_wait() -> None:
    answers = iter([NOT_SERVED, NOT_SERVED])
    cluster = Cluster(DEPLOYMENT, Gateway=lambda: next(answers, listed(GATEWAY_OBJECT)))
    assert wait_until_current(cluster.api.session, [WAYPOINT], timeout=PATIENCE, clock=time.monotonic).current


def test_a_kind_that_is_not_served_is_told_with_its_remedy() -> None:
    cluster = Cluster(DEPLOYMENT, ISTIOD_OBJECT, Gateway=NOT_SERVED)
    outcome = wait_until_current(cluster.api.session, [WAYPOINT], timeout=0, clock=lambda: 0.0)
    ((_target, verdict),) = outcome.laggards
    assert (verdict.status, verdict.reason) == ("NotFound", "KindNotServed")
    assert verdict.message.startswith("Cluster prod (https://api.example.org) does not serve Gateway (gateway.networking.k8s.io/v1)")
    assert verdict.remedy == "Install the Gateway API CRDs first (role gateway_api)."


def test_a_server_that_never_answers_is_given_up_early() -> None:
    cluster = Cluster(Gateway=TransportError("Connection refused"), Deployment=TransportError("Connection refused"))
    with pytest.raises(Unreachable, match="could not be reached"):
        wait_until_current(cluster.api.session, [WAYPOINT], timeout=3600, clock=_leaping(1.0))


def test_what_has_not_been_read_is_not_called_missing() -> None:
    """A list that takes longer than the time there is says nothing about the objects in it."""
    released = threading.Event()

    def late() -> Reply:
        released.wait(PATIENCE)
        return listed(GATEWAY_OBJECT)

    cluster = Cluster(DEPLOYMENT, ISTIOD_OBJECT, Gateway=late)
    try:
        outcome = wait_until_current(cluster.api.session, [WAYPOINT], timeout=60, clock=_leaping(100.0))
    finally:
        released.set()
    ((_target, verdict),) = outcome.laggards
    assert verdict.status == "Unknown"


# causes

NOT_AVAILABLE = derived(DEPLOYMENT, {"status": {"availableReplicas": None, "readyReplicas": None}})
SELECTED = {"gateway.networking.k8s.io/gateway-name": "waypoint"}
POD_OF_WAYPOINT = derived(named(recorded("pod/captured"), "waypoint-58b67b7c74-x", "bookinfo"), {"metadata": {"labels": SELECTED}})
PULLING = derived(
    with_condition(POD_OF_WAYPOINT, "Ready", status="False"),
    {"status": {"containerStatuses": [{"name": "istio-proxy", "state": {"waiting": {"reason": "ImagePullBackOff", "message": "denied"}}}]}},
)


def _event(reason: str, name: str, at: str, kind: str = "Pod") -> Object:
    return {
        "kind": "Event",
        "metadata": {"name": f"{name}.{at}", "namespace": "bookinfo"},
        "involvedObject": {"kind": kind, "name": name},
        "reason": reason,
        "message": "it did",
        "lastTimestamp": at,
    }


def _message(*objects: Object, target: Target = WAYPOINT, **answers: Reply) -> str:
    outcome = wait_until_current(Cluster(*objects, **answers).api.session, [target], timeout=0, clock=lambda: 0.0)
    ((_target, verdict),) = outcome.laggards
    return verdict.message


LESS_AVAILABLE = "it is programmed, but Deployment bookinfo/waypoint: 0 of 1 pods are available"
PULL = "pod waypoint-58b67b7c74-x: container istio-proxy waits, ImagePullBackOff (denied)"


def test_the_pods_below_tell_the_cause() -> None:
    assert _message(GATEWAY_OBJECT, NOT_AVAILABLE, PULLING, ISTIOD_OBJECT) == f"{LESS_AVAILABLE} ({PULL})"


def test_a_workload_without_a_pod() -> None:
    assert _message(GATEWAY_OBJECT, NOT_AVAILABLE, ISTIOD_OBJECT) == f"{LESS_AVAILABLE} (it has no pod)"


def test_the_newest_warnings_about_it_are_told_once_each() -> None:
    events = [
        _event("Failed", "waypoint-58b67b7c74-x", "2026-11-21T08:00:03Z"),
        _event("Failed", "waypoint-58b67b7c74-x", "2026-11-21T08:00:02Z"),
        _event("BackOff", "waypoint-58b67b7c74-x", "2026-11-21T08:00:01Z"),
        _event("Old", "waypoint-58b67b7c74-x", "2026-11-21T07:00:00Z"),
        _event("Strange", "details-v1", "2026-11-21T09:00:00Z"),
        _event("FailedGetResourceMetric", "waypoint", "2026-11-21T09:00:00Z", kind="HorizontalPodAutoscaler"),
    ]
    assert _message(GATEWAY_OBJECT, NOT_AVAILABLE, PULLING, ISTIOD_OBJECT, *events) == (
        f"{LESS_AVAILABLE} ({PULL}; newest warnings: Failed: it did; BackOff: it did)"
    )


@pytest.mark.parametrize(
    ("istiods", "cause"),
    [
        pytest.param([], "istiod is the cause: no istiod is installed", id="none"),
        pytest.param(
            [with_condition(ISTIOD_OBJECT, "Available", status="False")],
            "istiod is the cause: Deployment istio-system/istiod has no available pod",
            id="not-available",
        ),
    ],
)
def test_a_dead_istiod_is_named(istiods: list[Object], cause: str) -> None:
    assert cause in _message(NOT_PROGRAMMED, DEPLOYMENT, POD_OF_WAYPOINT, *istiods)


def test_what_cannot_be_read_for_the_cause_leaves_the_verdict() -> None:
    forbidden = refusal(403, "Forbidden", "no")
    assert _message(GATEWAY_OBJECT, NOT_AVAILABLE, ISTIOD_OBJECT, Pod=forbidden) == LESS_AVAILABLE
    assert _message(GATEWAY_OBJECT, NOT_AVAILABLE, ISTIOD_OBJECT, Event=forbidden) == LESS_AVAILABLE


# telling


def test_a_failure_tells_each_laggard_with_what_to_do() -> None:
    cluster = Cluster(GATEWAY_OBJECT, NOT_AVAILABLE, PULLING, ISTIOD_OBJECT)
    outcome = wait_until_current(cluster.api.session, [ISTIOD, WAYPOINT], timeout=0, clock=lambda: 0.0)
    assert failure_message(outcome, "prod") == (
        "1 of 2 targets are not ready on cluster prod after 0 s.\n"
        f"- waypoint bookinfo/waypoint: InProgress (LessAvailable, since 2026-11-20T23:14:49Z): {LESS_AVAILABLE} ({PULL}). "
        "Look at its pods: kubectl describe pods tells what holds them up."
    )


def test_a_result_has_every_target() -> None:
    outcome = wait_until_current(Cluster(GATEWAY_OBJECT, DEPLOYMENT).api.session, [WAYPOINT], timeout=0, clock=lambda: 0.0)
    address = "10.0.0.82, waypoint.bookinfo.svc.cluster.local"
    assert result_of(outcome) == {
        "elapsed": 0.0,
        "targets": [
            {
                "kind": "waypoint",
                "name": "waypoint",
                "namespace": "bookinfo",
                "status": "Current",
                "reason": "",
                "message": f"programmed at {address}, 1 of 1 pods are available",
                "remedy": "",
                "since": "",
                "details": {"address": address},
            }
        ],
    }


# waiting for an end

KEY = ("bookinfo", "waypoint")


def test_wait_until_gone() -> None:
    cluster = Cluster(GATEWAY_OBJECT)
    cluster.send("Gateway", "DELETED", GATEWAY_OBJECT)
    assert wait_until_gone(cluster.api.session, GATEWAY, [KEY], timeout=PATIENCE, clock=time.monotonic) == set()


def test_what_was_never_there_is_gone() -> None:
    assert wait_until_gone(Cluster().api.session, GATEWAY, [KEY], timeout=PATIENCE, clock=time.monotonic) == set()
    assert wait_until_gone(Cluster(Gateway=NOT_SERVED).api.session, GATEWAY, [KEY], timeout=PATIENCE, clock=time.monotonic) == set()


def test_nothing_to_wait_for_asks_nothing() -> None:
    cluster = Cluster()
    assert wait_until_gone(cluster.api.session, GATEWAY, [], timeout=PATIENCE, clock=lambda: 0.0) == set()
    assert cluster.api.requests == []


def test_what_stays_is_returned() -> None:
    now = itertools.chain([0.0, 0.0], itertools.repeat(61.0))
    other = ("bookinfo", "other")
    assert wait_until_gone(Cluster(GATEWAY_OBJECT).api.session, GATEWAY, [KEY, other], timeout=60, clock=now.__next__) == {KEY}


def test_no_right_to_read_is_not_taken_for_gone() -> None:
    cluster = Cluster(Gateway=refusal(403, "Forbidden", "no"))
    with pytest.raises(ApiError, match="refused to list gateways"):
        wait_until_gone(cluster.api.session, GATEWAY, [KEY], timeout=PATIENCE, clock=time.monotonic)


# what is read


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        pytest.param([], set(), id="nothing"),
        pytest.param([WAYPOINT], {("Deployment", "bookinfo"), ("Gateway", "bookinfo")}, id="one-namespace"),
        pytest.param(
            [Target("waypoint", f"w{number}", "bookinfo") for number in range(50)],
            {("Deployment", "bookinfo"), ("Gateway", "bookinfo")},
            id="many-targets-one-stream",
        ),
        pytest.param([WAYPOINT, ISTIOD], {("Deployment", None), ("Gateway", "bookinfo")}, id="two-namespaces-are-read-as-all"),
        pytest.param(
            [Target("enrollment", namespace="shop"), Target("enrollment", namespace="store")], {("Namespace", None), ("Pod", None)}, id="cluster-scoped-too"
        ),
    ],
)
def test_scopes_of(targets: list[Target], expected: set[tuple[str, str | None]]) -> None:
    scopes = scopes_of(targets)
    assert {(scope.kind.name, scope.namespace) for scope in scopes} == expected
    assert len(scopes) == len(expected)


def test_trim_keeps_what_judges_read() -> None:
    pod: dict[str, Any] = derived(
        recorded("pod/captured"), {"metadata": {"managedFields": [{}]}, "spec": {"containers": [{}], "hostNetwork": True}, "status": {"hostIP": "192.0.2.1"}}
    )
    before = derived(pod, {})
    assert trim(pod) == derived(recorded("pod/captured"), {"spec": {"hostNetwork": True}})
    assert pod == before


def test_trim_leaves_other_kinds_whole() -> None:
    assert trim(derived(GATEWAY_OBJECT, {"metadata": {"managedFields": [{}]}})) == GATEWAY_OBJECT


SCOPE = Scope(POD, "shop")
POD_A: Object = {"kind": "Pod", "metadata": {"name": "a", "namespace": "shop"}}
POD_B: Object = {"kind": "Pod", "metadata": {"name": "b", "namespace": "shop"}}


def test_seen_follows_events() -> None:
    seen = Seen()
    seen.take(Listed(SCOPE, [POD_B]))
    seen.take(Changed(SCOPE, POD_A))
    assert seen.all("Pod", "shop") == [POD_A, POD_B]
    assert seen.all("Pod", "store") == []
    assert seen.get("Pod", "a", "shop") == POD_A
    seen.take(Gone(SCOPE, POD_A))
    seen.take(Gone(SCOPE, POD_A))
    assert seen.get("Pod", "a", "shop") is None
    seen.take(Listed(SCOPE, [POD_A]))
    assert seen.all("Pod") == [POD_A]


def test_seen_forgets_what_is_no_longer_served_and_keeps_what_is_out_of_reach() -> None:
    seen = Seen()
    seen.take(Listed(SCOPE, [POD_A]))
    seen.take(Trouble(SCOPE, Unreachable("no", status=0, reason="no")))
    assert seen.all("Pod") == [POD_A]
    seen.take(Trouble(SCOPE, NotServed("no", status=404, reason="")))
    assert seen.all("Pod") == []
    seen.take(Listed(SCOPE, []))
    assert seen.troubles == {}
