# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ..modules import check
from ..plugin_utils._progress import ProgressAction


class ActionModule(ProgressAction):
    """Runs the module check and shows which kinds it has read."""

    MODULE = check
