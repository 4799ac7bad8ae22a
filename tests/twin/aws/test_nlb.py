"""Network Load Balancers, made by the real controller from what the module ingress_gateway writes: each option is read back from the AWS API."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.polling import until
from tests.twin.support.edge import Balancer, Edge, health_check, opened, proxy_config_of
from tests.twin.support.rehearsed import Rehearsed

_LOGS = "shop-example-com-access-logs"
# What role istio does about istio_gateways, without the rest of the mesh, which is there.
_GATEWAYS_OF_ISTIO = [
    {
        "hosts": "clusters",
        "gather_facts": False,
        "module_defaults": {"group/meshwright.ambient.mesh": {"kubeconfig": "{{ cluster_kubeconfig }}"}},
        "tasks": [{"ansible.builtin.include_role": {"name": "meshwright.ambient.istio", "tasks_from": "gateways"}}],
    }
]


@pytest.fixture(scope="module")
def edge(prod: Rehearsed) -> Iterator[Edge]:
    """A namespace for the gateways of these tests."""
    made = Edge(prod, "nlbs")
    yield made
    prod.kubectl("delete", "namespace", made.namespace, "--ignore-not-found", "--wait=false")


@pytest.fixture(scope="module")
def certificates(edge: Edge) -> Iterator[list[str]]:
    with edge.certificates(("*.example.org", "example.org"), ("example.net",)) as made:
        yield made


class Whole:
    """One NLB with ip targets for which nearly every option is set."""

    def __init__(self, edge: Edge, certificates: list[str]) -> None:
        self.edge = edge
        self.subnets = edge.public_subnets()
        self.options = {
            "scheme": "internet-facing",
            "target_type": "ip",
            "subnets": self.subnets,
            "cross_zone": True,
            "attributes": {"dns_record.client_routing_policy": "availability_zone_affinity"},
            "access_logs": {"enabled": True, "bucket": _LOGS, "prefix": "whole"},
            "certificate_arns": certificates,
            "ssl_ports": [443],
            "ssl_policy": "ELBSecurityPolicy-TLS13-1-2-Res-2021-06",
            "tags": {"Team": "edge", "Purpose": "test"},
            "deregistration_delay": 20,
            "preserve_client_ip": True,
            "health_check": {"interval": 20, "timeout": 5, "healthy_threshold": 2, "unhealthy_threshold": 4, "success_codes": "200-204"},
        }
        ranges = {"source_ranges": ["192.0.2.0/24", "198.51.100.0/24"]}
        nlb = {"name": "whole-nlb", **self.options, **ranges}
        # Nobody has given the gateway's namespace the label that lets routes in; the redirect is let in all the same.
        redirect = {"redirect_http": True, "allowed_routes": {"from": "Selector"}}
        self.item = edge.gateway("whole", load_balancer="nlb", hosts=["*.example.org"], tls="load_balancer", nlb=nlb, **redirect)
        self.made = edge.declare(gateways=[self.item])

    @property
    def balancer(self) -> Balancer:
        return self.edge.balancer("whole-nlb")


@pytest.fixture(scope="module")
def whole(edge: Edge, certificates: list[str]) -> Iterator[Whole]:
    """It is made once for the tests that look at it."""
    try:
        yield Whole(edge, certificates)
    finally:
        edge.remove("whole")


@pytest.mark.requirement("D11", "F1")
def test_the_answer_names_what_was_made_and_a_second_run_changes_nothing(whole: Whole) -> None:
    (gateway,) = whole.made["gateways"]
    assert (gateway["service"], gateway["deployment"], gateway["service_type"]) == ("whole-istio", "whole-istio", "LoadBalancer")
    assert gateway["address"] == whole.balancer.host
    again = whole.edge.declare(gateways=[whole.item])
    assert not again["changed"], again["diff"]


@pytest.mark.requirement("F2", "F4", "F8")
def test_it_is_the_controllers_and_faces_the_internet(whole: Whole) -> None:
    balancer = whole.balancer
    assert balancer.kind == ("network", "internet-facing")
    assert balancer.tags["service.k8s.aws/stack"] == f"{whole.edge.namespace}/whole-istio", "the controller has not made it from the Gateway's Service"
    assert balancer.subnets == whole.subnets


@pytest.mark.requirement("F5")
def test_attributes_logs_and_tags(whole: Whole) -> None:
    balancer = whole.balancer
    assert {
        "load_balancing.cross_zone.enabled": "true",
        "dns_record.client_routing_policy": "availability_zone_affinity",
        "access_logs.s3.enabled": "true",
        "access_logs.s3.bucket": _LOGS,
        "access_logs.s3.prefix": "whole",
    }.items() <= balancer.attributes.items()
    assert {"Team": "edge", "Purpose": "test"}.items() <= balancer.tags.items()


@pytest.mark.requirement("F6", "F7", "F11")
def test_tls_ends_at_one_port_and_the_status_port_has_no_listener(whole: Whole, certificates: list[str]) -> None:
    balancer = whole.balancer
    assert balancer.protocols == {80: "TCP", 443: "TLS"}, "15021 must have no listener, and 80 no TLS"
    first, *others = certificates
    assert balancer.certificates(443) == (first, sorted(others))
    assert balancer.listeners[443]["SslPolicy"] == "ELBSecurityPolicy-TLS13-1-2-Res-2021-06"


@pytest.mark.requirement("F3", "F11")
def test_ip_targets_are_pods_that_are_asked_on_their_status_port(whole: Whole) -> None:
    balancer = whole.balancer
    (pod,) = whole.edge.get("pods", "-l", "gateway.networking.k8s.io/gateway-name=whole")["items"]
    assert [group["TargetType"] for group in balancer.groups] == ["ip", "ip"]
    assert {target for group in balancer.groups for target in balancer.targets(group)} == {(pod["status"]["podIP"], 80), (pod["status"]["podIP"], 443)}
    for group in balancer.groups:
        assert health_check(group) == {
            "Protocol": "HTTP",
            "Port": "15021",
            "Path": "/healthz/ready",
            "Enabled": True,
            "IntervalSeconds": 20,
            "TimeoutSeconds": 5,
            "HealthyThresholdCount": 2,
            "UnhealthyThresholdCount": 4,
            "Matcher": {"HttpCode": "200-204"},
        }
        desired = {"deregistration_delay.timeout_seconds": "20", "preserve_client_ip.enabled": "true"}
        assert desired.items() <= balancer.attributes_of(group).items()


@pytest.mark.requirement("F10")
def test_only_the_named_ranges_may_connect(whole: Whole) -> None:
    ranges = ["192.0.2.0/24", "198.51.100.0/24"]
    assert {port: sorted(found) for port, found in opened(whole.edge, whole.balancer).items()} == {80: ranges, 443: ranges}


@pytest.mark.requirement("F9")
def test_a_charts_gateway_gets_the_same_load_balancer(edge: Edge, whole: Whole, tmp_path: Path) -> None:
    playbook = tmp_path / "gateways.yml"
    playbook.write_text(json.dumps(_GATEWAYS_OF_ISTIO))
    nlb = {"name": "chart-nlb", **whole.options}
    service = {
        "type": "LoadBalancer",
        "ports": [{"name": "http2", "port": 80, "targetPort": 80}, {"name": "https", "port": 443, "targetPort": 443}],
        "annotations": "{{ door | meshwright.ambient.load_balancer_annotations }}",
        "load_balancer_source_ranges": ["192.0.2.0/24", "198.51.100.0/24"],
    }
    release = {"name": "door", "namespace": edge.namespace, "replicas": 1, "service": service}
    given = {"door": nlb, "istio_gateways": [release], "cluster_kubeconfig": edge.kubeconfig}
    try:
        done = edge.account.play(str(playbook), "-e", json.dumps(given))
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
        until(lambda: len(edge.balancer("chart-nlb").listeners) == 2, "the listeners of chart-nlb", 30)
        balancer = edge.balancer("chart-nlb")
        assert balancer.tags["service.k8s.aws/stack"] == f"{edge.namespace}/door"
        assert balancer.options() == whole.balancer.options()
        assert opened(edge, balancer) == opened(edge, whole.balancer)
    finally:
        edge.run("helm", "uninstall", "door", "-n", edge.namespace, "--ignore-not-found", "--wait")


@pytest.mark.requirement("F3", "F4", "F10")
def test_instance_targets_with_the_local_policy_are_asked_by_kube_proxys_own_check(edge: Edge) -> None:
    nlb = {"name": "local-nlb", "target_type": "instance", "external_traffic_policy": "Local"}
    try:
        edge.declare(gateways=[edge.gateway("local", load_balancer="nlb", nlb=nlb)])
        balancer, service = edge.balancer("local-nlb"), edge.get("service", "local-istio")
        assert balancer.kind == ("network", "internal"), "if omitted, the scheme is the controller's default"
        assert balancer.subnets == edge.private_subnets()
        group = balancer.group
        assert (group["TargetType"], group["Port"]) == ("instance", edge.node_ports("local-istio")["http"])
        assert (group["HealthCheckProtocol"], group["HealthCheckPort"]) == ("HTTP", str(service["spec"]["healthCheckNodePort"]))
        nodes = {node["spec"]["providerID"].rpartition("/")[2] for node in edge.account.get("nodes")["items"]}
        assert {target for target, _port in balancer.targets(group)} == nodes
    finally:
        edge.remove("local")


@pytest.mark.requirement("F10")
def test_each_subnet_has_the_address_that_was_given(edge: Edge) -> None:
    ec2, subnets = edge.client("ec2"), edge.public_subnets()
    addresses = {each["AllocationId"]: each["PublicIp"] for each in (ec2.allocate_address(Domain="vpc") for _subnet in subnets)}
    nlb = {"name": "fixed-nlb", "scheme": "internet-facing", "subnets": subnets, "eip_allocations": list(addresses)}
    item = edge.gateway("fixed", load_balancer="nlb", nlb=nlb)
    try:
        edge.declare(gateways=[item])
        zones = edge.balancer("fixed-nlb").described["AvailabilityZones"]
        found = {zone["SubnetId"]: [(each["AllocationId"], each["IpAddress"]) for each in zone["LoadBalancerAddresses"]] for zone in zones}
        assert found == {subnet: [pair] for subnet, pair in zip(subnets, addresses.items(), strict=True)}
        again = edge.declare(gateways=[item])
        assert not again["changed"], again["diff"]
    finally:
        edge.remove("fixed")
        for allocation in addresses:
            ec2.release_address(AllocationId=allocation)


@pytest.mark.requirement("F2")
def test_proxy_protocol_is_probed_by_tcp_and_understood_and_the_guard_and_the_type_hold(edge: Edge) -> None:
    item = edge.gateway("proxied", load_balancer="nlb", nlb={"name": "proxied-nlb", "proxy_protocol": True, "deletion_protection": True})
    try:
        edge.declare(gateways=[item])
        balancer = edge.balancer("proxied-nlb")
        assert balancer.attributes_of(balancer.group)["proxy_protocol_v2.enabled"] == "true"
        assert (balancer.group["HealthCheckProtocol"], balancer.group["HealthCheckPort"]) == ("TCP", "traffic-port")
        config, _grace = proxy_config_of(edge, "proxied")
        assert config["gatewayTopology"] == {"proxyProtocol": {}}
        assert balancer.attributes["deletion_protection.enabled"] == "true"
        _refused(edge, edge.gone("proxied"), "has deletion protection")
        _refused(edge, {**item, "load_balancer": "none", "nlb": None}, "would leave the old load balancer behind in AWS")
        _refused(edge, {**item, "nlb": {**item["nlb"], "name": "other"}}, "nlb.name would change from proxied-nlb to other")
        edge.declare(gateways=[edge.gone("proxied")], override_deletion_protection=True)
        assert "proxied-nlb" not in edge.names()
    finally:
        edge.remove("proxied")


def _refused(edge: Edge, item: dict[str, Any], why: str) -> None:
    result = edge.module(gateways=[item])
    assert result.get("failed"), f"it was not refused, although it {why}"
    assert why in result["msg"]
    assert "proxied-nlb" in edge.names()
