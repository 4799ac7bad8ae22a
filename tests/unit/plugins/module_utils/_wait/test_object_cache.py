from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._errors import NotServed, Unreachable
from ansible_collections.meshwright.ambient.plugins.module_utils._k8s.watch import Changed, Event, Gone, Listed, Resumed, Scope, Trouble
from ansible_collections.meshwright.ambient.plugins.module_utils._kinds import CUSTOM_RESOURCE_DEFINITION, POD
from ansible_collections.meshwright.ambient.plugins.module_utils._status.enrollments import judge_enrollment
from ansible_collections.meshwright.ambient.plugins.module_utils._status.rules import needs_of
from ansible_collections.meshwright.ambient.plugins.module_utils._status.target import Target
from ansible_collections.meshwright.ambient.plugins.module_utils._status.workloads import cause_in_pods
from ansible_collections.meshwright.ambient.plugins.module_utils._wait.object_cache import ObjectCache, Place, TrackedView, scopes_of, trim
from tests.unit.objects import Object, derived, recorded, with_condition

WAYPOINT = Target("waypoint", "waypoint", "bookinfo")
ISTIOD = Target("Deployment", "istiod", "istio-system")
GATEWAY_OBJECT = recorded("gateway/waypoint_programmed")
DEPLOYMENT_OBJECT = recorded("deployment/waypoint_available")


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        pytest.param([], set(), id="nothing"),
        pytest.param([WAYPOINT], {("Deployment", "bookinfo"), ("Gateway", "bookinfo"), ("Service", "bookinfo")}, id="one-namespace"),
        pytest.param(
            [Target("waypoint", f"w{number}", "bookinfo") for number in range(50)],
            {("Deployment", "bookinfo"), ("Gateway", "bookinfo"), ("Service", "bookinfo")},
            id="many-targets-one-stream",
        ),
        pytest.param([WAYPOINT, ISTIOD], {("Deployment", None), ("Gateway", "bookinfo"), ("Service", "bookinfo")}, id="two-namespaces-are-read-as-all"),
        pytest.param(
            [Target("enrollment", namespace="shop"), Target("enrollment", namespace="store")], {("Namespace", None), ("Pod", None)}, id="cluster-scoped-too"
        ),
    ],
)
def test_scopes_of(targets: list[Target], expected: set[tuple[str, str | None]]) -> None:
    scopes = scopes_of(need for target in targets for need in needs_of(target))
    assert {(scope.kind.name, scope.namespace) for scope in scopes} == expected
    assert len(scopes) == len(expected)


CAPTURED = recorded("pod/captured")
READY = {"type": "Ready", "status": "True", "lastTransitionTime": "2026-11-20T23:14:47Z"}


def test_of_a_pod_that_is_well_little_is_kept() -> None:
    pod = derived(
        CAPTURED,
        {
            "metadata": {"managedFields": [{}], "ownerReferences": [{}], "annotations": {"note": "long", "sidecar.istio.io/status": "{}"}},
            "spec": {"containers": [{}], "hostNetwork": True},
            "status": {"hostIP": "192.0.2.1", "initContainerStatuses": [{}]},
        },
    )
    before = derived(pod, {})
    assert trim(pod) == {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "details-v1-65bd58d55f-8s8kk",
            "namespace": "bookinfo",
            "generation": 1,
            "creationTimestamp": "2026-11-20T23:14:47Z",
            "labels": {"app": "details", "version": "v1"},
            "annotations": {"ambient.istio.io/redirection": "enabled", "sidecar.istio.io/status": "{}"},
        },
        "spec": {"hostNetwork": True, "nodeName": "node-3"},
        "status": {"phase": "Running", "podIP": "10.64.0.7", "conditions": [READY]},
    }
    assert pod == before, "the caller's object must stay as it is"


@pytest.mark.parametrize("ready", ["False", "Unknown", None])
def test_of_a_pod_that_is_not_well_all_is_kept_that_reports_why(ready: str | None) -> None:
    pod = derived(CAPTURED, {"status": {"initContainerStatuses": [{"name": "init"}], "reason": "Evicted", "message": "low on memory"}})
    conditions = [
        {**condition, "status": ready} if condition["type"] == "Ready" else condition
        for condition in pod["status"]["conditions"]
        if ready or condition["type"] != "Ready"
    ]
    pod["status"]["conditions"] = conditions
    assert trim(pod)["status"] == pod["status"]


@pytest.mark.parametrize(
    ("metadata", "kept"),
    [
        pytest.param({}, {}, id="bare"),
        pytest.param({"annotations": {"note": "long"}}, {}, id="no-annotation-of-the-mesh"),
        pytest.param({"deletionTimestamp": "now", "finalizers": ["a"]}, {"deletionTimestamp": "now", "finalizers": ["a"]}, id="being-deleted"),
    ],
)
def test_trim_of_a_pod_without_this_and_that(metadata: dict[str, Any], kept: dict[str, Any]) -> None:
    bare = {"kind": "Pod", "metadata": {"name": "a", **metadata}, "spec": {"containers": []}}
    assert trim(bare) == {"kind": "Pod", "metadata": {"name": "a", **kept}, "spec": {}, "status": {"conditions": []}}


PODS = [trim(recorded(f"pod/{situation}")) for situation in ("agent_ready", "captured", "istiod_ready", "ztunnel_ready")]


@pytest.mark.parametrize("pod", PODS, ids=lambda pod: pod["metadata"]["name"].partition("-")[0])
def test_what_is_trimmed_stays_as_it_is_when_trimmed_again(pod: Object) -> None:
    assert trim(pod) == pod


@pytest.mark.parametrize(
    "item",
    [
        pytest.param(CAPTURED, id="ready"),
        pytest.param(with_condition(CAPTURED, "Ready", status="False"), id="not-ready"),
        pytest.param(derived(CAPTURED, {"metadata": {"annotations": None}}), id="not-captured"),
        pytest.param(derived(CAPTURED, {"metadata": {"deletionTimestamp": "2026-11-21T00:00:00Z"}}), id="being-deleted"),
        pytest.param(derived(CAPTURED, {"status": {"phase": "Pending", "conditions": None}}), id="pending"),
        pytest.param(derived(CAPTURED, {"spec": {"hostNetwork": True}}), id="on-the-network-of-its-node"),
    ],
)
def test_a_judge_says_the_same_of_a_trimmed_pod(item: Object) -> None:
    namespace = recorded("namespace/enrolled")
    assert judge_enrollment("bookinfo", namespace, [trim(item)]) == judge_enrollment("bookinfo", namespace, [item])
    assert cause_in_pods([trim(item)]) == cause_in_pods([item])


def test_trim_leaves_other_kinds_whole() -> None:
    assert trim(derived(GATEWAY_OBJECT, {"metadata": {"managedFields": [{}]}})) == GATEWAY_OBJECT
    assert trim(DEPLOYMENT_OBJECT)["metadata"]["ownerReferences"][0]["uid"] == trim(GATEWAY_OBJECT)["metadata"]["uid"], "a judge must see whose it is"


SCOPE = Scope(POD, "shop")
POD_A: Object = {"kind": "Pod", "metadata": {"name": "a", "namespace": "shop"}}
POD_B: Object = {"kind": "Pod", "metadata": {"name": "b", "namespace": "shop"}}


def test_seen_follows_events() -> None:
    cache = ObjectCache()
    cache.apply_event(Listed(SCOPE, [POD_B]))
    cache.apply_event(Changed(SCOPE, POD_A))
    assert cache.all(POD, "shop") == [POD_A, POD_B]
    assert cache.all(POD, "store") == []
    assert cache.get(POD, "a", "shop") == POD_A
    cache.apply_event(Gone(SCOPE, POD_A))
    cache.apply_event(Gone(SCOPE, POD_A))
    assert cache.get(POD, "a", "shop") is None
    cache.apply_event(Listed(SCOPE, [POD_A]))
    assert cache.all(POD) == [POD_A]


def test_seen_forgets_what_is_no_longer_served_and_keeps_what_is_out_of_reach() -> None:
    cache = ObjectCache()
    cache.apply_event(Listed(SCOPE, [POD_A]))
    cache.apply_event(Trouble(SCOPE, Unreachable("no", status=0, reason="no")))
    assert cache.all(POD) == [POD_A]
    cache.apply_event(Trouble(SCOPE, NotServed("no", status=404, reason="")))
    assert cache.all(POD) == []
    cache.apply_event(Listed(SCOPE, []))
    assert cache.troubles == {}


UNREACHABLE = Trouble(SCOPE, Unreachable("no", status=0, reason="no"))
NOT_SERVED = Trouble(SCOPE, NotServed("no", status=404, reason=""))


@pytest.mark.parametrize(
    ("before", "event", "place"),
    [
        pytest.param([], Listed(SCOPE, [POD_A]), (POD, None, None), id="a-list-changes-the-kind"),
        pytest.param([Listed(SCOPE, [])], Changed(SCOPE, POD_A), (POD, "shop", "a"), id="a-change-one-object"),
        pytest.param([Listed(SCOPE, [POD_A])], Gone(SCOPE, POD_A), (POD, "shop", "a"), id="an-end-one-object"),
        pytest.param([Listed(SCOPE, [])], Resumed(SCOPE), None, id="to-go-on-nothing"),
        pytest.param([Listed(SCOPE, [])], UNREACHABLE, None, id="trouble-leaves-what-was-read"),
        pytest.param([], UNREACHABLE, (POD, None, None), id="trouble-is-news-where-nothing-was-read"),
        pytest.param([Listed(SCOPE, [])], NOT_SERVED, (POD, None, None), id="an-api-that-went-changes-the-kind"),
    ],
)
def test_seen_says_what_an_event_has_changed(before: list[Event], event: Event, place: Place | None) -> None:
    cache = ObjectCache()
    for earlier in before:
        cache.apply_event(earlier)
    assert cache.apply_event(event) == place


@pytest.mark.parametrize(
    ("events", "has", "known", "in_trouble"),
    [
        pytest.param([], False, False, False, id="nothing"),
        pytest.param([UNREACHABLE], False, False, True, id="out-of-reach"),
        pytest.param([NOT_SERVED], False, True, True, id="not-served"),
        pytest.param([Listed(SCOPE, [])], True, True, False, id="listed"),
        pytest.param([Listed(SCOPE, []), UNREACHABLE], True, True, True, id="lost-again"),
        pytest.param([Listed(SCOPE, []), UNREACHABLE, Resumed(SCOPE)], True, True, False, id="followed-again"),
        pytest.param([Listed(SCOPE, []), UNREACHABLE, Changed(SCOPE, POD_A)], True, True, False, id="a-change-ends-trouble-too"),
        pytest.param([Listed(SCOPE, []), NOT_SERVED], False, True, True, id="no-longer-served"),
    ],
)
def test_what_seen_knows(events: list[Event], has: bool, known: bool, in_trouble: bool) -> None:
    cache = ObjectCache()
    for event in events:
        cache.apply_event(event)
    assert (cache.has(POD), cache.known(POD), POD in cache.troubles) == (has, known, in_trouble)


def test_all_are_in_the_order_of_their_names() -> None:
    pods = [{"kind": "Pod", "metadata": {"name": name, "namespace": place}} for place, name in (("b", "1"), ("a", "2"), ("a", "1"))]
    cache = ObjectCache()
    cache.apply_event(Listed(Scope(POD), pods))
    assert [(pod["metadata"]["namespace"], pod["metadata"]["name"]) for pod in cache.all(POD)] == [("a", "1"), ("a", "2"), ("b", "1")]
    assert [pod["metadata"]["name"] for pod in cache.all(POD, "a")] == ["1", "2"]


def test_a_look_notes_where_it_was_cast_whether_anything_was_there_or_not() -> None:
    cache = ObjectCache()
    cache.apply_event(Listed(SCOPE, [POD_A]))
    view = TrackedView(cache)
    assert view.get(POD, "a", "shop") == POD_A
    assert view.get(POD, "missing", "shop") is None
    assert view.all(POD, "store") == []
    assert view.all(POD) == [POD_A]
    assert view.get(CUSTOM_RESOURCE_DEFINITION, "a.b") is None
    assert view.places == {(POD, "shop", "a"), (POD, "shop", "missing"), (POD, "store", None), (POD, None, None), (CUSTOM_RESOURCE_DEFINITION, "", "a.b")}
