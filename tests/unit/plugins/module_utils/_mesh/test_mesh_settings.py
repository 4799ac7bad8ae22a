from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._mesh.mesh_settings import MeshSettings, find_root_namespaces, read_settings, trim_settings
from tests.unit.objects import Object, derived, recorded

CNI = recorded("configmap/istio_cni_config")


def _mesh(text: str, name: str = "istio") -> Object:
    return {"kind": "ConfigMap", "metadata": {"name": name, "namespace": "istio-system"}, "data": {"mesh": text, "meshNetworks": "networks: {}"}}


SELECTING = _mesh("discoverySelectors:\n- matchLabels: {mesh: 'on'}\n- matchExpressions:\n  - {key: team, operator: Exists}\ntrustDomain: cluster.local\n")


@pytest.mark.parametrize(
    ("config_maps", "expected"),
    [
        pytest.param([_mesh("rootNamespace: mesh\n")], {"mesh"}, id="given"),
        pytest.param([_mesh('defaultConfig: {}\nrootNamespace: "mesh"\n')], {"mesh"}, id="as-the-chart-writes-it"),
        pytest.param([derived(_mesh("trustDomain: a\n"), {"metadata": {"namespace": "mesh"}})], {"mesh"}, id="that-of-istiod"),
        pytest.param([_mesh("rootNamespace: a\n"), _mesh("rootNamespace: b\n", "istio-blue")], {"a", "b"}, id="two-meshes"),
        pytest.param([CNI], set(), id="no-istiod"),
    ],
)
def test_the_root_namespace_is_that_of_the_settings(config_maps: list[Object], expected: set[str]) -> None:
    assert find_root_namespaces(config_maps) == expected


def test_nothing_is_said_where_nothing_is_installed() -> None:
    settings = read_settings([])
    assert settings == MeshSettings()
    assert not settings.installed
    assert not settings.hides({})


@pytest.mark.parametrize(
    ("value", "expected"),
    [("kube-system", {"kube-system"}), ("", set()), (" kube-system, ,batch,", {"kube-system", "batch"}), (None, set())],
    ids=["default", "none", "spaces-and-commas", "missing"],
)
def test_excluded_namespaces(value: str | None, expected: set[str]) -> None:
    settings = read_settings([derived(CNI, {"data": {"EXCLUDE_NAMESPACES": value}})])
    assert (settings.installed, settings.excluded_namespaces) == (True, expected)


@pytest.mark.parametrize(
    ("labels", "hidden"),
    [({}, True), ({"mesh": "off"}, True), ({"mesh": "on"}, False), ({"team": "shop"}, False)],
    ids=["no-label", "another-value", "one-selector", "the-other-selector"],
)
def test_a_namespace_must_match_one_selector(labels: dict[str, str], hidden: bool) -> None:
    assert read_settings([CNI, SELECTING]).hides(labels) is hidden


@pytest.mark.parametrize(
    "mesh",
    [
        pytest.param("trustDomain: cluster.local", id="no-selectors"),
        pytest.param("discoverySelectors: []", id="empty"),
        pytest.param("discoverySelectors: null", id="null"),
        pytest.param("discoverySelectors: [", id="no-yaml"),
        pytest.param(f"discoverySelectors: {'[' * 100_000}", id="too-deep"),
        pytest.param("discoverySelectors: 2026-02-30", id="no-date"),
        pytest.param("discoverySelectors", id="a-word"),
        pytest.param("discoverySelectors:\n- matchExpressions: [{key: a, operator: Is}]", id="unknown-operator"),
        pytest.param("discoverySelectors:\n- {}", id="selector-for-everything"),
    ],
)
def test_nothing_is_hidden_without_selectors_that_istiod_could_use(mesh: str) -> None:
    assert not read_settings([CNI, _mesh(mesh)]).hides({})


def test_an_istiod_without_selectors_sees_what_another_does_not() -> None:
    assert read_settings([CNI, SELECTING]).hides({})
    assert not read_settings([CNI, SELECTING, _mesh("trustDomain: x", "istio-1-31")]).hides({})


def test_other_config_maps_of_the_charts_are_not_asked() -> None:
    others = [_mesh("discoverySelectors:\n- matchLabels: {a: b}", name) for name in ("values", "other")]
    assert read_settings([CNI, *others]) == read_settings([CNI])


def test_what_is_trimmed_is_never_missed() -> None:
    assert read_settings([trim_settings(item) for item in (CNI, SELECTING)]) == read_settings([CNI, SELECTING])
    trimmed: dict[str, Any] = trim_settings({"metadata": {"name": "istio-sidecar-injector"}, "data": {"config": "large"}})
    assert trimmed == {"metadata": {"name": "istio-sidecar-injector"}, "data": {}}
