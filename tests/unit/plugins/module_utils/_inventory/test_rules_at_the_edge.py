"""Paths, matches, filters, actions and words of TLS that an API or a controller refuses are reported before; what they take passes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.ingress_lists import parse_ingress_lists
from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.validation import find_errors
from ansible_collections.meshwright.ambient.plugins.module_utils._limits.http import find_expression_errors, find_path_errors
from tests.unit.inventory_values import converted
from tests.unit.mutations import mutations

GATEWAY = {"name": "public", "namespace": "edge"}
BACKEND = {"service": "cart", "port": 80}
ACTION = "alb.ingress.kubernetes.io/actions."
CONDITION = "alb.ingress.kubernetes.io/conditions."


def path(written: str, path_type: str = "PathPrefix", **options: Any) -> dict[str, Any]:
    rule = {"path": written, "path_type": path_type, "backends": [BACKEND]}
    return {"ingress_routes": [{"name": "cart", "namespace": "edge", "gateway": "public", "rules": [rule], **options}]}


def virtual_service(**rule: Any) -> dict[str, Any]:
    return {
        "ingress_routes": [{"name": "cart", "namespace": "edge", "gateway": "classic", "kind": "VirtualService", "rules": [{"backends": [BACKEND], **rule}]}]
    }


def rules(**rule: Any) -> dict[str, Any]:
    """A route whose rule is written as the API has it."""
    whole = rule if "backendRefs" in rule or "filters" in rule else {**rule, "backendRefs": [{"name": "cart", "port": 80}]}
    return {"ingress_routes": [{"name": "cart", "namespace": "edge", "gateway": "public", "spec": {"rules": [whole]}}]}


def alb(**options: Any) -> dict[str, Any]:
    return {
        "ingress_gateways": [{**GATEWAY, "load_balancer": "alb"}],
        "ingress_albs": [{"name": "public", "namespace": "edge", "gateway": "public", **options}],
    }


def action(**fields: Any) -> dict[str, Any]:
    return alb(actions={"answer": fields})


def annotated(key: str, value: Any) -> dict[str, Any]:
    return alb(annotations={key: value if isinstance(value, str) else json.dumps(value)})


def classic(**options: Any) -> dict[str, Any]:
    return {"ingress_classic_gateways": [{"name": "classic", "namespace": "edge", "release": "istio-ingress", **options}]}


def redirect(**fields: Any) -> dict[str, Any]:
    return rules(filters=[{"type": "RequestRedirect", "requestRedirect": fields}])


SERVER = {"hosts": ["*"], "port": {"number": 443, "name": "https", "protocol": "HTTPS"}}

# An inventory, and what the only sentence about it says.
WRONG: list[tuple[dict[str, Any], str]] = [
    (path("cart"), "rules[0].path is 'cart': a path must begin with a slash."),
    (path("/a//b"), "rules[0].path is '/a//b', which has //"),
    (path("/a/./b"), "which has /./"),
    (path("/a/../b", "Exact"), "which has /../"),
    (path("/a%2fb"), "which has %2f"),
    (path("/a%2Fb"), "which has %2F"),
    (path("/a/.."), "which ends with /.."),
    (path("/a/."), "which ends with /."),
    (path("/a#b"), "which has '#'"),
    (path("/a b"), "which has ' '"),
    (path("/ä"), "which has 'ä'"),
    (path("/a?b=c"), "which has '?'"),
    (path("/a%zz"), "which has '%'"),
    (path("/" + "a" * 1024), "rules[0].path has 1025 characters, and the Gateway API allows 1024"),
    (path("/(a", "RegularExpression"), "which is not a regular expression (missing ), unterminated subpattern)"),
    (path("/(?!admin).*", "RegularExpression"), "which has (?! (looks ahead or behind)"),
    (virtual_service(path="/(a", path_type="RegularExpression"), "which is not a regular expression"),
    (virtual_service(path="cart"), "rules[0].path is 'cart': a path must begin with a slash."),
    (virtual_service(backends=[BACKEND, {**BACKEND, "service": "new"}]), "rules[0].backends has several backends and no weight above 0, which istiod refuses"),
    (virtual_service(backends=[{**BACKEND, "weight": 0}, {**BACKEND, "service": "new", "weight": 0}]), "several backends and no weight above 0"),
    (rules(matches=[{"path": {"value": "/a//b"}}]), "spec.rules[0].matches[0].path.value is '/a//b', which has //"),
    (rules(matches=[{"path": {"type": "Prefix", "value": "/a"}}]), "spec.rules[0].matches[0].path.type is 'Prefix', which is not one of its choices"),
    (rules(matches=[{"method": "get"}]), "spec.rules[0].matches[0].method is 'get', which is not one of its choices: did you mean GET?"),
    (rules(matches=[{"headers": [{"name": "x version", "value": "2"}]}]), "headers[0].name is 'x version'"),
    (rules(matches=[{"headers": [{"name": "x-version", "value": 2}]}]), "headers[0].value is not a text"),
    (rules(matches=[{"queryParams": [{"name": "v", "value": "2", "type": "Regex"}]}]), "queryParams[0].type is 'Regex'"),
    (rules(backendRefs=[{"name": "cart", "port": 80, "weight": -1}]), "spec.rules[0].backendRefs[0].weight is -1: use 0 to 1000000."),
    (rules(timeouts={"request": "1d"}), "spec.rules[0].timeouts.request is '1d'"),
    (redirect(statusCode=200), "requestRedirect.statusCode is 200: use 301, 302, 303, 307 or 308."),
    (redirect(scheme="HTTPS"), "requestRedirect.scheme is 'HTTPS', which is not one of its choices: did you mean https?"),
    (redirect(path={"type": "ReplacePath", "replaceFullPath": "/"}), "requestRedirect.path.type is 'ReplacePath'"),
    (redirect(path={"type": "ReplaceFullPath"}), "has no replaceFullPath: add it."),
    (rules(filters=[{"type": "RequestRedirect"}]), "is of type RequestRedirect, but has no requestRedirect: add it."),
    (rules(filters=[{"type": "RequestRedirect", "requestRedirect": {}, "cors": {}}]), "but has cors: remove it, or set type to CORS."),
    (
        rules(filters=[{"type": "RequestRedirect", "requestRedirect": {"scheme": "https"}}], backendRefs=[{"name": "cart", "port": 80}]),
        "has backendRefs and the filter RequestRedirect",
    ),
    (
        rules(
            matches=[{"path": {"value": "/a"}}, {"path": {"value": "/b"}}],
            filters=[{"type": "URLRewrite", "urlRewrite": {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/"}}}],
        ),
        "the rule must have exactly one match",
    ),
    (alb(path="cart"), "path is 'cart': a path must begin with a slash."),
    (alb(path="/*"), "path is '/*': it is a prefix, which the controller takes without wildcards, so write '/'."),
    (alb(path="/shop/*"), "so write '/shop'."),
    (alb(path="/a b"), "path is '/a b': use at most 126 letters"),
    (alb(path="/" + "a" * 126), "use at most 126 letters"),
    (alb(path="/a//b"), "which has //"),
    (alb(ingress_class="alb public"), "ingress_class is 'alb public'"),
    (alb(listen_ports=[]), "listen_ports is empty"),
    (alb(listen_ports=[{"TCP": 80}]), "listen_ports has TCP: 80, which is not HTTP or HTTPS with a port from 1 to 65535: write it as {HTTPS: 443}."),
    (alb(listen_ports=[{"HTTP": "x"}]), "listen_ports has HTTP: x, which"),
    (alb(listen_ports=[{"HTTP": None}]), "listen_ports has HTTP without a port, which"),
    (alb(listen_ports=[{"HTTP": True}]), "listen_ports has HTTP: true, which"),
    (action(type="fixed-response"), "actions.answer is of type fixed-response, but has no fixedResponseConfig: add it."),
    (action(type="fixedResponse"), "actions.answer.type is 'fixedResponse', which is not one of its choices: did you mean fixed-response?"),
    (action(type="fixed-response", fixedResponseConfig={"contentType": "text/plain"}), "fixedResponseConfig.statusCode is missing"),
    (action(type="fixed-response", fixedResponseConfig={"statusCode": 302}), "statusCode is 302: use a code from 200 to 299, or from 400 to 599."),
    (action(type="fixed-response", fixedResponseConfig={"statusCode": "200", "contentType": "text"}), "contentType is 'text'"),
    (action(type="redirect"), "but has no redirectConfig: add it."),
    (action(type="redirect", redirectConfig={"host": "b.example.com", "statusCode": 301}), "redirectConfig.statusCode is 301: use HTTP_301 or HTTP_302."),
    (action(type="redirect", redirectConfig={"statusCode": "HTTP_301"}), "changes neither protocol nor host, port or path"),
    (action(type="redirect", redirectConfig={"statusCode": "HTTP_301", "path": "x"}), "redirectConfig.path is 'x': begin it with a slash."),
    (action(type="redirect", redirectConfig={"statusCode": "HTTP_301", "protocol": "https"}), "did you mean HTTPS?"),
    (action(type="forward"), "set either forwardConfig, or targetGroupARN or targetGroupName."),
    (action(type="forward", forwardConfig={"targetGroups": [{"serviceName": "a"}]}), "has serviceName, but no servicePort"),
    (
        action(type="forward", forwardConfig={"targetGroups": [{"serviceName": "a", "servicePort": 80, "weight": 1}, {"serviceName": "b", "servicePort": 80}]}),
        "targetGroups[1] has no weight",
    ),
    (annotated(f"{ACTION}answer", {"type": "fixed-response"}), "to which no rule of the load balancer refers: use actions"),
    (annotated(f"{CONDITION}public-istio", {"field": "path-pattern"}), "must be a list of conditions as JSON"),
    (annotated(f"{CONDITION}public-istio", [{"field": "path"}]), "[0].field is 'path', which is not one of its choices"),
    (annotated(f"{CONDITION}public-istio", [{"field": "source-ip"}]), "has the field source-ip, but no sourceIPConfig: add it."),
    (
        classic(protocol="HTTPS", tls={"mode": "simple", "credentialName": "shop"}),
        "tls.mode is 'simple', which is not one of its choices: did you mean SIMPLE?",
    ),
    (
        classic(servers=[{**SERVER, "tls": {"mode": "Passthrough"}}]),
        "servers[0].tls.mode is 'Passthrough', which is not one of its choices: did you mean PASSTHROUGH?",
    ),
    (classic(protocol="TLS", tls={"mode": "SIMPLE", "minProtocolVersion": "1.2"}), "tls.minProtocolVersion is '1.2'"),
    (
        classic(servers=[{"hosts": ["*"], "port": {"number": 80, "protocol": "HTP"}}]),
        "servers[0].port.protocol is 'HTP', which is not one of its choices: did you mean",
    ),
    (classic(servers=[{"hosts": ["*"]}]), "servers[0] has no port"),
]

RIGHT: list[dict[str, Any]] = [
    *(path(written) for written in ("/", "/a/b/", "/a.b", "/..a", "/.well-known/x", "/a%20b", "/~me/a,b;c=d", "/a:b@c", "/" + "a" * 1023)),
    path("/[a-z]+//(x|y)", "RegularExpression"),
    path(r"/a/\d+(\.json)?$", "RegularExpression"),
    path(r"/(?i)a[(?=]", "RegularExpression"),
    path(r"/\pL+\z", "RegularExpression"),
    virtual_service(path="/a//b"),
    virtual_service(path="/a b"),
    virtual_service(backends=[{**BACKEND, "weight": 90}, {**BACKEND, "service": "new", "weight": 10}]),
    virtual_service(backends=[{**BACKEND, "weight": 0}]),
    # The other one counts as 0, as upstream takes it.
    virtual_service(backends=[{**BACKEND, "weight": 9}, {**BACKEND, "service": "new"}]),
    rules(matches=[{"path": {"type": "Exact", "value": "/a"}, "method": "GET", "headers": [{"name": "X-Version", "value": "2", "type": "RegularExpression"}]}]),
    rules(timeouts={"request": "10s", "backendRequest": "1m30s"}),
    rules(backendRefs=[{"name": "cart", "port": 80, "weight": 0}, {"name": "new", "port": 80}]),
    redirect(scheme="https", statusCode=308, path={"type": "ReplacePrefixMatch", "replacePrefixMatch": "/"}),
    rules(filters=[{"type": "RequestMirror", "requestMirror": {"backendRef": {"name": name, "port": 80}}} for name in "ab"]),
    rules(filters=[{"type": "RequestHeaderModifier", "requestHeaderModifier": {"set": [{"name": "a", "value": "b"}], "remove": ["c"]}}]),
    *(alb(path=written) for written in ("/", "/a/", "/a.b", "/" + "a" * 125)),
    alb(ingress_class="alb.public"),
    alb(listen_ports=[{"HTTP": 80, "HTTPS": "443"}], certificate_domains=["a.example.com"]),
    action(type="fixed-response", fixedResponseConfig={"statusCode": 503, "contentType": "application/json", "messageBody": "{}"}),
    action(Type="fixed-response", FixedResponseConfig={"StatusCode": "404"}),
    action(type="redirect", redirectConfig={"host": "b.example.com", "path": "/#{path}", "port": 443, "protocol": "HTTPS", "statusCode": "HTTP_302"}),
    action(type="redirect", redirectConfig={"path": "/new/#{path}", "query": "a=b", "port": "#{port}", "statusCode": "HTTP_301"}),
    action(type="forward", targetGroupARN="arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/a/1"),
    action(type="forward", forwardConfig={"targetGroups": [{"serviceName": name, "servicePort": "http", "weight": 50} for name in "ab"]}),
    annotated(f"{CONDITION}public-istio", [{"field": "source-ip", "sourceIPConfig": {"values": ["192.0.2.0/24"]}}]),
    classic(protocol="HTTPS", tls={"mode": "SIMPLE", "credentialName": "shop", "minProtocolVersion": "TLSV1_2"}),
    classic(servers=[{**SERVER, "port": {"number": 443, "name": "a", "protocol": "https"}, "tls": {"mode": "OPTIONAL_MUTUAL"}}]),
]


@pytest.mark.parametrize(("variables", "sentence"), WRONG, ids=[sentence for _variables, sentence in WRONG])
def test_what_would_be_refused_is_one_error(variables: dict[str, Any], sentence: str) -> None:
    errors = find_errors(converted(variables))
    assert len(errors) == 1, errors
    assert errors[0].startswith("ingress_")
    assert sentence in errors[0]


@pytest.mark.parametrize("variables", RIGHT, ids=range(len(RIGHT)))
def test_what_is_taken_passes(variables: dict[str, Any]) -> None:
    assert find_errors(converted(variables)) == []


# YAML reads such a key as a boolean, which has no order among texts.
MIXED_KEYS = [
    alb(actions={True: {"type": "forward"}, "answer": {"type": "fixed-response", "fixedResponseConfig": {"statusCode": "404"}}}),
    alb(annotations={True: "a", f"{CONDITION}public-istio": "[]"}),
    rules(timeouts={True: "1s", "request": "1s"}),
]


@pytest.mark.parametrize("variables", MIXED_KEYS, ids=["actions", "annotations", "timeouts"])
def test_keys_of_other_types_have_an_order(variables: dict[str, Any]) -> None:
    assert find_errors(converted(variables)) == find_errors(converted(variables))


RAW: dict[str, dict[str, Any]] = {
    "spec of a route": rules(
        matches=[{"path": {"type": "Exact", "value": "/a"}, "method": "GET", "headers": [{"name": "a", "value": "b", "type": "Exact"}]}],
        filters=[{"type": "URLRewrite", "urlRewrite": {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/"}}}],
        timeouts={"request": "1s"},
        backendRefs=[{"name": "a", "port": 80, "weight": 1}],
    ),
    "redirect": action(type="redirect", redirectConfig={"host": "b.example.com", "path": "/", "port": "443", "protocol": "HTTPS", "statusCode": "HTTP_301"}),
    "forward": action(type="forward", forwardConfig={"targetGroups": [{"serviceName": "a", "servicePort": 80, "weight": 1}]}),
    "servers": classic(servers=[{**SERVER, "tls": {"mode": "SIMPLE"}}]),
}


@pytest.mark.parametrize("name", RAW)
def test_whatever_is_written_ends_in_a_sentence_or_passes(name: str) -> None:
    variable, (item,) = next((variable, items) for variable, items in reversed(RAW[name].items()))
    for key in ("spec", "actions", "servers"):
        for changed in mutations(item[key]) if key in item else ():
            for error in find_errors(converted({**RAW[name], variable: [{**item, key: changed}]})):
                assert error.startswith("ingress_"), error


@pytest.mark.parametrize("path_type", ["PathPrefix", "Exact"])
def test_a_path_has_one_sentence(path_type: str) -> None:
    assert len(list(find_path_errors("path", "a//b#c", path_type))) == 1


@pytest.mark.parametrize("expression", [r"[(?=]", r"\(\?=", r"(?P<a>b)", r"(?:a)", r"(?i:a)", "a{2,3}", r"\d", r"[\w-.]+", "[]a]", "[^]a]+"])
def test_expressions_of_envoy_pass(expression: str) -> None:
    assert list(find_expression_errors("path", expression)) == []


@pytest.mark.parametrize("expression", ["(?=a)", "(?!a)", "(?<=a)b", r"(a)\1", "(a", "a)", "[a", "*a"])
def test_expressions_that_envoy_does_not_take_are_errors(expression: str) -> None:
    assert len(list(find_expression_errors("path", expression))) == 1


def test_a_backend_without_a_weight_beside_others_is_a_note() -> None:
    def notes_of(*weights: int | None) -> list[str]:
        backends = [{**BACKEND, "weight": weight} for weight in weights]
        (route,) = parse_ingress_lists({"routes": virtual_service(backends=backends)["ingress_routes"]}).routes
        return list(route.notes)

    assert notes_of(9, None) == ["rules[0].backends without a weight get no request, because others have one: give each a weight."]
    assert notes_of(9, 1) == notes_of(9, 0) == notes_of(None) == []


def test_codes_of_actions_reach_the_controller_as_texts_in_any_case() -> None:
    (ingress,) = parse_ingress_lists({"albs": action(Type="fixed-response", FixedResponseConfig={"StatusCode": 404})["ingress_albs"]}).albs
    written = ingress.main.manifest["metadata"]["annotations"][f"{ACTION}answer"]
    assert json.loads(written) == {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}
