from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.meshwright.ambient.plugins.filter.waypoint_manifests import FilterModule
from ansible_collections.meshwright.ambient.plugins.module_utils._mesh.waypoints import WaypointRef
from ansible_collections.meshwright.ambient.plugins.module_utils._waypoint.render import render_gateway
from ansible_collections.meshwright.ambient.plugins.module_utils._waypoint.spec import Waypoint

render = FilterModule().filters()["waypoint_manifests"]


@pytest.mark.requirement("H13")
def test_a_waypoint_is_rendered_without_a_cluster() -> None:
    assert render([{"namespace": "bookinfo"}]) == [render_gateway(Waypoint(WaypointRef("bookinfo", "waypoint")))]


def test_parameters_come_before_the_gateway_that_names_them() -> None:
    config_map, gateway = render([{"namespace": "bookinfo", "replicas": "2"}])
    assert config_map["kind"] == "ConfigMap"
    assert '"replicas": 2' in config_map["data"]["deployment"]
    assert gateway["spec"]["infrastructure"]["parametersRef"]["name"] == config_map["metadata"]["name"]


def test_what_should_not_be_there_has_no_manifest() -> None:
    assert render([{"namespace": "bookinfo", "state": "absent"}]) == render([]) == []


@pytest.mark.parametrize(
    ("items", "message"),
    [
        pytest.param([{"name": "waypoint"}], "missing required arguments: namespace found in waypoints", id="missing"),
        pytest.param([{"namespace": "bookinfo", "replica": 2}], "waypoints.replica. Supported parameters include: affinity", id="unknown"),
        pytest.param([{"namespace": "bookinfo", "replicas": "two"}], "cannot be converted to an int|unable to convert to int", id="type"),
        pytest.param([{"namespace": "bookinfo", "replicas": 0}], "Waypoint bookinfo/waypoint: replicas is 0", id="value"),
        pytest.param([{"namespace": "bookinfo"}, {"namespace": "bookinfo"}], "is listed more than once", id="twice"),
        pytest.param("waypoint", "waypoints", id="no-list"),
    ],
)
def test_errors_are_reported(items: Any, message: str) -> None:
    with pytest.raises(AnsibleFilterError, match=message):
        render(items)
