# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ..module_utils._checks.report import to_junit, to_lines, to_sarif


class FilterModule:
    """Filters about the findings of checks."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"finding_lines": finding_lines, "findings_junit": to_junit, "findings_sarif": to_sarif}


def finding_lines(findings: t.Sequence[t.Mapping[str, t.Any]], least: str) -> list[str]:
    """The findings that are at least this serious, one line each; see finding_lines.yml."""
    return [] if least == "never" else to_lines(findings, least)
