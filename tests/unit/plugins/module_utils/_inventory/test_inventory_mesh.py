from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.istio import validate_istio
from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.mesh import validate_mesh, validate_mesh_items
from tests.unit.inventory_values import converted, values_of

VALID: dict[str, Any] = {
    "istio_version": "1.31.1",
    "istio_platform": "eks",
    "istio_chart_source": "https://charts.example.org/istio",
    "gateway_api_source": "https://example.org/standard-install.yaml",
    "mesh_waypoints": [{"namespace": "shop"}, {"name": "shared", "namespace": "infra", "allowed_routes": {"from": "All"}}],
    "mesh_namespaces": [{"name": "shop", "use_waypoint": "waypoint"}, {"label_selector": "team=a"}],
    "mesh_services": [{"name": "cart", "namespace": "shop", "use_waypoint": "shared", "use_waypoint_namespace": "infra"}],
    "mesh_workloads": [{"name": "cart", "namespace": "shop"}, {"name": "cart", "namespace": "shop", "kind": "StatefulSet"}],
}

TWIN = 'For the sandbox, run make twin-up and then eval "$(make -s twin-env)".'


def errors_of(variables: dict[str, Any]) -> list[str]:
    values = values_of(variables)
    return [*validate_istio(values), *validate_mesh(values)]


def item_errors_of(variables: dict[str, Any]) -> list[str]:
    result = converted(variables)
    assert result.errors == ()
    return validate_mesh_items(result.complete)


def test_a_valid_inventory_has_no_errors() -> None:
    assert errors_of(VALID) == []


@pytest.mark.parametrize(
    ("difference", "expected"),
    [
        pytest.param({"istio_version": "1.31"}, ["istio_version is '1.31': use a full version, such as 1.31.1."], id="version-not-full"),
        pytest.param({"istio_version": 1.31}, ["istio_version is '1.31': use a full version, such as 1.31.1."], id="version-read-as-a-number"),
        pytest.param({"istio_version": "latest"}, ["istio_version is 'latest': use a full version, such as 1.31.1."], id="version-floats"),
        pytest.param({"istio_version": "1.31.1\r\n"}, [], id="version-with-a-line-end"),
        pytest.param(
            {"istio_version": "1.23.6"},
            ["istio_version is 1.23.6: ambient mesh is stable from 1.24 on, so use that version or a newer one."],
            id="version-too-old",
            marks=pytest.mark.requirement("L19"),
        ),
        pytest.param({"istio_version": "1.24.0", "gateway_api_version": "v1.2.1"}, [], id="oldest-version", marks=pytest.mark.requirement("L19")),
        pytest.param({"istio_version": "2.0.0"}, [], id="version-2"),
        pytest.param({"istio_version": "1.32.0-alpha.1"}, [], id="candidate"),
        pytest.param({"istio_chart_source": " "}, [f"istio_chart_source is empty: set it to a URL or a path. {TWIN}"], id="no-chart-source"),
        pytest.param({"gateway_api_source": ""}, [f"gateway_api_source is empty: set it to a URL or a path. {TWIN}"], id="no-gateway-api-source"),
        pytest.param(
            {"mesh_waypoints": [{"name": "none", "namespace": "shop"}]},
            ["mesh_waypoints[0].name is 'none': use lower-case letters, digits and dashes, and not none."],
            id="waypoint-called-none",
        ),
        pytest.param(
            {"mesh_waypoints": [{"namespace": "shop"}, {"name": "My_Waypoint", "namespace": "shop"}]},
            ["mesh_waypoints[1].name is 'My_Waypoint': use lower-case letters, digits and dashes, and not none."],
            id="waypoint-name-that-cannot-be",
        ),
        pytest.param(
            {"mesh_waypoints": [{"namespace": "shop.eu"}]},
            ["mesh_waypoints[0].namespace is 'shop.eu': use lower-case letters, digits and dashes."],
            id="waypoint-namespace-that-cannot-be",
        ),
        pytest.param(
            {"mesh_waypoints": [{"namespace": "infra", "allowed_routes": {"from": "Selector"}}]},
            ["mesh_waypoints[0].allowed_routes is from Selector, but has no selector: add matchLabels or matchExpressions."],
            id="selector-missing",
        ),
        pytest.param(
            {"mesh_waypoints": [{"namespace": "shop"}, {"name": "waypoint", "namespace": "shop"}]},
            ["mesh_waypoints names shop/waypoint more than once: combine these items into one."],
            id="waypoint-named-twice-once-by-default",
        ),
        pytest.param({"mesh_namespaces": [{"use_waypoint": "waypoint"}]}, ["mesh_namespaces[0] needs name, label_selector or both."], id="no-namespace"),
        pytest.param({"mesh_namespaces": [{"name": "shop", "label_selector": "team=a"}]}, [], id="name-and-selector"),
        pytest.param(
            {name: [{"label_selector": "team=a"}, {"label_selector": "team=b"}] for name in ("mesh_services", "mesh_workloads")},
            [],
            id="selectors-name-nothing-twice",
        ),
        pytest.param(
            {"mesh_namespaces": [{"name": "shop_eu"}]},
            ["mesh_namespaces[0].name is 'shop_eu': use lower-case letters, digits and dashes."],
            id="namespace-that-cannot-be",
        ),
        pytest.param({"mesh_namespaces": [{"name": "a" * 63}]}, [], id="longest-namespace"),
        pytest.param(
            {"mesh_namespaces": [{"name": "a" * 64}]},
            [f"mesh_namespaces[0].name is '{'a' * 64}': use lower-case letters, digits and dashes."],
            id="namespace-too-long",
        ),
        pytest.param(
            {"mesh_namespaces": [{"name": "shop"}, {"name": "store"}, {"name": "shop"}, {"name": "shop"}]},
            ["mesh_namespaces names shop more than once: combine these items into one."],
            id="namespace-named-often-is-expected-once",
        ),
        pytest.param(
            {"mesh_services": [{"name": "cart", "namespace": "shop"}] * 2},
            ["mesh_services names shop/cart more than once: combine these items into one."],
            id="service-named-twice",
        ),
        pytest.param(
            {"mesh_workloads": [{"name": "cart", "namespace": "shop"}, {"name": "cart", "namespace": "shop", "kind": "Deployment"}]},
            ["mesh_workloads names Deployment shop/cart more than once: combine these items into one."],
            id="workload-named-twice-once-by-default-kind",
        ),
        pytest.param(
            {"mesh_services": [{"name": "cart", "namespace": "shop", "use_waypoint_namespace": "infra"}]},
            ["mesh_services[0].use_waypoint_namespace is set without use_waypoint: set the waypoint as well."],
            id="place-without-waypoint",
        ),
        pytest.param(
            {"mesh_namespaces": [{"name": "store", "use_waypoint": "waypoint", "use_waypoint_namespace": "shop"}]},
            ["mesh_namespaces[0] binds namespace store to shop/waypoint, which allows only its own namespace: set allowed_routes of that waypoint."],
            id="declared-waypoint-does-not-allow",
        ),
        pytest.param(
            {
                "mesh_namespaces": [{"name": "store", "use_waypoint": "waypoint", "use_waypoint_namespace": "shop"}],
                "mesh_allow_unsafe_binding": True,
            },
            [],
            id="declared-waypoint-does-not-allow-but-the-inventory-does",
        ),
        pytest.param({"mesh_namespaces": [{"name": "store", "use_waypoint": "shared", "use_waypoint_namespace": "infra"}]}, [], id="declared-waypoint-allows"),
        pytest.param({"mesh_namespaces": [{"name": "store", "use_waypoint": "own", "use_waypoint_namespace": "else"}]}, [], id="not-declared-here"),
        pytest.param({"mesh_namespaces": [{"name": "store", "use_waypoint": "none"}]}, [], id="opting-out"),
    ],
)
def test_validate_mesh(difference: dict[str, Any], expected: list[str]) -> None:
    assert errors_of(VALID | {"mesh_services": [], "mesh_workloads": []} | difference) == expected


def test_all_errors_are_reported_at_once() -> None:
    errors = errors_of({"istio_version": "1", "istio_chart_source": "", "gateway_api_source": "", "cluster_kubeconfig": "", "mesh_namespaces": [{}]})
    assert [error.split(" ")[0] for error in errors] == [
        "cluster_kubeconfig",
        "istio_chart_source",
        "gateway_api_source",
        "istio_version",
        "mesh_namespaces[0]",
    ]


def test_what_the_chosen_roles_do_not_have_is_not_asked_for() -> None:
    assert [*validate_istio({}), *validate_mesh({"mesh_namespaces": [{"name": "shop"}]})] == []


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        pytest.param({}, [], id="nothing"),
        pytest.param({"mesh_services": [{"name": "cart", "namespace": "shop"}]}, [], id="named"),
        pytest.param({"mesh_services": [{"name": "cart"}]}, ["mesh_services[0] needs name and namespace, or label_selector"], id="no-place"),
        pytest.param(
            {"mesh_namespaces": [{"label_selector": "team="}, {"label_selector": "a b"}]}, ["mesh_namespaces[1]: the label_selector 'a b'"], id="selector"
        ),
        pytest.param({"mesh_services": [{"label_selector": "a", "canary": {"weight": "200"}}]}, ["mesh_services[0]: the canary's weight '200'"], id="weight"),
        pytest.param({"mesh_waypoints": [{"name": "w", "namespace": "shop", "overlays": {"deploy": {}}}]}, ["mesh_waypoints[0]: "], id="unknown-overlay"),
        pytest.param({"mesh_waypoints": [{"name": "w", "namespace": "shop", "state": "absent", "overlays": {"deploy": {}}}]}, [], id="to-be-deleted"),
    ],
)
def test_validate_mesh_items(variables: dict[str, Any], message: list[str]) -> None:
    """What the modules would refuse is expected before the first cluster is touched."""
    errors = item_errors_of(variables)
    assert len(errors) == len(message), errors
    for error, begin in zip(errors, message, strict=True):
        assert error.startswith(begin)
