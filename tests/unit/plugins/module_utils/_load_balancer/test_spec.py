"""Which load balancer a spec means."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._load_balancer.spec import matches, parse_spec, validation_error

ARN = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/web/1"
INGRESS = {"elbv2.k8s.aws/cluster": "prod", "ingress.k8s.aws/stack": "shop/web"}
GROUP = {"elbv2.k8s.aws/cluster": "prod", "ingress.k8s.aws/stack": "shared"}
SERVICE = {"elbv2.k8s.aws/cluster": "prod", "service.k8s.aws/stack": "shop/edge-istio"}
CLOUD = {"kubernetes.io/cluster/prod": "owned", "kubernetes.io/service-name": "shop/edge-istio"}
ANSWER = {"LoadBalancerArn": ARN, "LoadBalancerName": "web", "DNSName": "web-1.eu-west-1.elb.amazonaws.com"}


@pytest.mark.parametrize(
    ("item", "tags", "meant"),
    [
        ({"name": "web"}, {}, True),
        ({"name": "web2"}, {}, False),
        ({"arn": ARN}, {}, True),
        ({"dns_name": "WEB-1.eu-west-1.elb.amazonaws.com."}, {}, True),
        ({"dns_name": "dualstack.web-1.eu-west-1.elb.amazonaws.com"}, {}, True),
        ({"cluster": "prod", "ingress": "shop/web"}, INGRESS, True),
        ({"cluster": "test", "ingress": "shop/web"}, INGRESS, False),
        ({"cluster": "prod", "ingress": "shop/other"}, INGRESS, False),
        ({"cluster": "prod", "ingress_group": "shared"}, GROUP, True),
        ({"cluster": "prod", "service": "shop/edge-istio"}, SERVICE, True),
        ({"cluster": "prod", "service": "shop/edge-istio"}, CLOUD, True),
        ({"cluster": "prod"}, CLOUD, True),
        ({"cluster": "prod"}, {}, False),
        ({"name": "web", "cluster": "prod"}, {}, False),
    ],
)
def test_a_load_balancer_is_known_by_its_name_or_by_its_controllers_tags(item: dict[str, Any], tags: dict[str, str], meant: bool) -> None:
    assert matches(parse_spec(item), ANSWER, tags) is meant


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ({}, "does not name"),
        ({"ingress": "a/b", "service": "a/b"}, "more than one of ingress"),
        ({"ingress": "web"}, "write it as namespace/name"),
        ({"service": "a/b/c"}, "write it as namespace/name"),
        ({"name": "web"}, None),
    ],
)
def test_a_spec_must_name_a_load_balancer(item: dict[str, Any], message: str | None) -> None:
    error = validation_error(parse_spec(item))
    assert error is None if message is None else message in str(error)
