from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.meshwright.ambient.plugins.module_utils._mesh.enrollment import (
    MANAGED_LABELS,
    Snapshot,
    Wish,
    plan_enrollment,
    refuse_enrollment,
)
from ansible_collections.meshwright.ambient.plugins.module_utils._mesh.waypoint import WaypointRef
from tests.unit.objects import Object, derived, named, namespace_of, recorded

MODE, USE, USE_NAMESPACE = "istio.io/dataplane-mode", "istio.io/use-waypoint", "istio.io/use-waypoint-namespace"
REF = WaypointRef("bookinfo", "waypoint")
SHARED = WaypointRef("infra", "shared")
PROGRAMMED = recorded("gateway/waypoint_programmed")
SERVICE = recorded("service/bound")
DEPLOYMENT = derived(
    named(recorded("deployment/istiod_available"), "details-v1", "bookinfo"),
    {"spec": {"template": {"metadata": {"labels": {MODE: None}}}}},
)
WAYPOINT_FOR_ALL = derived(
    named(PROGRAMMED, "shared", "infra"),
    {"spec": {"listeners": [{"name": "mesh", "port": 15008, "protocol": "HBONE", "allowedRoutes": {"namespaces": {"from": "All"}}}]}},
)


def _snapshot(labels: dict[str, str] | None = None, **others: Any) -> Snapshot:
    """One namespace with these labels, one Service and one Deployment in it, and two waypoints."""
    default: dict[str, Any] = {
        "namespaces": {"bookinfo": namespace_of("bookinfo", **(labels or {}))},
        "objects": {("Service", "bookinfo", "details"): SERVICE, ("Deployment", "bookinfo", "details-v1"): DEPLOYMENT},
        "waypoints": {REF: PROGRAMMED, SHARED: WAYPOINT_FOR_ALL},
    }
    return Snapshot(**(default | others))


@pytest.mark.parametrize(
    ("wish", "labels", "patch"),
    [
        pytest.param(Wish("Namespace", "bookinfo", dataplane_mode="ambient"), {}, {MODE: "ambient"}, id="enroll"),
        pytest.param(Wish("Namespace", "bookinfo", dataplane_mode="ambient"), {MODE: "ambient"}, {}, id="enrolled-already"),
        pytest.param(Wish("Namespace", "bookinfo", dataplane_mode=""), {MODE: "ambient"}, {MODE: None}, id="leave"),
        pytest.param(Wish("Namespace", "bookinfo", dataplane_mode=""), {}, {}, id="left-already"),
        pytest.param(Wish("Namespace", "bookinfo", dataplane_mode="none"), {MODE: "ambient"}, {MODE: "none"}, id="opt-out-of-the-mesh"),
        pytest.param(Wish("Namespace", "bookinfo"), {MODE: "ambient", USE: "waypoint"}, {}, id="nothing-wished-nothing-touched"),
        pytest.param(Wish("Namespace", "bookinfo", waypoint="waypoint"), {MODE: "ambient"}, {USE: "waypoint"}, id="bind"),
        pytest.param(Wish("Namespace", "bookinfo", waypoint=""), {MODE: "ambient", USE: "waypoint"}, {USE: None}, id="unbind-and-stay-enrolled"),
        pytest.param(Wish("Namespace", "bookinfo", waypoint="none"), {USE: "waypoint"}, {USE: "none"}, id="opt-out-of-waypoints"),
        pytest.param(
            Wish("Namespace", "bookinfo", waypoint="shared", waypoint_namespace="infra"),
            {},
            {USE: "shared", USE_NAMESPACE: "infra"},
            id="bind-elsewhere",
        ),
        pytest.param(
            Wish("Namespace", "bookinfo", waypoint=""),
            {USE: "shared", USE_NAMESPACE: "infra"},
            {USE: None, USE_NAMESPACE: None},
            id="unbind-from-elsewhere",
        ),
        pytest.param(
            Wish("Namespace", "bookinfo", waypoint="waypoint"),
            {USE: "shared", USE_NAMESPACE: "infra"},
            {USE: "waypoint", USE_NAMESPACE: None},
            id="come-home",
        ),
        pytest.param(
            Wish("Namespace", "bookinfo", waypoint="none"),
            {USE: "shared", USE_NAMESPACE: "infra"},
            {USE: "none", USE_NAMESPACE: None},
            id="opt-out-from-elsewhere",
        ),
        pytest.param(Wish("Namespace", "bookinfo", waypoint="waypoint", waypoint_namespace="bookinfo"), {}, {USE: "waypoint"}, id="own-namespace-goes-unsaid"),
        pytest.param(Wish("Service", "details", "bookinfo", waypoint="waypoint"), {}, {USE: "waypoint"}, id="service"),
        pytest.param(Wish("Deployment", "details-v1", "bookinfo", dataplane_mode="none"), {}, {MODE: "none"}, id="pod-template-out"),
    ],
)
def test_plan_writes_only_what_differs(wish: Wish, labels: dict[str, str], patch: dict[str, str | None]) -> None:
    (change,) = plan_enrollment([wish], _snapshot(labels))
    assert change.patch == patch
    assert change.changed is bool(patch)
    assert change.unbinds is any(value in (None, "none") for value in patch.values())


def test_before_and_after_show_managed_labels_only() -> None:
    (change,) = plan_enrollment([Wish("Namespace", "bookinfo", waypoint="waypoint")], _snapshot({MODE: "ambient", "team": "shop"}))
    assert change.before == {MODE: "ambient"}
    assert change.after == {MODE: "ambient", USE: "waypoint"}


def test_a_workloads_labels_are_those_of_its_pod_template() -> None:
    deployment = derived(DEPLOYMENT, {"metadata": {"labels": {MODE: "none"}}, "spec": {"template": {"metadata": {"labels": {MODE: "ambient"}}}}})
    (change,) = plan_enrollment(
        [Wish("Deployment", "details-v1", "bookinfo", dataplane_mode="")], _snapshot(objects={("Deployment", "bookinfo", "details-v1"): deployment})
    )
    assert (change.before, change.patch) == ({MODE: "ambient"}, {MODE: None})


@pytest.mark.parametrize("template", [{}, {"metadata": {}}, {"metadata": {"labels": None}}], ids=["empty", "no-labels", "null-labels"])
def test_a_pod_template_may_have_no_labels(template: Object) -> None:
    deployment = derived(DEPLOYMENT, {"spec": {"template": None}})
    deployment["spec"]["template"] = template
    (change,) = plan_enrollment(
        [Wish("Deployment", "details-v1", "bookinfo", dataplane_mode="none")], _snapshot(objects={("Deployment", "bookinfo", "details-v1"): deployment})
    )
    assert change.patch == {MODE: "none"}


def test_what_is_only_planned_counts_as_unlabelled() -> None:
    wishes = [Wish("Namespace", "shop", dataplane_mode="ambient"), Wish("Service", "cart", "shop", waypoint="")]
    changes = plan_enrollment(wishes, _snapshot(planned_namespaces=frozenset({"shop"})))
    assert [change.patch for change in changes] == [{MODE: "ambient"}, {}]


SKIPS = "so traffic would skip it and its L7 policies silently"


@pytest.mark.parametrize(
    ("wish", "snapshot", "expected"),
    [
        pytest.param(Wish("Namespace", "bookinfo", dataplane_mode="ambient", waypoint="waypoint"), _snapshot(), [], id="all-is-well"),
        pytest.param(Wish("Namespace", "bookinfo", waypoint="shared", waypoint_namespace="infra"), _snapshot(), [], id="waypoint-allows-all"),
        pytest.param(Wish("Namespace", "bookinfo", waypoint="none"), _snapshot(waypoints={}), [], id="opting-out-needs-no-waypoint"),
        pytest.param(Wish("Namespace", "bookinfo", waypoint=""), _snapshot(waypoints={}), [], id="unbinding-needs-no-waypoint"),
        pytest.param(
            Wish("Namespace", "shop", dataplane_mode="ambient"),
            _snapshot(),
            ["Namespace shop: namespace shop does not exist: create it first, or correct its name."],
            id="namespace-missing",
        ),
        pytest.param(
            Wish("Service", "cart", "shop", waypoint="waypoint"),
            _snapshot(),
            ["Service shop/cart: namespace shop does not exist: create it first, or correct its name."],
            id="namespace-of-a-service-missing",
        ),
        pytest.param(
            Wish("Service", "cart", "bookinfo", waypoint="waypoint"),
            _snapshot(),
            ["Service bookinfo/cart does not exist: create it first, or correct its name."],
            id="service-missing",
        ),
        pytest.param(
            Wish("Namespace", "shop", dataplane_mode="ambient"), _snapshot(planned_namespaces=frozenset({"shop"})), [], id="namespace-planned-by-a-check-run"
        ),
        pytest.param(
            Wish("Namespace", "bookinfo", waypoint="reviews"),
            _snapshot(),
            [f"Namespace bookinfo: waypoint bookinfo/reviews does not exist, {SKIPS}: create it first (module waypoint), or correct its name."],
            id="waypoint-missing",
        ),
        pytest.param(
            Wish("Namespace", "bookinfo", waypoint="reviews"),
            _snapshot(planned_waypoints=frozenset({WaypointRef("bookinfo", "reviews")})),
            [],
            id="waypoint-planned-by-a-check-run",
        ),
        pytest.param(
            Wish("Namespace", "bookinfo", waypoint="waypoint"),
            _snapshot(waypoints={REF: derived(PROGRAMMED, {"spec": {"gatewayClassName": "istio"}})}),
            ["Namespace bookinfo: Gateway bookinfo/waypoint is of class istio, not a waypoint: name a Gateway of class istio-waypoint."],
            id="not-a-waypoint",
        ),
        pytest.param(
            Wish("Namespace", "bookinfo", waypoint="waypoint"),
            _snapshot(waypoints={REF: derived(PROGRAMMED, {"status": {"addresses": None}})}),
            [f"Namespace bookinfo: waypoint bookinfo/waypoint has no address yet, {SKIPS}: wait until it is ready first (module ready, kind waypoint)."],
            id="waypoint-not-ready",
        ),
        pytest.param(
            Wish("Service", "details", "bookinfo", waypoint="shared", waypoint_namespace="infra"),
            _snapshot(waypoints={SHARED: named(PROGRAMMED, "shared", "infra")}),
            [f"Service bookinfo/details: waypoint infra/shared does not allow namespace bookinfo, {SKIPS}: widen allowed_routes of the waypoint."],
            id="waypoint-does-not-allow",
            marks=pytest.mark.requirement("H8"),
        ),
        pytest.param(
            Wish("Namespace", "bookinfo", dataplane_mode="ambient"),
            _snapshot({"istio-injection": "enabled"}),
            ["Namespace bookinfo carries istio-injection=enabled, so its new pods would get sidecars instead of ambient mesh: take that label away first."],
            id="injection",
        ),
        pytest.param(
            Wish("Namespace", "bookinfo", dataplane_mode="ambient"),
            _snapshot({"istio.io/rev": "1-31"}),
            ["Namespace bookinfo carries istio.io/rev=1-31, so its new pods would get sidecars instead of ambient mesh: take that label away first."],
            id="injection-by-revision",
        ),
        pytest.param(Wish("Namespace", "bookinfo", dataplane_mode="ambient"), _snapshot({"istio-injection": "disabled"}), [], id="injection-disabled"),
        pytest.param(Wish("Namespace", "bookinfo", dataplane_mode=""), _snapshot({"istio-injection": "enabled"}), [], id="leaving-with-injection"),
        pytest.param(Wish("Namespace", "bookinfo", waypoint="waypoint"), _snapshot({"istio-injection": "enabled"}), [], id="binding-with-injection"),
        pytest.param(
            Wish("Deployment", "details-v1", "bookinfo", dataplane_mode="ambient"),
            _snapshot({"istio-injection": "enabled"}),
            [],
            id="a-workload-with-injection",
        ),
    ],
)
def test_refuse_enrollment(wish: Wish, snapshot: Snapshot, expected: list[str]) -> None:
    assert refuse_enrollment([wish], snapshot) == expected


def test_a_revision_injects_nothing_where_injection_is_disabled() -> None:
    """Istio's webhook for revisions wants that the namespace has no label istio-injection at all (mutatingwebhookconfiguration/injector_serving)."""
    wish = Wish("Namespace", "bookinfo", dataplane_mode="ambient")
    assert refuse_enrollment([wish], _snapshot({"istio-injection": "disabled", "istio.io/rev": "default"})) == []


def test_guards_can_be_lifted_one_by_one() -> None:
    wish = Wish("Namespace", "bookinfo", dataplane_mode="ambient", waypoint="reviews")
    snapshot = _snapshot({"istio-injection": "enabled"})
    assert len(refuse_enrollment([wish], snapshot)) == 2
    (injection,) = refuse_enrollment([wish], snapshot, unsafe_binding=True)
    (binding,) = refuse_enrollment([wish], snapshot, injection=True)
    assert "sidecars" in injection
    assert "does not exist" in binding
    assert refuse_enrollment([wish], snapshot, unsafe_binding=True, injection=True) == []


def test_no_option_lifts_a_missing_namespace() -> None:
    assert len(refuse_enrollment([Wish("Namespace", "shop")], _snapshot(), unsafe_binding=True, injection=True)) == 1


# One wish for each object: what two wishes for one object mean together is for the caller to refuse.

_modes = st.sampled_from([None, "", "ambient", "none"])
_waypoints = st.sampled_from([None, "", "none", "waypoint", "shared"])
_places = st.sampled_from(["", "shop", "infra"])
_labels = st.fixed_dictionaries(
    {},
    optional={
        MODE: st.sampled_from(["ambient", "none", "other"]),
        USE: st.sampled_from(["none", "waypoint", "shared"]),
        USE_NAMESPACE: st.sampled_from(["shop", "infra"]),
        "team": st.just("shop"),
    },
)


@st.composite
def wishes_and_snapshots(draw: st.DrawFn) -> tuple[list[Wish], Snapshot]:
    wishes: list[Wish] = []
    namespaces: dict[str, Object] = {}
    objects: dict[tuple[str, str, str], Object] = {}
    for home in ("shop", "store"):
        namespaces[home] = namespace_of(home, **draw(_labels))
        for kind, name in (("Namespace", home), ("Service", "cart"), ("Deployment", "cart")):
            labels = draw(_labels)
            if kind == "Service":
                objects[(kind, home, name)] = {"metadata": {"name": name, "namespace": home, "labels": labels}}
            elif kind == "Deployment":
                objects[(kind, home, name)] = {"metadata": {"name": name, "namespace": home}, "spec": {"template": {"metadata": {"labels": labels}}}}
            if draw(st.booleans()):
                place = None if kind == "Namespace" else home
                wishes.append(Wish(kind, name, place, draw(_modes), draw(_waypoints), draw(_places)))
    return draw(st.permutations(wishes)), Snapshot(namespaces, objects)


def _applied(wishes: list[Wish], snapshot: Snapshot) -> Snapshot:
    """The snapshot after the plan, by the rules of a merge patch."""
    namespaces, objects = dict(snapshot.namespaces), dict(snapshot.objects)
    for change in plan_enrollment(wishes, snapshot):
        wish = change.wish
        if wish.kind == "Namespace":
            namespaces[wish.name] = derived(dict(namespaces[wish.name]), {"metadata": {"labels": change.patch}})
        else:
            key = (wish.kind, wish.home, wish.name)
            patch: Object = {"metadata": {"labels": change.patch}}
            whole: Object = patch if wish.kind == "Service" else {"spec": {"template": patch}}
            objects[key] = derived(dict(objects[key]), whole)
    return Snapshot(namespaces, objects)


def _labels_in(snapshot: Snapshot, wish: Wish) -> dict[str, str]:
    item = snapshot.namespaces[wish.name] if wish.kind == "Namespace" else snapshot.objects[(wish.kind, wish.home, wish.name)]
    found: dict[str, str] = (item["spec"]["template"] if wish.kind == "Deployment" else item)["metadata"]["labels"]
    return found


@given(wishes_and_snapshots())
def test_the_plan_brings_about_what_is_wished_and_nothing_else(case: tuple[list[Wish], Snapshot]) -> None:
    wishes, snapshot = case
    after = _applied(wishes, snapshot)
    for wish in wishes:
        before, now = _labels_in(snapshot, wish), _labels_in(after, wish)
        assert now.get(MODE) == (before.get(MODE) if wish.dataplane_mode is None else wish.dataplane_mode or None)
        if wish.waypoint is None:
            assert [now.get(name) for name in (USE, USE_NAMESPACE)] == [before.get(name) for name in (USE, USE_NAMESPACE)]
        else:
            elsewhere = wish.waypoint not in ("", "none") and wish.waypoint_namespace not in ("", wish.home)
            assert now.get(USE) == (wish.waypoint or None)
            assert now.get(USE_NAMESPACE) == (wish.waypoint_namespace if elsewhere else None)
        assert {name: value for name, value in now.items() if name not in MANAGED_LABELS} == {
            name: value for name, value in before.items() if name not in MANAGED_LABELS
        }


@given(wishes_and_snapshots())
def test_a_second_run_changes_nothing(case: tuple[list[Wish], Snapshot]) -> None:
    wishes, snapshot = case
    again = plan_enrollment(wishes, _applied(wishes, snapshot))
    assert not any(change.changed or change.patch for change in again)
