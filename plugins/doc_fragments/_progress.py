# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

from __future__ import annotations


class ModuleDocFragment:
    """The option by which modules that wait report their progress."""

    DOCUMENTATION = r"""
options:
  progress:
    description:
      - A file or named pipe to which a line is written each time something that the module waits for changes.
      - If omitted and the task runs on the controller, the lines are shown as they are written, on the terminal and in AWX.
        An empty string disables them.
      - The lines go to standard output only with a stdout callback that is derived from P(ansible.builtin.default#callback). With any other, such as
        P(ansible.posix.json#callback), whose output is a document, they go to standard error.
    type: path
"""
