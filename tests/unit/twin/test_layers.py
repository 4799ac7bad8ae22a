"""The twin's rooms: which may import from which, and how long a function may be."""

from __future__ import annotations

import ast
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from twin.paths import REPOSITORY

# From the lowest to the highest. A module belongs to the longest name that it begins with, and imports from its own layer and lower ones.
_LAYERS = (
    ("twin", "twin.errors", "twin.paths", "twin.progress", "twin.collection"),
    ("twin.supervisor", "twin.tools"),
    ("twin.kwok",),
    ("twin.agent",),
    (
        "twin.aws",
        "twin.aws.asked",
        "twin.aws.callers",
        "twin.aws.certificates",
        "twin.aws.cluster_provider",
        "twin.aws.ec2_tags",
        "twin.aws.errors",
        "twin.aws.faults",
        "twin.aws.identity_providers",
        "twin.aws.load_balancing",
        "twin.aws.neighbours",
        "twin.aws.phases",
        "twin.aws.requests",
        "twin.aws.shield",
    ),
    ("twin.aws.eks",),
    (
        "twin.aws.__main__",
        "twin.aws.account",
        "twin.aws.addon_objects",
        "twin.aws.control",
        "twin.aws.node_objects",
        "twin.aws.server",
        "twin.aws.twin_provider",
    ),
    ("twin.commands",),
    ("twin.__main__",),
)
# Packages that stand for all of their modules; a module of twin.aws itself must be named above.
_PACKAGES = frozenset({"twin.tools", "twin.kwok", "twin.agent", "twin.aws.load_balancing", "twin.aws.eks", "twin.commands"})
_LONGEST_FUNCTION = 60


@cache
def _modules() -> dict[str, ast.Module]:
    """All modules of the twin, by name."""
    found = {}
    for path in sorted((REPOSITORY / "twin").rglob("*.py")):
        name = ".".join(path.relative_to(REPOSITORY).with_suffix("").parts).removesuffix(".__init__")
        found[name] = ast.parse(path.read_text(), str(path))
    return found


def _imports(name: str) -> set[str]:
    """The modules of the twin that a module imports, wherever in it."""
    modules, found = _modules(), set()
    for node in ast.walk(modules[name]):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.module and not node.level, f"{name} imports relatively, which this test does not follow"
            below = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= (below & modules.keys()) or {node.module}
    return {each for each in found if each in modules and each != name}


def _layer(name: str) -> int:
    for number, layer in enumerate(_LAYERS):
        if name in layer or any(name.startswith(f"{package}.") for package in _PACKAGES & set(layer)):
            return number
    raise AssertionError(f"{name} is in no layer: add it to _LAYERS")


@pytest.mark.parametrize("name", list(_modules()))
def test_no_module_imports_upwards(name: str) -> None:
    assert [each for each in sorted(_imports(name)) if _layer(each) > _layer(name)] == []


def test_no_imports_go_in_a_circle() -> None:
    TopologicalSorter({name: _imports(name) for name in _modules()}).prepare()


def test_functions_are_short() -> None:
    too_long = [
        f"{name}: {node.name}"
        for name, tree in _modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (node.end_lineno or 0) - node.lineno >= _LONGEST_FUNCTION
    ]
    assert too_long == []


def test_modules_are_not_long() -> None:
    assert [str(path) for path in (REPOSITORY / "twin").rglob("*.py") if len(path.read_text().splitlines()) > 350] == []


def test_every_room_is_there() -> None:
    rooms = {path.name for path in (REPOSITORY / "twin").iterdir() if (path / "__init__.py").exists()}
    assert rooms == {"agent", "aws", "commands", "kwok", "tools"}
    assert Path(REPOSITORY / "twin" / "aws" / "eks").is_dir()
