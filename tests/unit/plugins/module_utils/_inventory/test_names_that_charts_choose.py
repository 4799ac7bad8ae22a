"""Values of charts by which nothing would be found, and waypoints that are for other traffic: found in the inventory's own data."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.validation import find_errors
from tests.unit.inventory_values import converted

WAYPOINT = {"name": "waypoint", "namespace": "shop"}


def bound(variable: str, traffic: str, **item: Any) -> dict[str, Any]:
    found = {"name": "cart", "namespace": "shop", "use_waypoint": "waypoint", **item}
    if variable == "mesh_namespaces":
        found = {"name": "shop", "use_waypoint": "waypoint", **item}
    return {"mesh_waypoints": [{**WAYPOINT, "for": traffic}], variable: [found]}


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        (
            {"istio_gateways": [{"name": "edge", "namespace": "ingress", "values": {"name": "istio-ingressgateway"}}]},
            "istio_gateways[0].values.name is 'istio-ingressgateway', but name is edge",
        ),
        ({"istio_ztunnel_values": {"resourceName": "ztunnel-blue"}}, "istio_ztunnel_values.resourceName is 'ztunnel-blue'"),
        (bound("mesh_services", "workload"), "mesh_services[0] is bound to shop/waypoint, which is for workload traffic"),
        (bound("mesh_workloads", "service"), "mesh_workloads[0] is bound to shop/waypoint, which is for service traffic"),
        (bound("mesh_namespaces", "none"), "mesh_namespaces[0] is bound to shop/waypoint, which is for none traffic"),
    ],
)
def test_it_is_refused(variables: dict[str, Any], expected: str) -> None:
    (error,) = find_errors(converted(variables))
    assert error.startswith(expected)


@pytest.mark.parametrize(
    "variables",
    [
        {"istio_gateways": [{"name": "edge", "namespace": "ingress", "values": {"name": "edge"}}], "istio_ztunnel_values": {"resourceName": "ztunnel"}},
        bound("mesh_services", "service"),
        bound("mesh_services", "all"),
        bound("mesh_workloads", "workload"),
        bound("mesh_namespaces", "workload"),
        bound("mesh_services", "workload") | {"mesh_allow_unsafe_binding": True},
        bound("mesh_services", "workload", state="absent"),
    ],
)
def test_it_is_right(variables: dict[str, Any]) -> None:
    assert find_errors(converted(variables)) == []
