from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.meshwright.ambient.plugins.module_utils._mesh.capture import Capture, capture_of, report_pods, trim_pod, wants_capture, workload_of
from tests.unit.objects import Object, derived, named, recorded
from twin.agent.capture import read_agent_config, should_be_captured

MODE = "istio.io/dataplane-mode"
REDIRECTION = "ambient.istio.io/redirection"

CAPTURED = recorded("pod/captured")
UNMARKED = derived(CAPTURED, {"metadata": {"annotations": None}})
ENROLLED = recorded("namespace/enrolled")["metadata"]["labels"]
PLAIN = {"kubernetes.io/metadata.name": "bookinfo"}

OUTSIDE = Capture("outside")
LEAVING = Capture("leaving", "StillRedirected", "it still carries redirection rules")
TERMINATED = Capture("excluded", "Terminated", "it has run to its end")
HOST_NETWORK = Capture("excluded", "HostNetwork", "it uses the network of its node")
SIDECAR = Capture("excluded", "Sidecar", "it has a sidecar, which takes precedence")
EXCLUDED_NAMESPACE = Capture("excluded", "ExcludedNamespace", "its namespace is in excludeNamespaces of the istio-cni chart")


@pytest.mark.parametrize(
    ("pod", "namespace_labels", "expected"),
    [
        pytest.param(CAPTURED, ENROLLED, Capture("captured"), id="as-recorded"),
        pytest.param(
            derived(CAPTURED, {"metadata": {"annotations": {REDIRECTION: "pending"}}}),
            ENROLLED,
            Capture("pending", "ZtunnelNotTold", "its rules are in place, but ztunnel on its node does not handle it yet"),
            id="half-captured",
        ),
        pytest.param(
            UNMARKED, ENROLLED, Capture("pending", "NotRedirected", "the istio-cni agent on node node-3 has not redirected it"), id="agent-has-not-come"
        ),
        pytest.param(derived(UNMARKED, {"status": {"podIP": None}}), ENROLLED, Capture("pending", "NotStarted", "it has no address yet"), id="no-address"),
        pytest.param(
            derived(UNMARKED, {"spec": {"nodeName": None}, "status": None}), ENROLLED, Capture("pending", "NotScheduled", "it has no node yet"), id="no-node"
        ),
        pytest.param(UNMARKED, PLAIN, OUTSIDE, id="namespace-not-enrolled"),
        pytest.param(CAPTURED, PLAIN, LEAVING, id="namespace-no-longer-enrolled"),
        pytest.param(derived(CAPTURED, {"metadata": {"annotations": {REDIRECTION: "pending"}}}), PLAIN, LEAVING, id="half-captured-and-leaving"),
        pytest.param(
            derived(UNMARKED, {"metadata": {"labels": {MODE: "none"}}}),
            ENROLLED,
            Capture("outside", "OptedOut", "its own label keeps it out"),
            id="pod-opts-out",
        ),
        pytest.param(derived(CAPTURED, {"metadata": {"labels": {MODE: "none"}}}), ENROLLED, LEAVING, id="pod-opts-out-later"),
        pytest.param(derived(CAPTURED, {"metadata": {"labels": {MODE: "ambient"}}}), PLAIN, Capture("captured"), id="pod-opts-in"),
        pytest.param(
            derived(CAPTURED, {"metadata": {"labels": {MODE: "ambient"}}}), {MODE: "none"}, Capture("captured"), id="pod-opts-in-against-its-namespace"
        ),
        pytest.param(derived(CAPTURED, {"metadata": {"labels": {MODE: "sidecar"}}}), ENROLLED, Capture("captured"), id="unknown-word-does-not-opt-out"),
        pytest.param(derived(UNMARKED, {"spec": {"hostNetwork": True}}), ENROLLED, HOST_NETWORK, id="host-network"),
        pytest.param(derived(UNMARKED, {"status": {"phase": "Succeeded"}}), ENROLLED, TERMINATED, id="succeeded"),
        pytest.param(derived(CAPTURED, {"status": {"phase": "Failed"}}), ENROLLED, TERMINATED, id="failed-although-marked"),
        pytest.param(derived(UNMARKED, {"metadata": {"annotations": {"sidecar.istio.io/status": "{}"}}}), ENROLLED, SIDECAR, id="sidecar"),
        pytest.param(derived(UNMARKED, {"metadata": {"namespace": "kube-system"}}), ENROLLED, EXCLUDED_NAMESPACE, id="namespace-excluded-by-the-agent"),
        pytest.param(derived(UNMARKED, {"spec": {"hostNetwork": True}}), PLAIN, OUTSIDE, id="host-network-outside-the-mesh"),
    ],
)
def test_capture_of(pod: Object, namespace_labels: dict[str, str], expected: Capture) -> None:
    assert capture_of(pod, namespace_labels) == expected


def test_the_excluded_namespaces_are_the_clusters() -> None:
    assert capture_of(UNMARKED, ENROLLED, excluded_namespaces={"bookinfo"}) == EXCLUDED_NAMESPACE
    assert capture_of(derived(CAPTURED, {"metadata": {"namespace": "kube-system"}}), ENROLLED, excluded_namespaces=()) == Capture("captured")


@pytest.mark.parametrize(
    ("pod", "namespace", "expected"),
    [
        pytest.param(None, None, False, id="nobody-asks"),
        pytest.param(None, "ambient", True, id="namespace-asks"),
        pytest.param(None, "none", False, id="namespace-says-none"),
        pytest.param(None, "Ambient", False, id="case-matters"),
        pytest.param("none", "ambient", False, id="pod-says-none"),
        pytest.param("ambient", None, True, id="pod-asks"),
        pytest.param("ambient", "none", True, id="pod-beats-namespace"),
        pytest.param("", "ambient", True, id="empty-label-does-not-opt-out"),
    ],
)
def test_wants_capture(pod: str | None, namespace: str | None, expected: bool) -> None:
    assert wants_capture({MODE: pod} if pod is not None else {}, {MODE: namespace} if namespace is not None else {}) is expected


_modes = st.sampled_from([None, "ambient", "none", "", "sidecar"])


@st.composite
def pods(draw: st.DrawFn) -> Object:
    mode, mark = draw(_modes), draw(st.sampled_from([None, "enabled", "pending"]))
    annotations: dict[str, str] = {REDIRECTION: mark} if mark else {}
    if draw(st.booleans()):
        annotations["sidecar.istio.io/status"] = draw(st.sampled_from(["", "{}"]))
    return {
        "metadata": {
            "name": "pod",
            "namespace": draw(st.sampled_from(["shop", "kube-system", "istio-system"])),
            "labels": draw(st.sampled_from([{}, None])) if mode is None else {MODE: mode},
            "annotations": annotations or draw(st.sampled_from([{}, None])),
        },
        "spec": draw(st.fixed_dictionaries({}, optional={"hostNetwork": st.booleans(), "nodeName": st.just("node-1")})),
        "status": draw(
            st.fixed_dictionaries(
                {}, optional={"phase": st.sampled_from(["Pending", "Running", "Succeeded", "Failed", "Unknown"]), "podIP": st.just("10.64.0.1")}
            )
        ),
    }


@given(pod=pods(), mode=_modes)
def test_the_rule_agrees_with_the_agents(pod: Object, mode: str | None) -> None:
    """Two readings of Istio's source, written apart: the collection's, and the one by which the twin's agent acts."""
    namespace_labels: dict[str, Any] = {} if mode is None else {MODE: mode}
    config = read_agent_config(recorded("configmap/istio_cni_config"))
    capture = capture_of(pod, namespace_labels, config.excluded_namespaces)
    assert (capture.state in ("captured", "pending")) == should_be_captured(pod, namespace_labels, config)


# What is reported on many pods.

OF_WORKLOAD: Object = {
    "metadata": {
        "labels": {"pod-template-hash": "65bd58d55f"},
        "ownerReferences": [{"kind": "ReplicaSet", "name": "details-v1-65bd58d55f", "controller": True, "uid": "1"}],
    }
}


def _pods() -> list[Object]:
    """One pod of each situation in an enrolled namespace."""
    return [
        named(CAPTURED, "captured"),
        named(UNMARKED, "pending"),
        named(derived(UNMARKED, {"spec": {"hostNetwork": True}}), "excluded"),
        named(derived(CAPTURED, {"metadata": {"labels": {MODE: "none"}}}), "leaving"),
        named(derived(UNMARKED, {"metadata": {"labels": {MODE: "none"}}}), "opted-out"),
        named(derived(UNMARKED, {"metadata": {"deletionTimestamp": "2026-11-20T23:14:43Z"}}), "deleted"),
    ]


def test_report_pods() -> None:
    report = report_pods(_pods(), ENROLLED)
    assert (report["captured"], report["opted_out"]) == (["captured"], ["opted-out"])
    reported = [(state, pod["name"], pod["reason"], bool(pod["message"])) for state in ("pending", "excluded", "leaving") for pod in report[state]]
    assert reported == [
        ("pending", "pending", "NotRedirected", True),
        ("excluded", "excluded", "HostNetwork", True),
        ("leaving", "leaving", "StillRedirected", True),
    ]


def test_pods_outside_the_mesh_are_not_reported() -> None:
    assert not any(report_pods([UNMARKED], PLAIN).values())


def test_what_is_trimmed_is_never_missed() -> None:
    pods = [*_pods(), named(derived(UNMARKED, {"metadata": {"annotations": {"sidecar.istio.io/status": "{}"}}}), "sidecar")]
    assert report_pods(map(trim_pod, pods), ENROLLED) == report_pods(pods, ENROLLED)
    pod = derived(CAPTURED, OF_WORKLOAD)
    assert workload_of(trim_pod(pod)) == workload_of(pod)
    assert len(str(trim_pod(CAPTURED))) < 500


@pytest.mark.parametrize(
    ("template", "pod", "namespace", "state", "reason"),
    [
        pytest.param({MODE: "ambient"}, UNMARKED, PLAIN, "pending", "ToBeReplaced", id="will-be-captured"),
        pytest.param({MODE: "none"}, CAPTURED, ENROLLED, "leaving", "ToBeReplaced", id="will-be-out"),
        pytest.param({MODE: "ambient"}, CAPTURED, ENROLLED, "captured", None, id="is-captured-by-its-namespace"),
        pytest.param({MODE: "none"}, UNMARKED, ENROLLED, "opted_out", None, id="is-out-already"),
        pytest.param({}, UNMARKED, ENROLLED, "pending", "NotRedirected", id="as-its-template"),
        pytest.param({}, derived(UNMARKED, {"metadata": {"labels": {MODE: "none"}}}), ENROLLED, "pending", "ToBeReplaced", id="label-taken-away"),
        pytest.param({MODE: "ambient"}, derived(UNMARKED, {"spec": {"hostNetwork": True}}), PLAIN, "excluded", "HostNetwork", id="cannot-be-captured"),
    ],
)
def test_pods_that_a_new_template_replaces(template: dict[str, str], pod: Object, namespace: dict[str, str], state: str, reason: str | None) -> None:
    report = report_pods([pod], namespace, template_labels=template)
    assert [name for name, pods in report.items() if pods] == [state]
    (reported,) = report[state]
    assert reported == pod["metadata"]["name"] if reason is None else reported["reason"] == reason


@pytest.mark.parametrize(
    ("difference", "workload"),
    [
        pytest.param(OF_WORKLOAD, ("Deployment", "details-v1"), id="deployment"),
        pytest.param(
            {"metadata": {"labels": {"pod-template-hash": None}, "ownerReferences": [{"kind": "ReplicaSet", "name": "plain", "controller": True}]}},
            ("ReplicaSet", "plain"),
            id="replica-set-of-nobody",
        ),
        pytest.param({"metadata": {"ownerReferences": [{"kind": "DaemonSet", "name": "agent", "controller": True}]}}, ("DaemonSet", "agent"), id="daemon-set"),
        pytest.param({"metadata": {"ownerReferences": [{"kind": "Gateway", "name": "waypoint"}]}}, ("", ""), id="owned-and-not-controlled"),
        pytest.param({"metadata": {"ownerReferences": None}}, ("", ""), id="a-pod-of-its-own"),
    ],
)
def test_workload_of(difference: Object, workload: tuple[str, str]) -> None:
    assert workload_of(derived(CAPTURED, difference)) == workload
