"""The documentation as data: links, anchors, words in code, tables and fenced blocks of each page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from twin.paths import REPOSITORY

_LINK = re.compile(r"\]\(([^)\s]+)\)")
_CODE = re.compile(r"`([^`]+)`")


@dataclass(frozen=True)
class Page:
    """One page."""

    path: Path

    @property
    def name(self) -> str:
        return str(self.path.relative_to(REPOSITORY))

    @cached_property
    def blocks(self) -> list[tuple[str, str]]:
        """The fenced blocks: language and text."""
        return [(language, _dedented(text)) for _, language, text in re.findall(r"^( *)```(\w*)\n(.*?)^\1```", self.path.read_text(), re.M | re.S)]

    @cached_property
    def prose(self) -> list[str]:
        """The lines outside of fenced blocks."""
        return re.sub(r"^( *)```.*?^\1```", "", self.path.read_text(), flags=re.M | re.S).splitlines()

    @cached_property
    def anchors(self) -> set[str]:
        """What a link to a heading of this page says behind the #."""
        return {_anchor(line.lstrip("#").strip()) for line in self.prose if line.startswith("#")}

    @property
    def links(self) -> Iterator[str]:
        """Links to files and headings; not those to other hosts."""
        for line in self.prose:
            yield from (link for link in _LINK.findall(line) if not link.startswith(("http:", "https:")))

    @property
    def words_in_code(self) -> Iterator[str]:
        """What stands between backticks."""
        for line in self.prose:
            yield from _CODE.findall(line)

    def section(self, heading: str) -> Page:
        """The part of the page below a heading, as a page of its own kind.

        Raises:
            LookupError: there is no such heading.
        """
        found = re.search(rf"^(#+) {re.escape(heading)}\n(.*?)(?=^#{{1,6}} |\Z)", _without_comments(self.path.read_text()), re.M | re.S)
        if found is None:
            raise LookupError(f"{self.name} has no heading {heading!r}")
        return Section(self.path, found[2])

    def rows(self) -> list[list[str]]:
        """The cells of all rows of all tables, headers included."""
        return [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in self.prose if line.startswith("|") and not set(line) <= set("|-: ")]


@dataclass(frozen=True)
class Section(Page):
    """A part of a page."""

    text: str

    @cached_property
    def prose(self) -> list[str]:
        return re.sub(r"^( *)```.*?^\1```", "", self.text, flags=re.M | re.S).splitlines()

    @cached_property
    def blocks(self) -> list[tuple[str, str]]:
        return [(language, _dedented(text)) for _, language, text in re.findall(r"^( *)```(\w*)\n(.*?)^\1```", self.text, re.M | re.S)]


def all_pages() -> list[Page]:
    """Every page that users and developers read."""
    paths = [
        REPOSITORY / "README.md",
        REPOSITORY / "CONTRIBUTING.md",
        *(REPOSITORY / "docs").rglob("*.md"),
        *(REPOSITORY / "roles").glob("*/README.md"),
        REPOSITORY / "benchmarks" / "README.md",
    ]
    return [Page(path) for path in sorted(paths)]


def page(name: str) -> Page:
    """A page by its path in the checkout."""
    return Page(REPOSITORY / name)


def _anchor(heading: str) -> str:
    """As GitHub makes it: links and signs go, blanks become dashes."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading.lower())
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def _dedented(text: str) -> str:
    lines = text.splitlines()
    indent = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    return "\n".join(line[indent:] for line in lines)


def _without_comments(text: str) -> str:
    """A comment in a fenced block begins like a heading."""
    return re.sub(r"^( *)```.*?^\1```", lambda found: re.sub(r"^#", " #", found[0], flags=re.M), text, flags=re.M | re.S)
