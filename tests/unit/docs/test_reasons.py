"""Every reason of a verdict is explained in the pages, and their tables have no reason that nothing gives."""

from __future__ import annotations

import ast
import functools
import re

from tests.pages import all_pages, page
from twin.paths import REPOSITORY

# Reasons of other programs, which the module ready hands on; each is in the API reference or the source of its program.
OF_OTHERS = {
    "PluralConflict": "k8s.io/apiextensions-apiserver, pkg/controller/status/naming_controller.go",
    "SingularConflict": "the same",
    "ShortNamesConflict": "the same",
    "KindConflict": "the same",
    "ListKindConflict": "the same",
    "FailedCreate": "k8s.io/kubernetes, pkg/controller/controller_utils.go",
    "BackoffLimitExceeded": "k8s.io/api, batch/v1/types.go",
    "DeadlineExceeded": "the same",
}


def _texts(tree: ast.AST) -> set[str]:
    """The texts in a piece of code."""
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value}


@functools.cache
def _trees() -> list[ast.Module]:
    return [ast.parse(path.read_text()) for path in (REPOSITORY / "plugins" / "module_utils").rglob("*.py")]


def _reasons() -> set[str]:
    """The reasons that are written out in calls of Verdict."""
    calls = (node for tree in _trees() for node in ast.walk(tree) if isinstance(node, ast.Call))
    verdicts = (call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "Verdict" and len(call.args) > 1)
    return {text for call in verdicts for text in _texts(call.args[1])}


def test_every_reason_is_explained() -> None:
    text = "\n".join(shown.path.read_text() for shown in all_pages())
    unexplained = sorted(reason for reason in _reasons() if f"`{reason}`" not in text)
    assert not unexplained, f"no page explains {', '.join(unexplained)}"


def test_tables_of_reasons_have_only_what_is_given() -> None:
    # Whole texts: DeadlineExceeded is not given because ProgressDeadlineExceeded is.
    given = set().union(*map(_texts, _trees()))
    named = {word for row in page("docs/troubleshooting/ready.md").rows() for word in re.findall(r"`([A-Z][A-Za-z]+)`", row[0])}
    assert len(named) > 60
    unknown = sorted(word for word in named - OF_OTHERS.keys() if word not in given)
    assert not unknown, f"docs/troubleshooting/ready.md has reasons that nothing gives: {', '.join(unknown)}"
    assert OF_OTHERS.keys() <= named - given
