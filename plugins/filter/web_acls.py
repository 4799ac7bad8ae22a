# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ..module_utils._web_acl.render import arns_by_name, render_rules


class FilterModule:
    """Filters of the role aws_edge."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"web_acl_arns": arns_by_name, "web_acl_rules": render_rules}
