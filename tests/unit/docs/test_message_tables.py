"""The tables of messages in Troubleshooting quote what the code can say: a message that was reworded is found in the pages."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache

import pytest

from tests.pages import all_pages
from twin.paths import REPOSITORY

_SHORTEST = 6
# These are put together of more than one text, or have a value where the page shows an example.
COMPOSED = {
    "Node group ... is CREATE_FAILED (...)",
    "Objects may still be stored in version",
    "a Gateway allows at most 8",
    "ended as Failed",
    "handles nothing",
    "handles service traffic only",
    "handles workload traffic only",
    "is selected by namespaces[0], namespaces[1]",
    "waypoint ... does not exist, so traffic would silently bypass it",
}


def _quoted() -> Iterator[tuple[str, str]]:
    """Each quotation in the first column of a table of messages, with its page."""
    for shown in all_pages():
        in_table = False
        for row in shown.rows():
            if "message contains" in row[0].lower():
                in_table = True
            elif in_table and not row[0].startswith("`"):
                in_table = False
            elif in_table:
                yield from ((shown.name, quotation) for quotation in re.findall(r"`([^`]+)`", row[0]))


@cache
def _texts() -> tuple[tuple[str | None, ...], ...]:
    """All texts of plugins and roles, in pieces; what is put in between is None."""
    found: set[tuple[str | None, ...]] = set()
    for path in (REPOSITORY / "plugins").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.JoinedStr):
                found.add(tuple(str(part.value) if isinstance(part, ast.Constant) else None for part in node.values))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add((node.value,))
    for path in (REPOSITORY / "roles").glob("*/tasks/*.yml"):
        found.add(tuple(re.sub(r"\s+", " ", path.read_text()).split("{{")))
    return tuple(found)


def _can_be_said(fragment: str) -> bool:
    return any(piece is not None and fragment in piece for text in _texts() for piece in text) or any(_crosses_a_value(fragment, text) for text in _texts())


def _crosses_a_value(fragment: str, text: tuple[str | None, ...]) -> bool:
    """Whether a fragment ends one piece and begins the next but one, with a value in between."""
    for before, value, after in zip(text, text[1:], text[2:], strict=False):
        if before and value is None and after:
            pattern = "|".join(re.escape(before[-length:]) for length in range(min(len(before), len(fragment)), 3, -1))
            begun = re.match(pattern, fragment) if pattern else None
            if begun and any(fragment.endswith(after[:length]) for length in range(min(len(after), len(fragment)), 3, -1)):
                return True
    return False


QUOTED = list(_quoted())


def test_there_are_such_tables() -> None:
    assert len(QUOTED) > 80
    assert {quotation for _page, quotation in QUOTED} >= COMPOSED


@pytest.mark.parametrize(("name", "quotation"), [(name, text) for name, text in QUOTED if text not in COMPOSED], ids=lambda value: value)
def test_a_quoted_message_can_be_said(name: str, quotation: str) -> None:
    fragments = [fragment.strip() for fragment in re.split(r"\.{3,}", quotation)]
    unknown = [fragment for fragment in fragments if len(fragment) >= _SHORTEST and not _can_be_said(fragment)]
    assert not unknown, f"{name} quotes what no message has: {'; '.join(unknown)}"
