from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._checks.capture import CHECKS
from ansible_collections.meshwright.ambient.plugins.module_utils._checks.node_agents import CHECKS as OF_AGENTS
from ansible_collections.meshwright.ambient.plugins.module_utils._kinds import CONFIG_MAP, DAEMON_SET, MUTATING_WEBHOOK, NAMESPACE, NODE, POD
from tests.unit.checked_mesh import (
    AMBIENT,
    CAPTURED,
    MOMENTS_AGO,
    NODES,
    SIDECAR,
    Mesh,
    added,
    agent_of,
    changed,
    cni_of,
    found_in,
    healthy,
    namespace_of,
    pod_of,
    serious,
    settings_of,
    shown,
    without,
    ztunnel_of,
)
from tests.unit.objects import derived

PENDING = {"ambient.istio.io/redirection": "pending"}
HOST_NETWORK = [("MW4106", "info", "Namespace shop")]


def labeled(mesh: Mesh, namespace: str, **labels: str | None) -> Mesh:
    return changed(mesh, NAMESPACE, namespace, {"metadata": {"labels": labels}})


def test_a_healthy_mesh_has_no_findings_but_information() -> None:
    (finding,) = found_in(CHECKS, healthy())
    assert shown([finding]) == HOST_NETWORK
    assert [str(ref) for ref in finding.problem.related] == ["Pod shop/exporter-1"]


def test_a_cluster_without_istio_has_no_findings() -> None:
    assert not found_in(CHECKS, {NAMESPACE: [namespace_of("shop")], POD: [pod_of("cart")]})


# MW4101


@pytest.mark.parametrize(
    ("annotations", "words"),
    [({}, "the istio-cni agent on the node has not redirected it"), (PENDING, "has redirected it but could not tell ztunnel there")],
)
def test_a_pod_that_is_not_captured(annotations: dict[str, str], words: str) -> None:
    (finding, _info) = found_in(CHECKS, added(healthy(), pod_of("late-1", annotations=annotations)))
    assert shown([finding]) == [("MW4101", "error", "Pod shop/late-1")]
    assert words in finding.problem.message
    assert finding.problem.cause is None


def test_pods_that_are_not_captured_are_told_by_their_namespace_and_the_reason() -> None:
    mesh = added(
        healthy(), pod_of("late-1"), pod_of("late-2", node="node-2"), pod_of("slow-1", annotations=PENDING), pod_of("lone-1", "outside", labels=AMBIENT)
    )
    found = [finding for finding in found_in(CHECKS, mesh) if finding.severity != "info"]
    assert shown(found) == [("MW4101", "error", "Namespace shop"), ("MW4101", "error", "Pod outside/lone-1"), ("MW4101", "error", "Pod shop/slow-1")]
    assert [str(ref) for ref in found[0].problem.related] == ["Pod shop/late-1", "Pod shop/late-2"]
    assert found[0].problem.message.startswith("2 of its pods are to be in the mesh and are not")


@pytest.mark.parametrize(
    "mesh",
    [
        added(healthy(), pod_of("late-1", created=MOMENTS_AGO)),
        added(healthy(), derived(pod_of("late-1"), {"spec": {"nodeName": None}})),
        added(healthy(), derived(pod_of("late-1"), {"status": {"podIP": None}})),
        added(healthy(), derived(pod_of("late-1"), {"metadata": {"deletionTimestamp": "2026-11-21T08:00:20Z"}})),
        added(healthy(), pod_of("late-1", phase="Failed")),
        added(healthy(), pod_of("late-1"), agent_of(cni_of(), "node-1", ready=False, created=MOMENTS_AGO)),
        added(
            healthy(),
            pod_of("new-1", "new"),
            derived(
                namespace_of("new", **AMBIENT),
                {"metadata": {"managedFields": [{"manager": "kubectl", "time": MOMENTS_AGO, "fieldsV1": {"f:metadata": {}}}]}},
            ),
        ),
        added(healthy(), pod_of("new-1", "new"), derived(namespace_of("new", **AMBIENT), {"metadata": {"deletionTimestamp": MOMENTS_AGO}})),
    ],
    ids=["just-created", "no-node", "no-address", "being-deleted", "ended", "agent-starting", "just-labelled", "namespace-ending"],
)
def test_a_pod_that_is_on_its_way_is_no_fault(mesh: Mesh) -> None:
    assert not serious(found_in(CHECKS, mesh))


def test_the_agent_of_the_node_is_the_cause() -> None:
    late = pod_of("late-1")
    broken = added(healthy(), late, agent_of(cni_of(), "node-1", ready=False, waiting="ImagePullBackOff"))
    (finding, _info) = found_in((*OF_AGENTS, *CHECKS), broken)
    assert shown([finding]) == [("MW4002", "error", "Pod istio-system/istio-cni-node-node-1")]
    assert "Pod shop/late-1" in map(str, finding.problem.related)
    missing = without(added(healthy(), late), POD, *(f"ztunnel-{node}" for node in NODES))
    (finding, _info) = found_in((*OF_AGENTS, *CHECKS), missing)
    assert shown([finding]) == [("MW4002", "error", "DaemonSet istio-system/ztunnel")]
    assert "Pod shop/late-1" in map(str, finding.problem.related)


@pytest.mark.parametrize("gone", ["istio-cni-node", "ztunnel"])
def test_agents_that_are_not_installed_are_the_cause(gone: str) -> None:
    mesh = without(added(healthy(), pod_of("late-1"), pod_of("late-2")), DAEMON_SET, gone)
    (finding, _info) = found_in((*OF_AGENTS, *CHECKS), mesh)
    assert shown([finding]) == [("MW4001", "error", f"DaemonSet istio-system/{gone}")]
    assert {"Pod shop/late-1", "Pod shop/late-2"} <= set(map(str, finding.problem.related))


def test_ambient_mode_that_is_switched_off_is_the_cause() -> None:
    mesh = changed(added(healthy(), pod_of("late-1")), CONFIG_MAP, "istio-cni-config", {"data": {"AMBIENT_ENABLED": "false"}})
    (finding, _info) = found_in((*OF_AGENTS, *CHECKS), mesh)
    assert shown([finding]) == [("MW4001", "error", "ConfigMap istio-system/istio-cni-config")]


def test_nodes_that_take_no_agents_are_the_reason() -> None:
    mesh = changed(added(healthy(), pod_of("late-1")), NODE, "node-1", {"metadata": {"labels": {"eks.amazonaws.com/compute-type": "fargate"}}})
    (finding, _info) = found_in(CHECKS, mesh)
    assert "Fargate" in finding.problem.message


# MW4102 and MW4103


def test_sidecars_in_an_ambient_namespace() -> None:
    mesh = added(healthy(), pod_of("old-2", annotations=SIDECAR, containers=("app", "istio-proxy")), pod_of("native-1", annotations=SIDECAR))
    (finding, _info) = found_in(CHECKS, mesh)
    assert shown([finding]) == [("MW4102", "warning", "Namespace shop")]
    assert [str(ref) for ref in finding.problem.related] == ["Pod shop/native-1", "Pod shop/old-2"]


def test_a_gateway_that_is_nothing_but_a_proxy_is_no_sidecar() -> None:
    assert not serious(found_in(CHECKS, added(healthy(), pod_of("gateway-1", annotations=SIDECAR, containers=("istio-proxy",)))))


@pytest.mark.parametrize(
    ("labels", "words", "remedy"),
    [
        ({"istio-injection": "enabled"}, "its label istio-injection=enabled asks for sidecars", "Take the label istio-injection off"),
        ({"istio.io/rev": "default"}, "its label istio.io/rev=default asks for sidecars", "put it on its Gateways"),
    ],
)
def test_an_ambient_namespace_that_asks_for_sidecars(labels: dict[str, str], words: str, remedy: str) -> None:
    mesh = added(labeled(healthy(), "shop", **labels), pod_of("old-2", annotations=SIDECAR))
    (finding, _info) = found_in(CHECKS, mesh)
    assert shown([finding]) == [("MW4103", "warning", "Namespace shop")]
    assert words in finding.problem.message
    assert "MutatingWebhookConfiguration istio-sidecar-injector" in finding.problem.message
    assert remedy in finding.problem.remedy
    assert [str(ref) for ref in finding.problem.related] == ["Pod shop/old-2"]


@pytest.mark.parametrize(
    "labels",
    [{"istio.io/rev": "prod"}, {"istio-injection": "disabled", "istio.io/rev": "default"}, {"istio-injection": "disabled"}],
    ids=lambda one: "+".join(one),
)
def test_labels_that_inject_nothing(labels: dict[str, str]) -> None:
    assert not serious(found_in(CHECKS, labeled(healthy(), "shop", **labels)))


def test_a_request_for_sidecars_that_no_webhook_hears_is_information() -> None:
    mesh = without(labeled(healthy(), "shop", **{"istio-injection": "enabled"}), MUTATING_WEBHOOK)
    assert [one for one in shown(found_in(CHECKS, mesh)) if one[0] == "MW4103"] == [("MW4103", "info", "Namespace shop")]


def test_injection_wherever_no_label_says_otherwise() -> None:
    (configuration,) = healthy()[MUTATING_WEBHOOK]
    absent = [{"key": key, "operator": "DoesNotExist"} for key in ("istio-injection", "istio.io/rev")]
    everywhere: dict[str, Any] = {
        **configuration["webhooks"][0],
        "name": "auto.sidecar-injector.istio.io",
        "namespaceSelector": {"matchExpressions": absent},
        "objectSelector": {"matchExpressions": [{"key": "sidecar.istio.io/inject", "operator": "DoesNotExist"}]},
    }
    mesh = {**healthy(), MUTATING_WEBHOOK: [{**configuration, "webhooks": [*configuration["webhooks"], everywhere]}]}
    (finding, _info) = found_in(CHECKS, mesh)
    assert shown([finding]) == [("MW4103", "warning", "Namespace shop")]
    assert "wherever no label says otherwise" in finding.problem.message
    assert "istio-injection=disabled" in finding.problem.remedy


# MW4104 and MW4105


def test_an_excluded_namespace() -> None:
    mesh = labeled(healthy(), "kube-system", **AMBIENT)
    assert serious(found_in(CHECKS, mesh)) == [("MW4104", "warning", "Namespace kube-system")]
    mesh = added(mesh, pod_of("dns-1", "kube-system"))
    (finding, _info) = found_in(CHECKS, mesh)
    assert shown([finding]) == [("MW4104", "error", "Namespace kube-system")]
    assert [str(ref) for ref in finding.problem.related] == ["Pod kube-system/dns-1"]
    elsewhere = settings_of("istio-cni-config", component="Cni", AMBIENT_ENABLED="true", EXCLUDE_NAMESPACES="kube-system, shop")
    assert serious(found_in(CHECKS, added(healthy(), elsewhere))) == [("MW4104", "error", "Namespace shop")]


def test_pods_of_an_excluded_namespace_that_ask_themselves() -> None:
    (finding, _info) = found_in(CHECKS, added(healthy(), pod_of("dns-1", "kube-system", labels=AMBIENT)))
    assert shown([finding]) == [("MW4104", "error", "Namespace kube-system")]
    assert finding.problem.message.startswith("pods of it are labelled")
    assert not serious(found_in(CHECKS, added(healthy(), pod_of("dns-1", "kube-system"))))


def test_a_namespace_that_no_istiod_sees() -> None:
    mesh = added(healthy(), settings_of("istio", mesh="discoverySelectors:\n- matchLabels: {team: a}\n"))
    (finding, _info) = found_in(CHECKS, mesh)
    assert shown([finding]) == [("MW4105", "error", "Namespace shop")]
    assert [str(ref) for ref in finding.problem.related] == ["Pod shop/cart-1", "Pod shop/web-1"]
    assert not serious(found_in(CHECKS, labeled(mesh, "shop", team="a")))


# MW4107


@pytest.mark.parametrize(
    ("mesh", "severity", "words"),
    [
        (healthy(), "warning", "traffic still passes ztunnel"),
        (without(healthy(), DAEMON_SET, "ztunnel"), "error", "no ztunnel serves there, so connections fail"),
        (added(healthy(), agent_of(ztunnel_of(), "node-1", ready=False)), "error", "no ztunnel serves there"),
    ],
    ids=["served", "no-ztunnel", "ztunnel-not-ready"],
)
def test_a_pod_that_is_still_redirected(mesh: Mesh, severity: str, words: str) -> None:
    mesh = added(mesh, pod_of("gone-1", "outside", annotations=CAPTURED))
    (finding,) = (one for one in found_in(CHECKS, mesh) if one.code == "MW4107")
    assert shown([finding]) == [("MW4107", severity, "Pod outside/gone-1")]
    assert words in finding.problem.message


def test_pods_that_are_still_redirected_are_told_by_their_namespace_and_their_agent() -> None:
    mesh = added(healthy(), pod_of("gone-1", "outside", annotations=CAPTURED), pod_of("gone-2", "outside", annotations=CAPTURED))
    assert serious(found_in(CHECKS, mesh)) == [("MW4107", "warning", "Namespace outside")]
    broken = added(mesh, agent_of(cni_of(), "node-1", ready=False))
    (finding, _info) = found_in((*OF_AGENTS, *CHECKS), broken)
    assert finding.code == "MW4002"
    assert "Pod outside/gone-2" in map(str, finding.problem.related)


@pytest.mark.parametrize(
    "pod",
    [
        pod_of("gone-1", "outside", annotations=CAPTURED, created=MOMENTS_AGO),
        pod_of("gone-1", "outside", annotations=CAPTURED, phase="Succeeded"),
        pod_of("gone-1", "kube-system", annotations=CAPTURED, labels=AMBIENT),
    ],
    ids=["just-created", "ended", "excluded"],
)
def test_a_pod_that_is_leaving_for_another_reason(pod: Any) -> None:
    assert "MW4107" not in [code for code, *_rest in shown(found_in(CHECKS, added(healthy(), pod)))]


def test_many_pods_are_judged_at_once() -> None:
    """Five thousand pods of three hundred namespaces take well under a second: nothing is asked once for each pair."""
    pods = [pod_of(f"p-{number}", f"team-{number % 300}", NODES[number % 2], annotations=CAPTURED if number % 7 else {}) for number in range(5000)]
    found = found_in(CHECKS, added_many(healthy(), pods))
    assert len([one for one in found if one.code == "MW4101"]) == 300


def added_many(mesh: Mesh, pods: list[Any]) -> Mesh:
    namespaces = [namespace_of(f"team-{number}", **AMBIENT) for number in range(300)]
    return {**mesh, POD: [*mesh[POD], *pods], NAMESPACE: [*mesh[NAMESPACE], *namespaces]}
