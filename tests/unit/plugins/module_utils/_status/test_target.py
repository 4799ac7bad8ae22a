from __future__ import annotations

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._mesh.waypoints import WaypointRef
from ansible_collections.meshwright.ambient.plugins.module_utils._status.addresses import IngressExpectation, ServiceExpectation
from ansible_collections.meshwright.ambient.plugins.module_utils._status.any_objects import ConditionExpectation, ValueExpectation
from ansible_collections.meshwright.ambient.plugins.module_utils._status.bindings import BindingExpectation
from ansible_collections.meshwright.ambient.plugins.module_utils._status.custom_resources import DefinitionExpectation
from ansible_collections.meshwright.ambient.plugins.module_utils._status.enrollments import EnrollmentExpectation
from ansible_collections.meshwright.ambient.plugins.module_utils._status.gateways import GatewayExpectation
from ansible_collections.meshwright.ambient.plugins.module_utils._status.load_balancers import ControllerExpectation
from ansible_collections.meshwright.ambient.plugins.module_utils._status.policies import PolicyExpectation
from ansible_collections.meshwright.ambient.plugins.module_utils._status.rules import needs_of
from ansible_collections.meshwright.ambient.plugins.module_utils._status.target import Expectation, Target
from ansible_collections.meshwright.ambient.plugins.module_utils._status.waypoints import WaypointExpectation
from ansible_collections.meshwright.ambient.plugins.module_utils._status.webhooks import CertificateExpectation


@pytest.mark.parametrize(
    ("target", "text"),
    [
        pytest.param(Target("waypoint", "waypoint", "shop"), "waypoint shop/waypoint", id="both"),
        pytest.param(Target("enrollment", namespace="shop"), "enrollment shop", id="namespace"),
        pytest.param(Target("CustomResourceDefinition", "a.b"), "CustomResourceDefinition a.b", id="name"),
    ],
)
def test_a_target_reads_as_kind_and_place(target: Target, text: str) -> None:
    assert str(target) == text


def test_targets_can_be_keys() -> None:
    """Also those whose expectation has a mapping, which counts for equality alone."""
    expectations: list[Expectation] = [
        BindingExpectation(WaypointRef("shop", "waypoint")),
        BindingExpectation(bound_kind="ServiceEntry"),
        ConditionExpectation("Ready"),
        ConditionExpectation("Ready", "False"),
        DefinitionExpectation(("v1",)),
        EnrollmentExpectation(("shop",)),
        GatewayExpectation(overlays={"deployment": {}}),
        GatewayExpectation(overlays={"service": {}}),
        GatewayExpectation(service_annotations={"a": "b"}),
        GatewayExpectation(controller=ControllerExpectation({"uid": "1"})),
        IngressExpectation(ControllerExpectation({"uid": "1"}, written=1)),
        PolicyExpectation("mesh-root"),
        ServiceExpectation(load_balancer=True),
        ValueExpectation("{.a}", "x"),
        ValueExpectation("{.a}", "y"),
        WaypointExpectation({}),
        WaypointExpectation({"deployment": {"replicas": 2}}),
        CertificateExpectation(1.0),
    ]
    assert len({Target("Node", "a", expectation=expectation) for expectation in expectations}) == len(expectations)
    assert Target("waypoint", "a", "b", WaypointExpectation({"service": {}})) == Target("waypoint", "a", "b", WaypointExpectation({"service": {}}))


def test_the_expectation_of_another_kind_is_an_error_of_the_caller() -> None:
    with pytest.raises(TypeError, match="waypoint shop/front has a GatewayExpectation, and its kind takes a WaypointExpectation"):
        needs_of(Target("waypoint", "front", "shop", GatewayExpectation()))
