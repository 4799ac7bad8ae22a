from __future__ import annotations

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._kinds import BY_NAME, DEPLOYMENT, GATEWAY, NAMESPACE, POD, Kind


@pytest.mark.parametrize(
    ("kind", "arguments", "path"),
    [
        pytest.param(POD, (), "/api/v1/pods", id="core-everywhere"),
        pytest.param(POD, ("shop",), "/api/v1/namespaces/shop/pods", id="core-in-a-namespace"),
        pytest.param(POD, ("shop", "cart", "status"), "/api/v1/namespaces/shop/pods/cart/status", id="subresource"),
        pytest.param(DEPLOYMENT, ("shop", "cart"), "/apis/apps/v1/namespaces/shop/deployments/cart", id="group"),
        pytest.param(NAMESPACE, (None, "shop"), "/api/v1/namespaces/shop", id="cluster-scoped"),
        pytest.param(NAMESPACE, ("ignored", "shop"), "/api/v1/namespaces/shop", id="cluster-scoped-has-no-namespace"),
    ],
)
def test_path(kind: Kind, arguments: tuple[str | None, ...], path: str) -> None:
    assert kind.path(*arguments) == path


def test_group() -> None:
    assert (POD.group, DEPLOYMENT.group, GATEWAY.group) == ("", "apps", "gateway.networking.k8s.io")


def test_kinds_are_found_by_name() -> None:
    assert BY_NAME["Gateway"] is GATEWAY
    assert all(kind.name == name for name, kind in BY_NAME.items())
