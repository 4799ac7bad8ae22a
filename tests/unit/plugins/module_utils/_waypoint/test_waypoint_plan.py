from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.meshwright.ambient.plugins.module_utils._mesh.parameters import MARK, expected_mark, render_parameters
from ansible_collections.meshwright.ambient.plugins.module_utils._mesh.waypoints import WaypointRef
from ansible_collections.meshwright.ambient.plugins.module_utils._waypoint.plan import (
    CurrentWaypoints,
    WaypointChange,
    foreign_parameters,
    hands_over,
    plan_waypoints,
)
from ansible_collections.meshwright.ambient.plugins.module_utils._waypoint.render import render_gateway
from ansible_collections.meshwright.ambient.plugins.module_utils._waypoint.spec import OPTIONS, DesiredWaypoint, Waypoint, parse_waypoint
from tests.unit.objects import Object, derived, recorded
from tests.unit.waypoint_cluster import Cluster, applied

REF = WaypointRef("bookinfo", "waypoint")
PROGRAMMED = recorded("gateway/waypoint_programmed")
DEFAULT = {"for": "service", "allowed_routes.from": "Same"}
SELECTOR = {"matchLabels": {"team": "shop"}}
ABSENT = DesiredWaypoint(REF, None)
BUDGET: dict[str, Any] = {"podDisruptionBudget": {"spec": {"maxUnavailable": 1}}}
FIXED: dict[str, Any] = {"deployment": {"spec": {"replicas": 3}}}
SCALED: dict[str, Any] = {"horizontalPodAutoscaler": {"spec": {"maxReplicas": 3}}}


def _desired(ref: WaypointRef = REF, **fields: Any) -> DesiredWaypoint:
    return DesiredWaypoint(ref, Waypoint(ref, **fields))


def _planned(desired: DesiredWaypoint, gateway: Object | None = None, config_map: Object | None = None, **current: Any) -> WaypointChange:
    found = CurrentWaypoints(gateways={REF: gateway} if gateway else {}, parameters={REF: config_map} if config_map else {}, **current)
    (change,) = plan_waypoints([desired], found).changes
    return change


def _item(**options: Any) -> dict[str, Any]:
    return {name: option.get("default") for name, option in OPTIONS.items()} | {"namespace": "bookinfo"} | options


def _made(**fields: Any) -> tuple[Object, Object | None]:
    """The Gateway and the ConfigMap that the module has made for a waypoint."""
    waypoint = Waypoint(REF, **fields)
    config_map = render_parameters(REF.name, REF.namespace, waypoint.overlays)
    return applied(None, render_gateway(waypoint)), applied(None, config_map) if config_map else None


@pytest.mark.parametrize(
    ("desired", "gateway", "action", "before", "after"),
    [
        pytest.param(_desired(), None, "created", {}, DEFAULT, id="created"),
        pytest.param(_desired(), PROGRAMMED, "unchanged", DEFAULT, DEFAULT, id="as-the-api-server-filled-it-in"),
        pytest.param(_desired(traffic="all"), PROGRAMMED, "changed", DEFAULT, DEFAULT | {"for": "all"}, id="traffic-changed"),
        pytest.param(_desired(allowed_from="All"), PROGRAMMED, "changed", DEFAULT, DEFAULT | {"allowed_routes.from": "All"}, id="widened"),
        pytest.param(
            _desired(allowed_from="Selector", allowed_selector=SELECTOR),
            PROGRAMMED,
            "changed",
            DEFAULT,
            DEFAULT | {"allowed_routes.from": "Selector", "allowed_routes.selector": SELECTOR},
            id="widened-by-selector",
        ),
        pytest.param(_desired(revision="1-31"), PROGRAMMED, "changed", DEFAULT, DEFAULT | {"revision": "1-31"}, id="revision-desired"),
        pytest.param(
            _desired(),
            derived(PROGRAMMED, {"metadata": {"labels": {"istio.io/rev": "1-31"}}}),
            "unchanged",
            DEFAULT | {"revision": "1-31"},
            DEFAULT | {"revision": "1-31"},
            id="revision-of-somebody-else",
        ),
        pytest.param(_desired(), _made(revision="1-31")[0], "changed", DEFAULT | {"revision": "1-31"}, DEFAULT, id="revision-of-ours-goes"),
        pytest.param(_desired(labels={"a": "b"}), PROGRAMMED, "changed", DEFAULT, DEFAULT | {"labels.a": "b"}, id="labels"),
        pytest.param(_desired(), _made(labels={"a": "b"})[0], "changed", DEFAULT | {"labels.a": "b"}, DEFAULT, id="labels-of-ours-go"),
        pytest.param(
            _desired(),
            derived(PROGRAMMED, {"spec": {"infrastructure": {"labels": {"a": "b"}, "annotations": {"a": "b"}}}}),
            "unchanged",
            DEFAULT,
            DEFAULT,
            id="labels-of-somebody-else",
        ),
        pytest.param(
            _desired(annotations={"a": "b"}),
            derived(PROGRAMMED, {"spec": {"infrastructure": {"annotations": {"a": "c"}}}}),
            "changed",
            DEFAULT | {"annotations.a": "c"},
            DEFAULT | {"annotations.a": "b"},
            id="annotation-of-somebody-else-is-desired-otherwise",
        ),
        pytest.param(
            _desired(labels={"a": "b"}),
            derived(PROGRAMMED, {"metadata": {"labels": {"topology.istio.io/network": "west"}}}),
            "changed",
            DEFAULT,
            DEFAULT | {"labels.a": "b", "labels.topology.istio.io/network": "west"},
            id="the-network-is-kept",
        ),
        pytest.param(_desired(), derived(PROGRAMMED, {"spec": {"listeners": None}}), "changed", {}, DEFAULT, id="without-its-listener"),
        pytest.param(ABSENT, PROGRAMMED, "deleted", DEFAULT, {}, id="deleted"),
        pytest.param(ABSENT, None, "unchanged", {}, {}, id="already-gone"),
    ],
)
def test_plan_of_a_gateway(desired: DesiredWaypoint, gateway: Object | None, action: str, before: dict[str, Any], after: dict[str, Any]) -> None:
    change = _planned(desired, gateway)
    assert (change.action, change.before, change.after) == (action, before, after)
    assert change.changed is (action != "unchanged")
    assert change.gateway == {"deleted": "delete", "unchanged": "leave"}.get(action, "apply")


@pytest.mark.parametrize("gateway", [None, PROGRAMMED], ids=["new", "there"])
def test_the_manifest_is_that_of_the_desired_waypoint(gateway: Object | None) -> None:
    assert _planned(_desired(), gateway).manifest == render_gateway(Waypoint(REF))
    assert _planned(ABSENT, gateway).manifest == {}


def test_a_revision_of_somebody_else_stays_when_something_else_changes() -> None:
    gateway = derived(PROGRAMMED, {"metadata": {"labels": {"istio.io/rev": "1-31"}}})
    assert _planned(_desired(traffic="all"), gateway).after == DEFAULT | {"for": "all", "revision": "1-31"}


def test_what_somebody_else_has_widened_is_narrowed_in_so_many_words() -> None:
    listener = {"name": "mesh", "port": 15008, "protocol": "HBONE", "allowedRoutes": {"namespaces": {"from": "All"}}}
    theirs = _planned(_desired(), derived(PROGRAMMED, {"spec": {"listeners": [listener]}}))
    assert theirs.manifest["spec"]["listeners"][0]["allowedRoutes"] == {"namespaces": {"from": "Same"}}
    # Our own word is taken back by leaving it out.
    ours = _planned(_desired(), _made(allowed_from="All")[0])
    assert ours.action == "changed" and "allowedRoutes" not in ours.manifest["spec"]["listeners"][0]


@pytest.mark.requirement("H11")
@pytest.mark.parametrize(
    ("desired", "made", "gateway", "config_map", "removed"),
    [
        pytest.param(BUDGET, {}, "apply", "apply", (), id="the-first-parameters"),
        pytest.param(BUDGET, BUDGET, "leave", "leave", (), id="the-same"),
        pytest.param({**BUDGET, **FIXED}, BUDGET, "leave", "apply", (), id="more"),
        pytest.param(FIXED, {**BUDGET, **FIXED}, "leave", "apply", (("PodDisruptionBudget", "waypoint"),), id="no-budget-any-more"),
        pytest.param(BUDGET, {**BUDGET, **SCALED}, "leave", "apply", (("HorizontalPodAutoscaler", "waypoint"),), id="no-autoscaler-any-more"),
        pytest.param({}, FIXED, "apply", "delete", (), id="none-any-more"),
        pytest.param({}, BUDGET, "apply", "delete", (("PodDisruptionBudget", "waypoint"),), id="none-and-no-budget-any-more"),
    ],
)
def test_plan_of_parameters(desired: Any, made: Any, gateway: str, config_map: str, removed: tuple[tuple[str, str], ...]) -> None:
    cluster = Cluster()
    cluster.carry_out(plan_waypoints([_desired(overlays=made)], cluster.current))
    plan = plan_waypoints([_desired(overlays=desired)], cluster.current)
    (change,) = plan.changes
    assert (change.gateway, change.config_map, change.removed) == (gateway, config_map, removed)
    assert change.parameters == render_parameters("waypoint", "bookinfo", desired)
    assert change.action == ("unchanged" if desired == made else "changed")


def test_the_diff_shows_parameters_by_line() -> None:
    gateway, config_map = _made(overlays=FIXED)
    change = _planned(_desired(overlays=SCALED), gateway, config_map, on_request={"horizontalPodAutoscaler": {}})
    mark = f"deployment.metadata.annotations.{MARK}"
    assert change.before == DEFAULT | {"parameters": "waypoint-parameters", mark: expected_mark(FIXED), "deployment.spec.replicas": 3}
    assert change.after == DEFAULT | {
        "parameters": "waypoint-parameters",
        mark: expected_mark(SCALED),
        "horizontalPodAutoscaler.spec.maxReplicas": 3,
    }


@pytest.mark.parametrize(
    ("desired", "made", "expected"),
    [
        pytest.param(SCALED, FIXED, True, id="from-fixed-to-scaled"),
        pytest.param(SCALED, SCALED, False, id="scaled-before"),
        pytest.param(SCALED, {"deployment": {"spec": {"replicas": 1}}}, False, id="one-is-what-the-default-is"),
        pytest.param(BUDGET, FIXED, False, id="no-autoscaler"),
    ],
)
def test_an_autoscaler_takes_over_without_a_gap(desired: Any, made: Any, expected: bool) -> None:
    assert hands_over(Waypoint(REF, overlays=desired), _made(overlays=made)[1]) is expected


def test_what_an_interrupted_run_left_behind_is_removed() -> None:
    left = {"horizontalPodAutoscaler": {REF: ["waypoint"]}}
    change = _planned(_desired(), PROGRAMMED, on_request=left)
    assert (change.action, change.gateway, change.removed) == ("changed", "leave", (("HorizontalPodAutoscaler", "waypoint"),))
    assert change.before["HorizontalPodAutoscaler waypoint"] == "no longer desired"


def test_what_the_defaults_of_the_class_ask_for_is_not_left_behind() -> None:
    left = {"horizontalPodAutoscaler": {REF: ["waypoint"]}}
    assert not _planned(_desired(), PROGRAMMED, on_request=left, class_defaults=frozenset({"horizontalPodAutoscaler"})).changed


def test_parameters_of_somebody_else_are_left_alone() -> None:
    gateway = derived(PROGRAMMED, {"spec": {"infrastructure": {"parametersRef": {"group": "", "kind": "ConfigMap", "name": "theirs"}}}})
    change = _planned(_desired(), gateway, on_request={"podDisruptionBudget": {REF: ["waypoint"]}})
    assert not change.changed
    assert foreign_parameters(gateway) == "theirs"
    assert _planned(_desired(overlays=BUDGET), gateway).gateway == "apply"


def test_a_config_map_that_somebody_else_has_bound_stays() -> None:
    gateway = derived(PROGRAMMED, {"spec": {"infrastructure": {"parametersRef": {"group": "", "kind": "ConfigMap", "name": "waypoint-parameters"}}}})
    change = _planned(_desired(), gateway, _made(overlays=FIXED)[1])
    assert (change.action, change.config_map) == ("unchanged", "leave")


@pytest.mark.parametrize(
    ("difference", "foreign"),
    [
        pytest.param({"data": {"deployment": "{}"}}, (), id="edited"),
        pytest.param({"data": {"deployment": "spec:\n  replicas: 3\n"}}, (), id="as-yaml"),
        pytest.param({"data": {"more": "{}"}}, ("more",), id="added"),
        pytest.param({"metadata": {"labels": {"app.kubernetes.io/managed-by": None}}}, (), id="label-gone"),
    ],
)
def test_a_config_map_that_somebody_has_changed_is_put_right(difference: Object, foreign: tuple[str, ...]) -> None:
    gateway, config_map = _made(overlays=FIXED)
    assert config_map is not None
    change = _planned(_desired(overlays=FIXED), gateway, derived(config_map, difference))
    assert (change.action, change.gateway, change.config_map, change.foreign_keys) == ("changed", "leave", "apply", foreign)


def test_deleting_takes_the_parameters_too() -> None:
    gateway, config_map = _made(overlays=FIXED)
    assert (_planned(ABSENT, gateway, config_map).gateway, _planned(ABSENT, gateway, config_map).config_map) == ("delete", "delete")
    # An earlier run was interrupted between the two.
    left = _planned(ABSENT, None, config_map)
    assert (left.action, left.gateway, left.config_map) == ("deleted", "leave", "delete")


def test_waypoints_are_planned_in_their_order() -> None:
    other = WaypointRef("bookinfo", "reviews")
    changes = plan_waypoints([_desired(other), _desired()], CurrentWaypoints(gateways={REF: PROGRAMMED})).changes
    assert [(change.desired.ref, change.action) for change in changes] == [(other, "created"), (REF, "unchanged")]


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        pytest.param(None, {"name": "waypoint", "namespace": "bookinfo", "state": "absent"}, id="nothing"),
        pytest.param({}, {"name": "waypoint", "namespace": "bookinfo", "for": "service"}, id="plain"),
        pytest.param(
            {"allowed_from": "Selector", "allowed_selector": SELECTOR, "revision": "1-31", "labels": {"a": "b"}, "annotations": {"c": "d"}, "overlays": FIXED},
            {
                "name": "waypoint",
                "namespace": "bookinfo",
                "for": "service",
                "allowed_routes": {"from": "Selector", "selector": SELECTOR},
                "revision": "1-31",
                "labels": {"a": "b"},
                "annotations": {"c": "d"},
                "overlays": FIXED,
            },
            id="everything",
        ),
    ],
)
def test_undo(made: dict[str, Any] | None, expected: dict[str, Any]) -> None:
    change = _planned(_desired(traffic="all", overlays=BUDGET), *((None, None) if made is None else _made(**made)))
    assert change.undo == expected
    assert _planned(_desired(), PROGRAMMED).undo is None


def test_parse_waypoint_reads_all_options() -> None:
    item = _item(revision="", replicas=2, labels={"a": 1}, allowed_routes={"from": "All", "selector": {"ignored": True}})
    desired = parse_waypoint(item)
    assert desired == _desired(allowed_from="All", labels={"a": "1"}, overlays={"deployment": {"spec": {"replicas": 2}}})
    assert parse_waypoint(_item(state="absent", replicas=0)) == ABSENT


def test_parse_waypoint_finds_errors_and_warnings() -> None:
    assert len(parse_waypoint(_item(replicas=0)).validation_errors) == 1
    assert len(parse_waypoint(_item(disruption_budget={"min_available": "1", "max_unavailable": None})).warnings) == 1
    cannot_be_merged = {"deployment": {"spec": {"template": {"spec": {"containers": [{}]}}}}}
    broken = parse_waypoint(_item(resources={"requests": {"cpu": 1}, "limits": None}, overlays=cannot_be_merged))
    assert len(broken.validation_errors) == 1


# Any desired waypoints, on whatever earlier runs and other people have left.

_names = st.sampled_from(["waypoint", "reviews"])
_labels = st.dictionaries(st.sampled_from(["team", "cost"]), st.sampled_from(["a", "b"]), max_size=2)
_fixed = st.fixed_dictionaries({}, optional={"deployment": st.sampled_from([{"spec": {"replicas": 1}}, {"spec": {"replicas": 2}}])})
_scaled = st.sampled_from([{"horizontalPodAutoscaler": {"spec": {"maxReplicas": 3}}}, {"horizontalPodAutoscaler": {}}])
_more = st.fixed_dictionaries(
    {}, optional={"service": st.just({"spec": {"type": "NodePort"}}), "podDisruptionBudget": st.sampled_from([{"spec": {"maxUnavailable": 1}}, {}])}
)
_overlays = st.tuples(_fixed | _scaled, _more).map(lambda parts: {**parts[0], **parts[1]})


@st.composite
def _waypoints(draw: st.DrawFn) -> list[DesiredWaypoint]:
    desired = []
    for name in sorted(draw(st.sets(_names, min_size=1))):
        ref = WaypointRef("bookinfo", name)
        source = draw(st.sampled_from(["Same", "All", "Selector"]))
        waypoint = Waypoint(
            ref,
            draw(st.sampled_from(["service", "all"])),
            source,
            SELECTOR if source == "Selector" else None,
            draw(st.none() | st.just("1-31")),
            labels=draw(_labels),
            annotations=draw(_labels),
            overlays=draw(_overlays),
        )
        desired.append(DesiredWaypoint(ref, draw(st.none() | st.just(waypoint))))
    return desired


@st.composite
def _clusters(draw: st.DrawFn) -> Cluster:
    cluster = Cluster()
    for desired in draw(st.lists(_waypoints(), max_size=2)):
        cluster.carry_out(plan_waypoints(desired, cluster.current))
    for ref in sorted(cluster.gateways, key=str):
        if draw(st.booleans()):
            theirs = {"metadata": {"labels": {"istio.io/rev": "1-30"}}, "spec": {"infrastructure": {"labels": {"theirs": "x"}}}}
            cluster.gateways[ref] = applied(cluster.gateways[ref], theirs, owner="argocd-controller")
        if draw(st.booleans()):
            # A run that was interrupted before it removed anything.
            cluster.on_request["podDisruptionBudget"][ref] = [ref.name]
    return cluster


@settings(max_examples=60)
@given(_clusters(), _waypoints())
def test_the_plan_makes_any_cluster_match_and_a_second_run_changes_nothing(cluster: Cluster, desired: list[DesiredWaypoint]) -> None:
    cluster.carry_out(plan_waypoints(desired, cluster.current))
    for one in desired:
        gateway, config_map = cluster.gateways.get(one.ref), cluster.parameters.get(one.ref)
        overlays = one.waypoint.overlays if one.waypoint else {}
        assert (gateway is not None) is (one.waypoint is not None)
        assert (config_map is not None) is bool(overlays)
        for key, found in cluster.on_request.items():
            assert bool(found.get(one.ref)) is (key in overlays)
        if one.waypoint and gateway:
            infrastructure = gateway["spec"].get("infrastructure", {})
            assert {name: value for name, value in infrastructure.get("labels", {}).items() if name != "theirs"} == one.waypoint.labels
            assert infrastructure.get("annotations", {}) == one.waypoint.annotations
            assert ("parametersRef" in infrastructure) is bool(overlays)
    again = plan_waypoints(desired, cluster.current).changes
    assert [change.action for change in again] == ["unchanged"] * len(desired)
    assert all(change.undo is None for change in again)


@settings(max_examples=60)
@given(_clusters(), _waypoints())
def test_undo_restores_what_was(cluster: Cluster, desired: list[DesiredWaypoint]) -> None:
    # Nothing that an interrupted run has left behind is worth restoring.
    for found in cluster.on_request.values():
        found.clear()
    for ref in cluster.gateways:
        cluster.let_istiod_act(ref)
    before = cluster.current
    plan = plan_waypoints(desired, before)
    cluster.carry_out(plan)
    undo = [parse_waypoint(_item(**_complete(dict(change.undo)))) for change in plan.changes if change.undo]
    assert not any(one.validation_errors for one in undo)
    cluster.carry_out(plan_waypoints(undo, cluster.current))
    after = cluster.current
    assert {ref: _decisions(item) for ref, item in after.gateways.items()} == {ref: _decisions(item) for ref, item in before.gateways.items()}
    assert {ref: item["data"] for ref, item in after.parameters.items()} == {ref: item["data"] for ref, item in before.parameters.items()}
    assert _present(after) == _present(before)


def _complete(item: dict[str, Any]) -> dict[str, Any]:
    """An item as Ansible hands it to the module, with the suboptions that were not given."""
    if "allowed_routes" in item:
        item["allowed_routes"] = {"selector": None, **item["allowed_routes"]}
    return item


def _decisions(gateway: Object) -> Object:
    """A Gateway without what others have put there, which goes with it when it is deleted."""
    spec = gateway["spec"]
    infrastructure = {name: dict(value) for name, value in spec.get("infrastructure", {}).items()}
    infrastructure.get("labels", {}).pop("theirs", None)
    labels = {name: value for name, value in gateway["metadata"]["labels"].items() if value != "1-30"}
    return {"labels": labels, "listeners": spec["listeners"], "infrastructure": {name: value for name, value in infrastructure.items() if value}}


def _present(current: CurrentWaypoints) -> set[tuple[str, WaypointRef]]:
    return {(key, ref) for key, found in current.on_request.items() for ref, names in found.items() if names}
