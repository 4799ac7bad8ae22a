# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.

from __future__ import annotations


class ModuleDocFragment:
    """What modules that wait tell meanwhile."""

    DOCUMENTATION = r"""
options:
  progress:
    description:
      - A file or named pipe to which a line is written each time that something that is waited for has changed.
      - Not given, the lines are shown by the task itself as they come, on the terminal and in AWX, when it runs on the controller.
        An empty string shows none.
    type: path
"""
