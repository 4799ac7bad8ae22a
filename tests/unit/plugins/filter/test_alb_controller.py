"""The Gateway API as an annotation of the load balancer controller's pods, so that another bundle restarts them."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.filter.alb_controller import gateway_api_bundle

VERSION, CHANNEL = "gateway.networking.k8s.io/bundle-version", "gateway.networking.k8s.io/channel"


@pytest.mark.parametrize(
    ("annotations", "expected"),
    [
        ({VERSION: "v1.6.1", CHANNEL: "standard", "other": "x"}, "6.1 standard"),
        # Where kubernetes.core has hidden what the kubeconfig has in it, too.
        ({VERSION: "********.6.1", CHANNEL: "standard"}, "6.1 standard"),
        ({VERSION: "v1.6.1"}, "6.1"),
        ({CHANNEL: "standard"}, "standard"),
        ({}, "none"),
        (None, "none"),
    ],
)
def test_the_bundle_of_the_first_definition(annotations: Any, expected: str) -> None:
    assert gateway_api_bundle([{"metadata": {"annotations": annotations}}, {"metadata": {}}]) == expected


def test_no_definition_is_no_bundle() -> None:
    assert gateway_api_bundle([]) == "none"
