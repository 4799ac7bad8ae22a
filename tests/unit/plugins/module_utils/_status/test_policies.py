from __future__ import annotations

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._status.policies import (
    judge_authorization_policy,
    judge_peer_authentication,
    judge_request_authentication,
)
from ansible_collections.meshwright.ambient.plugins.module_utils._status.verdict import Verdict
from tests.unit.objects import Object, derived, named, namespace_of, recorded, with_condition, without_condition

AT_ZTUNNEL = recorded("authorizationpolicy/at_ztunnel")
AT_WAYPOINT = recorded("authorizationpolicy/at_waypoint")
STRICT = recorded("peerauthentication/strict")
JWT = recorded("requestauthentication/at_service")
REVIEWS = recorded("service/reviews_bound")
ENROLLED = recorded("namespace/enrolled")
DELETED = {"metadata": {"deletionTimestamp": "2026-11-21T08:00:00Z"}}
LIE = "its status is True, but it is not enforced as written: "


@pytest.mark.parametrize(("policy", "message"), [(AT_ZTUNNEL, "attached to ztunnel"), (AT_WAYPOINT, "bound to bookinfo/waypoint")], ids=["l4", "l7"])
def test_an_authorization_policy_that_is_enforced(policy: Object, message: str) -> None:
    verdict = judge_authorization_policy("it", policy)
    assert (verdict.status, verdict.message) == ("Current", message)


@pytest.mark.parametrize(
    ("situation", "status", "reason", "final", "part"),
    [
        ("http_at_ztunnel", "Failed", "UnsupportedValue", True, f"{LIE}ztunnel does not support HTTP attributes (found: methods)"),
        ("http_deny_at_ztunnel", "Failed", "UnsupportedValue", True, f"{LIE}ztunnel does not support HTTP attributes (found: methods)"),
        ("audit", "Failed", "UnsupportedValue", True, "ztunnel does not support the AUDIT action"),
        ("partially_invalid", "InProgress", "PartiallyInvalid", False, f"{LIE}Invalid targetRefs: Service.core:bookinfo/missing"),
        ("none_of_two", "InProgress", "Invalid", False, "Invalid targetRefs: Service.core:bookinfo/absent, Service.core:bookinfo/missing"),
        ("target_not_found", "InProgress", "TargetNotFound", False, "Service bookinfo/missing was not found"),
        ("ancestor_not_bound", "InProgress", "AncestorNotBound", False, "Service judge-a/web is not bound to a waypoint"),
        ("invalid", "Failed", "Invalid", True, "AuthorizationPolicy must be in the root namespace `istio-system` when referencing a GatewayClass"),
    ],
)
def test_an_authorization_policy_that_is_not_enforced_as_written(situation: str, status: str, reason: str, final: bool, part: str) -> None:
    verdict = judge_authorization_policy("it", recorded(f"authorizationpolicy/{situation}"))
    assert (verdict.status, verdict.reason, verdict.final) == (status, reason, final)
    assert verdict.message.startswith(part)
    assert verdict.remedy
    assert verdict.since


def test_only_the_condition_that_the_spec_calls_for_counts() -> None:
    """istiod takes the condition of an earlier form of the policy not away."""
    refs = [{"group": "", "kind": "Service", "name": "reviews"}]
    verdict = judge_authorization_policy("it", derived(AT_ZTUNNEL, {"spec": {"targetRefs": refs}}))
    assert (verdict.reason, verdict.message) == ("NoStatus", "istiod has not reported yet whether a waypoint accepts it")
    verdict = judge_authorization_policy("it", derived(AT_WAYPOINT, {"spec": {"targetRefs": None}}))
    assert (verdict.reason, verdict.message) == ("NoStatus", "istiod has not reported yet whether ztunnel accepts it")
    single = derived(AT_WAYPOINT, {"spec": {"targetRefs": None, "targetRef": refs[0]}})
    assert judge_authorization_policy("it", single).current


def test_a_generation_may_be_written_as_text() -> None:
    """Istio's own kinds write numbers of 64 bits as text, as protobuf does."""
    newer = derived(AT_ZTUNNEL, {"metadata": {"generation": 10}})
    assert judge_authorization_policy("it", newer).reason == "GenerationNotObserved"
    assert judge_authorization_policy("it", with_condition(newer, "ZtunnelAccepted", observedGeneration="9")).reason == "GenerationNotObserved"
    assert judge_authorization_policy("it", with_condition(newer, "ZtunnelAccepted", observedGeneration="10")).current
    assert judge_authorization_policy("it", with_condition(newer, "ZtunnelAccepted", observedGeneration=10)).current


def test_an_authorization_policy_without_a_word_on_it() -> None:
    assert judge_authorization_policy("it", without_condition(AT_ZTUNNEL, "ZtunnelAccepted")).reason == "NoStatus"
    assert judge_authorization_policy("it", derived(AT_ZTUNNEL, DELETED)).status == "Terminating"
    assert judge_authorization_policy("AuthorizationPolicy shop/it", None).message == "AuthorizationPolicy shop/it does not exist"


# PeerAuthentication


def _strict(name: str, created: str, **spec: object) -> Object:
    return derived(named(STRICT, name), {"metadata": {"creationTimestamp": created}, "spec": spec})


@pytest.mark.parametrize(
    ("spec", "part"),
    [
        ({}, "ztunnel applies STRICT; istiod reports no status"),
        ({"mtls": {"mode": "DISABLE"}}, "ztunnel applies DISABLE, which ztunnel treats as PERMISSIVE"),
        ({"mtls": None}, "ztunnel applies the mode that it inherits"),
    ],
)
def test_a_peer_authentication_is_judged_by_its_form(spec: Object, part: str) -> None:
    policy = derived(STRICT, {"spec": spec})
    verdict = judge_peer_authentication("it", policy, [policy])
    assert verdict.current
    assert verdict.message.startswith(part)
    assert verdict.details == {"reported": False}


def test_of_two_peer_authentications_the_older_counts() -> None:
    old, new = _strict("old", "2026-11-21T01:00:00Z"), _strict("new", "2026-11-21T02:00:00Z")
    assert judge_peer_authentication("it", old, [old, new]).current
    verdict = judge_peer_authentication("it", new, [old, new])
    assert (verdict.status, verdict.reason) == ("InProgress", "Shadowed")

    assert verdict.message.startswith("PeerAuthentication old of the same namespace and selector is older")
    selecting = _strict("web", "2026-11-21T03:00:00Z", selector={"matchLabels": {"app": "web"}})
    assert judge_peer_authentication("it", selecting, [old, new, selecting]).current


def test_of_two_peer_authentications_of_one_second_nobody_knows_which_counts() -> None:
    both = [_strict(name, "2026-11-21T01:00:00Z") for name in ("a", "b")]
    for policy, other in zip(both, reversed(both), strict=True):
        verdict = judge_peer_authentication("it", policy, both)
        assert (verdict.status, verdict.reason) == ("InProgress", "Shadowed")
        assert f"PeerAuthentication {other['metadata']['name']} of the same namespace and selector is as old" in verdict.message


def test_a_selector_in_the_root_namespace_is_left_out() -> None:
    policy = derived(named(STRICT, "web", "istio-system"), {"spec": {"selector": {"matchLabels": {"app": "web"}}}})
    verdict = judge_peer_authentication("it", policy, [policy])
    assert (verdict.status, verdict.reason, verdict.final) == ("Failed", "SelectorInRootNamespace", True)
    assert judge_peer_authentication("it", policy, [policy], root_namespace="mesh-root").current


def test_a_peer_authentication_that_goes_or_is_gone() -> None:
    assert judge_peer_authentication("it", derived(STRICT, DELETED), []).status == "Terminating"
    assert judge_peer_authentication("it", None, []).status == "NotFound"


# RequestAuthentication


def _judge(policy: Object | None, *objects: Object, namespace: Object = ENROLLED) -> Verdict:
    known = {(item["kind"], item["metadata"]["name"]): item for item in objects}
    return judge_request_authentication("it", policy, namespace, lambda kind, name: known.get((kind, name)))


def _at(**ref: str) -> Object:
    return derived(JWT, {"spec": {"targetRefs": [ref]}})


GATEWAY = recorded("gateway/waypoint_programmed")


@pytest.mark.parametrize(
    ("policy", "objects"),
    [
        pytest.param(JWT, [REVIEWS], id="at-a-service"),
        pytest.param(_at(kind="Gateway", name="waypoint"), [GATEWAY], id="at-a-waypoint"),
        pytest.param(derived(_at(kind="GatewayClass", name="istio-waypoint"), {"metadata": {"namespace": "istio-system"}}), [], id="at-all-waypoints"),
        pytest.param(
            derived(_at(kind="ServiceEntry", name="outside"), {"metadata": {"namespace": "judge-b"}}), [recorded("serviceentry/bound")], id="at-a-service-entry"
        ),
    ],
)
def test_a_request_authentication_at_a_waypoint(policy: Object, objects: list[Object]) -> None:
    namespace = namespace_of("judge-b", **{"istio.io/use-waypoint": "waypoint"}) if policy["metadata"]["namespace"] == "judge-b" else ENROLLED
    verdict = _judge(policy, *objects, namespace=namespace)
    assert verdict.current, verdict
    assert verdict.details == {"reported": False}


@pytest.mark.parametrize(
    ("policy", "objects", "reason", "final"),
    [
        pytest.param(derived(JWT, {"spec": {"targetRefs": None}}), [], "NoTargetRefs", True, id="nobody-reads-it"),
        pytest.param(JWT, [], "TargetNotFound", False, id="no-service"),
        pytest.param(JWT, [derived(REVIEWS, {"status": {"conditions": []}})], "AncestorNotBound", False, id="not-bound"),
        pytest.param(JWT, [derived(REVIEWS, {"spec": {"type": "ExternalName"}})], "AncestorNotBound", False, id="never-bound"),
        pytest.param(_at(kind="Gateway", name="waypoint"), [derived(GATEWAY, {"status": {"addresses": None}})], "TargetNotFound", False, id="no-address"),
        pytest.param(_at(kind="GatewayClass", name="istio-waypoint"), [], "Invalid", True, id="class-outside-of-the-root-namespace"),
        pytest.param(_at(kind="Deployment", name="reviews"), [], "Invalid", True, id="unknown-kind"),
        pytest.param(_at(kind="Service", name="reviews", namespace="shop"), [REVIEWS], "Invalid", True, id="another-namespace"),
    ],
)
def test_a_request_authentication_that_nothing_enforces(policy: Object, objects: list[Object], reason: str, final: bool) -> None:
    verdict = _judge(policy, *objects)
    assert (verdict.current, verdict.reason, verdict.final) == (False, reason, final)
    assert verdict.remedy


def test_a_request_authentication_that_goes_or_is_gone() -> None:
    assert _judge(derived(JWT, DELETED)).status == "Terminating"
    assert _judge(None).status == "NotFound"
