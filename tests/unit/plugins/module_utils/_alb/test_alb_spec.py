"""Every annotation of an Application Load Balancer: the option renders exactly this key and value, and omission renders nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.meshwright.ambient.plugins.module_utils._alb.render import render_annotations, render_ingress
from ansible_collections.meshwright.ambient.plugins.module_utils._alb.spec import ALB, find_alb_errors, parse_alb
from ansible_collections.meshwright.ambient.plugins.module_utils._ingress.spec import complete, note_uncovered_domains

PREFIX = "alb.ingress.kubernetes.io/"
ARN = "arn:aws:acm:eu-central-1:123456789012:certificate/5e5e4a3c-0b7a-4f0e-9d57-1d3f2c6b8a90"
OTHER_ARN = "arn:aws:acm:eu-central-1:123456789012:certificate/11111111-2222-3333-4444-555555555555"
WEB_ACL = "arn:aws:wafv2:eu-central-1:123456789012:regional/webacl/shop/0d5b8d8e-1c2f-4f6d-8a3b-9e7c6d5f4a3b"

# What is rendered when no options are given: the health check that Istio's gateways answer, pods as targets, and that they may finish their requests.
DEFAULTS = {
    f"{PREFIX}healthcheck-path": "/healthz/ready",
    f"{PREFIX}healthcheck-port": "status-port",
    f"{PREFIX}healthcheck-protocol": "HTTP",
    f"{PREFIX}target-group-attributes": "deregistration_delay.timeout_seconds=30",
    f"{PREFIX}target-type": "ip",
}


def item(**options: Any) -> Any:
    """An item of albs with all its keys."""
    plain = {"name": "public", "namespace": "istio-ingress", "gateway": "public"}
    return complete([{**plain, **options}], ALB)[0]


@pytest.mark.requirement("M10")
def test_nothing_said_renders_only_the_defaults() -> None:
    assert render_annotations(item()) == DEFAULTS


@pytest.mark.requirement("N3")
def test_the_defaults_are_pods_on_port_80_asked_on_the_status_port_and_nodes_can_be_chosen() -> None:
    secure = item(hosts=["*.example.com", "example.com"], certificate_arns=[ARN], ssl_redirect=443)
    ingress = render_ingress(secure)
    annotations, spec = ingress["metadata"]["annotations"], ingress["spec"]
    assert annotations == {
        **DEFAULTS,
        f"{PREFIX}certificate-arn": ARN,
        f"{PREFIX}listen-ports": '[{"HTTP": 80}, {"HTTPS": 443}]',
        f"{PREFIX}ssl-policy": "ELBSecurityPolicy-TLS13-1-2-2021-06",
        f"{PREFIX}ssl-redirect": "443",
    }
    assert (spec["ingressClassName"], [rule["host"] for rule in spec["rules"]]) == ("alb", ["*.example.com", "example.com"])
    assert {path["backend"]["service"]["port"]["number"] for rule in spec["rules"] for path in rule["http"]["paths"]} == {80}
    nodes = render_annotations(item(target_type="instance"))
    assert nodes == {**DEFAULTS, f"{PREFIX}target-type": "instance"}
    assert not find_alb_errors(secure) and not find_alb_errors(item(target_type="instance"))


CHECK = pytest.mark.requirement


@pytest.mark.parametrize(
    ("options", "key", "value"),
    [
        pytest.param({"load_balancer_name": "my-alb"}, "load-balancer-name", "my-alb", marks=CHECK("E11")),
        pytest.param({"scheme": "internet-facing"}, "scheme", "internet-facing", marks=CHECK("E12")),
        pytest.param({"scheme": "internal"}, "scheme", "internal", marks=CHECK("E12")),
        pytest.param({"target_type": "instance"}, "target-type", "instance", marks=CHECK("E13")),
        pytest.param({"subnets": ["subnet-0a", "subnet-0b", "subnet-0c"]}, "subnets", "subnet-0a,subnet-0b,subnet-0c", marks=CHECK("E14")),
        pytest.param(
            {"listen_ports": [{"HTTP": 80}, {"HTTPS": 443}], "certificate_arns": [ARN]},
            "listen-ports",
            '[{"HTTP": 80}, {"HTTPS": 443}]',
            marks=CHECK("E15"),
        ),
        pytest.param({"certificate_arns": [ARN]}, "listen-ports", '[{"HTTP": 80}, {"HTTPS": 443}]', marks=CHECK("E15")),
        pytest.param({"certificate_arns": [ARN, OTHER_ARN]}, "certificate-arn", f"{ARN},{OTHER_ARN}", marks=CHECK("E16")),
        pytest.param({"certificate_arns": [ARN]}, "ssl-policy", "ELBSecurityPolicy-TLS13-1-2-2021-06", marks=CHECK("E17")),
        pytest.param(
            {"certificate_arns": [ARN], "ssl_policy": "ELBSecurityPolicy-TLS-1-2-Ext-2018-06"},
            "ssl-policy",
            "ELBSecurityPolicy-TLS-1-2-Ext-2018-06",
            marks=CHECK("E17"),
        ),
        pytest.param({"certificate_arns": [ARN], "ssl_redirect": 443}, "ssl-redirect", "443", marks=CHECK("E18")),
        pytest.param({"health_check": {"protocol": "HTTPS"}}, "healthcheck-protocol", "HTTPS", marks=CHECK("E20")),
        pytest.param({"health_check": {"port": "15021"}}, "healthcheck-port", "15021", marks=CHECK("E21")),
        pytest.param({"health_check": {"path": "/healthz"}}, "healthcheck-path", "/healthz", marks=CHECK("E22")),
        pytest.param({"health_check": {"interval": 20}}, "healthcheck-interval-seconds", "20", marks=CHECK("E23")),
        pytest.param({"health_check": {"timeout": 4}}, "healthcheck-timeout-seconds", "4", marks=CHECK("E24")),
        pytest.param({"health_check": {"healthy_threshold": 3}}, "healthy-threshold-count", "3", marks=CHECK("E25")),
        pytest.param({"health_check": {"unhealthy_threshold": 4}}, "unhealthy-threshold-count", "4", marks=CHECK("E26")),
        pytest.param({"health_check": {"success_codes": "200"}}, "success-codes", "200"),
        pytest.param({"tags": {"Stage": "test", "Team": "Metashare"}}, "tags", "Stage=test,Team=Metashare", marks=[CHECK("E27"), CHECK("A9")]),
        pytest.param(
            {"attributes": {"routing.http2.enabled": True, "client_keep_alive.seconds": 60}},
            "load-balancer-attributes",
            "client_keep_alive.seconds=60,routing.http2.enabled=true",
            marks=CHECK("E28"),
        ),
        pytest.param({"waf_acl_arn": WEB_ACL}, "wafv2-acl-arn", WEB_ACL, marks=CHECK("E29")),
        pytest.param({"waf_acl_arn": ""}, "wafv2-acl-arn", "none", marks=CHECK("E29")),
        pytest.param({"shield": True}, "shield-advanced-protection", "true", marks=CHECK("E30")),
        pytest.param({"shield": False}, "shield-advanced-protection", "false", marks=CHECK("E30")),
        pytest.param(
            {"access_logs": {"enabled": True, "bucket": "my-alb-logs", "prefix": "prod"}},
            "load-balancer-attributes",
            "access_logs.s3.bucket=my-alb-logs,access_logs.s3.enabled=true,access_logs.s3.prefix=prod",
            marks=CHECK("E31"),
        ),
        pytest.param({"access_logs": {"enabled": False}}, "load-balancer-attributes", "access_logs.s3.enabled=false", marks=CHECK("E31")),
        pytest.param({"deletion_protection": True}, "load-balancer-attributes", "deletion_protection.enabled=true", marks=CHECK("E32")),
        pytest.param({"deletion_protection": False}, "load-balancer-attributes", "deletion_protection.enabled=false", marks=CHECK("E32")),
        pytest.param({"idle_timeout": 120}, "load-balancer-attributes", "idle_timeout.timeout_seconds=120"),
        pytest.param({"deregistration_delay": 60}, "target-group-attributes", "deregistration_delay.timeout_seconds=60", marks=CHECK("E35")),
        pytest.param({"group_name": "edge"}, "group.name", "edge"),
        pytest.param({"group_order": 10}, "group.order", "10"),
        pytest.param({"inbound_cidrs": ["10.0.0.0/8", "192.0.2.0/24"]}, "inbound-cidrs", "10.0.0.0/8,192.0.2.0/24"),
        pytest.param({"ip_address_type": "dualstack"}, "ip-address-type", "dualstack"),
        pytest.param({"security_groups": ["sg-0a"]}, "security-groups", "sg-0a"),
        pytest.param({"security_groups": ["sg-0a"]}, "manage-backend-security-group-rules", "true"),
        pytest.param({"service_port": 443}, "backend-protocol", "HTTPS", marks=[CHECK("E7"), CHECK("M8")]),
    ],
)
def test_an_option_renders_its_annotation_and_omission_does_not(options: dict[str, Any], key: str, value: str) -> None:
    assert render_annotations(item(**options))[f"{PREFIX}{key}"] == value
    without = {name: given for name, given in render_annotations(item()).items() if name not in DEFAULTS}
    assert without == {}, "something is rendered that nobody asked for"
    turned = {name: dict(reversed(value.items())) if isinstance(value, dict) else value for name, value in options.items()}
    assert render_annotations(item(**turned)) == render_annotations(item(**options)), "the order of the keys is that of the inventory"


@pytest.mark.requirement("E9")
def test_the_class_is_a_field() -> None:
    ingress = render_ingress(item())
    assert ingress["spec"]["ingressClassName"] == "alb"
    assert "kubernetes.io/ingress.class" not in ingress["metadata"]["annotations"]


@pytest.mark.requirement("E10")
@pytest.mark.requirement("M22")
def test_the_class_is_the_former_annotation_only_on_request() -> None:
    ingress = render_ingress(item(class_annotation=True))
    assert ingress["metadata"]["annotations"]["kubernetes.io/ingress.class"] == "alb"
    assert "ingressClassName" not in ingress["spec"]


@pytest.mark.requirement("E4")
@pytest.mark.requirement("D6")
def test_each_host_gets_the_same_rules() -> None:
    rules = render_ingress(item(hosts=["*.example.com", "example.com"]))["spec"]["rules"]
    assert [rule["host"] for rule in rules] == ["*.example.com", "example.com"]
    assert rules[0]["http"] == rules[1]["http"]
    assert rules[0]["http"]["paths"] == [
        {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "public-istio", "port": {"number": 80}}}},
    ]


@pytest.mark.requirement("E5")
def test_no_host_is_one_rule_for_every_host() -> None:
    ingress = render_ingress(item(gateway=None, service="istio-ingressgateway", service_port=443, labels={"app": "common-external-ingress"}))
    assert ingress["spec"]["rules"] == [
        {"http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "istio-ingressgateway", "port": {"number": 443}}}}]}}
    ]
    assert ingress["metadata"]["labels"]["app"] == "common-external-ingress"


@pytest.mark.requirement("E8")
def test_the_backend_is_the_gateways_service() -> None:
    path = render_ingress(item())["spec"]["rules"][0]["http"]["paths"][0]
    assert path["backend"]["service"] == {"name": "public-istio", "port": {"number": 80}}


@pytest.mark.requirement("E19")
@pytest.mark.requirement("M9")
def test_an_action_gets_a_rule_without_which_it_would_do_nothing() -> None:
    action = {"type": "fixed-response", "fixedResponseConfig": {"contentType": "text/plain", "statusCode": "503"}}
    ingress = render_ingress(item(hosts=["a.example.com"], actions={"closed": action}))
    assert json.loads(ingress["metadata"]["annotations"][f"{PREFIX}actions.closed"]) == action
    paths = ingress["spec"]["rules"][0]["http"]["paths"]
    assert paths[0]["backend"]["service"] == {"name": "closed", "port": {"name": "use-annotation"}}
    assert paths[1]["backend"]["service"]["name"] == "public-istio"


def test_tls_hosts_are_said_for_discovery() -> None:
    assert render_ingress(item(tls_hosts=["shop.example.com"]))["spec"]["tls"] == [{"hosts": ["shop.example.com"]}]


@pytest.mark.requirement("E34")
def test_a_free_annotation_passes_through() -> None:
    key = f"{PREFIX}minimum-load-balancer-capacity"
    assert render_ingress(item(annotations={key: "CapacityUnits=1000"}))["metadata"]["annotations"][key] == "CapacityUnits=1000"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param({"listen_ports": [{"HTTPS": 443}]}, "but there is no certificate: set certificate_arns", marks=CHECK("E16")),
        pytest.param({"listen_ports": [{"HTTP": 80}], "ssl_redirect": 443}, "no HTTPS listener at that port", marks=CHECK("E18")),
        pytest.param({"listen_ports": [{"TCP": 80}]}, "not HTTP or HTTPS"),
        pytest.param({"listen_ports": [{"HTTP": 80}, {"HTTPS": 80}], "certificate_arns": [ARN]}, "names port 80 twice"),
        pytest.param({"target_type": "instance", "health_check": {"port": "15021"}}, "would probe port 15021 of the nodes", marks=[CHECK("E21"), CHECK("M7")]),
        pytest.param({"health_check": {"protocol": "HTTPS"}}, "answer HTTP on their status port", marks=[CHECK("E20"), CHECK("M10")]),
        pytest.param({"health_check": {"timeout": 15}}, "must be shorter", marks=CHECK("E24")),
        pytest.param({"health_check": {"interval": 5}}, "must be shorter", marks=CHECK("E24")),
        pytest.param({"load_balancer_name": "a" * 33}, "at most 32", marks=[CHECK("E11"), CHECK("A2")]),
        pytest.param({"load_balancer_name": "-a"}, "does not begin or end with a dash"),
        pytest.param({"subnets": ["10.0.0.0/24"]}, "use a subnet's id", marks=CHECK("A2")),
        pytest.param({"certificate_arns": ["arn:aws:s3:::x"]}, "use a certificate's ARN", marks=CHECK("A2")),
        pytest.param({"ssl_policy": "TLS13"}, "use a policy", marks=CHECK("E17")),
        pytest.param({"waf_acl_arn": WEB_ACL.replace("regional/", "global/")}, "a web ACL for CloudFront", marks=CHECK("A6")),
        pytest.param({"waf_acl_arn": "shop"}, "use the ARN of a web ACL", marks=CHECK("A2")),
        pytest.param({"annotations": {f"{PREFIX}scheme": "internal"}, "scheme": "internal"}, "the options already set", marks=CHECK("E34")),
        pytest.param({"annotations": {"nginx.ingress.kubernetes.io/x": "y"}}, "does not begin with alb.ingress"),
        pytest.param({"access_logs": {"enabled": True}}, "without bucket", marks=CHECK("E31")),
        pytest.param({"deletion_protection": True, "attributes": {"deletion_protection.enabled": "false"}}, "set only one of them"),
        pytest.param({"tags": {"a": "b,c"}}, "separates them by commas"),
        pytest.param({"certificate_discovery": True}, "needs hosts"),
        pytest.param({"service": "other"}, "either gateway"),
        pytest.param({"actions": {"x": {"redirectConfig": {}}}}, "has no type"),
    ],
)
def test_an_error_says_what_to_do(options: dict[str, Any], message: str) -> None:
    errors = find_alb_errors(item(**options))
    assert any(message in error for error in errors), errors


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"certificate_arns": [ARN], "listen_ports": [{"HTTP": 80}, {"HTTPS": 443}], "ssl_redirect": 443, "waf_acl_arn": WEB_ACL, "shield": False},
        {"target_type": "instance", "health_check": {"port": "status-port", "interval": 15, "timeout": 5}},
        {"certificate_discovery": True, "hosts": ["shop.example.com"]},
    ],
)
def test_what_is_right_is_not_complained_about(options: dict[str, Any]) -> None:
    assert find_alb_errors(item(**options)) == []


@pytest.mark.requirement("A3")
def test_a_certificate_that_is_looked_up_later_counts() -> None:
    assert find_alb_errors(item(listen_ports=[{"HTTPS": 443}]), certificates_pending=True) == []


def test_one_subnet_is_noted_because_it_may_be_in_a_local_zone() -> None:
    (note,) = parse_alb(item(subnets=["subnet-0a1b2c3d"])).notes
    assert note.startswith("subnets has only subnet-0a1b2c3d, and an Application Load Balancer needs two subnets in different zones, unless"), note
    assert parse_alb(item(subnets=["subnet-0a1b2c3d", "subnet-1a1b2c3d"])).notes == ()


def test_an_action_that_answers_every_request_is_noted() -> None:
    redirect = {"type": "redirect", "redirectConfig": {"host": "elsewhere.example.com", "statusCode": "HTTP_302"}}
    limited = {"alb.ingress.kubernetes.io/conditions.away": '[{"field": "query-string", "queryStringConfig": {"values": [{"key": "a", "value": "b"}]}}]'}
    (note,) = parse_alb(item(actions={"away": redirect})).notes
    assert note.startswith("the action away answers every request, so none reaches the gateway"), note
    assert parse_alb(item(actions={"away": redirect}, annotations=limited)).notes == ()
    assert parse_alb(item(actions={"shares": {"type": "forward"}})).notes == ()


@pytest.mark.requirement("D6")
def test_a_wildcard_without_its_apex_is_noted() -> None:
    assert note_uncovered_domains(["*.example.com"]) == ["*.example.com does not cover example.com itself: add example.com to hosts, if it is meant too."]
    assert note_uncovered_domains(["*.example.com", "example.com"]) == []


@pytest.mark.requirement("A9")
@given(st.dictionaries(st.sampled_from(["Team", "Stage", "Owner", "Cost"]), st.sampled_from(["a", "b", "1"])), st.randoms())
def test_tags_are_the_same_text_in_whatever_order_they_are_given(tags: dict[str, str], random: Any) -> None:
    shuffled = list(tags.items())
    random.shuffle(shuffled)
    assert render_ingress(item(tags=tags)) == render_ingress(item(tags=dict(shuffled)))
