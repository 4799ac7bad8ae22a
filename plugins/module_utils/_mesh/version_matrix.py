# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Which versions of Istio, the Gateway API and the load balancer controller go together. They share the definitions of the Gateway API.

Source: of each Istio, pkg/config/schema/metadata.yaml (the versions that it reads), pkg/kube/kclient/crdwatcher.go (the oldest bundle that it takes) and
go.mod (the bundle that it is built with); of the Gateway API, which versions config/crd/standard serves.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

Version = t.Tuple[int, int]


@dataclass(frozen=True)
class _Row:
    """What a minor version of Istio reads: from which Gateway API on, up to which, and what it loses outside of that."""

    oldest: Version
    newest: Version | None
    too_old: str
    too_new: str
    advice: str


# istio: pkg/config/schema/gatewayapi/minimumversions.go and pkg/kube/kclient/crdwatcher.go of each release, and the group versions that it watches.
_ROWS: dict[Version, _Row] = {
    (1, 24): _Row((1, 1), (1, 4), "GRPCRoutes are not read", "TLSRoutes are not read", "v1.2.1"),
    (1, 25): _Row((1, 1), (1, 4), "GRPCRoutes are not read", "TLSRoutes are not read", "v1.2.1"),
    (1, 26): _Row((1, 1), (1, 4), "GRPCRoutes are not read", "TLSRoutes are not read", "v1.3.0"),
    (1, 27): _Row((1, 1), (1, 4), "GRPCRoutes are not read", "TLSRoutes are not read", "v1.3.0"),
    (1, 28): _Row((1, 1), (1, 4), "GRPCRoutes are not read", "TLSRoutes are not read", "v1.4.1"),
    (1, 29): _Row((1, 1), (1, 4), "GRPCRoutes are not read", "TLSRoutes are not read", "v1.4.1"),
    (1, 30): _Row((1, 5), (1, 5), "TLSRoutes are not read", "TCPRoutes are not read", "v1.5.1"),
    (1, 31): _Row((1, 6), None, "TCPRoutes are not read", "", "v1.6.1"),
}
# The first version of Istio that reads a ConfigMap in spec.infrastructure.parametersRef (pilot/pkg/config/kube/gateway/deploymentcontroller.go).
_PARAMETERS: Version = (1, 26)
# From this version on, the load balancer controller reads what only this Gateway API serves (its guide to Gateways).
_CONTROLLER, _CONTROLLERS_GATEWAY_API = (3, 5), (1, 6)


def find_version_conflicts(istio: str, gateway_api: str, controller: str = "") -> list[str]:
    """One sentence for each pair that does not go together; what is not a version, or is older than what is known, is not checked.

    Args:
        istio: Istio's version, such as C(1.31.1); empty if it is not installed.
        gateway_api: the Gateway API's, such as C(v1.6.1).
        controller: the load balancer controller's, such as C(3.5.0), when it serves Gateways of its own; else empty.
    """
    mesh, bundle, balancer = _minor(istio), _minor(gateway_api), _minor(controller)
    conflicts = []
    row = _ROWS.get(min(mesh, max(_ROWS))) if mesh else None
    if row and bundle and mesh:
        if bundle < row.oldest:
            conflicts.append(f"gateway_api_version {gateway_api} is too old for istio_version {istio}: {row.too_old}, so use {row.advice}.")
        elif row.newest and bundle > row.newest:
            conflicts.append(f"gateway_api_version {gateway_api} is too new for istio_version {istio}: {row.too_new}, so use {row.advice}.")
    if balancer and bundle and balancer >= _CONTROLLER and bundle < _CONTROLLERS_GATEWAY_API:
        conflicts.append(
            f"alb_controller_version {controller} with alb_controller_gateway_api needs gateway_api_version v1.6 or newer, but it is {gateway_api}: "
            "set alb_controller_gateway_api to false, or use an older controller."
        )
    return conflicts


def reads_parameters(istio: str) -> bool:
    """Whether this Istio reads the parameters of a Gateway from a ConfigMap; what is not a version is taken for one that does.

    Args:
        istio: its version, such as C(1.31.1); empty if it is not known.
    """
    mesh = _minor(istio)
    return mesh is None or mesh >= _PARAMETERS


def _minor(version: str) -> Version | None:
    found = re.match(r"v?(\d+)\.(\d+)\.", version)
    return (int(found[1]), int(found[2])) if found else None


__all__ = ("find_version_conflicts", "reads_parameters")
