"""The validation errors that the page Inventory shows are those that such variables have, word for word."""

from __future__ import annotations

import json
import re
import tempfile
from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.clusters import server_key, validate_shared_servers
from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.connections import find_connection_error
from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.near_misses import find_misspelled
from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.validation import find_errors
from ansible_collections.meshwright.ambient.plugins.plugin_utils._kubeconfigs import find_kubeconfig_errors
from generate.declarations import role_variables
from tests.pages import page
from tests.unit.inventory_values import converted

_EKS = {"eks_enabled": True, "eks_region": "eu-central-1", "eks_availability_zones": ["eu-central-1a", "eu-central-1b"]}
_GATEWAY = {"name": "tenants", "namespace": "istio-ingress"}
_SHOP = {"name": "shop", "namespace": "istio-ingress", "service": "gateway"}
_GROUP = {"name": "general", "instance_types": ["m7i.large"]}

_ROUTE: dict[str, Any] = {
    "name": "cart",
    "namespace": "shop",
    "gateway": "public",
    "gateway_namespace": "istio-ingress",
    "rules": [{"backends": [{"service": "cart", "port": 80}]}],
}

_KUBECONFIG = {
    "clusters": [{"name": "shop", "cluster": {"server": "https://api.shop.example.com"}}],
    "contexts": [{"name": "shop-prod", "context": {"cluster": "shop", "user": "me"}}],
    "users": [{"name": "me", "user": {}}],
}

# Each makes some of the errors, and may make others.
VARIABLES: list[dict[str, Any]] = [
    {"istio_version": "1.30"},
    {"istio_version": "1.20.0"},
    {"istio_version": "", "cluster_kubeconfig": "", "istio_chart_source": "", "gateway_api_source": ""},
    {"istio_platform": "azure"},
    {"mesh_namespaces": [{"nmae": "shop"}]},
    {"mesh_waypoints": [{"namespace": "bookinfo"}], "mesh_namespaces": [{"name": "bookinfo", "use_waypoint": "wayponit"}]},
    {"mesh_waypoints": [{"namespace": "bookinfo", "name": "none"}], "mesh_namespaces": [{"name": "Shop_1"}]},
    {"mesh_namespaces": [{"name": "bookinfo"}, {"name": "bookinfo"}]},
    {
        "mesh_waypoints": [{"namespace": "bookinfo"}],
        "mesh_namespaces": [{"name": "shop", "use_waypoint": "waypoint", "use_waypoint_namespace": "bookinfo"}],
    },
    {
        "mesh_waypoints": [*({"namespace": name} for name in ("a", "b")), {"namespace": "c", "allowed_routes": {"from": "Selector"}}],
        "mesh_namespaces": [{"name": "shop", "use_waypoint_namespace": "bookinfo"}],
    },
    {"istio_timeout": "soon", "mesh_waypoints": [{"namespace": "shop", "for": "services"}]},
    {
        "istio_istiod_replicas": 0,
        "mesh_timeout": -1,
        "istio_gateways": [{"name": "a", "namespace": "a", "autoscaling": {"min": 5, "max": 2}}],
    },
    {"gateway_api_version": "v1.4.0"},
    {**_EKS, "eks_startup_taint": True, "istio_startup_taint": False},
    {**_EKS, "eks_availability_zones": ["eu-central-1a", "eu-west-1b"]},
    {**_EKS, "eks_vpc_cidr": "10.20.0.0/16", "eks_service_ipv4_cidr": "10.20.128.0/17"},
    {**_EKS, "eks_encryption_key_arn": "arn:aws:kms:eu-west-1:123456789012:key/0d5b8d8e-1c2f-4f6d-8a3b-9e7c6d5f4a3b"},
    {**_EKS, "eks_node_groups": [{**_GROUP, "min_size": 3, "desired_size": 3, "max_size": 2}]},
    {**_EKS, "eks_node_groups": [{**_GROUP, "version": "1.36"}]},
    {**_EKS, "eks_node_groups": [{**_GROUP, "name": "general purpose"}, {**_GROUP, "ami_type": "AL2_x86_64"}], "eks_tags": {"aws:team": "shop"}},
    {**_EKS, "ingress_albs": [{**_SHOP, "listen_ports": [{"HTTPS": 443}]}]},
    {**_EKS, "ingress_albs": [{**_SHOP, "target_type": "instance", "health_check": {"port": "15021"}}]},
    {**_EKS, "ingress_albs": [{**_SHOP, "waf_acl_arn": "arn:aws:wafv2:us-east-1:123456789012:global/webacl/edge/1"}]},
    {
        "ingress_gateways": [
            {
                **_GATEWAY,
                "load_balancer": "nlb",
                "tls": "load_balancer",
                "hosts": [f"tenant-{number}.example.com" for number in range(40)],
                "nlb": {"certificate_domains": ["*.example.com"]},
            },
            {"name": "partners", "namespace": "istio-ingress", "load_balancer": "nlb", "nlb": {"source_ranges": ["203.0.113.7"]}},
        ]
    },
    {"ingress_gateways": [{**_GATEWAY, "hosts": ["shop.example.com:443"]}]},
    {
        "ingress_albs": [
            {"name": name, "namespace": f"{name}-edge", "service": "gateway", "group_name": "public", "idle_timeout": seconds}
            for name, seconds in (("shop", 120), ("admin", 60))
        ]
    },
    {"mesh_waypoints": [{"namespace": "istio-ingress", "name": "edge"}], "ingress_gateways": [{"name": "edge", "namespace": "istio-ingress"}]},
    {"mesh_waypoints": [{"namespace": "shop", "replicas": 2, "autoscaling": {"max_replicas": 3}}]},
    {"mesh_namespaces": [{"name": 0o755}]},
    {
        "ingress_gateways": [{"name": "public", "namespace": "istio-ingress", "hosts": ["*.example.com"], "allowed_routes": {"from": "All"}}],
        "ingress_routes": [{**_ROUTE, "hosts": ["shop.example.org"]}],
    },
    {"ingress_gateways": [{"name": "public", "namespace": "istio-ingress"}], "ingress_routes": [_ROUTE]},
    {
        "ingress_gateways": [{"name": "public", "namespace": "istio-ingress", "load_balancer": "alb", "hosts": ["shop.example.com"]}],
        "ingress_albs": [{"name": "public", "namespace": "istio-ingress", "gateway": "public", "hosts": ["bank.example.com"]}],
    },
    {"ingress_routes": [{**_ROUTE, "rules": [{**_ROUTE["rules"][0], "path": "/a//b"}]}]},
    {"ingress_albs": [{"name": "public", "namespace": "istio-ingress", "service": "gateway", "path": "/shop/*"}]},
    {
        "ingress_classic_gateways": [
            {"name": "classic", "namespace": "istio-ingress", "release": "gateway", "hosts": ["*.example.com"], "port": 443, "tls": {"mode": "simple"}}
        ]
    },
    {"mesh_waypoints": [{"namespace": "shop", "resources": {"requests": {"memory": "1GB"}}}]},
    {
        **_EKS,
        "karpenter_enabled": True,
        "karpenter_node_pools": [{"name": "general", "requirements": [{"key": "topology.kubernetes.io/zone", "operator": "Exists", "values": ["a"]}]}],
    },
    {"istio_istiod_values": {"pilot": 2}},
]
# What only the templar of a run says.
_OF_TEMPLATES = {"istio_istiod_values refers to nope, which is not defined: define it, or correct the template."}


def _shown() -> list[str]:
    text = page("docs/inventory.md").path.read_text().partition("## Validation errors")[2]
    return re.findall(r"^- cluster [\w-]+: (.*)$", text, re.M)


def _errors() -> set[str]:
    found = {error for variables in VARIABLES for error in find_errors(converted(variables))}
    found |= set(find_misspelled(["istio_verison"], {role: options.keys() for role, options in role_variables().items()}))
    found |= set(find_connection_error("ssh", ()))
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(json.dumps(_KUBECONFIG))
        file.flush()
        kubeconfigs = ({"cluster_kubeconfig": "/etc/passwd"}, {"cluster_kubeconfig": file.name, "cluster_context": "shop-prd"})
        found |= {error for given in kubeconfigs for error in find_kubeconfig_errors(given, {})}
    server = frozenset({server_key("https://api.shop.example.com:443")})
    return found | set(validate_shared_servers({"shop-eu": server, "shop-us": server}, set(), set()))


ERRORS = _errors()


@pytest.mark.parametrize("line", _shown())
def test_the_error_is_as_the_page_shows_it(line: str) -> None:
    assert line in ERRORS | _OF_TEMPLATES


def test_errors_are_shown() -> None:
    assert len(_shown()) > 30
    assert set(_shown()) >= _OF_TEMPLATES
