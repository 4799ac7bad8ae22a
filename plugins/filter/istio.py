# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ..module_utils._helm.argocd import application
from ..module_utils._helm.charts import chart_reference
from ..module_utils._helm.gateways import gateway_targets
from ..module_utils._helm.istio import istio_releases


class FilterModule:
    """Filters about charts and their releases."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {
            "argocd_application": argocd_application,
            "chart_reference": chart_reference_of,
            "gateway_targets": gateway_targets,
            "istio_releases": istio_releases,
        }


def argocd_application(release: t.Mapping[str, t.Any], argocd: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """The Application of one release; see argocd_application.yml."""
    try:
        return application(release, argocd)
    except ValueError as error:
        raise AnsibleFilterError(str(error)) from error


def chart_reference_of(chart: str, source: str, version: str) -> dict[str, str]:
    """Where a chart is; see chart_reference.yml."""
    return chart_reference(str(source), str(chart), str(version))
