# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Shows what a module reports while it waits, line by line, on the terminal and in AWX: on stdout, or on stderr if stdout may be a document."""

from __future__ import annotations

import contextlib
import os
import select
import tempfile
import threading
import typing as t
from pathlib import Path

from ansible import constants
from ansible.plugins.callback.default import CallbackModule as DefaultCallback
from ansible.plugins.loader import callback_loader
from ansible.utils.display import Display

from ._direct import DirectAction

_CHUNK = 64 * 1024


class ProgressAction(DirectAction):
    """Runs the module of the same name, and shows its lines of progress if it runs on the controller.

    A module has no terminal, and its output is its result. Its option progress therefore names a pipe, which this plugin reads. On other
    hosts there is no pipe, and only the result is shown.
    """

    def _execute_module(
        self, module_args: dict[str, t.Any] | None = None, task_vars: dict[str, t.Any] | None = None, wrap_async: bool = False, **options: t.Any
    ) -> dict[str, t.Any]:
        arguments = dict(self._task.args if module_args is None else module_args)
        name = (task_vars or {}).get("inventory_hostname", "")
        with self._pipe(name) if self._can_be_shown(arguments) else contextlib.nullcontext() as path:
            if path:
                arguments["progress"] = path
            return super()._execute_module(module_args=arguments, task_vars=task_vars, wrap_async=wrap_async, **options)

    def _can_be_shown(self, arguments: t.Mapping[str, t.Any]) -> bool:
        """Whether the module runs on this host, as this user, in the foreground, and the option progress is not set."""
        local = getattr(self._connection, "transport", "") == "local" and not self._play_context.become
        return local and not self._task.async_val and not self._task.no_log and "progress" not in arguments

    @contextlib.contextmanager
    def _pipe(self, name: str) -> t.Iterator[str]:
        display, stderr = Display(), not prints_lines(constants.DEFAULT_STDOUT_CALLBACK)
        with tempfile.TemporaryDirectory(dir=constants.DEFAULT_LOCAL_TMP) as directory:
            path = str(Path(directory) / "progress")
            os.mkfifo(path, mode=0o600)
            with _read_lines(path, lambda line: display.display(f"  [{name}] {line}", stderr=stderr)):
                yield path


def prints_lines(callback: str) -> bool:
    """Whether a stdout callback prints a line for each event, between which others do no harm, because it is derived from ansible-core's own.

    No callback declares that its output is a document, as that of ansible.posix.json is. What is derived from nothing has a format of its own.
    """
    found = callback_loader.get(callback, class_only=True)
    return isinstance(found, type) and issubclass(found, DefaultCallback)


@contextlib.contextmanager
def _read_lines(path: str, show: t.Callable[[str], None]) -> t.Iterator[None]:
    """Passes each line from a named pipe to a function while the block runs, in a separate thread."""
    # Also opened for writing, so that neither side blocks on opening, and a writer that closes the pipe does not end the reading.
    pipe = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    ended, end = os.pipe()
    reader = threading.Thread(target=_read, args=(pipe, ended, show), name="progress", daemon=True)
    reader.start()
    try:
        yield
    finally:
        os.close(end)
        reader.join()
        os.close(pipe)
        os.close(ended)


def _read(pipe: int, ended: int, show: t.Callable[[str], None]) -> None:
    rest = b""
    over = False
    while not over:
        ready, _writable, _exceptional = select.select([pipe, ended], [], [])
        over = ended in ready
        # Lines that were written before the end are still shown.
        with contextlib.suppress(BlockingIOError):
            while chunk := os.read(pipe, _CHUNK):
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    show(line.decode("utf-8", "replace"))


__all__ = ("ProgressAction", "prints_lines")
