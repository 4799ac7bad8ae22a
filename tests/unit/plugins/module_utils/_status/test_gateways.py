from __future__ import annotations

import copy
from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._status.gateways import judge_gateway
from tests.unit.objects import Object, derived, recorded, with_condition, without_condition

TITLE = "Gateway bookinfo/waypoint"
PROGRAMMED = recorded("gateway/waypoint_programmed")
DEPLOYMENT = recorded("deployment/waypoint_available")
SERVICE = recorded("service/of_waypoint")
TRANSITION = "2026-11-21T02:56:02Z"


@pytest.mark.requirement("H2")
def test_a_programmed_waypoint_with_an_available_deployment_is_current() -> None:
    verdict = judge_gateway(TITLE, PROGRAMMED, [DEPLOYMENT], [SERVICE])
    assert (verdict.status, verdict.message) == (
        "Current",
        "programmed at 10.0.0.232, waypoint.bookinfo.svc.cluster.local, 1 of 1 pods are available",
    )
    assert verdict.details == {"address": "10.0.0.232, waypoint.bookinfo.svc.cluster.local"}


@pytest.mark.requirement("H2")
@pytest.mark.parametrize(
    ("gateway", "deployments", "status", "reason", "message"),
    [
        pytest.param(None, [], "NotFound", "NotFound", "Gateway bookinfo/waypoint does not exist", id="missing"),
        pytest.param(
            derived(PROGRAMMED, {"metadata": {"deletionTimestamp": TRANSITION}}),
            [DEPLOYMENT],
            "Terminating",
            "Terminating",
            "it is being deleted",
            id="deleted",
        ),
        pytest.param(
            derived(PROGRAMMED, {"status": None}),
            [],
            "InProgress",
            "Pending",
            "Accepted has not been decided: no controller has processed it",
            id="no-status",
        ),
        pytest.param(
            with_condition(PROGRAMMED, "Accepted", status="Unknown", reason="Pending", message="Waiting for controller", observedGeneration=0),
            [],
            "InProgress",
            "Pending",
            "Accepted has not been decided: Waiting for controller",
            id="defaults-of-the-api-server",
        ),
        pytest.param(
            without_condition(PROGRAMMED, "Programmed"),
            [DEPLOYMENT],
            "InProgress",
            "Pending",
            "Programmed has not been decided: no controller has processed it",
            id="accepted-only",
        ),
        pytest.param(
            derived(PROGRAMMED, {"metadata": {"generation": 2}}),
            [DEPLOYMENT],
            "InProgress",
            "GenerationNotObserved",
            "Accepted is for generation 1, but the current generation is 2",
            id="changed-since",
        ),
        pytest.param(
            with_condition(derived(PROGRAMMED, {"metadata": {"generation": 2}}), "Accepted", observedGeneration=2),
            [DEPLOYMENT],
            "InProgress",
            "GenerationNotObserved",
            "Programmed is for generation 1, but the current generation is 2",
            id="programmed-lags-behind",
        ),
        pytest.param(
            with_condition(PROGRAMMED, "Programmed", status="False", reason="AddressNotAssigned", message="no instances found"),
            [DEPLOYMENT],
            "InProgress",
            "AddressNotAssigned",
            "Programmed is False: no instances found",
            id="no-address-assigned",
        ),
        pytest.param(derived(PROGRAMMED, {"status": {"addresses": None}}), [DEPLOYMENT], "InProgress", "NoAddress", "it has no address", id="no-address"),
        pytest.param(
            PROGRAMMED, [], "InProgress", "NoDeployment", "it is programmed, but there is no Deployment behind it", id="programmed-without-deployment"
        ),
        pytest.param(
            PROGRAMMED,
            [derived(DEPLOYMENT, {"status": {"availableReplicas": None, "readyReplicas": None}})],
            "InProgress",
            "LessAvailable",
            "it is programmed, but Deployment bookinfo/waypoint: 0 of 1 pods are available",
            id="programmed-without-an-available-pod",
        ),
        pytest.param(
            PROGRAMMED,
            [derived(DEPLOYMENT, {"metadata": {"generation": 2}})],
            "InProgress",
            "GenerationNotObserved",
            "it is programmed, but Deployment bookinfo/waypoint: its status is for generation 1, but the current generation is 2",
            id="deployment-changed-since",
        ),
    ],
)
def test_a_gateway_that_is_not_current(gateway: Object | None, deployments: list[Object], status: str, reason: str, message: str) -> None:
    verdict = judge_gateway(TITLE, gateway, deployments, [SERVICE])
    assert (verdict.status, verdict.reason, verdict.message) == (status, reason, message)
    assert verdict.remedy
    assert not verdict.final


def with_listener(gateway: Object, kind: str, **fields: Any) -> Object:
    """The Gateway with another condition of its listener."""
    changed = copy.deepcopy(gateway)
    (listener,) = changed["status"]["listeners"]
    next(found for found in listener["conditions"] if found["type"] == kind).update(fields)
    return changed


# As istiod says it of an HTTPS listener whose Secret is missing, beside one that is good.
_NO_SECRET = {"status": "False", "reason": "InvalidCertificateRef", "message": "secret shop/missing not found"}


@pytest.mark.requirement("D9")
def test_a_gateway_is_not_ready_while_one_of_its_listeners_is_not() -> None:
    gateway = with_listener(with_listener(PROGRAMMED, "Programmed", status="False", reason="Invalid"), "ResolvedRefs", **_NO_SECRET)
    gateway = with_condition(gateway, "Accepted", reason="ListenersNotValid")
    verdict = judge_gateway(TITLE, gateway, [DEPLOYMENT], [SERVICE])
    assert (verdict.status, verdict.reason, verdict.final) == ("InProgress", "InvalidCertificateRef", False), "the Secret may still come"
    assert verdict.message == "ResolvedRefs of listener mesh is False: secret shop/missing not found"
    assert "kubernetes.io/tls" in verdict.remedy


def test_a_gateway_without_any_valid_listener_fails_for_good_unless_something_may_come() -> None:
    refused = with_condition(PROGRAMMED, "Accepted", status="False", reason="ListenersNotValid")
    unsupported = with_listener(refused, "Accepted", status="False", reason="UnsupportedProtocol", message="no such protocol")
    verdict = judge_gateway(TITLE, unsupported, [DEPLOYMENT], [SERVICE])
    assert (verdict.status, verdict.reason, verdict.final) == ("Failed", "UnsupportedProtocol", True)
    missing = with_listener(refused, "ResolvedRefs", **_NO_SECRET)
    assert not judge_gateway(TITLE, missing, [DEPLOYMENT], [SERVICE]).final


def test_what_was_said_of_a_listener_before_does_not_count() -> None:
    gateway = with_listener(derived(PROGRAMMED, {"metadata": {"generation": 2}}), "Programmed", status="False", observedGeneration=1)
    for kind in ("Accepted", "Programmed"):
        gateway = with_condition(gateway, kind, observedGeneration=2)
    assert judge_gateway(TITLE, gateway, [DEPLOYMENT], [SERVICE]).current


@pytest.mark.parametrize("reason", ["UnsupportedAddress", "ListenersNotValid"])
def test_what_only_an_edit_can_mend_is_final(reason: str) -> None:
    verdict = judge_gateway(TITLE, with_condition(PROGRAMMED, "Accepted", status="False", reason=reason, message="no"), [DEPLOYMENT], [SERVICE])
    assert (verdict.status, verdict.reason, verdict.message, verdict.since, verdict.final) == ("Failed", reason, "Accepted is False: no", TRANSITION, True)


def test_the_same_reason_of_an_older_generation_is_not_final() -> None:
    gateway = with_condition(derived(PROGRAMMED, {"metadata": {"generation": 2}}), "Accepted", status="False", reason="ListenersNotValid")
    assert judge_gateway(TITLE, gateway, [DEPLOYMENT], [SERVICE]).status == "InProgress"


def test_parameters_that_do_not_exist_yet_are_not_final() -> None:
    """istiod watches the ConfigMap: once it is created, the Gateway is accepted without a change of its own."""
    verdict = judge_gateway(TITLE, with_condition(PROGRAMMED, "Accepted", status="False", reason="InvalidParameters", message="no"), [DEPLOYMENT], [SERVICE])
    assert (verdict.status, verdict.reason, verdict.final) == ("InProgress", "InvalidParameters", False)
    assert "ConfigMap" in verdict.remedy


def test_a_reason_that_time_can_mend_is_not_final() -> None:
    verdict = judge_gateway(TITLE, with_condition(PROGRAMMED, "Accepted", status="False", reason="NoMatchingParent", message="no"), [DEPLOYMENT], [SERVICE])
    assert (verdict.status, verdict.final, verdict.remedy) == ("InProgress", False, "This message comes from istiod.")


def test_a_gateway_that_istiod_makes_no_deployment_for() -> None:
    verdict = judge_gateway(TITLE, PROGRAMMED, [], [], managed=False)
    assert (verdict.status, verdict.message) == ("Current", "programmed at 10.0.0.232, waypoint.bookinfo.svc.cluster.local")


def test_a_deployment_of_no_replicas_is_no_ready_pod() -> None:
    """Programmed may be older than the scaling down; Current promises that a ready pod stands behind the address."""
    counts = {"replicas": 0, "updatedReplicas": None, "readyReplicas": None, "availableReplicas": None}
    scaled_down = derived(DEPLOYMENT, {"spec": {"replicas": 0}, "status": counts})
    assert not judge_gateway(TITLE, PROGRAMMED, [scaled_down], [SERVICE]).current


def test_each_of_its_deployments_must_be_available() -> None:
    """Of a Gateway that got another name for what is made for it, both are there."""
    ill = derived(DEPLOYMENT, {"metadata": {"name": "waypoint-2"}, "status": {"availableReplicas": None}})
    for deployments in ([DEPLOYMENT, ill], [ill, DEPLOYMENT]):
        assert judge_gateway(TITLE, PROGRAMMED, deployments, [SERVICE]).message == (
            "it is programmed, but Deployment bookinfo/waypoint-2: 0 of 1 pods are available"
        )


# the Service that its address is of

MOVED = derived(SERVICE, {"spec": {"clusterIP": "10.0.0.9", "clusterIPs": ["10.0.0.9"]}})
ENDING = derived(SERVICE, {"metadata": {"deletionTimestamp": TRANSITION}})
INGRESS = derived(PROGRAMMED, {"spec": {"gatewayClassName": "istio"}})
BY_NAME_ONLY = derived(PROGRAMMED, {"status": {"addresses": [{"type": "Hostname", "value": "waypoint.bookinfo.svc.cluster.local"}]}})


@pytest.mark.parametrize(
    ("gateway", "services", "reason", "message"),
    [
        pytest.param(PROGRAMMED, [], "NoService", "it is programmed, but there is no Service behind it", id="gone"),
        pytest.param(INGRESS, [], "NoService", "it is programmed, but there is no Service behind it", id="gone-of-another-class"),
        pytest.param(PROGRAMMED, [ENDING], "NoService", "it is programmed, but its Service is being deleted", id="being-deleted"),
        pytest.param(
            PROGRAMMED, [MOVED], "AddressOutdated", "its address 10.0.0.232 is not that of Service bookinfo/waypoint, which is 10.0.0.9", id="made-again"
        ),
        pytest.param(PROGRAMMED, [ENDING, MOVED], "AddressOutdated", "", id="made-again-under-another-name"),
        pytest.param(PROGRAMMED, [MOVED, SERVICE], "", "", id="one-of-two"),
        pytest.param(INGRESS, [MOVED], "", "", id="another-class-gives-names"),
        pytest.param(BY_NAME_ONLY, [MOVED], "", "", id="no-ip-address-to-compare"),
        pytest.param(PROGRAMMED, [derived(MOVED, {"spec": {"clusterIPs": ["10.0.0.9", "10.0.0.232"]}})], "", "", id="the-second-of-two-families"),
        pytest.param(PROGRAMMED, [derived(SERVICE, {"spec": {"clusterIPs": None}})], "", "", id="cluster-ip-alone"),
        pytest.param(PROGRAMMED, [derived(MOVED, {"spec": {"clusterIP": "None", "clusterIPs": ["None"]}})], "", "", id="headless"),
        pytest.param(PROGRAMMED, [derived(MOVED, {"spec": {"externalIPs": ["10.0.0.232"]}})], "", "", id="external-ip"),
        pytest.param(PROGRAMMED, [derived(MOVED, {"status": {"loadBalancer": {"ingress": [{"ip": "10.0.0.232"}]}}})], "", "", id="load-balancer"),
        pytest.param(PROGRAMMED, [derived(MOVED, {"metadata": {"annotations": {"traffic.istio.io/nodeSelector": "{}"}}})], "", "", id="the-nodes-addresses"),
    ],
)
def test_the_address_must_be_the_one_of_its_service(gateway: Object, services: list[Object], reason: str, message: str) -> None:
    """When no control plane manages the Gateway any more, its status stays as it was, whatever happens to its Service."""
    verdict = judge_gateway(TITLE, gateway, [DEPLOYMENT], services)
    assert (verdict.current, verdict.reason, verdict.final) == (not reason, reason, False)
    assert message in verdict.message
    assert verdict.current or ("istiod is running and owns the Gateway's revision" in verdict.remedy and verdict.status == "InProgress")


PENDING = recorded("gateway/load_balancer_pending")
LOAD_BALANCER = derived(
    recorded("service/load_balancer_pending"), {"metadata": {"name": "front-istio"}, "status": {"loadBalancer": {"ingress": [{"hostname": "lb.example.com"}]}}}
)


def _at(*addresses: str) -> Object:
    return derived(PROGRAMMED, {"status": {"addresses": [{"value": address} for address in addresses]}})


@pytest.mark.parametrize(
    ("gateway", "services", "reason"),
    [
        pytest.param(_at("lb.example.com"), [LOAD_BALANCER], "", id="its-load-balancers-address"),
        pytest.param(_at("front-istio.judge-a.svc.cluster.local"), [LOAD_BALANCER], "NoLoadBalancer", id="a-name-inside-the-cluster"),
        pytest.param(_at("old.example.com"), [LOAD_BALANCER], "NoLoadBalancer", id="an-address-that-was-there-once"),
        pytest.param(PROGRAMMED, None, "", id="not-asked-for"),
        pytest.param(PENDING, [LOAD_BALANCER], "AddressNotAssigned", id="pending-as-recorded"),
    ],
)
def test_a_gateway_may_have_to_be_reachable_from_outside(gateway: Object, services: list[Object] | None, reason: str) -> None:
    verdict = judge_gateway(TITLE, gateway, [DEPLOYMENT], [SERVICE] if services is None else services, load_balancer=services is not None)
    assert (verdict.current, verdict.reason) == (not reason, reason)
    # istiod waits for the load balancer, too; then its controller is to be checked, not the pods.
    assert verdict.current or "load balancer controller" in verdict.remedy
