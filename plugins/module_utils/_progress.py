# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Reports the progress of a wait, line by line, to the reader of the pipe in a module's option progress."""

from __future__ import annotations

import contextlib
import os
import typing as t

from ._text import message_line

# A line is written into a pipe in one piece only up to PIPE_BUF, 4096 bytes.
_LONGEST = 1000


@contextlib.contextmanager
def lines_to(path: str | None) -> t.Iterator[t.Callable[[str], None] | None]:
    """A function that writes a line to a file or named pipe; None if nobody reads it or it cannot be written: the wait then goes on without reports."""
    if not path:
        yield None
        return
    try:
        # A pipe that nobody reads from is an error then, not a wait without end.
        stream = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK, 0o600)
    except OSError:
        yield None
        return

    def write_line(line: str) -> None:
        with contextlib.suppress(OSError):
            os.write(stream, message_line(line)[:_LONGEST].encode() + b"\n")

    try:
        yield write_line
    finally:
        os.close(stream)


__all__ = ("lines_to",)
