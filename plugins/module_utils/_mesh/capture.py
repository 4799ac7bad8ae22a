# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Which pods ambient mesh captures, and how far their capture has got.

Source: istio cni/pkg/util/enablement_selector.go, podutil.go and cni/pkg/nodeagent/informers.go (main, 1.31 and newer).
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .labels import DATAPLANE_MODE, REDIRECTION, SIDECAR_STATUS, Object, annotations_of, labels_of

# The CNI chart's default of excludeNamespaces.
EXCLUDED_NAMESPACES = frozenset({"kube-system"})

_TEMPLATE_HASH = "pod-template-hash"


@dataclass(frozen=True)
class Capture:
    """How far one pod is captured.

    Attributes:
        state: V(captured): its traffic goes through ztunnel; V(pending): it should and does not yet;
            V(excluded): its labels ask for it and it cannot be; V(leaving): it should not and still is; V(outside): it should not and is not.
        reason: why, in a stable word.
        message: why, in a sentence's part.
    """

    state: t.Literal["captured", "pending", "excluded", "leaving", "outside"]
    reason: str = ""
    message: str = ""


def capture_of(pod: Object, namespace_labels: t.Mapping[str, str], excluded_namespaces: t.Collection[str] = EXCLUDED_NAMESPACES) -> Capture:
    """How far a pod is captured, by its labels, its namespace's labels and the annotation of the node agent."""
    mark = annotations_of(pod).get(REDIRECTION)
    if not wants_capture(labels_of(pod), namespace_labels):
        if mark:
            return Capture("leaving", "StillRedirected", "it still carries redirection rules")
        opted_out = namespace_labels.get(DATAPLANE_MODE) == "ambient"
        return Capture("outside", "OptedOut", "its own label keeps it out") if opted_out else Capture("outside")
    obstacle = _obstacle(pod, excluded_namespaces)
    if obstacle:
        # The agent takes the mark off a pod whose namespace has become excluded.
        return Capture("leaving" if mark and obstacle[0] == "ExcludedNamespace" else "excluded", *obstacle)
    if mark == "enabled":
        return Capture("captured")
    if mark == "pending":
        return Capture("pending", "ZtunnelNotTold", "its rules are in place, but ztunnel on its node does not handle it yet")
    if not pod["spec"].get("nodeName"):
        return Capture("pending", "NotScheduled", "it has no node yet")
    if not (pod.get("status") or {}).get("podIP"):
        return Capture("pending", "NotStarted", "it has no address yet")
    return Capture("pending", "NotRedirected", f"the istio-cni agent on node {pod['spec']['nodeName']} has not redirected it")


def report_pods(
    pods: t.Iterable[Object],
    namespace_labels: t.Mapping[str, str],
    excluded_namespaces: t.Collection[str] = EXCLUDED_NAMESPACES,
    template_labels: t.Mapping[str, str] | None = None,
) -> dict[str, list[t.Any]]:
    """The pods of one namespace by how far they are captured: the names of those that are or have opted out, the others with the reason.

    Args:
        pods: the pods; those that are being deleted are left out.
        namespace_labels: their namespace's labels, as they are or as they will be.
        excluded_namespaces: those that the istio-cni agent leaves alone.
        template_labels: the labels of the pod template that is about to replace these pods; None when none is.
    """
    report: dict[str, list[t.Any]] = {"captured": [], "pending": [], "excluded": [], "leaving": [], "opted_out": []}
    for pod in sorted(pods, key=lambda item: str(item["metadata"]["name"])):
        if pod["metadata"].get("deletionTimestamp"):
            continue
        name, capture = pod["metadata"]["name"], _capture_by_template(pod, namespace_labels, excluded_namespaces, template_labels)
        if capture.state == "captured" or capture.reason == "OptedOut":
            report["captured" if capture.state == "captured" else "opted_out"].append(name)
        elif capture.state != "outside":
            report[capture.state].append({"name": name, "reason": capture.reason, "message": capture.message})
    return report


def trim_pod(pod: Object) -> dict[str, t.Any]:
    """A pod reduced to what concerns its capture and its owner: ten thousand of them are kept in memory."""
    metadata, spec, status = pod["metadata"], pod["spec"], pod.get("status") or {}
    labels, annotations = labels_of(pod), annotations_of(pod)
    kept: dict[str, t.Any] = {name: metadata[name] for name in ("name", "namespace", "deletionTimestamp") if name in metadata}
    kept["labels"] = {name: labels[name] for name in (DATAPLANE_MODE, _TEMPLATE_HASH) if name in labels}
    kept["annotations"] = {name: annotations[name] for name in (REDIRECTION, SIDECAR_STATUS) if name in annotations}
    # An empty sidecar status counts as one, so the key is what matters, not the long value.
    if SIDECAR_STATUS in kept["annotations"]:
        kept["annotations"][SIDECAR_STATUS] = ""
    kept["ownerReferences"] = [
        {"kind": owner["kind"], "name": owner["name"], "controller": True} for owner in metadata.get("ownerReferences") or () if owner.get("controller")
    ]
    return {
        "metadata": kept,
        "spec": {name: spec[name] for name in ("hostNetwork", "nodeName") if name in spec},
        "status": {name: status[name] for name in ("phase", "podIP") if name in status},
    }


def workload_of(pod: Object) -> tuple[str, str]:
    """The kind and the name of the workload that a pod belongs to; empty if it belongs to none.

    A Deployment's ReplicaSets are named after it and the hash of their template, which their pods carry as a label.
    """
    for owner in pod["metadata"].get("ownerReferences") or ():
        if owner.get("controller"):
            kind, name = str(owner["kind"]), str(owner["name"])
            suffix = f"-{labels_of(pod).get(_TEMPLATE_HASH)}"
            return ("Deployment", name[: -len(suffix)]) if kind == "ReplicaSet" and name.endswith(suffix) else (kind, name)
    return "", ""


def _capture_by_template(
    pod: Object, namespace_labels: t.Mapping[str, str], excluded_namespaces: t.Collection[str], template_labels: t.Mapping[str, str] | None
) -> Capture:
    """How far a pod is captured, or its successor will be, if its template says something else about capture than the pod does."""
    own = labels_of(pod)
    if template_labels is None or template_labels.get(DATAPLANE_MODE) == own.get(DATAPLANE_MODE):
        return capture_of(pod, namespace_labels, excluded_namespaces)
    labels = {name: value for name, value in own.items() if name != DATAPLANE_MODE}
    if DATAPLANE_MODE in template_labels:
        labels[DATAPLANE_MODE] = template_labels[DATAPLANE_MODE]
    capture = capture_of({**pod, "metadata": {**pod["metadata"], "labels": labels}}, namespace_labels, excluded_namespaces)
    if capture.state in ("pending", "leaving"):
        return Capture(capture.state, "ToBeReplaced", "its workload has not replaced it by a pod of the new template yet")
    return capture


def wants_capture(pod_labels: t.Mapping[str, str], namespace_labels: t.Mapping[str, str]) -> bool:
    """Whether the labels request capture: the pod's own label takes precedence over its namespace's, both ways."""
    own = pod_labels.get(DATAPLANE_MODE)
    if own == "ambient":
        return True
    return namespace_labels.get(DATAPLANE_MODE) == "ambient" and own != "none"


def _obstacle(pod: Object, excluded_namespaces: t.Collection[str]) -> tuple[str, str] | None:
    """Why a pod is never captured, whatever its labels say."""
    if (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
        return "Terminated", "it has run to its end"
    if pod["spec"].get("hostNetwork"):
        return "HostNetwork", "it uses the network of its node"
    if SIDECAR_STATUS in annotations_of(pod):
        return "Sidecar", "it has a sidecar, which takes precedence"
    if pod["metadata"].get("namespace") in excluded_namespaces:
        return "ExcludedNamespace", "its namespace is in excludeNamespaces of the istio-cni chart"
    return None


__all__ = ("EXCLUDED_NAMESPACES", "Capture", "capture_of", "report_pods", "trim_pod", "wants_capture", "workload_of")
