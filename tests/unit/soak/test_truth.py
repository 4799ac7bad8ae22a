"""The soak's own rules on objects recorded from a twin, so that what it takes for Current is seen."""

from __future__ import annotations

from typing import Any

import pytest

from tests.soak.journal import Moment
from tests.soak.truth import Goal, Truth, truth_of
from tests.unit.objects import derived, recorded, with_condition

GATEWAY = derived(recorded("gateway/waypoint_programmed"), {"metadata": {"uid": "its-own"}})
BEHIND = recorded("deployment/waypoint_available")
ITS_SERVICE = recorded("service/of_waypoint")
SERVICE = recorded("service/bound")
NAMESPACE = derived(recorded("namespace/enrolled"), {"metadata": {"labels": {"istio.io/use-waypoint": "waypoint"}}})
POD = recorded("pod/captured")
PLACE = SERVICE["metadata"]["namespace"]


def owned(item: dict[str, Any], uid: str) -> dict[str, Any]:
    return derived(item, {"metadata": {"ownerReferences": [{"kind": "Gateway", "name": "waypoint", "uid": uid}]}})


def truth(goal: Goal, *items: dict[str, Any]) -> Truth:
    objects = {(item["kind"], item["metadata"].get("namespace", ""), item["metadata"]["name"]): item for item in items}
    return truth_of(goal, Moment(1, 0.0, objects))


def test_a_waypoint_counts_with_a_deployment_of_its_own() -> None:
    goal = Goal("waypoint", GATEWAY["metadata"]["namespace"], GATEWAY["metadata"]["name"])
    service = owned(ITS_SERVICE, "its-own")
    assert truth(goal, GATEWAY, service, owned(BEHIND, "its-own")).current
    assert truth(goal, GATEWAY, service, owned(BEHIND, "of-the-one-before")).why == "no Deployment belongs to it"
    assert truth(goal, GATEWAY, service, owned(derived(BEHIND, {"spec": {"replicas": 0}, "status": None}), "its-own")).status == "Waiting"
    assert truth(goal, derived(GATEWAY, {"metadata": {"generation": 7}}), owned(BEHIND, "its-own")).status == "Waiting"
    assert truth(goal, BEHIND).status == "NotFound"


def test_a_waypoint_counts_with_a_service_of_its_own_at_its_address() -> None:
    goal = Goal("waypoint", GATEWAY["metadata"]["namespace"], GATEWAY["metadata"]["name"])
    behind, service = owned(BEHIND, "its-own"), owned(ITS_SERVICE, "its-own")
    assert truth(goal, GATEWAY, behind).why == "no Service belongs to it"
    assert truth(goal, GATEWAY, behind, owned(ITS_SERVICE, "of-the-one-before")).why == "no Service belongs to it"
    assert truth(goal, GATEWAY, behind, derived(service, {"metadata": {"deletionTimestamp": "2026-11-21T03:00:00Z"}})).why == "no Service belongs to it"
    assert truth(goal, GATEWAY, behind, derived(service, {"spec": {"clusterIPs": ["10.0.0.9"]}})).status == "Waiting"
    assert truth(Goal("Gateway", goal.namespace, goal.name), GATEWAY, behind, service).current


def test_a_binding_counts_when_the_condition_names_the_waypoint_of_the_labels() -> None:
    goal = Goal("binding", PLACE)
    assert truth(goal, NAMESPACE, SERVICE).current
    elsewhere = with_condition(SERVICE, "istio.io/WaypointBound", message="Successfully attached to waypoint elsewhere/waypoint")
    assert truth(goal, NAMESPACE, elsewhere).status == "Waiting"
    assert truth(
        goal, derived(NAMESPACE, {"metadata": {"labels": {"istio.io/use-waypoint": None}}}), derived(SERVICE, {"metadata": {"labels": None}})
    ).status == ("Waiting")


def test_a_binding_to_a_waypoint_counts_only_when_something_uses_that_one() -> None:
    own = derived(SERVICE, {"metadata": {"labels": {"istio.io/use-waypoint": "waypoint"}}})
    unlabelled = derived(NAMESPACE, {"metadata": {"labels": {"istio.io/use-waypoint": None}}})
    assert truth(Goal("binding", PLACE, waypoint=f"{PLACE}/waypoint"), unlabelled, own).current
    assert truth(Goal("binding", PLACE, waypoint=f"{PLACE}/other"), unlabelled, own).status == "Waiting"
    elsewhere = derived(NAMESPACE, {"metadata": {"labels": {"istio.io/use-waypoint": "other"}}})
    assert truth(Goal("binding", PLACE, waypoint=f"{PLACE}/other"), elsewhere, own).current, "the namespace names it, and a Service may name another"
    assert truth(Goal("binding", PLACE, SERVICE["metadata"]["name"], f"{PLACE}/other"), elsewhere, own).status == "Waiting"


@pytest.mark.parametrize(
    ("difference", "current"),
    [
        ({}, True),
        ({"metadata": {"annotations": {"ambient.istio.io/redirection": "pending"}}}, False),
        ({"metadata": {"annotations": {"ambient.istio.io/redirection": None}}}, False),
        ({"metadata": {"labels": {"istio.io/dataplane-mode": "none"}}}, False),
        ({"metadata": {"labels": {"istio.io/dataplane-mode": "none"}, "annotations": {"ambient.istio.io/redirection": None}}}, True),
        ({"metadata": {"annotations": {"ambient.istio.io/redirection": None}}, "spec": {"hostNetwork": True}}, True),
    ],
)
def test_an_enrollment_counts_when_the_marks_are_what_the_labels_ask_for(difference: dict[str, Any], current: bool) -> None:
    namespace = derived(recorded("namespace/enrolled"), {"metadata": {"name": POD["metadata"]["namespace"]}})
    assert truth(Goal("enrollment", POD["metadata"]["namespace"]), namespace, derived(POD, difference)).current == current


def test_what_no_controller_has_seen_is_not_current_even_with_nothing_to_do() -> None:
    new = {"kind": "StatefulSet", "metadata": {"name": "db", "namespace": "shop", "generation": 1}, "spec": {"replicas": 0}, "status": {"replicas": 0}}
    goal = Goal("StatefulSet", "shop", "db")
    assert truth(goal, new).why == "generation 1 is not observed"
    assert truth(goal, derived(new, {"status": {"observedGeneration": 1}})).current
