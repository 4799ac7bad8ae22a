# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.

"""When the program that a kubeconfig runs for credentials (users[].user.exec) gives none: its words, which would otherwise be lost.

The kubernetes package logs them and goes on without credentials, so that all that is seen later is a bare 401.
"""

from __future__ import annotations

import contextlib
import logging
import re
import typing as t

from .._text import in_one_line

# The module of the kubernetes package that runs the program (kubernetes/config/kube_config.py, _load_from_exec_plugin).
_WHO = "kube_config"
# A program that tells too much, for one that was asked for debug output: what is as long as a token is, and has its letters, is not repeated.
_TOKEN = re.compile(r"[\w.+=%~-]{40,}")
_LONGEST = 400


class _Listener(logging.Handler):
    """Keeps what the kubernetes package logs as errors while it reads a kubeconfig."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.words: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.module == _WHO:
            self.words.append(record.getMessage())


@contextlib.contextmanager
def overheard() -> t.Iterator[t.List[str]]:
    """For a block that reads a kubeconfig: what went wrong with its program, in the order of the words."""
    listener = _Listener()
    root = logging.getLogger()
    root.addHandler(listener)
    try:
        yield listener.words
    finally:
        root.removeHandler(listener)


def no_credentials(server: str, words: t.Sequence[str]) -> str:
    """The sentence for a program that gave no credentials; words are what overheard() has kept."""
    said = in_one_line(" ".join(words)).replace("exec: ", "")
    said = _TOKEN.sub("...", said)
    if len(said) > _LONGEST:
        said = said[:_LONGEST] + "..."
    return (
        f"There are no credentials for the cluster at {server}: the program that the kubeconfig runs for them gave none ({said.rstrip('.')}). "
        "Mend what it names, and run again; what has been done is found as it is."
    )


__all__ = ("no_credentials", "overheard")
