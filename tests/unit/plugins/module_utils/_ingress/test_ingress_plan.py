"""From wishes about ingress to changes, what is compared, and what is refused on a cluster."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._ingress.compare import is_as_wanted, is_ours, told, told_of
from ansible_collections.meshwright.ambient.plugins.module_utils._ingress.plan import (
    Surroundings,
    guarded,
    missing_labels,
    namespaces_to_make,
    plan_changes,
    refuse_changes,
)
from ansible_collections.meshwright.ambient.plugins.module_utils._ingress.wishes import Wish, complete, parse_wishes

GATEWAY: dict[str, Any] = {"name": "public", "namespace": "istio-ingress", "load_balancer": "alb"}
ALB: dict[str, Any] = {"name": "public", "namespace": "istio-ingress", "gateway": "public"}
CHART_ALB: dict[str, Any] = {"name": "public", "namespace": "istio-ingress", "service": "istio-ingress"}
NLB: dict[str, Any] = {"name": "edge", "namespace": "istio-ingress", "load_balancer": "nlb"}
# A gateway whose listeners are given one by one, and let in by a label.
SHARED: dict[str, Any] = {
    "name": "shared",
    "namespace": "istio-ingress",
    "redirect_http": True,
    "allowed_routes": {"from": "Selector"},
    "listeners": [{"name": "plain", "port": 80}, {"name": "tls", "port": 443, "protocol": "HTTPS", "certificate_refs": [{"name": "x"}]}],
}
TYPE = "service.beta.kubernetes.io/aws-load-balancer-type"
ATTRIBUTES = "service.beta.kubernetes.io/aws-load-balancer-attributes"


def wishes(**groups: Any) -> list[Wish]:
    return parse_wishes(complete(groups))


def applied(manifest: dict[str, Any]) -> dict[str, Any]:
    """An object on the server as our server-side apply leaves it: with what the API adds, and with the fields that are ours."""

    def fields(value: Any) -> dict[str, Any]:
        if isinstance(value, dict):
            return {f"f:{name}": fields(below) for name, below in value.items()}
        return {}

    own = {name: value for name, value in manifest.items() if name not in ("apiVersion", "kind")}
    own["metadata"] = {name: value for name, value in manifest["metadata"].items() if name in ("labels", "annotations")}
    item = copy.deepcopy(manifest)
    item["metadata"].update(uid="1", managedFields=[{"manager": "meshwright", "operation": "Apply", "fieldsV1": fields(own)}])
    return item


def by_hand(manifest: dict[str, Any]) -> dict[str, Any]:
    item = applied(manifest)
    item["metadata"]["managedFields"] = [{"manager": "kubectl", "operation": "Update", "fieldsV1": {}}]
    return item


def service(
    name: str, kind: str = "ClusterIP", *, ports: Any = ((15021, "status-port"), (80, "http2")), gateway: str = "", **annotations: str
) -> dict[str, Any]:
    labels = {"gateway.networking.k8s.io/gateway-name": gateway} if gateway else {}
    metadata = {"name": name, "namespace": "istio-ingress", "labels": labels, "annotations": annotations}
    return {"metadata": metadata, "spec": {"type": kind, "ports": [{"port": port, "name": word} for port, word in ports]}, "status": {"loadBalancer": {}}}


def around(*services: dict[str, Any], **options: Any) -> Surroundings:
    known = {("istio-ingress", item["metadata"]["name"]): item for item in services}
    settings = {"ingress_classes": frozenset({"alb"}), "controller": True, "routable": True, "namespaces": {"istio-ingress": {}}, **options}
    return Surroundings(services=known, **settings)


# comparing


def test_what_was_applied_is_as_wanted() -> None:
    for wish in wishes(gateways=[GATEWAY, NLB], albs=[ALB]):
        for wanted in (wish.main, *wish.others):
            if wanted.manifest:
                assert is_as_wanted(applied(wanted.manifest), wanted.manifest), wanted.key


def test_what_the_api_or_others_add_is_no_difference() -> None:
    manifest = wishes(albs=[ALB])[0].main.manifest
    seen = applied(manifest)
    seen["metadata"]["annotations"]["somebody/else"] = "x"
    seen["metadata"]["finalizers"] = ["ingress.k8s.aws/resources"]
    seen["status"] = {"loadBalancer": {}}
    assert is_as_wanted(seen, manifest)


def test_a_value_that_differs_is_a_difference_and_is_told() -> None:
    seen, wanted = (wishes(albs=[{**ALB, "idle_timeout": seconds}])[0].main.manifest for seconds in (60, 90))
    assert not is_as_wanted(applied(seen), wanted)
    before, after = told_of(applied(seen), wanted), told(wanted)
    changed = {line for line in {*before, *after} if before.get(line) != after.get(line)}
    assert changed == {"metadata.annotations.alb.ingress.kubernetes.io/load-balancer-attributes"}


def test_an_annotation_that_is_no_longer_wished_goes() -> None:
    seen, wanted = wishes(albs=[{**ALB, "shield": True}])[0].main.manifest, wishes(albs=[ALB])[0].main.manifest
    assert not is_as_wanted(applied(seen), wanted)
    gone = "metadata.annotations.alb.ingress.kubernetes.io/shield-advanced-protection"
    assert told_of(applied(seen), wanted)[gone] == "true"
    assert gone not in told(wanted)


def test_a_listener_more_is_a_difference() -> None:
    seen = applied(wishes(gateways=[{**GATEWAY, "hosts": ["a.com", "b.com"]}])[0].main.manifest)
    assert not is_as_wanted(seen, wishes(gateways=[{**GATEWAY, "hosts": ["a.com"]}])[0].main.manifest)


def test_whose_an_object_is() -> None:
    manifest = wishes(albs=[ALB])[0].main.manifest
    assert is_ours(applied(manifest))
    assert not is_ours(by_hand(manifest))


# changes


def test_actions() -> None:
    wanted = wishes(gateways=[GATEWAY], albs=[ALB, {**ALB, "name": "old", "state": "absent"}, {**ALB, "name": "gone", "state": "absent"}])
    old = wishes(albs=[{**ALB, "name": "old"}])[0].main
    there = {wanted[0].main.key: applied(wanted[0].main.manifest), old.key: applied(old.manifest)}
    told_actions = {change.wanted.key[2]: change.action for change in plan_changes(wanted, there) if change.wanted.key[0] != "ConfigMap"}
    assert told_actions == {"public": "created", "public-redirect-http": "unchanged", "old": "deleted", "gone": "unchanged"}


def test_somebody_elses_route_under_the_redirects_name_is_left_alone() -> None:
    wanted = wishes(gateways=[GATEWAY])
    key = ("HTTPRoute", "istio-ingress", "public-redirect-http")
    changes = plan_changes(wanted, {key: by_hand({"metadata": {"name": key[2], "namespace": key[1]}, "spec": {}})})
    assert [change.action for change in changes if change.wanted.key == key] == ["unchanged"]


@pytest.mark.requirement("D8")
def test_namespaces_of_routes_get_the_label_that_lets_them_in() -> None:
    wanted = wishes(gateways=[{**GATEWAY, "allowed_routes": {"from": "Selector"}, "route_namespaces": ["shop", "done"]}])
    there = {"shop": {}, "done": {"shared-gateway-access": "true"}}
    assert missing_labels(wanted, there) == {"shop": {"shared-gateway-access": "true"}}


def test_only_the_gateways_own_namespace_is_made() -> None:
    wanted = wishes(gateways=[GATEWAY, {**GATEWAY, "name": "b", "namespace": "kept-out", "create_namespace": False}], albs=[ALB])
    assert namespaces_to_make(wanted, []) == ["istio-ingress"]


# refusals


@pytest.mark.parametrize(
    ("groups", "surroundings", "words"),
    [
        pytest.param({"albs": [ALB]}, around(), "there is no Service istio-ingress/public-istio", marks=pytest.mark.requirement("E6")),
        pytest.param(
            {"albs": [{**CHART_ALB, "service_port": 8080}]}, around(service("istio-ingress")), "has no port 8080", marks=pytest.mark.requirement("E6")
        ),
        pytest.param(
            {"albs": [CHART_ALB]},
            around(service("istio-ingress", ports=((80, "http2"),))),
            "has no port named status-port",
            marks=pytest.mark.requirement("E21"),
        ),
        pytest.param(
            {"albs": [{**CHART_ALB, "target_type": "instance"}]}, around(service("istio-ingress")), "needs a NodePort", marks=pytest.mark.requirement("E2")
        ),
        pytest.param(
            {"albs": [CHART_ALB]},
            around(service("istio-ingress", "LoadBalancer")),
            "has a second load balancer",
            marks=[pytest.mark.requirement("M1"), pytest.mark.requirement("M2")],
        ),
        pytest.param(
            {"albs": [CHART_ALB]}, around(service("istio-ingress"), ingress_classes=frozenset()), "has no IngressClass alb", marks=pytest.mark.requirement("B1")
        ),
        pytest.param({"gateways": [NLB]}, around(controller=False), "no AWS Load Balancer Controller", marks=pytest.mark.requirement("B6")),
        pytest.param({"gateways": [NLB]}, around(routable=False), "addresses the VPC routes", marks=pytest.mark.requirement("A10")),
        pytest.param({"albs": [CHART_ALB]}, around(service("istio-ingress"), routable=False), "addresses the VPC routes", marks=pytest.mark.requirement("A10")),
        pytest.param(
            {"gateways": [NLB]},
            around(service("edge-istio", "LoadBalancer", gateway="edge")),
            "leaves what was made in AWS behind",
            marks=pytest.mark.requirement("F2"),
        ),
        pytest.param(
            {"gateways": [{**NLB, "load_balancer": "none"}]},
            around(service("edge-istio", "LoadBalancer", gateway="edge", **{TYPE: "external"})),
            "leaves what was made in AWS behind",
            marks=pytest.mark.requirement("F2"),
        ),
        pytest.param({"gateways": [NLB]}, around(service("edge-istio")), "is not istiod's"),
        pytest.param({"gateways": [NLB]}, around(deployments=frozenset({("istio-ingress", "edge-istio")})), "is not istiod's"),
        pytest.param({"gateways": [{**NLB, "route_namespaces": ["shop"], "allowed_routes": {"from": "Selector"}}]}, around(), "namespace shop does not exist"),
        pytest.param({"gateways": [{**NLB, "create_namespace": False}]}, around(namespaces={}), "namespace istio-ingress does not exist"),
        pytest.param({"gateways": [SHARED]}, around(), "the selector of listener plain keeps out"),
    ],
)
def test_what_would_never_work_is_refused(groups: dict[str, Any], surroundings: Surroundings, words: str) -> None:
    refusals = refuse_changes(plan_changes(wishes(**groups), {}), surroundings)
    assert any(words in refusal for refusal in refusals), refusals


@pytest.mark.parametrize(
    ("groups", "surroundings"),
    [
        ({"gateways": [GATEWAY], "albs": [ALB]}, around(namespaces={})),
        ({"albs": [CHART_ALB]}, around(service("istio-ingress"))),
        ({"albs": [CHART_ALB]}, around(planned_services=frozenset({("istio-ingress", "istio-ingress")}))),
        ({"albs": [{**CHART_ALB, "target_type": "instance"}]}, around(service("istio-ingress", "NodePort"), routable=False)),
        ({"albs": [CHART_ALB]}, around(service("istio-ingress", "LoadBalancer"), allow_load_balancer_service=True)),
        ({"gateways": [NLB]}, around(routable=False, allow_unroutable_targets=True)),
        ({"gateways": [NLB]}, around(controller=None, routable=None, ingress_classes=None)),
        ({"gateways": [NLB]}, around(service("edge-istio", "LoadBalancer", gateway="edge", **{TYPE: "external"}))),
        ({"gateways": [{**SHARED, "route_namespaces": ["istio-ingress"]}]}, around()),
        ({"gateways": [SHARED]}, around(namespaces={"istio-ingress": {"shared-gateway-access": "true"}})),
    ],
)
def test_what_works_is_not_refused(groups: dict[str, Any], surroundings: Surroundings) -> None:
    assert refuse_changes(plan_changes(wishes(**groups), {}), surroundings) == []


@pytest.mark.requirement("E11")
def test_another_name_of_a_load_balancer_that_is_there_is_refused() -> None:
    before = applied(wishes(albs=[{**ALB, "load_balancer_name": "old"}])[0].main.manifest)
    before["status"] = {"loadBalancer": {"ingress": [{"hostname": "old-1.elb.amazonaws.com"}]}}
    wanted = wishes(gateways=[GATEWAY], albs=[{**ALB, "load_balancer_name": "new"}])
    refusals = refuse_changes(plan_changes(wanted, {wanted[1].main.key: before}), around())
    assert any("load_balancer_name would change from old to new" in refusal for refusal in refusals), refusals
    del before["status"]
    assert refuse_changes(plan_changes(wanted, {wanted[1].main.key: before}), around()) == [], "it has no load balancer yet"


FIXED = {"name": "edge", "scheme": "internet-facing", "subnets": ["subnet-1", "subnet-2"], "eip_allocations": ["eipalloc-1", "eipalloc-2"]}


@pytest.mark.requirement("F10")
@pytest.mark.parametrize(
    ("nlb", "words"),
    [
        (FIXED, ""),
        ({**FIXED, "name": "other"}, "nlb.name would change from edge to other, but a load balancer gets its name when it is made"),
        ({**FIXED, "name": None}, "nlb.name would change from edge to none"),
        (
            {**FIXED, "eip_allocations": ["eipalloc-1", "eipalloc-3"]},
            "nlb.eip_allocations would change from eipalloc-1, eipalloc-2 to eipalloc-1, eipalloc-3, but a load balancer gets its addresses when it is made",
        ),
        ({**FIXED, "eip_allocations": []}, "nlb.eip_allocations would change from eipalloc-1, eipalloc-2 to none"),
        # The controller takes them with a subnet that is new.
        ({**FIXED, "subnets": ["subnet-1", "subnet-3"], "eip_allocations": ["eipalloc-1", "eipalloc-3"]}, ""),
    ],
)
def test_what_a_network_load_balancer_gets_when_it_is_made_is_not_changed_later(nlb: dict[str, Any], words: str) -> None:
    prefix = TYPE.removesuffix("type")
    # As somebody may have written them, with spaces.
    annotations = {"name": "edge", "subnets": "subnet-1, subnet-2", "eip-allocations": "eipalloc-1, eipalloc-2", "type": "external"}
    there = service("edge-istio", "LoadBalancer", gateway="edge", **{f"{prefix}{name}": value for name, value in annotations.items()})
    there["status"] = {"loadBalancer": {"ingress": [{"hostname": "edge-1.elb.amazonaws.com"}]}}
    wanted = wishes(gateways=[{**NLB, "nlb": nlb}])
    refusals = refuse_changes(plan_changes(wanted, {}), around(there))
    assert len(refusals) == bool(words), refusals
    assert not words or words in refusals[0]
    del there["status"]["loadBalancer"]["ingress"]
    assert refuse_changes(plan_changes(wanted, {}), around(there)) == [], "it has no load balancer yet"


@pytest.mark.parametrize("state", ["present", "absent"])
def test_somebody_elses_object_is_neither_changed_nor_deleted(state: str) -> None:
    wanted = wishes(gateways=[GATEWAY], albs=[{**ALB, "state": state, "idle_timeout": 60}])
    if state == "absent":
        wanted = wanted[1:]
    there = {wanted[-1].main.key: by_hand(wishes(albs=[{**ALB, "idle_timeout": 9}])[0].main.manifest)}
    refusals = refuse_changes(plan_changes(wanted, there), around())
    assert any("was made by somebody else" in refusal for refusal in refusals), refusals
    assert refuse_changes(plan_changes(wanted, there), around(force_conflicts=True)) == []


@pytest.mark.requirement("E32")
def test_a_guarded_load_balancer_is_deleted_only_on_request() -> None:
    there = applied(wishes(albs=[{**ALB, "deletion_protection": True}])[0].main.manifest)
    changes = plan_changes(wishes(albs=[{**ALB, "state": "absent"}]), {("Ingress", "istio-ingress", "public"): there})
    assert guarded(changes[0], {}) == "deletion_protection.enabled=true"
    assert any("has deletion protection" in refusal for refusal in refuse_changes(changes, around()))
    assert refuse_changes(changes, around(override_deletion_protection=True)) == []


def test_a_guarded_network_load_balancer_is_deleted_only_on_request() -> None:
    there = applied(wishes(gateways=[NLB])[0].main.manifest)
    changes = plan_changes(wishes(gateways=[{**NLB, "state": "absent"}]), {("Gateway", "istio-ingress", "edge"): there})
    guard = service("edge-istio", "LoadBalancer", gateway="edge", **{ATTRIBUTES: "deletion_protection.enabled=true"})
    assert any("has deletion protection" in refusal for refusal in refuse_changes(changes, around(guard)))
    assert refuse_changes(changes, around(service("edge-istio", "LoadBalancer", gateway="edge"))) == []
