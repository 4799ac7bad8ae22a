# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Variables of roles as values of their declared types.

Whatever comes from C(-e name=value), from a survey or from the environment is text. Ansible checks a role's variables against its argument spec, but
hands them to the role as they came, so that the text V(false) is true for a filter. Everything that looks at a variable reads it from here instead.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.errors import ArgumentValueError, UnsupportedError

# The texts that the filter ansible.builtin.bool takes as true (ansible/plugins/filter/core.py, to_bool).
_PLAIN = ("1", "on", "true", "yes")

Options = t.Mapping[str, t.Mapping[str, t.Any]]


@dataclass(frozen=True)
class Converted:
    """Variables after conversion.

    Attributes:
        values: the variables that are given, and the defaults of the others; in lists and dictionaries with declared keys, keys without a value are
            left out and those with a default are filled in. A default that is still a template is not in it, nor a value of a wrong type.
        complete: the same, with all declared keys of all items, as a module gets them.
        errors: one sentence for each value that cannot be converted, or is not one of the choices.
    """

    values: dict[str, t.Any]
    complete: dict[str, t.Any]
    errors: tuple[str, ...]


def convert(options: Options, given: t.Mapping[str, t.Any]) -> Converted:
    """The variables of an argument spec, converted to their declared types and completed by its defaults.

    Args:
        options: the argument spec's options by the name of the variable.
        given: the variables that the inventory has, with templates resolved; others than those of the spec are ignored.
    """
    complete: dict[str, t.Any] = {}
    errors: list[str] = []
    for name, option in options.items():
        if name in given:
            # One by one: a value that cannot be converted must not hide that another one can.
            validated = ArgumentSpecValidator({name: {key: value for key, value in option.items() if key != "default"}}).validate(
                {name: _unshared(given[name])}
            )
            errors += validated.error_messages
            # A wrong choice or an unknown key does not keep the rest of the value from being validated; a wrong type, or a missing key, does.
            if all(isinstance(error, (ArgumentValueError, UnsupportedError)) for error in validated.errors):
                complete[name] = validated.validated_parameters[name]
        elif "default" in option and not is_template(option["default"]):
            complete[name] = option["default"]
    return Converted({name: _without_omitted(options[name], value) for name, value in complete.items()}, complete, tuple(errors))


def unclear_switches(given: t.Mapping[str, t.Any]) -> list[str]:
    """One sentence for each switch of a role (C(*_enabled)) whose text is true for an argument spec, and false for the filter C(bool) of the playbooks."""
    return [
        f"{name} is {str(value)!r}, which Ansible reads as true in one place and as false in another: write true or false."
        for name, value in given.items()
        if name.endswith("_enabled") and isinstance(value, str) and value.strip().lower() in (*_PLAIN, "t", "y") and value.lower() not in _PLAIN
    ]


def _unshared(value: t.Any) -> t.Any:
    """A copy in which no part is there twice: a YAML alias is the same object in two places, and the validator trips over what it has completed."""
    if isinstance(value, dict):
        return {key: _unshared(item) for key, item in value.items()}
    return [_unshared(item) for item in value] if isinstance(value, list) else value


def is_template(value: t.Any) -> bool:
    """Whether a value is text that only Ansible can resolve."""
    return isinstance(value, str) and "{{" in value


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


__all__ = ("Converted", "Options", "convert", "is_template", "unclear_switches")
