from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._enrollment.spec import (
    DesiredLabels,
    Overrides,
    find_validation_errors,
    parse_item,
    parse_overrides,
)
from ansible_collections.meshwright.ambient.plugins.module_utils._mesh.waypoints import WaypointRef


@pytest.mark.parametrize(
    ("kind", "item", "expected"),
    [
        pytest.param("Namespace", {}, DesiredLabels("Namespace", "a"), id="nothing-desired"),
        pytest.param(
            "Namespace", {"dataplane_mode": "", "use_waypoint": ""}, DesiredLabels("Namespace", "a", dataplane_mode="", waypoint=""), id="labels-away"
        ),
        pytest.param(
            "Namespace",
            {"use_waypoint": "w", "use_waypoint_namespace": "infra", "ingress_use_waypoint": "true"},
            DesiredLabels("Namespace", "a", waypoint="w", waypoint_namespace="infra", ingress="true"),
            id="waypoint",
        ),
        pytest.param(
            "Namespace",
            {"canary": {"waypoint": "next", "waypoint_namespace": "infra", "weight": "10"}},
            DesiredLabels("Namespace", "a", canary="next", canary_namespace="infra", weight="10"),
            id="canary",
        ),
        pytest.param("Namespace", {"canary": {"waypoint": None, "weight": "10"}}, DesiredLabels("Namespace", "a", weight="10"), id="weight-alone"),
        pytest.param(
            "Namespace",
            {"state": "absent", "use_waypoint": "w"},
            DesiredLabels("Namespace", "a", dataplane_mode="", waypoint="", ingress="", canary=""),
            id="absent",
        ),
        pytest.param("Service", {"state": "absent"}, DesiredLabels("Service", "a", waypoint="", ingress="", canary=""), id="service-absent"),
        pytest.param("Deployment", {"state": "absent"}, DesiredLabels("Deployment", "a", dataplane_mode="", waypoint=""), id="workload-absent"),
    ],
)
def test_parse_item(kind: str, item: dict[str, Any], expected: DesiredLabels) -> None:
    assert parse_item(kind, "a", None, item) == expected


def test_desired_labels_name_their_waypoints() -> None:
    desired = DesiredLabels("Service", "cart", "shop", waypoint="w", canary="next", canary_namespace="infra")
    assert (desired.waypoint_ref, desired.canary_ref) == (WaypointRef("shop", "w"), WaypointRef("infra", "next"))
    assert DesiredLabels("Service", "cart", "shop", waypoint="none", canary="").waypoint_ref is None
    assert DesiredLabels("Service", "cart", "shop", waypoint="none", canary="").canary_ref is None


@pytest.mark.parametrize(
    ("item", "error"),
    [
        pytest.param({"label_selector": "team=shop"}, None, id="selector"),
        pytest.param(
            {"label_selector": "team in shop"},
            "the label_selector 'team in shop' is invalid, because after in, values in parentheses are expected, such as in (a, b): "
            "use the syntax of kubectl -l.",
            id="malformed-selector",
        ),
        pytest.param(
            {"label_selector": ""},
            "the label_selector '' is invalid, because it is empty and would select everything: use the syntax of kubectl -l.",
            id="empty-selector",
        ),
        *(pytest.param({"canary": {"weight": weight}}, None, id=f"weight-{weight or 'empty'}") for weight in ("", "0", "7", "100")),
        *(
            pytest.param({"canary": {"weight": weight}}, f"the canary's weight {weight!r} is not a percentage: use a whole number from 0 to 100.", id=weight)
            for weight in ("101", "-1", "10%", "1.5", "ten", "٣")
        ),
    ],
)
def test_find_validation_errors(item: dict[str, Any], error: str | None) -> None:
    assert find_validation_errors([("namespaces[0]", item)]) == ([f"namespaces[0]: {error}"] if error else [])


_OPTIONS = {
    "allow_unsafe_binding": "unsafe_binding",
    "allow_injection_labels": "injection_labels",
    "allow_excluded_namespaces": "excluded_namespaces",
    "allow_hidden_namespaces": "hidden_namespaces",
    "force_conflicts": "conflicts",
}


@pytest.mark.parametrize("option", _OPTIONS)
def test_each_option_lifts_its_own_refusals(option: str) -> None:
    assert parse_overrides({**dict.fromkeys(_OPTIONS, False), option: True}) == Overrides(**{_OPTIONS[option]: True})
