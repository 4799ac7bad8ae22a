# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Variables of roles as values of their declared types.

Whatever comes from C(-e name=value), from a survey or from the environment is text. Ansible checks a role's variables against its argument spec, but
hands them to the role as they came, so that the text V(false) is true for a filter. Everything that looks at a variable reads it from here instead.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field

from .._kubernetes_text import with_text, without_lists
from .._near_misses import nearest
from .scalars import CONVERSIONS, EXPECTED, Unconvertible, clean_text, describe, describe_kind, is_name, to_choice, to_list

if t.TYPE_CHECKING:
    from .variables import Variables

Options = t.Mapping[str, t.Mapping[str, t.Any]]


@dataclass(frozen=True)
class Converted:
    """Variables after conversion.

    Attributes:
        values: the variables that are given, and the defaults of the others; in lists and dictionaries with declared keys, keys without a value are
            left out and those with a default are filled in. A default that is still a template is not in it, nor a value of a wrong type.
        complete: the same, with all declared keys of all items, as a module gets them.
        errors: one sentence for each value that cannot be converted, is not one of the choices, or has an unknown or a missing key.
        wrong: the variables that have a value which cannot be converted, so that they are neither in values nor in complete.
    """

    values: Variables
    complete: dict[str, t.Any]
    errors: tuple[str, ...]
    wrong: frozenset[str] = frozenset()


def convert(options: Options, given: t.Mapping[str, t.Any], secrets: t.Container[str] = (), derived: t.Container[str] = ()) -> Converted:
    """The variables of an argument spec, converted to their declared types and completed by its defaults.

    Args:
        options: the argument spec's options by the name of the variable.
        given: the variables that the inventory has, with templates resolved; others than those of the spec are ignored, and so are those without a value.
        secrets: variables whose values no sentence shows, besides those that the spec declares as C(no_log).
        derived: variables whose values are those of their defaults, after others. What is wrong with another one is reported for that one alone.
    """
    complete: dict[str, t.Any] = {}
    errors: dict[str, list[str]] = {}
    wrong: set[str] = set()
    for name, option in options.items():
        value = given.get(name)
        if value is not None:
            # One by one: a value that cannot be converted must not hide that another one can.
            conversion = _Conversion(is_secret=name in secrets or bool(option.get("no_log")))
            value = conversion.value(option, value, name)
            errors[name] = conversion.errors
            if conversion.is_wrong:
                wrong.add(name)
            else:
                complete[name] = value
        elif "default" in option and not is_template(option["default"]):
            complete[name] = _Conversion().value(option, option["default"], name)
        elif option.get("required"):
            errors[name] = [f"{name} has no value, but is required: set it."]
    reported = (error for name, found in errors.items() if not (name in derived and _refers_to(options[name].get("default"), errors)) for error in found)
    values = {name: _without_omitted(options[name], value) for name, value in complete.items()}
    return Converted(t.cast("Variables", values), complete, tuple(reported), frozenset(wrong))


def _refers_to(default: t.Any, errors: t.Mapping[str, t.Sequence[str]]) -> bool:
    """Whether a template names a variable that has an error of its own."""
    return any(errors.get(name) for name in re.findall(r"\w+", str(default)))


def is_template(value: t.Any) -> bool:
    """Whether a value is text that only Ansible can resolve."""
    return isinstance(value, str) and "{{" in value


@dataclass
class _Conversion:
    """The way through one variable, along its declaration.

    Attributes:
        is_secret: no sentence shows what the variable has.
        errors: what was found on the way.
        is_wrong: a part is missing or of a wrong type. A wrong choice or an unknown key does not keep the rest from being validated.
    """

    is_secret: bool = False
    errors: list[str] = field(default_factory=list)
    is_wrong: bool = False

    def value(self, option: t.Mapping[str, t.Any], given: t.Any, place: str) -> t.Any:
        """A value other than None as its declaration has it."""
        kind = option.get("type", "str")
        if kind == "raw":
            return clean_text(given) if isinstance(given, str) and "\n" not in given.strip() else given
        try:
            found: t.Any = to_list(given, option.get("elements", "raw")) if kind == "list" else CONVERSIONS[kind](given)
        except Unconvertible:
            shown = describe_kind(given) if self.is_secret else describe(given)
            expected, remedy = EXPECTED[kind]
            return self._wrong(f"{place} is {shown}, but must be {expected}: {remedy}.")
        if kind == "str" and not isinstance(given, str) and not option.get("choices") and is_name(place):
            shown = describe_kind(given) if self.is_secret else describe(given)
            return self._wrong(f"{place} is {shown}, but is a name, of which YAML changes what looks like something else (0755 becomes 493): put it in quotes.")
        if kind == "list":
            return self._items(option, found, place)
        if kind == "dict":
            return self._keys(option["options"], found, place) if option.get("options") else self._free(found, place)
        return self._choice(option, found, place)

    def _items(self, option: t.Mapping[str, t.Any], items: list[t.Any], place: str) -> list[t.Any]:
        element = {key: option[key] for key in ("options", "choices") if key in option}
        found = []
        for index, item in enumerate(items):
            where = f"{place}[{index}]"
            if item is None:
                self._wrong(f"{where} has no value: remove the item, or complete it.")
            else:
                found.append(self.value({**element, "type": option.get("elements", "raw")}, item, where))
        return found

    def _keys(self, declared: Options, given: t.Mapping[t.Any, t.Any], place: str) -> dict[str, t.Any]:
        unknown = {key: nearest(str(key), [name for name in declared if name not in given]) for key in given if key not in declared}
        for key, meant in unknown.items():
            remedy = f"did you mean {meant}?" if meant else f"its keys are {', '.join(sorted(declared))}."
            self.errors.append(f"{place} has the key {str(key)!r}, which is unknown: {remedy}")
        found: dict[str, t.Any] = {}
        for key, option in declared.items():
            value = given.get(key, option.get("default"))
            value = option.get("default") if value is None else value
            found[key] = None if value is None else self.value(option, value, f"{place}.{key}")
            if value is None and option.get("required"):
                self.is_wrong = True
                # One misspelled key is one error.
                if key not in unknown.values():
                    self.errors.append(f"{place} has no {key}, which is required: add it.")
        return found

    def _free(self, value: t.Mapping[t.Any, t.Any], place: str) -> t.Any:
        """What the user's own keys have, with labels, annotations and tags as text."""
        name, bracket, _index = place.rpartition(".")[2].partition("[")
        structure = [value] if bracket else value
        wrong = [path[3:] if bracket else path for path in without_lists(structure, name)]
        for path in wrong:
            self._wrong(f"{place}{path} is a list or a dictionary, but must be a text: {EXPECTED['str'][1]}.")
        if wrong:
            return value
        return with_text(structure, name)[0] if bracket else with_text(structure, name)

    def _choice(self, option: t.Mapping[str, t.Any], value: t.Any, place: str) -> t.Any:
        choices = option.get("choices")
        if not choices:
            return value
        try:
            return to_choice(value, choices)
        except Unconvertible:
            meant = None if self.is_secret else nearest(str(value), [str(choice) for choice in choices])
            shown = ", ".join(str(choice) or '""' for choice in choices)
            remedy = f"did you mean {meant}? The choices are {shown}." if meant else f"use one of {shown}."
            self.errors.append(f"{place} is {describe_kind(value) if self.is_secret else repr(value)}, which is not one of its choices: {remedy}")
            return value

    def _wrong(self, error: str) -> None:
        self.errors.append(error)
        self.is_wrong = True


def _without_omitted(option: t.Mapping[str, t.Any], value: t.Any) -> t.Any:
    """A value without the declared keys that nobody has given; what is below undeclared keys is the user's, in which a null can mean something."""
    declared = option.get("options")
    if not declared:
        return value
    if isinstance(value, list):
        return [_without_omitted(option, item) for item in value]
    if isinstance(value, dict):
        return {key: _without_omitted(declared.get(key, {}), item) for key, item in value.items() if item is not None or key not in declared}
    return value


__all__ = ("Converted", "Options", "convert", "is_template")
