from __future__ import annotations

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._status.enrollments import judge_enrollment
from tests.unit.objects import Object, derived, named, recorded

ENROLLED = recorded("namespace/enrolled")
PLAIN = derived(ENROLLED, {"metadata": {"labels": {"istio.io/dataplane-mode": None}}})
CAPTURED = recorded("pod/captured")
NAME = CAPTURED["metadata"]["name"]
PENDING = derived(named(CAPTURED, "pending"), {"metadata": {"annotations": None, "creationTimestamp": "2026-11-20T22:00:00Z"}})
UNSCHEDULED = derived(named(PENDING, "unscheduled"), {"spec": {"nodeName": None}, "metadata": {"creationTimestamp": "2026-11-20T21:00:00Z"}})
HOST = derived(named(PENDING, "host"), {"spec": {"hostNetwork": True}})
OPTED_OUT = derived(named(PENDING, "opted-out"), {"metadata": {"labels": {"istio.io/dataplane-mode": "none"}}})

NOT_REDIRECTED = "pod pending: the istio-cni agent on node node-3 has not redirected it"
NOTHING: dict[str, list[str]] = {"captured": [], "pending": [], "leaving": [], "excluded": [], "opted_out": []}


@pytest.mark.parametrize(
    ("namespace", "pods", "status", "message", "details"),
    [
        pytest.param(ENROLLED, [CAPTURED], "Current", "1 pods are captured, 0 cannot be", NOTHING | {"captured": [NAME]}, id="captured"),
        pytest.param(ENROLLED, [], "Current", "0 pods are captured, 0 cannot be", NOTHING, id="no-pods"),
        pytest.param(PLAIN, [PENDING], "Current", "0 pods are captured, 0 cannot be", NOTHING, id="not-enrolled-and-none-captured"),
        pytest.param(
            ENROLLED,
            [OPTED_OUT],
            "Current",
            "0 pods are captured, 0 cannot be",
            NOTHING | {"opted_out": ["opted-out: its own label keeps it out"]},
            id="opted-out",
        ),
        pytest.param(
            ENROLLED,
            [CAPTURED, HOST],
            "Current",
            "1 pods are captured, 1 cannot be",
            NOTHING | {"captured": [NAME], "excluded": ["host: it uses the network of its node"]},
            id="what-cannot-be-captured-is-reported-and-not-waited-for",
        ),
        pytest.param(
            ENROLLED,
            [CAPTURED, PENDING],
            "InProgress",
            f"1 of 2 pods are captured: {NOT_REDIRECTED}",
            NOTHING | {"captured": [NAME], "pending": [NOT_REDIRECTED.removeprefix("pod ")]},
            id="one-pending",
        ),
        pytest.param(
            ENROLLED,
            [derived(PENDING, {"metadata": {"deletionTimestamp": "2026-11-21T08:00:00Z"}})],
            "Current",
            "0 pods are captured, 0 cannot be",
            NOTHING,
            id="what-is-being-deleted-is-not-waited-for",
        ),
        pytest.param(
            PLAIN,
            [CAPTURED],
            "InProgress",
            f"0 of 1 pods are captured: pod {NAME}: it still carries redirection rules",
            NOTHING | {"leaving": [f"{NAME}: it still carries redirection rules"]},
            id="leaving",
        ),
        pytest.param(
            ENROLLED,
            [named(PENDING, f"p{number}") for number in range(7)],
            "InProgress",
            "0 of 7 pods are captured: "
            + "; ".join(f"pod p{number}: the istio-cni agent on node node-3 has not redirected it" for number in range(5))
            + "; and 2 more",
            NOTHING | {"pending": [f"p{number}: the istio-cni agent on node node-3 has not redirected it" for number in range(7)]},
            id="many-pending",
        ),
    ],
)
def test_judge_enrollment(namespace: Object, pods: list[Object], status: str, message: str, details: dict[str, list[str]]) -> None:
    verdict = judge_enrollment("bookinfo", namespace, pods)
    assert (verdict.status, verdict.message, verdict.details) == (status, message, details)
    assert verdict.reason == ("" if verdict.current else "NotCaptured")


def test_a_missing_namespace_is_not_found() -> None:
    verdict = judge_enrollment("shop", None, [])
    assert (verdict.status, verdict.message) == ("NotFound", "Namespace shop does not exist")


def test_it_lasts_since_the_oldest_laggard() -> None:
    assert judge_enrollment("bookinfo", ENROLLED, [PENDING, CAPTURED, UNSCHEDULED]).since == "2026-11-20T21:00:00Z"


def test_the_clusters_own_excluded_namespaces_count() -> None:
    verdict = judge_enrollment("bookinfo", ENROLLED, [PENDING], excluded_namespaces={"bookinfo"})
    assert verdict.current
    assert verdict.details is not None
    assert verdict.details["excluded"] == ["pending: its namespace is in excludeNamespaces of the istio-cni chart"]


GOING = {
    "metadata": {"deletionTimestamp": "2026-11-20T23:14:46Z"},
    "status": {"conditions": [{"type": "NamespaceFinalizersRemaining", "status": "True", "message": "Some content has finalizers remaining: a in 1"}]},
}


def test_an_enrollment_in_a_namespace_that_is_being_deleted_is_not_current() -> None:
    verdict = judge_enrollment("bookinfo", derived(ENROLLED, GOING), [CAPTURED])
    assert (verdict.status, verdict.since) == ("Terminating", "2026-11-20T23:14:46Z")
    assert verdict.message == "it is being deleted (NamespaceFinalizersRemaining: Some content has finalizers remaining: a in 1)"


def test_what_has_left_the_mesh_may_be_in_a_namespace_that_is_being_deleted() -> None:
    gone = derived(ENROLLED, {**GOING, "metadata": {**GOING["metadata"], "labels": {"istio.io/dataplane-mode": None}}})
    assert judge_enrollment("bookinfo", gone, []).current
