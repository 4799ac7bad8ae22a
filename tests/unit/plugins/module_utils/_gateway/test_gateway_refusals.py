"""What is refused of Gateways on a cluster, and what they need around them."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._gateway.plan import missing_labels, namespaces_to_create
from ansible_collections.meshwright.ambient.plugins.module_utils._gateway.refusals import GatewayState, refuse_gateways
from ansible_collections.meshwright.ambient.plugins.module_utils._gateway.spec import GATEWAY as GATEWAY_OPTIONS
from ansible_collections.meshwright.ambient.plugins.module_utils._gateway.spec import parse_gateway
from ansible_collections.meshwright.ambient.plugins.module_utils._ingress.plan import plan_changes
from ansible_collections.meshwright.ambient.plugins.module_utils._ingress.spec import DesiredItem, complete
from tests.unit.ingress_objects import service

GATEWAY: dict[str, Any] = {"name": "public", "namespace": "istio-ingress", "load_balancer": "alb"}
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


def gateways(*items: dict[str, Any]) -> list[DesiredItem]:
    return [parse_gateway(item) for item in complete(list(items), GATEWAY_OPTIONS)]


def state(*services: dict[str, Any], **options: Any) -> GatewayState:
    known = {("istio-ingress", item["metadata"]["name"]): item for item in services}
    return GatewayState(services=known, **{"controller": True, "routable": True, "namespaces": {"istio-ingress": {}}, **options})


def refusals_of(item: dict[str, Any], current: GatewayState) -> list[str]:
    return refuse_gateways(plan_changes(gateways(item), {}), current)


@pytest.mark.requirement("D8")
def test_namespaces_of_routes_get_the_label_that_lets_them_in() -> None:
    desired = gateways({**GATEWAY, "allowed_routes": {"from": "Selector"}, "route_namespaces": ["shop", "done"]})
    current = {"shop": {}, "done": {"shared-gateway-access": "true"}}
    assert missing_labels(desired, current) == {"shop": {"shared-gateway-access": "true"}}


def test_only_namespaces_that_may_be_created_are_created() -> None:
    desired = gateways(GATEWAY, {**GATEWAY, "name": "b", "namespace": "kept-out", "create_namespace": False})
    assert namespaces_to_create(desired, []) == ["istio-ingress"]


@pytest.mark.parametrize(
    ("item", "current", "message"),
    [
        pytest.param(NLB, state(controller=False), "no AWS Load Balancer Controller", marks=pytest.mark.requirement("B6")),
        pytest.param(NLB, state(routable=False), "addresses the VPC routes", marks=pytest.mark.requirement("A10")),
        pytest.param(
            NLB,
            state(service("edge-istio", "LoadBalancer", gateway="edge")),
            "would leave the old load balancer behind in AWS",
            marks=pytest.mark.requirement("F2"),
        ),
        pytest.param(
            {**NLB, "load_balancer": "none"},
            state(service("edge-istio", "LoadBalancer", gateway="edge", **{TYPE: "external"})),
            "would leave the old load balancer behind in AWS",
            marks=pytest.mark.requirement("F2"),
        ),
        pytest.param(NLB, state(service("edge-istio")), "was not created by istiod"),
        pytest.param(NLB, state(deployments=frozenset({("istio-ingress", "edge-istio")})), "was not created by istiod"),
        pytest.param({**NLB, "route_namespaces": ["shop"], "allowed_routes": {"from": "Selector"}}, state(), "namespace shop does not exist"),
        pytest.param({**NLB, "create_namespace": False}, state(namespaces={}), "namespace istio-ingress does not exist"),
        pytest.param(SHARED, state(), "the selector of listener plain does not allow"),
    ],
)
def test_what_can_never_work_is_refused(item: dict[str, Any], current: GatewayState, message: str) -> None:
    refusals = refusals_of(item, current)
    assert any(message in refusal for refusal in refusals), refusals


@pytest.mark.parametrize(
    ("item", "current"),
    [
        (GATEWAY, state(namespaces={})),
        (NLB, state(controller=None, routable=None)),
        (NLB, state(service("edge-istio", "LoadBalancer", gateway="edge", **{TYPE: "external"}))),
        ({**NLB, "nlb": {"target_type": "instance"}}, state(routable=False)),
        ({**SHARED, "route_namespaces": ["istio-ingress"]}, state()),
        (SHARED, state(namespaces={"istio-ingress": {"shared-gateway-access": "true"}})),
    ],
)
def test_what_works_is_not_refused(item: dict[str, Any], current: GatewayState) -> None:
    assert refusals_of(item, current) == []


FIXED = {"name": "edge", "scheme": "internet-facing", "subnets": ["subnet-1", "subnet-2"], "eip_allocations": ["eipalloc-1", "eipalloc-2"]}


@pytest.mark.requirement("F10")
@pytest.mark.parametrize(
    ("nlb", "message"),
    [
        (FIXED, ""),
        ({**FIXED, "name": "other"}, "nlb.name would change from edge to other, but the name of a load balancer cannot change"),
        ({**FIXED, "name": None}, "nlb.name would change from edge to none"),
        (
            {**FIXED, "eip_allocations": ["eipalloc-1", "eipalloc-3"]},
            "nlb.eip_allocations would change from eipalloc-1, eipalloc-2 to eipalloc-1, eipalloc-3, but the addresses of a load balancer cannot change",
        ),
        ({**FIXED, "eip_allocations": []}, "nlb.eip_allocations would change from eipalloc-1, eipalloc-2 to none"),
        # The controller takes them with a subnet that is new.
        ({**FIXED, "subnets": ["subnet-1", "subnet-3"], "eip_allocations": ["eipalloc-1", "eipalloc-3"]}, ""),
    ],
)
def test_what_a_network_load_balancer_gets_when_it_is_made_is_not_changed_later(nlb: dict[str, Any], message: str) -> None:
    prefix = TYPE.removesuffix("type")
    # As somebody may have written them, with spaces.
    annotations = {"name": "edge", "subnets": "subnet-1, subnet-2", "eip-allocations": "eipalloc-1, eipalloc-2", "type": "external"}
    current = service("edge-istio", "LoadBalancer", gateway="edge", **{f"{prefix}{name}": value for name, value in annotations.items()})
    current["status"] = {"loadBalancer": {"ingress": [{"hostname": "edge-1.elb.amazonaws.com"}]}}
    refusals = refusals_of({**NLB, "nlb": nlb}, state(current))
    assert len(refusals) == bool(message), refusals
    assert not message or message in refusals[0]
    del current["status"]["loadBalancer"]["ingress"]
    assert refusals_of({**NLB, "nlb": nlb}, state(current)) == [], "it has no load balancer yet"
