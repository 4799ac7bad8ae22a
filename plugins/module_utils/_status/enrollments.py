# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Is every pod that should be captured really captured? Judged by the annotations that the node agent sets on pods."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._kinds import NAMESPACE, POD
from .._mesh.capture import EXCLUDED_NAMESPACES, capture_of
from .._mesh.labels import DATAPLANE_MODE, labels_of
from .._text import format_clauses
from .target import Expectation, Rule, Snapshot, Target, needs_in_namespace
from .verdict import Object, Verdict, not_found, terminating


@dataclass(frozen=True)
class EnrollmentExpectation(Expectation):
    """What the capture of a namespace is judged by.

    Attributes:
        excluded_namespaces: the namespaces that the istio-cni chart excludes.
    """

    excluded_namespaces: t.Collection[str] = EXCLUDED_NAMESPACES


def judge_enrollment(name: str, namespace: Object | None, pods: t.Sequence[Object], excluded_namespaces: t.Collection[str] = EXCLUDED_NAMESPACES) -> Verdict:
    """Current when no pod of the namespace is pending and none is leaving; pods that can never be captured are reported, not waited for."""
    if namespace is None:
        return not_found(f"Namespace {name}", "Create it, or correct its name.")
    # Pods that are to leave do so in a namespace that goes as well.
    if labels_of(namespace).get(DATAPLANE_MODE) == "ambient" and (gone := terminating(namespace)):
        return gone
    groups: dict[str, list[tuple[str, str]]] = {"captured": [], "pending": [], "excluded": [], "leaving": [], "opted_out": []}
    since = ""
    for pod in pods:
        if pod["metadata"].get("deletionTimestamp"):
            continue
        capture = capture_of(pod, labels_of(namespace), excluded_namespaces)
        state = "opted_out" if capture.reason == "OptedOut" else capture.state
        if state in groups:
            groups[state].append((pod["metadata"]["name"], capture.message))
        if state in ("pending", "leaving"):
            since = min(filter(None, (since, str(pod["metadata"].get("creationTimestamp", "")))), default="")
    # Each pod with its reason, if there is one.
    details = {state: [f"{pod}: {message}" if message else pod for pod, message in sorted(members)] for state, members in groups.items()}
    waiting = sorted(groups["pending"] + groups["leaving"])
    if waiting:
        clauses = format_clauses(f"pod {pod}: {message}" for pod, message in waiting)
        remedy = "Check that the istio-cni-node and ztunnel pods on these pods' nodes are ready (target kind DaemonSet)."
        captured = len(groups["captured"])
        message = f"{captured} of {captured + len(waiting)} pods are captured: {clauses}"
        return Verdict("InProgress", "NotCaptured", message, remedy, since, details=details)
    return Verdict("Current", message=f"{len(groups['captured'])} pods are captured, {len(groups['excluded'])} cannot be", details=details)


def _judge(target: Target, snapshot: Snapshot) -> Verdict:
    namespace = snapshot.get(NAMESPACE, target.namespace)
    return judge_enrollment(target.namespace, namespace, snapshot.all(POD, target.namespace), target.expected(EnrollmentExpectation).excluded_namespaces)


ENROLLMENT_RULE = Rule(needs_in_namespace(POD, NAMESPACE), ("namespace",), _judge)

__all__ = ("ENROLLMENT_RULE", "EnrollmentExpectation", "judge_enrollment")
