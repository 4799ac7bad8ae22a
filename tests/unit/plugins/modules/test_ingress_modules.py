"""What the modules of ingress ask of an API server: each kind once, and nothing written before all is known; what they decide is tested with the rules."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.meshwright.ambient.plugins.module_utils._alb.spec import ALB, parse_alb
from ansible_collections.meshwright.ambient.plugins.module_utils._errors import MeshError
from ansible_collections.meshwright.ambient.plugins.module_utils._gateway.spec import GATEWAY, parse_gateway
from ansible_collections.meshwright.ambient.plugins.module_utils._ingress.spec import DesiredItem, complete
from ansible_collections.meshwright.ambient.plugins.module_utils._route.spec import ROUTE, parse_route
from ansible_collections.meshwright.ambient.plugins.modules import ingress_alb, ingress_check, ingress_gateway, ingress_route, istio_ingress
from tests.unit.fake_api import Answer, FakeApi, Request, listed, refusal
from tests.unit.ingress_objects import applied, service
from tests.unit.objects import namespace_of

PUBLIC: dict[str, Any] = {"name": "public", "namespace": "istio-ingress", "load_balancer": "alb"}
FRONT: dict[str, Any] = {"name": "public", "namespace": "istio-ingress", "gateway": "public"}
SHOP: dict[str, Any] = {"name": "shop", "namespace": "istio-ingress", "gateway": "public", "rules": [{"backends": [{"service": "shop", "port": 80}]}]}
CLASSES = [{"metadata": {"name": "alb"}}]
REVIEW = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"

Work = Callable[[Any, Any], dict[str, Any]]


class Cluster:
    """Objects by the plural of their kind; a user who may do everything, and whose writes are kept."""

    def __init__(self, **lists: list[dict[str, Any]]) -> None:
        self.lists = {"namespaces": [namespace_of("istio-ingress")], "ingressclasses": CLASSES, **lists}
        self.answer_to_writes: dict[str, Any] = {}
        self.api = FakeApi(respond=self._answer)

    def _answer(self, request: Request) -> Answer:
        if request.path == REVIEW:
            return Answer(body={"status": {"allowed": True}})
        if request.method != "GET":
            return Answer(body=self.answer_to_writes or request.body or {})
        plural = request.path.rpartition("/")[2]
        if plural == "aws-node":
            return Answer(body={"metadata": {"name": plural}})
        return listed(*self.lists.get(plural, []))

    def run(self, work: Work, options: dict[str, Any], *, check: bool = False, **given: Any) -> dict[str, Any]:
        """Run a module's function with these options."""
        validated = ArgumentSpecValidator(options).validate(given)
        assert not validated.error_messages
        module = SimpleNamespace(params=validated.validated_parameters, check_mode=check, warn=lambda _text: None)
        return work(module, self.api.session)

    @property
    def reads(self) -> list[str]:
        return [request.path.rpartition("/")[2] for request in self.api.requests if request.method == "GET"]

    @property
    def writes(self) -> list[str]:
        return [str(request) for request in self.api.requests if request.method != "GET" and request.path != REVIEW and not request.dry_run]


def manifests(*items: DesiredItem) -> dict[str, list[dict[str, Any]]]:
    """The objects of items as they are after a run, by the plurals of their kinds."""
    plurals = {"ConfigMap": "configmaps", "Gateway": "gateways", "HTTPRoute": "httproutes", "Ingress": "ingresses"}
    found: dict[str, list[dict[str, Any]]] = {}
    for desired in [desired for item in items for desired in item.objects if desired.manifest]:
        found.setdefault(plurals[desired.key[0]], []).append(applied(desired.manifest))
    return found


def declared() -> Cluster:
    """A cluster in which everything is as it should be."""
    (gateway,), (alb,), (route,) = complete([PUBLIC], GATEWAY), complete([FRONT], ALB), complete([SHOP], ROUTE)
    objects = manifests(parse_gateway(gateway), parse_alb(alb), parse_route(route))
    return Cluster(services=[service("public-istio", gateway="public")], **objects)


@pytest.mark.parametrize(
    ("work", "options", "given", "reads"),
    [
        pytest.param(
            ingress_gateway.ensure_gateways,
            ingress_gateway.OPTIONS,
            {"gateways": [PUBLIC]},
            ["configmaps", "gateways", "httproutes", "namespaces", "services", "deployments", "endpointslices"],
            id="gateway",
        ),
        pytest.param(
            ingress_alb.ensure_albs,
            ingress_alb.OPTIONS,
            {"albs": [FRONT]},
            ["services", "ingresses", "namespaces", "ingressclasses", "aws-node", "endpointslices"],
            id="alb",
        ),
        pytest.param(ingress_route.ensure_routes, ingress_route.OPTIONS, {"routes": [SHOP]}, ["namespaces", "httproutes"], id="route"),
        pytest.param(
            ingress_check.check_ingress,
            ingress_check.OPTIONS,
            {"gateways": [PUBLIC], "albs": [FRONT], "routes": [SHOP]},
            [
                *("configmaps", "gateways", "httproutes", "namespaces", "services", "deployments", "ingresses", "ingressclasses", "aws-node"),
                "endpointslices",
            ],
            id="check",
        ),
    ],
)
def test_an_unchanged_run_reads_each_kind_once_and_writes_nothing(work: Work, options: dict[str, Any], given: dict[str, Any], reads: list[str]) -> None:
    cluster = declared()
    result = cluster.run(work, options, **given)
    assert not result["changed"], result.get("diff")
    assert cluster.reads == reads
    assert cluster.writes == []
    assert len(cluster.api.requests) == len(reads), "nobody is asked for permission to write nothing"


def test_the_check_reports_what_each_module_would() -> None:
    """Where nothing differs, the role takes the result of the check for those of the modules."""
    given: dict[str, Any] = {"gateways": [PUBLIC], "albs": [FRONT], "routes": [SHOP]}
    checked = declared().run(ingress_check.check_ingress, ingress_check.OPTIONS, **given)
    works: list[tuple[str, Work, dict[str, Any]]] = [
        ("gateways", ingress_gateway.ensure_gateways, ingress_gateway.OPTIONS),
        ("albs", ingress_alb.ensure_albs, ingress_alb.OPTIONS),
        ("routes", ingress_route.ensure_routes, ingress_route.OPTIONS),
    ]
    results = {name: declared().run(work, options, **{name: given[name]}) for name, work, options in works}
    for key in ("objects", "ready_targets", "diff"):
        assert checked[key] == [entry for result in results.values() for entry in result[key]], key
    assert (checked["gateways"], checked["albs"]) == (results["gateways"]["gateways"], results["albs"]["albs"])
    different = Cluster().run(ingress_check.check_ingress, ingress_check.OPTIONS, **given)
    assert not different["changed"]
    assert {entry["action"] for entry in different["objects"]} == {"created"}
    assert different["diff"]


def test_everything_that_would_be_refused_is_refused_at_once() -> None:
    cluster = Cluster(ingressclasses=[])
    lost = {**SHOP, "namespace": "nowhere"}
    with pytest.raises(MeshError) as caught:
        cluster.run(ingress_check.check_ingress, ingress_check.OPTIONS, gateways=[PUBLIC], albs=[FRONT], routes=[lost])
    assert "this cluster has no IngressClass alb" in caught.value.message
    assert "Route nowhere/shop: namespace nowhere does not exist" in caught.value.message
    assert "Nothing was changed on cluster" in caught.value.message
    assert cluster.writes == []


@pytest.mark.requirement("B1")
def test_a_controller_whose_webhook_has_no_endpoint_stops_the_task_before_it_writes() -> None:
    cluster = Cluster(services=[service("public-istio", gateway="public")])
    answer = cluster._answer
    called = 'Internal error occurred: failed calling webhook "vingress.elbv2.k8s.aws": failed to call webhook: Post '
    called += '"https://aws-load-balancer-webhook-service.kube-system.svc:443/validate-networking-v1-ingress?timeout=10s": no endpoints available'

    def without_endpoints(request: Request) -> Answer:
        return refusal(500, "InternalError", called) if request.method == "PATCH" else answer(request)

    cluster.api = FakeApi(respond=without_endpoints)
    with pytest.raises(MeshError) as caught:
        cluster.run(ingress_alb.ensure_albs, ingress_alb.OPTIONS, albs=[FRONT])
    assert "ebhook vingress.elbv2.k8s.aws does not answer" in caught.value.message
    assert "kube-system/aws-load-balancer-webhook-service" in caught.value.message
    assert cluster.writes == []


INVALID = 'Service "public-istio" is invalid: spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services'


class Refusing(Cluster):
    """A cluster that refuses to create some kinds."""

    def __init__(self, refused: dict[str, Answer], **lists: list[dict[str, Any]]) -> None:
        super().__init__(**lists)
        self.refused = refused

    def _answer(self, request: Request) -> Answer:
        kind = str((request.body or {}).get("kind"))
        return self.refused[kind] if request.method == "POST" and kind in self.refused else super()._answer(request)


@pytest.mark.parametrize("check", [False, True])
def test_a_service_that_istiod_could_not_create_is_refused_before_its_gateway_is_written(check: bool) -> None:
    """istiod merges the overlays into the Service, and only logs why the API server refuses it."""
    cluster = Refusing({"Service": refusal(422, "Invalid", INVALID)})
    gateway = {**PUBLIC, "overlays": {"service": {"spec": {"externalTrafficPolicy": "Local"}}}}
    with pytest.raises(MeshError, match=r"Gateway istio-ingress/public: the API server would reject its service .*externalTrafficPolicy"):
        cluster.run(ingress_gateway.ensure_gateways, ingress_gateway.OPTIONS, gateways=[gateway], check=check)
    assert cluster.writes == []
    (tried,) = (request for request in cluster.api.requests if request.method == "POST" and (request.body or {}).get("kind") == "Service")
    assert (tried.body["spec"]["type"], tried.body["spec"]["externalTrafficPolicy"], tried.dry_run) == ("ClusterIP", "Local", True)


def test_of_a_gateway_that_exists_only_its_overlays_are_tried() -> None:
    objects = declared().lists
    cluster = Refusing({"Service": refusal(422, "Invalid", INVALID)}, **objects)
    assert not cluster.run(ingress_gateway.ensure_gateways, ingress_gateway.OPTIONS, gateways=[PUBLIC])["changed"]
    changed = {**PUBLIC, "overlays": {"service": {"spec": {"externalTrafficPolicy": "Local"}}}}
    with pytest.raises(MeshError, match="would reject its service"):
        cluster.run(ingress_gateway.ensure_gateways, ingress_gateway.OPTIONS, gateways=[changed])
    names = {
        request.body["metadata"]["name"] for request in cluster.api.requests if request.method == "POST" and "spec" in (request.body or {}) and request.dry_run
    }
    assert names == {"meshwright-dry-run"}, "an object of this name exists, and what it has is taken"


def test_a_check_can_return_what_it_would_refuse_beside_the_plan() -> None:
    cluster = Cluster(ingressclasses=[])
    given = {"gateways": [PUBLIC], "albs": [FRONT], "return_refusals": True}
    result = cluster.run(ingress_check.check_ingress, ingress_check.OPTIONS, check=True, **given)
    assert any("this cluster has no IngressClass alb" in refused for refused in result["refusals"])
    assert {target["kind"] for target in result["ready_targets"]} == {"Gateway", "Ingress"}
    with pytest.raises(MeshError, match="no IngressClass alb"):
        cluster.run(ingress_check.check_ingress, ingress_check.OPTIONS, **given)


def test_items_that_contradict_each_other_are_refused_before_anything_is_read() -> None:
    cluster = Cluster()
    with pytest.raises(MeshError, match="whose load_balancer is nlb"):
        cluster.run(ingress_check.check_ingress, ingress_check.OPTIONS, gateways=[{**PUBLIC, "load_balancer": "nlb"}], albs=[FRONT])
    assert cluster.api.requests == []


NLB: dict[str, Any] = {
    **PUBLIC,
    "load_balancer": "nlb",
    "nlb": {"name": "edge", "scheme": "internal", "ip_address_type": "ipv4", "external_traffic_policy": "Cluster"},
}


@pytest.mark.parametrize(
    ("work", "options", "given", "message"),
    [
        pytest.param(
            ingress_alb.ensure_albs,
            ingress_alb.OPTIONS,
            {"albs": [{**FRONT, "load_balancer_name": "edge"}, {**FRONT, "name": "other", "load_balancer_name": "edge"}]},
            "load balancer name edge is used by",
            id="names",
        ),
        pytest.param(
            ingress_alb.ensure_albs,
            ingress_alb.OPTIONS,
            {"albs": [{**FRONT, "group_name": "one", "scheme": "internal"}, {**FRONT, "name": "other", "group_name": "one", "scheme": "internet-facing"}]},
            "set different values of scheme",
            id="group",
        ),
        pytest.param(
            ingress_gateway.ensure_gateways,
            ingress_gateway.OPTIONS,
            {"gateways": [NLB, {**NLB, "name": "other"}]},
            "load balancer name edge is used by",
            id="gateways",
        ),
    ],
)
def test_one_module_refuses_items_of_its_own_that_contradict_each_other(work: Work, options: dict[str, Any], given: dict[str, Any], message: str) -> None:
    cluster = Cluster()
    with pytest.raises(MeshError, match=message):
        cluster.run(work, options, **given)
    assert cluster.api.requests == []


@pytest.mark.parametrize("check", [True, False])
def test_what_is_planned_counts_in_check_mode_only(check: bool) -> None:
    cluster = Cluster(namespaces=[])
    planned = {"namespaces": ["istio-ingress"], "services": ["istio-ingress/public-istio"]}
    if not check:
        with pytest.raises(MeshError, match="namespace istio-ingress does not exist"):
            cluster.run(ingress_alb.ensure_albs, ingress_alb.OPTIONS, albs=[FRONT], planned=planned)
        return
    result = cluster.run(ingress_alb.ensure_albs, ingress_alb.OPTIONS, check=True, albs=[FRONT], planned=planned)
    assert [entry["action"] for entry in result["objects"]] == ["created"]
    assert cluster.writes == []


@pytest.mark.parametrize("listed_gateways", [True, False])
def test_the_listeners_of_a_gateway_count_if_its_service_lacks_the_port(listed_gateways: bool) -> None:
    """istiod may not have brought the Service up to date yet; whoever may not read Gateways is judged by the Service alone."""
    cluster = declared()
    cluster.lists["gateways"][0]["spec"]["listeners"] = [{"name": "other", "port": 8443}]
    if not listed_gateways:
        answer = cluster._answer
        cluster.api = FakeApi(respond=lambda request: refusal(403, "Forbidden", "gateways") if request.path.endswith("/gateways") else answer(request))
    given = {"albs": [{**FRONT, "service_port": 8443}]}
    if listed_gateways:
        assert cluster.run(ingress_alb.ensure_albs, ingress_alb.OPTIONS, check=True, **given)["changed"]
        return
    with pytest.raises(MeshError, match="has no port 8443"):
        cluster.run(ingress_alb.ensure_albs, ingress_alb.OPTIONS, check=True, **given)


def test_parameters_are_written_before_the_gateway_that_refers_to_them() -> None:
    cluster = Cluster(namespaces=[])
    result = cluster.run(ingress_gateway.ensure_gateways, ingress_gateway.OPTIONS, gateways=[PUBLIC])
    assert [write.rpartition("/")[2] for write in cluster.writes] == ["istio-ingress", "public-parameters", "public"]
    assert result["gateways"][0]["made_by"] == "AWS Load Balancer Controller"


def test_what_the_server_would_leave_as_it_is_counts_as_unchanged() -> None:
    cluster = declared()
    desired = cluster.lists["httproutes"][0]
    # As a server that fills in a default: our comparison calls a longer list a difference, its dry run does not.
    desired["spec"]["parentRefs"].append({"name": "other"})
    written = {name: value for name, value in desired.items() if name != "status"}
    cluster.answer_to_writes = written
    result = cluster.run(ingress_route.ensure_routes, ingress_route.OPTIONS, routes=[SHOP])
    assert not result["changed"]
    assert [request.query["dryRun"] for request in cluster.api.requests if request.method == "PATCH"] == ["All"]


def test_a_gateway_is_written_before_the_virtual_service_that_refers_to_it() -> None:
    cluster = Cluster()
    gateway = {"name": "classic", "namespace": "istio-ingress", "release": "edge"}
    given = {"gateways": [gateway], "virtual_services": [{**SHOP, "gateway": "classic"}]}
    result = cluster.run(istio_ingress.ensure_istio_ingress, istio_ingress.OPTIONS, **given)
    assert [write.rpartition("/")[2] for write in cluster.writes] == ["classic", "shop"]
    assert result["gateways"] == [{"name": "classic", "namespace": "istio-ingress", "reference": "istio-ingress/classic"}]
