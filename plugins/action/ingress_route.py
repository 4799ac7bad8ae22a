# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ..modules import ingress_route
from ..plugin_utils._progress import ProgressAction


class ActionModule(ProgressAction):
    """Runs the module ingress_route and shows its progress while it waits."""

    MODULE = ingress_route
