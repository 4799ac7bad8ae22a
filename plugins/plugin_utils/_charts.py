# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Compares values of charts with the charts themselves where these are at hand, in a directory of this machine, for plugins on the controller."""

from __future__ import annotations

import functools
import typing as t

from ..module_utils._helm.charts import chart_reference
from ..module_utils._helm.source import default_values
from ..module_utils._inventory.chart_values import charts_of, find_chart_errors, find_chart_warnings

if t.TYPE_CHECKING:
    from ..module_utils._inventory.variables import Variables

# Where each chart is, and in which version: the beginning of the names of the variables.
_ROLES = {"karpenter": "karpenter", "aws-load-balancer-controller": "alb_controller"}


def compare_chart_values(variables: Variables) -> tuple[list[str], list[str]]:
    """Errors and warnings about values, one sentence each.

    Args:
        variables: the converted variables of the cluster.
    """
    errors: list[str] = []
    warnings: list[str] = []
    values_of: t.Mapping[str, t.Any] = variables
    for place, chart, values in charts_of(variables):
        role = _ROLES.get(chart, "istio")
        defaults = _defaults(chart, str(values_of.get(f"{role}_chart_source") or ""), str(values_of.get(f"{role}_version") or ""))
        if defaults is not None:
            errors += find_chart_errors(place, chart, values, defaults)
            warnings += find_chart_warnings(place, chart, values, defaults)
    return errors, warnings


@functools.cache
def _defaults(chart: str, source: str, version: str) -> dict[str, t.Any] | None:
    """The default values of a chart; None if it is in a repository or cannot be read, which the task that installs it reports."""
    if not source or not version or "://" in source:
        return None
    return default_values(chart_reference(source, chart, version)["chart_ref"])


__all__ = ("compare_chart_values",)
