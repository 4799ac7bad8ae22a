# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ..module_utils._mesh.parameters import render_parameters
from ..module_utils._waypoint.refusals import list_validation_errors
from ..module_utils._waypoint.render import render_gateway
from ..module_utils._waypoint.spec import OPTIONS, parse_waypoint


def waypoint_manifests(waypoints: t.Sequence[t.Mapping[str, t.Any]]) -> list[dict[str, t.Any]]:
    """The manifests of waypoints, each ConfigMap before the Gateway that names it; items with state absent have none."""
    # The module's own validation, without a cluster.
    validator = ArgumentSpecValidator({"waypoints": {"type": "list", "elements": "dict", "required": True, "options": OPTIONS}})
    validated = validator.validate({"waypoints": [dict(item) for item in waypoints] if isinstance(waypoints, (list, tuple)) else waypoints})
    if validated.error_messages:
        raise AnsibleFilterError(f"waypoint_manifests: {'; '.join(validated.error_messages)}")
    desired = [parse_waypoint(item) for item in validated.validated_parameters["waypoints"]]
    errors = list_validation_errors(desired)
    if errors:
        raise AnsibleFilterError("waypoint_manifests: " + "\n".join(errors))
    manifests = []
    for waypoint in (one.waypoint for one in desired if one.waypoint):
        parameters = render_parameters(waypoint.ref.name, waypoint.ref.namespace, waypoint.overlays)
        manifests += [parameters, render_gateway(waypoint)] if parameters else [render_gateway(waypoint)]
    return manifests


class FilterModule:
    """What the module waypoint would apply, without a cluster."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"waypoint_manifests": waypoint_manifests}
