"""Which versions go together."""

from __future__ import annotations

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._mesh.version_matrix import find_version_conflicts, reads_parameters


@pytest.mark.requirement("M15", "D3")
@pytest.mark.parametrize(
    ("istio", "gateway_api", "controller", "expected"),
    [
        ("1.31.1", "v1.6.1", "", None),
        ("1.32.0-dev.20260827", "v1.6.1", "", None),
        ("1.30.3", "v1.5.1", "", None),
        ("1.29.6", "v1.4.1", "", None),
        ("1.31.1", "v1.6.1", "3.5.0", None),
        ("1.30.3", "v1.5.1", "3.4.0", None),
        ("1.24.0", "v1.2.1", "", None),
        ("1.25.5", "v1.4.1", "", None),
        ("1.26.8", "v1.1.0", "", None),
        ("1.27.9", "v1.3.0", "", None),
        ("1.23.0", "v1.6.1", "", None),
        ("latest", "v1.6.1", "", None),
        ("1.31.1", "v1.5.1", "", "gateway_api_version v1.5.1 is too old for istio_version 1.31.1: TCPRoutes are not read, so use v1.6.1."),
        ("1.30.3", "v1.6.1", "", "gateway_api_version v1.6.1 is too new for istio_version 1.30.3: TCPRoutes are not read, so use v1.5.1."),
        ("1.30.3", "v1.4.1", "", "gateway_api_version v1.4.1 is too old for istio_version 1.30.3: TLSRoutes are not read, so use v1.5.1."),
        ("1.29.6", "v1.5.1", "", "gateway_api_version v1.5.1 is too new for istio_version 1.29.6: TLSRoutes are not read, so use v1.4.1."),
        ("1.28.10", "v1.6.1", "", "gateway_api_version v1.6.1 is too new for istio_version 1.28.10: TLSRoutes are not read, so use v1.4.1."),
        ("1.24.6", "v1.6.1", "", "gateway_api_version v1.6.1 is too new for istio_version 1.24.6: TLSRoutes are not read, so use v1.2.1."),
        ("1.25.5", "v1.0.0", "", "gateway_api_version v1.0.0 is too old for istio_version 1.25.5: GRPCRoutes are not read, so use v1.2.1."),
        ("1.26.8", "v1.5.1", "", "gateway_api_version v1.5.1 is too new for istio_version 1.26.8: TLSRoutes are not read, so use v1.3.0."),
        ("1.27.9", "v1.6.1", "", "gateway_api_version v1.6.1 is too new for istio_version 1.27.9: TLSRoutes are not read, so use v1.3.0."),
        ("1.30.3", "v1.5.1", "3.5.0", "alb_controller_version 3.5.0 with alb_controller_gateway_api needs gateway_api_version v1.6 or newer"),
    ],
)
def test_pairs_that_do_not_go_together_are_reported_with_the_reason(istio: str, gateway_api: str, controller: str, expected: str | None) -> None:
    conflicts = find_version_conflicts(istio, gateway_api, controller)
    if expected is None:
        assert conflicts == []
    else:
        assert len(conflicts) == 1, conflicts
        assert conflicts[0].startswith(expected)


@pytest.mark.parametrize(("istio", "reads"), [("1.24.6", False), ("1.25.5", False), ("1.26.0", True), ("1.31.1", True), ("latest", True), ("", True)])
def test_who_reads_the_parameters_of_a_gateway(istio: str, reads: bool) -> None:
    assert reads_parameters(istio) is reads
