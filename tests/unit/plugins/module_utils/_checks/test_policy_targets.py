from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._checks.cluster import Cluster
from ansible_collections.meshwright.ambient.plugins.module_utils._checks.finding import Finding
from ansible_collections.meshwright.ambient.plugins.module_utils._checks.policy_targets import CHECKS
from ansible_collections.meshwright.ambient.plugins.module_utils._checks.run import run_checks
from ansible_collections.meshwright.ambient.plugins.module_utils._kinds import (
    AUTHORIZATION_POLICY,
    CONFIG_MAP,
    GATEWAY,
    GATEWAY_CLASS,
    NAMESPACE,
    POD,
    REQUEST_AUTHENTICATION,
    SERVICE,
    SERVICE_ENTRY,
    Kind,
)
from tests.unit.objects import Object, derived, named, namespace_of, recorded, with_condition, without_condition

BOUND = "istio.io/WaypointBound"
ENROLLED = recorded("namespace/enrolled")
REVIEWS = recorded("service/reviews_bound")
WAYPOINT = recorded("gateway/waypoint_programmed")
CAPTURED = recorded("pod/captured")
AT_REVIEWS = derived(recorded("authorizationpolicy/at_waypoint"), {"metadata": {"creationTimestamp": "2026-11-20T10:00:00Z"}})
JWT = recorded("requestauthentication/at_service")
UNBOUND = without_condition(REVIEWS, BOUND)
LATER = 1796000000.0
NEW = {"metadata": {"creationTimestamp": "2026-11-30T00:53:00Z"}}
FRONT = derived(named(WAYPOINT, "front"), {"metadata": {"labels": None}, "spec": {"gatewayClassName": "istio"}})
KINDS = (AUTHORIZATION_POLICY, CONFIG_MAP, GATEWAY, GATEWAY_CLASS, NAMESPACE, POD, REQUEST_AUTHENTICATION, SERVICE, SERVICE_ENTRY)
BY_KIND = {kind.name: kind for kind in KINDS}


def at(*targets: tuple[str, str], name: str = "it", **spec: Any) -> Object:
    """An AuthorizationPolicy at targets; of no condition, since what counts are the targets."""
    refs = [{"kind": kind, "name": target} for kind, target in targets]
    return derived(named(AT_REVIEWS, name), {"status": None, "spec": {"targetRefs": refs, **spec}})


def check(*items: Object, now: float = LATER) -> list[Finding]:
    objects: dict[Kind, list[Object]] = {}
    for item in items:
        objects.setdefault(BY_KIND[item["kind"]], []).append(item)
    found, unchecked = run_checks(CHECKS, Cluster(objects, now=now))
    assert not unchecked, unchecked
    return found


def shown(found: list[Finding]) -> list[tuple[str, str, str]]:
    return [(one.code, one.severity, str(one.problem.object)) for one in found]


MESH = (namespace_of("bookinfo", **{"istio.io/dataplane-mode": "ambient", "istio.io/use-waypoint": "waypoint"}), WAYPOINT, REVIEWS, CAPTURED)


# targets


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        (at(("Service", "review")), "Service review: it does not exist, but reviews does"),
        (at(("Service", "other")), "Service other: it does not exist in namespace bookinfo), so nothing enforces it"),
        (at(("Service", "web")), "only in shop, and a target must be in the same namespace"),
        (at(("Gateway", "waypont")), "Gateway waypont: it does not exist, but waypoint does"),
        (at(("ServiceEntry", "outside")), "ServiceEntry outside"),
        (at(("GatewayClass", "istio-waypoint")), "must be in the root namespace, istio-system"),
        (at(("Deployment", "reviews")), "istiod supports only"),
        (at(("Service", "reviews"), ("Service", "gone")), "holds only for 1 other target, although its status may be True"),
        (derived(at(), {"spec": {"targetRef": {"kind": "Service", "name": "gone"}}}), "Service gone"),
    ],
)
def test_a_target_that_does_not_exist(policy: Object, words: str) -> None:
    (found,) = check(policy, *MESH, named(REVIEWS, "web", "shop"))
    assert shown([found]) == [("MW6502", "error", "AuthorizationPolicy bookinfo/it")]
    assert words in found.problem.message


def test_recorded_policies_at_targets() -> None:
    situations = ("partially_invalid", "none_of_two", "target_not_found", "ancestor_not_bound", "invalid", "at_waypoint")
    policies = [recorded(f"authorizationpolicy/{name}") for name in situations]
    found = check(*policies, *MESH)
    assert {(one.code, one.problem.object.name) for one in found} >= {("MW6502", policy["metadata"]["name"]) for policy in policies[:3] + policies[4:5]}
    assert AT_REVIEWS["metadata"]["name"] not in {one.problem.object.name for one in found}


@pytest.mark.parametrize(
    ("service", "gateways", "cause"),
    [
        pytest.param(UNBOUND, [WAYPOINT], "Gateway bookinfo/waypoint", id="not-yet"),
        pytest.param(with_condition(REVIEWS, BOUND, status="False", reason="WaypointIsNotReady"), [WAYPOINT], "Gateway bookinfo/waypoint", id="not-ready"),
        pytest.param(UNBOUND, [], "Namespace bookinfo", id="label-of-the-namespace-names-nothing"),
        pytest.param(derived(UNBOUND, {"metadata": {"labels": {"istio.io/use-waypoint": "x"}}}), [], "Service bookinfo/reviews", id="own-label-names-nothing"),
        pytest.param(derived(UNBOUND, {"metadata": {"labels": {"istio.io/use-waypoint": "none"}}}), [WAYPOINT], "None", id="opted-out"),
        pytest.param(derived(REVIEWS, {"spec": {"type": "ExternalName"}}), [WAYPOINT], "None", id="never-bound"),
    ],
)
def test_a_target_without_a_waypoint(service: Object, gateways: list[Object], cause: str) -> None:
    (found,) = check(at(("Service", "reviews")), MESH[0], service, *gateways)
    assert shown([found]) == [("MW6503", "error", "AuthorizationPolicy bookinfo/it")]
    assert str(found.problem.cause) == cause
    assert [str(ref) for ref in found.problem.related] == ["Service bookinfo/reviews"]
    assert "nothing enforces the policy for its traffic" in found.problem.message


def test_a_waypoint_without_an_address_is_not_missing() -> None:
    (found,) = check(at(("Gateway", "waypoint")), derived(WAYPOINT, {"status": {"addresses": None}}))
    assert (found.code, str(found.problem.cause)) == ("MW6503", "Gateway bookinfo/waypoint")


def test_two_faults_of_one_policy_are_both_told() -> None:
    found = check(at(("Service", "reviews"), ("Service", "gone")), MESH[0], UNBOUND, WAYPOINT)
    assert [one.code for one in found] == ["MW6502", "MW6503"]


@pytest.mark.parametrize(
    "items",
    [
        pytest.param([at(("Service", "reviews")), *MESH], id="bound"),
        pytest.param([at(("Gateway", "waypoint")), *MESH], id="waypoint"),
        pytest.param([at(("Gateway", "front")), FRONT], id="ingress-gateway"),
        pytest.param([at(("Gateway", "front")), derived(FRONT, {"status": {"addresses": None}})], id="ingress-gateway-without-address"),
        pytest.param([derived(at(("GatewayClass", "istio-waypoint")), {"metadata": {"namespace": "istio-system"}})], id="all-waypoints"),
        pytest.param([derived(at(("Service", "gone")), {"metadata": {"deletionTimestamp": "2026-11-21T08:00:00Z"}})], id="being-deleted"),
        pytest.param([derived(at(("Service", "gone")), NEW)], id="new"),
        pytest.param([at(("Service", "reviews")), MESH[0], WAYPOINT, derived(UNBOUND, NEW)], id="new-service"),
        pytest.param([derived(at(), {"spec": {"targetRefs": None}}), *MESH], id="no-targets"),
    ],
)
def test_targets_that_are_right(items: list[Object]) -> None:
    assert not check(*items)


def test_a_gateway_that_another_controller_serves() -> None:
    foreign = derived(FRONT, {"spec": {"gatewayClassName": "aws-alb"}})
    of_aws = {"kind": "GatewayClass", "metadata": {"name": "aws-alb"}, "spec": {"controllerName": "gateway.k8s.aws/alb"}}
    (found,) = check(at(("Gateway", "front")), foreign, of_aws)
    assert (found.code, "gateway.k8s.aws/alb" in found.problem.message) == ("MW6502", True)


def test_another_root_namespace() -> None:
    config = {"kind": "ConfigMap", "metadata": {"name": "istio", "namespace": "mesh"}, "data": {"mesh": "rootNamespace: mesh-root\n"}}
    for_all = at(("GatewayClass", "istio-waypoint"))
    assert not check(config, derived(for_all, {"metadata": {"namespace": "mesh-root"}}))
    (found,) = check(config, derived(for_all, {"metadata": {"namespace": "istio-system"}}))
    assert "root namespace, mesh-root" in found.problem.message


# providers

PROVIDERS = "extensionProviders:\n- name: opa-ext-authz\n  envoyExtAuthzGrpc: {service: opa.opa.svc.cluster.local, port: 9191}\n"


def _mesh(text: str, name: str = "istio") -> Object:
    return {"kind": "ConfigMap", "metadata": {"name": name, "namespace": "istio-system"}, "data": {"mesh": text}}


def test_a_provider_that_istiod_does_not_know() -> None:
    custom = at(("Service", "reviews"), action="CUSTOM", provider={"name": "opa-ext-auth"})
    (found,) = check(_mesh(PROVIDERS), custom, *MESH)
    assert shown([found]) == [("MW6505", "error", "AuthorizationPolicy bookinfo/it")]
    assert "its provider opa-ext-auth is not among the extensionProviders of the mesh (opa-ext-authz is there)" in found.problem.message
    assert "denied" in found.problem.message
    (found,) = check(_mesh("rootNamespace: istio-system\n"), custom, *MESH)
    assert "(which has none)" in found.problem.message


def test_providers_that_are_known_or_cannot_be() -> None:
    custom = at(("Service", "reviews"), action="CUSTOM", provider={"name": "opa-ext-authz"})
    assert not check(_mesh(PROVIDERS), custom, *MESH)
    assert not check(_mesh("{}"), _mesh(PROVIDERS, "istio-stable"), custom, *MESH), "one of two istiods has it"
    other = at(("Service", "reviews"), action="CUSTOM", provider={"name": "x"})
    assert not check(other, *MESH), "the settings of istiod are not known"
    assert not check(_mesh("{"), other, *MESH)
    selecting = derived(other, {"spec": {"targetRefs": None, "selector": {"matchLabels": {"app": "details"}}}})
    assert not check(_mesh(PROVIDERS), selecting, *MESH), "ztunnel has no action CUSTOM, which another check tells"
    sidecar = derived(CAPTURED, {"metadata": {"annotations": {"sidecar.istio.io/status": ""}}})
    assert [one.code for one in check(_mesh(PROVIDERS), selecting, sidecar)] == ["MW6505"]


# tokens

CLAIMS = {"when": [{"key": "request.auth.claims[role]", "values": ["admin"]}]}
WITH_TOKEN = {"from": [{"source": {"requestPrincipals": ["*"]}}]}
WITHOUT = {"from": [{"source": {"notRequestPrincipals": ["*"]}}]}


@pytest.mark.parametrize(
    ("action", "rule", "words"),
    [
        (
            "ALLOW",
            WITH_TOKEN,
            "but no RequestAuthentication verifies tokens at Service reviews, so its rules match no request, and what only",
        ),
        ("DENY", WITH_TOKEN, "so its rules match no request and deny nothing"),
        ("DENY", WITHOUT, "so every request counts as one without a token and is denied"),
        ("ALLOW", CLAIMS, "request.auth.claims[role]"),
    ],
)
def test_tokens_that_nothing_verifies(action: str, rule: Object, words: str) -> None:
    (found,) = check(at(("Service", "reviews"), action=action, rules=[rule]), *MESH)
    assert shown([found]) == [("MW6509", "warning", "AuthorizationPolicy bookinfo/it")]
    assert words in found.problem.message


def _jwt(kind: str, name: str, namespace: str = "bookinfo") -> Object:
    return derived(JWT, {"metadata": {"namespace": namespace}, "spec": {"targetRefs": [{"kind": kind, "name": name}]}})


@pytest.mark.parametrize(
    ("policy", "verifier"),
    [
        pytest.param(at(("Service", "reviews"), rules=[CLAIMS]), _jwt("Service", "reviews"), id="at-the-service"),
        pytest.param(at(("Service", "reviews"), rules=[CLAIMS]), _jwt("Gateway", "waypoint"), id="at-its-waypoint"),
        pytest.param(at(("Service", "reviews"), rules=[CLAIMS]), _jwt("GatewayClass", "istio-waypoint", "istio-system"), id="at-all-waypoints"),
        pytest.param(at(("Gateway", "waypoint"), rules=[CLAIMS]), _jwt("Service", "reviews"), id="at-a-service-behind-it"),
        pytest.param(at(("Gateway", "front"), rules=[CLAIMS]), _jwt("Gateway", "front"), id="at-a-gateway"),
    ],
)
def test_tokens_that_something_verifies(policy: Object, verifier: Object) -> None:
    assert not check(policy, verifier, *MESH, FRONT)
    assert [one.code for one in check(policy, *MESH, FRONT)] == ["MW6509"]


def test_a_gateway_whose_tokens_are_verified_by_a_selector() -> None:
    selecting = derived(JWT, {"spec": {"targetRefs": None, "selector": {"matchLabels": {"gateway.networking.k8s.io/gateway-name": "front"}}}})
    assert not check(at(("Gateway", "front"), rules=[CLAIMS]), selecting, *MESH, FRONT)


# RequestAuthentications


def test_tokens_without_a_target() -> None:
    untargeted = derived(JWT, {"spec": {"targetRefs": None}})
    (found,) = check(untargeted, *MESH)
    assert shown([found]) == [("MW6601", "error", f"RequestAuthentication bookinfo/{JWT['metadata']['name']}")]
    assert "ztunnel does not verify tokens" in found.problem.message
    assert [ref.kind for ref in found.problem.related] == ["Pod"]
    sidecar = derived(named(CAPTURED, "sidecar"), {"metadata": {"annotations": {"sidecar.istio.io/status": ""}}})
    assert [one.severity for one in check(untargeted, *MESH, sidecar)] == ["warning"]
    assert not check(untargeted, ENROLLED, sidecar)
    selecting = derived(untargeted, {"spec": {"selector": {"matchLabels": {"istio": "ingressgateway"}}}})
    assert not check(selecting, *MESH)


def test_request_authentications_at_targets() -> None:
    assert not check(_jwt("Service", "reviews"), *MESH)
    assert not check(_jwt("Gateway", "front"), FRONT)
    (found,) = check(_jwt("Service", "review"), *MESH)
    assert (found.code, found.severity, "but reviews does" in found.problem.message) == ("MW6602", "error", True)
    (found,) = check(_jwt("Service", "reviews"), MESH[0], UNBOUND, WAYPOINT)
    assert (found.code, str(found.problem.cause)) == ("MW6602", "Gateway bookinfo/waypoint")


def test_an_empty_cluster() -> None:
    assert not check()
