from __future__ import annotations

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._managed_fields import FIELD_MANAGER, owns
from tests.unit.objects import Object

FIELDS = {"f:spec": {"f:infrastructure": {"f:labels": {"f:team": {}}}, "f:listeners": {'k:{"name":"mesh"}': {"f:allowedRoutes": {}}}}}


def _gateway(manager: str = FIELD_MANAGER, operation: str = "Apply") -> Object:
    return {"metadata": {"managedFields": [{"manager": manager, "operation": operation, "fieldsV1": FIELDS}]}}


@pytest.mark.parametrize(
    ("item", "path", "expected"),
    [
        pytest.param(_gateway(), ("spec", "infrastructure", "labels", "team"), True, id="ours"),
        pytest.param(_gateway(), ("spec", "listeners", 'k:{"name":"mesh"}', "allowedRoutes"), True, id="in-a-list"),
        pytest.param(_gateway(), ("spec", "infrastructure", "annotations", "team"), False, id="another-field"),
        pytest.param(_gateway("argocd-controller"), ("spec", "infrastructure"), False, id="of-somebody-else"),
        pytest.param(_gateway(operation="Update"), ("spec", "infrastructure"), False, id="not-applied"),
        pytest.param({"metadata": {}}, ("spec",), False, id="nothing-recorded"),
    ],
)
def test_owns(item: Object, path: tuple[str, ...], expected: bool) -> None:
    assert owns(item, *path) is expected
