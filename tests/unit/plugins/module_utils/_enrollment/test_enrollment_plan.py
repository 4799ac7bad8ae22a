from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._enrollment.plan import (
    CurrentObjects,
    LabelChange,
    managed_of,
    metadata_patch,
    plan_enrollment,
    trim_labelled,
)
from ansible_collections.meshwright.ambient.plugins.module_utils._enrollment.spec import DesiredLabels
from ansible_collections.meshwright.ambient.plugins.module_utils._mesh.waypoints import WaypointRef
from tests.unit.objects import Object, derived, named, namespace_of, recorded

MODE, USE, USE_NAMESPACE = "istio.io/dataplane-mode", "istio.io/use-waypoint", "istio.io/use-waypoint-namespace"
INGRESS, CANARY, CANARY_NAMESPACE = "istio.io/ingress-use-waypoint", "istio.io/use-waypoint-canary", "istio.io/use-waypoint-canary-namespace"
WEIGHT = "istio.io/use-waypoint-canary-weight"
REF = WaypointRef("bookinfo", "waypoint")
SHARED = WaypointRef("infra", "shared")
PROGRAMMED = recorded("gateway/waypoint_programmed")
SERVICE = recorded("service/bound")
DEPLOYMENT = derived(
    named(recorded("deployment/istiod_available"), "details-v1", "bookinfo"),
    {"spec": {"template": {"metadata": {"labels": {MODE: None}}}}},
)
WAYPOINT_FOR_ALL = derived(
    named(PROGRAMMED, "shared", "infra"),
    {"spec": {"listeners": [{"name": "mesh", "port": 15008, "protocol": "HBONE", "allowedRoutes": {"namespaces": {"from": "All"}}}]}},
)


def _labelled(item: Object, labels: dict[str, str]) -> Object:
    """The object with these labels, the weight of a canary among its annotations."""
    weight = {WEIGHT: labels[WEIGHT]} if WEIGHT in labels else {}
    return derived(item, {"metadata": {"labels": {name: value for name, value in labels.items() if name != WEIGHT}, "annotations": weight}})


def _current(labels: dict[str, str] | None = None, **others: Any) -> CurrentObjects:
    """One namespace with these labels, one Service and one Deployment in it, and two waypoints."""
    default: dict[str, Any] = {
        "namespaces": {"bookinfo": _labelled(namespace_of("bookinfo"), labels or {})},
        "objects": {("Service", "bookinfo", "details"): SERVICE, ("Deployment", "bookinfo", "details-v1"): DEPLOYMENT},
        "waypoints": {REF: PROGRAMMED, SHARED: WAYPOINT_FOR_ALL},
    }
    return CurrentObjects(**(default | others))


@pytest.mark.parametrize(
    ("desired", "labels", "patch"),
    [
        pytest.param(DesiredLabels("Namespace", "bookinfo", dataplane_mode="ambient"), {}, {MODE: "ambient"}, id="enroll"),
        pytest.param(DesiredLabels("Namespace", "bookinfo", dataplane_mode="ambient"), {MODE: "ambient"}, {}, id="enrolled-already"),
        pytest.param(DesiredLabels("Namespace", "bookinfo", dataplane_mode=""), {MODE: "ambient"}, {MODE: None}, id="leave"),
        pytest.param(DesiredLabels("Namespace", "bookinfo", dataplane_mode=""), {}, {}, id="left-already"),
        pytest.param(DesiredLabels("Namespace", "bookinfo", dataplane_mode="none"), {MODE: "ambient"}, {MODE: "none"}, id="opt-out-of-the-mesh"),
        pytest.param(DesiredLabels("Namespace", "bookinfo"), {MODE: "ambient", USE: "waypoint"}, {}, id="nothing-desired-nothing-touched"),
        pytest.param(DesiredLabels("Namespace", "bookinfo", waypoint="waypoint"), {MODE: "ambient"}, {USE: "waypoint"}, id="bind"),
        pytest.param(DesiredLabels("Namespace", "bookinfo", waypoint=""), {MODE: "ambient", USE: "waypoint"}, {USE: None}, id="unbind-and-stay-enrolled"),
        pytest.param(DesiredLabels("Namespace", "bookinfo", waypoint="none"), {USE: "waypoint"}, {USE: "none"}, id="opt-out-of-waypoints"),
        pytest.param(
            DesiredLabels("Namespace", "bookinfo", waypoint="shared", waypoint_namespace="infra"),
            {},
            {USE: "shared", USE_NAMESPACE: "infra"},
            id="bind-elsewhere",
        ),
        pytest.param(
            DesiredLabels("Namespace", "bookinfo", waypoint=""),
            {USE: "shared", USE_NAMESPACE: "infra"},
            {USE: None, USE_NAMESPACE: None},
            id="unbind-from-elsewhere",
        ),
        pytest.param(
            DesiredLabels("Namespace", "bookinfo", waypoint="waypoint"),
            {USE: "shared", USE_NAMESPACE: "infra"},
            {USE: "waypoint", USE_NAMESPACE: None},
            id="come-home",
        ),
        pytest.param(
            DesiredLabels("Namespace", "bookinfo", waypoint="none"),
            {USE: "shared", USE_NAMESPACE: "infra"},
            {USE: "none", USE_NAMESPACE: None},
            id="opt-out-from-elsewhere",
        ),
        pytest.param(
            DesiredLabels("Namespace", "bookinfo", waypoint="waypoint", waypoint_namespace="bookinfo"), {}, {USE: "waypoint"}, id="own-namespace-goes-unsaid"
        ),
        pytest.param(DesiredLabels("Namespace", "bookinfo", ingress="true"), {}, {INGRESS: "true"}, id="ingress-through-the-waypoint"),
        pytest.param(DesiredLabels("Namespace", "bookinfo", ingress="false"), {INGRESS: "true"}, {INGRESS: "false"}, id="ingress-past-the-waypoint"),
        pytest.param(DesiredLabels("Namespace", "bookinfo", ingress=""), {INGRESS: "true"}, {INGRESS: None}, id="ingress-label-away"),
        pytest.param(DesiredLabels("Namespace", "bookinfo", canary="next", weight="10"), {}, {CANARY: "next", WEIGHT: "10"}, id="canary"),
        pytest.param(
            DesiredLabels("Namespace", "bookinfo", canary="next", canary_namespace="infra"),
            {},
            {CANARY: "next", CANARY_NAMESPACE: "infra"},
            id="canary-elsewhere",
        ),
        pytest.param(
            DesiredLabels("Namespace", "bookinfo", canary="next", canary_namespace="bookinfo"), {}, {CANARY: "next"}, id="own-namespace-of-a-canary-goes-unsaid"
        ),
        pytest.param(DesiredLabels("Namespace", "bookinfo", weight="20"), {CANARY: "next", WEIGHT: "10"}, {WEIGHT: "20"}, id="canary-gets-more"),
        pytest.param(DesiredLabels("Namespace", "bookinfo", weight=""), {CANARY: "next", WEIGHT: "10"}, {WEIGHT: None}, id="canary-weight-away"),
        pytest.param(
            DesiredLabels("Namespace", "bookinfo", canary=""),
            {CANARY: "next", CANARY_NAMESPACE: "infra", WEIGHT: "10"},
            {CANARY: None, CANARY_NAMESPACE: None, WEIGHT: None},
            id="canary-away",
        ),
        pytest.param(
            DesiredLabels("Namespace", "bookinfo", waypoint="next", canary=""),
            {USE: "waypoint", CANARY: "next", WEIGHT: "100"},
            {USE: "next", CANARY: None, WEIGHT: None},
            id="canary-promoted",
        ),
        pytest.param(DesiredLabels("Service", "details", "bookinfo", waypoint="waypoint"), {}, {USE: "waypoint"}, id="service"),
        pytest.param(DesiredLabels("Deployment", "details-v1", "bookinfo", dataplane_mode="none"), {}, {MODE: "none"}, id="pod-template-out"),
    ],
)
def test_plan_writes_only_what_differs(desired: DesiredLabels, labels: dict[str, str], patch: dict[str, str | None]) -> None:
    (change,) = plan_enrollment([desired], _current(labels))
    assert change.patch == patch
    assert change.changed is bool(patch)


def test_before_and_after_show_managed_labels_only() -> None:
    (change,) = plan_enrollment([DesiredLabels("Namespace", "bookinfo", waypoint="waypoint")], _current({MODE: "ambient", "team": "shop"}))
    assert change.before == {MODE: "ambient"}
    assert change.after == {MODE: "ambient", USE: "waypoint"}


def test_a_workloads_labels_are_those_of_its_pod_template() -> None:
    deployment = derived(DEPLOYMENT, {"metadata": {"labels": {MODE: "none"}}, "spec": {"template": {"metadata": {"labels": {MODE: "ambient"}}}}})
    (change,) = plan_enrollment(
        [DesiredLabels("Deployment", "details-v1", "bookinfo", dataplane_mode="")], _current(objects={("Deployment", "bookinfo", "details-v1"): deployment})
    )
    assert (change.before, change.patch) == ({MODE: "ambient"}, {MODE: None})


@pytest.mark.parametrize("template", [{}, {"metadata": {}}, {"metadata": {"labels": None}}], ids=["empty", "no-labels", "null-labels"])
def test_a_pod_template_may_have_no_labels(template: Object) -> None:
    deployment = derived(DEPLOYMENT, {"spec": {"template": None}})
    deployment["spec"]["template"] = template
    (change,) = plan_enrollment(
        [DesiredLabels("Deployment", "details-v1", "bookinfo", dataplane_mode="none")],
        _current(objects={("Deployment", "bookinfo", "details-v1"): deployment}),
    )
    assert change.patch == {MODE: "none"}


def test_what_is_only_planned_counts_as_unlabelled() -> None:
    desired = [DesiredLabels("Namespace", "shop", dataplane_mode="ambient"), DesiredLabels("Service", "cart", "shop", waypoint="")]
    changes = plan_enrollment(desired, _current(planned_namespaces=frozenset({"shop"})))
    assert [change.patch for change in changes] == [{MODE: "ambient"}, {}]


# The order of the writes.

OFF, OUT, ON = range(3)


@pytest.mark.requirement("G11")
@pytest.mark.parametrize(
    ("desired", "labels", "phases"),
    [
        pytest.param(
            DesiredLabels("Namespace", "bookinfo", dataplane_mode="ambient", waypoint="waypoint"), {}, {ON: {MODE: "ambient", USE: "waypoint"}}, id="join"
        ),
        pytest.param(
            DesiredLabels("Namespace", "bookinfo", dataplane_mode="", waypoint="", ingress="", canary=""),
            {MODE: "ambient", USE: "waypoint", INGRESS: "true", CANARY: "next", WEIGHT: "10"},
            {OFF: {USE: None, INGRESS: None, CANARY: None, WEIGHT: None}, OUT: {MODE: None}},
            id="unbound-before-it-leaves",
        ),
        pytest.param(DesiredLabels("Namespace", "bookinfo", dataplane_mode="none"), {MODE: "ambient"}, {OUT: {MODE: "none"}}, id="out-by-none"),
        pytest.param(DesiredLabels("Namespace", "bookinfo", waypoint="none"), {USE: "waypoint"}, {OFF: {USE: "none"}}, id="unbound-by-none"),
        pytest.param(
            DesiredLabels("Namespace", "bookinfo", waypoint="waypoint"),
            {USE: "shared", USE_NAMESPACE: "infra"},
            {ON: {USE: "waypoint", USE_NAMESPACE: None}},
            id="a-waypoints-name-and-namespace-are-never-parted",
        ),
        pytest.param(
            DesiredLabels("Namespace", "bookinfo", waypoint="next", canary=""),
            {USE: "waypoint", CANARY: "next", WEIGHT: "100"},
            {ON: {USE: "next", CANARY: None, WEIGHT: None}},
            id="a-promoted-canary-goes-at-once",
        ),
        pytest.param(
            DesiredLabels("Namespace", "bookinfo", ingress="true", canary=""),
            {USE: "waypoint", CANARY: "next"},
            {OFF: {CANARY: None}, ON: {INGRESS: "true"}},
            id="off-before-on",
        ),
        pytest.param(DesiredLabels("Namespace", "bookinfo", ingress="false"), {INGRESS: "true"}, {OFF: {INGRESS: "false"}}, id="ingress-off"),
        pytest.param(
            DesiredLabels("Namespace", "bookinfo", dataplane_mode="", waypoint="waypoint"),
            {MODE: "ambient"},
            {OUT: {MODE: None}, ON: {USE: "waypoint"}},
            id="leaves-and-is-bound",
        ),
        pytest.param(DesiredLabels("Service", "details", "bookinfo", waypoint="none"), {}, {OFF: {USE: "none"}}, id="service-opts-out"),
    ],
)
def test_what_leaves_goes_first(desired: DesiredLabels, labels: dict[str, str], phases: dict[int, dict[str, str | None]]) -> None:
    (change,) = plan_enrollment([desired], _current(labels))
    assert {number: patch for number, patch in enumerate(change.phases()) if patch} == phases


@pytest.mark.parametrize(
    ("desired", "labels", "phase"),
    [
        pytest.param(
            DesiredLabels("Deployment", "details-v1", "bookinfo", dataplane_mode="", waypoint=""), {MODE: "ambient", USE: "waypoint"}, OUT, id="leaves"
        ),
        pytest.param(DesiredLabels("Deployment", "details-v1", "bookinfo", waypoint=""), {USE: "waypoint"}, OFF, id="is-unbound"),
        pytest.param(DesiredLabels("Deployment", "details-v1", "bookinfo", dataplane_mode="ambient", waypoint=""), {USE: "waypoint"}, ON, id="joins"),
        pytest.param(DesiredLabels("Deployment", "details-v1", "bookinfo", dataplane_mode="none", waypoint="waypoint"), {}, ON, id="is-bound"),
    ],
)
def test_a_workload_is_written_once_because_each_patch_replaces_its_pods(desired: DesiredLabels, labels: dict[str, str], phase: int) -> None:
    deployment = derived(DEPLOYMENT, {"spec": {"template": {"metadata": {"labels": labels}}}})
    (change,) = plan_enrollment([desired], _current(objects={("Deployment", "bookinfo", "details-v1"): deployment}))
    assert [number for number, patch in enumerate(change.phases()) if patch] == [phase]
    assert change.phases()[phase] == change.patch


def test_a_weight_is_an_annotation_and_all_else_are_labels() -> None:
    assert metadata_patch({USE: None, WEIGHT: "10"}) == {"labels": {USE: None}, "annotations": {WEIGHT: "10"}}
    assert metadata_patch({USE: None}) == {"labels": {USE: None}}


def test_an_annotation_of_pods_is_nothing_of_ours() -> None:
    deployment = derived(DEPLOYMENT, {"spec": {"template": {"metadata": {"annotations": {WEIGHT: "10"}, "labels": {USE: "waypoint"}}}}})
    assert managed_of("Deployment", deployment) == {USE: "waypoint"}


# Who else has set a label.

ARGO = {"manager": "argocd-controller", "operation": "Apply", "fieldsV1": {"f:metadata": {"f:labels": {f"f:{MODE}": {}}}}}
KUBECTL = {"manager": "kubectl-label", "operation": "Update", "fieldsV1": {"f:metadata": {"f:labels": {f"f:{MODE}": {}, f"f:{USE}": {}}}}}
OURS = {"manager": "meshwright", "operation": "Update", "fieldsV1": {"f:metadata": {"f:labels": {f"f:{MODE}": {}}}}}


@pytest.mark.parametrize(
    ("managers", "desired", "taken_over"),
    [
        pytest.param([KUBECTL], DesiredLabels("Namespace", "bookinfo", dataplane_mode="none"), {MODE: "kubectl-label"}, id="changed"),
        pytest.param([KUBECTL], DesiredLabels("Namespace", "bookinfo", dataplane_mode="ambient"), {}, id="as-desired-already"),
        pytest.param([KUBECTL], DesiredLabels("Namespace", "bookinfo", waypoint="waypoint"), {USE: "kubectl-label"}, id="another-label"),
        pytest.param([KUBECTL], DesiredLabels("Namespace", "bookinfo", ingress="true"), {}, id="nobodys-label"),
        pytest.param([OURS], DesiredLabels("Namespace", "bookinfo", dataplane_mode=""), {}, id="our-own"),
        pytest.param([OURS, KUBECTL], DesiredLabels("Namespace", "bookinfo", dataplane_mode=""), {MODE: "kubectl-label"}, id="shared-with-us"),
        pytest.param([KUBECTL, ARGO], DesiredLabels("Namespace", "bookinfo", dataplane_mode=""), {MODE: "argocd-controller"}, id="who-applies-is-told-first"),
    ],
)
def test_what_others_have_set_is_reported_where_it_changes(managers: list[Object], desired: DesiredLabels, taken_over: dict[str, str]) -> None:
    namespace = derived(namespace_of("bookinfo", **{MODE: "ambient"}), {"metadata": {"managedFields": managers}})
    (change,) = plan_enrollment([desired], _current(namespaces={"bookinfo": namespace}))
    assert change.taken_over == taken_over


def test_a_workloads_owner_is_that_of_its_template() -> None:
    fields = {"f:spec": {"f:template": {"f:metadata": {"f:labels": {f"f:{MODE}": {}}}}}}
    difference = {"metadata": {"managedFields": [{"manager": "helm", "operation": "Update", "fieldsV1": fields}, KUBECTL]}}
    deployment = derived(derived(DEPLOYMENT, difference), {"spec": {"template": {"metadata": {"labels": {MODE: "ambient"}}}}})
    desired = DesiredLabels("Deployment", "details-v1", "bookinfo", dataplane_mode="none")
    (change,) = plan_enrollment([desired], _current(objects={("Deployment", "bookinfo", "details-v1"): deployment}))
    assert change.taken_over == {MODE: "helm"}


@pytest.mark.parametrize("kind", ["Namespace", "Service", "Deployment"])
def test_what_is_trimmed_is_never_missed(kind: str) -> None:
    """The same plan comes out of whole objects and of trimmed ones."""
    labels, fields = {MODE: "ambient", USE: "waypoint", "team": "shop"}, {"f:metadata": {"f:labels": {f"f:{MODE}": {}, "f:team": {}}}}
    item: Object = {"kind": kind, "metadata": {"name": "cart", "namespace": "shop", "uid": "1", "annotations": {WEIGHT: "5", "note": "long"}}}
    if kind == "Deployment":
        item["spec"] = {"replicas": 1, "template": {"metadata": {"labels": labels}, "spec": {"containers": []}}}
        fields = {"f:spec": {"f:template": fields}}
    else:
        item["metadata"]["labels"] = labels
    item["metadata"]["managedFields"] = [{"manager": "helm", "operation": "Apply", "fieldsV1": fields, "time": "now"}]
    desired = DesiredLabels(kind, "cart", None if kind == "Namespace" else "shop", dataplane_mode="", waypoint="")
    whole, trimmed = (
        plan_enrollment([desired], CurrentObjects({"cart": each, "shop": namespace_of("shop")}, {(kind, "shop", "cart"): each}))
        for each in (item, trim_labelled(item))
    )
    assert whole == trimmed
    assert whole[0].taken_over == {MODE: "helm"}
    assert len(str(trim_labelled(item))) < len(str(item))


def test_leaving_is_a_change_of_the_objects_own_word() -> None:
    desired = DesiredLabels("Namespace", "shop")
    assert LabelChange(desired, {MODE: "ambient"}, {}).leaves
    assert LabelChange(desired, {MODE: "ambient"}, {MODE: "none"}).leaves
    assert not LabelChange(desired, {MODE: "ambient"}, {MODE: "ambient"}).leaves
    assert not LabelChange(desired, {}, {MODE: "none"}).leaves
