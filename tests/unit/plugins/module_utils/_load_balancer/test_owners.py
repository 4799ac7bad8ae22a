"""Who owns a load balancer, by its tags."""

from __future__ import annotations

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._load_balancer.owners import owner_by_tags

INGRESS = {"elbv2.k8s.aws/cluster": "prod", "ingress.k8s.aws/stack": "shop/web"}
GROUP = {"elbv2.k8s.aws/cluster": "prod", "ingress.k8s.aws/stack": "shared"}
SERVICE = {"elbv2.k8s.aws/cluster": "prod", "service.k8s.aws/stack": "shop/edge-istio"}
CLOUD = {"kubernetes.io/cluster/prod": "owned", "kubernetes.io/service-name": "shop/edge-istio"}


@pytest.mark.parametrize(
    ("tags", "owner"),
    [
        (INGRESS, "Ingress shop/web of cluster prod"),
        (GROUP, "Ingress group shared of cluster prod"),
        (SERVICE, "Service shop/edge-istio of cluster prod"),
        (CLOUD, "Service shop/edge-istio of cluster prod"),
        ({"Team": "mesh"}, ""),
    ],
)
def test_the_owner_is_known_by_the_tags(tags: dict[str, str], owner: str) -> None:
    assert owner_by_tags(tags) == owner
