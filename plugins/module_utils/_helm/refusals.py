# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""What must not be done to a release, and why."""

from __future__ import annotations

from .plan import ReleasePlan
from .records import CurrentState
from .spec import Release


def refuse_pending(desired: Release, current: CurrentState, plan: ReleasePlan, cluster: str) -> str:
    """Why a release that an interrupted Helm has left is not touched; empty if there is no such record.

    Args:
        desired: the release.
        current: what the cluster has.
        plan: what would have to be done.
        cluster: the cluster, as messages name it.
    """
    if not plan.repairs:
        return ""
    release = current.releases[desired.key]
    return (
        f"Release {desired} on cluster {cluster} is {release.status} in revision {release.revision}, and Helm refuses to change it: "
        "a Helm operation was interrupted, or is still in progress. Nothing was changed. If no other Helm operation is in progress, allow the repair "
        "(the option repair, or the variable of the role that ends in _repair_releases) and run again, or remove the record yourself: "
        f"kubectl delete {release.kind.lower()} -n {desired.namespace} {' '.join(plan.repairs)}."
    )


__all__ = ("refuse_pending",)
