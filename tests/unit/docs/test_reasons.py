"""Every reason of a verdict is explained in the pages, and their tables have no reason that nothing gives."""

from __future__ import annotations

import ast
import re

from tests.pages import all_pages, page
from twin.paths import REPOSITORY

# Reasons of other programs, which the module ready hands on; each is in the API reference or the source of its program.
OF_OTHERS = {
    "PluralConflict": "k8s.io/apiextensions-apiserver, pkg/controller/status/naming_controller.go",
    "SingularConflict": "the same",
    "ShortNamesConflict": "the same",
    "KindConflict": "the same",
}


def _reasons() -> set[str]:
    """The reasons that are written out in calls of Verdict."""
    found = set()
    for path in (REPOSITORY / "plugins" / "module_utils").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Verdict" and len(node.args) > 1:
                found |= {one.value for one in ast.walk(node.args[1]) if isinstance(one, ast.Constant) and isinstance(one.value, str) and one.value}
    return found


def test_every_reason_is_explained() -> None:
    text = "\n".join(shown.path.read_text() for shown in all_pages())
    unexplained = sorted(reason for reason in _reasons() if f"`{reason}`" not in text)
    assert not unexplained, f"no page explains {', '.join(unexplained)}"


def test_tables_of_reasons_have_only_what_is_given() -> None:
    code = "\n".join(path.read_text() for place in ("plugins", "tests") for path in (REPOSITORY / place).rglob("*.py") if path.name != "test_reasons.py")
    named = {word for row in page("docs/troubleshooting/ready.md").rows() for word in re.findall(r"`([A-Z][A-Za-z]+)`", row[0])}
    assert len(named) > 60
    unknown = sorted(word for word in named - OF_OTHERS.keys() if word not in code)
    assert not unknown, f"docs/troubleshooting/ready.md has reasons that nothing gives: {', '.join(unknown)}"
    assert OF_OTHERS.keys() <= named
