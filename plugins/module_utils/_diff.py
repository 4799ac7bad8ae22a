# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Diffs as modules return them; imports little, because the AWS modules do without the Kubernetes client."""

from __future__ import annotations

import typing as t

from ._text import printable

_BEFORE, _AFTER = " (current)", " (desired)"


def diff_of(title: str, before: t.Mapping[str, t.Any], after: t.Mapping[str, t.Any]) -> dict[str, str]:
    """One entry of a module's diff: an object's fields before and after, one per line."""
    return {"before_header": f"{title}{_BEFORE}", "after_header": f"{title}{_AFTER}", "before": _lines(before), "after": _lines(after)}


def diff_titles(diff: t.Iterable[t.Mapping[str, str]]) -> list[str]:
    """The titles of the objects that differ, from the entries of a module's diff."""
    return [entry["after_header"][: -len(_AFTER)] if entry["after_header"].endswith(_AFTER) else entry["after_header"] for entry in diff]


def _lines(fields: t.Mapping[str, t.Any]) -> str:
    # The further lines of a value are indented, and cannot be mistaken for a field.
    return "".join(printable(f"{name}: {value}").replace("\n", "\n  ") + "\n" for name, value in fields.items())


__all__ = ("diff_of", "diff_titles")
