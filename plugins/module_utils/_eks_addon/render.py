# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""From a desired add-on to the parameters of C(CreateAddon) and C(UpdateAddon)."""

from __future__ import annotations

import typing as t

from .normalize import Addon, canonical, plain_values

if t.TYPE_CHECKING:
    from .spec import AddonSpec


def render_request(desired: Addon, spec: AddonSpec, *, everything: bool) -> dict[str, t.Any]:
    """The parameters that creation and update share, without the cluster.

    An update names the role even if it stays: without it, EKS falls back to the role of the nodes. EKS keeps associations that are left out.

    Args:
        desired: the add-on after the request.
        spec: the options.
        everything: whether values that are empty are sent as well, as an update needs it to remove them.
    """
    request: dict[str, t.Any] = {"addonName": desired.name, "addonVersion": desired.version, "resolveConflicts": spec.resolve_conflicts.upper()}
    if plain_values(desired.configuration) or (everything and spec.configuration is not None):
        request["configurationValues"] = desired.configuration if isinstance(desired.configuration, str) else canonical(desired.configuration)
    if desired.role:
        request["serviceAccountRoleArn"] = desired.role
    if spec.pod_identities or (everything and spec.pod_identities is not None):
        request["podIdentityAssociations"] = [{"serviceAccount": name, "roleArn": arn} for name, arn in sorted((spec.pod_identities or {}).items())]
    return request


__all__ = ("render_request",)
