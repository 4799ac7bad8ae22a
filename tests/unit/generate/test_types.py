"""The classes of variables say what the argument specs say, and validation reads variables as these classes."""

from __future__ import annotations

import ast
import typing as t
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._inventory import items, variables
from generate.declarations import declared_variables
from generate.types import items_module
from twin.paths import REPOSITORY

INVENTORY = REPOSITORY / "plugins" / "module_utils" / "_inventory"
# What looks at all variables alike, or at those of a name that is put together.
GENERAL = {"misspelled_key_warnings", "validate_mesh_items", "validate_patterns"}
# Keys in lower case of objects of Kubernetes and of charts.
OF_OTHERS = {"", "app", "global", "key", "metadata", "number"}
PYTHON = {"bool": bool, "dict": dict[str, Any], "float": float, "int": int, "path": str, "raw": Any, "str": str}


def hints_of(found: Any) -> dict[str, Any]:
    return t.get_type_hints(found, localns=vars(items))


def declared_places() -> list[Any]:
    """Each dictionary with declared keys, with the class that the class above it has for it."""
    found = []

    def descend(place: str, option: Any, hint: Any) -> None:
        if option.get("options"):
            item = t.get_args(hint)[0] if option.get("type") == "list" else hint
            found.append(pytest.param(option["options"], item, id=place))
            for key, below in option["options"].items():
                descend(f"{place}.{key}", below, hints_of(item).get(key))

    for name, (_role, option) in declared_variables().items():
        descend(name, option, hints_of(variables.Variables)[name])
    return found


def test_every_variable_has_its_type() -> None:
    assert set(hints_of(variables.Variables)) == set(declared_variables())


@pytest.mark.parametrize(("declared", "item"), declared_places())
def test_every_key_has_the_type_and_the_choices_of_its_declaration(declared: dict[str, Any], item: Any) -> None:
    hints = hints_of(item)
    assert set(hints) == set(declared)
    for key, option in declared.items():
        kind, is_list = option.get("type", "str"), option.get("type") == "list"
        found = t.get_args(hints[key])[0] if is_list else hints[key]
        kind = option.get("elements", "raw") if is_list else kind
        if option.get("options"):
            assert t.is_typeddict(found), f"{key} has declared keys, but no class"
        elif kind == "str" and option.get("choices"):
            assert t.get_args(found) == tuple(option["choices"]), f"{key} has other choices"
        else:
            expected = PYTHON[kind]
            assert found == (t.Dict[str, Any] if kind == "dict" else expected), f"{key} is of type {kind}, but the class has {found}"


def test_one_class_serves_places_with_the_same_keys_and_no_others() -> None:
    one, other = {"first": {"type": "int"}}, {"first": {"type": "str"}}

    def names(*places: dict[str, Any]) -> list[str]:
        text = items_module(
            {f"place{number}": ("", {"type": "dict", "options": {"limits": {"type": "dict", "options": keys}}}) for number, keys in enumerate(places)}
        )
        return [node.name for node in ast.parse(text).body if isinstance(node, ast.ClassDef)]

    assert names(one, one) == ["Limits", "Place0", "Place1"]
    assert names(one, other) == ["Place0Limits", "Place0", "Place1Limits", "Place1"]


@pytest.mark.parametrize("path", sorted(INVENTORY.glob("*.py")), ids=lambda path: path.name)
def test_validation_reads_variables_by_their_declaration(path: Path) -> None:
    functions = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)]
    untyped = [
        function.name
        for function in functions
        for argument in function.args.args
        if argument.arg == "variables" and argument.annotation and ast.unparse(argument.annotation) != "Variables"
    ]
    assert set(untyped) <= GENERAL, f"{path.name}: {', '.join(untyped)} should take variables of type Variables, which a type checker compares with the roles"


def declared_keys() -> set[str]:
    found = set(hints_of(variables.Variables))
    for place in declared_places():
        found |= set(place.values[0])
    return found


def keys_read(tree: ast.Module) -> set[str]:
    """What is read as C(item["key"]) and C(item.get("key"))."""
    gets = [
        node.args[0] for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get" and node.args
    ]
    subscripts = [node.slice for node in ast.walk(tree) if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load)]
    return {node.value for node in (*gets, *subscripts) if isinstance(node, ast.Constant) and isinstance(node.value, str)}


@pytest.mark.parametrize("path", [path for path in sorted(INVENTORY.glob("*.py")) if "(variables: Variables" in path.read_text()], ids=lambda path: path.name)
def test_validation_reads_no_key_that_is_not_declared(path: Path) -> None:
    # A type checker takes .get() with a key that the class does not have for an object that may be anything.
    unknown = {key for key in keys_read(ast.parse(path.read_text())) - declared_keys() - OF_OTHERS if key == key.lower()}
    assert not unknown, f"{path.name} reads {', '.join(sorted(unknown))}, which no role declares"
