# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Writes to the objects of an EKS cluster (add-ons, access entries, node groups, ...): their tags, roles that EKS does not recognize yet, refusals."""

from __future__ import annotations

import re
import typing as t

from .._errors import MeshError
from .errors import AwsError
from .poll import PollResult, wait_until

if t.TYPE_CHECKING:
    from .session import AwsSession
    from .tags import TagChanges

# Errors that concern one object. Any other error would meet every further request as well, so it ends the task at once.
_OF_ONE_OBJECT = (
    "InvalidParameterException",
    "InvalidRequestException",
    "ResourceInUseException",
    "ResourceLimitExceededException",
    "ResourceNotFoundException",
)

# EKS does not know a new role for some seconds, and reports it as an invalid parameter.
_OF_NEW_ROLE = re.compile(r"invalid principal|principalArn is invalid|role .*(does not exist|cannot be found|not found)|cannot be assumed", re.IGNORECASE)
_NEW_ROLE_SECONDS = 20.0

Write = t.Tuple[str, t.Callable[[], object]]


def apply_tags(session: AwsSession, arn: str, changes: TagChanges) -> None:
    """Set and remove tags of an object of EKS; an empty part sends no request."""
    if changes.set:
        session.call("eks", "tag_resource", resourceArn=arn, tags=changes.set)
    if changes.remove:
        session.call("eks", "untag_resource", resourceArn=arn, tagKeys=changes.remove)


def retry_until_role_is_known(call: t.Callable[[], object], waiting: t.Callable[..., PollResult] = wait_until) -> None:
    """Send a request that names an IAM role, and repeat it for some seconds while EKS does not know the role.

    Raises:
        AwsError: EKS refuses it for another reason, or still does not know the role.
    """

    def poll() -> PollResult:
        try:
            call()
        except AwsError as error:
            if error.code == "InvalidParameterException" and _OF_NEW_ROLE.search(error.server_message):
                return PollResult(done=False, state="the role is unknown", value=error)
            raise
        return PollResult(done=True, state="written")

    result = waiting(poll, timeout=_NEW_ROLE_SECONDS)
    if not result.done:
        raise result.value


def write_all(writes: t.Iterable[Write]) -> None:
    """Send all writes in their order. A refusal that concerns one object does not stop the writes of the others.

    Args:
        writes: the object that is written (such as C(add-on vpc-cni)), and the request.

    Raises:
        MeshError: with all refusals, one sentence each, and the objects that were written.
    """
    refusals: dict[str, str] = {}
    written: list[str] = []
    for what, write in writes:
        if what in refusals:
            # Later writes of the same object build on the refused one.
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
        raise MeshError([*refusals.values(), _format_written(written)], refusals=list(refusals.values()), written=written)


def _format_written(written: t.Sequence[str]) -> str:
    return f"Written: {', '.join(written)}." if written else "Nothing was written."


__all__ = ("Write", "apply_tags", "retry_until_role_is_known", "write_all")
