from __future__ import annotations

from collections.abc import Callable

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._status.verdict import Verdict
from ansible_collections.meshwright.ambient.plugins.module_utils._status.workloads import (
    cause_in_pods,
    judge_daemon_set,
    judge_deployment,
    judge_job,
    judge_pod,
    judge_replica_set,
    judge_stateful_set,
)
from tests.unit.objects import Object, derived, named, recorded, with_condition

DEPLOYMENT = recorded("deployment/istiod_available")
DAEMON_SET = recorded("daemonset/ztunnel_available")
POD = recorded("pod/istiod_ready")
DELETED = {"metadata": {"deletionTimestamp": "2026-11-21T08:00:00Z"}}


@pytest.mark.parametrize(
    ("deployment", "status", "reason", "message"),
    [
        pytest.param(DEPLOYMENT, "Current", "", "1 of 1 pods are available", id="as-recorded"),
        pytest.param(None, "NotFound", "NotFound", "Deployment istio-system/istiod does not exist", id="missing"),
        pytest.param(derived(DEPLOYMENT, DELETED), "Terminating", "Terminating", "it is being deleted", id="deleted"),
        pytest.param(
            derived(DEPLOYMENT, {"metadata": {"generation": 2}}),
            "InProgress",
            "GenerationNotObserved",
            "its status is for generation 1, but the current generation is 2",
            id="stale",
        ),
        pytest.param(derived(DEPLOYMENT, {"status": None}), "InProgress", "NotObserved", "its controller has not processed it yet", id="no-status"),
        pytest.param(derived(DEPLOYMENT, {"spec": {"replicas": 3}}), "InProgress", "LessUpdated", "1 of 3 pods have the newest template", id="scaling-up"),
        pytest.param(derived(DEPLOYMENT, {"status": {"replicas": 2}}), "InProgress", "OldPodsLeft", "old pods that have not terminated: 1", id="old-pods-left"),
        pytest.param(
            derived(DEPLOYMENT, {"status": dict.fromkeys(("replicas", "updatedReplicas", "availableReplicas", "readyReplicas"), 3)}),
            "InProgress",
            "OldPodsLeft",
            "2 surplus pods have not terminated",
            id="scaling-down",
        ),
        pytest.param(
            derived(DEPLOYMENT, {"status": {"availableReplicas": None}}), "InProgress", "LessAvailable", "0 of 1 pods are available", id="not-available"
        ),
        pytest.param(
            with_condition(DEPLOYMENT, "Progressing", status="False", reason="ProgressDeadlineExceeded", message="timed out"),
            "Failed",
            "ProgressDeadlineExceeded",
            "timed out",
            id="deadline-exceeded",
        ),
        pytest.param(derived(DEPLOYMENT, {"spec": {"replicas": None}}), "Current", "", "1 of 1 pods are available", id="replicas-default-to-one"),
    ],
)
def test_judge_deployment(deployment: Object | None, status: str, reason: str, message: str) -> None:
    verdict = judge_deployment("Deployment istio-system/istiod", deployment)
    assert (verdict.status, verdict.reason, verdict.message) == (status, reason, message)
    assert verdict.current or verdict.remedy
    # A rollout past its deadline may still get there, so waiting goes on.
    assert not verdict.final


def test_a_laggard_reports_since_when() -> None:
    deployment = with_condition(derived(DEPLOYMENT, {"status": {"availableReplicas": None}}), "Available", lastTransitionTime="2026-11-21T08:00:00Z")
    assert judge_deployment("Deployment istio-system/istiod", deployment).since == "2026-11-21T08:00:00Z"


@pytest.mark.parametrize(
    ("daemon_set", "status", "reason", "message"),
    [
        pytest.param(DAEMON_SET, "Current", "", "3 of 3 nodes have an available pod", id="as-recorded"),
        pytest.param(None, "NotFound", "NotFound", "DaemonSet istio-system/ztunnel does not exist", id="missing"),
        pytest.param(derived(DAEMON_SET, DELETED), "Terminating", "Terminating", "it is being deleted", id="deleted"),
        pytest.param(derived(DAEMON_SET, {"status": None}), "InProgress", "NotObserved", "its controller has not processed it yet", id="no-status"),
        pytest.param(
            derived(DAEMON_SET, {"metadata": {"generation": 2}}),
            "InProgress",
            "GenerationNotObserved",
            "its status is for generation 1, but the current generation is 2",
            id="stale",
        ),
        pytest.param(
            derived(DAEMON_SET, {"status": {"desiredNumberScheduled": 0}}), "InProgress", "NoNodes", "no node is eligible for its pods", id="no-nodes"
        ),
        pytest.param(
            derived(DAEMON_SET, {"status": {"updatedNumberScheduled": 1}}), "InProgress", "LessUpdated", "1 of 3 nodes have the newest pod", id="rolling"
        ),
        pytest.param(
            derived(DAEMON_SET, {"status": {"updatedNumberScheduled": None}}), "InProgress", "LessUpdated", "0 of 3 nodes have the newest pod", id="none-new"
        ),
        pytest.param(
            derived(DAEMON_SET, {"status": {"numberAvailable": 2}}), "InProgress", "LessAvailable", "2 of 3 nodes have an available pod", id="one-not-available"
        ),
        pytest.param(
            derived(DAEMON_SET, {"status": {"desiredNumberScheduled": 4}}), "InProgress", "LessUpdated", "3 of 4 nodes have the newest pod", id="a-node-joined"
        ),
    ],
)
def test_judge_daemon_set(daemon_set: Object | None, status: str, reason: str, message: str) -> None:
    verdict = judge_daemon_set("DaemonSet istio-system/ztunnel", daemon_set)
    assert (verdict.status, verdict.reason, verdict.message) == (status, reason, message)
    assert verdict.current or verdict.remedy


# The mesh has no StatefulSet to record; its status is of the API reference (apps/v1).
STATEFUL_SET: Object = {
    "apiVersion": "apps/v1",
    "kind": "StatefulSet",
    "metadata": {"name": "db", "namespace": "shop", "generation": 1},
    "spec": {"replicas": 3, "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}},
    "status": {
        "observedGeneration": 1,
        "replicas": 3,
        "readyReplicas": 3,
        "availableReplicas": 3,
        "updatedReplicas": 3,
        "currentRevision": "db-1",
        "updateRevision": "db-1",
    },
}
ROLLING: Object = {"status": {"updateRevision": "db-2", "updatedReplicas": 1}}


@pytest.mark.parametrize(
    ("stateful_set", "status", "reason", "message"),
    [
        pytest.param(STATEFUL_SET, "Current", "", "3 of 3 pods are available", id="current"),
        pytest.param(None, "NotFound", "NotFound", "StatefulSet shop/db does not exist", id="missing"),
        pytest.param(derived(STATEFUL_SET, {"status": None}), "InProgress", "NotObserved", "its controller has not processed it yet", id="no-status"),
        pytest.param(derived(STATEFUL_SET, {"spec": {"replicas": 1}}), "InProgress", "OldPodsLeft", "2 surplus pods have not terminated", id="scaling-down"),
        pytest.param(
            derived(STATEFUL_SET, {"status": {"availableReplicas": 2}}), "InProgress", "LessAvailable", "2 of 3 pods are available", id="one-not-available"
        ),
        pytest.param(derived(STATEFUL_SET, {"status": {"availableReplicas": None}}), "Current", "", "3 of 3 pods are available", id="older-servers-say-ready"),
        pytest.param(derived(STATEFUL_SET, ROLLING), "InProgress", "LessUpdated", "1 of 3 pods have the newest template", id="rolling"),
        pytest.param(
            derived(STATEFUL_SET, ROLLING | {"spec": {"updateStrategy": {"rollingUpdate": {"partition": 2}}}}),
            "Current",
            "",
            "3 of 3 pods are available",
            id="partitioned-on-purpose",
        ),
    ],
)
def test_judge_stateful_set(stateful_set: Object | None, status: str, reason: str, message: str) -> None:
    verdict = judge_stateful_set("StatefulSet shop/db", stateful_set)
    assert (verdict.status, verdict.reason, verdict.message) == (status, reason, message)


@pytest.mark.parametrize(
    ("judge", "item"),
    [
        pytest.param(judge, recorded(situation), id=situation)
        for judge, situation in (
            (judge_deployment, "deployment/istiod_available"),
            (judge_stateful_set, "statefulset/available"),
            (judge_replica_set, "replicaset/available"),
            (judge_daemon_set, "daemonset/ztunnel_available"),
        )
    ],
)
def test_what_no_controller_has_looked_at_is_not_current(judge: Callable[[str, Object | None], Verdict], item: Object) -> None:
    """With replicas 0, all counts are as they should be from the beginning."""
    for status in (None, {}, {"replicas": 0}):
        new = derived(derived(item, {"status": None}), {"spec": {"replicas": 0}, "status": status})
        verdict = judge("it", new)
        assert (verdict.status, verdict.reason, verdict.final) == ("InProgress", "NotObserved", False), f"with status {status}"
        assert "kube-controller-manager" in verdict.remedy


@pytest.mark.parametrize("situation", ["deployment/istiod_available", "statefulset/available", "replicaset/available"])
def test_what_is_observed_at_zero_replicas_is_current(situation: str) -> None:
    item = recorded(situation)
    judge = {"Deployment": judge_deployment, "StatefulSet": judge_stateful_set, "ReplicaSet": judge_replica_set}[item["kind"]]
    none = derived(derived(item, {"status": None}), {"spec": {"replicas": 0}, "status": {"observedGeneration": item["metadata"]["generation"]}})
    assert judge("it", none).message == "0 of 0 pods are available"


def _not_ready(name: str, **status: object) -> Object:
    pod = with_condition(named(POD, name), "Ready", status="False", lastTransitionTime="2026-11-21T08:00:00Z")
    return derived(pod, {"status": status})


def _waiting(reason: str, **more: str) -> list[Object]:
    return [{"name": "app", "state": {"waiting": {"reason": reason, **more}}}]


@pytest.mark.parametrize(
    ("pods", "expected"),
    [
        pytest.param([], "", id="no-pods"),
        pytest.param([POD], "", id="ready"),
        pytest.param([_not_ready("a")], "pod a: its readiness probe is failing since 2026-11-21T08:00:00Z", id="probe"),
        pytest.param(
            [_not_ready("a", phase="Pending", containerStatuses=_waiting("ContainerCreating"))],
            "pod a: phase Pending since 2026-11-21T08:00:00Z",
            id="being-created-is-no-cause",
        ),
        pytest.param(
            [_not_ready("a", containerStatuses=_waiting("ImagePullBackOff", message="not found"))],
            "pod a: container app is waiting, ImagePullBackOff (not found)",
            id="image",
        ),
        pytest.param(
            [_not_ready("a", initContainerStatuses=_waiting("CrashLoopBackOff"))],
            "pod a: init container app is waiting, CrashLoopBackOff (no message)",
            id="init-container",
        ),
        pytest.param(
            [_not_ready("a", containerStatuses=[{"name": "app", "state": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}}])],
            "pod a: container app terminated with exit code 137 (OOMKilled)",
            id="ended",
        ),
        pytest.param(
            [_not_ready("a", containerStatuses=[{"name": "app", "state": {"terminated": {"exitCode": 0}}}])],
            "pod a: its readiness probe is failing since 2026-11-21T08:00:00Z",
            id="ended-well",
        ),
        pytest.param(
            [with_condition(_not_ready("a", phase="Pending"), "PodScheduled", status="False", message="0/3 nodes are available")],
            "pod a: not scheduled (0/3 nodes are available)",
            id="not-scheduled",
        ),
        pytest.param([derived(named(POD, "a"), {"status": None})], "pod a: phase unknown", id="no-status"),
        pytest.param(
            [
                _not_ready(
                    "a",
                    containerStatuses=[
                        {
                            "name": "app",
                            "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s"}},
                            "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}},
                        }
                    ],
                )
            ],
            "pod a: container app is waiting, CrashLoopBackOff (back-off 10s; it last terminated with exit code 137 (OOMKilled))",
            id="crashing-with-its-last-end",
        ),
        pytest.param(
            [
                _not_ready(
                    "a",
                    containerStatuses=[
                        {
                            "name": "app",
                            "ready": False,
                            "restartCount": 3,
                            "state": {"running": {}},
                            "lastState": {"terminated": {"exitCode": 1, "reason": "Error"}},
                        }
                    ],
                )
            ],
            "pod a: container app has been restarted 3 times; it last terminated with exit code 1 (Error)",
            id="between-two-crashes",
        ),
        pytest.param(
            [_not_ready("a", phase="Pending", initContainerStatuses=[{"name": "migrate", "state": {"running": {}}}])],
            "pod a: init container migrate has not completed yet",
            id="init-container-runs",
        ),
        pytest.param(
            [_not_ready("a", phase="Failed", reason="Evicted", message="The node was low on resource: memory.")],
            "pod a: it has terminated, Evicted (The node was low on resource: memory.)",
            id="evicted",
        ),
        pytest.param(
            [
                _not_ready(
                    "a",
                    phase="Pending",
                    conditions=[{"type": "PodReadyToStartContainers", "status": "False", "lastTransitionTime": "2026-11-21T08:00:00Z"}],
                )
            ],
            "pod a: its network has not been set up since 2026-11-21T08:00:00Z: check its events, and the istio-cni agent on node node-3",
            id="sandbox-not-made",
        ),
        pytest.param(
            [with_condition(_not_ready("a"), "Ready", reason="ReadinessGatesNotReady", message="corresponding condition of gate is False")],
            "pod a: a readiness gate is not satisfied since 2026-11-21T08:00:00Z (corresponding condition of gate is False)",
            id="readiness-gate",
        ),
        pytest.param([recorded("pod/succeeded")], "", id="ended-with-success"),
        pytest.param(
            [_not_ready("a"), _not_ready("b", containerStatuses=_waiting("ErrImagePull", message="denied")), _not_ready("c"), _not_ready("d"), POD],
            (
                "pod b: container app is waiting, ErrImagePull (denied); "
                "pod a: its readiness probe is failing since 2026-11-21T08:00:00Z; "
                "pod c: its readiness probe is failing since 2026-11-21T08:00:00Z"
            ),
            id="the-gravest-first-and-three-at-most",
        ),
    ],
)
def test_cause_in_pods(pods: list[Object], expected: str) -> None:
    assert cause_in_pods(pods) == expected


# quota, pauses, and updates by hand

OVER_QUOTA = recorded("deployment/over_quota")
REFUSED = 'pods "over-quota-84946f6845-zzd76" is forbidden: exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2'


def test_pods_that_the_api_server_refuses_are_reported() -> None:
    verdict = judge_deployment("it", OVER_QUOTA)
    assert (verdict.status, verdict.reason, verdict.message, verdict.final) == ("InProgress", "FailedCreate", REFUSED, False)
    assert "raise the quota" in verdict.remedy
    late = with_condition(OVER_QUOTA, "Progressing", status="False", reason="ProgressDeadlineExceeded", message="it has timed out.")
    assert judge_deployment("it", late).message == f"it has timed out. {REFUSED}"
    verdict = judge_replica_set("it", recorded("replicaset/over_quota"))
    assert (verdict.status, verdict.reason) == ("InProgress", "FailedCreate")
    repaired = with_condition(OVER_QUOTA, "ReplicaFailure", status="False")
    assert judge_deployment("it", repaired).reason == "LessUpdated"


def test_a_paused_rollout_is_named() -> None:
    paused = derived(DEPLOYMENT, {"spec": {"paused": True, "replicas": 2}})
    assert judge_deployment("it", paused).reason == "Paused"
    assert judge_deployment("it", derived(DEPLOYMENT, {"spec": {"paused": True}})).current


def test_who_must_delete_old_pods_by_hand_is_reported() -> None:
    by_hand = {"spec": {"updateStrategy": {"type": "OnDelete"}}}
    daemon_set = derived(DAEMON_SET, {**by_hand, "status": {"updatedNumberScheduled": 1}})
    assert judge_daemon_set("it", daemon_set).remedy.startswith("Its update strategy is OnDelete")
    stateful_set = derived(recorded("statefulset/available"), {**by_hand, "status": {"updateRevision": "db-2", "updatedReplicas": 0}})
    assert judge_stateful_set("it", stateful_set).remedy.startswith("Its update strategy is OnDelete")


# the other kinds

REPLICA_SET = recorded("replicaset/available")
JOB = recorded("job/complete")
FAILED: Object = {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "message": "Job has reached the specified backoff limit"}


@pytest.mark.parametrize(
    ("replica_set", "status", "reason"),
    [
        pytest.param(REPLICA_SET, "Current", "", id="as-recorded"),
        pytest.param(derived(REPLICA_SET, {"spec": {"replicas": 2}}), "InProgress", "LessAvailable", id="less"),
        pytest.param(derived(REPLICA_SET, {"spec": {"replicas": 0}}), "InProgress", "OldPodsLeft", id="too-many"),
        pytest.param(derived(REPLICA_SET, {"metadata": {"generation": 9}}), "InProgress", "GenerationNotObserved", id="stale"),
        pytest.param(derived(REPLICA_SET, DELETED), "Terminating", "Terminating", id="deleted"),
        pytest.param(None, "NotFound", "NotFound", id="missing"),
    ],
)
def test_judge_replica_set(replica_set: Object | None, status: str, reason: str) -> None:
    verdict = judge_replica_set("it", replica_set)
    assert (verdict.status, verdict.reason) == (status, reason)


RUNNING = {"status": {"conditions": [], "succeeded": None, "active": 1}}


@pytest.mark.parametrize(
    ("job", "status", "reason", "message"),
    [
        pytest.param(JOB, "Current", "", "complete, 1 pods have succeeded", id="as-recorded"),
        pytest.param(derived(JOB, RUNNING), "InProgress", "NotComplete", "0 of 1 pods have succeeded, 1 are running", id="running"),
        pytest.param(
            derived(JOB, {"status": {**RUNNING["status"], "failed": 2}}),
            "InProgress",
            "NotComplete",
            "0 of 1 pods have succeeded, 1 are running, 2 have failed",
            id="trying-again",
        ),
        pytest.param(derived(JOB, {**RUNNING, "spec": {"suspend": True}}), "InProgress", "Suspended", "it is suspended", id="suspended"),
        pytest.param(derived(JOB, {"status": {"conditions": [FAILED]}}), "Failed", "BackoffLimitExceeded", FAILED["message"], id="failed"),
        pytest.param(
            derived(JOB, {"status": {"conditions": [{**FAILED, "type": "FailureTarget"}]}}), "Failed", "BackoffLimitExceeded", FAILED["message"], id="failing"
        ),
        pytest.param(derived(JOB, DELETED), "Terminating", "Terminating", "it is being deleted", id="deleted"),
        pytest.param(None, "NotFound", "NotFound", "it does not exist", id="missing"),
    ],
)
def test_judge_job(job: Object | None, status: str, reason: str, message: str) -> None:
    verdict = judge_job("it", job)
    assert (verdict.status, verdict.reason, verdict.message) == (status, reason, message)
    # What a Job's controller has given up stays so.
    assert verdict.final == (status == "Failed")


@pytest.mark.parametrize(
    ("pod", "status", "reason", "message"),
    [
        pytest.param(POD, "Current", "", "it is ready", id="as-recorded"),
        pytest.param(recorded("pod/succeeded"), "Current", "", "it has succeeded", id="ended-with-success"),
        pytest.param(
            derived(POD, {"status": {"phase": "Failed", "reason": "Evicted", "message": "low on memory"}}), "Failed", "Evicted", "low on memory", id="evicted"
        ),
        pytest.param(
            _not_ready("a", phase="Failed", containerStatuses=[{"name": "app", "state": {"terminated": {"exitCode": 1, "reason": "Error"}}}]),
            "Failed",
            "Failed",
            "container app terminated with exit code 1 (Error)",
            id="ended-with-an-error",
        ),
        pytest.param(_not_ready("a"), "InProgress", "NotReady", "its readiness probe is failing since 2026-11-21T08:00:00Z", id="not-ready"),
        pytest.param(derived(POD, DELETED), "Terminating", "Terminating", "it is being deleted", id="deleted"),
        pytest.param(None, "NotFound", "NotFound", "it does not exist", id="missing"),
    ],
)
def test_judge_pod(pod: Object | None, status: str, reason: str, message: str) -> None:
    verdict = judge_pod("it", pod)
    assert (verdict.status, verdict.reason, verdict.message) == (status, reason, message)
    assert verdict.final == (status == "Failed")
