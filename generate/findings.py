"""The tables of checks in docs/findings, from the catalogue."""

from __future__ import annotations

from ansible_collections.meshwright.ambient.plugins.module_utils._checks.catalogue import SUBJECTS
from ansible_collections.meshwright.ambient.plugins.module_utils._checks.check import Check
from generate.markup import as_code

BEGIN = "<!-- This and what follows is written by make generate, from the catalogue of checks. -->\n"


def with_catalogue(page: str) -> str:
    """The page of findings, with one table of checks for each subject.

    Raises:
        ValueError: the page has no place for the tables.
    """
    before, found, _old = page.partition(BEGIN)
    if not found:
        raise ValueError("the page of findings has no place for the tables of checks")
    return before + found + "".join(_subject(name, checks) for name, checks in SUBJECTS.items())


def _subject(name: str, checks: tuple[Check, ...]) -> str:
    rows = "".join(
        f"| [{check.code}]({name}.md#{check.code.lower()}) | {check.title} | {check.severity} | {', '.join(map(as_code, check.phases))} |\n" for check in checks
    )
    return f"\n## {name.replace('-', ' ').capitalize()}\n\n| Code | What is wrong | Severity | Asked in |\n|---|---|---|---|\n{rows}"
