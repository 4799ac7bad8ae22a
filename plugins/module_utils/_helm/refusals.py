# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""What must not be done to a release, and why."""

from __future__ import annotations

import re

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
        "a Helm operation was interrupted, or is still in progress. If no other Helm operation is in progress, allow the repair "
        "(the option repair, or the variable of the role that ends in _repair_releases) and run again, or remove the record yourself: "
        f"kubectl delete {release.kind.lower()} -n {desired.namespace} {' '.join(plan.repairs)}."
    )


# Source: helm.sh/helm/v3 pkg/action/validate.go, existingResourceConflict and checkOwnership.
_CONFLICT = re.compile(r'(?P<kind>\w+) "(?P<name>[^"]+)" in namespace "(?P<namespace>[^"]*)" exists and cannot be imported into the current release')
_OWNER = re.compile(r'key "meta\.helm\.sh/release-(?P<part>name|namespace)" must equal "[^"]*": current value is "(?P<value>[^"]*)"')
# A dry run cannot say more where definitions are installed later in the run, and Helm before 3.13 cannot try anything on the server.
_UNKNOWN = ("no matches for kind", "--dry-run")


def refuse_conflict(desired: Release, cluster: str, message: str) -> str:
    """Why Helm refuses to take over an object that exists, from its message; empty if the message is about anything else.

    Args:
        desired: the release.
        cluster: the cluster, as messages name it.
        message: what Helm has written.
    """
    found = _CONFLICT.search(message)
    if found is None:
        return ""
    owner = {match["part"]: match["value"] for match in _OWNER.finditer(message)}
    place = f"{found['namespace']}/{found['name']}" if found["namespace"] else found["name"]
    other = f"{owner.get('namespace', desired.namespace)}/{owner.get('name', desired.name)}"
    if owner:
        why = f"which belongs to release {other}: give the release that name and namespace, or hand its objects over with take_ownership"
        if owner.get("namespace", desired.namespace) != desired.namespace:
            # Only what has the same name in both namespaces would change hands.
            why = f"which belongs to release {other}: give the release that namespace, or uninstall the other one first, which would go on running beside it"
    else:
        why = "which was not installed by Helm: hand it over with take_ownership"
    return (
        f"Release {desired} cannot be installed on cluster {cluster}, because its chart contains {found['kind']} {place}, {why} "
        "(the variables of the role that begin with its name and end in namespace, release_name, release_names or take_ownership)."
    )


def is_unknown(message: str) -> bool:
    """Whether a dry run failed for a reason that need not hold when the release is installed."""
    return any(part in message for part in _UNKNOWN)


__all__ = ("is_unknown", "refuse_conflict", "refuse_pending")
