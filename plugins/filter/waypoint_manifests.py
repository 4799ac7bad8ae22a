# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ..module_utils._waypoint.gateway import render_waypoint
from ..module_utils._waypoint.options import OPTIONS
from ..module_utils._waypoint.parameters import render_parameters
from ..module_utils._waypoint.plan import parse_wish
from ..module_utils._waypoint.refusals import refuse_wishes


def waypoint_manifests(waypoints: t.Sequence[t.Mapping[str, t.Any]]) -> list[dict[str, t.Any]]:
    """The manifests of waypoints, each ConfigMap before the Gateway that names it; items with state absent have none."""
    # The module's own words on what an item may say, without a cluster.
    validator = ArgumentSpecValidator({"waypoints": {"type": "list", "elements": "dict", "required": True, "options": OPTIONS}})
    validated = validator.validate({"waypoints": [dict(item) for item in waypoints] if isinstance(waypoints, (list, tuple)) else waypoints})
    if validated.error_messages:
        raise AnsibleFilterError(f"waypoint_manifests: {'; '.join(validated.error_messages)}")
    wishes = [parse_wish(item) for item in validated.validated_parameters["waypoints"]]
    refusals = refuse_wishes(wishes)
    if refusals:
        raise AnsibleFilterError("waypoint_manifests: " + "\n".join(refusals))
    manifests = []
    for waypoint in (wish.waypoint for wish in wishes if wish.waypoint):
        parameters = render_parameters(waypoint.ref.name, waypoint.ref.namespace, waypoint.overlays)
        manifests += [parameters, render_waypoint(waypoint)] if parameters else [render_waypoint(waypoint)]
    return manifests


class FilterModule:
    """What the module waypoint would apply, without a cluster."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"waypoint_manifests": waypoint_manifests}
