from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._mesh.labels import annotations_of, labels_of, matches

LABELS = {"app": "reviews", "tier": ""}


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        pytest.param({}, True, id="empty-matches-everything"),
        pytest.param({"matchLabels": None, "matchExpressions": None}, True, id="null-parts-match-everything"),
        pytest.param({"matchLabels": {"app": "reviews"}}, True, id="label-equal"),
        pytest.param({"matchLabels": {"app": "ratings"}}, False, id="label-differs"),
        pytest.param({"matchLabels": {"version": "v1"}}, False, id="label-missing"),
        pytest.param({"matchLabels": {"app": "reviews", "version": "v1"}}, False, id="all-labels-must-match"),
        pytest.param({"matchLabels": {"tier": ""}}, True, id="empty-value-equal"),
        pytest.param({"matchLabels": {"version": ""}}, False, id="empty-value-is-not-missing"),
        pytest.param({"matchExpressions": [{"key": "app", "operator": "In", "values": ["ratings", "reviews"]}]}, True, id="in"),
        pytest.param({"matchExpressions": [{"key": "app", "operator": "In", "values": ["ratings"]}]}, False, id="in-other-values"),
        pytest.param({"matchExpressions": [{"key": "version", "operator": "In", "values": ["v1"]}]}, False, id="in-missing-key"),
        pytest.param({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["ratings"]}]}, True, id="not-in"),
        pytest.param({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["reviews"]}]}, False, id="not-in-same-value"),
        pytest.param({"matchExpressions": [{"key": "version", "operator": "NotIn", "values": ["v1"]}]}, True, id="not-in-holds-for-a-missing-key"),
        pytest.param({"matchExpressions": [{"key": "tier", "operator": "Exists"}]}, True, id="exists-with-an-empty-value"),
        pytest.param({"matchExpressions": [{"key": "version", "operator": "Exists"}]}, False, id="exists-missing"),
        pytest.param({"matchExpressions": [{"key": "version", "operator": "DoesNotExist"}]}, True, id="does-not-exist"),
        pytest.param({"matchExpressions": [{"key": "tier", "operator": "DoesNotExist"}]}, False, id="does-not-exist-but-does"),
        pytest.param(
            {"matchLabels": {"app": "reviews"}, "matchExpressions": [{"key": "app", "operator": "Exists"}, {"key": "version", "operator": "Exists"}]},
            False,
            id="labels-and-expressions-must-all-hold",
        ),
    ],
)
def test_matches(selector: dict[str, Any], expected: bool) -> None:
    assert matches(selector, LABELS) is expected


@pytest.mark.parametrize("metadata", [{"name": "a"}, {"name": "a", "labels": None, "annotations": None}], ids=["missing", "null"])
def test_an_object_without_labels_has_none(metadata: dict[str, Any]) -> None:
    assert labels_of({"metadata": metadata}) == {}
    assert annotations_of({"metadata": metadata}) == {}
