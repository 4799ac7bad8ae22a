# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.

"""Are all pods of a workload new and available? Source: kubectl's rollout status and kstatus (core.go)."""

from __future__ import annotations

import typing as t

from .verdict import Object, Verdict, condition, not_found, not_observed, terminating


def judge_deployment(title: str, deployment: Object | None) -> Verdict:
    """Current when the newest pod template runs in all replicas, all are available and no old one is left."""
    early = _judge_any(title, deployment)
    if early or deployment is None:
        return early or Verdict("Unknown")
    status = deployment.get("status") or {}
    wanted = deployment["spec"].get("replicas", 1)
    progressing = condition(deployment, "Progressing")
    if progressing and progressing.get("reason") == "ProgressDeadlineExceeded":
        return Verdict("Failed", "ProgressDeadlineExceeded", str(progressing.get("message", "")), _LOOK_AT_PODS, progressing.get("lastTransitionTime", ""))
    available = condition(deployment, "Available")
    since = str((available or progressing or {}).get("lastTransitionTime", ""))
    updated, total, ready = (status.get(name, 0) for name in ("updatedReplicas", "replicas", "availableReplicas"))
    if updated < wanted:
        return Verdict("InProgress", "LessUpdated", f"{updated} of {wanted} pods have the newest template", _LOOK_AT_PODS, since)
    if total > updated:
        return Verdict("InProgress", "OldPodsLeft", f"{total - updated} old pods have not ended", "Wait for the rollout.", since)
    if ready < updated:
        return Verdict("InProgress", "LessAvailable", f"{ready} of {updated} pods are available", _LOOK_AT_PODS, since)
    return Verdict("Current", message=f"{ready} of {wanted} pods are available")


def judge_daemon_set(title: str, daemon_set: Object | None) -> Verdict:
    """Current when every node that should have a pod has a new, available one. No node at all is not ready: nothing would be served."""
    early = _judge_any(title, daemon_set)
    if early or daemon_set is None:
        return early or Verdict("Unknown")
    status = daemon_set.get("status") or {}
    if status.get("observedGeneration") is None:
        return Verdict("InProgress", "NotObserved", "it has no status yet", "See that kube-controller-manager runs.")
    wanted, updated, available = (status.get(name, 0) for name in ("desiredNumberScheduled", "updatedNumberScheduled", "numberAvailable"))
    if wanted == 0:
        return Verdict("InProgress", "NoNodes", "no node is eligible for its pods", "Check the node selector, the tolerations and that there are nodes.")
    if updated < wanted:
        return Verdict("InProgress", "LessUpdated", f"{updated} of {wanted} nodes have the newest pod", _LOOK_AT_PODS)
    if available < wanted:
        return Verdict("InProgress", "LessAvailable", f"{available} of {wanted} nodes have an available pod", _LOOK_AT_PODS)
    return Verdict("Current", message=f"{available} of {wanted} nodes have an available pod")


def judge_stateful_set(title: str, stateful_set: Object | None) -> Verdict:
    """Current when all replicas are ready and of the newest revision."""
    early = _judge_any(title, stateful_set)
    if early or stateful_set is None:
        return early or Verdict("Unknown")
    status = stateful_set.get("status") or {}
    wanted = stateful_set["spec"].get("replicas", 1)
    ready = status.get("availableReplicas", status.get("readyReplicas", 0))
    if ready < wanted:
        return Verdict("InProgress", "LessAvailable", f"{ready} of {wanted} pods are available", _LOOK_AT_PODS)
    partition = ((stateful_set["spec"].get("updateStrategy") or {}).get("rollingUpdate") or {}).get("partition", 0)
    updated = status.get("updatedReplicas", 0)
    if status.get("currentRevision") != status.get("updateRevision") and updated < wanted - partition:
        return Verdict("InProgress", "LessUpdated", f"{updated} of {wanted - partition} pods have the newest template", _LOOK_AT_PODS)
    return Verdict("Current", message=f"{ready} of {wanted} pods are available")


def cause_in_pods(pods: t.Iterable[Object]) -> str:
    """What keeps the pods of a workload from being ready, the gravest first; empty when nothing is seen.

    Source: kstatus' podConditions and the waiting reasons of the kubelet (images, container runtime).
    """
    causes: list[tuple[int, str]] = []
    for pod in pods:
        found = _cause_in_pod(pod)
        if found:
            rank, words = found
            causes.append((rank, f"pod {pod['metadata']['name']}: {words}"))
    return "; ".join(words for _rank, words in sorted(causes)[:3])


def _cause_in_pod(pod: Object) -> tuple[int, str] | None:
    status = pod.get("status") or {}
    conditions = {seen["type"]: seen for seen in status.get("conditions") or ()}
    for container in (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())):
        waiting = (container.get("state") or {}).get("waiting")
        if waiting and waiting.get("reason") not in (None, "ContainerCreating", "PodInitializing"):
            return 0, f"container {container['name']} waits, {waiting['reason']} ({waiting.get('message', 'no message')})"
        ended = (container.get("state") or {}).get("terminated")
        if ended and ended.get("exitCode"):
            return 0, f"container {container['name']} ended with exit code {ended['exitCode']} ({ended.get('reason', 'no reason')})"
    scheduled = conditions.get("PodScheduled")
    if scheduled and scheduled.get("status") == "False":
        return 1, f"not scheduled ({scheduled.get('message', 'no message')})"
    ready = conditions.get("Ready")
    if not ready or ready.get("status") != "True":
        since = f" since {ready['lastTransitionTime']}" if ready and ready.get("lastTransitionTime") else ""
        running = status.get("phase") == "Running"
        return 2, f"{'its readiness probe does not succeed' if running else 'phase ' + str(status.get('phase', 'unknown'))}{since}"
    return None


_LOOK_AT_PODS = "Look at its pods: kubectl describe pods tells what holds them up."


def _judge_any(title: str, item: Object | None) -> Verdict | None:
    """What is asked of every workload before its own rule."""
    if item is None:
        return not_found(title, "Install what brings it, or correct its name.")
    return terminating(item) or not_observed(item)


__all__ = ("cause_in_pods", "judge_daemon_set", "judge_deployment", "judge_stateful_set")
