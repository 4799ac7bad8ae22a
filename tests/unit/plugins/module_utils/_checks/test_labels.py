from __future__ import annotations

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._checks.labels import CHECKS
from ansible_collections.meshwright.ambient.plugins.module_utils._kinds import GATEWAY, NAMESPACE, POD, SERVICE, SERVICE_ENTRY, Kind
from tests.unit.checked_mesh import AMBIENT, Mesh, added, changed, found_in, healthy, item_of, namespace_of, only, pod_of, serious, service_of, shown
from tests.unit.objects import Object, derived

MODE = "istio.io/dataplane-mode"
USE, USE_NAMESPACE = "istio.io/use-waypoint", "istio.io/use-waypoint-namespace"
OWNED = ("ReplicaSet", "api-5f")


def labeled(item: Object, **labels: str) -> Object:
    return derived(item, {"metadata": {"labels": labels}})


def annotated(item: Object, **annotations: str) -> Object:
    return derived(item, {"metadata": {"annotations": annotations}})


def test_a_healthy_mesh_has_no_findings() -> None:
    assert not shown(found_in(CHECKS, {**healthy(), SERVICE_ENTRY: []}))


def test_known_labels_of_every_sort_are_no_findings() -> None:
    chart = {"app.kubernetes.io/name": "x", "helm.sh/chart": "x", "topology.kubernetes.io/zone": "a", "example.com/use-waypoint": "x", "use-waypoint": "x"}
    istio = {
        "operator.istio.io/component": "x",
        "service.istio.io/canonical-name": "x",
        "istio.io/rev": "a",
        "istio.io/config": "true",
        "istio.io/global": "true",
    }
    waypoint = {USE: "waypoint", USE_NAMESPACE: "shared", "istio.io/ingress-use-waypoint": "true", "istio.io/use-waypoint-canary": "next"}
    labels = {**chart, **istio, **waypoint, "topology.istio.io/network": "a"}
    mesh = added(healthy(), namespace_of("many", **labels), labeled(service_of("many", "many"), **labels), pod_of("many", "many", labels=labels))
    assert not shown(found_in(CHECKS, annotated_all(mesh)))


def annotated_all(mesh: Mesh) -> Mesh:
    extra = {"istio.io/rev": "a", "istio.io/use-waypoint-canary-weight": "10", "networking.istio.io/traffic-distribution": "PreferClose"}
    return changed(mesh, SERVICE, "many", {"metadata": {"annotations": extra}})


# MW4201


@pytest.mark.parametrize(
    ("value", "severity"),
    [
        ("Ambient", "error"),
        ("ambeint", "error"),
        ("ambient-mode", "error"),
        ("AMBIENT", "error"),
        ("enabled", "warning"),
        ("true", "warning"),
        ("sidecar", "warning"),
        ("None", "warning"),
        ("", "warning"),
    ],
)
def test_an_unknown_mode_of_a_namespace(value: str, severity: str) -> None:
    (finding,) = found_in(CHECKS, added(healthy(), namespace_of("pay", **{MODE: value})))
    assert shown([finding]) == [("MW4201", severity, "Namespace pay")]
    assert finding.problem.message.startswith(f"the label {MODE} has the value {value or chr(34) * 2}, which means nothing")
    assert (finding.problem.remedy == "Correct it to ambient.") is (severity == "error")


def test_an_unknown_mode_of_pods_is_told_by_their_workload() -> None:
    labels = {MODE: "ambinet", "pod-template-hash": "5f"}
    mesh = added(healthy(), *(pod_of(f"api-{number}", "outside", labels=labels, owner=OWNED) for number in range(3)))
    (finding,) = found_in(CHECKS, mesh)
    assert shown([finding]) == [("MW4201", "error", "Deployment outside/api")]
    assert finding.problem.message.startswith(f"the label {MODE} of its pods has the value ambinet")
    assert len(finding.problem.related) == 3


@pytest.mark.parametrize(
    ("namespace", "value", "severity", "words"),
    [
        ("shop", "None", "warning", "so it opts nothing out"),
        ("shop", "Ambient", "warning", "so it opts nothing out"),
        ("outside", "Ambient", "error", "so it enrolls nothing"),
        ("outside", "off", "warning", "so it enrolls nothing"),
    ],
)
def test_an_unknown_mode_of_a_pod(namespace: str, value: str, severity: str, words: str) -> None:
    (finding,) = found_in(CHECKS, added(healthy(), pod_of("lone", namespace, labels={MODE: value})))
    assert shown([finding]) == [("MW4201", severity, f"Pod {namespace}/lone")]
    assert words in finding.problem.message
    assert not finding.problem.related
    assert not found_in(CHECKS, added(healthy(), pod_of("lone", namespace, labels={MODE: value}, phase="Succeeded")))


# MW4202


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("istio.io/dataplane_mode", MODE),
        ("istio.io/data-plane-mode", MODE),
        ("istio.io/dataplane", MODE),
        ("isito.io/dataplane-mode", MODE),
        ("ambient.istio.io/dataplane-mode", MODE),
        ("istio/dataplane-mode", MODE),
        ("istio.io/use-waypoints", USE),
        ("istio.io/use_waypoint", USE),
        ("istio/use-waypoint", USE),
        ("istio.io/waypoint", USE),
        ("networking.istio.io/use-waypoint", USE),
        ("istio.io/usewaypoint", USE),
        ("istio.io/use-waypoint-namspace", USE_NAMESPACE),
        ("istio.io/ingress-use-waypont", "istio.io/ingress-use-waypoint"),
        ("istio.io/revision", "istio.io/rev"),
        ("istio-injecton", "istio-injection"),
    ],
)
def test_a_misspelled_label(key: str, meant: str) -> None:
    found = found_in(only(CHECKS, "MW4202"), added(healthy(), namespace_of("pay", **{key: "x"}), labeled(service_of("api", "pay"), **{key: "x"})))
    assert shown(found) == [("MW4202", "warning", "Namespace pay"), ("MW4202", "warning", "Service pay/api")]
    assert found[0].problem.message.startswith(f"its label {key} is unknown to Istio")
    assert found[0].problem.remedy == f"Rename it to {meant}."


def test_a_misspelled_label_of_pods_is_told_by_their_workload_and_beside_the_right_one_is_information() -> None:
    wrong = {"istio.io/use-waypoints": "waypoint", "pod-template-hash": "5f"}
    mesh = added(healthy(), *(pod_of(f"api-{number}", labels=wrong, owner=OWNED) for number in range(2)))
    (finding,) = found_in(CHECKS, mesh)
    assert shown([finding]) == [("MW4202", "warning", "Deployment shop/api")]
    assert [str(ref) for ref in finding.problem.related] == ["Pod shop/api-0", "Pod shop/api-1"]
    both = namespace_of("pay", **{"istio.io/use-waypoints": "waypoint", USE: "waypoint"})
    assert shown(found_in(CHECKS, added(healthy(), both))) == [("MW4202", "info", "Namespace pay")]


@pytest.mark.parametrize(
    ("item", "key", "words"),
    [
        (namespace_of("pay"), MODE, "is set as an annotation, but it is read only as a label, so it enrolls nothing"),
        (namespace_of("pay"), USE, "is set as an annotation"),
        (service_of("api", "pay"), USE, "is set as an annotation"),
        (service_of("api", "pay"), "istio.io/ingress-use-waypoint", "is set as an annotation"),
        (item_of(GATEWAY, "waypoint", "pay", spec={}), "istio.io/waypoint-for", "is set as an annotation"),
        (service_of("api", "pay"), "istio.io/use-waypoint-canary-weigth", "is unknown to Istio"),
    ],
)
def test_an_annotation_that_should_be_another(item: Object, key: str, words: str) -> None:
    (finding,) = found_in(CHECKS, added(healthy(), annotated(item, **{key: "x"})))
    assert (finding.code, finding.severity) == ("MW4202", "warning")
    assert words in finding.problem.message
    # Where the label is there, too, it counts.
    if not key.endswith("weigth"):
        assert not found_in(only(CHECKS, "MW4202"), added(healthy(), annotated(labeled(item, **{key: "all"}), **{key: "x"})))


def test_a_weight_as_label() -> None:
    service = labeled(service_of("api", "pay"), **{"istio.io/use-waypoint-canary-weight": "10"})
    (finding,) = found_in(CHECKS, added(healthy(), service))
    assert "istiod reads it as an annotation" in finding.problem.message


def test_what_istiod_has_made_has_its_labels_from_the_gateway() -> None:
    gateway = item_of(GATEWAY, "waypoint", "shop", labels={"istio.io/waypoint-fro": "all"}, spec={})
    made = {"gateway.istio.io/managed": "istio.io-mesh-controller", "istio.io/waypoint-fro": "all"}
    mesh = added(healthy(), gateway, labeled(service_of("waypoint", "shop"), **made), pod_of("waypoint-1", labels={**made, MODE: "none"}))
    (finding,) = found_in(CHECKS, mesh)
    assert shown([finding]) == [("MW4202", "warning", "Gateway shop/waypoint")]


# MW4203


@pytest.mark.parametrize(("key", "of"), [(USE_NAMESPACE, USE), ("istio.io/use-waypoint-canary-namespace", "istio.io/use-waypoint-canary")])
def test_the_namespace_of_a_waypoint_that_is_not_named(key: str, of: str) -> None:
    found = found_in(CHECKS, added(healthy(), namespace_of("pay", **{key: "shared"}), labeled(service_of("cart", "shop"), **{key: "shared"})))
    assert shown(found) == [("MW4203", "warning", "Namespace pay"), ("MW4203", "warning", "Service shop/cart")]
    assert f"{key} without {of}" in found[0].problem.message
    assert not found_in(CHECKS, added(healthy(), namespace_of("pay", **{key: "shared", of: "waypoint"})))


def test_the_namespace_of_a_waypoint_of_pods() -> None:
    mesh = added(healthy(), pod_of("api-1", labels={USE_NAMESPACE: "shared", "pod-template-hash": "5f"}, owner=OWNED))
    (finding,) = found_in(CHECKS, mesh)
    assert shown([finding]) == [("MW4203", "warning", "Deployment shop/api")]
    assert [str(ref) for ref in finding.problem.related] == ["Pod shop/api-1"]


def test_a_misspelled_name_is_told_instead() -> None:
    mesh = added(healthy(), namespace_of("pay", **{USE_NAMESPACE: "shared", "istio.io/use-waypiont": "waypoint"}))
    assert shown(found_in(CHECKS, mesh)) == [("MW4202", "warning", "Namespace pay")]


# MW4204 and MW4205


@pytest.mark.parametrize(
    ("value", "severity"), [("yes", "warning"), ("enabled", "warning"), ("TrUe", "warning"), ("shop.waypoint", "warning"), ("no", "info"), ("none", "info")]
)
def test_a_value_that_is_no_boolean(value: str, severity: str) -> None:
    (finding,) = found_in(CHECKS, added(healthy(), labeled(service_of("cart", "shop"), **{"istio.io/ingress-use-waypoint": value})))
    assert shown([finding]) == [("MW4204", severity, "Service shop/cart")]
    assert f"{value}, is no boolean; istiod takes it for false" in finding.problem.message


@pytest.mark.parametrize("value", ["true", "false", "True", "1", "0", "T"])
def test_a_boolean(value: str) -> None:
    assert not found_in(CHECKS, added(healthy(), namespace_of("pay", **{"istio.io/ingress-use-waypoint": value})))


def test_an_annotation_of_pods_that_is_no_boolean() -> None:
    (finding,) = found_in(CHECKS, added(healthy(), pod_of("api", annotations={"ambient.istio.io/dns-capture": "off"})))
    assert shown([finding]) == [("MW4204", "warning", "Pod shop/api")]


@pytest.mark.parametrize(
    ("value", "words"),
    [("Enabled", "injection webhooks ask for enabled"), ("true", "injection webhooks ask for enabled"), ("ambient", "enrolls nothing in ambient mesh")],
)
def test_an_injection_label_that_does_nothing(value: str, words: str) -> None:
    (finding,) = found_in(CHECKS, added(healthy(), namespace_of("pay", **{"istio-injection": value})))
    assert shown([finding]) == [("MW4205", "warning", "Namespace pay")]
    assert words in finding.problem.message


def test_injection_labels_that_do_what_they_say() -> None:
    assert not found_in(CHECKS, added(healthy(), namespace_of("a", **{"istio-injection": "enabled"}), namespace_of("b", **{"istio-injection": "disabled"})))


# several at once


def test_several_faults_of_one_namespace_are_all_told() -> None:
    labels = {MODE: "Ambient", "istio.io/use-waypoints": "waypoint", "istio-injection": "Enabled", "istio.io/ingress-use-waypoint": "yes"}
    found = found_in(CHECKS, added(healthy(), namespace_of("pay", **labels)))
    assert sorted(finding.code for finding in found) == ["MW4201", "MW4202", "MW4204", "MW4205"]
    assert {str(finding.problem.object) for finding in found} == {"Namespace pay"}


@pytest.mark.parametrize("kind", [NAMESPACE, POD, SERVICE])
def test_objects_without_labels(kind: Kind) -> None:
    mesh = {kind: [derived(item_of(kind, "bare", "" if kind is NAMESPACE else "x", spec={}), {"metadata": {"labels": None}})]}
    assert not serious(found_in(CHECKS, mesh))
    assert not serious(found_in(CHECKS, added(healthy(), namespace_of("pay", **AMBIENT))))
