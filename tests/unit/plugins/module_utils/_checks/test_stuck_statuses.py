from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._checks.stuck_statuses import CHECKS
from ansible_collections.meshwright.ambient.plugins.module_utils._kinds import (
    DEPLOYMENT,
    GATEWAY_CLASS,
)
from tests.unit.checked_mesh import MOMENTS_AGO, added, found_in, healthy, istiod_of, item_of, lease_of, settings_of, shown, without
from tests.unit.objects import Object, derived, named, recorded

WAYPOINT, ROUTE = recorded("gateway/waypoint_programmed"), recorded("httproute/attached_to_waypoint")
POLICY = recorded("authorizationpolicy/at_ztunnel")
STALE = "2026-11-21T07:30:00.000000Z"
STATUS = "Lease istio-system/istio-status-leader"


def edited(item: Object, at: str | None = None, **more: Any) -> Object:
    """The object after a change of its spec that nobody has reported on."""
    fields = [{"manager": "kubectl", "operation": "Update", "time": at, "fieldsV1": {"f:spec": {}}}] if at else None
    return derived(item, {"metadata": {"generation": item["metadata"].get("generation", 1) + 1, "managedFields": fields}, **more})


def test_a_healthy_mesh_has_no_findings() -> None:
    assert not shown(found_in(CHECKS, healthy()))


# MW3006


@pytest.mark.parametrize(
    ("lease", "words"),
    [
        (lease_of("istio-status-leader", "istiod-gone", STALE), "pod istiod-gone, which does not exist any more, and was last renewed at 2026-11-21T07:30"),
        (lease_of("istio-status-leader", "", STALE), "held by nobody"),
        (lease_of("istio-gateway-status-leader-default", "istiod-gone", STALE), "nobody writes the status of Gateways and routes of revision default"),
        (lease_of("istio-gateway-deployment-default", "istiod-gone", STALE), "nobody creates or updates the pods"),
    ],
)
def test_a_lease_that_nobody_holds(lease: Object, words: str) -> None:
    (finding,) = found_in(CHECKS, added(healthy(), lease))
    assert shown([finding]) == [("MW3006", "warning", f"Lease istio-system/{lease['metadata']['name']}")]
    assert words in finding.problem.message
    assert str(finding.problem.cause) == "Deployment istio-system/istiod"


@pytest.mark.parametrize(
    "lease",
    [
        lease_of("istio-status-leader", "istiod-gone"),
        lease_of("istio-status-leader", "istiod-1", STALE),
        lease_of("istio-gateway-status-leader-removed", "istiod-gone", STALE),
        lease_of("istio-leader-of-somebody", "istiod-gone", STALE),
    ],
    ids=["just-died", "clocks-differ", "removed-revision", "another"],
)
def test_a_lease_that_is_no_fault(lease: Object) -> None:
    assert not found_in(CHECKS, added(healthy(), lease))


def test_without_election_leases_are_left_from_before() -> None:
    dead = added(healthy(), lease_of("istio-status-leader", "istiod-gone", STALE))
    assert not found_in(CHECKS, added(dead, istiod_of(ENABLE_LEADER_ELECTION="false")))


def test_another_revision_than_the_default_one_leads() -> None:
    lease = derived(lease_of("istio-status-leader", "istiod-canary-1"), {"metadata": {"annotations": {"leader.istio.io/holder-key": "canary"}}})
    (finding,) = found_in(CHECKS, added(healthy(), istiod_of("canary"), lease))
    assert shown([finding]) == [("MW3006", "info", STATUS)]
    assert "revision canary" in finding.problem.message
    assert not found_in(CHECKS, added(healthy(), lease))


# MW3007


@pytest.mark.parametrize(
    ("item", "ref"),
    [
        (WAYPOINT, f"Gateway {WAYPOINT['metadata']['namespace']}/{WAYPOINT['metadata']['name']}"),
        (ROUTE, f"HTTPRoute {ROUTE['metadata']['namespace']}/{ROUTE['metadata']['name']}"),
        (POLICY, f"AuthorizationPolicy {POLICY['metadata']['namespace']}/{POLICY['metadata']['name']}"),
    ],
)
@pytest.mark.parametrize("at", [None, "2026-11-21T07:57:00Z"])
def test_a_status_that_stays_behind(item: Object, ref: str, at: str | None) -> None:
    mesh = added(healthy(), edited(item, at))
    (finding,) = found_in(CHECKS, mesh)
    assert shown([finding]) == [("MW3007", "error", ref)]
    assert "older generation" in finding.problem.message
    assert str(finding.problem.cause) == "Deployment istio-system/istiod"
    assert not found_in(CHECKS, added(healthy(), edited(item, MOMENTS_AGO)))


def test_what_is_not_istios_to_report_on_is_passed_over() -> None:
    foreign = edited(named(derived(WAYPOINT, {"spec": {"gatewayClassName": "alb"}}), "edge"))
    fresh = derived(edited(named(WAYPOINT, "fresh")), {"status": {"conditions": [{"type": "Accepted", "status": "Unknown", "reason": "Pending"}]}})
    bare = derived(edited(named(POLICY, "bare")), {"status": None})
    odd = derived(edited(named(POLICY, "odd")), {"status": {"conditions": "none"}})
    assert not found_in(CHECKS, added(healthy(), foreign, fresh, bare, odd))
    mine = {**healthy(), GATEWAY_CLASS: [item_of(GATEWAY_CLASS, "alb", spec={"controllerName": "istio.io/gateway-controller"})]}
    assert [code for code, *_rest in shown(found_in(CHECKS, added(mine, foreign)))] == ["MW3007"]


def test_a_policy_that_no_istiod_sees_is_told_by_its_namespace() -> None:
    mesh = added(healthy(), edited(POLICY), settings_of("istio", mesh="discoverySelectors: [{matchLabels: {mesh: 'on'}}]"))
    assert not found_in(CHECKS, mesh)


def test_many_stuck_objects_are_one_finding_about_istiod() -> None:
    mesh = added(healthy(), edited(WAYPOINT), edited(ROUTE), edited(POLICY))
    (finding,) = found_in(CHECKS, mesh)
    assert shown([finding]) == [("MW3007", "error", "Deployment istio-system/istiod")]
    assert len(finding.problem.related) == 3
    assert "3 objects" in finding.problem.message


@pytest.mark.parametrize("count", [1, 2])
def test_a_missing_leader_is_the_cause(count: int) -> None:
    policies = [edited(named(POLICY, f"policy-{number}")) for number in range(count)]
    (finding,) = found_in(CHECKS, added(healthy(), lease_of("istio-status-leader", "istiod-gone", STALE), *policies))
    assert shown([finding]) == [("MW3006", "warning", STATUS)]
    assert {ref.name for ref in finding.problem.related} >= {f"policy-{number}" for number in range(count)}


def test_the_istiod_of_the_revision_is_the_cause() -> None:
    mesh = added(healthy(), istiod_of("blue"), edited(derived(WAYPOINT, {"metadata": {"labels": {"istio.io/rev": "blue"}}})))
    (finding,) = found_in(CHECKS, mesh)
    assert str(finding.problem.cause) == "Deployment istio-system/istiod-blue"


def test_without_istiod_nothing_is_expected_to_report() -> None:
    mesh = without(added(healthy(), edited(WAYPOINT), edited(POLICY)), DEPLOYMENT)
    assert not found_in(CHECKS, mesh)
