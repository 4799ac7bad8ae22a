# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""The errors of the collection. Each message is one sentence: what is wrong, where, why, and what to do."""

from __future__ import annotations

import typing as t


class MeshError(Exception):
    """Something that a user can cause and fix.

    Args:
        message: the whole sentence (or list of sentences) that the user reads.
        details: what the module adds to its failed result, keyed as it will be returned.
    """

    def __init__(self, message: str, **details: t.Any) -> None:
        super().__init__(message)
        self.message = message
        self.details = details


class ApiError(MeshError):
    """The API server refused a request, or could not be reached.

    Attributes:
        status: the HTTP status, or 0 when no answer came.
        reason: the reason of the answered Status object (such as C(Forbidden)), or the transport's own message.
        retry_after: after how many seconds the server asks to repeat the request, if it does.
        server_message: the server's own message.
    """

    def __init__(self, message: str, *, status: int, reason: str, retry_after: float | None = None, server_message: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.server_message = server_message or message
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
        raise MeshError("\n".join([*refusals, f"Nothing was changed{where}."]), refusals=list(refusals))


__all__ = ("ApiError", "MeshError", "NotServed", "ResourceExpired", "Unreachable", "raise_if_any")
