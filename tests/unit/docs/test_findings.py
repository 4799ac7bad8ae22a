"""Each check has a section in docs/findings, where its findings lead."""

from __future__ import annotations

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._checks.catalogue import CHECKS, PAGES, SUBJECTS
from ansible_collections.meshwright.ambient.plugins.module_utils._checks.check import Check
from ansible_collections.meshwright.ambient.plugins.module_utils._checks.report import docs_of
from tests.pages import Page
from twin.paths import REPOSITORY

FOLDER = REPOSITORY / "docs" / "findings"


def test_each_code_is_of_one_check() -> None:
    codes = [check.code for check in CHECKS]
    assert sorted(set(codes)) == sorted(codes)
    assert all(len(code) == 6 and code.startswith("MW") and code[2:].isdigit() for code in codes)


@pytest.mark.parametrize("code", PAGES)
def test_a_code_has_a_section_where_its_findings_lead(code: str) -> None:
    path, _sign, anchor = docs_of(code, PAGES).rpartition("/docs/findings/")[2].partition("#")
    assert anchor in Page(FOLDER / path).anchors, f"docs/findings/{path} has no section {code}"


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.code)
def test_a_section_says_how_it_looks_and_how_to_mend_it(check: Check) -> None:
    code = check.code
    text = (FOLDER / f"{PAGES[code]}.md").read_text().partition(f"## {code}\n")[2].partition("\n## ")[0]
    for part in ("How it looks:", "To mend it:") if check.severity != "info" else ("To mend it:",):
        assert part in text, f"the section {code} of docs/findings/{PAGES[code]}.md lacks: {part}"


def test_the_pages_describe_no_check_that_does_not_exist() -> None:
    sections = {line[3:] for page in SUBJECTS for line in (FOLDER / f"{page}.md").read_text().splitlines() if line.startswith("## MW")}
    assert sections == {check.code for check in CHECKS}
