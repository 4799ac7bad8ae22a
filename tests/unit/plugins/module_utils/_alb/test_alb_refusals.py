"""What is refused of Application Load Balancers on a cluster."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._alb.refusals import AlbState, refuse_albs
from ansible_collections.meshwright.ambient.plugins.module_utils._alb.spec import ALB as ALB_OPTIONS
from ansible_collections.meshwright.ambient.plugins.module_utils._alb.spec import parse_alb
from ansible_collections.meshwright.ambient.plugins.module_utils._ingress.plan import plan_changes
from ansible_collections.meshwright.ambient.plugins.module_utils._ingress.spec import DesiredItem, complete
from tests.unit.ingress_objects import applied, service

ALB: dict[str, Any] = {"name": "public", "namespace": "istio-ingress", "gateway": "public"}
CHART_ALB: dict[str, Any] = {"name": "public", "namespace": "istio-ingress", "service": "istio-ingress"}
PLACE = ("istio-ingress", "public")


def alb(item: dict[str, Any]) -> DesiredItem:
    return parse_alb(complete([item], ALB_OPTIONS)[0])


def state(*services: dict[str, Any], **options: Any) -> AlbState:
    known = {("istio-ingress", item["metadata"]["name"]): item for item in services}
    settings = {"ingress_classes": frozenset({"alb"}), "routable": True, "namespaces": frozenset({"istio-ingress"}), **options}
    return AlbState(services=known, **settings)


@pytest.mark.parametrize(
    ("item", "current", "message"),
    [
        pytest.param(ALB, state(), "its backend Service istio-ingress/public-istio does not exist", marks=pytest.mark.requirement("E6")),
        pytest.param({**CHART_ALB, "service_port": 8080}, state(service("istio-ingress")), "has no port 8080", marks=pytest.mark.requirement("E6")),
        pytest.param({**ALB, "service_port": 443}, state(listeners={PLACE: frozenset({80})}), "has no port 443, only 80", marks=pytest.mark.requirement("E6")),
        pytest.param(CHART_ALB, state(service("istio-ingress", ports=((80, "http2"),))), "has no port named status-port", marks=pytest.mark.requirement("E21")),
        pytest.param({**CHART_ALB, "target_type": "instance"}, state(service("istio-ingress")), "needs a NodePort", marks=pytest.mark.requirement("E2")),
        pytest.param(
            CHART_ALB,
            state(service("istio-ingress", "LoadBalancer")),
            "would be a second load balancer",
            marks=[pytest.mark.requirement("M1"), pytest.mark.requirement("M2")],
        ),
        pytest.param(CHART_ALB, state(service("istio-ingress"), ingress_classes=frozenset()), "has no IngressClass alb", marks=pytest.mark.requirement("B1")),
        pytest.param(CHART_ALB, state(service("istio-ingress"), routable=False), "addresses the VPC routes", marks=pytest.mark.requirement("A10")),
        pytest.param(CHART_ALB, state(service("istio-ingress"), namespaces=frozenset()), "namespace istio-ingress does not exist"),
    ],
)
def test_what_can_never_work_is_refused(item: dict[str, Any], current: AlbState, message: str) -> None:
    refusals = refuse_albs(plan_changes([alb(item)], {}), current)
    assert any(message in refusal for refusal in refusals), refusals


@pytest.mark.parametrize(
    ("item", "current", "allowed"),
    [
        (CHART_ALB, state(service("istio-ingress")), False),
        (CHART_ALB, state(planned_services=frozenset({("istio-ingress", "istio-ingress")})), False),
        ({**CHART_ALB, "target_type": "instance"}, state(service("istio-ingress", "NodePort"), routable=False), False),
        (CHART_ALB, state(service("istio-ingress", "LoadBalancer")), True),
        (CHART_ALB, state(service("istio-ingress"), routable=None, ingress_classes=None), False),
        # istiod has not made the Service yet, or not brought it up to date.
        (ALB, state(listeners={PLACE: frozenset({80})}), False),
        ({**ALB, "service_port": 443}, state(service("public-istio", gateway="public"), listeners={PLACE: frozenset({80, 443})}), False),
    ],
)
def test_what_works_is_not_refused(item: dict[str, Any], current: AlbState, allowed: bool) -> None:
    assert refuse_albs(plan_changes([alb(item)], {}), current, allow_load_balancer_service=allowed) == []


@pytest.mark.requirement("E11")
def test_another_name_of_an_existing_load_balancer_is_refused() -> None:
    before = applied(alb({**CHART_ALB, "load_balancer_name": "old"}).main.manifest)
    before["status"] = {"loadBalancer": {"ingress": [{"hostname": "old-1.elb.amazonaws.com"}]}}
    desired = alb({**CHART_ALB, "load_balancer_name": "new"})
    refusals = refuse_albs(plan_changes([desired], {desired.main.key: before}), state(service("istio-ingress")))
    assert any("load_balancer_name would change from old to new" in refusal for refusal in refusals), refusals
    del before["status"]
    assert refuse_albs(plan_changes([desired], {desired.main.key: before}), state(service("istio-ingress"))) == [], "it has no load balancer yet"
