# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ..module_utils._helm.argocd import application
from ..module_utils._helm.charts import base_values, chart_reference, chart_values, istiod_values
from ..module_utils._helm.gateway_releases import gateway_targets, gateway_values

Values = t.Dict[str, t.Any]

# The charts of which variables of the role say something, and what that means as values.
_OWN: dict[str, t.Callable[..., Values]] = {"base": base_values, "istiod": istiod_values}


class FilterModule:
    """Filters of the role istio."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {
            "argocd_application": argocd_application,
            "chart_reference": chart_reference_of,
            "chart_values": chart_values_of,
            "gateway_targets": gateway_targets,
            "gateway_values": gateway_values_of,
        }


def argocd_application(release: str, reference: t.Mapping[str, str], values: Values, *, namespace: str, argocd: t.Mapping[str, t.Any]) -> Values:
    """The Application of one release; see argocd_application.yml."""
    try:
        return application(str(release), reference, values, namespace=str(namespace), argocd=argocd)
    except ValueError as error:
        raise AnsibleFilterError(str(error)) from error


def chart_reference_of(chart: str, source: str, version: str) -> dict[str, str]:
    """Where a chart is; see chart_reference.yml."""
    return chart_reference(str(source), str(chart), str(version))


def chart_values_of(
    chart: str,
    platform: str = "",
    user: t.Mapping[str, t.Any] | None = None,
    mode: str = "ambient",
    settings: t.Mapping[str, t.Any] | None = None,
) -> Values:
    """The values of a chart; see chart_values.yml."""
    own = _OWN[chart](**settings) if settings and chart in _OWN else None
    return chart_values(str(chart), platform=str(platform), user=user, mode=str(mode), own=own)


def gateway_values_of(gateway: t.Mapping[str, t.Any], platform: str = "") -> Values:
    """The values of one gateway's release; see gateway_values.yml."""
    return gateway_values(gateway, platform=str(platform))
