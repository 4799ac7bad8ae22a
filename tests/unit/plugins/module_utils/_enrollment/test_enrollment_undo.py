"""The laws of a plan: it makes the labels what is desired and changes nothing else, a second run changes nothing, and undo restores."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.meshwright.ambient.plugins.module_utils._enrollment.plan import (
    MANAGED,
    CurrentObjects,
    LabelChange,
    managed_of,
    metadata_patch,
    plan_enrollment,
)
from ansible_collections.meshwright.ambient.plugins.module_utils._enrollment.spec import DesiredLabels, find_validation_errors, parse_item
from ansible_collections.meshwright.ambient.plugins.module_utils._enrollment.undo import undo_of
from tests.unit.objects import Object, derived

MODE, USE, USE_NAMESPACE = "istio.io/dataplane-mode", "istio.io/use-waypoint", "istio.io/use-waypoint-namespace"
INGRESS, CANARY, CANARY_NAMESPACE = "istio.io/ingress-use-waypoint", "istio.io/use-waypoint-canary", "istio.io/use-waypoint-canary-namespace"
WEIGHT = "istio.io/use-waypoint-canary-weight"
TRAFFIC = (USE, USE_NAMESPACE, INGRESS, CANARY, CANARY_NAMESPACE, WEIGHT)


def _change(kind: str, before: dict[str, str], after: dict[str, str]) -> LabelChange:
    return LabelChange(DesiredLabels(kind, "cart", None if kind == "Namespace" else "shop"), before, after)


@pytest.mark.parametrize(
    ("change", "option", "item"),
    [
        pytest.param(_change("Namespace", {}, {MODE: "ambient"}), "namespaces", {"name": "cart", "dataplane_mode": ""}, id="enrolled"),
        pytest.param(_change("Namespace", {MODE: "ambient"}, {}), "namespaces", {"name": "cart", "dataplane_mode": "ambient"}, id="left"),
        pytest.param(_change("Namespace", {MODE: "other"}, {MODE: "ambient"}), "namespaces", {"name": "cart", "dataplane_mode": ""}, id="unknown-mode"),
        pytest.param(_change("Namespace", {INGRESS: "1"}, {}), "namespaces", {"name": "cart", "ingress_use_waypoint": "true"}, id="true-in-another-word"),
        pytest.param(_change("Namespace", {INGRESS: "yes"}, {}), "namespaces", {"name": "cart", "ingress_use_waypoint": "false"}, id="false-in-another-word"),
        pytest.param(
            _change("Service", {USE: "w", USE_NAMESPACE: "infra"}, {USE: "none"}),
            "services",
            {"name": "cart", "namespace": "shop", "use_waypoint": "w", "use_waypoint_namespace": "infra"},
            id="service-opted-out",
        ),
        pytest.param(
            _change("Service", {USE: "w", CANARY: "next", WEIGHT: "10"}, {USE: "w", CANARY: "next", WEIGHT: "20"}),
            "services",
            {"name": "cart", "namespace": "shop", "canary": {"weight": "10"}},
            id="canary-got-more",
        ),
        pytest.param(
            _change("Service", {USE: "w", CANARY: "next"}, {USE: "next"}),
            "services",
            {"name": "cart", "namespace": "shop", "use_waypoint": "w", "canary": {"waypoint": "next"}},
            id="canary-promoted",
        ),
        pytest.param(
            _change("StatefulSet", {}, {MODE: "none"}),
            "workloads",
            {"kind": "StatefulSet", "name": "cart", "namespace": "shop", "dataplane_mode": ""},
            id="workload",
        ),
    ],
)
def test_undo_of(change: LabelChange, option: str, item: dict[str, Any]) -> None:
    assert undo_of([change]) == {"namespaces": [], "services": [], "workloads": []} | {option: [item]}


def test_nothing_is_undone_where_nothing_was_done() -> None:
    assert undo_of([_change("Namespace", {MODE: "ambient"}, {MODE: "ambient"})]) == {"namespaces": [], "services": [], "workloads": []}


# One item for each object: resolve_selections refuses two.

_names = st.sampled_from([None, "", "waypoint", "shared"])
_places = st.sampled_from(["", "shop", "infra"])
_refs = {
    USE: st.sampled_from(["none", "waypoint", "shared"]),
    CANARY: st.sampled_from(["waypoint", "shared"]),
}
# What this module writes, in any combination; and what others may have written.
_tidy = st.fixed_dictionaries(
    {},
    optional={
        MODE: st.sampled_from(["ambient", "none"]),
        INGRESS: st.sampled_from(["true", "false"]),
        **_refs,
        WEIGHT: st.sampled_from(["0", "10", "100"]),
        "team": st.just("shop"),
    },
)
_untidy = st.fixed_dictionaries(
    {},
    optional={
        MODE: st.sampled_from(["ambient", "none", "other"]),
        INGRESS: st.sampled_from(["true", "T", "yes", ""]),
        **_refs,
        USE_NAMESPACE: st.sampled_from(["shop", "infra"]),
        CANARY_NAMESPACE: st.sampled_from(["shop", "infra"]),
        WEIGHT: st.sampled_from(["0", "10", "ten"]),
        "team": st.just("shop"),
    },
)


@st.composite
def _tidy_with_namespaces(draw: st.DrawFn) -> dict[str, str]:
    labels: dict[str, str] = draw(_tidy)
    for name, namespace in ((USE, USE_NAMESPACE), (CANARY, CANARY_NAMESPACE)):
        if labels.get(name, "none") != "none" and draw(st.booleans()):
            labels[namespace] = "infra"
    return labels


def _item(kind: str, name: str, home: str, labels: dict[str, str]) -> Object:
    metadata: Object = {"labels": {key: value for key, value in labels.items() if key != WEIGHT}}
    if WEIGHT in labels:
        metadata["annotations"] = {WEIGHT: labels[WEIGHT], "note": "kept"}
    place = {} if kind == "Namespace" else {"namespace": home}
    if kind == "Deployment":
        return {"kind": kind, "metadata": {"name": name, **place}, "spec": {"template": {"metadata": metadata}}}
    return {"kind": kind, "metadata": {"name": name, **place, **metadata}}


@st.composite
def cases(draw: st.DrawFn, labels: st.SearchStrategy[dict[str, str]]) -> tuple[list[DesiredLabels], CurrentObjects]:
    """Some objects with these labels, and desired labels for some of them."""
    desired: list[DesiredLabels] = []
    namespaces: dict[str, Object] = {}
    objects: dict[tuple[str, str, str], Object] = {}
    for home in ("shop", "store"):
        for kind, name in (("Namespace", home), ("Service", "cart"), ("Deployment", "cart")):
            own = draw(labels)
            if kind == "Deployment":
                own = {key: value for key, value in own.items() if key in (MODE, USE, USE_NAMESPACE, "team")}
            if kind == "Namespace":
                namespaces[home] = _item(kind, name, home, own)
            else:
                objects[(kind, home, name)] = _item(kind, name, home, own)
            if draw(st.booleans()):
                desired.append(_desired(draw, kind, name, None if kind == "Namespace" else home))
    return draw(st.permutations(desired)), CurrentObjects(namespaces, objects)


def _desired(draw: st.DrawFn, kind: str, name: str, place: str | None) -> DesiredLabels:
    if draw(st.integers(0, 4)) == 0:
        return parse_item(kind, name, place, {"state": "absent"})
    bound = draw(st.sampled_from([None, "", "none", "waypoint", "shared"]))
    desired: dict[str, Any] = {"waypoint": bound, "waypoint_namespace": draw(_places)}
    if kind != "Service":
        desired["dataplane_mode"] = draw(st.sampled_from([None, "", "ambient", "none"]))
    if kind != "Deployment":
        desired |= {"ingress": draw(st.sampled_from([None, "", "true", "false"])), "canary": draw(_names), "canary_namespace": draw(_places)}
        desired["weight"] = draw(st.sampled_from([None, "", "0", "50"]))
    return DesiredLabels(kind, name, place, **desired)


def _after(changes: list[LabelChange], current: CurrentObjects, phases: int = 3) -> CurrentObjects:
    """The objects after the first phases of a plan, by the rules of a merge patch."""
    namespaces, objects = dict(current.namespaces), dict(current.objects)
    for number in range(phases):
        for change in changes:
            desired = change.desired
            patch: Object = {"metadata": metadata_patch(change.phases()[number])}
            if desired.kind == "Namespace":
                namespaces[desired.name] = derived(dict(namespaces[desired.name]), patch)
            else:
                objects[desired.key] = derived(dict(objects[desired.key]), patch if desired.kind == "Service" else {"spec": {"template": patch}})
    return CurrentObjects(namespaces, objects)


def _applied(desired: list[DesiredLabels], current: CurrentObjects) -> CurrentObjects:
    return _after(plan_enrollment(desired, current), current)


def _labels(current: CurrentObjects, desired: DesiredLabels) -> dict[str, str]:
    return managed_of(desired.kind, current.find(desired))


def _all_else(current: CurrentObjects) -> list[Object]:
    """All objects without what is managed."""
    nothing: Object = dict.fromkeys(MANAGED)
    found = []
    for item in (*current.namespaces.values(), *current.objects.values()):
        bare: Object = {"metadata": {"labels": nothing, "annotations": nothing}}
        found.append(derived(dict(item), {"spec": {"template": bare}} if item["kind"] == "Deployment" else bare))
    return found


any_labels = st.one_of(_tidy_with_namespaces(), _untidy)


@given(cases(any_labels))
def test_the_plan_brings_about_what_is_desired_and_nothing_else(case: tuple[list[DesiredLabels], CurrentObjects]) -> None:
    desired, current = case
    after = _applied(desired, current)
    assert _all_else(after) == _all_else(current)
    keys = {one.key for one in desired}
    for key, item in current.objects.items():
        assert key in keys or after.objects[key] == item
    for one in desired:
        before, now = _labels(current, one), _labels(after, one)
        assert now.get(MODE) == (before.get(MODE) if one.dataplane_mode is None else one.dataplane_mode or None)
        assert now.get(INGRESS) == (before.get(INGRESS) if one.ingress is None else one.ingress or None)
        for name, namespace, desired, place in (
            (USE, USE_NAMESPACE, one.waypoint, one.waypoint_namespace),
            (CANARY, CANARY_NAMESPACE, one.canary, one.canary_namespace),
        ):
            if desired is None:
                assert [now.get(name), now.get(namespace)] == [before.get(name), before.get(namespace)]
            else:
                assert now.get(name) == (desired or None)
                assert now.get(namespace) == (place if desired not in ("", "none") and place not in ("", one.home) else None)
        if one.weight is not None:
            assert now.get(WEIGHT) == (one.weight or None)
        elif one.canary == "":
            assert WEIGHT not in now


@given(cases(any_labels))
def test_a_second_run_changes_nothing(case: tuple[list[DesiredLabels], CurrentObjects]) -> None:
    desired, current = case
    again = plan_enrollment(desired, _applied(desired, current))
    assert not any(change.changed or change.patch or any(change.phases()) for change in again)
    assert undo_of(again) == {"namespaces": [], "services": [], "workloads": []}


@given(cases(any_labels))
def test_the_phases_are_the_plan(case: tuple[list[DesiredLabels], CurrentObjects]) -> None:
    desired, current = case
    for change in plan_enrollment(desired, current):
        parts = change.phases()
        whole = {name: value for part in parts for name, value in part.items()}
        assert whole == change.patch
        assert sum(len(part) for part in parts) == len(whole)


@given(cases(any_labels))
def test_nothing_leaves_the_mesh_before_all_is_unbound(case: tuple[list[DesiredLabels], CurrentObjects]) -> None:
    """Whenever the task is killed, what has left already names no waypoint that it was to give up."""
    desired, current = case
    changes = plan_enrollment(desired, current)
    unbound = _after(changes, current, phases=1)
    for change in changes:
        if change.desired.kind in ("Namespace", "Service") and change.after.get(USE, "none") == "none":
            now = _labels(unbound, change.desired)
            assert now.get(USE) == change.after.get(USE)
            assert now.get(MODE) == change.before.get(MODE)


@given(cases(any_labels))
def test_no_phase_names_a_waypoint_that_nobody_meant(case: tuple[list[DesiredLabels], CurrentObjects]) -> None:
    """A waypoint's name and its namespace change together."""
    desired, current = case
    changes = plan_enrollment(desired, current)
    for phases in range(4):
        between = _after(changes, current, phases=phases)
        for change in changes:
            now = _labels(between, change.desired)
            for pair in ((USE, USE_NAMESPACE), (CANARY, CANARY_NAMESPACE)):
                values = [now.get(name) for name in pair]
                assert values in ([change.before.get(name) for name in pair], [change.after.get(name) for name in pair])


def _undone(changes: list[LabelChange], current: CurrentObjects) -> CurrentObjects:
    """The current after what undo_of names has been given to the module."""
    undo = undo_of(changes)
    items = [("Namespace", item) for item in undo["namespaces"]] + [("Service", item) for item in undo["services"]]
    items += [(item["kind"], item) for item in undo["workloads"]]
    assert find_validation_errors(("undo", item) for _kind, item in items) == []
    return _applied([parse_item(kind, item["name"], item.get("namespace"), item) for kind, item in items], current)


@given(cases(_tidy_with_namespaces()))
def test_undo_restores(case: tuple[list[DesiredLabels], CurrentObjects]) -> None:
    desired, current = case
    changes = plan_enrollment(desired, current)
    restored = _undone(changes, _after(changes, current))
    for one in desired:
        assert _labels(restored, one) == _labels(current, one)
    assert _all_else(restored) == _all_else(current)


def _meaning(labels: dict[str, str], home: str) -> dict[str, Any]:
    """What labels say to Istio: pilot/pkg/serviceregistry/ambient (waypoints.go, services.go) and cni/pkg/util."""
    bound, canary, weight = labels.get(USE), labels.get(CANARY), labels.get(WEIGHT)
    return {
        "mode": labels.get(MODE) if labels.get(MODE) in ("ambient", "none") else None,
        "waypoint": bound if bound in (None, "none") else (bound, labels.get(USE_NAMESPACE, home)),
        "ingress": None if INGRESS not in labels else labels[INGRESS] in ("true", "T"),
        "canary": (canary, labels.get(CANARY_NAMESPACE, home)) if canary else None,
        "weight": weight if weight != "ten" else None,
    }


@given(cases(_untidy))
def test_undo_restores_the_meaning_of_what_others_wrote(case: tuple[list[DesiredLabels], CurrentObjects]) -> None:
    desired, current = case
    changes = plan_enrollment(desired, current)
    restored = _undone(changes, _after(changes, current))
    for one in desired:
        assert _meaning(_labels(restored, one), one.home) == _meaning(_labels(current, one), one.home)
