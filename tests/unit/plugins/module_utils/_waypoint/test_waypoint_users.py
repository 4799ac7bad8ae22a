from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._mesh.waypoints import WaypointRef
from ansible_collections.meshwright.ambient.plugins.module_utils._waypoint.users import (
    Detachment,
    canary_of,
    find_unreachable,
    find_users,
    plan_detachments,
    still_bound,
    still_labelled,
)
from tests.unit.objects import Object, derived, recorded, with_condition

REF = WaypointRef("shop", "waypoint")
OTHER = WaypointRef("shop", "other")
USE, USE_NAMESPACE = "istio.io/use-waypoint", "istio.io/use-waypoint-namespace"
CANARY, CANARY_NAMESPACE, WEIGHT = "istio.io/use-waypoint-canary", "istio.io/use-waypoint-canary-namespace", "istio.io/use-waypoint-canary-weight"


def _item(name: str, namespace: str | None = "shop", annotations: dict[str, str] | None = None, **labels: str) -> Object:
    place = {"namespace": namespace} if namespace else {}
    return {"metadata": {"name": name, **place, "labels": labels, "annotations": annotations or {}}}


def _workload(name: str, **labels: str) -> Object:
    return {"metadata": {"name": name, "namespace": "shop"}, "spec": {"template": {"metadata": {"labels": labels}}}}


def _pod(name: str, owner: tuple[str, str] | None, **labels: str) -> Object:
    pod = _item(name, **labels)
    owners = [{"kind": owner[0], "name": owner[1], "controller": True}] if owner else []
    return derived(pod, {"metadata": {"ownerReferences": owners}})


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        pytest.param({}, [], id="nobody"),
        pytest.param({"Namespace": [_item("shop", None, **{USE: "waypoint"})]}, ["Namespace shop"], id="namespace"),
        pytest.param(
            {
                "Namespace": [_item("shop", None, **{USE: "waypoint"})],
                "Service": [
                    _item("a"),
                    _item("b"),
                    _item("own", **{USE: "other"}),
                    _item("elsewhere", "store"),
                    _item("waypoint", **{"gateway.istio.io/managed": "istio.io-mesh-controller"}),
                ],
            },
            ["Namespace shop (with 2 Services)"],
            id="inheriting",
        ),
        pytest.param({"Namespace": [_item("store", None, **{USE: "waypoint", USE_NAMESPACE: "shop"})]}, ["Namespace store"], id="from-elsewhere"),
        pytest.param({"Namespace": [_item("store", None, **{USE: "waypoint"})]}, [], id="another-of-the-same-name"),
        pytest.param({"Service": [_item("a", **{USE: "waypoint"})]}, ["Service shop/a"], id="service"),
        pytest.param({"Service": [_item("a", **{USE: "other", CANARY: "waypoint"})]}, ["Service shop/a (as canary)"], id="canary"),
        pytest.param({"Service": [_item("a", "store", **{CANARY: "waypoint", CANARY_NAMESPACE: "shop"})]}, ["Service store/a (as canary)"], id="canary-afar"),
        pytest.param({"ServiceEntry": [_item("a", **{USE: "waypoint"})]}, ["ServiceEntry shop/a"], id="service-entry"),
        pytest.param({"WorkloadEntry": [_item("a", **{USE: "waypoint"})]}, ["WorkloadEntry shop/a"], id="workload-entry"),
        pytest.param({"Pod": [_item("a", **{USE: "waypoint"})]}, ["Pod shop/a"], id="pod"),
        pytest.param({"Service": [_item("a", **{USE: "none"})]}, [], id="opted-out"),
        pytest.param({"Service": [_item("b", **{USE: "waypoint"}), _item("a", **{USE: "waypoint"})]}, ["Service shop/a", "Service shop/b"], id="sorted"),
    ],
)
def test_find_users(items: dict[str, list[Object]], expected: list[str]) -> None:
    assert [str(user) for user in find_users(REF, items)] == expected


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        pytest.param({}, None, id="none"),
        pytest.param({CANARY: "none"}, None, id="named-none"),
        pytest.param({CANARY: ""}, None, id="empty"),
        pytest.param({CANARY: "waypoint"}, REF, id="here"),
        pytest.param({CANARY: "waypoint", CANARY_NAMESPACE: "store"}, WaypointRef("store", "waypoint"), id="elsewhere"),
    ],
)
def test_canary_of(labels: dict[str, str], expected: WaypointRef | None) -> None:
    assert canary_of(_item("a", **labels)) == expected


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        pytest.param({}, [], id="nobody"),
        pytest.param(
            {"Namespace": [_item("shop", None, **{USE: "waypoint", "istio.io/dataplane-mode": "ambient"})]},
            [Detachment("Namespace", "shop", None, {USE: "waypoint"})],
            id="only-what-names-it",
        ),
        pytest.param(
            {"Service": [_item("a", "store", **{USE: "waypoint", USE_NAMESPACE: "shop", CANARY: "new"})]},
            [Detachment("Service", "a", "store", {USE: "waypoint", USE_NAMESPACE: "shop"})],
            id="not-its-canary",
        ),
        pytest.param(
            {"Service": [_item("a", annotations={WEIGHT: "10"}, **{USE: "stable", CANARY: "waypoint"})]},
            [Detachment("Service", "a", "shop", {CANARY: "waypoint", WEIGHT: "10"})],
            id="as-canary",
        ),
        pytest.param(
            {"Deployment": [_workload("a", **{USE: "waypoint"}), _workload("b")]}, [Detachment("Deployment", "a", "shop", {USE: "waypoint"})], id="workload"
        ),
        pytest.param(
            {"Pod": [_pod("bare", None, **{USE: "waypoint"}), _pod("made", ("StatefulSet", "made"), **{USE: "waypoint"})]},
            [Detachment("Pod", "bare", "shop", {USE: "waypoint"})],
            id="a-pod-that-nothing-makes",
        ),
    ],
)
def test_plan_detachments(items: dict[str, list[Object]], expected: list[Detachment]) -> None:
    assert plan_detachments({REF}, items) == expected


def test_detaching_leaves_no_user() -> None:
    service = _item("a", annotations={WEIGHT: "10"}, **{USE: "waypoint", CANARY: "other"})
    (found,) = plan_detachments({REF, OTHER}, {"Service": [service]})
    after = derived(service, found.patch)
    assert not find_users(REF, {"Service": [after]}) and not find_users(OTHER, {"Service": [after]})
    assert after["metadata"]["annotations"] == {}


@pytest.mark.parametrize(
    ("detachment", "patch"),
    [
        pytest.param(Detachment("Namespace", "a", None, {USE: "x"}), {"metadata": {"labels": {USE: None}}}, id="own"),
        pytest.param(Detachment("DaemonSet", "a", "b", {USE: "x"}), {"spec": {"template": {"metadata": {"labels": {USE: None}}}}}, id="template"),
        pytest.param(
            Detachment("Service", "a", "b", {CANARY: "x", WEIGHT: "1"}), {"metadata": {"labels": {CANARY: None}, "annotations": {WEIGHT: None}}}, id="canary"
        ),
    ],
)
def test_patch(detachment: Detachment, patch: dict[str, Any]) -> None:
    assert detachment.patch == patch


def test_pods_of_what_cannot_be_changed_are_reported() -> None:
    pods = [
        _pod("job-x", ("Job", "job"), **{USE: "waypoint"}),
        _pod("web-5d-x", ("ReplicaSet", "web-5d"), **{USE: "waypoint", "pod-template-hash": "5d"}),
        _pod("bare", None, **{USE: "waypoint"}),
        _pod("free", ("Job", "job")),
    ]
    # The template of web names nothing any more: its old pods are about to go.
    assert find_unreachable({REF}, {"Pod": pods, "Deployment": [_workload("web")]}) == ["Pod shop/job-x of Job job"]


BOUND = recorded("service/bound")


@pytest.mark.parametrize(
    ("service", "expected"),
    [
        pytest.param(BOUND, ["Service bookinfo/details"], id="bound"),
        pytest.param(with_condition(BOUND, "istio.io/WaypointBound", status="False"), [], id="not-bound"),
        pytest.param(
            with_condition(BOUND, "istio.io/WaypointBound", message="Successfully attached to waypoint bookinfo/waypoint. Ingress traffic will traverse it"),
            ["Service bookinfo/details"],
            id="with-more-words",
        ),
        pytest.param(with_condition(BOUND, "istio.io/WaypointBound", message="Successfully attached to waypoint bookinfo/waypoint-2"), [], id="another"),
        pytest.param(
            with_condition(
                BOUND, "istio.io/WaypointBound", message="Successfully attached to waypoint bookinfo/a. Canary waypoint not attached: bookinfo/waypoint"
            ),
            [],
            id="named-in-passing",
        ),
        pytest.param(derived(BOUND, {"status": None}), [], id="without-status"),
    ],
)
def test_still_bound(service: Object, expected: list[str]) -> None:
    assert still_bound({WaypointRef("bookinfo", "waypoint")}, [service]) == expected


def test_still_labelled() -> None:
    assert still_labelled({REF}, [_pod("b", None), _pod("a", None, **{USE: "waypoint"})]) == ["Pod shop/a"]
