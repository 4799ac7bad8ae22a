# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.

"""Looking at EKS clusters."""

from __future__ import annotations

import typing as t

from .errors import AwsError

if t.TYPE_CHECKING:
    from .._eks.cluster_view import Described
    from .session import AwsSession


def describe_cluster(session: AwsSession, name: str) -> Described | None:
    """What EKS says of the cluster, or None when there is none.

    Raises:
        AwsError: EKS refuses or does not answer.
    """
    try:
        cluster: dict[str, t.Any] = session.call("eks", "describe_cluster", name=name)["cluster"]
    except AwsError as error:
        # EKS says it in two ways; the second one while the cluster is still known elsewhere.
        if error.absent or (error.code == "ClientException" and "No cluster found" in error.server_message):
            return None
        raise
    return cluster


__all__ = ("describe_cluster",)
