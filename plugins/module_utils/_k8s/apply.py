# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Dry runs on the server: the API server decides whether it would take a write, and whether that would change anything.

A comparison on our side knows neither the defaults that the server fills in nor that 0.5 and 500m are the same amount.
"""

from __future__ import annotations

import typing as t
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from .._errors import ApiError
from .session import WRITERS
from .writes import Object, Write

if t.TYPE_CHECKING:
    from .session import ApiSession

# What changes with every write, or without one.
_NOT_CONTENT = ("generation", "managedFields", "resourceVersion")


def confirm_changes(session: ApiSession, applies: t.Sequence[tuple[Write, t.Optional[t.Mapping[str, t.Any]]]]) -> list[bool]:
    """Whether each apply would change its object, by a dry run on the server.

    Only existing objects cost a request. A dry run that is refused confirms the change: the write itself then reports why.

    Args:
        session: the session with the API server.
        applies: each write with the whole object as it was read, or None for one that does not exist.
    """

    def would_change(apply: tuple[Write, t.Mapping[str, t.Any] | None]) -> bool:
        write, before = apply
        if before is None:
            return True
        try:
            after = session.write(replace(write, dry_run=True))
        except ApiError:
            return True
        return after is None or _content(after) != _content(before)

    if not applies:
        return []
    with ThreadPoolExecutor(max_workers=min(WRITERS, len(applies))) as pool:
        return list(pool.map(would_change, applies))


def find_refusals(session: ApiSession, writes: t.Sequence[Write]) -> list[str]:
    """What the API server would refuse of these writes, one sentence each, by a dry run of every write: schema, admission, conflicts, stored versions.

    What a dry run cannot try is not refused here: webhooks with side effects, and what needs an earlier write, such as its namespace (404).

    Args:
        session: the session with the API server.
        writes: what is going to be written.

    Raises:
        ApiError: the API server cannot be reached.
    """

    errors = [error for error in try_writes(session, writes) if error is not None and error.status != 404 and error.cause != "webhook_dry_run"]
    return list(dict.fromkeys(error.message for error in errors))


def try_writes(session: ApiSession, writes: t.Sequence[Write], **limits: t.Any) -> list[ApiError | None]:
    """Why the API server refuses each of these writes, in their order, by a dry run of every write; None for one that it accepts.

    Args:
        session: the session with the API server.
        writes: what is going to be written.
        limits: C(timeout) and C(persist) of the session's C(write).

    Raises:
        ApiError: the API server cannot be reached.
    """

    def refusal_of(write: Write) -> ApiError | None:
        try:
            session.write(replace(write, dry_run=True), **limits)
        except ApiError as error:
            if not error.status:
                raise
            return error
        return None

    if not writes:
        return []
    with ThreadPoolExecutor(max_workers=min(WRITERS, len(writes))) as pool:
        return list(pool.map(refusal_of, writes))


def _content(item: t.Mapping[str, t.Any]) -> Object:
    metadata = {name: value for name, value in item["metadata"].items() if name not in _NOT_CONTENT}
    return {**{name: value for name, value in item.items() if name != "status"}, "metadata": metadata}


__all__ = ("confirm_changes", "find_refusals", "try_writes")
