"""What a file offers to others is used by others: a name that only its own file uses is private, and one that only tests use is dead."""

from __future__ import annotations

import ast
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PLUGINS = ROOT / "plugins"
COLLECTION = "ansible_collections.meshwright.ambient."
# Besides the plugins, what may use their exports. A function that is tested on its own is part of what its file offers.
FOLDERS = ("plugins", "generate", "twin", "tests", "benchmarks")

Module = tuple[str, ...]


def exports_of(tree: ast.Module) -> list[str]:
    """The names in C(__all__)."""
    assigned = [node for node in tree.body if isinstance(node, ast.Assign) and any(isinstance(one, ast.Name) and one.id == "__all__" for one in node.targets)]
    return [str(name) for node in assigned for name in ast.literal_eval(node.value)]


def uses_of(tree: ast.Module, here: Module, is_file: set[Module]) -> set[tuple[Module, str]]:
    """The names of other files that a file uses: imported by name, or as attributes of an imported file."""
    found: set[tuple[Module, str]] = set()
    files: dict[str, Module] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            named = tuple((node.module or "").removeprefix(COLLECTION).split(".")) if node.module else ()
            package = (*(here[: len(here) - node.level] if node.level else ()), *named)
            for alias in node.names:
                if (*package, alias.name) in is_file:
                    files[alias.asname or alias.name] = (*package, alias.name)
                else:
                    found.add((package, alias.name))
    attributes = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)]
    return found | {(files[node.value.id], node.attr) for node in attributes if isinstance(node.value, ast.Name) and node.value.id in files}


def types_of(tree: ast.Module) -> set[str]:
    """The names in annotations: who calls a function needs the name of what it takes and returns."""
    annotations: list[ast.expr | None] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            arguments = node.args
            annotations += [node.returns, *(one.annotation for one in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs))]
        elif isinstance(node, ast.AnnAssign):
            annotations.append(node.annotation)
    return {name.id for annotation in annotations if annotation for name in ast.walk(annotation) if isinstance(name, ast.Name)}


@cache
def users() -> dict[tuple[Module, str], set[str]]:
    """By file and name of an export, the folders that use it."""
    paths = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")]
    modules = {path.relative_to(ROOT).with_suffix("").parts: path for path in paths}
    found: dict[tuple[Module, str], set[str]] = defaultdict(set)
    for module, path in modules.items():
        for use in uses_of(ast.parse(path.read_text()), module, set(modules)):
            found[use].add(module[0])
    return found


@pytest.mark.parametrize("path", sorted(PLUGINS.rglob("*.py")), ids=lambda path: str(path.relative_to(PLUGINS)))
def test_what_is_exported_is_used(path: Path) -> None:
    tree = ast.parse(path.read_text())
    module, types = path.relative_to(ROOT).with_suffix("").parts, types_of(tree)
    used_here = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    exported = {name: users().get((module, name), set()) for name in exports_of(tree)}
    private = [name for name, folders in exported.items() if not folders and name not in types]
    assert not private, f"No other file uses {', '.join(private)} of {path.relative_to(PLUGINS)}: begin its name with an underscore, or remove it"
    dead = [name for name, folders in exported.items() if folders == {"tests"} and name not in used_here]
    assert not dead, f"Only tests use {', '.join(dead)} of {path.relative_to(PLUGINS)}: remove it"


def test_a_use_is_found_by_each_way_to_import() -> None:
    there = ("plugins", "module_utils", "_a", "plan")
    texts = {
        "from .plan import name": ("plugins", "module_utils", "_a", "spec"),
        "from .._a.plan import name as other": ("plugins", "module_utils", "_b", "spec"),
        f"from {COLLECTION}plugins.module_utils._a.plan import name": ("tests", "test_it"),
        "from . import plan as other\nother.name()": ("plugins", "module_utils", "_a", "spec"),
    }
    for text, here in texts.items():
        assert uses_of(ast.parse(text), here, {there}) == {(there, "name")}, text


def test_types_are_found_wherever_they_are_written() -> None:
    text = "Pair = tuple\nclass One:\n    field: Pair\ndef call(one: t.Sequence[One], *, two: Two = 1) -> Three | None: ..."
    assert {"Pair", "One", "Two", "Three"} <= types_of(ast.parse(text))
