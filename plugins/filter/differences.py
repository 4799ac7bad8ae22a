# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ..module_utils._diff import diff_titles, differences_of, verification_messages


class FilterModule:
    """Which objects a module's diff, or the results of tasks in check mode, are about, and how a verification reports them."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"diff_titles": diff_titles, "differences": differences_of, "verification_messages": verification_messages}
