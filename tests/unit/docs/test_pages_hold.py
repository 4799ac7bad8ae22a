"""What the documentation names is there: pages, headings, variables."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from generate.declarations import role_variables
from tests.options import walk_options
from tests.pages import Page, all_pages, page
from twin.paths import REPOSITORY

PAGES = pytest.mark.parametrize("shown", all_pages(), ids=lambda shown: shown.name)


@PAGES
def test_links_lead_to_a_file_and_a_heading(shown: Page) -> None:
    broken = []
    for link in shown.links:
        file, _, anchor = link.partition("#")
        target = (shown.path.parent / file).resolve() if file else shown.path
        if not target.exists() or (anchor and anchor not in Page(target).anchors):
            broken.append(link)
    assert not broken, f"{shown.name} links to what is not there: {', '.join(broken)}"


def test_every_page_is_two_clicks_from_the_readme() -> None:
    first = _linked(page("README.md"))
    reached = first.union(*(_linked(Page(path)) for path in first))
    far = sorted(shown.name for shown in all_pages() if shown.path not in reached | {REPOSITORY / "README.md", REPOSITORY / "docs" / "docsite" / "index.md"})
    assert not far, f"more than two clicks from the README: {', '.join(far)}"


@PAGES
def test_variables_are_those_of_a_role(shown: Page) -> None:
    options = role_variables()
    prefixes = tuple(f"{role}_" for role in [*options, "cluster"])
    known = {path.rpartition(".")[2] for variables in options.values() for path, _option in walk_options(variables)} | _other_names()
    words = {found[0] for word in shown.words_in_code if (found := re.match(r"[a-z][a-z0-9_]*[a-z0-9]\b(?!_)", word))}
    unknown = sorted(word for word in words if word.startswith(prefixes) and word not in known)
    assert not unknown, f"{shown.name} names variables that no role has: {', '.join(unknown)}"


@pytest.mark.parametrize("role", sorted(role_variables()))
def test_the_page_of_a_role_has_every_variable_in_a_table(role: str) -> None:
    documented = {cell.strip("`") for row in page(f"roles/{role}/README.md").rows() for cell in row[:1]}
    undocumented = sorted(set(role_variables()[role]) - documented)
    assert not undocumented, f"roles/{role}/README.md does not tell of {', '.join(undocumented)}"


def test_the_architecture_names_every_package_in_one_layer() -> None:
    utils = REPOSITORY / "plugins" / "module_utils"
    there = {path.name for path in utils.iterdir() if path.name.startswith("_") and path.name != "__init__.py" and path.name != "__pycache__"}
    layers = page("docs/architecture.md").section("Layers").rows()[1:]
    named = [name for row in layers for name in re.findall(r"`(_[^`/]+)`", row[1])]
    assert sorted(named) == sorted(there)


@PAGES
def test_blocks_of_yaml_can_be_read(shown: Page) -> None:
    for language, text in shown.blocks:
        if language == "yaml":
            assert [document for document in yaml.safe_load_all(text) if document], f"{shown.name} has an empty block of YAML"


def _linked(shown: Page) -> set[Path]:
    """The pages to which a page links."""
    files = (link.partition("#")[0] for link in shown.links)
    return {target for file in files if file.endswith(".md") and (target := (shown.path.parent / file).resolve()).exists()}


def _other_names() -> set[str]:
    """What begins like a variable and is none: modules, filters, and facts that roles leave."""
    names = {path.stem for place in ("modules", "filter") for path in (REPOSITORY / "plugins" / place).iterdir()}
    for path in (REPOSITORY / "roles").glob("*/tasks/*.yml"):
        text = path.read_text()
        names |= set(re.findall(r"register: (\w+)", text))
        for block in re.findall(r"ansible\.builtin\.set_fact:\n((?:\s+\w+: .*\n)+)", text):
            names |= set(re.findall(r"^\s+(\w+):", block, re.M))
    return names
