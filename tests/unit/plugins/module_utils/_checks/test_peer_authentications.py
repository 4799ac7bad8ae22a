from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._checks.cluster import Cluster
from ansible_collections.meshwright.ambient.plugins.module_utils._checks.finding import Finding
from ansible_collections.meshwright.ambient.plugins.module_utils._checks.peer_authentications import CHECKS, Authentications
from ansible_collections.meshwright.ambient.plugins.module_utils._checks.run import run_checks
from ansible_collections.meshwright.ambient.plugins.module_utils._kinds import (
    CONFIG_MAP,
    MUTATING_WEBHOOK,
    NAMESPACE,
    PEER_AUTHENTICATION,
    POD,
    SERVICE,
    STATEFUL_SET,
    VALIDATING_WEBHOOK,
    Kind,
)
from tests.unit.objects import Object, derived, namespace_of, recorded

STRICT = recorded("peerauthentication/strict")
CAPTURED = {"ambient.istio.io/redirection": "enabled"}
SIDECAR = {"sidecar.istio.io/status": ""}
SHOP = namespace_of("shop", **{"istio.io/dataplane-mode": "ambient"})
KINDS = (CONFIG_MAP, MUTATING_WEBHOOK, NAMESPACE, PEER_AUTHENTICATION, POD, SERVICE, STATEFUL_SET, VALIDATING_WEBHOOK)
BY_KIND = {kind.name: kind for kind in KINDS}
CART_LABELS = {"selector": {"matchLabels": {"app": "cart"}}}


def peers(mode: str = "", name: str = "it", namespace: str = "shop", *, created: str = "2026-11-20T10:00:00Z", ports: Any = None, **spec: Any) -> Object:
    mtls = {"mtls": {"mode": mode}} if mode else {}
    levels = {"portLevelMtls": {str(port): {"mode": level} for port, level in ports.items()}} if ports else {}
    metadata = {"name": name, "namespace": namespace, "creationTimestamp": created}
    return {"apiVersion": "security.istio.io/v1", "kind": "PeerAuthentication", "metadata": metadata, "spec": {**mtls, **levels, **spec}}


def pod(name: str, namespace: str = "shop", *, marks: Any = None, ports: Any = ()) -> Object:
    return {
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": {"app": name}, "annotations": CAPTURED if marks is None else marks},
        "spec": {"nodeName": "node-1", "containers": [{"name": "main", "ports": list(ports)}]},
        "status": {"phase": "Running", "podIP": "10.64.0.9"},
    }


CART = pod("cart")


def cluster_of(*items: Object, now: float = 0.0) -> Cluster:
    objects: dict[Kind, list[Object]] = {}
    for item in (SHOP, *items):
        objects.setdefault(BY_KIND[item["kind"]], []).append(item)
    return Cluster(objects, now=now)


def check(*items: Object, now: float = 0.0) -> list[Finding]:
    found, unchecked = run_checks(CHECKS, cluster_of(*items, now=now))
    assert not unchecked, unchecked
    return found


def shown(found: list[Finding]) -> list[tuple[str, str, str]]:
    return [(one.code, one.severity, one.problem.object.name) for one in found]


# what is in force


@pytest.mark.parametrize(
    ("policies", "mode", "strict"),
    [
        ([], "PERMISSIVE", []),
        ([peers("STRICT", namespace="istio-system")], "STRICT", [80, 81, None]),
        ([peers("STRICT", namespace="istio-system"), peers("PERMISSIVE")], "PERMISSIVE", []),
        ([peers("STRICT", namespace="istio-system"), peers("UNSET")], "STRICT", [80, 81, None]),
        ([peers("DISABLE", namespace="istio-system"), peers("STRICT")], "STRICT", [80, 81, None]),
        ([peers("STRICT"), peers("PERMISSIVE", "cart", **CART_LABELS)], "PERMISSIVE", []),
        ([peers("STRICT"), peers("", "cart", ports={80: "PERMISSIVE"}, **CART_LABELS)], "STRICT", [81, None]),
        ([peers("STRICT"), peers("", "cart", ports={80: "DISABLE"}, **CART_LABELS)], "STRICT", [80, 81, None]),
        ([peers("STRICT"), peers("", "cart", ports={80: "DISABLE", 81: "PERMISSIVE"}, **CART_LABELS)], "STRICT", [None]),
        ([peers("STRICT", "cart", ports={80: "DISABLE"}, **CART_LABELS)], "STRICT", [81, None]),
        ([peers("PERMISSIVE", "cart", ports={80: "STRICT"}, **CART_LABELS)], "PERMISSIVE", [80]),
        ([peers("", "cart", ports={80: "STRICT", 81: "UNSET"}, **CART_LABELS)], "PERMISSIVE", [80]),
        ([peers("STRICT", selector={"matchLabels": {"app": "other"}})], "PERMISSIVE", []),
        ([peers("STRICT", namespace="istio-system", **CART_LABELS)], "PERMISSIVE", []),
        ([peers("STRICT", namespace="istio-system", selector={})], "PERMISSIVE", []),
        ([peers("STRICT", "b", created="2026-11-20T10:00:01Z"), peers("PERMISSIVE", "a")], "PERMISSIVE", []),
        ([derived(peers("STRICT"), {"metadata": {"deletionTimestamp": "2026-11-20T10:00:00Z"}})], "PERMISSIVE", []),
    ],
)
def test_what_is_in_force_on_a_pod(policies: list[Object], mode: str, strict: list[int | None]) -> None:
    state = Authentications(cluster_of(*policies)).of(CART)
    assert (state.mode, [port for port in (80, 81, None) if state.is_strict(port)]) == (mode, strict)


# DISABLE


@pytest.mark.parametrize("policy", [peers("DISABLE"), peers("DISABLE", namespace="istio-system"), peers("DISABLE", **CART_LABELS)])
def test_disable_is_permissive(policy: Object) -> None:
    (found,) = check(policy, CART, pod("batch", marks=SIDECAR))
    assert shown([found]) == [("MW6701", "warning", "it")]
    assert "takes it as PERMISSIVE: callers in the mesh still use mTLS, and callers outside of it may use plain text" in found.problem.message
    assert [str(ref) for ref in found.problem.related] == ["Pod shop/cart"]


def test_disable_where_nothing_is_in_ambient_mesh_or_it_is_not_in_force() -> None:
    assert not check(peers("DISABLE"), pod("cart", marks=SIDECAR))
    assert not check(peers("DISABLE", namespace="istio-system"), peers("STRICT"), CART)


def test_disable_for_a_port() -> None:
    (found,) = check(peers("STRICT", "cart", ports={80: "DISABLE"}, **CART_LABELS), CART)
    assert shown([found]) == [("MW6701", "warning", "cart")]
    (found,) = check(peers("STRICT"), peers("", "cart", ports={80: "DISABLE"}, **CART_LABELS), CART)
    assert shown([found]) == [("MW6701", "error", "cart")]
    assert "port 80, but under STRICT from PeerAuthentication shop/it ztunnel takes no DISABLE, so plain text is denied there" in found.problem.message


# webhooks


def hook(kind: str = "ValidatingWebhookConfiguration", *, service: str = "cart", port: int | None = None) -> Object:
    ref = {"name": service, "namespace": "shop", **({"port": port} if port else {})}
    return {"kind": kind, "metadata": {"name": "checks"}, "webhooks": [{"name": "check.cart.io", "failurePolicy": "Fail", "clientConfig": {"service": ref}}]}


def service(name: str = "cart", *, port: int = 443, target: Any = 8443) -> Object:
    return {
        "kind": "Service",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {"selector": {"app": name}, "ports": [{"port": port, "targetPort": target}]},
    }


@pytest.mark.parametrize("kind", ["ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"])
@pytest.mark.parametrize("policy", [peers("STRICT"), peers("STRICT", namespace="istio-system"), peers("", ports={8443: "STRICT"}, **CART_LABELS)])
def test_a_webhook_behind_strict(kind: str, policy: Object) -> None:
    (found,) = check(policy, CART, service(), hook(kind))
    assert shown([found]) == [("MW6702", "error", "it")]
    assert "webhook check.cart.io (Service shop/cart)" in found.problem.message
    assert {str(ref) for ref in found.problem.related} == {f"{kind} checks", "Service shop/cart"}


@pytest.mark.parametrize(
    "items",
    [
        pytest.param([peers("PERMISSIVE"), CART, service(), hook()], id="permissive"),
        pytest.param([peers("STRICT"), peers("", "cart", ports={8443: "PERMISSIVE"}, **CART_LABELS), CART, service(), hook()], id="exception"),
        pytest.param(
            [peers("STRICT"), pod("cart", marks={}), derived(SHOP, {"metadata": {"labels": {"istio.io/dataplane-mode": "none"}}}), service(), hook()],
            id="outside",
        ),
        pytest.param([peers("STRICT"), pod("cart", marks=SIDECAR), service(), hook()], id="sidecar"),
        pytest.param([peers("STRICT"), CART, service(), derived(hook(), {"webhooks": [{"name": "x", "clientConfig": {"url": "https://x"}}]})], id="url"),
        pytest.param([peers("STRICT"), CART, hook()], id="no-service"),
        pytest.param([peers("STRICT"), CART, service(), hook(service="other")], id="another-service"),
        pytest.param([peers("STRICT"), derived(pod("cart", marks={}), {"spec": {"hostNetwork": True}}), service(), hook()], id="host-network"),
    ],
)
def test_webhooks_that_are_reached(items: list[Object]) -> None:
    assert not [one for one in check(*items) if one.code == "MW6702"]


def test_a_named_port_of_a_webhook() -> None:
    items = [peers("STRICT"), peers("", "cart", ports={9443: "PERMISSIVE"}, **CART_LABELS), service(port=8443, target="hooks"), hook(port=8443)]
    assert not check(*items, pod("cart", ports=[{"name": "hooks", "containerPort": 9443}]))
    assert [one.code for one in check(*items, pod("cart", ports=[{"name": "hooks", "containerPort": 9444}]))] == ["MW6702"]


def test_the_recorded_webhooks_of_istiod() -> None:
    """istiod is outside of the mesh, so STRICT does not matter."""
    hooks = [recorded("mutatingwebhookconfiguration/injector_serving"), recorded("validatingwebhookconfiguration/istiod_serving")]
    of_istiod = derived(service("istiod"), {"metadata": {"namespace": "istio-system"}})
    assert not check(STRICT, *hooks, of_istiod, pod("istiod", "istio-system", marks={}), CART)


# policies without effect


def test_a_selector_in_the_root_namespace() -> None:
    (found,) = check(peers("STRICT", namespace="istio-system", **CART_LABELS), CART)
    assert shown([found]) == [("MW6703", "error", "it")]
    assert "istiod ignores policies with a selector in namespace istio-system" in found.problem.message
    config = {"kind": "ConfigMap", "metadata": {"name": "istio", "namespace": "mesh"}, "data": {"mesh": "rootNamespace: mesh-root\n"}}
    assert [one.code for one in check(config, peers("STRICT", namespace="mesh-root", **CART_LABELS), CART)] == ["MW6703"]
    assert "MW6703" not in [one.code for one in check(config, peers("STRICT", namespace="istio-system", **CART_LABELS), CART)]


def test_an_empty_selector_in_the_root_namespace() -> None:
    (found,) = check(peers("STRICT", namespace="istio-system", selector={}), CART)
    assert (found.code, "not for pods in ambient mesh" in found.problem.message) == ("MW6703", True)
    assert not check(peers("STRICT", namespace="istio-system", selector={}), pod("cart", marks=SIDECAR))
    assert not check(peers("STRICT", selector={}), CART)


def test_an_older_policy_takes_precedence() -> None:
    newer = peers("STRICT", "new", created="2026-11-20T11:00:00Z")
    (found,) = check(peers("PERMISSIVE", "old"), newer, CART)
    assert shown([found]) == [("MW6704", "warning", "new")]
    assert "PeerAuthentication old of the same namespace and selector is older" in found.problem.message
    (same,) = check(peers("STRICT", "old"), newer, CART)
    assert shown([same]) == [("MW6704", "info", "new")]
    assert shown(check(peers("STRICT", "a"), peers("PERMISSIVE", "b"), CART)) == [("MW6704", "warning", "a"), ("MW6704", "warning", "b")]
    assert not check(peers("STRICT", namespace="istio-system"), newer, peers("PERMISSIVE", "cart", **CART_LABELS), CART)


def test_two_selectors_that_select_the_same_pod() -> None:
    labelled = derived(CART, {"metadata": {"labels": {"tier": "web"}}})
    older, newer = (
        peers("PERMISSIVE", "tier", selector={"matchLabels": {"tier": "web"}}),
        peers("STRICT", "cart", created="2026-11-20T11:00:00Z", **CART_LABELS),
    )
    (found,) = check(older, newer, labelled)
    assert shown([found]) == [("MW6704", "warning", "cart")]
    assert "it also selects 1 pod of PeerAuthentication shop/tier, which is older" in found.problem.message
    assert not check(older, newer, CART, derived(pod("web"), {"metadata": {"labels": {"tier": "web"}}}))


def test_a_selector_that_matches_nothing() -> None:
    typo = peers("STRICT", selector={"matchLabels": {"app": "cartt"}})
    (found,) = check(typo, CART)
    assert shown([found]) == [("MW6705", "warning", "it")]
    assert "(pods have app=cart)" in found.problem.message
    assert [one.severity for one in check(typo)] == ["info"], "a namespace without pods"
    stopped = {"kind": "StatefulSet", "metadata": {"name": "db", "namespace": "shop"}, "spec": {"template": {"metadata": {"labels": {"app": "cartt"}}}}}
    assert [one.severity for one in check(typo, CART, stopped)] == ["info"]
    assert not check(typo, CART, now=1795168860.0)
    assert not check(peers("STRICT", **CART_LABELS), pod("cart", marks=SIDECAR))


def test_ports_without_a_selector() -> None:
    (found,) = check(peers("STRICT", ports={8080: "PERMISSIVE"}), CART)
    assert shown([found]) == [("MW6706", "warning", "it")]
    assert "port 8080" in found.problem.message
    assert not check(peers("STRICT", ports={8080: "PERMISSIVE"}, **CART_LABELS), CART)


def test_a_healthy_mesh_and_none() -> None:
    assert not check(STRICT, peers("STRICT", namespace="istio-system"), CART)
    assert run_checks(CHECKS, Cluster({})) == ([], [])
