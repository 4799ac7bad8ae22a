"""In check mode, a role knows the namespaces that the roles before it would create."""

from __future__ import annotations

from typing import Any

import pytest

_GIVEN = {
    "istio_namespace": "mesh-system",
    "istio_gateways": [{"name": "classic", "namespace": "classic-edge"}],
    "bookinfo_enabled": True,
    "ingress_gateways": [
        {"name": "shop", "namespace": "edge"},
        {"name": "own", "namespace": "of-others", "create_namespace": False},
        {"name": "former", "namespace": "former-edge", "state": "absent"},
    ],
}


@pytest.mark.parametrize(
    ("role", "expression", "expected"),
    [
        ("ingress", "__ingress_planned.namespaces", ["mesh-system", "classic-edge", "bookinfo"]),
        ("mesh", "__mesh_planned_namespaces", ["mesh-system", "classic-edge", "bookinfo", "edge"]),
    ],
)
def test_namespaces_of_earlier_roles_are_planned(evaluate: Any, role: str, expression: str, expected: list[str]) -> None:
    assert evaluate(role, expression, **_GIVEN) == expected
