from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._kinds import (
    DEPLOYMENT,
    ENDPOINT_SLICE,
    HORIZONTAL_POD_AUTOSCALER,
    NAMESPACE,
    POD_DISRUPTION_BUDGET,
    SERVICE,
    SERVICE_ENTRY,
    VALIDATING_WEBHOOK,
    Kind,
)
from ansible_collections.meshwright.ambient.plugins.module_utils._kinds import (
    GATEWAY as GATEWAY_KIND,
)
from ansible_collections.meshwright.ambient.plugins.module_utils._mesh.waypoints import WaypointRef
from ansible_collections.meshwright.ambient.plugins.module_utils._status.addresses import ServiceExpectation
from ansible_collections.meshwright.ambient.plugins.module_utils._status.any_objects import ConditionExpectation, ValueExpectation
from ansible_collections.meshwright.ambient.plugins.module_utils._status.bindings import BindingExpectation
from ansible_collections.meshwright.ambient.plugins.module_utils._status.custom_resources import DefinitionExpectation
from ansible_collections.meshwright.ambient.plugins.module_utils._status.enrollments import EnrollmentExpectation
from ansible_collections.meshwright.ambient.plugins.module_utils._status.gateways import GatewayExpectation
from ansible_collections.meshwright.ambient.plugins.module_utils._status.probes import judge_probe
from ansible_collections.meshwright.ambient.plugins.module_utils._status.rules import RULES, needs_of, probes_of, verdict_on
from ansible_collections.meshwright.ambient.plugins.module_utils._status.target import Target
from ansible_collections.meshwright.ambient.plugins.module_utils._status.waypoints import WaypointExpectation
from ansible_collections.meshwright.ambient.plugins.module_utils._status.webhooks import CertificateExpectation
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
        "service/reviews_bound",
        "httproute/attached_to_waypoint",
        "authorizationpolicy/at_ztunnel",
        "peerauthentication/strict",
        "requestauthentication/at_service",
        "job/complete",
        "statefulset/available",
        "replicaset/available",
        "pod/succeeded",
    )
]
REPLICA_SET = recorded("replicaset/available")
ISTIOD_SERVICE: Object = {"kind": "Service", "metadata": {"name": "istiod", "namespace": "istio-system"}, "spec": {"ports": [{"port": 443}]}}
NODE = Kind("v1", "Node", "nodes", namespaced=False)
LEASE = Kind("coordination.k8s.io/v1", "Lease", "leases")
OBJECTS += [
    ISTIOD_SERVICE,
    derived(named(recorded("grpcroute/attached_to_waypoint"), "good"), {"spec": {"parentRefs": [{"group": "", "kind": "Service", "name": "reviews"}]}}),
    derived(recorded("ingress/pending"), {"status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}}),
    {"kind": "Node", "metadata": {"name": "node-1"}, "status": {"conditions": [{"type": "Ready", "status": "True"}]}},
    {"kind": "Lease", "metadata": {"name": "leader", "namespace": "shop"}, "spec": {"holderIdentity": "a"}},
]
for item in OBJECTS:
    if item["kind"] == "GRPCRoute":
        item["status"]["parents"][0]["parentRef"] = item["spec"]["parentRefs"][0]
GATEWAY = OBJECTS[0]


class StoredObjects:
    """A snapshot that knows which kinds were asked for."""

    def __init__(self, objects: Sequence[Object]) -> None:
        self._objects = objects
        self.asked: set[Kind] = set()
        self.places: set[tuple[Kind, str | None]] = set()

    def get(self, kind: Kind, name: str, namespace: str | None = None) -> Object | None:
        return next((item for item in self.all(kind, namespace) if item["metadata"]["name"] == name), None)

    def all(self, kind: Kind, namespace: str | None = None) -> list[Object]:
        self.asked.add(kind)
        self.places.add((kind, namespace))
        return [item for item in self._objects if item["kind"] == kind.name and namespace in (None, item["metadata"].get("namespace"))]


CURRENT = [
    Target("control_plane", namespace="istio-system"),
    Target("control_plane", "default", "istio-system"),
    Target("waypoint", "waypoint", "bookinfo"),
    Target("Gateway", "waypoint", "bookinfo"),
    Target("binding", "details", "bookinfo"),
    Target("binding", "", "bookinfo", BindingExpectation(WaypointRef("bookinfo", "waypoint"))),
    Target("enrollment", namespace="bookinfo"),
    Target("CustomResourceDefinition", "gateways.gateway.networking.k8s.io"),
    Target("DaemonSet", "ztunnel", "istio-system"),
    Target("Deployment", "istiod", "istio-system"),
    Target("ValidatingWebhookConfiguration", "istiod-default-validator"),
    Target("MutatingWebhookConfiguration", "istio-sidecar-injector", "istio-system"),
    Target("HTTPRoute", "good", "bookinfo"),
    Target("GRPCRoute", "good", "bookinfo"),
    Target("AuthorizationPolicy", "l4", "bookinfo"),
    Target("PeerAuthentication", "strict", "bookinfo"),
    Target("Service", "reviews", "bookinfo"),
    Target("Ingress", "web", "judge-b"),
    Target("Job", "done", "judge-b"),
    Target("StatefulSet", "db", "judge-b"),
    Target("ReplicaSet", REPLICA_SET["metadata"]["name"], "judge-b"),
    Target("Pod", "done-4xdbr", "judge-b"),
    Target("Node", "node-1", api_kind=NODE),
    Target("Lease", "leader", "shop", ValueExpectation("{.spec.holderIdentity}", "a"), api_kind=LEASE),
    Target("Node", "node-1", expectation=ConditionExpectation("Ready"), api_kind=NODE),
]
# This one reads only what its targetRefs name.
REQUEST_AUTHENTICATION = Target("RequestAuthentication", "jwt", "bookinfo")


@pytest.mark.parametrize("target", [*CURRENT, REQUEST_AUTHENTICATION], ids=str)
def test_the_recorded_mesh_is_current(target: Target) -> None:
    assert verdict_on(target, StoredObjects(OBJECTS)).current


@pytest.mark.parametrize("target", [*CURRENT, REQUEST_AUTHENTICATION], ids=str)
def test_without_objects_nothing_is_found(target: Target) -> None:
    verdict = verdict_on(target, StoredObjects([]))
    assert verdict.status == "NotFound"
    assert verdict.remedy


@pytest.mark.parametrize("target", CURRENT, ids=str)
def test_a_rule_reads_exactly_what_it_declares(target: Target) -> None:
    snapshot = StoredObjects(OBJECTS)
    verdict_on(target, snapshot)
    assert snapshot.asked == {kind for kind, _namespace in needs_of(target)}


@pytest.mark.parametrize("target", [*CURRENT, REQUEST_AUTHENTICATION], ids=str)
def test_a_rule_looks_only_where_it_has_said_that_it_would(target: Target) -> None:
    """What is not declared is not read, and would seem to be missing."""
    snapshot = StoredObjects(OBJECTS)
    verdict_on(target, snapshot)
    probes_of(target, snapshot)
    declared = set(needs_of(target))
    assert all((kind, None) in declared or (kind, namespace) in declared for kind, namespace in snapshot.places)


@pytest.mark.parametrize("kind", sorted(RULES))
def test_a_rule_needs_kinds_where_they_can_be_read(kind: str) -> None:
    needs = needs_of(Target(kind, "a", "shop"))
    assert needs
    assert all(needed.namespaced or namespace is None for needed, namespace in needs)
    assert set(RULES[kind].options) <= {"name", "namespace"}


def test_needs_name_the_place_to_look_in() -> None:
    assert needs_of(Target("binding", "details", "bookinfo")) == ((SERVICE, "bookinfo"), (NAMESPACE, None))


def test_a_gateway_of_another_class_is_never_a_waypoint() -> None:
    verdict = verdict_on(Target("waypoint", "waypoint", "bookinfo"), StoredObjects([derived(GATEWAY, {"spec": {"gatewayClassName": "istio"}})]))
    assert (verdict.status, verdict.reason, verdict.final) == ("Failed", "NotAWaypoint", True)
    assert verdict.message == "Gateway bookinfo/waypoint is of class istio, not a waypoint"


def test_the_deployment_of_another_gateway_does_not_count() -> None:
    others = [item for item in OBJECTS if item["kind"] != "Deployment"]
    stranger = derived(recorded("deployment/waypoint_available"), {"metadata": {"labels": {"gateway.networking.k8s.io/gateway-name": "other"}}})
    assert verdict_on(Target("Gateway", "waypoint", "bookinfo"), StoredObjects([*others, stranger])).reason == "NoDeployment"
    elsewhere = named(recorded("deployment/waypoint_available"), "waypoint", "shop")
    assert verdict_on(Target("Gateway", "waypoint", "bookinfo"), StoredObjects([*others, elsewhere])).reason == "NoDeployment"


OF_ANOTHER: Object = {"metadata": {"ownerReferences": [{"kind": "Gateway", "name": "waypoint", "uid": "of-the-one-before"}]}}


@pytest.mark.parametrize(("kind", "reason"), [("Deployment", "NoDeployment"), ("Service", "NoService")])
@pytest.mark.parametrize("owners", [OF_ANOTHER, {"metadata": {"ownerReferences": None}}], ids=["of-the-gateway-before", "of-nobody"])
@pytest.mark.parametrize("target", [Target("Gateway", "waypoint", "bookinfo"), Target("waypoint", "waypoint", "bookinfo")], ids=str)
def test_what_is_left_of_a_gateway_that_was_made_again_does_not_count(target: Target, owners: Object, kind: str, reason: str) -> None:
    """Until the garbage collector has been there, Deployment and Service of the deleted one are as good as ever."""

    def made(item: Object) -> bool:
        return item["kind"] == kind and item["metadata"]["name"] == "waypoint"

    left = [derived(item, owners) if made(item) else item for item in OBJECTS]
    assert verdict_on(target, StoredObjects(left)).reason == reason
    new = [named(item, "a-new-one") for item in OBJECTS if made(item)]
    assert verdict_on(target, StoredObjects([*left, *new])).current, "the old one counts no more than a stranger"


@pytest.mark.parametrize(
    ("kind", "situation"), [("horizontalPodAutoscaler", "horizontalpodautoscaler/of_waypoint"), ("podDisruptionBudget", "poddisruptionbudget/of_waypoint")]
)
def test_what_was_made_by_parameters_for_the_gateway_before_does_not_count(kind: str, situation: str) -> None:
    made = recorded(situation)
    without = Target("waypoint", "waypoint", "bookinfo", WaypointExpectation({}))
    assert verdict_on(without, StoredObjects([*OBJECTS, made])).reason == "ParametersNotApplied", f"an own {kind} is left"
    assert verdict_on(without, StoredObjects([*OBJECTS, derived(made, OF_ANOTHER)])).current


def test_a_gateway_with_a_host_name_is_somebody_elses_deployment() -> None:
    gateway = derived(GATEWAY, {"spec": {"addresses": [{"type": "Hostname", "value": "ingress.istio-system.svc.cluster.local"}]}})
    assert verdict_on(Target("Gateway", "waypoint", "bookinfo"), StoredObjects([gateway])).current
    gateway = derived(GATEWAY, {"spec": {"addresses": [{"type": "IPAddress", "value": "192.0.2.1"}]}})
    assert verdict_on(Target("Gateway", "waypoint", "bookinfo"), StoredObjects([gateway])).reason == "NoService"


def test_a_binding_of_one_service_looks_at_that_service_only() -> None:
    unbound = derived(named(recorded("service/bound"), "cart"), {"status": {"conditions": []}})
    snapshot = StoredObjects([*OBJECTS, unbound])
    assert verdict_on(Target("binding", "details", "bookinfo"), snapshot).current
    assert not verdict_on(Target("binding", "cart", "bookinfo"), snapshot).current
    assert not verdict_on(Target("binding", "", "bookinfo"), snapshot).current


# expectations


def test_an_expectation_says_what_must_be_read_besides() -> None:
    assert {kind for kind, _namespace in needs_of(Target("waypoint", "front", "shop"))} == {GATEWAY_KIND, DEPLOYMENT, SERVICE}
    kinds = {kind for kind, _namespace in needs_of(Target("waypoint", "waypoint", "shop", WaypointExpectation({"deployment": {}})))}
    assert kinds >= {GATEWAY_KIND, SERVICE, HORIZONTAL_POD_AUTOSCALER, POD_DISRUPTION_BUDGET}
    assert needs_of(Target("binding", "", "shop", BindingExpectation(bound_kind="ServiceEntry"))) == ((SERVICE_ENTRY, "shop"), (NAMESPACE, None))
    assert needs_of(Target("binding", "", "shop", BindingExpectation(bound_kind="Service"))) == ((SERVICE, "shop"), (NAMESPACE, None))
    assert needs_of(Target("binding", "", "shop")) == ((SERVICE, "shop"), (SERVICE_ENTRY, "shop"), (NAMESPACE, None))
    assert needs_of(Target("ValidatingWebhookConfiguration", "it")) == ((VALIDATING_WEBHOOK, None), (SERVICE, None), (ENDPOINT_SLICE, None))
    assert needs_of(Target("ValidatingWebhookConfiguration", "it", "shop"))[1:] == ((SERVICE, "shop"), (ENDPOINT_SLICE, "shop"))


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        (Target("CustomResourceDefinition", "gateways.gateway.networking.k8s.io", expectation=DefinitionExpectation(("v9",))), "VersionNotServed"),
        (Target("CustomResourceDefinition", "gateways.gateway.networking.k8s.io", expectation=DefinitionExpectation(bundle_version="v0.1.0")), "OtherBundle"),
        (Target("Gateway", "waypoint", "bookinfo", GatewayExpectation(load_balancer=True)), "NoLoadBalancer"),
        (Target("Service", "reviews", "bookinfo", ServiceExpectation(load_balancer=True)), "NotALoadBalancer"),
        (Target("binding", "details", "bookinfo", BindingExpectation(bound_kind="ServiceEntry")), "NotFound"),
        (Target("ValidatingWebhookConfiguration", "istiod-default-validator", expectation=CertificateExpectation(now=4e9)), "ExpiredCA"),
        (Target("control_plane", "", "istio-system", CertificateExpectation(now=4e9)), "WebhookNotServing"),
        (Target("Lease", "leader", "shop", ValueExpectation("{.spec.holderIdentity}", "b"), api_kind=LEASE), "OtherValue"),
        (Target("Node", "node-1", expectation=ConditionExpectation("Ready", "False"), api_kind=NODE), "OtherStatus"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.kind,
)
def test_an_expectation_is_judged(target: Target, reason: str) -> None:
    verdict = verdict_on(target, StoredObjects(OBJECTS))
    assert (verdict.current, verdict.reason) == (False, reason)


def test_excluded_namespaces_may_be_others_than_the_charts() -> None:
    pending = derived(recorded("pod/captured"), {"metadata": {"annotations": {"ambient.istio.io/redirection": None}}})
    snapshot = StoredObjects([recorded("namespace/enrolled"), pending])
    assert verdict_on(Target("enrollment", "", "bookinfo"), snapshot).reason == "NotCaptured"
    assert verdict_on(Target("enrollment", "", "bookinfo", EnrollmentExpectation(("bookinfo",))), snapshot).current


def test_a_control_plane_without_its_templates_is_not_current() -> None:
    probe = probes_of(Target("control_plane", "", "istio-system"), StoredObjects(OBJECTS))[-1]
    absent = {"kind": "Status", "message": "not found", "details": {"name": "istio-sidecar-injector", "kind": "configmaps"}}
    verdict = judge_probe(probe, 404, json.dumps(absent))
    assert verdict is not None
    assert verdict.message == "ConfigMap istio-system/istio-sidecar-injector does not exist, from which istiod renders waypoints and gateways"
    assert judge_probe(probe, 200, json.dumps({"data": {"config": "templates: {waypoint: a, kube-gateway: b}"}})) is None


def test_who_is_asked_whether_it_answers() -> None:
    snapshot = StoredObjects(OBJECTS)
    assert [probe.path.rpartition("/")[2] for probe in probes_of(Target("control_plane", "", "istio-system"), snapshot)] == [
        "validate",
        "inject",
        "istio-sidecar-injector",
    ]
    assert len(probes_of(Target("ValidatingWebhookConfiguration", "istiod-default-validator"), snapshot)) == 1
    assert probes_of(Target("ValidatingWebhookConfiguration", "other"), snapshot) == ()
    assert probes_of(Target("Deployment", "istiod", "istio-system"), snapshot) == ()
    assert probes_of(Target("control_plane", "1-31", "istio-system"), snapshot) == ()
