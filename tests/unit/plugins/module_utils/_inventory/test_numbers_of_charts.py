"""A number that a chart would write in another way than the inventory is a warning, where the chart writes a text."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.warnings import find_warnings
from tests.unit.inventory_values import values_of


@pytest.mark.parametrize(
    ("variables", "warning"),
    [
        (
            {"istio_istiod_values": {"pilot": {"env": {"ACCOUNT": 123456789012}}}},
            "istio_istiod_values.pilot.env.ACCOUNT is 123456789012, a number, which Helm would write as 1.23456789012e+11: put it in quotes.",
        ),
        ({"istio_istiod_values": {"env": {"LIMIT": 1000000}}}, "istio_istiod_values.env.LIMIT is 1000000, a number, which Helm would write as 1e+06"),
        ({"istio_ztunnel_values": {"env": {"COMMIT": 12345670}}}, "istio_ztunnel_values.env.COMMIT is 12345670"),
        (
            {"istio_gateways": [{"name": "a", "namespace": "a", "values": {"env": {"ACCOUNT": 123456789012}}}]},
            "istio_gateways[0].values.env.ACCOUNT is 123456789012",
        ),
        ({"alb_controller_enabled": True, "alb_controller_values": {"env": {"ACCOUNT": 123456789012}}}, "alb_controller_values.env.ACCOUNT is 123456789012"),
    ],
)
def test_a_number_with_an_exponent_is_a_warning(variables: dict[str, Any], warning: str) -> None:
    (found,) = [one for one in find_warnings(values_of(variables)) if ".env." in one]
    assert found.startswith(warning)


@pytest.mark.parametrize(
    "values",
    [
        {"env": {"ACCOUNT": "123456789012", "WORKERS": 999999, "TRACE": True, "RATE": 0.5}},
        # A field of the API reads both ways of writing a number.
        {"securityContext": {"runAsUser": 1000720000}},
        {"env": ["ACCOUNT"], "pilot": {"env": None}},
    ],
)
def test_texts_and_other_numbers_are_none(values: dict[str, Any]) -> None:
    assert [one for one in find_warnings(values_of({"istio_istiod_values": values})) if "Helm would write" in one] == []
