# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""The form of a check: one question about a cluster, with a stable code."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._kinds import Kind
from .cluster import Cluster
from .finding import Problem, Severity

Phase = t.Literal["preflight", "verify", "upgrade", "teardown"]
PHASES: tuple[Phase, ...] = ("preflight", "verify", "upgrade", "teardown")


@dataclass(frozen=True)
class Check:
    """One check of the catalogue.

    Attributes:
        code: its stable code, C(MW) and four digits; the first two are those of its subject.
        title: what is wrong when it finds something, in a few words.
        severity: how serious that is, if a problem does not say otherwise.
        needs: the kinds that must be read; kinds that the cluster does not serve count as read, and have no objects.
        find: the faults in what has been read.
        source: the upstream file, page or report that the rule comes from.
        phases: when it is worth asking.
    """

    code: str
    title: str
    severity: Severity
    needs: tuple[Kind, ...]
    find: t.Callable[[Cluster], t.Iterable[Problem]]
    source: str
    phases: tuple[Phase, ...] = ("verify",)


__all__ = ("PHASES", "Check", "Phase")
