# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ..module_utils._mesh.charts import chart_reference, chart_values


class FilterModule:
    """Filters of the role istio."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"chart_reference": chart_reference_of, "chart_values": chart_values_of}


def chart_reference_of(chart: str, source: str, version: str) -> dict[str, str]:
    """Where a chart is; see chart_reference.yml."""
    return chart_reference(str(source), str(chart), str(version))


def chart_values_of(chart: str, platform: str = "", user: t.Mapping[str, t.Any] | None = None) -> dict[str, t.Any]:
    """The values of a chart; see chart_values.yml."""
    return chart_values(str(chart), platform=str(platform), user=user)
