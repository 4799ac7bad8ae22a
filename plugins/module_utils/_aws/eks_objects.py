# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.

"""What the modules for objects of an EKS cluster (add-ons, access entries, pod identity associations) do alike."""

from __future__ import annotations

import re
import typing as t

from .._errors import MeshError
from .errors import AwsError
from .poll import PollResult, wait_until

if t.TYPE_CHECKING:
    from .session import AwsSession
    from .tags import TagChanges

# What AWS says of one object. Another error would meet every other request as well, so it ends the task at once.
_OF_ONE_OBJECT = (
    "InvalidParameterException",
    "InvalidRequestException",
    "ResourceInUseException",
    "ResourceLimitExceededException",
    "ResourceNotFoundException",
)

# A role that was made a moment ago is unknown to EKS for some seconds, which it calls an invalid parameter.
_OF_NEW_ROLE = re.compile(r"invalid principal|principalArn is invalid|role .*(does not exist|cannot be found|not found)|cannot be assumed", re.IGNORECASE)
_NEW_ROLE_SECONDS = 20.0

Write = t.Tuple[str, t.Callable[[], object]]


def list_of_cluster(session: AwsSession, operation: str, key: str, cluster: str, *, required: bool) -> list[t.Any] | None:
    """What an operation lists of a cluster; None when there is no such cluster and none is required, as in check mode.

    Raises:
        MeshError: there is no such cluster.
    """
    try:
        return session.pages("eks", operation, key, clusterName=cluster)
    except AwsError as error:
        if not error.absent:
            raise
    if required:
        raise no_cluster(session, cluster)
    return None


def no_cluster(session: AwsSession, cluster: str) -> MeshError:
    """The error for a cluster that is not there."""
    return MeshError(f"There is no EKS cluster {cluster} in {session.region}: correct the name, the region or the account (profile), or create it first.")


def describe_cluster(session: AwsSession, cluster: str) -> dict[str, t.Any]:
    """The cluster as EKS describes it.

    Raises:
        MeshError: there is no such cluster.
    """
    try:
        described: dict[str, t.Any] = session.call("eks", "describe_cluster", name=cluster)["cluster"]
        return described
    except AwsError as error:
        if not error.absent:
            raise
    raise no_cluster(session, cluster)


def refuse(refusals: t.Sequence[str], cluster: str) -> None:
    """End the task before its first write, if there is a reason.

    Raises:
        MeshError: there is.
    """
    if refusals:
        raise MeshError("\n".join([*refusals, f"Nothing was changed on cluster {cluster}."]), refusals=list(refusals))


def set_tags(session: AwsSession, arn: str, changes: TagChanges) -> None:
    """Set and take away tags of an object of EKS; no call where nothing is to be done."""
    if changes.set:
        session.call("eks", "tag_resource", resourceArn=arn, tags=changes.set)
    if changes.remove:
        session.call("eks", "untag_resource", resourceArn=arn, tagKeys=changes.remove)


def once_role_is_known(call: t.Callable[[], object], waiting: t.Callable[..., PollResult] = wait_until) -> None:
    """Make a call that names an IAM role, again and again for some seconds while EKS does not know the role.

    Raises:
        AwsError: it is refused for another reason, or EKS still does not know the role.
    """

    def look() -> PollResult:
        try:
            call()
        except AwsError as error:
            if error.code == "InvalidParameterException" and _OF_NEW_ROLE.search(error.server_message):
                return PollResult(done=False, state="the role is unknown", value=error)
            raise
        return PollResult(done=True, state="written")

    seen = waiting(look, timeout=_NEW_ROLE_SECONDS)
    if not seen.done:
        raise seen.value


def write_all(writes: t.Iterable[Write]) -> None:
    """Make all writes, in their order; those that AWS refuses for one object's sake do not keep the others from being made.

    Args:
        writes: what is written (as in C(add-on vpc-cni)), and how.

    Raises:
        MeshError: with all refusals, one sentence each, and what was written.
    """
    refusals: dict[str, str] = {}
    written: list[str] = []
    for what, write in writes:
        if what in refusals:
            # What follows for the same object builds upon what was refused.
            continue
        try:
            write()
        except AwsError as error:
            refusals[what] = f"{what}: {error.message}"
            if error.code not in _OF_ONE_OBJECT:
                break
        else:
            if what not in written:
                written.append(what)
    if refusals:
        raise MeshError("\n".join(refusals.values()) + _told(written), refusals=list(refusals.values()), written=written)


def _told(written: t.Sequence[str]) -> str:
    return f"\nWritten: {', '.join(written)}." if written else "\nNothing was written."


__all__ = ("Write", "describe_cluster", "list_of_cluster", "no_cluster", "once_role_is_known", "refuse", "set_tags", "write_all")
