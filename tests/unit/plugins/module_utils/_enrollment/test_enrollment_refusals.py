from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._enrollment.plan import Snapshot, plan_enrollment
from ansible_collections.meshwright.ambient.plugins.module_utils._enrollment.refusals import Overruled, refuse_enrollment
from ansible_collections.meshwright.ambient.plugins.module_utils._enrollment.wishes import Wish
from ansible_collections.meshwright.ambient.plugins.module_utils._mesh.mesh_settings import MeshSettings
from ansible_collections.meshwright.ambient.plugins.module_utils._mesh.waypoints import WaypointRef
from tests.unit.objects import Object, derived, named, namespace_of, recorded, with_condition, without_condition

MODE, USE, CANARY = "istio.io/dataplane-mode", "istio.io/use-waypoint", "istio.io/use-waypoint-canary"
REF = WaypointRef("bookinfo", "waypoint")
SHARED = WaypointRef("infra", "shared")
NEXT = WaypointRef("bookinfo", "next")
PROGRAMMED = recorded("gateway/waypoint_programmed")
SERVICE = recorded("service/bound")
ISTIOD = recorded("deployment/istiod_available")
DEPLOYMENT = derived(
    named(ISTIOD, "details-v1", "bookinfo"),
    {"spec": {"template": {"metadata": {"labels": {MODE: None, "sidecar.istio.io/inject": None, "istio.io/rev": None}}}}},
)
WAYPOINT_FOR_ALL = derived(
    named(PROGRAMMED, "shared", "infra"),
    {
        "metadata": {"labels": {"istio.io/waypoint-for": "all"}},
        "spec": {"listeners": [{"name": "mesh", "port": 15008, "protocol": "HBONE", "allowedRoutes": {"namespaces": {"from": "All"}}}]},
    },
)


def _snapshot(labels: dict[str, str] | None = None, template: Object | None = None, **others: Any) -> Snapshot:
    """One namespace with these labels, one Service and one Deployment (with this in its template) in it, and three waypoints."""
    deployment = derived(DEPLOYMENT, {"spec": {"template": {"metadata": template or {}}}})
    default: dict[str, Any] = {
        "namespaces": {"bookinfo": namespace_of("bookinfo", **(labels or {}))},
        "objects": {("Service", "bookinfo", "details"): SERVICE, ("Deployment", "bookinfo", "details-v1"): deployment},
        "waypoints": {REF: PROGRAMMED, SHARED: WAYPOINT_FOR_ALL, NEXT: named(PROGRAMMED, "next")},
        "settings": MeshSettings(installed=True),
    }
    return Snapshot(**(default | others))


def _refusals(wishes: list[Wish] | Wish, snapshot: Snapshot, **overruled: bool) -> list[str]:
    return refuse_enrollment(plan_enrollment([wishes] if isinstance(wishes, Wish) else wishes, snapshot), snapshot, Overruled(**overruled))


SKIPS = "so traffic would skip it and its L7 policies silently"


def _for(traffic: str | None) -> Object:
    """A waypoint for this kind of traffic."""
    return derived(PROGRAMMED, {"metadata": {"labels": {"istio.io/waypoint-for": traffic}}})


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
            Wish("Namespace", "bookinfo", waypoint="waypoint"),
            _snapshot(waypoints={REF: with_condition(PROGRAMMED, "Programmed", status="False", reason="AddressNotUsable", message="no pod")}),
            [
                (
                    f"Namespace bookinfo: waypoint bookinfo/waypoint is not programmed (AddressNotUsable: no pod), {SKIPS}: "
                    "wait until it is ready first (module ready, kind waypoint)."
                )
            ],
            id="waypoint-with-an-address-is-not-programmed",
        ),
        pytest.param(
            Wish("Namespace", "bookinfo", waypoint="waypoint"),
            _snapshot(waypoints={REF: without_condition(PROGRAMMED, "Programmed")}),
            [
                (
                    f"Namespace bookinfo: waypoint bookinfo/waypoint is not programmed (istiod has said nothing about it), {SKIPS}: "
                    "wait until it is ready first (module ready, kind waypoint)."
                )
            ],
            id="waypoint-that-nobody-has-judged",
        ),
        pytest.param(
            Wish("Deployment", "details-v1", "bookinfo", waypoint="waypoint"),
            _snapshot(),
            [
                (
                    f"Deployment bookinfo/details-v1: waypoint bookinfo/waypoint handles service traffic only (istio.io/waypoint-for), {SKIPS}: "
                    "name another waypoint, or change what it is for."
                )
            ],
            id="workload-with-a-waypoint-for-services",
        ),
        pytest.param(Wish("Deployment", "details-v1", "bookinfo", waypoint="shared", waypoint_namespace="infra"), _snapshot(), [], id="workload-and-all"),
        pytest.param(
            Wish("Service", "details", "bookinfo", waypoint="waypoint"),
            _snapshot(waypoints={REF: _for("workload")}),
            [
                (
                    f"Service bookinfo/details: waypoint bookinfo/waypoint handles workload traffic only (istio.io/waypoint-for), {SKIPS}: "
                    "name another waypoint, or change what it is for."
                )
            ],
            id="service-with-a-waypoint-for-workloads",
        ),
        pytest.param(Wish("Namespace", "bookinfo", waypoint="waypoint"), _snapshot(waypoints={REF: _for("workload")}), [], id="namespace-may-mean-its-pods"),
        pytest.param(
            Wish("Namespace", "bookinfo", waypoint="waypoint"),
            _snapshot(waypoints={REF: _for("none")}),
            [
                (
                    f"Namespace bookinfo: waypoint bookinfo/waypoint handles nothing (istio.io/waypoint-for), {SKIPS}: "
                    "name another waypoint, or change what it is for."
                )
            ],
            id="waypoint-for-nothing",
        ),
        pytest.param(
            Wish("Service", "details", "bookinfo", waypoint="waypoint"),
            _snapshot(waypoints={REF: _for(None)}),
            [],
            id="a-waypoint-that-does-not-say-is-for-services",
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
            [
                (
                    "Deployment bookinfo/details-v1 is in namespace bookinfo, which carries istio-injection=enabled, so its new pods would get sidecars "
                    "instead of ambient mesh: take that label away, or label the pod template sidecar.istio.io/inject=false, first."
                )
            ],
            id="workload-in-a-namespace-with-injection",
        ),
        pytest.param(
            Wish("Deployment", "details-v1", "bookinfo", dataplane_mode="ambient"),
            _snapshot({"istio-injection": "enabled"}, template={"labels": {"sidecar.istio.io/inject": "false"}}),
            [],
            id="workload-that-opts-out-of-injection",
        ),
        pytest.param(
            Wish("Deployment", "details-v1", "bookinfo", dataplane_mode="ambient"),
            _snapshot({"istio-injection": "enabled"}, template={"annotations": {"sidecar.istio.io/inject": "false"}}),
            [],
            id="workload-that-opts-out-of-injection-in-the-old-way",
        ),
        pytest.param(
            Wish("Deployment", "details-v1", "bookinfo", dataplane_mode="ambient"),
            _snapshot(template={"labels": {"sidecar.istio.io/inject": "true"}}),
            [
                (
                    "Deployment bookinfo/details-v1 carries sidecar.istio.io/inject=true in its pod template, so its new pods would get sidecars "
                    "instead of ambient mesh: take that label away first."
                )
            ],
            id="workload-that-asks-for-injection",
        ),
        pytest.param(
            Wish("Deployment", "details-v1", "bookinfo", dataplane_mode="ambient"),
            _snapshot(template={"labels": {"istio.io/rev": "1-31"}}),
            [
                (
                    "Deployment bookinfo/details-v1 carries istio.io/rev=1-31 in its pod template, so its new pods would get sidecars "
                    "instead of ambient mesh: take that label away first."
                )
            ],
            id="workload-that-asks-for-a-revisions-injection",
        ),
        pytest.param(
            Wish("Deployment", "details-v1", "bookinfo", dataplane_mode="ambient"),
            _snapshot({"istio-injection": "disabled"}, template={"labels": {"sidecar.istio.io/inject": "true"}}),
            [],
            id="workload-asks-in-vain-where-injection-is-disabled",
        ),
        pytest.param(
            Wish("Deployment", "details-v1", "bookinfo", dataplane_mode="none"),
            _snapshot(template={"labels": {"sidecar.istio.io/inject": "true"}}),
            [],
            id="workload-out-of-the-mesh-with-injection",
        ),
    ],
)
def test_refuse_enrollment(wish: Wish, snapshot: Snapshot, expected: list[str]) -> None:
    assert _refusals(wish, snapshot) == expected


def test_a_revision_injects_nothing_where_injection_is_disabled() -> None:
    """Istio's webhook for revisions wants that the namespace has no label istio-injection at all (mutatingwebhookconfiguration/injector_serving)."""
    wish = Wish("Namespace", "bookinfo", dataplane_mode="ambient")
    assert _refusals(wish, _snapshot({"istio-injection": "disabled", "istio.io/rev": "default"})) == []


def test_guards_can_be_lifted_one_by_one() -> None:
    wish = Wish("Namespace", "bookinfo", dataplane_mode="ambient", waypoint="reviews")
    snapshot = _snapshot({"istio-injection": "enabled"})
    assert len(_refusals(wish, snapshot)) == 2
    (injection,) = _refusals(wish, snapshot, unsafe_binding=True)
    (binding,) = _refusals(wish, snapshot, injection_labels=True)
    assert "sidecars" in injection
    assert "does not exist" in binding
    assert _refusals(wish, snapshot, unsafe_binding=True, injection_labels=True) == []


def test_no_option_lifts_a_missing_namespace() -> None:
    assert len(_refusals(Wish("Namespace", "shop"), _snapshot(), unsafe_binding=True, injection_labels=True)) == 1


# Waypoint canaries.

ALONE = "beside no waypoint, and would not be used: bind the object to a waypoint, too (use_waypoint)."


@pytest.mark.parametrize(
    ("wishes", "snapshot", "expected"),
    [
        pytest.param([Wish("Namespace", "bookinfo", canary="next", weight="10")], _snapshot({USE: "waypoint"}), [], id="all-is-well"),
        pytest.param([Wish("Namespace", "bookinfo", waypoint="waypoint", canary="next")], _snapshot(), [], id="both-at-once"),
        pytest.param([Wish("Service", "details", "bookinfo", canary="next")], _snapshot({USE: "waypoint"}), [], id="beside-the-namespaces-waypoint"),
        pytest.param(
            [Wish("Namespace", "bookinfo", waypoint="waypoint"), Wish("Service", "details", "bookinfo", canary="next")],
            _snapshot(),
            [],
            id="beside-the-waypoint-that-the-namespace-gets",
        ),
        pytest.param(
            [Wish("Namespace", "bookinfo", canary="next")],
            _snapshot(),
            [f"Namespace bookinfo: canary bookinfo/next stands {ALONE}"],
            id="beside-no-waypoint",
        ),
        pytest.param(
            [Wish("Namespace", "bookinfo", waypoint=""), Wish("Service", "details", "bookinfo", canary="next")],
            _snapshot({USE: "waypoint"}),
            [f"Service bookinfo/details: canary bookinfo/next stands {ALONE}"],
            id="beside-a-waypoint-that-the-namespace-loses",
        ),
        pytest.param(
            [Wish("Namespace", "bookinfo", canary="waypoint")],
            _snapshot({USE: "waypoint"}),
            ["Namespace bookinfo: canary bookinfo/waypoint is the waypoint itself: name another one, or take the canary away with an empty string."],
            id="the-waypoint-itself",
        ),
        pytest.param(
            [Wish("Service", "details", "bookinfo", canary="waypoint", canary_namespace="bookinfo")],
            _snapshot({USE: "waypoint"}),
            ["Service bookinfo/details: canary bookinfo/waypoint is the waypoint itself: name another one, or take the canary away with an empty string."],
            id="the-namespaces-waypoint-itself",
        ),
        pytest.param(
            [Wish("Namespace", "bookinfo", waypoint="next")],
            _snapshot({USE: "waypoint", CANARY: "next"}),
            ["Namespace bookinfo: canary bookinfo/next is the waypoint itself: name another one, or take the canary away with an empty string."],
            id="promoted-and-not-taken-away",
        ),
        pytest.param([Wish("Namespace", "bookinfo", waypoint="next", canary="")], _snapshot({USE: "waypoint", CANARY: "next"}), [], id="promoted"),
        pytest.param([Wish("Namespace", "bookinfo", waypoint="")], _snapshot({USE: "waypoint", CANARY: "next"}), [], id="unbound-with-a-canary-left"),
        pytest.param(
            [Wish("Namespace", "bookinfo", weight="10")],
            _snapshot({USE: "waypoint"}),
            ["Namespace bookinfo: a weight is given, but there is no canary: name the canary's waypoint, too."],
            id="weight-of-nothing",
        ),
        pytest.param([Wish("Service", "details", "bookinfo", weight="10")], _snapshot({USE: "waypoint", CANARY: "next"}), [], id="weight-of-its-own"),
        pytest.param(
            [Wish("Namespace", "bookinfo", canary="missing")],
            _snapshot({USE: "waypoint"}),
            [f"Namespace bookinfo: canary bookinfo/missing does not exist, {SKIPS}: create it first (module waypoint), or correct its name."],
            id="missing",
        ),
        pytest.param(
            [Wish("Namespace", "bookinfo", canary="missing")],
            _snapshot({USE: "waypoint"}, planned_waypoints=frozenset({WaypointRef("bookinfo", "missing")})),
            [],
            id="planned-by-a-check-run",
        ),
        pytest.param(
            [Wish("Namespace", "bookinfo", canary="next")],
            _snapshot({USE: "waypoint"}, waypoints={NEXT: derived(named(PROGRAMMED, "next"), {"status": {"addresses": []}})}),
            [f"Namespace bookinfo: canary bookinfo/next has no address yet, {SKIPS}: wait until it is ready first (module ready, kind waypoint)."],
            id="not-ready",
        ),
        pytest.param(
            [Wish("Namespace", "bookinfo", canary="shared", canary_namespace="infra")],
            _snapshot({USE: "waypoint"}, waypoints={SHARED: named(PROGRAMMED, "shared", "infra")}),
            [f"Namespace bookinfo: canary infra/shared does not allow namespace bookinfo, {SKIPS}: widen allowed_routes of the waypoint."],
            id="not-allowed",
        ),
        pytest.param(
            [Wish("Namespace", "bookinfo", canary="next")],
            _snapshot({USE: "waypoint"}, waypoints={NEXT: derived(named(PROGRAMMED, "next"), {"spec": {"gatewayClassName": "istio"}})}),
            ["Namespace bookinfo: Gateway bookinfo/next is of class istio, not a waypoint: name a Gateway of class istio-waypoint."],
            id="not-a-waypoint",
        ),
        pytest.param(
            [Wish("Namespace", "bookinfo", canary="next")],
            _snapshot({USE: "waypoint"}, waypoints={NEXT: named(_for("workload"), "next")}),
            [
                (
                    f"Namespace bookinfo: canary bookinfo/next handles workload traffic only (istio.io/waypoint-for), {SKIPS}: "
                    "name another waypoint, or change what it is for."
                )
            ],
            id="a-canary-is-for-services-even-in-a-namespace",
        ),
    ],
)
def test_canaries(wishes: list[Wish], snapshot: Snapshot, expected: list[str]) -> None:
    assert _refusals(wishes, snapshot) == expected


def _istiod(version: str | None) -> Object:
    return derived(ISTIOD, {"metadata": {"labels": {"app.kubernetes.io/version": version}}})


NEEDS = "and a waypoint canary needs Istio 1.31 or newer: upgrade it first, or take the canary away."


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("1.31.0", []),
        ("1.31.0-rc.0", []),
        ("1.32.0-dev.20260827", []),
        ("v1.31.1", []),
        ("2.0.0", []),
        ("1.30.3", [f"Deployment istio-system/istiod runs Istio 1.30.3, {NEEDS}"]),
        ("1.9.10", [f"Deployment istio-system/istiod runs Istio 1.9.10, {NEEDS}"]),
        ("latest", [f"Deployment istio-system/istiod does not say its version (label app.kubernetes.io/version), {NEEDS}"]),
        (None, [f"Deployment istio-system/istiod does not say its version (label app.kubernetes.io/version), {NEEDS}"]),
    ],
)
def test_a_canary_needs_an_istiod_that_knows_it(version: str | None, expected: list[str]) -> None:
    snapshot = _snapshot({USE: "waypoint"}, istiods=[_istiod(version)])
    assert _refusals(Wish("Namespace", "bookinfo", canary="next"), snapshot) == expected
    assert _refusals(Wish("Namespace", "bookinfo", canary=""), snapshot) == []
    assert _refusals(Wish("Namespace", "bookinfo", canary="next"), snapshot, unsafe_binding=True) == []


# Namespaces that Istio leaves alone.


def test_a_namespace_that_the_agent_excludes() -> None:
    snapshot = _snapshot(settings=MeshSettings(frozenset({"bookinfo"}), installed=True))
    expected = "is in excludeNamespaces of the istio-cni chart, so its pods would never be captured: take it out of that list (role istio), or leave it alone."
    wishes = [Wish("Namespace", "bookinfo", dataplane_mode="ambient"), Wish("Deployment", "details-v1", "bookinfo", dataplane_mode="ambient")]
    assert _refusals(wishes, snapshot) == [f"{wish.title}: namespace bookinfo {expected}" for wish in wishes]
    assert _refusals(wishes, snapshot, excluded_namespaces=True) == []
    assert _refusals(Wish("Namespace", "bookinfo", dataplane_mode=""), snapshot) == []


def test_nothing_is_excluded_where_no_agent_is_installed() -> None:
    wish = Wish("Namespace", "bookinfo", dataplane_mode="ambient")
    assert _refusals(wish, _snapshot(settings=MeshSettings(frozenset({"bookinfo"})))) == []


@pytest.mark.parametrize(
    ("selector", "labels", "hidden"),
    [
        pytest.param({"matchLabels": {"mesh": "on"}}, {}, True, id="asks-for-another-label"),
        pytest.param({"matchLabels": {"mesh": "on"}}, {"mesh": "on"}, False, id="asks-for-its-label"),
        pytest.param({"matchLabels": {MODE: "ambient"}}, {}, False, id="asks-for-the-label-that-is-set-here"),
        pytest.param({"matchExpressions": [{"key": MODE, "operator": "DoesNotExist"}]}, {}, True, id="asks-that-it-is-not-there"),
        pytest.param({"matchLabels": {MODE: "none"}}, {MODE: "none"}, True, id="asks-for-the-label-that-goes"),
        pytest.param({}, {}, False, id="asks-for-nothing"),
    ],
)
def test_a_namespace_that_istiod_does_not_see(selector: Object, labels: dict[str, str], hidden: bool) -> None:
    snapshot = _snapshot(labels, settings=MeshSettings(discovery_selectors=(({"matchLabels": {"other": "x"}}, selector),), installed=True))
    wish = Wish("Namespace", "bookinfo", dataplane_mode="ambient")
    expected = (
        "Namespace bookinfo: meshConfig.discoverySelectors hide namespace bookinfo from istiod, so no mesh would know its pods: "
        "give it a label that one of them asks for, or widen them (role istio)."
    )
    assert _refusals(wish, snapshot) == ([expected] if hidden else [])
    assert _refusals(wish, snapshot, hidden_namespaces=True) == []
    assert _refusals(Wish("Namespace", "bookinfo", waypoint="waypoint"), snapshot) == []


def test_one_istiod_that_sees_the_namespace_is_enough() -> None:
    settings = MeshSettings(discovery_selectors=(({"matchLabels": {"mesh": "blue"}},), ({"matchLabels": {"mesh": "green"}},)), installed=True)
    wish = Wish("Namespace", "bookinfo", dataplane_mode="ambient")
    assert _refusals(wish, _snapshot({"mesh": "green"}, settings=settings)) == []
    assert len(_refusals(wish, _snapshot({"mesh": "red"}, settings=settings))) == 1


# Labels that somebody else declares.


@pytest.mark.parametrize(
    ("operation", "mode", "refused"),
    [("Apply", "none", True), ("Apply", "ambient", False), ("Update", "none", False)],
    ids=["declared-and-changed", "declared-and-as-wished", "set-by-hand-and-changed"],
)
def test_what_is_declared_by_another_is_not_changed(operation: str, mode: str, refused: bool) -> None:
    fields = {"manager": "argocd-controller", "operation": operation, "fieldsV1": {"f:metadata": {"f:labels": {f"f:{MODE}": {}}}}}
    snapshot = _snapshot(namespaces={"bookinfo": derived(namespace_of("bookinfo", **{MODE: "ambient"}), {"metadata": {"managedFields": [fields]}})})
    wish = Wish("Namespace", "bookinfo", dataplane_mode=mode)
    expected = (
        "Namespace bookinfo: istio.io/dataplane-mode is declared by the field manager argocd-controller (server-side apply): "
        "change it there, or set force_conflicts to take it over."
    )
    assert _refusals(wish, snapshot) == ([expected] if refused else [])
    assert _refusals(wish, snapshot, conflicts=True) == []
