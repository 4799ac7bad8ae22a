from __future__ import annotations

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._status.addresses import external_problem, judge_ingress, judge_service
from tests.unit.objects import Object, derived, recorded

PENDING = recorded("service/load_balancer_pending")
CLUSTER_IP = recorded("service/bound")
INGRESS = recorded("ingress/pending")
HOST = {"status": {"loadBalancer": {"ingress": [{"hostname": "lb.example.com"}]}}}
DELETED = {"metadata": {"deletionTimestamp": "2026-11-21T08:00:00Z"}}
GIVEN = derived(PENDING, HOST)


@pytest.mark.parametrize(
    ("service", "message"),
    [
        pytest.param(GIVEN, "load balancer at lb.example.com", id="host-name"),
        pytest.param(
            derived(PENDING, {"status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}, {"ip": "192.0.2.2"}]}}}),
            "load balancer at 192.0.2.1, 192.0.2.2",
            id="addresses",
        ),
        pytest.param(CLUSTER_IP, "of type ClusterIP at 10.0.0.133", id="cluster-ip"),
        pytest.param(derived(CLUSTER_IP, {"spec": {"clusterIP": "None"}}), "of type ClusterIP at None", id="headless"),
        pytest.param(
            derived(CLUSTER_IP, {"spec": {"type": "ExternalName", "clusterIP": None, "externalName": "api.example.com"}}),
            "of type ExternalName at api.example.com",
            id="external-name",
        ),
    ],
)
def test_a_service_with_its_address(service: Object, message: str) -> None:
    verdict = judge_service("it", service)
    assert (verdict.status, verdict.message) == ("Current", message)


PORTS = {"type": "LoadBalancerPortsError", "status": "True", "reason": "LoadBalancerMixedProtocolNotSupported", "message": "mixed protocols"}


@pytest.mark.parametrize(
    ("service", "load_balancer", "status", "reason"),
    [
        pytest.param(PENDING, False, "InProgress", "NoLoadBalancer", id="pending"),
        pytest.param(derived(PENDING, {"status": {"loadBalancer": {"ingress": [{}]}}}), False, "InProgress", "NoLoadBalancer", id="empty-entry"),
        pytest.param(derived(PENDING, {"status": {"conditions": [PORTS]}}), False, "InProgress", "LoadBalancerPortsError", id="ports"),
        pytest.param(derived(CLUSTER_IP, {"spec": {"clusterIP": ""}}), False, "InProgress", "NoClusterIP", id="no-cluster-ip"),
        pytest.param(CLUSTER_IP, True, "Failed", "NotALoadBalancer", id="not-a-load-balancer"),
        pytest.param(derived(GIVEN, DELETED), False, "Terminating", "Terminating", id="deleted"),
        pytest.param(None, False, "NotFound", "NotFound", id="missing"),
    ],
)
def test_a_service_without_its_address(service: Object | None, load_balancer: bool, status: str, reason: str) -> None:
    verdict = judge_service("it", service, load_balancer=load_balancer)
    assert (verdict.status, verdict.reason, verdict.final) == (status, reason, status == "Failed")
    assert verdict.remedy


def test_an_ingress() -> None:
    assert judge_ingress("it", derived(INGRESS, HOST)).message == "load balancer at lb.example.com"
    assert judge_ingress("it", INGRESS).reason == "NoLoadBalancer"
    assert judge_ingress("it", INGRESS).since == INGRESS["metadata"]["creationTimestamp"]
    assert judge_ingress("it", derived(INGRESS, DELETED)).status == "Terminating"
    assert judge_ingress("it", None).status == "NotFound"


@pytest.mark.parametrize(
    ("addresses", "services", "part"),
    [
        pytest.param(["lb.example.com"], [GIVEN], None, id="its-load-balancers"),
        pytest.param(["lb.example.com"], [], None, id="somebody-elses-service"),
        pytest.param(["front-istio.shop.svc.cluster.local"], [], "is a name inside the cluster", id="name-inside"),
        pytest.param(["10.0.0.1", "front-istio.shop.svc.mesh.example"], [GIVEN], "front-istio.shop.svc.mesh.example is a name inside", id="other-domain"),
        pytest.param(["front.shop.svc"], [], "is a name inside the cluster", id="short-name"),
        pytest.param(["10.0.0.133"], [CLUSTER_IP], "Service bookinfo/details behind it is of type ClusterIP", id="cluster-ip"),
        pytest.param(["old.example.com"], [PENDING], "has no load balancer address", id="address-that-was-there-once"),
        pytest.param(["old.example.com"], [GIVEN], "its address old.example.com is not that of Service judge-b/lb, which is lb.example.com", id="another"),
    ],
)
def test_external_problem(addresses: list[str], services: list[Object], part: str | None) -> None:
    problem = external_problem(addresses, services)
    assert problem is None if part is None else part in str(problem)
