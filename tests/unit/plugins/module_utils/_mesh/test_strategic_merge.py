from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.meshwright.ambient.plugins.module_utils._mesh.strategic_merge import OverlayError, combine, merge, merge_key

POD = ("spec", "template", "spec")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        pytest.param((*POD, "containers"), "name", id="containers"),
        pytest.param((*POD, "containers", "istio-proxy", "env"), "name", id="env"),
        pytest.param((*POD, "containers", "istio-proxy", "ports"), "containerPort", id="ports-of-a-container"),
        pytest.param((*POD, "initContainers", "first", "ports"), "containerPort", id="ports-of-an-init-container"),
        pytest.param(("spec", "ports"), "port", id="ports-of-a-service"),
        pytest.param((*POD, "containers", "istio-proxy", "volumeMounts"), "mountPath", id="volume-mounts"),
        pytest.param((*POD, "topologySpreadConstraints"), "topologyKey", id="spread"),
        pytest.param((*POD, "imagePullSecrets"), "name", id="pull-secrets-of-a-pod"),
        pytest.param(("imagePullSecrets",), None, id="pull-secrets-of-an-account"),
        pytest.param(("secrets",), "name", id="secrets-of-an-account"),
        pytest.param((*POD, "tolerations"), None, id="tolerations"),
        pytest.param(("spec", "metrics"), None, id="metrics"),
    ],
)
def test_merge_key(path: tuple[str, ...], expected: str | None) -> None:
    assert merge_key(path) == expected


@pytest.mark.parametrize(
    ("base", "patch", "expected"),
    [
        pytest.param({"a": 1, "b": 2}, {"b": 3, "c": 4}, {"a": 1, "b": 3, "c": 4}, id="values"),
        pytest.param({"a": {"b": 1, "c": 2}}, {"a": {"c": 3}}, {"a": {"b": 1, "c": 3}}, id="maps"),
        pytest.param({"a": 1, "b": 2}, {"a": None}, {"b": 2}, id="null-takes-away"),
        pytest.param({}, {"a": {"b": None, "c": 1}}, {"a": {"c": 1}}, id="null-in-what-is-new"),
        pytest.param({"a": {"b": 1}}, {"a": {"$patch": "replace", "c": 2}}, {"a": {"c": 2}}, id="replace-a-map"),
        pytest.param({"a": {"b": 1}}, {"a": {"$patch": "delete"}}, {"a": {}}, id="delete-a-map"),
        pytest.param({"a": {"b": 1, "c": 2}}, {"a": {"$retainKeys": ["c", "d"], "d": 3}}, {"a": {"c": 2, "d": 3}}, id="retain-keys"),
        pytest.param({"tolerations": [{"key": "a"}]}, {"tolerations": [{"key": "b"}]}, {"tolerations": [{"key": "b"}]}, id="a-list-without-key-is-replaced"),
        pytest.param(
            {"containers": [{"name": "istio-proxy", "image": "auto"}]},
            {"containers": [{"name": "istio-proxy", "tty": True}, {"name": "other"}]},
            {"containers": [{"name": "istio-proxy", "image": "auto", "tty": True}, {"name": "other"}]},
            id="a-list-with-key-is-merged",
        ),
        pytest.param(
            {"spec": {"ports": [{"port": 15021}, {"port": 15008}]}},
            {"spec": {"ports": [{"port": 15021, "$patch": "delete"}]}},
            {"spec": {"ports": [{"port": 15008}]}},
            id="delete-an-item",
        ),
        pytest.param(
            {"volumes": [{"name": "a"}, {"name": "b"}]}, {"volumes": [{"$patch": "replace"}, {"name": "c"}]}, {"volumes": [{"name": "c"}]}, id="replace-a-list"
        ),
        pytest.param({"finalizers": ["a", "b"]}, {"$deleteFromPrimitiveList/finalizers": ["a"]}, {"finalizers": ["b"]}, id="delete-from-a-plain-list"),
        pytest.param({"a": {"on": 1}}, {"a": {True: 2, 7: {"b": None}}}, {"a": {"on": 1, "True": 2, "7": {}}}, id="keys-are-text"),
        pytest.param({"env": [{"name": "a"}]}, {"$setElementOrder/env": [{"name": "a"}]}, {"env": [{"name": "a"}]}, id="order-is-of-no-matter"),
    ],
)
def test_merge(base: dict[str, Any], patch: dict[str, Any], expected: dict[str, Any]) -> None:
    assert merge(base, patch) == expected


@pytest.mark.parametrize(
    ("patch", "message"),
    [
        pytest.param({"spec": {"containers": [{"image": "x"}]}}, "spec.containers: each item needs name, by which the list is merged", id="no-key"),
        pytest.param({"spec": {"containers": ["x"]}}, "spec.containers: each item needs name, by which the list is merged", id="no-map"),
        pytest.param({"spec": {"$patch": "remove"}}, "spec: $patch is 'remove'; it must be merge, replace or delete", id="unknown-directive"),
    ],
)
def test_what_cannot_be_merged(patch: dict[str, Any], message: str) -> None:
    with pytest.raises(OverlayError) as caught:
        merge({}, patch)
    assert str(caught.value) == message


def _overlays(depth: int, nulls: st.SearchStrategy[None]) -> st.SearchStrategy[dict[str, Any]]:
    """Overlays in which every field has one type, as a schema asks."""
    fields: dict[str, Any] = {"a": st.integers(0, 2) | nulls, "tolerations": st.lists(st.integers(0, 2), max_size=2)}
    if depth:
        below = _overlays(depth - 1, nulls)
        named = st.tuples(st.sampled_from(["x", "y"]), below).map(lambda pair: {**pair[1], "name": pair[0]})
        fields["spec"] = below
        fields["containers"] = st.lists(named, max_size=2, unique_by=lambda item: item["name"])
    return st.fixed_dictionaries({}, optional=fields)


_with_nulls = _overlays(2, st.none())
_without_nulls = _overlays(2, st.nothing())


@given(_without_nulls, _with_nulls)
def test_merging_twice_is_merging_once(base: dict[str, Any], patch: dict[str, Any]) -> None:
    once = merge(base, patch)
    assert merge(once, patch) == once


@given(_without_nulls, _without_nulls, _with_nulls)
def test_one_combined_patch_does_what_two_do_one_after_the_other(base: dict[str, Any], first: dict[str, Any], second: dict[str, Any]) -> None:
    assert merge(base, combine(first, second)) == merge(merge(base, first), second)


def test_a_combined_patch_keeps_directives() -> None:
    first = {"spec": {"ports": [{"port": 15021, "name": "status-port"}], "type": "NodePort"}}
    second = {"spec": {"ports": [{"port": 15021, "$patch": "delete"}], "type": None}}
    assert combine(first, second) == {"spec": {"ports": [{"port": 15021, "$patch": "delete"}], "type": None}}
