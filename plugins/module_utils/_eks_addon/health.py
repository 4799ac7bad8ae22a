# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""What the status and the health issues of an add-on mean.

Source: the service model of EKS (AddonStatus, AddonIssueCode).
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

if t.TYPE_CHECKING:
    from .normalize import Addon

# EKS refuses to change an add-on with such a status (ResourceInUseException).
BUSY = ("CREATING", "UPDATING", "DELETING")
# These issues may pass by themselves: nodes join, the API server is reached again.
PASSING = ("InsufficientNumberOfReplicas", "ClusterUnreachable", "InternalFailure")
WITHOUT_NODES = "InsufficientNumberOfReplicas"


@dataclass(frozen=True)
class Health:
    """The verdict on an add-on's status.

    Attributes:
        done: whether there is nothing more to wait for.
        failure: one sentence that says what is wrong; empty if nothing is.
        tolerated: one sentence that says what is wrong and tolerated.
    """

    done: bool
    failure: str = ""
    tolerated: str = ""


def check_health(addon: Addon, cluster: str, *, allow_degraded: bool) -> Health:
    """The verdict on an add-on that is to exist, from EKS' own health check."""
    if addon.status in BUSY:
        return Health(done=False)
    issues = _format_issues(addon)
    if addon.status == "ACTIVE":
        return Health(done=True)
    if addon.status == "DEGRADED":
        codes = {issue.code for issue in addon.issues}
        if allow_degraded and codes <= {WITHOUT_NODES}:
            return Health(done=True, tolerated=f"Add-on {addon.name} of cluster {cluster} is DEGRADED{issues}, which allow_degraded tolerates.")
        # An issue that may pass by itself is waited for until the deadline.
        return Health(done=not codes <= set(PASSING), failure=f"Add-on {addon.name} of cluster {cluster} is DEGRADED{issues}: {_remedy(addon)}.")
    return Health(done=True, failure=f"Add-on {addon.name} of cluster {cluster} is {addon.status}{issues}: {_remedy(addon)}.")


def _format_issues(addon: Addon) -> str:
    """The issues of an add-on in brackets, after a space; empty if it has none."""
    issues = [f"{issue.code}: {issue.message.rstrip('.')}" if issue.message else issue.code for issue in addon.issues]
    return f" ({'; '.join(issues)})" if issues else ""


_REMEDIES = {
    WITHOUT_NODES: "add nodes on which its pods can run, or set allow_degraded where nodes come later",
    "ConfigurationConflict": "set resolve_conflicts to overwrite or preserve, or leave out the fields that others own",
    "AccessDenied": "restore the permissions of EKS in the cluster (ClusterRole and binding eks:addon-manager)",
    "AddonPermissionFailure": "give its role the permissions that it needs, by service_account_role_arn or pod_identity_associations",
    "AddonSubscriptionNeeded": "subscribe to the add-on in the AWS Marketplace",
    "AdmissionRequestDenied": "let the admission webhook or policy that it names admit the add-on's objects",
    "UnsupportedAddonModification": "undo the manual changes, or set resolve_conflicts to overwrite",
    "K8sResourceNotFound": "restore the missing objects, for which an update with resolve_conflicts overwrite is enough",
    "ClusterUnreachable": "check that the cluster is ACTIVE and that its control plane can reach its subnets",
}


def _remedy(addon: Addon) -> str:
    remedies = [_REMEDIES[issue.code] for issue in addon.issues if issue.code in _REMEDIES]
    return ", and ".join(dict.fromkeys(remedies)) or "read its health issues in the EKS console, fix them and run again"


__all__ = ("BUSY", "Health", "check_health")
