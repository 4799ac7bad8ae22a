# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.

from __future__ import annotations


class ModuleDocFragment:
    """How modules that wait report their progress."""

    DOCUMENTATION = r"""
options:
  progress:
    description:
      - A file or named pipe to which a line is written each time something that the module waits for changes.
      - If omitted, the task itself shows the lines as they come, on the terminal and in AWX, if it runs on the controller.
        An empty string shows none.
    type: path
"""
