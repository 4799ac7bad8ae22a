from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._enrollment.label_owners import OWN, TEMPLATE, Owner, owners_of, trim_owners

MODE, WEIGHT = "istio.io/dataplane-mode", "istio.io/use-waypoint-canary-weight"


def _entry(manager: str, operation: str, fields: dict[str, Any]) -> dict[str, Any]:
    return {"manager": manager, "operation": operation, "fieldsType": "FieldsV1", "fieldsV1": fields}


# As an API server writes them.
ITEM = {
    "metadata": {
        "name": "shop",
        "managedFields": [
            _entry("kubectl-create", "Update", {"f:metadata": {"f:labels": {".": {}, "f:kubernetes.io/metadata.name": {}}}}),
            _entry("kubectl-label", "Update", {"f:metadata": {"f:labels": {f"f:{MODE}": {}}}}),
            _entry("argocd-controller", "Apply", {"f:metadata": {"f:annotations": {f"f:{WEIGHT}": {}}, "f:labels": {f"f:{MODE}": {}}}}),
            _entry("meshwright", "Update", {"f:metadata": {"f:labels": {f"f:{MODE}": {}}}}),
            _entry("helm", "Update", {"f:spec": {"f:template": {"f:metadata": {"f:labels": {f"f:{MODE}": {}}}}}}),
            _entry("kube-controller-manager", "Update", {"f:status": {}}),
        ],
    }
}


@pytest.mark.parametrize(
    ("name", "place", "expected"),
    [
        pytest.param(MODE, OWN, [Owner("argocd-controller", applies=True), Owner("kubectl-label", applies=False)], id="label"),
        pytest.param(MODE, TEMPLATE, [Owner("helm", applies=False)], id="label-of-a-template"),
        pytest.param(WEIGHT, OWN, [Owner("argocd-controller", applies=True)], id="annotation"),
        pytest.param("istio.io/use-waypoint", OWN, [], id="nobodys"),
    ],
)
def test_owners_of(name: str, place: tuple[str, ...], expected: list[Owner]) -> None:
    assert owners_of(ITEM, name, place, but="meshwright") == expected
    trimmed = {"metadata": {"managedFields": trim_owners(ITEM, place)}}
    assert owners_of(trimmed, name, place, but="meshwright") == expected


@pytest.mark.parametrize("metadata", [{}, {"managedFields": None}, {"managedFields": [{"manager": "x"}]}], ids=["missing", "null", "without-fields"])
def test_an_object_may_not_say(metadata: dict[str, Any]) -> None:
    assert owners_of({"metadata": metadata}, MODE, but="meshwright") == []
    assert trim_owners({"metadata": metadata}) == []


def test_only_what_is_managed_is_kept() -> None:
    assert [entry["manager"] for entry in trim_owners(ITEM)] == ["kubectl-label", "argocd-controller", "meshwright"]
