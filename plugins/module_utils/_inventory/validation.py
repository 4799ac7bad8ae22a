# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""All validations of one cluster's variables, in the order in which their errors are reported."""

from __future__ import annotations

import re
import typing as t

from .access import validate_access
from .aws import validate_aws
from .backends import NO_BACKEND, with_backends
from .chart_gateways import validate_chart_gateways
from .chart_values import validate_chart_values
from .eks import validate_eks
from .ingress import validate_ingress
from .istio import validate_istio
from .karpenter import validate_karpenter
from .mesh import validate_mesh, validate_mesh_items
from .names import validate_shared_names
from .partitions import validate_partitions
from .references import validate_references
from .releases import validate_releases
from .sources import validate_sources
from .values import Converted

if t.TYPE_CHECKING:
    from .variables import Variables

_VALIDATIONS: tuple[t.Callable[[Variables], t.Iterable[str]], ...] = (
    validate_istio,
    validate_chart_values,
    validate_mesh,
    validate_eks,
    validate_access,
    validate_partitions,
    validate_releases,
    validate_sources,
    validate_aws,
    validate_karpenter,
    validate_ingress,
    validate_chart_gateways,
    validate_references,
    validate_shared_names,
)
# What is behind an ALB, whose name and namespace may follow from it.
_BACKENDS = frozenset({"ingress_gateways", "istio_gateways"})


def find_errors(converted: Converted) -> list[str]:
    """One sentence for each error of conversion, and for each contradiction between the converted values."""
    values = with_backends(converted.values)
    contradictions = [error for validate in _VALIDATIONS for error in validate(values)]
    # What is missed in a variable that cannot be converted may be there.
    if converted.wrong:
        missed = [*sorted(converted.wrong), *([NO_BACKEND] if converted.wrong & _BACKENDS else [])]
        unfounded = re.compile(rf"\b({'|'.join(missed)})\b")
        contradictions = [error for error in contradictions if not unfounded.search(error)]
    # Validation errors that the modules would report on any cluster.
    return [*converted.errors, *contradictions, *validate_mesh_items(converted.complete)]


__all__ = ("find_errors",)
