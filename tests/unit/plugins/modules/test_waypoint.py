"""What the module asks of an API server, and in which order; what is to be done is tested with the rules."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._errors import ApiError, MeshError
from ansible_collections.meshwright.ambient.plugins.module_utils._mesh.parameters import MARK, expected_mark, render_parameters
from ansible_collections.meshwright.ambient.plugins.module_utils._mesh.waypoints import WaypointRef
from ansible_collections.meshwright.ambient.plugins.module_utils._waypoint.render import render_gateway
from ansible_collections.meshwright.ambient.plugins.module_utils._waypoint.spec import OPTIONS as ITEM_OPTIONS
from ansible_collections.meshwright.ambient.plugins.module_utils._waypoint.spec import Waypoint
from ansible_collections.meshwright.ambient.plugins.modules.waypoint import OPTIONS, ensure_waypoints
from tests.unit.fake_api import Answer, FakeApi, Request, WatchAnswer, listed, refusal
from tests.unit.objects import Object, derived, named, namespace_of, recorded
from tests.unit.waypoint_cluster import applied

NAMESPACES, CONFIG_MAPS = "/api/v1/namespaces", "/api/v1/namespaces/shop/configmaps"
GATEWAYS = "/apis/gateway.networking.k8s.io/v1/namespaces/shop/gateways"
AUTOSCALERS = "/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers"
BUDGETS = "/apis/policy/v1/namespaces/shop/poddisruptionbudgets"
DEPLOYMENTS, ALL_DEPLOYMENTS = "/apis/apps/v1/namespaces/shop/deployments", "/apis/apps/v1/deployments"
SERVICES, ALL_SERVICES = "/api/v1/namespaces/shop/services", "/api/v1/services"
ACCOUNTS = "/api/v1/namespaces/shop/serviceaccounts"
MUTATING = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"
VALIDATING = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"

ITEM = {name: option.get("default") for name, option in ITEM_OPTIONS.items()} | {"namespace": "shop"}
USE = "istio.io/use-waypoint"
ISTIOD = recorded("deployment/istiod_available")
BUDGET = {"min_available": None, "max_unavailable": "1"}
OVERLAYS = {"podDisruptionBudget": {"spec": {"maxUnavailable": 1}}}
MADE = {"labels": {"gateway.istio.io/managed": "istio.io-mesh-controller", "gateway.networking.k8s.io/gateway-name": "waypoint"}}
MADE_BUDGET = {"metadata": {"name": "waypoint", "namespace": "shop", **MADE}}


def _gateway(**fields: Any) -> Object:
    return applied(None, render_gateway(Waypoint(WaypointRef("shop", "waypoint"), **fields)))


def _parameters(overlays: dict[str, Any]) -> Object:
    return applied(None, render_parameters("waypoint", "shop", overlays))


def _deployment(overlays: dict[str, Any]) -> Object:
    made = named(recorded("deployment/waypoint_available"), "waypoint", "shop")
    return derived(made, {"metadata": {"annotations": {MARK: expected_mark(overlays)}}}) if overlays else made


class Cluster:
    """Lists of objects by path, refusals by method and path, and a user who may do all else."""

    def __init__(self, lists: dict[str, list[Object]], refused: dict[str, Answer] | None = None) -> None:
        self.lists = {NAMESPACES: [namespace_of("shop")], ALL_DEPLOYMENTS: [ISTIOD], **lists}
        self.refused = refused or {}
        self.api = FakeApi(respond=self._answer)
        self.warnings: list[str] = []

    def run(self, *items: dict[str, Any], check_mode: bool = False, **params: Any) -> dict[str, Any]:
        """One task; items need only name what differs from the defaults."""
        given = {name: option.get("default") for name, option in OPTIONS.items()} | {"waypoints": [ITEM | item for item in items]} | params
        module: Any = SimpleNamespace(params=given, check_mode=check_mode, warn=self.warnings.append)
        return ensure_waypoints(module, self.api.session)

    @property
    def writes(self) -> list[str]:
        sent = [request for request in self.api.requests if request.method in ("PATCH", "DELETE", "POST") and request.path != REVIEWS]
        return [f"{request.method} {request.path}" for request in sent if not request.dry_run]

    @property
    def lists_sent(self) -> list[str]:
        return [request.path for request in self.api.requests if request.method == "GET" and "watch" not in request.query]

    def _answer(self, request: Request) -> Answer:
        if str(request) in self.refused:
            return self.refused[str(request)]
        if request.path == REVIEWS:
            return Answer(201, {"status": {"allowed": True}})
        if request.query.get("watch"):
            return WatchAnswer()
        if request.method == "GET":
            return listed(*self.lists.get(request.path, ()))
        return Answer(200, {"metadata": {}})


def test_parameters_are_there_before_the_gateway_that_names_them() -> None:
    cluster = Cluster({})
    result = cluster.run({"disruption_budget": BUDGET, "replicas": 2})
    assert cluster.writes == [f"PATCH {CONFIG_MAPS}/waypoint-parameters", f"PATCH {GATEWAYS}/waypoint"]
    assert result["waypoints"][0]["action"] == "created"
    assert cluster.warnings == []


def test_an_unchanged_run_reads_each_kind_once_and_writes_nothing() -> None:
    cluster = Cluster({GATEWAYS: [_gateway(overlays=OVERLAYS)], CONFIG_MAPS: [_parameters(OVERLAYS)], BUDGETS: [MADE_BUDGET]})
    result = cluster.run({"disruption_budget": BUDGET}, check_mode=True)
    assert not result["changed"]
    assert sorted(cluster.lists_sent) == sorted([NAMESPACES, GATEWAYS, CONFIG_MAPS, AUTOSCALERS, BUDGETS])
    assert not cluster.writes
    assert all(request.path != REVIEWS for request in cluster.api.requests)


def test_what_the_api_server_would_not_change_is_not_written() -> None:
    gateway = _gateway(allowed_from="Selector", allowed_selector={"matchLabels": {"team": "shop"}})
    routes = {"allowed_routes": {"from": "Selector", "selector": {"matchLabels": {"team": "shop"}, "matchExpressions": None}}}
    cluster = Cluster({GATEWAYS: [gateway]}, {f"PATCH {GATEWAYS}/waypoint": Answer(200, gateway)})
    result = cluster.run(routes)
    assert (result["changed"], result["diff"], result["undo"]) == (False, [], {"waypoints": []})
    assert not cluster.writes


def test_two_hundred_waypoints_are_read_in_as_many_requests_as_two() -> None:
    counts = []
    for number in (2, 200):
        names = [f"n{place:03}" for place in range(number)]
        gateways = [applied(None, render_gateway(Waypoint(WaypointRef(name, "waypoint")))) for name in names]
        cluster = Cluster({NAMESPACES: [namespace_of(name) for name in names], "/apis/gateway.networking.k8s.io/v1/gateways": gateways})
        assert not cluster.run(*({"namespace": name} for name in names))["changed"]
        counts.append(cluster.lists_sent)
    assert counts[0] == counts[1]
    assert len(counts[0]) == len(set(counts[0])) == 5


def test_what_is_left_behind_goes_once_istiod_has_rendered_without_it_and_the_config_map_goes_last() -> None:
    lists = {GATEWAYS: [_gateway(overlays=OVERLAYS)], CONFIG_MAPS: [_parameters(OVERLAYS)], BUDGETS: [MADE_BUDGET], DEPLOYMENTS: [_deployment({})]}
    cluster = Cluster(lists)
    result = cluster.run({})
    assert cluster.writes == [f"PATCH {GATEWAYS}/waypoint", f"DELETE {BUDGETS}/waypoint", f"DELETE {CONFIG_MAPS}/waypoint-parameters"]
    assert result["waypoints"][0]["removed"] == [{"kind": "PodDisruptionBudget", "name": "waypoint"}]


def test_what_the_defaults_of_the_class_ask_for_stays() -> None:
    defaults = {"metadata": {"name": "defaults", "namespace": "istio-system"}, "data": {"podDisruptionBudget": "{}"}}
    cluster = Cluster({GATEWAYS: [_gateway()], BUDGETS: [MADE_BUDGET], "/api/v1/configmaps": [defaults]})
    assert not cluster.run({})["changed"]
    assert not cluster.writes


def test_nothing_is_removed_that_istiod_would_make_anew() -> None:
    lists = {GATEWAYS: [_gateway(overlays=OVERLAYS)], CONFIG_MAPS: [_parameters(OVERLAYS)], BUDGETS: [MADE_BUDGET], DEPLOYMENTS: [_deployment(OVERLAYS)]}
    cluster = Cluster(lists)
    with pytest.raises(MeshError, match="istiod has not rendered the new parameters of shop/waypoint within 0 s"):
        cluster.run({}, wait_timeout=0)
    assert cluster.writes == [f"PATCH {GATEWAYS}/waypoint"]


def test_a_fixed_number_of_pods_is_held_until_the_autoscaler_looks() -> None:
    fixed = {"deployment": {"spec": {"replicas": 3}}}
    cluster = Cluster({GATEWAYS: [_gateway(overlays=fixed)], CONFIG_MAPS: [_parameters(fixed)]})
    held = derived(_deployment(fixed), {"spec": {"replicas": 3}})
    cluster.refused[f"GET {DEPLOYMENTS}/waypoint"] = Answer(200, held)
    cluster.run({"autoscaling": {"min_replicas": 2, "max_replicas": 5, "cpu_utilization": None, "metrics": None}})
    assert cluster.writes == [f"PATCH {DEPLOYMENTS}/waypoint", f"PATCH {CONFIG_MAPS}/waypoint-parameters"]
    (patch,) = (request for request in cluster.api.requests if str(request) == f"PATCH {DEPLOYMENTS}/waypoint" and not request.dry_run)
    assert patch.body["spec"] == {"replicas": 3}


def test_a_deleted_waypoint_goes_before_its_parameters() -> None:
    cluster = Cluster({GATEWAYS: [_gateway(overlays=OVERLAYS)], CONFIG_MAPS: [_parameters(OVERLAYS)]})
    cluster.run({"state": "absent"})
    assert cluster.writes == [f"DELETE {GATEWAYS}/waypoint", f"DELETE {CONFIG_MAPS}/waypoint-parameters"]


ENDING = {"metadata": {"deletionTimestamp": "2026-11-30T12:00:00Z", "finalizers": ["example.com/hold"]}}


@pytest.mark.parametrize(("gateway", "written"), [(_gateway(), True), (derived(_gateway(), ENDING), False)], ids=["deleted-by-this-task", "deleted-before"])
def test_a_waypoint_that_a_finalizer_holds_was_changed_if_its_deletion_was_written(gateway: Object, written: bool) -> None:
    cluster = Cluster({GATEWAYS: [gateway]})
    with pytest.raises(MeshError, match=r"Waypoints shop/waypoint still exist after 0 s .* which finalizers hold them"):
        cluster.run({"state": "absent"}, wait=True, wait_timeout=0)
    assert cluster.writes == ([f"DELETE {GATEWAYS}/waypoint"] if written else [])
    assert cluster.api.session.has_written is written


def test_nothing_is_tried_in_a_namespace_that_is_being_deleted() -> None:
    ending = derived(namespace_of("shop"), ENDING)
    cluster = Cluster({NAMESPACES: [ending]}, {f"GET {NAMESPACES}/shop": Answer(200, ending)})
    with pytest.raises(MeshError, match="is being deleted"):
        cluster.run({})
    assert [str(request) for request in cluster.api.requests if request.dry_run] == []


def test_a_waypoint_that_is_being_deleted_is_not_deleted_again() -> None:
    cluster = Cluster({GATEWAYS: [derived(_gateway(), ENDING)]})
    result = cluster.run({"state": "absent"})
    assert (result["changed"], result["waypoints"][0]["action"], result["diff"]) == (False, "unchanged", [])
    bound = Cluster({NAMESPACES: [BOUND_NAMESPACE], GATEWAYS: [derived(_gateway(), ENDING)], SERVICES: []})
    assert bound.run({"state": "absent"}, detach=True)["changed"], "its users are unbound all the same"
    assert bound.writes == [f"PATCH {NAMESPACES}/shop"]


BOUND_NAMESPACE = namespace_of("shop", **{USE: "waypoint"})
BOUND = derived(
    recorded("service/bound"),
    {
        "metadata": {"namespace": "shop"},
        "status": {"conditions": [{"type": "istio.io/WaypointBound", "status": "True", "message": "Successfully attached to waypoint shop/waypoint"}]},
    },
)


def test_a_used_waypoint_is_not_deleted() -> None:
    cluster = Cluster({NAMESPACES: [BOUND_NAMESPACE], GATEWAYS: [_gateway()], ALL_SERVICES: [BOUND]})
    with pytest.raises(MeshError, match=r"is used by Namespace shop \(with 1 Service\), whose traffic") as caught:
        cluster.run({"state": "absent"})
    assert len(caught.value.details["refusals"]) == 1
    assert not cluster.writes


def test_force_delete_asks_for_no_users() -> None:
    cluster = Cluster({NAMESPACES: [BOUND_NAMESPACE], GATEWAYS: [_gateway()]})
    cluster.run({"state": "absent"}, force_delete=True)
    assert cluster.writes == [f"DELETE {GATEWAYS}/waypoint"]
    assert ALL_SERVICES not in cluster.lists_sent


def test_nothing_is_deleted_before_the_users_have_let_go() -> None:
    cluster = Cluster({NAMESPACES: [BOUND_NAMESPACE], GATEWAYS: [_gateway()], SERVICES: [BOUND]})
    # A busy machine may not have read them within no time at all.
    with pytest.raises(MeshError, match=r"after 0 s (Service shop/details|services \(not read yet\)) still use them .*nothing was deleted"):
        cluster.run({"state": "absent"}, detach=True, wait_timeout=0)
    assert cluster.writes == [f"PATCH {NAMESPACES}/shop"]


def test_users_let_go_before_the_waypoint_goes() -> None:
    free = derived(BOUND, {"status": {"conditions": []}})
    cluster = Cluster({NAMESPACES: [BOUND_NAMESPACE], GATEWAYS: [_gateway()], SERVICES: [free]})
    result = cluster.run({"state": "absent"}, detach=True)
    assert cluster.writes == [f"PATCH {NAMESPACES}/shop", f"DELETE {GATEWAYS}/waypoint"]
    assert result["detached"] == [{"kind": "Namespace", "name": "shop", "namespace": "", "labels": {USE: "waypoint"}}]


def test_a_check_run_writes_nothing() -> None:
    cluster = Cluster({NAMESPACES: [BOUND_NAMESPACE], GATEWAYS: [_gateway()]})
    assert cluster.run({"state": "absent"}, detach=True, check_mode=True)["changed"]
    assert not cluster.writes


DRY_RUN = f"POST {BUDGETS}"


def test_what_the_api_server_would_refuse_is_refused() -> None:
    message = 'PodDisruptionBudget in version "v1" cannot be handled as a PodDisruptionBudget: strict decoding error: unknown field "spec.min"'
    cluster = Cluster({}, {DRY_RUN: refusal(400, "BadRequest", message)})
    with pytest.raises(MeshError, match=r'Waypoint shop/waypoint: the API server would reject its podDisruptionBudget .*unknown field "spec.min"'):
        cluster.run({"disruption_budget": BUDGET})
    assert not cluster.writes


POLICIES = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/need-team"
DENIED = "deployments.apps \"waypoint\" is forbidden: ValidatingAdmissionPolicy 'need-team' with binding 'b' denied request: label team is missing"
EXCEEDED = 'services "waypoint" is forbidden: exceeded quota: few, requested: services=1, used: services=1, limited: services=1'


INVALID = 'Service "meshwright-dry-run" is invalid: spec.type: Unsupported value: "Wrong"'


def test_of_waypoints_that_exist_equal_overlays_are_tried_once_and_each_is_named() -> None:
    """Under another name, because what exists has its ports; whatever the namespace, because only the fields are judged."""
    gateways = [applied(None, render_gateway(Waypoint(WaypointRef(place, "waypoint")))) for place in ("a", "b")]
    paths = [f"/api/v1/namespaces/{place}/services" for place in ("a", "b")]
    cluster = Cluster(
        {NAMESPACES: [namespace_of("a"), namespace_of("b")], GATEWAYS.replace("/namespaces/shop", ""): gateways},
        {f"POST {path}": refusal(422, "Invalid", INVALID) for path in paths},
    )
    with pytest.raises(MeshError) as failed:
        cluster.run({"namespace": "a", "service_type": "NodePort"}, {"namespace": "b", "service_type": "NodePort"})
    rejected = 'the API server would reject its service (Service is invalid: spec.type: Unsupported value: "Wrong")'
    assert all(f"Waypoint {place}/waypoint: {rejected}" in failed.value.message for place in ("a", "b"))
    (tried,) = (request for request in cluster.api.requests if request.path in paths)
    assert (tried.path, (tried.body or {})["metadata"]["name"]) == (paths[0], "meshwright-dry-run")


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(refusal(403, "Forbidden", "you may not"), id="permission"),
        pytest.param(
            refusal(422, "Invalid", "services \"meshwright-dry-run\" is forbidden: ValidatingAdmissionPolicy 'a' with binding 'b' denied request: c"),
            id="policy",
        ),
        pytest.param(refusal(403, "Forbidden", 'admission webhook "w.example.com" denied the request: no'), id="webhook"),
    ],
)
def test_who_refuses_the_other_name_may_take_the_real_one(answer: Answer) -> None:
    cluster = Cluster({GATEWAYS: [_gateway()]}, {f"POST {SERVICES}": answer})
    assert cluster.run({"service_type": "NodePort"})["changed"]
    (warning,) = cluster.warnings
    assert warning.startswith("Whether the parameters make a valid Service could not be checked: ")


def test_overlays_are_tried_on_top_of_those_that_all_waypoints_get() -> None:
    """As istiod merges them, and as those of Gateways are."""
    labels = {"gateway.istio.io/defaults-for-class": "istio-waypoint"}
    defaults = {"metadata": {"name": "defaults", "namespace": "istio-system", "labels": labels}, "data": {"service": "spec: {sessionAffinity: ClientIP}"}}
    cluster = Cluster({GATEWAYS: [_gateway()], "/api/v1/configmaps": [defaults]})
    cluster.run({"service_type": "NodePort"}, check_mode=True)
    (tried,) = (request.body or {} for request in cluster.api.requests if str(request) == f"POST {SERVICES}")
    assert (tried["spec"]["type"], tried["spec"]["sessionAffinity"]) == ("NodePort", "ClientIP")


def test_overlays_are_tried_before_their_namespace_exists() -> None:
    cluster = Cluster({NAMESPACES: []}, {"POST /api/v1/namespaces/default/services": refusal(422, "Invalid", INVALID)})
    with pytest.raises(MeshError, match="Waypoint shop/waypoint: the API server would reject its service"):
        cluster.run({"service_type": "NodePort"}, planned={"namespaces": ["shop"]}, check_mode=True)


def _policy(expression: str) -> Answer:
    return Answer(200, {"metadata": {"name": "need-team"}, "spec": {"validations": [{"expression": expression}]}})


@pytest.mark.parametrize("check_mode", [False, True])
@pytest.mark.parametrize(
    ("refused", "named"),
    [
        pytest.param(
            {f"POST {DEPLOYMENTS}": refusal(422, "Invalid", DENIED), f"GET {POLICIES}": _policy("has(object.metadata.labels.team)")},
            "would not let istiod create Deployment shop/waypoint .*satisfy admission policy need-team",
            id="policy",
        ),
        pytest.param({f"POST {SERVICES}": refusal(403, "Forbidden", EXCEEDED)}, "create Service shop/waypoint .*raise ResourceQuota few", id="quota"),
    ],
)
def test_what_istiod_may_not_create_is_refused_before_the_gateway_is_written(check_mode: bool, refused: dict[str, Answer], named: str) -> None:
    cluster = Cluster({}, refused)
    with pytest.raises(MeshError, match=named):
        cluster.run({}, check_mode=check_mode)
    assert not cluster.writes


def test_a_check_can_return_what_it_would_refuse_beside_the_plan() -> None:
    """verify.yml goes on after it, so that the readiness of everything else is reported as well."""
    cluster = Cluster({SERVICES: [named(BOUND, "waypoint")]})
    result = cluster.run({}, {"name": "other"}, check_mode=True, return_refusals=True)
    assert [item["name"] for item in result["waypoints"]] == ["waypoint", "other"]
    (refused,) = result["refusals"]
    assert "has a Service of this name" in refused
    assert "refusals" not in Cluster({}).run({}, check_mode=True, return_refusals=True)
    with pytest.raises(MeshError, match="has a Service of this name"):
        cluster.run({}, return_refusals=True)
    assert not cluster.writes


@pytest.mark.parametrize(
    "refused",
    [
        pytest.param({f"POST {DEPLOYMENTS}": refusal(422, "Invalid", DENIED), f"GET {POLICIES}": _policy("request.userInfo.username == 'a'")}, id="who-asks"),
        pytest.param(
            {f"POST {DEPLOYMENTS}": refusal(422, "Invalid", DENIED), f"GET {POLICIES}": refusal(403, "Forbidden", "no")}, id="policy-that-may-not-be-read"
        ),
        pytest.param({f"POST {DEPLOYMENTS}": refusal(403, "Forbidden", 'admission webhook "w.example.com" denied the request: no')}, id="webhook"),
    ],
)
def test_what_istiod_may_be_refused_is_a_warning(refused: dict[str, Answer]) -> None:
    cluster = Cluster({}, refused)
    assert cluster.run({})["changed"]
    (warning,) = cluster.warnings
    assert warning.startswith("Waypoint shop/waypoint: the API server does not let this user create Deployment shop/waypoint, and may refuse it to istiod")


def test_who_may_not_create_deployments_creates_waypoints() -> None:
    denied = 'deployments.apps is forbidden: User "eve" cannot create resource "deployments" in API group "apps" in the namespace "shop"'
    cluster = Cluster({}, {f"POST {path}": refusal(403, "Forbidden", denied) for path in (DEPLOYMENTS, SERVICES, ACCOUNTS)})
    assert cluster.run({})["changed"]
    assert cluster.warnings == []


def test_what_may_not_be_tried_is_a_warning() -> None:
    cluster = Cluster({}, {DRY_RUN: refusal(403, "Forbidden", "you may not")})
    assert cluster.run({"disruption_budget": BUDGET})["changed"]
    (warning,) = cluster.warnings
    assert warning.startswith("Whether the parameters make a valid PodDisruptionBudget could not be checked: ")


def test_what_differs_in_its_name_alone_is_tried_once_in_each_namespace() -> None:
    cluster = Cluster({NAMESPACES: [namespace_of("a"), namespace_of("b")]})
    cluster.run(
        {"namespace": "a", "high_availability": True}, {"namespace": "b", "high_availability": True}, {"namespace": "b", "name": "c", "high_availability": True}
    )
    tried = [str(request) for request in cluster.api.requests if request.dry_run]
    # ServiceAccount, Deployment, Service and disruption budget in each namespace, and each write, before the first.
    assert len(tried) == 2 * 4 + len(cluster.writes)


@pytest.mark.parametrize("path", [ACCOUNTS, ALL_SERVICES, MUTATING, VALIDATING])
def test_a_check_that_may_not_be_made_is_a_warning(path: str) -> None:
    cluster = Cluster({}, {f"GET {path}": refusal(403, "Forbidden", "you may not")})
    assert cluster.run({})["changed"]
    assert len(cluster.warnings) == 1
    assert cluster.warnings[0].startswith("Whether ")


def test_who_uses_no_parameters_needs_no_permission_for_autoscalers() -> None:
    refused = {f"GET {path}": refusal(403, "Forbidden", "you may not") for path in (AUTOSCALERS, BUDGETS)}
    assert Cluster({}, refused).run({})["changed"]
    with pytest.raises(ApiError, match="refused to list horizontalpodautoscalers"):
        Cluster({GATEWAYS: [_gateway(overlays=OVERLAYS)], CONFIG_MAPS: [_parameters(OVERLAYS)]}, refused).run({})


@pytest.mark.parametrize(
    ("lists", "message"),
    [
        pytest.param({SERVICES: [named(BOUND, "waypoint")]}, "has a Service of this name", id="taken"),
        pytest.param({ALL_DEPLOYMENTS: []}, "this cluster has no istiod", id="no-istiod"),
        pytest.param({NAMESPACES: []}, "namespace shop does not exist", id="no-namespace"),
    ],
)
def test_what_would_never_become_true_is_refused(lists: dict[str, list[Object]], message: str) -> None:
    cluster = Cluster(lists)
    with pytest.raises(MeshError, match=message):
        cluster.run({})
    assert not cluster.writes


def test_in_check_mode_istiod_and_namespace_may_be_planned() -> None:
    cluster = Cluster({ALL_DEPLOYMENTS: [], NAMESPACES: []})
    assert cluster.run({"replicas": 2}, check_mode=True, planned={"namespaces": ["shop"]})["changed"]


def test_a_revision_that_nobody_owns_can_be_allowed() -> None:
    cluster = Cluster({ALL_DEPLOYMENTS: []})
    assert cluster.run({"revision": "1-99"}, allow_unowned_revision=True)["changed"]
    assert MUTATING not in cluster.lists_sent


def test_keys_that_somebody_has_added_are_taken_out_first() -> None:
    config_map = derived(_parameters(OVERLAYS), {"data": {"more": "{}"}})
    cluster = Cluster({GATEWAYS: [_gateway(overlays=OVERLAYS)], CONFIG_MAPS: [config_map]})
    cluster.run({"disruption_budget": BUDGET}, force_conflicts=True)
    patches = [request.body for request in cluster.api.requests if str(request) == f"PATCH {CONFIG_MAPS}/waypoint-parameters"]
    assert patches[0] == {"data": {"more": None}}
    assert patches[1]["kind"] == "ConfigMap"
