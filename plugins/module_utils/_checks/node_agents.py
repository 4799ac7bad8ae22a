# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Do the istio-cni agent and ztunnel run on every node where pods are in the mesh or are to be, and with the settings that stand there?

Source: istio cni/pkg/nodeagent (server.go, informers.go), cni/pkg/cmd/root.go, manifests/charts/istio-cni/templates (daemonset.yaml: the settings are read
by envFrom, without a checksum in the template), ztunnel src/config.rs.
"""

from __future__ import annotations

import typing as t

from .._kinds import CONFIG_MAP, DAEMON_SET, DEPLOYMENT, NAMESPACE, NODE, POD
from .._mesh.labels import Object, template_of
from .._status.verdict import observed_generation
from .._text import format_count, format_names
from .agents import CNI, ZTUNNEL, Agents, Fault, cni_agents, missing_ref, nodes_in_use, scheduled_pods, ztunnels
from .ages import is_new, last_write, seconds_of
from .check import Check
from .cluster import Cluster, is_live, is_ready, refs_of
from .control_plane import ambient_namespaces
from .finding import ObjectRef, Problem, Severity, ref_of
from .serving import XDS_ADDRESS, istiod_at

_AMBIENT_ENABLED = "AMBIENT_ENABLED"
# The settings may be written a moment before the pods that read them are created, by the same chart.
_SAME_MOMENT = 60

_InUse = t.Mapping[str, t.Sequence[Object]]


# MW4001


def _find_missing(cluster: Cluster) -> t.Iterator[Problem]:
    labelled = refs_of(ambient_namespaces(cluster))
    wanting = tuple(dict.fromkeys((*labelled, *(ObjectRef(NAMESPACE.name, "", name) for name in cluster.captured_or_pending))))
    # Where there is nothing of Istio at all, MW3001 says so.
    if not wanting or not cluster.has_mesh:
        return
    for title, daemon_sets, then in (
        (CNI, cluster.cni_agents, "so no pod is redirected"),
        (ZTUNNEL, cluster.ztunnels, "so nothing takes the traffic of pods in the mesh"),
    ):
        if not daemon_sets:
            ref = missing_ref(title, cluster)
            message = f"namespaces or pods are labelled for ambient mesh, but no DaemonSet of {title} exists in this cluster, {then}"
            yield Problem(ref, message, f"Install the chart {'ztunnel' if title == ZTUNNEL else 'istio-cni'} (role istio).", wanting)
    for daemon_set in cluster.cni_agents:
        ref_of_settings = switched_off(daemon_set, cluster)
        if ref_of_settings:
            message = f"it switches ambient mode off ({_AMBIENT_ENABLED}) for the istio-cni agents of {ref_of(daemon_set)}, so no pod is captured"
            remedy = "Install the chart istio-cni with the value profile ambient, and restart the DaemonSet."
            yield Problem(ref_of_settings, message, remedy, (ref_of(daemon_set), *wanting))


def switched_off(daemon_set: Object, cluster: Cluster) -> ObjectRef | None:
    """The ConfigMap by which an istio-cni agent captures nothing, because it is installed for sidecars alone; None if none says so."""
    containers = (template_of(daemon_set).get("spec") or {}).get("containers") or ()
    own = {str(variable.get("name")) for container in containers for variable in container.get("env") or ()}
    found = [] if _AMBIENT_ENABLED in own else _settings_of(daemon_set, cluster)
    # Of several the last one counts.
    chosen = next((one for one in reversed(found) if _AMBIENT_ENABLED in (one.get("data") or {})), found[0] if found else None)
    if chosen is None or str((chosen.get("data") or {}).get(_AMBIENT_ENABLED, "false")).lower() in ("true", "t", "1"):
        return None
    return ObjectRef(CONFIG_MAP.name, chosen["metadata"]["namespace"], chosen["metadata"]["name"])


def _settings_of(daemon_set: Object, cluster: Cluster) -> list[Object]:
    """The ConfigMaps that the pods of a DaemonSet take their environment from, as far as they were read."""
    containers = (template_of(daemon_set).get("spec") or {}).get("containers") or ()
    sources = (source.get("configMapRef") or {} for container in containers for source in container.get("envFrom") or ())
    found = (cluster.get(CONFIG_MAP, str(source.get("name")), daemon_set["metadata"]["namespace"]) for source in sources)
    return [config_map for config_map in found if config_map]


# MW4002


def _find_unready(cluster: Cluster) -> t.Iterator[Problem]:
    in_use = nodes_in_use(cluster)
    for agents in (cni_agents(cluster), ztunnels(cluster)):
        yield from _missing_pods(agents, in_use, cluster)
        faults: dict[ObjectRef, list[Fault]] = {}
        for fault in agents.faults:
            if fault.pod:
                faults.setdefault(agents.object_of(fault), []).append(fault)
        for ref, found in faults.items():
            yield _all_failing(agents, ref, found, in_use, cluster) if ref in agents.broken else _failing(agents, ref, found[0], in_use, cluster)


def _missing_pods(agents: Agents, in_use: _InUse, cluster: Cluster) -> t.Iterator[Problem]:
    nodes = [fault.node for fault in agents.faults if not fault.pod]
    if nodes:
        found = [pod for daemon_set in agents.daemon_sets for pod in cluster.agent_pods(daemon_set)]
        waiting = [pod for pod in found if is_live(pod) and not pod["spec"].get("nodeName")]
        pending = f" ({format_count(len(waiting), 'pod')} of it cannot be scheduled)" if waiting else ""
        places = f"node{'s' if len(nodes) > 1 else ''} {format_names(nodes, 5)}"
        message = f"no pod of it runs on {places}, where pods are in the mesh or are to be{pending}, {_then(agents)}"
        remedy = "Check its node selector, affinity and tolerations, quotas, and the resources that are left on these nodes."
        yield Problem(ref_of(agents.daemon_sets[0]), message, remedy, refs_of(pod for node in nodes for pod in in_use.get(node, ())))
        return
    for daemon_set in agents.daemon_sets:
        desired = (daemon_set.get("status") or {}).get("desiredNumberScheduled", 0)
        if desired and not is_new(daemon_set, cluster) and not cluster.agent_pods(daemon_set):
            remedy = "Check its events (kubectl describe): a quota or an admission webhook may refuse its pods."
            yield Problem(ref_of(daemon_set), f"it has no pod on any of its {format_count(desired, 'node')}", remedy, severity="warning")


def _failing(agents: Agents, ref: ObjectRef, fault: Fault, in_use: _InUse, cluster: Cluster) -> Problem:
    users = in_use.get(fault.node, ())
    state = f"cannot start ({fault.reason})" if fault.reason else "is not ready"
    if fault.spare:
        message = f"it {state} on node {fault.node}, where another pod still serves, so the update of {ref_of(fault.daemon_set)} is stuck"
        return Problem(ref, message, _remedy(fault), severity="warning")
    node = cluster.nodes.get(fault.node)
    also = ", which is not ready either" if node and not is_ready(node) else ""
    message = f"{agents.title} {state} on node {fault.node}{also}, {_then(agents)}"
    severity: Severity = "error" if users else "warning"
    return Problem(ref, message, _remedy(fault), refs_of(users), _cause(agents, [fault], cluster), severity)


def _all_failing(agents: Agents, ref: ObjectRef, faults: t.Sequence[Fault], in_use: _InUse, cluster: Cluster) -> Problem:
    reasons = sorted({fault.reason for fault in faults} - {""})
    users = [pod for fault in faults for pod in in_use.get(fault.node, ())]
    message = f"none of its {len(faults)} pods {f'can start ({format_names(reasons)})' if reasons else 'is ready'}, {_then(agents)}"
    related = refs_of([*(fault.pod for fault in faults if fault.pod), *users])
    return Problem(ref, message, _remedy(faults[0]), related, _cause(agents, faults, cluster), "error" if users else "warning")


def _then(agents: Agents) -> str:
    if agents.title == ZTUNNEL:
        return "so nothing takes the traffic of the pods that are redirected there, and their connections fail"
    return "so pods that start there hang or stay outside of the mesh, and changed labels have no effect"


def _remedy(fault: Fault) -> str:
    if "Image" in fault.reason:
        return "Correct the image or its tag in the chart's values, or let the nodes reach and read its registry."
    return "Look at its events (kubectl describe) and at its log."


def _cause(agents: Agents, faults: t.Sequence[Fault], cluster: Cluster) -> ObjectRef | None:
    """A ztunnel that runs is not ready until istiod has configured it, for which its DaemonSet must name one."""
    if agents.title != ZTUNNEL or any(fault.reason for fault in faults):
        return None
    found = istiod_at(XDS_ADDRESS, faults[0].daemon_set, cluster)
    return ref_of(found or faults[0].daemon_set)


# MW4003


def _find_old_settings(cluster: Cluster) -> t.Iterator[Problem]:
    for daemon_set in cluster.cni_agents:
        status, metadata = daemon_set.get("status") or {}, daemon_set["metadata"]
        rolling = status.get("updatedNumberScheduled", 0) < status.get("desiredNumberScheduled", 0)
        if rolling or (observed_generation(status) or 0) < metadata.get("generation", 0):
            continue
        for config_map in _settings_of(daemon_set, cluster):
            changed = last_write(config_map, "data")
            pods = [pod for pod in scheduled_pods(daemon_set, cluster) if changed and _started_before(pod, changed - _SAME_MOMENT)]
            if pods:
                ref = ObjectRef(CONFIG_MAP.name, config_map["metadata"]["namespace"], config_map["metadata"]["name"])
                agents = f"{format_count(len(pods), 'agent')} had started"
                message = f"{ref} was changed after {agents}, which read it only at their start, so they still run with the old settings"
                remedy = f"Restart it: kubectl rollout restart daemonset {metadata['name']} -n {metadata['namespace']}."
                yield Problem(ref_of(daemon_set), message, remedy, (ref, *refs_of(pods)))


def _started_before(pod: Object, limit: float) -> bool:
    started = seconds_of((pod.get("status") or {}).get("startTime"))
    return started is not None and started < limit


_CHART = "istio manifests/charts/istio-cni/templates/daemonset.yaml"
_AGENTS = (DAEMON_SET, POD, NAMESPACE, NODE, CONFIG_MAP)
CHECKS: tuple[Check, ...] = (
    Check("MW4001", "no node agents", "error", (NAMESPACE, DAEMON_SET, CONFIG_MAP, DEPLOYMENT), _find_missing, "istio cni/pkg/cmd/root.go"),
    Check("MW4002", "a node without its agents", "error", _AGENTS, _find_unready, "istio cni/pkg/nodeagent/server.go"),
    Check("MW4003", "agents with old settings", "warning", (DAEMON_SET, POD, CONFIG_MAP), _find_old_settings, _CHART),
)

__all__ = ("CHECKS", "switched_off")
