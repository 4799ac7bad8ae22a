"""The shipped JSON Schemas as an editor applies them, and YAML as an editor reads it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import yaml
from jsonschema import Draft7Validator
from jsonschema.exceptions import ValidationError
from referencing import Registry
from referencing.jsonschema import DRAFT7

from twin.paths import REPOSITORY


class _Loader(yaml.SafeLoader):
    """YAML with Ansible's tags, in which dates are texts, as in YAML 1.2 that editors read."""


_Loader.add_constructor("!vault", lambda loader, node: loader.construct_scalar(node))
_Loader.add_constructor("!unsafe", lambda loader, node: loader.construct_scalar(node))
_Loader.add_constructor("tag:yaml.org,2002:timestamp", lambda loader, node: loader.construct_scalar(node))


def load(text: str) -> Any:
    """The only document of a text."""
    (document,) = load_all(text) or [None]
    return document


def load_all(text: str) -> list[Any]:
    """All documents of a text."""
    return list(yaml.load_all(text, _Loader))  # it is a safe loader with two more tags


@cache
def schema(name: str) -> dict[str, Any]:
    """One of the shipped schemas."""
    found: dict[str, Any] = json.loads((REPOSITORY / "schemas" / f"{name}.json").read_text())
    return found


@cache
def validator(name: str, variable: str | None = None) -> Draft7Validator:
    """What applies a shipped schema, or the part of it for one variable."""
    registry = Registry().with_resource("variables.json", DRAFT7.create_resource(schema("variables")))
    return Draft7Validator(schema(name)["properties"][variable] if variable else schema(name), registry=registry)


def find_messages(name: str, given: Any, variable: str | None = None) -> list[str]:
    """What an editor shows for data: the path, and the schema's own message or the validator's."""
    # Keys of JSON are texts.
    data = json.loads(json.dumps(given))
    found = sorted(_leaves(validator(name, variable).iter_errors(data)), key=lambda error: error.json_path)
    return [f"{error.json_path.removeprefix('$').removeprefix('.')}: {_message(error)}" for error in found]


def _leaves(errors: Iterator[ValidationError]) -> Iterator[ValidationError]:
    for error in errors:
        yield from _leaves(iter(error.context)) if error.context else [error]


def _message(error: ValidationError) -> str:
    own = error.schema if isinstance(error.schema, dict) else {}
    by_pattern = own.get("patternErrorMessage") if error.validator == "pattern" else None
    shown: str = by_pattern or own.get("errorMessage") or error.message
    return shown
