# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Reads the managed node groups of an EKS cluster."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from .._aws.session import AwsSession
    from .normalize import Description


def read_nodegroups(session: AwsSession, cluster: str, names: t.Iterable[str]) -> dict[str, Description]:
    """The descriptions of the node groups that exist, by name."""
    found = {name: describe_nodegroup(session, cluster, name) for name in names}
    return {name: description for name, description in found.items() if description is not None}


def describe_nodegroup(session: AwsSession, cluster: str, name: str) -> Description | None:
    """The C(nodegroup) of EKS' DescribeNodegroup, or None if it does not exist."""
    answer = session.find("eks", "describe_nodegroup", clusterName=cluster, nodegroupName=name)
    return answer["nodegroup"] if answer else None


__all__ = ("describe_nodegroup", "read_nodegroups")
