from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._mesh.targets import mesh_targets

MODE, USE = "istio.io/dataplane-mode", "istio.io/use-waypoint"

NAMESPACE: dict[str, Any] = {"kind": "Namespace", "name": "shop", "namespace": None, "before": {}, "after": {}}
SERVICE: dict[str, Any] = {"kind": "Service", "name": "cart", "namespace": "shop", "before": {}, "after": {}}
DEPLOYMENT: dict[str, Any] = {"kind": "Deployment", "name": "cart-v1", "namespace": "shop", "before": {}, "after": {}, "changed": False}

ENROLLMENT = {"kind": "enrollment", "namespace": "shop"}
NAMESPACE_BINDING = {"kind": "binding", "name": "", "namespace": "shop"}
SERVICE_BINDING = {"kind": "binding", "name": "cart", "namespace": "shop"}


@pytest.mark.parametrize(
    ("objects", "expected"),
    [
        pytest.param([], [], id="nothing"),
        pytest.param([NAMESPACE], [], id="nothing-desired"),
        pytest.param([NAMESPACE | {"after": {MODE: "ambient"}}], [ENROLLMENT], id="enrolled"),
        pytest.param([NAMESPACE | {"before": {MODE: "ambient"}}], [ENROLLMENT], id="left"),
        pytest.param([NAMESPACE | {"after": {MODE: "ambient", USE: "waypoint"}}], [NAMESPACE_BINDING, ENROLLMENT], id="enrolled-and-bound"),
        pytest.param([NAMESPACE | {"after": {USE: "none"}}], [], id="opted-out-of-waypoints"),
        pytest.param([NAMESPACE | {"before": {USE: "waypoint"}}], [], id="unbound"),
        pytest.param([SERVICE | {"after": {USE: "waypoint"}}], [SERVICE_BINDING], id="service-bound"),
        pytest.param([SERVICE | {"after": {USE: "none"}}], [], id="service-opted-out"),
        pytest.param([DEPLOYMENT | {"after": {USE: "waypoint"}}], [], id="workload-bindings-have-no-condition"),
        pytest.param(
            [DEPLOYMENT | {"after": {USE: "waypoint"}, "changed": True}],
            [{"kind": "Deployment", "name": "cart-v1", "namespace": "shop"}],
            id="a-workload-whose-template-has-changed-rolls-out",
        ),
        pytest.param([DEPLOYMENT | {"after": {MODE: "none"}}], [ENROLLMENT], id="workload-opted-out-of-its-namespaces-mesh"),
        pytest.param([NAMESPACE | {"after": {MODE: "ambient"}}, DEPLOYMENT | {"before": {MODE: "none"}}], [ENROLLMENT], id="a-namespace-is-waited-for-once"),
    ],
)
def test_targets_of_labels(objects: list[dict[str, Any]], expected: list[dict[str, str]]) -> None:
    assert mesh_targets(objects, []) == expected


@pytest.mark.parametrize(("traffic", "is_waited_for"), [("workload", False), ("service", True), ("all", True)])
def test_services_of_a_namespace_need_no_binding_to_a_waypoint_for_its_pods(traffic: str, is_waited_for: bool) -> None:
    gateway = {"metadata": {"name": "pods", "namespace": "edge", "labels": {"istio.io/waypoint-for": traffic}}}
    waypoint = {"name": "pods", "namespace": "edge", "manifest": gateway}
    labels = {USE: "pods", "istio.io/use-waypoint-namespace": "edge"}
    assert (NAMESPACE_BINDING in mesh_targets([NAMESPACE | {"after": labels}], [waypoint])) is is_waited_for
    assert NAMESPACE_BINDING in mesh_targets([NAMESPACE | {"after": {USE: "pods"}}], [waypoint]), "another namespace has a waypoint of that name"


def test_targets_of_waypoints_come_first() -> None:
    waypoints = [
        {"name": "waypoint", "namespace": "shop", "manifest": {"kind": "Gateway"}},
        {"name": "old", "namespace": "shop", "manifest": {}},
    ]
    assert mesh_targets([NAMESPACE | {"after": {MODE: "ambient", USE: "waypoint"}}], waypoints) == [
        {"kind": "waypoint", "name": "waypoint", "namespace": "shop"},
        NAMESPACE_BINDING,
        ENROLLMENT,
    ]


def test_who_was_detached_since_is_not_waited_for() -> None:
    objects = [NAMESPACE | {"after": {USE: "old"}}, SERVICE | {"after": {USE: "old"}}]
    detached = [{"kind": "Namespace", "name": "shop", "namespace": "", "labels": {USE: "old"}}]
    assert mesh_targets(objects, [], detached) == [SERVICE_BINDING]


def test_who_lost_its_canary_alone_is_still_bound() -> None:
    detached = [{"kind": "Namespace", "name": "shop", "namespace": "", "labels": {"istio.io/use-waypoint-canary": "next"}}]
    assert mesh_targets([NAMESPACE | {"after": {USE: "waypoint"}}], [], detached) == [NAMESPACE_BINDING]
