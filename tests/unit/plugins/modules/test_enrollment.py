"""What the module asks of an API server, and in which order; what the labels mean is tested with the rules."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._errors import ApiError, MeshError
from ansible_collections.meshwright.ambient.plugins.modules.enrollment import OPTIONS, ensure_enrollment
from tests.unit.fake_api import Answer, FakeApi, Request, listed, refusal
from tests.unit.objects import Object, derived, named, namespace_of, recorded

MODE, USE = "istio.io/dataplane-mode", "istio.io/use-waypoint"
PODS, SERVICES, CONFIG_MAPS = "/api/v1/pods", "/api/v1/services", "/api/v1/configmaps"
DEPLOYMENTS, GATEWAYS = "/apis/apps/v1/deployments", "/apis/gateway.networking.k8s.io/v1/gateways"
REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"

ITEM = dict.fromkeys(
    ("name", "namespace", "label_selector", "dataplane_mode", "use_waypoint", "use_waypoint_namespace", "ingress_use_waypoint", "canary"), None
) | {"state": "present"}
CAPTURED = recorded("pod/captured")
SERVICE = recorded("service/bound")
ISTIOD = derived(recorded("deployment/istiod_available"), {"metadata": {"labels": {"app.kubernetes.io/version": "1.31.1"}}})
CART = derived(named(ISTIOD, "cart", "shop"), {"metadata": {"labels": None}, "spec": {"template": {"metadata": {"labels": None}}}})
WAYPOINT = recorded("gateway/waypoint_programmed")
BEHIND = recorded("deployment/waypoint_available")
OF_WAYPOINTS = "gateway.networking.k8s.io/gateway-name"
NEXT = derived(named(BEHIND, "next"), {"metadata": {"labels": {OF_WAYPOINTS: "next"}}})


class Cluster:
    """Lists of objects by path, and a user who may do all but what is forbidden (verb, plural, namespace)."""

    def __init__(self, lists: dict[str, list[Object]], forbidden: set[tuple[str, str]] | None = None) -> None:
        self.lists = lists
        self.forbidden = forbidden or set()
        self.api = FakeApi(respond=self._answer)
        self.warnings: list[str] = []

    def run(self, *, check_mode: bool = False, **params: Any) -> dict[str, Any]:
        """One task; items need only name what differs from the defaults."""
        given = {name: option.get("default") for name, option in OPTIONS.items()} | params
        for option in ("namespaces", "services", "workloads"):
            given[option] = [ITEM | ({"kind": "Deployment"} if option == "workloads" else {}) | item for item in given[option]]
        module: Any = SimpleNamespace(params=given, check_mode=check_mode, warn=self.warnings.append)
        return ensure_enrollment(module, self.api.session)

    def sent(self, method: str = "") -> list[str]:
        return [f"{request.path}?{request.query.get('labelSelector', '')}" for request in self.api.requests if request.method == (method or request.method)]

    def patches(self) -> list[tuple[str, Any]]:
        return [(request.path.rpartition("/")[2], request.body) for request in self.api.requests if request.method == "PATCH" and not request.dry_run]

    def _answer(self, request: Request) -> Answer:
        if request.path == REVIEWS:
            asked = request.body["spec"]["resourceAttributes"]
            return Answer(201, {"status": {"allowed": (asked["resource"], asked["namespace"]) not in self.forbidden}})
        if request.method == "PATCH":
            return Answer(200, {"metadata": {}})
        if (request.path, "list") in self.forbidden:
            return refusal(403, "Forbidden", 'configmaps is forbidden: User "ci" cannot list resource "configmaps" in API group "" at the cluster scope')
        above, _namespaces, below = request.path.partition("/namespaces/")
        namespace, _slash, plural = below.partition("/")
        items = self.lists.get(f"{above}/{plural}" if plural else request.path, [])
        if plural:
            items = [item for item in items if item["metadata"]["namespace"] == namespace]
        if request.query.get("labelSelector") == USE:
            items = [item for item in items if USE in item["metadata"]["labels"]]
        return listed(*items)


def _many(count: int, **labels: str) -> list[Object]:
    return [namespace_of(f"shop-{number:03}", team="shop", **labels) for number in range(count)]


def _names(cluster: Cluster) -> list[str]:
    return [name for name, _body in cluster.patches()]


def test_three_hundred_namespaces_are_read_once_and_written_once_each() -> None:
    cluster = Cluster({"/api/v1/namespaces": _many(300)})
    result = cluster.run(namespaces=[{"label_selector": "team=shop", "dataplane_mode": "ambient"}])
    assert result["changed"]
    assert len(_names(cluster)) == len(set(_names(cluster))) == 300
    assert sorted(cluster.sent("GET")) == [f"{CONFIG_MAPS}?operator.istio.io/component in (Cni,Pilot)", "/api/v1/namespaces?", f"{PODS}?"]
    assert len(cluster.sent("POST")) == 1


def test_an_unchanged_run_writes_nothing_and_asks_for_no_permission() -> None:
    cluster = Cluster({"/api/v1/namespaces": _many(300, **{MODE: "ambient"})})
    result = cluster.run(namespaces=[{"label_selector": "team=shop", "dataplane_mode": "ambient"}])
    assert not result["changed"]
    assert {request.method for request in cluster.api.requests} == {"GET"}
    assert len(cluster.sent()) == len(set(cluster.sent())) == 3


def test_check_mode_reports_the_same_and_writes_nothing() -> None:
    lists = {"/api/v1/namespaces": _many(2), "/api/v1/pods": [named(derived(CAPTURED, {"metadata": {"annotations": None}}), "web", "shop-000")]}
    desired = {"namespaces": [{"label_selector": "team=shop", "dataplane_mode": "ambient"}]}
    dry, real = Cluster(lists), Cluster(lists)
    assert dry.run(check_mode=True, **desired) == real.run(**desired)
    assert (len(dry.patches()), len(real.patches())) == (0, 2)


def test_a_check_can_return_what_it_would_refuse_beside_the_plan() -> None:
    """verify.yml goes on after it, so that the readiness of everything else is reported as well."""
    desired = {"namespaces": [{"name": "shop-000", "dataplane_mode": "ambient"}, {"name": "nowhere", "dataplane_mode": "ambient"}]}
    result = Cluster({"/api/v1/namespaces": _many(1)}).run(check_mode=True, return_refusals=True, **desired)
    assert ["nowhere" in refused for refused in result["refusals"]] == [True]
    assert "shop-000" in [item["name"] for item in result["objects"]]
    cluster = Cluster({"/api/v1/namespaces": _many(1)}, forbidden={("namespaces", "")})
    result = cluster.run(check_mode=True, return_refusals=True, namespaces=desired["namespaces"][:1])
    assert "does not allow this user to patch namespaces" in result["refusals"][0]
    with pytest.raises(MeshError, match="nowhere"):
        Cluster({"/api/v1/namespaces": _many(1)}).run(return_refusals=True, **desired)


def test_whatever_a_task_desires_needs_one_list_of_each_kind() -> None:
    """Selectors, Services that stay bound, an istiod's version: whatever is asked, a kind is listed once."""
    namespaces = [namespace_of("bookinfo", **{USE: "waypoint"}), namespace_of("old", **{MODE: "ambient"}), namespace_of("shop")]
    lists = {
        "/api/v1/namespaces": namespaces,
        SERVICES: [named(SERVICE, "cart", "shop"), derived(named(SERVICE, "bound", "old"), {"metadata": {"labels": {USE: "waypoint"}}})],
        DEPLOYMENTS: [ISTIOD, CART, NEXT],
        GATEWAYS: [WAYPOINT, named(WAYPOINT, "next")],
    }
    cluster = Cluster(lists)
    cluster.run(
        namespaces=[{"name": "bookinfo", "canary": {"waypoint": "next", "weight": "10"}}, {"name": "old", "state": "absent"}],
        services=[{"name": "cart", "namespace": "shop", "use_waypoint": "none"}],
        workloads=[{"name": "cart", "namespace": "shop", "dataplane_mode": "none"}],
    )
    # What is behind a new canary is asked for by its label, because of the others only the templates are kept.
    behind = [request for request in cluster.api.requests if request.query.get("labelSelector") == OF_WAYPOINTS]
    assert len(behind) == 1
    reads = [request for request in cluster.api.requests if request.method == "GET" and request not in behind]
    lists_sent = [request.path.replace("/namespaces/bookinfo", "") for request in reads]
    assert sorted(lists_sent) == sorted(["/api/v1/namespaces", SERVICES, DEPLOYMENTS, GATEWAYS, PODS])
    assert cluster.warnings == [
        (
            "Services of namespaces that leave the mesh keep their own label istio.io/use-waypoint: old/bound. They will use that waypoint again when the "
            "namespace returns; to remove the label, list them in services with state absent."
        )
    ]


def test_only_bound_services_are_read_where_a_namespace_leaves() -> None:
    cluster = Cluster({"/api/v1/namespaces": [namespace_of("shop", **{MODE: "ambient"})]})
    cluster.run(namespaces=[{"name": "shop", "state": "absent"}])
    assert "/api/v1/namespaces/shop/services?istio.io/use-waypoint" in cluster.sent("GET")
    assert cluster.warnings == []


@pytest.mark.requirement("G11")
def test_all_is_unbound_before_anything_leaves_and_joins_last() -> None:
    namespaces = [namespace_of("a", **{MODE: "ambient", USE: "waypoint"}), namespace_of("b", **{MODE: "ambient", USE: "waypoint"}), namespace_of("c")]
    cluster = Cluster({"/api/v1/namespaces": namespaces})
    cluster.run(namespaces=[{"name": "c", "dataplane_mode": "ambient"}, {"name": "a", "state": "absent"}, {"name": "b", "state": "absent"}])
    patches = [(name, body["metadata"]["labels"]) for name, body in cluster.patches()]
    assert sorted(patches[:2]) == [("a", {USE: None}), ("b", {USE: None})]
    assert sorted(patches[2:4]) == [("a", {MODE: None}), ("b", {MODE: None})]
    assert patches[4:] == [("c", {MODE: "ambient"})]


@pytest.mark.parametrize(
    ("forbidden", "questions"),
    [
        pytest.param(set(), [""], id="everywhere"),
        pytest.param({("services", "")}, ["", "a", "b"], id="in-each-of-them"),
    ],
)
def test_permissions_in_many_namespaces_are_one_question_where_that_is_enough(forbidden: set[tuple[str, str]], questions: list[str]) -> None:
    services = [named(SERVICE, "cart", place) for place in ("a", "b")]
    cluster = Cluster({"/api/v1/namespaces": [namespace_of("a"), namespace_of("b")], SERVICES: services}, forbidden)
    cluster.run(services=[{"name": "cart", "namespace": place, "use_waypoint": "none"} for place in ("a", "b")])
    asked = [request.body["spec"]["resourceAttributes"]["namespace"] for request in cluster.api.requests if request.path == REVIEWS]
    assert asked == questions


def test_a_permission_that_is_missing_stops_everything() -> None:
    services = [named(SERVICE, "cart", place) for place in ("a", "b")]
    cluster = Cluster({"/api/v1/namespaces": [namespace_of("a"), namespace_of("b")], SERVICES: services}, {("services", ""), ("services", "b")})
    with pytest.raises(MeshError) as caught:
        cluster.run(services=[{"name": "cart", "namespace": place, "use_waypoint": "none"} for place in ("a", "b")])
    assert "does not allow this user to patch services in namespace b" in caught.value.message
    assert "namespace a" not in caught.value.message
    assert cluster.patches() == []


def test_all_refusals_are_reported_at_once() -> None:
    cluster = Cluster({"/api/v1/namespaces": [namespace_of("shop")], GATEWAYS: []})
    with pytest.raises(MeshError) as caught:
        cluster.run(
            namespaces=[{"name": "shop", "use_waypoint": "nowhere"}, {"label_selector": "team=a"}, {"name": "shop"}],
            services=[{"name": "cart", "namespace": "shop", "use_waypoint": "none"}],
        )
    refusals = caught.value.details["refusals"]
    assert [sentence.partition(":")[0] for sentence in refusals] == [
        "namespaces[1]",
        "Namespace shop is selected by namespaces[0], namespaces[2]",
        "Namespace shop",
        "Service shop/cart does not exist",
    ]
    assert caught.value.message.endswith("Nothing was changed on cluster prod (https://api.example.org).")


def test_validation_errors_are_reported_without_a_request() -> None:
    cluster = Cluster({})
    with pytest.raises(MeshError) as caught:
        cluster.run(namespaces=[{"label_selector": "team in a"}], services=[{"name": "a", "namespace": "b", "canary": {"waypoint": "w", "weight": "200"}}])
    assert len(caught.value.details["refusals"]) == 2
    assert cluster.api.requests == []


def test_who_is_not_allowed_to_read_istios_settings_gets_an_error() -> None:
    desired = {"namespaces": [{"name": "shop", "dataplane_mode": "ambient"}]}
    lists = {"/api/v1/namespaces": [namespace_of("shop")]}
    with pytest.raises(ApiError, match="grant this permission"):
        Cluster(lists, {(CONFIG_MAPS, "list")}).run(**desired)
    # Who has overruled all that they could say need not read them.
    cluster = Cluster(lists, {(CONFIG_MAPS, "list")})
    assert cluster.run(**desired, allow_excluded_namespaces=True, allow_hidden_namespaces=True)["changed"]


def test_what_others_have_set_is_one_warning() -> None:
    fields = {"manager": "kubectl-label", "operation": "Update", "fieldsV1": {"f:metadata": {"f:labels": {f"f:{MODE}": {}}}}}
    namespaces = [derived(item, {"metadata": {"managedFields": [fields]}}) for item in _many(12, **{MODE: "none"})]
    cluster = Cluster({"/api/v1/namespaces": namespaces})
    result = cluster.run(namespaces=[{"label_selector": "team=shop", "dataplane_mode": "ambient"}])
    assert {tuple(item["taken_over"].items()) for item in result["objects"]} == {((MODE, "kubectl-label"),)}
    (warning,) = cluster.warnings
    assert warning.startswith("Labels that others had set are changed: Namespace shop-000 (istio.io/dataplane-mode, set by kubectl-label), ")
    assert warning.endswith("and 2 more. Change them at their source as well, or they may be reverted.")


def test_pods_are_reported_where_the_task_decides_the_mode() -> None:
    owner = {"kind": "ReplicaSet", "name": "cart-1", "controller": True}
    owned = derived(CAPTURED, {"metadata": {"ownerReferences": [owner], "labels": {"pod-template-hash": "1"}}})
    unmarked = derived(owned, {"metadata": {"annotations": None}})
    lists = {
        "/api/v1/namespaces": [namespace_of("shop"), namespace_of("bank", **{MODE: "ambient"})],
        DEPLOYMENTS: [named(CART, "cart", "bank")],
        GATEWAYS: [WAYPOINT],
        PODS: [named(unmarked, "one", "shop"), named(owned, "two", "bank"), named(CAPTURED, "three", "bank"), named(CAPTURED, "four", "elsewhere")],
    }
    result = Cluster(lists).run(
        check_mode=True,
        namespaces=[{"name": "shop", "dataplane_mode": "ambient"}, {"name": "bank", "ingress_use_waypoint": "true"}],
        workloads=[{"name": "cart", "namespace": "bank", "dataplane_mode": "none"}],
    )
    shop, bank, cart = result["objects"]
    assert [pod["name"] for pod in shop["pods"]["pending"]] == ["one"]
    assert "pods" not in bank
    assert [(pod["name"], pod["reason"]) for pod in cart["pods"]["leaving"]] == [("two", "ToBeReplaced")]
    assert cart["pods"]["captured"] == []


def test_without_a_decision_on_capture_no_pods_and_no_settings_are_read() -> None:
    cluster = Cluster({"/api/v1/namespaces": [namespace_of("bookinfo")], GATEWAYS: [WAYPOINT], DEPLOYMENTS: [BEHIND]})
    cluster.run(namespaces=[{"name": "bookinfo", "use_waypoint": "waypoint"}])
    assert cluster.sent("GET") == [
        "/api/v1/namespaces?",
        "/apis/gateway.networking.k8s.io/v1/namespaces/bookinfo/gateways?",
        f"/apis/apps/v1/namespaces/bookinfo/deployments?{OF_WAYPOINTS}",
    ]


@pytest.mark.requirement("G4")
def test_enrolling_writes_one_label_and_makes_no_waypoint() -> None:
    cluster = Cluster({"/api/v1/namespaces": [namespace_of("bookinfo")]})
    cluster.run(namespaces=[{"name": "bookinfo", "dataplane_mode": "ambient"}])
    written = [request for request in cluster.api.requests if request.method != "GET" and request.path != REVIEWS]
    assert {(request.method, request.path) for request in written} == {("PATCH", "/api/v1/namespaces/bookinfo")}
    assert cluster.patches() == [("bookinfo", {"metadata": {"labels": {MODE: "ambient"}}})]


@pytest.mark.requirement("H10")
def test_a_waypoint_of_another_namespace_is_named_with_its_namespace_and_both_go_together() -> None:
    open_to_all = {"spec": {"listeners": [{"name": "mesh", "port": 15008, "protocol": "HBONE", "allowedRoutes": {"namespaces": {"from": "All"}}}]}}
    shared = derived(named(WAYPOINT, "shared", "infra"), open_to_all)
    behind = derived(named(BEHIND, "shared", "infra"), {"metadata": {"labels": {OF_WAYPOINTS: "shared"}}})
    both = {USE: "shared", f"{USE}-namespace": "infra"}
    lists = {"/api/v1/namespaces": [namespace_of("bookinfo"), namespace_of("infra")], GATEWAYS: [shared], DEPLOYMENTS: [behind]}
    joining = Cluster(lists)
    joining.run(
        namespaces=[
            {"name": "bookinfo", "dataplane_mode": "ambient", "use_waypoint": "shared", "use_waypoint_namespace": "infra"},
            {"name": "infra", "dataplane_mode": "ambient"},
        ]
    )
    assert sorted(joining.patches()) == [
        ("bookinfo", {"metadata": {"labels": {MODE: "ambient", **both}}}),
        ("infra", {"metadata": {"labels": {MODE: "ambient"}}}),
    ]
    leaving = Cluster({**lists, "/api/v1/namespaces": [namespace_of("bookinfo", **{MODE: "ambient"}, **both), namespace_of("infra")]})
    leaving.run(namespaces=[{"name": "bookinfo", "use_waypoint": ""}])
    assert leaving.patches() == [("bookinfo", {"metadata": {"labels": dict.fromkeys(both)}})], "one of the two labels was left, or went alone"


WITHOUT_PODS = derived(BEHIND, {"status": {"availableReplicas": None}})


@pytest.mark.requirement("H4")
@pytest.mark.parametrize("option", ["use_waypoint", "canary"])
def test_nothing_is_bound_to_a_programmed_waypoint_without_a_ready_pod(option: str) -> None:
    bound = named(WAYPOINT, "current")
    lists = {"/api/v1/namespaces": [namespace_of("bookinfo", **{USE: "current"})], GATEWAYS: [WAYPOINT, bound], DEPLOYMENTS: [WITHOUT_PODS, ISTIOD]}
    item = {"name": "bookinfo", option: {"waypoint": "waypoint", "weight": "10"} if option == "canary" else "waypoint"}
    cluster = Cluster(lists)
    with pytest.raises(MeshError) as refused:
        cluster.run(namespaces=[item])
    role = "canary" if option == "canary" else "waypoint"
    assert f"Namespace bookinfo: {role} bookinfo/waypoint is programmed, but has no ready pod, so requests through it would fail" in refused.value.message
    assert cluster.patches() == []
    allowed = Cluster(lists)
    assert allowed.run(namespaces=[item], allow_unsafe_binding=True)["changed"]
    assert not [request for request in allowed.api.requests if request.query.get("labelSelector") == OF_WAYPOINTS], "what does not matter is not read"
    ready = Cluster({**lists, DEPLOYMENTS: [BEHIND, ISTIOD]})
    assert ready.run(namespaces=[item])["changed"]


def test_what_is_bound_already_costs_no_question_about_its_waypoint() -> None:
    cluster = Cluster({"/api/v1/namespaces": [namespace_of("bookinfo", **{USE: "waypoint"})], GATEWAYS: [WAYPOINT], DEPLOYMENTS: [WITHOUT_PODS]})
    assert not cluster.run(namespaces=[{"name": "bookinfo", "use_waypoint": "waypoint"}])["changed"]
    assert not [request for request in cluster.api.requests if "deployments" in request.path]


def test_who_may_not_read_deployments_may_bind_all_the_same() -> None:
    path = "/apis/apps/v1/namespaces/bookinfo/deployments"
    lists = {"/api/v1/namespaces": [namespace_of("bookinfo")], GATEWAYS: [WAYPOINT], DEPLOYMENTS: [WITHOUT_PODS]}
    assert Cluster(lists, {(path, "list")}).run(namespaces=[{"name": "bookinfo", "use_waypoint": "waypoint"}])["changed"]


def test_what_is_behind_a_gateway_with_an_address_of_its_own_is_not_judged() -> None:
    foreign = derived(WAYPOINT, {"spec": {"addresses": [{"type": "Hostname", "value": "waypoint.elsewhere.svc"}]}})
    cluster = Cluster({"/api/v1/namespaces": [namespace_of("bookinfo")], GATEWAYS: [foreign], DEPLOYMENTS: []})
    assert cluster.run(namespaces=[{"name": "bookinfo", "use_waypoint": "waypoint"}])["changed"]


def test_a_weight_is_written_as_an_annotation() -> None:
    namespaces = [namespace_of("bookinfo", **{USE: "waypoint"})]
    cluster = Cluster({"/api/v1/namespaces": namespaces, DEPLOYMENTS: [ISTIOD, NEXT], GATEWAYS: [WAYPOINT, named(WAYPOINT, "next")]})
    result = cluster.run(namespaces=[{"name": "bookinfo", "canary": {"waypoint": "next", "waypoint_namespace": None, "weight": "10"}}])
    body = {"metadata": {"labels": {"istio.io/use-waypoint-canary": "next"}, "annotations": {"istio.io/use-waypoint-canary-weight": "10"}}}
    assert cluster.patches() == [("bookinfo", body)]
    assert f"{DEPLOYMENTS}?app=istiod" in cluster.sent("GET")
    assert result["undo"]["namespaces"] == [{"name": "bookinfo", "canary": {"waypoint": "", "weight": ""}}]


def test_what_an_earlier_task_of_a_check_run_would_make_is_there() -> None:
    cluster = Cluster({"/api/v1/namespaces": []})
    result = cluster.run(
        check_mode=True,
        namespaces=[{"name": "new", "dataplane_mode": "ambient", "use_waypoint": "waypoint"}],
        planned={"namespaces": ["new"], "waypoints": [{"namespace": "new"}]},
    )
    (reported,) = result["objects"]
    assert (reported["before"], reported["after"]) == ({}, {MODE: "ambient", USE: "waypoint"})
    assert "pods" not in reported


@pytest.mark.parametrize("check_mode", [False, True])
def test_nothing_is_enrolled_in_a_namespace_that_is_being_deleted(check_mode: bool) -> None:
    going = derived(namespace_of("shop"), {"metadata": {"deletionTimestamp": "2026-11-20T23:14:46Z"}})
    cluster = Cluster({"/api/v1/namespaces": [going], "/api/v1/namespaces/shop": [going]})
    cluster.api.transport._next = lambda request: Answer(200, going) if request.path == "/api/v1/namespaces/shop" else cluster._answer(request)
    with pytest.raises(MeshError, match=r"Namespace shop .* is being deleted since 2026-11-20T23:14:46Z and takes nothing new") as refused:
        cluster.run(check_mode=check_mode, namespaces=[{"name": "shop", "dataplane_mode": "ambient", "use_waypoint": "missing"}])
    assert refused.value.message.lower().count("nothing was changed") == 1
    assert not cluster.patches()
    leaving = derived(going, {"metadata": {"labels": {MODE: "ambient"}}})
    cluster.lists["/api/v1/namespaces"] = [leaving]
    assert cluster.run(check_mode=check_mode, namespaces=[{"name": "shop", "state": "absent"}])["changed"]
