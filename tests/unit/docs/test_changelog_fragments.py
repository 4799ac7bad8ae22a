"""Changelog fragments are reStructuredText in sections that the changelog has: the markup of Ansible's documentation would be shown as it stands."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from twin.paths import REPOSITORY

_FRAGMENTS = sorted((REPOSITORY / "changelogs" / "fragments").glob("*.yml"))
# Source: the semantic markup of ansible-core's documentation, https://docs.ansible.com/ansible/latest/dev_guide/ansible_markup.html
_MARKUP = re.compile(r"\b(?:[BCEILMOPRUV]|RV)\([^)]*\)")
_CODE = re.compile(r"``[^`]+``")


def find_wrong(text: str) -> list[str]:
    """The parts of an entry that are no reStructuredText."""
    prose = _CODE.sub("", text)
    return [*(found[0] for found in _MARKUP.finditer(prose)), *re.findall(r"\S*`\S*", prose)]


def _entries(content: dict[str, Any]) -> list[str]:
    return [entry for entries in content.values() for entry in ([entries] if isinstance(entries, str) else entries)]


@pytest.mark.parametrize("path", _FRAGMENTS, ids=lambda path: path.name)
def test_a_fragment_has_entries_that_are_shown_as_they_are_meant(path: Path) -> None:
    content = yaml.safe_load(path.read_text())
    config = yaml.safe_load((REPOSITORY / "changelogs" / "config.yaml").read_text())
    known = {section for section, _title in config["sections"]} | {config["prelude_section_name"], config["trivial_section_name"]}
    assert content and not content.keys() - known
    wrong = [part for entry in _entries(content) for part in find_wrong(entry)]
    assert not wrong, f"{path.name} has {', '.join(wrong)}: write names and values in double backticks"


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("ready - a target C(binding) is judged.", ["C(binding)"]),
        ("ready - O(ready#module:targets[].kind) and V(true).", ["O(ready#module:targets[].kind)", "V(true)"]),
        ("ready - RV(api_calls) of M(meshwright.ambient.ready).", ["RV(api_calls)", "M(meshwright.ambient.ready)"]),
        ("ready - a target `binding` is judged.", ["`binding`"]),
        ("ready - a target ``binding`` (of a namespace), and the API (v1).", []),
        ("docs - ``C(name)`` is no markup in a fragment.", []),
    ],
)
def test_markup_is_found(text: str, wrong: list[str]) -> None:
    assert find_wrong(text) == wrong
