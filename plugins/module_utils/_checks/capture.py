# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Are the pods captured that should be, and no others; and do the labels of their namespaces say what is meant?

Source: istio cni/pkg/util (enablement_selector.go, podutil.go), cni/pkg/nodeagent/informers.go, pkg/kube/inject/inject.go and the chart's
mutatingwebhook.yaml (injection does not look at istio.io/dataplane-mode), ztunnel src/proxy.rs (UnknownSourceWorkload).
"""

from __future__ import annotations

import typing as t

from .._kinds import CONFIG_MAP, DAEMON_SET, MUTATING_WEBHOOK, NAMESPACE, NODE, POD
from .._mesh.capture import wants_capture
from .._mesh.labels import DATAPLANE_MODE, INJECTION, REVISION, Object, labels_of
from .._mesh.namespaces import is_terminating
from .agents import Agents, cni_agents, missing_ref, takes_agents, ztunnels
from .ages import has_changed, is_new
from .check import Check
from .cluster import Cluster, is_live, refs_of
from .control_plane import ambient_namespaces
from .finding import ObjectRef, Problem, ref_of
from .node_agents import switched_off
from .webhooks import injects_into

_PROXY = "istio-proxy"


# MW4101


def _find_not_captured(cluster: Cluster) -> t.Iterator[Problem]:
    agents = cni_agents(cluster), ztunnels(cluster)
    groups: dict[tuple[str, str, ObjectRef | None], list[Object]] = {}
    for namespace, pods in cluster.captured_or_pending.items():
        found = cluster.namespace(namespace)
        # What has just been labelled, or is about to go, is no fault.
        if not found or is_terminating(found) or has_changed(found, "metadata", cluster):
            continue
        for pod in pods:
            reason = _why_pending(pod, agents, cluster)
            if reason:
                groups.setdefault((namespace, reason, _cause_of(pod, reason, agents, cluster)), []).append(pod)
    for (namespace, reason, cause), pods in groups.items():
        what, remedy = _NOT_CAPTURED[reason]
        if len(pods) == 1:
            yield Problem(ref_of(pods[0]), f"it is to be in the mesh and is not: {what.format('it', 'its')}", remedy, cause=cause)
        else:
            message = f"{len(pods)} of its pods are to be in the mesh and are not: {what.format('them', 'their')}"
            yield Problem(ObjectRef(NAMESPACE.name, "", namespace), message, remedy, refs_of(pods), cause)


_PLAIN = "so {1} traffic is neither encrypted nor subject to the policies of ztunnel, and peers that ask for mTLS refuse it"
# Why, with what follows from it, and what to do. Source: cni/pkg/nodeagent/informers.go (what ztunnel does not know fails closed).
_NOT_CAPTURED = {
    "NotRedirected": (
        f"the istio-cni agent on the node has not redirected {{0}}, {_PLAIN}",
        "Look in the log of the istio-cni agent on the node; restarting the pod makes it try again.",
    ),
    "ZtunnelNotTold": (
        "the istio-cni agent on the node has redirected {0} but could not tell ztunnel there, so {1} connections fail",
        "Look in the logs of ztunnel and of the istio-cni agent on the node.",
    ),
    "NoAgentsOnNode": (
        f"nodes of this kind (Fargate, virtual or Windows nodes) run no istio-cni agent for {{0}}, {_PLAIN}",
        f"Run the pods on other nodes, or opt them out (label {DATAPLANE_MODE}: none).",
    ),
}


def _why_pending(pod: Object, agents: t.Iterable[Agents], cluster: Cluster) -> str:
    """Why a pod that should be captured is not, in a stable word; empty if it is, or is not to be yet."""
    capture = cluster.capture(pod)
    if capture.state != "pending" or capture.reason not in _NOT_CAPTURED or is_new(pod, cluster):
        return ""
    node = pod["spec"].get("nodeName") or ""
    if not takes_agents(node, cluster):
        return "NoAgentsOnNode"
    return "" if any(node in one.starting for one in agents) else capture.reason


def _cause_of(pod: Object, reason: str, agents: tuple[Agents, Agents], cluster: Cluster) -> ObjectRef | None:
    """The agent that has not done its part, if it is not ready or does not exist."""
    if reason == "NoAgentsOnNode":
        return None
    for one in reversed(agents) if reason == "ZtunnelNotTold" else agents:
        if not one.daemon_sets:
            return missing_ref(one.title, cluster)
        found = one.cause_at(pod["spec"].get("nodeName") or "")
        if found:
            return found
    return next((ref for daemon_set in cluster.cni_agents if (ref := switched_off(daemon_set, cluster))), None)


# MW4102 and MW4103


def _find_sidecars(cluster: Cluster) -> t.Iterator[Problem]:
    for namespace in ambient_namespaces(cluster):
        pods = _pods_with_sidecars(namespace, cluster)
        # What puts them there is told instead.
        if pods and not injects_into(namespace, cluster):
            message = "it is labelled for ambient mesh, but pods of it have sidecars, which take precedence, so they stay in sidecar mode and pass waypoints by"
            remedy = "Restart their workloads, without a label that asks for injection, to move them to ambient mode; or take the label off the namespace."
            yield Problem(ref_of(namespace), message, remedy, refs_of(pods))


def _pods_with_sidecars(namespace: Object, cluster: Cluster) -> list[Object]:
    """The live pods that are to be captured and have a sidecar; gateways, which are nothing but a proxy, have none."""
    pods = (pod for pod in cluster.pods(namespace["metadata"]["name"]) if cluster.capture(pod).reason == "Sidecar")
    return [pod for pod in pods if {container.get("name") for container in pod["spec"].get("containers") or ()} != {_PROXY}]


def _find_injection(cluster: Cluster) -> t.Iterator[Problem]:
    for namespace in ambient_namespaces(cluster):
        labels = labels_of(namespace)
        asking = [f"{INJECTION}={labels[INJECTION]}"] if labels.get(INJECTION) == "enabled" else []
        asking += [f"{REVISION}={labels[REVISION]}"] if REVISION in labels and INJECTION not in labels else []
        hook = injects_into(namespace, cluster)
        if hook:
            why = f"its label {asking[0]} asks for sidecars as well" if asking else "sidecars are injected wherever no label says otherwise"
            message = f"it is labelled for ambient mesh, but {why} (webhook {hook}), so new pods get sidecars and leave ambient mode"
            remedy = f"Take the label {asking[0].partition('=')[0]} off the namespace" if asking else f"Label the namespace {INJECTION}=disabled"
            if asking and REVISION in asking[0]:
                remedy += ", and put it on its Gateways, where it chooses their revision"
            yield Problem(ref_of(namespace), message, f"{remedy}; then restart pods that have a sidecar.", refs_of(_pods_with_sidecars(namespace, cluster)))
        elif asking:
            message = f"its label {asking[0]} asks for sidecars beside ambient mesh, but no injection webhook acts on it at present"
            yield Problem(
                ref_of(namespace), message, "Take it off where it is not needed for Gateways: a webhook may come with the next install.", severity="info"
            )


# MW4104 and MW4105


def _find_excluded(cluster: Cluster) -> t.Iterator[Problem]:
    for name in sorted(cluster.settings.excluded_namespaces):
        namespace = cluster.namespace(name)
        if not namespace or is_terminating(namespace):
            continue
        labels = labels_of(namespace)
        pods = [pod for pod in cluster.pods(name) if wants_capture(labels_of(pod), labels) and cluster.capture(pod).reason == "ExcludedNamespace"]
        if pods or labels.get(DATAPLANE_MODE) == "ambient":
            who = "it is" if labels.get(DATAPLANE_MODE) == "ambient" else "pods of it are"
            then = "so its pods are not captured, or are taken out again"
            message = f"{who} labelled for ambient mesh, but the istio-cni agent excludes this namespace (excludeNamespaces), {then}"
            remedy = "Take the label off, or the namespace out of excludeNamespaces of the chart istio-cni, and restart the agents."
            yield Problem(ref_of(namespace), message, remedy, refs_of(pods), severity="error" if pods else "warning")


def _find_hidden(cluster: Cluster) -> t.Iterator[Problem]:
    for namespace in ambient_namespaces(cluster):
        if cluster.settings.hides(labels_of(namespace)):
            message = (
                "it is labelled for ambient mesh, but no istiod sees it (discoverySelectors), so ztunnel does not know its pods and refuses their connections"
            )
            remedy = "Give it a label that discoverySelectors of meshConfig match, or extend them; or take it out of the mesh."
            name = namespace["metadata"]["name"]
            yield Problem(ref_of(namespace), message, remedy, refs_of(cluster.captured_or_pending.get(name, ())))


# MW4106 and MW4107


def _find_host_network(cluster: Cluster) -> t.Iterator[Problem]:
    for namespace in ambient_namespaces(cluster):
        pods = [pod for pod in cluster.pods(namespace["metadata"]["name"]) if cluster.capture(pod).reason == "HostNetwork"]
        if pods:
            message = "pods of it use the network of their node, so they are never captured, and their traffic does not pass ztunnel"
            remedy = "Leave them so if they need the node's network, and let their traffic in where policies ask for mTLS."
            yield Problem(ref_of(namespace), message, remedy, refs_of(pods))


def _find_still_redirected(cluster: Cluster) -> t.Iterator[Problem]:
    agents = cni_agents(cluster), ztunnels(cluster)
    groups: dict[tuple[str, bool, ObjectRef | None], list[Object]] = {}
    for pod in cluster.all(POD):
        name, node = pod["metadata"]["namespace"], pod["spec"].get("nodeName") or ""
        namespace = cluster.namespace(name)
        if not is_live(pod) or cluster.capture(pod).reason != "StillRedirected" or is_new(pod, cluster):
            continue
        if not namespace or is_terminating(namespace) or has_changed(namespace, "metadata", cluster) or node in agents[0].starting:
            continue
        dead = not agents[1].daemon_sets or agents[1].cause_at(node) is not None
        groups.setdefault((name, dead, agents[0].cause_at(node)), []).append(pod)
    for (name, dead, cause), pods in groups.items():
        one = len(pods) == 1
        who = "it still carries" if one else f"{len(pods)} of its pods still carry"
        then = "no ztunnel serves there, so connections fail" if dead else "traffic still passes ztunnel, and policies of the mesh still apply"
        message = f"{who} the redirection of ambient mesh although no label asks for it: {then}"
        remedy = "Let the istio-cni agent on the node take it off (restart it if it is ready), or restart the pods: a new pod comes up without it."
        ref = ref_of(pods[0]) if one else ObjectRef(NAMESPACE.name, "", name)
        yield Problem(ref, message, remedy, () if one else refs_of(pods), cause, "error" if dead else "warning")


_SELECTOR = "istio cni/pkg/util/enablement_selector.go"
_INJECTOR = "istio manifests/charts/istio-control/istio-discovery/templates/mutatingwebhook.yaml"
_AGENTS = (POD, NAMESPACE, NODE, DAEMON_SET, CONFIG_MAP)
CHECKS: tuple[Check, ...] = (
    Check("MW4101", "pods that are not captured", "error", _AGENTS, _find_not_captured, "istio cni/pkg/nodeagent/informers.go"),
    Check("MW4102", "sidecars in an ambient namespace", "warning", (POD, NAMESPACE, MUTATING_WEBHOOK), _find_sidecars, _SELECTOR),
    Check("MW4103", "an ambient namespace that asks for sidecars", "warning", (POD, NAMESPACE, MUTATING_WEBHOOK), _find_injection, _INJECTOR),
    Check("MW4104", "an ambient namespace that is excluded", "error", (POD, NAMESPACE, CONFIG_MAP), _find_excluded, "istio cni/pkg/nodeagent/informers.go"),
    Check("MW4105", "an ambient namespace that istiod does not see", "error", (NAMESPACE, CONFIG_MAP), _find_hidden, "ztunnel src/proxy.rs"),
    Check("MW4106", "host-network pods in an ambient namespace", "info", (POD, NAMESPACE), _find_host_network, _SELECTOR),
    Check("MW4107", "pods that are still redirected", "warning", _AGENTS, _find_still_redirected, "istio cni/pkg/nodeagent/informers.go"),
)

__all__ = ("CHECKS",)
