from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._mesh.waypoint import Waypoint, WaypointRef, render_waypoint
from ansible_collections.meshwright.ambient.plugins.module_utils._mesh.waypoint_plan import WaypointWish, plan_waypoints, refuse_waypoints
from tests.unit.objects import Object, derived, named, namespace_of, recorded

REF = WaypointRef("bookinfo", "waypoint")
PROGRAMMED = recorded("gateway/waypoint_programmed")
DEFAULT = {"for": "service", "allowed_routes.from": "Same"}
SELECTOR = {"matchLabels": {"team": "shop"}}


def _wish(ref: WaypointRef = REF, **fields: Any) -> WaypointWish:
    return WaypointWish(ref, Waypoint(ref, **fields))


ABSENT = WaypointWish(REF, None)


@pytest.mark.parametrize(
    ("wish", "gateway", "action", "before", "after"),
    [
        pytest.param(_wish(), None, "created", {}, DEFAULT, id="created"),
        pytest.param(_wish(), PROGRAMMED, "unchanged", DEFAULT, DEFAULT, id="as-the-api-server-filled-it-in"),
        pytest.param(_wish(traffic="all"), PROGRAMMED, "changed", DEFAULT, DEFAULT | {"for": "all"}, id="traffic-changed"),
        pytest.param(_wish(allowed_from="All"), PROGRAMMED, "changed", DEFAULT, DEFAULT | {"allowed_routes.from": "All"}, id="widened"),
        pytest.param(
            _wish(allowed_from="Selector", allowed_selector=SELECTOR),
            PROGRAMMED,
            "changed",
            DEFAULT,
            DEFAULT | {"allowed_routes.from": "Selector", "allowed_routes.selector": SELECTOR},
            id="widened-by-selector",
        ),
        pytest.param(_wish(revision="1-31"), PROGRAMMED, "changed", DEFAULT, DEFAULT | {"revision": "1-31"}, id="revision-wished"),
        pytest.param(
            _wish(),
            derived(PROGRAMMED, {"metadata": {"labels": {"istio.io/rev": "1-31"}}}),
            "unchanged",
            DEFAULT | {"revision": "1-31"},
            DEFAULT | {"revision": "1-31"},
            id="revision-of-somebody-else",
        ),
        pytest.param(_wish(), derived(PROGRAMMED, {"spec": {"listeners": None}}), "changed", {}, DEFAULT, id="without-its-listener"),
        pytest.param(ABSENT, PROGRAMMED, "deleted", DEFAULT, {}, id="deleted"),
        pytest.param(ABSENT, None, "unchanged", {}, {}, id="already-gone"),
    ],
)
def test_plan_waypoints(wish: WaypointWish, gateway: Object | None, action: str, before: dict[str, Any], after: dict[str, Any]) -> None:
    (change,) = plan_waypoints([wish], {REF: gateway} if gateway else {})
    assert (change.action, change.before, change.after) == (action, before, after)
    assert change.changed is (action != "unchanged")
    assert change.manifest == (render_waypoint(wish.waypoint) if wish.waypoint else {})


def test_a_revision_of_somebody_else_stays_when_something_else_changes() -> None:
    gateway = derived(PROGRAMMED, {"metadata": {"labels": {"istio.io/rev": "1-31"}}})
    (change,) = plan_waypoints([_wish(traffic="all")], {REF: gateway})
    assert change.after == DEFAULT | {"for": "all", "revision": "1-31"}


@pytest.mark.parametrize(
    "waypoint",
    [
        Waypoint(REF),
        Waypoint(REF, traffic="workload"),
        Waypoint(REF, allowed_from="All", revision="1-31"),
        Waypoint(REF, allowed_from="Selector", allowed_selector=SELECTOR),
    ],
    ids=["default", "workload", "all-and-revision", "selector"],
)
def test_a_second_run_changes_nothing(waypoint: Waypoint) -> None:
    (change,) = plan_waypoints([WaypointWish(REF, waypoint)], {REF: render_waypoint(waypoint)})
    assert not change.changed


def test_waypoints_are_planned_in_the_order_of_the_wishes() -> None:
    other = WaypointRef("bookinfo", "reviews")
    changes = plan_waypoints([_wish(other), _wish()], {REF: PROGRAMMED})
    assert [(change.wish.ref, change.action) for change in changes] == [(other, "created"), (REF, "unchanged")]


def _refusals(*wishes: WaypointWish, gateway: Object | None = None, users: dict[str, list[Object]] | None = None) -> list[str]:
    return refuse_waypoints(wishes, {REF: gateway} if gateway else {}, {"bookinfo"}, users or {})


GO_ON = "whose traffic would go on without L7 policies: unbind them first (module enrollment)."
BOUND_NAMESPACE = recorded("namespace/enrolled")
BOUND_SERVICE = derived(recorded("service/bound"), {"metadata": {"labels": {"istio.io/use-waypoint": "waypoint"}}})
BOUND_FROM_ELSEWHERE = namespace_of("shop", **{"istio.io/use-waypoint": "waypoint", "istio.io/use-waypoint-namespace": "bookinfo"})


@pytest.mark.parametrize(
    ("wishes", "gateway", "users", "expected"),
    [
        pytest.param([_wish()], None, {}, [], id="nothing-against-a-new-one"),
        pytest.param([_wish()], PROGRAMMED, {"Namespace": [BOUND_NAMESPACE]}, [], id="nothing-against-changing-a-used-one"),
        pytest.param([ABSENT], PROGRAMMED, {}, [], id="nothing-against-deleting-an-unused-one"),
        pytest.param([ABSENT], None, {"Namespace": [BOUND_NAMESPACE]}, [], id="nothing-against-what-is-gone-already"),
        pytest.param([WaypointWish(WaypointRef("gone", "waypoint"), None)], None, {}, [], id="its-namespace-may-be-gone-too"),
        pytest.param(
            [_wish(), _wish()], None, {}, ["Waypoint bookinfo/waypoint is named more than once in this task: keep one of the items."], id="named-twice"
        ),
        pytest.param(
            [_wish(WaypointRef("bookinfo", "none"))],
            None,
            {},
            ["Waypoint bookinfo/none: the name none opts out where a waypoint is named, so no waypoint can have it: choose another."],
            id="named-none",
        ),
        pytest.param(
            [_wish(WaypointRef("shop", "waypoint"))],
            None,
            {},
            ["Waypoint shop/waypoint: namespace shop does not exist: create it first, or correct its name."],
            id="namespace-missing",
        ),
        pytest.param(
            [_wish()],
            derived(PROGRAMMED, {"spec": {"gatewayClassName": "istio"}}),
            {},
            ["Waypoint bookinfo/waypoint: a Gateway of class istio has this name: choose another name."],
            id="name-taken",
        ),
        pytest.param(
            [ABSENT],
            PROGRAMMED,
            {"Service": [BOUND_SERVICE], "Namespace": [BOUND_FROM_ELSEWHERE, BOUND_NAMESPACE, namespace_of("store", **{"istio.io/use-waypoint": "waypoint"})]},
            [
                f"Waypoint bookinfo/waypoint is used by Namespace bookinfo, Namespace shop, Service bookinfo/details, {GO_ON}",
            ],
            id="still-used",
        ),
        pytest.param(
            [ABSENT],
            PROGRAMMED,
            {"Service": [named(BOUND_SERVICE, f"s{number:02}") for number in range(12)]},
            [
                f"Waypoint bookinfo/waypoint is used by {', '.join(f'Service bookinfo/s{number:02}' for number in range(10))} and 2 more, {GO_ON}",
            ],
            id="used-by-many",
        ),
    ],
)
def test_refuse_waypoints(wishes: list[WaypointWish], gateway: Object | None, users: dict[str, list[Object]], expected: list[str]) -> None:
    assert _refusals(*wishes, gateway=gateway, users=users) == expected


def test_all_refusals_are_told_at_once() -> None:
    refusals = _refusals(ABSENT, _wish(WaypointRef("shop", "none")), gateway=PROGRAMMED, users={"Namespace": [BOUND_NAMESPACE]})
    assert len(refusals) == 3
