# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ..modules import load_balancer_check
from ..plugin_utils._direct import DirectAction


class ActionModule(DirectAction):
    """Runs the module load_balancer_check."""

    MODULE = load_balancer_check
