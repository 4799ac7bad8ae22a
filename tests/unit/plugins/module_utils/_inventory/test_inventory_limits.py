"""What the data of an inventory shows is refused by the validation, whichever variable has it: hosts, ranges, tags, names, groups, two items of one name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.validation import find_errors
from generate.declarations import role_variables
from tests.options import walk_options
from tests.unit.inventory_values import converted

GATEWAY: dict[str, Any] = {"name": "shop", "namespace": "shop-edge"}
ALB: dict[str, Any] = {"name": "shop", "namespace": "shop-edge", "gateway": "shop"}
ROUTE: dict[str, Any] = {"name": "shop", "namespace": "shop-edge", "gateway": "shop", "rules": [{"backends": [{"service": "cart", "port": 80}]}]}
EKS: dict[str, Any] = {
    "eks_enabled": True,
    "eks_region": "eu-central-1",
    "eks_cluster_name": "shop",
    "eks_availability_zones": ["eu-central-1a", "eu-central-1b"],
    "eks_node_groups": [{"name": "general"}],
    "eks_addons": [{"name": "eks-pod-identity-agent"}],
    "eks_startup_taint": False,
}
ROLE = "arn:aws:iam::123456789012:role/shop"
CERTIFICATE = "arn:aws:acm:eu-central-1:123456789012:certificate/5e5e4a3c-0b7a-4f0e-9d57-1d3f2c6b8a90"


def errors_of(variables: Mapping[str, Any]) -> list[str]:
    """All validation errors of an inventory, as the playbooks report them."""
    return find_errors(converted(variables))


def alb(**options: Any) -> dict[str, Any]:
    """An ALB in front of a gateway."""
    return {"ingress_gateways": [{**GATEWAY, "load_balancer": "alb"}], "ingress_albs": [{**ALB, **options}]}


def nlb(**options: Any) -> dict[str, Any]:
    """A gateway behind an NLB."""
    return {"ingress_gateways": [{**GATEWAY, "load_balancer": "nlb", "nlb": options}]}


def group(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Two members of a group."""
    names = ("shop", "admin")
    return {
        "ingress_gateways": [{"name": name, "namespace": name, "load_balancer": "alb"} for name in names],
        "ingress_albs": [
            {"name": name, "namespace": name, "gateway": name, "group_name": "public", **given} for name, given in zip(names, (first, second), strict=True)
        ],
    }


def certificate(**options: Any) -> dict[str, Any]:
    return {"aws_edge_certificates": [{"domain": "shop.example.com", **options}]}


ZONES = ("a-b.example.com", "example.com")
# For each option that holds hosts, ranges or tags, an inventory with one value of it.
HOSTS = {
    "ingress_gateways.hosts": lambda value: {"ingress_gateways": [{**GATEWAY, "hosts": [value]}]},
    "ingress_gateways.listeners.hostname": lambda value: {"ingress_gateways": [{**GATEWAY, "listeners": [{"name": "a", "port": 80, "hostname": value}]}]},
    "ingress_gateways.nlb.certificate_domains": lambda value: nlb(certificate_domains=[value], ssl_ports=[80]),
    "ingress_albs.hosts": lambda value: alb(hosts=[value]),
    "ingress_albs.tls_hosts": lambda value: alb(tls_hosts=[value]),
    "ingress_albs.certificate_domains": lambda value: alb(certificate_domains=[value]),
    "ingress_routes.hosts": lambda value: {"ingress_routes": [{**ROUTE, "hosts": [value]}]},
    "ingress_classic_gateways.hosts": lambda value: {"ingress_classic_gateways": [{**GATEWAY, "release": "edge", "hosts": [value]}]},
    "aws_edge_hosted_zones": lambda value: {"aws_edge_hosted_zones": [value]},
    "aws_edge_certificates.domain": lambda value: certificate(domain=value),
    "aws_edge_certificates.subject_alternative_names": lambda value: certificate(subject_alternative_names=[value]),
    "aws_edge_certificates.hosted_zone": lambda value: certificate(
        hosted_zone=value, domain=f"www.{value}" if value == "a-b.example.com" else "shop.example.com"
    ),
}
RANGES = {
    "eks_vpc_cidr": lambda value: {**EKS, "eks_vpc_cidr": value},
    "eks_service_ipv4_cidr": lambda value: {**EKS, "eks_service_ipv4_cidr": value},
    "eks_endpoint_public_cidrs": lambda value: {**EKS, "eks_endpoint_public_cidrs": [value]},
    "ingress_gateways.nlb.source_ranges": lambda value: nlb(source_ranges=[value]),
    "ingress_albs.inbound_cidrs": lambda value: alb(inbound_cidrs=[value]),
    "istio_gateways.service.load_balancer_source_ranges": lambda value: {"istio_gateways": [{**GATEWAY, "service": {"load_balancer_source_ranges": [value]}}]},
}
TAGS = {
    "eks_tags": lambda value: {"eks_tags": value},
    "aws_edge_tags": lambda value: {"aws_edge_tags": value},
    "alb_controller_tags": lambda value: {"alb_controller_tags": value},
    "karpenter_tags": lambda value: {"karpenter_tags": value},
    "eks_access_entries.tags": lambda value: {"eks_access_entries": [{"principal_arn": ROLE, "tags": value}]},
    "eks_pod_identity_associations.tags": lambda value: {
        "eks_pod_identity_associations": [{"namespace": "shop", "service_account": "shop", "role_arn": ROLE, "tags": value}]
    },
    "karpenter_node_pools.tags": lambda value: {"karpenter_node_pools": [{"name": "general", "tags": value}]},
    "ingress_gateways.nlb.tags": lambda value: nlb(tags=value),
    "ingress_albs.tags": lambda value: alb(tags=value),
}


def options_named(pattern: str) -> set[str]:
    """The variables and keys of items, of all roles, whose name matches."""
    declared = (found for options in role_variables().values() for found in walk_options(options))
    return {path for path, option in declared if option["type"] != "bool" and re.search(pattern, path.rpartition(".")[2])}


@pytest.mark.parametrize(
    ("pattern", "known"),
    [
        (r"(^|_)(hosts?|hostname|domains?|alternative_names|hosted_zones?)$", HOSTS),
        (r"cidrs?$|ranges$", RANGES),
        (r"(^|_)tags$", TAGS),
    ],
    ids=["hosts", "ranges", "tags"],
)
def test_every_option_of_the_kind_is_tried_here(pattern: str, known: Mapping[str, Any]) -> None:
    assert options_named(pattern) == set(known)


@pytest.mark.parametrize("path", HOSTS)
@pytest.mark.parametrize(
    "host", ["https://shop.example.com", "shop.example.com:443", "shop.*.example.com", "a.example.com b.example.com", f"{'a' * 64}.example.com"]
)
def test_a_host_is_held_to_the_same_rule_wherever_hosts_are_written(path: str, host: str) -> None:
    errors = errors_of(HOSTS[path](host))
    assert any(f"has {host!r}" in error and path.rpartition(".")[2] in error for error in errors), errors


@pytest.mark.parametrize("path", HOSTS)
@pytest.mark.parametrize("host", ["a-b.example.com", "*.example.com"])
def test_a_right_host_is_right_wherever_hosts_are_written(path: str, host: str) -> None:
    host = host.replace("*.", "") if "hosted_zone" in path else host
    assert errors_of(HOSTS[path](host)) == []


@pytest.mark.parametrize(
    "path", [path for path in HOSTS if path not in ("ingress_gateways.listeners.hostname", "aws_edge_certificates.domain", "aws_edge_certificates.hosted_zone")]
)
def test_a_host_that_is_written_twice_is_a_sentence_wherever_hosts_are_written(path: str) -> None:
    def twice(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: twice(item) for key, item in value.items()}
        if isinstance(value, list):
            return [*value, *value] if value == ["a.example.com"] else [twice(item) for item in value]
        return value

    errors = errors_of(twice(HOSTS[path]("a.example.com")))
    assert len(errors) == 1, errors
    assert "names a.example.com more than once" in errors[0]


@pytest.mark.parametrize("number", [32, 33])
def test_hosts_that_make_more_listeners_than_a_gateway_has_are_one_error(number: int) -> None:
    hosts = [f"tenant-{index}.example.com" for index in range(number)]
    errors = errors_of({"ingress_gateways": [{**GATEWAY, "tls": "gateway", "certificate_refs": [{"name": "tenants"}], "hosts": hosts}]})
    expected = (
        "ingress_gateways[0] (Gateway shop-edge/shop): hosts has 33 entries, which make 66 listeners, but a Gateway has at most 64: "
        "replace hosts by a wildcard such as *.example.com, or move some to a second gateway."
    )
    assert errors == ([expected] if number > 32 else [])


@pytest.mark.parametrize("path", RANGES)
@pytest.mark.parametrize("text", ["203.0.113.7", "10.0.0.0/33", "10.0.0.0/8 192.168.0.0/16", "10.0.0.0/255.0.0.0", "office"])
def test_a_range_is_held_to_the_same_rule_wherever_ranges_are_written(path: str, text: str) -> None:
    errors = errors_of(RANGES[path](text))
    assert any(repr(text) in error and path.rpartition(".")[2] in error for error in errors), errors


@pytest.mark.parametrize("path", RANGES)
def test_a_right_range_is_right_wherever_ranges_are_written(path: str) -> None:
    # EKS has no clients with private addresses.
    text = "198.51.100.0/24" if path == "eks_endpoint_public_cidrs" else "172.16.0.0/16"
    assert errors_of(RANGES[path](text)) == []


@pytest.mark.parametrize("variable", ["ingress_gateways", "mesh_waypoints"])
def test_ranges_and_labels_in_overlays_are_held_to_the_rule_of_kubernetes(variable: str) -> None:
    def overlay(text: str) -> dict[str, Any]:
        return {variable: [{**GATEWAY, "overlays": {"service": {"spec": {"type": "LoadBalancer", "loadBalancerSourceRanges": [text]}}}}]}

    (error,) = errors_of(overlay("203.0.113.7"))
    assert "overlays.service.spec.loadBalancerSourceRanges has '203.0.113.7'" in error
    assert errors_of(overlay("203.0.113.7/24")) == []
    (error,) = errors_of({variable: [{**GATEWAY, "labels": {"team": "a b"}}]})
    assert "labels has team with the value 'a b'" in error
    assert errors_of({variable: [{**GATEWAY, "labels": {"team": "shop"}}]}) == []


@pytest.mark.parametrize("variable", ["ingress_gateways", "mesh_waypoints"])
def test_an_overlay_without_a_value_is_one_that_is_left_out(variable: str) -> None:
    overlays = {"deployment": {"spec": {"replicas": 2}}, "service": None, "horizontalPodAutoscaler": None}
    assert errors_of({variable: [{**GATEWAY, "overlays": overlays}]}) == []


@pytest.mark.parametrize("path", TAGS)
def test_tags_are_held_to_the_same_rule_wherever_tags_are_written(path: str) -> None:
    (error,) = errors_of(TAGS[path]({"aws:team": "shop"}))
    assert f"{path.rpartition('.')[2]} has 'aws:team', which begins with aws:" in error
    assert errors_of(TAGS[path]({"Team": "shop", "cost center": "a@b"})) == []


CLASSIC = {"ingress_classic_gateways": [{"name": "edge", "namespace": "edge", "release": "edge", "protocol": "GRPC", "port": 80}]}
RELEASE = {"ingress_albs": [{"name": "edge", "namespace": "edge", "service": "edge"}]}
PREFIX = "alb.ingress.kubernetes.io/"
GRPC = {f"{PREFIX}backend-protocol-version": "GRPC"}


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        (group({"tags": {"Team": "shop"}}, {"tags": {"Team": "admin"}}), "set different values of tags.Team (admin, shop)"),
        (group({"idle_timeout": 60}, {"idle_timeout": 120}), "set different values of idle_timeout (120, 60)"),
        (group({"idle_timeout": 60}, {"attributes": {"idle_timeout.timeout_seconds": 90}}), "set different values of idle_timeout (60, 90)"),
        (group({"deletion_protection": True}, {"deletion_protection": False}), "set different values of deletion_protection (false, true)"),
        (group({"attributes": {"routing.http2.enabled": True}}, {"attributes": {"routing.http2.enabled": "false"}}), "attributes.routing.http2.enabled"),
        (group({"inbound_cidrs": ["0.0.0.0/0"]}, {"inbound_cidrs": ["203.0.113.0/24"]}), "inbound_cidrs of port 80 (0.0.0.0/0, 203.0.113.0/24)"),
        (group({"subnets": ["subnet-0a", "subnet-0b"]}, {"subnets": ["subnet-0a", "subnet-0c"]}), "set different values of subnets"),
        (group({"security_groups": ["sg-0a"]}, {"security_groups": ["sg-0b"]}), "set different values of security_groups"),
        (group({"scheme": "internal"}, {"scheme": "internet-facing"}), "set different values of scheme"),
        (group({"shield": True}, {"shield": False}), "set different values of shield"),
        (
            group({"listen_ports": [{"HTTP": 8443}]}, {"listen_ports": [{"HTTPS": 8443}], "certificate_arns": [CERTIFICATE]}),
            "the protocol of port 8443 (HTTP, HTTPS)",
        ),
        (
            group({"certificate_arns": [CERTIFICATE]}, {"certificate_arns": [CERTIFICATE], "ssl_policy": "ELBSecurityPolicy-2016-08"}),
            "set different values of ssl_policy of port 443",
        ),
        (group({"hosts": ["a.example.com"]}, {"hosts": ["a.example.com"]}), "both have the rule for a.example.com /"),
        (
            group({"idle_timeout": 60}, {"idle_timeout": 120, "group_name": None, "annotations": {f"{PREFIX}group.name": "public"}}),
            "Group public: ALB shop/shop and ALB admin/admin set different values of idle_timeout (120, 60)",
        ),
        (
            group({"load_balancer_name": "shop", "group_name": None}, {"group_name": None, "annotations": {f"{PREFIX}load-balancer-name": "shop"}}),
            "The load balancer name shop is used by ALB shop/shop and ALB admin/admin",
        ),
        (alb(annotations={f"{PREFIX}group.name": "Public"}), "annotations.group.name is 'Public'"),
        *(
            (
                group({"annotations": {f"{PREFIX}{key}": first}}, {"annotations": {f"{PREFIX}{key}": second}}),
                f"set different values of annotations.{message}, but share one load balancer",
            )
            for key, first, second, message in (
                ("manage-backend-security-group-rules", True, "False", "manage-backend-security-group-rules (false, true)"),
                ("enable-frontend-nlb", "true", "false", "enable-frontend-nlb (false, true)"),
                ("frontend-nlb-scheme", "internal", "internet-facing", "frontend-nlb-scheme (internal, internet-facing)"),
                ("frontend-nlb-subnets", "subnet-0a,subnet-0b", "subnet-0a,subnet-0c", "frontend-nlb-subnets (subnet-0a,subnet-0b, subnet-0a,subnet-0c)"),
                ("frontend-nlb-security-groups", "sg-0a", "sg-0b", "frontend-nlb-security-groups (sg-0a, sg-0b)"),
                ("ipam-ipv4-pool-id", "ipam-pool-0a", "ipam-pool-0b", "ipam-ipv4-pool-id (ipam-pool-0a, ipam-pool-0b)"),
                ("wafv2-acl-name", "shop", "admin", "wafv2-acl-name (admin, shop)"),
                ("minimum-load-balancer-capacity", "CapacityUnits=100", "CapacityUnits=200", "minimum-load-balancer-capacity.CapacityUnits (100, 200)"),
            )
        ),
        (alb(annotations=GRPC), "listen_ports has HTTP 80, and an ALB takes gRPC by HTTPS only"),
        (alb(annotations=GRPC, certificate_arns=[CERTIFICATE]), "listen_ports has HTTP 80, and an ALB takes gRPC by HTTPS only"),
        ({**CLASSIC, **RELEASE}, "port 80 of edge is for gRPC"),
        (alb(annotations={"alb.ingress.kubernetes.io/inbound-cidrs": "10.0.0.0/8, 203.0.113.7"}), "annotations.inbound-cidrs has '203.0.113.7'"),
        (alb(group_name="Public"), "group_name is 'Public'"),
        (alb(group_name="public", group_order=1001), "group_order is 1001: use -1000 to 1000"),
        (alb(hosts=[f"{'a' * 60}.{'b' * 60}.example.com"]), "longer than 128 characters"),
        (alb(idle_timeout=4001), "attributes.idle_timeout.timeout_seconds is 4001: use 1 to 4000"),
        (alb(deregistration_delay=3601), "deregistration_delay.timeout_seconds is 3601: use 0 to 3600"),
        (alb(name="Shop"), "name is 'Shop'"),
        (alb(labels={"team": "a b"}), "labels has team with the value 'a b'"),
    ],
)
def test_what_no_load_balancer_can_be_is_a_sentence(variables: dict[str, Any], message: str) -> None:
    errors = errors_of(variables)
    assert any(message in error for error in errors), errors


@pytest.mark.parametrize(
    "variables",
    [
        group({"group_order": 10}, {"group_order": 10}),
        group({"tags": {"Team": "shop", "Cost": "1"}, "idle_timeout": 60}, {"tags": {"Team": "shop", "Stage": "prod"}}),
        group({"inbound_cidrs": ["10.0.0.0/8", "203.0.113.0/24"]}, {"inbound_cidrs": ["203.0.113.0/24", "10.0.0.0/8"]}),
        group({"inbound_cidrs": ["10.0.0.0/8"], "listen_ports": [{"HTTP": 8080}]}, {"inbound_cidrs": ["203.0.113.0/24"]}),
        group({"inbound_cidrs": ["10.0.0.0/8"]}, {}),
        group({"group_name": "a", "idle_timeout": 60}, {"group_name": "b", "idle_timeout": 120}),
        group({"idle_timeout": 60}, {"idle_timeout": 120, "state": "absent", "gateway": "elsewhere"})
        | {"ingress_gateways": [{"name": "shop", "namespace": "shop"}]},
        group({"subnets": ["subnet-0a", "subnet-0b"]}, {"subnets": ["subnet-0b", "subnet-0a"]}),
        group({"hosts": ["a.example.com"], "path": "/a"}, {"hosts": ["a.example.com"], "path": "/b"}),
        group(
            {"annotations": {f"{PREFIX}frontend-nlb-security-groups": "sg-0a,sg-0b"}},
            {"annotations": {f"{PREFIX}frontend-nlb-security-groups": "sg-0a, sg-0b"}},
        ),
        group({"annotations": {f"{PREFIX}enable-frontend-nlb": "True"}}, {"annotations": {f"{PREFIX}enable-frontend-nlb": True}}),
        group(
            {"annotations": {f"{PREFIX}frontend-nlb-subnets": "subnet-0a,subnet-0b"}},
            {"annotations": {f"{PREFIX}frontend-nlb-subnets": "subnet-0b, subnet-0a"}},
        ),
        group({"idle_timeout": 60}, {"idle_timeout": 120, "group_name": None, "annotations": {f"{PREFIX}group.name": "other"}}),
        group({"health_check": {"interval": 10}, "deregistration_delay": 20}, {"health_check": {"interval": 20}, "deregistration_delay": 30}),
        alb(annotations=GRPC, certificate_arns=[CERTIFICATE], ssl_redirect=443),
        alb(annotations=GRPC, certificate_arns=[CERTIFICATE], listen_ports=[{"HTTPS": 443}]),
        alb(annotations={"alb.ingress.kubernetes.io/backend-protocol-version": "HTTP2", "alb.ingress.kubernetes.io/inbound-cidrs": "10.0.0.0/8, ::/0"}),
        {**CLASSIC, "ingress_albs": [{**RELEASE["ingress_albs"][0], "certificate_arns": [CERTIFICATE]}]},
        {**CLASSIC, "ingress_albs": [{**RELEASE["ingress_albs"][0], "service_port": 8080}]},
        alb(group_name="public.eu-1", group_order=-1000, idle_timeout=4000, deregistration_delay=0),
    ],
    ids=range(20),
)
def test_what_a_load_balancer_can_be_is_right(variables: dict[str, Any]) -> None:
    assert errors_of(variables) == []


@pytest.mark.parametrize(
    ("route", "message"),
    [
        (
            {"hosts": [f"h{number}.example.com" for number in range(17)]},
            "hosts has 17 entries, and the Gateway API allows 16: use a wildcard, or a second route",
        ),
        ({"rules": ROUTE["rules"] * 17}, "rules has 17 entries, and the Gateway API allows 16"),
        ({"rules": [{"backends": ROUTE["rules"][0]["backends"] * 17}]}, "rules[0].backends has 17 entries"),
        ({"section_names": [f"l{number}" for number in range(33)]}, "section_names has 33 entries, and the Gateway API allows 32"),
        ({"rules": [{"backends": [{"service": "cart", "port": 0}]}]}, "rules[0].backends[0].port is 0"),
        ({"rules": [{"backends": [{"service": "cart", "port": 80, "weight": -1}]}]}, "rules[0].backends[0].weight is -1"),
        ({"rules": [{"backends": [{"service": "cart.shop.svc", "port": 80}]}]}, "rules[0].backends[0].service is 'cart.shop.svc'"),
        ({"name": "Shop"}, "name is 'Shop'"),
        ({"hosts": ["*"]}, "hosts has '*'"),
        ({"hosts": ["Shop.example.com"]}, "which has capital letters"),
    ],
)
def test_what_the_api_refuses_of_a_route_is_a_sentence(route: dict[str, Any], message: str) -> None:
    errors = errors_of({"ingress_routes": [{**ROUTE, **route}]})
    assert any(message in error for error in errors), errors


@pytest.mark.parametrize(
    "route",
    [
        {"hosts": [f"h{number}.example.com" for number in range(16)], "rules": [{**ROUTE["rules"][0], "path": f"/{number}"} for number in range(16)]},
        {"name": "shop.v2", "rules": [{"backends": [{"service": "cart", "port": 80, "weight": 0}, {"service": "cart-v2", "port": 80, "weight": 1000000}]}]},
        # Istio's own kind takes more hosts.
        {"kind": "VirtualService", "hosts": ["*"]},
        {"kind": "VirtualService", "hosts": ["203.0.113.7", "Shop.example.com", *(f"h{number}.example.com" for number in range(20))]},
    ],
    ids=range(4),
)
def test_what_the_api_takes_of_a_route_is_right(route: dict[str, Any]) -> None:
    assert errors_of({"ingress_routes": [{**ROUTE, **route}]}) == []


@pytest.mark.parametrize("hosts", [["*"], ["shop/*.example.com", "./a.example.com", "*/b.example.com"], ["*-eu.example.com"], ["203.0.113.7"]])
def test_hosts_of_istios_own_gateways_may_have_a_namespace_and_other_wildcards(hosts: list[str]) -> None:
    assert errors_of({"ingress_classic_gateways": [{**GATEWAY, "release": "edge", "hosts": hosts}]}) == []


def test_two_routes_for_one_host_and_path_are_a_sentence() -> None:
    first, second = {**ROUTE, "hosts": ["a.example.com"]}, {**ROUTE, "name": "other", "hosts": ["a.example.com", "b.example.com"]}
    (error,) = errors_of({"ingress_routes": [first, second]})
    assert "Route shop-edge/shop and Route shop-edge/other both send a.example.com / of gateway shop-edge/shop" in error, error
    for difference in (
        {"hosts": ["b.example.com"]},
        {"gateway": "other"},
        {"rules": [{**ROUTE["rules"][0], "path": "/other"}]},
        {"state": "absent"},
        {"spec": {"rules": [{"matches": [{"headers": [{"name": "x", "value": "y"}]}]}]}},
    ):
        assert errors_of({"ingress_routes": [first, {**second, **difference}]}) == []
    listeners = [{**first, "section_names": ["http"]}, {**second, "section_names": ["https"]}]
    assert errors_of({"ingress_routes": listeners}) == []


def test_a_route_cannot_have_the_name_of_a_redirect() -> None:
    edge = {**GATEWAY, "tls": "gateway", "certificate_refs": [{"name": "shop-cert"}], "redirect_http": True}
    (error,) = errors_of({"ingress_gateways": [edge], "ingress_routes": [{**ROUTE, "name": "shop-redirect-http"}]})
    assert "Route shop-edge/shop-redirect-http has the name of the route that redirect_http of Gateway shop-edge/shop makes" in error, error
    assert errors_of({"ingress_gateways": [{**edge, "redirect_http": False}], "ingress_routes": [{**ROUTE, "name": "shop-redirect-http"}]}) == []


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"mesh_waypoints": [GATEWAY], "ingress_gateways": [GATEWAY]}, "mesh_waypoints[0] and ingress_gateways[0] are both the Gateway shop-edge/shop"),
        (
            {"mesh_waypoints": [{**GATEWAY, "name": "shop-istio"}], "ingress_gateways": [GATEWAY]},
            "mesh_waypoints[0] and ingress_gateways[0] would both get the Service shop-edge/shop-istio",
        ),
        ({"mesh_waypoints": [GATEWAY], "istio_gateways": [GATEWAY]}, "mesh_waypoints[0] and istio_gateways[0] would both get the Service shop-edge/shop"),
        (
            {"ingress_gateways": [GATEWAY], "istio_gateways": [{**GATEWAY, "name": "shop-istio"}]},
            "ingress_gateways[0] and istio_gateways[0] would both get the Service shop-edge/shop-istio",
        ),
        ({"mesh_waypoints": [{"name": "istiod", "namespace": "istio-system"}]}, "would both get the Service istio-system/istiod"),
        (
            {"mesh_waypoints": [{"name": "istiod-blue", "namespace": "mesh"}], "istio_namespace": "mesh", "istio_istiod_values": {"revision": "blue"}},
            "would both get the Service mesh/istiod-blue",
        ),
        ({"mesh_waypoints": [{"name": "reviews", "namespace": "bookinfo"}], "bookinfo_enabled": True}, "which is that of the sample application"),
        ({"mesh_waypoints": [GATEWAY], "mesh_services": [GATEWAY]}, "which is that of mesh_services[0]"),
        ({"mesh_waypoints": [{"name": "cart", "namespace": "shop-edge"}], "ingress_routes": [ROUTE]}, "which is that of a backend of ingress_routes[0]"),
    ],
)
def test_two_items_that_get_one_name_are_a_sentence(variables: dict[str, Any], message: str) -> None:
    (error,) = errors_of(variables)
    assert message in error, error


@pytest.mark.parametrize(
    "variables",
    [
        {"mesh_waypoints": [GATEWAY], "ingress_gateways": [{**GATEWAY, "namespace": "other"}]},
        {"mesh_waypoints": [GATEWAY], "ingress_gateways": [{**GATEWAY, "state": "absent"}]},
        {"mesh_waypoints": [{**GATEWAY, "name": "shop-waypoint"}], "ingress_gateways": [GATEWAY], "istio_gateways": [GATEWAY]},
        {"mesh_waypoints": [GATEWAY], "istio_gateways": [{**GATEWAY, "service": {"type": "None"}}]},
        {"mesh_waypoints": [{"name": "reviews", "namespace": "bookinfo"}]},
        {"ingress_gateways": [GATEWAY], "mesh_services": [{**GATEWAY, "name": "shop-istio"}]},
        {"mesh_waypoints": [{"name": "istiod", "namespace": "istio-system"}], "istio_istiod_values": {"revision": "blue"}},
    ],
    ids=range(7),
)
def test_items_of_different_names_are_right(variables: dict[str, Any]) -> None:
    assert errors_of(variables) == []


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"eks_node_groups": [{"name": "general purpose"}]}, "eks_node_groups[0].name is 'general purpose' (15 characters): use at most 63"),
        ({"eks_node_groups": [{"name": "n" * 64}]}, "(64 characters): use at most 63"),
        ({"eks_node_groups": [{"name": "general", "ami_type": "AL2_x86_64"}]}, "only up to Kubernetes 1.32, not for 1.35: use AL2023_x86_64_STANDARD"),
        ({"eks_node_groups": [{"name": "general", "ami_type": "AL2_ARM_64", "version": "1.33"}]}, "not for 1.33: use AL2023_ARM_64_STANDARD"),
        ({"eks_node_groups": [{"name": "general", "ami_type": "al2023_x86_64_standard"}]}, "use a type of EKS"),
        ({"eks_node_groups": [{"name": "general", "labels": {"team": "a b"}}]}, "eks_node_groups[0].labels has team"),
        ({"eks_node_groups": [{"name": "general", "labels": {f"{'d' * 60}.example.com/team": "a"}}]}, "EKS takes at most 63 characters, the domain included"),
        ({"eks_node_groups": [{"name": "general", "taints": [{"key": "a b", "effect": "NO_EXECUTE"}]}]}, "eks_node_groups[0].taints has the key 'a b'"),
        (
            {"eks_node_groups": [{"name": "general", "taints": [{"key": "a", "effect": "NO_EXECUTE"}] * 2}]},
            "taints names a with the effect NO_EXECUTE more than once",
        ),
        ({"eks_node_groups": [{"name": "general", "max_unavailable": 0}]}, "eks_node_groups[0].max_unavailable is 0: use 1 to 100"),
        ({"eks_node_groups": [{"name": "general", "disk_size": 0}]}, "eks_node_groups[0].disk_size is 0"),
        ({"eks_addons": [{"name": "vpc cni"}]}, "eks_addons[0].name is 'vpc cni'"),
        ({"eks_cluster_name": "shop.eu"}, "eks_cluster_name is 'shop.eu' (the name of the host, unless it is set)"),
        ({"eks_role_path": "platform"}, "eks_role_path has 'platform'"),
        ({"eks_service_ipv4_cidr": "198.18.0.0/16"}, "use a private IPv4 range"),
        ({"eks_tags": {"team": "a", "Team": "b"}}, "one key for IAM"),
        (
            {"karpenter_enabled": True, "karpenter_ami_alias": "al2@latest"},
            "karpenter_ami_alias is al2@latest, but AWS has images of Amazon Linux 2 only up to",
        ),
        ({"karpenter_enabled": True, "karpenter_node_pools": [{"name": "a", "weight": 101}]}, "karpenter_node_pools[0].weight is 101: use 1 to 100"),
        ({"karpenter_enabled": True, "karpenter_node_pools": [{"name": "a", "labels": {"team": "a b"}}]}, "karpenter_node_pools[0].labels has team"),
        (
            {"alb_controller_enabled": True, "alb_controller_cluster_name": "c" * 60},
            "alb_controller_cluster_name is too long by 24 characters: the name of the IAM role",
        ),
        ({"aws_edge_web_acls": [{"name": "public acl"}]}, "aws_edge_web_acls[0].name is 'public acl'"),
        ({"aws_edge_web_acls": [{"name": "a"}, {"name": "a"}]}, "aws_edge_web_acls names a more than once"),
        ({"aws_edge_log_buckets": ["My_Logs"]}, "aws_edge_log_buckets has 'My_Logs'"),
        ({"aws_edge_log_buckets": ["logs", "logs"]}, "aws_edge_log_buckets names logs more than once"),
        (certificate(domain=f"{'a' * 60}.example.com"), "longer than 64 characters"),
        (certificate(domain="shop"), "which is not below a public domain"),
        ({"aws_edge_hosted_zones": ["*.example.com"]}, "a zone has no wildcard: use the domain, example.com"),
        ({"istio_gateways": [{"name": "g" * 54, "namespace": "edge"}]}, "use at most 53 lower-case letters"),
        ({"istio_gateways": [{"name": "edge.eu", "namespace": "edge"}]}, "istio_gateways[0].name is 'edge.eu'"),
    ],
)
def test_what_aws_and_helm_refuse_of_names_is_a_sentence(variables: dict[str, Any], message: str) -> None:
    errors = errors_of({**EKS, **variables})
    assert any(message in error for error in errors), errors


@pytest.mark.parametrize(
    "variables",
    [
        {
            "eks_node_groups": [
                {"name": "General_1-" + "n" * 53, "labels": {"team": "shop", "n": 5}, "taints": [{"key": "a", "value": "", "effect": "NO_EXECUTE"}]}
            ]
        },
        {
            "eks_node_groups": [
                {"name": "old", "ami_type": "AL2_x86_64", "version": "1.32"},
                {"name": "own", "ami_type": "CUSTOM", "launch_template": {"name": "own"}},
            ]
        },
        {"eks_node_groups": [{"name": "general", "taints": [{"key": "a", "effect": "NO_EXECUTE"}, {"key": "a", "effect": "NO_SCHEDULE"}]}]},
        {
            "eks_version": "1.32",
            "eks_node_groups": [{"name": "general", "ami_type": "AL2_x86_64_GPU"}],
            "karpenter_enabled": True,
            "karpenter_ami_alias": "al2@latest",
        },
        {"karpenter_enabled": True, "karpenter_ami_alias": "al2023@latest", "karpenter_node_pools": [{"name": "a", "weight": 100}]},
        {"eks_role_path": "/platform/eks/", "eks_service_ipv4_cidr": "172.20.0.0/16", "eks_tags": {"team": "a", "Stage": "b"}},
        {
            "aws_edge_hosted_zones": ["example.com", "_tcp.example.com", "example.org."],
            "aws_edge_log_buckets": ["shop-logs"],
            "aws_edge_web_acls": [{"name": "Public_1"}],
        },
        certificate(domain="*.Shop.example.com", subject_alternative_names=["shop.example.com"], hosted_zone="Z0123456789ABCDEFGHIJ"),
        {"istio_gateways": [{"name": "g" * 53, "namespace": "edge", "service": {"load_balancer_source_ranges": ["203.0.113.7/24"]}}]},
    ],
    ids=range(9),
)
def test_what_aws_and_helm_take_of_names_is_right(variables: dict[str, Any]) -> None:
    assert errors_of({**EKS, **variables}) == []
