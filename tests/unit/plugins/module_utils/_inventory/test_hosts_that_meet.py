"""Hosts of routes, listeners, load balancers and certificates that do not meet are reported before anything is created; those that do are not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.ingress import ingress_warnings
from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.ingress_lists import choose_sections
from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.validation import find_errors
from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.warnings import find_warnings
from ansible_collections.meshwright.ambient.plugins.module_utils._limits.hosts import hosts_meet
from tests.unit.inventory_values import converted
from tests.unit.mutations import mutations

RULES = [{"backends": [{"service": "cart", "port": 80}]}]


def gateway(*hosts: str, **options: Any) -> dict[str, Any]:
    return {"name": "public", "namespace": "edge", "hosts": list(hosts), **options}


def route(*hosts: str, **options: Any) -> dict[str, Any]:
    return {"name": "cart", "namespace": "edge", "gateway": "public", "hosts": list(hosts), "rules": RULES, **options}


def listener(name: str, **options: Any) -> dict[str, Any]:
    return {"name": name, "port": 80, **options}


def routed(one: Mapping[str, Any], *routes: Mapping[str, Any]) -> dict[str, Any]:
    return {"ingress_gateways": [one], "ingress_routes": list(routes)}


def fronted(one: Mapping[str, Any], *routes: Mapping[str, Any], certificates: tuple[str, ...] = (), **options: Any) -> dict[str, Any]:
    """A gateway behind an ALB, and declared certificates."""
    alb = {"name": "public", "namespace": "edge", "gateway": "public", **options}
    declared = [{"domain": names.split()[0], "subject_alternative_names": names.split()[1:]} for names in certificates]
    return {**routed({**one, "load_balancer": "alb"}, *routes), "ingress_albs": [alb], "aws_edge_certificates": declared}


def classic(hosts: list[str], *routes: Mapping[str, Any], **options: Any) -> dict[str, Any]:
    own = {"name": "classic", "namespace": "edge", "release": "istio-ingress", "hosts": hosts, **options}
    return {"ingress_classic_gateways": [own], "ingress_routes": [{"kind": "VirtualService", **route(), "gateway": "classic", **one} for one in routes]}


TLS_LISTENER = listener("tls", port=443, protocol="TLS", tls_mode="Passthrough")
FOREIGN = {"namespace": "shop", "gateway_namespace": "edge"}
POD_LABEL = "gateway.networking.k8s.io/gateway-name"
BOTH_KINDS = {
    **classic(["shop.example.com"], {"name": "old", "hosts": ["shop.example.com"]}, release=None, selector={POD_LABEL: "public"}),
    "ingress_gateways": [gateway("shop.example.com")],
}
BOTH_KINDS["ingress_routes"] += [route("shop.example.com")]

# An inventory, the variables that the sentence begins with, and what it says.
WRONG: list[tuple[dict[str, Any], str, str]] = [
    (
        routed(gateway("shop.example.com"), route("bank.example.com")),
        "ingress_gateways and ingress_routes",
        "has the hosts bank.example.com, which do not match shop.example.com of listener http of Gateway edge/public",
    ),
    # A wildcard does not stand for its own domain, and a listener's host not for what is below it.
    (routed(gateway("*.example.com"), route("example.com")), "ingress_gateways", "has the hosts example.com"),
    (routed(gateway("example.com"), route("*.example.com")), "ingress_gateways", "has the hosts *.example.com"),
    (routed(gateway("*.example.com"), route("shop.badexample.com")), "ingress_gateways", "has the hosts shop.badexample.com"),
    # Each listener that is named has to accept the route.
    (
        routed(
            gateway(listeners=[listener("a", hostname="a.example.com"), listener("b", hostname="b.example.com")]),
            route("a.example.com", section_names=["a", "b"]),
        ),
        "ingress_gateways",
        "which do not match b.example.com of listener b of Gateway edge/public",
    ),
    # Only the listeners that could accept it are named.
    (
        routed(gateway(listeners=[listener("http", hostname="a.example.com"), TLS_LISTENER]), route("b.example.com")),
        "ingress_gateways",
        "do not match a.example.com of listener http of Gateway edge/public",
    ),
    (
        routed(gateway(listeners=[TLS_LISTENER]), route()),
        "ingress_gateways",
        "attaches to listener tls of Gateway edge/public with the protocol TLS, which takes no HTTPRoute",
    ),
    (routed(gateway(), route(**FOREIGN)), "ingress_gateways", "where only routes of namespace edge are allowed: set allowed_routes"),
    (routed(gateway(allowed_routes={"from": "Same"}), route(**FOREIGN)), "ingress_gateways", "set allowed_routes"),
    (
        routed(gateway(allowed_routes={"from": "All"}, listeners=[listener("own", allowed_routes={"from": "Same"})]), route(**FOREIGN)),
        "ingress_gateways",
        "listener own of Gateway edge/public, where only routes of namespace edge are allowed",
    ),
    (
        classic(["shop.example.com"], {"hosts": ["bank.example.com"]}),
        "ingress_routes and ingress_classic_gateways",
        "has the hosts bank.example.com, but Istio Gateway edge/classic serves shop.example.com",
    ),
    (
        classic(["./*"], {"namespace": "shop", "gateway_namespace": "edge", "hosts": ["shop.example.com"]}),
        "ingress_routes",
        "serves no hosts for namespace shop",
    ),
    (
        fronted(gateway("shop.example.com"), hosts=["shop.example.com", "bank.example.com"]),
        "ingress_gateways and ingress_albs",
        "has the hosts bank.example.com, but Gateway edge/public serves only shop.example.com at port 80",
    ),
    (BOTH_KINDS, "ingress_gateways and ingress_routes", "both send shop.example.com at the pods of Gateway edge/public"),
]

RIGHT: dict[str, dict[str, Any]] = {
    "no hosts of either": routed(gateway(), route()),
    "no hosts of the route": routed(gateway("shop.example.com"), route()),
    "no hosts of the gateway": routed(gateway(), route("shop.example.com")),
    "a host below a wildcard": routed(gateway("*.example.com"), route("a.b.example.com")),
    "a wildcard over a host": routed(gateway("shop.example.com"), route("*.example.com")),
    "two wildcards": routed(gateway("*.example.com"), route("*.shop.example.com")),
    "one of several listeners": routed(gateway("a.example.com", "b.example.com"), route("b.example.com")),
    "a gateway of elsewhere": routed(gateway("a.example.com"), route("b.example.com", gateway="other")),
    "an absent route": routed(gateway("a.example.com"), route("b.example.com", state="absent")),
    "behind a redirect": routed(
        gateway("a.example.com", "b.example.com", redirect_http=True, tls="gateway", certificate_refs=[{"name": "x"}]), route("a.example.com")
    ),
    "a listener of TLS beside it": routed(gateway(listeners=[listener("http"), TLS_LISTENER]), route()),
    "every namespace": routed(gateway(allowed_routes={"from": "All"}), route(**FOREIGN)),
    "a selector": routed(gateway(allowed_routes={"from": "Selector"}), route(**FOREIGN)),
    "another parent in full": routed(gateway("a.example.com"), route("b.example.com", spec={"parentRefs": [{"name": "other"}]})),
    "hosts in full": routed(gateway("a.example.com"), route(spec={"hostnames": ["a.example.com"]})),
    "a parent of another kind": routed(
        gateway("a.example.com"), route("b.example.com", spec={"parentRefs": [{"kind": "Service", "group": "", "name": "public"}]})
    ),
    "a VirtualService for all hosts": classic(["shop.example.com"], {}),
    "a VirtualService of the namespace": classic(["./shop.example.com"], {"hosts": ["shop.example.com"]}),
    "a VirtualService of a named namespace": classic(["shop/*.example.com"], {"namespace": "shop", "gateway_namespace": "edge", "hosts": ["shop.example.com"]}),
    "a VirtualService for a Service": classic(["cart.edge.svc.cluster.local"], {"hosts": ["cart"]}),
    "a server for all hosts": classic(["*"], {"hosts": ["shop.example.com"]}),
    "an ALB in front of a wildcard": fronted(gateway("*.example.com"), hosts=["shop.example.com"]),
    "an ALB in front of all hosts": fronted(gateway(), hosts=["shop.example.com"]),
    "an ALB for all hosts": fronted(gateway("shop.example.com")),
    "other pods": {**BOTH_KINDS, "ingress_classic_gateways": [{**BOTH_KINDS["ingress_classic_gateways"][0], "selector": {POD_LABEL: "other"}}]},
    "other hosts": {**BOTH_KINDS, "ingress_routes": [BOTH_KINDS["ingress_routes"][0], route("bank.example.com")], "ingress_gateways": [gateway()]},
}

HTTPS: dict[str, Any] = {"certificate_domains": ["shop.example.com"], "hosts": ["shop.example.com", "bank.example.com"]}
# What is possible because of something of elsewhere, and what is said of it.
POSSIBLE: list[tuple[dict[str, Any], str]] = [
    (
        routed(gateway("shop.example.com"), route("shop.example.com", "bank.example.com")),
        "ingress_routes: Route edge/cart has the hosts bank.example.com, which no listener of its gateway serves, so they are ignored",
    ),
    (
        fronted(gateway(), route("shop.example.com"), hosts=["shop.example.com", "bank.example.com"]),
        "ingress_albs: ALB edge/public has the hosts bank.example.com, for which ingress_routes has no route: unless something else creates one",
    ),
    (
        fronted(gateway(), certificates=("shop.example.com www.example.com",), **HTTPS),
        "ingress_albs: ALB edge/public has the hosts bank.example.com, which no certificate of aws_edge_certificates for its certificate_domains covers",
    ),
    # A wildcard covers one label, and not its own domain.
    (
        fronted(gateway(), certificates=("*.example.com shop.example.com",), **{**HTTPS, "hosts": ["example.com", "a.b.example.com"]}),
        "hosts example.com, a.b.exam",
    ),
    (
        {
            **routed(gateway("bank.example.com", load_balancer="nlb", tls="load_balancer", nlb={"certificate_domains": ["shop.example.com"]})),
            "aws_edge_certificates": [{"domain": "shop.example.com"}],
        },
        "ingress_gateways: Gateway edge/public has the hosts bank.example.com, which no certificate",
    ),
]
SILENT: dict[str, dict[str, Any]] = {
    **RIGHT,
    "a certificate of elsewhere": fronted(gateway(), **HTTPS),
    "one declared and one of elsewhere": fronted(
        gateway(), certificates=("shop.example.com",), **{**HTTPS, "certificate_domains": ["shop.example.com", "other.example.org"]}
    ),
    "a wildcard": fronted(gateway(), certificates=("*.example.com shop.example.com",), **HTTPS),
    "plain HTTP": fronted(gateway(), certificates=("shop.example.com",), **HTTPS, listen_ports=[{"HTTP": 80}]),
    "no routes at all": fronted(gateway(), hosts=["shop.example.com"]),
    "a route for all hosts": fronted(gateway(), route(), hosts=["shop.example.com"]),
}


@pytest.mark.parametrize(("variables", "names", "sentence"), WRONG, ids=[sentence for _variables, _names, sentence in WRONG])
def test_hosts_that_do_not_meet_are_one_error(variables: dict[str, Any], names: str, sentence: str) -> None:
    errors = find_errors(converted(variables))
    assert len(errors) == 1, errors
    assert errors[0].startswith(names)
    assert sentence in errors[0]


@pytest.mark.parametrize("name", RIGHT)
def test_hosts_that_meet_pass(name: str) -> None:
    assert find_errors(converted(RIGHT[name])) == []


@pytest.mark.parametrize(("variables", "sentence"), POSSIBLE, ids=[sentence for _variables, sentence in POSSIBLE])
def test_what_may_not_be_meant_is_a_warning(variables: dict[str, Any], sentence: str) -> None:
    assert find_errors(converted(variables)) == []
    warnings = ingress_warnings(converted(variables).values)
    assert len(warnings) == 1, warnings
    assert sentence in warnings[0]


@pytest.mark.parametrize("name", SILENT)
def test_what_is_meant_is_no_warning(name: str) -> None:
    assert ingress_warnings(converted(SILENT[name]).values) == []


@pytest.mark.parametrize(
    ("host", "other", "meet"),
    [
        ("", "a.example.com", True),
        ("a.example.com", "a.example.com", True),
        ("*.example.com", "a.b.example.com", True),
        ("*.example.com", "*.b.example.com", True),
        ("*.com", "*.example.com", True),
        ("*.example.com", "example.com", False),
        ("*.a.example.com", "*.b.example.com", False),
        ("a.example.com", "b.example.com", False),
        ("*.example.com", "a.anexample.com", False),
    ],
)
def test_hosts_meet_in_both_directions(host: str, other: str, meet: bool) -> None:
    assert hosts_meet(host, other) is meet
    assert hosts_meet(other, host) is meet


def test_a_route_behind_a_redirect_attaches_to_the_listeners_that_serve_its_hosts() -> None:
    gateways = [gateway("a.example.com", "b.example.com", redirect_http=True, tls="gateway", certificate_refs=[{"name": "x"}])]
    hosts = {"a": ["a.example.com"], "wildcard": ["*.example.com"], "none": [], "elsewhere": ["shop.example.org"]}
    routes = choose_sections([route(*names, name=name) for name, names in hosts.items()], gateways)
    both = ["https", "https-b-example-com"]
    assert {one["name"]: one["section_names"] for one in routes} == {"a": both[:1], "wildcard": both, "none": both, "elsewhere": both}
    # What meets none of them is an error that names all of them.
    (error,) = find_errors(converted({"ingress_gateways": gateways, "ingress_routes": [route("shop.example.org")]}))
    assert "do not match a.example.com, b.example.com of listeners https, https-b-example-com" in error


@pytest.mark.parametrize("kind", ["HTTPRoute", "VirtualService"])
def test_whatever_is_written_in_full_ends_in_a_sentence_or_passes(kind: str) -> None:
    specs: dict[str, dict[str, Any]] = {
        "HTTPRoute": {"parentRefs": [{"name": "public", "sectionName": "http", "port": 80}], "hostnames": ["a.example.com"]},
        "VirtualService": {"gateways": ["edge/classic"], "hosts": ["a.example.com"]},
    }
    both = {**routed(gateway("b.example.com")), **classic(["b.example.com"])}
    for spec in mutations(specs[kind]):
        variables = {**both, "ingress_routes": [{"kind": kind, **route(), "gateway": "classic" if kind == "VirtualService" else "public", "spec": spec}]}
        for error in find_errors(converted(variables)):
            assert error.startswith("ingress_"), error
        ingress_warnings(converted(variables).values)


def test_a_gateway_of_the_other_kind_is_a_warning() -> None:
    gateways = {"ingress_gateways": [gateway()], "ingress_classic_gateways": [{"name": "classic", "namespace": "edge", "release": "istio-ingress"}]}
    kinds = [("HTTPRoute", "public"), ("VirtualService", "classic"), ("HTTPRoute", "classic"), ("VirtualService", "public"), ("VirtualService", "elsewhere")]
    routes = [route(name=f"{kind}-{name}".lower(), kind=kind, gateway=name) for kind, name in kinds]
    assert find_errors(converted({**gateways, "ingress_routes": routes})) == []
    warnings = find_warnings(converted({**gateways, "ingress_routes": routes}).values)
    assert [warning.split(", ")[0] for warning in warnings] == ["ingress_routes[2].gateway is 'classic'", "ingress_routes[3].gateway is 'public'"]
    assert "set kind to VirtualService" in warnings[0]
    assert "set kind to HTTPRoute" in warnings[1]
