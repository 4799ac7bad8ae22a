"""Validation of the gateways that the role istio installs."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.istio import validate_istio
from tests.unit.inventory_values import values_of

INGRESS = {"name": "istio-ingress", "namespace": "istio-ingress"}


@pytest.mark.parametrize(
    ("gateways", "expected"),
    [
        pytest.param([INGRESS, {**INGRESS, "name": "other"}], [], id="two-in-one-namespace"),
        pytest.param([{**INGRESS, "replicas": 0}], [], id="none"),
        pytest.param([INGRESS, INGRESS], ["istio_gateways[1] names the same release istio-ingress/istio-ingress as istio_gateways[0]"], id="twice"),
        pytest.param([{**INGRESS, "replicas": 2, "autoscaling": {"min": 1, "max": 2}}], ["istio_gateways[0] has both replicas and autoscaling"], id="both"),
        pytest.param([{**INGRESS, "replicas": -1}], ["istio_gateways[0] has -1 replicas"], id="less-than-none"),
        pytest.param([{**INGRESS, "autoscaling": {"min": 3, "max": 2}}], ["istio_gateways[0] has autoscaling from 3 to 2"], id="min-above-max"),
    ],
)
def test_gateways(gateways: list[dict[str, Any]], expected: list[str]) -> None:
    found = validate_istio(values_of({"istio_version": "1.31.1", "istio_gateways": gateways}))
    assert len(found) == len(expected)
    for sentence, beginning in zip(found, expected, strict=True):
        assert sentence.startswith(beginning)
