from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._checks.cluster import Cluster
from ansible_collections.meshwright.ambient.plugins.module_utils._checks.finding import Finding
from ansible_collections.meshwright.ambient.plugins.module_utils._checks.policies import CHECKS
from ansible_collections.meshwright.ambient.plugins.module_utils._checks.policy_rules import Caller, matches, rules_of
from ansible_collections.meshwright.ambient.plugins.module_utils._checks.run import run_checks
from ansible_collections.meshwright.ambient.plugins.module_utils._kinds import (
    AUTHORIZATION_POLICY,
    CONFIG_MAP,
    DEPLOYMENT,
    ENVOY_FILTER,
    GATEWAY,
    NAMESPACE,
    POD,
    SERVICE,
    SIDECAR,
    TELEMETRY,
    WASM_PLUGIN,
    Kind,
)
from tests.unit.objects import Object, derived, named, namespace_of, recorded

BOUND = "istio.io/WaypointBound"


def of_gateway(name: str, controller: str) -> dict[str, str]:
    return {"gateway.networking.k8s.io/gateway-name": name, "gateway.istio.io/managed": f"istio.io-{controller}", "istio.io/dataplane-mode": "none"}


WAYPOINT_LABELS, GATEWAY_LABELS = of_gateway("waypoint", "mesh-controller"), of_gateway("front", "gateway-controller")
WAYPOINT_ID = "cluster.local/ns/shop/sa/waypoint"


def policy(name: str = "rules", namespace: str = "shop", *, kind: str = "AuthorizationPolicy", annotations: Any = None, **spec: Any) -> Object:
    metadata = {"name": name, "namespace": namespace, "creationTimestamp": "2026-11-20T10:00:00Z", **({"annotations": annotations} if annotations else {})}
    return {"apiVersion": "security.istio.io/v1", "kind": kind, "metadata": metadata, "spec": spec}


def pod(name: str, namespace: str = "shop", *, state: str = "captured", account: str = "default", ports: Any = (), **labels: str) -> Object:
    marks = {"captured": {"ambient.istio.io/redirection": "enabled"}, "sidecar": {"sidecar.istio.io/status": ""}}.get(state, {})
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": {"app": name, **labels}, "annotations": marks},
        "spec": {"nodeName": "node-1", "serviceAccountName": account, "containers": [{"name": "main", "image": "x", "ports": list(ports)}]},
        "status": {"phase": "Running", "podIP": "10.64.0.9"},
    }


def service(name: str, namespace: str = "shop", *, ports: Any = ({"port": 80, "targetPort": 8080},), bound: bool = False, **labels: str) -> Object:
    conditions = [{"type": BOUND, "status": "True", "reason": "WaypointAccepted", "message": f"Successfully attached to waypoint {namespace}/waypoint"}]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": namespace, "labels": {**labels, **({"istio.io/use-waypoint": "waypoint"} if bound else {})}},
        "spec": {"type": "ClusterIP", "selector": {"app": name}, "ports": list(ports)},
        "status": {"conditions": conditions if bound else []},
    }


def from_(**source: Any) -> Object:
    return {"from": [{"source": source}]}


def to(**operation: Any) -> Object:
    return {"to": [{"operation": operation}]}


WAYPOINT = named(recorded("gateway/waypoint_programmed"), "waypoint", "shop")
SHOP = namespace_of("shop", **{"istio.io/dataplane-mode": "ambient"})
CART = pod("cart")
TLS_MODE = {"security.istio.io/tlsMode": "istio"}
BEHIND = service("cart", bound=True)
WAYPOINT_POD = pod("waypoint-1", state="none", account="waypoint", **WAYPOINT_LABELS)
GATEWAY_POD = pod("front-1", state="none", account="front-istio", **GATEWAY_LABELS)
KINDS = (AUTHORIZATION_POLICY, CONFIG_MAP, DEPLOYMENT, ENVOY_FILTER, NAMESPACE, POD, SERVICE, SIDECAR, TELEMETRY, WASM_PLUGIN, GATEWAY)
BY_KIND = {kind.name: kind for kind in KINDS}


def cluster_of(*items: Object, now: float = 0.0) -> Cluster:
    objects: dict[Kind, list[Object]] = {}
    for item in items:
        objects.setdefault(BY_KIND[item["kind"]], []).append(item)
    return Cluster(objects, now=now)


def check(*items: Object, now: float = 0.0) -> list[Finding]:
    found, unchecked = run_checks(CHECKS, cluster_of(SHOP, *items, now=now))
    assert not unchecked, unchecked
    return found


def shown(found: list[Finding]) -> list[tuple[str, str, str]]:
    return [(one.code, one.severity, str(one.problem.object)) for one in found]


def only(code: str, *items: Object) -> Finding:
    found = [one for one in check(*items) if one.code == code]
    assert len(found) == 1, shown(found)
    return found[0]


# what ztunnel does not read


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        pytest.param({"rules": [to(methods=["GET"])]}, ["methods", "drops its only rule", "denied that the policy should allow"], id="allow"),
        pytest.param({"action": "ALLOW", "rules": [to(paths=["/x"]), from_(namespaces=["shop"])]}, ["paths", "drops 1 of its 2 rules"], id="one-of-two"),
        pytest.param({"rules": [to(ports=["8080"], notHosts=["x"])]}, ["notHosts", "drops its only rule"], id="beside-a-port"),
        pytest.param({"rules": [from_(requestPrincipals=["*"])]}, ["requestPrincipals"], id="tokens"),
        pytest.param({"rules": [from_(remoteIpBlocks=["10.0.0.0/8"])]}, ["remoteIpBlocks"], id="addresses-of-clients"),
        pytest.param({"rules": [{"when": [{"key": "request.headers[x]", "values": ["y"]}]}]}, ["request.headers[x]"], id="conditions"),
        pytest.param({"rules": [{"when": [{"key": "connection.sni", "values": ["y"]}]}]}, ["connection.sni"], id="names-of-tls"),
        pytest.param({"rules": [from_(trustDomains=["other"])]}, ["trustDomains", "drops its only rule"], id="trust-domains-alone"),
        pytest.param({"rules": [from_(trustDomains=["other"], namespaces=["shop"])]}, ["more is allowed than the policy says"], id="beside-a-namespace"),
        pytest.param({"action": "DENY", "rules": [to(methods=["DELETE"])]}, ["never matches its only rule", "let through that the policy should"], id="deny"),
        pytest.param({"action": "DENY", "rules": [{**from_(principals=["x/ns/y/sa/z"]), **to(methods=["PUT"])}]}, ["never matches"], id="deny-of-somebody"),
        pytest.param({"action": "DENY", "rules": [to(methods=["PUT"], ports=["8080"])]}, ["more is denied than the policy says"], id="deny-of-a-port"),
        pytest.param(
            {"action": "DENY", "rules": [to(methods=["PUT"]), to(paths=["/x"], ports=["1"]), from_(namespaces=["shop"])]},
            ["never matches 1 of its 3 rules", "and it enforces 1 of its 3 rules without"],
            id="deny-of-both-kinds",
        ),
    ],
)
@pytest.mark.parametrize("selector", [{}, {"selector": {"matchLabels": {"app": "cart"}}}], ids=["namespace", "selector"])
def test_http_fields_at_ztunnel(spec: Object, words: list[str], selector: Object) -> None:
    found = only("MW6501", policy(**spec, **selector), CART, pod("other", "elsewhere"))
    assert (found.severity, str(found.problem.object)) == ("error", "AuthorizationPolicy shop/rules")
    assert [str(ref) for ref in found.problem.related] == ["Pod shop/cart"]
    for word in words:
        assert word in found.problem.message
    assert "targetRefs" in found.problem.remedy


def test_recorded_policies_at_ztunnel() -> None:
    """Whatever the condition says, and whether there is one."""
    items = [recorded(f"authorizationpolicy/{name}") for name in ("http_at_ztunnel", "http_deny_at_ztunnel", "audit", "at_ztunnel", "at_waypoint")]
    captured = recorded("pod/captured")
    expected = [("MW6501", "error"), ("MW6501", "error"), ("MW6504", "error")]
    for situation in (items, [derived(item, {"status": None}) for item in items]):
        found, _ = run_checks(CHECKS, cluster_of(recorded("namespace/enrolled"), captured, *situation))
        assert [(one.code, one.severity) for one in found] == expected


def test_policies_of_the_root_namespace_hold_for_all() -> None:
    root = policy(namespace="istio-system", rules=[to(methods=["GET"])])
    found = only("MW6501", root, CART, pod("front", "istio-system", state="sidecar"))
    assert [str(ref) for ref in found.problem.related] == ["Pod shop/cart"]
    config = {
        "kind": "ConfigMap",
        "metadata": {"name": "istio-stable", "namespace": "mesh", "labels": {}},
        "data": {"mesh": "rootNamespace: mesh-root\ntrustDomain: cluster.local\n"},
    }
    assert not check(config, root, CART, pod("front", "istio-system", state="sidecar"))
    assert only("MW6501", config, policy(namespace="mesh-root", rules=[to(methods=["GET"])]), CART).severity == "error"


@pytest.mark.parametrize(
    "items",
    [
        pytest.param([policy(rules=[to(methods=["GET"])]), pod("cart", state="sidecar")], id="sidecars"),
        pytest.param([policy(rules=[to(methods=["GET"])], selector={"matchLabels": {"app": "front-1"}}), GATEWAY_POD, CART], id="gateway"),
        pytest.param([policy(rules=[to(methods=["GET"])], targetRefs=[{"kind": "Service", "name": "cart"}]), CART], id="target-refs"),
        pytest.param([policy(rules=[to(methods=["GET"])], targetRef={"kind": "Service", "name": "cart"}), CART], id="one-target-ref"),
        pytest.param([policy(rules=[to(ports=["8080"]), from_(namespaces=["shop"], ipBlocks=["10.0.0.0/8"]), {}]), CART], id="layer-4"),
        pytest.param([policy(rules=[{"when": [{"key": "destination.port", "values": ["80"]}]}]), CART], id="condition-of-layer-4"),
        pytest.param([policy(rules=[to(methods=["GET"])], annotations={"istio.io/dry-run": "true"}), CART], id="dry-run"),
        pytest.param([policy(rules=[to(methods=["GET"])]), derived(CART, {"status": {"phase": "Succeeded"}})], id="no-pod"),
        pytest.param([policy(rules=[to(methods=["GET"])], selector={"matchLabels": TLS_MODE}), CART, pod("old", state="sidecar", **TLS_MODE)], id="migration"),
    ],
)
def test_fields_that_are_enforced(items: list[Object]) -> None:
    assert not [one for one in check(*items) if one.severity != "info"]


@pytest.mark.parametrize("action", ["AUDIT", "CUSTOM"])
def test_actions_at_ztunnel(action: str) -> None:
    rules = [to(methods=["GET"])]
    found = only("MW6504", policy(action=action, rules=rules, provider={"name": "opa"}), CART, GATEWAY_POD)
    assert action in found.problem.message
    assert ("provider opa is not asked" in found.problem.message) == (action == "CUSTOM")
    assert not check(policy(action=action, rules=rules, selector={"matchLabels": {"app": "front-1"}}), CART, GATEWAY_POD)
    assert not check(policy(action=action, rules=rules, targetRefs=[{"kind": "Service", "name": "cart"}]), CART)


# selectors


def test_a_selector_that_matches_nothing() -> None:
    typo = policy(selector={"matchLabels": {"app": "cartt"}}, rules=[{}])
    found = only("MW6506", typo, pod("cartd-9", app="cartt-x"), CART)
    assert found.severity == "warning"
    assert "app=cartt matches no pod of its namespace (pods have app=cart)" in found.problem.message
    wrong_key = only("MW6506", policy(selector={"matchLabels": {"versionn": "v1"}}, rules=[{}]), pod("cart", version="v1"))
    assert "pods have version=v1" in wrong_key.problem.message


@pytest.mark.parametrize(
    ("items", "severity"),
    [
        pytest.param([], "info", id="no-pods"),
        pytest.param([derived(pod("job"), {"status": {"phase": "Succeeded"}}), CART], "info", id="job-that-has-ended"),
        pytest.param(
            [CART, {"kind": "Deployment", "metadata": {"name": "job", "namespace": "shop"}, "spec": {"template": {"metadata": {"labels": {"app": "job"}}}}}],
            "info",
            id="scaled-to-zero",
        ),
        pytest.param([CART], "warning", id="nothing"),
        pytest.param([derived(WAYPOINT_POD, {"metadata": {"labels": {"app": "job"}}}), CART], "error", id="waypoint"),
    ],
)
def test_how_serious_an_empty_selector_is(items: list[Object], severity: str) -> None:
    assert only("MW6506", policy(selector={"matchLabels": {"app": "job"}}, rules=[{}]), *items).severity == severity


def test_an_empty_selector_is_none_for_ztunnel() -> None:
    found = only("MW6506", policy(selector={}, rules=[from_(namespaces=["shop"])]), CART)
    assert (found.severity, "no matchLabels" in found.problem.message) == ("error", True)
    assert not check(policy(selector={}, rules=[{}]), pod("cart", state="sidecar"))


def test_a_selector_that_is_new_or_matches() -> None:
    typo = policy(selector={"matchLabels": {"app": "cartt"}}, rules=[{}])
    assert not check(typo, CART, now=1795168860.0), "created a minute ago"
    assert not check(policy(selector={"matchLabels": {"app": "cart"}}, rules=[{}]), pod("cart", state="sidecar"))
    assert not check(policy(namespace="istio-system", selector={"matchLabels": {"app": "cart"}}, rules=[{}]), CART)


# the waypoint

DISCOVERY = {"name": "discovery", "env": [{"name": "PILOT_AUTO_ALLOW_WAYPOINT_POLICY", "value": "true"}]}
ISTIOD = {
    "kind": "Deployment",
    "metadata": {"name": "istiod", "namespace": "istio-system", "labels": {"app": "istiod"}},
    "spec": {"template": {"spec": {"containers": [DISCOVERY]}}},
}
OF_CLIENT = from_(principals=["cluster.local/ns/shop/sa/client"])
L7 = policy("l7", targetRefs=[{"kind": "Service", "name": "cart"}], rules=[to(methods=["GET"])])
MESH = (WAYPOINT, WAYPOINT_POD, CART, BEHIND, pod("client", account="client"))


@pytest.mark.parametrize(
    "rule",
    [
        OF_CLIENT,
        from_(namespaces=["other"]),
        from_(principals=["cluster.local/ns/istio-system/*"]),
        from_(principals=["*/sa/client"]),
        from_(notPrincipals=[WAYPOINT_ID]),
        from_(notNamespaces=["sh*"]),
        from_(serviceAccounts=["client", "other/waypoint"]),
        from_(ipBlocks=["192.168.0.0/16"]),
        {"when": [{"key": "source.principal", "values": ["cluster.local/ns/shop/sa/client"]}]},
        {**from_(principals=[WAYPOINT_ID]), **to(ports=["9999"])},
    ],
)
def test_an_allow_policy_that_forgets_the_waypoint(rule: Object) -> None:
    found = only("MW6507", policy(rules=[rule], selector={"matchLabels": {"app": "cart"}}), *MESH, L7)
    assert (found.severity, str(found.problem.object)) == ("error", "AuthorizationPolicy shop/rules")
    assert f"does not allow {WAYPOINT_ID}, the identity of the waypoint Gateway shop/waypoint" in found.problem.message
    assert {"Service shop/cart", "Pod shop/cart"} <= {str(ref) for ref in found.problem.related}


@pytest.mark.parametrize(
    "rule",
    [
        {},
        from_(principals=[WAYPOINT_ID]),
        from_(principals=["cluster.local/ns/shop/*"]),
        from_(principals=["*/waypoint"]),
        from_(principals=["*"]),
        from_(namespaces=["shop"]),
        from_(serviceAccounts=["waypoint"]),
        from_(serviceAccounts=["shop/waypoint"]),
        from_(notPrincipals=["cluster.local/ns/shop/sa/client"]),
        from_(ipBlocks=["10.64.0.0/16"]),
        {"when": [{"key": "source.namespace", "values": ["shop"]}]},
        {**from_(principals=[WAYPOINT_ID]), **to(ports=["8080"])},
        to(ports=["8080"]),
    ],
)
def test_an_allow_policy_that_admits_the_waypoint(rule: Object) -> None:
    items = [policy(rules=[OF_CLIENT, rule]), *MESH, L7]
    assert "MW6507" not in [one.code for one in check(*items)]
    # They add up.
    apart = [policy("a", rules=[OF_CLIENT]), policy("b", rules=[rule], selector={"matchLabels": {"app": "cart"}}), *MESH]
    assert "MW6507" not in [one.code for one in check(*apart)]


def test_a_metrics_port_for_all_does_not_admit_the_waypoint() -> None:
    ports = ({"port": 80, "targetPort": "web"}, {"port": 9090})
    mesh = [WAYPOINT, WAYPOINT_POD, pod("cart", ports=[{"name": "web", "containerPort": 8080}]), service("cart", ports=ports, bound=True)]
    assert only("MW6507", policy(rules=[OF_CLIENT, to(ports=["9090"])]), *mesh, pod("client", account="client")).severity == "error"
    meant = policy(rules=[{**from_(principals=[WAYPOINT_ID]), **to(ports=["8080"])}, {**OF_CLIENT, **to(ports=["9090"])}])
    assert "MW6507" not in [one.code for one in check(meant, *mesh, pod("client", account="client"))]


def test_the_most_specific_policy_is_to_be_changed() -> None:
    """A baseline that allows nothing is meant so; it is the policy beside it that forgets the waypoint."""
    baseline = policy("allow-nothing", namespace="istio-system")
    both = [policy("namespace", rules=[OF_CLIENT]), policy("zcart", rules=[OF_CLIENT], selector={"matchLabels": {"app": "cart"}})]
    found = only("MW6507", baseline, *both, *MESH)
    assert str(found.problem.object) == "AuthorizationPolicy shop/zcart"
    assert "neither does AuthorizationPolicy shop/namespace" in found.problem.message


def test_a_policy_without_rules_is_meant_so_unless_the_waypoint_allows_something() -> None:
    nothing = derived(policy("allow-nothing"), {"spec": None})
    assert only("MW6507", nothing, *MESH).severity == "info"
    found = only("MW6507", nothing, *MESH, L7)
    assert (found.severity, "allows nothing, not even" in found.problem.message) == ("error", True)


@pytest.mark.parametrize(
    ("rule", "denied"),
    [
        (from_(notPrincipals=["cluster.local/ns/shop/sa/client"]), True),
        (from_(namespaces=["shop"]), True),
        ({**from_(notNamespaces=["front"]), **to(ports=["8080"])}, True),
        (from_(notPrincipals=[WAYPOINT_ID, "cluster.local/ns/shop/sa/client"]), False),
        (from_(notPrincipals=["*"]), False),
        ({**from_(notPrincipals=["cluster.local/ns/shop/sa/client"]), **to(ports=["9090"])}, False),
        (to(ports=["8080"]), False),
        ({**from_(namespaces=["shop"]), **to(methods=["GET"])}, False),
    ],
)
def test_a_deny_policy_and_the_waypoint(rule: Object, denied: bool) -> None:
    found = [one for one in check(policy(action="DENY", rules=[rule]), *MESH) if one.code == "MW6507"]
    assert [one.severity for one in found] == (["error"] if denied else [])
    assert all(f"it denies {WAYPOINT_ID}" in one.problem.message for one in found)


@pytest.mark.parametrize(
    "items",
    [
        pytest.param([CART, service("cart")], id="no-waypoint"),
        pytest.param([CART, BEHIND], id="missing-waypoint"),
        pytest.param([CART, derived(BEHIND, {"metadata": {"labels": {"istio.io/use-waypoint": "none"}}}), WAYPOINT, WAYPOINT_POD], id="opted-out"),
        pytest.param([CART, BEHIND, derived(WAYPOINT, {"metadata": {"labels": {"istio.io/waypoint-for": "workload"}}})], id="for-workloads"),
        pytest.param([pod("cart", state="sidecar"), BEHIND, WAYPOINT], id="sidecar"),
        pytest.param([*MESH, ISTIOD], id="allowed-by-istiod"),
        pytest.param([*MESH, policy("http", rules=[to(methods=["GET"])])], id="another-check-tells"),
    ],
)
def test_policies_that_deny_no_waypoint(items: list[Object]) -> None:
    own = [] if any(item["metadata"]["name"] == "http" for item in items) else [policy(rules=[OF_CLIENT])]
    found = check(*own, *items, pod("client", account="client")) if own else check(*items)
    assert "MW6507" not in [one.code for one in found]


def test_waypoints_of_other_names_accounts_trust_domains_and_namespaces() -> None:
    config = {"kind": "ConfigMap", "metadata": {"name": "istio", "namespace": "mesh"}, "data": {"mesh": "trustDomain: prod.example\n"}}
    edge = namespace_of("edge")
    gateway = derived(
        named(WAYPOINT, "gw", "edge"),
        {
            "metadata": {"annotations": {"gateway.istio.io/service-account": "edge-sa"}},
            "spec": {"listeners": [{"name": "mesh", "port": 15008, "protocol": "HBONE", "allowedRoutes": {"namespaces": {"from": "All"}}}]},
        },
    )
    bound = derived(service("cart"), {"metadata": {"labels": {"istio.io/use-waypoint": "gw", "istio.io/use-waypoint-namespace": "edge"}}})
    found = only("MW6507", config, edge, gateway, bound, CART, policy(rules=[from_(namespaces=["shop"])]))
    assert "prod.example/ns/edge/sa/edge-sa, the identity of the waypoint Gateway edge/gw" in found.problem.message
    fine = policy(rules=[from_(principals=["prod.example/ns/edge/sa/edge-sa"])])
    assert "MW6507" not in [one.code for one in check(config, edge, gateway, bound, CART, fine)]
    same = derived(gateway, {"spec": {"listeners": [{"name": "mesh", "port": 15008, "protocol": "HBONE"}]}})
    assert "MW6507" not in [one.code for one in check(config, edge, same, bound, CART, policy(rules=[from_(namespaces=["shop"])]))], "not allowed there"


def test_a_pod_that_has_a_waypoint_itself() -> None:
    own = pod("cart", **{"istio.io/use-waypoint": "waypoint"})
    gateway = derived(WAYPOINT, {"metadata": {"labels": {"istio.io/waypoint-for": "all"}}})
    found = only("MW6507", policy(rules=[from_(namespaces=["other"])]), own, gateway, WAYPOINT_POD, namespace_of("other"))
    assert [str(ref) for ref in found.problem.related] == ["Pod shop/cart"]


@pytest.mark.parametrize(("weight", "denied"), [("10", True), ("0", False)])
def test_a_canary_of_a_waypoint(weight: str, denied: bool) -> None:
    second = named(WAYPOINT, "next")
    canary = {"metadata": {"labels": {"istio.io/use-waypoint-canary": "next"}, "annotations": {"istio.io/use-waypoint-canary-weight": weight}}}
    found = [one for one in check(policy(rules=[from_(principals=[WAYPOINT_ID])]), *MESH[:3], second, derived(BEHIND, canary)) if one.code == "MW6507"]
    assert ["cluster.local/ns/shop/sa/next" in one.problem.message for one in found] == ([True] if denied else [])


def test_a_waypoint_that_can_be_bypassed() -> None:
    found = only("MW6508", *MESH, L7)
    assert (found.severity, str(found.problem.object), [str(ref) for ref in found.problem.related]) == (
        "info",
        "AuthorizationPolicy shop/l7",
        ["Service shop/cart"],
    )
    at_gateway = policy("l7", targetRefs=[{"kind": "Gateway", "name": "waypoint"}], rules=[to(methods=["GET"])])
    assert only("MW6508", *MESH, at_gateway).severity == "info"
    for guard in (policy(rules=[from_(principals=[WAYPOINT_ID])]), policy(action="DENY", rules=[from_(notPrincipals=[WAYPOINT_ID])])):
        assert not check(*MESH, L7, guard)


# identities


@pytest.mark.parametrize(
    ("rule", "severity", "words"),
    [
        (from_(principals=["spiffe://cluster.local/ns/shop/sa/cart"]), "error", "without spiffe://"),
        (from_(notPrincipals=["cluster.local/ns/shop"]), "error", "cluster.local/ns/shop"),
        (from_(principals=["cluster.local/*/shop/sa/cart"]), "error", "identity cluster.local/*/shop/sa/cart"),
        (from_(principals=["*cart*"]), "error", "*cart*"),
        (from_(principals=["cluster.local/shop/*"]), "error", "cluster.local/shop/*"),
        ({"when": [{"key": "source.principal", "notValues": ["shop/cart"]}]}, "error", "shop/cart"),
        (from_(namespaces=["shopp"]), "warning", "namespace shopp, which does not exist (shop exists)"),
        (from_(notNamespaces=["gone"]), "warning", "namespace gone, which does not exist"),
        ({"when": [{"key": "source.namespace", "values": ["gone"]}]}, "warning", "gone"),
        (from_(principals=["cluster.local/ns/gone/sa/cart"]), "warning", "gone"),
        (from_(principals=["cluster.local/ns/gone/*"]), "warning", "gone"),
        (from_(serviceAccounts=["gone/cart"]), "warning", "gone"),
        (from_(principals=["cluster.local/ns/shop/sa/clientt"]), "warning", "service account shop/clientt, which no pod uses (pods use client)"),
        (from_(serviceAccounts=["batch"]), "info", "service account shop/batch, which no pod uses"),
        (from_(principals=["td.example/ns/shop/sa/client"]), "warning", "trust domain td.example"),
        (from_(principals=["partner.example/ns/theirs/sa/app"]), "warning", "of trust domain partner.example"),
    ],
)
def test_callers_that_cannot_exist(rule: Object, severity: str, words: str) -> None:
    config = {"kind": "ConfigMap", "metadata": {"name": "istio", "namespace": "istio-system"}, "data": {"mesh": "trustDomain: cluster.local\n"}}
    found = [one for one in check(config, policy(rules=[rule]), CART, pod("client", account="client")) if one.code == "MW6510"]
    assert [one.severity for one in found if words in one.problem.message] == [severity]
    assert {one.severity for one in found} <= {severity, "info"}


@pytest.mark.parametrize(
    "rule",
    [
        from_(principals=["cluster.local/ns/shop/sa/client", "*", "*/ns/shop/sa/client", "cluster.local/ns/shop/*", "cluster.local/*", "clus*"]),
        from_(principals=["cluster.local/ns/shop/sa/cli*"], notPrincipals=["*/sa/other"]),
        from_(namespaces=["shop", "te*", "*"]),
        from_(serviceAccounts=["client", "shop/default"]),
        from_(principals=[WAYPOINT_ID]),
    ],
)
def test_callers_that_exist(rule: Object) -> None:
    assert not [one for one in check(WAYPOINT, policy(rules=[rule]), CART, pod("client", account="client")) if one.code == "MW6510"]


def test_trust_domains_at_ztunnel_and_at_waypoints() -> None:
    """A waypoint takes aliases and cluster.local for its own; ztunnel compares letters."""
    mesh = "trustDomain: prod.example\ntrustDomainAliases: [old.example]\n"
    config = {"kind": "ConfigMap", "metadata": {"name": "istio", "namespace": "istio-system"}, "data": {"mesh": mesh}}
    rule = from_(principals=["cluster.local/ns/shop/sa/default", "old.example/ns/shop/sa/default"])
    at_ztunnel = [one for one in check(config, CART, policy(rules=[rule])) if one.code == "MW6510"]
    assert [("prod.example" in one.problem.message, one.severity) for one in at_ztunnel] == [(True, "warning"), (True, "warning")]
    assert not check(config, CART, policy(rules=[rule], targetRefs=[{"kind": "Service", "name": "cart"}]))


def test_namespaces_of_other_clusters() -> None:
    east_west = derived(named(WAYPOINT, "ew", "istio-system"), {"spec": {"gatewayClassName": "istio-east-west"}})
    assert [one.severity for one in check(east_west, CART, policy(rules=[from_(namespaces=["remote"])]))] == ["info"]


def test_clients_of_an_ingress_gateway_may_have_any_identity() -> None:
    front = derived(named(WAYPOINT, "front"), {"spec": {"gatewayClassName": "istio"}})
    at_front = policy(targetRefs=[{"kind": "Gateway", "name": "front"}], rules=[from_(principals=["partner/app"])])
    assert not check(front, at_front, CART)


# kinds of sidecars


@pytest.mark.parametrize(
    ("item", "selecting"),
    [
        (policy(kind="EnvoyFilter"), {"workloadSelector": {"labels": {"app": "cart"}}}),
        (policy(kind="Sidecar"), {"workloadSelector": {"labels": {"app": "cart"}}}),
        (policy(kind="WasmPlugin"), {"selector": {"matchLabels": {"app": "cart"}}}),
        (policy(kind="Telemetry"), {"selector": {"matchLabels": {"app": "cart"}}}),
    ],
    ids=lambda value: value.get("kind", ""),
)
def test_kinds_that_only_sidecars_read(item: Object, selecting: Object) -> None:
    selective = derived(item, {"spec": selecting})
    found = only("MW6513", selective, CART, GATEWAY_POD, WAYPOINT_POD)
    assert (found.severity, [str(ref) for ref in found.problem.related]) == ("warning", ["Pod shop/cart"])
    assert not check(selective, pod("cart", state="sidecar"))
    assert not check(selective, pod("cart", state="none", **{"istio.io/dataplane-mode": "none"}))
    assert not check(derived(selective, {"metadata": {"namespace": "istio-system"}}), CART)
    # For its whole namespace.
    assert (item["kind"] == "Telemetry") == (not check(item, CART))
    assert (item["kind"] == "Sidecar") == bool(check(item, CART, GATEWAY_POD))
    targeted = derived(item, {"spec": {"targetRefs": [{"kind": "Gateway", "name": "waypoint"}]}})
    assert not check(targeted, CART)


# together


def test_several_faults_at_once_are_all_told() -> None:
    found = check(
        *MESH,
        L7,
        policy("http", rules=[to(methods=["GET"])], selector={"matchLabels": {"app": "client"}}),
        policy("cart", rules=[OF_CLIENT], selector={"matchLabels": {"app": "cart"}}),
        policy("typo", rules=[from_(principals=["spiffe://cluster.local/ns/shop/sa/client"])], selector={"matchLabels": {"app": "clientt"}}),
    )
    assert {(code, where) for code, _severity, where in shown(found)} == {
        ("MW6501", "AuthorizationPolicy shop/http"),
        ("MW6507", "AuthorizationPolicy shop/cart"),
        ("MW6506", "AuthorizationPolicy shop/typo"),
        ("MW6510", "AuthorizationPolicy shop/typo"),
    }


def test_a_healthy_mesh_and_none() -> None:
    guard = policy("guard", rules=[from_(principals=[WAYPOINT_ID])], selector={"matchLabels": {"app": "cart"}})
    assert not [one for one in check(*MESH, L7, guard, GATEWAY_POD) if one.severity != "info"]
    assert run_checks(CHECKS, Cluster({})) == ([], [])


def test_policies_in_a_hidden_namespace_are_left_to_another_check() -> None:
    mesh = "discoverySelectors:\n- matchLabels: {mesh: 'yes'}\n"
    config = {"kind": "ConfigMap", "metadata": {"name": "istio", "namespace": "istio-system"}, "data": {"mesh": mesh}}
    assert not check(config, policy(rules=[to(methods=["GET"])]), CART)


@pytest.mark.parametrize(("rule", "port", "unknown", "expected"), [
    ({}, None, False, True),
    (to(ports=["8080"]), 8080, False, True),
    (to(ports=["8080"]), None, False, False),
    (to(ports=["8080"]), None, True, True),
    (to(notPorts=["8080"]), 8080, True, False),
    (from_(ipBlocks=["10.0.0.0/8"]), 1, True, True),
    (from_(ipBlocks=["10.0.0.0/8"]), 1, False, False),
    (from_(notIpBlocks=["nonsense"], namespaces=["a"]), 1, True, True),
    ({"when": [{"key": "destination.ip", "values": ["10.0.0.1"]}]}, 1, False, False),
    (to(methods=["GET"]), 1, True, False),
])  # fmt: skip
def test_how_rules_match(rule: Object, port: int | None, unknown: bool, expected: bool) -> None:
    caller = Caller(frozenset({"td/ns/a/sa/b"}), "a", frozenset({"b"}))
    (parsed,) = rules_of(policy(rules=[rule]))
    assert matches(parsed, caller, "a", port, unknown=unknown) is expected
