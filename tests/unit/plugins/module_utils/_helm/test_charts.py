from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.meshwright.ambient.plugins.module_utils._helm.charts import (
    CHART_PLATFORMS,
    chart_reference,
    chart_values,
    istiod_values,
    merge,
)
from ansible_collections.meshwright.ambient.plugins.module_utils._helm.gateways import gateway_values
from tests.unit.inventory_values import values_of

_VARIABLES = {"replicas": "istio_istiod_replicas", "autoscaling": "istio_istiod_autoscaling", "startup_taint": "istio_startup_taint"}


def values(chart: str, user: dict[str, Any] | None = None, **given: Any) -> dict[str, Any]:
    """The values of a chart, without the one by which the chart base names the default revision."""
    found = chart_values(chart, values_of({f"istio_{chart}_values": user or {}, **given}))
    return {key: value for key, value in found.items() if key != "defaultRevision" or key in (user or {})}


@pytest.mark.requirement("C3")
@pytest.mark.parametrize("chart", ["base", "istiod", "cni", "ztunnel"])
@pytest.mark.parametrize("user", [None, {}, {"replicaCount": 2}, {"global": {"hub": "mirror"}}], ids=["none", "empty", "own", "global"])
def test_every_chart_gets_the_ambient_profile(chart: str, user: dict[str, Any] | None) -> None:
    assert values(chart, user)["profile"] == "ambient"


@pytest.mark.requirement("C10")
@pytest.mark.parametrize("chart", ["base", "istiod"])
def test_sidecar_mode_is_what_the_charts_do_by_themselves(chart: str) -> None:
    assert values(chart, istio_mode="sidecar") == {}


@pytest.mark.requirement("C12")
@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        pytest.param({}, {}, id="omitted"),
        pytest.param({"replicas": 2}, {"autoscaleEnabled": False, "replicaCount": 2}, id="two-istiods"),
        pytest.param({"autoscaling": {"min": 2, "max": 4}}, {"autoscaleEnabled": True, "autoscaleMin": 2, "autoscaleMax": 4}, id="autoscaling"),
        pytest.param(
            {"startup_taint": True},
            {"taint": {"enabled": True}, "tolerations": [{"key": "cni.istio.io/not-ready", "operator": "Exists"}]},
            id="startup-taint",
        ),
    ],
)
def test_settings_of_istiod(settings: dict[str, Any], expected: dict[str, Any]) -> None:
    assert istiod_values(**settings) == expected
    assert values("istiod", **{_VARIABLES[key]: value for key, value in settings.items()}).get("pilot", {}) == expected


@pytest.mark.requirement("C2")
@pytest.mark.parametrize(
    ("istiod", "user", "revision"),
    [
        pytest.param({}, {}, "default", id="one-istiod"),
        pytest.param({"revision": "1-31"}, {}, "1-31", id="the-active-revision"),
        pytest.param({"pilot": {"revision": "1-31"}}, {}, "1-31", id="prefixed"),
        pytest.param({"revision": ""}, {}, "default", id="no-revision"),
        pytest.param({"revision": "1-32"}, {"defaultRevision": "1-31"}, "1-31", id="the-users-word-wins"),
    ],
)
def test_the_default_revision_follows_istiods(istiod: dict[str, Any], user: dict[str, Any], revision: str) -> None:
    assert chart_values("base", values_of({"istio_istiod_values": istiod, "istio_base_values": user}))["defaultRevision"] == revision


@pytest.mark.parametrize(
    ("istiod", "user", "expected"),
    [
        pytest.param({}, {}, {}, id="one-istiod"),
        pytest.param({"revision": ""}, {}, {}, id="no-revision"),
        pytest.param({"revision": None}, {}, {}, id="key-without-value"),
        pytest.param({"revision": "blue"}, {}, {"revision": "blue"}, id="revision"),
        pytest.param({"pilot": {"revision": "blue"}}, {}, {"revision": "blue"}, id="prefixed"),
        pytest.param({"revision": "green"}, {"revision": "blue"}, {"revision": "blue"}, id="the-users-word-wins"),
        pytest.param({"revision": "green"}, {"xdsAddress": "istiod.example:15012"}, {"revision": "green", "xdsAddress": "istiod.example:15012"}, id="address"),
    ],
)
def test_ztunnel_connects_to_the_istiod_that_is_installed(istiod: dict[str, Any], user: dict[str, Any], expected: dict[str, Any]) -> None:
    assert values("ztunnel", user, istio_istiod_values=istiod) == {"profile": "ambient", **expected}


@pytest.mark.parametrize("istiod", [{"revision": 131}, {"pilot": {"revision": 131}}, {"revision": "131"}])
def test_a_revision_of_digits_is_text_in_every_chart(istiod: dict[str, Any]) -> None:
    """The templates compare it with text, and would end with "incompatible types for comparison"."""
    more = {"istio_istiod_values": {**istiod, "revisionTags": [7, "prod"]}, "istio_cni_values": {"revision": 131}, "istio_base_values": {}}
    assert chart_values("istiod", values_of(more))["pilot"]["revision"] == "131"
    assert chart_values("istiod", values_of(more))["pilot"]["revisionTags"] == ["7", "prod"]
    assert chart_values("base", values_of(more))["defaultRevision"] == "131"
    assert chart_values("ztunnel", values_of(more))["revision"] == "131"
    assert chart_values("cni", values_of(more))["cni"]["revision"] == "131"
    assert gateway_values({"name": "a", "namespace": "a", "values": {"revision": 131}}, "", "131")["revision"] == "131"


def test_no_other_number_becomes_text() -> None:
    found = chart_values("istiod", values_of({"istio_istiod_values": {"replicaCount": 2, "revision": True, "env": {"revision": 1}}}))["pilot"]
    assert (found["replicaCount"], found["revision"], found["env"]) == (2, True, {"revision": 1})


@pytest.mark.parametrize(
    ("chart", "expected"),
    [
        pytest.param("base", {"global": {"istioNamespace": "mesh"}}, id="base"),
        pytest.param("istiod", {"global": {"istioNamespace": "mesh"}}, id="istiod"),
        pytest.param("cni", {}, id="cni-has-no-such-value"),
        pytest.param("ztunnel", {"istioNamespace": "mesh"}, id="ztunnel"),
    ],
)
def test_another_namespace_reaches_the_charts_that_name_it(chart: str, expected: dict[str, Any]) -> None:
    assert values(chart, istio_namespace="mesh") == {"profile": "ambient", **expected}
    assert values(chart) == {"profile": "ambient"}


def test_the_namespace_joins_the_platform_and_the_users_values() -> None:
    found = values("istiod", {"global": {"hub": "mirror"}}, istio_namespace="mesh", istio_platform="gke")
    assert found["global"] == {"platform": "gke", "istioNamespace": "mesh", "hub": "mirror"}


@pytest.mark.requirement("C11")
def test_the_users_values_win_over_settings() -> None:
    assert values("istiod", {"replicaCount": 3}, istio_istiod_replicas=2)["pilot"] == {"autoscaleEnabled": False, "replicaCount": 3}


@pytest.mark.parametrize("platform", sorted(CHART_PLATFORMS))
def test_platforms_that_the_charts_know(platform: str) -> None:
    assert values("cni", istio_platform=platform) == {"profile": "ambient", "global": {"platform": platform}}


@pytest.mark.parametrize("platform", ["aks", pytest.param("eks", marks=pytest.mark.requirement("K1")), "kind", "other"])
def test_platforms_that_need_nothing(platform: str) -> None:
    assert values("cni", istio_platform=platform) == {"profile": "ambient"}


@pytest.mark.parametrize(
    ("chart", "user", "expected"),
    [
        pytest.param("istiod", {"replicaCount": 2}, {"pilot": {"replicaCount": 2}}, id="istiods-go-below-pilot"),
        pytest.param("cni", {"excludeNamespaces": ["a"]}, {"cni": {"excludeNamespaces": ["a"]}}, id="cnis-go-below-cni"),
        pytest.param("base", {"defaultRevision": "1-31"}, {"defaultRevision": "1-31"}, id="base-has-no-prefix"),
        pytest.param("ztunnel", {"logLevel": "debug"}, {"logLevel": "debug"}, id="ztunnel-has-no-prefix"),
        pytest.param("istiod", {"pilot": {"replicaCount": 2}}, {"pilot": {"replicaCount": 2}}, id="prefixed-already"),
        pytest.param("istiod", {"replicaCount": 2, "pilot": {"replicaCount": 3}}, {"pilot": {"replicaCount": 3}}, id="prefixed-is-the-more-exact-word"),
        pytest.param("istiod", {"cni": {"enabled": True}}, {"pilot": {"cni": {"enabled": True}}}, id="another-charts-prefix-is-a-value"),
        pytest.param(
            "istiod",
            {"global": {"hub": "mirror"}, "meshConfig": {"accessLogFile": ""}, "compatibilityVersion": "1.30", "env": {"A": "b"}},
            {"global": {"hub": "mirror"}, "meshConfig": {"accessLogFile": ""}, "compatibilityVersion": "1.30", "pilot": {"env": {"A": "b"}}},
            id="root-values-stay-at-the-root",
        ),
    ],
)
def test_user_values_go_where_the_chart_reads_them(chart: str, user: dict[str, Any], expected: dict[str, Any]) -> None:
    assert values(chart, user) == {"profile": "ambient", **expected}


def test_a_key_whose_own_keys_are_commented_out_takes_nothing_away() -> None:
    user = {"pilot": None, "global": None, "meshConfig": None, "revision": "blue", "affinity": None}
    found = values("istiod", user, istio_istiod_replicas=3, istio_platform="gke", istio_namespace="mesh")
    assert found["pilot"] == {"autoscaleEnabled": False, "replicaCount": 3, "revision": "blue", "affinity": None}
    assert found["global"] == {"platform": "gke", "istioNamespace": "mesh"}
    assert "meshConfig" not in found
    assert values("cni", {"cni": None, "logLevel": "debug"})["cni"] == {"logLevel": "debug"}
    assert values("ztunnel", istio_istiod_values=user)["revision"] == "blue"


def test_user_values_join_the_platforms() -> None:
    assert values("istiod", {"global": {"hub": "mirror"}}, istio_platform="gke")["global"] == {"platform": "gke", "hub": "mirror"}
    assert values("istiod", {"global": {"platform": "k3s"}}, istio_platform="gke")["global"] == {"platform": "k3s"}


@pytest.mark.requirement("C1")
@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param(
            "https://charts.example.org/istio",
            {"chart_ref": "istiod", "chart_repo_url": "https://charts.example.org/istio", "chart_version": "1.31.1"},
            id="repository",
        ),
        pytest.param(
            "http://mirror.local/istio/",
            {"chart_ref": "istiod", "chart_repo_url": "http://mirror.local/istio", "chart_version": "1.31.1"},
            id="mirror-with-a-slash-at-its-end",
        ),
        pytest.param("oci://registry.example.org/charts", {"chart_ref": "oci://registry.example.org/charts/istiod", "chart_version": "1.31.1"}, id="registry"),
        pytest.param("/srv/charts", {"chart_ref": "/srv/charts/istiod-1.31.1.tgz"}, id="directory"),
        pytest.param("charts/", {"chart_ref": "charts/istiod-1.31.1.tgz"}, id="relative-directory"),
    ],
)
def test_chart_reference(source: str, expected: dict[str, str]) -> None:
    assert chart_reference(source, "istiod", "1.31.1") == expected


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.lists(st.integers(), max_size=2),
    lambda below: st.dictionaries(st.sampled_from("abc"), below, max_size=3),
    max_leaves=8,
)
_trees = st.dictionaries(st.sampled_from("abc"), _values, max_size=3)


@pytest.mark.parametrize(
    ("base", "over", "expected"),
    [
        pytest.param({}, {}, {}, id="nothing"),
        pytest.param({"a": {"b": 1}}, {"a": {"c": 2}}, {"a": {"b": 1, "c": 2}}, id="dictionaries-join"),
        pytest.param({"a": [1, 2]}, {"a": [3]}, {"a": [3]}, id="lists-are-replaced"),
        pytest.param({"a": {"b": 1}}, {"a": None}, {"a": None}, id="null-removes-a-charts-default"),
        pytest.param({"a": 1}, {"a": {"b": 1}}, {"a": {"b": 1}}, id="a-dictionary-replaces-a-value"),
    ],
)
def test_merge(base: dict[str, Any], over: dict[str, Any], expected: dict[str, Any]) -> None:
    assert merge(base, over) == expected


@given(base=_trees, over=_trees)
def test_merge_changes_neither_argument(base: dict[str, Any], over: dict[str, Any]) -> None:
    before = copy.deepcopy((base, over))
    merge(base, over)
    assert (base, over) == before


@given(base=_trees, over=_trees)
def test_merging_once_more_changes_nothing(base: dict[str, Any], over: dict[str, Any]) -> None:
    assert merge(merge(base, over), over) == merge(base, over)
    assert merge(base, {}) == base
    assert merge({}, over) == over
