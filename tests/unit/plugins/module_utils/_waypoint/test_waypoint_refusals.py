from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._mesh.revisions import Revisions
from ansible_collections.meshwright.ambient.plugins.module_utils._waypoint.gateway import Waypoint, WaypointRef
from ansible_collections.meshwright.ambient.plugins.module_utils._waypoint.plan import WaypointSnapshot, WaypointWish, plan_waypoints
from ansible_collections.meshwright.ambient.plugins.module_utils._waypoint.refusals import Surroundings, refuse_changes, refuse_wishes
from ansible_collections.meshwright.ambient.plugins.module_utils._waypoint.users import User
from tests.unit.objects import Object, derived, namespace_of, recorded

REF = WaypointRef("bookinfo", "waypoint")
PROGRAMMED = recorded("gateway/waypoint_programmed")
ABSENT = WaypointWish(REF, None)
BOOKINFO = {"bookinfo": namespace_of("bookinfo")}
FIXED: dict[str, Any] = {"deployment": {"spec": {"replicas": 3}}}
ONE = Revisions({"1-31": frozenset({"1-31", "prod"})}, "1-31")
NO_DEFAULT = Revisions({"1-31": frozenset({"1-31"})}, None)
GO_ON = "whose traffic would go on without L7 policies: unbind them first (module enrollment), or set detach."


def _wish(ref: WaypointRef = REF, **fields: Any) -> WaypointWish:
    return WaypointWish(ref, Waypoint(ref, **fields))


def _refusals(wish: WaypointWish, gateway: Object | None = None, config_map: Object | None = None, **surroundings: Any) -> list[str]:
    snapshot = WaypointSnapshot({REF: gateway} if gateway else {}, {REF: config_map} if config_map else {})
    return refuse_changes(plan_waypoints([wish], snapshot), snapshot, Surroundings(**{"namespaces": BOOKINFO, **surroundings}))


@pytest.mark.parametrize(
    ("wishes", "expected"),
    [
        pytest.param([_wish()], [], id="nothing"),
        pytest.param([_wish(), _wish()], ["Waypoint bookinfo/waypoint is named more than once in this task: keep one of the items."], id="twice"),
        pytest.param(
            [_wish(WaypointRef("bookinfo", "none"))],
            ["Waypoint bookinfo/none: the name none opts out where a waypoint is named, so no waypoint can have it: choose another."],
            id="none",
        ),
        pytest.param(
            [WaypointWish(REF, Waypoint(REF), ("this.", "that."))], ["Waypoint bookinfo/waypoint: this.", "Waypoint bookinfo/waypoint: that."], id="options"
        ),
    ],
)
def test_refuse_wishes(wishes: list[WaypointWish], expected: list[str]) -> None:
    assert refuse_wishes(wishes) == expected


@pytest.mark.parametrize(
    ("wish", "gateway", "surroundings", "expected"),
    [
        pytest.param(_wish(), None, {}, [], id="nothing-against-a-new-one"),
        pytest.param(_wish(), PROGRAMMED, {"users": {REF: [User("Namespace", "bookinfo")]}}, [], id="nothing-against-changing-a-used-one"),
        pytest.param(ABSENT, PROGRAMMED, {}, [], id="nothing-against-deleting-an-unused-one"),
        pytest.param(ABSENT, None, {"users": {REF: [User("Namespace", "bookinfo")]}}, [], id="nothing-against-what-is-gone-already"),
        pytest.param(ABSENT, None, {"namespaces": {}}, [], id="its-namespace-may-be-gone-too"),
        pytest.param(
            _wish(),
            None,
            {"namespaces": {}},
            ["Waypoint bookinfo/waypoint: namespace bookinfo does not exist: create it first, or correct its name."],
            id="namespace-missing",
        ),
        pytest.param(
            _wish(),
            derived(PROGRAMMED, {"spec": {"gatewayClassName": "istio"}}),
            {},
            ["Waypoint bookinfo/waypoint: a Gateway of class istio has this name: choose another name."],
            id="a-gateway-of-another-class",
        ),
        pytest.param(
            ABSENT,
            PROGRAMMED,
            {"users": {REF: [User("Namespace", "bookinfo", inheriting=2), User("Service", "details", "bookinfo", canary=True)]}},
            [f"Waypoint bookinfo/waypoint is used by Namespace bookinfo (with 2 Services), Service bookinfo/details (as canary), {GO_ON}"],
            id="still-used",
        ),
        pytest.param(
            _wish(),
            None,
            {"taken": {REF: ["Service", "Deployment"]}},
            [
                f"Waypoint bookinfo/waypoint: namespace bookinfo has a {kind} of this name that istiod did not make, so it would leave it as it is, "
                "and the waypoint would never be programmed: choose another name."
                for kind in ("Deployment", "Service")
            ],
            id="name-taken",
        ),
        pytest.param(
            _wish(),
            None,
            {"taken": {REF: ["ServiceAccount"]}},
            [
                (
                    "Waypoint bookinfo/waypoint: namespace bookinfo has a ServiceAccount of this name that istiod did not make, so the waypoint's pods "
                    "would run under somebody else's identity: choose another name."
                )
            ],
            id="identity-taken",
        ),
        pytest.param(
            _wish(overlays=FIXED),
            None,
            {"others_parameters": frozenset({REF}), "force_conflicts": True},
            [
                (
                    "Waypoint bookinfo/waypoint: ConfigMap bookinfo/waypoint-parameters is somebody else's, and the parameters need this name: "
                    "rename that one, or the waypoint."
                )
            ],
            id="config-map-of-somebody-else",
        ),
    ],
)
def test_refuse_changes(wish: WaypointWish, gateway: Object | None, surroundings: dict[str, Any], expected: list[str]) -> None:
    assert _refusals(wish, gateway, **surroundings) == expected


THEIRS = derived(PROGRAMMED, {"spec": {"infrastructure": {"parametersRef": {"group": "", "kind": "ConfigMap", "name": "theirs"}}}})


def test_parameters_of_somebody_else_are_replaced_only_on_request() -> None:
    assert _refusals(_wish(), THEIRS) == []
    assert _refusals(_wish(overlays=FIXED), THEIRS, force_conflicts=True) == []
    assert _refusals(_wish(overlays=FIXED), THEIRS) == [
        (
            "Waypoint bookinfo/waypoint takes its parameters from ConfigMap theirs, which somebody else made: "
            "move them into option overlays and set force_conflicts, or leave out the options that need parameters."
        )
    ]


def test_keys_that_somebody_has_added_are_taken_out_only_on_request() -> None:
    config_map = {"metadata": {"labels": {"app.kubernetes.io/managed-by": "meshwright"}}, "data": {"deploymnet": "{}"}}
    assert _refusals(_wish(overlays=FIXED), PROGRAMMED, config_map, force_conflicts=True) == []
    assert _refusals(_wish(overlays=FIXED), PROGRAMMED, config_map) == [
        (
            "Waypoint bookinfo/waypoint: somebody has added deploymnet to ConfigMap bookinfo/waypoint-parameters, and they would stay there: "
            "take them out, or set force_conflicts."
        )
    ]


UNOWNED = "so it would wait for a controller for ever: name another revision, or set allow_unowned_revision when its istiod is yet to come."


@pytest.mark.parametrize(
    ("wish", "gateway", "namespace", "revisions", "expected"),
    [
        pytest.param(_wish(), None, {}, ONE, "", id="the-default-owns-it"),
        pytest.param(_wish(revision="prod"), None, {}, ONE, "", id="a-tag-owns-it"),
        pytest.param(_wish(revision="1-99"), None, {}, None, "", id="not-asked"),
        pytest.param(_wish(revision="1-99"), None, {}, ONE, "it names revision 1-99, but the istiods of this cluster have 1-31, prod,", id="unknown"),
        pytest.param(_wish(), None, {"istio.io/rev": "1-99"}, ONE, "namespace bookinfo names revision 1-99, but", id="by-its-namespace"),
        pytest.param(_wish(revision="prod"), None, {"istio.io/rev": "1-99"}, ONE, "", id="its-own-word-goes-first"),
        pytest.param(_wish(), None, {}, NO_DEFAULT, "it names no revision, and no istiod is the default one, but", id="no-default"),
        pytest.param(_wish(), None, {}, Revisions(), "it names no revision, and no istiod is the default one, but this cluster has no istiod,", id="no-istiod"),
        pytest.param(_wish(), PROGRAMMED, {}, Revisions(), "", id="unchanged"),
        pytest.param(
            _wish(traffic="all"),
            derived(PROGRAMMED, {"metadata": {"labels": {"istio.io/rev": "1-99"}}}),
            {},
            ONE,
            "it names revision 1-99, but",
            id="named-by-somebody-else",
        ),
        pytest.param(ABSENT, PROGRAMMED, {}, Revisions(), "", id="to-be-deleted"),
    ],
)
def test_a_revision_that_nobody_owns(wish: WaypointWish, gateway: Object | None, namespace: dict[str, str], revisions: Revisions | None, expected: str) -> None:
    refusals = _refusals(wish, gateway, namespaces={"bookinfo": namespace_of("bookinfo", **namespace)}, revisions=revisions)
    if not expected:
        assert refusals == []
        return
    (refusal,) = refusals
    assert refusal.startswith(f"Waypoint bookinfo/waypoint: {expected}")
    assert refusal.endswith(UNOWNED)


def test_all_refusals_are_told_at_once() -> None:
    wish = _wish(revision="1-99", overlays=FIXED)
    refusals = _refusals(wish, None, namespaces={}, taken={REF: ["Service"]}, others_parameters=frozenset({REF}), revisions=ONE)
    assert len(refusals) == 4
