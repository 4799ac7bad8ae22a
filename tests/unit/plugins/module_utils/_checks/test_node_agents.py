from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._checks.control_plane import CHECKS as OF_CONTROL_PLANE
from ansible_collections.meshwright.ambient.plugins.module_utils._checks.node_agents import CHECKS
from ansible_collections.meshwright.ambient.plugins.module_utils._kinds import CONFIG_MAP, DAEMON_SET, DEPLOYMENT, NAMESPACE, NODE, POD
from tests.unit.checked_mesh import (
    AMBIENT,
    HOME,
    MOMENTS_AGO,
    NODES,
    Mesh,
    added,
    agent_of,
    changed,
    cni_of,
    found_in,
    healthy,
    item_of,
    namespace_of,
    only,
    pod_of,
    settings_of,
    shown,
    without,
    ztunnel_of,
)
from tests.unit.objects import derived

CNI, ZTUNNEL = cni_of(), ztunnel_of()
SETTINGS = "ConfigMap istio-system/istio-cni-config"


def with_agent(mesh: Mesh, daemon_set: Any, node: str, **more: Any) -> Mesh:
    """The mesh with another pod of a DaemonSet on a node instead of the one that is there."""
    return added(mesh, agent_of(daemon_set, node, **more))


def without_agent(mesh: Mesh, daemon_set: Any, *nodes: str) -> Mesh:
    return without(mesh, POD, *(f"{daemon_set['metadata']['name']}-{node}" for node in nodes))


def test_a_healthy_mesh_has_no_findings() -> None:
    assert not shown(found_in(CHECKS, healthy()))


def test_a_cluster_without_istio_or_with_sidecars_only_has_no_findings() -> None:
    assert not found_in(CHECKS, {NAMESPACE: [namespace_of("shop")], POD: [pod_of("cart")]})
    sidecars = changed(without(healthy(), DAEMON_SET), NAMESPACE, "shop", {"metadata": {"labels": {"istio.io/dataplane-mode": None}}})
    assert not found_in(CHECKS, sidecars)
    with_plugin = changed(added(sidecars, CNI), CONFIG_MAP, "istio-cni-config", {"data": {"AMBIENT_ENABLED": "false"}})
    assert not found_in(CHECKS, with_plugin)


# MW4001


@pytest.mark.parametrize(
    ("gone", "refs"),
    [
        (("istio-cni-node",), ["DaemonSet istio-system/istio-cni-node"]),
        (("ztunnel",), ["DaemonSet istio-system/ztunnel"]),
        (("istio-cni-node", "ztunnel"), ["DaemonSet istio-system/istio-cni-node", "DaemonSet istio-system/ztunnel"]),
    ],
)
def test_agents_that_are_not_installed(gone: tuple[str, ...], refs: list[str]) -> None:
    found = found_in(CHECKS, without(healthy(), DAEMON_SET, *gone))
    assert shown(found) == [("MW4001", "error", ref) for ref in refs]
    assert all([str(ref) for ref in finding.problem.related] == ["Namespace shop"] for finding in found)


def test_a_single_pod_that_asks_for_the_mesh_needs_agents_as_well() -> None:
    mesh = changed(without(healthy(), DAEMON_SET), NAMESPACE, "shop", {"metadata": {"labels": {"istio.io/dataplane-mode": None}}})
    found = found_in(CHECKS, added(mesh, pod_of("lone", "outside", labels=AMBIENT)))
    assert [code for code, *_rest in shown(found)] == ["MW4001", "MW4001"]
    assert [str(ref) for ref in found[0].problem.related] == ["Namespace outside"]


@pytest.mark.parametrize("value", ["false", "", None])
def test_agents_that_are_installed_for_sidecars_alone(value: str | None) -> None:
    (finding,) = found_in(CHECKS, changed(healthy(), CONFIG_MAP, "istio-cni-config", {"data": {"AMBIENT_ENABLED": value}}))
    assert shown([finding]) == [("MW4001", "error", SETTINGS)]
    assert "AMBIENT_ENABLED" in finding.problem.message
    named_elsewhere = {
        "name": "install-cni",
        "env": [{"name": "AMBIENT_ENABLED", "value": "true"}],
        "envFrom": [{"configMapRef": {"name": "istio-cni-config"}}],
    }
    mesh = changed(healthy(), CONFIG_MAP, "istio-cni-config", {"data": {"AMBIENT_ENABLED": value}})
    assert not found_in(CHECKS, changed(mesh, DAEMON_SET, "istio-cni-node", {"spec": {"template": {"spec": {"containers": [named_elsewhere]}}}}))


# MW4002


@pytest.mark.parametrize(
    ("daemon_set", "node", "pod", "words", "related"),
    [
        (CNI, "node-1", {"ready": False}, "the istio-cni agent is not ready on node node-1", ["Pod shop/cart-1"]),
        (ZTUNNEL, "node-2", {"ready": False, "waiting": "CrashLoopBackOff"}, "ztunnel cannot start (CrashLoopBackOff) on node node-2", ["Pod shop/web-1"]),
        (CNI, "node-2", {"ready": False, "waiting": "ImagePullBackOff", "created": MOMENTS_AGO}, "cannot start (ImagePullBackOff)", ["Pod shop/web-1"]),
    ],
)
def test_an_agent_that_does_not_serve_its_node(daemon_set: Any, node: str, pod: dict[str, Any], words: str, related: list[str]) -> None:
    (finding,) = found_in(CHECKS, with_agent(healthy(), daemon_set, node, **pod))
    assert shown([finding]) == [("MW4002", "error", f"Pod istio-system/{daemon_set['metadata']['name']}-{node}")]
    assert words in finding.problem.message
    assert [str(ref) for ref in finding.problem.related] == related


def test_nodes_without_an_agent_are_one_finding_about_its_daemon_set() -> None:
    (finding,) = found_in(CHECKS, without_agent(healthy(), CNI, *NODES))
    assert shown([finding]) == [("MW4002", "error", "DaemonSet istio-system/istio-cni-node")]
    assert "nodes node-1, node-2" in finding.problem.message
    assert [str(ref) for ref in finding.problem.related] == ["Pod shop/cart-1", "Pod shop/web-1"]
    (finding,) = found_in(CHECKS, without_agent(healthy(), ZTUNNEL, "node-1"))
    assert "node node-1," in finding.problem.message
    assert [str(ref) for ref in finding.problem.related] == ["Pod shop/cart-1"]


def test_an_agent_that_cannot_be_scheduled() -> None:
    mesh = without_agent(healthy(), CNI, "node-1")
    (finding,) = found_in(CHECKS, added(mesh, derived(agent_of(CNI, "pending", ready=False, phase="Pending"), {"spec": {"nodeName": None}})))
    assert "(1 pod of it cannot be scheduled)" in finding.problem.message


def test_where_no_pod_is_in_the_mesh_an_agent_that_fails_is_a_warning() -> None:
    mesh = added(healthy(), item_of(NODE, "node-3"), agent_of(ZTUNNEL, "node-3", ready=False))
    assert shown(found_in(CHECKS, mesh)) == [("MW4002", "warning", "Pod istio-system/ztunnel-node-3")]
    assert not found_in(CHECKS, added(healthy(), item_of(NODE, "node-3")))


def test_all_agents_that_fail_are_one_finding_about_their_daemon_set() -> None:
    mesh = healthy()
    for node in NODES:
        mesh = with_agent(mesh, ZTUNNEL, node, ready=False, waiting="ErrImagePull")
    (finding,) = found_in(CHECKS, mesh)
    assert shown([finding]) == [("MW4002", "error", "DaemonSet istio-system/ztunnel")]
    assert "none of its 2 pods can start (ErrImagePull)" in finding.problem.message
    assert len(finding.problem.related) == 4


def test_a_ztunnel_that_waits_for_istiod_is_told_by_istiod() -> None:
    mesh = with_agent(healthy(), ZTUNNEL, "node-1", ready=False)
    (finding,) = found_in(CHECKS, mesh)
    assert str(finding.problem.cause) == "Deployment istio-system/istiod"
    down = changed(mesh, DEPLOYMENT, "istiod", {"spec": {"replicas": 0}})
    (finding,) = found_in((*OF_CONTROL_PLANE, *CHECKS), down)
    assert finding.code == "MW3001"
    assert {"Pod istio-system/ztunnel-node-1", "Pod shop/cart-1"} <= set(map(str, finding.problem.related))
    broken = with_agent(healthy(), ZTUNNEL, "node-1", ready=False, waiting="ImagePullBackOff")
    assert found_in(CHECKS, broken)[0].problem.cause is None


@pytest.mark.parametrize(
    "mesh",
    [
        with_agent(healthy(), CNI, "node-1", ready=False, created=MOMENTS_AGO),
        with_agent(healthy(), CNI, "node-1", ready=False, waiting="ContainerCreating", created=MOMENTS_AGO),
        changed(without_agent(healthy(), CNI, "node-1"), NODE, "node-1", {"metadata": {"creationTimestamp": MOMENTS_AGO}}),
        changed(without_agent(healthy(), ZTUNNEL, *NODES), DAEMON_SET, "ztunnel", {"metadata": {"creationTimestamp": MOMENTS_AGO}}),
        changed(healthy(), POD, "istio-cni-node-node-1", {"metadata": {"deletionTimestamp": "2026-11-21T08:00:20Z"}}),
        added(healthy(), derived(agent_of(ZTUNNEL, "node-1", ready=False, created=MOMENTS_AGO), {"metadata": {"name": "ztunnel-new"}})),
        changed(without_agent(healthy(), CNI, "node-1"), NODE, "node-1", {"metadata": {"labels": {"eks.amazonaws.com/compute-type": "fargate"}}}),
        without(without_agent(healthy(), CNI, "node-1"), NODE, "node-1"),
    ],
    ids=["just-created", "creating", "new-node", "just-installed", "being-replaced", "surge", "fargate", "node-gone"],
)
def test_what_is_on_its_way_is_no_fault(mesh: Mesh) -> None:
    assert not found_in(CHECKS, mesh)


def test_an_update_that_is_stuck_while_another_pod_serves() -> None:
    newer = derived(agent_of(ZTUNNEL, "node-1", ready=False, waiting="ImagePullBackOff", created=MOMENTS_AGO), {"metadata": {"name": "ztunnel-new"}})
    (finding,) = found_in(CHECKS, added(healthy(), newer))
    assert shown([finding]) == [("MW4002", "warning", "Pod istio-system/ztunnel-new")]
    assert "so the update of DaemonSet istio-system/ztunnel is stuck" in finding.problem.message


def test_a_daemon_set_whose_pods_are_refused() -> None:
    mesh = without_agent(healthy(), ZTUNNEL, *NODES)
    mesh = without(mesh, POD, "cart-1", "web-1", *(f"ztunnel-{node}" for node in NODES))
    (finding,) = found_in(CHECKS, mesh)
    assert shown([finding]) == [("MW4002", "warning", "DaemonSet istio-system/ztunnel")]
    assert "no pod on any of its 2 nodes" in finding.problem.message


def test_a_node_that_is_not_ready_is_named() -> None:
    mesh = changed(with_agent(healthy(), CNI, "node-1", ready=False), NODE, "node-1", {"status": {"conditions": [{"type": "Ready", "status": "Unknown"}]}})
    assert "on node node-1, which is not ready either" in found_in(CHECKS, mesh)[0].problem.message


def test_agents_of_other_names_and_places() -> None:
    proxy = ztunnel_of("mesh-proxy", "kube-system")
    mesh = added(without_agent(without(healthy(), DAEMON_SET, "ztunnel"), ZTUNNEL, *NODES), proxy, agent_of(proxy, "node-1"))
    (finding,) = found_in(CHECKS, mesh)
    assert shown([finding]) == [("MW4002", "error", "DaemonSet kube-system/mesh-proxy")]


# MW4003


def settings_changed(at: str, *, data: bool = True, subresource: str = "") -> Mesh:
    entry = {"manager": "helm", "operation": "Update", "time": at, "fieldsV1": {"f:data" if data else "f:metadata": {}}, "subresource": subresource}
    return changed(healthy(), CONFIG_MAP, "istio-cni-config", {"metadata": {"managedFields": [entry]}})


def test_agents_that_started_before_their_settings_were_changed() -> None:
    mesh = with_agent(settings_changed("2026-11-21T07:00:00Z"), CNI, "node-1", created="2026-11-21T07:30:00Z")
    (finding,) = found_in(CHECKS, mesh)
    assert shown([finding]) == [("MW4003", "warning", "DaemonSet istio-system/istio-cni-node")]
    assert "1 agent had started" in finding.problem.message
    assert "kubectl rollout restart daemonset istio-cni-node -n istio-system" in finding.problem.remedy
    assert [str(ref) for ref in finding.problem.related] == [SETTINGS, "Pod istio-system/istio-cni-node-node-2"]


@pytest.mark.parametrize(
    "mesh",
    [
        settings_changed("2026-11-21T04:00:50Z"),
        settings_changed("2026-11-21T07:00:00Z", data=False),
        changed(settings_changed("2026-11-21T07:00:00Z"), DAEMON_SET, "istio-cni-node", {"status": {"updatedNumberScheduled": 1}}),
        changed(settings_changed("2026-11-21T07:00:00Z"), DAEMON_SET, "istio-cni-node", {"metadata": {"generation": 2}}),
    ],
    ids=["at-once", "labels-only", "rolling", "not-observed"],
)
def test_agents_that_have_their_settings_or_are_being_replaced(mesh: Mesh) -> None:
    assert not found_in(only(CHECKS, "MW4003"), mesh)


def test_settings_that_were_created_anew() -> None:
    mesh = added(healthy(), settings_of("istio-cni-config", HOME, "Cni", AMBIENT_ENABLED="true"))
    mesh = changed(mesh, CONFIG_MAP, "istio-cni-config", {"metadata": {"creationTimestamp": "2026-11-21T06:00:00Z"}})
    assert shown(found_in(only(CHECKS, "MW4003"), mesh)) == [("MW4003", "warning", "DaemonSet istio-system/istio-cni-node")]
