from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._checks.cluster import Cluster
from ansible_collections.meshwright.ambient.plugins.module_utils._checks.finding import Finding
from ansible_collections.meshwright.ambient.plugins.module_utils._checks.network_policies import CHECKS
from ansible_collections.meshwright.ambient.plugins.module_utils._checks.run import run_checks
from ansible_collections.meshwright.ambient.plugins.module_utils._kinds import (
    CILIUM_CLUSTERWIDE_POLICY,
    CILIUM_NETWORK_POLICY,
    CONFIG_MAP,
    DAEMON_SET,
    DEPLOYMENT,
    GATEWAY,
    MUTATING_WEBHOOK,
    NAMESPACE,
    NETWORK_POLICY,
    POD,
    SERVICE,
    Kind,
)
from tests.unit.objects import Object, derived, named, namespace_of, recorded

SHOP = namespace_of("shop", **{"istio.io/dataplane-mode": "ambient"})
MONITORING, EDGE, ISTIO = namespace_of("monitoring"), namespace_of("edge"), namespace_of("istio-system")
WAYPOINT = named(recorded("gateway/waypoint_programmed"), "waypoint", "shop")
KINDS = (
    CILIUM_CLUSTERWIDE_POLICY, CILIUM_NETWORK_POLICY, CONFIG_MAP, DAEMON_SET, DEPLOYMENT, GATEWAY, MUTATING_WEBHOOK, NAMESPACE, NETWORK_POLICY, POD, SERVICE,
)  # fmt: skip
BY_KIND = {kind.name: kind for kind in KINDS}
ANY_POD, FROM_SHOP, FROM_MONITORING = {"podSelector": {}}, {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "shop"}}}, {
    "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}
}  # fmt: skip


def pod(name: str, namespace: str = "shop", *, captured: bool = True, address: str = "10.64.0.9", ports: Any = (8080,), **labels: str) -> Object:
    return {
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": {"app": name, **labels},
            "annotations": {"ambient.istio.io/redirection": "enabled"} if captured else {},
        },
        "spec": {"nodeName": "node-1", "containers": [{"name": "main", "ports": [one if isinstance(one, dict) else {"containerPort": one} for one in ports]}]},
        "status": {"phase": "Running", "podIP": address},
    }


def of_gateway(name: str, gateway: str, namespace: str, controller: str) -> Object:
    labels = {"gateway.networking.k8s.io/gateway-name": gateway, "gateway.istio.io/managed": f"istio.io-{controller}", "istio.io/dataplane-mode": "none"}
    return pod(name, namespace, captured=False, **labels)


def tcp(*ports: Any) -> list[Object]:
    return [{"port": port, "protocol": "TCP"} for port in ports]


def netpol(name: str = "it", namespace: str = "shop", *, select: Any = None, **spec: Any) -> Object:
    types = [kind for kind, field in (("Ingress", "ingress"), ("Egress", "egress")) if field in spec] or ["Ingress"]
    selector = {"matchLabels": select} if select else {}
    return {"kind": "NetworkPolicy", "metadata": {"name": name, "namespace": namespace}, "spec": {"podSelector": selector, "policyTypes": types, **spec}}


CART, CLIENT, SCRAPER = pod("cart"), pod("client", address="10.64.0.10"), pod("scraper", "monitoring", captured=False, address="10.64.0.11")
WAYPOINT_POD, FRONT = of_gateway("waypoint-1", "waypoint", "shop", "mesh-controller"), of_gateway("front-1", "front", "edge", "gateway-controller")
MESH = (SHOP, MONITORING, EDGE, ISTIO, CART, CLIENT, SCRAPER)
OF_CART = {"app": "cart"}


def service(name: str = "cart", namespace: str = "shop", *, bound: bool = False, kind: str = "ClusterIP", target: int = 8080, **labels: str) -> Object:
    labels = {**labels, **({"istio.io/use-waypoint": "waypoint"} if bound else {})}
    spec = {"type": kind, "selector": {"app": name}, "ports": [{"port": 80, "targetPort": target}]}
    return {"kind": "Service", "metadata": {"name": name, "namespace": namespace, "labels": labels}, "spec": spec}


BEHIND = (WAYPOINT, WAYPOINT_POD, service(bound=True))


def check(*items: Object) -> list[Finding]:
    objects: dict[Kind, list[Object]] = {}
    for item in items:
        objects.setdefault(BY_KIND[item["kind"]], []).append(item)
    found, unchecked = run_checks(CHECKS, Cluster(objects))
    assert not unchecked, unchecked
    return found


def shown(found: list[Finding]) -> list[tuple[str, str, str]]:
    return [(one.code, one.severity, one.problem.object.name) for one in found]


def serious(*items: Object) -> list[Finding]:
    return [one for one in check(*items) if one.severity != "info"]


def related(found: Finding) -> list[str]:
    return [str(ref) for ref in found.problem.related]


# into pods

IN_CLIENT = {"key": "app", "operator": "In", "values": ["client"]}
FROM_ALL = {"from": [{"namespaceSelector": {}}]}


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"ports": tcp(8080)}, "it lets TCP port 8080 in from everywhere, but from nowhere TCP port 15008"),
        ({"ports": [{"port": 8080}]}, "port 8080"),
        ({"ports": [{"port": 8080, "endPort": 15007, "protocol": "TCP"}]}, "port 8080-15007"),
        ({"ports": tcp("http")}, "port http"),
        ({"ports": tcp(8080), "from": []}, "from everywhere"),
        ({"ports": tcp(8080), "from": [ANY_POD]}, "from all pods of its namespace, but not TCP port 15008"),
        ({"ports": tcp(8080), "from": [{"podSelector": {"matchLabels": {"app": "client"}}}]}, "so calls from shop/client time out"),
        ({"ports": tcp(8080), "from": [{"namespaceSelector": {}}]}, "from all pods of all namespaces"),
        (
            {"ports": tcp(8080), "from": [{**FROM_SHOP, "podSelector": {"matchExpressions": [{"key": "app", "operator": "In", "values": ["client"]}]}}]},
            "app In (client)",
        ),
        ({"ports": [*tcp(8080), {"port": 15008, "protocol": "UDP"}]}, "port 8080"),
    ],
)
def test_hbone_that_is_blocked(rule: Object, words: str) -> None:
    (found,) = serious(*MESH, netpol(select=OF_CART, ingress=[rule]))
    assert shown([found]) == [("MW7001", "error", "it")]
    assert words in found.problem.message
    assert "15008" in found.problem.message
    assert related(found) == ["Pod shop/cart"]


@pytest.mark.parametrize(
    "policies",
    [
        pytest.param([netpol(ingress=[{"ports": tcp(8080, 15008)}])], id="the-port"),
        pytest.param([netpol(ingress=[{}])], id="everything"),
        pytest.param([netpol(ingress=[{"ports": [{"protocol": "TCP"}]}])], id="all-of-tcp"),
        pytest.param([netpol(ingress=[{"ports": [{"port": 8000, "endPort": 16000}]}])], id="range"),
        pytest.param([netpol("app", ingress=[{"ports": tcp(8080)}]), netpol("hbone", ingress=[{"ports": tcp(15008)}])], id="they-add-up"),
        pytest.param([netpol("app", ingress=[{"ports": tcp(8080), "from": [ANY_POD]}]), netpol("hbone", ingress=[{"from": [FROM_SHOP]}])], id="same-pods"),
        pytest.param(
            [netpol("app", ingress=[{"ports": tcp(8080)}]), netpol("hbone", ingress=[{"ports": tcp(15008), "from": [{"namespaceSelector": {}}]}])],
            id="all-pods",
        ),
        pytest.param(
            [netpol("a", ingress=[{"ports": tcp(9090), "from": [FROM_MONITORING]}]), netpol("b", ingress=[{"from": [ANY_POD]}])], id="scraper-outside"
        ),
        pytest.param([netpol(ingress=[{"ports": tcp(9090), "from": [FROM_MONITORING]}])], id="only-a-scraper-outside"),
        pytest.param([netpol(ingress=[{"ports": [{"port": 53, "protocol": "UDP"}]}])], id="udp"),
        pytest.param([netpol(ingress=[{"ports": tcp(8080), "from": [{"ipBlock": {"cidr": "203.0.113.0/24"}}]}])], id="from-the-internet"),
        pytest.param([netpol(ingress=[{"ports": tcp(8080), "from": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.64.0.0/16"]}}]}])], id="not-from-pods"),
        pytest.param([netpol(select={"app": "other"}, ingress=[{"ports": tcp(8080)}])], id="no-pod"),
        pytest.param([netpol(namespace="monitoring", ingress=[{"ports": tcp(8080)}])], id="pods-outside"),
        pytest.param([netpol(ingress=[])], id="deny-all"),
        pytest.param([derived(netpol(ingress=[{"ports": tcp(8080)}]), {"metadata": {"deletionTimestamp": "2026-11-20T10:00:00Z"}})], id="being-deleted"),
    ],
)
def test_hbone_that_is_let_through(policies: list[Object]) -> None:
    assert not serious(*MESH, *policies)


def test_a_policy_that_denies_everything_is_meant_so() -> None:
    assert shown(check(*MESH, netpol("deny", ingress=[]))) == [("MW7001", "info", "deny")]
    found = serious(*MESH, netpol("deny", ingress=[]), netpol("app", ingress=[{"ports": tcp(8080)}], select=OF_CART))
    assert shown(found) == [("MW7001", "error", "app")]
    assert related(found[0]) == ["Pod shop/cart"]


def test_hbone_from_some_of_those_who_may_call() -> None:
    hbone = netpol("hbone", ingress=[{"ports": tcp(15008), "from": [{"podSelector": {"matchLabels": {"app": "cart"}}}]}])
    (found,) = serious(*MESH, netpol("app", select=OF_CART, ingress=[{"ports": tcp(8080), "from": [ANY_POD]}]), hbone)
    assert (found.problem.object.name, "calls from shop/client time out" in found.problem.message) == ("app", True)
    (found,) = serious(*MESH, netpol("app", select=OF_CART, ingress=[{"ports": tcp(8080)}]), hbone)
    assert "but only from some TCP port 15008" in found.problem.message


def test_callers_that_do_not_run_now() -> None:
    rule = {"ports": tcp(8080), "from": [{"podSelector": {"matchLabels": {"app": "batch"}}}]}
    (found,) = serious(*MESH, netpol(ingress=[rule]))
    assert (found.severity, "where no pod runs now" in found.problem.message) == ("warning", True)
    assert not serious(*MESH, netpol(ingress=[rule]), netpol("hbone", ingress=[{**rule, "ports": tcp(15008)}]))


def test_a_block_of_addresses_that_contains_pods() -> None:
    (found,) = serious(*MESH, netpol(select=OF_CART, ingress=[{"ports": tcp(8080), "from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}]))
    assert (found.code, found.severity, "from addresses 10.0.0.0/8" in found.problem.message) == ("MW7001", "warning", True)


def test_ingress_gateways_send_hbone() -> None:
    from_edge = {"ports": tcp(8080), "from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "edge"}}}]}
    (found,) = serious(*MESH, FRONT, netpol(select=OF_CART, ingress=[from_edge]))
    assert "calls from edge/front-1 time out" in found.problem.message


def test_pods_behind_a_waypoint_are_called_by_the_waypoint() -> None:
    from_client = {"from": [{"podSelector": {"matchLabels": {"app": "client"}}}]}
    to_waypoint = {"from": [{"podSelector": {"matchLabels": {"gateway.networking.k8s.io/gateway-name": "waypoint"}}}], "ports": tcp(15008)}
    (found,) = serious(*MESH, *BEHIND, netpol(select=OF_CART, ingress=[{**from_client, "ports": tcp(8080, 15008)}]))
    assert (found.code, "no policy lets the waypoint Gateway shop/waypoint reach its pods" in found.problem.message) == ("MW7001", True)
    assert not serious(*MESH, *BEHIND, netpol(select=OF_CART, ingress=[{**from_client, "ports": tcp(8080)}, to_waypoint]))
    unbound = [*BEHIND[:2], service(bound=True), derived(service("direct"), {"spec": {"selector": OF_CART}})]
    (found,) = serious(*MESH, *unbound, netpol(select=OF_CART, ingress=[{**from_client, "ports": tcp(8080)}, to_waypoint]))
    assert "calls from shop/client time out" in found.problem.message


def test_a_pod_that_the_mesh_is_not_to_call_needs_no_waypoint() -> None:
    assert not serious(*MESH, *BEHIND, netpol(select=OF_CART, ingress=[{"from": [FROM_MONITORING]}]))


def test_a_waypoint_is_known_by_its_gateway() -> None:
    plain = derived(WAYPOINT_POD, {"metadata": {"labels": {"gateway.istio.io/managed": None}}})
    found = serious(*MESH, WAYPOINT, plain, service(bound=True), netpol(select={"app": "waypoint-1"}, ingress=[]))
    assert shown(found) == [("MW7003", "error", "it")]


def test_sidecars_that_take_hbone() -> None:
    mixed = pod("old", "edge", captured=False, **{"networking.istio.io/tunnel": "http"})
    everywhere = netpol(namespace="edge", ingress=[{"ports": tcp(8080)}])
    (found,) = serious(*MESH, mixed, everywhere)
    assert (found.code, found.severity, related(found)) == ("MW7001", "warning", ["Pod edge/old"])
    (found,) = serious(*MESH, mixed, netpol(namespace="edge", ingress=[{"ports": tcp(8080), "from": [FROM_SHOP]}]))
    assert (found.code, found.severity) == ("MW7001", "error")
    assert not serious(*MESH, mixed, netpol(namespace="edge", ingress=[{"ports": tcp(8080), "from": [FROM_MONITORING]}]))
    assert not serious(*MESH, derived(mixed, {"metadata": {"labels": {"networking.istio.io/tunnel": None}}}), everywhere)


@pytest.mark.parametrize(("label", "codes"), [("true", []), ("false", ["MW7001"])])
def test_gateways_that_call_past_the_waypoint(label: str, codes: list[str]) -> None:
    from_edge = {"ports": tcp(8080), "from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "edge"}}}]}
    from_waypoint = {"ports": tcp(15008), "from": [ANY_POD]}
    bound = service(bound=True, **{"istio.io/ingress-use-waypoint": label})
    found = serious(*MESH, FRONT, WAYPOINT, WAYPOINT_POD, bound, netpol(select=OF_CART, ingress=[from_edge, from_waypoint]))
    assert [one.code for one in found] == codes


# out of pods

OUT = {"select": {"app": "client"}}
TO_CART = {"to": [{"podSelector": {"matchLabels": OF_CART}}]}
DNS = {"ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]}


@pytest.mark.parametrize(
    ("rule", "severity", "words"),
    [
        ({**TO_CART, "ports": tcp(8080)}, "error", "TCP port 8080 out to pods with app=cart, but not TCP port 15008"),
        ({"ports": tcp(8080)}, "error", "out to everywhere"),
        ({"ports": tcp(80, 443)}, "warning", "out to everywhere"),
        ({"ports": tcp(8080), "to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}, "warning", "out to addresses 0.0.0.0/0"),
    ],
)
def test_hbone_that_is_not_let_out(rule: Object, severity: str, words: str) -> None:
    mesh = [*MESH[:4], pod("cart", ports=(8080, 443)), CLIENT]
    (found,) = serious(*mesh, netpol(**OUT, egress=[DNS, rule]))
    assert shown([found]) == [("MW7002", severity, "it")]
    assert words in found.problem.message
    assert "calls to shop/cart time out" in found.problem.message
    assert related(found) == ["Pod shop/client"]


def test_a_way_out_to_everywhere_may_be_meant_for_others() -> None:
    """Such as a database outside of the mesh, although a pod of another namespace listens on the same port."""
    database = pod("db", "data", ports=(5432,), address="10.64.0.77")
    data = namespace_of("data", **{"istio.io/dataplane-mode": "ambient"})
    (found,) = serious(*MESH, data, database, netpol(**OUT, egress=[{"ports": tcp(5432)}]))
    assert shown([found]) == [("MW7002", "warning", "it")]


@pytest.mark.parametrize(
    "rules",
    [
        pytest.param([DNS], id="dns"),
        pytest.param([{}], id="everything"),
        pytest.param([{**TO_CART, "ports": tcp(8080)}, {**TO_CART, "ports": tcp(15008)}], id="both"),
        pytest.param([{**TO_CART, "ports": tcp(8080)}, {"ports": tcp(15008)}], id="hbone-to-all"),
        pytest.param([{"ports": tcp(443)}], id="web"),
        pytest.param([{"ports": tcp(443), "to": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8"]}}]}], id="internet"),
        pytest.param([{"ports": tcp(9090), "to": [FROM_MONITORING]}], id="pods-outside"),
        pytest.param([{**TO_CART, "ports": tcp(5432)}], id="port-that-nobody-serves"),
        pytest.param([], id="nothing"),
    ],
)
def test_what_is_let_out_or_needs_not_be(rules: list[Object]) -> None:
    assert not serious(*MESH, netpol(**OUT, egress=rules))


def test_the_way_out_leads_through_waypoints() -> None:
    to_waypoint = {"to": [{"podSelector": {"matchLabels": {"gateway.networking.k8s.io/gateway-name": "waypoint"}}}], "ports": tcp(15008)}
    assert not serious(*MESH, *BEHIND, netpol(**OUT, egress=[{**TO_CART, "ports": tcp(8080)}, to_waypoint]))
    (found,) = serious(*MESH, *BEHIND, netpol(**OUT, egress=[{**TO_CART, "ports": tcp(8080, 15008)}, {"to": [FROM_SHOP], "ports": tcp(8080)}]))
    assert "calls to shop/waypoint-1 time out" in found.problem.message


def test_the_way_out_of_a_waypoint_leads_to_pods() -> None:
    of_waypoint = {"select": {"gateway.networking.k8s.io/gateway-name": "waypoint"}}
    (found,) = serious(*MESH, *BEHIND, netpol(**of_waypoint, egress=[{**TO_CART, "ports": tcp(8080)}]))
    assert (found.code, related(found)) == ("MW7002", ["Pod shop/waypoint-1"])
    assert not serious(*MESH, *BEHIND, netpol(**of_waypoint, egress=[{**TO_CART, "ports": tcp(15008)}]))


# waypoints and gateways


@pytest.mark.parametrize(
    ("rules", "blocked"),
    [
        ([], True),
        ([{"ports": tcp(15021)}], True),
        ([{"ports": tcp(15008), "from": [FROM_MONITORING]}], True),
        ([{"ports": tcp(15008)}], False),
        ([{"ports": tcp(15008), "from": [ANY_POD]}], False),
    ],
)
def test_a_waypoint_that_nobody_may_reach(rules: list[Object], blocked: bool) -> None:
    found = serious(*MESH, *BEHIND, netpol(select={"app": "waypoint-1"}, ingress=rules))
    assert shown(found) == ([("MW7003", "error", "it")] if blocked else [])
    assert all("reach the waypoint shop/waypoint on TCP port 15008" in one.problem.message for one in found)


def test_health_checks_of_load_balancers() -> None:
    policy = netpol(namespace="edge", ingress=[{"ports": tcp(80, 443)}])
    balanced = derived(service("front-1", "edge", kind="LoadBalancer"), {})
    (found,) = serious(*MESH, FRONT, balanced, policy)
    assert shown([found]) == [("MW7003", "warning", "it")]
    assert not serious(*MESH, FRONT, service("front-1", "edge"), policy)
    assert not serious(*MESH, FRONT, balanced, netpol(namespace="edge", ingress=[{"ports": tcp(80, 443, 15021)}]))


# istiod

XDS_PORTS = [{"containerPort": 15012, "name": "tls-xds"}, {"containerPort": 15017, "name": "https-webhooks"}]
ISTIOD = {
    "kind": "Deployment",
    "metadata": {"name": "istiod-stable", "namespace": "mesh", "labels": {"app": "istiod"}},
    "spec": {"selector": {"matchLabels": {"app": "istiod"}}},
}
ZTUNNEL = {"kind": "DaemonSet", "metadata": {"name": "zt", "namespace": "mesh"}, "spec": {"selector": {"matchLabels": {"app": "ztunnel"}}}}
AGENT = derived(pod("zt-1", "mesh", captured=False), {"metadata": {"labels": {"app": "ztunnel"}, "ownerReferences": [{"kind": "DaemonSet", "name": "zt"}]}})
PLANE = (
    *MESH,
    namespace_of("mesh"),
    ISTIOD,
    ZTUNNEL,
    AGENT,
    derived(pod("istiod-1", "mesh", captured=False, ports=XDS_PORTS), {"metadata": {"labels": {"app": "istiod"}}}),
)
WEBHOOKS = (
    service("istiod", "mesh", target=15017),
    {
        "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": "injector"},
        "webhooks": [{"name": "x", "clientConfig": {"service": {"name": "istiod", "namespace": "mesh"}}}],
    },
)


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ([{"ports": tcp(15012, 15017)}], []),
        ([{"ports": tcp("tls-xds", "https-webhooks")}], []),
        ([{}], []),
        ([{"ports": tcp(15012), "from": [{"namespaceSelector": {}}]}, {"ports": tcp(15017), "from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}], []),
        ([], ["mesh/zt-1 cannot reach istiod on TCP port 15012", "API servers may not reach istiod on TCP port 15017"]),
        ([{"ports": tcp(15017)}], ["mesh/zt-1 cannot reach istiod"]),
        ([{"ports": tcp(15012)}], ["the webhooks of MutatingWebhookConfiguration injector fail"]),
        ([{"from": [ANY_POD]}], ["TCP port 15017"]),
        ([{"ports": tcp(15012), "from": [FROM_SHOP]}, {"ports": tcp(15017)}], ["mesh/zt-1 cannot"]),
    ],
)
def test_a_policy_before_istiod(rules: list[Object], words: list[str]) -> None:
    found = serious(*PLANE, *WEBHOOKS, netpol("deny", "mesh", select={"app": "istiod"}, ingress=rules))
    assert [one.code for one in found] == ["MW7004"] * len(words)
    text = " ".join(one.problem.message for one in found)
    assert all(word in text for word in words)


def test_without_webhooks_nobody_calls_for_them() -> None:
    assert not serious(*PLANE, netpol("deny", "mesh", select={"app": "istiod"}, ingress=[{"ports": tcp(15012)}]))


def test_a_proxy_that_cannot_reach_istiod() -> None:
    closed = netpol("out", "mesh", select={"app": "ztunnel"}, egress=[DNS])
    (found,) = serious(*PLANE, closed)
    assert (found.code, related(found)) == ("MW7004", ["Pod mesh/zt-1"])
    assert not serious(*PLANE, closed, netpol("xds", "mesh", egress=[{"ports": tcp(15012), "to": [{"podSelector": {"matchLabels": {"app": "istiod"}}}]}]))
    assert not serious(*PLANE, netpol("out", "mesh", select={"app": "ztunnel"}, egress=[{}]))


# good to know


def test_probes() -> None:
    closed = netpol(select=OF_CART, ingress=[{"from": [ANY_POD]}])
    (found,) = check(*MESH, closed)
    assert shown([found]) == [("MW7005", "info", "it")]
    assert "169.254.7.127" in found.problem.message
    assert "fd16:9254:7127:1337:ffff:ffff:ffff:ffff" in found.problem.message
    for block in ("169.254.7.127/32", "169.254.0.0/16", "0.0.0.0/0"):
        assert not check(*MESH, closed, netpol("probes", ingress=[{"from": [{"ipBlock": {"cidr": block}}]}]))
    other = {"kind": "ConfigMap", "metadata": {"name": "istio-cni-config", "namespace": "mesh"}, "data": {"HOST_PROBE_SNAT_IP": ""}}
    assert not check(*MESH, closed, other)


def cilium(name: str = "it", *, kind: str = "CiliumNetworkPolicy", **spec: Any) -> Object:
    namespace = {"namespace": "shop"} if kind == "CiliumNetworkPolicy" else {}
    return {"kind": kind, "metadata": {"name": name, **namespace}, "spec": {"endpointSelector": {"matchLabels": OF_CART}, **spec}}


def cilium_tcp(*ports: str) -> list[Object]:
    return [{"ports": [{"port": port, "protocol": "TCP"} for port in ports]}]


def test_simple_policies_of_cilium() -> None:
    of_client = [{"matchLabels": {"k8s:app": "client", "k8s:io.kubernetes.pod.namespace": "shop"}}]
    (found,) = serious(*MESH, cilium(ingress=[{"fromEndpoints": of_client, "toPorts": cilium_tcp("8080")}]))
    assert (found.code, str(found.problem.object)) == ("MW7001", "CiliumNetworkPolicy shop/it")
    assert "calls from shop/client time out" in found.problem.message
    assert not serious(*MESH, cilium(ingress=[{"fromEndpoints": of_client, "toPorts": cilium_tcp("8080", "15008")}]))
    assert not serious(*MESH, cilium(ingress=[{"toPorts": cilium_tcp("8080")}]), netpol(ingress=[{"ports": tcp(15008)}])), "they add up"
    assert [one.code for one in serious(*MESH, cilium(ingress=[{"toPorts": [{"ports": [{"port": "8080", "endPort": 9000}]}]}]))] == ["MW7001"]


@pytest.mark.parametrize(
    "policy",
    [
        cilium(ingress=[{"fromEntities": ["cluster"], "toPorts": cilium_tcp("8080")}]),
        cilium(ingress=[{"toPorts": [{"ports": [{"port": "8080"}], "rules": {"http": [{}]}}]}]),
        cilium(ingressDeny=[{"fromEndpoints": [{}]}]),
        cilium(ingress=[{}]),
        cilium(ingress=[{"fromEndpoints": [{"matchLabels": {"any:app": "x"}}]}]),
        cilium(kind="CiliumClusterwideNetworkPolicy", ingress=[{"fromEntities": ["all"]}]),
    ],
)
def test_policies_of_cilium_that_are_not_judged(policy: Object) -> None:
    """And those beside them are not either, because they add up."""
    found = check(*MESH, policy, netpol(select=OF_CART, ingress=[{"ports": tcp(8080)}]))
    assert [one.severity for one in found if one.code == "MW7001"] == []
    assert [str(one.problem.object.name) for one in found if one.code == "MW7006"] == ["it"]


def test_the_policy_for_probes_in_the_pages_of_istio() -> None:
    quiet = {"ingress": False, "egress": False}
    probes = cilium("allow-ambient-hostprobes", kind="CiliumClusterwideNetworkPolicy", enableDefaultDeny=quiet, ingress=[{"fromCIDR": ["169.254.7.127/32"]}])
    assert not check(*MESH, derived(probes, {"spec": {"endpointSelector": {}}}))


def test_policies_that_nothing_enforces() -> None:
    agent = {"name": "aws-eks-nodeagent", "args": ["--enable-network-policy=false"]}
    node = {"kind": "DaemonSet", "metadata": {"name": "aws-node", "namespace": "kube-system"}, "spec": {"template": {"spec": {"containers": [agent]}}}}
    policy = netpol(select=OF_CART, ingress=[{"ports": tcp(8080)}])
    (found,) = serious(*MESH, node, policy)
    assert (found.severity, "once NetworkPolicies are enforced" in found.problem.message) == ("warning", True)
    calico = named(node, "calico-node", "calico-system")
    assert [one.severity for one in serious(*MESH, node, calico, policy)] == ["error"]


# together


def test_several_faults_at_once() -> None:
    found = serious(
        *PLANE,
        *BEHIND,
        netpol("deny", "mesh", ingress=[]),
        netpol("cart", select=OF_CART, ingress=[{"ports": tcp(8080)}]),
        netpol("client", select={"app": "client"}, egress=[{**TO_CART, "ports": tcp(8080)}]),
        netpol("waypoint", select={"app": "waypoint-1"}, ingress=[{"ports": tcp(15021)}]),
    )
    assert {(one.code, one.problem.object.name) for one in found} == {("MW7001", "cart"), ("MW7002", "client"), ("MW7003", "waypoint"), ("MW7004", "deny")}


def test_a_healthy_mesh_and_none() -> None:
    assert not check(*PLANE, *BEHIND, *WEBHOOKS, FRONT)
    assert run_checks(CHECKS, Cluster({})) == ([], [])


def test_pods_in_the_network_of_their_node_are_no_matter_of_policies() -> None:
    host = derived(pod("agent", captured=False), {"spec": {"hostNetwork": True}})
    assert not check(SHOP, host, netpol(ingress=[{"ports": tcp(8080)}]))
