"""The argument specs as JSON Schemas for editors.

A schema accepts all that the conversion of C(_inventory/values.py) accepts, in each spelling, and templates and vaulted values in place of any value. What
several values must say together, and what names and ranges must be, only C(validate_inventory) decides.

Nothing is expressed by alternatives where one set of keywords does, because editors report for alternatives only that none of them fits. The language server
of YAML shows C(errorMessage) and C(patternErrorMessage) instead of its own words; other validators ignore both.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from ansible.module_utils.parsing.convert_bool import BOOLEANS

from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.scalars import EXPECTED, is_name
from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.values import is_template
from ansible_collections.meshwright.ambient.plugins.module_utils._kubernetes_text import holds_values, is_text_map
from generate.declarations import Option
from generate.markup import plain
from generate.near_misses import escape, near_misses_of_name, near_misses_of_role

Schema = dict[str, Any]

# The newest version that all editors know.
_DRAFT = "http://json-schema.org/draft-07/schema#"
_VAULTED = r"^\s*\$ANSIBLE_VAULT;"
_OPEN = rf"\{{\{{|\{{%|{_VAULTED}"
_SCALARS = ["string", "number", "boolean"]
_EMPTY = r"^\s*$"
_TRUTH = sorted(word for word in BOOLEANS if isinstance(word, str))
_WHOLE = r"[+-]?[0-9]{1,18}(?:\.0{1,9})?"


def variables_schema(variables: Mapping[str, tuple[str, Option]]) -> Schema:
    """The schema of a mapping of variables, as files in C(group_vars) and C(host_vars) have it.

    Args:
        variables: the role and the declaration of each variable, by its name.
    """
    return {
        "$schema": _DRAFT,
        "title": "Variables of meshwright.ambient",
        "description": "Variables of clusters. Variables of your own may have any name that is not nearly one of these.",
        "type": ["object", "string", "null"],
        "pattern": _VAULTED,
        "properties": {name: _value(option, name) for name, (_role, option) in variables.items()},
        "patternProperties": _near_misses(variables),
    }


def inventory_schema() -> Schema:
    """The schema of an inventory in YAML; one that is the configuration of an inventory plugin may have anything."""
    members = {"type": ["object", "string", "null"]}
    group = {
        "type": ["object", "null"],
        "properties": {
            "hosts": {
                **members,
                "description": "The hosts of the group, each with its variables. One host is one cluster.",
                "additionalProperties": _reference(),
            },
            "vars": {**_reference(), "description": "Variables of all hosts of the group."},
            "children": {**members, "description": "Groups whose hosts are hosts of this group.", "additionalProperties": {"$ref": "#/definitions/group"}},
        },
        "additionalProperties": False,
    }
    return {
        "$schema": _DRAFT,
        "title": "Inventory of meshwright.ambient",
        "description": "Groups of clusters. Each cluster is a host of the group clusters.",
        "type": ["object", "string", "null"],
        "pattern": _VAULTED,
        "if": {"required": ["plugin"]},
        "else": {
            "properties": {"clusters": {"$ref": "#/definitions/group"}, "all": {"$ref": "#/definitions/group"}},
            "additionalProperties": {"$ref": "#/definitions/group"},
        },
        "definitions": {"group": group},
    }


def as_json(schema: Schema) -> str:
    """A schema as it is shipped."""
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


def _reference() -> Schema:
    return {"$ref": "variables.json"}


def _near_misses(variables: Mapping[str, tuple[str, Option]]) -> Schema:
    by_role: dict[str, list[str]] = {}
    for name, (role, _option) in variables.items():
        by_role.setdefault(role, []).append(name)
    found = {near_misses_of_name(name, role): _refused(f"did you mean {name}?", role) for role, names in by_role.items() for name in names}
    prefixes = {role or "cluster": (role, names) for role, names in by_role.items()}
    return found | {near_misses_of_role(prefix, names): _refused(f"did you mean {prefix}_...?", role) for prefix, (role, names) in prefixes.items()}


def _refused(remedy: str, role: str) -> Schema:
    # Editors take no schema that is never valid, so the only valid value is one that nobody gives.
    owner = f"the role {role}" if role else "any role"
    return {"enum": [remedy], "errorMessage": f"This is not a variable of {owner}: {remedy}"}


def _value(option: Option, path: str, *, is_item: bool = False) -> Schema:
    """The schema of one value.

    Args:
        option: its declaration.
        path: the variable and the keys that lead to it.
        is_item: it is an item of a list, which has to have a value.
    """
    kind = option["type"]
    schema = _KINDS[kind](option, path)
    if "type" in schema and not is_item and not option.get("required"):
        schema["type"] = [*schema["type"], "null"]
    if not is_item:
        schema["description"] = _description(option)
        default = option.get("default")
        if default is not None and not is_template(default):
            schema["default"] = default
    return schema


def _description(option: Option) -> str:
    parts = [plain(option["description"])]
    if choices := option.get("choices"):
        parts.append(f"Choices: {_listed(choices)}.")
    default = option.get("default")
    if default is not None:
        parts.append(f"Default: {default if isinstance(default, str) and default else json.dumps(default)}")
    return "\n\n".join(parts)


def _message(path: str, kind: str) -> str:
    expected, remedy = EXPECTED[kind]
    return f"{path} must be {expected}: {remedy}."


def _bool(_option: Option, path: str) -> Schema:
    return {
        "type": ["boolean", "string", "integer"],
        "minimum": 0,
        "maximum": 1,
        "pattern": rf"^\s*{_any_of(_TRUTH)}\s*$|{_OPEN}",
        "errorMessage": _message(path, "bool"),
    }


def _int(_option: Option, path: str) -> Schema:
    return {"type": ["integer", "string"], "pattern": rf"^\s*{_WHOLE}\s*$|{_OPEN}", "errorMessage": _message(path, "int")}


def _text(option: Option, path: str) -> Schema:
    choices = option.get("choices")
    # YAML has changed a name that is no text: 0755 becomes 493.
    if not choices and is_name(path):
        return {"type": ["string"], "errorMessage": f"{path} is a name and must be a text: put it in quotes."}
    if not choices:
        return {"type": list(_SCALARS), "errorMessage": _message(path, "str")}
    types = ["string"]
    schema: Schema = {"type": types, "pattern": rf"^\s*{_one_of(choices)}\s*$|{_OPEN}", "examples": list(choices)}
    if _has_truth(choices):
        types += ["boolean", "integer"]
        schema |= {"minimum": 0, "maximum": 1}
    return {**schema, "errorMessage": f"{path} must be one of {_listed(choices)}."}


def _raw(_option: Option, _path: str) -> Schema:
    return {}


def _list(option: Option, path: str) -> Schema:
    elements = option["elements"]
    item = {key: option[key] for key in ("options", "choices") if key in option}
    items = _value({**item, "type": elements}, f"{path}[]", is_item=True)
    schema: Schema = {"type": ["array", "string"], "items": items, "errorMessage": _message(path, "list")}
    if elements == "dict":
        return {**schema, "pattern": rf"{_EMPTY}|^\s*\[|{_OPEN}"}
    # A lone value is a list of one, and a text may be several of them.
    schema["type"] += [kind for kind in items["type"] if kind not in schema["type"]]
    one = {"int": _WHOLE, "str": _one_of(option["choices"]) if option.get("choices") else ""}[elements]
    return {**schema, "pattern": rf"^\s*(?:{one})?\s*(?:,\s*(?:{one})?\s*)*$|^\s*\[|{_OPEN}"} if one else schema


def _dict(option: Option, path: str) -> Schema:
    schema: Schema = {"type": ["object", "string"], "pattern": rf"{_EMPTY}|^\s*\{{|=|{_OPEN}"}
    declared = option.get("options")
    if declared:
        # An own message would replace that for an unknown key, which names the key.
        schema["patternErrorMessage"] = _message(path, "dict")
        required = [key for key, one in declared.items() if one.get("required")]
        keys = {key: _value(one, f"{path}.{key}") for key, one in declared.items()}
        return {**schema, "properties": keys, **({"required": required} if required else {}), "additionalProperties": False}
    name = path.rpartition(".")[2]
    if not name.endswith("[]") and name != "selector" and is_text_map(name) and not holds_values(name):
        schema["additionalProperties"] = {"type": [*_SCALARS, "null"], "errorMessage": f"Each value in {path} must be a text."}
    return {**schema, "errorMessage": _message(path, "dict")}


def _one_of(choices: Iterable[Any]) -> str:
    return _any_of([*map(str, choices), *(_TRUTH if _has_truth(choices) else ())])


def _has_truth(choices: Iterable[Any]) -> bool:
    """Whether booleans are written as texts among the choices."""
    return {"true", "false"} <= set(choices)


def _any_of(words: Iterable[str]) -> str:
    """A pattern for words in any case, because patterns of JSON Schema have no flags."""
    return f"(?:{'|'.join(sorted({''.join(map(_any_case, word)) for word in words}))})"


def _any_case(letter: str) -> str:
    return f"[{letter.upper()}{letter.lower()}]" if letter.isalpha() else escape(letter)


def _listed(choices: Iterable[Any]) -> str:
    return ", ".join(str(choice) or '""' for choice in choices)


_KINDS = {"bool": _bool, "dict": _dict, "int": _int, "list": _list, "path": _text, "raw": _raw, "str": _text}
