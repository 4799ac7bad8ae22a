"""Gateways and their Network Load Balancers: annotations, the Service that fits, listeners, who may attach."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._gateway import nlb
from ansible_collections.meshwright.ambient.plugins.module_utils._gateway import render as gateway
from ansible_collections.meshwright.ambient.plugins.module_utils._gateway.spec import GATEWAY, find_gateway_errors, find_gateway_notes
from ansible_collections.meshwright.ambient.plugins.module_utils._ingress.annotation_values import is_protected, unprotect
from ansible_collections.meshwright.ambient.plugins.module_utils._ingress.spec import complete
from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.ingress_lists import choose_service_types

PREFIX = "service.beta.kubernetes.io/aws-load-balancer-"
ARN = "arn:aws:acm:eu-central-1:123456789012:certificate/5e5e4a3c-0b7a-4f0e-9d57-1d3f2c6b8a90"

CHECK = pytest.mark.requirement

# What is rendered of a load balancer without options.
DEFAULTS = {
    f"{PREFIX}type": "external",
    f"{PREFIX}nlb-target-type": "ip",
    f"{PREFIX}healthcheck-protocol": "HTTP",
    f"{PREFIX}healthcheck-port": "15021",
    f"{PREFIX}healthcheck-path": "/healthz/ready",
    f"{PREFIX}target-group-attributes": "deregistration_delay.timeout_seconds=30",
}


def item(**options: Any) -> Any:
    """An item of gateways with all its keys."""
    return complete([{"name": "edge", "namespace": "istio-ingress", **options}], GATEWAY)[0]


def balancer(**options: Any) -> Any:
    """A Network Load Balancer's options with all their keys."""
    return item(load_balancer="nlb", nlb=options)["nlb"]


def with_nlb(**options: Any) -> Any:
    """A gateway behind a Network Load Balancer with these options."""
    return item(load_balancer="nlb", nlb=options)


def test_nothing_said_renders_only_the_defaults() -> None:
    assert nlb.render_annotations(balancer()) == DEFAULTS


@pytest.mark.parametrize(
    ("options", "key", "value"),
    [
        pytest.param({}, "type", "external", marks=CHECK("F2")),
        pytest.param({"target_type": "ip"}, "nlb-target-type", "ip", marks=CHECK("F3")),
        pytest.param({"target_type": "instance"}, "nlb-target-type", "instance", marks=CHECK("F3")),
        pytest.param({"scheme": "internet-facing"}, "scheme", "internet-facing", marks=CHECK("F4")),
        pytest.param({"attributes": {"load_balancing.cross_zone.enabled": True}}, "attributes", "load_balancing.cross_zone.enabled=true", marks=CHECK("F5")),
        pytest.param({"cross_zone": True}, "attributes", "load_balancing.cross_zone.enabled=true", marks=CHECK("F5")),
        pytest.param({"certificate_arns": [ARN]}, "ssl-cert", ARN, marks=CHECK("F6")),
        pytest.param({"certificate_arns": [ARN, f"{ARN}0"]}, "ssl-cert", f"{ARN},{ARN}0", marks=CHECK("F6")),
        pytest.param({"certificate_arns": [ARN]}, "ssl-ports", "443", marks=CHECK("F7")),
        pytest.param({"certificate_arns": [ARN], "ssl_ports": [443, 8443]}, "ssl-ports", "443,8443", marks=CHECK("F7")),
        pytest.param({"certificate_arns": [ARN]}, "ssl-negotiation-policy", "ELBSecurityPolicy-TLS13-1-2-2021-06"),
        pytest.param({"name": "edge"}, "name", "edge"),
        pytest.param({"subnets": ["subnet-0a", "subnet-0b"]}, "subnets", "subnet-0a,subnet-0b", marks=CHECK("A4")),
        pytest.param({"tags": {"b": "2", "a": "1"}}, "additional-resource-tags", "a=1,b=2", marks=CHECK("A9")),
        pytest.param({"ip_address_type": "dualstack"}, "ip-address-type", "dualstack"),
        pytest.param({"eip_allocations": ["eipalloc-1", "eipalloc-2"]}, "eip-allocations", "eipalloc-1,eipalloc-2"),
        pytest.param({"security_groups": ["sg-0a"]}, "security-groups", "sg-0a"),
        pytest.param({"proxy_protocol": True}, "proxy-protocol", "*"),
        pytest.param({"proxy_protocol": True}, "healthcheck-protocol", "TCP", marks=CHECK("F11")),
        pytest.param({"health_check": {"protocol": "TCP"}}, "healthcheck-port", "traffic-port", marks=CHECK("F11")),
        pytest.param({"target_type": "instance", "expose_status_port": True}, "healthcheck-port", "status-port", marks=CHECK("F11")),
        pytest.param({"health_check": {"interval": 10}}, "healthcheck-interval", "10"),
        pytest.param({"health_check": {"timeout": 5}}, "healthcheck-timeout", "5"),
        pytest.param({"health_check": {"healthy_threshold": 2}}, "healthcheck-healthy-threshold", "2"),
        pytest.param({"health_check": {"unhealthy_threshold": 2}}, "healthcheck-unhealthy-threshold", "2"),
        pytest.param({"health_check": {"success_codes": "200"}}, "healthcheck-success-codes", "200"),
        pytest.param(
            {"preserve_client_ip": True},
            "target-group-attributes",
            "deregistration_delay.timeout_seconds=30,preserve_client_ip.enabled=true",
            marks=CHECK("F11"),
        ),
        pytest.param({"deletion_protection": True}, "attributes", "deletion_protection.enabled=true"),
        pytest.param({"access_logs": {"enabled": False}}, "attributes", "access_logs.s3.enabled=false"),
    ],
)
def test_an_option_renders_its_annotation(options: dict[str, Any], key: str, value: str) -> None:
    assert nlb.render_annotations(balancer(**options))[f"{PREFIX}{key}"] == value


@pytest.mark.requirement("N2")
def test_one_load_balancer_has_both_families_of_annotations() -> None:
    everything = balancer(scheme="internet-facing", cross_zone=True, certificate_arns=[ARN])
    expected = {
        "type": "external",
        "nlb-target-type": "ip",
        "scheme": "internet-facing",
        "attributes": "load_balancing.cross_zone.enabled=true",
        "ssl-cert": ARN,
        "ssl-ports": "443",
    }
    rendered = nlb.render_annotations(everything)
    assert {name: rendered.get(f"{PREFIX}{name}") for name in expected} == expected


@pytest.mark.requirement("F11")
def test_nodes_are_probed_as_the_controller_does_it_by_default() -> None:
    keys = nlb.render_annotations(balancer(target_type="instance"))
    assert not [key for key in keys if "healthcheck" in key], "port 15021 of a node is nobody's"


@pytest.mark.requirement("F8")
def test_what_hands_the_service_over_stands_on_the_gateway_and_the_rest_reaches_the_service_by_its_overlay() -> None:
    desired = with_nlb(name="edge", scheme="internet-facing", certificate_arns=[ARN], cross_zone=True, tags={"a": "b"}, subnets=["subnet-0a", "subnet-0b"])
    on_gateway = gateway.render_gateway(desired)["spec"]["infrastructure"]["annotations"]
    overlay = gateway.overlays_of(desired)["service"]["metadata"]["annotations"]
    assert len(on_gateway) <= 8, "the Gateway API takes at most 8 annotations"
    assert not set(on_gateway) & set(overlay)
    balancers = {key: value for key, value in on_gateway.items() if key.startswith(PREFIX)}
    assert {**balancers, **overlay} == gateway.service_annotations(desired)


@pytest.mark.requirement("F1")
@pytest.mark.requirement("D12")
@pytest.mark.requirement("M26")
@pytest.mark.parametrize(
    ("options", "target_types", "kind"),
    [
        pytest.param({}, [], "ClusterIP"),
        pytest.param({"load_balancer": "nlb"}, [], "LoadBalancer", marks=CHECK("N1")),
        pytest.param({"load_balancer": "alb"}, ["ip"], "ClusterIP", marks=CHECK("E3", "M1", "M2", "N1")),
        pytest.param({"load_balancer": "alb"}, ["instance"], "NodePort", marks=CHECK("E2", "M1", "M2", "N1")),
        pytest.param({"load_balancer": "alb"}, ["ip", "instance"], "NodePort", marks=CHECK("M1", "M2")),
        # Only if somebody insists: it is noted when it is validated.
        pytest.param({"load_balancer": "alb", "service_type": "LoadBalancer"}, ["ip"], "LoadBalancer"),
    ],
)
def test_the_service_has_the_type_that_fits_from_the_start(options: dict[str, Any], target_types: list[str], kind: str) -> None:
    albs = [{"namespace": "istio-ingress", "name": "a", "gateway": "edge", "target_type": target_type} for target_type in target_types]
    (desired,) = choose_service_types([item(**options)], albs)
    config_map = gateway.render_gateway_parameters(desired)
    assert json.loads(config_map["data"]["service"])["spec"]["type"] == kind
    assert gateway.render_gateway(desired)["spec"]["infrastructure"]["parametersRef"]["name"] == config_map["metadata"]["name"]


def test_no_listener_is_made_for_the_status_port_unless_it_is_asked_for() -> None:
    hidden = gateway.overlays_of(with_nlb())["service"]["spec"]
    assert hidden["ports"] == [{"port": 15021, "$patch": "delete"}]
    assert "ports" not in gateway.overlays_of(with_nlb(expose_status_port=True))["service"]["spec"]
    assert "ports" not in gateway.overlays_of(item(load_balancer="alb"))["service"]["spec"], "an ALB finds the health check's port by its name"


@pytest.mark.requirement("F10")
def test_source_ranges_and_traffic_policy_reach_the_service() -> None:
    spec = gateway.overlays_of(with_nlb(source_ranges=["10.0.0.0/8"], external_traffic_policy="Local"))["service"]["spec"]
    assert spec["loadBalancerSourceRanges"] == ["10.0.0.0/8"]
    assert spec["externalTrafficPolicy"] == "Local"


@pytest.mark.requirement("E35")
@pytest.mark.parametrize(
    ("options", "config"),
    [
        ({"load_balancer": "alb"}, {"gatewayTopology": {"numTrustedProxies": 1}, "terminationDrainDuration": "30s"}),
        ({"load_balancer": "alb", "trusted_proxies": 2, "drain_seconds": 60}, {"gatewayTopology": {"numTrustedProxies": 2}, "terminationDrainDuration": "60s"}),
        ({"load_balancer": "nlb", "nlb": {"proxy_protocol": True}}, {"gatewayTopology": {"proxyProtocol": {}}, "terminationDrainDuration": "30s"}),
        ({"load_balancer": "alb", "trusted_proxies": 0, "drain_seconds": 0}, None),
        ({}, None),
    ],
)
def test_the_gateway_knows_what_stands_in_front(options: dict[str, Any], config: dict[str, Any] | None) -> None:
    written = gateway.infrastructure_annotations(item(**options)).get("proxy.istio.io/config")
    assert (json.loads(written) if written else None) == config


@pytest.mark.requirement("E35")
def test_pods_live_longer_than_they_drain() -> None:
    template = gateway.overlays_of(item(load_balancer="alb"))["deployment"]["spec"]["template"]
    assert template["spec"]["terminationGracePeriodSeconds"] == 45


@pytest.mark.requirement("D4")
@pytest.mark.requirement("D5")
def test_tls_at_the_load_balancer_is_http_on_443() -> None:
    rendered = gateway.render_gateway(item(load_balancer="nlb", hosts=["*.example.com"], tls="load_balancer", nlb={"certificate_arns": [ARN]}))
    assert rendered["apiVersion"] == "gateway.networking.k8s.io/v1"
    assert rendered["spec"]["gatewayClassName"] == "istio"
    found = [(one["name"], one["port"], one["protocol"], one["hostname"]) for one in rendered["spec"]["listeners"]]
    assert found == [("http", 80, "HTTP", "*.example.com"), ("https", 443, "HTTP", "*.example.com")]


@pytest.mark.requirement("D5")
def test_tls_at_the_gateway_is_https_with_certificates() -> None:
    listeners = gateway.listeners_of(item(tls="gateway", certificate_refs=[{"name": "shop-tls"}]))
    assert listeners[1]["protocol"] == "HTTPS"
    assert listeners[1]["tls"] == {"mode": "Terminate", "certificateRefs": [{"name": "shop-tls"}]}


@pytest.mark.requirement("D6")
def test_each_host_has_listeners_of_its_own() -> None:
    listeners = gateway.listeners_of(item(hosts=["*.example.com", "example.com"]))
    assert [(one["name"], one["hostname"]) for one in listeners] == [("http", "*.example.com"), ("http-example-com", "example.com")]


def test_hosts_that_differ_by_a_dash_for_a_dot_get_listeners_of_different_names() -> None:
    hosts = ["shop.example.com", "a-b.example.com", "a.b.example.com", "*.example.com", "wildcard.example.com", ".".join(["a" * 63] * 3 + ["a" * 61])]
    names = [one["name"] for one in gateway.listeners_of(item(hosts=hosts, tls="gateway", certificate_refs=[{"name": "x"}]))]
    assert names[:4] == ["http", "https", "http-a-b-example-com", "https-a-b-example-com"], "names of listeners that exist must stay"
    assert len(set(names)) == 2 * len(hosts)
    assert not find_gateway_errors(item(hosts=hosts[:5]))
    assert max(map(len, names)) <= 253
    # The name of a listener does not depend on the hosts behind it.
    assert [one["name"] for one in gateway.listeners_of(item(hosts=hosts[:3]))] == [name for name in names[:6] if not name.startswith("https")]


def with_listeners(*listeners: dict[str, Any], **options: Any) -> Any:
    """A gateway with these listeners, each completed by a name and a port."""
    return item(listeners=[{"name": f"l{number}", "port": 8000 + number, **listener} for number, listener in enumerate(listeners)], **options)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            item(hosts=[f"t{number}.example.com" for number in range(33)], tls="gateway", certificate_refs=[{"name": "x"}]),
            "hosts has 33 entries, which make 66",
        ),
        (item(hosts=[f"t{number}.example.com" for number in range(65)]), "replace hosts by a wildcard such as *.example.com, or move some to a second gateway"),
        (with_listeners(*({} for _number in range(65))), "listeners has 65 entries, but a Gateway has at most 64"),
        (
            with_listeners(*({"port": 80, "hostname": f"t{number}.example.com"} for number in range(33)), {"port": 443}, redirect_http=True),
            "an HTTPRoute to 33 listeners, and the Gateway API allows 32",
        ),
        (with_listeners({"port": 80}, {"port": 80}), "listeners has HTTP 80 of every host more than once"),
        (with_listeners({"hostname": "Shop.example.com"}), "listener l0: hostname has 'Shop.example.com'"),
        (with_listeners({"name": "HTTP"}), "listener HTTP: name is 'HTTP'"),
        (with_listeners({"port": 0}), "listener l0: port is 0: use 1 to 65535"),
        (with_listeners({"protocol": "TCP", "hostname": "shop.example.com"}), "listener l0 is TCP, which knows no hosts"),
        (with_listeners({"certificate_refs": [{"name": "x"}]}), "listener l0 is HTTP, which has no TLS"),
        (with_listeners({"protocol": "TLS"}), "says neither where TLS ends nor with which certificate"),
        (with_listeners({"protocol": "HTTPS", "tls_mode": "Passthrough", "certificate_refs": [{"name": "x"}]}), "HTTPS ends at the gateway"),
        (item(hosts=["a.example.com", "a.example.com"]), "hosts names a.example.com more than once"),
        (item(labels={f"l{number}": "x" for number in range(9)}), "labels has 9 entries, and the Gateway API allows 8"),
        (item(labels={"team": "a b"}), "labels has team with the value 'a b'"),
        (item(revision="1_31!"), "revision has istio.io/rev"),
        (item(name="g" * 58), "which is longer than 63 characters"),
        (item(route_namespaces=["Shop"]), "route_namespaces is 'Shop'"),
        (item(replicas=-1), "replicas is -1"),
        (with_nlb(source_ranges=["203.0.113.7"]), "nlb.source_ranges has '203.0.113.7'"),
        (with_nlb(source_ranges=["2001:db8::/32"]), "set ip_address_type to dualstack"),
        (with_nlb(tags={"a;b": "c"}), "nlb.tags has the key 'a;b'"),
        (with_nlb(health_check={"interval": 3}), "nlb.health_check.interval is 3"),
        (with_nlb(access_logs={"enabled": True, "bucket": "My_Logs"}), "nlb.access_logs.bucket has 'My_Logs'"),
    ],
)
def test_what_the_apis_refuse_of_a_gateway_is_a_sentence(given: Any, message: str) -> None:
    errors = find_gateway_errors(given)
    assert any(message in error for error in errors), errors


@pytest.mark.parametrize(
    "given",
    [
        item(hosts=[f"t{number}.example.com" for number in range(32)], tls="gateway", certificate_refs=[{"name": "x"}], redirect_http=True),
        item(hosts=[f"t{number}.example.com" for number in range(64)]),
        with_listeners({"port": 80, "hostname": "a.example.com"}, {"port": 80, "hostname": "b.example.com"}, {"port": 80}, {"port": 81}),
        with_listeners({"protocol": "TLS", "tls_mode": "Passthrough", "hostname": "a.example.com"}, {"protocol": "TCP"}),
        with_listeners({"protocol": "TLS", "certificate_refs": [{"name": "x.y", "namespace": "certs"}]}),
        item(name="g" * 57, labels={"team": "shop", "example.com/n": 5}, revision="1-31-1"),
        with_nlb(source_ranges=["203.0.113.7/32", "10.0.0.0/8"], tags={"cost center": "a@b"}),
        with_nlb(source_ranges=["2001:db8::/32"], ip_address_type="dualstack"),
    ],
    ids=range(8),
)
def test_what_the_apis_take_of_a_gateway_is_right(given: Any) -> None:
    assert find_gateway_errors(given) == []


@pytest.mark.requirement("D7")
@pytest.mark.parametrize(
    ("routes", "namespaces"),
    [
        (None, {"from": "Same"}),
        ({"from": "All"}, {"from": "All"}),
        ({"from": "Selector"}, {"from": "Selector", "selector": {"matchLabels": {"shared-gateway-access": "true"}}}),
        ({"from": "Selector", "selector": {"matchLabels": {"team": "shop"}}}, {"from": "Selector", "selector": {"matchLabels": {"team": "shop"}}}),
    ],
)
def test_who_may_attach(routes: dict[str, Any] | None, namespaces: dict[str, Any]) -> None:
    assert gateway.listeners_of(item(allowed_routes=routes))[0]["allowedRoutes"]["namespaces"] == namespaces


@pytest.mark.requirement("D7")
def test_each_listener_may_have_its_own_setting() -> None:
    given = [{"name": "a", "port": 80}, {"name": "b", "port": 81, "allowed_routes": {"from": "All"}}]
    listeners = gateway.listeners_of(item(listeners=given, allowed_routes={"from": "Selector"}))
    assert [one["allowedRoutes"]["namespaces"]["from"] for one in listeners] == ["Selector", "All"]


@pytest.mark.requirement("M14")
def test_the_redirect_is_attached_to_plain_http_alone() -> None:
    route = gateway.render_redirect(item(hosts=["*.example.com", "example.com"], tls="gateway", certificate_refs=[{"name": "x"}], redirect_http=True))
    assert [parent["sectionName"] for parent in route["spec"]["parentRefs"]] == ["http", "http-example-com"]
    assert route["spec"]["rules"][0]["filters"][0]["requestRedirect"] == {"scheme": "https", "statusCode": 301}


@pytest.mark.requirement("M14")
@pytest.mark.parametrize("who", ["All", "Selector", "Same"])
def test_a_port_that_only_redirects_takes_no_routes_of_others(who: str) -> None:
    given = item(tls="gateway", certificate_refs=[{"name": "x"}], redirect_http=True, allowed_routes={"from": who})
    found = {listener["port"]: listener["allowedRoutes"]["namespaces"]["from"] for listener in gateway.listeners_of(given)}
    assert found == {80: "Same", 443: who}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"load_balancer": "nlb", "service_type": "ClusterIP"}, "omit service_type"),
        ({"nlb": {"name": "x"}}, "set load_balancer to nlb, or remove nlb"),
        ({"load_balancer": "alb", "tls": "load_balancer"}, "set the certificates in the item of the ALB"),
        ({"load_balancer": "nlb", "tls": "load_balancer"}, "nlb has no certificate"),
        ({"tls": "load_balancer"}, "load_balancer is none"),
        ({"load_balancer": "nlb", "nlb": {"certificate_arns": [ARN]}}, "the gateway has no listener at that port"),
        (
            {"load_balancer": "nlb", "tls": "gateway", "certificate_refs": [{"name": "x"}], "nlb": {"certificate_arns": [ARN]}},
            "TLS terminates in one place only",
        ),
        ({"tls": "gateway"}, "certificate_refs is empty"),
        (
            {"tls": "gateway", "certificate_refs": [{"name": f"c{number}"} for number in range(65)]},
            "certificate_refs has 65 entries, and the Gateway API allows 64",
        ),
        (
            {"listeners": [{"name": "a", "port": 443, "protocol": "HTTPS", "certificate_refs": [{"name": f"c{number}"} for number in range(65)]}]},
            "listener a: certificate_refs has 65 entries",
        ),
        ({"redirect_http": True}, "no listener at port 443"),
        ({"redirect_http": True, "load_balancer": "alb"}, "a redirect loop"),
        ({"name": "Edge"}, "lower-case letters"),
        ({"hosts": ["exa mple.com"]}, "use a host name"),
        ({"load_balancer": "nlb", "drain_seconds": 10}, "pods would terminate"),
        ({"load_balancer": "nlb", "nlb": {"target_type": "instance", "health_check": {"port": "15021"}}}, "would probe port 15021 of the nodes"),
        ({"load_balancer": "nlb", "nlb": {"health_check": {"port": "status-port"}}}, "has no such port"),
        ({"load_balancer": "nlb", "nlb": {"proxy_protocol": True, "health_check": {"protocol": "HTTP", "port": "15021"}}}, "answers them with 400"),
        ({"load_balancer": "nlb", "nlb": {"proxy_protocol": True, "preserve_client_ip": True}}, "choose one"),
        ({"load_balancer": "nlb", "nlb": {"eip_allocations": ["eipalloc-1"]}}, "require scheme internet-facing"),
        ({"load_balancer": "nlb", "nlb": {"name": "x" * 33}}, "at most 32"),
        ({"load_balancer": "nlb", "nlb": {"annotations": {f"{PREFIX}type": "nlb"}}}, "the options already set"),
        ({"annotations": {f"{PREFIX}type": "nlb"}}, "is an annotation of the load balancer"),
        ({"annotations": {f"example.com/{number}": "x" for number in range(9)}}, "allows at most 8"),
        ({"overlays": {"pod": {}}}, "istiod knows"),
        ({"listeners": [{"name": "a", "port": 80}], "hosts": ["example.com"]}, "set either listeners or these"),
        ({"listeners": [{"name": "a", "port": 80}, {"name": "a", "port": 81}]}, "more than once"),
        ({"listeners": [{"name": "a", "port": 443, "protocol": "HTTPS"}]}, "without certificate_refs"),
        ({"route_namespaces": ["shop"]}, "their labels would have no effect"),
    ],
)
def test_an_error_says_what_to_do(options: dict[str, Any], message: str) -> None:
    errors = find_gateway_errors(item(**options))
    assert any(message in error for error in errors), errors


@pytest.mark.requirement("F7")
def test_a_certificate_for_every_port_is_noted() -> None:
    desired = item(load_balancer="nlb", tls="load_balancer", nlb={"certificate_arns": [ARN], "ssl_ports": []})
    assert any("every listener would terminate TLS" in note for note in find_gateway_notes(desired))


def test_a_second_load_balancer_is_noted() -> None:
    assert any("creates another load balancer" in note for note in find_gateway_notes(item(load_balancer="alb", service_type="LoadBalancer")))


def test_deletion_protection_is_read_and_taken_off() -> None:
    attributes = "load_balancing.cross_zone.enabled=true,deletion_protection.enabled=true"
    assert is_protected(attributes)
    assert unprotect(attributes) == "deletion_protection.enabled=false,load_balancing.cross_zone.enabled=true"
    assert not is_protected(unprotect(attributes))
    assert not is_protected("")
