# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Which nodes are served by an istio-cni agent and a ztunnel, and what is wrong with the agents of the others."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._kinds import DAEMON_SET
from .._mesh.labels import Object, labels_of
from .._mesh.mesh_settings import ISTIO_NAMESPACE
from .ages import SETTLING, age_of, is_new
from .cluster import Cluster, is_live, is_ready
from .finding import ObjectRef, ref_of
from .serving import is_starting, waiting_reason

CNI, ZTUNNEL = "the istio-cni agent", "ztunnel"
# The names that their charts give their DaemonSets.
_NAMES = {CNI: "istio-cni-node", ZTUNNEL: "ztunnel"}
# Nodes that take no pods of DaemonSets, or none of Linux. Source: the guides of EKS Fargate and virtual-kubelet.
_WITHOUT_AGENTS = (("eks.amazonaws.com/compute-type", "fargate"), ("type", "virtual-kubelet"), ("kubernetes.io/os", "windows"))


@dataclass(frozen=True)
class Fault:
    """An agent that does not serve its node.

    Attributes:
        node: the node.
        daemon_set: the DaemonSet whose pod should.
        pod: its pod there, or None if there is none.
        reason: what keeps the pod from running, such as C(ImagePullBackOff); empty if it runs and is not ready.
        spare: whether another pod serves the node.
    """

    node: str
    daemon_set: Object
    pod: Object | None = None
    reason: str = ""
    spare: bool = False


@dataclass(frozen=True)
class Agents:
    """The istio-cni agents of a cluster, or its ztunnels.

    Attributes:
        title: how messages name them.
        daemon_sets: their DaemonSets.
        starting: the nodes where one is only just starting, or is being replaced.
        faults: where none serves, or one fails.
        broken: the DaemonSets of which no pod serves, although there are several.
    """

    title: str
    daemon_sets: t.Sequence[Object]
    starting: frozenset[str] = frozenset()
    faults: t.Sequence[Fault] = ()
    broken: frozenset[ObjectRef] = frozenset()

    def object_of(self, fault: Fault) -> ObjectRef:
        """What the finding about a fault is about: the pod, or the DaemonSet where it has none, or none that serves."""
        whole = ref_of(fault.daemon_set)
        return ref_of(fault.pod) if fault.pod and whole not in self.broken else whole

    def cause_at(self, node: str) -> ObjectRef | None:
        """What the finding about the agent of a node is about; None if one serves it."""
        found = next((fault for fault in self.faults if fault.node == node and not fault.spare), None)
        return self.object_of(found) if found else None


def cni_agents(cluster: Cluster) -> Agents:
    """The istio-cni agents."""
    return _agents(CNI, cluster.cni_agents, cluster)


def ztunnels(cluster: Cluster) -> Agents:
    """The ztunnels."""
    return _agents(ZTUNNEL, cluster.ztunnels, cluster)


def missing_ref(title: str, cluster: Cluster) -> ObjectRef:
    """The DaemonSet that is to be installed where there is none: by the name that its chart gives it, where the rest of Istio is."""
    others = [*cluster.cni_agents, *cluster.ztunnels, *cluster.istiods]
    return ObjectRef(DAEMON_SET.name, others[0]["metadata"]["namespace"] if others else ISTIO_NAMESPACE, _NAMES[title])


def takes_agents(node: str, cluster: Cluster) -> bool:
    """Whether a node can have pods of DaemonSets for Linux at all."""
    found = cluster.nodes.get(node)
    return not found or not any(labels_of(found).get(key) == value for key, value in _WITHOUT_AGENTS)


def nodes_in_use(cluster: Cluster) -> dict[str, list[Object]]:
    """By node, the live pods that are in the mesh or are to be."""
    found: dict[str, list[Object]] = {}
    for pods in cluster.captured_or_pending.values():
        for pod in pods:
            node = pod["spec"].get("nodeName")
            # The pods of a node that is gone go as well.
            if node and takes_agents(node, cluster) and (not cluster.nodes or node in cluster.nodes):
                found.setdefault(node, []).append(pod)
    return found


def scheduled_pods(daemon_set: Object, cluster: Cluster) -> list[Object]:
    """The live pods of a DaemonSet that have a node."""
    return [pod for pod in cluster.agent_pods(daemon_set) if is_live(pod) and pod["spec"].get("nodeName")]


def _agents(title: str, daemon_sets: t.Sequence[Object], cluster: Cluster) -> Agents:
    if not daemon_sets:
        return Agents(title, daemon_sets)
    running: dict[str, list[tuple[Object, Object]]] = {}
    starting: set[str] = set()
    for daemon_set in daemon_sets:
        for pod in scheduled_pods(daemon_set, cluster):
            running.setdefault(pod["spec"]["nodeName"], []).append((daemon_set, pod))
        starting |= {pod["spec"].get("nodeName", "") for pod in cluster.agent_pods(daemon_set) if _is_leaving(pod, cluster)}
    faults: list[Fault] = []
    for node in sorted({*running, *nodes_in_use(cluster)}):
        pods = running.get(node, [])
        spare = any(is_ready(pod) for _daemon_set, pod in pods)
        failing = [Fault(node, daemon_set, pod, waiting_reason(pod), spare) for daemon_set, pod in pods if _fails(pod, cluster, spare=spare)]
        faults += failing
        if spare or failing:
            continue
        found = cluster.nodes.get(node)
        if pods or node in starting or (found and is_new(found, cluster)) or is_new(daemon_sets[0], cluster):
            starting.add(node)
        else:
            faults.append(Fault(node, daemon_sets[0]))
    failed = [ref_of(fault.daemon_set) for fault in faults if fault.pod]
    broken = {ref for item in daemon_sets for ref in [ref_of(item)] if 1 < failed.count(ref) == len(scheduled_pods(item, cluster))}
    return Agents(title, daemon_sets, frozenset(starting), faults, frozenset(broken))


def _is_leaving(pod: Object, cluster: Cluster) -> bool:
    """Whether a pod is just being deleted, so that its successor is to come."""
    deleted = pod["metadata"].get("deletionTimestamp")
    return bool(deleted) and age_of(deleted, cluster) < SETTLING


def _fails(pod: Object, cluster: Cluster, *, spare: bool) -> bool:
    """Whether a pod does not run; where another one serves, it may take its time to become ready."""
    if waiting_reason(pod):
        return True
    return not spare and not is_ready(pod) and not is_starting([pod], cluster)


__all__ = ("CNI", "ZTUNNEL", "Agents", "Fault", "cni_agents", "missing_ref", "nodes_in_use", "scheduled_pods", "takes_agents", "ztunnels")
