from __future__ import annotations

import base64

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._checks.ages import seconds_of
from ansible_collections.meshwright.ambient.plugins.module_utils._checks.control_plane import CHECKS
from ansible_collections.meshwright.ambient.plugins.module_utils._kinds import (
    CONFIG_MAP,
    DAEMON_SET,
    DEPLOYMENT,
    ENDPOINT_SLICE,
    GATEWAY,
    NAMESPACE,
    POD,
    SERVICE,
    Kind,
)
from tests.unit.checked_mesh import (
    HOME,
    MOMENTS_AGO,
    NOW,
    Mesh,
    added,
    changed,
    found_in,
    healthy,
    injector,
    istiod_of,
    item_of,
    namespace_of,
    only,
    pod_of,
    service_of,
    settings_of,
    shown,
    slice_of,
    without,
    ztunnel_of,
)
from tests.unit.objects import Object, derived, recorded

ISTIOD = "Deployment istio-system/istiod"
PEM = base64.b64decode(injector()["webhooks"][0]["clientConfig"]["caBundle"]).decode()
ENDS = seconds_of("2036-11-18T01:39:02Z") or 0
DOWN = {"status": {"availableReplicas": None, "readyReplicas": None}}
WAYPOINT = derived(recorded("gateway/waypoint_programmed"), {"metadata": {"namespace": "shop"}})


def root_of(text: str, namespace: str = HOME) -> Object:
    return item_of(CONFIG_MAP, "istio-ca-root-cert", namespace, data={"root-cert.pem": text})


def environment(istiod: Object, **variables: str | None) -> Object:
    """An istiod with other variables; None takes one away."""
    (container,) = istiod["spec"]["template"]["spec"]["containers"]
    kept = [one for one in container["env"] if one["name"] not in variables]
    given = [{"name": name, "value": value} for name, value in variables.items() if value is not None]
    return derived(istiod, {"spec": {"template": {"spec": {"containers": [{**container, "env": [*kept, *given]}]}}}})


def test_a_healthy_mesh_has_no_findings() -> None:
    assert not shown(found_in(CHECKS, added(healthy(), root_of(PEM))))


@pytest.mark.parametrize("kinds", [(), (NAMESPACE, POD, SERVICE)], ids=["empty", "without-istio"])
def test_a_cluster_without_istio_has_no_findings(kinds: tuple[Kind, ...]) -> None:
    mesh = {kind: [item for item in healthy()[kind] if item["metadata"]["name"] in ("outside", "plain-1", "cart")] for kind in kinds}
    assert not shown(found_in(CHECKS, mesh))


# MW3001


@pytest.mark.parametrize(
    ("difference", "pod", "words"),
    [
        ({"spec": {"replicas": 0}}, None, "it is scaled to 0 replicas"),
        (DOWN, None, "it has no available pod, so ztunnel"),
        (DOWN, {"ready": False}, "it has no available pod, so ztunnel"),
        (DOWN, {"ready": False, "waiting": "ImagePullBackOff", "created": MOMENTS_AGO}, "it has no available pod (ImagePullBackOff)"),
        (
            {"status": {**DOWN["status"], "conditions": [{"type": "ReplicaFailure", "status": "True", "message": "exceeded quota: small"}]}},
            None,
            "it has no available pod (exceeded quota: small)",
        ),
    ],
    ids=["scaled", "no-pods", "not-ready", "image", "quota"],
)
def test_an_istiod_without_an_available_pod(difference: Object, pod: Object | None, words: str) -> None:
    mesh = without(changed(healthy(), DEPLOYMENT, "istiod", difference), POD, "istiod-1")
    if pod:
        mesh = added(mesh, pod_of("istiod-2", HOME, labels={"app": "istiod", "istio.io/rev": "default"}, **pod))
    (finding,) = found_in(only(CHECKS, "MW3001"), mesh)
    assert shown([finding]) == [("MW3001", "error", ISTIOD)]
    assert finding.problem.message.startswith(words)


@pytest.mark.parametrize("created", [MOMENTS_AGO])
def test_an_istiod_that_is_just_starting_is_no_fault(created: str) -> None:
    mesh = without(changed(healthy(), DEPLOYMENT, "istiod", DOWN), POD, "istiod-1")
    starting = pod_of("istiod-2", HOME, labels={"app": "istiod", "istio.io/rev": "default"}, ready=False, created=created)
    assert not found_in(only(CHECKS, "MW3001"), added(mesh, starting))
    assert not found_in(only(CHECKS, "MW3001"), changed(mesh, DEPLOYMENT, "istiod", {"metadata": {"creationTimestamp": created}}))


def test_only_the_revision_that_is_down_is_named() -> None:
    mesh = added(healthy(), derived(istiod_of("blue-2", "mesh-b"), DOWN))
    assert shown(found_in(only(CHECKS, "MW3001"), mesh)) == [("MW3001", "error", "Deployment mesh-b/istiod-blue-2")]


def test_labels_for_a_mesh_that_is_not_installed() -> None:
    mesh = without(without(without(healthy(), DEPLOYMENT), DAEMON_SET), POD)
    (finding,) = found_in(CHECKS, mesh)
    assert shown([finding]) == [("MW3001", "error", "Cluster")]
    assert [str(ref) for ref in finding.problem.related] == ["Namespace shop"]
    assert not found_in(CHECKS, changed(mesh, NAMESPACE, "shop", {"metadata": {"labels": {"istio.io/dataplane-mode": None}}}))


@pytest.mark.parametrize("address", ["https://istiod.example.com:15012", "istiod.istio-system.svc:15012"])
def test_an_istiod_outside_of_the_cluster_is_none_that_is_missing(address: str) -> None:
    mesh = added(without(healthy(), DEPLOYMENT), ztunnel_of(address=address))
    assert not found_in(CHECKS, mesh)


# MW3002


@pytest.mark.parametrize("value", [None, "false", "", "True "])
def test_an_istiod_without_ambient_mode(value: str | None) -> None:
    mesh = added(healthy(), environment(istiod_of(), PILOT_ENABLE_AMBIENT=value))
    (finding,) = found_in(CHECKS, mesh)
    assert shown([finding]) == [("MW3002", "error", ISTIOD)]
    assert "PILOT_ENABLE_AMBIENT" in finding.problem.message
    assert [str(ref) for ref in finding.problem.related] == ["DaemonSet istio-system/ztunnel", "Namespace shop"]
    sidecars_only = without(without(mesh, DAEMON_SET), NAMESPACE)
    assert not found_in(CHECKS, sidecars_only)


def test_of_several_istiods_that_of_the_ambient_mesh_needs_ambient_mode() -> None:
    old = environment(istiod_of("old"), PILOT_ENABLE_AMBIENT=None)
    assert not found_in(only(CHECKS, "MW3002"), added(healthy(), old))
    owned = derived(WAYPOINT, {"metadata": {"name": "api", "labels": {"istio.io/rev": "old"}}})
    assert shown(found_in(only(CHECKS, "MW3002"), added(healthy(), old, owned))) == [("MW3002", "error", "Deployment istio-system/istiod-old")]
    both = added(healthy(), old, environment(istiod_of(), PILOT_ENABLE_AMBIENT="false"))
    assert shown(found_in(only(CHECKS, "MW3002"), both)) == [("MW3002", "error", ISTIOD)]


def test_a_variable_that_stands_elsewhere_is_not_judged() -> None:
    container = {"name": "discovery", "env": [{"name": "PILOT_ENABLE_AMBIENT", "valueFrom": {"configMapKeyRef": {"name": "x", "key": "y"}}}]}
    mesh = changed(healthy(), DEPLOYMENT, "istiod", {"spec": {"template": {"spec": {"containers": [container]}}}})
    assert not found_in(only(CHECKS, "MW3002"), mesh)
    mesh = changed(healthy(), DEPLOYMENT, "istiod", {"spec": {"template": {"spec": {"containers": [{"name": "discovery", "envFrom": [{}]}]}}}})
    assert not found_in(only(CHECKS, "MW3002", "MW3003"), mesh)


# MW3003


@pytest.mark.parametrize(
    ("trusted", "words"),
    [
        ("kube-system/ztunnel", "names kube-system/ztunnel"),
        (None, "is not set"),
        ("istio-system/ztunnel, edge/mesh-proxy", "names istio-system/ztunnel, edge/mesh-proxy"),
    ],
)
def test_a_ztunnel_that_istiod_does_not_trust(trusted: str | None, words: str) -> None:
    mesh = without(healthy(), DAEMON_SET, "ztunnel")
    mesh = added(mesh, ztunnel_of("mesh-proxy", "edge"), environment(istiod_of(), CA_TRUSTED_NODE_ACCOUNTS=trusted))
    (finding,) = found_in(CHECKS, mesh)
    assert shown([finding]) == [("MW3003", "error", ISTIOD)]
    assert words in finding.problem.message
    assert "edge/mesh-proxy" in finding.problem.message
    assert finding.problem.remedy.startswith("Set the values trustedZtunnelNamespace to edge and trustedZtunnelName to mesh-proxy")


def test_one_of_several_trusted_accounts_is_enough_and_another_authority_is_not_judged() -> None:
    trusted = environment(istiod_of(), CA_TRUSTED_NODE_ACCOUNTS="kube-system/ztunnel,istio-system/ztunnel")
    assert not found_in(CHECKS, added(healthy(), trusted))
    none = environment(istiod_of(), CA_TRUSTED_NODE_ACCOUNTS="")
    mesh = added(healthy(), none, service_of("cert-manager-istio-csr", "cert-manager", {"app": "csr"}, 443), slice_of("cert-manager-istio-csr", "cert-manager"))
    (container,) = ztunnel_of()["spec"]["template"]["spec"]["containers"]
    variables = [{"name": "CA_ADDRESS", "value": "https://cert-manager-istio-csr.cert-manager.svc:443"}, container["env"][1]]
    difference = {"spec": {"template": {"spec": {"containers": [{**container, "env": variables}]}}}}
    assert not found_in(CHECKS, changed(mesh, DAEMON_SET, "ztunnel", difference))


# MW3004


@pytest.mark.parametrize(
    ("address", "words", "remedy"),
    [
        (
            "istiod-1-31.istio-system.svc:15012",
            "Service istio-system/istiod-1-31 (CA_ADDRESS, XDS_ADDRESS), which does not exist",
            "(there is Service istio-system/istiod)",
        ),
        ("istiod.mesh.svc.cluster.local:15012", "Service mesh/istiod (CA_ADDRESS, XDS_ADDRESS), which does not exist", "istiod"),
        ("istiod.istio-system:15013", "which has no port 15013", "istiod"),
    ],
)
def test_a_ztunnel_with_a_wrong_address(address: str, words: str, remedy: str) -> None:
    (finding,) = found_in(CHECKS, added(healthy(), ztunnel_of(address=address)))
    assert shown([finding]) == [("MW3004", "error", "DaemonSet istio-system/ztunnel")]
    assert words in finding.problem.message
    assert remedy in finding.problem.remedy


def test_a_ztunnel_without_variables_looks_for_the_default_istiod() -> None:
    bare = derived(ztunnel_of(), {"spec": {"template": {"spec": {"containers": [{"name": "istio-proxy"}]}}}})
    assert not found_in(CHECKS, added(healthy(), bare))
    moved = added(without(without(healthy(), DEPLOYMENT), SERVICE), bare, istiod_of("default", "mesh"))
    assert [code for code, _severity, _ref in shown(found_in(only(CHECKS, "MW3001", "MW3003", "MW3004"), moved))] == ["MW3004"]


def test_an_endpoint_that_is_not_ready_is_told_by_istiod() -> None:
    mesh = added(healthy(), slice_of("istiod", ready=False))
    assert shown(found_in(only(CHECKS, "MW3004"), mesh)) == [("MW3004", "error", "DaemonSet istio-system/ztunnel")]
    down = without(changed(mesh, DEPLOYMENT, "istiod", {"spec": {"replicas": 0}}), POD, "istiod-1")
    (finding,) = found_in(CHECKS, down)
    assert shown([finding]) == [("MW3001", "error", ISTIOD)]
    assert "DaemonSet istio-system/ztunnel" in map(str, finding.problem.related)


# MW3005


@pytest.mark.parametrize(
    ("text", "now", "severity", "words"),
    [
        (PEM, ENDS + 1, "error", "ended on 2036-11-18"),
        (PEM, ENDS - 29 * 86400, "warning", "ends on 2036-11-18"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", NOW, "error", "is none"),
    ],
)
def test_a_root_certificate_that_ends(text: str, now: float, severity: str, words: str) -> None:
    (finding,) = found_in(only(CHECKS, "MW3005"), added(healthy(), root_of(text)), now)
    assert shown([finding]) == [("MW3005", severity, "ConfigMap istio-system/istio-ca-root-cert")]
    assert words in finding.problem.message


def test_a_root_certificate_of_many_years_is_fine() -> None:
    assert not found_in(only(CHECKS, "MW3005"), added(healthy(), root_of(PEM)), ENDS - 31 * 86400)
    assert not found_in(only(CHECKS, "MW3005"), added(healthy(), root_of(PEM, "elsewhere")), ENDS + 1)


# MW3008 and MW3010


def test_settings_that_are_no_yaml() -> None:
    mesh = added(healthy(), settings_of("istio", mesh="rootNamespace: [istio-system\n"))
    (finding,) = found_in(CHECKS, mesh)
    assert shown([finding]) == [("MW3008", "error", "ConfigMap istio-system/istio")]
    assert not found_in(CHECKS, added(healthy(), settings_of("istio-gone", mesh="a: [\n")))


def test_templates_that_are_missing() -> None:
    mesh = added(without(healthy(), CONFIG_MAP, "istio-sidecar-injector"), WAYPOINT)
    (finding,) = found_in(CHECKS, mesh)
    assert shown([finding]) == [("MW3010", "error", ISTIOD)]
    assert "ConfigMap istio-system/istio-sidecar-injector" in finding.problem.message
    assert [str(ref) for ref in finding.problem.related][1:]
    assert shown(found_in(CHECKS, without(mesh, GATEWAY))) == [("MW3010", "warning", ISTIOD)]


def test_templates_are_those_of_the_revision() -> None:
    mesh = added(healthy(), istiod_of("1-31", "mesh"), settings_of("istio-1-31", "mesh", mesh="{}"), settings_of("istio-sidecar-injector", "mesh"))
    (finding,) = found_in(only(CHECKS, "MW3010"), mesh)
    assert "ConfigMap mesh/istio-sidecar-injector-1-31" in finding.problem.message
    assert not found_in(only(CHECKS, "MW3010"), added(mesh, settings_of("istio-sidecar-injector-1-31", "mesh")))


def test_where_no_settings_can_be_told_apart_nothing_is_said_of_them() -> None:
    assert not found_in(only(CHECKS, "MW3010"), without(healthy(), CONFIG_MAP))


# several at once


def test_faults_of_different_parts_are_all_told() -> None:
    mesh: Mesh = added(
        healthy(), environment(istiod_of(), CA_TRUSTED_NODE_ACCOUNTS=""), settings_of("istio", mesh="- a\n"), ztunnel_of("edge", "edge", "istiod-x.edge.svc:1")
    )
    assert shown(found_in(CHECKS, mesh)) == [
        ("MW3003", "error", ISTIOD),
        ("MW3004", "error", "DaemonSet edge/edge"),
        ("MW3008", "error", "ConfigMap istio-system/istio"),
    ]


def test_other_names_and_places() -> None:
    """A mesh whose parts are called and placed unlike those of the charts' defaults."""
    labels = {"app": "istiod", "istio.io/rev": "blue"}
    mesh: Mesh = {
        NAMESPACE: [namespace_of("pay", **{"istio.io/dataplane-mode": "ambient"})],
        DEPLOYMENT: [istiod_of("blue", "control", CA_TRUSTED_NODE_ACCOUNTS="nodes/mesh-proxy")],
        DAEMON_SET: [ztunnel_of("mesh-proxy", "nodes", "https://istiod-blue.control.svc:15012")],
        SERVICE: [service_of("istiod-blue", "control", labels, 15012)],
        ENDPOINT_SLICE: [slice_of("istiod-blue", "control")],
    }
    assert not found_in(CHECKS, mesh)
    assert [code for code, _severity, _ref in shown(found_in(CHECKS, without(mesh, ENDPOINT_SLICE)))] == ["MW3004"]
