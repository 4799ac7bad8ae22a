"""Ansible's semantic markup as text for readers: plain for editors, Markdown for pages.

antsibull-docs-parser reads the markup; its own writer of Markdown writes HTML tags and escapes every sign, which nobody would want to read in a page's source.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from antsibull_docs_parser import dom
from antsibull_docs_parser.format import Formatter, format_paragraphs
from antsibull_docs_parser.parser import Context, parse


class _Plain(Formatter):
    """The words without their markup."""

    def code(self, text: str) -> str:
        return text

    def format_error(self, part: dom.ErrorPart) -> str:
        raise ValueError(f"The markup {part.source} cannot be read: {part.message}")

    def format_bold(self, part: dom.BoldPart) -> str:
        return part.text

    def format_code(self, part: dom.CodePart) -> str:
        return self.code(part.text)

    def format_horizontal_line(self, part: dom.HorizontalLinePart) -> str:
        raise ValueError("A description has no horizontal line.")

    def format_italic(self, part: dom.ItalicPart) -> str:
        return part.text

    def format_link(self, part: dom.LinkPart) -> str:
        return f"{part.text} ({part.url})"

    def format_module(self, part: dom.ModulePart, url: str | None) -> str:
        return self.code(part.fqcn)

    def format_rst_ref(self, part: dom.RSTRefPart) -> str:
        return part.text

    def format_url(self, part: dom.URLPart) -> str:
        return part.url

    def format_text(self, part: dom.TextPart) -> str:
        return part.text

    def format_env_variable(self, part: dom.EnvVariablePart) -> str:
        return self.code(part.name)

    def format_option_name(self, part: dom.OptionNamePart, url: str | None) -> str:
        name = self.code(part.name if part.value is None else f"{part.name}: {part.value}")
        return f"{name} of {self.code(part.plugin.fqcn)}" if part.plugin and part.plugin.type != "role" else name

    def format_option_value(self, part: dom.OptionValuePart) -> str:
        return self.code(part.value if part.value else '""')

    def format_plugin(self, part: dom.PluginPart, url: str | None) -> str:
        return self.code(part.plugin.fqcn)

    def format_return_value(self, part: dom.ReturnValuePart, url: str | None) -> str:
        return self.code(part.name)


class _Markdown(_Plain):
    """The words as Markdown, in one cell of a table."""

    def code(self, text: str) -> str:
        return as_code(text)

    def format_bold(self, part: dom.BoldPart) -> str:
        return f"**{part.text}**"

    def format_italic(self, part: dom.ItalicPart) -> str:
        return f"*{part.text}*"

    def format_link(self, part: dom.LinkPart) -> str:
        return f"[{part.text}]({part.url})"

    def format_url(self, part: dom.URLPart) -> str:
        return f"<{part.url}>"

    def format_text(self, part: dom.TextPart) -> str:
        return re.sub(r"([|*_<])", r"\\\1", part.text)


def plain(description: str | Sequence[str]) -> str:
    """A description for an editor: paragraphs with line breaks between them."""
    return _formatted(description, _Plain(), "\n")


def markdown(description: str | Sequence[str]) -> str:
    """A description for a page: in one line."""
    return _formatted(description, _Markdown(), " ")


def as_code(text: str) -> str:
    """Text as code in a cell of a table, in which a bar ends the cell even in code."""
    return "`" + text.replace("|", "\\|") + "`"


def _formatted(description: str | Sequence[str], formatter: Formatter, separator: str) -> str:
    paragraphs = [description] if isinstance(description, str) else description
    return format_paragraphs(parse(paragraphs, Context()), formatter=formatter, par_sep=separator)
