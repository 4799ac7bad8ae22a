from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.meshwright.ambient.plugins.module_utils._errors import NotServed, Unreachable
from ansible_collections.meshwright.ambient.plugins.module_utils._k8s.watch import Changed, Event, Gone, Listed, Resumed, Scope, Trouble
from ansible_collections.meshwright.ambient.plugins.module_utils._kinds import (
    DEPLOYMENT,
    GATEWAY,
    NAMESPACE,
    POD,
    SERVICE,
    SERVICE_ENTRY,
    Kind,
)
from ansible_collections.meshwright.ambient.plugins.module_utils._mesh.waypoints import WaypointRef
from ansible_collections.meshwright.ambient.plugins.module_utils._status.bindings import BindingExpectation
from ansible_collections.meshwright.ambient.plugins.module_utils._status.rules import RULES, needs_of, verdict_on
from ansible_collections.meshwright.ambient.plugins.module_utils._status.target import Rule, Target
from ansible_collections.meshwright.ambient.plugins.module_utils._status.verdict import Verdict
from ansible_collections.meshwright.ambient.plugins.module_utils._wait.object_cache import TrackedView, scopes_of
from ansible_collections.meshwright.ambient.plugins.module_utils._wait.verdicts import Verdicts
from tests.unit.objects import Object, derived, named, namespace_of, recorded, with_condition

CURRENT = Verdict("Current")


@dataclass(frozen=True)
class Watcher:
    """A target of the test's own: it reads what a function reads, and counts how often it was judged."""

    read: Callable[[TrackedView], object]
    needs: tuple[tuple[Kind, str | None], ...] = ((POD, "shop"),)
    judged: list[object] = field(default_factory=list, hash=False, compare=False)
    kind: str = "Watcher"
    api_kind: None = None

    def judge(self, view: TrackedView) -> Verdict:
        self.judged.append(self.read(view))
        return CURRENT if self.judged[-1] else Verdict("InProgress", "Missing")


@pytest.fixture(autouse=True)
def _watchers(monkeypatch: pytest.MonkeyPatch) -> None:
    rule = Rule(lambda watcher: cast("Watcher", watcher).needs, (), lambda watcher, view: cast("Watcher", watcher).judge(cast("TrackedView", view)))
    monkeypatch.setitem(cast("dict[str, Rule]", RULES), "Watcher", rule)


def _verdicts(*targets: Watcher | Target) -> Verdicts:
    return Verdicts(cast("list[Target]", list(targets)), scopes_of(need for target in targets for need in needs_of(cast("Target", target))))


def _pod(name: str, namespace: str = "shop", **fields: Any) -> Object:
    return {"kind": "Pod", "metadata": {"name": name, "namespace": namespace}, **fields}


PODS = Scope(POD, None)
UNREACHABLE = Unreachable("it is out of reach", status=0, reason="no")
NOT_SERVED = NotServed("it is not served: install it first.", status=404, reason="")


# who is judged when


def test_only_targets_that_have_read_the_place_are_judged_again() -> None:
    one = Watcher(lambda view: view.get(POD, "a", "shop"))
    another = Watcher(lambda view: view.get(POD, "b", "shop"))
    neighbour = Watcher(lambda view: view.all(POD, "shop"))
    stranger = Watcher(lambda view: view.all(POD, "store"))
    everywhere = Watcher(lambda view: view.all(POD))
    verdicts = _verdicts(one, another, neighbour, stranger, everywhere)
    verdicts.apply_event(Listed(PODS, []))
    verdicts.judge()
    before = [len(target.judged) for target in (one, another, neighbour, stranger, everywhere)]
    verdicts.apply_event(Changed(PODS, _pod("a")))
    changed = verdicts.judge()
    after = [len(target.judged) for target in (one, another, neighbour, stranger, everywhere)]
    assert [late - early for early, late in zip(before, after, strict=True)] == [1, 0, 1, 0, 1], "judged: one, another, neighbour, stranger, everywhere"
    assert [target for target, _verdict in changed] == [one, neighbour, everywhere]


def test_a_thousand_events_on_others_cost_a_target_nothing() -> None:
    watcher = Watcher(lambda view: view.get(POD, "a", "shop"))
    verdicts = _verdicts(watcher)
    verdicts.apply_event(Listed(PODS, [_pod("a")]))
    verdicts.judge()
    before = len(watcher.judged)
    for number in range(1000):
        verdicts.apply_event(Changed(PODS, _pod(f"other-{number}")))
        assert verdicts.judge() == []
    assert len(watcher.judged) == before


def test_events_on_the_same_object_are_judged_together() -> None:
    watcher = Watcher(lambda view: view.get(POD, "a", "shop"))
    verdicts = _verdicts(watcher)
    verdicts.apply_event(Listed(PODS, []))
    verdicts.judge()
    before = len(watcher.judged)
    for _ in range(50):
        verdicts.apply_event(Changed(PODS, _pod("a")))
    verdicts.judge()
    assert len(watcher.judged) == before + 1
    assert watcher.judged[-1] == _pod("a")


def test_without_events_nobody_is_judged() -> None:
    watcher = Watcher(lambda view: view.all(POD))
    verdicts = _verdicts(watcher)
    verdicts.apply_event(Listed(PODS, []))
    verdicts.judge()
    before = len(watcher.judged)
    verdicts.apply_event(Resumed(PODS))
    verdicts.apply_event(Trouble(PODS, UNREACHABLE))
    assert verdicts.judge() == []
    assert len(watcher.judged) == before


def test_where_a_target_looked_last_counts() -> None:
    """It has read b only because a named it; once a names c, b does not concern it any more."""
    watcher = Watcher(lambda view: view.get(POD, (view.get(POD, "a", "shop") or {}).get("names", "b"), "shop"))
    verdicts = _verdicts(watcher)
    verdicts.apply_event(Listed(PODS, [_pod("a", names="b")]))
    verdicts.judge()
    verdicts.apply_event(Changed(PODS, _pod("a", names="c")))
    verdicts.judge()
    before = len(watcher.judged)
    verdicts.apply_event(Changed(PODS, _pod("b")))
    verdicts.judge()
    assert len(watcher.judged) == before, "it was judged for what it does not read any more"
    verdicts.apply_event(Changed(PODS, _pod("c")))
    verdicts.judge()
    assert len(watcher.judged) == before + 1, "it was not judged for what it reads now"
    assert verdicts.current


def test_a_list_is_news_for_all_that_need_the_kind() -> None:
    pods, services = Watcher(lambda view: view.get(POD, "a", "shop")), Watcher(lambda view: view.all(SERVICE), ((SERVICE, "shop"),))
    verdicts = _verdicts(pods, services)
    verdicts.apply_event(Listed(PODS, []))
    verdicts.apply_event(Listed(Scope(SERVICE, "shop"), []))
    verdicts.judge()
    before = len(services.judged)
    verdicts.apply_event(Listed(PODS, [_pod("a")]))
    assert [target for target, _verdict in verdicts.judge()] == [pods]
    assert len(services.judged) == before


# what is reported


def test_at_first_nothing_is_known() -> None:
    verdicts = _verdicts(Watcher(lambda view: view.all(POD)))
    ((_target, verdict),) = verdicts.pairs()
    assert (verdict.status, verdict.reason) == ("Unknown", "NotRead")
    assert (verdicts.complete, verdicts.current, verdicts.failed_for_good) == (False, False, False)


def test_nothing_to_judge_is_current() -> None:
    verdicts = _verdicts()
    assert (verdicts.complete, verdicts.current, verdicts.judge()) == (True, True, [])


def test_a_change_of_words_alone_is_not_reported() -> None:
    waypoint = Target("Deployment", "waypoint", "bookinfo")
    item = recorded("deployment/waypoint_available")
    verdicts = _verdicts(waypoint)
    verdicts.apply_event(Listed(Scope(DEPLOYMENT, "bookinfo"), [derived(item, {"spec": {"replicas": 3}, "status": {"replicas": 3, "updatedReplicas": 3}})]))
    assert len(verdicts.judge()) == 1
    verdicts.apply_event(
        Changed(
            Scope(DEPLOYMENT, "bookinfo"), derived(item, {"spec": {"replicas": 3}, "status": {"replicas": 3, "updatedReplicas": 3, "availableReplicas": 2}})
        )
    )
    assert verdicts.judge() == []
    assert verdicts.pairs()[0][1].message == "2 of 3 pods are available", "but the verdict itself is of now"


@pytest.mark.parametrize(
    ("error", "complete", "status", "reason", "message", "remedy"),
    [
        pytest.param(NOT_SERVED, True, "NotFound", "KindNotServed", "it is not served", "Install it first.", id="not-served"),
        pytest.param(
            UNREACHABLE, False, "Unknown", "Unreadable", "it is out of reach", "Verify that the API server answers, and allow more time.", id="out-of-reach"
        ),
    ],
)
def test_a_kind_that_cannot_be_read(error: Unreachable | NotServed, complete: bool, status: str, reason: str, message: str, remedy: str) -> None:
    watcher = Watcher(lambda view: view.all(POD))
    verdicts = _verdicts(watcher)
    verdicts.judge()
    verdicts.apply_event(Trouble(PODS, error))
    verdicts.judge()
    ((_target, verdict),) = verdicts.pairs()
    assert (verdict.status, verdict.reason, verdict.message, verdict.remedy) == (status, reason, message, remedy)
    assert verdicts.complete == complete
    assert watcher.judged == [], "a judge must not be shown a cluster that was not read"


# the verdicts are those of a fresh read

WAYPOINT_REF = WaypointRef("waypoint", "a")
TARGETS = [
    Target("Deployment", "istiod", "a"),
    Target("Deployment", "waypoint", "b"),
    Target("waypoint", "waypoint", "a"),
    Target("Gateway", "waypoint", "b"),
    Target("enrollment", namespace="a"),
    Target("enrollment", namespace="b"),
    Target("binding", "", "a", BindingExpectation(WAYPOINT_REF)),
    Target("binding", "details", "b", BindingExpectation(WAYPOINT_REF)),
    Target("Deployment", "istiod", "a"),
]
PLACES = ("a", "b")
GATEWAY_OBJECT, DEPLOYMENT_OBJECT, POD_OBJECT, SERVICE_OBJECT = (
    recorded(situation) for situation in ("gateway/waypoint_programmed", "deployment/waypoint_available", "pod/captured", "service/bound")
)
VARIANTS: dict[Kind, list[Object]] = {
    GATEWAY: [
        named(item, "waypoint", place)
        for place in PLACES
        for item in (GATEWAY_OBJECT, with_condition(GATEWAY_OBJECT, "Programmed", status="False"), derived(GATEWAY_OBJECT, {"spec": {"gatewayClassName": "x"}}))
    ],
    DEPLOYMENT: [
        named(item, name, place)
        for place in PLACES
        for name in ("istiod", "waypoint")
        for item in (DEPLOYMENT_OBJECT, derived(DEPLOYMENT_OBJECT, {"status": {"availableReplicas": 0}}))
    ],
    POD: [
        named(item, name, place)
        for place in PLACES
        for name in ("p", "q")
        for item in (POD_OBJECT, derived(POD_OBJECT, {"metadata": {"annotations": None}}), with_condition(POD_OBJECT, "Ready", status="False"))
    ],
    NAMESPACE: [
        namespace_of(place, **labels)
        for place in PLACES
        for labels in ({}, {"istio.io/dataplane-mode": "ambient"}, {"istio.io/dataplane-mode": "ambient", "istio.io/use-waypoint": "waypoint"})
    ],
    SERVICE: [
        named(item, name, place)
        for place in PLACES
        for name in ("details", "reviews")
        for item in (SERVICE_OBJECT, derived(SERVICE_OBJECT, {"status": {"conditions": None}}))
    ]
    + [named(recorded("service/of_waypoint"), "waypoint", place) for place in PLACES],
    SERVICE_ENTRY: [
        named(item, "outside", place)
        for place in PLACES
        for item in (recorded("serviceentry/bound"), recorded("serviceentry/waypoint_not_ready"), recorded("serviceentry/no_waypoint"))
    ],
}
SCOPES = {scope.kind: scope for scope in scopes_of(need for target in TARGETS for need in needs_of(target))}


def _event(kind: Kind) -> st.SearchStrategy[Event]:
    scope, item = SCOPES[kind], st.sampled_from(VARIANTS[kind])
    return st.one_of(
        st.lists(item, max_size=4).map(lambda items: Listed(scope, items)),
        item.map(lambda found: Changed(scope, found)),
        item.map(lambda found: Gone(scope, found)),
        st.sampled_from([Trouble(scope, UNREACHABLE), Trouble(scope, NOT_SERVED), Resumed(scope)]),
    )


EVENTS = st.lists(st.tuples(st.sampled_from(list(VARIANTS)).flatmap(_event), st.booleans()), max_size=16)


@settings(max_examples=40)
@given(steps=EVENTS, listed_first=st.booleans())
def test_the_verdicts_kept_are_those_of_a_fresh_look(steps: list[tuple[Event, bool]], listed_first: bool) -> None:
    kept = _verdicts(*TARGETS)
    taken: list[Event] = []
    first: list[tuple[Event, bool]] = [(Listed(scope, VARIANTS[kind][::3]), True) for kind, scope in SCOPES.items()] if listed_first else []
    for event, judge in [*first, *steps]:
        if isinstance(event, Changed | Gone | Resumed) and not kept.cache.has(event.scope.kind):
            # A stream lists before it tells anything else.
            continue
        kept.apply_event(event)
        taken.append(event)
        if not judge:
            continue
        before = kept.pairs()
        changed = kept.judge()
        fresh = _verdicts(*TARGETS)
        for earlier in taken:
            fresh.apply_event(earlier)
        fresh.judge()
        assert kept.pairs() == fresh.pairs(), f"after {taken}"
        assert (kept.complete, kept.current, kept.failed_for_good) == (fresh.complete, fresh.current, fresh.failed_for_good)
        differing = [
            (target, now) for (target, then), (_same, now) in zip(before, kept.pairs(), strict=True) if (then.status, then.reason) != (now.status, now.reason)
        ]
        assert changed == differing, "what is reported must be what has changed"
        for target, verdict in kept.pairs():
            if all(kept.cache.has(kind) for kind, _namespace in needs_of(target)):
                assert verdict == verdict_on(target, kept.cache), "a tracked view must read what is in the cache"
