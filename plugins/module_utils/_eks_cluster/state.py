# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""The description of an EKS cluster, and lists of what belongs to one: what all modules for EKS read first."""

from __future__ import annotations

import typing as t

from .._aws.errors import AwsError
from .._errors import MeshError

if t.TYPE_CHECKING:
    from .._aws.session import AwsSession
    from .normalize import Description


def describe_cluster(session: AwsSession, name: str) -> Description | None:
    """The C(cluster) of EKS' DescribeCluster, or None when there is no such cluster.

    Raises:
        AwsError: EKS refuses or does not answer.
    """
    try:
        cluster: dict[str, t.Any] = session.call("eks", "describe_cluster", name=name)["cluster"]
    except AwsError as error:
        # EKS reports it in two ways; the second one while the cluster is still known elsewhere.
        if error.absent or (error.code == "ClientException" and "No cluster found" in error.server_message):
            return None
        raise
    return cluster


def require_cluster(session: AwsSession, name: str) -> Description:
    """The same for a cluster that must exist.

    Raises:
        MeshError: there is no such cluster.
    """
    cluster = describe_cluster(session, name)
    if cluster is None:
        raise _no_cluster(session, name)
    return cluster


def list_of_cluster(session: AwsSession, operation: str, key: str, cluster: str, *, required: bool) -> list[t.Any] | None:
    """All items that a list operation returns for a cluster; None when there is no such cluster and none is required, as in check mode.

    Raises:
        MeshError: there is no such cluster.
    """
    try:
        return session.pages("eks", operation, key, clusterName=cluster)
    except AwsError as error:
        if not error.absent:
            raise
    if required:
        raise _no_cluster(session, cluster)
    return None


def list_nodegroups(session: AwsSession, name: str) -> list[str]:
    """The names of a cluster's node groups."""
    return session.pages("eks", "list_nodegroups", "nodegroups", clusterName=name)


def _no_cluster(session: AwsSession, cluster: str) -> MeshError:
    return MeshError(f"There is no EKS cluster {cluster} in {session.region}: correct the name, the region or the account (profile), or create it first.")


__all__ = ("describe_cluster", "list_nodegroups", "list_of_cluster", "require_cluster")
