# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Decodes what an API server sends. Whoever owns a workload writes the text in its status and its events: it is made harmless here, where it enters.

What users declare (metadata, spec, data) stays as it is, because it is compared with the inventory; messages that quote it are harmless by themselves.
"""

from __future__ import annotations

import json
import typing as t

from .._text import harmless

# The escapes of JSON behind which a line break or a control character can stand; all other characters are as they are in the text.
_ESCAPES = ("\\u", "\\n", "\\r", "\\t", "\\b", "\\f")


def decode(text: str) -> t.Any:
    """An answer or a line of a watch, decoded.

    Raises:
        ValueError: it is not JSON.
    """
    answer = json.loads(text)
    # Nearly every answer is plain, and then costs no walk through its objects.
    if isinstance(answer, dict) and (not text.isascii() or any(escape in text for escape in _ESCAPES)):
        for item in (answer, answer.get("object"), *(answer.get("items") or ())):
            if isinstance(item, dict):
                _make_harmless(item)
    return answer


def _make_harmless(item: dict[str, t.Any]) -> None:
    # Events of both API groups have no status, and text on their top level.
    of_event = "involvedObject" in item or "regarding" in item
    for name in item if of_event else ("status",):
        if name in item and name != "metadata":
            item[name] = harmless(item[name])


__all__ = ("decode",)
