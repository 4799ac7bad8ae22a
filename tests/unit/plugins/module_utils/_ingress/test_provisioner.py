"""Who provisions the load balancer of a new or an existing Service."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._ingress.provisioner import CLOUD, CONTROLLER, find_provisioner, handles_services

TYPE = "service.beta.kubernetes.io/aws-load-balancer-type"
OF_CLOUD = {"metadata": {}, "spec": {"type": "LoadBalancer"}}
OF_CONTROLLER = {"metadata": {}, "spec": {"type": "LoadBalancer", "loadBalancerClass": "service.k8s.aws/nlb"}}
EXTERNAL = {"metadata": {"annotations": {TYPE: "external"}}, "spec": {"type": "LoadBalancer"}}


@pytest.mark.requirement("B5", "B6", "M23")
@pytest.mark.parametrize(
    ("kind", "annotations", "service", "webhook", "expected"),
    [
        pytest.param("ClusterIP", {}, None, True, ("none", ""), id="no-load-balancer"),
        pytest.param("NodePort", {}, None, True, ("none", ""), id="behind-an-alb"),
        pytest.param("LoadBalancer", {TYPE: "external"}, None, None, ("nlb", CONTROLLER), id="handed-to-the-controller"),
        pytest.param("LoadBalancer", {}, None, True, ("nlb", CONTROLLER), id="the-webhook-takes-it"),
        pytest.param("LoadBalancer", {}, None, False, ("cloud", CLOUD), id="without-the-controller"),
        pytest.param("LoadBalancer", {}, None, None, ("unknown", ""), id="nobody-may-look"),
        pytest.param("LoadBalancer", {}, OF_CLOUD, True, ("cloud", CLOUD), id="made-before-the-controller-came"),
        pytest.param("LoadBalancer", {}, OF_CONTROLLER, False, ("nlb", CONTROLLER), id="the-controllers-by-its-class"),
        pytest.param("LoadBalancer", {}, EXTERNAL, False, ("nlb", CONTROLLER), id="the-controllers-by-its-type"),
        pytest.param("LoadBalancer", {}, {"metadata": {}, "spec": {"type": "ClusterIP"}}, False, ("cloud", CLOUD), id="a-type-that-changes"),
    ],
)
def test_who_serves_a_service(kind: str, annotations: dict[str, str], service: Any, webhook: bool | None, expected: tuple[str, str]) -> None:
    assert find_provisioner(kind, annotations, service, webhook) == expected


def test_the_webhook_about_services_is_one_of_several() -> None:
    assert handles_services({"webhooks": [{"name": "mpod.elbv2.k8s.aws"}, {"name": "mservice.elbv2.k8s.aws"}]})
    assert not handles_services({"webhooks": [{"name": "mpod.elbv2.k8s.aws"}]})
    assert not handles_services(None)
