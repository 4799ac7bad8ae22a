from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._mesh.revisions import Revisions
from ansible_collections.meshwright.ambient.plugins.module_utils._mesh.waypoints import WaypointRef
from ansible_collections.meshwright.ambient.plugins.module_utils._waypoint.plan import CurrentWaypoints, plan_waypoints
from ansible_collections.meshwright.ambient.plugins.module_utils._waypoint.refusals import (
    Context,
    list_validation_errors,
    refuse_waypoints,
    warn_of_abandoned_users,
)
from ansible_collections.meshwright.ambient.plugins.module_utils._waypoint.spec import DesiredWaypoint, Overrides, Waypoint
from tests.unit.objects import Object, derived, named, namespace_of, recorded

REF = WaypointRef("bookinfo", "waypoint")
PROGRAMMED = recorded("gateway/waypoint_programmed")
ABSENT = DesiredWaypoint(REF, None)
BOOKINFO = {"bookinfo": namespace_of("bookinfo")}
FIXED: dict[str, Any] = {"deployment": {"spec": {"replicas": 3}}}
ONE = Revisions({"1-31": frozenset({"1-31", "prod"})}, "1-31")
NO_DEFAULT = Revisions({"1-31": frozenset({"1-31"})}, None)
USERS = {
    "Namespace": [namespace_of("bookinfo", **{"istio.io/use-waypoint": "waypoint"})],
    "Service": [
        named(recorded("service/bound"), "ratings"),
        derived(recorded("service/bound"), {"metadata": {"labels": {"istio.io/use-waypoint-canary": "waypoint"}}}),
    ],
}
GO_ON = "whose traffic would continue without L7 policies: unbind them first (module enrollment), or set detach."


def _desired(ref: WaypointRef = REF, **fields: Any) -> DesiredWaypoint:
    return DesiredWaypoint(ref, Waypoint(ref, **fields))


def _refusals(desired: DesiredWaypoint, gateway: Object | None = None, config_map: Object | None = None, **known: Any) -> list[str]:
    """The refusals on a cluster of which some facts are known: attributes of CurrentWaypoints and of Context."""
    current = CurrentWaypoints(
        namespaces=known.pop("namespaces", BOOKINFO),
        gateways={REF: gateway} if gateway else {},
        parameters={REF: config_map} if config_map else {},
        users=known.pop("users", {}),
    )
    return refuse_waypoints(plan_waypoints([desired], current), current, Context(**known))


@pytest.mark.parametrize(
    ("desired", "expected"),
    [
        pytest.param([_desired()], [], id="nothing"),
        pytest.param([_desired(), _desired()], ["Waypoint bookinfo/waypoint is listed more than once in this task: keep one of the items."], id="twice"),
        pytest.param(
            [_desired(WaypointRef("bookinfo", "none"))],
            ["Waypoint bookinfo/none: the name none is reserved for opting out, so no waypoint can have it: choose another."],
            id="none",
        ),
        pytest.param(
            [DesiredWaypoint(REF, Waypoint(REF), ("this.", "that."))], ["Waypoint bookinfo/waypoint: this.", "Waypoint bookinfo/waypoint: that."], id="options"
        ),
    ],
)
def test_list_validation_errors(desired: list[DesiredWaypoint], expected: list[str]) -> None:
    assert list_validation_errors(desired) == expected


@pytest.mark.parametrize(
    ("desired", "gateway", "known", "expected"),
    [
        pytest.param(_desired(), None, {}, [], id="nothing-against-a-new-one"),
        pytest.param(_desired(), PROGRAMMED, {"users": USERS}, [], id="nothing-against-changing-a-used-one"),
        pytest.param(ABSENT, PROGRAMMED, {}, [], id="nothing-against-deleting-an-unused-one"),
        pytest.param(ABSENT, None, {"users": USERS}, [], id="nothing-against-what-is-gone-already"),
        pytest.param(ABSENT, None, {"namespaces": {}}, [], id="its-namespace-may-be-gone-too"),
        pytest.param(
            _desired(),
            None,
            {"namespaces": {}},
            ["Waypoint bookinfo/waypoint: namespace bookinfo does not exist: create it first, or correct its name."],
            id="namespace-missing",
        ),
        pytest.param(
            _desired(),
            derived(PROGRAMMED, {"spec": {"gatewayClassName": "istio"}}),
            {},
            ["Waypoint bookinfo/waypoint: a Gateway of class istio has this name: choose another name."],
            id="a-gateway-of-another-class",
        ),
        pytest.param(
            ABSENT,
            PROGRAMMED,
            {"users": USERS},
            [f"Waypoint bookinfo/waypoint is used by Namespace bookinfo (with 2 Services), Service bookinfo/details (as canary), {GO_ON}"],
            id="still-used",
        ),
        pytest.param(
            _desired(),
            None,
            {"taken": {REF: ["Service", "Deployment"]}},
            [
                f"Waypoint bookinfo/waypoint: namespace bookinfo has a {kind} of this name that istiod did not create, so istiod would not change it, "
                "and the waypoint would never be programmed: choose another name."
                for kind in ("Deployment", "Service")
            ],
            id="name-taken",
        ),
        pytest.param(
            _desired(),
            None,
            {"taken": {REF: ["ServiceAccount"]}},
            [
                (
                    "Waypoint bookinfo/waypoint: namespace bookinfo has a ServiceAccount of this name that istiod did not create, so the waypoint's pods "
                    "would run under another workload's identity: choose another name."
                )
            ],
            id="identity-taken",
        ),
        pytest.param(
            _desired(overlays=FIXED),
            None,
            {"foreign_config_maps": frozenset({REF}), "overrides": Overrides(force_conflicts=True)},
            [
                (
                    "Waypoint bookinfo/waypoint: ConfigMap bookinfo/waypoint-parameters belongs to somebody else, but the parameters need its name: "
                    "rename it, or the waypoint."
                )
            ],
            id="config-map-of-somebody-else",
        ),
    ],
)
def test_refuse_waypoints(desired: DesiredWaypoint, gateway: Object | None, known: dict[str, Any], expected: list[str]) -> None:
    assert _refusals(desired, gateway, **known) == expected


THEIRS = derived(PROGRAMMED, {"spec": {"infrastructure": {"parametersRef": {"group": "", "kind": "ConfigMap", "name": "theirs"}}}})


def test_parameters_of_somebody_else_are_replaced_only_on_request() -> None:
    assert _refusals(_desired(), THEIRS) == []
    assert _refusals(_desired(overlays=FIXED), THEIRS, overrides=Overrides(force_conflicts=True)) == []
    assert _refusals(_desired(overlays=FIXED), THEIRS) == [
        (
            "Waypoint bookinfo/waypoint takes its parameters from ConfigMap theirs, which somebody else created: "
            "move them into option overlays and set force_conflicts, or omit the options that need parameters."
        )
    ]


def test_keys_that_somebody_has_added_are_taken_out_only_on_request() -> None:
    config_map = {"metadata": {"labels": {"app.kubernetes.io/managed-by": "meshwright"}}, "data": {"deploymnet": "{}"}}
    assert _refusals(_desired(overlays=FIXED), PROGRAMMED, config_map, overrides=Overrides(force_conflicts=True)) == []
    assert _refusals(_desired(overlays=FIXED), PROGRAMMED, config_map) == [
        (
            "Waypoint bookinfo/waypoint: somebody has added deploymnet to ConfigMap bookinfo/waypoint-parameters, and they would stay there: "
            "remove them, or set force_conflicts."
        )
    ]


UNOWNED = "so it would wait for a controller forever: name another revision, or set allow_unowned_revision if its istiod will be installed later."


@pytest.mark.parametrize(
    ("desired", "gateway", "namespace", "revisions", "expected"),
    [
        pytest.param(_desired(), None, {}, ONE, "", id="the-default-owns-it"),
        pytest.param(_desired(revision="prod"), None, {}, ONE, "", id="a-tag-owns-it"),
        pytest.param(_desired(revision="1-99"), None, {}, None, "", id="not-asked"),
        pytest.param(_desired(revision="1-99"), None, {}, ONE, "it names revision 1-99, but the istiods of this cluster have 1-31, prod,", id="unknown"),
        pytest.param(_desired(), None, {"istio.io/rev": "1-99"}, ONE, "namespace bookinfo names revision 1-99, but", id="by-its-namespace"),
        pytest.param(_desired(revision="prod"), None, {"istio.io/rev": "1-99"}, ONE, "", id="its-own-label-takes-precedence"),
        pytest.param(_desired(), None, {}, NO_DEFAULT, "it names no revision, and no istiod is the default one, but", id="no-default"),
        pytest.param(_desired(), None, {}, Revisions(), "it names no revision, and no istiod is the default one, but this cluster has no", id="no-istiod"),
        pytest.param(_desired(), PROGRAMMED, {}, Revisions(), "", id="unchanged"),
        pytest.param(
            _desired(traffic="all"),
            derived(PROGRAMMED, {"metadata": {"labels": {"istio.io/rev": "1-99"}}}),
            {},
            ONE,
            "it names revision 1-99, but",
            id="named-by-somebody-else",
        ),
        pytest.param(ABSENT, PROGRAMMED, {}, Revisions(), "", id="to-be-deleted"),
    ],
)
def test_a_revision_that_nobody_owns(
    desired: DesiredWaypoint, gateway: Object | None, namespace: dict[str, str], revisions: Revisions | None, expected: str
) -> None:
    refusals = _refusals(desired, gateway, namespaces={"bookinfo": namespace_of("bookinfo", **namespace)}, revisions=revisions)
    if not expected:
        assert refusals == []
        return
    (refusal,) = refusals
    assert refusal.startswith(f"Waypoint bookinfo/waypoint: {expected}")
    assert refusal.endswith(UNOWNED)


def test_all_refusals_are_reported_at_once() -> None:
    desired = _desired(revision="1-99", overlays=FIXED)
    refusals = _refusals(desired, None, namespaces={}, taken={REF: ["Service"]}, foreign_config_maps=frozenset({REF}), revisions=ONE)
    assert len(refusals) == 4


@pytest.mark.parametrize(
    ("routes", "before", "after", "abandoned"),
    [
        ("Same", "service", "service", ["Namespace cart", "Service cart/cart"]),
        ("All", "service", "workload", ["Namespace cart", "Namespace shop", "Service cart/cart"]),
        ("All", "service", "none", ["Namespace cart", "Namespace shop", "Service cart/cart"]),
        ("All", "all", "service", ["Namespace cart", "Namespace shop", "Pod cart/pod"]),
        ("All", "service", "all", []),
        ("All", "service", "service", []),
    ],
)
def test_who_is_closed_out_by_a_change_is_named(routes: str, before: str, after: str, abandoned: list[str]) -> None:
    ref = WaypointRef("shop", "waypoint")
    names = {"istio.io/use-waypoint": "waypoint", "istio.io/use-waypoint-namespace": "shop"}
    namespaces = {"cart": namespace_of("cart", **names), "shop": namespace_of("shop", **{"istio.io/use-waypoint": "waypoint"})}
    gateway = derived(
        PROGRAMMED,
        {"metadata": {"namespace": "shop", "labels": {"istio.io/waypoint-for": before}}},
    )
    gateway["spec"]["listeners"][0]["allowedRoutes"] = {"namespaces": {"from": "All"}}
    users = {
        "Namespace": list(namespaces.values()),
        "Service": [{"metadata": {"name": "cart", "namespace": "cart", "labels": names}}],
        "Pod": [{"metadata": {"name": "pod", "namespace": "cart", "labels": names}}],
    }
    current = CurrentWaypoints(namespaces=namespaces, gateways={ref: gateway}, users=users)
    warnings = warn_of_abandoned_users(plan_waypoints([_desired(ref, traffic=after, allowed_from=routes)], current), current)
    found = [name for name in ("Namespace cart", "Namespace shop", "Pod cart/pod", "Service cart/cart") if any(name in warning for warning in warnings)]
    assert found == sorted(abandoned)
    assert all(("Namespace cart (its pods)" in warning) is (before == "all") for warning in warnings)
