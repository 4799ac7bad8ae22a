# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.

"""Which pods ambient mesh captures, and how far that is.

Source: istio cni/pkg/util/enablement_selector.go, podutil.go and cni/pkg/nodeagent/informers.go (main, 1.31 and newer).
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .labels import DATAPLANE_MODE, REDIRECTION, SIDECAR_STATUS, Object, annotations_of, labels_of

# The CNI chart's default of excludeNamespaces.
EXCLUDED_NAMESPACES = frozenset({"kube-system"})


@dataclass(frozen=True)
class Capture:
    """One pod's place in the mesh.

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
    """Where a pod stands, by its labels, its namespace's labels and the mark that the node agent put on it."""
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
        return Capture("pending", "ZtunnelNotTold", "its rules are in place, but ztunnel on its node has not taken it up")
    if not pod["spec"].get("nodeName"):
        return Capture("pending", "NotScheduled", "it has no node yet")
    if not (pod.get("status") or {}).get("podIP"):
        return Capture("pending", "NotStarted", "it has no address yet")
    return Capture("pending", "NotRedirected", f"the istio-cni agent on node {pod['spec']['nodeName']} has not redirected it")


def wants_capture(pod_labels: t.Mapping[str, str], namespace_labels: t.Mapping[str, str]) -> bool:
    """Whether the labels ask for capture: the pod's own word beats its namespace's, both ways."""
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


__all__ = ("Capture", "capture_of", "wants_capture")
