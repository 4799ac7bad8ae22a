# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Writes the changes of access entries, in their safe order."""

from __future__ import annotations

import typing as t
from functools import partial

from .._aws.eks_writes import apply_tags, retry_until_role_is_known, write_all

if t.TYPE_CHECKING:
    from .._aws.eks_writes import Write
    from .._aws.session import AwsSession
    from .plan import EntryChange


def apply_changes(session: AwsSession, cluster: str, changes: t.Iterable[EntryChange]) -> None:
    """Write entries, then what gives them access, then what takes access away, and delete entries last.

    Raises:
        MeshError: with all refusals of EKS, and the entries that were written.
    """
    entries: list[Write] = []
    giving: list[Write] = []
    taking: list[Write] = []
    leaving: list[Write] = []
    for change in changes:
        title = f"Access entry of {change.principal} for cluster {cluster}"
        call = partial(session.call, "eks", clusterName=cluster, principalArn=change.principal)
        if change.action == "created":
            entries.append((title, partial(retry_until_role_is_known, partial(call, "create_access_entry", **change.request))))
        elif change.request:
            entries.append((title, partial(call, "update_access_entry", **change.request)))
        for arn, namespaces in change.associate.items():
            scope = {"type": "namespace", "namespaces": list(namespaces)} if namespaces else {"type": "cluster"}
            giving.append((title, partial(call, "associate_access_policy", policyArn=arn, accessScope=scope)))
        if change.tags.any and change.current is not None:
            giving.append((title, partial(apply_tags, session, change.current.arn, change.tags)))
        taking += ((title, partial(call, "disassociate_access_policy", policyArn=arn)) for arn in change.disassociate)
        if change.action == "deleted":
            leaving.append((title, partial(call, "delete_access_entry")))
    write_all([*entries, *giving, *taking, *leaving])


__all__ = ("apply_changes",)
