# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Are all pods of a workload up to date and available, or has it completed? Source: kubectl's rollout status and kstatus (core.go).

Only what the workload's own controller has given up is final: a Job or a pod that has failed. A Deployment past its progress deadline is not: its
controller goes on trying, and succeeds once the image or the quota is corrected.
"""

from __future__ import annotations

import functools
import typing as t

from .verdict import Object, Verdict, condition, not_found, not_observed, observed_generation, terminating

_Rule = t.Callable[[str, t.Optional[Object]], Verdict]


def _once_found(judge: t.Callable[[Object], Verdict]) -> _Rule:
    """The rule for a workload that exists, is not being deleted, and whose newest generation its controller has processed."""

    @functools.wraps(judge)
    def judge_any(title: str, item: Object | None) -> Verdict:
        if item is None:
            return not_found(title, "Install the chart or manifest that contains it, or correct its name.")
        return terminating(item) or not_observed(item) or judge(item)

    return judge_any


def _once_observed(judge: t.Callable[[Object], Verdict]) -> _Rule:
    """The same for a workload whose controller writes observedGeneration: until then, missing counts are not counts of zero."""

    @functools.wraps(judge)
    def judge_observed(item: Object) -> Verdict:
        if observed_generation(item.get("status") or {}):
            return judge(item)
        return Verdict("InProgress", "NotObserved", "its controller has not processed it yet", "Check that kube-controller-manager is running.")

    return _once_found(judge_observed)


@_once_observed
def judge_deployment(deployment: Object) -> Verdict:
    """Current when the newest pod template runs in all replicas, all are available and no old one is left."""
    status = deployment.get("status") or {}
    desired = deployment["spec"].get("replicas", 1)
    progressing = condition(deployment, "Progressing")
    refused = _refused_pods(deployment)
    if progressing and progressing.get("reason") == "ProgressDeadlineExceeded":
        message = str(progressing.get("message", "")) + (f" {refused.message}" if refused else "")
        remedy = refused.remedy if refused else _CHECK_PODS
        return Verdict("Failed", "ProgressDeadlineExceeded", message, remedy, progressing.get("lastTransitionTime", ""))
    available = condition(deployment, "Available")
    since = str((available or progressing or {}).get("lastTransitionTime", ""))
    updated, total, ready = (status.get(name, 0) for name in ("updatedReplicas", "replicas", "availableReplicas"))
    if updated < desired and deployment["spec"].get("paused"):
        message = f"its rollout is paused, {updated} of {desired} pods have the newest template"
        return Verdict("InProgress", "Paused", message, "Resume it: kubectl rollout resume.", since)
    if updated < desired:
        less = Verdict("InProgress", "LessUpdated", f"{updated} of {desired} pods have the newest template", _CHECK_PODS, since)
        return refused or less
    if total > updated:
        return Verdict("InProgress", "OldPodsLeft", f"old pods that have not terminated: {total - updated}", "Wait for the rollout.", since)
    if total > desired:
        return _surplus_pods(total - desired, since)
    if ready < updated:
        return Verdict("InProgress", "LessAvailable", f"{ready} of {updated} pods are available", _CHECK_PODS, since)
    return Verdict("Current", message=f"{ready} of {desired} pods are available")


@_once_observed
def judge_daemon_set(daemon_set: Object) -> Verdict:
    """Current when every eligible node has an up-to-date, available pod. Without any eligible node it is not ready: nothing would be served."""
    status = daemon_set.get("status") or {}
    desired, updated, available = (status.get(name, 0) for name in ("desiredNumberScheduled", "updatedNumberScheduled", "numberAvailable"))
    if desired == 0:
        return Verdict("InProgress", "NoNodes", "no node is eligible for its pods", "Check the node selector, the tolerations and that there are nodes.")
    if updated < desired:
        return Verdict("InProgress", "LessUpdated", f"{updated} of {desired} nodes have the newest pod", _remedy_for_update(daemon_set))
    if available < desired:
        return Verdict("InProgress", "LessAvailable", f"{available} of {desired} nodes have an available pod", _CHECK_PODS)
    return Verdict("Current", message=f"{available} of {desired} nodes have an available pod")


@_once_observed
def judge_stateful_set(stateful_set: Object) -> Verdict:
    """Current when all replicas are ready and of the newest revision, and none is left over."""
    status = stateful_set.get("status") or {}
    desired = stateful_set["spec"].get("replicas", 1)
    ready = status.get("availableReplicas", status.get("readyReplicas", 0))
    if ready < desired:
        return Verdict("InProgress", "LessAvailable", f"{ready} of {desired} pods are available", _CHECK_PODS)
    if status.get("replicas", 0) > desired:
        return _surplus_pods(status["replicas"] - desired)
    partition = ((stateful_set["spec"].get("updateStrategy") or {}).get("rollingUpdate") or {}).get("partition", 0)
    updated = status.get("updatedReplicas", 0)
    if status.get("currentRevision") != status.get("updateRevision") and updated < desired - partition:
        return Verdict("InProgress", "LessUpdated", f"{updated} of {desired - partition} pods have the newest template", _remedy_for_update(stateful_set))
    return Verdict("Current", message=f"{ready} of {desired} pods are available")


@_once_observed
def judge_replica_set(replica_set: Object) -> Verdict:
    """Current when all replicas are available and none is left over."""
    status = replica_set.get("status") or {}
    desired = replica_set["spec"].get("replicas", 1)
    total, ready = status.get("replicas", 0), status.get("availableReplicas", 0)
    if total > desired:
        return _surplus_pods(total - desired)
    if ready < desired:
        less = Verdict("InProgress", "LessAvailable", f"{ready} of {desired} pods are available", _CHECK_PODS)
        return (_refused_pods(replica_set) if total < desired else None) or less
    return Verdict("Current", message=f"{ready} of {desired} pods are available")


@_once_found
def judge_job(job: Object) -> Verdict:
    """Current when it has completed; Failed for good when it has failed."""
    status = job.get("status") or {}
    for kind in ("Failed", "FailureTarget"):
        failed = condition(job, kind)
        if failed and failed.get("status") == "True":
            remedy = "Check the logs of its pods, then delete the Job and create it again."
            message = str(failed.get("message") or "it has failed")
            return Verdict("Failed", str(failed.get("reason") or "Failed"), message, remedy, str(failed.get("lastTransitionTime", "")), final=True)
    complete = condition(job, "Complete")
    if complete and complete.get("status") == "True":
        return Verdict("Current", message=f"complete, {status.get('succeeded', 0)} pods have succeeded")
    if job["spec"].get("suspend"):
        return Verdict("InProgress", "Suspended", "it is suspended", "Set spec.suspend to false.")
    message = f"{status.get('succeeded', 0)} of {job['spec'].get('completions') or 1} pods have succeeded, {status.get('active', 0)} are running"
    if status.get("failed"):
        message += f", {status['failed']} have failed"
    return Verdict("InProgress", "NotComplete", message, _CHECK_PODS, str(status.get("startTime", "")))


@_once_found
def judge_pod(pod: Object) -> Verdict:
    """Current when it is ready, or has succeeded; Failed for good when it has failed."""
    status = pod.get("status") or {}
    phase = status.get("phase")
    if phase == "Succeeded":
        return Verdict("Current", message="it has succeeded")
    if phase == "Failed":
        found = _cause_in_pod(pod)
        message = str(status.get("message") or (found[1] if found else "it has failed"))
        return Verdict("Failed", str(status.get("reason") or "Failed"), message, "Check its log, then create it again.", final=True)
    ready = condition(pod, "Ready")
    if ready and ready.get("status") == "True":
        return Verdict("Current", message="it is ready")
    found = _cause_in_pod(pod)
    return Verdict(
        "InProgress", "NotReady", found[1] if found else "it is not ready", "kubectl describe pod shows more.", str((ready or {}).get("lastTransitionTime", ""))
    )


def cause_in_pods(pods: t.Iterable[Object]) -> str:
    """What keeps the pods of a workload from being ready, the most severe first; empty when nothing is found.

    Source: kstatus' podConditions and the waiting reasons of the kubelet (images, container runtime).
    """
    causes: list[tuple[int, str]] = []
    for pod in pods:
        found = _cause_in_pod(pod)
        if found:
            rank, cause = found
            causes.append((rank, f"pod {pod['metadata']['name']}: {cause}"))
    return "; ".join(cause for _rank, cause in sorted(causes)[:3])


def _cause_in_pod(pod: Object) -> tuple[int, str] | None:
    status = pod.get("status") or {}
    if status.get("phase") == "Succeeded":
        return None
    conditions = {found["type"]: found for found in status.get("conditions") or ()}
    if status.get("phase") == "Failed" and status.get("reason"):
        # Evicted, Preempting, NodeLost and the like are reported on the pod, not on a container.
        return 0, f"it has terminated, {status['reason']} ({status.get('message', 'no message')})"
    for key, what in (("initContainerStatuses", "init container"), ("containerStatuses", "container")):
        for container in status.get(key) or ():
            found = _cause_in_container(what, container)
            if found:
                return 0, found
    scheduled = conditions.get("PodScheduled")
    if scheduled and scheduled.get("status") == "False":
        return 1, f"not scheduled ({scheduled.get('message', 'no message')})"
    sandbox = conditions.get("PodReadyToStartContainers")
    if status.get("phase") == "Pending" and sandbox and sandbox.get("status") == "False":
        agent = f"the istio-cni agent on node {pod['spec'].get('nodeName', 'unknown')}"
        return 1, f"its network has not been set up{_since(sandbox)}: check its events, and {agent}"
    ready = conditions.get("Ready")
    if not ready or ready.get("status") != "True":
        if ready and ready.get("reason") == "ReadinessGatesNotReady":
            return 2, f"a readiness gate is not satisfied{_since(ready)} ({ready.get('message', 'no message')})"
        running = status.get("phase") == "Running"
        return 2, f"{'its readiness probe is failing' if running else 'phase ' + str(status.get('phase', 'unknown'))}{_since(ready)}"
    return None


def _cause_in_container(what: str, container: t.Mapping[str, t.Any]) -> str | None:
    state = container.get("state") or {}
    last = (container.get("lastState") or {}).get("terminated") or {}
    before = f"; it last terminated with exit code {last['exitCode']} ({last.get('reason', 'no reason')})" if last.get("exitCode") else ""
    waiting = state.get("waiting")
    if waiting and waiting.get("reason") not in (None, "ContainerCreating", "PodInitializing"):
        return f"{what} {container['name']} is waiting, {waiting['reason']} ({waiting.get('message', 'no message')}{before})"
    ended = state.get("terminated")
    if ended and ended.get("exitCode"):
        return f"{what} {container['name']} terminated with exit code {ended['exitCode']} ({ended.get('reason', 'no reason')})"
    if what == "init container" and "running" in state and not container.get("started"):
        return f"{what} {container['name']} has not completed yet{before}"
    if before and "running" in state and not container.get("ready"):
        return f"{what} {container['name']} has been restarted {container.get('restartCount', 0)} times{before}"
    return None


def _since(found: t.Mapping[str, t.Any] | None) -> str:
    return f" since {found['lastTransitionTime']}" if found and found.get("lastTransitionTime") else ""


def _refused_pods(item: Object) -> Verdict | None:
    """The API server refuses its pods: a quota, a limit, a missing account, an admission webhook."""
    failure = condition(item, "ReplicaFailure")
    if not failure or failure.get("status") != "True":
        return None
    remedy = "This message comes from the API server: raise the quota, or fix what it names; the controller retries by itself."
    return Verdict(
        "InProgress", str(failure.get("reason") or "ReplicaFailure"), str(failure.get("message", "")), remedy, str(failure.get("lastTransitionTime", ""))
    )


def _remedy_for_update(item: Object) -> str:
    if (item["spec"].get("updateStrategy") or {}).get("type") == "OnDelete":
        return "Its update strategy is OnDelete: delete the old pods, so that new ones are created."
    return _CHECK_PODS


_CHECK_PODS = "Check its pods: kubectl describe pods shows what is blocking them."


def _surplus_pods(count: int, since: str = "") -> Verdict:
    return Verdict("InProgress", "OldPodsLeft", f"{count} surplus pods have not terminated", "Wait until they have terminated.", since)


__all__ = (
    "cause_in_pods",
    "judge_daemon_set",
    "judge_deployment",
    "judge_job",
    "judge_pod",
    "judge_replica_set",
    "judge_stateful_set",
)
