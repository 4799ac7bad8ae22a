"""The argument specs as classes: what validation reads of an inventory, a type checker holds against what the roles declare."""

from __future__ import annotations

import json
import keyword
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from generate.declarations import Option

_HEADER = '''# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""{title}

Written by C(python -m generate) from the argument specs of the roles. A key that is not declared there cannot be read, and a value can be compared only with
its choices.
"""

from __future__ import annotations

import typing as t
'''
_SCALARS = {"bool": "bool", "float": "float", "int": "int", "path": "str", "raw": "t.Any", "str": "str"}
_LINE = 160

Variables = Mapping[str, tuple[str, Option]]


@dataclass(frozen=True)
class _Class:
    """A dictionary whose keys are declared.

    Attributes:
        key: the variable, or the key of another class, that has it; that of a list without its plural.
        place: the variable and the keys below it that lead to it.
        option: its declaration.
    """

    key: str
    place: tuple[str, ...]
    option: Option

    @property
    def declared(self) -> Mapping[str, Option]:
        found: Mapping[str, Option] = self.option["options"]
        return found

    @property
    def fields(self) -> str:
        """What makes it the same as another one, whatever the sentences about its keys say."""
        return repr([(key, _kind(option), option.get("choices"), sorted(option.get("options") or ())) for key, option in self.declared.items()])

    def below(self, key: str) -> _Class:
        option = self.declared[key]
        return _Class(_singular(key, option), (*self.place, _singular(key, option)), option)


class _Names:
    """The names of classes: that of the key for one that several places share, and otherwise the whole place."""

    def __init__(self, variables: Variables) -> None:
        self.classes = [found for name, (_role, option) in variables.items() for found in _classes(_variable(name, option))]
        fields: dict[str, list[str]] = {}
        for found in self.classes:
            fields.setdefault(found.key, []).append(found.fields)
        self._shared = {key for key, places in fields.items() if len(places) > 1 and len(set(places)) == 1}

    def of(self, found: _Class) -> str:
        words = found.key if found.key in self._shared else "_".join(found.place)
        return "".join(word.capitalize() for word in words.split("_"))


def items_module(variables: Variables) -> str:
    """The module with one class for each dictionary whose keys are declared, those of its keys before it."""
    names = _Names(variables)
    classes = {names.of(found): _class_text(found, names) for found in names.classes}
    title = "The items of lists, and the dictionaries, that inventories have, as values.convert() returns them."
    return "\n\n".join((_HEADER.format(title=title), *classes.values()))


def variables_module(variables: Variables) -> str:
    """The module with the class of all variables of a cluster."""
    names = _Names(variables)
    tops = {name: _variable(name, option) for name, (_role, option) in variables.items()}
    used = "".join(f"        {title},\n" for title in sorted(names.of(top) for top in tops.values() if top.option.get("options")))
    fields = "".join(_field(name, top, names) for name, top in tops.items())
    return (
        f"{_HEADER.format(title='The variables of one cluster, as values.convert() returns them.')}\n"
        f"if t.TYPE_CHECKING:\n    from .items import (\n{used}    )\n\n\n"
        f'class Variables(t.TypedDict, total=False):\n    """All variables of all roles; one without a value is left out."""\n\n{fields}\n\n'
        '__all__ = ("Variables",)\n'
    )


def _variable(name: str, option: Option) -> _Class:
    return _Class(_singular(name, option), (_singular(name, option),), option)


def _classes(top: _Class) -> Iterator[_Class]:
    """A class and those below it, these first."""
    if top.option.get("options"):
        for key in top.declared:
            yield from _classes(top.below(key))
        yield top


def _class_text(found: _Class, names: _Names) -> str:
    title, base, text = names.of(found), "t.TypedDict", ""
    reserved = [key for key in found.declared if keyword.iskeyword(key)]
    if reserved:
        base = f"_{title}"
        items = ", ".join(f"{json.dumps(key)}: {_type(found.below(key), names)}" for key in reserved)
        text = f'{base} = t.TypedDict("{base}", {{{items}}}, total=False)\n\n\n'
    fields = "".join(_field(key, found.below(key), names) for key in found.declared if key not in reserved)
    return f"{text}class {title}({base}, total=False):\n{fields}"


def _field(key: str, found: _Class, names: _Names) -> str:
    line = f"    {key}: {_type(found, names)}"
    return f"{line}\n" if len(line) <= _LINE else f"    {key}: {_type(_Class(found.key, found.place, {**found.option, 'choices': None}), names)}\n"


def _type(found: _Class, names: _Names) -> str:
    option, kind = found.option, _kind(found.option)
    choices = option.get("choices")
    if option.get("options"):
        text = names.of(found)
    elif kind == "str" and choices:
        text = f"t.Literal[{', '.join(json.dumps(choice) for choice in choices)}]"
    else:
        text = _SCALARS.get(kind, "t.Dict[str, t.Any]")
    return f"t.List[{text}]" if option.get("type") == "list" else text


def _kind(option: Option) -> str:
    """The type of a value, or of the items of a list."""
    kind: str = option.get("type", "str")
    return option.get("elements", "raw") if kind == "list" else kind


def _singular(key: str, option: Option) -> str:
    """The name of one item of a list; other values keep their name."""
    if option.get("type") == "list":
        for ending, singular in (("sses", "ss"), ("ies", "y"), ("s", "")):
            if key.endswith(ending):
                return key.removesuffix(ending) + singular
    return key
