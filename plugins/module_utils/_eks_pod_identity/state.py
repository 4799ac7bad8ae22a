# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Reads the associations of an EKS cluster, and whether the agent that provides their credentials is installed."""

from __future__ import annotations

import typing as t

from .._eks_cluster.state import list_of_cluster, require_cluster
from .normalize import AccountRef, Association, normalize_association

if t.TYPE_CHECKING:
    from .._aws.session import AwsSession
    from .spec import AssociationSpec

AGENT = "eks-pod-identity-agent"


def read_associations(
    session: AwsSession, cluster: str, specs: t.Iterable[AssociationSpec], *, purge: bool, required: bool
) -> dict[AccountRef, Association] | None:
    """The current associations: those that are named, and for a purge all others; None when there is no such cluster and none is required.

    Raises:
        MeshError: there is no such cluster.
    """
    listed = list_of_cluster(session, "list_pod_identity_associations", "associations", cluster, required=required)
    if listed is None:
        return None
    named = {spec.ref for spec in specs}
    found = {}
    for summary in map(normalize_association, listed):
        if summary.ref not in named and not purge:
            continue
        # The list has neither roles nor tags. An association that an add-on owns is left alone, so its summary is enough.
        association = summary if summary.owner and summary.ref not in named else _read_association(session, cluster, summary)
        if association:
            found[summary.ref] = association
    return found


def find_missing_agent(session: AwsSession, cluster: str) -> str:
    """What is wrong if nothing in the cluster gives out credentials; empty if something does."""
    if session.find("eks", "describe_addon", clusterName=cluster, addonName=AGENT) is not None:
        return ""
    if (require_cluster(session, cluster).get("computeConfig") or {}).get("enabled"):
        return ""
    return (
        f"Cluster {cluster} has no add-on {AGENT}, without which pods get no credentials by pod identity: install it (meshwright.ambient.eks_addon), or "
        "set missing_agent to ignore where the agent runs in another way."
    )


def _read_association(session: AwsSession, cluster: str, summary: Association) -> Association | None:
    answer = session.find("eks", "describe_pod_identity_association", clusterName=cluster, associationId=summary.id)
    return normalize_association(answer["association"]) if answer else None


__all__ = ("find_missing_agent", "read_associations")
