# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""The errors of the program that a kubeconfig runs for credentials (users[].user.exec), which would otherwise be lost.

The kubernetes package logs them and goes on without credentials, so the only later symptom is a bare 401.
"""

from __future__ import annotations

import contextlib
import logging
import re
import typing as t

from .._text import in_one_line

# The module of the kubernetes package that runs the program (kubernetes/config/kube_config.py, _load_from_exec_plugin).
_LOGGING_MODULE = "kube_config"
# A program may print secrets, such as in debug output: a text that has the length and the characters of a token is not repeated.
_TOKEN = re.compile(r"[\w.+=%~-]{40,}")
_LONGEST = 400


class _Listener(logging.Handler):
    """Keeps what the kubernetes package logs as errors while it reads a kubeconfig."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.errors: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.module == _LOGGING_MODULE:
            self.errors.append(record.getMessage())


@contextlib.contextmanager
def captured_errors() -> t.Iterator[t.List[str]]:
    """For a block that reads a kubeconfig: the errors of its program, in order."""
    listener = _Listener()
    root = logging.getLogger()
    root.addHandler(listener)
    try:
        yield listener.errors
    finally:
        root.removeHandler(listener)


def no_credentials(server: str, errors: t.Sequence[str]) -> str:
    """The sentence for a program that gave no credentials; errors are those of captured_errors()."""
    text = in_one_line(" ".join(errors)).replace("exec: ", "")
    text = _TOKEN.sub("...", text)
    if len(text) > _LONGEST:
        text = text[:_LONGEST] + "..."
    return (
        f"There are no credentials for the cluster at {server}: the program that the kubeconfig runs to get them returned none ({text.rstrip('.')}). "
        "Fix what it reports, and run again; completed changes are kept."
    )


__all__ = ("captured_errors", "no_credentials")
