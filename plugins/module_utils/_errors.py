# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""The errors of the collection. Each message is one sentence: what is wrong, where, why, and what to do."""

from __future__ import annotations

import typing as t

from ._text import message_line


class MeshError(Exception):
    """Something that a user can cause and fix.

    Args:
        message: the whole sentence that the user reads, or a list of them, each of which becomes a line. What they quote cannot add further lines.
        details: what the module adds to its failed result, keyed as it will be returned.
    """

    def __init__(self, message: str | t.Iterable[str], **details: t.Any) -> None:
        self.message = "\n".join(map(message_line, [message] if isinstance(message, str) else message))
        super().__init__(self.message)
        self.details = details


class ApiError(MeshError):
    """The API server refused a request, or could not be reached.

    Attributes:
        status: the HTTP status, or 0 when no answer came.
        reason: the reason of the answered Status object (such as C(Forbidden)), or the transport's own message.
        retry_after: after how many seconds the server asks to repeat the request, if it does.
        server_message: the server's own message.
        cause: who has refused, if that is known, such as C(rbac), C(quota) or C(policy); see _k8s/denials.py.
        refused_by: the name of what has refused, such as that of a policy or quota; empty if it has none.
    """

    def __init__(
        self, message: str, *, status: int, reason: str, retry_after: float | None = None, server_message: str = "", cause: str = "", refused_by: str = ""
    ) -> None:
        super().__init__(message)
        self.cause = cause
        self.refused_by = refused_by
        self.status = status
        self.reason = reason
        self.server_message = server_message or self.message
        self.retry_after = retry_after


class Unreachable(ApiError):
    """No answer came: connection refused or cut, time-out, TLS failure."""


class NotServed(ApiError):
    """The API server does not serve this kind: its CustomResourceDefinition is missing."""


class ResourceExpired(ApiError):
    """The resource version asked for is too old (410 Gone): list again."""


def raise_if_any(refusals: t.Sequence[str], cluster: str = "") -> None:
    """End a task before its first write.

    Raises:
        MeshError: there are refusals or validation errors; all of them, one per line.
    """
    if refusals:
        where = f" on cluster {cluster}" if cluster else ""
        raise MeshError([*refusals, f"Nothing was changed{where}."], refusals=list(map(message_line, refusals)))


__all__ = ("ApiError", "MeshError", "NotServed", "ResourceExpired", "Unreachable", "raise_if_any")
