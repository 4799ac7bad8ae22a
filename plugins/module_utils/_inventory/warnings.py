# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""All warnings about one cluster's variables: what is possible, and perhaps not meant."""

from __future__ import annotations

import typing as t

from .backends import with_backends
from .chart_gateways import chart_gateway_warnings
from .chart_values import chart_number_warnings
from .eks import eks_warnings
from .ingress import ingress_warnings
from .karpenter import karpenter_warnings
from .misspelled_keys import misspelled_key_warnings
from .references import gateways_of_another_kind, undeclared_waypoints

if t.TYPE_CHECKING:
    from .variables import Variables

_WARNINGS: tuple[t.Callable[[Variables], t.Iterable[str]], ...] = (
    eks_warnings,
    karpenter_warnings,
    undeclared_waypoints,
    chart_gateway_warnings,
    chart_number_warnings,
    gateways_of_another_kind,
    ingress_warnings,
    misspelled_key_warnings,
)


def find_warnings(variables: Variables) -> list[str]:
    """One sentence for each warning.

    Args:
        variables: the values of the roles' variables, as values.convert() returns them, without errors.
    """
    values = with_backends(variables)
    return [warning for warnings in _WARNINGS for warning in warnings(values)]


__all__ = ("find_warnings",)
