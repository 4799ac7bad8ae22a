"""What gateways, load balancers and routes of an inventory must say together, and what the role asks of AWS."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from ansible_collections.meshwright.ambient.plugins.module_utils._alb.spec import ALB as ALB_OPTIONS
from ansible_collections.meshwright.ambient.plugins.module_utils._gateway.spec import GATEWAY as GATEWAY_OPTIONS
from ansible_collections.meshwright.ambient.plugins.module_utils._helm.istio import istio_releases
from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.ingress import find_conflicts, validate_ingress
from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.ingress_lists import parse_ingress_lists
from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.load_balancer_requests import (
    certificate_domains,
    to_check,
    to_wait_for,
    with_certificates,
)
from ansible_collections.meshwright.ambient.plugins.module_utils._istio_ingress.spec import ISTIO_GATEWAY, report_istio_gateways
from ansible_collections.meshwright.ambient.plugins.module_utils._route.spec import ROUTE
from generate.declarations import role_variables
from tests.pages import page
from tests.unit.inventory_values import values_of
from twin.paths import REPOSITORY

ARN = "arn:aws:acm:eu-central-1:123456789012:certificate/5e5e4a3c-0b7a-4f0e-9d57-1d3f2c6b8a90"
GATEWAY: dict[str, Any] = {"name": "public", "namespace": "istio-ingress", "load_balancer": "alb"}
ALB: dict[str, Any] = {"name": "public", "namespace": "istio-ingress", "gateway": "public"}
NLB: dict[str, Any] = {"name": "edge", "namespace": "istio-ingress", "load_balancer": "nlb", "tls": "load_balancer", "nlb": {"certificate_arns": [ARN]}}


def examples_of(name: str) -> list[dict[str, Any]]:
    """The variables that the blocks of a page set."""
    found = [yaml.safe_load(text) for language, text in page(name).blocks if language == "yaml"]
    return [block for block in found if isinstance(block, dict)]


def errors_of(**variables: Any) -> list[str]:
    """The validation errors of an inventory with these variables, given without their common prefix."""
    return validate_ingress({f"ingress_{name}": value for name, value in variables.items()})


def test_a_valid_inventory_has_no_errors() -> None:
    assert errors_of(gateways=[GATEWAY, NLB], albs=[{**ALB, "certificate_domains": ["example.com"], "ssl_redirect": 443}]) == []


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"gateways": [GATEWAY]}, "no ALB refers to it"),
        ({"gateways": [{**GATEWAY, "load_balancer": "nlb"}], "albs": [ALB]}, "would create two load balancers"),
        ({"gateways": [{**GATEWAY, "service_type": "ClusterIP"}], "albs": [{**ALB, "target_type": "instance"}]}, "target_type instance needs a NodePort"),
        pytest.param(
            {"gateways": [{**GATEWAY, "service_type": "LoadBalancer"}], "albs": [ALB]},
            "would create two load balancers, so omit service_type, or set ingress_allow_load_balancer_service",
            marks=pytest.mark.requirement("M1", "M2", "N1"),
        ),
        ({"gateways": [{**GATEWAY, "state": "absent"}], "albs": [ALB]}, "which should be absent"),
        ({"gateways": [GATEWAY], "albs": [{**ALB, "service_port": 8080}]}, "listens at 80"),
        ({"gateways": [GATEWAY], "albs": [ALB, ALB]}, "listed more than once"),
        ({"gateways": [GATEWAY], "albs": [{**ALB, "deregistration_delay": 300}]}, "set its drain_seconds"),
        (
            {"gateways": [GATEWAY], "albs": [{**ALB, "load_balancer_name": "x"}, {**ALB, "name": "other", "load_balancer_name": "x"}]},
            "each load balancer needs a unique name",
        ),
        (
            {
                "gateways": [GATEWAY],
                "albs": [{**ALB, "group_name": "g", "scheme": "internal"}, {**ALB, "name": "other", "group_name": "g", "scheme": "internet-facing"}],
            },
            "set different values of scheme",
        ),
        ({"routes": [{"name": "r", "namespace": "shop", "gateway": "public"}]}, "rules is empty"),
        ({"routes": [{"name": "r", "namespace": "shop", "rules": [{"backends": [{"service": "a", "port": 80}]}]}]}, "gateway is missing"),
        ({"classic_gateways": [{"name": "g", "namespace": "istio-system"}]}, "release and selector are empty"),
    ],
)
def test_an_error_says_what_to_do(variables: dict[str, Any], message: str) -> None:
    errors = errors_of(**variables)
    assert any(message in error for error in errors), errors


def test_a_second_load_balancer_may_be_allowed() -> None:
    assert errors_of(gateways=[{**GATEWAY, "service_type": "LoadBalancer"}], albs=[ALB], allow_load_balancer_service=True) == []


def test_a_name_may_be_shared_within_a_group() -> None:
    shared = [{**ALB, "name": name, "group_name": "g", "load_balancer_name": "x"} for name in ("a", "b")]
    assert errors_of(gateways=[GATEWAY], albs=shared) == []


def test_an_arn_of_another_region_is_an_error() -> None:
    errors = validate_ingress({"eks_region": "us-east-1", "ingress_gateways": [GATEWAY], "ingress_albs": [{**ALB, "certificate_arns": [ARN]}]})
    assert any("is in region eu-central-1, but eks_region is us-east-1" in error for error in errors), errors


@pytest.mark.requirement("M14")
def test_a_route_behind_a_redirect_attaches_to_https_alone() -> None:
    route = {
        "name": "shop",
        "namespace": "shop",
        "gateway": "edge",
        "gateway_namespace": "istio-ingress",
        "rules": [{"backends": [{"service": "a", "port": 80}]}],
    }
    edge = parse_ingress_lists({"gateways": [{**NLB, "redirect_http": True}], "routes": [route]})
    parents = edge.routes[0].main.manifest["spec"]["parentRefs"]
    assert parents == [{"name": "edge", "namespace": "istio-ingress", "sectionName": "https"}]


def test_a_route_of_others_at_a_port_that_only_redirects_is_an_error() -> None:
    route = {
        "name": "shop",
        "namespace": "shop",
        "gateway": "edge",
        "gateway_namespace": "istio-ingress",
        "rules": [{"backends": [{"service": "a", "port": 80}]}],
    }
    edge = {**NLB, "redirect_http": True, "allowed_routes": {"from": "All"}}
    errors = find_conflicts(parse_ingress_lists({"gateways": [edge], "routes": [{**route, "section_names": ["http"]}]}))
    assert len(errors) == 1, errors
    assert "listener http of Gateway istio-ingress/edge only redirects to HTTPS" in errors[0]
    assert not find_conflicts(parse_ingress_lists({"gateways": [edge], "routes": [{**route, "section_names": ["https"]}]}))


@pytest.mark.requirement("A17")
def test_every_name_is_the_one_that_was_chosen() -> None:
    groups = {
        "gateways": [{"name": "g1", "namespace": "n1", "load_balancer": "alb", "hosts": ["h1.test"]}],
        "albs": [{"name": "i1", "namespace": "n1", "gateway": "g1", "load_balancer_name": "b1", "hosts": ["h1.test"]}],
        "classic_gateways": [{"name": "c1", "namespace": "n2", "release": "r1", "hosts": ["h2.test"]}],
        "routes": [
            {
                "name": "w1",
                "namespace": "n3",
                "gateway": "g1",
                "gateway_namespace": "n1",
                "hosts": ["h1.test"],
                "rules": [{"backends": [{"service": "s1", "port": 80}]}],
            }
        ],
    }
    gateway, alb, classic, route = parse_ingress_lists(groups).all
    places = [item.main.key for item in (gateway, alb, classic, route)]
    assert places == [("Gateway", "n1", "g1"), ("Ingress", "n1", "i1"), ("IstioGateway", "n2", "c1"), ("HTTPRoute", "n3", "w1")]
    assert {listener["hostname"] for listener in gateway.main.manifest["spec"]["listeners"]} == {"h1.test"}
    assert alb.main.manifest["metadata"]["annotations"]["alb.ingress.kubernetes.io/load-balancer-name"] == "b1"
    assert [rule["host"] for rule in alb.main.manifest["spec"]["rules"]] == ["h1.test"]
    assert classic.main.manifest["spec"]["servers"][0]["hosts"] == ["h2.test"]
    assert route.main.manifest["spec"]["hostnames"] == ["h1.test"]
    assert route.main.manifest["spec"]["parentRefs"] == [{"name": "g1", "namespace": "n1"}]
    # Where no name has to be chosen, the variable has a default.
    options = role_variables()
    assert [options["ingress"]["ingress_albs"]["options"][name].get("default") for name in ("hosts", "load_balancer_name")] == [[], None]
    assert (options["istio"]["istio_namespace"]["default"], options["bookinfo"]["bookinfo_namespace"]["default"]) == ("istio-system", "bookinfo")
    names = re.compile(r"\b(istio-system|istio-ingress(gateway)?|my(-production)?-alb|alb-ingress|common-external-ingress|istio-internal)\b")
    files = [path for place in ("tasks", "vars") for path in (REPOSITORY / "roles").glob(f"*/{place}/*.yml")]
    assert len(files) > 30
    fixed = [path for path in files if names.search(path.read_text())]
    assert not fixed, f"a name is fixed in {fixed}"
    # Those of releases are chosen, too, each of the charts that are installed.
    releases = istio_releases(values_of({"istio_release_names": {chart: f"our-{chart}" for chart in ("base", "istiod", "cni", "ztunnel")}}))["desired"]
    assert [release["name"] for release in releases] == ["our-base", "our-istiod", "our-cni", "our-ztunnel"]
    assert {"alb_controller_release_name", "karpenter_release_name"} <= {*options["alb_controller"], *options["karpenter"]}


@pytest.mark.requirement("D10")
def test_a_route_names_gateway_hosts_and_services() -> None:
    rule = {"path": "/productpage", "backends": [{"service": "productpage", "port": 9080}, {"service": "other", "port": 80, "namespace": "b", "weight": 5}]}
    route = {
        "name": "bookinfo",
        "namespace": "bookinfo",
        "gateway": "public",
        "gateway_namespace": "istio-ingress",
        "hosts": ["a.example.com"],
        "rules": [rule],
    }
    manifest = parse_ingress_lists({"routes": [route]}).routes[0].main.manifest
    assert manifest["apiVersion"] == "gateway.networking.k8s.io/v1"
    assert manifest["spec"] == {
        "parentRefs": [{"name": "public", "namespace": "istio-ingress"}],
        "hostnames": ["a.example.com"],
        "rules": [
            {
                "matches": [{"path": {"type": "PathPrefix", "value": "/productpage"}}],
                "backendRefs": [{"name": "productpage", "port": 9080}, {"name": "other", "port": 80, "namespace": "b", "weight": 5}],
            }
        ],
    }


@pytest.mark.requirement("D14")
def test_istios_own_gateway_is_rendered_in_v1() -> None:
    desired = {
        "name": "gateway",
        "namespace": "istio-system",
        "labels": {"Team": "Metashare"},
        "selector": {"app": "istio-ingress"},
        "hosts": ["*.a.com", "a.com"],
    }
    manifest = parse_ingress_lists({"classic_gateways": [desired]}).classic_gateways[0].main.manifest
    assert manifest["apiVersion"] == "networking.istio.io/v1"
    assert manifest["metadata"]["labels"]["Team"] == "Metashare"
    assert manifest["spec"] == {
        "selector": {"app": "istio-ingress"},
        "servers": [{"hosts": ["*.a.com", "a.com"], "port": {"name": "http", "number": 80, "protocol": "HTTP"}}],
    }


@pytest.mark.requirement("C14")
def test_backend_and_selector_are_those_of_a_release_unless_others_are_given() -> None:
    classic = {"name": "gateway", "namespace": "istio-ingress", "release": "istio-ingress"}
    alb = {"name": "public", "namespace": "istio-ingress", "service": "istio-ingress"}
    front, gateway = parse_ingress_lists({"classic_gateways": [classic], "albs": [alb]}).all
    assert gateway.main.manifest["spec"]["selector"] == {"app": "istio-ingress"}
    backend = front.main.manifest["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]
    assert backend == {"name": "istio-ingress", "port": {"number": 80}}
    (other,) = parse_ingress_lists({"classic_gateways": [{**classic, "selector": {"istio": "edge"}}]}).all
    assert other.main.manifest["spec"]["selector"] == {"istio": "edge"}
    (neither,) = parse_ingress_lists({"classic_gateways": [{"name": "gateway", "namespace": "istio-ingress"}]}).all
    assert neither.errors[0].startswith("release and selector are empty")


@pytest.mark.requirement("D15")
def test_a_virtual_service_names_its_gateway_with_the_namespace() -> None:
    rule = {"path": "/", "backends": [{"service": "frontend", "port": 8080}]}
    route = {
        "name": "shop",
        "namespace": "shop",
        "kind": "VirtualService",
        "gateway": "gateway",
        "gateway_namespace": "istio-system",
        "hosts": ["a.com"],
        "rules": [rule],
    }
    classic = {"name": "gateway", "namespace": "istio-system", "release": "istio-ingress"}
    edge = parse_ingress_lists({"routes": [route], "classic_gateways": [classic]})
    spec = edge.routes[0].main.manifest["spec"]
    assert spec["gateways"] == ["istio-system/gateway"]
    reported = report_istio_gateways([*edge.classic_gateways, *parse_ingress_lists({"classic_gateways": [{**classic, "state": "absent"}]}).classic_gateways])
    assert reported == [{"name": "gateway", "namespace": "istio-system", "reference": spec["gateways"][0]}], "the reference is not what a VirtualService names"
    shown = [rule for text in examples_of("docs/ingress.md") for rule in text.get("ingress_routes") or () if rule.get("kind") == "VirtualService"]
    assert shown, "docs/ingress.md has no example of a VirtualService"
    prose = " ".join(page("docs/ingress.md").section("VirtualServices").prose)
    assert "Use HTTPRoutes for new configurations" in prose and "either an HTTPRoute or a VirtualService, never both" in prose
    assert spec["http"][0]["route"] == [{"destination": {"host": "frontend.shop.svc.cluster.local", "port": {"number": 8080}}}]


@pytest.mark.requirement("D16")
def test_classic_objects_are_made_only_on_request() -> None:
    rule = {"backends": [{"service": "frontend", "port": 8080}]}
    route = {"name": "shop", "namespace": "shop", "gateway": "public", "gateway_namespace": "istio-ingress", "hosts": ["a.com"], "rules": [rule]}
    kinds = [item.main.key[0] for item in parse_ingress_lists({"gateways": [GATEWAY], "albs": [ALB], "routes": [route]}).all]
    assert kinds == ["Gateway", "Ingress", "HTTPRoute"]
    options = role_variables()["ingress"]
    assert options["ingress_classic_gateways"]["default"] == []
    assert options["ingress_routes"]["options"]["kind"]["default"] == "HTTPRoute"
    # On request they are what they were asked to be.
    requested = parse_ingress_lists(
        {"routes": [{**route, "kind": "VirtualService"}], "classic_gateways": [{"name": "g", "namespace": "n", "release": "r"}]}
    ).all
    assert [item.main.key[0] for item in requested] == ["IstioGateway", "VirtualService"]


def test_no_conflict_where_there_is_none() -> None:
    assert find_conflicts(parse_ingress_lists({"gateways": [GATEWAY], "albs": [ALB]})) == []


@pytest.mark.requirement("A3")
def test_domains_are_replaced_by_the_arns_that_were_found() -> None:
    albs = [{**ALB, "certificate_domains": ["a.com", "b.com"], "certificate_arns": ["arn:0"]}]
    gateways = [{**NLB, "nlb": {"certificate_domains": ["b.com"]}}]
    assert certificate_domains(albs, gateways) == ["a.com", "b.com"]
    arns = {"a.com": "arn:a", "b.com": "arn:b"}
    assert with_certificates(albs, arns) == [{**ALB, "certificate_arns": ["arn:0", "arn:a", "arn:b"]}]
    assert with_certificates(gateways, arns)[0]["nlb"] == {"certificate_arns": ["arn:b"]}


def test_certificates_of_absent_items_are_not_looked_up() -> None:
    alb = {**ALB, "state": "absent", "certificate_domains": ["a.example.com"]}
    edge = {**NLB, "state": "absent", "nlb": {"certificate_domains": ["b.example.com"]}}
    assert certificate_domains([alb], [edge]) == []
    assert with_certificates([alb, edge], {}) == [{**ALB, "state": "absent"}, {**edge, "nlb": {}}]


def test_what_is_asked_of_aws_before_and_after() -> None:
    albs = [
        {**ALB, "load_balancer_name": "public", "certificate_arns": [ARN], "scheme": "internet-facing", "shield": True},
        {**ALB, "name": "old", "state": "absent"},
    ]
    checked = to_check(albs, [NLB, GATEWAY])
    assert [(one["title"], one["type"]) for one in checked] == [("ALB istio-ingress/public", "alb"), ("Gateway istio-ingress/edge", "nlb")]
    assert checked[0]["ingress"] == "istio-ingress/public"
    assert checked[0]["shield"] is True
    assert checked[1]["service"] == "istio-ingress/edge-istio"
    hosted = to_check(
        [{**ALB, "certificate_arns": [ARN], "hosts": ["a.example.com"]}, {**ALB, "hosts": ["b.example.com"]}], [{**NLB, "hosts": ["*.example.com"]}]
    )
    assert [one.get("hosts") for one in hosted] == [["a.example.com"], None, ["*.example.com"]], "the certificates that are given must cover the hosts"
    waited = to_wait_for(albs, [NLB, GATEWAY], "prod")
    assert waited[0]["listeners"] == [
        {"port": 80, "protocol": "HTTP"},
        {"port": 443, "protocol": "HTTPS", "ssl_policy": "ELBSecurityPolicy-TLS13-1-2-2021-06", "certificate_arns": [ARN]},
    ]
    assert [one["protocol"] for one in waited[1]["listeners"]] == ["TCP", "TLS"]
    assert {one["cluster"] for one in waited} == {"prod"}


@pytest.mark.requirement("A2")
def test_the_role_declares_every_option_of_the_modules() -> None:
    spec = yaml.safe_load((REPOSITORY / "roles/ingress/meta/argument_specs.yml").read_text())["argument_specs"]["main"]["options"]

    def compare(options: dict[str, Any], declared: dict[str, Any], path: str) -> None:
        assert set(declared) - {"certificate_domains", "kind"} == set(options) - {"kind"}, path
        for name, option in options.items():
            # The role has defaults for names.
            for key in ("type", "elements", "choices") if name in ("name", "namespace") else ("type", "elements", "choices", "default", "required"):
                assert option.get(key) == declared[name].get(key), f"{path}.{name}: {key}"
            if "options" in option:
                compare(option["options"], declared[name]["options"], f"{path}.{name}")

    for name, options in {"gateways": GATEWAY_OPTIONS, "albs": ALB_OPTIONS, "routes": ROUTE, "classic_gateways": ISTIO_GATEWAY}.items():
        compare(options, spec[f"ingress_{name}"]["options"], f"ingress_{name}")
