# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.

"""What must not be done to a release, and why."""

from __future__ import annotations

from .records import CurrentRelease
from .spec import Release


def refuse_pending(desired: Release, current: CurrentRelease | None, cluster: str) -> str:
    """Why a release that an interrupted Helm has left is not touched; empty when there is none.

    Args:
        desired: the release.
        current: what the cluster has of it.
        cluster: the cluster, as messages name it.
    """
    if current is None or not current.pending:
        return ""
    return (
        f"Release {desired} on cluster {cluster} is {current.status} in revision {current.revision}, and Helm refuses to work on it: a Helm was interrupted, "
        "or is still at work. Nothing was changed. If no other Helm is at work, allow the repair (the option repair, or the variable of the role that ends in "
        f"_repair_releases) and run again, or remove the record yourself: kubectl delete secret -n {desired.namespace} {' '.join(current.pending)}."
    )


__all__ = ("refuse_pending",)
