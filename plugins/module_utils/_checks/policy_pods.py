# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""On which pods policies are enforced that select by labels, and by whom.

Source: istio pilot/pkg/serviceregistry/ambient/workloads.go (buildWorkloadPolicies), pilot/pkg/model/policyattachment.go (ShouldAttachPolicy).
"""

from __future__ import annotations

import typing as t

from .._kinds import AUTHORIZATION_POLICY, DAEMON_SET, DEPLOYMENT, GATEWAY, POD, STATEFUL_SET, Kind
from .._mesh.labels import GATEWAY_NAME, MANAGED_BY_MESH, MANAGED_GATEWAY, SIDECAR_STATUS, WAYPOINT_CLASS, Object, annotations_of, labels_of, template_of
from .._mesh.waypoints import is_waypoint
from .._near_misses import find_near_miss
from .cluster import Cluster, is_live
from .finding import Problem, ref_of
from .policy_rules import action_of, is_dry_run, spec_of, targets_of

_ISTIO_PROXY = "istio-proxy"
_CLASS_NAME = "gateway.networking.k8s.io/gateway-class-name"


def policies_in(cluster: Cluster, kind: Kind = AUTHORIZATION_POLICY) -> list[Object]:
    """The policies that istiod sees and that nobody is deleting."""
    found = (policy for policy in cluster.all(kind) if not policy["metadata"].get("deletionTimestamp"))
    hidden = {name for name in {policy["metadata"]["namespace"] for policy in cluster.all(kind)} if cluster.settings.hides(cluster.namespace_labels(name))}
    return [policy for policy in found if policy["metadata"]["namespace"] not in hidden]


def selector_of(policy: Object) -> t.Mapping[str, str] | None:
    """The labels of the pods on which ztunnel enforces a policy without targetRefs; None if it does so on none.

    istiod attaches a policy whose selector has no matchLabels to no workload (GetLabelSelector is nil).
    """
    selector = spec_of(policy).get("selector")
    if selector is None:
        return {}
    labels: t.Mapping[str, str] | None = selector.get("matchLabels")
    return labels


def has_labels(pod: Object, wanted: t.Mapping[str, str] | None) -> bool:
    """Whether a pod has all of these labels; none has those of a policy that selects nothing."""
    return wanted is not None and all(labels_of(pod).get(name) == value for name, value in wanted.items())


def captured_pods(cluster: Cluster, policy: Object) -> list[Object]:
    """The pods in ambient mesh, or about to be, that a policy without targetRefs applies to."""
    wanted, own = selector_of(policy), policy["metadata"]["namespace"]
    namespaces = cluster.captured_or_pending if own in cluster.root_namespaces else (own,)
    return [pod for name in namespaces for pod in cluster.captured_or_pending.get(name, ()) if has_labels(pod, wanted)]


def pods_in_scope(cluster: Cluster, policy: Object) -> list[Object]:
    """All live pods that a policy may select: those of its namespace, or of the whole mesh."""
    own = policy["metadata"]["namespace"]
    return [pod for pod in cluster.all(POD) if is_live(pod)] if own in cluster.root_namespaces else cluster.pods(own)


def is_waypoint_pod(pod: Object, cluster: Cluster) -> bool:
    """Whether a pod is one of a waypoint: those read no policy that selects by labels."""
    labels = labels_of(pod)
    if labels.get(MANAGED_GATEWAY) == MANAGED_BY_MESH or labels.get(_CLASS_NAME) == WAYPOINT_CLASS:
        return True
    gateway = cluster.get(GATEWAY, labels[GATEWAY_NAME], pod["metadata"]["namespace"]) if GATEWAY_NAME in labels else None
    return gateway is not None and is_waypoint(gateway)


def is_proxy(pod: Object, cluster: Cluster) -> bool:
    """Whether a pod has a proxy that reads policies with a selector: a sidecar, or a gateway that is no waypoint."""
    if is_waypoint_pod(pod, cluster):
        return False
    containers = pod["spec"].get("containers") or ()
    return SIDECAR_STATUS in annotations_of(pod) or GATEWAY_NAME in labels_of(pod) or any(one.get("name") == _ISTIO_PROXY for one in containers)


class ZtunnelPolicies:
    """The policies that ztunnel enforces, by where they apply."""

    def __init__(self, cluster: Cluster) -> None:
        self._roots = cluster.root_namespaces
        self._by_namespace: dict[str, list[Object]] = {}
        for policy in policies_in(cluster):
            if not targets_of(policy) and not is_dry_run(policy) and action_of(policy) in ("ALLOW", "DENY"):
                self._by_namespace.setdefault(policy["metadata"]["namespace"], []).append(policy)

    def of(self, pod: Object) -> list[Object]:
        """The policies that apply to a pod, the most specific first."""
        own = pod["metadata"]["namespace"]
        found = [policy for name in (own, *sorted(self._roots - {own})) for policy in self._by_namespace.get(name, ()) if has_labels(pod, selector_of(policy))]
        return sorted(found, key=lambda policy: (policy["metadata"]["namespace"] != own, not selector_of(policy)))


def selects_nothing(policy: Object, wanted: t.Mapping[str, str], scope: t.Sequence[Object], cluster: Cluster) -> Problem:
    """The problem of a policy whose selector matches none of the pods in its scope."""
    if not scope or _has_workload(policy, wanted, cluster):
        message = f"its selector {text_of_labels(wanted)} matches no pod that runs now"
        return Problem(ref_of(policy), message, "Nothing needs to be done, if its pods are to come back.", severity="info")
    where = "the mesh" if policy["metadata"]["namespace"] in cluster.root_namespaces else "its namespace"
    message = f"its selector {text_of_labels(wanted)} matches no pod of {where}{_near_labels(wanted, scope)}, so it has no effect"
    return Problem(ref_of(policy), message, "Correct the selector, or delete the policy.")


def text_of_labels(wanted: t.Mapping[str, str]) -> str:
    """Labels as kubectl takes them."""
    return ",".join(f"{name}={value}" for name, value in sorted(wanted.items()))


def _has_workload(policy: Object, wanted: t.Mapping[str, str], cluster: Cluster) -> bool:
    """Whether such pods have run to their end, or may be created at any time, such as those of a Deployment that is scaled to 0."""
    own = None if policy["metadata"]["namespace"] in cluster.root_namespaces else policy["metadata"]["namespace"]
    ended = (pod for pod in cluster.all(POD, own) if not is_live(pod))
    templates = (template_of(item) for kind in (DEPLOYMENT, STATEFUL_SET, DAEMON_SET) for item in cluster.all(kind, own))
    return any(has_labels(item, wanted) for items in (ended, templates) for item in items)


def _near_labels(wanted: t.Mapping[str, str], pods: t.Sequence[Object]) -> str:
    """A clause that tells the labels of pods that are nearly those of a selector; empty if there are none."""
    values: dict[str, set[str]] = {}
    for pod in pods:
        for name, value in labels_of(pod).items():
            values.setdefault(name, set()).add(value)
    near = []
    for name, value in sorted(wanted.items()):
        key = name if name in values else find_near_miss(name, values)
        found = value if key and value in values[key] else find_near_miss(value, values[key]) if key else None
        if key and found and (key, found) != (name, value):
            near.append(f"{key}={found}")
    return f" (pods have {', '.join(near)})" if near else ""


__all__ = (
    "ZtunnelPolicies",
    "captured_pods",
    "has_labels",
    "is_proxy",
    "is_waypoint_pod",
    "pods_in_scope",
    "policies_in",
    "selector_of",
    "selects_nothing",
    "text_of_labels",
)
