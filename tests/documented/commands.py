"""The commands of the documentation as data: each line of a block of the shell, and where it stands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tests.pages import Page, all_pages

# The one language of blocks with commands that a reader types.
SHELL = "console"
# What other blocks are: data, output of programs, pictures, and files of other programs.
OTHER = ("json", "jinja", "lua", "mermaid", "python", "text", "vim", "yaml")


@dataclass(frozen=True)
class Command:
    """One line that a reader may type."""

    page: str
    text: str


def commands_of(page: Page) -> Iterator[Command]:
    """All commands of a page; in a block with prompts, what has none is output."""
    for language, text in page.blocks:
        if language == SHELL:
            lines = text.replace("\\\n", " ").splitlines()
            if any(line.startswith("$ ") for line in lines):
                lines = [line[2:] for line in lines if line.startswith("$ ")]
            yield from (Command(page.name, command) for line in lines if (command := _without_comment(line)))


def all_commands() -> list[Command]:
    """All commands of all pages."""
    return [command for page in all_pages() for command in commands_of(page)]


def _without_comment(line: str) -> str:
    return re.sub(r"\s+# .*$", "", line).strip()
