# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Writes the changes of associations, in their safe order."""

from __future__ import annotations

import typing as t
from functools import partial

from .._aws.eks_writes import apply_tags, retry_until_role_is_known, write_all

if t.TYPE_CHECKING:
    from .._aws.eks_writes import Write
    from .._aws.session import AwsSession
    from .plan import AssociationChange


def apply_changes(session: AwsSession, cluster: str, changes: t.Iterable[AssociationChange]) -> None:
    """Create and update associations, and delete the others last.

    Raises:
        MeshError: with all refusals of EKS, and the associations that were written.
    """
    writes: list[Write] = []
    leaving: list[Write] = []
    for change in changes:
        title = f"Pod identity association of {change.ref} for cluster {cluster}"
        call = partial(session.call, "eks", clusterName=cluster)
        if change.action == "created":
            writes.append((title, partial(retry_until_role_is_known, partial(call, "create_pod_identity_association", **change.request))))
        elif change.request:
            writes.append((title, partial(retry_until_role_is_known, partial(call, "update_pod_identity_association", **change.request))))
        if change.tags.any and change.current is not None:
            writes.append((title, partial(apply_tags, session, change.current.arn, change.tags)))
        if change.action == "deleted" and change.current is not None:
            leaving.append((title, partial(call, "delete_pod_identity_association", associationId=change.current.id)))
    write_all([*writes, *leaving])


__all__ = ("apply_changes",)
