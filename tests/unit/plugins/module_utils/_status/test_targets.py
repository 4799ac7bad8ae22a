from __future__ import annotations

from collections.abc import Sequence

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._cluster.kinds import BY_NAME
from ansible_collections.meshwright.ambient.plugins.module_utils._mesh.waypoint import WaypointRef
from ansible_collections.meshwright.ambient.plugins.module_utils._status.targets import RULES, Target
from tests.unit.objects import Object, derived, named, recorded

OBJECTS = [
    recorded(situation)
    for situation in (
        "gateway/waypoint_programmed",
        "deployment/waypoint_available",
        "deployment/istiod_available",
        "daemonset/ztunnel_available",
        "endpointslice/istiod_ready",
        "validatingwebhookconfiguration/base_serving",
        "mutatingwebhookconfiguration/injector_serving",
        "customresourcedefinition/gateways_established",
        "namespace/enrolled",
        "service/bound",
        "service/of_waypoint",
        "pod/captured",
    )
]
GATEWAY = OBJECTS[0]


class StoredObjects:
    """A snapshot that knows which kinds were asked for."""

    def __init__(self, objects: Sequence[Object]) -> None:
        self._objects = objects
        self.asked: set[str] = set()

    def get(self, kind: str, name: str, namespace: str | None = None) -> Object | None:
        return next((item for item in self.all(kind, namespace) if item["metadata"]["name"] == name), None)

    def all(self, kind: str, namespace: str | None = None) -> list[Object]:
        self.asked.add(kind)
        return [item for item in self._objects if item["kind"] == kind and namespace in (None, item["metadata"].get("namespace"))]


CURRENT = [
    Target("control_plane", namespace="istio-system"),
    Target("control_plane", "default", "istio-system"),
    Target("waypoint", "waypoint", "bookinfo"),
    Target("Gateway", "waypoint", "bookinfo"),
    Target("binding", "details", "bookinfo"),
    Target("binding", "", "bookinfo", WaypointRef("bookinfo", "waypoint")),
    Target("enrollment", namespace="bookinfo"),
    Target("CustomResourceDefinition", "gateways.gateway.networking.k8s.io"),
    Target("DaemonSet", "ztunnel", "istio-system"),
    Target("Deployment", "istiod", "istio-system"),
]


@pytest.mark.parametrize("target", CURRENT, ids=str)
def test_the_recorded_mesh_is_current(target: Target) -> None:
    assert target.judge(StoredObjects(OBJECTS)).current


@pytest.mark.parametrize("target", [*CURRENT, Target("StatefulSet", "db", "shop")], ids=str)
def test_without_objects_nothing_is_found(target: Target) -> None:
    verdict = target.judge(StoredObjects([]))
    assert verdict.status == "NotFound"
    assert verdict.remedy


@pytest.mark.parametrize("target", CURRENT, ids=str)
def test_a_rule_reads_exactly_what_it_declares(target: Target) -> None:
    snapshot = StoredObjects(OBJECTS)
    target.judge(snapshot)
    assert snapshot.asked == {kind for kind, _namespace in target.needs}


@pytest.mark.parametrize("kind", sorted(RULES))
def test_a_rule_needs_kinds_that_can_be_read(kind: str) -> None:
    rule = RULES[kind]
    assert all(BY_NAME[needed].namespaced == namespaced for needed, namespaced in rule.needs)
    assert set(rule.options) <= {"name", "namespace"}


def test_needs_name_the_place_to_look_in() -> None:
    assert Target("binding", "details", "bookinfo").needs == (("Service", "bookinfo"), ("Namespace", None))


@pytest.mark.parametrize(
    ("target", "text"),
    [
        pytest.param(Target("waypoint", "waypoint", "shop"), "waypoint shop/waypoint", id="both"),
        pytest.param(Target("enrollment", namespace="shop"), "enrollment shop", id="namespace"),
        pytest.param(Target("CustomResourceDefinition", "a.b"), "CustomResourceDefinition a.b", id="name"),
    ],
)
def test_a_target_reads_as_kind_and_place(target: Target, text: str) -> None:
    assert str(target) == text


def test_a_gateway_of_another_class_is_never_a_waypoint() -> None:
    verdict = Target("waypoint", "waypoint", "bookinfo").judge(StoredObjects([derived(GATEWAY, {"spec": {"gatewayClassName": "istio"}})]))
    assert (verdict.status, verdict.reason, verdict.final) == ("Failed", "NotAWaypoint", True)
    assert verdict.message == "Gateway bookinfo/waypoint is of class istio, not a waypoint"


def test_the_deployment_of_another_gateway_does_not_count() -> None:
    others = [item for item in OBJECTS if item["kind"] != "Deployment"]
    stranger = derived(recorded("deployment/waypoint_available"), {"metadata": {"labels": {"gateway.networking.k8s.io/gateway-name": "other"}}})
    assert Target("Gateway", "waypoint", "bookinfo").judge(StoredObjects([*others, stranger])).reason == "NoDeployment"
    elsewhere = named(recorded("deployment/waypoint_available"), "waypoint", "shop")
    assert Target("Gateway", "waypoint", "bookinfo").judge(StoredObjects([*others, elsewhere])).reason == "NoDeployment"


def test_a_gateway_with_a_host_name_is_somebody_elses_deployment() -> None:
    gateway = derived(GATEWAY, {"spec": {"addresses": [{"type": "Hostname", "value": "ingress.istio-system.svc.cluster.local"}]}})
    assert Target("Gateway", "waypoint", "bookinfo").judge(StoredObjects([gateway])).current
    gateway = derived(GATEWAY, {"spec": {"addresses": [{"type": "IPAddress", "value": "192.0.2.1"}]}})
    assert Target("Gateway", "waypoint", "bookinfo").judge(StoredObjects([gateway])).reason == "NoDeployment"


def test_a_binding_of_one_service_looks_at_that_service_only() -> None:
    unbound = derived(named(recorded("service/bound"), "reviews"), {"status": {"conditions": []}})
    snapshot = StoredObjects([*OBJECTS, unbound])
    assert Target("binding", "details", "bookinfo").judge(snapshot).current
    assert not Target("binding", "reviews", "bookinfo").judge(snapshot).current
    assert not Target("binding", "", "bookinfo").judge(snapshot).current
