from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._enrollment.plan import CurrentObjects, plan_enrollment
from ansible_collections.meshwright.ambient.plugins.module_utils._enrollment.refusals import find_warnings, refuse_enrollment
from ansible_collections.meshwright.ambient.plugins.module_utils._enrollment.spec import DesiredLabels, Overrides
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

_TEAM = {"from": "Selector", "selector": {"matchLabels": {"team": "shop"}}}
FOR_TEAM = derived(WAYPOINT_FOR_ALL, {"spec": {"listeners": [{"name": "mesh", "port": 15008, "protocol": "HBONE", "allowedRoutes": {"namespaces": _TEAM}}]}})


def _current(labels: dict[str, str] | None = None, template: Object | None = None, **others: Any) -> CurrentObjects:
    """One namespace with these labels, one Service and one Deployment (with this in its template) in it, and three waypoints."""
    deployment = derived(DEPLOYMENT, {"spec": {"template": {"metadata": template or {}}}})
    default: dict[str, Any] = {
        "namespaces": {"bookinfo": namespace_of("bookinfo", **(labels or {}))},
        "objects": {("Service", "bookinfo", "details"): SERVICE, ("Deployment", "bookinfo", "details-v1"): deployment},
        "waypoints": {REF: PROGRAMMED, SHARED: WAYPOINT_FOR_ALL, NEXT: named(PROGRAMMED, "next")},
        "settings": MeshSettings(installed=True),
    }
    return CurrentObjects(**(default | others))


def _refusals(desired: list[DesiredLabels] | DesiredLabels, current: CurrentObjects, **overrides: bool) -> list[str]:
    return refuse_enrollment(plan_enrollment([desired] if isinstance(desired, DesiredLabels) else desired, current), current, Overrides(**overrides))


SKIPS = "so traffic would silently bypass it and its L7 policies"


def _for(traffic: str | None) -> Object:
    """A waypoint for this kind of traffic."""
    return derived(PROGRAMMED, {"metadata": {"labels": {"istio.io/waypoint-for": traffic}}})


@pytest.mark.parametrize(
    ("desired", "current", "expected"),
    [
        pytest.param(DesiredLabels("Namespace", "bookinfo", dataplane_mode="ambient", waypoint="waypoint"), _current(), [], id="all-is-well"),
        pytest.param(DesiredLabels("Namespace", "bookinfo", waypoint="shared", waypoint_namespace="infra"), _current(), [], id="waypoint-allows-all"),
        pytest.param(DesiredLabels("Namespace", "bookinfo", waypoint="none"), _current(waypoints={}), [], id="opting-out-needs-no-waypoint"),
        pytest.param(DesiredLabels("Namespace", "bookinfo", waypoint=""), _current(waypoints={}), [], id="unbinding-needs-no-waypoint"),
        pytest.param(
            DesiredLabels("Namespace", "shop", dataplane_mode="ambient"),
            _current(),
            ["Namespace shop: namespace shop does not exist: create it first, or correct its name."],
            id="namespace-missing",
        ),
        pytest.param(
            DesiredLabels("Service", "cart", "shop", waypoint="waypoint"),
            _current(),
            ["Service shop/cart: namespace shop does not exist: create it first, or correct its name."],
            id="namespace-of-a-service-missing",
        ),
        pytest.param(
            DesiredLabels("Service", "cart", "bookinfo", waypoint="waypoint"),
            _current(),
            ["Service bookinfo/cart does not exist: create it first, or correct its name."],
            id="service-missing",
        ),
        pytest.param(
            DesiredLabels("Namespace", "shop", dataplane_mode="ambient"),
            _current(planned_namespaces=frozenset({"shop"})),
            [],
            id="namespace-planned-by-a-check-run",
        ),
        pytest.param(
            DesiredLabels("Namespace", "bookinfo", waypoint="reviews"),
            _current(),
            [f"Namespace bookinfo: waypoint bookinfo/reviews does not exist, {SKIPS}: create it first (module waypoint), or correct its name."],
            id="waypoint-missing",
        ),
        pytest.param(
            DesiredLabels("Namespace", "bookinfo", waypoint="reviews"),
            _current(planned_waypoints=frozenset({WaypointRef("bookinfo", "reviews")})),
            [],
            id="waypoint-planned-by-a-check-run",
        ),
        pytest.param(
            DesiredLabels("Namespace", "bookinfo", waypoint="waypoint"),
            _current(waypoints={REF: derived(PROGRAMMED, {"spec": {"gatewayClassName": "istio"}})}),
            ["Namespace bookinfo: Gateway bookinfo/waypoint is of class istio, not a waypoint: name a Gateway of class istio-waypoint."],
            id="not-a-waypoint",
        ),
        pytest.param(
            DesiredLabels("Namespace", "bookinfo", waypoint="waypoint"),
            _current(waypoints={REF: derived(PROGRAMMED, {"status": {"addresses": None}})}),
            [f"Namespace bookinfo: waypoint bookinfo/waypoint has no address yet, {SKIPS}: wait until it is ready first (module ready, kind waypoint)."],
            id="waypoint-not-ready",
        ),
        pytest.param(
            DesiredLabels("Service", "details", "bookinfo", waypoint="shared", waypoint_namespace="infra"),
            _current(waypoints={SHARED: named(PROGRAMMED, "shared", "infra")}),
            [f"Service bookinfo/details: waypoint infra/shared does not allow namespace bookinfo, {SKIPS}: widen allowed_routes of the waypoint."],
            id="waypoint-does-not-allow",
            marks=pytest.mark.requirement("H8"),
        ),
        pytest.param(
            DesiredLabels("Namespace", "bookinfo", waypoint="waypoint"),
            _current(waypoints={REF: with_condition(PROGRAMMED, "Programmed", status="False", reason="AddressNotUsable", message="no pod")}),
            [
                (
                    f"Namespace bookinfo: waypoint bookinfo/waypoint is not programmed (AddressNotUsable: no pod), {SKIPS}: "
                    "wait until it is ready first (module ready, kind waypoint)."
                )
            ],
            id="waypoint-with-an-address-is-not-programmed",
        ),
        pytest.param(
            DesiredLabels("Namespace", "bookinfo", waypoint="waypoint"),
            _current(waypoints={REF: without_condition(PROGRAMMED, "Programmed")}),
            [
                (
                    f"Namespace bookinfo: waypoint bookinfo/waypoint is not programmed (istiod has not reported on it), {SKIPS}: "
                    "wait until it is ready first (module ready, kind waypoint)."
                )
            ],
            id="waypoint-that-nobody-has-judged",
        ),
        pytest.param(
            DesiredLabels("Deployment", "details-v1", "bookinfo", waypoint="waypoint"),
            _current(),
            [
                (
                    f"Deployment bookinfo/details-v1: waypoint bookinfo/waypoint handles service traffic only (istio.io/waypoint-for), {SKIPS}: "
                    "name another waypoint, or change what it is for."
                )
            ],
            id="workload-with-a-waypoint-for-services",
        ),
        pytest.param(
            DesiredLabels("Deployment", "details-v1", "bookinfo", waypoint="shared", waypoint_namespace="infra"), _current(), [], id="workload-and-all"
        ),
        pytest.param(
            DesiredLabels("Service", "details", "bookinfo", waypoint="waypoint"),
            _current(waypoints={REF: _for("workload")}),
            [
                (
                    f"Service bookinfo/details: waypoint bookinfo/waypoint handles workload traffic only (istio.io/waypoint-for), {SKIPS}: "
                    "name another waypoint, or change what it is for."
                )
            ],
            id="service-with-a-waypoint-for-workloads",
        ),
        pytest.param(
            DesiredLabels("Namespace", "bookinfo", waypoint="waypoint"), _current(waypoints={REF: _for("workload")}), [], id="namespace-may-mean-its-pods"
        ),
        pytest.param(
            DesiredLabels("Deployment", "details-v1", "bookinfo", waypoint="waypoint"),
            _current(waypoints={REF: _for("workload")}),
            [],
            id="workload-with-a-waypoint-for-workloads",
        ),
        pytest.param(
            DesiredLabels("Service", "details", "bookinfo", waypoint="shared", waypoint_namespace="infra"),
            _current({"team": "shop"}, waypoints={SHARED: FOR_TEAM}),
            [],
            id="waypoint-that-selects-the-namespace",
        ),
        pytest.param(
            DesiredLabels("Service", "details", "bookinfo", waypoint="shared", waypoint_namespace="infra"),
            _current({"team": "bank"}, waypoints={SHARED: FOR_TEAM}),
            [f"Service bookinfo/details: waypoint infra/shared does not allow namespace bookinfo, {SKIPS}: widen allowed_routes of the waypoint."],
            id="waypoint-that-selects-other-namespaces",
        ),
        pytest.param(
            DesiredLabels("Namespace", "bookinfo", waypoint="waypoint"),
            _current(without_pods=frozenset({REF})),
            [
                (
                    "Namespace bookinfo: waypoint bookinfo/waypoint is programmed, but has no ready pod, so requests through it would fail: "
                    "wait until it is ready first (module ready, kind waypoint)."
                )
            ],
            id="waypoint-without-a-ready-pod",
        ),
        pytest.param(
            DesiredLabels("Namespace", "bookinfo", waypoint="waypoint"),
            _current(waypoints={REF: _for("none")}),
            [
                (
                    f"Namespace bookinfo: waypoint bookinfo/waypoint handles nothing (istio.io/waypoint-for), {SKIPS}: "
                    "name another waypoint, or change what it is for."
                )
            ],
            id="waypoint-for-nothing",
        ),
        pytest.param(
            DesiredLabels("Service", "details", "bookinfo", waypoint="waypoint"),
            _current(waypoints={REF: _for(None)}),
            [],
            id="a-waypoint-that-does-not-say-is-for-services",
        ),
        pytest.param(
            DesiredLabels("Namespace", "bookinfo", dataplane_mode="ambient"),
            _current({"istio-injection": "enabled"}),
            ["Namespace bookinfo carries istio-injection=enabled, so its new pods would get sidecars instead of ambient mesh: remove that label first."],
            id="injection",
        ),
        pytest.param(
            DesiredLabels("Namespace", "bookinfo", dataplane_mode="ambient"),
            _current({"istio.io/rev": "1-31"}),
            ["Namespace bookinfo carries istio.io/rev=1-31, so its new pods would get sidecars instead of ambient mesh: remove that label first."],
            id="injection-by-revision",
        ),
        pytest.param(DesiredLabels("Namespace", "bookinfo", dataplane_mode="ambient"), _current({"istio-injection": "disabled"}), [], id="injection-disabled"),
        pytest.param(DesiredLabels("Namespace", "bookinfo", dataplane_mode=""), _current({"istio-injection": "enabled"}), [], id="leaving-with-injection"),
        pytest.param(DesiredLabels("Namespace", "bookinfo", waypoint="waypoint"), _current({"istio-injection": "enabled"}), [], id="binding-with-injection"),
        pytest.param(
            DesiredLabels("Deployment", "details-v1", "bookinfo", dataplane_mode="ambient"),
            _current({"istio-injection": "enabled"}),
            [
                (
                    "Deployment bookinfo/details-v1 is in namespace bookinfo, which carries istio-injection=enabled, so its new pods would get sidecars "
                    "instead of ambient mesh: remove that label, or label the pod template sidecar.istio.io/inject=false, first."
                )
            ],
            id="workload-in-a-namespace-with-injection",
        ),
        pytest.param(
            DesiredLabels("Deployment", "details-v1", "bookinfo", dataplane_mode="ambient"),
            _current({"istio-injection": "enabled"}, template={"labels": {"sidecar.istio.io/inject": "false"}}),
            [],
            id="workload-that-opts-out-of-injection",
        ),
        pytest.param(
            DesiredLabels("Deployment", "details-v1", "bookinfo", dataplane_mode="ambient"),
            _current({"istio-injection": "enabled"}, template={"annotations": {"sidecar.istio.io/inject": "false"}}),
            [],
            id="workload-that-opts-out-of-injection-in-the-old-way",
        ),
        pytest.param(
            DesiredLabels("Deployment", "details-v1", "bookinfo", dataplane_mode="ambient"),
            _current(template={"labels": {"sidecar.istio.io/inject": "true"}}),
            [
                (
                    "Deployment bookinfo/details-v1 carries sidecar.istio.io/inject=true in its pod template, so its new pods would get sidecars "
                    "instead of ambient mesh: remove that label first."
                )
            ],
            id="workload-that-asks-for-injection",
        ),
        pytest.param(
            DesiredLabels("Deployment", "details-v1", "bookinfo", dataplane_mode="ambient"),
            _current(template={"labels": {"istio.io/rev": "1-31"}}),
            [
                (
                    "Deployment bookinfo/details-v1 carries istio.io/rev=1-31 in its pod template, so its new pods would get sidecars "
                    "instead of ambient mesh: remove that label first."
                )
            ],
            id="workload-that-asks-for-a-revisions-injection",
        ),
        pytest.param(
            DesiredLabels("Deployment", "details-v1", "bookinfo", dataplane_mode="ambient"),
            _current({"istio-injection": "disabled"}, template={"labels": {"sidecar.istio.io/inject": "true"}}),
            [],
            id="workload-asks-in-vain-where-injection-is-disabled",
        ),
        pytest.param(
            DesiredLabels("Deployment", "details-v1", "bookinfo", dataplane_mode="none"),
            _current(template={"labels": {"sidecar.istio.io/inject": "true"}}),
            [],
            id="workload-out-of-the-mesh-with-injection",
        ),
    ],
)
def test_refuse_enrollment(desired: DesiredLabels, current: CurrentObjects, expected: list[str]) -> None:
    assert _refusals(desired, current) == expected


def test_a_revision_injects_nothing_where_injection_is_disabled() -> None:
    """Istio's webhook for revisions wants that the namespace has no label istio-injection at all (mutatingwebhookconfiguration/injector_serving)."""
    desired = DesiredLabels("Namespace", "bookinfo", dataplane_mode="ambient")
    assert _refusals(desired, _current({"istio-injection": "disabled", "istio.io/rev": "default"})) == []


def test_guards_can_be_lifted_one_by_one() -> None:
    desired = DesiredLabels("Namespace", "bookinfo", dataplane_mode="ambient", waypoint="reviews")
    current = _current({"istio-injection": "enabled"})
    assert len(_refusals(desired, current)) == 2
    (injection,) = _refusals(desired, current, unsafe_binding=True)
    (binding,) = _refusals(desired, current, injection_labels=True)
    assert "sidecars" in injection
    assert "does not exist" in binding
    assert _refusals(desired, current, unsafe_binding=True, injection_labels=True) == []


def test_no_option_lifts_a_missing_namespace() -> None:
    assert len(_refusals(DesiredLabels("Namespace", "shop"), _current(), unsafe_binding=True, injection_labels=True)) == 1


# Waypoint canaries.

ALONE = "would not be used, because no waypoint is set beside it: bind the object to a waypoint as well (use_waypoint)."


@pytest.mark.parametrize(
    ("desired", "current", "expected"),
    [
        pytest.param([DesiredLabels("Namespace", "bookinfo", canary="next", weight="10")], _current({USE: "waypoint"}), [], id="all-is-well"),
        pytest.param([DesiredLabels("Namespace", "bookinfo", waypoint="waypoint", canary="next")], _current(), [], id="both-at-once"),
        pytest.param([DesiredLabels("Service", "details", "bookinfo", canary="next")], _current({USE: "waypoint"}), [], id="beside-the-namespaces-waypoint"),
        pytest.param(
            [DesiredLabels("Namespace", "bookinfo", waypoint="waypoint"), DesiredLabels("Service", "details", "bookinfo", canary="next")],
            _current(),
            [],
            id="beside-the-waypoint-that-the-namespace-gets",
        ),
        pytest.param(
            [DesiredLabels("Namespace", "bookinfo", canary="next")],
            _current(),
            [f"Namespace bookinfo: canary bookinfo/next {ALONE}"],
            id="beside-no-waypoint",
        ),
        pytest.param(
            [DesiredLabels("Namespace", "bookinfo", waypoint=""), DesiredLabels("Service", "details", "bookinfo", canary="next")],
            _current({USE: "waypoint"}),
            [f"Service bookinfo/details: canary bookinfo/next {ALONE}"],
            id="beside-a-waypoint-that-the-namespace-loses",
        ),
        pytest.param(
            [DesiredLabels("Namespace", "bookinfo", canary="waypoint")],
            _current({USE: "waypoint"}),
            ["Namespace bookinfo: canary bookinfo/waypoint is the waypoint itself: name another one, or remove the canary with an empty string."],
            id="the-waypoint-itself",
        ),
        pytest.param(
            [DesiredLabels("Namespace", "bookinfo", canary="shared", canary_namespace="infra")],
            _current({USE: "shared"}, waypoints={WaypointRef("bookinfo", "shared"): named(PROGRAMMED, "shared"), SHARED: WAYPOINT_FOR_ALL}),
            [],
            id="a-waypoint-of-that-name-in-another-namespace",
        ),
        pytest.param(
            [DesiredLabels("Namespace", "bookinfo", canary="shared", canary_namespace="infra")],
            _current({USE: "shared", f"{USE}-namespace": "infra"}),
            ["Namespace bookinfo: canary infra/shared is the waypoint itself: name another one, or remove the canary with an empty string."],
            id="the-waypoint-itself-in-another-namespace",
        ),
        pytest.param(
            [DesiredLabels("Service", "details", "bookinfo", canary="waypoint", canary_namespace="bookinfo")],
            _current({USE: "waypoint"}),
            ["Service bookinfo/details: canary bookinfo/waypoint is the waypoint itself: name another one, or remove the canary with an empty string."],
            id="the-namespaces-waypoint-itself",
        ),
        pytest.param(
            [DesiredLabels("Namespace", "bookinfo", waypoint="next")],
            _current({USE: "waypoint", CANARY: "next"}),
            ["Namespace bookinfo: canary bookinfo/next is the waypoint itself: name another one, or remove the canary with an empty string."],
            id="promoted-and-not-taken-away",
        ),
        pytest.param([DesiredLabels("Namespace", "bookinfo", waypoint="next", canary="")], _current({USE: "waypoint", CANARY: "next"}), [], id="promoted"),
        pytest.param([DesiredLabels("Namespace", "bookinfo", waypoint="")], _current({USE: "waypoint", CANARY: "next"}), [], id="unbound-with-a-canary-left"),
        pytest.param(
            [DesiredLabels("Namespace", "bookinfo", weight="10")],
            _current({USE: "waypoint"}),
            ["Namespace bookinfo: a weight is set, but there is no canary: set the waypoint of the canary as well."],
            id="weight-of-nothing",
        ),
        pytest.param([DesiredLabels("Service", "details", "bookinfo", weight="10")], _current({USE: "waypoint", CANARY: "next"}), [], id="weight-of-its-own"),
        pytest.param(
            [DesiredLabels("Namespace", "bookinfo", canary="missing")],
            _current({USE: "waypoint"}),
            [f"Namespace bookinfo: canary bookinfo/missing does not exist, {SKIPS}: create it first (module waypoint), or correct its name."],
            id="missing",
        ),
        pytest.param(
            [DesiredLabels("Namespace", "bookinfo", canary="missing")],
            _current({USE: "waypoint"}, planned_waypoints=frozenset({WaypointRef("bookinfo", "missing")})),
            [],
            id="planned-by-a-check-run",
        ),
        pytest.param(
            [DesiredLabels("Namespace", "bookinfo", canary="next")],
            _current({USE: "waypoint"}, waypoints={NEXT: derived(named(PROGRAMMED, "next"), {"status": {"addresses": []}})}),
            [f"Namespace bookinfo: canary bookinfo/next has no address yet, {SKIPS}: wait until it is ready first (module ready, kind waypoint)."],
            id="not-ready",
        ),
        pytest.param(
            [DesiredLabels("Namespace", "bookinfo", canary="shared", canary_namespace="infra")],
            _current({USE: "waypoint"}, waypoints={SHARED: named(PROGRAMMED, "shared", "infra")}),
            [f"Namespace bookinfo: canary infra/shared does not allow namespace bookinfo, {SKIPS}: widen allowed_routes of the waypoint."],
            id="not-allowed",
        ),
        pytest.param(
            [DesiredLabels("Namespace", "bookinfo", canary="next")],
            _current({USE: "waypoint"}, waypoints={NEXT: derived(named(PROGRAMMED, "next"), {"spec": {"gatewayClassName": "istio"}})}),
            ["Namespace bookinfo: Gateway bookinfo/next is of class istio, not a waypoint: name a Gateway of class istio-waypoint."],
            id="not-a-waypoint",
        ),
        pytest.param(
            [DesiredLabels("Namespace", "bookinfo", canary="next")],
            _current({USE: "waypoint"}, waypoints={NEXT: named(_for("workload"), "next")}),
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
def test_canaries(desired: list[DesiredLabels], current: CurrentObjects, expected: list[str]) -> None:
    assert _refusals(desired, current) == expected


def _istiod(version: str | None) -> Object:
    return derived(ISTIOD, {"metadata": {"labels": {"app.kubernetes.io/version": version}}})


NEEDS = "and a waypoint canary needs Istio 1.31 or newer: upgrade it first, or remove the canary."


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
        ("latest", [f"Deployment istio-system/istiod does not report its version (label app.kubernetes.io/version), {NEEDS}"]),
        (None, [f"Deployment istio-system/istiod does not report its version (label app.kubernetes.io/version), {NEEDS}"]),
    ],
)
def test_a_canary_needs_an_istiod_that_knows_it(version: str | None, expected: list[str]) -> None:
    current = _current({USE: "waypoint"}, istiods=[_istiod(version)])
    assert _refusals(DesiredLabels("Namespace", "bookinfo", canary="next"), current) == expected
    assert _refusals(DesiredLabels("Namespace", "bookinfo", canary=""), current) == []
    assert _refusals(DesiredLabels("Namespace", "bookinfo", canary="next"), current, unsafe_binding=True) == []


# Namespaces that Istio leaves alone.


def test_a_namespace_that_the_agent_excludes() -> None:
    current = _current(settings=MeshSettings(frozenset({"bookinfo"}), installed=True))
    expected = (
        "is in excludeNamespaces of the istio-cni chart, so its pods would never be captured: remove it from that list (role istio), or do not enroll it."
    )
    desired = [
        DesiredLabels("Namespace", "bookinfo", dataplane_mode="ambient"),
        DesiredLabels("Deployment", "details-v1", "bookinfo", dataplane_mode="ambient"),
    ]
    assert _refusals(desired, current) == [f"{one.title}: namespace bookinfo {expected}" for one in desired]
    assert _refusals(desired, current, excluded_namespaces=True) == []
    assert _refusals(DesiredLabels("Namespace", "bookinfo", dataplane_mode=""), current) == []


def test_nothing_is_excluded_where_no_agent_is_installed() -> None:
    desired = DesiredLabels("Namespace", "bookinfo", dataplane_mode="ambient")
    assert _refusals(desired, _current(settings=MeshSettings(frozenset({"bookinfo"})))) == []


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
    current = _current(labels, settings=MeshSettings(discovery_selectors=(({"matchLabels": {"other": "x"}}, selector),), installed=True))
    desired = DesiredLabels("Namespace", "bookinfo", dataplane_mode="ambient")
    expected = (
        "Namespace bookinfo: meshConfig.discoverySelectors hide namespace bookinfo from istiod, so the mesh would not know its pods: "
        "add a label that one of them selects, or widen them (role istio)."
    )
    assert _refusals(desired, current) == ([expected] if hidden else [])
    assert _refusals(desired, current, hidden_namespaces=True) == []
    assert _refusals(DesiredLabels("Namespace", "bookinfo", waypoint="waypoint"), current) == []


def test_one_istiod_that_sees_the_namespace_is_enough() -> None:
    settings = MeshSettings(discovery_selectors=(({"matchLabels": {"mesh": "blue"}},), ({"matchLabels": {"mesh": "green"}},)), installed=True)
    desired = DesiredLabels("Namespace", "bookinfo", dataplane_mode="ambient")
    assert _refusals(desired, _current({"mesh": "green"}, settings=settings)) == []
    assert len(_refusals(desired, _current({"mesh": "red"}, settings=settings))) == 1


# Labels that somebody else declares.


@pytest.mark.parametrize(
    ("operation", "mode", "refused"),
    [("Apply", "none", True), ("Apply", "ambient", False), ("Update", "none", False)],
    ids=["declared-and-changed", "declared-and-as-desired", "set-by-hand-and-changed"],
)
def test_what_is_declared_by_another_is_not_changed(operation: str, mode: str, refused: bool) -> None:
    fields = {"manager": "argocd-controller", "operation": operation, "fieldsV1": {"f:metadata": {"f:labels": {f"f:{MODE}": {}}}}}
    current = _current(namespaces={"bookinfo": derived(namespace_of("bookinfo", **{MODE: "ambient"}), {"metadata": {"managedFields": [fields]}})})
    desired = DesiredLabels("Namespace", "bookinfo", dataplane_mode=mode)
    expected = (
        "Namespace bookinfo: istio.io/dataplane-mode is declared by the field manager argocd-controller (server-side apply): "
        "change it there, or set force_conflicts to take it over."
    )
    assert _refusals(desired, current) == ([expected] if refused else [])
    assert _refusals(desired, current, conflicts=True) == []


@pytest.mark.parametrize(
    ("desired", "bound"),
    [
        pytest.param([], True, id="keeps-its-label"),
        pytest.param([DesiredLabels("Service", "details", "bookinfo", waypoint="")], False, id="loses-it-in-the-same-task"),
    ],
)
def test_a_service_of_a_namespace_that_leaves_keeps_its_waypoint(desired: list[DesiredLabels], bound: bool) -> None:
    current = _current({MODE: "ambient"}, objects={("Service", "bookinfo", "details"): derived(SERVICE, {"metadata": {"labels": {USE: "waypoint"}}})})
    warnings = find_warnings(list(plan_enrollment([DesiredLabels("Namespace", "bookinfo", dataplane_mode=""), *desired], current)), current)
    assert bool([warning for warning in warnings if "keep their own label istio.io/use-waypoint: bookinfo/details." in warning]) is bound, warnings


def test_each_object_has_its_refusal() -> None:
    missing = [DesiredLabels("Namespace", name, dataplane_mode="ambient") for name in ("shop", "bank")]
    assert [refusal.split(":")[0] for refusal in _refusals(missing, _current())] == ["Namespace shop", "Namespace bank"]
