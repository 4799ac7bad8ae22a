"""Application Load Balancers, made by the real controller from what the module ingress_alb writes: each option is read back from the AWS API."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.pages import page
from tests.polling import until
from tests.twin.support.certificates import make_certificate
from tests.twin.support.edge import Balancer, Edge, health_check, opened, proxy_config_of
from tests.twin.support.rehearsed import Rehearsed

_LOGS = "shop-example-com-access-logs"
_HEALTH = {"protocol": "HTTP", "port": "status-port", "path": "/healthz/ready", "interval": 20, "timeout": 4, "healthy_threshold": 3, "unhealthy_threshold": 4}


@pytest.fixture(scope="module")
def edge(prod: Rehearsed) -> Iterator[Edge]:
    """A namespace for the gateways of these tests."""
    made = Edge(prod, "albs")
    yield made
    prod.kubectl("delete", "namespace", made.namespace, "--ignore-not-found", "--wait=false")


class Whole:
    """One ALB with ip targets for which nearly every option is set."""

    def __init__(self, edge: Edge, certificates: list[str], web_acl: str) -> None:
        self.edge = edge
        self.certificates = certificates
        self.web_acl = web_acl
        self.subnets = edge.public_subnets()
        self.desired = {"gateways": [edge.gateway("whole", drain_seconds=40)], "albs": [self._item()]}
        self.foretold = edge.module(check=True, **self.desired)
        self.names_after_check = edge.names()
        self.made = edge.declare(**self.desired)

    def _item(self) -> dict[str, Any]:
        return self.edge.alb(
            "whole",
            load_balancer_name="whole-alb",
            scheme="internet-facing",
            target_type="ip",
            subnets=self.subnets,
            hosts=["*.example.org", "example.org"],
            listen_ports=[{"HTTP": 80}, {"HTTPS": 443}],
            certificate_arns=self.certificates,
            ssl_policy="ELBSecurityPolicy-TLS-1-2-Ext-2018-06",
            ssl_redirect=443,
            health_check={**_HEALTH, "success_codes": "200-204"},
            tags={"Team": "Metashare", "Stage": "test"},
            attributes={"routing.http.drop_invalid_header_fields.enabled": True},
            access_logs={"enabled": True, "bucket": _LOGS, "prefix": "whole"},
            deletion_protection=True,
            idle_timeout=90,
            waf_acl_arn=self.web_acl,
            shield=True,
            inbound_cidrs=["192.0.2.0/24"],
            deregistration_delay=25,
            target_group_attributes={"load_balancing.algorithm.type": "least_outstanding_requests"},
            annotations={"alb.ingress.kubernetes.io/backend-protocol-version": "HTTP2"},
        )

    @property
    def balancer(self) -> Balancer:
        return self.edge.balancer("whole-alb")


@pytest.fixture(scope="module")
def whole(edge: Edge) -> Iterator[Whole]:
    """It is made once for the tests that look at it."""
    with edge.certificates(("*.example.org", "example.org"), ("example.net",)) as certificates, edge.web_acl("whole") as web_acl:
        try:
            yield Whole(edge, certificates, web_acl)
        finally:
            edge.remove("whole")
            edge.forget_protection("whole-alb")


@pytest.mark.requirement("A9", "B5", "E3", "E8", "E33")
def test_check_mode_makes_nothing_and_a_second_run_changes_nothing(whole: Whole) -> None:
    assert whole.foretold.get("changed"), whole.foretold.get("msg")
    controller = "AWS Load Balancer Controller"
    assert [(entry["load_balancer"], entry["made_by"]) for entry in whole.foretold["gateways"]] == [("alb", controller)]
    assert [entry["made_by"] for entry in whole.foretold["albs"]] == [controller]
    assert "whole-alb" not in whole.names_after_check, "check mode has made a load balancer"
    assert whole.made["albs"][0]["address"] == whole.balancer.host
    assert whole.made["albs"][0]["pods"], "no ready pod behind it is reported"
    assert whole.made["gateways"][0]["service_type"] == "ClusterIP"
    again = whole.edge.declare(**whole.desired)
    assert not again["changed"], again["diff"]
    assert whole.edge.names().count("whole-alb") == 1


@pytest.mark.requirement("E9", "E11", "E12", "E14")
def test_name_class_scheme_and_subnets(whole: Whole) -> None:
    balancer = whole.balancer
    assert balancer.kind == ("application", "internet-facing")
    assert balancer.subnets == whole.subnets
    assert balancer.tags["ingress.k8s.aws/stack"] == f"{whole.edge.namespace}/whole", "the controller has not made it from this Ingress"


@pytest.mark.requirement("E15", "E16", "E17", "E18")
def test_listeners_certificates_policy_and_redirect(whole: Whole) -> None:
    balancer = whole.balancer
    assert balancer.protocols == {80: "HTTP", 443: "HTTPS"}
    first, *others = whole.certificates
    assert balancer.certificates(443) == (first, sorted(others))
    assert balancer.listeners[443]["SslPolicy"] == "ELBSecurityPolicy-TLS-1-2-Ext-2018-06"
    redirect = balancer.listeners[80]["DefaultActions"][0]
    assert (redirect["Type"], redirect["RedirectConfig"]["Protocol"], redirect["RedirectConfig"]["Port"]) == ("redirect", "HTTPS", "443")
    hosts = [value for rule in balancer.rules(443) for condition in rule["Conditions"] for value in condition.get("HostHeaderConfig", {}).get("Values", ())]
    assert sorted(hosts) == ["*.example.org", "example.org"]
    assert opened(whole.edge, balancer) == {80: ["192.0.2.0/24"], 443: ["192.0.2.0/24"]}


@pytest.mark.requirement("E13", "E20", "E21", "E22", "E23", "E24", "E25", "E26")
def test_ip_targets_are_pods_that_are_asked_on_their_status_port(whole: Whole) -> None:
    balancer = whole.balancer
    group = balancer.group
    assert group["TargetType"] == "ip"
    assert health_check(group) == {
        "Protocol": "HTTP",
        "Port": "15021",
        "Path": "/healthz/ready",
        "Enabled": True,
        "IntervalSeconds": 20,
        "TimeoutSeconds": 4,
        "HealthyThresholdCount": 3,
        "UnhealthyThresholdCount": 4,
        "Matcher": {"HttpCode": "200-204"},
    }
    pods = whole.edge.get("pods", "-l", "gateway.networking.k8s.io/gateway-name=whole")["items"]
    assert balancer.targets(group) == {(pod["status"]["podIP"], 80) for pod in pods}


@pytest.mark.requirement("E27", "E28", "E31", "E32")
def test_tags_attributes_logs_and_the_guard_against_deletion(whole: Whole) -> None:
    balancer = whole.balancer
    assert {"Team": "Metashare", "Stage": "test"}.items() <= balancer.tags.items(), "the cluster's own Stage must not win over the item's"
    assert {
        "routing.http.drop_invalid_header_fields.enabled": "true",
        "access_logs.s3.enabled": "true",
        "access_logs.s3.bucket": _LOGS,
        "access_logs.s3.prefix": "whole",
        "deletion_protection.enabled": "true",
        "idle_timeout.timeout_seconds": "90",
    }.items() <= balancer.attributes.items()


@pytest.mark.requirement("A7", "E29", "E30")
def test_web_acl_and_shield(whole: Whole) -> None:
    arn = whole.balancer.arn
    assert whole.edge.web_acl_of(arn) == whole.web_acl
    assert whole.edge.is_shielded(arn)
    prerequisites = page("docs/platforms/eks.md").section("Prerequisites").prose
    assert any("Shield Advanced: the account's subscription" in line for line in prerequisites), "the docs do not say what Shield needs"


@pytest.mark.requirement("E34")
def test_annotations_without_an_option_reach_aws(whole: Whole) -> None:
    balancer = whole.balancer
    assert balancer.group["ProtocolVersion"] == "HTTP2"
    assert balancer.attributes_of(balancer.group)["load_balancing.algorithm.type"] == "least_outstanding_requests"


@pytest.mark.requirement("E35")
def test_the_gateways_pods_know_the_load_balancer_and_outlast_it(whole: Whole) -> None:
    config, grace = proxy_config_of(whole.edge, "whole")
    assert config["gatewayTopology"] == {"numTrustedProxies": 1}
    assert config["terminationDrainDuration"] == "40s"
    balancer = whole.balancer
    delay = int(balancer.attributes_of(balancer.group)["deregistration_delay.timeout_seconds"])
    assert delay == 25
    assert delay < 40 < grace


@pytest.fixture(scope="module")
def instances(edge: Edge) -> Iterator[dict[str, Any]]:
    """One ALB with instance targets, an old class, an action of its own, found certificates, and TLS to the gateway; what the module said of it."""
    served = make_certificate("door.example.edu")
    data = {key: base64.b64encode(value).decode() for key, value in (("tls.crt", served.public), ("tls.key", served.private))}
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": edge.namespace}}
    secret = {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls", "metadata": {"name": "door", "namespace": edge.namespace}, "data": data}
    edge.account.kubectl("apply", "--server-side", "-f", "-", given=json.dumps({"apiVersion": "v1", "kind": "List", "items": [namespace, secret]}))
    redirect = {"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}}
    item = edge.alb(
        "instances",
        class_annotation=True,
        target_type="instance",
        tls_hosts=["door.example.edu"],
        certificate_discovery=True,
        listen_ports=[{"HTTP": 80}, {"HTTPS": 443}],
        service_port=443,
        actions={"ssl-redirect": redirect},
        health_check={**_HEALTH, "path": "/healthz", "interval": 15, "timeout": 5, "healthy_threshold": 2, "unhealthy_threshold": 2, "success_codes": "200"},
    )
    with edge.certificates(("door.example.edu",)) as (certificate,):
        try:
            gateway = edge.gateway("instances", tls="gateway", certificate_refs=[{"name": "door"}])
            yield {**edge.declare(gateways=[gateway], albs=[item]), "certificate": certificate}
        finally:
            edge.remove("instances")


@pytest.mark.requirement("E1", "E2", "E13", "E20", "E21", "E22", "E23", "E24", "E25", "E26", "M7")
def test_instance_targets_are_asked_at_the_node_port_of_the_status_port(edge: Edge, instances: dict[str, Any]) -> None:
    ports = edge.node_ports("instances-istio")
    balancer = edge.balancer("instances")
    hop = instances["albs"][0]
    assert (hop["address"], hop["service"], hop["service_port"], hop["node_port"]) == (balancer.host, "instances-istio", 443, ports["https"])
    assert hop["pods"]
    group = balancer.group
    assert (group["TargetType"], group["Port"]) == ("instance", ports["https"])
    assert health_check(group) == {
        "Protocol": "HTTP",
        "Port": str(ports["status-port"]),
        "Path": "/healthz",
        "Enabled": True,
        "IntervalSeconds": 15,
        "TimeoutSeconds": 5,
        "HealthyThresholdCount": 2,
        "UnhealthyThresholdCount": 2,
        "Matcher": {"HttpCode": "200"},
    }
    nodes = {node["spec"]["providerID"].rpartition("/")[2] for node in edge.account.get("nodes")["items"]}
    assert balancer.targets(group) == {(node, ports["https"]) for node in nodes}


@pytest.mark.requirement("E7", "E10", "E12", "E17")
def test_the_old_class_the_internal_default_and_tls_to_the_gateway(edge: Edge, instances: dict[str, Any]) -> None:
    balancer = edge.balancer("instances")
    assert balancer.kind == ("application", "internal"), "if omitted, the scheme is the controller's default"
    assert balancer.subnets == edge.private_subnets(), "if omitted, the subnets are those that are tagged for it"
    assert balancer.tags["ingress.k8s.aws/stack"] == f"{edge.namespace}/instances"
    assert "ingressClassName" not in edge.get("ingress", "instances")["spec"]
    assert balancer.group["Protocol"] == "HTTPS"
    assert balancer.certificates(443) == (instances["certificate"], []), "if omitted, the certificate is the one for the TLS hosts"
    assert balancer.listeners[443]["SslPolicy"] == "ELBSecurityPolicy-TLS13-1-2-2021-06", "if omitted, the policy is the one with TLS 1.3"


@pytest.mark.requirement("E5", "E19")
@pytest.mark.usefixtures("instances")
def test_an_action_is_a_rule_for_every_host(edge: Edge) -> None:
    balancer = edge.balancer("instances")
    (plain, *_rest) = balancer.rules(80)
    assert plain["Actions"][0]["RedirectConfig"].items() >= {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}.items()
    conditions = {condition["Field"] for port in (80, 443) for rule in balancer.rules(port) for condition in rule["Conditions"]}
    assert conditions == {"path-pattern"}, "without hosts, no rule asks for one"
    assert [rule["Actions"][-1]["Type"] for rule in balancer.rules(443)] == ["forward"], "a redirect of HTTPS to itself would never end"


@pytest.mark.requirement("E20")
def test_two_ingresses_of_a_group_share_an_alb_in_their_order(edge: Edge) -> None:
    shared = {"gateway": "shared", "group_name": "shared", "load_balancer_name": "shared"}
    later = edge.alb("alpha", **shared, path="/later", group_order=20, health_check={"protocol": "HTTPS", "port": "traffic-port", "path": "/up"})
    first = edge.alb("beta", **shared, path="/first", group_order=10)
    try:
        # While a load balancer is provisioned, the controller puts off further members of its group.
        edge.declare(gateways=[edge.gateway("shared")], albs=[later])
        until(lambda: edge.balancer("shared").described["State"]["Code"] == "active", "the load balancer to be active", 30)
        expected = edge.declare(gateways=[edge.gateway("shared")], albs=[later, first])
        balancer = edge.balancer("shared")
        assert {hop["address"] for hop in expected["albs"]} == {balancer.host}
        assert balancer.tags["ingress.k8s.aws/stack"] == "shared"
        paths = [condition["PathPatternConfig"]["Values"][0] for rule in balancer.rules(80) for condition in rule["Conditions"]]
        assert [path for path in paths if not path.endswith("*")] == ["/first", "/later"]
        checks = {(group["HealthCheckProtocol"], group["HealthCheckPort"], group["HealthCheckPath"]) for group in balancer.groups}
        assert checks == {("HTTPS", "traffic-port", "/up"), ("HTTP", "15021", "/healthz/ready")}
    finally:
        edge.remove("shared", albs=("alpha", "beta"))


@pytest.mark.requirement("O1")
def test_an_ingress_made_by_hand_is_adopted_and_keeps_its_load_balancer(edge: Edge) -> None:
    annotations = {
        "alb.ingress.kubernetes.io/load-balancer-name": "by-hand",
        "alb.ingress.kubernetes.io/scheme": "internal",
        "alb.ingress.kubernetes.io/target-type": "ip",
        "alb.ingress.kubernetes.io/listen-ports": '[{"HTTP": 80}]',
    }
    backend = {"service": {"name": "application", "port": {"number": 80}}}
    objects = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": edge.namespace}},
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "application", "namespace": edge.namespace},
            "spec": {"selector": {"app": "application"}, "ports": [{"port": 80, "targetPort": 8080}]},
        },
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "Ingress",
            "metadata": {"name": "by-hand", "namespace": edge.namespace, "annotations": annotations},
            "spec": {"ingressClassName": "alb", "rules": [{"http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}]},
        },
    ]
    edge.run("kubectl", "apply", "-f", "-", given="\n---\n".join(map(json.dumps, objects)))
    desired = {"gateways": [edge.gateway("by-hand")], "albs": [edge.alb("by-hand", scheme="internal", target_type="ip")]}
    try:
        before = until(lambda: "by-hand" in edge.names() and edge.balancer("by-hand"), "the load balancer of the Ingress", 60)
        refused = edge.module(**desired)
        assert "was created by somebody else (field manager " in refused["msg"] and "spec.rules[0]" in refused["msg"], refused["msg"]
        edge.declare(force_conflicts=True, **desired)
        after = edge.balancer("by-hand")
        assert after.arn == before.arn, "the load balancer was replaced"
        (path,) = edge.get("ingress", "by-hand")["spec"]["rules"][0]["http"]["paths"]
        assert path["backend"]["service"]["name"] == "by-hand-istio"
        assert "by-hand-istio" in "".join(json.dumps(edge.get("targetgroupbindings")["items"])), "the targets are still those of the application"
    finally:
        edge.remove("by-hand")
        edge.run("kubectl", "delete", "service", "application", "-n", edge.namespace, "--ignore-not-found")
