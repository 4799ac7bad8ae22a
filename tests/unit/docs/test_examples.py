"""The examples of setups that were made by hand or by Terraform: valid data, and the objects that these setups had in the end."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.eks import validate_eks
from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.ingress import validate_ingress
from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.ingress_lists import parse_ingress_lists
from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.istio import validate_istio
from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.load_balancer_requests import with_certificates
from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.mesh import validate_mesh, validate_mesh_items
from generate.declarations import role_variables
from tests.pages import page
from tests.unit.inventory_values import converted

ARN = "arn:aws:acm:eu-central-1:123456789012:certificate/5e5e4a3c-0b7a-4f0e-9d57-1d3f2c6b8a90"
ALB = "alb.ingress.kubernetes.io/"
NLB = "service.beta.kubernetes.io/aws-load-balancer-"
SETUPS = (
    "Ambient mesh with an external gateway",
    "Ambient mesh with a waypoint, step by step",
    "Sidecars behind an ALB",
    "An ALB with targets of type instance",
)


def variables_of(setup: str) -> dict[str, Any]:
    (block,) = (text for language, text in page("docs/examples.md").section(setup).blocks if language == "yaml")
    found: dict[str, Any] = yaml.safe_load(block)
    return found


def objects_of(setup: str) -> dict[tuple[str, str, str], dict[str, Any]]:
    """What the role ingress would make, by kind, namespace and name; certificates that are named by domain are found."""
    lists = {name: variables_of(setup).get(f"ingress_{name}", []) for name in ("gateways", "albs", "routes", "classic_gateways")}
    for name in ("albs", "gateways"):
        lists[name] = with_certificates(lists[name], {"*.example.com": ARN, "example.com": ARN})
    items = parse_ingress_lists(lists).all
    assert not [error for item in items for error in item.errors]
    return {desired.key: desired.manifest for item in items for desired in item.objects if desired.manifest}


@pytest.mark.parametrize("setup", SETUPS)
def test_an_example_is_valid(setup: str) -> None:
    given = variables_of(setup)
    options = {name: option for variables in role_variables().values() for name, option in variables.items()}
    assert set(given) <= set(options)
    values = converted(given)
    assert values.errors == ()
    validations = (validate_istio, validate_mesh, validate_eks, validate_ingress)
    assert [error for validate in validations for error in validate(values.values)] == []
    assert validate_mesh_items(values.complete) == []


def test_the_external_gateway_has_the_listeners_and_the_load_balancer_of_the_terraform_one() -> None:
    objects = objects_of(SETUPS[0])
    gateway = objects["Gateway", "istio-system", "gateway"]["spec"]
    assert [(listener["port"], listener["protocol"], listener["hostname"]) for listener in gateway["listeners"]] == [
        (80, "HTTP", "*.example.com"),
        (443, "HTTP", "*.example.com"),
    ]
    assert gateway["listeners"][1]["allowedRoutes"]["namespaces"]["selector"] == {"matchLabels": {"shared-gateway-access": "true"}}
    parameters = json.loads(objects["ConfigMap", "istio-system", "gateway-parameters"]["data"]["service"])
    annotations = {**gateway["infrastructure"]["annotations"], **parameters["metadata"]["annotations"]}
    assert (
        annotations.items()
        >= {
            f"{NLB}type": "external",
            f"{NLB}scheme": "internet-facing",
            f"{NLB}ssl-cert": ARN,
            f"{NLB}ssl-ports": "443",
        }.items()
    )
    assert "load_balancing.cross_zone.enabled=true" in annotations[f"{NLB}attributes"]


def test_sidecars_have_the_ingress_of_the_terraform_one() -> None:
    objects = objects_of(SETUPS[2])
    ingress = objects["Ingress", "istio-system", "alb-ingress"]
    assert (
        ingress["metadata"]["annotations"].items()
        >= {
            f"{ALB}load-balancer-name": "my-alb",
            f"{ALB}scheme": "internet-facing",
            f"{ALB}target-type": "ip",
            f"{ALB}listen-ports": '[{"HTTP": 80}, {"HTTPS": 443}]',
            f"{ALB}ssl-policy": "ELBSecurityPolicy-TLS13-1-2-2021-06",
            f"{ALB}ssl-redirect": "443",
            f"{ALB}healthcheck-protocol": "HTTP",
            f"{ALB}healthcheck-path": "/healthz/ready",
            f"{ALB}tags": "Stage=test,Team=mesh",
        }.items()
    )
    assert ingress["spec"]["ingressClassName"] == "alb"
    assert [rule["host"] for rule in ingress["spec"]["rules"]] == ["*.example.com", "example.com"]
    assert objects["IstioGateway", "istio-system", "gateway"]["spec"]["selector"] == {"app": "istio-ingress"}
    assert objects["VirtualService", "shop", "frontend"]["spec"]["gateways"] == ["istio-system/gateway"]


def test_instance_targets_have_the_annotations_of_the_ingress_by_hand() -> None:
    ingress = objects_of(SETUPS[3])["Ingress", "istio-system", "common-external-ingress"]
    annotations = ingress["metadata"]["annotations"]
    assert (
        annotations.items()
        >= {
            f"{ALB}target-type": "instance",
            f"{ALB}subnets": "subnet-0a1b2c3d,subnet-1a1b2c3d,subnet-2a1b2c3d",
            f"{ALB}certificate-arn": ARN,
            f"{ALB}backend-protocol": "HTTPS",
            f"{ALB}healthcheck-interval-seconds": "15",
            f"{ALB}healthy-threshold-count": "2",
            f"{ALB}shield-advanced-protection": "true",
            f"{ALB}tags": "Environment=production,Project=myapp",
            f"{ALB}load-balancer-attributes": "access_logs.s3.bucket=my-alb-logs,access_logs.s3.enabled=true,deletion_protection.enabled=true",
        }.items()
    )
    assert "regional/webacl/edge" in annotations[f"{ALB}wafv2-acl-arn"]
    assert [rule.get("host") for rule in ingress["spec"]["rules"]] == [None]
